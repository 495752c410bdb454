"""Escrow: an enterprise's own money that the operator holds for one order (NX-20, NX-34, NX-38).

It has accounts of its own in the ledger, apart from all public money. What is held is what the payments
say, less what was released or given back; the row's own guard keeps more from leaving than came.
"""

from __future__ import annotations

from datetime import datetime

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.orders import Order
from server.models.payments import Escrow
from server.models.rounds import Budget
from server.rules.money import Movement
from server.services.budgets import ledger
from server.services.budgets.escrow_books import paid_in_fen
from server.services.budgets.ledger import Where
from server.services.vouchers.order_purse import YearNotOpen
from server.units import yuan


class EscrowShort(Refusal):
    """Less is held for the order than is asked for."""

    status, code = 409, "escrow_short"


async def level(order: Order, *, now: datetime) -> int:
    """Make the escrow what the order's payments say, and post the difference; what is held now, fen.

    Call it in the transaction that changes a payment. Doing it again does nothing.
    """
    async with in_transaction():
        escrow = await _locked(order, now)
        if escrow is None:
            return 0
        paid_fen = await paid_in_fen(order.id)
        difference_fen = paid_fen - (escrow.paid_fen - escrow.refunded_fen)
        if difference_fen > 0:
            await Escrow.filter(id=escrow.id).update(paid_fen=F("paid_fen") + difference_fen)
            await _post(Movement.PAY_ESCROW, difference_fen, order, escrow, now)
        elif difference_fen < 0:
            if -difference_fen > escrow.held_fen:
                raise _short(escrow.held_fen, -difference_fen)
            await Escrow.filter(id=escrow.id).update(refunded_fen=F("refunded_fen") - difference_fen)
            await _post(Movement.REFUND_ESCROW, -difference_fen, order, escrow, now)
        held: int = escrow.held_fen + difference_fen
        return held


async def release(order: Order, amount_fen: int, *, now: datetime) -> None:
    """Pay some of what is held on to the provider, at the settlement. Raises :class:`EscrowShort`."""
    async with in_transaction():
        escrow = await _locked(order, now)
        held_fen = 0 if escrow is None else escrow.held_fen
        if escrow is None or not 0 < amount_fen <= held_fen:
            raise _short(held_fen, amount_fen)
        await Escrow.filter(id=escrow.id).update(released_fen=F("released_fen") + amount_fen)
        await _post(Movement.RELEASE_ESCROW, amount_fen, order, escrow, now)


async def held_fen(order_id: int) -> int:
    """What is held for an order, fen."""
    escrow = await Escrow.get_or_none(order_id=order_id)
    return 0 if escrow is None else escrow.held_fen


async def _latest_year(order: Order, now: datetime) -> int:
    """Escrow that comes before the voucher stands under the programme's latest year."""
    budget = await Budget.filter(programme_slug=order.programme_slug).order_by("-year").first()
    if budget is None:
        raise YearNotOpen(year=now.year)
    return int(budget.id)


async def _locked(order: Order, now: datetime) -> Escrow | None:
    """The order's escrow, locked until the transaction ends; made where money came and there is none."""
    # The order first, as everybody does who moves it. Writes, because SQLite ignores SELECT … FOR UPDATE.
    await Order.filter(id=order.id).update(version=F("version"))
    if not await Escrow.filter(order_id=order.id).update(paid_fen=F("paid_fen")):
        if not await paid_in_fen(order.id):
            return None
        fresh = Escrow(order_id=order.id, budget_id=order.budget_id or await _latest_year(order, now))
        await Escrow.bulk_create([fresh], ignore_conflicts=True)
        await Escrow.filter(order_id=order.id).update(paid_fen=F("paid_fen"))
    return await Escrow.get(order_id=order.id)


async def _post(movement: Movement, amount_fen: int, order: Order, escrow: Escrow, now: datetime) -> None:
    where = Where(
        escrow.budget_id,
        enterprise_id=order.enterprise_id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )
    await ledger.post(movement, amount_fen, where, at=now)


def _short(held_fen: int, asked_fen: int) -> EscrowShort:
    return EscrowShort(
        arithmetic=f"{yuan(asked_fen)} > {yuan(held_fen)}", held=yuan(held_fen), asked=yuan(asked_fen)
    )
