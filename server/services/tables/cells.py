"""Cells: what people type into a table, in the one spelling that the system knows.

Full-width digits and letters, stray and invisible spaces, and the ways in which a day is written in
Chinese all mean the same thing here. What cannot be read says why, in Chinese, with :class:`CellFault`.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime

from server import texts
from server.rules.spreadsheets import FORMULA_STARTS, LARGEST_EXACT
from server.rules.uscc import UsccInvalid, checked_uscc

Cell = str | int | float | bool | datetime | date | None
"""What a spreadsheet or a CSV file holds in one place."""

LONGEST_CELL = 500
FIRST_YEAR, LAST_YEAR = 1949, 2199

_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\u00ad]")
_SPACES = re.compile(r"\s+")
_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:\s+00?:00(?::00)?)?")
_DAY_CLOSE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_YEAR = re.compile(r"(\d{4})\s*年?度?")
_CHINESE_DIGITS = {character: str(digit) for digit, character in enumerate("〇一二三四五六七八九")} | {
    "零": "0"
}
_CHINESE_NUMBER = re.compile("[〇零一二三四五六七八九十]+")
WITHOUT_END = frozenset({"", "长期", "永久", "无", "无期限", "长期有效", "/", "-", "—"})
"""How a list says that something has no end."""


class CellFault(ValueError):
    """What is wrong with one cell, in Chinese; becomes a line of the report, never an answer by itself."""


def plain(cell: Cell) -> str:
    """The cell as text in one spelling: NFKC, no invisible characters, single spaces.

    Raises :class:`CellFault` for a number too long to be true, a text too long, or an unusable character.
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return texts.YES_NO[cell]
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, int | float):
        return _number(cell)
    if len(cell) > LONGEST_CELL:
        raise CellFault(texts.CELL_FAULTS["long"].format(most=LONGEST_CELL))
    if _UNUSABLE.search(cell):
        raise CellFault(texts.CELL_FAULTS["unusable"])
    if cell[:1] == "'" and cell[1:2] in FORMULA_STARTS:
        cell = cell[1:]
    return _SPACES.sub(" ", _INVISIBLE.sub("", unicodedata.normalize("NFKC", cell))).strip()


def uscc_of(text: str) -> str:
    """A Unified Social Credit Code with its check digit right; raises :class:`CellFault` with the reason."""
    try:
        return checked_uscc(text.replace(" ", "").upper())
    except UsccInvalid as invalid:
        raise CellFault(texts.REFUSALS[invalid.code].format(**invalid.values)) from None


def name_of(text: str) -> str:
    """The full name of an organisation: Chinese brackets in the one form that licences use."""
    return text.replace("(", "（").replace(")", "）").replace(" ", "") if _is_chinese(text) else text


def day_of(text: str) -> date:
    """A day, however it is written: ``2024/5/31``, ``2024年5月31日``, ``二〇二四年五月三十一日``.

    Raises :class:`CellFault`; a month without its day is no day.
    """
    written = _CHINESE_NUMBER.sub(_arabic, text)
    found = _DAY.fullmatch(written) or _DAY_CLOSE.fullmatch(written)
    try:
        day = date(*(int(part) for part in found.groups())) if found else None
    except ValueError:
        day = None
    if day is None or not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise CellFault(texts.CELL_FAULTS["day"].format(text=text))
    return day


def last_day_of(text: str) -> date | None:
    """The last day of a validity, ``None`` where it has no end (:data:`WITHOUT_END`)."""
    return None if text in WITHOUT_END else day_of(text)


def year_of(text: str) -> int | None:
    """A year: ``2017``, ``2017年``, ``2017年度``, ``二〇一七年``; ``None`` where there is none."""
    if not text:
        return None
    found = _YEAR.fullmatch(_CHINESE_NUMBER.sub(_arabic, text))
    if found is None or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        raise CellFault(texts.CELL_FAULTS["year"].format(text=text))
    return int(found[1])


def _number(number: int | float) -> str:
    # Not-a-number compares false with everything.
    if not abs(number) < LARGEST_EXACT:
        raise CellFault(texts.CELL_FAULTS["number"])
    return str(int(number)) if number == int(number) else repr(number)


def _arabic(found: re.Match[str]) -> str:
    """Digits read one by one (二〇二四), or counted with tens (三十一)."""
    written = found[0]
    if "十" not in written:
        return "".join(_CHINESE_DIGITS[character] for character in written)
    # What is no number at all (百十) becomes a question mark, and so no day.
    tens, _, ones = written.partition("十")
    first = _CHINESE_DIGITS.get(tens, "?") if tens else "1"
    return first + (_CHINESE_DIGITS.get(ones, "?") if ones else "0")


def _is_chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text)
