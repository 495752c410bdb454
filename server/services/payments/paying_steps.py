"""Paying steps: deposit, balance, escrow and the transfer of the own share, as work of an order's steps.

A payment counts when the gateway has vouched for it, or when a bank's receipt shows it: from the right
payer to the right payee, the right amount, with a reference that stands for nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server import texts
from server.errors import Unmet
from server.models.orders import Order
from server.models.payments import OwnPayment
from server.programme.model import Programme
from server.programme.papers import DocumentKind, Field
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Party
from server.rules.own_payments import (
    PURPOSES,
    PaymentMethod,
    PaymentPurpose,
    PaymentStatus,
    due_fen,
    parts_of,
    receipts_of,
)
from server.services.payments import escrows
from server.services.payments.declared_papers import (
    declared_unmet,
    document_of,
    fields_of,
    paper_of,
    take_number,
)
from server.services.payments.invoices import record_receipts
from server.services.payments.paper_terms import agreed_fen
from server.services.step_work import Move, NothingMore
from server.units import yuan


def payable_fen(order: Order, programme: Programme, kind: StepKind) -> int:
    """What a paying step asks for, fen; 0: there is nothing to pay (GX-54)."""
    return due_fen(parts_of(programme, agreed_fen(order), order.voucher_fen), PURPOSES[kind])


async def paid_online_fen(order_id: int, purpose: PaymentPurpose) -> int:
    """What the gateway vouches for, fen."""
    paid = await OwnPayment.filter(
        order_id=order_id, purpose=purpose, method=PaymentMethod.ONLINE, status=PaymentStatus.PAID
    )
    return sum(one.amount_fen for one in paid)


async def waives_papers(order: Order, programme: Programme, step: OrderStep) -> bool:
    """Whether no receipt is asked for, nor its fields: nothing is to be paid, or the gateway vouches."""
    if step.kind not in PURPOSES:
        return False
    asked_fen = payable_fen(order, programme, step.kind)
    return await paid_online_fen(order.id, PURPOSES[step.kind]) >= asked_fen


class PayingStep(NothingMore):
    """A step that is a payment of the enterprise's own money."""

    def form(
        self, programme: Programme, step: OrderStep, order: Order, party: Party | None
    ) -> Sequence[Field]:
        if receipts_of(step) or not payable_fen(order, programme, step.kind):
            return ()
        return fields_of(step, DocumentKind.TRANSFER_RECEIPT)

    async def unmet(self, move: Move) -> Sequence[Unmet]:
        if await waives_papers(move.order, move.programme, move.step):
            return ()
        receipts = receipts_of(move.step)
        if not receipts:
            return await declared_unmet(move, document_of(move.step, DocumentKind.TRANSFER_RECEIPT))
        if any(move.papers.get(one.code) for one in receipts):
            return ()
        purpose = texts.PAYMENT_PURPOSES[PURPOSES[move.step.kind]]
        amount = yuan(payable_fen(move.order, move.programme, move.step.kind))
        message = texts.PAYMENT_UNPAID.format(purpose=purpose, amount=amount)
        return (Unmet("unpaid", move.step.article, message),)

    async def do(self, move: Move) -> Mapping[str, Any]:
        declared = self.form(move.programme, move.step, move.order, move.party)
        if declared and not await waives_papers(move.order, move.programme, move.step):
            document = document_of(move.step, DocumentKind.TRANSFER_RECEIPT)
            await take_number(move, document)
            await record_receipts(move, document.code, (paper_of(move, document),))
        if PURPOSES[move.step.kind] is PaymentPurpose.ESCROW:
            await escrows.level(move.order, now=move.now)
        return {}
