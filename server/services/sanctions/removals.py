"""Removals: a provider is proposed for removal on a ground of the text, and removed by whom it names.

Where the programme has a chain for it, the proposal is a case of that chain, and whoever proposes takes its
first step with it if that is theirs; elsewhere it is proposed and decided as a sanction (``sanctions``). A
removed provider is announced where the text wants it, and barred as the sanction says: for years or for good.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import BlocklistEntry, Organisation, Qualification
from server.models.provider_standing import Removal
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.oversight import Measure, Sanction
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.lifecycles import QUALIFICATION_MOVES, QualificationStatus, require_move
from server.rules.removals import Charge, RemovalStatus, measures_of, removal_grounds
from server.rules.review import Check, ReasonMissing, Verdict
from server.rules.sanctions import ban as ban_of
from server.services import access, journal, outbox
from server.services.access import Actor, StaffRole
from server.services.admissions.applicants import snapshot
from server.services.admissions.qualifications import Qualifications, move
from server.services.afterwards import After, nothing
from server.services.organisations.memberships import lock
from server.services.providers.suspensions import (
    charge_of,
    end_rows,
    provider_for,
    require_impartial,
    tell_customers,
)
from server.services.reviews.reviewed import ArrivesQuietly
from server.services.reviews.reviews import Reviews
from server.services.sanctions.blocklist import Ban, Blocklist, midnight_after

PROPOSERS = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.DIVISION, StaffRole.DISTRICT})
"""Who may propose to remove a provider: whoever supervises it."""


class RemovalUnderWay(Refusal):
    """The provider is proposed for removal already."""

    status, code = 409, "removal_under_way"


class DecidedBySanction(Refusal):
    """The text has no chain for this: it is proposed as a sanction, and somebody else decides."""

    status, code = 409, "decided_by_sanction"


class RemovalNotReturnable(Refusal):
    """A proposal is agreed to or turned down; who can ground it better makes it anew."""

    status, code = 409, "removal_not_returnable"


class Removals(ArrivesQuietly):
    """The verbs on removals, and removals as the review engine knows them."""

    def __init__(self, qualifications: Qualifications, blocklist: Blocklist, reviews: Reviews) -> None:
        self.qualifications = qualifications
        self.programmes = qualifications.programmes
        self.clocks = qualifications.clocks
        self.blocklist = blocklist
        self.reviews = reviews

    async def propose(
        self, qualification_id: int, *, ground: str, reason: str, serious: bool, actor: Actor
    ) -> Removal:
        """Propose to remove a provider in the chain that the text has for it.

        Raises ``NotFound``, ``GroundUnknown``, :class:`DecidedBySanction` where the text has none,
        ``OwnReview``, ``ReasonMissing``, ``IllegalMove`` and :class:`RemovalUnderWay`.
        """
        row = await provider_for(actor, qualification_id)
        programme = self._programme(row.programme_slug, row.programme_version)
        charge = charge_of(removal_grounds(programme), ground, programme)
        await require_impartial(actor, row.organisation)
        if programme.review(ReviewSubject.REMOVAL) is None:
            raise DecidedBySanction(clause=charge.clause)
        if not reason.strip():
            raise ReasonMissing()
        now = self.clocks.now(programme.slug)
        after: After = nothing
        try:
            async with in_transaction():
                organisation = await lock(row.organisation_id)
                row = await Qualification.get(id=row.id)
                require_move(QUALIFICATION_MOVES, row.status, QualificationStatus.DELISTED)
                made = await self._create(row, programme, charge, reason.strip(), serious, actor, now)
                after = await self._report(made, programme, organisation, actor=actor, now=now)
        except IntegrityError:
            raise RemovalUnderWay() from None
        await after()
        return await Removal.get(id=made.id)

    async def _create(
        self,
        row: Qualification,
        programme: Programme,
        charge: Charge,
        reason: str,
        serious: bool,
        actor: Actor,
        now: datetime,
    ) -> Removal:
        made = await Removal.create(
            qualification_id=row.id,
            programme_slug=programme.slug,
            programme_version=programme.version,
            sanction=charge.sanction.code,
            ground=charge.ground.code,
            clause=charge.clause,
            reason=reason,
            measures=sorted(measures_of(charge.sanction, serious=serious)),
            serious=serious,
            status=RemovalStatus.PROPOSED,
            proposed_by=actor.id,
            proposed_at=now,
        )
        await self._note("provider.removal_proposed", made, row, actor=actor, now=now)
        return made

    async def _report(
        self, made: Removal, programme: Programme, organisation: Organisation, *, actor: Actor, now: datetime
    ) -> After:
        """Open the case, and take its first step with the proposal if that is the proposer's."""
        case, after = await self.reviews.open(
            ReviewSubject.REMOVAL,
            made.id,
            programme=programme,
            organisation=organisation,
            title=texts.REMOVAL_TITLE.format(name=organisation.name),
            # Nobody decides on a case they opened; the proposal may be its first decision.
            actor=access.CLOCK,
            now=now,
        )
        if case.turn is not None and case.turn in actor.roles:
            case = await self.reviews.decide(
                case.id, Verdict.APPROVED, version=case.version, reason=made.reason, actor=actor
            )
        await Removal.filter(id=made.id).update(case_id=case.id)
        return after

    async def carry_out(
        self, row: Qualification, charge: Charge, reason: str, *, serious: bool, actor: Actor, now: datetime
    ) -> tuple[Removal, After]:
        """Remove a provider by a sanction that two have agreed on, inside the transaction of the decision.

        Raises ``IllegalMove`` for a standing that has ended, and :class:`RemovalUnderWay`.
        """
        programme = self._programme(row.programme_slug, row.programme_version)
        if await Removal.exists(qualification_id=row.id, status=RemovalStatus.PROPOSED):
            raise RemovalUnderWay()
        made = await self._create(row, programme, charge, reason, serious, actor, now)
        after = await self._remove(made, programme, charge.sanction, actor=actor, now=now)
        return await Removal.get(id=made.id), after

    # -- what the review engine asks ----------------------------------------------------------------

    async def snapshot(self, case: ReviewCase) -> dict[str, Any]:
        """The provider's facts, the ground and what would follow from it."""
        made = await Removal.get(id=case.subject_id).select_related("qualification__organisation")
        row = made.qualification
        return {
            "facts": snapshot(row.organisation),
            "qualification": row.id,
            "standing": row.status.value,
            "ground": made.ground,
            "clause": made.clause,
            "reason": made.reason,
            "measures": made.measures,
            "serious": made.serious,
        }

    async def checks(self, case: ReviewCase, *, now: datetime) -> Sequence[Check]:
        """Whether there is still a standing to end."""
        made = await Removal.get(id=case.subject_id).select_related("qualification")
        removable = QualificationStatus.DELISTED in QUALIFICATION_MOVES[made.qualification.status]
        return (Check("removable", made.clause, texts.REMOVAL_CHECK, removable),)

    async def passed(
        self, case: ReviewCase, *, extras: Mapping[str, Any], actor: Actor, now: datetime
    ) -> After:
        """Determined: the provider is removed. Raises ``IllegalMove`` where nothing is left to end."""
        made = await Removal.get(id=case.subject_id)
        programme = self._programme(made.programme_slug, made.programme_version)
        sanction = next(one for one in programme.sanctions if one.code == made.sanction)
        return await self._remove(made, programme, sanction, actor=actor, now=now)

    async def refused(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Not determined: the provider stays; a suspension ends when somebody lifts it."""
        made = await Removal.get(id=case.subject_id).select_related("qualification")
        await Removal.filter(id=made.id).update(status=RemovalStatus.DISMISSED, decided_at=now)
        await self._note("provider.removal_dismissed", made, made.qualification, actor=actor, now=now)
        return nothing

    async def returned(
        self, case: ReviewCase, *, fields: Mapping[str, str], reason: str, actor: Actor, now: datetime
    ) -> After:
        """Raises :class:`RemovalNotReturnable`: there is no form to correct."""
        raise RemovalNotReturnable()

    # ------------------------------------------------------------------------------------------------

    async def _remove(
        self, made: Removal, programme: Programme, sanction: Sanction, *, actor: Actor, now: datetime
    ) -> After:
        """End the standing, bar and announce, inside the transaction of the decision."""
        row = await Qualification.get(id=made.qualification_id)
        organisation = await lock(row.organisation_id)
        row = await Qualification.get(id=row.id)
        require_move(QUALIFICATION_MOVES, row.status, QualificationStatus.DELISTED)
        row = await move(
            row,
            QualificationStatus.DELISTED,
            decided_at=now,
            decided_by=actor.id if actor.kind == "staff" else None,
            reason=made.reason,
        )
        await end_rows(row.id, reason=texts.REASONS["removed"], actor=actor, now=now)
        ban_id, changes = await self._bar(made, sanction, organisation, actor=actor, now=now)
        await Removal.filter(id=made.id).update(
            status=RemovalStatus.DETERMINED,
            decided_at=now,
            ban_id=ban_id,
            announced=Measure.ANNOUNCE in measures_of(sanction, serious=made.serious),
        )
        await self._note("provider.removed", made, row, actor=actor, now=now)
        await outbox.tell(
            f"organisation:{organisation.id}",
            "provider.removed",
            at=now,
            qualification=row.id,
            programme=row.programme_slug,
            clause=made.clause,
            reason=made.reason,
        )
        await tell_customers(row, "order.provider_removed", now=now)
        changes = [*changes, *await self.qualifications.settle(organisation, {programme.slug})]
        return self.qualifications.telling(changes)

    async def _bar(
        self, made: Removal, sanction: Sanction, organisation: Organisation, *, actor: Actor, now: datetime
    ) -> tuple[int | None, list[Any]]:
        """The blocklist entry that follows from the sanction, if one does (YC-31, YC-38, GX-46)."""
        barred = ban_of(sanction, day_of(now))
        if barred is None:
            return None, []
        ends_at = None if barred.ends_on is None else midnight_after(barred.ends_on)
        entry = Ban(organisation.uscc, barred.clause, made.reason, now, ends_at)
        changes = await self.blocklist.take_in(
            [entry], [], slug=made.programme_slug, list_name="", actor=actor
        )
        row = (
            await BlocklistEntry.filter(uscc=organisation.uscc, programme_slug=made.programme_slug)
            .order_by("-id")
            .first()
        )
        return None if row is None else row.id, list(changes)

    def _programme(self, slug: str, version: str) -> Programme:
        return self.programmes.version(slug, version)

    async def _note(
        self, action: str, made: Removal, row: Qualification, *, actor: Actor, now: datetime
    ) -> None:
        await journal.record(
            action,
            f"qualification:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=made.programme_slug,
            removal=made.id,
            ground=made.ground,
            clause=made.clause,
            reason=made.reason,
            measures=made.measures,
        )


async def page(slug: str, *, after: int, limit: int) -> list[Removal]:
    """The next ``limit`` announced removals of a programme after an id, oldest first, for everybody."""
    return await (
        Removal.filter(
            programme_slug=slug,
            status=RemovalStatus.DETERMINED,
            announced=True,
            qualification__party=Party.PROVIDER,
            id__gt=after,
        )
        .select_related("qualification__organisation")
        .order_by("id")
        .limit(limit)
    )
