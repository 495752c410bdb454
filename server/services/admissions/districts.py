"""District departments: how far the enterprises of an area have come, and one reminder to go on (GZ-02).

Where an enterprise stands follows from its registration, its standing and what it asked for; nothing of
an unfinished form is shown but that it was begun.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q, Subquery
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from server.clock import CHINA
from server.models.applications import Application
from server.models.inbox import ReminderSent
from server.models.organisations import Organisation, Qualification
from server.models.registrations import Registration
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.vocabulary import Party
from server.rules.issuance import ApplicationStatus
from server.rules.lifecycles import QualificationStatus, RegistrationStatus
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound
from server.services.outbox import Message

GROUP = 500
REMINDED = "district.reminded"
"""Under what a reminder of a department is kept, one a day."""


class Stage(StrEnum):
    """How far an enterprise has come in a programme."""

    REGISTERED = "registered"
    """On the platform, nothing begun in this programme."""
    DRAFTED = "drafted"
    """Its form is begun and was never handed in."""
    SUBMITTED = "submitted"
    """Handed in, under review."""
    RETURNED = "returned"
    """To be corrected by the enterprise."""
    ENDED = "ended"
    """Refused, withdrawn or run out."""
    APPROVED = "approved"
    """May have a voucher and has asked for none."""
    APPLIED = "applied"
    """Has applied for a voucher, or had one."""


TOPICS: Mapping[Stage, str] = {
    Stage.REGISTERED: "district.remind_registered",
    Stage.DRAFTED: "district.remind_drafted",
    Stage.RETURNED: "district.remind_returned",
    Stage.APPROVED: "district.remind_approved",
}
"""What an enterprise is told to do next. At the other stages it is not its turn."""


@dataclass(frozen=True, slots=True)
class Line:
    """An enterprise, where it stands, and when it was last reminded, in whichever programme."""

    organisation: Organisation
    stage: Stage
    reminded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reminding:
    """Whom a reminder went to, who had one today, and who has nothing to do. Ids."""

    sent: tuple[int, ...]
    had_one: tuple[int, ...]
    not_their_turn: tuple[int, ...]


class District:
    """The enterprises before one member of staff, in one programme.

    Raises ``NotFound`` at once for a programme or an ``area`` that is not theirs.
    """

    def __init__(self, actor: Actor, programme: Programme, *, area: str | None = None) -> None:
        access.require_programme(actor, programme.slug)
        if area is not None:
            access.require_area(actor, area)
        self._actor = actor
        self._programme = programme
        self._bounds = access.within_areas(actor, "area")
        if area is not None:
            self._bounds &= access.within_areas(replace(actor, areas=frozenset({area})), "area")
        # Nobody is asked to apply where they cannot.
        self._open_to = access.within_areas(replace(actor, areas=frozenset(programme.areas)), "area")

    async def page(self, *, stage: Stage | None = None, after: int = 0, limit: int) -> list[Line]:
        """The next enterprises after an id, in the order of their ids."""
        wanted = self._enterprises().filter(id__gt=after)
        if stage is not None:
            wanted = wanted.filter(self._at(stage))
        return await self._lines(await wanted.order_by("id").limit(limit))

    async def every(self, *, stage: Stage | None = None) -> AsyncIterator[list[Line]]:
        """All of them, some hundred at a time."""
        after = 0
        while lines := await self.page(stage=stage, after=after, limit=GROUP):
            yield lines
            after = lines[-1].organisation.id

    async def counts(self) -> dict[Stage, int]:
        """How many stand at each stage."""
        return {stage: await self._enterprises().filter(self._at(stage)).count() for stage in Stage}

    async def remind(self, organisation_ids: Sequence[int], *, now: datetime) -> Reminding:
        """Remind these enterprises of their next step, each at most once a day, by whomever.

        Raises ``NotFound`` and reminds nobody where one of them is not before this department.
        """
        ids = sorted(set(organisation_ids))
        sent: list[Message] = []
        reached: list[int] = []
        had_one: list[int] = []
        async with in_transaction():
            lines = await self._lines(await self._enterprises().filter(id__in=ids).order_by("id"))
            if len(lines) != len(ids):
                raise NotFound()
            for line in lines:
                if line.stage not in TOPICS:
                    continue
                reminded, recipient = line.organisation.id, f"organisation:{line.organisation.id}"
                if not await _first_today(recipient, now):
                    had_one.append(reminded)
                    continue
                sent.append(Message(recipient, TOPICS[line.stage], {"programme": self._programme.slug}))
                reached.append(reminded)
            await outbox.tell_all(sent, at=now)
            if reached:
                await journal.record(
                    "district.reminded",
                    f"programme:{self._programme.slug}",
                    actor=self._actor.name,
                    at=now,
                    programme_slug=self._programme.slug,
                    organisations=reached,
                )
        return Reminding(
            tuple(reached), tuple(had_one), tuple(one for one in ids if one not in {*reached, *had_one})
        )

    def _enterprises(self) -> QuerySet[Organisation]:
        """Whoever has begun here, and whoever could: of the programme's areas, and no provider."""
        providers = Subquery(Registration.filter(party=Party.PROVIDER).values("organisation_id"))
        return Organisation.filter(self._bounds).filter(
            self._begun() | self._standing(*QualificationStatus) | (~Q(id__in=providers) & self._open_to)
        )

    def _at(self, stage: Stage) -> Q:
        approved = self._standing(QualificationStatus.APPROVED)
        pending = self._standing(QualificationStatus.PENDING)
        returned = Q(
            id__in=Subquery(
                self._forms().filter(status=RegistrationStatus.RETURNED).values("organisation_id")
            )
        )
        match stage:
            case Stage.REGISTERED:
                return ~self._standing(*QualificationStatus) & ~self._begun()
            case Stage.DRAFTED:
                return ~self._standing(*QualificationStatus) & self._begun()
            case Stage.SUBMITTED:
                return pending & ~returned
            case Stage.RETURNED:
                return pending & returned
            case Stage.APPROVED:
                return approved & ~self._asked()
            case Stage.APPLIED:
                return approved & self._asked()
            case Stage.ENDED:
                return self._standing(
                    QualificationStatus.REFUSED, QualificationStatus.REVOKED, QualificationStatus.EXPIRED
                )

    def _forms(self) -> QuerySet[Registration]:
        return Registration.filter(programme_slug=self._programme.slug, party=Party.ENTERPRISE)

    def _begun(self) -> Q:
        return Q(id__in=Subquery(self._forms().values("organisation_id")))

    def _standing(self, *statuses: QualificationStatus) -> Q:
        held = Qualification.filter(
            programme_slug=self._programme.slug, party=Party.ENTERPRISE, status__in=statuses
        )
        return Q(id__in=Subquery(held.values("organisation_id")))

    def _asked(self) -> Q:
        applied = Application.filter(
            round__budget__programme_slug=self._programme.slug, status__not=ApplicationStatus.WITHDRAWN
        )
        had = Voucher.filter(programme_slug=self._programme.slug)
        return Q(
            Q(id__in=Subquery(applied.values("enterprise_id"))),
            Q(id__in=Subquery(had.values("enterprise_id"))),
            join_type=Q.OR,
        )

    async def _lines(self, rows: Sequence[Organisation]) -> list[Line]:
        """The same stages as :meth:`_at`, for these alone."""
        ids = [row.id for row in rows]
        stages: dict[int, Stage] = {}
        for stage in Stage:
            for row in await Organisation.filter(self._at(stage), id__in=ids).only("id"):
                stages[row.id] = stage
        last: dict[str, datetime] = {}
        recipients = [f"organisation:{one}" for one in ids]
        for sent in await ReminderSent.filter(about=REMINDED, recipient__in=recipients).order_by("sent_at"):
            last[sent.recipient] = sent.sent_at
        return [Line(row, stages[row.id], last.get(f"organisation:{row.id}")) for row in rows]


async def _first_today(recipient: str, now: datetime) -> bool:
    """Note a reminder of this day of the programme's clock; ``False`` where there is one."""
    midnight = now.astimezone(CHINA).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        async with in_transaction():  # A savepoint: of two at once the index lets one through.
            await ReminderSent.create(
                about=REMINDED,
                subject=recipient,
                recipient=recipient,
                deadline=midnight + timedelta(days=1),
                days_before=0,
                sent_at=now,
            )
    except IntegrityError:
        return False
    return True
