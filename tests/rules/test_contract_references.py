"""Contracts: who makes one, where it is signed, and what its facts must be."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.contracts import (
    CONTRACT_MOVES,
    ContractStatus,
    ReferenceFacts,
    holds_several,
    reference_unmet,
    signed_by_both_here,
)
from server.rules.order_walk import sides
from tests.programmes.conftest import REAL

PROGRAMMES = Programmes.load(REAL)
NINGXIA = PROGRAMMES.get("ningxia-2016")
TODAY = date(2026, 5, 18)
GOOD = ReferenceFacts(
    signed_on=TODAY,
    category="consulting_services",
    enterprise_uscc="A",
    enterprise_name="甲公司",
    registered_enterprise_names=frozenset({"甲公司"}),
    provider_uscc="B",
    provider_name="乙公司",
    registered_provider_names=frozenset({"乙公司", "乙中心"}),
)


@pytest.mark.parametrize(
    ("slug", "parties"),
    [
        ("yinchuan-2024", {Party.PROVIDER}),
        ("ningxia-2016", set(Party)),
        ("guangxi-2024", set(Party)),
    ],
)
def test_the_programme_names_who_makes_a_contract(slug: str, parties: set[Party]) -> None:
    making = {StepKind.SIGN_CONTRACT, StepKind.UPLOAD_CONTRACT}
    (step,) = [one for one in PROGRAMMES.get(slug).order_steps if one.kind in making]
    assert sides(step) == parties


@pytest.mark.rules("YC-15")
def test_one_contract_holds_several_projects_only_where_its_cap_is_for_all_of_them() -> None:
    several = [one.slug for one in PROGRAMMES if holds_several(one, one.categories[0].code)]
    assert several == ["yinchuan-2024"]


@pytest.mark.rules("GX-52")
def test_only_an_electronic_contract_is_signed_on_the_platform() -> None:
    assert [one.slug for one in PROGRAMMES if signed_by_both_here(one)] == ["guangxi-2024"]


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"signed_on": date(2026, 5, 19)}, ["signed_later"]),
        ({"signed_on": date(2016, 6, 24)}, []),
        ({"signed_on": date(2016, 6, 23)}, ["outside_validity"]),
        ({"category": "gardening"}, ["unknown_category"]),
        ({"provider_uscc": "A"}, ["same_party"]),
        ({"enterprise_name": "甲中心"}, ["names_match"]),
        ({"provider_name": "乙中心"}, []),
        ({"provider_name": "丙公司"}, ["names_match"]),
        # Nothing to compare with.
        ({"provider_name": "丙公司", "registered_provider_names": frozenset()}, []),
    ],
)
def test_everything_wrong_with_a_reference_is_named(changes: dict[str, object], codes: list[str]) -> None:
    unmet = reference_unmet(NINGXIA, replace(GOOD, **changes), TODAY)
    assert [one.code for one in unmet] == codes
    assert all(one.clause and one.message for one in unmet)


def test_where_the_text_asks_for_this_years_contract_last_years_is_none() -> None:
    strict = replace(NINGXIA, contract=replace(NINGXIA.contract, signed_this_year=True))
    facts = replace(GOOD, signed_on=date(2025, 12, 31))
    assert [one.code for one in reference_unmet(strict, facts, TODAY)] == ["signed_this_year"]
    assert reference_unmet(NINGXIA, facts, TODAY) == ()


def test_what_has_ended_never_comes_back() -> None:
    assert CONTRACT_MOVES[ContractStatus.FAILED] == CONTRACT_MOVES[ContractStatus.WITHDRAWN] == frozenset()
