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
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewKind, ReviewStep, ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.review import BEST_SCORE, Check, Record, Verdict
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.review_cases import copied
from server.services.review_notices import Notices
from server.services.reviewed import After
from server.services.reviews import Reviews
from server.services.working_days import WorkingDays
from tests.factories import make_enterprise

REAL, INVENTED = Path("config/programmes"), Path("tests/programmes/invented")
MONDAY = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
DAY = timedelta(days=1)
GREEN = Check("registered", "一", "注册地符合要求", met=True)
RED = Check("registered", "一", "注册地不符合要求", met=False, arithmetic="甲 ≠ 乙")
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
    cannot_pass: bool = False

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        return dict(self.facts)

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
        return Actor("staff", row.id, "", None, frozenset(roles))

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

    async def put_on_record(self, case: ReviewCase, kind: ReviewKind, *, by: Actor) -> ReviewCase:
        """What a step asks for was done elsewhere, as a payment is."""
        async with in_transaction():
            after = await self.reviews.put_on_record(case, kind=kind, actor=by, reason="回单已核对")
        await after()
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
        """Decide on a case as it stands, by somebody new of the role whose turn it is unless named."""
        if by is None:
            assert case.turn is not None, f"nobody's turn: {case.status}"
            by = await self.staff(case.turn.value)
            if self.kind(case) is ReviewKind.DISBURSEMENT:
                return await self.put_on_record(case, ReviewKind.DISBURSEMENT, by=by)
        chosen: dict[str, Any] = {
            "version": case.version,
            "reason": "" if verdict is Verdict.APPROVED else "材料不符合要求",
            "record": self.record(case),
        }
        return await self.reviews.decide(case.id, verdict, actor=by, **{**chosen, **said})

    async def object(self, case: ReviewCase, reason: str = "不符合条件") -> int:
        """Somebody objects to a case on notice, the objection's id."""
        objection = await self.notices.object(case.id, reason=reason, actor=APPLICANT)
        return int(objection.id)

    async def time_is_over(self, case: ReviewCase) -> ReviewCase:
        """The notice of a case ends by the clock."""
        assert case.notice_until is not None
        self.clock.at = case.notice_until
        await self.notices.close_due()
        return await ReviewCase.get(id=case.id)


def others(role: Role) -> list[Role]:
    """Every role of staff but this one."""
    staff = (Role.OPERATOR, Role.AUTHORITY, Role.DIVISION, Role.TREASURY, Role.INSPECTOR, Role.EXPERT)
    return [one for one in staff if one is not role]
