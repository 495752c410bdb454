"""Whom Lishui admits, clause by clause."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from server.programme.vocabulary import LegalForm
from server.rules.facts import Barred, HeldLabel, held
from server.units import yuan_to_fen
from tests.rules.cast import LISHUI, declared, enterprise_lacks, figure, provider_lacks

rules = pytest.mark.rules
WAN = yuan_to_fen(10_000)


@rules("LS-10")
@pytest.mark.parametrize(
    ("area", "lacks"),
    [
        ("浙江省/丽水市/市直", set()),
        ("浙江省/丽水市/莲都区", set()),
        ("浙江省/丽水市/莲都区/紫金街道", set()),
        ("浙江省/丽水市/丽水经开区", set()),
        ("浙江省/丽水市", {"area"}),
        ("浙江省/丽水市/青田县", {"area"}),
        ("浙江省/丽水市/莲都区的邻居", {"area"}),
    ],
)
def test_lishui_admits_its_three_urban_areas_and_what_lies_in_them(area: str, lacks: set[str]) -> None:
    assert set(enterprise_lacks(LISHUI, area=area)) == lacks


@rules("LS-10")
def test_lishui_asks_for_an_independent_legal_person_in_its_industrial_direction() -> None:
    assert set(enterprise_lacks(LISHUI, legal_person=False)) == {"legal_person"}
    assert set(enterprise_lacks(LISHUI, **declared(LISHUI, "fits_industrial_direction", False))) == {
        "industrial_direction"
    }
    assert enterprise_lacks(LISHUI, declarations={}) == {"industrial_direction": "填报为“未填报”，须为“是”"}


@rules("LS-10")
@pytest.mark.parametrize(
    ("industry", "labels", "admitted"),
    [
        ("B0610", [], True),
        ("C2652", [], True),
        ("D4420", [], True),
        ("6510", [], True),
        ("F5199", [], False),
        ("F5199", ["digital_economy_firm"], True),
        ("A0111", [], False),
        ("J66", ["digital_economy_firm"], True),
    ],
)
def test_lishui_admits_industry_informatisation_and_the_digital_economy(
    industry: str, labels: list[str], admitted: bool
) -> None:
    assert ("field" not in enterprise_lacks(LISHUI, industry=industry, labels=held(labels))) is admitted


@rules("LS-10")
def test_lishui_admits_micro_small_and_medium_enterprises_up_to_the_last_fen() -> None:
    large = {"headcount": 1000, "revenue_fen": 40_000 * WAN}
    assert set(enterprise_lacks(LISHUI, **large)) == {"size"}
    assert enterprise_lacks(LISHUI, **{**large, "headcount": 999}) == {}
    assert enterprise_lacks(LISHUI, **{**large, "revenue_fen": 40_000 * WAN - 1}) == {}
    small = {"headcount": 299, "revenue_fen": 1_999 * WAN}
    micro = {"headcount": 19, "revenue_fen": 1_999 * WAN}
    assert enterprise_lacks(LISHUI, **small) == enterprise_lacks(LISHUI, **micro) == {}


@rules("LS-10")
def test_a_size_that_cannot_be_told_is_not_met_and_says_why() -> None:
    assert enterprise_lacks(
        LISHUI, industry="E47", assets_fen=None, labels=held(["digital_economy_firm"])
    ) == {"size": "“建筑业”划型需要资产总额，请补充"}
    lacks = enterprise_lacks(LISHUI, industry="C99")
    assert lacks["field"] == lacks["size"]
    assert "C99" in lacks["size"]


@rules("LS-11")
def test_lishui_turns_class_d_away() -> None:
    assert set(enterprise_lacks(LISHUI, labels=held(["per_mu_rated_d"]))) == {"performance"}
    over = HeldLabel(code="per_mu_rated_d", valid_until=date(2026, 5, 17))
    assert enterprise_lacks(LISHUI, labels=(over,)) == {}


@rules("LS-12")
@pytest.mark.parametrize(
    ("established_on", "lacks"),
    [(date(2025, 5, 17), set()), (date(2025, 5, 18), set()), (date(2025, 5, 19), {"established"})],
)
def test_lishui_asks_for_twelve_months_on_the_day_of_the_application(
    established_on: date, lacks: set[str]
) -> None:
    facts = {"established_on": established_on, "applied_on": date(2026, 5, 18)}
    assert set(enterprise_lacks(LISHUI, **facts)) == lacks
    # A year later the day of the application still counts.
    assert set(enterprise_lacks(LISHUI, date(2026, 12, 31), **facts)) == lacks


@rules("LS-13")
def test_lishui_turns_away_who_ever_broke_the_rules() -> None:
    assert enterprise_lacks(LISHUI, violation_years=(2017,)) == {"past_violation": "违规年度：2017"}


@rules("LS-33")
@pytest.mark.parametrize(
    ("facts", "declaration", "lacks"),
    [
        ({"legal_person": False}, {}, {"legal_person"}),
        ({"established_on": date(2024, 5, 18)}, {}, set()),
        ({"established_on": date(2024, 5, 19)}, {}, {"operated"}),
        ({}, {"profit_last_year": 0}, set()),
        ({}, {"profit_last_year": -1}, {"no_loss"}),
        ({"legal_form": LegalForm.PUBLIC_INSTITUTION}, {"profit_last_year": -1}, set()),
        ({}, {"honest_and_sound": False}, {"sound_finances"}),
    ],
)
def test_a_lishui_provider_is_a_legal_person_two_years_old_and_without_loss(
    facts: dict[str, Any], declaration: dict[str, object], lacks: set[str]
) -> None:
    for fact, value in declaration.items():
        facts = facts | figure(LISHUI, fact, value)
    assert set(provider_lacks(LISHUI, **facts)) == lacks


@rules("LS-34", "LS-35", "LS-36")
@pytest.mark.parametrize(
    ("fact", "value", "lacks"),
    [
        ("premises_square_metres", 50, {}),
        ("premises_square_metres", 49, {"premises": "49 < 50"}),
        ("has_service_qualification", False, {"qualified": "填报为“否”，须为“是”"}),
        ("has_management_system", False, {"management": "填报为“否”，须为“是”"}),
        ("full_time_staff", 5, {}),
        ("full_time_staff", 4, {"staff": "4 < 5"}),
        ("full_time_staff", None, {"staff": "未填报"}),
        ("full_time_staff", True, {"staff": "未填报"}),
    ],
)
def test_a_lishui_provider_has_fifty_square_metres_five_people_and_its_papers(
    fact: str, value: object, lacks: dict[str, str]
) -> None:
    assert provider_lacks(LISHUI, **figure(LISHUI, fact, value)) == lacks


@rules("LS-43")
def test_a_removed_lishui_provider_is_not_admitted_again_while_its_ban_runs() -> None:
    ban = Barred(clause="三（四）1", starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 18))
    assert provider_lacks(LISHUI, barred=(ban,)) == {
        "blocklist": "自 2026-05-01 至 2026-05-18，依据三（四）1"
    }
    assert provider_lacks(LISHUI, date(2026, 5, 19), barred=(ban,)) == {}
    assert provider_lacks(LISHUI, date(2026, 4, 30), barred=(ban,)) == {}
    for_good = replace(ban, ends_on=None)
    assert set(provider_lacks(LISHUI, date(2026, 5, 19) + timedelta(days=9999), barred=(for_good,))) == {
        "blocklist"
    }
