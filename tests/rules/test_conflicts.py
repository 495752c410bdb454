"""Conflicts: who may not deal with whom, each by its clause and only where its text says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.rules.conflicts import Deal, conflicts
from tests.rules.cast import AREAS, GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)


def found(slug: str, **facts: object) -> dict[str, str]:
    """The conflicts of an otherwise proper deal, with their clauses."""
    deal = replace(Deal(enterprise_area=AREAS[slug]), **facts)  # type: ignore[arg-type]
    return {one.code: one.clause for one in conflicts(programme(slug), deal)}


@pytest.mark.parametrize("slug", EVERYWHERE)
def test_a_proper_deal_has_no_conflict(slug: str) -> None:
    assert found(slug, price_fen=100, market_price_fen=100) == {}


@pytest.mark.parametrize(
    ("slug", "fact", "code"),
    [
        pytest.param(GUANGZHOU, "related", "related_parties", marks=rules("GZ-47")),
        pytest.param(GUANGZHOU, "other_public_money", "stacking", marks=rules("GZ-18")),
        pytest.param(GUANGZHOU, "subsidised_before", "stacking", marks=rules("GZ-56")),
        pytest.param(LISHUI, "other_public_money", "stacking", marks=rules("LS-78")),
        pytest.param(LISHUI, "refused_without_reason", "refusing_vouchers", marks=rules("LS-76")),
        pytest.param(GUANGXI, "subcontracted", "subcontracting", marks=rules("GX-77")),
        pytest.param(NINGXIA, "provider_is_operator", "operator_as_provider", marks=rules("NX-35")),
        pytest.param(YINCHUAN, "provider_is_operator", "operator_as_provider", marks=rules("YC-29")),
    ],
)
def test_a_conflict_is_found_by_its_fact_alone(slug: str, fact: str, code: str) -> None:
    assert set(found(slug, **{fact: True})) == {code}


def test_an_earlier_years_voucher_for_the_product_matters_only_where_the_text_looks_back() -> None:
    assert found(LISHUI, subsidised_before=True) == {}


def test_related_parties_are_a_conflict_only_where_the_text_says_so() -> None:
    assert found(LISHUI, related=True) == found(GUANGXI, related=True) == {}


@rules("GZ-24")
def test_a_guangzhou_provider_serves_only_in_the_kinds_it_is_recognised_for() -> None:
    assert found(GUANGZHOU, within_recognition=False) == {"outside_recognition": "方案四（三）、承诺书2"}


@rules("GZ-23")
@pytest.mark.parametrize(
    ("label", "area", "refused"),
    [
        ("city_platform", "广东省/佛山市", True),
        ("service_station", "广东省/佛山市", True),
        ("city_platform", "广东省/广州市/越秀区", False),
        ("provincial_platform", "广东省/佛山市", False),
        ("national_platform", "广东省/佛山市", False),
    ],
)
def test_city_platforms_and_stations_take_the_citys_vouchers_only(
    label: str, area: str, refused: bool
) -> None:
    codes = found(GUANGZHOU, provider_labels=frozenset({label}), enterprise_area=area)
    assert ("other_jurisdiction" in codes) is refused


@rules("LS-77")
@pytest.mark.parametrize(("price", "above"), [(9_999, False), (10_000, False), (10_001, True)])
def test_a_voucher_holder_pays_the_fair_market_price_at_most(price: int, above: bool) -> None:
    deal = Deal(enterprise_area=AREAS[LISHUI], price_fen=price, market_price_fen=10_000)
    codes = [(one.code, one.arithmetic) for one in conflicts(programme(LISHUI), deal)]
    assert codes == ([("price_above_market", "100.01 > 100.00")] if above else [])


def test_without_a_known_market_price_nothing_is_compared() -> None:
    assert found(LISHUI, price_fen=10**9) == {}
