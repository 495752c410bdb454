"""Spoken: numbers, days and ways to be reached, as people type them into a phone."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.spoken import is_mute, number_of, plain
from server.rules.spoken_contacts import contact_in, digits_short_of_a_number
from server.rules.spoken_days import DayToCome, said_day

TODAY = date(2026, 5, 20)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("今天", "2026-05-20"),
        ("昨天下午", "2026-05-19"),
        ("前天", "2026-05-18"),
        ("大前天", "2026-05-17"),
        ("上周三", "2026-05-13"),
        ("上上周五", "2026-05-08"),
        ("上星期日", "2026-05-17"),
        ("上个礼拜天", "2026-05-17"),
        ("这周一", "2026-05-18"),
        ("周三", "2026-05-20"),
        ("周四", "2026-05-14"),
        ("3月5日", "2026-03-05"),
        ("3 月 5 号", "2026-03-05"),
        ("三月五号", "2026-03-05"),
        ("十二月二十一日", "2025-12-21"),
        ("12月3日", "2025-12-03"),
        ("去年3月5日", "2025-03-05"),
        ("今年3月", "2026-03-01"),
        ("2026/3/5", "2026-03-05"),
        ("2026-03-05", "2026-03-05"),
        ("2026.3.5", "2026-03-05"),
        ("２０２６年３月５日", "2026-03-05"),
        ("二〇二五年十月一日", "2025-10-01"),
        ("3/5", "2026-03-05"),
        ("3.5", "2026-03-05"),
        ("上个月3号", "2026-04-03"),
        ("上个月", "2026-04-01"),
        ("5号", "2026-05-05"),
        ("25号", "2026-04-25"),
        ("三天前", "2026-05-17"),
        ("10天前", "2026-05-10"),
        ("两周前", "2026-05-06"),
        ("两个月以前", "2026-03-20"),
        ("一年前", "2025-05-20"),
        ("半年前", "2025-11-19"),
        ("大概是从上周三开始的", "2026-05-13"),
        ("2月29日", None),
        ("13月5日", None),
        ("2026年2月30日", None),
        ("很久了", None),
        ("他们来了3个人", None),
        ("12", None),
        ("", None),
    ],
)
def test_a_day_is_the_one_that_is_meant(said: str, day: str | None) -> None:
    found = said_day(said, TODAY)
    assert (found and found.day.isoformat()) == day


@pytest.mark.parametrize("said", ["2027年1月1日", "2026/6/1", "2026年5月21日"])
def test_a_day_to_come_is_none_since_when(said: str) -> None:
    with pytest.raises(DayToCome):
        said_day(said, TODAY)


def test_more_words_than_the_day_are_told_apart() -> None:
    exact, more = said_day("3月5日", TODAY), said_day("3月5日他们来过", TODAY)
    assert exact is not None and more is not None
    assert (exact.exact, more.exact) == (True, False)


@given(
    st.text(alphabet="0123456789/.-年月日号周上去今前昨天一二三十半个 ", max_size=20),
    st.dates(date(1950, 1, 1), date(2150, 1, 1)),
)
def test_no_words_for_a_day_fail(said: str, today: date) -> None:
    try:
        found = said_day(said, today)
    except DayToCome as ahead:
        assert ahead.day > today
    else:
        assert found is None or found.day <= today


@pytest.mark.parametrize(
    ("said", "number"),
    [
        ("1", 1),
        ("１２", 12),
        ("十二", 12),
        ("二十", 20),
        ("第三个", 3),
        ("3号", 3),
        ("0", None),
        ("1a", None),
        ("1 2", None),
        ("一百", None),
        ("", None),
        ("1234", None),
    ],
)
def test_a_number_is_the_whole_message(said: str, number: int | None) -> None:
    assert number_of(said) == number


@pytest.mark.parametrize(
    ("said", "contact"),
    [
        ("13800000000", "13800000000"),
        ("138 0000 0000", "13800000000"),
        ("１３８－００００－００００", "13800000000"),
        ("+86 138 0000 0000", "13800000000"),
        ("0578-2123456", "05782123456"),
        ("(0578) 2123456", "05782123456"),
        ("400-800-1234", "4008001234"),
        ("电话2123456", "2123456"),
        ("+33 6 12 34 56 78", "+33612345678"),
        ("a.b@example.com", "a.b@example.com"),
        ("1380000000", ""),
        ("138000000000", ""),
        ("23800000000", ""),
        ("abc@", ""),
        ("微信", ""),
    ],
)
def test_a_contact_is_checked(said: str, contact: str) -> None:
    assert contact_in(said) == contact


def test_a_number_that_is_short_says_how_long_it_is() -> None:
    assert digits_short_of_a_number("我的电话 138 0000 000") == 10
    assert digits_short_of_a_number("没有") == 0


@pytest.mark.parametrize(
    ("said", "mute"),
    [
        ("😊", True),
        ("[微笑]", True),
        ("/::)", True),
        ("……", True),
        ("？", True),
        ("好😊", False),
        ("[合同]第1页", False),
    ],
)
def test_faces_and_signs_are_no_words(said: str, mute: bool) -> None:
    assert is_mute(said) is mute


def test_width_case_script_and_marks_do_not_count() -> None:
    assert plain(" 「進度」。 ") == plain("进度") and plain("ＨＩ") == "hi"
