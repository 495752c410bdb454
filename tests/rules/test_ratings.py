"""Ratings by the rules: scales, what is low, what may be said, and until when."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from server.programme.registry import Programmes
from server.rules.ratings import LONGEST_WORDS, Said, editable_until, is_low, said_faults, score_bp, veiled

PROGRAMMES = Programmes.load(Path("config/programmes"))
THREE = ("非常满意", "满意", "不满意")
FIVE = ("5", "4", "3", "2", "1")


def codes(said: Said, slug: str = "lishui-2024") -> list[str]:
    return [one.code for one in said_faults(PROGRAMMES.get(slug), said)]


@pytest.mark.rules("YC-43")
@pytest.mark.parametrize("slug", [one.slug for one in PROGRAMMES])
def test_the_scale_is_the_programmes_and_has_no_level_for_those_who_say_none(slug: str) -> None:
    programme = PROGRAMMES.get(slug)
    assert programme.rating.scale == THREE
    for level in THREE:
        assert codes(Said(level=level), slug) == []
    assert codes(Said(level=""), slug) == ["rating"]
    assert codes(Said(level="一般"), slug) == ["rating"]


def test_levels_are_evenly_apart_and_the_low_ones_lie_below_the_middle() -> None:
    assert [score_bp(THREE, level) for level in THREE] == [10_000, 5_000, 0]
    assert [score_bp(FIVE, level) for level in FIVE] == [10_000, 7_500, 5_000, 2_500, 0]
    assert [is_low(THREE, level) for level in THREE] == [False, False, True]
    assert [is_low(FIVE, level) for level in FIVE] == [False, False, False, True, True]
    assert [is_low(("好", "差"), level) for level in ("好", "差")] == [False, True]


def test_remarks_are_those_offered_and_words_have_a_limit() -> None:
    assert codes(Said(level="满意", tags=("响应及时",), words="好" * LONGEST_WORDS)) == []
    assert codes(Said(level="满意", tags=("自己写的",), words="好" * (LONGEST_WORDS + 1))) == [
        "rating_tags",
        "rating_words",
    ]
    many = ("响应及时", "专业规范", "价格合理", "按期交付", "成果符合约定", "沟通不畅")
    assert codes(Said(level="满意", tags=many)) == ["rating_tags"]


def test_a_rating_may_be_changed_for_the_programmes_days_and_the_first_day_is_not_counted() -> None:
    rated_at = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
    assert editable_until(PROGRAMMES.get("lishui-2024"), rated_at) == datetime(2026, 5, 25, 16, tzinfo=UTC)
    assert editable_until(PROGRAMMES.get("yinchuan-2024"), rated_at) == rated_at


def test_words_are_shown_without_names_and_numbers_of_people() -> None:
    said = "我是晨光精密机械有限公司的，电话 138-0013-8000，身份证36042619910101007X，交付了3次"
    shown = veiled(said, ["晨光精密机械有限公司"])
    assert "晨光" not in shown
    assert "13800138000" not in shown.replace("-", "")
    assert "360426" not in shown
    assert "交付了3次" in shown
