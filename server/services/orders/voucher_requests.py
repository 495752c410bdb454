"""Requests for vouchers on signed contracts: reviewed, worked out, and issued in the programme's order.

A period is a round with its money (``services/rounds/rounds.py``). An enterprise asks on a contract that is
signed (NX-18); the operator reviews it and works the amount out (NX-19); whenever a request is decided, all
that are decided and not issued get what the period's money allows, priority groups first, then by arrival,
and never before what those ahead of them may still need (``rules/request_line.py``). So nobody gains by being
reviewed early, and what is issued is never taken back.
"""

from __future__ import annotations

from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.contracts import Contract
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.rounds import Round
from server.models.voucher_requests import VoucherRequest
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.eligibility import valid_labels
from server.rules.lifecycles import QualificationAct, RoundStatus
from server.rules.request_line import OPEN, RequestStatus
from server.rules.review import CaseStatus
from server.services import access, allowances
from server.services.access import Actor, NotFound
from server.services.admissions.applicants import facts_of
from server.services.admissions.standings import require_not_barred, require_standing
from server.services.afterwards import After, nothing
from server.services.orders import request_issuing
from server.services.orders.orders import Orders
from server.services.orders.request_book import move, note, own, require_something, worked_out
from server.services.reviews.reviews import Reviews
from server.services.vouchers.issuing import PoolExhausted
from server.units import yuan


class PeriodNotOpen(Refusal):
    """The period takes no requests at this instant."""

    status, code = 409, "period_not_open"


class RequestedAlready(Refusal):
    """A voucher has been asked for on this contract, or issued on it."""

    status, code = 409, "requested_already"


class VoucherRequests:
    """The verbs on requests. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, reviews: Reviews, orders: Orders) -> None:
        self.programmes = programmes
        self.clocks = orders.clocks
        self.reviews = reviews
        self.orders = orders

    async def ask(
        self, order: Order, round_id: int | None, programme: Programme, *, actor: Actor, now: datetime
    ) -> VoucherRequest:
        """Ask for a voucher on an order whose contract is signed; takes a place in the line of a period.

        In the transaction of the order's step, under its enterprise's lock. What was sent back for correction
        keeps its place. Raises ``NotFound``, :class:`PeriodNotOpen`, ``NotInStanding``, ``NothingToPay``,
        ``PoolExhausted``, :class:`RequestedAlready`.
        """
        enterprise = await Organisation.get(id=order.enterprise_id)
        returned = await VoucherRequest.get_or_none(order_id=order.id, status=RequestStatus.RETURNED)
        if returned is not None:
            return await self._resubmit(returned, order, programme, actor=actor, now=now)
        row = await _published(round_id) if round_id else await _open_one(programme, now)
        if row.budget.programme_slug != programme.slug:
            raise NotFound()
        _require_open(row, programme, now)
        await require_standing(
            programme, enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
        )
        provider = await Organisation.get(id=order.provider_id)
        await require_not_barred(programme, provider.uscc, provider.name, now=now)
        paid = await worked_out(programme, row.budget_id, order)
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
            async with in_transaction():  # A savepoint: the guard on the order decides a race.
                request = await VoucherRequest.create(
                    round_id=row.id,
                    order_id=order.id,
                    enterprise_id=enterprise.id,
                    status=RequestStatus.PENDING,
                    requested_at=now,
                    labels=sorted(labels),
                    expected_fen=paid.amount_fen,
                    clause=paid.clause,
                    arithmetic=paid.arithmetic,
                )
        except IntegrityError:
            raise RequestedAlready(number=order.number) from None
        await note("voucher_request.made", request, programme, actor, now, order=order.id)
        return request

    async def begin_review(self, order: Order, *, actor: Actor, now: datetime) -> After:
        """Begin the programme's review of what was just asked; where the text has none, the rules decide.

        The step is written down by then: the review may end at once, and the order moves on.
        """
        request = await VoucherRequest.filter(order_id=order.id, status=RequestStatus.PENDING).get()
        programme = self.orders.terms_of(order).programme
        subject = ReviewSubject.VOUCHER_REQUEST
        if programme.review(subject) is None:
            await move(request, RequestStatus.APPROVED, amount_fen=request.expected_fen, decided_at=now)
            await request_issuing.issue_due(programme, request.round_id, self.orders, actor=actor, now=now)
            return nothing
        case = await ReviewCase.filter(subject=subject, subject_id=request.id).order_by("-id").first()
        if case is not None and case.status is CaseStatus.RETURNED:
            return await self.reviews.resume(case, actor=actor, now=now)
        contract = await Contract.get(id=order.contract_id)
        _, after = await self.reviews.open(
            subject,
            request.id,
            programme=programme,
            organisation=await Organisation.get(id=order.enterprise_id),
            title=texts.REQUEST_TITLE.format(project=order.project, number=contract.number),
            actor=actor,
            now=now,
        )
        return after

    async def _resubmit(
        self, request: VoucherRequest, order: Order, programme: Programme, *, actor: Actor, now: datetime
    ) -> VoucherRequest:
        """Answer a return, with the contract as it stands now; the request keeps its place."""
        row = await _published(request.round_id)
        paid = await worked_out(programme, row.budget_id, order)
        require_something(paid)
        request = await move(
            request,
            RequestStatus.PENDING,
            expected_fen=paid.amount_fen,
            clause=paid.clause,
            arithmetic=paid.arithmetic,
            reason="",
        )
        await note("voucher_request.resubmitted", request, programme, actor, now, order=order.id)
        return request

    async def withdraw(self, request_id: int, *, reason: str, actor: Actor) -> VoucherRequest:
        """Give a request up before it is issued; what it kept set aside is free for those behind it.

        Raises ``NotFound``, ``IllegalMove``, :class:`RequestMovedOn`.
        """
        request = await own(request_id, actor=actor)
        order = await Order.get(id=request.order_id)
        now = self.clocks.now(order.programme_slug)
        async with self.orders.held(
            order, version=order.version, budget_id=await _budget_of(request)
        ) as order:
            request = await self.give_up(request, order, reason=reason, actor=actor, now=now)
            await self.orders.back_to(order, StepKind.REQUEST_VOUCHER, reason=reason, actor=actor, now=now)
        return request

    async def give_up(
        self, request: VoucherRequest, order: Order, *, reason: str, actor: Actor, now: datetime
    ) -> VoucherRequest:
        """The same for whoever holds the order and the year's lock."""
        programme = self.orders.terms_of(order).programme
        request = await VoucherRequest.get(id=request.id)
        under_review = request.status is not RequestStatus.APPROVED
        request = await move(request, RequestStatus.WITHDRAWN, reason=reason, decided_at=now)
        await note("voucher_request.withdrawn", request, programme, actor, now)
        if under_review:
            await self.reviews.withdraw(await _case_of(request), reason=reason, actor=actor, now=now)
        await request_issuing.issue_due(programme, request.round_id, self.orders, actor=actor, now=now)
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
            issued += await request_issuing.issue_due(
                programme, round_id, self.orders, actor=access.CLOCK, now=now
            )
        return issued


async def _published(round_id: int) -> Round:
    row = await Round.get_or_none(id=round_id).select_related("budget")
    if row is None or row.status is RoundStatus.DRAFT:
        raise NotFound()
    return row


async def _open_one(programme: Programme, now: datetime) -> Round:
    """The period that takes requests now. Raises :class:`PeriodNotOpen` where there is none."""
    row = (
        await Round.filter(
            budget__programme_slug=programme.slug,
            status=RoundStatus.SCHEDULED,
            opens_at__lte=now,
            closes_at__gt=now,
        )
        .order_by("closes_at", "id")
        .select_related("budget")
        .first()
    )
    if row is None:
        raise PeriodNotOpen(clause=programme.issuance.article, title="", opens_at="", closes_at="")
    return row


async def _budget_of(request: VoucherRequest) -> int:
    return (await Round.get(id=request.round_id)).budget_id


async def open_request(order: Order) -> VoucherRequest | None:
    """What an order has asked for and has neither got nor lost."""
    return await VoucherRequest.get_or_none(order_id=order.id, status__in=OPEN)


async def latest_request(order: Order) -> VoucherRequest | None:
    """What an order has asked for last, whatever became of it."""
    return await VoucherRequest.filter(order_id=order.id).order_by("-id").first()


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
