"""Qualifications: where an organisation stands in a programme, and how it is decided there.

Every verb locks the organisation first and asks the rules about the facts that the lock holds still, so
nobody is approved on facts that change a moment later. Whatever moves an organisation's standing settles
its entitlements in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal, Unmet
from server.models.organisations import Organisation, Qualification
from server.programme.issuance import Tier
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import SizeStandard
from server.programme.vocabulary import Party
from server.rules.eligibility import unmet as conditions_unmet
from server.rules.eligibility import valid_labels
from server.rules.lifecycles import QUALIFICATION_MOVES, QualificationStatus, require_move
from server.rules.quota import tier_of
from server.services import access, attestations, journal, outbox
from server.services.access import Actor
from server.services.applicants import claims, day, facts_of, snapshot
from server.services.clocks import ProgrammeClocks
from server.services.memberships import lock
from server.services.rounds import Rounds, StandingChange

UNDECIDED = {"decided_at": None, "decided_by": None, "reason": ""}
"""What a qualification says while it waits; its earlier decisions stand in the journal."""


class QualificationDecision(StrEnum):
    """What an operator decides about an application."""

    APPROVE = "approve"
    REFUSE = "refuse"


class ProgrammeNotRunning(Refusal):
    """The programme does not hold on this day."""

    status, code = 409, "programme_not_running"


class AlreadyApplied(Refusal):
    """The application is waiting for its decision, or was approved."""

    status, code = 409, "already_applied"


class ConditionsUnmet(Refusal):
    """An organisation that does not meet every condition cannot be approved; ``unmet`` names them all."""

    status, code = 409, "conditions_unmet"


class LabelsUnknown(Refusal):
    """Labels that the programme does not know of an organisation."""

    status, code = 422, "labels_unknown"


class ReasonMissing(Refusal):
    """Who is refused something is told why."""

    status, code = 422, "reason_missing"


class QualificationMovedOn(Refusal):
    """Somebody else decided a moment earlier."""

    status, code = 409, "qualification_moved_on"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a programme's conditions say of an organisation on a day.

    ``tier`` is the first that admits it, where the programme has tiers.
    """

    programme: Programme
    on: date
    unmet: tuple[Unmet, ...]
    tier: Tier | None


class Qualifications:
    """The verbs on qualifications. Days and instants are those of the programme's clock."""

    def __init__(
        self, programmes: Programmes, sizes: SizeStandard, clocks: ProgrammeClocks, rounds: Rounds
    ) -> None:
        self.programmes = programmes
        self.sizes = sizes
        self.clocks = clocks
        self.rounds = rounds

    async def eligibility(self, slug: str, *, actor: Actor) -> Assessment:
        """What stands between the actor's organisation and the programme, every condition of it.

        What it claims counts as confirmed here: the answer is what an application can hope for.
        """
        organisation = await access.organisation_of(actor)
        return await self._assess(
            self.programmes.get(slug), organisation, claims(organisation), self.clocks.now(slug)
        )

    async def apply(self, slug: str, *, actor: Actor) -> Qualification:
        """Ask to be qualified, on the facts of this instant; what is unmet is stored and told.

        Raises ``UnknownProgramme``, :class:`ProgrammeNotRunning` or :class:`AlreadyApplied`.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        if not programme.covers(day(now)):
            raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
        async with in_transaction():
            organisation = await lock(access.organisation_id_of(actor))
            assessment = await self._assess(programme, organisation, claims(organisation), now)
            state: dict[str, Any] = {
                "programme_version": programme.version,
                "applied_at": now,
                "snapshot": snapshot(organisation),
                "unmet": [asdict(one) for one in assessment.unmet],
                **UNDECIDED,
            }
            qualification = await _apply(organisation, slug, state)
            await self._note("qualification.applied", qualification, actor=actor, now=now)
        return qualification

    async def decide(
        self,
        qualification: Qualification,
        decision: QualificationDecision,
        *,
        labels: Collection[str],
        reason: str,
        actor: Actor,
    ) -> Qualification:
        """Approve or refuse an application, and confirm the labels that were checked on paper.

        Of this programme's labels the organisation holds those from now on, and what the official lists
        say; a claim alone is none. Raises :class:`LabelsUnknown`, ``LabelNotListed``,
        :class:`ReasonMissing`, ``IllegalMove``, :class:`QualificationMovedOn` and, for an approval,
        :class:`ConditionsUnmet`.
        """
        slug = qualification.programme_slug
        programme = self.programmes.version(slug, qualification.programme_version)
        now = self.clocks.now(slug)
        known = {label.code for label in programme.labels if label.of is Party.ENTERPRISE}
        if not known.issuperset(labels):
            raise LabelsUnknown(names=texts.LIST.join(sorted(set(labels) - known)))
        approved = decision is QualificationDecision.APPROVE
        target = QualificationStatus.APPROVED if approved else QualificationStatus.REFUSED
        if not (approved or reason):
            raise ReasonMissing()
        async with in_transaction():
            organisation = await lock(qualification.organisation_id)
            qualification = await Qualification.get(id=qualification.id)
            require_move(QUALIFICATION_MOVES, qualification.status, target)
            await attestations.confirm_on_paper(organisation, programme, labels, actor=actor, now=now)
            relabelled = await attestations.refresh(organisation, self.programmes, self.clocks)
            assessment = await self._assess(
                programme, organisation, (), now, applied_at=qualification.applied_at
            )
            if approved and assessment.unmet:
                raise ConditionsUnmet(
                    clause=assessment.unmet[0].clause, unmet=assessment.unmet, count=len(assessment.unmet)
                )
            qualification = await _move(
                qualification,
                target,
                decided_at=now,
                decided_by=actor.id,
                reason=reason,
                snapshot=snapshot(organisation),
                unmet=[asdict(one) for one in assessment.unmet],
            )
            await self._told(
                f"qualification.{target}", qualification, actor=actor, now=now, labels=organisation.labels
            )
            changes = await self._standing(organisation, {slug} if approved else set(), others=relabelled)
        await self.rounds.standing_told(changes)
        return qualification

    async def revoke(self, qualification: Qualification, *, reason: str, actor: Actor) -> Qualification:
        """Withdraw an approval: from this instant nothing more is granted. The organisation may apply again.

        Raises :class:`ReasonMissing`, ``IllegalMove`` or :class:`QualificationMovedOn`.
        """
        if not reason:
            raise ReasonMissing()
        slug = qualification.programme_slug
        now = self.clocks.now(slug)
        async with in_transaction():
            organisation = await lock(qualification.organisation_id)
            qualification = await Qualification.get(id=qualification.id)
            require_move(QUALIFICATION_MOVES, qualification.status, QualificationStatus.REVOKED)
            qualification = await _move(
                qualification,
                QualificationStatus.REVOKED,
                decided_at=now,
                decided_by=actor.id,
                reason=reason,
            )
            await self._told("qualification.revoked", qualification, actor=actor, now=now)
            changes = await self._standing(organisation, {slug})
        await self.rounds.standing_told(changes)
        return qualification

    async def facts_changed(self, organisation: Organisation, *, actor: Actor) -> list[StandingChange]:
        """Other facts, another judgement: approvals go back to review, what waits is asked anew.

        Called under the organisation's lock, inside the transaction of the change; what it returns is
        for ``Rounds.standing_told`` after that.
        """
        sent_back: set[str] = set()
        held_on = (QualificationStatus.APPROVED, QualificationStatus.PENDING)
        for qualification in await Qualification.filter(organisation_id=organisation.id, status__in=held_on):
            slug = qualification.programme_slug
            programme = self.programmes.version(slug, qualification.programme_version)
            now = self.clocks.now(slug)
            assessment = await self._assess(
                programme, organisation, claims(organisation), now, applied_at=qualification.applied_at
            )
            was_approved = qualification.status is QualificationStatus.APPROVED
            qualification = await _move(
                qualification,
                QualificationStatus.PENDING,
                snapshot=snapshot(organisation),
                unmet=[asdict(one) for one in assessment.unmet],
                **UNDECIDED,
            )
            if was_approved:
                sent_back.add(slug)
                await self._told("qualification.sent_back", qualification, actor=actor, now=now)
        return await self._standing(organisation, sent_back)

    async def labels_changed(self, organisation: Organisation, *, actor: Actor) -> list[StandingChange]:
        """Lists and papers say something else of an organisation: settle what follows from it.

        An approval that a label stands in the way of now, or that rested on one, goes back to review;
        everything else stays, with the tier that today's labels give. Called like :meth:`facts_changed`.
        """
        sent_back: set[str] = set()
        for qualification in await Qualification.filter(
            organisation_id=organisation.id,
            party=Party.ENTERPRISE,
            status__in=(QualificationStatus.APPROVED, QualificationStatus.PENDING),
        ):
            slug = qualification.programme_slug
            programme = self.programmes.version(slug, qualification.programme_version)
            now = self.clocks.now(slug)
            was_approved = qualification.status is QualificationStatus.APPROVED
            assessment = await self._assess(
                programme,
                organisation,
                () if was_approved else claims(organisation),
                now,
                applied_at=qualification.applied_at,
            )
            by_labels = {one.code for one in programme.enterprise_conditions if one.labels or one.if_labels}
            state = {
                "snapshot": snapshot(organisation),
                "unmet": [asdict(one) for one in assessment.unmet],
            }
            if not was_approved:
                await _move(qualification, QualificationStatus.PENDING, **state)
            elif any(one.code in by_labels for one in assessment.unmet):
                qualification = await _move(qualification, QualificationStatus.PENDING, **state, **UNDECIDED)
                sent_back.add(slug)
                await self._told("qualification.sent_back", qualification, actor=actor, now=now)
        return await self._standing(organisation, sent_back, others=True)

    async def _assess(
        self,
        programme: Programme,
        organisation: Organisation,
        labels: Iterable[str],
        now: datetime,
        *,
        applied_at: datetime | None = None,
    ) -> Assessment:
        facts = await facts_of(organisation, programme, labels, now=now, applied_at=applied_at)
        return Assessment(
            programme,
            day(now),
            conditions_unmet(programme, facts, day(now), self.sizes),
            tier_of(programme, valid_labels(programme, facts, day(now))),
        )

    async def _standing(
        self, organisation: Organisation, slugs: set[str], *, others: bool = False
    ) -> list[StandingChange]:
        """Settle the entitlements in these programmes; with ``others``, wherever it is approved.

        Budgets are locked in the order of the slugs, so that two of these never wait for each other.
        """
        if others:
            approved = Qualification.filter(
                organisation_id=organisation.id, status=QualificationStatus.APPROVED
            )
            slugs = slugs | {one.programme_slug for one in await approved}
        return [
            change
            for slug in sorted(slugs)
            for change in await self.rounds.standing_changed(organisation, slug)
        ]

    async def _told(
        self, action: str, qualification: Qualification, *, actor: Actor, now: datetime, **data: object
    ) -> None:
        """A decision is explained to whom it concerns."""
        await self._note(action, qualification, actor=actor, now=now, reason=qualification.reason, **data)
        await outbox.tell(
            f"organisation:{qualification.organisation_id}",
            action,
            at=now,
            qualification=qualification.id,
            programme=qualification.programme_slug,
            reason=qualification.reason,
            unmet=qualification.unmet,
        )

    async def _note(
        self, action: str, qualification: Qualification, *, actor: Actor, now: datetime, **data: object
    ) -> None:
        await journal.record(
            action,
            f"qualification:{qualification.id}",
            actor=actor.name,
            at=now,
            programme_slug=qualification.programme_slug,
            organisation=qualification.organisation_id,
            unmet=[one["code"] for one in qualification.unmet],
            **data,
        )


async def page(
    actor: Actor, *, status: QualificationStatus | None, slug: str | None, after: int, limit: int
) -> list[Qualification]:
    """The next ``limit`` qualifications after an id, with their organisations, oldest first.

    Only of the programmes and areas of whoever asks.
    """
    wanted = Qualification.filter(
        access.within_programmes(actor, "programme_slug"),
        access.within_areas(actor, "organisation__area"),
        id__gt=after,
    )
    if status is not None:
        wanted = wanted.filter(status=status)
    if slug is not None:
        wanted = wanted.filter(programme_slug=slug)
    return await wanted.select_related("organisation").order_by("id").limit(limit)


async def of_organisation(organisation_id: int) -> list[Qualification]:
    """Where an organisation stands, one row a programme."""
    return (
        await Qualification.filter(organisation_id=organisation_id)
        .select_related("organisation")
        .order_by("programme_slug")
    )


async def _apply(organisation: Organisation, slug: str, state: dict[str, Any]) -> Qualification:
    """The organisation's one row in the programme, pending: made, or sent round again."""
    earlier = await Qualification.get_or_none(organisation_id=organisation.id, programme_slug=slug)
    if earlier is not None:
        if earlier.status in (QualificationStatus.PENDING, QualificationStatus.APPROVED):
            raise AlreadyApplied()
        return await _move(earlier, QualificationStatus.PENDING, **state)
    try:
        async with in_transaction():  # A savepoint: the row may have come to be a moment ago.
            return await Qualification.create(
                organisation=organisation,
                programme_slug=slug,
                status=QualificationStatus.PENDING,
                **state,
            )
    except IntegrityError:
        raise AlreadyApplied() from None


async def _move(qualification: Qualification, target: QualificationStatus, **changes: Any) -> Qualification:
    # The WHERE clause is the lock: of two racing decisions exactly one matches a row.
    moved = await Qualification.filter(id=qualification.id, status=qualification.status).update(
        status=target, **changes
    )
    if not moved:
        raise QualificationMovedOn()
    return await Qualification.get(id=qualification.id).select_related("organisation")
