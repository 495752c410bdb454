"""A review office: the engine on a real database, staff of every role, and a small thing to review.

The thing is invented: it remembers what was done with it, and its checks say what a test told them to.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from tortoise.transactions import in_transaction

from server.clock import FixedClock
from server.errors import Refusal
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.public_notices import NoticeLine, NoticeShowing, PublicNotice
from server.models.review_papers import InspectionForm
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.public_notice_defaults import load_notice_defaults
from server.programme.registry import Programmes
from server.programme.review import ReviewKind, ReviewStep, ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.review import BEST_SCORE, CaseStatus, Check, Record, Verdict
from server.sealing import Sealer
from server.services.access import CLOCK, Actor
from server.services.afterwards import After
from server.services.clocks import ProgrammeClocks
from server.services.public_notices.objection_answers import ObjectionAnswers
from server.services.public_notices.objections import Objections, Statement
from server.services.public_notices.public_notices import PublicNotices
from server.services.public_notices.review_notices import Notices
from server.services.public_notices.standing_notices import StandingNotices
from server.services.reviews.review_cases import copied
from server.services.reviews.review_passage import Said
from server.services.reviews.reviews import Reviews
from server.services.working_days import WorkingDays
from tests.factories import make_enterprise

REAL, INVENTED = Path("config/programmes"), Path("tests/programmes/invented")
MONDAY = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GREEN = Check("registered", "一", "注册地符合要求", met=True)
RED = Check("registered", "一", "注册地不符合要求", met=False, arithmetic="甲 ≠ 乙")
DEFAULTS = load_notice_defaults(Path("config/public_notices.toml"))
SEALER = Sealer({"2026a": "a data secret of this test, long enough"})
APPLICANT = Actor("person", 1, "", None, frozenset({"handler"}))

_numbers = count(1)


@cache
def every_programme() -> Programmes:
    """The five regulations and the two invented ones."""
    return Programmes([*Programmes.load(REAL), *Programmes.load(INVENTED)])


class NotNow(Refusal):
    """What the thing under review says of a pass that cannot be."""

    status, code = 409, "conditions_unmet"


@dataclass
class Thing:
    """A ``Reviewed`` that keeps in ``told`` what the engine did with it."""

    facts: dict[str, Any] = field(default_factory=lambda: {"name": "甲公司", "figures": {"headcount": 42}})
    found: Sequence[Check] = (GREEN,)
    told: list[tuple[str, Any]] = field(default_factory=list)
    came_to: list[str] = field(default_factory=list)
    awaited: int = 0
    others: frozenset[str] = frozenset()
    cannot_pass: bool = False

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        return dict(self.facts)

    async def sides(self, case: ReviewCase) -> frozenset[str]:
        return self.others

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        return self.found

    async def arrived(self, case: ReviewCase, step: ReviewStep, *, actor: Actor, now: datetime) -> None:
        self.came_to.append(step.name)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        if self.cannot_pass:
            raise NotNow(count=1)
        return self._tell("passed", dict(extras))

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        return self._tell("refused", reason)

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        return self._tell("returned", dict(fields))

    def _tell(self, what: str, value: Any) -> After:
        async def after() -> None:
            # What was only rehearsed is never awaited.
            self.told.append((what, value))
            self.awaited += 1

        return after


class ReviewOffice:
    """The verbs, one thing for every subject, and a clock that stands still until a test moves it."""

    def __init__(self, programmes: Programmes, now: datetime = MONDAY) -> None:
        self.clock = FixedClock(now)
        self.programmes = programmes
        self.days = WorkingDays(Path("config/holidays"))
        # The years of the invented programmes, as if they had been published.
        self.days.calendar = replace(self.days.calendar, years=frozenset(range(2004, 2041)))
        self.thing = Thing()
        self.reviews = Reviews(programmes, ProgrammeClocks(self.clock), self.days)
        for subject in ReviewSubject:
            self.reviews.serve(subject, self.thing)
        self.notices = Notices(self.reviews)
        self.drafts = PublicNotices(self.notices)
        self.standing = StandingNotices(self.notices, DEFAULTS)
        self.objections = Objections(self.notices, DEFAULTS, SEALER)
        self.answers = ObjectionAnswers(self.objections)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def today(self) -> date:
        return day_of(self.now)

    async def staff(self, *roles: str, **bounds: Any) -> Actor:
        """Somebody new of these roles, in every programme unless ``bounds`` say otherwise."""
        name = f"staff{next(_numbers)}"
        row = await Staff.create(
            username=name,
            password_hash="",
            display_name=bounds.pop("display_name", name),
            roles=list(roles),
            created_at=self.now,
            **bounds,
        )
        return Actor("staff", row.id, "", None, frozenset(roles), frozenset(bounds.get("programmes", ())))

    async def open(
        self,
        programme: Programme,
        subject: ReviewSubject,
        *,
        organisation: Organisation | None = None,
        actor: Actor = APPLICANT,
        circumstances: Sequence[ReviewWhen] = (),
    ) -> ReviewCase:
        """A case of a new organisation, opened now."""
        organisation = organisation or await make_enterprise()
        case, after = await self.reviews.open(
            subject,
            next(_numbers),
            programme=programme,
            organisation=organisation,
            title=f"{organisation.name}的申请",
            actor=actor,
            now=self.now,
            circumstances=circumstances,
        )
        await after()
        return case

    async def fill_form(self, case: ReviewCase, by: Actor) -> None:
        """A whole and signed form, where the step a case stands at asks for one."""
        step = None if case.place is None else copied(case).chain.steps[case.place]
        if step is not None and step.form and by.kind == "staff":
            await InspectionForm.create(
                case_id=case.id,
                place=case.place,
                code=step.form,
                sealed_values="",
                values_hash="",
                passes=True,
                filled_by=by.id,
                filled_at=self.now,
            )

    async def put_on_record(self, case: ReviewCase, kind: ReviewKind, *, by: Actor) -> ReviewCase:
        """What a step asks for was done elsewhere, as a payment is."""
        async with in_transaction():
            after = await self.reviews.put_on_record(case, kind=kind, actor=by, reason="回单已核对")
        await after()
        return await ReviewCase.get(id=case.id)

    async def not_drawn(self, case: ReviewCase) -> ReviewCase:
        """A draw passes over a case that waits for one."""
        async with in_transaction():
            passage = await self.reviews.take(case.id, case.version, None, actor=CLOCK)
            assert passage.case.place is not None
            await passage.put_down(passage.case.place, Said(verdict=Verdict.NOT_DRAWN, reason="未抽中"))
            await passage.go_on()
        return await ReviewCase.get(id=case.id)

    def kind(self, case: ReviewCase) -> ReviewKind | None:
        """The kind of step a case stands at."""
        return None if case.place is None else copied(case).chain.steps[case.place].kind

    def record(self, case: ReviewCase) -> Record:
        """What the step that a case stands at asks to be put down."""
        kind = self.kind(case)
        return Record(
            score=BEST_SCORE if kind is ReviewKind.EXPERT_REVIEW else None,
            held_on=self.today if kind is ReviewKind.COMMITTEE else None,
        )

    async def decide(
        self, case: ReviewCase, verdict: Verdict = Verdict.APPROVED, *, by: Actor | None = None, **said: Any
    ) -> ReviewCase:
        """Decide on a case as it stands, by somebody new of the role whose turn it is unless named.

        One that waits for a notice is put up instead, and shown in every channel.
        """
        if by is None and self.waits(case):
            await self.put_up(case)
            return await ReviewCase.get(id=case.id)
        if by is None:
            assert case.turn is not None, f"nobody's turn: {case.status}"
            by = await self.staff(case.turn.value)
            if self.kind(case) is ReviewKind.DISBURSEMENT:
                return await self.put_on_record(case, ReviewKind.DISBURSEMENT, by=by)
        if verdict is Verdict.APPROVED:
            await self.fill_form(case, by)
        chosen: dict[str, Any] = {
            "version": case.version,
            "reason": "" if verdict is Verdict.APPROVED else "材料不符合要求",
            "record": self.record(case),
        }
        return await self.reviews.decide(case.id, verdict, actor=by, **{**chosen, **said})

    def waits(self, case: ReviewCase) -> bool:
        """Whether a case waits for somebody to put it on a notice."""
        if case.status is not CaseStatus.OPEN or case.place is None:
            return False
        return copied(case).chain.steps[case.place].kind is ReviewKind.PUBLIC_NOTICE

    async def draft(self, *cases: ReviewCase, by: Actor | None = None, **said: Any) -> PublicNotice:
        """A notice of these cases, drafted by somebody whose turn it is."""
        assert cases[0].turn is not None
        lines = [(await NoticeLine.get(case_id=case.id, outcome=None)).id for case in cases]
        chosen: dict[str, Any] = {"title": "", "line_ids": lines}
        return await self.drafts.draft(
            cases[0].programme_slug,
            actor=by or await self.staff(cases[0].turn.value),
            **{**chosen, **said},
        )

    async def publish(self, notice: PublicNotice, *, by: Actor) -> PublicNotice:
        """Publish a draft as it is previewed at this moment."""
        seen = await self.drafts.preview(notice.id, actor=by)
        return await self.drafts.publish(notice.id, version=notice.version, sha256=seen.sha256, actor=by)

    async def put_up(self, *cases: ReviewCase) -> PublicNotice:
        """A notice of these cases, published by a second person and shown today in every channel."""
        assert cases[0].turn is not None
        notice = await self.draft(*cases)
        second = await self.staff(cases[0].turn.value)
        notice = await self.publish(notice, by=second)
        for one in await NoticeShowing.filter(notice_id=notice.id, shown_on=None).order_by("id"):
            notice = await self.standing.show(
                notice.id, one.channel, shown_on=self.today, url="https://example.com/1", actor=second
            )
        return notice

    async def object(
        self, case: ReviewCase, reason: str = "不符合条件", *, by: Actor | None = APPLICANT
    ) -> int:
        """Somebody who is signed in objects to a case on notice without their name, the objection's id."""
        line = await NoticeLine.get(case_id=case.id, outcome=None)
        assert line.notice_id is not None and line.place is not None
        said = Statement(reason=reason, anonymous=True)
        made, _ = await self.objections.make(line.notice_id, line.place, said, actor=by, address="192.0.2.1")
        return int(made.id)

    async def time_is_over(self, case: ReviewCase) -> ReviewCase:
        """The notice of a case ends by the clock."""
        until = (await ReviewCase.get(id=case.id)).notice_until
        assert until is not None
        self.clock.at = until
        await self.notices.close_due()
        return await ReviewCase.get(id=case.id)


def others(role: Role) -> list[Role]:
    """Every role of staff but this one."""
    staff = (Role.OPERATOR, Role.AUTHORITY, Role.DIVISION, Role.TREASURY, Role.INSPECTOR, Role.EXPERT)
    return [one for one in staff if one is not role]
