"""Outlay: what a voucher would pay on an offering before anybody orders it, with the whole arithmetic.

Whoever has no voucher, or is not known, is shown the best that the programme's rules allow anybody.
"""

from __future__ import annotations

from collections.abc import Sequence

from server.programme.model import Programme
from server.rules.deduction import Deduction, Prices, Used, deduction
from server.rules.limits import Limit
from server.rules.quota import ProviderRoom, grantable, quota_left


def best_voucher(programme: Programme) -> Limit | None:
    """The most that one voucher can be worth to anybody; ``None`` where only caps of the service limit it."""
    tiers = programme.issuance.tiers
    best = max(tiers, key=lambda tier: tier.face_value_fen) if tiers else None
    return grantable(programme, best, quota_left(programme, best, 0, {}))


def outlay(
    programme: Programme,
    category: str,
    price_fen: int,
    *,
    voucher: Limit | None,
    provider: ProviderRoom | None,
    in_category: Limit | None,
) -> Deduction:
    """What a voucher would pay on an order at this price, in fen.

    ``voucher`` is what is on it. The provider's room counts where an order that passes it is refused;
    where only its settlement is, it is shown and takes nothing from the amount (GX-32).
    """
    others: Sequence[Limit | None] = (
        voucher,
        None if provider is None else provider.for_orders,
        in_category,
    )
    return deduction(
        programme,
        category,
        Prices(order_fen=price_fen, contract_fen=price_fen),
        used=Used(),
        others=[limit for limit in others if limit is not None],
    )
