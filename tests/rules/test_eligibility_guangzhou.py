"""Whom Guangzhou admits, clause by clause; recognised platforms have a validity with an extension."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.rules.eligibility import category_unmet
from server.rules.facts import Barred, HeldLabel, held
from server.units import yuan_to_fen
from tests.rules.cast import (
    GUANGZHOU,
    declared,
    eligible_enterprise,
    enterprise_lacks,
    programme,
    provider_lacks,
    size_standard,
)

rules = pytest.mark.rules
WAN = yuan_to_fen(10_000)


@rules("GZ-11")
def test_a_guangzhou_enterprise_is_a_well_run_legal_person_of_the_city() -> None:
    assert enterprise_lacks(GUANGZHOU, area="广东省/广州市/从化区") == {}
    assert set(enterprise_lacks(GUANGZHOU, area="广东省/佛山市")) == {"area"}
    assert set(enterprise_lacks(GUANGZHOU, legal_person=False)) == {"legal_person"}
    assert set(enterprise_lacks(GUANGZHOU, **declared(GUANGZHOU, "well_run", False))) == {"well_run"}
    off_policy = declared(GUANGZHOU, "fits_industrial_policy", False)
    assert set(enterprise_lacks(GUANGZHOU, **off_policy)) == {"industrial_policy"}


@rules("GZ-03")
def test_an_enterprise_comes_with_a_verified_account_of_its_own() -> None:
    unverified = declared(GUANGZHOU, "verified_account", False)
    assert set(enterprise_lacks(GUANGZHOU, **unverified)) == {"account"}
    assert enterprise_lacks(GUANGZHOU, **declared(GUANGZHOU, "verified_account", True)) == {}


@rules("GZ-11")
def test_guangzhou_turns_away_who_is_on_the_national_blacklist_or_large() -> None:
    assert set(enterprise_lacks(GUANGZHOU, labels=held(["joint_punishment_listed"]))) == {"joint_punishment"}
    assert set(enterprise_lacks(GUANGZHOU, headcount=1000, revenue_fen=40_000 * WAN)) == {"size"}
    for headcount, revenue_fen in ((999, 40_000 * WAN), (299, 2_000 * WAN), (19, 0)):
        assert enterprise_lacks(GUANGZHOU, headcount=headcount, revenue_fen=revenue_fen) == {}


@rules("GZ-104")
@pytest.mark.parametrize("city", ["珠海市", "佛山市", "云浮市"])
def test_enterprises_of_the_other_cities_on_the_system_do_not_claim_here(city: str) -> None:
    assert set(enterprise_lacks(GUANGZHOU, area=f"广东省/{city}")) == {"area"}
    assert city in programme(GUANGZHOU).jurisdiction.sharing


@rules("GZ-06")
@pytest.mark.parametrize(
    ("label", "area", "lacks"),
    [
        ("city_platform", "广东省/广州市", set()),
        ("service_station", "广东省/广州市", set()),
        ("national_platform", "广东省/广州市", set()),
        ("provincial_platform", "广东省/深圳市", set()),
        ("national_platform", "湖南省/长沙市", {"in_province"}),
        ("city_platform", "广东省/深圳市", {"in_city"}),
        ("service_station", "广东省/深圳市", {"in_city"}),
        ("somebody_else", "广东省/广州市", {"recognised"}),
    ],
)
def test_only_recognised_platforms_and_stations_of_the_right_place_are_admitted(
    label: str, area: str, lacks: set[str]
) -> None:
    assert set(provider_lacks(GUANGZHOU, labels=held([label]), area=area)) == lacks


@rules("GZ-81")
def test_who_is_not_on_the_list_of_institutions_cannot_register() -> None:
    assert set(provider_lacks(GUANGZHOU, labels=())) == {"recognised"}


@rules("GZ-06", "GZ-07")
@pytest.mark.parametrize(
    ("code", "recognised_in", "on", "lacks"),
    [
        ("provincial_platform", 2018, date(2020, 6, 22), set()),
        ("provincial_platform", 2018, date(2020, 6, 23), {"recognised"}),
        ("provincial_platform", 2017, date(2020, 12, 31), set()),
        ("provincial_platform", 2017, date(2021, 1, 1), {"recognised"}),
        ("national_platform", 2017, date(2020, 12, 31), {"recognised"}),
    ],
)
def test_recognition_ends_and_only_the_provincial_cohort_of_2017_is_held_valid_longer(
    code: str, recognised_in: int, on: date, lacks: set[str]
) -> None:
    label = HeldLabel(code=code, recognised_in=recognised_in, valid_until=date(2020, 6, 22))
    assert set(provider_lacks(GUANGZHOU, on, labels=(label,))) == lacks


@rules("GZ-16")
def test_startup_services_are_for_small_enterprises_up_to_three_years_old() -> None:
    rules_of_2020 = programme(GUANGZHOU)
    startup = next(category for category in rules_of_2020.categories if category.name == "创业服务")
    young = replace(eligible_enterprise(GUANGZHOU), established_on=date(2017, 6, 22))

    def lacks(on: date, **facts: object) -> set[str]:
        changed = replace(young, **facts)  # type: ignore[arg-type]
        found = category_unmet(rules_of_2020, startup, changed, on, size_standard())
        return {one.code for one in found}

    assert lacks(date(2020, 6, 22)) == set()
    assert lacks(date(2020, 6, 23)) == {"young"}
    assert lacks(date(2020, 6, 22), headcount=300, revenue_fen=2_000 * WAN) == {"small"}
    assert lacks(date(2020, 6, 22), headcount=19, revenue_fen=0) == set()


@rules("GZ-56")
def test_who_cheated_in_guangzhou_never_claims_again() -> None:
    ban = Barred(clause="声明函三", starts_on=date(2020, 5, 1))
    assert set(enterprise_lacks(GUANGZHOU, date(2030, 1, 1), barred=(ban,))) == {"blocklist"}
