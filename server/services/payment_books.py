"""The books of payments: what the bank has paid, against the ledger, the settlements and the years."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tortoise.functions import Sum

from server.models.disbursements import Payment, PaymentBatch
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.models.vouchers import Voucher
from server.rules.disbursements import BatchStatus, TransferStatus
from server.rules.money import PAID_OUT, Basis, Movement
from server.rules.settlements import SettlementStatus
from server.units import yuan

DISBURSING: Mapping[Movement, int] = {Movement.DISBURSE: 1, Movement.RETURN_DISBURSEMENT: -1}
HAS_PAYMENT: Mapping[SettlementStatus, TransferStatus] = {
    SettlementStatus.IN_PAYMENT: TransferStatus.WAITING,
    SettlementStatus.PAID: TransferStatus.PAID,
    SettlementStatus.CLOSED: TransferStatus.PAID,
}
"""What a settlement's one live payment must be; any other settlement has none."""


async def faults() -> list[str]:
    """Every contradiction between payments, settlements, ledger and years, each as a sentence with its sums.

    What the bank's receipts show is exactly what was posted as disbursed, order by order; the money that a
    promise had committed left with it; a settlement is as far as its one live payment; no year has paid more
    than it has (GX-82), and a batch is the sum of its payments.
    """
    settlements = {
        row["id"]: row
        for row in await Settlement.all().values("id", "order_id", "budget_id", "status", "amount_fen")
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
    found += await _batch_faults()
    return found + await _year_faults(settlements, paid, promised)


async def _paid() -> dict[int, int]:
    """What the bank has paid, by settlement, fen."""
    rows = await (
        Payment.filter(status=TransferStatus.PAID)
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
    for one in await Payment.filter(status__in=states):
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
    return found


async def _batch_faults() -> list[str]:
    rows = await (
        Payment.exclude(status=TransferStatus.DROPPED)
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("batch_id")
        .values("batch_id", "total_fen")
    )
    sums = {row["batch_id"]: int(row["total_fen"]) for row in rows}
    return [
        f"batch {batch.id}: says {yuan(batch.total_fen)}, its payments {yuan(sums.get(batch.id, 0))}"
        for batch in await PaymentBatch.exclude(status=BatchStatus.DROPPED).order_by("id")
        if batch.total_fen != sums.get(batch.id, 0)
    ]


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
