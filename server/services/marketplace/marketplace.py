"""The marketplace as everybody browses it: search, filters, orders, and what is shown of an offering.

Nobody need be signed in. Who is, is shown what their own vouchers would pay.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from server.errors import Refusal
from server.gateways import offering_search
from server.gateways.offering_search import Order, Place, Row, rank_of
from server.gateways.offering_sought import CATEGORY, Sought
from server.models.marketplace import Listing
from server.models.offerings import OfferingVersion
from server.programme.papers import Field
from server.programme.registry import Programmes
from server.rules.chinese_search import Part, Synonyms, Tier, asked, tiers_of
from server.services.access import Actor, NotFound
from server.services.budgets import rooms
from server.services.clocks import ProgrammeClocks
from server.services.marketplace.listings import READ_ALOUD, category_key, connection_of, term_index
from server.services.marketplace.shop_window import Card, ShopWindow, open_years

MOST_COUNTED = 1_000
_CURSOR = re.compile(r"[A-Za-z0-9_-]{1,160}")
_LARGEST = 2**63 - 1


class CursorUnusable(Refusal):
    """No page of this search was ever answered with such a cursor."""

    status, code = 422, "cursor_unusable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody looks for; prices and room in fen, ratings in basis points of the scale."""

    query: str = ""
    programme: str | None = None
    category: str | None = None
    service: str | None = None
    area: str | None = None
    price_least_fen: int | None = None
    price_most_fen: int | None = None
    rating_least_bp: int | None = None
    room_least_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of offerings, and the cursor of the next; ``None``: this was the last."""

    cards: list[Card]
    next_after: str | None


@dataclass(frozen=True, slots=True)
class Facets:
    """How many offerings are sought in each programme and category; ``more``: these are not all of them."""

    programmes: Mapping[str, int]
    categories: Mapping[str, int]
    more: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """One offering with what its provider says of it, in the programme's own fields."""

    card: Card
    areas: Sequence[str]
    values: Sequence[tuple[Field, Any]]
    price_parts: Sequence[Mapping[str, Any]]
    kinds: Sequence[str]
    version_number: int


@dataclass(frozen=True, slots=True)
class _Cursor:
    """Where a search goes on: in which tier, after which place."""

    tier: Tier | None
    place: Place | None


class Marketplace:
    """Browsing. Nothing is changed or set aside."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, window: ShopWindow) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.window = window
        self._synonyms = tuple(
            Synonyms.of(
                CATEGORY + category_key(one.slug, category.code),
                [category.name, *category.covers, *category.synonyms],
            )
            for one in programmes
            for category in one.categories
        )

    async def search(
        self, wanted: Wanted, *, order: Order, after: str | None, limit: int, actor: Actor | None
    ) -> Page:
        """A page of what is wanted. Raises :class:`CursorUnusable`.

        An offering that stays listed is on exactly one page, whatever is listed, withdrawn, sold, rated or
        priced anew between two of them: it keeps the place it had when the search began.
        """
        parts = asked(wanted.query, self._synonyms)
        fingerprint = _fingerprint(wanted, order)
        tiers = tiers_of(parts) if parts and order is Order.RELEVANCE else ()
        first = _Cursor(tiers[0] if tiers else None, None)
        cursor = first if after is None else _read(after, fingerprint, tiers)
        if wanted.query.strip() and not parts:
            return Page([], None)
        sought = await self._sought(wanted, parts)
        rows, found_in = await self._rows(sought, order, cursor, limit + 1)
        shown = rows[:limit]
        next_after = None
        if len(rows) > limit:
            last = shown[-1]
            mark = shown[0]["mark"] if cursor.place is None else cursor.place.mark
            place = Place(rank_of(order, last), last["offering_id"], mark)
            next_after = _written(_Cursor(found_in[limit - 1], place), fingerprint)
        return Page(await self.window.cards(shown, actor=actor), next_after)

    async def facets(self, wanted: Wanted) -> Facets:
        """How many of what is wanted there are, by programme and category; counted to a thousand."""
        parts = asked(wanted.query, self._synonyms)
        if wanted.query.strip() and not parts:
            return Facets({}, {}, more=False)
        sought = await self._sought(wanted, parts)
        connection = connection_of()
        found, more = await offering_search.counts(
            connection, term_index(connection), sought, column="category_key", most=MOST_COUNTED
        )
        programmes: dict[str, int] = {}
        for key, number in found.items():
            slug = key.partition("/")[0]
            programmes[slug] = programmes.get(slug, 0) + number
        return Facets(programmes, found, more)

    async def offering(self, offering_id: int, *, actor: Actor | None) -> Detail:
        """One offering that can be ordered now. Raises ``NotFound`` for any other."""
        rows: list[Row] = await Listing.filter(offering_id=offering_id).values(*offering_search.SHOWN)
        if not rows:
            raise NotFound()
        (card,) = await self.window.cards(rows, actor=actor)
        version = await OfferingVersion.get(id=rows[0]["version_id"])
        fields = self.programmes.get(rows[0]["programme_slug"]).offering.fields
        values = [
            (field, version.values[field.code])
            for field in fields
            if field.kind in READ_ALOUD and field.code in version.values
        ]
        return Detail(card, version.areas, values, version.price_parts, version.kinds, version.number)

    # ------------------------------------------------------------------------------------------------

    async def _rows(
        self, sought: Sought, order: Order, cursor: _Cursor, limit: int
    ) -> tuple[list[Row], list[Tier | None]]:
        """Rows of a page and the tier of each, what is most like what is sought first."""
        connection = connection_of()
        index = term_index(connection)
        moved: Mapping[int, Row] = {}
        if cursor.place is not None:
            moved = await offering_search.moves_since(connection, index, cursor.place.mark)
        ask = partial(offering_search.page, connection, index, sought, order=order, moved=moved)
        rows = await ask(tier=cursor.tier, after=cursor.place, limit=limit)
        tiers = [cursor.tier] * len(rows)
        every: list[Tier | None] = [*tiers_of(sought.parts)]
        for tier in every[every.index(cursor.tier) + 1 :] if cursor.tier in every else ():
            if len(rows) >= limit:
                break
            more = await ask(tier=tier, after=None, limit=limit - len(rows))
            rows += more
            tiers += [tier] * len(more)
        return rows, tiers

    async def _sought(self, wanted: Wanted, parts: tuple[Part, ...]) -> Sought:
        keys = None
        if wanted.category is not None:
            keys = tuple(
                category_key(one.slug, wanted.category)
                for one in self.programmes
                if wanted.programme in (None, one.slug) and one.category(wanted.category) is not None
            )
        sought = Sought(
            parts=parts,
            programme=wanted.programme,
            category_keys=keys,
            service=wanted.service,
            area=wanted.area,
            price_least_fen=wanted.price_least_fen,
            price_most_fen=wanted.price_most_fen,
            rating_least_bp=wanted.rating_least_bp,
        )
        if not wanted.room_least_fen:
            return sought
        full, shut = await self._without_room(wanted.room_least_fen, wanted.programme)
        return replace(sought, full=full, shut=shut)

    async def _without_room(
        self, least_fen: int, slug: str | None
    ) -> tuple[dict[str, Sequence[int]], tuple[str, ...]]:
        """Who may not receive so much more this year; and the programmes in which nobody may."""
        full: dict[str, Sequence[int]] = {}
        shut = []
        limiting = [one for one in self.programmes if one.provider_ceilings and slug in (None, one.slug)]
        budgets = await open_years(limiting, self.clocks)
        for programme in limiting:
            budget = budgets.get(programme.slug)
            if budget is None:
                continue
            newcomer = await rooms.provider_room(programme, 0, budget)
            if newcomer is not None and newcomer.limit.amount_fen < least_fen:
                shut.append(programme.slug)
            else:
                full[programme.slug] = await rooms.providers_without(programme, least_fen, budget)
        return full, tuple(shut)


# -- cursors -----------------------------------------------------------------------------------------


def _fingerprint(wanted: Wanted, order: Order) -> str:
    """What a cursor belongs to: a search goes on as it began, or not at all."""
    return hashlib.sha256(repr((wanted, order.value)).encode()).hexdigest()[:12]


def _written(cursor: _Cursor, fingerprint: str) -> str:
    tier, place = cursor.tier, cursor.place
    assert place is not None, "a page that ended somewhere"
    said = json.dumps([fingerprint, tier.value if tier else "", place.rank, place.offering_id, place.mark])
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def _read(text: str, fingerprint: str, tiers: Sequence[Tier]) -> _Cursor:
    """What :func:`_written` wrote for the same search. Raises :class:`CursorUnusable`."""
    if not _CURSOR.fullmatch(text):
        raise CursorUnusable()
    try:
        said = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        raise CursorUnusable() from None
    known: dict[str, Tier | None] = {tier.value: tier for tier in tiers} or {"": None}
    match said:
        case [str(found), str(tier), int(), int(), int()] if found == fingerprint and tier in known:
            numbers = said[2:]
            if all(type(one) is int and 0 <= one <= _LARGEST for one in numbers):
                return _Cursor(known[tier], Place(*numbers))
    raise CursorUnusable()
