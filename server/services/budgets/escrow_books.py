"""The books of escrow: what is held for orders, against their payments and the ledger."""

from __future__ import annotations

from collections import defaultdict

from tortoise.functions import Sum

from server.models.disbursements import Payment
from server.models.ledger import LedgerEntry
from server.models.payments import Escrow, OwnPayment
from server.rules.disbursements import PaymentSource, TransferStatus
from server.rules.money import OF_ESCROW, Account
from server.rules.orders import LIVE, OrderStatus
from server.rules.own_payments import PaymentPurpose, PaymentStatus
from server.units import yuan


async def faults() -> list[str]:
    """Every contradiction between escrows, their payments, their orders and the ledger, each a sentence."""
    posted = await _posted()
    transferred: dict[int, int] = defaultdict(int)
    for one in await Payment.filter(source=PaymentSource.ESCROW, status=TransferStatus.PAID):
        transferred[one.order_id] += one.amount_fen
    found = []
    for escrow in await Escrow.all().select_related("order").order_by("id"):
        moved = posted.pop(escrow.order_id, {})
        checks = (
            (
                "came in, against the ledger",
                escrow.paid_fen,
                moved.get((Account.OWN_MONEY, Account.ESCROW), 0),
            ),
            (
                "released, against the ledger",
                escrow.released_fen,
                moved.get((Account.ESCROW, Account.ESCROW_OWED), 0),
            ),
            (
                "given back, against the ledger",
                escrow.refunded_fen,
                moved.get((Account.ESCROW, Account.OWN_MONEY), 0),
            ),
            (
                "transferred, against the ledger",
                transferred.get(escrow.order_id, 0),
                moved.get((Account.ESCROW_OWED, Account.ESCROW_TRANSFERRED), 0)
                - moved.get((Account.ESCROW_TRANSFERRED, Account.ESCROW_OWED), 0),
            ),
            (
                "came in and stayed, against its payments",
                escrow.paid_fen - escrow.refunded_fen,
                await paid_in_fen(escrow.order_id),
            ),
        )
        found += [
            f"escrow of order {escrow.order_id}: {what}: {yuan(have)} is not {yuan(ledger_fen)}"
            for what, have, ledger_fen in checks
            if have != ledger_fen
        ]
        if transferred.get(escrow.order_id, 0) > escrow.released_fen:
            found.append(
                f"escrow of order {escrow.order_id}: {yuan(transferred[escrow.order_id])} was transferred,"
                f" of {yuan(escrow.released_fen)} released"
            )
        ended = escrow.order.status not in LIVE | {OrderStatus.DONE}
        if ended and escrow.held_fen:
            found.append(
                f"escrow of order {escrow.order_id}: {yuan(escrow.held_fen)} is held,"
                f" though the order is {escrow.order.status}"
            )
    found += [f"escrow of order {order_id}: in the ledger and nowhere else" for order_id in posted]
    return sorted(found)


async def _posted() -> dict[int | None, dict[tuple[str, str], int]]:
    rows = await (
        LedgerEntry.filter(movement__in=sorted(OF_ESCROW))
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("order_id", "debit", "credit")
        .values("order_id", "debit", "credit", "total_fen")
    )
    posted: dict[int | None, dict[tuple[str, str], int]] = defaultdict(dict)
    for row in rows:
        posted[row["order_id"]][row["debit"], row["credit"]] = int(row["total_fen"])
    return posted


async def paid_in_fen(order_id: int) -> int:
    """What an order's payments say came into escrow and was not given back, fen."""
    rows = await (
        OwnPayment.filter(order_id=order_id, purpose=PaymentPurpose.ESCROW, status=PaymentStatus.PAID)
        .annotate(total_fen=Sum("amount_fen"))
        .values("total_fen")
    )
    return int(rows[0]["total_fen"] or 0) if rows else 0
