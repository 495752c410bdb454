"""Searching listings: a few of many, in order, for a bounded amount of work on either database.

Both databases have a full-text index of the same terms (``rules/chinese_search.py``): PostgreSQL a GIN
index, SQLite an FTS5 table, each behind a :class:`TermIndex`. But whoever asks a full-text index for a
frequent word gets every row that has it, and sorting them costs more the more there are. So a page is
looked for at the top first: among the :data:`NEAR` next rows of the wanted order, which decides where what
is asked for is frequent. Only what is not there is asked of the index, and then it is rare.

Rows move while somebody turns pages. The database keeps where a row stood before (``listing_move``), and a
search goes on with every row where it stood when the search began: a :class:`Place` remembers which moves
were made by then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from server.gateways import offering_sought
from server.gateways.offering_sought import Sought, Statement, TermIndex
from server.rules.chinese_search import Tier

MOST_MOVED = 1_000
"""Of more moves than these a search does not know where the rows stood, and goes by where they stand."""
MOVES_KEPT = 10_000
NEAR = 1_000
"""So many rows of an order are looked through for a page, before the index is asked …"""
NEAR_INDEXED = 4_000
"""… or so many entries of the index that holds what decides: they cost a fifth of a row."""
INDEXED = frozenset({"quality", "offering_id", "title", "spelled", "programme_slug", "category_key"})
"""What that index holds (``listing_quality``)."""
SHOWN = (
    "offering_id",
    "version_id",
    "programme_slug",
    "category_key",
    "service",
    "provider_id",
    "provider_name",
    "name",
    "price_from_fen",
    "price_to_fen",
    "price_rank",
    "listed_ms",
    "sales",
    "votes",
    "points_bp",
    "score_bp",
    "quality",
)

MARK = "SELECT coalesce(max(id), 0) FROM listing_move"
MOVES = "SELECT offering_id, quality, sales, score_bp, price_rank, listed_ms FROM listing_move WHERE id >"
FORGET = f"DELETE FROM listing_move WHERE id <= ({MARK}) - {MOVES_KEPT}"

Row = dict[str, Any]


class Order(StrEnum):
    """What a page is sorted by."""

    RELEVANCE = "relevance"
    """By the tiers of ``rules/chinese_search.py``; among equals by score and sales."""
    SALES = "sales"
    RATING = "rating"
    PRICE = "price"
    """The cheapest first; what has no price last."""
    NEWEST = "newest"


_COLUMNS: Mapping[Order, str] = {
    Order.RELEVANCE: "quality",
    Order.SALES: "sales",
    Order.RATING: "score_bp",
    Order.PRICE: "price_rank",
    Order.NEWEST: "listed_ms",
}


def rank_of(order: Order, row: Row) -> int:
    """Where a row stands in an order."""
    return int(row[_COLUMNS[order]])


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row of this rank and id."""

    rank: int
    offering_id: int
    mark: int
    """The last move when the search began."""


async def moves_since(connection: Any, index: TermIndex, mark: int) -> dict[int, Row]:
    """The ranks that offerings had before they moved after a mark; nothing where it were too many."""
    statement = Statement(index.mark)
    text = f"{MOVES} {statement.put(mark)} ORDER BY id LIMIT {MOST_MOVED + 1}"
    rows = await _ask(connection, text, statement)
    # Of an offering that moved twice the first counts.
    return {} if len(rows) > MOST_MOVED else {row["offering_id"]: row for row in reversed(rows)}


async def forget_moves(connection: Any) -> None:
    """Keep the last :data:`MOVES_KEPT` moves: nobody turns a page after that many."""
    await connection.execute_query(FORGET)


async def page(
    connection: Any,
    index: TermIndex,
    sought: Sought,
    *,
    order: Order,
    tier: Tier | None,
    after: Place | None,
    limit: int,
    moved: Mapping[int, Row] = MappingProxyType({}),
) -> list[Row]:
    """The next ``limit`` rows of an order that are what is sought, as :data:`SHOWN` and the last ``mark``.

    ``tier``: found in it and in none before; ``None``: in any.
    ``moved`` are placed where they stood before.
    """
    rank, ascending = _COLUMNS[order], order is Order.PRICE
    stayed = replace(sought, without=tuple(moved))
    rows = await _page(connection, index, stayed, order, tier, after, limit)
    if moved:
        these = replace(sought, among=tuple(moved))
        for row in await _page(connection, index, these, order, tier, None, len(moved)):
            row[rank] = moved[row["offering_id"]][rank]
            if after is None or _is_beyond(row, rank, after, ascending):
                rows.append(row)
    ordered = sorted(rows, key=lambda row: (row[rank], row["offering_id"]), reverse=not ascending)
    return ordered[:limit]


def _is_beyond(row: Row, rank: str, after: Place, ascending: bool) -> bool:
    here, there = (row[rank], row["offering_id"]), (after.rank, after.offering_id)
    return here > there if ascending else here < there


async def _page(
    connection: Any,
    index: TermIndex,
    sought: Sought,
    order: Order,
    tier: Tier | None,
    after: Place | None,
    limit: int,
) -> list[Row]:
    statement = Statement(index.mark)
    rank, ascending = _COLUMNS[order], order is Order.PRICE
    beyond = "1 = 1"
    if after is not None:
        place = f"({statement.put(after.rank)}, {statement.put(after.offering_id)})"
        beyond = f"({rank}, listing.offering_id) {'>' if ascending else '<'} {place}"
    wanted = " AND ".join(("1 = 1", *offering_sought.conditions(index, sought, tier, statement)))
    read = {rank, "offering_id", *offering_sought.decisive(sought, tier)}
    sort = f"ORDER BY {rank}, offering_id" if ascending else f"ORDER BY {rank} DESC, offering_id DESC"
    found = " ".join(("SELECT offering_id FROM listing", f"WHERE {beyond} AND {wanted} {sort} LIMIT {limit}"))
    clauses = () if sought.among is not None else tuple(offering_sought.clauses(sought, tier))
    if clauses:
        near = NEAR_INDEXED if read <= INDEXED else NEAR
        found = " ".join(
            (
                "WITH near AS MATERIALIZED (SELECT offering_id FROM",
                f"(SELECT {', '.join(sorted(read))} FROM listing",
                f"WHERE {beyond} {sort} LIMIT {near}) AS listing",
                f"WHERE {wanted} {sort} LIMIT {limit}),",
                f"far AS MATERIALIZED (SELECT listing.offering_id, listing.{rank} FROM listing_terms",
                f"JOIN listing ON listing.offering_id = listing_terms.{index.key}",
                f"WHERE (SELECT count(*) FROM near) < {limit}",
                f"AND {index.matches(clauses, statement)} AND {beyond} AND {wanted} {sort} LIMIT {limit})",
                "SELECT offering_id FROM near",
                f"WHERE (SELECT count(*) FROM near) >= {limit}",
                "UNION ALL SELECT offering_id FROM far",
            )
        )
    shown = f"{', '.join(SHOWN)}, ({MARK}) AS mark"
    text = " ".join(("SELECT", shown, f"FROM listing WHERE offering_id IN ({found})"))
    return await _ask(connection, text, statement)


async def counts(
    connection: Any, index: TermIndex, sought: Sought, *, column: str, most: int
) -> tuple[dict[str, int], bool]:
    """How many of ``most`` that are sought have each value of a column; whether there are more than that."""
    statement = Statement(index.mark)
    wanted = " AND ".join(("1 = 1", *offering_sought.conditions(index, sought, None, statement)))
    clauses = tuple(offering_sought.clauses(sought, None))
    rows = "listing"
    if clauses:
        rows = f"listing_terms JOIN listing ON listing.offering_id = listing_terms.{index.key}"
        wanted = f"{index.matches(clauses, statement)} AND {wanted}"
    text = " ".join(
        (
            "SELECT value, count(*) AS number FROM",
            f"(SELECT listing.{column} AS value FROM {rows}",
            f"WHERE {wanted} LIMIT {most + 1}) AS part GROUP BY value",
        )
    )
    found = {row["value"]: int(row["number"]) for row in await _ask(connection, text, statement)}
    return found, sum(found.values()) > most


async def _ask(connection: Any, text: str, statement: Statement) -> list[Row]:
    return [dict(row) for row in await connection.execute_query_dict(text, statement.values)]
