"""Slots: when a job is due, in China's time of day."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from server.rules.slots import MOST_MISSED, Daily, Every

NINE = Daily(time(9, 0))
DAY = timedelta(days=1)
INSTANTS = st.integers(1_450_000_000, 2_050_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


def test_a_daily_slot_is_due_at_its_time_of_day_in_china() -> None:
    nine_in_china = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    assert NINE.next_after(nine_in_china - timedelta(seconds=1)) == nine_in_china
    assert NINE.next_after(nine_in_china) == nine_in_china + DAY
    assert NINE.due(nine_in_china - DAY, nine_in_china - timedelta(seconds=1)) is None
    assert NINE.due(nine_in_china - DAY, nine_in_china) == nine_in_china


def test_a_job_that_never_ran_begins_with_its_latest_slot() -> None:
    now = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
    assert NINE.due(None, now) == datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    assert Every(5).due(None, now + timedelta(seconds=7)) == now + timedelta(seconds=5)


def test_missed_daily_slots_come_one_after_the_other() -> None:
    last = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    now, found = last + 3 * DAY + timedelta(hours=2), []
    while (slot := NINE.due(last, now)) is not None:
        found.append(slot)
        last = slot
    assert [slot.day for slot in found] == [19, 20, 21]


def test_missed_slots_of_an_interval_are_one() -> None:
    last = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    slot = Every(30).due(last, last + timedelta(hours=5, seconds=31))
    assert slot == last + timedelta(hours=5, seconds=30)
    assert Every(30).due(slot, last + timedelta(hours=5, seconds=59)) is None


def test_a_very_long_outage_is_caught_up_from_its_newer_end() -> None:
    last = datetime(2020, 1, 1, 1, 0, tzinfo=UTC)
    now = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    assert NINE.due(last, now) == now - MOST_MISSED * DAY


def test_a_clock_set_back_makes_nothing_due() -> None:
    last = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
    assert NINE.due(last, last - 30 * DAY) is None
    assert Every(5).due(last, last - 30 * DAY) is None


@given(INSTANTS, INSTANTS, st.sampled_from([NINE, Daily(time(0, 5)), Every(5), Every(3600)]))
def test_what_is_due_lies_after_the_last_and_not_in_the_future(
    last: datetime, now: datetime, plan: Daily | Every
) -> None:
    slot = plan.due(last, now)
    if slot is not None:
        assert last < slot <= now
    assert plan.next_after(now) > now
