"""What is kept of a text to be found, and what a query asks for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.chinese_search import (
    LONGEST_BODY,
    Part,
    Synonyms,
    Tier,
    asked,
    fold,
    holds,
    parts_of,
    written,
)
from server.rules.traditional import PAIRS, SIMPLIFIED


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_width_case_and_traditional_characters_are_one() -> None:
    assert fold("ＥＲＰ檢測認證諮詢") == fold("erp检测认证咨询")
    assert not set(PAIRS[1::2]) & {chr(one) for one in SIMPLIFIED}


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ("检测", ("检测",)),
        ("ERP系统", ("erp", "系统")),
        (" 检测， 检测 认证!", ("检测", "认证")),
        ("😀 …", ()),
        ("", ()),
        ("9001:2015", ("9001", "2015")),
    ],
)
def test_a_query_is_its_runs_of_chinese_and_of_everything_else(query: str, parts: tuple[str, ...]) -> None:
    assert parts_of(query) == parts


def kept_terms(part: Part, tier: Tier, terms: frozenset[str]) -> bool:
    return any(terms.issuperset(way) for way in part.terms(tier))


TEXTS = st.text(st.sampled_from("检测验食品企财务重庆iso9jyzchx1 ·"), max_size=12)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_whatever_holds_a_part_has_its_terms(name: str, maker: str, other: str, query: str) -> None:
    kept = written([name], [maker], [other])
    for part in asked(query, ()):
        for tier in Tier:
            if holds(kept, part, tier):
                assert kept_terms(part, tier, kept.terms)


@given(st.text(st.sampled_from("检测验食品企财务"), min_size=1, max_size=10), st.data())
def test_every_piece_of_a_name_finds_it_as_written_by_initials_and_spelled(
    name: str, data: st.DataObject
) -> None:
    kept = written([name], [], [])
    start = data.draw(st.integers(0, len(name) - 1))
    end = data.draw(st.integers(start + 1, len(name)))
    letters = {"检": "j", "测": "c", "验": "y", "食": "s", "品": "p", "企": "q", "财": "c", "务": "w"}
    assert holds(kept, Part(name[start:end]), Tier.TITLE)
    assert holds(kept, Part("".join(letters[one] for one in name[start:end])), Tier.TITLE)


def test_a_reading_is_that_of_the_word_and_not_of_the_character() -> None:
    assert holds(written(["重庆银行对接"], [], []), Part("chongqingyinhang"), Tier.TITLE)
    assert holds(written(["重庆银行对接"], [], []), Part("cqyh"), Tier.TITLE)


def test_a_sign_between_two_words_hides_neither() -> None:
    assert holds(written(["检验·检测（食品）"], [], []), Part("检验检测食品"), Tier.TITLE)


def test_two_texts_are_never_read_as_one() -> None:
    kept = written(["财务", "税务"], ["品牌"], [])
    assert not holds(kept, Part("务税"), Tier.BODY)
    assert not holds(kept, Part("务品"), Tier.BODY)


def test_a_long_text_costs_no_more_than_a_page_of_it() -> None:
    kept = written(["检测"], ["某某"], ["质量管理体系" * 1000])
    assert len(kept.body) == LONGEST_BODY
    assert len(kept.terms) < 100


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("代理记账", True),
        ("记账", True),
        ("代理记账公司", True),
        ("dljz", True),
        ("dailijizhang", True),
        ("账", False),
        ("丽水市最好的代理记账公司", False),
        ("审计", False),
        ("ai", False),
    ],
)
def test_what_is_typed_may_mean_a_category(typed: str, meant: bool) -> None:
    category = Synonyms.of("c:finance", ["代理记账"])
    assert [part.marks for part in asked(typed, [category])] == [("c:finance",) if meant else ()]
