"""The books of orders: what each holds and has spent of its vouchers, against the ledger."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tortoise.functions import Sum

from server.models.ledger import LedgerEntry
from server.models.orders import Order, VoucherHold
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.rules.money import Account, Basis
from server.rules.orders import LIVE, OrderStatus
from server.units import yuan

SPENT = (Account.REDEEMED, Account.DISBURSED, Account.APPROPRIATION)
"""What an order has spent stays spent when it is claimed back: of an order, nothing else goes home."""


async def faults(held_fen: Mapping[int, int]) -> list[str]:
    """Every contradiction, each as a sentence with its sums; ``held_fen`` is what each voucher has held.

    A voucher holds exactly what orders hold of it; an order holds and has spent exactly what the ledger
    says under its id; an order that came to nothing holds and has spent nothing; and a year has committed
    exactly what orders took of its promised quotas (GX-65).
    """
    of_voucher: dict[int, int] = defaultdict(int)
    of_order: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    committed: dict[int, int] = defaultdict(int)
    # What a year could not pay is committed in the year that pays it (GX-61).
    carried = Settlement.filter(carried_from_year__isnull=False, budget_id__isnull=False)
    years: dict[int, int] = dict(await carried.values_list("order_id", "budget_id"))
    for hold in await VoucherHold.all().select_related("voucher"):
        of_voucher[hold.voucher_id] += hold.held_fen
        held, spent = of_order[hold.order_id]
        of_order[hold.order_id] = (held + hold.held_fen, spent + hold.spent_fen)
        if hold.voucher.basis is Basis.QUOTA:
            committed[years.get(hold.order_id, hold.voucher.budget_id)] += hold.held_fen + hold.spent_fen
    found = [
        f"voucher {voucher_id}: orders hold {yuan(of_voucher[voucher_id])}, the ledger"
        f" {yuan(held_fen.get(voucher_id, 0))}"
        for voucher_id in {*of_voucher, *(one for one, fen in held_fen.items() if fen)}
        if of_voucher[voucher_id] != held_fen.get(voucher_id, 0)
    ]
    found += await _order_faults(of_order)
    for budget in await Budget.all():
        if budget.committed_fen != committed[budget.id]:
            found.append(
                f"budget {budget.id}: committed {yuan(budget.committed_fen)},"
                f" its orders {yuan(committed[budget.id])}"
            )
    return sorted(found)


async def _order_faults(of_order: Mapping[int, tuple[int, int]]) -> list[str]:
    sums = await _sums()
    found = []
    for order_id, (held, spent) in of_order.items():
        accounts = sums.get(order_id, {})
        redeemed = sum(accounts.get(one, 0) for one in SPENT)
        for what, have, posted in (
            ("holds", held, accounts.get(Account.HELD, 0)),
            ("has spent", spent, redeemed),
        ):
            if have != posted:
                found.append(f"order {order_id}: {what} {yuan(have)}, in the ledger {yuan(posted)}")
    ended = set(OrderStatus) - LIVE - {OrderStatus.DONE}
    taken = {order_id: held + spent for order_id, (held, spent) in of_order.items() if held or spent}
    for order in await Order.filter(id__in=list(taken), status__in=ended).only("id"):
        found.append(f"order {order.id}: has {yuan(taken[order.id])}, though it has ended")
    return found


async def _sums() -> dict[int, dict[Account, int]]:
    """What each order's entries come to, by account, fen."""
    totals: dict[int, dict[Account, int]] = defaultdict(lambda: defaultdict(int))
    for side, sign in (("debit", -1), ("credit", 1)):
        rows = await (
            LedgerEntry.filter(order_id__isnull=False, voucher_id__isnull=False)
            .annotate(total_fen=Sum("amount_fen"))
            .group_by("order_id", side)
            .values("order_id", side, "total_fen")
        )
        for row in rows:
            totals[row["order_id"]][Account(row[side])] += sign * int(row["total_fen"])
    return totals
