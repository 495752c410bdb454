"""Whom Ningxia and Yinchuan admit, clause by clause."""

from __future__ import annotations

from datetime import date

import pytest

from server.rules.facts import Barred
from server.units import yuan_to_fen
from tests.rules.cast import NINGXIA, YINCHUAN, declared, enterprise_lacks, figure, provider_lacks

rules = pytest.mark.rules
WAN = yuan_to_fen(10_000)


@rules("NX-07")
def test_a_ningxia_enterprise_is_a_well_run_legal_person_of_the_region() -> None:
    assert enterprise_lacks(NINGXIA, area="宁夏回族自治区/固原市") == {}
    assert set(enterprise_lacks(NINGXIA, area="甘肃省/兰州市")) == {"area"}
    assert set(enterprise_lacks(NINGXIA, legal_person=False)) == {"legal_person"}
    badly_run = declared(NINGXIA, "growing_and_well_run", False)
    assert set(enterprise_lacks(NINGXIA, **badly_run)) == {"well_run"}
    off_direction = declared(NINGXIA, "fits_industrial_direction", False)
    assert set(enterprise_lacks(NINGXIA, **off_direction)) == {"industrial_direction"}


@rules("NX-07")
@pytest.mark.parametrize(
    ("headcount", "revenue_fen", "admitted"),
    [
        (19, 299 * WAN, True),
        (20, 300 * WAN, True),
        (300, 2_000 * WAN, True),
        (999, 50_000 * WAN, True),
        (1000, 40_000 * WAN - 1, True),
        (1000, 40_000 * WAN, False),
    ],
)
def test_ningxia_admits_micro_small_and_medium_enterprises(
    headcount: int, revenue_fen: int, admitted: bool
) -> None:
    assert (enterprise_lacks(NINGXIA, headcount=headcount, revenue_fen=revenue_fen) == {}) is admitted


@rules("NX-06")
def test_a_ningxia_provider_is_registered_in_the_region_and_able() -> None:
    assert set(provider_lacks(NINGXIA, area="甘肃省/兰州市")) == {"area"}
    assert set(provider_lacks(NINGXIA, **figure(NINGXIA, "able_to_serve", False))) == {"able"}
    assert set(provider_lacks(NINGXIA, **figure(NINGXIA, "meets_platform_rules", False))) == {
        "platform_rules"
    }


@rules("NX-35")
def test_the_ningxia_operator_takes_on_no_voucher_work() -> None:
    assert provider_lacks(NINGXIA, is_operator=True) == {"operator_itself": "申请单位即为服务券运营单位"}


@rules("NX-28")
def test_who_cheated_in_ningxia_never_claims_again() -> None:
    ban = Barred(clause="第十一条（一）", starts_on=date(2017, 1, 1))
    assert set(enterprise_lacks(NINGXIA, date(2036, 1, 1), barred=(ban,))) == {"blocklist"}


@rules("YC-11")
def test_yinchuan_serves_industrial_legal_persons_in_operation_outside_ningdong() -> None:
    assert set(enterprise_lacks(YINCHUAN, area="宁夏回族自治区/银川市/宁东")) == {"area"}
    assert set(enterprise_lacks(YINCHUAN, area="宁夏回族自治区/银川市/宁东/煤化工园区")) == {"area"}
    assert set(enterprise_lacks(YINCHUAN, area="宁夏回族自治区/吴忠市")) == {"area"}
    assert enterprise_lacks(YINCHUAN, area="宁夏回族自治区/银川市/灵武市") == {}
    assert set(enterprise_lacks(YINCHUAN, legal_person=False)) == {"legal_person"}
    stopped = declared(YINCHUAN, "operating_normally", False)
    assert set(enterprise_lacks(YINCHUAN, **stopped)) == {"operating"}


@rules("YC-11")
@pytest.mark.parametrize(
    ("industry", "admitted"), [("B06", True), ("C26", True), ("D44", True), ("E47", False), ("I65", False)]
)
def test_yinchuan_serves_mining_manufacturing_and_utilities(industry: str, admitted: bool) -> None:
    assert ("industry" not in enterprise_lacks(YINCHUAN, industry=industry)) is admitted


@rules("YC-07")
def test_a_yinchuan_provider_needs_the_ability_to_serve_and_no_figures() -> None:
    assert set(provider_lacks(YINCHUAN, **figure(YINCHUAN, "able_to_serve", False))) == {"professional"}
    assert provider_lacks(YINCHUAN, established_on=date(2026, 5, 17)) == {}


@rules("YC-29")
def test_the_yinchuan_operator_takes_on_no_voucher_work() -> None:
    assert provider_lacks(YINCHUAN, is_operator=True) == {"operator_itself": "申请单位即为服务券运营单位"}


@rules("YC-38")
def test_a_three_year_ban_in_yinchuan_bars_to_its_last_day() -> None:
    ban = Barred(clause="第十六条", starts_on=date(2026, 5, 18), ends_on=date(2029, 5, 17))
    assert set(provider_lacks(YINCHUAN, date(2029, 5, 17), barred=(ban,))) == {"blocklist"}
    assert set(enterprise_lacks(YINCHUAN, date(2029, 5, 17), barred=(ban,))) == {"blocklist"}
    assert provider_lacks(YINCHUAN, date(2029, 5, 18), barred=(ban,)) == {}
