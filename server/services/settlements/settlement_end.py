"""A settlement's end: what is determined, what becomes payable, and what refusing or taking back undoes.

Everything happens in the transaction of whoever decides, under the locks of both sides; what the order holds
is spent here, what is cut is the year's again, and escrow goes where it belongs with the same stroke.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from server.errors import Refusal, Unmet
from server.models.contracts import Contract
from server.models.orders import Order
from server.models.reviews import ReviewCase, ReviewDecision
from server.models.settlements import RefundTask, Settlement
from server.programme.model import Programme
from server.programme.size_classes import SizeStandard
from server.programme.steps import StepKind
from server.rules.review import LIVE, ReasonMissing, Verdict
from server.rules.settlements import Cut, ReductionImpossible, SettlementStatus, cut, fee_of, settle_step
from server.services.access import Actor
from server.services.orders import order_book, order_money
from server.services.orders.orders import Orders
from server.services.payments import escrows, invoices, repayments
from server.services.reviews.reviews import Reviews
from server.services.settlements import (
    sanction_reductions,
    settlement_book,
    settlement_ceilings,
    settlement_evidence,
    settlement_money,
    settlement_papers,
)
from server.units import yuan

AMOUNT, ESCROW, FEE = "amount_fen", "escrow_fen", "fee_fen"
"""What a reviewer may say of the money: of the voucher, of the escrow, of the supervision fee."""


class SettlementNotPayable(Refusal):
    """Something stands against paying it; ``unmet`` names all of it, and nothing was decided."""

    status, code = 409, "settlement_not_payable"


class Desk(Protocol):
    """What settles, as far as its end needs it."""

    orders: Orders
    reviews: Reviews
    sizes: SizeStandard

    def terms_of(self, order: Order) -> Programme:
        """The programme as it stood when the order was opened."""


async def determine(desk: Desk, settlement: Settlement, *, actor: Actor, now: datetime) -> Settlement:
    """Fix what is to be paid, on what its reviewers said and what stands in the way; once.

    Raises ``OrderHeld``, ``PaymentHeld``, ``SettlementNotPayable``, ``ReductionNotAllowed``,
    ``ReductionImpossible``, ``FeeOutOfBounds``, ``FeeNotTaken``, ``ReasonMissing``.
    """
    if settlement.amount_fen or settlement.reduced_fen:
        return settlement
    order = await Order.get(id=settlement.order_id)
    programme = desk.terms_of(order)
    await settlement_book.require_free(settlement)
    extras, reason = await _said(settlement)
    made, fee_fen, reason = await _divided(order, programme, extras, reason)
    evidence = await settlement_evidence.examine(settlement, order, programme, desk.sizes, now=now)
    ceilings = await settlement_ceilings.lines(settlement, programme, made.amount_fen)
    _require(programme, [*evidence.unmet, *settlement_ceilings.red(ceilings)])
    settlement = await settlement_book.change(
        settlement,
        ledger_fen=made.amount_fen + made.reduced_fen,
        amount_fen=made.amount_fen,
        reduced_fen=made.reduced_fen,
        reduction_reason="" if made.is_whole else reason,
        escrow_fen=made.escrow_fen,
        escrow_back_fen=made.escrow_back_fen,
        fee_fen=fee_fen,
    )
    await settlement_book.note(
        "settlement.determined",
        settlement,
        actor,
        now,
        amount_fen=made.amount_fen,
        reduced_fen=made.reduced_fen,
        reason=settlement.reduction_reason,
    )
    return settlement


async def require_usable(
    desk: Desk, settlement: Settlement, extras: Mapping[str, Any], *, reason: str
) -> None:
    """Raise what :func:`determine` would raise of what one reviewer says of the money."""
    order = await Order.get(id=settlement.order_id)
    await _divided(order, desk.terms_of(order), extras, reason)


async def make_payable(desk: Desk, settlement: Settlement, *, actor: Actor, now: datetime) -> Settlement:
    """Nothing stands before the payment any more: spend what is held, cut, release escrow, take the fee."""
    order = await Order.get(id=settlement.order_id)
    terms = desk.orders.terms_of(order)
    programme = terms.programme
    await order_money.consume(order, programme, now=now)
    await settlement_money.disallow(order, settlement.reduced_fen, year_id=settlement.budget_id, now=now)
    await settlement_money.divide_escrow(
        order, released_fen=settlement.escrow_fen, back_fen=settlement.escrow_back_fen, now=now
    )
    await settlement_money.take_fee(order, programme, settlement.fee_fen, now=now)
    if any(step.kind is StepKind.APPROVE_SETTLEMENT for step in programme.order_steps):
        said = {"settlement": settlement.number, "amount_fen": settlement.amount_fen}
        await order_book.touch(order)
        await order_book.record(order, StepKind.APPROVE_SETTLEMENT, None, actor=actor, now=now, values=said)
        await desk.orders.advance(order, terms, actor=actor, now=now)
    settlement = await settlement_book.change(
        settlement, status=SettlementStatus.PAYABLE, payable_at=now, budget_id=order.budget_id
    )
    await settlement_book.note("settlement.payable", settlement, actor, now, amount_fen=settlement.amount_fen)
    await settlement_book.tell(
        "settlement.reduced" if settlement.reduced_fen else "settlement.payable",
        settlement,
        [settlement.provider_id, settlement.enterprise_id],
        now=now,
        order_number=order.number,
        reduced_fen=settlement.reduced_fen,
        reason=settlement.reduction_reason,
        clause=programme.settlement.article,
    )
    await _ask_back(settlement, order, programme, now)
    return settlement


async def refuse(
    desk: Desk, settlement: Settlement, *, reason: str, actor: Actor, now: datetime
) -> Settlement:
    """Nothing of it is paid, for good: what its file took and what was spent is the year's again (GX-84).

    What the operator holds of the enterprise's own money goes back to it. Escrow that was
    released before, because it was payable, stays owed; the fee goes back: what is refused is no settled
    project (NX-36).
    """
    order = await Order.get(id=settlement.order_id)
    held_fen = await let_go(desk, order, year_id=settlement.budget_id, now=now)
    posted = settlement.payable_at is not None
    if posted:
        await settlement_money.return_fee(order, desk.terms_of(order), settlement.fee_fen, now=now)
    settlement = await settlement_book.change(
        settlement,
        status=SettlementStatus.REFUSED,
        amount_fen=0,
        reduced_fen=0,
        escrow_fen=settlement.escrow_fen if posted else 0,
        escrow_back_fen=held_fen + (settlement.escrow_back_fen if posted else 0),
        fee_fen=0,
        reason=reason,
        ended_at=now,
    )
    await settlement_book.note("settlement.refused", settlement, actor, now, reason=reason)
    await settlement_book.tell(
        "settlement.refused",
        settlement,
        [settlement.provider_id, settlement.enterprise_id],
        now=now,
        order_number=order.number,
        reason=reason,
    )
    return settlement


async def let_go(desk: Desk, order: Order, *, year_id: int | None, now: datetime) -> int:
    """Nothing of an order is paid: what is held or spent is void, escrow goes back; how much of that, fen.

    ``year_id``: which year's committed money stands behind it.
    """
    drawn = await settlement_money.drawn(order)
    if drawn is not None:
        await settlement_money.let_go_on_file(order, drawn, now=now)
    await order_money.consume(order, desk.terms_of(order), now=now)
    spent_fen = (await settlement_money.standing(order)).spent_fen
    await settlement_money.disallow(order, spent_fen, year_id=year_id, now=now)
    held_fen = await escrows.held_fen(order.id)
    await settlement_money.divide_escrow(order, released_fen=0, back_fen=held_fen, now=now)
    return held_fen


async def undo(desk: Desk, settlement: Settlement, *, reason: str, actor: Actor, now: datetime) -> None:
    """Its provider takes it back: case, money, numbers and the order's step are as before."""
    order = await Order.get(id=settlement.order_id)
    terms = desk.orders.terms_of(order)
    if settlement.case_id is not None:
        case = await ReviewCase.get(id=settlement.case_id)
        if case.status in LIVE:
            await desk.reviews.withdraw(case, reason=reason, actor=actor, now=now)
    drawn = await settlement_money.drawn(order)
    if drawn is not None:
        await settlement_money.let_go_on_file(order, drawn, now=now)
    own = await settlement_papers.of(settlement.application_id, settlement.id)
    documents = {one.code for one in own}
    await invoices.free_numbers(order.id, StepKind.SETTLE, documents)
    if settle_step(terms.programme) is not None:
        await order_book.touch(order)
        await order_book.undo_from(
            order, terms.programme, StepKind.SETTLE, reason=reason, actor=actor, now=now
        )
        await desk.orders.advance(order, terms, actor=actor, now=now)


async def _divided(
    order: Order, programme: Programme, extras: Mapping[str, Any], reason: str
) -> tuple[Cut, int, str]:
    """What is paid of what there is, the fee, and why it is not all of it."""
    held_fen = await escrows.held_fen(order.id)
    stands = await settlement_money.standing(order)
    less_fen, why = await sanction_reductions.of_order(order)
    asked = extras.get(AMOUNT)
    if less_fen:
        most_fen = max(0, stands.total_fen - less_fen)
        # A reviewer may cut more than a decision in force, never less, nor all by saying null.
        asked = most_fen if asked is None else asked
        if type(asked) is int and asked > most_fen:
            raise ReductionImpossible(clause=programme.settlement.article, most=yuan(most_fen))
        reason = reason or why
    made = cut(
        programme,
        ledger_fen=stands.total_fen,
        escrow_held_fen=held_fen,
        amount_fen=asked,
        escrow_fen=extras.get(ESCROW),
    )
    if not made.is_whole and not reason:
        raise ReasonMissing()
    contract = await Contract.get_or_none(id=order.contract_id) if order.contract_id else None
    contract_fen = order.price_fen if contract is None else contract.amount_fen
    return made, fee_of(programme, contract_fen, extras.get(FEE)), reason


async def _said(settlement: Settlement) -> tuple[dict[str, Any], str]:
    """What the reviewers added of the money, and the reason given with it last.

    What was said with a return was said of another file.
    """
    found = ReviewDecision.filter(case_id=settlement.case_id)
    if settlement.case_id is None:
        found = ReviewDecision.filter(case__subject="settlement", case__subject_id=settlement.id)
    rows = await found.exclude(verdict=Verdict.RETURNED).order_by("id")
    extras = {name: value for row in rows for name, value in row.extras.items()}
    said = (row for row in rows if any(row.extras.get(one) is not None for one in (AMOUNT, ESCROW)))
    reasons = [row.reason for row in said]
    return extras, reasons[-1].strip() if reasons else ""


async def _ask_back(settlement: Settlement, order: Order, programme: Programme, now: datetime) -> None:
    """Where the enterprise had paid in full, its provider is told what it owes back (GZ-48)."""
    owed = await repayments.owed(order, programme)
    if not owed.amount_fen:
        return
    await RefundTask.create(
        settlement_id=settlement.id,
        order_id=order.id,
        provider_id=order.provider_id,
        enterprise_id=order.enterprise_id,
        programme_slug=order.programme_slug,
        amount_fen=owed.amount_fen,
        clause=owed.clause,
        arithmetic=owed.arithmetic,
        opened_at=now,
    )
    await settlement_book.tell(
        "settlement.refund_due",
        settlement,
        [order.provider_id, order.enterprise_id],
        now=now,
        order_number=order.number,
        owed_fen=owed.amount_fen,
        clause=owed.clause,
    )


async def repaid(order: Order, now: datetime) -> None:
    """What was owed back was given back, as a bank's receipt shows: its task is done."""
    await RefundTask.filter(order_id=order.id, done_at=None).update(done_at=now)


def _require(programme: Programme, unmet: Sequence[Unmet]) -> None:
    if unmet:
        raise SettlementNotPayable(
            clause=next((one.clause for one in unmet if one.clause), programme.settlement.article),
            arithmetic=next((one.arithmetic for one in unmet if one.arithmetic), ""),
            unmet=tuple(unmet),
            count=len(unmet),
            first=unmet[0].message,
        )
