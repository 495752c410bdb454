"""Trials (政策试算): a programme, as it is or as somebody would change it, run over what was ordered.

Past orders are taken in the order in which they came, with the prices they ended with; what each would have
been paid follows from the same rules that pay for real ones. A trial promises nobody anything: with other
terms, other people would have ordered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.issuance import Tier
from server.programme.model import Programme
from server.rules.categories import FloorStanding, YearMoney, category_room, floor_standings
from server.rules.deduction import Deduction, Prices, Used, deduction, use_unmet, wanted
from server.rules.limits import Limit, room
from server.rules.quota import provider_room, quota_left


class Bound(StrEnum):
    """What decided how much an order was paid."""

    RATE = "rate"
    """The part of the price that the text pays."""
    CAP = "cap"
    """The most for one project or contract."""
    WANTED = "wanted"
    """The enterprise wanted no more."""
    QUOTA = "quota"
    """What was left of the enterprise's year."""
    PROVIDER = "provider"
    """What the provider may receive in a year."""
    CATEGORY = "category"
    """The share of a kind of service, or what a floor leaves to the others."""
    BUDGET = "budget"
    """The year's money."""
    CONDITIONS = "conditions"
    """The enterprise does not meet them."""
    NO_TIER = "no_tier"
    """No tier admits the enterprise."""
    SCOPE = "scope"
    """The kind of service, or of voucher, is none of the programme's."""
    USES = "uses"
    """The project, order or contract has had its vouchers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastOrder:
    """An order as it came and with the prices it ended with. ``at`` says where in the year it stands."""

    id: int
    at: datetime
    enterprise_id: int
    provider_id: int
    category: str
    prices: Prices
    project: str = ""
    contract_id: int | None = None
    kind: str = ""
    wanted_fen: int | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """An enterprise under the programme that is tried: its tier, and every condition it does not meet."""

    tier: Tier | None
    unmet: tuple[Unmet, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """What one order would have been paid, fen, and why not more."""

    order: PastOrder
    amount_fen: int
    bound: Bound
    clause: str
    arithmetic: str
    missed_fen: int = 0
    """What that limit took from it, over the next one."""


@dataclass(slots=True)
class Trial:
    """A year gone through once more."""

    total_fen: int
    results: list[Result] = field(default_factory=list)
    paid_fen: int = 0
    by_enterprise: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    by_provider: dict[int, int] = field(default_factory=lambda: defaultdict(int))
    by_category: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bounds: Counter[Bound] = field(default_factory=Counter)
    capped_at: dict[str, datetime] = field(default_factory=dict)
    """When the share of a category first took something from an order, by its code."""
    capped_fen: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    out_at: datetime | None = None
    """When the year's money first did not cover an order."""
    floors: tuple[FloorStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody, or something, would get instead of what it got: fen before and after."""

    key: int
    before_fen: int
    after_fen: int

    @property
    def difference_fen(self) -> int:
        return self.after_fen - self.before_fen


def run(
    programmes: Mapping[str, Programme],
    orders: Iterable[PastOrder],
    holders: Mapping[int, Holder],
    *,
    total_fen: int,
) -> Trial:
    """Go through the orders of one year, the earliest first.

    ``programmes`` are the programme's terms by kind of voucher (one empty kind where it has one only);
    ``total_fen`` is the year's money.
    """
    walk = _Walk(programmes, holders, Trial(total_fen))
    for order in sorted(orders, key=lambda one: (one.at, one.id)):
        walk.take(order)
    trial = walk.trial
    if programmes:
        year = YearMoney(total_fen, trial.paid_fen, trial.by_category)
        trial.floors = floor_standings(next(iter(programmes.values())), year)
    return trial


def changes(before: Mapping[int, int], after: Mapping[int, int]) -> tuple[Change, ...]:
    """Who gets something else, the greatest difference first; whoever gets the same is left out."""
    keys = before.keys() | after.keys()
    found = (Change(key, before.get(key, 0), after.get(key, 0)) for key in keys)
    return tuple(
        sorted(
            (one for one in found if one.difference_fen),
            key=lambda one: (-abs(one.difference_fen), one.key),
        )
    )


class _Walk:
    """The year so far: what each side, contract and project has had."""

    def __init__(
        self, programmes: Mapping[str, Programme], holders: Mapping[int, Holder], trial: Trial
    ) -> None:
        self.programmes, self.holders, self.trial = programmes, holders, trial
        self._on_contract: dict[int, int] = defaultdict(int)
        self._projects: dict[int, int] = defaultdict(int)
        self._uses: Counter[tuple[int, int, str]] = Counter()

    def take(self, order: PastOrder) -> None:
        result = self._result(order)
        trial = self.trial
        trial.results.append(result)
        trial.bounds[result.bound] += 1
        if result.bound is Bound.CATEGORY and result.missed_fen:
            trial.capped_at.setdefault(order.category, order.at)
            trial.capped_fen[order.category] += result.missed_fen
        if result.bound is Bound.BUDGET and result.missed_fen and trial.out_at is None:
            trial.out_at = order.at
        if not result.amount_fen:
            return
        trial.paid_fen += result.amount_fen
        trial.by_enterprise[order.enterprise_id] += result.amount_fen
        trial.by_provider[order.provider_id] += result.amount_fen
        trial.by_category[order.category] += result.amount_fen
        self._uses[_use(order)] += 1
        if order.contract_id is not None:
            self._on_contract[order.contract_id] += result.amount_fen
            self._projects[order.contract_id] += 1

    def _result(self, order: PastOrder) -> Result:
        programme, holder = self.programmes.get(order.kind), self.holders[order.enterprise_id]
        if programme is None or programme.category(order.category) is None:
            return Result(order, 0, Bound.SCOPE, "", texts.TRIAL_BOUNDS[Bound.SCOPE])
        if holder.unmet:
            first = holder.unmet[0]
            return Result(order, 0, Bound.CONDITIONS, first.clause, first.message)
        if programme.issuance.tiers and holder.tier is None:
            return Result(
                order, 0, Bound.NO_TIER, programme.issuance.article, texts.TRIAL_BOUNDS[Bound.NO_TIER]
            )
        used = self._used(order)
        if unmet := use_unmet(programme, order.category, used):
            return Result(order, 0, Bound.USES, unmet[0].clause, unmet[0].arithmetic)
        others = self._others(programme, order, holder.tier)
        paid = deduction(
            programme, order.category, order.prices, used=used, others=[limit for _, limit in others]
        )
        return _bound_by(order, paid, [bound for bound, _ in others])

    def _used(self, order: PastOrder) -> Used:
        contract = order.contract_id
        return Used(
            on_contract_fen=0 if contract is None else self._on_contract[contract],
            projects_on_contract=0 if contract is None else self._projects[contract],
            times_on_project=self._uses[_use(order)] if order.project else 0,
        )

    def _others(
        self, programme: Programme, order: PastOrder, tier: Tier | None
    ) -> Sequence[tuple[Bound, Limit]]:
        trial = self.trial
        provider = provider_room(
            programme,
            received_fen=trial.by_provider[order.provider_id],
            year_total_fen=trial.total_fen,
            year_issued_fen=trial.paid_fen,
        )
        year = YearMoney(trial.total_fen, trial.paid_fen, trial.by_category)
        found = (
            (Bound.WANTED, None if order.wanted_fen is None else wanted(order.wanted_fen)),
            (Bound.QUOTA, quota_left(programme, tier, trial.by_enterprise[order.enterprise_id], {})),
            (Bound.PROVIDER, None if provider is None else provider.limit),
            (Bound.CATEGORY, category_room(programme, order.category, year)),
            (
                Bound.BUDGET,
                room(
                    trial.total_fen,
                    trial.paid_fen,
                    clause=programme.budget.article,
                    name=texts.LIMITS["budget"],
                ),
            ),
        )
        return [(bound, limit) for bound, limit in found if limit is not None]


def _use(order: PastOrder) -> tuple[int, int, str]:
    return order.provider_id, order.enterprise_id, order.project


def _bound_by(order: PastOrder, paid: Deduction, others: Sequence[Bound]) -> Result:
    """Which limit it was, and what the next one would have let through; the rate comes first, then caps."""
    own = len(paid.limits) - len(others)
    kinds = [Bound.RATE, *[Bound.CAP] * (own - 1), *others]
    amounts = [limit.amount_fen for limit in paid.limits]
    place = amounts.index(min(amounts))
    rest = amounts[:place] + amounts[place + 1 :]
    missed_fen = min(rest) - amounts[place] if rest else 0
    return Result(order, paid.amount_fen, kinds[place], paid.clause, paid.arithmetic, missed_fen)
