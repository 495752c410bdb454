"""Contracts and settlements: what must hold besides the papers."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.rules.contracts import ContractFacts, contract_unmet, settlement_unmet
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
NAMES = frozenset({"甲公司", "乙机构"})
SOUND = ContractFacts(
    signed_on=date(2020, 6, 1),
    service_starts_on=date(2020, 6, 2),
    acceptance_on=date(2020, 9, 1),
    party_names=NAMES,
    registered_names=NAMES,
)


def faults(slug: str, on: date = date(2020, 6, 22), **changes: object) -> list[str]:
    contract = replace(SOUND, **changes)  # type: ignore[arg-type]
    return [one.code for one in contract_unmet(programme(slug), contract, on)]


@pytest.mark.parametrize("slug", [LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN])
def test_a_sound_contract_has_no_fault(slug: str) -> None:
    assert faults(slug) == []


@rules("LS-66")
@pytest.mark.parametrize(
    ("signed_on", "found"),
    [
        (date(2026, 1, 1), []),
        (date(2026, 12, 31), []),
        (date(2025, 12, 31), ["signed_this_year"]),
        (date(2027, 1, 1), ["signed_this_year"]),
    ],
)
def test_a_lishui_contract_is_signed_in_the_current_year(signed_on: date, found: list[str]) -> None:
    assert faults(LISHUI, date(2026, 5, 18), signed_on=signed_on) == found


@rules("GZ-35", "GZ-63")
@pytest.mark.parametrize(
    ("starts", "accepted", "found"),
    [
        (date(2019, 12, 1), date(2020, 11, 30), []),
        (date(2019, 11, 30), date(2020, 11, 30), ["in_service_window"]),
        (date(2019, 12, 1), date(2020, 12, 1), ["in_service_window"]),
    ],
)
def test_a_guangzhou_service_starts_and_is_accepted_in_the_service_window(
    starts: date, accepted: date, found: list[str]
) -> None:
    # The contract itself may be older than the order and than the year.
    facts = {"signed_on": date(2019, 11, 1), "service_starts_on": starts, "acceptance_on": accepted}
    assert faults(GUANGZHOU, **facts) == found


@rules("GZ-64")
def test_a_guangzhou_contract_bears_the_registered_names_exactly() -> None:
    assert faults(GUANGZHOU, party_names=frozenset({"甲公司", "乙 机构"})) == ["names_match"]


@pytest.mark.parametrize(
    ("slug", "fact"),
    [
        pytest.param(GUANGZHOU, "matches_offering", marks=rules("GZ-34", "GZ-49")),
        pytest.param(GUANGZHOU, "consistent_with_past", marks=rules("GZ-65", "GZ-66")),
        pytest.param(YINCHUAN, "names_price_parts"),
    ],
)
def test_a_contract_that_differs_is_found_by_the_fact_alone(slug: str, fact: str) -> None:
    assert faults(slug, **{fact: False}) == [fact]


def lacks(slug: str, *, rated: bool, result_on: date, submitted_on: date) -> list[str]:
    found = settlement_unmet(programme(slug), rated=rated, result_on=result_on, submitted_on=submitted_on)
    return [one.code for one in found]


@rules("NX-21")
def test_ningxia_settles_only_what_the_enterprise_has_rated() -> None:
    day = date(2026, 5, 18)
    assert lacks(NINGXIA, rated=False, result_on=day, submitted_on=day) == ["not_rated"]
    assert lacks(NINGXIA, rated=True, result_on=day, submitted_on=day) == []
    assert lacks(LISHUI, rated=False, result_on=day, submitted_on=day) == []


@rules("YC-26")
@pytest.mark.parametrize(
    ("result_on", "submitted_on", "found"),
    [
        (date(2026, 1, 1), date(2026, 12, 31), []),
        (date(2025, 12, 31), date(2026, 1, 1), ["other_year"]),
        (date(2026, 12, 31), date(2027, 1, 1), ["other_year"]),
    ],
)
def test_yinchuan_pays_in_the_year_of_the_result(
    result_on: date, submitted_on: date, found: list[str]
) -> None:
    assert lacks(YINCHUAN, rated=True, result_on=result_on, submitted_on=submitted_on) == found
    assert lacks(NINGXIA, rated=True, result_on=result_on, submitted_on=submitted_on) == []
