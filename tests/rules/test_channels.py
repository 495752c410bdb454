"""Channels: the first one that reaches somebody, the hours in which nobody is disturbed, WeChat's codes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from random import Random

import pytest

from server import texts
from server.programme.messages import FieldKind, MessageChannel
from server.rules.channels import (
    FIRST_BACK_OFF,
    LONGEST_BACK_OFF,
    Meaning,
    Quiet,
    Reach,
    Window,
    back_off,
    meaning_of,
    next_channel,
    rest_after,
)
from server.rules.message_fields import LONGEST_CUSTOM_BYTES, fitted, parts

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
"""Ten in the morning in China."""
ORDER = (MessageChannel.SUBSCRIBE, MessageChannel.TEMPLATE, MessageChannel.CUSTOM, MessageChannel.SMS)
OPEN = Window(last_message_at=NOW - timedelta(hours=47), messages_left=1)
EVERYTHING = Reach(mini_program=True, consents={"review": 1}, follows=True, window=OPEN, phone=True)


def chosen(reach: Reach, *, usable: tuple[MessageChannel, ...] = ORDER, tried: tuple[str, ...] = ()) -> str:
    return next_channel(ORDER, reach, "review", usable=usable, tried=tried, now=NOW).value


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (EVERYTHING, "subscribe"),
        (Reach(mini_program=True, consents={"review": 0}, follows=True), "template"),
        (Reach(mini_program=True, consents={"order": 3}, phone=True), "sms"),
        (Reach(mini_program=True, long_term={"review"}), "subscribe"),
        (Reach(consents={"review": 1}, window=OPEN), "custom"),
        (Reach(mini_program=True), "inbox"),
    ],
)
def test_the_first_channel_that_is_open_to_somebody_is_taken(reach: Reach, expected: str) -> None:
    assert chosen(reach) == expected


def test_each_channel_that_was_tried_gives_way_to_the_next_and_the_inbox_is_left() -> None:
    tried: list[str] = []
    for _ in range(5):
        tried.append(chosen(EVERYTHING, tried=tuple(tried)))
    assert tried == ["subscribe", "template", "custom", "sms", "inbox"]


def test_what_is_not_set_up_is_not_taken() -> None:
    assert chosen(EVERYTHING, usable=(MessageChannel.SMS,)) == "sms"


@pytest.mark.parametrize(
    ("window", "is_open"),
    [
        (Window(), False),
        (Window(last_tap_at=NOW - timedelta(seconds=59), taps_left=1), True),
        (Window(last_tap_at=NOW - timedelta(seconds=60), taps_left=3), False),
        (Window(last_tap_at=NOW, taps_left=0), False),
        (Window(last_message_at=NOW - timedelta(hours=48), messages_left=5), False),
        (Window(last_message_at=NOW - timedelta(hours=47, minutes=59), messages_left=1), True),
        (Window(NOW, 0, NOW, 1), True),
    ],
)
def test_a_window_is_open_while_it_lasts_and_has_room(window: Window, is_open: bool) -> None:
    assert window.is_open(NOW) is is_open


@pytest.mark.parametrize(
    ("begins", "ends", "hour", "until_hours"),
    [
        (22, 8, 21, None),
        (22, 8, 22, 10),
        (22, 8, 23, 9),
        (22, 8, 0, 8),
        (22, 8, 7, 1),
        (22, 8, 8, None),
        (1, 6, 3, 3),
        (1, 6, 6, None),
        (0, 0, 0, None),
        (9, 9, 9, None),
    ],
)
def test_quiet_hours_end_when_they_say_so_over_midnight_too(
    begins: int, ends: int, hour: int, until_hours: int | None
) -> None:
    at = datetime(2026, 5, 18, hour, 0, tzinfo=UTC) - timedelta(hours=8)
    until = Quiet(time(begins), time(ends)).until(at)
    assert until == (None if until_hours is None else at + timedelta(hours=until_hours))


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (40001, Meaning.TOKEN),
        (42001, Meaning.TOKEN),
        (40014, Meaning.TOKEN),
        (43101, Meaning.CONSENT_SPENT),
        (43004, Meaning.UNSUBSCRIBED),
        (43019, Meaning.UNSUBSCRIBED),
        (45015, Meaning.WINDOW_CLOSED),
        (45047, Meaning.WINDOW_CLOSED),
        (45009, Meaning.DAY_QUOTA),
        (45011, Meaning.MINUTE_QUOTA),
        (47003, Meaning.FAULTY),
        (-1, Meaning.BUSY),
        (40003, Meaning.UNUSABLE),
        (99999, Meaning.UNKNOWN),
    ],
)
def test_wechats_codes_are_understood(code: int, meaning: Meaning) -> None:
    assert meaning_of(code) is meaning


def test_everything_that_an_operator_reads_has_its_words() -> None:
    assert texts.DELIVERY_FAULTS.keys() == {*Meaning, "no_answer", "not_delivered"}
    assert texts.CHANNELS.keys() == set(MessageChannel)


def test_each_try_waits_longer_up_to_an_hour_and_no_two_alike() -> None:
    random = Random(7)
    for attempts in range(1, 60):
        whole = min(FIRST_BACK_OFF * 2 ** min(attempts - 1, 20), LONGEST_BACK_OFF)
        waits = {back_off(attempts, random) for _ in range(5)}
        assert len(waits) == 5
        assert all(whole / 2 <= wait <= whole for wait in waits)


def test_a_days_quota_is_new_after_midnight_in_china_a_minutes_after_a_minute() -> None:
    midnight = datetime(2026, 5, 18, 16, 0, tzinfo=UTC)
    late = rest_after(Meaning.DAY_QUOTA, NOW, Random(1))
    assert midnight < late <= midnight + timedelta(minutes=2)
    soon = rest_after(Meaning.MINUTE_QUOTA, NOW, Random(1))
    assert NOW + timedelta(minutes=1) <= soon <= NOW + timedelta(minutes=2)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("thing1", "订单有进展", "订单有进展"),
        ("thing1", "一" * 21, "一" * 19 + "…"),
        ("thing12", "两行\n 一句", "两行 一句"),
        ("thing1", "", "-"),
        ("character_string2", "NO-2026 第7号", "NO-20267"),
        ("number1", "第12号", "12"),
        ("number1", "没有", "0"),
        ("phrase1", "审核通过了吗", "审核通过了"),
        ("phrase1", "ok", "无"),
        ("amount1", "12,345.60 元", "12345.60"),
        ("time1", "不是时间", "2026-05-18 10:00"),
        ("date3", "", "2026-05-18"),
    ],
)
def test_a_text_fits_its_field(name: str, text: str, expected: str) -> None:
    assert fitted(name, text, at=NOW) == expected


def test_every_kind_of_field_holds_something_of_anything() -> None:
    for kind in FieldKind:
        for text in ("", "\n", "😀" * 40, "<script>" * 9, "{title}"):
            assert fitted(f"{kind}1", text, at=NOW)


@pytest.mark.parametrize(
    "text", ["", "一", "行\n" * 3000, "长" * 5000, "a" * 2048, "a" * 2049, "x\n" + "长" * 700]
)
def test_a_long_text_is_cut_into_messages_and_nothing_of_it_is_lost(text: str) -> None:
    found = parts(text)
    assert all(0 < len(part.encode()) <= LONGEST_CUSTOM_BYTES for part in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")
