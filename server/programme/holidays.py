"""Working days of China as data: what the calendar library knows, corrected by files per year.

A file ``config/holidays/<year>.toml`` is the whole truth about its year. A year that nobody has
published is no error: its days are counted as plain weekdays and said to be provisional.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from chinese_calendar import constants as published

FIRST_WEEKEND_DAY = 5


class HolidayFileError(ValueError):
    """A holiday file is not what it must be; the message names file and fault."""


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Which days are worked.

    ``years``   the years somebody has published
    ``off``     weekdays that are free
    ``worked``  Saturdays and Sundays that are worked instead
    """

    years: frozenset[int]
    off: frozenset[date]
    worked: frozenset[date]

    def is_working_day(self, day: date) -> bool:
        """Whether a day is worked; in an unpublished year, whether it is a weekday."""
        if day.weekday() >= FIRST_WEEKEND_DAY:
            return day in self.worked
        return day not in self.off

    def is_published(self, day: date) -> bool:
        """Whether the day's year is known, or only guessed from weekdays."""
        return day.year in self.years


def load_working_calendar(directory: Path) -> WorkingCalendar:
    """The library's years, each replaced by its file where there is one.

    Raises :class:`HolidayFileError` for an unknown key, a day of another year, a weekday that is
    "worked instead" or a weekend day that is "off".
    """
    years = {day.year for day in published.holidays}
    off = {day for day in published.holidays if day.weekday() < FIRST_WEEKEND_DAY}
    worked = set(published.workdays)
    for path in sorted(directory.glob("*.toml")):
        year, file_off, file_worked = _read(path)
        years.add(year)
        off = {day for day in off if day.year != year} | file_off
        worked = {day for day in worked if day.year != year} | file_worked
    return WorkingCalendar(years=frozenset(years), off=frozenset(off), worked=frozenset(worked))


def _read(path: Path) -> tuple[int, set[date], set[date]]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as fault:  # Neither TOML, nor perhaps UTF-8.
        raise HolidayFileError(f"{path.name}: {fault}") from fault
    if set(data) != {"year", "source", "off", "worked"}:
        raise HolidayFileError(f"{path.name}: expected year, source, off and worked, got {sorted(data)}")
    year: int = data["year"]
    if path.stem != str(year):
        raise HolidayFileError(f"{path.name}: speaks of {year}")
    return year, _days(path, data, "off", year), _days(path, data, "worked", year)


def _days(path: Path, data: Mapping[str, Any], key: str, year: int) -> set[date]:
    if not isinstance(data[key], list):
        raise HolidayFileError(f"{path.name}: {key} is no list of days")
    for day in data[key]:
        if type(day) is not date or day.year != year:
            raise HolidayFileError(f"{path.name}: {key} holds {day}, which is no day of {year}")
        if (day.weekday() >= FIRST_WEEKEND_DAY) is not (key == "worked"):
            kind = "a weekend day" if key == "worked" else "a weekday"
            raise HolidayFileError(f"{path.name}: {key} holds {day}, which is not {kind}")
    return set(data[key])
