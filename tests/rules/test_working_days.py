"""Working days, natural days and months, as people in China count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.holidays import HolidayFileError, WorkingCalendar, load_working_calendar
from server.rules.deadlines import (
    add_months,
    day_of,
    end_of,
    months_between,
    natural_days_after,
    start_of,
    until,
    working_days_after,
)

HOLIDAYS = Path(__file__).parents[2] / "config" / "holidays"
ANY_DAY = st.dates(date(2004, 1, 1), date(2030, 12, 31))


@pytest.fixture(scope="module")
def calendar() -> WorkingCalendar:
    return load_working_calendar(HOLIDAYS)


def test_a_day_ends_at_midnight_in_china() -> None:
    due = until(date(2020, 7, 28))
    assert due.ends_at == datetime(2020, 7, 28, 16, tzinfo=UTC)
    assert not due.is_over(due.ends_at - timedelta(microseconds=1))
    assert due.is_over(due.ends_at)


def test_late_in_the_utc_evening_it_is_already_tomorrow_in_china() -> None:
    assert day_of(datetime(2026, 1, 1, 15, 59, tzinfo=UTC)) == date(2026, 1, 1)
    assert day_of(datetime(2026, 1, 1, 16, 0, tzinfo=UTC)) == date(2026, 1, 2)


@given(ANY_DAY)
def test_a_day_begins_where_the_day_before_ends(day: date) -> None:
    assert start_of(day) == end_of(day - timedelta(days=1))
    assert day_of(start_of(day)) == day == day_of(end_of(day) - timedelta(microseconds=1))


@pytest.mark.parametrize(
    ("start", "days", "last_day"),
    [
        (date(2020, 6, 28), 30, date(2020, 7, 28)),
        (date(2020, 1, 31), 30, date(2020, 3, 1)),
        (date(2026, 12, 20), 15, date(2027, 1, 4)),
    ],
)
def test_natural_days_are_counted_from_the_day_after(start: date, days: int, last_day: date) -> None:
    assert natural_days_after(start, days).last_day == last_day


@pytest.mark.parametrize(
    ("start", "days", "last_day", "why"),
    [
        (date(2026, 3, 2), 1, date(2026, 3, 3), "an ordinary Monday"),
        (date(2026, 3, 6), 1, date(2026, 3, 9), "over a weekend"),
        (date(2026, 2, 14), 1, date(2026, 2, 24), "over the whole Spring Festival"),
        (date(2026, 2, 13), 1, date(2026, 2, 14), "a Saturday that is worked instead"),
        (date(2026, 9, 30), 1, date(2026, 10, 8), "over the National Day week"),
        (date(2026, 10, 9), 1, date(2026, 10, 10), "another Saturday that is worked"),
        (date(2026, 3, 2), 5, date(2026, 3, 9), "five days from a Monday"),
        (date(2020, 6, 24), 1, date(2020, 6, 28), "over the Dragon Boat Festival to a worked Sunday"),
    ],
)
def test_working_days_leave_out_holidays_and_count_days_worked_instead(
    calendar: WorkingCalendar, start: date, days: int, last_day: date, why: str
) -> None:
    due = working_days_after(calendar, start, days)
    assert (due.last_day, due.provisional) == (last_day, False), why


def test_a_year_nobody_has_published_counts_weekdays_and_says_so(calendar: WorkingCalendar) -> None:
    assert 2027 not in calendar.years
    due = working_days_after(calendar, date(2026, 12, 31), 1)
    assert (due.last_day, due.provisional) == (date(2027, 1, 1), True)
    assert working_days_after(calendar, date(2026, 12, 30), 1).provisional is False


def test_a_published_file_settles_the_year_and_nothing_is_provisional_any_more(tmp_path: Path) -> None:
    (tmp_path / "2027.toml").write_text(
        'year = 2027\nsource = "通知"\noff = [2027-01-01]\nworked = [2027-01-03]\n', encoding="utf-8"
    )
    calendar = load_working_calendar(tmp_path)
    due = working_days_after(calendar, date(2026, 12, 31), 1)
    assert (due.last_day, due.provisional) == (date(2027, 1, 3), False)
    assert 2026 in calendar.years


def test_a_file_replaces_what_the_library_says_about_its_year(tmp_path: Path) -> None:
    (tmp_path / "2026.toml").write_text(
        'year = 2026\nsource = "通知"\noff = [2026-03-03]\nworked = []\n', encoding="utf-8"
    )
    calendar = load_working_calendar(tmp_path)
    assert working_days_after(calendar, date(2026, 3, 2), 1).last_day == date(2026, 3, 4)
    assert calendar.is_working_day(date(2026, 10, 1)), "the old holiday is gone"
    assert not calendar.is_working_day(date(2025, 10, 1)), "another year stands as it was"


def test_the_file_of_2026_agrees_with_the_library(calendar: WorkingCalendar, tmp_path: Path) -> None:
    assert calendar == load_working_calendar(tmp_path)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('year = 2028\nsource = ""\noff = []\nworked = []', "speaks of 2028"),
        ('year = 2027\nsource = ""\noff = [2026-01-01]\nworked = []', "which is no day of 2027"),
        ('year = 2027\nsource = ""\noff = [2027-01-02]\nworked = []', "which is not a weekday"),
        ('year = 2027\nsource = ""\noff = []\nworked = [2027-01-04]', "which is not a weekend day"),
        ('year = 2027\nsource = ""\noff = ["2027-01-04"]\nworked = []', "which is no day of 2027"),
        ('year = 2027\nsource = ""\noff = []', "expected year, source, off and worked"),
        ('year = 2027\nsource = ""\noff = 4\nworked = []', "off is no list of days"),
        ('year = 2027\nsource = "\udcff"', "can't decode byte"),
        ("year = ", "2027.toml"),
    ],
)
def test_a_faulty_holiday_file_is_refused_by_name(tmp_path: Path, text: str, complaint: str) -> None:
    (tmp_path / "2027.toml").write_text(text, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(HolidayFileError) as fault:
        load_working_calendar(tmp_path)
    assert complaint in str(fault.value)
    assert str(fault.value).startswith("2027.toml: ")


@pytest.mark.parametrize(
    ("start", "end", "months"),
    [
        (date(2024, 5, 10), date(2025, 5, 9), 11),
        (date(2024, 5, 10), date(2025, 5, 10), 12),
        (date(2024, 5, 10), date(2025, 5, 11), 12),
        (date(2024, 3, 31), date(2024, 4, 29), 0),
        (date(2024, 3, 31), date(2024, 4, 30), 1),
        (date(2024, 2, 29), date(2025, 2, 28), 12),
        (date(2025, 1, 1), date(2024, 12, 31), -1),
    ],
)
def test_only_whole_months_count(start: date, end: date, months: int) -> None:
    assert months_between(start, end) == months


@given(ANY_DAY, st.integers(-60, 60))
def test_adding_months_and_counting_them_agree(start: date, months: int) -> None:
    assert months_between(start, add_months(start, months)) == months


@given(ANY_DAY, st.integers(1, 20))
def test_a_working_deadline_ends_on_a_working_day_and_skips_no_other(start: date, days: int) -> None:
    calendar = WorkingCalendar(
        frozenset({2024}), off=frozenset({date(2024, 1, 1)}), worked=frozenset({date(2024, 2, 4)})
    )
    due = working_days_after(calendar, start, days)
    assert calendar.is_working_day(due.last_day)
    between = (start + timedelta(days=n + 1) for n in range((due.last_day - start).days))
    assert sum(calendar.is_working_day(day) for day in between) == days
