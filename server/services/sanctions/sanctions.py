"""Sanctions: somebody is proposed for what the text says, on one of its grounds, before anybody decides.

Whoever proposes never decides. Where the text lets the proposer act at once, the party's payments stop and a
provider is held until the decision (LS-43, GZ-44).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.complaints import SanctionProposal
from server.models.orders import Order
from server.models.organisations import Organisation, Qualification
from server.models.provider_standing import Suspension
from server.models.sanctions import SanctionCase
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.oversight import Measure
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.payment_holds import HoldCause
from server.rules.removals import Charge, suspension_grounds
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import SanctionAct, SanctionSource, SanctionStatus, measures_against
from server.services import access, journal
from server.services.access import Actor, NotFound, StaffRole
from server.services.afterwards import After, nothing
from server.services.files import files
from server.services.holds import payment_holds
from server.services.numbers import new_number
from server.services.organisations.memberships import lock
from server.services.providers.suspensions import Suspensions
from server.services.rounds.rounds import StandingChange
from server.services.sanctions.sanction_book import SanctionBook, case_for, require_impartial, require_version

PROPOSERS = frozenset(
    {
        StaffRole.OPERATOR,
        StaffRole.AUTHORITY,
        StaffRole.DIVISION,
        StaffRole.DISTRICT,
        StaffRole.INSPECTOR,
        StaffRole.OVERSIGHT_BODY,
    }
)
"""Who may propose a sanction where the text names nobody: whoever supervises."""


class SanctionGroundUnknown(Refusal):
    """The text sanctions nobody of this side on this ground; ``known`` are the grounds it has."""

    status, code = 422, "sanction_ground_unknown"


class NotYoursToPropose(Refusal):
    """The text names somebody else to report this."""

    status, code = 403, "not_yours_to_propose"


class NoHoldAtOnce(Refusal):
    """The text lets nobody act on this ground before the decision, or not the one who asks."""

    status, code = 403, "no_hold_at_once"


class SanctionUnderWay(Refusal):
    """The party is proposed for a sanction on this ground already."""

    status, code = 409, "sanction_under_way"


class SanctionScopeWrong(Refusal):
    """What is named to be hit is not the party's in this programme."""

    status, code = 422, "sanction_scope_wrong"


class ReductionMissing(Refusal):
    """A settlement is reduced for one order, by an amount within what its voucher pays."""

    status, code = 422, "sanction_reduction_missing"


class ResponsiblePersonMissing(Refusal):
    """The text bars the person responsible: name and identity number are needed."""

    status, code = 422, "sanction_person_missing"


class ProposalDecided(Refusal):
    """What the complaint proposed was taken up, or dismissed."""

    status, code = 409, "sanction_proposal_decided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is proposed. ``orders`` and ``vouchers`` are ids, ``None``: every one of the party's."""

    programme_slug: str
    organisation_id: int
    party: Party
    ground: str
    facts: str
    orders: Sequence[int] | None
    vouchers: Sequence[int] | None
    serious: bool = False
    sanction: str = ""
    """Its code, where two sanctions of the text share a ground; empty: the first."""
    reduced_fen: int | None = None
    person_name: str = ""
    person_id_number: str = ""
    file_ids: Sequence[int] = ()
    source: SanctionSource = SanctionSource.HAND
    source_id: int | None = None
    hold_now: bool = False


class Sanctions:
    """The verbs that bring a case about, and take it back."""

    def __init__(self, book: SanctionBook, suspensions: Suspensions) -> None:
        self.book = book
        self.suspensions = suspensions

    async def propose(self, proposal: Proposal, *, actor: Actor) -> SanctionCase:
        """Propose a sanction, and stop what the text lets the proposer stop.

        Raises ``NotFound``, ``UnknownProgramme``, :class:`SanctionGroundUnknown`, :class:`NotYoursToPropose`,
        :class:`NoHoldAtOnce`, ``OwnReview``, ``ReasonMissing``, ``FilesUnknown``, ``FileUnacceptable``,
        :class:`SanctionScopeWrong`, :class:`ReductionMissing`, :class:`ResponsiblePersonMissing` and
        :class:`SanctionUnderWay`.
        """
        access.require_programme(actor, proposal.programme_slug)
        programme = self.book.programmes.get(proposal.programme_slug)
        organisation = await Organisation.get_or_none(id=proposal.organisation_id)
        if organisation is None:
            raise NotFound()
        access.require_area(actor, organisation.area)
        charge = charge_against(programme, proposal.party, proposal.ground, proposal.sanction)
        _require_proposer(charge, actor)
        if proposal.hold_now and not charge.may_suspend(actor.roles):
            raise NoHoldAtOnce(clause=charge.clause)
        await require_impartial(actor, organisation)
        if not proposal.facts.strip():
            raise ReasonMissing()
        measures = measures_against(charge.sanction, proposal.party, serious=proposal.serious)
        _require_person(measures, proposal, charge.clause)
        await _require_scope(programme, organisation, proposal, measures)
        after: After = nothing
        try:
            async with in_transaction():
                case, after = await self._create(
                    proposal, programme, organisation, charge, sorted(measures), actor
                )
        except IntegrityError:
            raise SanctionUnderWay(name=organisation.name) from None
        await after()
        return await SanctionCase.get(id=case.id).select_related("against")

    async def from_complaint(self, proposal_id: int, proposal: Proposal, *, actor: Actor) -> SanctionCase:
        """Make a case of what a complaint proposed (LS-82, GX-79): against whom it was, by what was found.

        Raises ``NotFound``, :class:`ProposalDecided` and what :meth:`propose` raises.
        """
        row = await proposal_for(actor, proposal_id)
        proposal = replace(
            proposal,
            programme_slug=row.programme_slug,
            organisation_id=row.against_id,
            party=row.party,
            source=SanctionSource.COMPLAINT,
            source_id=row.complaint_id,
        )
        async with in_transaction():
            await lock(row.against_id)
            # The WHERE clause is the lock: of two who take it up exactly one does.
            taken = await SanctionProposal.filter(id=row.id, decided_at=None, case_id=None).update(case_id=0)
            if not taken:
                raise ProposalDecided()
            case = await self.propose(proposal, actor=actor)
            await SanctionProposal.filter(id=row.id).update(case_id=case.id)
        return case

    async def dismiss_proposal(self, proposal_id: int, reason: str, *, actor: Actor) -> SanctionProposal:
        """Say why no case is made of what a complaint proposed; by whom the text lets decide.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, ``ReasonMissing`` and :class:`ProposalDecided`.
        """
        row = await proposal_for(actor, proposal_id)
        access.require_role(actor, row.decided_by_role.value)
        await require_impartial(actor, await Organisation.get(id=row.against_id), row.proposed_by)
        if not reason.strip():
            raise ReasonMissing()
        now = self.book.clocks.now(row.programme_slug)
        async with in_transaction():
            done = await SanctionProposal.filter(id=row.id, decided_at=None, case_id=None).update(
                decided_at=now, dismissed_by=actor.id, dismiss_reason=reason.strip()
            )
            if not done:
                raise ProposalDecided()
            await journal.record(
                "sanction_proposal.dismissed",
                f"complaint:{row.complaint_id}",
                actor=actor.name,
                at=now,
                programme_slug=row.programme_slug,
                proposal=row.id,
                reason=reason.strip(),
            )
        return await SanctionProposal.get(id=row.id)

    async def withdraw(self, case_id: int, reason: str, *, version: int, actor: Actor) -> SanctionCase:
        """Take a proposal back; what was held at once is let go.

        Raises ``NotFound``, ``NotAllowed``, ``ReasonMissing``, ``NotPermittedNow``, ``SanctionMovedOn``.
        """
        case = await case_for(actor, case_id)
        require_version(case, version)
        if case.proposed_by != actor.id:
            raise access.NotAllowed()
        if not reason.strip():
            raise ReasonMissing()
        now = self.book.now(case)
        async with in_transaction():
            await lock(case.against_id)
            case = await self.book.move(
                case,
                SanctionAct.WITHDRAW,
                SanctionStatus.WITHDRAWN,
                ended_at=now,
                ended_by=actor.id,
                end_reason=reason.strip(),
            )
            after = await self.let_go(case, reason=reason.strip(), actor=actor, now=now)
            await self.book.note("sanction.withdrawn", case, actor, now, reason=reason.strip())
            if case.hearing_until is not None:  # Who was told of a charge is told that it is gone.
                await self.book.tell_party("sanction.dismissed", case, now=now, reason=reason.strip())
        await after()
        return case

    async def let_go(self, case: SanctionCase, *, reason: str, actor: Actor, now: datetime) -> After:
        """Undo what stood until the decision, inside the caller's transaction."""
        await SanctionProposal.filter(case_id=case.id, decided_at=None).update(decided_at=now)
        await payment_holds.lift(HoldCause.SANCTION, case.id, reason=reason, actor=actor, now=now)
        held = await Suspension.get_or_none(id=case.suspension_id, lifted_at=None)
        if held is None:
            return nothing
        changes = await self.suspensions.release(held, reason=reason, actor=actor)
        return self.suspensions.qualifications.telling(changes)

    # ------------------------------------------------------------------------------------------------

    async def _create(
        self,
        proposal: Proposal,
        programme: Programme,
        organisation: Organisation,
        charge: Charge,
        measures: Sequence[Measure],
        actor: Actor,
    ) -> tuple[SanctionCase, After]:
        now, sealer = self.book.clocks.now(programme.slug), self.book.sealer
        stored = await files.own_files(list(dict.fromkeys(proposal.file_ids)), actor=actor)
        organisation = await lock(organisation.id)
        case = await SanctionCase.create(
            number=new_number("C"),
            programme_slug=programme.slug,
            programme_version=programme.version,
            sanction=charge.sanction.code,
            ground=charge.ground.code,
            clause=charge.clause,
            against_id=organisation.id,
            party=proposal.party,
            source=proposal.source,
            source_id=proposal.source_id,
            facts=proposal.facts.strip(),
            serious=proposal.serious,
            measures=[one.value for one in measures],
            orders=None if proposal.orders is None else sorted(set(proposal.orders)),
            vouchers=None if proposal.vouchers is None else sorted(set(proposal.vouchers)),
            reduced_fen=proposal.reduced_fen,
            person_name_sealed=sealer.seal(proposal.person_name.strip()),
            person_index=sealer.blind(_plain(proposal.person_id_number)) if proposal.person_id_number else "",
            proposed_by=actor.id,
            proposed_at=now,
        )
        await self.book.write(case, "proposal", case.facts, author=actor.name, attached=stored, now=now)
        changes: Sequence[StandingChange] = ()
        if proposal.hold_now:
            changes = await self._hold(case, charge, actor, now)
        await self.book.note(
            "sanction.proposed",
            case,
            actor,
            now,
            organisation=organisation.id,
            party=case.party.value,
            measures=case.measures,
            held=proposal.hold_now,
        )
        await self.book.tell_deciders("sanction.proposed", case, now=now)
        return case, self.suspensions.qualifications.telling(changes) if changes else nothing

    async def _hold(
        self, case: SanctionCase, charge: Charge, actor: Actor, now: datetime
    ) -> Sequence[StandingChange]:
        """Stop payments, and a provider that stands, until somebody has decided."""
        await payment_holds.place(
            HoldCause.SANCTION,
            case.id,
            programme_slug=case.programme_slug,
            clause=case.clause,
            reason=texts.SANCTION_UNDECIDED,
            actor=actor,
            now=now,
            provider_id=case.against_id if case.party is Party.PROVIDER else None,
            enterprise_id=case.against_id if case.party is Party.ENTERPRISE else None,
        )
        row = await Qualification.get_or_none(
            organisation_id=case.against_id, party=Party.PROVIDER, programme_slug=case.programme_slug
        )
        holds = charge.ground.code in suspension_grounds(self.book.programme_of(case))
        if case.party is not Party.PROVIDER or row is None or not holds:
            return ()
        if row.status is not QualificationStatus.APPROVED:
            return ()
        held, changes = await self.suspensions.hold(row, charge, case.facts, actor=actor, now=now)
        await SanctionCase.filter(id=case.id).update(suspension_id=held.id)
        return changes


def charge_against(programme: Programme, party: Party, ground: str, sanction: str = "") -> Charge:
    """The sanction and ground of the text. Raises :class:`SanctionGroundUnknown`, naming those there are."""
    every = grounds_against(programme, party)
    for one in every:
        if one.ground.code == ground and sanction in ("", one.sanction.code):
            return one
    known = texts.LIST.join(f"{one.ground.says}（{one.ground.code}）" for one in every)
    raise SanctionGroundUnknown(known=known)


def grounds_against(programme: Programme, party: Party) -> list[Charge]:
    """Every ground of the text against a side, with the sanction it leads to."""
    return [
        Charge(sanction, ground)
        for sanction in programme.sanctions
        if party in sanction.against
        for ground in sanction.grounds
    ]


async def proposal_for(actor: Actor, proposal_id: int) -> SanctionProposal:
    """What a complaint proposed, in the programmes and areas of who asks. Raises ``NotFound``."""
    row = await SanctionProposal.get_or_none(id=proposal_id).select_related("against", "complaint")
    if row is None or actor.kind != "staff" or PROPOSERS.isdisjoint(actor.roles):
        raise NotFound()
    access.require_programme(actor, row.programme_slug)
    access.require_area(actor, row.against.area)
    return row


def _require_proposer(charge: Charge, actor: Actor) -> None:
    named = charge.sanction.proposed_by
    may = {named.value} if named is not None else {one.value for one in PROPOSERS}
    if actor.roles.isdisjoint({*may, charge.sanction.decided_by.value}):
        names = texts.ACTORS[named or charge.sanction.decided_by]
        raise NotYoursToPropose(clause=charge.clause, names=names)


def _require_person(measures: frozenset[Measure], proposal: Proposal, clause: str) -> None:
    named = proposal.person_name.strip() and _plain(proposal.person_id_number)
    if Measure.BAR_PERSON in measures and not named:
        raise ResponsiblePersonMissing(clause=clause)


async def _require_scope(
    programme: Programme, organisation: Organisation, proposal: Proposal, measures: frozenset[Measure]
) -> None:
    """Whatever is named must be the party's; a reduction is of one order, within what its voucher pays."""
    side = {f"{proposal.party.value}_id": organisation.id}
    wrong: list[str] = []
    orders = await Order.filter(programme_slug=programme.slug, id__in=list(proposal.orders or ()), **side)
    wrong += [str(one) for one in proposal.orders or () if one not in {order.id for order in orders}]
    mine = Q(provider_id=organisation.id) | Q(provider_id=None, enterprise_id=organisation.id)
    vouchers = await Voucher.filter(mine, programme_slug=programme.slug, id__in=list(proposal.vouchers or ()))
    wrong += [str(one) for one in proposal.vouchers or () if one not in {row.id for row in vouchers}]
    if wrong:
        raise SanctionScopeWrong(ids=texts.LIST.join(wrong))
    if Measure.REDUCE_SETTLEMENT in measures:
        most_fen = orders[0].voucher_fen if len(orders) == 1 else 0
        if proposal.reduced_fen is None or not 0 < proposal.reduced_fen <= most_fen:
            raise ReductionMissing()


def _plain(id_number: str) -> str:
    return id_number.strip().upper()
