"""The shop window: beside every offering, what a voucher would pay here and what there is room for.

The same sums are worked out again, under the budget's lock, when an order is placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server import texts
from server.gateways.offering_search import Row
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.notices import kinds_of
from server.programme.registry import Programmes
from server.rules.deadlines import day_of
from server.rules.deduction import Deduction
from server.rules.lifecycles import VoucherStatus
from server.rules.limits import Limit
from server.rules.money import Account
from server.rules.outlay import best_voucher, outlay
from server.rules.quota import ProviderRoom
from server.services.access import Actor
from server.services.budgets import ledger, rooms
from server.services.budgets.annual_notices import AnnualNotices, KindNotAnnounced
from server.services.budgets.rooms import Rooms
from server.services.clocks import ProgrammeClocks
from server.services.vouchers import ranking_lists
from server.units import yuan


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a voucher would pay at one price, fen; of a range of prices there is one for each end."""

    price_fen: int
    paid: Deduction


@dataclass(frozen=True, slots=True)
class Card:
    """An offering as it is shown.

    ``own``   the estimates are of the asker's own vouchers; otherwise the best case of anybody's
    ``room``  what its provider may still receive this year; ``None``: nothing limits it, or no year is open
    """

    row: Row
    programme: Programme
    category_name: str
    estimates: tuple[Estimate, ...]
    own: bool
    room: ProviderRoom | None
    category_room: Limit | None


@dataclass(frozen=True, slots=True)
class _Held:
    """The vouchers of one enterprise in one programme that may pay now: what is free on each, by kind."""

    free_fen: Sequence[tuple[str, int]]

    def limit(self, kind: str | None, vouchers_per_order: int | None) -> Limit:
        """What an order can take of them: one voucher where an order uses one, else all together.

        ``kind``: the one that pays, where a programme has several.
        """
        free = [fen for one, fen in self.free_fen if kind in (None, one)]
        amount_fen = sum(free) if vouchers_per_order is None else sum(sorted(free)[-vouchers_per_order:])
        return Limit(amount_fen, "", texts.BALANCE.format(amount=yuan(amount_fen)))


@dataclass(frozen=True, slots=True)
class _Pays:
    """What pays in a category today: a kind of voucher, its terms, and the best it can be worth."""

    kind: str
    programme: Programme
    best: Limit | None


class _Terms:
    """What pays in each category, worked out once for a page."""

    def __init__(self, notices: AnnualNotices, clocks: ProgrammeClocks) -> None:
        self.notices = notices
        self.clocks = clocks
        self._known: dict[tuple[str, str], _Pays | None] = {}

    def of(self, programme: Programme, code: str) -> _Pays | None:
        """``None``: nothing pays until a notice says what does."""
        key = programme.slug, code
        if key not in self._known:
            self._known[key] = self._find(programme, code)
        return self._known[key]

    def _find(self, programme: Programme, code: str) -> _Pays | None:
        kind = programme.deduction_for(code).voucher_kind or kinds_of(programme)[0]
        try:
            terms = self.notices.terms(programme, kind, day_of(self.clocks.now(programme.slug))).programme
        except KindNotAnnounced:
            return None
        return _Pays(kind, terms, best_voucher(terms))


async def open_years(programmes: Iterable[Programme], clocks: ProgrammeClocks) -> dict[str, Budget]:
    """The budget of each programme's present year, where it has one, by slug."""
    years = {one.slug: one.year_of(day_of(clocks.now(one.slug))) for one in programmes}
    if not years:
        return {}
    budgets = await Budget.filter(programme_slug__in=list(years), year__in=list(set(years.values())))
    return {one.programme_slug: one for one in budgets if one.year == years[one.programme_slug]}


class ShopWindow:
    """Working out what is shown. Instants are those of each programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, notices: AnnualNotices) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.notices = notices

    async def cards(self, rows: Sequence[Row], *, actor: Actor | None) -> list[Card]:
        """The cards of these listings, in their order."""
        slugs = sorted({row["programme_slug"] for row in rows})
        known = {slug: self._present(slug) for slug in slugs}
        limiting = [one for one in known.values() if _may_limit(one)]
        budgets = await open_years(limiting, self.clocks)
        held = await self._held(actor, slugs)
        found = await rooms.rooms(
            [
                rooms.Asked(
                    programme,
                    budgets[programme.slug],
                    frozenset(row["provider_id"] for row in rows if row["programme_slug"] == programme.slug),
                    frozenset(_category(row) for row in rows if row["programme_slug"] == programme.slug),
                )
                for programme in limiting
                if programme.slug in budgets
            ]
        )
        terms = _Terms(self.notices, self.clocks)
        return [self._card(row, terms, known[row["programme_slug"]], held, found) for row in rows]

    def _card(
        self, row: Row, terms: _Terms, programme: Programme, held: Mapping[str, _Held], found: Rooms
    ) -> Card:
        slug, code = programme.slug, _category(row)
        room = found.providers.get((slug, row["provider_id"]))
        in_category = found.categories.get((slug, code))
        category = programme.category(code)
        return Card(
            row,
            programme,
            code if category is None else category.name,
            self._estimates(row, terms, programme, code, held.get(slug), room, in_category),
            slug in held,
            room,
            in_category,
        )

    def _estimates(
        self,
        row: Row,
        terms: _Terms,
        programme: Programme,
        code: str,
        held: _Held | None,
        room: ProviderRoom | None,
        category_room: Limit | None,
    ) -> tuple[Estimate, ...]:
        pays = terms.of(programme, code)
        if pays is None:
            return ()
        voucher = pays.best
        if held is not None:
            kind = pays.kind if len(programme.voucher_kinds) > 1 else None
            voucher = held.limit(kind, pays.programme.deduction_for(code).vouchers_per_order)
        prices = dict.fromkeys(fen for fen in (row["price_from_fen"], row["price_to_fen"]) if fen is not None)
        return tuple(
            Estimate(
                price_fen,
                outlay(
                    pays.programme, code, price_fen, voucher=voucher, provider=room, in_category=category_room
                ),
            )
            for price_fen in prices
        )

    async def _held(self, actor: Actor | None, slugs: Sequence[str]) -> dict[str, _Held]:
        """What the asker's enterprise could pay with now, by programme; nothing where it holds nothing."""
        if actor is None or actor.organisation_id is None or not slugs:
            return {}
        # A result that nobody has been told yet shows in no sum either (GZ-31).
        untold = set(await ranking_lists.untold_rounds())
        vouchers = [
            one
            for one in await Voucher.filter(
                enterprise_id=actor.organisation_id,
                provider_id=None,
                programme_slug__in=list(slugs),
                status__in=(VoucherStatus.ACTIVE, VoucherStatus.USED_UP),
            ).order_by("id")
            if one.round_id not in untold and self._now(one) < one.valid_until
        ]
        balances = await ledger.balances_of_vouchers([actor.organisation_id], [one.id for one in vouchers])
        held: dict[str, list[tuple[str, int]]] = {}
        for one in vouchers:
            held.setdefault(one.programme_slug, []).append((one.kind, balances[one.id][Account.AVAILABLE]))
        return {slug: _Held(free) for slug, free in held.items()}

    def _present(self, slug: str) -> Programme:
        """A programme as the notice of its day counts in under its categories (GX-22)."""
        return self.notices.scoped(self.programmes.get(slug), day_of(self.clocks.now(slug)))

    def _now(self, voucher: Voucher) -> datetime:
        return self.clocks.now(voucher.programme_slug)


def _may_limit(programme: Programme) -> bool:
    return bool(
        programme.provider_ceilings
        or programme.category_floors
        or any(one.max_share_bp is not None for one in programme.categories)
    )


def _category(row: Row) -> str:
    return str(row["category_key"].partition("/")[2])
