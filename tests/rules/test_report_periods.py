"""Report periods: the first working day after a month, a quarter, a year."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from server.programme.holidays import WorkingCalendar, load_working_calendar
from server.programme.oversight import ReportCadence
from server.rules.report_periods import Period, due_period


@pytest.fixture(scope="module")
def calendar() -> WorkingCalendar:
    return load_working_calendar(Path("config/holidays"))


@pytest.mark.rules("YC-28", "NX-24")
@pytest.mark.parametrize(
    ("cadence", "day", "period"),
    [
        # 1 to 5 May 2026 are a holiday.
        ("monthly", date(2026, 5, 6), Period(date(2026, 4, 1), date(2026, 4, 30))),
        ("monthly", date(2026, 5, 1), None),
        ("monthly", date(2026, 5, 7), None),
        ("monthly", date(2026, 3, 2), Period(date(2026, 2, 1), date(2026, 2, 28))),
        ("periodic", date(2026, 7, 1), Period(date(2026, 4, 1), date(2026, 6, 30))),
        ("periodic", date(2026, 6, 1), None),
        ("yearly", date(2026, 1, 4), Period(date(2025, 1, 1), date(2025, 12, 31))),
        ("yearly", date(2026, 4, 1), None),
        ("live", date(2026, 3, 2), None),
        ("after_round", date(2026, 3, 2), None),
    ],
)
def test_a_report_is_due_on_the_first_working_day_after_its_period(
    calendar: WorkingCalendar, cadence: str, day: date, period: Period | None
) -> None:
    assert due_period(ReportCadence(cadence), day, calendar) == period
