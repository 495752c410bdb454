"""Size classes by 工信部联企业〔2011〕300号: every line of every industry, at, below and above."""

from __future__ import annotations

import tomllib
from itertools import product
from pathlib import Path

import pytest

from server.programme.size_classes import (
    Figures,
    SizeIndustry,
    SizeStandard,
    SizeStandardError,
    load_size_standard,
)
from server.programme.vocabulary import SizeClass
from server.rules.size_class import (
    FEN_PER_WAN,
    FigureMissing,
    UnknownIndustry,
    classify,
    industry_of,
)

FILE = Path(__file__).parents[2] / "config" / "size-classes.toml"
SIZE_RULES = pytest.mark.rules("GZ-60")
PLENTY = 10**9

# The table of the standard, written down a second time: headcount X, revenue Y and assets Z in 万元;
# (large from, medium from, small from).
TABLE: dict[str, tuple[dict[str, int], dict[str, int], dict[str, int]]] = {
    "A": ({"Y": 20000}, {"Y": 500}, {"Y": 50}),
    "C": ({"X": 1000, "Y": 40000}, {"X": 300, "Y": 2000}, {"X": 20, "Y": 300}),
    "E": ({"Y": 80000, "Z": 80000}, {"Y": 6000, "Z": 5000}, {"Y": 300, "Z": 300}),
    "51": ({"X": 200, "Y": 40000}, {"X": 20, "Y": 5000}, {"X": 5, "Y": 1000}),
    "52": ({"X": 300, "Y": 20000}, {"X": 50, "Y": 500}, {"X": 10, "Y": 100}),
    "54": ({"X": 1000, "Y": 30000}, {"X": 300, "Y": 3000}, {"X": 20, "Y": 200}),
    "59": ({"X": 200, "Y": 30000}, {"X": 100, "Y": 1000}, {"X": 20, "Y": 100}),
    "60": ({"X": 1000, "Y": 30000}, {"X": 300, "Y": 2000}, {"X": 20, "Y": 100}),
    "61": ({"X": 300, "Y": 10000}, {"X": 100, "Y": 2000}, {"X": 10, "Y": 100}),
    "62": ({"X": 300, "Y": 10000}, {"X": 100, "Y": 2000}, {"X": 10, "Y": 100}),
    "63": ({"X": 2000, "Y": 100000}, {"X": 100, "Y": 1000}, {"X": 10, "Y": 100}),
    "65": ({"X": 300, "Y": 10000}, {"X": 100, "Y": 1000}, {"X": 10, "Y": 50}),
    "7010": ({"Y": 200000, "Z": 10000}, {"Y": 1000, "Z": 5000}, {"Y": 100, "Z": 2000}),
    "7020": ({"X": 1000, "Y": 5000}, {"X": 300, "Y": 1000}, {"X": 100, "Y": 500}),
    "L": ({"X": 300, "Z": 120000}, {"X": 100, "Z": 8000}, {"X": 10, "Z": 100}),
    "M": ({"X": 300}, {"X": 100}, {"X": 10}),
}
LINES = (SizeClass.LARGE, SizeClass.MEDIUM, SizeClass.SMALL)
BELOW = {
    SizeClass.LARGE: SizeClass.MEDIUM,
    SizeClass.MEDIUM: SizeClass.SMALL,
    SizeClass.SMALL: SizeClass.MICRO,
}


@pytest.fixture(scope="module")
def standard() -> SizeStandard:
    return load_size_standard(FILE)


def size_of(standard: SizeStandard, code: str, figures: dict[str, int]) -> SizeClass:
    """``figures`` in persons and fen; what is not named is plenty."""
    return classify(
        standard,
        code,
        headcount=figures.get("X", PLENTY),
        revenue_fen=figures.get("Y", PLENTY * FEN_PER_WAN),
        assets_fen=figures.get("Z", PLENTY * FEN_PER_WAN),
    ).size_class


def exactly(line: dict[str, int]) -> dict[str, int]:
    return {figure: value if figure == "X" else value * FEN_PER_WAN for figure, value in line.items()}


CASES = [
    pytest.param(code, size, figure, id=f"{code}-{size}-{figure}")
    for code, lines in TABLE.items()
    for size, line in zip(LINES, lines, strict=True)
    for figure in line
]


@SIZE_RULES
@pytest.mark.parametrize(("code", "size", "figure"), CASES)
def test_each_line_is_reached_at_its_figure_and_missed_one_unit_below(
    standard: SizeStandard, code: str, size: SizeClass, figure: str
) -> None:
    at = exactly(TABLE[code][LINES.index(size)])
    assert size_of(standard, code, at) is size
    assert size_of(standard, code, {**at, figure: at[figure] + 1}) is size
    assert size_of(standard, code, {**at, figure: at[figure] - 1}) is BELOW[size]


@SIZE_RULES
@pytest.mark.parametrize("code", list(TABLE))
def test_an_enterprise_below_the_smallest_line_in_any_figure_is_micro(
    standard: SizeStandard, code: str
) -> None:
    for figure in TABLE[code][2]:
        assert size_of(standard, code, {figure: 0}) is SizeClass.MICRO


@SIZE_RULES
def test_the_class_never_falls_when_a_figure_grows(standard: SizeStandard) -> None:
    order = (SizeClass.MICRO, SizeClass.SMALL, SizeClass.MEDIUM, SizeClass.LARGE)
    for code, lines in TABLE.items():
        for figure, other in product("XYZ", repeat=2):
            steps = sorted({0, *(line[figure] for line in lines if figure in line), PLENTY})
            for rest in exactly(lines[1]), exactly(lines[2]):
                rest = {**rest, other: rest.get(other, 0)}
                sizes = [size_of(standard, code, {**rest, **exactly({figure: step})}) for step in steps]
                ranks = [order.index(size) for size in sizes]
                assert ranks == sorted(ranks), (code, figure, rest)


def test_the_self_test_shows_each_comparison_and_its_conclusion(
    standard: SizeStandard,
) -> None:
    result = classify(
        standard,
        "C2652",
        headcount=19,
        revenue_fen=300 * FEN_PER_WAN - 1,
        assets_fen=None,
    )
    assert result.size_class is SizeClass.MICRO
    assert result.steps == (
        "行业代码 C2652 适用工业标准（四（二））",
        "大型企业须同时达到：从业人员 19 人 < 1,000 人，且营业收入 299.999999 万元 < 40,000 万元",
        "中型企业须同时达到：从业人员 19 人 < 300 人，且营业收入 299.999999 万元 < 2,000 万元",
        "小型企业须同时达到：从业人员 19 人 < 20 人，且营业收入 299.999999 万元 < 300 万元",
        "结论：微型企业",
    )


def test_a_large_enterprise_is_shown_only_the_line_that_makes_it_large(
    standard: SizeStandard,
) -> None:
    result = classify(standard, "I65", headcount=300, revenue_fen=10000 * FEN_PER_WAN, assets_fen=None)
    assert result.steps == (
        "行业代码 I65 适用软件和信息技术服务业标准（四（十二））",
        "大型企业须同时达到：从业人员 300 人 ≥ 300 人，且营业收入 10,000 万元 ≥ 10,000 万元",
        "结论：大型企业",
    )


def test_a_figure_the_industry_needs_must_be_given(standard: SizeStandard) -> None:
    with pytest.raises(FigureMissing) as missing:
        classify(standard, "E47", headcount=5, revenue_fen=0, assets_fen=None)
    assert missing.value.values == {"industry": "建筑业", "figure": "资产总额"}


@pytest.mark.parametrize(
    ("code", "industry"),
    [
        ("A", "agriculture"),
        ("01", "agriculture"),
        ("B06", "industry"),
        ("C", "industry"),
        ("2652", "industry"),
        ("D4620", "industry"),
        ("E50", "construction"),
        ("F5199", "wholesale"),
        ("52", "retail"),
        ("G53", "other"),
        ("58", "transport"),
        ("5910", "transport"),
        ("5920", "storage"),
        ("59", "storage"),
        ("60", "post"),
        ("61", "accommodation"),
        ("62", "catering"),
        ("I63", "information_transmission"),
        ("64", "information_transmission"),
        ("65", "software"),
        ("K7010", "real_estate_development"),
        ("K7020", "property_management"),
        ("K7030", "other"),
        ("L72", "leasing_and_business"),
        ("M", "other"),
        ("R90", "other"),
    ],
)
def test_a_code_of_the_national_classification_leads_to_its_industry(
    standard: SizeStandard, code: str, industry: str
) -> None:
    assert industry_of(standard, code).code == industry


@pytest.mark.parametrize(
    "code",
    [
        "",
        "F",
        "G",
        "I",
        "H",
        "J",
        "J66",
        "66",
        "00",
        "98",
        "2",
        "26520",
        "C65",
        "Z",
        "C2x",
        "٢٦",
        "c26",
    ],
)
def test_a_code_that_leads_nowhere_is_refused_by_name(standard: SizeStandard, code: str) -> None:
    with pytest.raises(UnknownIndustry) as refused:
        industry_of(standard, code)
    assert refused.value.values == {"code": code}


def test_the_file_holds_all_sixteen_industries_with_their_source(
    standard: SizeStandard,
) -> None:
    assert standard.source == "工信部联企业〔2011〕300号"
    assert len(standard.industries) == len({industry.code for industry in standard.industries}) == 16
    assert {industry_of(standard, code).code for code in TABLE} == {
        industry.code for industry in standard.industries
    }
    agriculture: SizeIndustry = standard.industries[0]
    assert agriculture.medium_from == Figures(revenue_fen=500 * FEN_PER_WAN)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "sme_below = { revenue_wan = 20000 }",
            "sme_below = { revenue = 20000 }",
            "industry agriculture, sme_below",
        ),
        (
            "sme_below = { revenue_wan = 20000 }",
            "sme_below = { revenue_wan = 0.5 }",
            "revenue_wan must be",
        ),
        (
            "sme_below = { revenue_wan = 20000 }",
            "sme_below = {}",
            "industry agriculture, sme_below",
        ),
        ('gbt4754 = ["A"]', 'gbt4754 = ["B"]', "B leads to agriculture and industry"),
        ('gbt4754 = ["A"]', 'gbt4754 = ["X"]', "no such section"),
        ('article = "四（一）"\n', "", "missing keys ['article']"),
        ("[sections]", "[parts]", "unknown keys ['parts']"),
        ("[sections]", "[sections", "size-classes.toml"),
    ],
)
def test_a_faulty_file_is_refused_with_the_place(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert old in text
    copy = tmp_path / FILE.name
    copy.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(SizeStandardError, match=r"size-classes\.toml") as fault:
        load_size_standard(copy)
    assert complaint in str(fault.value)


def test_the_file_is_plain_toml_that_anyone_can_read() -> None:
    assert tomllib.loads(FILE.read_text(encoding="utf-8"))["classification"] == "GB/T 4754-2017"
