"""Yearly notices: read strictly, within what the programme lets them set, and laid over it kind by kind."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.programme.faults import ProgrammeError
from server.programme.model import Programme
from server.programme.notices import YearlyNotices, kinds_of, load_notice, scoped, terms_of
from server.programme.registry import Programmes
from server.rules.scope import scope_unmet
from server.settings import Settings

EXAMPLE = Path("tests/notices/guangxi-2024-2026.toml")
GUANGXI = "guangxi-2024"

SMALL = """
programme = "ningxia-2016"
year = 2026
name = "二〇二六年度通知（虚构）"
issued_on = 2026-01-05

[[kind]]
article = "通知一"
{sets}
"""


@pytest.fixture(scope="module")
def known(programmes: Programmes) -> Programmes:
    return programmes


@pytest.fixture
def guangxi(known: Programmes) -> Programme:
    return known.get(GUANGXI)


def test_the_server_has_no_notice_that_nobody_published(known: Programmes) -> None:
    directory = Settings(mode="test").notices_dir
    assert directory.is_dir()
    notices = YearlyNotices.load(directory, known)
    assert [notices.get(GUANGXI, year) for year in (2024, 2025, 2026, 2027)] == [None] * 4


@pytest.mark.rules("GX-15", "GX-47")
def test_everything_about_the_special_voucher_comes_from_the_notice(
    known: Programmes, guangxi: Programme
) -> None:
    notice = load_notice(EXAMPLE, known)
    without = terms_of(guangxi, "special", None)
    assert without.issuance.tiers == ()
    assert [rule.voucher_kind for rule in without.deduction] == []
    special = terms_of(guangxi, "special", notice)
    assert [tier.face_value_fen for tier in special.issuance.tiers] == [15_000_000]
    assert [(rule.rate_bp, rule.project_cap_fen, rule.article) for rule in special.deduction] == [
        (6_000, 12_000_000, "通知第六条")
    ]
    assert [one.code for one in special.categories] == ["digital_transformation_services"]
    assert special.enterprise_conditions[-1].article == "通知第四条"
    assert special.version == guangxi.version


@pytest.mark.rules("GX-10", "GX-34")
def test_the_general_voucher_keeps_what_the_notice_leaves_out(known: Programmes, guangxi: Programme) -> None:
    notice = load_notice(EXAMPLE, known)
    general = terms_of(guangxi, "general", notice)
    assert general.issuance.tiers == guangxi.issuance.tiers
    assert general.categories[:-1] == guangxi.categories[:-1]
    assert general.enterprise_conditions == guangxi.enterprise_conditions
    rates = {rule.code: (rule.rate_bp, rule.project_cap_fen) for rule in general.deduction}
    assert rates == {"diagnosis": (7_000, 900_000), "other": (5_000, 3_000_000)}
    assert terms_of(guangxi, "general", None).deduction == guangxi.deduction


FOCUS = "annual_focus_services"


@pytest.mark.rules("GX-22")
def test_what_the_annual_document_names_is_bought_once_it_is_published(
    known: Programmes, guangxi: Programme
) -> None:
    notice = load_notice(EXAMPLE, known)
    (unmet,) = scope_unmet(guangxi, FOCUS, ["碳足迹核算"])
    assert (unmet.code, unmet.clause) == ("not_announced", "第七条（一）7")
    # Not even under the words by which the text refers to the document.
    assert scope_unmet(guangxi, FOCUS, ["以年度申报文件为准"])
    for announced in (scoped(guangxi, notice), terms_of(guangxi, "general", notice)):
        category = announced.category(FOCUS)
        assert category is not None
        assert category.covers == ("海外市场合规咨询", "碳足迹核算")
        assert scope_unmet(announced, FOCUS, ["碳足迹核算"]) == ()
        assert scope_unmet(announced, "diagnosis_services", ["碳足迹核算"])


@pytest.mark.rules("GX-22")
def test_a_notice_adds_to_what_a_category_of_the_text_counts_in(
    known: Programmes, guangxi: Programme, tmp_path: Path
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8").replace(FOCUS, "financing_services")
    file = tmp_path / EXAMPLE.name
    file.write_text(text, encoding="utf-8")
    more = scoped(guangxi, load_notice(file, known)).category("financing_services")
    before = guangxi.category("financing_services")
    assert more is not None and before is not None
    assert more.covers == (*before.covers, "海外市场合规咨询", "碳足迹核算")


def test_a_programme_without_kinds_has_one(known: Programmes) -> None:
    ningxia = known.get("ningxia-2016")
    assert kinds_of(ningxia) == ("",)
    assert terms_of(ningxia, "", None) == ningxia


# what is replaced, by what, the key, found, expected
MISTAKES = [
    ('programme = "guangxi-2024"', 'programme = "nowhere"', "programme", '"nowhere"', "slug"),
    ('programme = "guangxi-2024"', 'programme = "lishui-2024"', "programme", "lishui", "yearly notice"),
    ("year = 2026", "year = 2027", "", "the file name", "guangxi-2024-2027.toml"),
    ('code = "special"', 'code = "golden"', "kind[0].code", '"golden"', "general, special"),
    ('code = "general"', 'code = "special"', "kind[1]", '"special" again', "only once"),
    ('direction = "支持重点企业数字化改造项目"\n', "", "kind[0].direction", "nothing", "everything"),
    ("face_value_yuan = 150000", "face_value_yuan = 0.001", "kind[0].tier[0].face_value_yuan", "0.001",
     "fen"),
    ('article = "通知第七条"\n\n', "\n", "kind[1]", "neither `article`", "the clause"),
    ("budget_yuan = 250000", "budget_fen = 250000", "kind[0].budget_fen", "unknown key", "budget_yuan"),
    ("closes_on = 2026-10-31", "closes_on = 2026-03-31", "kind[0].closes_on", "2026-03-31", "or later"),
    ('categories = ["digital_transformation_services"]', 'categories = ["gardening"]',
     "kind[0].categories[0]", '"gardening"', "a category"),
    ('categories = ["diagnosis_services"]', 'categories = ["gardening"]', "kind[1].deduction[0]",
     "an unknown category", "categories"),
    ('voucher_kind = "general"', 'voucher_kind = "special"', "kind[1].deduction[0].voucher_kind",
     '"special"', '"general"'),
    ('"regional_smart_factory"]', '"smartest_factory"]', "kind[0].condition[0]", "an unknown label",
     "labels"),
    ('code = "annual_focus_services"', 'code = "gardening"', "category[0].code", '"gardening"', "a category"),
    ('covers = ["海外市场合规咨询", "碳足迹核算"]', "covers = []", "category[0].covers", "nothing",
     "counted in"),
    ("issued_on = 2026-03-02", 'issued_on = "2026-03-02"', "issued_on", '"2026-03-02"', "a date"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "key", "found", "expected"), MISTAKES)
def test_every_mistake_in_a_notice_is_one_error_that_names_it(
    known: Programmes, tmp_path: Path, old: str, new: str, key: str, found: str, expected: str
) -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    assert old in text
    file = tmp_path / EXAMPLE.name
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProgrammeError) as error:
        load_notice(file, known)
    assert error.value.key == key
    assert found in error.value.found
    assert expected in error.value.expected


ALLOWED = {
    "direction": 'direction = "支持信息化"',
    "scope": 'categories = ["consulting_services"]',
    "budget": "budget_yuan = 1000",
    "rate": '[[kind.deduction]]\ncode = "all"\nrate_percent = 40\nbase = "contract"\nproject_cap_yuan = 3000',
}
BEYOND = {
    "conditions": '[[kind.condition]]\ncode = "x"\nkind = "legal_person"\nsays = "须为独立法人"',
    "quota": '[[kind.tier]]\ncode = "x"\nname = "甲"\nface_value_yuan = 1',
    "process": 'process = ["平台申请"]',
    "windows": "opens_on = 2026-02-01",
    "caps": '[[kind.deduction]]\ncode = "all"\nrate_percent = 40\nbase = "contract"\nproject_cap_yuan = 4000',
}


@pytest.mark.rules("NX-04")
@pytest.mark.parametrize("override", list(ALLOWED))
def test_a_notice_sets_what_its_programme_lets_it_set(
    known: Programmes, tmp_path: Path, override: str
) -> None:
    file = tmp_path / "ningxia-2016-2026.toml"
    file.write_text(SMALL.format(sets=ALLOWED[override]), encoding="utf-8")
    assert load_notice(file, known).terms("") is not None


@pytest.mark.rules("NX-04")
@pytest.mark.parametrize("override", list(BEYOND))
def test_a_notice_sets_nothing_else(known: Programmes, tmp_path: Path, override: str) -> None:
    file = tmp_path / "ningxia-2016-2026.toml"
    file.write_text(SMALL.format(sets=BEYOND[override]), encoding="utf-8")
    with pytest.raises(ProgrammeError) as error:
        load_notice(file, known)
    assert error.value.found == f'"{override}"'
    assert error.value.expected == "only budget, direction, rate, scope"
    assert error.value.line
