"""Rooms: what a provider may still receive in a year, and what a category may still take of it.

Both are sums over the ledger's own dimensions: what orders hold, have redeemed and were paid. The order
that is placed and the page that is browsed ask here, so that both are told the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from tortoise.functions import Sum

from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.programme.model import Programme
from server.programme.vocabulary import ShareBase
from server.rules import categories, quota
from server.rules.categories import YearMoney
from server.rules.limits import Limit
from server.rules.money import ROUTES, Account, Movement
from server.rules.quota import ProviderRoom

TAKEN = frozenset({Account.HELD, Account.REDEEMED, Account.DISBURSED})
"""Where a voucher's money counts against its provider and its category: reserved, spent, paid."""
COUNTED: Mapping[Movement, int] = {
    movement: sign
    for movement, (debit, credit) in ROUTES.items()
    if (sign := (credit in TAKEN) - (debit in TAKEN))
}
"""What adds to it and what takes away from it; a movement between two of the three does neither."""


async def provider_room(programme: Programme, provider_id: int, budget: Budget) -> ProviderRoom | None:
    """What a provider may still receive of a year (GX-32, GZ-25, GZ-26); ``None``: nothing limits it.

    Call it under the budget's lock where an order depends on it.
    """
    return (await provider_rooms(programme, [provider_id], budget)).get(provider_id)


async def provider_rooms(
    programme: Programme, provider_ids: Collection[int], budget: Budget
) -> Mapping[int, ProviderRoom]:
    """The same for several providers; empty where the programme sets no ceiling."""
    if not programme.provider_ceilings or not provider_ids:
        return {}
    received = await _taken_fen("provider_id", budget_id=budget.id, provider_id__in=list(provider_ids))
    issued_fen = await _issued_fen(
        budget, [one.share_of for one in programme.provider_ceilings if one.share_bp is not None]
    )
    rooms = {
        provider_id: quota.provider_room(
            programme,
            received_fen=received.get(provider_id, 0),
            year_total_fen=budget.total_fen,
            year_issued_fen=issued_fen,
        )
        for provider_id in provider_ids
    }
    return {provider_id: room for provider_id, room in rooms.items() if room is not None}


async def providers_without(programme: Programme, least_fen: int, budget: Budget) -> list[int]:
    """The providers that may not receive ``least_fen`` more of a year.

    Only who has received something can be among them; where a ceiling leaves even a newcomer less, that
    is for the caller to see from the room of anybody.
    """
    if not programme.provider_ceilings:
        return []
    received = await _taken_fen("provider_id", budget_id=budget.id, provider_id__isnull=False)
    rooms = await provider_rooms(programme, received, budget)
    return sorted(one for one, room in rooms.items() if room.limit.amount_fen < least_fen)


async def category_room(programme: Programme, category: str, budget: Budget) -> Limit | None:
    """What a category may still take of a year (LS-24, LS-25, LS-26); ``None``: nothing limits it.

    Call it under the budget's lock where an order depends on it.
    """
    return (await category_rooms(programme, [category], budget)).get(category)


async def category_rooms(programme: Programme, codes: Collection[str], budget: Budget) -> Mapping[str, Limit]:
    """The same for several categories; those that nothing limits are left out."""
    if not programme.category_floors and all(one.max_share_bp is None for one in programme.categories):
        return {}
    year = YearMoney(
        budget.total_fen,
        await _issued_fen(
            budget, [one.share_of for one in programme.categories if one.max_share_bp is not None]
        ),
        await _taken_by_category(budget),
    )
    rooms = {code: categories.category_room(programme, code, year) for code in codes}
    return {code: room for code, room in rooms.items() if room is not None}


async def year_money(budget: Budget) -> YearMoney:
    """A year's money as the shares of categories are counted: planned, issued, taken by each category."""
    return YearMoney(
        budget.total_fen,
        await _issued_fen(budget, [ShareBase.YEAR_ISSUED]),
        await _taken_by_category(budget),
    )


async def _taken_by_category(budget: Budget) -> dict[str, int]:
    return await _taken_fen("category", budget_id=budget.id, category__isnull=False)


async def _taken_fen(dimension: str, **conditions: Any) -> dict[Any, int]:
    """What is reserved, spent or paid, fen, by one dimension of the ledger."""
    rows = await (
        LedgerEntry.filter(movement__in=list(COUNTED), **conditions)
        .annotate(total_fen=Sum("amount_fen"))
        .group_by(dimension, "movement")
        .values(dimension, "movement", "total_fen")
    )
    taken: dict[Any, int] = defaultdict(int)
    for row in rows:
        taken[row[dimension]] += COUNTED[Movement(row["movement"])] * int(row["total_fen"])
    return dict(taken)


async def _issued_fen(budget: Budget, bases: Collection[ShareBase]) -> int:
    """What was ever issued of a year, fen; asked only where a share is one of it."""
    if ShareBase.YEAR_ISSUED not in bases:
        return 0
    rounds = await Round.filter(budget_id=budget.id).values("issued_fen")
    promised = await (
        LedgerEntry.filter(budget_id=budget.id, round_id=None, movement=Movement.POST_QUOTA)
        .annotate(total_fen=Sum("amount_fen"))
        .values("total_fen")
    )
    return sum(int(row["issued_fen"]) for row in rounds) + int(promised[0]["total_fen"] or 0)
