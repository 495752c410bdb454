"""Whom Guangxi admits, clause by clause; a young subsidiary may count its parent company in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from server.programme.vocabulary import LegalForm
from server.rules.facts import Barred, ParentFacts, held
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, admissible_provider, declared, enterprise_lacks, figure, provider_lacks

rules = pytest.mark.rules
TODAY = date(2026, 5, 18)
FIGURES = {
    "core_staff_insured_one_year": 8,
    "enterprises_served_last_year": 10,
    "revenue_last_year": yuan_to_fen(2_000_000),
}
NO_FIGURES = dict.fromkeys(FIGURES, 0)


@rules("GX-05")
def test_guangxi_asks_for_a_manufacturer_above_designated_size() -> None:
    assert enterprise_lacks(GUANGXI, labels=()) == {"above_scale": "须具备其一：规模以上制造业企业"}


@rules("GX-05")
def test_a_claim_that_no_list_bears_out_admits_nobody_and_is_told_the_list() -> None:
    claimed = frozenset({"above_designated_size"})
    assert enterprise_lacks(GUANGXI, claimed=claimed) == {}
    assert enterprise_lacks(GUANGXI, claimed=claimed, labels=()) == {
        "above_scale": "须具备其一：规模以上制造业企业；"
        "自报的规模以上制造业企业未获认定，须在名单上：统计部门认定"
    }


@rules("GX-11")
@pytest.mark.parametrize(
    ("industry", "admitted"),
    [("C1310", True), ("C43", True), ("B0610", False), ("D4411", False), ("I65", False)],
)
def test_guangxi_admits_manufacturing_only(industry: str, admitted: bool) -> None:
    assert ("industry" not in enterprise_lacks(GUANGXI, industry=industry)) is admitted


@rules("GX-12")
def test_a_guangxi_enterprise_is_a_legal_person_registered_in_the_region() -> None:
    assert enterprise_lacks(GUANGXI, area="广西壮族自治区/柳州市") == {}
    assert set(enterprise_lacks(GUANGXI, area="广东省/广州市")) == {"area"}
    assert set(enterprise_lacks(GUANGXI, legal_person=False)) == {"legal_person"}


@rules("GX-13")
def test_a_guangxi_enterprise_has_a_clean_record_and_insures_its_people() -> None:
    uninsured = declared(GUANGXI, "takes_part_in_social_insurance", False)
    assert set(enterprise_lacks(GUANGXI, **uninsured)) == {"social_insurance"}
    assert set(enterprise_lacks(GUANGXI, **declared(GUANGXI, "had_major_breach", True))) == {"major_breach"}
    assert enterprise_lacks(GUANGXI, labels=held(["above_designated_size", "seriously_dishonest"])) == {
        "dishonesty": "现有：严重失信主体"
    }


@rules("GX-14")
def test_a_guangxi_enterprise_fits_the_industrial_plans() -> None:
    outside = declared(GUANGXI, "fits_industrial_plans", False)
    assert set(enterprise_lacks(GUANGXI, **outside)) == {"industrial_plans"}


@rules("GX-35")
@pytest.mark.parametrize(
    ("fact", "value", "lacks"),
    [
        ("has_bad_credit_record", True, "no_bad_record"),
        ("accepts_supervision", False, "accepts_supervision"),
        ("agrees_to_offset", False, "agrees_to_offset"),
    ],
)
def test_a_guangxi_provider_has_a_good_record_accepts_checks_and_agrees_to_offset(
    fact: str, value: bool, lacks: str
) -> None:
    assert set(provider_lacks(GUANGXI, **figure(GUANGXI, fact, value))) == {lacks}


@rules("GX-36")
def test_a_guangxi_provider_is_a_local_legal_person_or_partnership_that_pays_taxes() -> None:
    assert provider_lacks(GUANGXI, legal_form=LegalForm.PARTNERSHIP) == {}
    assert set(provider_lacks(GUANGXI, legal_form=LegalForm.INDIVIDUAL)) == {"legal_form"}
    assert set(provider_lacks(GUANGXI, legal_form=None)) == {"legal_form"}
    assert set(provider_lacks(GUANGXI, area="广东省/湛江市")) == {"area"}
    assert set(provider_lacks(GUANGXI, **figure(GUANGXI, "pays_taxes", False))) == {"pays_taxes"}


@rules("GX-37")
def test_a_guangxi_provider_has_premises_and_three_years_its_own_or_its_parents() -> None:
    assert set(provider_lacks(GUANGXI, **figure(GUANGXI, "has_local_premises", False))) == {"premises"}
    assert provider_lacks(GUANGXI, established_on=date(2023, 5, 18)) == {}
    young: dict[str, Any] = {"established_on": date(2023, 5, 19)}
    assert provider_lacks(GUANGXI, **young) == {"operated": "成立 35 个月 < 36 个月（2026-05-19 起满足）"}
    old_parent = ParentFacts(name="区外母公司", established_on=date(2023, 5, 18))
    assert provider_lacks(GUANGXI, **young, parent=old_parent) == {}
    young_parent = replace(old_parent, established_on=date(2023, 5, 19))
    assert set(provider_lacks(GUANGXI, **young, parent=young_parent)) == {"operated"}


@rules("GX-38")
@pytest.mark.parametrize(
    ("fact", "least", "condition", "arithmetic"),
    [
        ("core_staff_insured_one_year", 8, "core_staff", "7 < 8"),
        ("enterprises_served_last_year", 10, "clients", "9 < 10"),
        ("revenue_last_year", 200_000_000, "revenue", "1,999,999.99 < 2,000,000.00"),
    ],
)
def test_a_guangxi_provider_has_eight_people_ten_clients_and_two_million_revenue(
    fact: str, least: int, condition: str, arithmetic: str
) -> None:
    assert provider_lacks(GUANGXI, **figure(GUANGXI, fact, least)) == {}
    assert provider_lacks(GUANGXI, **figure(GUANGXI, fact, least - 1)) == {condition: arithmetic}


@rules("GX-38")
@pytest.mark.parametrize(
    ("established_on", "lacks"),
    [
        (date(2025, 5, 19), set()),
        (date(2025, 5, 18), {"core_staff", "clients", "revenue"}),
    ],
)
def test_a_parents_figures_count_only_while_the_subsidiary_is_younger_than_a_year(
    established_on: date, lacks: set[str]
) -> None:
    parent = ParentFacts(name="区外母公司", established_on=date(2010, 1, 1), declarations=FIGURES)
    own = {**admissible_provider(GUANGXI).declarations, **NO_FIGURES}
    facts: dict[str, Any] = {"established_on": established_on, "declarations": own}
    assert set(provider_lacks(GUANGXI, TODAY, **facts, parent=parent)) == lacks
    assert set(provider_lacks(GUANGXI, TODAY, **facts)) >= {"core_staff", "clients", "revenue"}


@rules("GX-39")
def test_a_guangxi_provider_is_on_no_list_of_the_seriously_dishonest() -> None:
    listed = held(["seriously_dishonest_institution"])
    assert set(provider_lacks(GUANGXI, labels=listed)) == {"dishonesty"}


@rules("GX-46")
def test_a_guangxi_provider_that_lied_is_barred_for_good() -> None:
    ban = Barred(clause="第十六条", starts_on=date(2024, 12, 1))
    assert provider_lacks(GUANGXI, date(2027, 9, 4), barred=(ban,)) == {
        "blocklist": "自 2024-12-01 至 长期，依据第十六条"
    }
