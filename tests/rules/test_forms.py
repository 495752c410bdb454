"""Forms: what a programme asks of who joins it, and everything that is wrong with what was filled in."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.vocabulary import LegalForm, SizeClass
from server.rules.forms import Filled, Known, form_fields, keys_of, mask, missing, names_of, value_faults

TODAY = date(2020, 9, 1)
REPRESENTATIVE, HANDLER = "360426199101010071", "330102198506150016"


@pytest.fixture
def city() -> Programme:
    """The programme whose enterprise signs the longest declaration."""
    return load_programme(Path("config/programmes/guangzhou-2020.toml"))


KNOWN = Known(
    name="晨光精密机械有限公司",
    headcount=42,
    revenue_fen=1_000_000_000,
    assets_fen=800_000_000,
    legal_form=LegalForm.LEGAL_PERSON,
    size_class=SizeClass.SMALL,
)


def declared(**others: Any) -> Filled:
    """A form without a fault, but for what ``others`` say about the declaration's fields."""
    declaration = {
        "name": KNOWN.name,
        "legal_representative": "李明",
        "legal_representative_id": REPRESENTATIVE,
        "address": "天河区一号",
        "registered_capital": 500_000_000,
        "industry": "通用设备制造业",
        "headcount": 42,
        "revenue": 1_000_000_000,
        "assets": 800_000_000,
        "size_class": "小型",
        "handler": "王芳",
        "handler_id": HANDLER,
        "handler_phone": "13800000000",
        "seal": True,
        "legal_representative_signature": True,
        "handler_signature": True,
        "date": "2020-08-30",
        **others,
    }
    return Filled(
        values={
            "well_run": True,
            "fits_industrial_policy": True,
            "verified_account": True,
            "contact.name": "王芳",
            "contact.phone": "020-88888888",
            **{f"declaration.{code}": value for code, value in declaration.items() if value is not None},
        },
        documents={"licence": 1, "tax": 1, "declaration": 1},
        undertakings=frozenset({"declaration"}),
    )


def all_faults(programme: Programme, filled: Filled, on: date = TODAY) -> list[str]:
    rules = programme.enterprise
    return [
        one.code
        for one in (
            *value_faults(rules, filled, KNOWN, on),
            *missing(programme, rules, filled, KNOWN, on),
        )
    ]


@pytest.mark.rules("GZ-54", "GZ-55", "GZ-57")
def test_a_complete_declaration_has_no_fault(city: Programme) -> None:
    assert all_faults(city, declared()) == []


@pytest.mark.rules("GZ-54", "GZ-57")
@pytest.mark.parametrize(
    "field",
    [
        "name",
        "legal_representative",
        "legal_representative_id",
        "address",
        "registered_capital",
        "industry",
        "headcount",
        "revenue",
        "assets",
        "size_class",
        "handler",
        "handler_id",
        "handler_phone",
    ],
)
def test_every_field_of_the_declaration_is_asked_for(city: Programme, field: str) -> None:
    assert all_faults(city, declared(**{field: None})) == [f"declaration.{field}"]


@pytest.mark.rules("GZ-57")
@pytest.mark.parametrize(
    ("field", "value", "faults"),
    [
        ("seal", False, ["declaration.sealed", "declaration.seal"]),
        (
            "legal_representative_signature",
            False,
            ["declaration.hand_signed", "declaration.legal_representative_signature"],
        ),
        ("handler_signature", None, ["declaration.hand_signed", "declaration.handler_signature"]),
        ("date", "2019-12-31", ["declaration.dated_this_year"]),
        ("date", "2020-01-01", []),
        ("date", None, ["declaration.dated_this_year", "declaration.date"]),
    ],
)
def test_seal_hand_signature_and_a_date_of_the_year_are_owed(
    city: Programme, field: str, value: object, faults: list[str]
) -> None:
    assert all_faults(city, declared(**{field: value})) == faults


@pytest.mark.parametrize(
    ("number", "says"),
    [
        (REPRESENTATIVE[:-1], "17 ≠ 18"),
        (REPRESENTATIVE[:-1] + "2", ""),
        ("36042619910101007", "17 ≠ 18"),
        ("36042619910101A071", ""),
        ("360426199113010079", ""),
    ],
)
def test_a_wrong_identity_number_is_found_without_saying_the_right_digit(
    city: Programme, number: str, says: str
) -> None:
    found = value_faults(city.enterprise, declared(legal_representative_id=number), KNOWN, TODAY)
    assert [(one.code, one.arithmetic) for one in found] == [("declaration.legal_representative_id", says)]
    assert REPRESENTATIVE[-1] not in found[0].message.replace("18", "").replace("17", "")


def test_an_identity_number_of_the_wrong_person_is_found(city: Programme) -> None:
    same = value_faults(city.enterprise, declared(handler_id=REPRESENTATIVE), KNOWN, TODAY)
    one_man = declared(handler="李明", handler_id=REPRESENTATIVE)
    two_numbers = value_faults(city.enterprise, declared(handler="李明"), KNOWN, TODAY)
    assert [one.code for one in same] == ["declaration.handler_id"]
    assert "他人" in same[0].message
    # Who is legal representative and handler in one person has one number.
    assert value_faults(city.enterprise, one_man, KNOWN, TODAY) == ()
    assert [one.code for one in two_numbers] == ["declaration.handler_id"]


@pytest.mark.rules("GZ-54", "GZ-75")
def test_the_declaration_may_not_contradict_what_is_registered(city: Programme) -> None:
    filled = declared(name="别的公司", headcount=43, revenue=1, size_class="微型")
    found = value_faults(city.enterprise, filled, KNOWN, TODAY)
    assert [(one.code, one.arithmetic) for one in found] == [
        ("declaration.name", "别的公司 ≠ 晨光精密机械有限公司"),
        ("declaration.headcount", "43 ≠ 42"),
        ("declaration.revenue", "1 ≠ 1000000000"),
        ("declaration.size_class", "微型 ≠ 小型"),
    ]
    assert {one.clause for one in found} == {"声明函一"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("headcount", "42"),
        ("headcount", True),
        ("headcount", -1),
        ("revenue", 0.5),
        ("size_class", "巨型"),
        ("date", "2020-9-1"),
        ("date", "2020-02-30"),
        ("handler_phone", "12345"),
        ("seal", "yes"),
        ("address", ""),
    ],
)
def test_a_value_of_the_wrong_kind_is_found(city: Programme, field: str, value: object) -> None:
    found = value_faults(city.enterprise, declared(**{field: value}), KNOWN, TODAY)
    assert f"declaration.{field}" in {one.code for one in found}


@pytest.mark.rules("GZ-04", "GZ-59")
def test_the_papers_of_an_enterprise_are_named_all_at_once(city: Programme) -> None:
    nothing = all_faults(city, Filled())
    assert nothing[:3] == ["well_run", "fits_industrial_policy", "verified_account"]
    assert {"documents.tax_or_insurance", "documents.licence", "documents.declaration"} <= set(nothing)
    assert nothing[-1] == "undertakings.declaration"
    assert (
        all_faults(
            city, replace(declared(), documents={"licence": 1, "social_insurance": 1, "declaration": 1})
        )
        == []
    )


@pytest.mark.rules("LS-44")
def test_a_programme_that_wants_a_trained_contact_asks_for_one() -> None:
    programme = load_programme(Path("config/programmes/lishui-2024.toml"))
    asked = [one.code for one in missing(programme, programme.provider, Filled(), KNOWN, TODAY)]
    assert {"contact.name", "contact.phone", "responsible_contact"} <= set(asked)
    unasked = [one.code for one in missing(programme, programme.enterprise, Filled(), KNOWN, TODAY)]
    assert "contact.name" not in unasked


@pytest.mark.rules("GX-37", "GX-38")
def test_a_parent_company_is_asked_for_where_its_figures_count() -> None:
    programme = load_programme(Path("config/programmes/guangxi-2024.toml"))
    keys = [one.key for one in form_fields(programme.provider) if one.key.startswith("parent.")]
    assert keys == [
        "parent.name",
        "parent.established_on",
        "parent.core_staff_insured_one_year",
        "parent.enterprises_served_last_year",
        "parent.revenue_last_year",
    ]
    half = Filled(values={"parent.revenue_last_year": 1})
    asked = [one.code for one in missing(programme, programme.provider, half, KNOWN, TODAY)]
    assert {"parent.name", "parent.established_on"} <= set(asked)


@pytest.mark.parametrize("file", sorted(Path("config/programmes").glob("*.toml")), ids=lambda file: file.stem)
def test_every_key_of_every_form_has_one_name(file: Path) -> None:
    programme = load_programme(file)
    for rules in (programme.enterprise, programme.provider):
        assert set(names_of(rules)) == keys_of(rules)
        assert len({one.key for one in form_fields(rules)}) == len(form_fields(rules))


def test_a_number_is_masked_so_that_its_owner_knows_it() -> None:
    assert (mask(REPRESENTATIVE), mask("13800000000"), mask("123")) == (
        "360***********0071",
        "138****0000",
        "***",
    )
