"""The payment book: what an order's enterprise has to pay now, and what was paid."""

from __future__ import annotations

from dataclasses import dataclass

from server.models.orders import Order
from server.models.payments import OwnPayment
from server.programme.model import Programme
from server.rules.own_payments import PURPOSES, PaymentPurpose, parts_of, takes_online
from server.services.payments import escrows, repayments
from server.services.payments.paper_terms import agreed_fen, names_of
from server.services.payments.paying_steps import paid_online_fen, payable_fen
from server.services.payments.repayments import Owed


@dataclass(frozen=True, slots=True)
class DueNow:
    """A payment whose turn it is."""

    purpose: PaymentPurpose
    amount_fen: int
    payer: str
    payee: str
    """Empty while the operator's office was not entered."""
    online: bool
    clause: str
    arithmetic: str


@dataclass(frozen=True, slots=True)
class Book:
    """An order's payments, oldest first."""

    due: DueNow | None
    payments: list[OwnPayment]
    escrow_fen: int
    owed: Owed


async def of(order: Order, programme: Programme, *, gateway: bool) -> Book:
    """What is due and what was paid; ``gateway``: whether there is one to pay through."""
    return Book(
        due=await _due(order, programme, gateway=gateway),
        payments=await OwnPayment.filter(order_id=order.id).order_by("id"),
        escrow_fen=await escrows.held_fen(order.id),
        owed=await repayments.owed(order, programme),
    )


async def _due(order: Order, programme: Programme, *, gateway: bool) -> DueNow | None:
    step = order.step
    if step is None or step not in PURPOSES:
        return None
    purpose = PURPOSES[step]
    amount_fen = payable_fen(order, programme, step) - await paid_online_fen(order.id, purpose)
    if amount_fen <= 0:
        return None
    names = await names_of(order)
    payees = names.payees(programme, purpose)
    return DueNow(
        purpose=purpose,
        amount_fen=amount_fen,
        payer=names.enterprise[0],
        payee=payees[0] if payees else "",
        online=gateway and takes_online(programme),
        clause=programme.own_share.article,
        arithmetic=parts_of(programme, agreed_fen(order), order.voucher_fen).arithmetic,
    )
