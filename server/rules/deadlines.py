"""Deadlines: natural days, working days, months and programme years, as people in China count them.

The day something happens is not counted. A deadline ends with the end of its last day in
Asia/Shanghai, and is half-open: at the instant ``ends_at`` it is already over.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from server import texts
from server.clock import CHINA
from server.programme.holidays import WorkingCalendar
from server.programme.issuance import VoucherValidity
from server.programme.model import Programme
from server.programme.policy import YearRule
from server.programme.steps import Deadline, DeadlineRule, Event, StepKind

MONTHS = 12
ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DueBy:
    """The last day of a deadline, and the instant (UTC) at which it is over.

    ``provisional``: the working days of a year that nobody has published yet were guessed.
    """

    last_day: date
    ends_at: datetime
    provisional: bool = False

    def is_over(self, now: datetime) -> bool:
        """Whether it is too late at ``now``; the end itself is too late."""
        return now >= self.ends_at


def is_final(due: DueBy) -> bool:
    """Whether a deadline may be held against anybody: every working day in it has been published.

    A provisional deadline is shown and reminded of; nothing is taken from anybody by it until the year
    is loaded and the deadline computed anew.
    """
    return not due.provisional


def day_of(instant: datetime) -> date:
    """The calendar day of an instant, in China."""
    return instant.astimezone(CHINA).date()


def told(instant: datetime) -> str:
    """An instant as people read it, in China's time."""
    return texts.INSTANT.format(at=instant.astimezone(CHINA))


def told_until(end: datetime) -> str:
    """Until when, the instant itself exclusive: a day's end is said as 24:00 of that day, not as the next."""
    local = end.astimezone(CHINA)
    if (local.hour, local.minute) == (0, 0):
        return texts.END_OF_DAY.format(day=local - timedelta(days=1))
    return texts.INSTANT.format(at=local)


def start_of(day: date) -> datetime:
    """The first instant of a day in China, in UTC."""
    return datetime.combine(day, time(), CHINA).astimezone(UTC)


def end_of(day: date) -> datetime:
    """The first instant after a day in China, in UTC."""
    return start_of(day + ONE_DAY)


def until(last_day: date) -> DueBy:
    """A deadline that a text names as a day: until its end."""
    return DueBy(last_day, end_of(last_day))


def natural_days_after(start: date, days: int) -> DueBy:
    """``days`` natural days after ``start``: 30 after 28 June last until the end of 28 July (GZ-33)."""
    return until(start + timedelta(days=days))


def working_days_after(calendar: WorkingCalendar, start: date, days: int) -> DueBy:
    """``days`` working days after ``start``; 1 is the next working day (GZ-31)."""
    day, left, provisional = start, days, False
    while left:
        day += ONE_DAY
        provisional = provisional or not calendar.is_published(day)
        left -= calendar.is_working_day(day)
    return DueBy(day, end_of(day), provisional)


def add_months(start: date, months: int) -> date:
    """The same day so many months later, or the last day of a month that is too short for it."""
    year, month = divmod(start.year * MONTHS + start.month - 1 + months, MONTHS)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def months_between(start: date, end: date) -> int:
    """Whole months from ``start`` to ``end``: 30 April is one month after 31 March, 29 is none."""
    months = (end.year - start.year) * MONTHS + end.month - start.month
    return months if add_months(start, months) <= end else months - 1


def year_bounds(programme: Programme, on: date) -> tuple[date, date]:
    """First and last day of the programme year that ``on`` lies in.

    Of a programme whose whole validity is one year, the last day is the end of its calendar year where
    the text is open-ended.
    """
    year = programme.year_of(on)
    if programme.validity.year is YearRule.WHOLE:
        return programme.valid_from, programme.valid_until or date(year, MONTHS, 31)
    if programme.validity.year is YearRule.CALENDAR:
        return date(year, 1, 1), date(year, MONTHS, 31)
    month, day = (int(part) for part in programme.validity.year_starts.split("-"))
    first = date(year, month, day)
    return first, add_months(first, MONTHS) - ONE_DAY


def voucher_valid_until(programme: Programme, issued_on: date, round_until: datetime | None) -> datetime:
    """The instant (UTC) at which a voucher expires.

    What its round names (``None``: nothing), but never beyond its programme year unless the text
    carries vouchers over, nor beyond the programme's validity or the service window (LS-07, GX-59).
    """
    year_end = year_bounds(programme, issued_on)[1]
    last_days = [programme.valid_until, programme.validity.service_until]
    if not programme.voucher.carry_over:
        last_days.append(year_end)
    limits = [end_of(day) for day in last_days if day is not None] or [end_of(year_end)]
    if programme.voucher.validity is VoucherValidity.ROUND and round_until is not None:
        limits.append(round_until)
    return min(limits)


def in_service_window(programme: Programme, day: date) -> bool:
    """Whether services, invoices and transfers of this day are covered; both ends are (GZ-35)."""
    first, last = programme.validity.service_from, programme.validity.service_until
    return (first is None or first <= day) and (last is None or day <= last)


def due_by(
    programme: Programme,
    deadline: Deadline,
    happened: Mapping[Event | StepKind, date],
    *,
    calendar: WorkingCalendar,
    voucher_issued_on: date | None = None,
    voucher_expires_at: datetime | None = None,
) -> DueBy | None:
    """Until when a deadline of the programme runs, or ``None`` while nothing has started it.

    ``happened`` gives the day of each event and step so far. Deadlines by rule look at the voucher's
    day of issue and expiry, or at the service window.
    """
    if deadline.rule is DeadlineRule.SAME_YEAR:
        return None if voucher_issued_on is None else until(year_bounds(programme, voucher_issued_on)[1])
    if deadline.rule is DeadlineRule.SERVICE_WINDOW:
        last = programme.validity.service_until
        return None if last is None else until(last)
    if deadline.rule is DeadlineRule.VOUCHER_VALIDITY:
        if voucher_expires_at is None:
            return None
        return DueBy(day_of(voucher_expires_at - timedelta.resolution), voucher_expires_at)
    counted_from = deadline.from_event or deadline.from_step
    if counted_from is None or counted_from not in happened:
        return None
    start = happened[counted_from]
    if deadline.natural_days is not None:
        return natural_days_after(start, deadline.natural_days)
    return working_days_after(calendar, start, deadline.working_days or 0)
