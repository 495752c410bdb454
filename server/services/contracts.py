"""Contract references: entered by the party the programme names, checked, signed, and ended.

What a contract is comes with the orders; here it is its parties, amount, project and day: enough for a
voucher to stand on. Where a text asks for an electronic contract, it is signed when both sides have signed
it here (GX-52); elsewhere it was signed on paper, and the reference says when.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.contracts import Contract, VoucherRequest
from server.models.organisations import Organisation
from server.programme.issuance import IssuanceMode
from server.programme.registry import Programmes
from server.programme.vocabulary import Party
from server.rules.budgets import ContractsPaused
from server.rules.contracts import CONTRACT_MOVES, ContractStatus, signed_by_both_here
from server.rules.deadlines import day_of
from server.rules.lifecycles import QualificationAct, require_move
from server.rules.request_line import OPEN
from server.services import access, allowances, contract_lists, files, journal, outbox, voucher_holds
from server.services.access import Actor
from server.services.annual_notices import AnnualNotices
from server.services.clocks import ProgrammeClocks
from server.services.contract_lists import PAPER, subject_of
from server.services.contract_sketches import Sketch, party_of, require_usable, sketch_of
from server.services.memberships import lock
from server.services.qualifications import ProgrammeNotRunning
from server.services.standings import require_standing

SIGNED_AT: Mapping[Party, str] = {
    Party.ENTERPRISE: "enterprise_signed_at",
    Party.PROVIDER: "provider_signed_at",
}


class PartyNotRegistered(Refusal):
    """A side of the contract that has to be registered here is not."""

    status, code = 409, "party_not_registered"


class ContractKnown(Refusal):
    """This contract has been entered already."""

    status, code = 409, "contract_known"


class SignedAlready(Refusal):
    """This side has signed already, or somebody changed the contract a moment earlier."""

    status, code = 409, "signed_already"


class ContractInUse(Refusal):
    """A voucher is being asked for on it; that has to be decided or withdrawn first."""

    status, code = 409, "contract_in_use"


class Contracts:
    """The verbs on contract references. Days and instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, notices: AnnualNotices) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.notices = notices

    async def enter(self, slug: str, sketch: Sketch, *, actor: Actor) -> Contract:
        """Enter a contract, for one of its sides.

        Raises ``ProgrammeNotRunning``, :class:`NotAParty`, :class:`NotYoursToMake`,
        :class:`PartyNotRegistered`, :class:`ContractUnusable`, :class:`ContractKnown`, ``KindUnknown``,
        ``KindNotAnnounced``, ``FilesUnknown``, ``FileUnacceptable``, ``TooManyToday``.
        """
        programme, now = self.programmes.get(slug), self.clocks.now(slug)
        today = day_of(now)
        if not programme.covers(today):
            raise ProgrammeNotRunning(clause=programme.validity.article, programme=programme.name)
        party = party_of(programme, sketch, await access.organisation_of(actor))
        enterprise = await Organisation.get_or_none(uscc=sketch.enterprise_uscc)
        provider = await Organisation.get_or_none(uscc=sketch.provider_uscc)
        if enterprise is None:
            raise PartyNotRegistered(clause=programme.enterprise.article, name=sketch.enterprise_name)
        signed_here = signed_by_both_here(programme)
        if signed_here and provider is None:
            raise PartyNotRegistered(clause=programme.contract.article, name=sketch.provider_name)
        terms = self.notices.terms(programme, sketch.kind, today)
        await require_usable(terms.programme, sketch, enterprise, provider, today=today)
        papers = await files.own_files(sketch.file_ids, actor=actor)
        try:
            async with in_transaction():
                await allowances.require(
                    _entered_by(party, actor), "created_at", allowances.CONTRACTS, now=now
                )
                contract = await Contract.create(
                    programme_slug=slug,
                    programme_version=programme.version,
                    notice_year=terms.notice_year,
                    enterprise_id=enterprise.id,
                    enterprise_name=sketch.enterprise_name,
                    provider_id=None if provider is None else provider.id,
                    provider_uscc=sketch.provider_uscc,
                    provider_name=sketch.provider_name,
                    number=sketch.number,
                    project=sketch.project,
                    category=sketch.category,
                    kind=sketch.kind,
                    amount_fen=sketch.amount_fen,
                    signed_on=sketch.signed_on,
                    status=ContractStatus.DRAFTED if signed_here else ContractStatus.SIGNED,
                    made_by_party=party,
                    wanted_fen=sketch.wanted_fen,
                    created_at=now,
                )
                if papers:
                    await files.attach(papers, subject_of(contract), PAPER, programme=programme, now=now)
                await _note("contract.entered", contract, actor, now, amount_fen=contract.amount_fen)
                await _tell_other("contract.entered", contract, party, now)
        except IntegrityError:
            raise ContractKnown(number=sketch.number) from None
        return contract

    async def sign(self, contract_id: int, *, actor: Actor, wanted_fen: int | None = None) -> Contract:
        """Sign for one side; with the second signature the contract is signed, and takes effect.

        Then the enterprise's quota is frozen and the year's money committed, or nothing is signed at all.
        Raises ``NotFound``, :class:`SignedAlready`, ``IllegalMove``, ``NotInStanding``, ``NothingToPay``,
        ``KindNotNow``, :class:`ContractUnusable`; ``ContractsPaused`` tells both sides (GX-65).
        """
        contract, party = await contract_lists.of_party(contract_id, actor=actor)
        now = self.clocks.now(contract.programme_slug)
        try:
            async with in_transaction():
                # Both sides' standing stands still; in the order of their ids, as everywhere.
                for side in sorted(one for one in (contract.enterprise_id, contract.provider_id) if one):
                    await lock(side)
                return await self._sign(contract_id, party, actor, now, wanted_fen)
        except ContractsPaused as paused:
            await _tell_paused(contract, paused, now)
            raise

    async def withdraw(self, contract_id: int, *, actor: Actor) -> Contract:
        """Give up a contract that is not signed by both; either side may. Raises ``IllegalMove``."""
        contract, party = await contract_lists.of_party(contract_id, actor=actor)
        now = self.clocks.now(contract.programme_slug)
        async with in_transaction():
            contract = await _move(contract, ContractStatus.WITHDRAWN, ended_at=now)
            await _note("contract.withdrawn", contract, actor, now)
            await _tell_other("contract.withdrawn", contract, party, now)
        return contract

    async def fail(self, contract_id: int, *, reason: str, actor: Actor) -> Contract:
        """Record that a signed contract will not be performed: what it holds comes back (GX-84).

        Raises ``NotFound``, ``IllegalMove``, :class:`ContractInUse`.
        """
        contract = await contract_lists.one(contract_id, actor=actor)
        now = self.clocks.now(contract.programme_slug)
        async with in_transaction():
            await lock(contract.enterprise_id)
            if await VoucherRequest.exists(contract_id=contract.id, status__in=OPEN):
                raise ContractInUse(number=contract.number)
            contract = await _move(contract, ContractStatus.FAILED, ended_at=now, reason=reason)
            released_fen = await voucher_holds.release(contract, now=now)
            await _note("contract.failed", contract, actor, now, reason=reason, released_fen=released_fen)
            for recipient in _recipients(contract):
                await outbox.tell(
                    recipient,
                    "contract.failed",
                    at=now,
                    contract=contract.id,
                    number=contract.number,
                    reason=reason,
                    amount_fen=released_fen,
                )
        return contract

    async def _sign(
        self, contract_id: int, party: Party, actor: Actor, now: datetime, wanted_fen: int | None
    ) -> Contract:
        contract = await Contract.get(id=contract_id)
        require_move(CONTRACT_MOVES, contract.status, ContractStatus.SIGNED)
        changes: dict[str, object] = {SIGNED_AT[party]: now}
        if wanted_fen is not None and party is Party.ENTERPRISE:
            changes["wanted_fen"] = wanted_fen
        # The WHERE clause is the lock: a side signs once, whoever of its people is quicker.
        unsigned = {SIGNED_AT[party]: None, "status": ContractStatus.DRAFTED}
        if not await Contract.filter(id=contract_id, **unsigned).update(**changes):
            raise SignedAlready()
        contract = await Contract.get(id=contract_id)
        await _note("contract.signed", contract, actor, now, party=party.value)
        if contract.enterprise_signed_at is not None and contract.provider_signed_at is not None:
            contract = await self._conclude(contract, now)
        await _tell_other("contract.signed", contract, party, now)
        return contract

    async def _conclude(self, contract: Contract, now: datetime) -> Contract:
        """Both have signed: everything is asked once more on this day, and the money is taken."""
        today = day_of(now)
        programme = self.programmes.get(contract.programme_slug)
        terms = self.notices.terms(programme, contract.kind, today)
        terms.require_open(today)
        enterprise = await Organisation.get(id=contract.enterprise_id)
        provider = await Organisation.get(id=contract.provider_id)
        for party, organisation in ((Party.ENTERPRISE, enterprise), (Party.PROVIDER, provider)):
            await require_standing(programme, organisation, party, QualificationAct.USE_VOUCHERS, now=now)
        sketch = sketch_of(contract, enterprise.uscc)
        await require_usable(terms.programme, sketch, enterprise, provider, today=today)
        changes: dict[str, object] = {}
        if programme.issuance.mode is IssuanceMode.ALLOTMENT:
            budget, paid = await voucher_holds.freeze(contract, terms, now=now)
            changes = {
                "budget_id": budget.id,
                "voucher_fen": paid.amount_fen,
                "clause": paid.clause,
                "arithmetic": paid.arithmetic,
            }
        return await _move(
            contract,
            ContractStatus.SIGNED,
            signed_on=today,
            programme_version=programme.version,
            notice_year=terms.notice_year,
            **changes,
        )


async def _move(contract: Contract, target: ContractStatus, **changes: object) -> Contract:
    require_move(CONTRACT_MOVES, contract.status, target)
    # The WHERE clause is the lock: of two who end or sign it at once exactly one matches a row.
    moved = await Contract.filter(id=contract.id, status=contract.status).update(status=target, **changes)
    if not moved:
        raise SignedAlready()
    return await Contract.get(id=contract.id)


def _entered_by(party: Party, actor: Actor) -> QuerySet[Contract]:
    """The contracts that the actor's organisation entered as this party."""
    side = "enterprise_id" if party is Party.ENTERPRISE else "provider_id"
    return Contract.filter(made_by_party=party, **{side: access.organisation_id_of(actor)})


def _recipients(contract: Contract) -> list[str]:
    sides = (contract.enterprise_id, contract.provider_id)
    return [f"organisation:{side}" for side in sides if side is not None]


async def _tell_other(topic: str, contract: Contract, party: Party, now: datetime) -> None:
    """Tell the other side what one side did, if it is registered here."""
    other = contract.provider_id if party is Party.ENTERPRISE else contract.enterprise_id
    if other is not None:
        await outbox.tell(
            f"organisation:{other}", topic, at=now, contract=contract.id, number=contract.number
        )


async def _tell_paused(contract: Contract, paused: ContractsPaused, now: datetime) -> None:
    """Both sides hear that signing pauses, although nothing was signed (GX-65)."""
    async with in_transaction():
        await journal.record(
            "contract.paused",
            subject_of(contract),
            actor="clock",
            at=now,
            programme_slug=contract.programme_slug,
            arithmetic=paused.arithmetic,
        )
        for recipient in _recipients(contract):
            await outbox.tell(
                recipient,
                "contract.paused",
                at=now,
                contract=contract.id,
                number=contract.number,
                clause=paused.clause,
                arithmetic=paused.arithmetic,
            )


async def _note(action: str, contract: Contract, actor: Actor, now: datetime, **data: object) -> None:
    await journal.record(
        action,
        subject_of(contract),
        actor=actor.name,
        at=now,
        programme_slug=contract.programme_slug,
        enterprise=contract.enterprise_id,
        provider=contract.provider_id,
        **data,
    )
