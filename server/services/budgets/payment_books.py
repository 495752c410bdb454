"""The books of payments: what the bank has paid, against the ledger, the settlements and the years."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tortoise.expressions import Q
from tortoise.functions import Sum

from server.models.disbursements import Payment, PaymentBatch, PaymentOffset
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget
from server.models.sanctions import Recovery, RecoveryReceipt
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.rules.disbursements import LIVE_TRANSFERS, BatchStatus, PaymentSource, TransferStatus
from server.rules.money import PAID_OUT, Basis, Movement
from server.rules.recoveries import ReceiptKind
from server.rules.settlements import SettlementStatus
from server.units import yuan

DISBURSING: Mapping[Movement, int] = {Movement.DISBURSE: 1, Movement.RETURN_DISBURSEMENT: -1}
HAS_PAYMENT: Mapping[SettlementStatus, TransferStatus] = {
    SettlementStatus.IN_PAYMENT: TransferStatus.WAITING,
    SettlementStatus.PAID: TransferStatus.PAID,
    SettlementStatus.CLOSED: TransferStatus.PAID,
}
"""What a settlement's one live payment of the year's money must be; any other settlement has none."""


async def faults() -> list[str]:
    """Every contradiction between payments, settlements, ledger and years, each as a sentence with its sums.

    What the bank's receipts show is exactly what was posted as disbursed, order by order; the money that a
    promise had committed left with it; a settlement is as far as its one live payment; no year has paid more
    than it has (GX-82), and a batch is the sum of its payments, all of its own source. Released escrow is in
    the bank's hands at most once and whole; ``escrow_books`` compares it with the ledger.
    """
    settlements = {
        row["id"]: row
        for row in await Settlement.all().values(
            "id", "order_id", "budget_id", "status", "amount_fen", "escrow_fen"
        )
    }
    paid = await _paid()
    posted, promised = await _posted()
    by_order: dict[int, int] = defaultdict(int)
    for settlement_id, fen in paid.items():
        by_order[settlements[settlement_id]["order_id"]] += fen
    found = [
        f"order {order_id}: paid {yuan(by_order[order_id])}, disbursed in the ledger {yuan(posted[order_id])}"
        for order_id in sorted({*by_order, *posted})
        if by_order[order_id] != posted[order_id]
    ]
    found += await _status_faults(settlements)
    found += await _offset_faults()
    found += await _batch_faults()
    return found + await _year_faults(settlements, paid, promised)


async def _paid() -> dict[int, int]:
    """What the bank has paid of public money, by settlement, fen."""
    rows = await (
        Payment.filter(source=PaymentSource.BUDGET, status=TransferStatus.PAID)
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("settlement_id")
        .values("settlement_id", "total_fen")
    )
    return {row["settlement_id"]: int(row["total_fen"]) for row in rows}


async def _posted() -> tuple[dict[int, int], dict[int, int]]:
    """What was posted as disbursed, by order, fen: all of it, and what of it stood on a promise."""
    rows = await (
        LedgerEntry.filter(movement__in=list(DISBURSING))
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("order_id", "voucher_id", "movement")
        .values("order_id", "voucher_id", "movement", "total_fen")
    )
    of_promise = set(
        await Voucher.filter(id__in=list({row["voucher_id"] for row in rows}), basis=Basis.QUOTA).values_list(
            "id", flat=True
        )
    )
    posted: dict[int, int] = defaultdict(int)
    promised: dict[int, int] = defaultdict(int)
    for row in rows:
        fen = DISBURSING[Movement(row["movement"])] * int(row["total_fen"])
        posted[row["order_id"]] += fen
        if row["voucher_id"] in of_promise:
            promised[row["order_id"]] += fen
    return posted, promised


async def _status_faults(settlements: Mapping[int, Mapping[str, object]]) -> list[str]:
    live: dict[int, tuple[TransferStatus, int]] = {}
    states = list(HAS_PAYMENT.values())
    for one in await Payment.filter(source=PaymentSource.BUDGET, status__in=states):
        live[one.settlement_id] = (one.status, one.amount_fen)
    found = []
    for settlement_id, row in sorted(settlements.items()):
        wanted = HAS_PAYMENT.get(SettlementStatus(str(row["status"])))
        status, fen = live.get(settlement_id, (None, 0))
        if status is not wanted:
            found.append(f"settlement {settlement_id}: is {row['status']}, its payment is {status}")
        elif wanted is not None and fen != row["amount_fen"]:
            found.append(
                f"settlement {settlement_id}: its payment is {yuan(fen)},"
                f" not {yuan(int(str(row['amount_fen'])))}"
            )
    released = Payment.filter(source=PaymentSource.ESCROW, status__in=list(LIVE_TRANSFERS))
    return found + [
        f"settlement {one.settlement_id}: its escrow's payment is {yuan(one.amount_fen)}, not {yuan(due_fen)}"
        for one in await released.order_by("id")
        if one.amount_fen != (due_fen := int(str(settlements[one.settlement_id]["escrow_fen"])))
    ]


async def _batch_faults() -> list[str]:
    rows = await (
        Payment.exclude(status=TransferStatus.DROPPED)
        .annotate(total_fen=Sum("amount_fen"), kept=Sum("kept_fen"))
        .group_by("batch_id")
        .values("batch_id", "total_fen", "kept")
    )
    sums = {row["batch_id"]: int(row["total_fen"]) for row in rows}
    kept = {row["batch_id"]: int(row["kept"]) for row in rows}
    strays = [
        f"payment {one.id}: is of another source than its batch"
        for source in PaymentSource
        for one in await Payment.filter(source=source).exclude(batch__source=source).order_by("id")
    ]
    return strays + [
        f"batch {batch.id}: says {yuan(said)}, its payments {yuan(have.get(batch.id, 0))}"
        for batch in await PaymentBatch.exclude(status=BatchStatus.DROPPED).order_by("id")
        for said, have in ((batch.total_fen, sums), (batch.kept_fen, kept))
        if said != have.get(batch.id, 0)
    ]


async def _offset_faults() -> list[str]:
    """What payments keep back is what their offsets say, and what was paid has paid claims off by that."""
    by_payment: dict[int, int] = defaultdict(int)
    by_claim: dict[int, int] = defaultdict(int)
    for one in await PaymentOffset.all().select_related("payment"):
        by_payment[one.payment_id] += one.amount_fen
        if one.payment.status is TransferStatus.PAID:
            by_claim[one.recovery_id] += one.amount_fen
    found = [
        f"payment {payment.id}: keeps {yuan(payment.kept_fen)}, its offsets {yuan(by_payment[payment.id])}"
        for payment in await Payment.filter(Q(kept_fen__gt=0) | Q(id__in=list(by_payment))).order_by("id")
        if payment.kept_fen != by_payment[payment.id]
    ]
    signs = {ReceiptKind.BANK: 1, ReceiptKind.OFFSET: 1, ReceiptKind.RETURNED: -1}
    offset: dict[int, int] = defaultdict(int)
    came: dict[int, int] = defaultdict(int)
    for receipt in await RecoveryReceipt.all():
        fen = signs[receipt.kind] * receipt.amount_fen
        came[receipt.recovery_id] += fen
        if receipt.kind is not ReceiptKind.BANK:
            offset[receipt.recovery_id] += fen
    for claim in await Recovery.all().order_by("id"):
        if claim.collected_fen + claim.surcharge_fen != came[claim.id]:
            collected = yuan(claim.collected_fen + claim.surcharge_fen)
            found.append(f"claim {claim.id}: collected {collected}, its receipts {yuan(came[claim.id])}")
        if by_claim[claim.id] != offset[claim.id]:
            found.append(
                f"claim {claim.id}: {yuan(by_claim[claim.id])} was kept back for it,"
                f" {yuan(offset[claim.id])} paid it off"
            )
    return found


async def _year_faults(
    settlements: Mapping[int, Mapping[str, object]], paid: Mapping[int, int], promised: Mapping[int, int]
) -> list[str]:
    of_year: dict[object, int] = defaultdict(int)
    due: dict[object, int] = defaultdict(int)
    years = {row["order_id"]: row["budget_id"] for key, row in settlements.items() if key in paid}
    for settlement_id, fen in paid.items():
        of_year[settlements[settlement_id]["budget_id"]] += fen
    for order_id, fen in promised.items():
        due[years.get(order_id)] += fen
    left = await _left_the_commitment()
    found = []
    for budget in await Budget.all().order_by("id"):
        if of_year[budget.id] > budget.total_fen:
            found.append(
                f"budget {budget.id}: paid {yuan(of_year[budget.id])}, of {yuan(budget.total_fen)} it has"
            )
        if left[budget.id] != due[budget.id]:
            found.append(
                f"budget {budget.id}: {yuan(left[budget.id])} left its commitments,"
                f" {yuan(due[budget.id])} was disbursed on promises"
            )
    return found


async def _left_the_commitment() -> dict[object, int]:
    """What committed money has gone out with payments, by year, fen."""
    totals: dict[object, int] = defaultdict(int)
    rows = await (
        LedgerEntry.filter(movement__in=list(PAID_OUT))
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("budget_id", "movement")
        .values("budget_id", "movement", "total_fen")
    )
    for row in rows:
        totals[row["budget_id"]] += PAID_OUT[Movement(row["movement"])] * int(row["total_fen"])
    return totals
