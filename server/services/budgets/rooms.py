"""Rooms: what a provider may still receive in a year, and what a category may still take of it.

Both are sums over the ledger's own dimensions: what orders hold, have redeemed and were paid. The order
that is placed and the page that is browsed ask here, so that both are told the same.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tortoise.connection import get_connections
from tortoise.functions import Sum

from server.gateways.offering_sought import Statement
from server.models.ceilings import CeilingRaise
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.programme.model import Programme
from server.programme.money import ProviderCeiling
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
MOVEMENTS = ", ".join(f"'{movement.value}'" for movement in COUNTED)
NOTHING = {"provider_id": "CAST(NULL AS BIGINT)", "category": "CAST(NULL AS TEXT)"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose rooms in one year are asked for."""

    programme: Programme
    budget: Budget
    provider_ids: frozenset[int] = frozenset()
    categories: frozenset[str] = frozenset()

    @property
    def of_providers(self) -> bool:
        """Whether anything limits the providers."""
        return bool(self.provider_ids and self.programme.provider_ceilings)

    @property
    def of_categories(self) -> bool:
        """Whether anything limits the categories."""
        shares = (one.max_share_bp for one in self.programme.categories)
        return bool(self.categories) and (bool(self.programme.category_floors) or any(map(_is_set, shares)))


@dataclass(frozen=True, slots=True)
class Rooms:
    """What was found, by the programme's slug and whose it is; what nothing limits is not in it."""

    providers: Mapping[tuple[str, int], ProviderRoom]
    categories: Mapping[tuple[str, str], Limit]


async def rooms(asks: Sequence[Asked]) -> Rooms:
    """The rooms of providers and categories (LS-24 to LS-26) in several years, for one reading of the ledger.

    Call it under the budget's lock where an order depends on it.
    """
    received, used = await _taken_fen(asks)
    raised = await _raised_fen(asks)
    providers: dict[tuple[str, int], ProviderRoom] = {}
    limits: dict[tuple[str, str], Limit] = {}
    for ask in asks:
        programme, budget = ask.programme, ask.budget
        if ask.of_providers:
            bases = [one.share_of for one in programme.provider_ceilings if one.share_bp is not None]
            issued_fen = await _issued_fen(budget, bases)
            for provider_id in ask.provider_ids:
                room = quota.provider_room(
                    programme,
                    received_fen=received[budget.id].get(provider_id, 0),
                    year_total_fen=budget.total_fen,
                    year_issued_fen=issued_fen,
                    raised_fen=raised.get((budget.id, provider_id), quota.NOT_RAISED),
                )
                if room is not None:
                    providers[programme.slug, provider_id] = room
        if ask.of_categories:
            bases = [one.share_of for one in programme.categories if one.max_share_bp is not None]
            year = YearMoney(budget.total_fen, await _issued_fen(budget, bases), used[budget.id])
            for code in ask.categories:
                limit = categories.category_room(programme, code, year)
                if limit is not None:
                    limits[programme.slug, code] = limit
    return Rooms(providers, limits)


async def provider_room(programme: Programme, provider_id: int, budget: Budget) -> ProviderRoom | None:
    """What a provider may still receive of a year (GX-32, GZ-25, GZ-26); ``None``: nothing limits it."""
    found = await rooms([Asked(programme, budget, provider_ids=frozenset({provider_id}))])
    return found.providers.get((programme.slug, provider_id))


async def room_beside(
    programme: Programme, provider_id: int, budget: Budget, received_fen: int
) -> ProviderRoom | None:
    """The same beside what a provider is known to have received, by whatever count (GX-32)."""
    bases = [one.share_of for one in programme.provider_ceilings if one.share_bp is not None]
    ask = Asked(programme, budget, provider_ids=frozenset({provider_id}))
    raised = await _raised_fen([ask])
    return quota.provider_room(
        programme,
        received_fen=received_fen,
        year_total_fen=budget.total_fen,
        year_issued_fen=await _issued_fen(budget, bases),
        raised_fen=raised.get((budget.id, provider_id), quota.NOT_RAISED),
    )


async def category_beside(
    programme: Programme, category: str, budget: Budget, used_fen: Mapping[str, int]
) -> Limit | None:
    """What a category may still take beside what each is known to have taken; ``None``: nothing limits it."""
    bases = [one.share_of for one in programme.categories if one.max_share_bp is not None]
    year = YearMoney(budget.total_fen, await _issued_fen(budget, bases), used_fen)
    return categories.category_room(programme, category, year)


async def ceiling_fen(ceiling: ProviderCeiling, budget: Budget) -> int:
    """What a ceiling lets anybody receive in a year."""
    issued_fen = await _issued_fen(budget, [ceiling.share_of])
    totals = {ShareBase.YEAR_TOTAL: budget.total_fen, ShareBase.YEAR_ISSUED: issued_fen}
    return quota.ceiling_of(ceiling, totals)[0]


async def providers_without(programme: Programme, least_fen: int, budget: Budget) -> list[int]:
    """The providers that may not receive ``least_fen`` more of a year.

    Only who has received something can be among them; where a ceiling leaves even a newcomer less, that
    is for the caller to see from the room of anybody.
    """
    if not programme.provider_ceilings:
        return []
    rows = (
        await LedgerEntry.filter(budget_id=budget.id, provider_id__isnull=False)
        .distinct()
        .values("provider_id")
    )
    ids = frozenset(int(row["provider_id"]) for row in rows)
    found = await rooms([Asked(programme, budget, provider_ids=ids)])
    return sorted(one for (_, one), room in found.providers.items() if room.limit.amount_fen < least_fen)


async def year_money(budget: Budget) -> YearMoney:
    """A year's money as the shares of categories are counted: planned, issued, taken by each category."""
    rows = await (
        LedgerEntry.filter(budget_id=budget.id, category__isnull=False, movement__in=list(COUNTED))
        .annotate(total_fen=Sum("amount_fen"))
        .group_by("category", "movement")
        .values("category", "movement", "total_fen")
    )
    used: dict[str, int] = defaultdict(int)
    for row in rows:
        used[row["category"]] += COUNTED[Movement(row["movement"])] * int(row["total_fen"])
    return YearMoney(budget.total_fen, await _issued_fen(budget, [ShareBase.YEAR_ISSUED]), dict(used))


async def _taken_fen(
    asks: Sequence[Asked],
) -> tuple[dict[int, dict[int, int]], dict[int, dict[str, int]]]:
    """What is reserved, spent or paid, fen, by budget: of the providers asked for, and of each category."""
    connection = get_connections().get(LedgerEntry._meta.db.connection_name)
    statement = Statement("$" if connection.capabilities.dialect == "postgres" else "?")
    parts = []
    for ask in asks:
        if ask.of_providers:
            ids = ", ".join(map(statement.put, sorted(ask.provider_ids)))
            parts.append(_sums("provider_id", f"IN ({ids})", statement.put(ask.budget.id)))
        if ask.of_categories:
            parts.append(_sums("category", "IS NOT NULL", statement.put(ask.budget.id)))
    received: dict[int, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    used: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    if not parts:
        return received, used
    for row in await connection.execute_query_dict(" UNION ALL ".join(parts), statement.values):
        amount_fen = COUNTED[Movement(row["movement"])] * int(row["total_fen"])
        if row["provider_id"] is not None:
            received[row["budget_id"]][row["provider_id"]] += amount_fen
        else:
            used[row["budget_id"]][row["category"]] += amount_fen
    return received, used


async def _raised_fen(asks: Sequence[Asked]) -> dict[tuple[int, int], dict[str, int]]:
    """What the authority lets providers receive beyond a ceiling, by budget and provider, then by ceiling.

    Asked only where a text has such ceilings; of one that was raised twice the last counts.
    """
    raised: dict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for ask in asks:
        if ask.of_providers and any(one.in_principle for one in ask.programme.provider_ceilings):
            made = CeilingRaise.filter(budget_id=ask.budget.id, provider_id__in=sorted(ask.provider_ids))
            for one in await made.order_by("id"):
                raised[one.budget_id, one.provider_id][one.ceiling] = one.most_fen
    return raised


def _sums(dimension: str, condition: str, budget: str) -> str:
    """The sums of one budget by one dimension: read from an index that holds nothing else."""
    both = ("provider_id", "category")
    shown = (name if name == dimension else f"{NOTHING[name]} AS {name}" for name in both)
    return " ".join(
        (
            "SELECT budget_id, movement, sum(amount_fen) AS total_fen,",
            ", ".join(shown),
            f"FROM ledger_entry WHERE budget_id = {budget} AND {dimension} {condition}",
            f"AND movement IN ({MOVEMENTS}) GROUP BY budget_id, {dimension}, movement",
        )
    )


def _is_set(value: int | None) -> bool:
    return value is not None


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
