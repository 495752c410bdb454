"""Inspections: planned over a sample, recorded visit by visit, signed by all who held them, and closed.

Daily visits (LS-73), joint inspections of several authorities (LS-75), third-party supervision that ends in
an opinion and a report (GX-66), follow-up inspections of a contract (GZ-45) and sampled commitments (GX-72)
are one thing with another list. What a visit found stands in the provider's service file (GX-57).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.supervision import Inspection, InspectionSignature, InspectionVisit
from server.programme.model import Programme
from server.programme.monitoring import ChecklistItem
from server.programme.supervision import SupervisionDefaults
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, year_bounds
from server.rules.supervision import (
    PARTICIPANTS,
    InspectionKind,
    InspectionStatus,
    VisitStatus,
    unsigned,
)
from server.services import access, outbox
from server.services.access import Actor, NotAllowed, NotFound, StaffRole
from server.services.files.files import keep_files
from server.services.numbers import new_number
from server.services.supervision.supervision_book import (
    SUPERVISORS,
    SupervisionBook,
    SupervisionMovedOn,
    files_of,
    note,
    require_impartial,
    require_words,
    roles_in_words,
)
from server.services.supervision.supervision_samples import drawn

MOST_VISITS = 500
DAYS_BEFORE_YEAR_END = (90, 60, 30, 7)
PAGE = 50


class SampleUnusable(Refusal):
    """Nobody to visit, too many, one twice, or somebody who was not drawn."""

    status, code = 422, "inspection_sample_unusable"


class NotHeldByYou(Refusal):
    """This kind of inspection is held by others."""

    status, code = 403, "inspection_not_yours"


class InspectionOpen(Refusal):
    """Visits, signatures, opinion or report are missing; ``unmet`` names each."""

    status, code = 409, "inspection_open"


class InspectionOver(Refusal):
    """It is closed or cancelled: what it found stands."""

    status, code = 409, "inspection_over"


class SignedAlready(Refusal):
    """The role has signed, or the same person has signed for another one."""

    status, code = 409, "inspection_signed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Whom, or which order's performance, a visit looks at."""

    organisation_id: int
    party: Party
    order_id: int | None = None


class Inspections:
    """The verbs that plan, sign and close."""

    def __init__(self, book: SupervisionBook, defaults: SupervisionDefaults) -> None:
        self.book = book
        self.defaults = defaults

    async def plan(
        self,
        slug: str,
        kind: InspectionKind,
        *,
        title: str,
        planned_on: date,
        subjects: Sequence[Subject],
        draw_id: int | None = None,
        reason: str = "",
        commissioned: str = "",
        actor: Actor,
    ) -> Inspection:
        """Plan an inspection of a sample: drawn, or named with a reason.

        A sampled commitment is not announced (GX-72); whoever else is to be visited is told. Raises
        ``NotFound``, :class:`NotHeldByYou`, :class:`SampleUnusable`, ``SampleNotDrawn``,
        ``WordsMissing``, ``OwnReview``.
        """
        programme = self.book.programme(slug, actor)
        held_by, clause = held(programme, kind)
        if actor.roles.isdisjoint(held_by):
            raise NotHeldByYou(clause=clause, names=roles_in_words(held_by))
        why = reason.strip() if draw_id is not None else require_words(reason)
        organisations = await self._require_sample(programme, subjects, draw_id)
        await require_impartial(actor, organisations)
        now = self.book.now(slug)
        items = (
            self.defaults.commitment_checklist if kind is InspectionKind.COMMITMENT else self.items(programme)
        )
        async with in_transaction():
            made = await Inspection.create(
                number=new_number("J"),
                programme_slug=slug,
                programme_version=programme.version,
                kind=kind,
                year=programme.year_of(planned_on),
                title=require_words(title),
                clause=clause,
                held_by=sorted(held_by),
                items=[{"code": one.code, "says": one.says, "clause": one.article} for one in items],
                draw_id=draw_id,
                reason=why,
                commissioned=commissioned.strip(),
                planned_on=planned_on,
                made_by=actor.id,
                made_at=now,
            )
            await InspectionVisit.bulk_create(
                [
                    InspectionVisit(
                        inspection_id=made.id,
                        organisation_id=one.organisation_id,
                        party=one.party,
                        order_id=one.order_id,
                    )
                    for one in subjects
                ]
            )
            await note(
                "inspection.planned",
                f"inspection:{made.id}",
                actor=actor,
                now=now,
                programme_slug=slug,
                kind=kind.value,
                visits=len(subjects),
                draw=draw_id,
            )
            if kind is not InspectionKind.COMMITMENT:
                await outbox.tell_all(
                    (
                        outbox.Message(
                            f"organisation:{one}",
                            "inspection.planned",
                            {"inspection": made.id, "programme": slug, "title": made.title,
                             "day": planned_on.isoformat(), "clause": clause},
                        )
                        for one in sorted({one.organisation_id for one in subjects})
                    ),
                    at=now,
                )  # fmt: skip
        return made

    def items(self, programme: Programme) -> Sequence[ChecklistItem]:
        """What an inspection looks at: the programme's own list, or the house's."""
        own = () if programme.monitoring is None else programme.monitoring.checklist
        return own or self.defaults.checklist

    async def sign(self, inspection_id: int, *, actor: Actor) -> Inspection:
        """Sign the result for one of the roles that hold it, each by somebody else (LS-75).

        There is a result when every visit is made. Raises ``NotFound``, :class:`NotHeldByYou`,
        :class:`InspectionOver`, :class:`InspectionOpen`, :class:`SignedAlready`.
        """
        inspection, programme = await self.of(inspection_id, actor=actor)
        require_open(inspection)
        mine = sorted(actor.roles & set(inspection.held_by))
        if not mine:
            raise NotHeldByYou(clause=inspection.clause, names=roles_in_words(inspection.held_by))
        if unseen := await _visits_to_make(inspection):
            raise InspectionOpen(clause=inspection.clause, unmet=unseen, count=len(unseen))
        now = self.book.now(inspection.programme_slug)
        signed = {one.role for one in await InspectionSignature.filter(inspection_id=inspection.id)}
        role = next((one for one in mine if one not in signed), mine[0])
        try:
            async with in_transaction():
                await InspectionSignature.create(
                    inspection_id=inspection.id, role=role, staff_id=actor.id, signed_at=now
                )
                await note(
                    "inspection.signed",
                    f"inspection:{inspection.id}",
                    actor=actor,
                    now=now,
                    programme_slug=programme.slug,
                    role=role,
                )
        except IntegrityError:
            raise SignedAlready(clause=inspection.clause) from None
        return inspection

    async def close(
        self, inspection_id: int, *, opinion: str, file_ids: Sequence[int], version: int, actor: Actor
    ) -> Inspection:
        """End it with its opinion: every visit made, every role signed, a third party's report attached.

        Raises ``NotFound``, :class:`NotHeldByYou`, :class:`InspectionOver`, :class:`InspectionOpen`,
        ``FilesUnknown``, ``SupervisionMovedOn``.
        """
        inspection, programme = await self.of(inspection_id, actor=actor)
        require_open(inspection)
        if actor.roles.isdisjoint(inspection.held_by):
            raise NotHeldByYou(clause=inspection.clause, names=roles_in_words(inspection.held_by))
        files = await files_of(file_ids, actor=actor)
        missing = await self._missing(inspection, opinion=opinion.strip(), files=len(files))
        if missing:
            raise InspectionOpen(clause=inspection.clause, unmet=missing, count=len(missing))
        now = self.book.now(inspection.programme_slug)
        async with in_transaction():
            await change(
                inspection,
                version,
                status=InspectionStatus.CLOSED,
                opinion=opinion.strip(),
                report_files=[one.id for one in files],
                closed_by=actor.id,
                closed_at=now,
            )
            await keep_files(files, f"inspection:{inspection.id}", "report", programme=programme, now=now)
            await note(
                "inspection.closed",
                f"inspection:{inspection.id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                opinion=opinion.strip(),
            )
            await outbox.tell(
                outbox.team(Role.AUTHORITY, programme.slug),
                "inspection.closed",
                at=now,
                inspection=inspection.id,
                programme=programme.slug,
                title=inspection.title,
                number=inspection.number,
            )
        return await Inspection.get(id=inspection.id)

    async def cancel(self, inspection_id: int, *, reason: str, version: int, actor: Actor) -> Inspection:
        """Give up a plan before its first visit; it stays on the list, with the reason."""
        inspection, programme = await self.of(inspection_id, actor=actor)
        require_open(inspection)
        if actor.roles.isdisjoint(inspection.held_by):
            raise NotHeldByYou(clause=inspection.clause, names=roles_in_words(inspection.held_by))
        visits = InspectionVisit.filter(inspection_id=inspection.id)
        if await visits.exclude(status=VisitStatus.PLANNED).exists():
            raise InspectionOver(clause=inspection.clause)
        now = self.book.now(inspection.programme_slug)
        async with in_transaction():
            await change(
                inspection, version, status=InspectionStatus.CANCELLED, opinion=require_words(reason)
            )
            await note(
                "inspection.cancelled",
                f"inspection:{inspection.id}",
                actor=actor,
                now=now,
                programme_slug=programme.slug,
                reason=reason.strip(),
            )
        return await Inspection.get(id=inspection.id)

    async def of(self, inspection_id: int, *, actor: Actor) -> tuple[Inspection, Programme]:
        """An inspection of a programme the actor works on. Raises ``NotFound``."""
        inspection = await Inspection.get_or_none(id=inspection_id)
        if inspection is None or actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
            raise NotFound()
        access.require_programme(actor, inspection.programme_slug)
        programme = self.book.programmes.version(inspection.programme_slug, inspection.programme_version)
        return inspection, programme

    async def owed(self, programme: Programme, year: int) -> Mapping[str, tuple[int, int]]:
        """By clause: how often a year asks for a joint inspection, and how often one was closed (LS-75)."""
        closed = await Inspection.filter(
            programme_slug=programme.slug,
            year=year,
            kind=InspectionKind.JOINT,
            status=InspectionStatus.CLOSED,
        ).count()
        return {
            one.article: (one.times_per_year, closed)
            for one in programme.samplings
            if one.times_per_year is not None and len(one.by) > 1
        }

    async def remind(self, slug: str) -> int:
        """Tell the authority which joint inspections the year still owes, as its end comes near (LS-75)."""
        programme, now = self.book.programmes.get(slug), self.book.now(slug)
        today = day_of(now)
        if (year_bounds(programme, today)[1] - today).days not in DAYS_BEFORE_YEAR_END:
            return 0
        year, told = programme.year_of(now), 0
        for clause, (wanted, closed) in (await self.owed(programme, year)).items():
            if closed < wanted:
                await outbox.tell(
                    outbox.team(Role.AUTHORITY, slug),
                    "inspection.owed",
                    at=now,
                    programme=slug,
                    year=year,
                    clause=clause,
                )
                told += 1
        return told

    async def _require_sample(
        self, programme: Programme, subjects: Sequence[Subject], draw_id: int | None
    ) -> list[Organisation]:
        keys = {(one.organisation_id, one.party, one.order_id) for one in subjects}
        if not subjects or len(subjects) > MOST_VISITS or len(keys) != len(subjects):
            raise SampleUnusable(most=MOST_VISITS, names="")
        if draw_id is not None:
            sample = await drawn(draw_id, programme.slug)
            strangers = [
                one
                for one in subjects
                if not sample.holds(order_id=one.order_id, organisation_ids=[one.organisation_id])
            ]
            if strangers:
                names = texts.LIST.join(str(one.organisation_id) for one in strangers)
                raise SampleUnusable(most=MOST_VISITS, names=names)
        organisations = await Organisation.filter(id__in=[one.organisation_id for one in subjects])
        if len(organisations) != len({one.organisation_id for one in subjects}):
            raise NotFound()
        orders = {
            one.id: one
            for one in await Order.filter(
                id__in=[one.order_id for one in subjects if one.order_id is not None],
                programme_slug=programme.slug,
            )
        }
        for one in subjects:
            order = None if one.order_id is None else orders.get(one.order_id)
            if one.order_id is not None and (
                order is None or one.organisation_id not in (order.enterprise_id, order.provider_id)
            ):
                raise NotFound()
        return organisations

    async def _missing(self, inspection: Inspection, *, opinion: str, files: int) -> list[Unmet]:
        says, clause = texts.INSPECTION_MISSING, inspection.clause
        signed = await InspectionSignature.filter(inspection_id=inspection.id).values_list("role", flat=True)
        missing = await _visits_to_make(inspection)
        # A joint inspection is signed by every role that holds it (LS-75), any other by one of them.
        lacking = unsigned(inspection.held_by, [str(one) for one in signed])
        if lacking and (inspection.kind is InspectionKind.JOINT or not signed):
            names = roles_in_words(lacking)
            missing.append(Unmet("signatures", clause, says["signatures"].format(names=names)))
        if not opinion:
            missing.append(Unmet("opinion", clause, says["opinion"]))
        if inspection.kind is InspectionKind.THIRD_PARTY and not files:
            missing.append(Unmet("report", clause, says["report"]))
        return missing


async def _visits_to_make(inspection: Inspection) -> list[Unmet]:
    planned = InspectionVisit.filter(inspection_id=inspection.id, status=VisitStatus.PLANNED)
    count = await planned.count()
    says = texts.INSPECTION_MISSING["visits"].format(count=count)
    return [Unmet("visits", inspection.clause, says)] if count else []


def held(programme: Programme, kind: InspectionKind) -> tuple[frozenset[str], str]:
    """Who holds a kind of inspection in a programme, and by which clause; the house's where it is silent."""
    roles: frozenset[str] = frozenset(PARTICIPANTS[kind])
    if kind is InspectionKind.JOINT:
        joint = next((one for one in programme.samplings if one.times_per_year and len(one.by) > 1), None)
        return (roles, "") if joint is None else (frozenset(joint.by), joint.article)
    by = next((one for one in programme.samplings if set(one.by) & roles), None)
    return roles, "" if by is None else by.article


def require_open(inspection: Inspection) -> None:
    """Raise :class:`InspectionOver` unless it is still under way."""
    if inspection.status is not InspectionStatus.PLANNED:
        raise InspectionOver(clause=inspection.clause)


async def change(inspection: Inspection, version: int, **columns: object) -> None:
    """Change it as it was seen. Raises ``SupervisionMovedOn``."""
    # The WHERE clause is the lock: of two who press at once one is told to look again.
    changed = await Inspection.filter(
        id=inspection.id, version=version, status=InspectionStatus.PLANNED
    ).update(version=version + 1, **columns)
    if not changed:
        raise SupervisionMovedOn()


async def listed(actor: Actor, *, programme: str = "", before: int | None = None) -> list[Inspection]:
    """Inspections of the actor's programmes, newest first, one page and one more."""
    if actor.roles.isdisjoint(SUPERVISORS | {StaffRole.AUDITOR}):
        raise NotAllowed()
    rows = Inspection.filter(access.within_programmes(actor, "programme_slug"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if before is not None:
        rows = rows.filter(id__lt=before)
    return await rows.order_by("-id").limit(PAGE + 1)
