"""Payment outcomes: what becomes of a payment once the gateway, or the end of its order, has said so.

Everything here may be said twice, late and in any order; what is told again changes nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import structlog
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.gateways.payments import RefundState, Trade, TradeRefund, TradeState
from server.models.orders import Order
from server.models.payments import OwnPayment
from server.rules.orders import LIVE
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus, bank_reference
from server.services import journal, outbox
from server.services.access import CLOCK, Actor, StaffRole
from server.services.payments import escrows
from server.units import yuan

TOPICS: Mapping[PaymentStatus, str] = {
    PaymentStatus.PAID: "payment.paid",
    PaymentStatus.REFUND_DUE: "payment.refund_due",
    PaymentStatus.DISPUTED: "payment.disputed",
}
"""What is told when the gateway says that a payment was made."""

log = structlog.get_logger()


class NothingToGiveBack(Refusal):
    """The payment is not one that somebody has to give back by the bank."""

    status, code = 409, "nothing_to_give_back"


class BankReferenceUnusable(Refusal):
    """No bank writes such a reference."""

    status, code = 422, "bank_reference_unusable"


async def settle(payment: OwnPayment, told: Trade, *, now: datetime) -> None:
    """Write down what became of a trade."""
    if told.state is TradeState.PAID:
        await _paid(payment, told, now)
    else:
        # What came and was given back elsewhere is as good as never paid; what is paid here stays so.
        async with in_transaction():
            if await _move(payment.id, PaymentStatus.PENDING, PaymentStatus.CLOSED, settled_at=now):
                await note("payment.closed", payment, actor=CLOCK, now=now)


async def refunded(payment: OwnPayment, told: TradeRefund, *, now: datetime) -> None:
    """Write down that the gateway gave a payment back."""
    if told.state is RefundState.FAILED:
        # Shown as long as it is due: people have to give it back.
        log.error("payments.refund_failed", payment=payment.id)
    if told.state is RefundState.DONE:
        await _given_back(payment, CLOCK, now)


async def given_back_by_bank(
    payment: OwnPayment, written: str, paid_on: date, *, actor: Actor, now: datetime
) -> None:
    """The operator gave back by the bank what came by the bank; the journal keeps its reference.

    Raises :class:`BankReferenceUnusable`, :class:`NothingToGiveBack`.
    """
    reference = bank_reference(written)
    if reference is None:
        raise BankReferenceUnusable()
    if payment.method is not PaymentMethod.TRANSFER:
        raise NothingToGiveBack()
    if not await _given_back(payment, actor, now, reference=reference, paid_on=paid_on.isoformat()):
        raise NothingToGiveBack()


async def end(order: Order, *, now: datetime) -> int:
    """An order came to nothing: what the operator holds for it is given back; how much, fen.

    Call it in the transaction that ends the order, after its status has changed. What was paid to the
    provider is a matter of the two sides.
    """
    held_fen = await escrows.held_fen(order.id)
    if not held_fen:
        return 0
    await OwnPayment.filter(
        order_id=order.id, purpose=PaymentPurpose.ESCROW, status=PaymentStatus.PAID
    ).update(status=PaymentStatus.REFUND_DUE)
    await escrows.level(order, now=now)
    for recipient in (_enterprise(order), outbox.team(StaffRole.OPERATOR, order.programme_slug)):
        await _tell("payment.refund_due", recipient, order, PaymentPurpose.ESCROW, held_fen, now=now)
    return held_fen


async def note(action: str, payment: OwnPayment, *, actor: Actor, now: datetime, **more: str) -> None:
    """One line in the journal of the payment's order."""
    await journal.record(
        action,
        f"order:{payment.order_id}",
        actor=actor.name,
        at=now,
        programme_slug=payment.programme_slug,
        payment=payment.id,
        purpose=payment.purpose,
        amount_fen=payment.amount_fen,
        **more,
    )


async def _paid(known: OwnPayment, told: Trade, now: datetime) -> None:
    async with in_transaction():
        # The order first, as everybody who moves it does: it stands still until this is written.
        await Order.filter(id=known.order_id).update(version=F("version"))
        order, payment = await Order.get(id=known.order_id), await OwnPayment.get(id=known.id)
        target = _becomes(payment, order, told)
        if target is None or not await _move(
            payment.id, payment.status, target, transaction_id=told.transaction_id, settled_at=now
        ):
            return
        await note(f"payment.{target.value}", payment, actor=CLOCK, now=now)
        if target is PaymentStatus.PAID and payment.purpose is PaymentPurpose.ESCROW:
            await escrows.level(order, now=now)
        if target is PaymentStatus.DISPUTED:
            recipients, paid = [outbox.team(StaffRole.OPERATOR, order.programme_slug)], told.amount_fen or 0
        else:
            recipients, paid = [_enterprise(order)], payment.amount_fen
        if target is PaymentStatus.PAID and order.provider_id != order.enterprise_id:
            recipients.append(f"organisation:{order.provider_id}")
        for recipient in recipients:
            await _tell(
                TOPICS[target],
                recipient,
                order,
                payment.purpose,
                payment.amount_fen,
                now=now,
                paid=yuan(paid),
            )


def _becomes(payment: OwnPayment, order: Order, told: Trade) -> PaymentStatus | None:
    """What a payment becomes when the gateway says that it was paid; ``None``: it says nothing new."""
    if payment.status not in (PaymentStatus.PENDING, PaymentStatus.CLOSED):
        return None
    if told.amount_fen != payment.amount_fen:
        return PaymentStatus.DISPUTED
    # Closed here and paid all the same, or paid for an order that has ended: nobody may keep it.
    if payment.status is PaymentStatus.CLOSED or order.status not in LIVE:
        return PaymentStatus.REFUND_DUE
    return PaymentStatus.PAID


async def _given_back(payment: OwnPayment, actor: Actor, now: datetime, **more: str) -> bool:
    async with in_transaction():
        due, done = PaymentStatus.REFUND_DUE, PaymentStatus.REFUNDED
        if not await _move(payment.id, due, done, settled_at=now):
            return False
        order = await Order.get(id=payment.order_id)
        await note("payment.refunded", payment, actor=actor, now=now, **more)
        await _tell(
            "payment.refunded", _enterprise(order), order, payment.purpose, payment.amount_fen, now=now
        )
        return True


async def _move(
    payment_id: int, old: PaymentStatus, new: PaymentStatus, **stamps: datetime | str | None
) -> bool:
    # The WHERE clause is the lock: of two notices of one payment exactly one changes the row.
    return bool(await OwnPayment.filter(id=payment_id, status=old).update(status=new, **stamps))


def _enterprise(order: Order) -> str:
    return f"organisation:{order.enterprise_id}"


async def _tell(
    topic: str,
    recipient: str,
    order: Order,
    purpose: PaymentPurpose,
    amount_fen: int,
    *,
    now: datetime,
    **more: str,
) -> None:
    await outbox.tell(
        recipient,
        topic,
        at=now,
        order=order.id,
        number=order.number,
        purpose=texts.PAYMENT_PURPOSES[purpose],
        amount=yuan(amount_fen),
        **more,
    )
