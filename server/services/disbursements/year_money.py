"""Year money: what of a programme year is used, held, payable, on its way, paid and free, at this instant.

Every figure is read from the rows and the ledger when somebody asks (GX-64); none is kept.
"""

from __future__ import annotations

from tortoise.functions import Sum

from server.models.disbursements import FundEntry, Payment
from server.models.orders import VoucherHold
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.rules.disbursements import FundKind, FundStatus, PaymentSource, TransferStatus, YearMoney
from server.rules.settlements import SettlementStatus


async def of(budget: Budget) -> YearMoney:
    """The year's money as it stands."""
    held_fen, spent_fen = await _held_and_spent(budget.id)
    payable_fen = await _settlements_fen(budget.id, SettlementStatus.PAYABLE)
    awaiting_fen = await _settlements_fen(budget.id, SettlementStatus.AWAITING_BUDGET)
    waiting_fen = await _payments_fen(budget.id, TransferStatus.WAITING)
    paid_fen = await _payments_fen(budget.id, TransferStatus.PAID)
    used_fen = max(0, spent_fen - payable_fen - awaiting_fen - waiting_fen - paid_fen)
    return YearMoney(
        total_fen=budget.total_fen,
        used_fen=used_fen,
        held_fen=held_fen,
        payable_fen=payable_fen,
        awaiting_fen=awaiting_fen,
        paying_fen=waiting_fen,
        paid_fen=paid_fen,
        free_fen=budget.free_fen,
        funded_fen=await funded_fen(budget.id),
    )


async def funded_fen(budget_id: int) -> int | None:
    """What has come into the account the year is paid from, fen; ``None`` where finance records nothing."""
    came = FundEntry.filter(budget_id=budget_id, status=FundStatus.CONFIRMED)
    if not await came.filter(kind=FundKind.ALLOCATION).exists():
        return None
    return await _sum(came)


async def _held_and_spent(budget_id: int) -> tuple[int, int]:
    """What orders under way hold of the year's vouchers, and what has been spent, fen."""
    rows = await (
        VoucherHold.filter(voucher__budget_id=budget_id)
        .annotate(held=Sum("held_fen"), spent=Sum("spent_fen"))
        .values("held", "spent")
    )
    return (int(rows[0]["held"] or 0), int(rows[0]["spent"] or 0)) if rows else (0, 0)


async def _settlements_fen(budget_id: int, status: SettlementStatus) -> int:
    return await _sum(Settlement.filter(budget_id=budget_id, status=status))


async def _payments_fen(budget_id: int, status: TransferStatus) -> int:
    of_year = Payment.filter(batch__budget_id=budget_id, source=PaymentSource.BUDGET)
    return await _sum(of_year.filter(status=status))


async def _sum(rows: object) -> int:
    found = await rows.annotate(total_fen=Sum("amount_fen")).values("total_fen")  # type: ignore[attr-defined]
    return int(found[0]["total_fen"] or 0) if found else 0
