"""Suspensions: a provider held at once, and let go again.

Held, a provider is ordered from no more; who bought gets what was bought (``PROVIDER_MAY``). Lifted, it
stands as it would stand without: run out if its time is over, under review if its facts are others now.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.provider_standing import Suspension
from server.programme.model import Programme
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.lifecycles import QUALIFICATION_MOVES, QualificationStatus, require_move
from server.rules.orders import LIVE
from server.rules.removals import Charge, suspension_grounds
from server.rules.review import ReasonMissing
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor, NotFound
from server.services.admissions.qualifications import Qualifications, move
from server.services.organisations import service_files
from server.services.organisations.memberships import lock
from server.services.reviews.reviewers import OwnReview, reviewer_of
from server.services.rounds.rounds import StandingChange

BATCH = 200


class GroundUnknown(Refusal):
    """The text holds nobody, and removes nobody, on this ground."""

    status, code = 422, "ground_unknown"


class NotYoursToHold(Refusal):
    """On this ground the text lets others hold a provider, or remove it."""

    status, code = 403, "not_yours_to_hold"


class SuspensionPast(Refusal):
    """A suspension that would end before it begins."""

    status, code = 422, "suspension_past"


class SuspensionOver(Refusal):
    """The suspension was lifted, or its time was over."""

    status, code = 409, "suspension_over"


class Suspensions:
    """The verbs on suspensions. Instants are those of the programme's clock."""

    def __init__(self, qualifications: Qualifications) -> None:
        self.qualifications = qualifications
        self.programmes = qualifications.programmes
        self.clocks = qualifications.clocks

    async def suspend(
        self, qualification_id: int, *, ground: str, reason: str, until: datetime | None, actor: Actor
    ) -> Suspension:
        """Hold a provider at once, until somebody lifts it, or until ``until`` (exclusive).

        Raises ``NotFound``, :class:`GroundUnknown`, :class:`NotYoursToHold`, ``OwnReview``,
        ``ReasonMissing``, :class:`SuspensionPast` and ``IllegalMove`` for whoever is not approved.
        """
        row = await provider_for(actor, qualification_id)
        programme, now = self.programme(row), self.clocks.now(row.programme_slug)
        charge = charge_of(suspension_grounds(programme), ground, programme)
        await require_impartial(actor, row.organisation)
        if not charge.may_suspend(actor.roles):
            names = texts.LIST.join(texts.ACTORS[one] for one in charge.holders)
            raise NotYoursToHold(clause=charge.clause, names=names)
        if not reason.strip():
            raise ReasonMissing()
        if until is not None and until <= now:
            raise SuspensionPast()
        async with in_transaction():
            held, changes = await self.hold(row, charge, reason.strip(), until=until, actor=actor, now=now)
        await self.qualifications.rounds.standing_told(changes)
        return held

    async def hold(
        self,
        row: Qualification,
        charge: Charge,
        reason: str,
        *,
        until: datetime | None = None,
        actor: Actor,
        now: datetime,
    ) -> tuple[Suspension, list[StandingChange]]:
        """The same inside the caller's transaction; what changed is for ``Rounds.standing_told`` after it.

        Raises ``IllegalMove`` for whoever is not approved.
        """
        organisation = await lock(row.organisation_id)
        row = await Qualification.get(id=row.id).select_related("organisation")
        require_move(QUALIFICATION_MOVES, row.status, QualificationStatus.SUSPENDED)
        row = await move(row, QualificationStatus.SUSPENDED)
        held = await Suspension.create(
            qualification_id=row.id,
            programme_slug=row.programme_slug,
            ground=charge.ground.code,
            clause=charge.clause,
            reason=reason,
            since=now,
            until=until,
            made_by=actor.id,
        )
        await self._tell("provider.suspended", row, held, actor=actor, now=now)
        await self._to_file("suspended", row, held, now=now)
        # Whoever stops a breach reports it to the bureau in the same breath (GZ-44).
        await outbox.tell(
            outbox.team(Role.AUTHORITY, row.programme_slug),
            "provider.suspension_reported",
            at=now,
            qualification=row.id,
            name=organisation.name,
            area=organisation.area,
            programme=row.programme_slug,
            clause=held.clause,
            reason=held.reason,
        )
        await tell_customers(row, "order.provider_suspended", now=now)
        return held, await self.qualifications.settle(organisation, {row.programme_slug})

    async def lift(self, qualification_id: int, *, reason: str, actor: Actor) -> Suspension:
        """Let a provider go again.

        Raises ``NotFound``, :class:`NotYoursToHold`, ``OwnReview``, ``ReasonMissing`` and
        :class:`SuspensionOver`.
        """
        row = await provider_for(actor, qualification_id)
        if not reason.strip():
            raise ReasonMissing()
        await require_impartial(actor, row.organisation)
        held = await Suspension.get_or_none(qualification_id=row.id, lifted_at=None)
        if held is None:
            raise SuspensionOver()
        charge = suspension_grounds(self.programme(row)).get(held.ground)
        if charge is not None and not charge.may_suspend(actor.roles):
            names = texts.LIST.join(texts.ACTORS[one] for one in charge.holders)
            raise NotYoursToHold(clause=held.clause, names=names)
        return await self._end(held, reason=reason.strip(), actor=actor)

    async def end_due(self) -> int:
        """Let go whose suspension was for a time that is over; returns how many."""
        ended = 0
        for programme in self.programmes:
            now = self.clocks.now(programme.slug)
            due = await (
                Suspension.filter(programme_slug=programme.slug, lifted_at=None, until__lte=now)
                .order_by("id")
                .limit(BATCH)
            )
            for held in due:
                try:
                    await self._end(held, reason=texts.REASONS["suspension_over"], actor=CLOCK)
                except SuspensionOver:
                    continue
                ended += 1
        return ended

    async def _end(self, held: Suspension, *, reason: str, actor: Actor) -> Suspension:
        async with in_transaction():
            changes = await self.release(held, reason=reason, actor=actor)
        await self.qualifications.rounds.standing_told(changes)
        return await Suspension.get(id=held.id)

    async def release(self, held: Suspension, *, reason: str, actor: Actor) -> list[StandingChange]:
        """Let a provider go inside the caller's transaction; what changed is to be told after it.

        Raises :class:`SuspensionOver`.
        """
        now = self.clocks.now(held.programme_slug)
        row = await Qualification.get(id=held.qualification_id)
        organisation = await lock(row.organisation_id)
        if not await end_rows(held.qualification_id, reason=reason, actor=actor, now=now):
            raise SuspensionOver()
        row = await Qualification.get(id=row.id).select_related("organisation")
        row.organisation = organisation
        changes: list[StandingChange] = []
        if row.status is QualificationStatus.SUSPENDED:
            over = row.valid_until is not None and row.valid_until <= now
            target = QualificationStatus.EXPIRED if over else QualificationStatus.APPROVED
            row = await move(row, target)
            if target is QualificationStatus.APPROVED:
                await self.qualifications.judge_again(row, organisation, since=held.since, actor=actor)
            changes = await self.qualifications.settle(organisation, {held.programme_slug})
        held = await Suspension.get(id=held.id)
        await self._tell("provider.suspension_lifted", row, held, actor=actor, now=now)
        await self._to_file("suspension_ended", row, held, now=now)
        return changes

    def programme(self, row: Qualification) -> Programme:
        """The version a provider was admitted under."""
        return self.programmes.version(row.programme_slug, row.programme_version)

    async def _to_file(self, event: str, row: Qualification, held: Suspension, *, now: datetime) -> None:
        # Held for now is found of nothing yet: neither line speaks against the provider.
        await service_files.note(
            ServiceEntryKind.SANCTION,
            event,
            f"suspension:{held.id}:{event}",
            provider_id=row.organisation_id,
            programme=self.programme(row),
            tone=EntryTone.PLAIN,
            at=now,
            clause=held.clause,
            reason=held.reason if held.lifted_at is None else held.lift_reason,
        )

    async def _tell(
        self, action: str, row: Qualification, held: Suspension, *, actor: Actor, now: datetime
    ) -> None:
        lifted = held.lifted_at is not None
        reason = held.lift_reason if lifted else held.reason
        await journal.record(
            action,
            f"qualification:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=row.programme_slug,
            suspension=held.id,
            ground=held.ground,
            clause=held.clause,
            reason=reason,
            until=None if held.until is None else held.until.isoformat(),
        )
        await outbox.tell(
            f"organisation:{row.organisation_id}",
            action,
            at=now,
            qualification=row.id,
            programme=row.programme_slug,
            clause=held.clause,
            reason=reason,
        )


async def provider_for(actor: Actor, qualification_id: int) -> Qualification:
    """A provider's standing, of the programmes and areas of whoever asks. Raises ``NotFound``."""
    row = await access.qualification_for(actor, qualification_id)
    if row.party is not Party.PROVIDER:
        raise NotFound()
    return row


def charge_of(charges: Mapping[str, Charge], ground: str, programme: Programme) -> Charge:
    """The charge with this ground. Raises :class:`GroundUnknown`."""
    charge = charges.get(ground)
    if charge is None:
        known = texts.LIST.join(f"{one.ground.says}（{code}）" for code, one in charges.items())
        raise GroundUnknown(clause=programme.provider.article, known=known)
    return charge


async def require_impartial(actor: Actor, organisation: Organisation) -> None:
    """Raise ``OwnReview`` for an organisation that a member of staff is affiliated with."""
    if organisation.uscc in (await reviewer_of(actor)).affiliations:
        raise OwnReview()


async def tell_customers(row: Qualification, topic: str, *, now: datetime) -> None:
    """Tell every enterprise that has an order under way with a provider what became of it."""
    live = Order.filter(
        programme_slug=row.programme_slug, provider_id=row.organisation_id, status__in=list(LIVE)
    )
    for order in await live.order_by("id"):
        await outbox.tell(
            f"organisation:{order.enterprise_id}",
            topic,
            at=now,
            order=order.id,
            number=order.number,
            project=order.project,
        )


async def end_rows(qualification_id: int, *, reason: str, actor: Actor, now: datetime) -> int:
    """Let the suspension that holds end, inside the caller's transaction; returns how many did."""
    # The WHERE clause is the lock: of two who lift it exactly one does.
    return await Suspension.filter(qualification_id=qualification_id, lifted_at=None).update(
        lifted_at=now, lifted_by=actor.id if actor.kind == "staff" else None, lift_reason=reason
    )


async def history(qualification_id: int) -> list[Suspension]:
    """Every suspension of a provider, newest first."""
    return await Suspension.filter(qualification_id=qualification_id).order_by("-id").limit(100)
