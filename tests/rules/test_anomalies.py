"""What looks wrong about a settlement, and from where on it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from server.programme.monitoring import Anomaly, AnomalyRule, Monitoring
from server.programme.supervision import load_anomaly_defaults
from server.rules.anomalies import ContactKind, Deal, Facts, Found, found, holding_sanction
from server.units import yuan_to_fen
from tests.rules.cast import LISHUI, YINCHUAN, programme

RULES = load_anomaly_defaults(Path("config/anomalies.toml")).rules
YEAR_ENDS = date(2026, 12, 31)
SPRING = date(2026, 5, 18)


def deal(number: int = 0, **others: Any) -> Deal:
    """An ordinary deal: another enterprise each time, no round price, three weeks from order to claim."""
    known: dict[str, Any] = {
        "number": f"D{number}",
        "enterprise_id": number,
        "enterprise": f"第{number}企业",
        "price_fen": yuan_to_fen(8_765),
        "amount_fen": yuan_to_fen(4_000),
        "cap_fen": yuan_to_fen(5_000),
        "placed_on": SPRING - timedelta(days=21),
        "submitted_on": SPRING,
    }
    return Deal(**{**known, **others})


def facts(mine: Deal | None = None, others: Sequence[Deal] = (), **more: Any) -> Facts:
    own = mine or deal()
    return Facts(deal=own, year=[own, *others], year_ends=YEAR_ENDS, **more)


def seen(given: Facts, slug: str = LISHUI) -> dict[Anomaly, Found]:
    return {one.rule: one for one in found(programme(slug), RULES, given)}


def test_an_ordinary_deal_among_ordinary_deals_is_nobodys_business() -> None:
    assert seen(facts(others=[deal(number) for number in range(1, 12)])) == {}


@pytest.mark.parametrize("which", ["own_fen", "peers_fen"])
def test_a_price_half_above_the_median_is_found_and_one_fen_less_is_not(which: str) -> None:
    others = [yuan_to_fen(1_000)] * 3
    at_limit = facts(deal(price_fen=yuan_to_fen(1_500)), **{which: others})
    above = facts(deal(price_fen=yuan_to_fen(1_500) + 1), **{which: others})
    assert seen(at_limit) == {}
    assert "1,000.00" in seen(above)[Anomaly.PRICE].arithmetic
    assert "1,500.00" in seen(above)[Anomaly.PRICE].arithmetic
    assert seen(replace(above, **{which: others[:2]})) == {}, "two make no median"


def test_one_enterprise_with_most_of_a_providers_year_is_found_once_the_year_has_five_deals() -> None:
    mine = deal(amount_fen=yuan_to_fen(6_000), cap_fen=None)
    others = [deal(number, amount_fen=yuan_to_fen(1_000)) for number in range(1, 5)]
    assert set(seen(facts(mine, others))) == {Anomaly.CONCENTRATION}
    assert "60%" in seen(facts(mine, others))[Anomaly.CONCENTRATION].arithmetic
    assert seen(facts(mine, others[:3])) == {}
    assert seen(facts(replace(mine, amount_fen=mine.amount_fen - 100), others)) == {}


def test_enterprises_of_one_person_count_together_and_one_enterprise_of_a_person_does_not() -> None:
    person = frozenset({"a" * 64})
    mine = deal(1, persons=person, amount_fen=yuan_to_fen(3_000))
    sister = deal(2, persons=person, amount_fen=yuan_to_fen(3_000))
    others = [deal(number, amount_fen=yuan_to_fen(1_000)) for number in range(3, 7)]
    both = seen(facts(mine, [sister, *others]))
    assert set(both) == {Anomaly.ONE_PERSON}
    assert "第1企业、第2企业" in both[Anomaly.ONE_PERSON].arithmetic
    assert both[Anomaly.ONE_PERSON].holds
    assert seen(facts(mine, [replace(sister, persons=frozenset()), *others])) == {}


def test_the_file_of_an_invoice_that_served_another_order_names_that_order() -> None:
    one = seen(facts(same_files=["D77"]))
    assert set(one) == {Anomaly.SAME_INVOICE}
    assert "D77" in one[Anomaly.SAME_INVOICE].arithmetic


def test_what_both_sides_or_two_providers_share_is_said_by_kind_and_never_by_value() -> None:
    shared = seen(facts(shared=[ContactKind.PHONE], sharing={"另一机构": [ContactKind.ACCOUNT]}))
    assert set(shared) == {Anomaly.SHARED_CONTACT, Anomaly.SHARED_PROVIDER}
    assert "电话" in shared[Anomaly.SHARED_CONTACT].arithmetic
    assert "另一机构" in shared[Anomaly.SHARED_PROVIDER].arithmetic
    assert "银行账户" in shared[Anomaly.SHARED_PROVIDER].arithmetic


def test_half_of_a_year_in_its_last_month_is_a_rush_and_one_in_its_spring_is_none() -> None:
    late = YEAR_ENDS - timedelta(days=29)
    early = [deal(number) for number in (1, 2, 3)]
    rush = [deal(number, submitted_on=late) for number in (4, 5)]
    mine = deal(submitted_on=late)
    assert set(seen(facts(mine, [*early, *rush]))) == {Anomaly.YEAR_END_RUSH}
    a_day_before = replace(mine, submitted_on=late - timedelta(days=1))
    assert seen(facts(a_day_before, [*early, *rush])) == {}


def test_an_inspector_who_looks_at_nearly_all_of_a_providers_cases_is_found() -> None:
    assert set(seen(facts(inspectors=[7] * 9 + [8]))) == {Anomaly.SAME_INSPECTOR}
    assert seen(facts(inspectors=[7] * 8 + [8, 9])) == {}
    assert seen(facts(inspectors=[7] * 4)) == {}


def test_round_prices_that_reach_the_cap_again_and_again_are_found() -> None:
    at_cap = {"price_fen": yuan_to_fen(10_000), "amount_fen": yuan_to_fen(5_000)}
    many = [deal(number, **at_cap) for number in range(1, 4)]
    assert set(seen(facts(deal(**at_cap), [*many, deal(9)]))) == {Anomaly.AT_CAP}
    assert seen(facts(deal(**at_cap), [*many[:2], deal(8), deal(9)])) == {}
    odd = {**at_cap, "price_fen": yuan_to_fen(10_001)}
    assert seen(facts(deal(**odd), [*many, deal(9)])) == {}


def test_ordered_yesterday_and_claimed_today_is_too_quick() -> None:
    quick = seen(facts(deal(placed_on=SPRING - timedelta(days=1))))
    assert "1 日 < 2 日" in quick[Anomaly.TOO_QUICK].arithmetic
    assert seen(facts(deal(placed_on=SPRING - timedelta(days=2)))) == {}


@pytest.mark.rules("YC-40")
def test_where_the_text_suspends_payment_every_finding_holds_with_its_clause() -> None:
    quick = facts(deal(placed_on=SPRING))
    by_house, by_text = seen(quick)[Anomaly.TOO_QUICK], seen(quick, YINCHUAN)[Anomaly.TOO_QUICK]
    assert (by_house.holds, by_house.clause) == (False, "")
    assert (by_text.holds, by_text.clause) == (True, "第十七条")
    sanction = holding_sanction(programme(YINCHUAN))
    assert sanction is not None and sanction.referred_to == "相关部门"
    assert holding_sanction(programme(LISHUI)) is None


def test_a_programmes_own_rule_stands_in_place_of_the_houses() -> None:
    own = AnomalyRule(code=Anomaly.TOO_QUICK, days=30, holds=True, article="第九条")
    off = AnomalyRule(code=Anomaly.SAME_INVOICE, off=True, article="第九条")
    text = replace(programme(LISHUI), monitoring=Monitoring(rules=(own, off), article="第九条"))
    (one,) = found(text, RULES, facts(same_files=["D77"]))
    assert (one.rule, one.clause, one.holds) == (Anomaly.TOO_QUICK, "第九条", True)
