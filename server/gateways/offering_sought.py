"""What is sought among listings, twice: as conditions on a row, which decide, and as terms, which narrow.

Both are SQL in the words of one database or the other (:class:`TermIndex`); every value is a parameter.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol

from server.rules.chinese_search import Part, Tier, mark_term
from server.rules.eligibility import AREA_SEPARATOR as SEPARATOR

PROGRAMME, CATEGORY, SERVICE, AREA, WITHIN, PRICE = "p:", "c:", "k:", "a:", "u:", "f:"
"""How the marks of a listing begin. AREA alone: it is served anywhere; WITHIN: somewhere below."""
MOST_STEPS = 64
DEAREST_FEN = 2**53 - 1
"""No price is higher."""
Clauses = Sequence[Sequence[Sequence[str]]]
"""All of: any of: all of these terms."""


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


# -- what decides ------------------------------------------------------------------------------------


def decisive(sought: Sought, tier: Tier | None) -> Iterator[str]:
    """The columns that :func:`conditions` compares."""
    filters: Mapping[str, Sequence[object]] = {
        "programme_slug": (sought.programme, sought.full or None, sought.shut or None),
        "category_key": (
            sought.category_keys,
            *(part.within(tier or Tier.COVERED) or None for part in sought.parts),
        ),
        "service": (sought.service,),
        "areas": (sought.area,),
        "price_to_fen": (sought.price_least_fen,),
        "price_from_fen": (sought.price_most_fen,),
        "votes": (sought.rating_least_bp,),
        "points_bp": (sought.rating_least_bp,),
        "provider_id": (sought.full or None,),
        "title": (sought.parts or None,),
        "body": (sought.parts or None if (tier or Tier.COVERED).text is Tier.BODY else None,),
        "spelled": [part.by_sound or None for part in sought.parts],
    }
    for column, values in filters.items():
        if any(value is not None for value in values):
            yield column


def conditions(index: TermIndex, sought: Sought, tier: Tier | None, statement: Statement) -> Iterator[str]:
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
    """What is typed is found in a tier and in none before; without a tier, in any."""
    places = [statement.put(part.text) for part in parts]

    def found(one: Tier) -> Iterator[str]:
        column = "title" if one.text is Tier.TITLE else "body"
        for part, place in zip(parts, places, strict=True):
            keys = [mark.removeprefix(CATEGORY) for mark in part.within(one)]
            also = [_among("category_key", keys, statement)] if keys else []
            yield _any((index.has(column, place), *_by_sound(index, part, place), *also))

    yield from found(tier or Tier.COVERED)
    if tier is not None and tier is not Tier.TITLE:
        tiers = list(Tier)
        yield f"NOT ({' AND '.join(found(tiers[tiers.index(tier) - 1]))})"


def _by_sound(index: TermIndex, part: Part, place: str) -> tuple[str, ...]:
    return (index.has("spelled", place),) if part.by_sound else ()


def _any(conditions: Sequence[str]) -> str:
    return f"({' OR '.join(conditions)})"


def _among(column: str, values: Sequence[Any], statement: Statement) -> str:
    if not values:
        return "1 = 0"
    return f"{column} IN ({', '.join(map(statement.put, values))})"


# -- what narrows ------------------------------------------------------------------------------------


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
    """The steps of a scale that a range of prices touches."""
    for step in range(_step(least_fen), _step(min(most_fen, DEAREST_FEN)) + 1):
        yield str(step)


def _step(price_fen: int) -> int:
    """Exact: 32 steps for every doubling, told apart by the first six binary digits."""
    digits = max(0, price_fen.bit_length() - 6)
    return digits * 32 + (price_fen >> digits)


def areas_column(areas: Sequence[str]) -> str:
    """Areas as the row keeps them, so that one comparison of texts tells one path from a longer one."""
    return "".join(f"|{area}|" for area in areas)


def clauses(sought: Sought, tier: Tier | None) -> Iterator[Sequence[Sequence[str]]]:
    """The same in terms of the index, as far as it has terms for it: enough to find every candidate."""
    for part in sought.parts:
        yield part.terms(tier or Tier.COVERED)
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
        most = DEAREST_FEN if sought.price_most_fen is None else sought.price_most_fen
        steps = list(islice(_steps(sought.price_least_fen or 1, most), MOST_STEPS + 1))
        # A wide range is nothing rare: what narrows it costs more than it saves.
        if len(steps) <= MOST_STEPS:
            yield _marked(PRICE, steps) or [(mark_term(PRICE),)]


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
