"""Anomalies: what looks wrong about a settlement, each with its arithmetic (YC-40).

Nothing here accuses anybody: a finding says what stands beside what, and a person decides. Thresholds are
the house's data, and a programme's own where it has them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from statistics import median_low

from server import texts
from server.programme.model import Programme
from server.programme.monitoring import Anomaly, AnomalyRule
from server.programme.oversight import Measure, Sanction
from server.units import BASIS_POINTS, percent, share, yuan


class ContactKind(StrEnum):
    """What two organisations can have in common."""

    PHONE = "phone"
    PERSON = "person"
    """A legal representative, or somebody who acts for it."""
    ACCOUNT = "account"
    """A bank account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deal:
    """One settlement of a provider, as far as its figures go. ``cap_fen``: the most a voucher pays for it."""

    number: str
    enterprise_id: int
    enterprise: str
    persons: frozenset[str] = frozenset()
    """The legal representatives of the enterprise, as keyed hashes."""
    price_fen: int
    amount_fen: int
    cap_fen: int | None = None
    placed_on: date
    submitted_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything the rules look at: the deal, and what stands around it.

    ``year``: the provider's deals of the programme year, this one among them. ``own_fen``, ``peers_fen``:
    what it, and others, took for the same matter. ``shared``: what both sides have in common;
    ``sharing``: other providers by name, with what they have in common with this one. ``same_files``: the
    orders for which the very file of an invoice was handed in. ``inspectors``: who looked at its cases.
    """

    deal: Deal
    year_ends: date
    year: Sequence[Deal] = ()
    own_fen: Sequence[int] = ()
    peers_fen: Sequence[int] = ()
    same_files: Collection[str] = ()
    shared: Collection[ContactKind] = ()
    sharing: Mapping[str, Collection[ContactKind]] = field(default_factory=dict)
    inspectors: Sequence[int] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that looks wrong. ``clause`` is empty where it rests on the house's default."""

    rule: Anomaly
    clause: str
    message: str
    arithmetic: str
    holds: bool


def rules_for(programme: Programme, defaults: Sequence[AnomalyRule]) -> tuple[AnomalyRule, ...]:
    """The house's rules, each replaced by the programme's own of its name; without what is off."""
    own = {} if programme.monitoring is None else {rule.code: rule for rule in programme.monitoring.rules}
    chosen = (own.get(rule.code, rule) for rule in defaults)
    return tuple(rule for rule in chosen if not rule.off)


def holding_sanction(programme: Programme) -> Sanction | None:
    """The sanction that the programme's text attaches to abnormal figures (YC-40), or ``None``."""
    code = "" if programme.monitoring is None else programme.monitoring.sanction
    return next(
        (one for one in programme.sanctions if one.code == code and Measure.HOLD_SETTLEMENT in one.measures),
        None,
    )


def found(programme: Programme, defaults: Sequence[AnomalyRule], facts: Facts) -> tuple[Found, ...]:
    """Everything that looks wrong, in the order of the rules."""
    return tuple(_found(programme, defaults, facts))


def _found(programme: Programme, defaults: Sequence[AnomalyRule], facts: Facts) -> Iterator[Found]:
    always = programme.monitoring is not None and programme.monitoring.holds
    sanction = holding_sanction(programme)
    for rule in rules_for(programme, defaults):
        for arithmetic in _LOOKS[rule.code](rule, facts):
            yield Found(
                rule=rule.code,
                clause=rule.article or ("" if sanction is None else sanction.article),
                message=texts.ANOMALIES[rule.code],
                arithmetic=arithmetic,
                holds=rule.holds or always,
            )


def _price(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    parts = []
    for name, others in (("own", facts.own_fen), ("peers", facts.peers_fen)):
        if len(others) < (rule.least or 1):
            continue
        median_fen = median_low(others)
        limit_fen = median_fen + share(median_fen, rule.share_bp or 0)
        if facts.deal.price_fen > limit_fen:
            parts.append(
                texts.ANOMALY_SUMS[name].format(
                    price=yuan(facts.deal.price_fen),
                    count=len(others),
                    median=yuan(median_fen),
                    rate=percent(rule.share_bp or 0),
                    limit=yuan(limit_fen),
                )
            )
    if parts:
        yield texts.STEP.join(parts)


def _concentration(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    mine = [deal for deal in facts.year if deal.enterprise_id == facts.deal.enterprise_id]
    yield from _part(rule, facts, mine, "enterprise", facts.deal.enterprise)


def _one_person(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    for person in sorted(facts.deal.persons):
        theirs = [deal for deal in facts.year if person in deal.persons]
        # One enterprise of a person is the other rule's.
        if len({deal.enterprise_id for deal in theirs}) > 1:
            names = texts.LIST.join(sorted({deal.enterprise for deal in theirs}))
            yield from _part(rule, facts, theirs, "person", names)
            return


def _part(rule: AnomalyRule, facts: Facts, some: Sequence[Deal], name: str, of: str) -> Iterator[str]:
    """A share of the provider's year that is too great, where there are enough deals to speak of one."""
    some_fen, all_fen = _amount(some), _amount(facts.year)
    if len(facts.year) < (rule.least or 1) or not _reaches(some_fen, all_fen, rule):
        return
    yield texts.ANOMALY_SUMS[name].format(
        name=of,
        part=yuan(some_fen),
        whole=yuan(all_fen),
        rate=percent(some_fen * BASIS_POINTS // all_fen),
        limit=percent(rule.share_bp or 0),
        count=len(some),
        all=len(facts.year),
    )


def _same_invoice(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    if facts.same_files:
        yield texts.ANOMALY_SUMS["files"].format(orders=texts.LIST.join(sorted(facts.same_files)))


def _shared_contact(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    if facts.shared:
        yield texts.ANOMALY_SUMS["shared"].format(kinds=_kinds(facts.shared))


def _shared_provider(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    if facts.sharing:
        yield texts.LIST.join(
            texts.ANOMALY_SUMS["sharing"].format(name=name, kinds=_kinds(kinds))
            for name, kinds in sorted(facts.sharing.items())
        )


def _year_end_rush(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    since = facts.year_ends - timedelta(days=(rule.days or 1) - 1)
    if facts.deal.submitted_on < since:
        return
    late = [deal for deal in facts.year if deal.submitted_on >= since]
    if len(facts.year) >= (rule.least or 1) and _reaches(len(late), len(facts.year), rule):
        yield _of_all("rush", rule, len(late), len(facts.year), days=rule.days)


def _same_inspector(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    looked = facts.inspectors
    if len(looked) < (rule.least or 1):
        return
    most = max(looked.count(one) for one in set(looked))
    if _reaches(most, len(looked), rule):
        yield _of_all("inspector", rule, most, len(looked))


def _at_cap(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    def at_cap(deal: Deal) -> bool:
        is_round = rule.round_fen is None or deal.price_fen % rule.round_fen == 0
        return is_round and deal.cap_fen is not None and deal.amount_fen >= deal.cap_fen

    if not at_cap(facts.deal):
        return
    some = [deal for deal in facts.year if at_cap(deal)]
    if len(facts.year) >= (rule.least or 1) and _reaches(len(some), len(facts.year), rule):
        yield _of_all("cap", rule, len(some), len(facts.year), cap=yuan(facts.deal.cap_fen or 0))


def _too_quick(rule: AnomalyRule, facts: Facts) -> Iterator[str]:
    took = (facts.deal.submitted_on - facts.deal.placed_on).days
    if took < (rule.days or 0):
        yield texts.ANOMALY_SUMS["quick"].format(
            placed=facts.deal.placed_on, submitted=facts.deal.submitted_on, took=took, days=rule.days
        )


def _of_all(name: str, rule: AnomalyRule, some: int, of_all: int, **others: object) -> str:
    rate = percent(some * BASIS_POINTS // of_all)
    limit = percent(rule.share_bp or 0)
    return texts.ANOMALY_SUMS[name].format(count=some, all=of_all, rate=rate, limit=limit, **others)


def _reaches(some: int, of_all: int, rule: AnomalyRule) -> bool:
    return of_all > 0 and some * BASIS_POINTS >= of_all * (rule.share_bp or 0)


def _amount(deals: Sequence[Deal]) -> int:
    return sum(deal.amount_fen for deal in deals)


def _kinds(kinds: Collection[ContactKind]) -> str:
    return texts.LIST.join(texts.MARK_KINDS[kind] for kind in ContactKind if kind in kinds)


_LOOKS: Mapping[Anomaly, Callable[[AnomalyRule, Facts], Iterator[str]]] = {
    Anomaly.PRICE: _price,
    Anomaly.CONCENTRATION: _concentration,
    Anomaly.ONE_PERSON: _one_person,
    Anomaly.SAME_INVOICE: _same_invoice,
    Anomaly.SHARED_CONTACT: _shared_contact,
    Anomaly.SHARED_PROVIDER: _shared_provider,
    Anomaly.YEAR_END_RUSH: _year_end_rush,
    Anomaly.SAME_INSPECTOR: _same_inspector,
    Anomaly.AT_CAP: _at_cap,
    Anomaly.TOO_QUICK: _too_quick,
}
