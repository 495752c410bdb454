"""Bank words: what follows from the bank's word on payments, all of it in one transaction or none of it.

Paid: the ledger says disbursed, the money behind a promise leaves with it, the settlement is paid, and the
step of its review that waited for the money is put on record. Returned: what was posted comes back, the
settlement is payable again, and nothing more goes to the account it came back from.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F

from server import texts
from server.errors import Refusal
from server.models.disbursements import Payment, PaymentBatch
from server.models.orders import Order, VoucherHold
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.review import ReviewKind
from server.rules.disbursements import BatchStatus, Receipt, TransferStatus, masked
from server.rules.money import Basis, Movement
from server.rules.settlements import SettlementStatus
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import (
    bank_accounts,
    disbursement_book,
    ledger,
    offsets,
    order_purse,
    service_files,
    settlement_book,
)
from server.services.access import Actor
from server.services.disbursement_book import ArchiveClosed
from server.services.ledger import Where
from server.services.review_cases import copied
from server.services.reviewed import After, together
from server.services.reviews import Reviews
from server.units import yuan

PAID = (Movement.DISBURSE, Movement.PAY_OUT)
BACK = (Movement.RETURN_DISBURSEMENT, Movement.RETURN_PAID_OUT)
"""What is posted on a voucher, and on its year where the voucher was a promise."""


class BooksDiffer(Refusal):
    """What the ledger has spent on the order is not what is to be paid: nothing is posted on it."""

    status, code = 409, "books_differ"


async def take(
    batch: PaymentBatch,
    said: Mapping[int, Receipt],
    *,
    reviews: Reviews,
    actor: Actor,
    now: datetime,
    connection: BaseDBAsyncClient,
    file_id: int | None = None,
) -> After:
    """Let the bank's word on these payments of a batch (by id) take effect, in the caller's transaction.

    Every one is new. Raises :class:`BooksDiffer`, ``ArchiveClosed``, ``SettlementMovedOn`` where somebody
    else's word came first, and what a review's end raises.
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
    programme = reviews.programmes.version(batch.programme_slug, batch.programme_version)
    afters: list[After] = []
    for payment in payments:
        receipt, settlement = said[payment.id], rows[payment.settlement_id]
        if receipt.paid:
            afters.append(await _paid(payment, settlement, receipt, file_id, reviews, actor, now))
            await _to_service_file(settlement, programme, now)
        else:
            await _returned(payment, settlement, receipt, file_id, actor, now)
    await offsets.hold(payments, batch.budget_id)
    for payment in payments:
        await _post(payment, rows[payment.settlement_id], said[payment.id], actor, now)
    await _close(batch, actor, now)
    return together(afters)


async def _paid(
    payment: Payment,
    settlement: Settlement,
    receipt: Receipt,
    file_id: int | None,
    reviews: Reviews,
    actor: Actor,
    now: datetime,
) -> After:
    await Payment.filter(id=payment.id, status=TransferStatus.WAITING).update(
        status=TransferStatus.PAID,
        receipt_number=receipt.number,
        receipt_on=receipt.on,
        receipt_file=file_id,
        settled_by=actor.name,
        settled_at=now,
    )
    await settlement_book.change(settlement, status=SettlementStatus.PAID, paid_at=now)
    await service_files.settled(settlement, now=now)
    await settlement_book.note(
        "settlement.paid", settlement, actor, now, payment=payment.number, amount_fen=payment.amount_fen,
        kept_fen=payment.kept_fen, receipt=receipt.number, on=receipt.on.isoformat(),
    )  # fmt: skip
    await _tell_paid(payment, settlement, receipt, now)
    return await _on_record(settlement, payment, reviews, actor)


async def _tell_paid(payment: Payment, settlement: Settlement, receipt: Receipt, now: datetime) -> None:
    """Tell the provider what came, what was kept back, or that there was nothing to pay."""
    await settlement_book.tell(
        "disbursement.kept_back"
        if payment.kept_fen
        else ("disbursement.paid" if payment.amount_fen else "disbursement.nothing"),
        settlement, [settlement.provider_id], now=now,
        ending=masked(payment.tail), receipt=receipt.number, kept_fen=payment.kept_fen,
        transfer_fen=payment.transfer_fen,
    )  # fmt: skip


async def _to_service_file(settlement: Settlement, programme: Programme, now: datetime) -> None:
    """What was paid, and what was cut, stands in the provider's service file (GX-57, NX-25)."""
    reduced = settlement.reduced_fen > 0
    await service_files.note(
        ServiceEntryKind.SETTLEMENT,
        "reduced" if reduced else "settled",
        settlement_book.subject_of(settlement),
        provider_id=settlement.provider_id,
        programme=programme,
        tone=EntryTone.BAD if reduced else EntryTone.GOOD,
        at=now,
        clause=programme.disbursement.article,
        amount=yuan(settlement.amount_fen),
        reduced=yuan(settlement.reduced_fen),
    )


async def _on_record(settlement: Settlement, payment: Payment, reviews: Reviews, actor: Actor) -> After:
    """Put the review's step of payment on record; one that was paid before, and returned, is past it."""
    case = None if settlement.case_id is None else await ReviewCase.get(id=settlement.case_id)
    place = None if case is None else case.place
    if case is None or place is None or copied(case).chain.steps[place].kind is not ReviewKind.DISBURSEMENT:
        return together([])
    return await reviews.put_on_record(
        case,
        kind=ReviewKind.DISBURSEMENT,
        actor=actor,
        reason=_reason(payment),
    )


def _reason(payment: Payment) -> str:
    """What the review's record says of the payment."""
    said = texts.PAID_LESS_REASON if payment.kept_fen else texts.PAID_REASON
    if not payment.amount_fen:
        said = texts.PAID_NOTHING_REASON
    return said.format(
        number=payment.number,
        whole=yuan(payment.amount_fen),
        kept=yuan(payment.kept_fen),
        amount=yuan(payment.transfer_fen),
        account=masked(payment.tail),
    )


async def _returned(
    payment: Payment,
    settlement: Settlement,
    receipt: Receipt,
    file_id: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    await Payment.filter(id=payment.id, status=payment.status).update(
        status=TransferStatus.RETURNED,
        returned_on=receipt.on,
        return_file=file_id,
        reason=receipt.reason,
        settled_by=actor.name,
        settled_at=now,
    )
    await settlement_book.change(settlement, status=SettlementStatus.PAYABLE, paid_at=None)
    await settlement_book.note(
        "settlement.payment_returned", settlement, actor, now, payment=payment.number,
        amount_fen=payment.amount_fen, reason=receipt.reason, on=receipt.on.isoformat(),
    )  # fmt: skip
    await bank_accounts.fail(payment.payee.id, reason=receipt.reason, actor=actor, now=now)
    await settlement_book.tell(
        "disbursement.returned", settlement, [settlement.provider_id], now=now,
        ending=masked(payment.tail), reason=receipt.reason,
    )  # fmt: skip


async def _post(
    payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
) -> None:
    """Post what was paid, or what came back after it was; what never left posts nothing."""
    if not receipt.paid and payment.status is not TransferStatus.PAID:
        return
    order = await Order.get(id=payment.order_id)
    holds = [one for one in await order_purse.holds_of(order.id) if one.spent_fen]
    spent_fen = sum(one.spent_fen for one in holds)
    if spent_fen != payment.amount_fen:
        raise BooksDiffer(
            number=settlement.number, arithmetic=f"{yuan(payment.amount_fen)} ≠ {yuan(spent_fen)}"
        )
    of_voucher, of_year = PAID if receipt.paid else BACK
    promised_fen = 0
    for hold in holds:
        await ledger.post(of_voucher, hold.spent_fen, _on(hold, order), at=now)
        promised_fen += hold.spent_fen if hold.voucher.basis is Basis.QUOTA else 0
    if promised_fen:
        assert settlement.budget_id is not None, "what is paid is paid of a year"
        year = Where(
            settlement.budget_id,
            enterprise_id=order.enterprise_id,
            order_id=order.id,
            provider_id=order.provider_id,
            category=order.category,
        )
        await ledger.post(of_year, promised_fen, year, at=now)
    if payment.kept_fen and receipt.paid:
        await offsets.paid(payment, receipt.on, actor=actor, now=now)
    elif payment.kept_fen:
        await offsets.returned(payment, receipt.on, actor=actor, now=now)


def _on(hold: VoucherHold, order: Order) -> Where:
    voucher = hold.voucher
    return Where(
        voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=voucher.enterprise_id,
        voucher_id=voucher.id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
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
