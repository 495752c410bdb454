"""Objections: what anybody puts forward against a line of a notice, and how it is followed.

Whose an objection is stands apart and sealed: the case, the journal and everybody's answers call them
``objector``. A receipt code, told once and kept as a keyed hash, lets somebody without an account read the
answer and add files. Only the line that was objected to is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Qualification
from server.models.people import Person
from server.models.public_notices import NoticeLine, ObjectionFile, Objector, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.public_notice_defaults import NoticeDefaults
from server.programme.review import PublicNotice as Terms
from server.programme.review import ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.complaints import reveals
from server.rules.deadlines import DueBy, day_of, working_days_after
from server.rules.lifecycles import QualificationStatus
from server.rules.public_notices import NoticeStatus
from server.rules.review import CaseStatus, ReasonMissing
from server.sealing import Sealer
from server.services import allowances, journal
from server.services.access import CLOCK, Actor, NotFound
from server.services.numbers import new_code
from server.services.open_doors import OpenDoors
from server.services.public_notices.review_notices import Notices
from server.services.reviews import notice_book
from server.services.reviews.review_cases import copied, due_columns, step_of
from server.services.reviews.review_passage import Passage, objection_follows_later

PARTIES = frozenset({Role.ENTERPRISE, Role.PROVIDER, Role.BOTH})
NAMED, ANONYMOUS = "named", "anonymous"
MOST_A_DAY, MOST_FROM_ONE_ADDRESS = 20, 10
DOOR = "objection"
_RECEIPT_LENGTH = 20


class NoticeOver(Refusal):
    """The case is not on notice, or its days are over."""

    status, code = 409, "notice_over"


class NotYourObjection(Refusal):
    """The text lets others object."""

    status, code = 403, "not_your_objection"


class ObjectionPending(Refusal):
    """The same person's objection to the same case is not answered yet."""

    status, code = 409, "objection_pending"


class ObjectorUnnamed(Refusal):
    """Whoever objects under their name gives it, and says how to be reached."""

    status, code = 422, "objector_unnamed"


class ObjectorRevealed(Refusal):
    """The reason, which the other side is told, names the objector."""

    status, code = 422, "objector_revealed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What somebody puts forward. Anonymous: neither name nor contact is kept."""

    reason: str
    anonymous: bool
    name: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Followed:
    """An objection as whoever holds its receipt sees it."""

    objection: ReviewObjection
    notice: PublicNotice
    place: int
    case: ReviewCase
    files: int


class Objections:
    """The verbs on objections; ``notices`` lets a case go on that nobody objects to any more."""

    def __init__(self, notices: Notices, defaults: NoticeDefaults, sealer: Sealer) -> None:
        self.notices = notices
        self.reviews = notices.reviews
        self.defaults = defaults
        self.sealer = sealer
        self.doors = OpenDoors(sealer)

    async def make(
        self, notice_id: int, place: int, said: Statement, *, actor: Actor | None, address: str
    ) -> tuple[ReviewObjection, str]:
        """Object to one line of a notice that stands; the objection and the code of its receipt.

        ``actor`` is a person who is signed in; anybody else comes from an ``address``. Raises ``NotFound``,
        :class:`NoticeOver`, :class:`NotYourObjection`, :class:`ObjectionPending`, :class:`ObjectorUnnamed`,
        :class:`ObjectorRevealed`, ``ReasonMissing``, ``TooManyToday``, ``TooManyFromHere``.
        """
        if not said.reason.strip():
            raise ReasonMissing()
        line = await NoticeLine.get_or_none(notice_id=notice_id, place=place, result=False).select_related(
            "case", "notice"
        )
        if line is None or line.notice is None:
            raise NotFound()
        clause = line.notice.clause
        name, contact = await self._identity(said, actor)
        now = self.reviews.clocks.now(line.programme_slug)
        _require_standing(line, now)
        await _require_party(line.case, actor)
        await self._require_allowed(actor, address, now)
        receipt = new_code(_RECEIPT_LENGTH)
        async with in_transaction():
            case_id = line.case_id
            seen = await ReviewCase.filter(id=case_id, status=CaseStatus.ON_NOTICE).update(
                version=F("version") + 1
            )
            line = await NoticeLine.get(id=line.id).select_related("case", "notice")
            if not seen:
                raise NoticeOver(clause=clause)
            _require_standing(line, now)
            if actor is not None and await _has_open(case_id, actor):
                raise ObjectionPending(clause=clause)
            passage = await self.reviews.passage(line.case, actor=CLOCK, now=now)
            objection = await self._put_forward(passage, line, said, now)
            await Objector.create(
                objection_id=objection.id,
                person_id=None if actor is None else actor.id,
                name_sealed=self.sealer.seal(name),
                contact_sealed=self.sealer.seal(contact),
                receipt_index=self.sealer.blind(receipt),
            )
        return objection, receipt

    async def follow(self, receipt: str) -> Followed:
        """What became of the objection that a receipt is of. Raises ``NotFound``."""
        whose = await Objector.get_or_none(
            receipt_index__in=self.sealer.blinds(receipt.strip().upper())
        ).select_related("objection__case", "objection__notice")
        if whose is None:
            raise NotFound()
        objection: ReviewObjection = whose.objection
        line = await NoticeLine.get(notice_id=objection.notice_id, case_id=objection.case_id)
        assert line.place is not None and objection.notice is not None, "it was made on a line of a notice"
        files = await ObjectionFile.filter(objection_id=objection.id).count()
        return Followed(objection, objection.notice, line.place, objection.case, files)

    def due(self, terms: Terms, since: datetime) -> DueBy:
        """Until when an objection is answered: as the text says, or as the house does (then by default)."""
        days = terms.reply_working_days or self.defaults.reply_working_days
        return working_days_after(self.reviews.days.calendar, day_of(since), days)

    # -- inside ------------------------------------------------------------------------------------

    async def _identity(self, said: Statement, actor: Actor | None) -> tuple[str, str]:
        """Name and contact to keep."""
        if said.anonymous:
            return "", ""
        name, contact = said.name.strip(), said.contact.strip()
        if actor is not None:
            person = await Person.get(id=actor.id)
            name = name or person.name
            contact = contact or self.sealer.open(person.phone_sealed)
        if not (name and contact):
            raise ObjectorUnnamed()
        if reveals(said.reason, [name, contact]):
            raise ObjectorRevealed()
        return name, contact

    async def _require_allowed(self, actor: Actor | None, address: str, now: datetime) -> None:
        if actor is None:
            await self.doors.enter(
                DOOR, address, most=MOST_FROM_ONE_ADDRESS, now=self.reviews.clocks.base.now()
            )
            return
        made = ReviewObjection.filter(objector__person_id=actor.id)
        await allowances.require(made, "made_at", MOST_A_DAY, now=now)

    async def _put_forward(
        self, passage: Passage, line: NoticeLine, said: Statement, now: datetime
    ) -> ReviewObjection:
        terms, step = passage.kept.notice, step_of(passage.case)
        assert step is not None, "a case on notice stands at a step"
        due = self.due(terms, now)
        objection = await ReviewObjection.create(
            case_id=passage.case.id,
            notice_id=line.notice_id,
            made_by=ANONYMOUS if said.anonymous else NAMED,
            reason=said.reason.strip(),
            made_at=now,
            due_at=due.ends_at,
            due_provisional=due.provisional,
            by_default=terms.reply_working_days is None,
        )
        await passage.state_further({ReviewWhen.OBJECTION})
        if terms.objection_holds_item and not objection_follows_later(passage):
            await passage.change(**due_columns(due), turn=step.by)
        await journal.record(
            "review.objected",
            f"review:{passage.case.id}",
            actor=notice_book.OBJECTOR,
            at=now,
            programme_slug=passage.case.programme_slug,
            objection=objection.id,
            notice=line.notice_id,
        )
        await passage.tell_team("review.objected", step.by, step=step.name)
        await passage.tell_applicant("review.objected", clause=terms.article)
        return objection


async def _has_open(case_id: int, actor: Actor) -> bool:
    return await ReviewObjection.exists(case_id=case_id, answered_at=None, objector__person_id=actor.id)


async def _require_party(case: ReviewCase, actor: Actor | None) -> None:
    """Raise :class:`NotYourObjection` where the text names who may object, and it is not the actor."""
    terms = copied(case).notice
    if terms.objections_by not in PARTIES:
        return
    who = NotYourObjection(clause=terms.article, who=texts.ACTORS[terms.objections_by])
    if actor is None or actor.organisation_id is None:
        raise who
    approved = Qualification.filter(
        organisation_id=actor.organisation_id,
        programme_slug=case.programme_slug,
        status=QualificationStatus.APPROVED,
    )
    if terms.objections_by is not Role.BOTH:
        approved = approved.filter(party=terms.objections_by.value)
    if not await approved.exists():
        raise who


def _require_standing(line: NoticeLine, now: datetime) -> None:
    """Raise :class:`NoticeOver` unless the line may be objected to at this instant."""
    notice = line.notice
    assert notice is not None, "it has a place on a notice"
    over = notice.ends_at is not None and now >= notice.ends_at and not notice.due_provisional
    if notice.status is not NoticeStatus.STANDING or line.outcome is not None or over:
        raise NoticeOver(clause=notice.clause)
