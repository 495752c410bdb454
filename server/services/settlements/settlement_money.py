"""A settlement's money: what a complete file takes of its year, what is cut, released and taken as a fee.

All of it stands under the budget's lock. What an order holds and has spent is the ledger's word; a voucher
that has no money behind it gets it here, in the order in which complete files come in (YC-19).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F

from server.errors import Refusal
from server.models.orders import Order, VoucherHold
from server.models.payments import OwnPayment
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.money import Payee
from server.rules.deduction import Deduction
from server.rules.money import Account, Basis, Movement
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus
from server.services.budgets import budgets, ledger
from server.services.orders import order_book, order_money
from server.services.payments import escrows
from server.services.vouchers import order_purse
from server.services.vouchers.order_purse import NothingToPay
from server.units import yuan


class YearMoneyGone(Refusal):
    """The year's money is spent: files that were complete earlier have taken it (YC-19)."""

    status, code = 409, "year_money_gone"


@dataclass(frozen=True, slots=True)
class Standing:
    """What the ledger has of an order, fen: held for it, and spent on it, paid out or not."""

    held_fen: int
    spent_fen: int

    @property
    def total_fen(self) -> int:
        return self.held_fen + self.spent_fen


async def standing(order: Order) -> Standing:
    """The ledger's own sums, not the rows that repeat them."""
    sums = await ledger.balances(enterprise_id=order.enterprise_id, order_id=order.id)
    return Standing(sums[Account.HELD], sums[Account.REDEEMED] + sums[Account.DISBURSED])


async def drawn(order: Order) -> Voucher | None:
    """The voucher without money behind it that an order was registered with, if that is how it is paid."""
    if order.voucher_id is None:
        return None
    return await Voucher.get_or_none(id=order.voucher_id, basis=Basis.ON_FILE)


async def worked_out(programme: Programme, order: Order, voucher: Voucher) -> Deduction:
    """What a complete file may take: rate, caps, and what the voucher was drawn for."""
    face = order_purse.held_limit(voucher.face_value_fen, programme.voucher.article)
    return await order_purse.payable(programme, order, None, others=[face])


async def take_on_file(order: Order, programme: Programme, voucher: Voucher, *, now: datetime) -> Order:
    """Take what a complete file comes to out of its year; again, only what has changed since.

    Raises ``NothingToPay`` and :class:`YearMoneyGone`.
    """
    async with budgets.locked(voucher.budget_id) as budget:
        paid = await worked_out(programme, order, voucher)
        if not paid.amount_fen:
            raise NothingToPay(clause=paid.clause, arithmetic=paid.arithmetic)
        hold, _ = await VoucherHold.get_or_create(
            order_id=order.id, voucher_id=voucher.id, defaults={"held_fen": 0, "held_at": now}
        )
        more_fen = paid.amount_fen - hold.held_fen
        if more_fen > budget.free_fen:
            raise YearMoneyGone(
                clause=programme.issuance.article,
                arithmetic=f"{yuan(more_fen)} > {yuan(budget.free_fen)}",
                asked=yuan(more_fen),
                left=yuan(max(0, budget.free_fen)),
            )
        await _shift(order, voucher, hold, budget, more_fen, now)
    return await order_book.change(
        order, voucher_fen=paid.amount_fen, clause=paid.clause, arithmetic=paid.arithmetic
    )


async def let_go_on_file(order: Order, voucher: Voucher, *, now: datetime) -> int:
    """Give back what a file has taken; how much, fen."""
    async with budgets.locked(voucher.budget_id) as budget:
        hold = await VoucherHold.get_or_none(order_id=order.id, voucher_id=voucher.id)
        if hold is None or not hold.held_fen:
            return 0
        await _shift(order, voucher, hold, budget, -hold.held_fen, now)
    return int(hold.held_fen)


async def _shift(
    order: Order, voucher: Voucher, hold: VoucherHold, budget: Budget, more_fen: int, now: datetime
) -> None:
    if not more_fen:
        return
    await VoucherHold.filter(id=hold.id).update(held_fen=F("held_fen") + more_fen)
    await Budget.filter(id=budget.id).update(on_file_fen=F("on_file_fen") + more_fen)
    movement = Movement.TAKE_ON_FILE if more_fen > 0 else Movement.LET_GO_ON_FILE
    await ledger.post(movement, abs(more_fen), order_money.on_voucher(voucher, order), at=now)


async def disallow(order: Order, amount_fen: int, *, year_id: int | None, now: datetime) -> None:
    """Take from what was spent on an order: it is not paid out; where it was money it is the year's again.

    Behind a promised quota stands committed money, which goes back side by side (NX-26, GX-84), to the year
    that committed it last: ``year_id``, which of a settlement carried over is not its voucher's (GX-61).
    """
    if not amount_fen or order.budget_id is None:
        return
    committed_by = year_id or order.budget_id
    # The lower id first, as everybody does who needs two years.
    for budget_id in sorted({order.budget_id, committed_by}):
        async with budgets.locked(budget_id):
            pass  # Kept until the transaction ends.
    for hold in reversed(await order_purse.holds_of(order.id)):
        part_fen = min(amount_fen, hold.spent_fen)
        if not part_fen:
            continue
        amount_fen -= part_fen
        await VoucherHold.filter(id=hold.id).update(spent_fen=F("spent_fen") - part_fen)
        where = order_money.on_voucher(hold.voucher, order)
        await ledger.post(Movement.DISALLOW, part_fen, where, at=now)
        if hold.voucher.basis is Basis.QUOTA:
            await Budget.filter(id=committed_by).update(committed_fen=F("committed_fen") - part_fen)
            await ledger.post(Movement.UNCOMMIT, part_fen, order_money.on_year(order, committed_by), at=now)
        else:
            year = Budget.filter(id=hold.voucher.budget_id)
            await year.update(returned_fen=F("returned_fen") + part_fen)
            await ledger.post(Movement.RETURN_VOIDED, part_fen, where, at=now)
    assert not amount_fen, f"{yuan(amount_fen)} more than was spent on order {order.id}"


async def divide_escrow(order: Order, *, released_fen: int, back_fen: int, now: datetime) -> None:
    """Release what the provider gets of an escrow, and give the rest back to the enterprise (NX-20, NX-26).

    What goes back is due by the bank or the gateway, payment by payment, the last one first; a payment that
    goes back in part becomes two.
    """
    if back_fen:
        paid = OwnPayment.filter(order_id=order.id, purpose=PaymentPurpose.ESCROW, status=PaymentStatus.PAID)
        left_fen = back_fen
        for payment in await paid.order_by("-id"):
            part_fen = min(left_fen, payment.amount_fen)
            if not part_fen:
                break
            left_fen -= part_fen
            if part_fen == payment.amount_fen:
                await OwnPayment.filter(id=payment.id).update(status=PaymentStatus.REFUND_DUE)
            else:
                await OwnPayment.filter(id=payment.id).update(amount_fen=F("amount_fen") - part_fen)
                await _refund_part(payment, part_fen, now)
        await escrows.level(order, now=now)
        await order_book.tell(
            "settlement.escrow_back", order, order.enterprise_id, now=now, amount_fen=back_fen
        )
    if released_fen:
        await escrows.release(order, released_fen, now=now)


async def _refund_part(payment: OwnPayment, part_fen: int, now: datetime) -> None:
    await OwnPayment.create(
        order_id=payment.order_id,
        programme_slug=payment.programme_slug,
        purpose=payment.purpose,
        # By the bank, whatever it came by: the gateway gives back whole payments here.
        method=PaymentMethod.TRANSFER,
        status=PaymentStatus.REFUND_DUE,
        amount_fen=part_fen,
        payer=payment.payer,
        payee=payment.payee,
        step=payment.step,
        code=payment.code,
        paid_on=payment.paid_on,
        created_by=payment.created_by,
        created_at=now,
    )


async def take_fee(order: Order, programme: Programme, fee_fen: int, *, now: datetime) -> None:
    """Take a supervision fee out of the fund; where somebody else bears it, nothing is posted (NX-36).

    Raises ``BudgetTooSmall``.
    """
    if not fee_fen or not _of_the_fund(programme) or order.budget_id is None:
        return
    async with budgets.locked(order.budget_id) as budget:
        if fee_fen > budget.free_fen:
            raise budgets.too_small(budget.free_fen, fee_fen)
        await Budget.filter(id=budget.id).update(fees_fen=F("fees_fen") + fee_fen)
        await ledger.post(Movement.TAKE_FEE, fee_fen, order_money.on_year(order, budget.id), at=now)


async def return_fee(order: Order, programme: Programme, fee_fen: int, *, now: datetime) -> None:
    """Give a supervision fee back to its year: what was refused after all is no settled project (NX-36)."""
    if not fee_fen or not _of_the_fund(programme) or order.budget_id is None:
        return
    async with budgets.locked(order.budget_id) as budget:
        await Budget.filter(id=budget.id).update(fees_fen=F("fees_fen") - fee_fen)
        await ledger.post(Movement.RETURN_FEE, fee_fen, order_money.on_year(order, budget.id), at=now)


def _of_the_fund(programme: Programme) -> bool:
    """Whether the voucher fund bears the fee."""
    fee = programme.supervision_fee
    return fee is not None and fee.paid_by is Payee.VOUCHER_FUND
