"""Report periods: on which day a report is due, and of which stretch of time it speaks. Days are China's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from server.programme.holidays import WorkingCalendar
from server.programme.oversight import ReportCadence

MONTHS: dict[ReportCadence, int] = {
    ReportCadence.MONTHLY: 1,
    ReportCadence.PERIODIC: 3,
    ReportCadence.YEARLY: 12,
}
"""How many months a report speaks of. "Regularly" is read as every quarter."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """From the first day to the last, both included."""

    first: date
    last: date


def due_period(cadence: ReportCadence, day: date, calendar: WorkingCalendar) -> Period | None:
    """The period that is reported on this day: the first working day after it; ``None`` on any other day.

    Reports that follow an event have no period of their own: ``None``.
    """
    months = MONTHS.get(cadence)
    if months is None or (day.month - 1) % months or not _is_first_working_day(day, calendar):
        return None
    last = day.replace(day=1) - _DAY
    return Period(_months_before(day.replace(day=1), months), last)


def _is_first_working_day(day: date, calendar: WorkingCalendar) -> bool:
    earlier = (day.replace(day=number) for number in range(1, day.day))
    return calendar.is_working_day(day) and not any(calendar.is_working_day(one) for one in earlier)


def _months_before(first: date, months: int) -> date:
    counted = first.year * 12 + first.month - 1 - months
    return date(counted // 12, counted % 12 + 1, 1)
