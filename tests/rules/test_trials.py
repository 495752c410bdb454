"""Trials: a year's orders gone through once more, under a programme as it is and as it would be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.errors import Unmet
from server.programme.model import Programme
from server.rules.deduction import Prices
from server.rules.quota import tier_of
from server.rules.trials import Bound, Holder, PastOrder, changes, run
from server.units import yuan_to_fen as yuan
from tests.rules.cast import GUANGZHOU, LISHUI, NINGXIA, programme

FIRST = datetime(2026, 2, 1, tzinfo=UTC)
TAX, TECHNICAL = "财税审计服务", "技术创新服务"
MILLION = yuan(1_000_000)


def code(name: str) -> str:
    return next(category.code for category in programme(LISHUI).categories if category.name == name)


def bought(
    number: int, price: int, *, enterprise: int = 0, category: str = TECHNICAL, provider: int = 900
) -> PastOrder:
    """An order of an enterprise of its own, an hour after the one before."""
    return PastOrder(
        id=number,
        at=FIRST + timedelta(hours=number),
        enterprise_id=enterprise or number,
        provider_id=provider,
        category=code(category),
        prices=Prices(order_fen=yuan(price)),
        project=f"p{number}",
    )


def holders(given: Programme, orders: list[PastOrder]) -> dict[int, Holder]:
    return {one.enterprise_id: Holder(tier_of(given, frozenset())) for one in orders}


def tried(given: Programme, orders: list[PastOrder], total_fen: int = MILLION):  # type: ignore[no-untyped-def]
    return run({"": given}, orders, holders(given, orders), total_fen=total_fen)


@pytest.mark.rules("LS-30", "LS-27")
def test_an_order_gets_its_part_of_the_price_and_never_more_than_the_years_quota() -> None:
    orders = [
        bought(1, 10_000, enterprise=5),
        bought(2, 10_000, enterprise=5),
        bought(3, 10_000, enterprise=5),
    ]
    found = tried(programme(LISHUI), orders)
    assert [one.amount_fen for one in found.results] == [yuan(7_000), yuan(3_000), 0]
    assert [one.bound for one in found.results] == [Bound.RATE, Bound.QUOTA, Bound.QUOTA]
    assert found.by_enterprise == {5: yuan(10_000)}
    assert found.results[1].missed_fen == yuan(4_000)


@pytest.mark.rules("LS-24", "LS-26")
def test_a_category_is_capped_from_the_order_on_that_would_pass_its_share_and_it_is_said_when() -> None:
    # A tenth of 100,000 yuan is what tax services may take: one voucher of 10,000, and nothing after it.
    orders = [bought(1, 20_000, category=TAX), bought(2, 20_000, category=TAX), bought(3, 10_000)]
    found = tried(programme(LISHUI), orders, yuan(100_000))
    assert [one.amount_fen for one in found.results] == [yuan(10_000), 0, yuan(7_000)]
    assert found.capped_at == {code(TAX): orders[1].at}
    assert found.capped_fen == {code(TAX): yuan(10_000)}
    assert [(one.reached_fen, one.is_met) for one in found.floors] == [(yuan(7_000), True)]


def test_the_money_runs_out_at_the_first_order_it_does_not_cover_whatever_order_they_are_listed_in() -> None:
    orders = [bought(number, 10_000) for number in (1, 2, 3, 4)]
    found = tried(programme(LISHUI), list(reversed(orders)), yuan(24_000))
    # The third order meets the share of its category first: 30 % of 24,000.
    assert found.paid_fen == yuan(7_200)
    roomy = [
        replace(one, category=code(name))
        for one, name in zip(orders, (TECHNICAL, "知识产权服务") * 2, strict=True)
    ]
    found = tried(replace(programme(LISHUI), categories=_unshared()), roomy, yuan(24_000))
    assert [one.amount_fen for one in found.results] == [yuan(7_000)] * 3 + [yuan(3_000)]
    assert found.out_at == orders[3].at and found.bounds == {Bound.RATE: 3, Bound.BUDGET: 1}


def _unshared():  # type: ignore[no-untyped-def]
    return tuple(replace(one, max_share_bp=None) for one in programme(LISHUI).categories)


def test_a_changed_rate_moves_exactly_those_whom_nothing_else_bound() -> None:
    given = programme(LISHUI)
    changed = replace(given, deduction=tuple(replace(rule, rate_bp=5_000) for rule in given.deduction))
    orders = [bought(1, 10_000), bought(2, 40_000)]
    before, after = tried(given, orders), tried(changed, orders)
    found = changes(before.by_enterprise, after.by_enterprise)
    assert [(one.key, one.before_fen, one.after_fen) for one in found] == [(1, yuan(7_000), yuan(5_000))]
    assert found[0].difference_fen == -yuan(2_000)
    assert after.results[1].bound is Bound.QUOTA


def test_who_no_longer_meets_the_conditions_gets_nothing_and_the_clause_says_why() -> None:
    orders = [bought(1, 10_000), bought(2, 10_000)]
    known = holders(programme(LISHUI), orders)
    known[2] = Holder(None, (Unmet("size", "第九条", "划型不符", "大型"),))
    found = run({"": programme(LISHUI)}, orders, known, total_fen=MILLION)
    assert [(one.amount_fen, one.bound) for one in found.results] == [
        (yuan(7_000), Bound.RATE),
        (0, Bound.CONDITIONS),
    ]
    assert (found.results[1].clause, found.results[1].arithmetic) == ("第九条", "划型不符")


def test_a_kind_of_service_that_the_changed_file_drops_is_outside_its_scope() -> None:
    given = programme(LISHUI)
    left = tuple(one for one in given.categories if one.code != code(TAX))
    found = tried(replace(given, categories=left), [bought(1, 10_000, category=TAX)])
    assert [(one.amount_fen, one.bound) for one in found.results] == [(0, Bound.SCOPE)]
    assert run({}, [bought(1, 10_000)], {1: Holder(None)}, total_fen=MILLION).bounds == {Bound.SCOPE: 1}


@pytest.mark.rules("NX-09", "NX-10")
def test_the_cap_of_one_project_and_the_years_quota_bind_in_turn() -> None:
    given = programme(NINGXIA)
    category = given.categories[0].code
    orders = [replace(bought(number, 10_000, enterprise=5), category=category) for number in (1, 2)]
    orders = [replace(one, prices=Prices(contract_fen=yuan(10_000))) for one in orders]
    found = tried(given, orders)
    assert [(one.amount_fen, one.bound) for one in found.results] == [
        (yuan(3_000), Bound.CAP),
        (yuan(2_000), Bound.QUOTA),
    ]


@pytest.mark.rules("GZ-26")
def test_a_provider_receives_no_more_than_its_share_of_the_years_total() -> None:
    given = programme(GUANGZHOU)
    category = given.categories[0].code
    orders = [replace(bought(number, 40_000), category=category) for number in (1, 2, 3)]
    found = tried(given, orders, yuan(300_000))
    assert [(one.amount_fen, one.bound) for one in found.results] == [
        (yuan(20_000), Bound.RATE),
        (yuan(10_000), Bound.PROVIDER),
        (0, Bound.PROVIDER),
    ]
