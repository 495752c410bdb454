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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Protocol

from server.rules.chinese_search import Part, Tier, mark_term
from server.rules.eligibility import AREA_SEPARATOR as SEPARATOR

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
Clauses = Sequence[Sequence[Sequence[str]]]
"""All of: any of: all of these terms."""


class Order(StrEnum):
    """What a page is sorted by."""

    RELEVANCE = "relevance"
    """Found by its title first; among equals by score and sales."""
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sought:
    """What somebody looks for; prices in fen, ratings in basis points of the scale.

    ``category_keys`` are the categories it may be in; ``None``: any. ``full`` are the providers of each
    programme that may not receive enough more, ``shut`` the programmes in which nobody may. ``among`` and
    ``without`` name offerings themselves.
    """

    parts: tuple[Part, ...] = ()
    programme: str | None = None
    category_keys: tuple[str, ...] | None = None
    service: str | None = None
    area: str | None = None
    price_least_fen: int | None = None
    price_most_fen: int | None = None
    rating_least_bp: int | None = None
    full: Mapping[str, Sequence[int]] = field(default_factory=dict)
    shut: tuple[str, ...] = ()
    among: tuple[int, ...] | None = None
    without: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after the row of this rank and id."""

    rank: int
    offering_id: int
    mark: int
    """The last move when the search began."""


class Statement:
    """SQL in the making: every value becomes a parameter."""

    def __init__(self, mark: str) -> None:
        self.values: list[Any] = []
        self._mark = mark

    def put(self, value: Any) -> str:
        """The place of one more parameter."""
        self.values.append(value)
        return f"{self._mark}{len(self.values)}"


class TermIndex(Protocol):
    """One database's full-text index of listings, in that database's words."""

    mark: str
    """How the place of a parameter begins."""
    key: str
    """The column of ``listing_terms`` that names the offering."""

    def has(self, text: str, part: str) -> str:
        """SQL: whether a text contains another."""
        ...

    def matches(self, clauses: Clauses, statement: Statement) -> str:
        """SQL: whether a row of ``listing_terms`` has these terms."""
        ...

    async def write(self, connection: Any, offering_id: int, terms: frozenset[str]) -> None:
        """Let an offering be found by these terms, and by none that it had before."""
        ...

    async def remove(self, connection: Any, offering_id: int) -> None:
        """Let an offering be found no more."""
        ...


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

    ``tier``: found by their title, or by their body and not by their title; ``None``: by either.
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
    wanted = " AND ".join(("1 = 1", *_conditions(index, sought, tier, statement)))
    read = {rank, "offering_id", *_decisive(sought, tier)}
    sort = f"ORDER BY {rank}, offering_id" if ascending else f"ORDER BY {rank} DESC, offering_id DESC"
    found = f"SELECT offering_id FROM listing WHERE {beyond} AND {wanted} {sort} LIMIT {limit}"
    clauses = () if sought.among is not None else tuple(_clauses(sought, tier))
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
                f"SELECT offering_id FROM near WHERE (SELECT count(*) FROM near) >= {limit}",
                "UNION ALL SELECT offering_id FROM far",
            )
        )
    columns = ", ".join(SHOWN)
    text = f"SELECT {columns}, ({MARK}) AS mark FROM listing WHERE offering_id IN ({found})"
    return await _ask(connection, text, statement)


async def counts(
    connection: Any, index: TermIndex, sought: Sought, *, column: str, most: int
) -> tuple[dict[str, int], bool]:
    """How many of ``most`` that are sought have each value of a column; whether there are more than that."""
    statement = Statement(index.mark)
    wanted = " AND ".join(("1 = 1", *_conditions(index, sought, None, statement)))
    clauses = tuple(_clauses(sought, None))
    rows = "listing"
    if clauses:
        rows = f"listing_terms JOIN listing ON listing.offering_id = listing_terms.{index.key}"
        wanted = f"{index.matches(clauses, statement)} AND {wanted}"
    text = " ".join(
        (
            f"SELECT value, count(*) AS number FROM (SELECT listing.{column} AS value FROM {rows}",
            f"WHERE {wanted} LIMIT {most + 1}) AS part GROUP BY value",
        )
    )
    found = {row["value"]: int(row["number"]) for row in await _ask(connection, text, statement)}
    return found, sum(found.values()) > most


async def _ask(connection: Any, text: str, statement: Statement) -> list[Row]:
    return [dict(row) for row in await connection.execute_query_dict(text, statement.values)]


# -- what decides ------------------------------------------------------------------------------------


def _decisive(sought: Sought, tier: Tier | None) -> Iterator[str]:
    """The columns that :func:`_conditions` compares."""
    filters: Mapping[str, Sequence[object]] = {
        "programme_slug": (sought.programme, sought.full or None, sought.shut or None),
        "category_key": (sought.category_keys, *(part.marks or None for part in sought.parts)),
        "service": (sought.service,),
        "areas": (sought.area,),
        "price_to_fen": (sought.price_least_fen,),
        "price_from_fen": (sought.price_most_fen,),
        "votes": (sought.rating_least_bp,),
        "points_bp": (sought.rating_least_bp,),
        "provider_id": (sought.full or None,),
        "title": (sought.parts or None,),
        "body": (None if tier is Tier.TITLE else sought.parts or None,),
        "spelled": [part.by_sound or None for part in sought.parts],
    }
    for column, values in filters.items():
        if any(value is not None for value in values):
            yield column


def _conditions(index: TermIndex, sought: Sought, tier: Tier | None, statement: Statement) -> Iterator[str]:
    """What every row of a page must be, by its own columns."""
    if sought.programme is not None:
        yield f"programme_slug = {statement.put(sought.programme)}"
    if sought.category_keys is not None:
        yield _among("category_key", sought.category_keys, statement)
    if sought.service is not None:
        yield f"service = {statement.put(sought.service)}"
    if sought.area is not None:
        inside = (index.has("areas", statement.put(part)) for part in _area_parts(sought.area))
        yield _any(("areas = ''", *inside))
    if sought.price_least_fen is not None:
        yield f"price_to_fen >= {statement.put(sought.price_least_fen)}"
    if sought.price_most_fen is not None:
        yield f"price_from_fen <= {statement.put(sought.price_most_fen)}"
    if sought.rating_least_bp is not None:
        yield f"votes > 0 AND points_bp >= votes * {statement.put(sought.rating_least_bp)}"
    for slug, providers in sought.full.items():
        if providers:
            among = _among("provider_id", providers, statement)
            yield f"NOT (programme_slug = {statement.put(slug)} AND {among})"
    if sought.shut:
        yield f"NOT {_among('programme_slug', sought.shut, statement)}"
    if sought.among is not None:
        yield _among("listing.offering_id", sought.among, statement)
    if sought.without:
        yield f"NOT {_among('listing.offering_id', sought.without, statement)}"
    if sought.parts:
        yield from _holding(index, sought.parts, tier, statement)


def _holding(
    index: TermIndex, parts: Sequence[Part], tier: Tier | None, statement: Statement
) -> Iterator[str]:
    """What is typed stands in the title; or in the body or another word's category, and not in the title."""
    places = [statement.put(part.text) for part in parts]
    titles = [
        _any((index.has("title", place), *_by_sound(index, part, place)))
        for part, place in zip(parts, places, strict=True)
    ]
    if tier is Tier.TITLE:
        yield from titles
        return
    for part, place in zip(parts, places, strict=True):
        keys = [mark.removeprefix(CATEGORY) for mark in part.marks]
        also = [_among("category_key", keys, statement)] if keys else []
        yield _any((index.has("body", place), *_by_sound(index, part, place), *also))
    if tier is Tier.BODY:
        yield f"NOT ({' AND '.join(titles)})"


def _by_sound(index: TermIndex, part: Part, place: str) -> tuple[str, ...]:
    return (index.has("spelled", place),) if part.by_sound else ()


def _any(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _among(column: str, values: Sequence[Any], statement: Statement) -> str:
    if not values:
        return "1 = 0"
    return f"{column} IN ({', '.join(map(statement.put, values))})"


# -- what narrows ------------------------------------------------------------------------------------

PROGRAMME, CATEGORY, SERVICE, AREA, WITHIN, PRICE = "p:", "c:", "k:", "a:", "u:", "f:"
"""How the marks of a listing begin. AREA alone: it is served anywhere; WITHIN: somewhere below."""
DEAREST_FEN = 2**53 - 1
"""No price is higher."""


def marks_of(
    slug: str,
    category_key: str,
    service: str,
    areas: Sequence[str],
    price_from_fen: int | None,
    price_to_fen: int | None,
) -> tuple[str, ...]:
    """What a listing can be filtered by through the index."""
    served = [AREA + area for area in areas] or [AREA]
    above = {WITHIN + higher for area in areas for higher in _ancestors(area)}
    priced: Sequence[str] = ()
    if price_from_fen is not None and price_to_fen is not None:
        priced = [PRICE + step for step in _steps(price_from_fen, price_to_fen)]
    return (PROGRAMME + slug, CATEGORY + category_key, SERVICE + service, *served, *sorted(above), *priced)


def _steps(least_fen: int, most_fen: int) -> Iterator[str]:
    """The steps of a scale that a range of prices touches: each is an eighth dearer than the one before."""
    for step in range(_step(least_fen), _step(min(most_fen, DEAREST_FEN)) + 1):
        yield str(step)


def _step(price_fen: int) -> int:
    """Exact: eight steps for every doubling, told apart by the first four binary digits."""
    digits = max(0, price_fen.bit_length() - 4)
    return digits * 8 + (price_fen >> digits)


def areas_column(areas: Sequence[str]) -> str:
    """Areas as the row keeps them, so that one comparison of texts tells one path from a longer one."""
    return "".join(f"|{area}|" for area in areas)


def _clauses(sought: Sought, tier: Tier | None) -> Iterator[Sequence[Sequence[str]]]:
    """The same in terms of the index, as far as it has terms for it: enough to find every candidate."""
    for part in sought.parts:
        yield part.terms(tier or Tier.BODY)
    if sought.programme is not None:
        yield _marked(PROGRAMME, [sought.programme])
    if sought.category_keys:
        yield _marked(CATEGORY, sought.category_keys)
    if sought.service is not None:
        yield _marked(SERVICE, [sought.service])
    if sought.area is not None:
        higher = ["", sought.area, *_ancestors(sought.area)]
        yield [*_marked(AREA, higher), *_marked(WITHIN, [sought.area])]
    if sought.price_least_fen is not None or sought.price_most_fen is not None:
        least, most = sought.price_least_fen or 1, sought.price_most_fen or DEAREST_FEN
        yield _marked(PRICE, list(_steps(least, most))) or [(mark_term(PRICE),)]


def _marked(kind: str, values: Sequence[str]) -> list[Sequence[str]]:
    return [(mark_term(kind + value),) for value in values]


def _area_parts(area: str) -> Iterator[str]:
    yield f"|{area}|"
    yield f"|{area}{SEPARATOR}"
    for higher in _ancestors(area):
        yield f"|{higher}|"


def _ancestors(area: str) -> Iterator[str]:
    """The areas that this one lies in."""
    steps = area.split(SEPARATOR)
    for end in range(1, len(steps)):
        yield SEPARATOR.join(steps[:end])
