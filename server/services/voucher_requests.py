"""Requests for vouchers on signed contracts: reviewed, worked out, and issued in the programme's order.

A period is a round with its money (``services/rounds.py``). An enterprise asks on a contract that is signed
(NX-18); the operator reviews it and works the amount out (NX-19); whenever a request is decided, all that
are decided and not issued get what the period's money allows, priority groups first, then by arrival, and
never before what those ahead of them may still need (``rules/request_line.py``). So nobody gains by being
reviewed early, and what is issued is never taken back.
"""

from __future__ import annotations

from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.contracts import Contract, VoucherRequest
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.rounds import Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.deadlines import day_of
from server.rules.eligibility import valid_labels
from server.rules.lifecycles import QualificationAct, RoundStatus
from server.rules.request_line import RequestStatus
from server.services import access, allowances, budgets, request_issuing
from server.services.access import Actor, NotFound
from server.services.applicants import facts_of
from server.services.clocks import ProgrammeClocks
from server.services.contract_lists import of_party
from server.services.draws import ContractNotSigned
from server.services.issuing import PoolExhausted
from server.services.memberships import lock
from server.services.request_book import move, note, own, require_something, worked_out
from server.services.reviewed import After, nothing
from server.services.reviews import Reviews
from server.services.standings import require_not_barred, require_standing
from server.units import yuan


class NotRequestedHere(Refusal):
    """In this programme vouchers are not asked for on a contract."""

    status, code = 409, "not_requested_here"


class PeriodNotOpen(Refusal):
    """The period takes no requests at this instant."""

    status, code = 409, "period_not_open"


class RequestedAlready(Refusal):
    """A voucher has been asked for on this contract, or issued on it."""

    status, code = 409, "requested_already"


class VoucherRequests:
    """The verbs on requests. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, reviews: Reviews) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.reviews = reviews

    async def ask(self, round_id: int, contract_id: int, *, actor: Actor) -> VoucherRequest:
        """Ask for a voucher of a period on a signed contract; takes a place in the line.

        Raises ``NotFound``, :class:`NotRequestedHere`, :class:`PeriodNotOpen`, ``ContractNotSigned``,
        ``NotInStanding``, ``NothingToPay``, ``PoolExhausted``, :class:`RequestedAlready`, ``TooManyToday``.
        """
        row = await _published(round_id)
        programme = self.programmes.version(row.budget.programme_slug, row.budget.programme_version)
        now = self.clocks.now(programme.slug)
        if programme.issuance.mode is not IssuanceMode.ON_CONTRACT:
            raise NotRequestedHere(clause=programme.issuance.article, programme=programme.name)
        async with in_transaction():
            enterprise = await lock(access.organisation_id_of(actor))
            contract = await _own_contract(contract_id, programme, actor)
            _require_open(await Round.get(id=round_id), programme, now)
            await require_standing(
                programme, enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
            )
            await require_not_barred(programme, contract.provider_uscc, contract.provider_name, now=now)
            paid = await worked_out(programme, row.budget_id, contract)
            require_something(paid)
            left_fen = row.pool_fen - row.issued_fen
            if left_fen <= 0:
                raise PoolExhausted(
                    clause=programme.issuance.article,
                    arithmetic=texts.NONE_LEFT.format(asked=yuan(paid.amount_fen)),
                    left=yuan(left_fen),
                    asked=yuan(paid.amount_fen),
                )
            made = VoucherRequest.filter(enterprise_id=enterprise.id)
            await allowances.require(made, "requested_at", allowances.VOUCHER_REQUESTS, now=now)
            labels = valid_labels(programme, await facts_of(enterprise, programme, now=now), day_of(now))
            try:
                async with in_transaction():  # A savepoint: the guard on the contract decides a race.
                    request = await VoucherRequest.create(
                        round_id=round_id,
                        contract_id=contract.id,
                        enterprise_id=enterprise.id,
                        status=RequestStatus.PENDING,
                        requested_at=now,
                        labels=sorted(labels),
                        expected_fen=paid.amount_fen,
                        clause=paid.clause,
                        arithmetic=paid.arithmetic,
                    )
            except IntegrityError:
                raise RequestedAlready(number=contract.number) from None
            await note("voucher_request.made", request, programme, actor, now, contract=contract.id)
            after = await self._review(request, programme, enterprise, contract, actor, now)
        await after()
        return await VoucherRequest.get(id=request.id)

    async def resubmit(self, request_id: int, contract_id: int, *, actor: Actor) -> VoucherRequest:
        """Answer a return, with the same contract or another; the request keeps its place.

        Raises ``NotFound``, ``IllegalMove``, ``ContractNotSigned``, ``NothingToPay``, ``CaseMovedOn``,
        :class:`RequestedAlready`.
        """
        request = await own(request_id, actor=actor)
        row = await _published(request.round_id)
        programme = self.programmes.version(row.budget.programme_slug, row.budget.programme_version)
        now = self.clocks.now(programme.slug)
        async with in_transaction():
            await lock(request.enterprise_id)
            contract = await _own_contract(contract_id, programme, actor)
            paid = await worked_out(programme, row.budget_id, contract)
            require_something(paid)
            try:
                async with in_transaction():  # A savepoint, as above.
                    request = await move(
                        request,
                        RequestStatus.PENDING,
                        contract_id=contract.id,
                        expected_fen=paid.amount_fen,
                        clause=paid.clause,
                        arithmetic=paid.arithmetic,
                        reason="",
                    )
            except IntegrityError:
                raise RequestedAlready(number=contract.number) from None
            await note("voucher_request.resubmitted", request, programme, actor, now, contract=contract.id)
            after = await self.reviews.resume(await _case_of(request), actor=actor, now=now)
        await after()
        return await VoucherRequest.get(id=request.id)

    async def withdraw(self, request_id: int, *, reason: str, actor: Actor) -> VoucherRequest:
        """Give a request up before it is issued; what it kept set aside is free for those behind it.

        Raises ``NotFound``, ``IllegalMove``, :class:`RequestMovedOn`.
        """
        request = await own(request_id, actor=actor)
        row = await _published(request.round_id)
        programme = self.programmes.version(row.budget.programme_slug, row.budget.programme_version)
        now = self.clocks.now(programme.slug)
        # The year's lock before the request: whoever issues holds it, and writes to whoever is decided.
        async with in_transaction():
            await lock(request.enterprise_id)
            async with budgets.locked(row.budget_id):
                request = await VoucherRequest.get(id=request.id)
                under_review = request.status is not RequestStatus.APPROVED
                request = await move(request, RequestStatus.WITHDRAWN, reason=reason, decided_at=now)
                await note("voucher_request.withdrawn", request, programme, actor, now)
                if under_review:
                    await self.reviews.withdraw(await _case_of(request), reason=reason, actor=actor, now=now)
                await request_issuing.issue_due(programme, request.round_id, actor=actor, now=now)
        return request

    async def issue_due(self) -> int:
        """Give every period's money to whoever is due it now; returns how many vouchers.

        Each decision does this for its own period; this is for money that was added since.
        """
        issued = 0
        waiting = await VoucherRequest.filter(status=RequestStatus.APPROVED).order_by("round_id")
        for round_id in dict.fromkeys(one.round_id for one in waiting):
            row = await _published(round_id)
            programme = self.programmes.version(row.budget.programme_slug, row.budget.programme_version)
            now = self.clocks.now(programme.slug)
            issued += await request_issuing.issue_due(programme, round_id, actor=access.CLOCK, now=now)
        return issued

    async def _review(
        self,
        request: VoucherRequest,
        programme: Programme,
        enterprise: Organisation,
        contract: Contract,
        actor: Actor,
        now: datetime,
    ) -> After:
        """Begin the programme's review; where the text has none, the rules alone decide."""
        subject = ReviewSubject.VOUCHER_REQUEST
        if programme.review(subject) is not None:
            _, after = await self.reviews.open(
                subject,
                request.id,
                programme=programme,
                organisation=enterprise,
                title=texts.REQUEST_TITLE.format(project=contract.project, number=contract.number),
                actor=actor,
                now=now,
            )
            return after
        await move(request, RequestStatus.APPROVED, amount_fen=request.expected_fen, decided_at=now)
        await request_issuing.issue_due(programme, request.round_id, actor=actor, now=now)
        return nothing


async def _published(round_id: int) -> Round:
    row = await Round.get_or_none(id=round_id).select_related("budget")
    if row is None or row.status is RoundStatus.DRAFT:
        raise NotFound()
    return row


async def _own_contract(contract_id: int, programme: Programme, actor: Actor) -> Contract:
    contract, party = await of_party(contract_id, actor=actor)
    if party is not Party.ENTERPRISE or contract.programme_slug != programme.slug:
        raise NotFound()
    if contract.status is not ContractStatus.SIGNED:
        raise ContractNotSigned(clause=programme.issuance.article, number=contract.number)
    return contract


def _require_open(row: Round, programme: Programme, now: datetime) -> None:
    if row.status is not RoundStatus.SCHEDULED or not row.opens_at <= now < row.closes_at:
        raise PeriodNotOpen(
            clause=programme.issuance.article,
            title=row.title,
            opens_at=str(row.opens_at),
            closes_at=str(row.closes_at),
        )


async def _case_of(request: VoucherRequest) -> ReviewCase:
    return await ReviewCase.filter(subject=ReviewSubject.VOUCHER_REQUEST, subject_id=request.id).get()
