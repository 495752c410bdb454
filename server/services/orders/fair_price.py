"""Fair price: what a contract's price is compared with, gathered from the orders that there are.

The newest orders stand for the market, so that an old price does not; what was declined or cancelled does
not count. Nothing is refused for its price: it asks for a reason.
"""

from __future__ import annotations

from typing import Protocol

from tortoise.queryset import QuerySet

from server.errors import Unmet
from server.models.offerings import OfferingVersion
from server.models.orders import Order
from server.programme.model import Programme
from server.rules.fair_price import Prices, price_unmet
from server.rules.orders import LIVE, OrderStatus

COUNTS = frozenset({*LIVE, OrderStatus.DONE})
MOST_COMPARED = 200
"""So many of the newest contracts make a median."""


class Priced(Protocol):
    """What is known of a deal whose price is compared: an order, placed or about to be."""

    id: int
    """``None`` for one that is not kept yet."""
    provider_id: int
    offering_id: int | None
    offering_version_id: int | None
    category: str
    service: str
    list_price_fen: int | None


async def price_findings(programme: Programme, deal: Priced, price_fen: int) -> tuple[Unmet, ...]:
    """What a price stands too far above of, each with clause and arithmetic; empty: no reason is asked."""
    if programme.fair_price is None:
        return ()
    return price_unmet(programme, price_fen, await prices_of(programme, deal))


async def prices_of(programme: Programme, deal: Priced) -> Prices:
    """What a deal's price stands beside: the newest contracts of its offering, and of its kind elsewhere."""
    version = None
    if deal.offering_version_id is not None:
        version = await OfferingVersion.get_or_none(id=deal.offering_version_id)
    list_fen = deal.list_price_fen if version is None else version.price_to_fen
    others = Order.filter(programme_slug=programme.slug, status__in=list(COUNTS))
    if deal.id:
        others = others.exclude(id=deal.id)
    own: list[int] = []
    if deal.offering_id is not None:
        own = await _of(others.filter(offering_id=deal.offering_id))
    alike = others.filter(category=deal.category).exclude(provider_id=deal.provider_id)
    # The same matter tells more than the same category, which holds matters great and small.
    category = await _of(alike.filter(service=deal.service)) if deal.service else []
    fair = programme.fair_price
    if fair is not None and len(category) < fair.least_contracts:
        category = await _of(alike)
    return Prices(list_fen=list_fen, own=own, category=category)


async def _of(orders: QuerySet[Order]) -> list[int]:
    """The contract's price of each order, or the one agreed on where there is no contract yet."""
    rows = await orders.order_by("-id").limit(MOST_COMPARED).only("id", "price_fen", "contract_fen")
    return [row.price_fen if row.contract_fen is None else row.contract_fen for row in rows]
