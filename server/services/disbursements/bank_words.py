"""Bank words: what follows from the bank's word on payments, all of it in one transaction or none of it.

Paid or returned, a payment says so with its day and its paper, and the batch closes with the last of them.
An account that the bank refused is out of use. What else follows is its source's (``payables.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F

from server.models.disbursements import Payment, PaymentBatch
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.disbursements import BatchStatus, Receipt, TransferStatus
from server.services.access import Actor
from server.services.afterwards import After, together
from server.services.disbursements import bank_accounts, disbursement_book, offsets
from server.services.disbursements.disbursement_book import ArchiveClosed
from server.services.disbursements.payables import Payable
from server.services.settlements import settlement_book


async def take(
    batch: PaymentBatch,
    said: Mapping[int, Receipt],
    *,
    payable: Payable,
    programme: Programme,
    actor: Actor,
    now: datetime,
    connection: BaseDBAsyncClient,
    file_id: int | None = None,
) -> After:
    """Let the bank's word on these payments of a batch (by id) take effect, in the caller's transaction.

    Every one is new. Raises ``BooksDiffer``, ``ArchiveClosed``, ``SettlementMovedOn`` where somebody else's
    word came first, and what a review's end raises.
    """
    if batch.archived_at is not None:
        raise ArchiveClosed(number=batch.number)
    payments = [one for one in await disbursement_book.payments_of(batch.id) if one.id in said]
    seen = await Settlement.filter(id__in=[one.settlement_id for one in payments]).order_by("id")
    rows = {one.id: one for one in await disbursement_book.lock(seen, connection)}
    # They were read before they stood still: whoever spoke of one of them meanwhile was first.
    stand = {one.id: one.status for one in await disbursement_book.payments_of(batch.id)}
    overtaken = next((one for one in payments if stand[one.id] is not one.status), None)
    if overtaken is not None:
        raise await settlement_book.moved_on(rows[overtaken.settlement_id])
    afters: list[After] = []
    for payment in payments:
        receipt, settlement = said[payment.id], rows[payment.settlement_id]
        await _write(payment, receipt, file_id, actor, now)
        if receipt.paid:
            afters.append(await payable.paid(payment, settlement, receipt, programme, actor, now))
        else:
            await payable.returned(payment, settlement, receipt, actor, now)
            await bank_accounts.fail(payment.payee.id, reason=receipt.reason, actor=actor, now=now)
    await offsets.hold(payments, batch.budget_id)
    for payment in payments:
        await payable.post(payment, rows[payment.settlement_id], said[payment.id], actor, now)
    await _close(batch, actor, now)
    return together(afters)


async def _write(
    payment: Payment, receipt: Receipt, file_id: int | None, actor: Actor, now: datetime
) -> None:
    """Keep the bank's word with its payment; the row in the hand stays as it stood before."""
    said: dict[str, object] = {
        "status": TransferStatus.PAID,
        "receipt_number": receipt.number,
        "receipt_on": receipt.on,
        "receipt_file": file_id,
    }
    if not receipt.paid:
        said = {
            "status": TransferStatus.RETURNED,
            "returned_on": receipt.on,
            "return_file": file_id,
            "reason": receipt.reason,
        }
    await Payment.filter(id=payment.id, status=payment.status).update(
        **said, settled_by=actor.name, settled_at=now
    )


async def _close(batch: PaymentBatch, actor: Actor, now: datetime) -> None:
    """Close a batch whose last payment the bank has spoken of."""
    if await Payment.filter(batch_id=batch.id, status=TransferStatus.WAITING).exists():
        return
    closed = await PaymentBatch.filter(id=batch.id, status=BatchStatus.SENT).update(
        status=BatchStatus.CLOSED, closed_at=now, version=F("version") + 1
    )
    if closed:
        await disbursement_book.note("disbursement.closed", batch, actor, now)
