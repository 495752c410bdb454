"""Issuing to the line of a period: who is due its money now, under the budget's lock.

Called at each decision on a request, inside its transaction: whoever is decided and covered is issued at
once, in the programme's order; whoever the money does not reach is told with the clause and the sum.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from server import texts
from server.errors import Unmet
from server.models.rounds import Round
from server.models.voucher_requests import VoucherRequest
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.steps import Effect, StepKind
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of, voucher_valid_until
from server.rules.issuance import Application, Award, ranked
from server.rules.lifecycles import QualificationAct, RoundStatus
from server.rules.limits import Limit
from server.rules.money import Basis
from server.rules.orders import OrderStatus
from server.rules.quota import quota_left
from server.rules.request_line import RequestStatus, Turn, Waiting, turn
from server.services.access import Actor
from server.services.admissions.standings import barred_unmet, standing_unmet
from server.services.budgets import budgets
from server.services.orders import order_book, order_money
from server.services.orders.orders import Orders
from server.services.orders.request_book import RequestMovedOn, note, tell
from server.services.rounds import entitlements
from server.services.vouchers import issuing
from server.services.vouchers.issuing import Grant
from server.units import yuan

HALTED = frozenset({RoundStatus.DRAFT, RoundStatus.PAUSED})
"""Nothing is issued then. A period that is closed goes on issuing to who asked in time."""


async def issue_due(
    programme: Programme, round_id: int, orders: Orders, *, actor: Actor, now: datetime
) -> int:
    """Issue to everybody whose turn it is, in one transaction; returns how many vouchers.

    Each voucher is held at once by the order it was asked for; who is left out may ask in another period.
    """
    budget_id = (await Round.get(id=round_id)).budget_id
    async with budgets.locked(budget_id) as budget:
        row = await Round.get(id=round_id)
        if row.status in HALTED:
            return 0
        requests = {
            one.id: one
            for one in await VoucherRequest.filter(
                # While a side wants its order cancelled, it keeps its place and takes nothing.
                round_id=round_id,
                status__in=[RequestStatus.PENDING, RequestStatus.APPROVED],
                order__status=OrderStatus.OPEN,
            ).select_related("order__provider", "enterprise")
        }
        if now >= voucher_valid_until(programme, day_of(now), row.valid_until):
            for request in requests.values():
                if request.status is RequestStatus.APPROVED:
                    article = programme.voucher.article
                    await _left_out(orders, programme, request, article, texts.PERIOD_LAPSED, actor, now)
            return 0
        line, used_up = await _line(programme, budget_id, requests)
        for request, left in used_up:
            await _left_out(orders, programme, request, left.clause, left.arithmetic, actor, now)
        due = turn(programme, line, row.pool_fen - row.issued_fen)
        while unfit := await _unfit(programme, due, requests, now):
            for request_id, why in unfit.items():
                await _left_out(orders, programme, requests[request_id], why.clause, why.message, actor, now)
            line = [one for one in line if one.application.id not in unfit]
            due = turn(programme, line, row.pool_fen - row.issued_fen)
        for application, arithmetic in due.empty_handed:
            request = requests[application.id]
            if programme.issuance.waiting_list:
                await _kept_waiting(programme, request, arithmetic, actor, now)
            else:
                await _left_out(
                    orders, programme, request, programme.issuance.article, arithmetic, actor, now
                )
        vouchers = await issuing.issue(
            budget,
            programme,
            await _grants(row, due.awards, requests),
            basis=Basis.MONEY,
            actor=actor.name,
            now=now,
            round_=row,
        )
        for award, voucher in zip(due.awards, vouchers, strict=True):
            await _issued(orders, programme, requests[award.application.id], award, voucher, actor, now)
    return len(vouchers)


async def _unfit(
    programme: Programme, due: Turn, requests: Mapping[int, VoucherRequest], now: datetime
) -> dict[int, Unmet]:
    """Who would be issued now and is not in standing now, each with the first reason.

    A request may wait long after its approval; what its review asked of both sides is asked again.
    """
    unfit = {}
    for award in due.awards:
        request = requests[award.application.id]
        unmet = [
            *await standing_unmet(
                programme, request.enterprise, Party.ENTERPRISE, QualificationAct.OBTAIN_VOUCHERS, now=now
            ),
            *await barred_unmet(programme, request.order.provider.uscc, now=now),
        ]
        if unmet:
            unfit[request.id] = unmet[0]
    return unfit


async def _line(
    programme: Programme, budget_id: int, requests: Mapping[int, VoucherRequest]
) -> tuple[list[Waiting], list[tuple[VoucherRequest, Limit]]]:
    """The line, and who is decided but has no quota left by now.

    What is decided is cut to what its enterprise's quota leaves at this moment, in the order of the line:
    something else may have been issued to it since.
    """
    enterprises = {request.enterprise_id for request in requests.values()}
    taken = dict(await entitlements.taken_fen(programme, budget_id, enterprises))
    line: list[Waiting] = []
    used_up: list[tuple[VoucherRequest, Limit]] = []
    for application in ranked(programme, [_application(one) for one in requests.values()]):
        request = requests[application.id]
        if request.status is RequestStatus.PENDING:
            line.append(Waiting(application, decided=False))
            continue
        left = quota_left(programme, None, taken.get(request.enterprise_id, 0), {})
        amount_fen = application.amount_fen
        if left is not None and left.amount_fen < amount_fen:
            amount_fen = left.amount_fen
            if not amount_fen:
                used_up.append((request, left))
                continue
        taken[request.enterprise_id] = taken.get(request.enterprise_id, 0) + amount_fen
        line.append(Waiting(replace(application, amount_fen=amount_fen), decided=True))
    return line, used_up


def _application(request: VoucherRequest) -> Application:
    return Application(
        id=request.id,
        labels=frozenset(request.labels),
        applied_at=request.requested_at,
        amount_fen=request.expected_fen if request.amount_fen is None else request.amount_fen,
    )


async def _grants(row: Round, awards: Sequence[Award], requests: Mapping[int, VoucherRequest]) -> list[Grant]:
    """The vouchers to issue; the serial counts an enterprise's vouchers in the period."""
    enterprises = [requests[award.application.id].enterprise_id for award in awards]
    earlier = await Voucher.filter(round_id=row.id, enterprise_id__in=enterprises)
    serials = Counter(voucher.enterprise_id for voucher in earlier)
    grants = []
    for place, award in enumerate(awards, start=row.issued_count + 1):
        request = requests[award.application.id]
        serials[request.enterprise_id] += 1
        grants.append(
            Grant(
                enterprise_id=request.enterprise_id,
                amount_fen=award.amount_fen,
                asked_at=request.requested_at,
                place=str(place),
                serial=serials[request.enterprise_id],
            )
        )
    return grants


async def _issued(
    orders: Orders,
    programme: Programme,
    request: VoucherRequest,
    award: Award,
    voucher: Voucher,
    actor: Actor,
    now: datetime,
) -> None:
    """The voucher itself was journaled and told by the issuing."""
    arithmetic = request.arithmetic
    asked_fen = award.application.amount_fen
    if award.amount_fen < asked_fen:
        rest = texts.REST_OF_PERIOD.format(asked=yuan(asked_fen), left=yuan(award.amount_fen))
        arithmetic = texts.STEP.join((arithmetic, rest))
    issued = await VoucherRequest.filter(id=request.id, status=RequestStatus.APPROVED).update(
        status=RequestStatus.ISSUED,
        amount_fen=award.amount_fen,
        arithmetic=arithmetic,
        voucher_id=voucher.id,
    )
    if not issued:
        # Nobody moves an approved request but under the year's lock; else nothing is issued at all.
        raise RequestMovedOn()
    await note(
        "voucher_request.issued", request, programme, actor, now, voucher=voucher.id, place=voucher.place
    )
    await order_book.change(
        request.order, clause=request.clause, arithmetic=arithmetic, voucher_id=voucher.id, budget_id=None
    )
    step = next((one for one in programme.order_steps if one.kind is StepKind.ISSUE_VOUCHER), None)
    if step is None:
        # A later step of the order takes it up.
        return
    if step.effect is Effect.RESERVE:
        await order_money.hold_issued(request.order, voucher, now=now)
    said = {"voucher": voucher.id, "voucher_fen": award.amount_fen}
    await orders.by_platform(request.order, StepKind.ISSUE_VOUCHER, actor=actor, now=now, values=said)


async def _left_out(
    orders: Orders,
    programme: Programme,
    request: VoucherRequest,
    clause: str,
    arithmetic: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Out of the line with nothing, and told why; on the same contract it may ask again in another period."""
    await VoucherRequest.filter(id=request.id, status=RequestStatus.APPROVED).update(
        status=RequestStatus.LEFT_OUT, clause=clause, arithmetic=arithmetic
    )
    await note("voucher_request.left_out", request, programme, actor, now, arithmetic=arithmetic)
    await tell("voucher_request.left_out", request, now, clause=clause, arithmetic=arithmetic)
    await orders.back_to(request.order, StepKind.REQUEST_VOUCHER, reason=arithmetic, actor=actor, now=now)


async def _kept_waiting(
    programme: Programme, request: VoucherRequest, arithmetic: str, actor: Actor, now: datetime
) -> None:
    """Nothing for now; it keeps its place for what comes back, and is told once."""
    if request.reason:
        return
    await VoucherRequest.filter(id=request.id, status=RequestStatus.APPROVED).update(reason=arithmetic)
    await note("voucher_request.waiting", request, programme, actor, now, arithmetic=arithmetic)
    await tell(
        "voucher_request.waiting", request, now, clause=programme.issuance.article, arithmetic=arithmetic
    )
