"""Spoken days: the day that somebody means by 昨天, 上周三, 3月5日 or 2026/3/5.

A day that is not said is not guessed: what names no day gives none, and the words are kept instead. A day
without its year is the last one that has been. A month alone counts from its first day.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from server.clock import EARLIEST
from server.rules.spoken import chinese_number

_AGO = {"大前": 3, "前": 2, "昨": 1, "今": 0}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(("一1", "二2", "三3", "四4", "五5", "六6", "日天7"))
    for name in names
}
_NUMERAL = r"(?:[0-9]{1,3}|[一二三四五六七八九]?十[一二三四五六七八九]?|[一二两三四五六七八九])"
_DAY = r"(?:[0-9]{1,2}|[一二三]?十[一二三四五六七八九]?|[一二三四五六七八九])"
_YEAR = r"(?P<year>[0-9]{4}|[一二三四五六七八九〇零]{4}|今|去|前)年"
_FULL = re.compile(
    r"(?<![0-9])(?P<year>[0-9]{4})\s*[-/.]\s*(?P<month>[0-9]{1,2})\s*[-/.]\s*(?P<day>[0-9]{1,2})(?![0-9])"
)
_WRITTEN = re.compile(rf"(?:{_YEAR})?\s*(?P<month>{_DAY})\s*月(?:\s*份)?(?:\s*(?P<day>{_DAY})\s*[日号])?")
_SHORT = re.compile(r"(?<![0-9./-])(?P<month>[0-9]{1,2})\s*[/.-]\s*(?P<day>[0-9]{1,2})(?![0-9./%-])")
_MONTH_AGO = re.compile(rf"(?P<which>上上|上|这|本)个?月(?:\s*(?P<day>{_DAY})\s*[日号])?")
_WEEK = re.compile(r"(?P<which>上上|上|这|本)?个?(?:周|星期|礼拜)(?P<weekday>[一二三四五六日天1-7])")
_BACK = re.compile(rf"(?P<count>{_NUMERAL}|半)\s*(?P<unit>天|日|周|个?星期|个?礼拜|个?月|年)(?:之?前|以前)")
_NEAR = re.compile(r"(?P<which>大前|前|昨|今)[天日晚]")
_DAY_ALONE = re.compile(rf"(?<![0-9月一二三四五六七八九十])(?P<day>{_DAY})\s*[日号](?!楼|线|店|门|院)")


@dataclass(frozen=True, slots=True)
class SaidDay:
    """A day, and whether the message says nothing beside it."""

    day: date
    exact: bool


class DayToCome(ValueError):
    """The day that was said has not come yet; ``day`` is it."""

    def __init__(self, day: date) -> None:
        super().__init__(day.isoformat())
        self.day = day


def said_day(text: str, today: date) -> SaidDay | None:
    """The first day a message names. Raises :class:`DayToCome` where all it names lies ahead."""
    said = unicodedata.normalize("NFKC", text)
    ahead: date | None = None
    for match, day in _days(said, today):
        if day is None or day < EARLIEST:
            continue
        if day <= today:
            rest = said[: match.start()] + said[match.end() :]
            return SaidDay(day, not any(unicodedata.category(one)[0] in "LN" for one in rest))
        ahead = ahead or day
    if ahead is not None:
        raise DayToCome(ahead)
    return None


def _days(said: str, today: date) -> Iterator[tuple[re.Match[str], date | None]]:
    """Every reading, the surest first."""
    for match in _FULL.finditer(said):
        yield match, _day(int(match["year"]), int(match["month"]), int(match["day"]))
    for match in _WRITTEN.finditer(said):
        yield match, _of_year(match["year"], _number(match["month"]), _number(match["day"] or "1"), today)
    for match in _MONTH_AGO.finditer(said):
        months = {"上上": 2, "上": 1}.get(match["which"], 0)
        first = _months_back(today.replace(day=1), months)
        yield match, _day(first.year, first.month, _number(match["day"] or "1"))
    for match in _NEAR.finditer(said):
        yield match, today - timedelta(days=_AGO[match["which"]])
    for match in _WEEK.finditer(said):
        yield match, _weekday(match["which"] or "", _WEEKDAYS[match["weekday"]], today)
    for match in _BACK.finditer(said):
        yield match, _back(match["count"], match["unit"], today)
    for match in _SHORT.finditer(said):
        yield match, _of_year(None, int(match["month"]), int(match["day"]), today)
    for match in _DAY_ALONE.finditer(said):
        here = _day(today.year, today.month, _number(match["day"]))
        before = _months_back(today.replace(day=1), 1)
        passed = here is not None and here <= today
        yield match, here if passed else _day(before.year, before.month, _number(match["day"]))


def _number(numeral: str) -> int:
    if numeral.isdigit():
        return int(numeral)
    return chinese_number(numeral.replace("两", "二"))


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _of_year(year: str | None, month: int, day: int, today: date) -> date | None:
    """A day of a year that is said; of none, the last such day that has been."""
    if year is None:
        this = _day(today.year, month, day)
        return this if this is not None and this <= today else _day(today.year - 1, month, day)
    if year in "今去前":
        return _day(today.year - "今去前".index(year), month, day)
    if not year.isdigit():
        year = "".join(str("〇一二三四五六七八九".index("〇" if one == "零" else one)) for one in year)
    return _day(int(year), month, day)


def _weekday(which: str, weekday: int, today: date) -> date:
    """上周三 lies in the week before this one; 周三 is the last one that has been."""
    monday = today - timedelta(days=today.weekday())
    if which in ("上", "上上"):
        return monday + timedelta(days=weekday, weeks=-len(which))
    day = monday + timedelta(days=weekday)
    return day - timedelta(weeks=1) if not which and day > today else day


def _back(count: str, unit: str, today: date) -> date | None:
    if count == "半":
        days = {"年": 182, "月": 15, "个月": 15}.get(unit)
        return None if days is None else today - timedelta(days=days)
    number = _number(count)
    if unit in ("天", "日"):
        return today - timedelta(days=number)
    if unit.endswith("月"):
        return _months_back(today, number)
    if unit == "年":
        return _months_back(today, 12 * number)
    return today - timedelta(weeks=number)


def _months_back(day: date, months: int) -> date:
    """The same day so many months earlier, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    for last in (day.day, 30, 29, 28):
        found = _day(max(year, EARLIEST.year), month + 1, min(day.day, last))
        if found is not None:
            return found
    return day
