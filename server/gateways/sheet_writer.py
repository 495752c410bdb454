"""The writer of sheets: a process of its own that turns lines on its input into one XLSX or CSV file.

``python -m server.gateways.sheet_writer`` reads one JSON object that says what is wanted, then a JSON array
for each row of the one sheet that is streamed. It knows no database and no secret, keeps one row in memory
at a time, and answers with one JSON object. ``gateways/sheet_press.py`` is its other end.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import xlsxwriter

from server.rules.spreadsheets import LARGEST_EXACT, neutral

CHINA = ZoneInfo("Asia/Shanghai")
MOST_ROWS = 1_000_000
"""Of one worksheet; what is longer goes on in another."""
FORMATS: Mapping[str, str] = {
    "text": "@",
    "fen": "#,##0.00",
    "number": "#,##0",
    "bp": "0.00%",
    "day": "yyyy-mm-dd",
    "instant": "yyyy-mm-dd hh:mm:ss",
    "each": "General",
}
"""How each kind of column is shown."""

Row = list[Any]


def main() -> None:
    """Write what the first line asks for, and say how many rows were streamed."""
    asked = json.loads(sys.stdin.buffer.readline())
    streamed = (json.loads(line) for line in sys.stdin.buffer)
    written = as_csv(asked, streamed) if asked["format"] == "csv" else as_xlsx(asked, streamed)
    sys.stdout.write(json.dumps({"rows": written}))


def as_xlsx(asked: Mapping[str, Any], streamed: Iterable[Row]) -> int:
    """A workbook: a first sheet that says what it is, then the tables, each with a frozen header."""
    options = {
        "constant_memory": True,
        "tmpdir": str(Path(asked["path"]).parent),
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(asked["path"], options) as book:
        looks = {kind: book.add_format({"num_format": shown}) for kind, shown in FORMATS.items()}
        bold = book.add_format({"bold": True, "num_format": "@", "bottom": 1})
        totals = {
            kind: book.add_format({"bold": True, "num_format": shown, "top": 1})
            for kind, shown in FORMATS.items()
        }
        _cover(book, asked["cover"], bold)
        return sum([_table(book, sheet, streamed, looks, bold, totals) for sheet in asked["sheets"]])


def _cover(book: Any, cover: Mapping[str, Any], bold: Any) -> None:
    sheet = book.add_worksheet(cover["name"])
    text = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 80)
    sheet.write_string(0, 0, neutral(cover["title"]), bold)
    for number, (label, value) in enumerate(cover["lines"], 2):
        sheet.write_string(number, 0, neutral(label), text)
        sheet.write_string(number, 1, neutral(value), text)


def _table(
    book: Any, told: Mapping[str, Any], streamed: Iterable[Row], looks: Any, bold: Any, totals: Any
) -> int:
    columns = told["columns"]
    rows = iter(streamed if told["rows"] is None else told["rows"])
    sums: dict[int, int] = {place: 0 for place, column in enumerate(columns) if column["total"]}
    written, page = 0, 0
    while True:
        page += 1
        sheet = book.add_worksheet(told["name"] if page == 1 else f"{told['name']}{page}")
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column["width"], looks[column["kind"]])
            sheet.write_string(0, place, neutral(column["title"]), bold)
        number = 0
        for number, row in enumerate(_first(rows, MOST_ROWS), 1):
            for place, value in enumerate(row):
                _cell(sheet, number, place, columns[place]["kind"], value, looks)
                if place in sums and value is not None:
                    sums[place] += value
        written += number
        sheet.autofilter(0, 0, max(number, 1), len(columns) - 1)
        if number < MOST_ROWS:
            break
    if sums:
        # Below the filter's range: a filtered list keeps its totals in sight, and out of its rows.
        sheet.write_string(number + 1, 0, told["total"], bold)
        for place, value in sums.items():
            _cell(sheet, number + 1, place, columns[place]["kind"], value, totals)
    return written if told["rows"] is None else 0


def _cell(sheet: Any, row: int, place: int, kind: str, value: Any, looks: Any) -> None:
    if kind == "each":
        kind, value = value
    look = looks[kind]
    if value is None:
        sheet.write_blank(row, place, None, look)
    elif kind in {"fen", "number", "bp"}:
        divided = {"fen": 100, "bp": 10_000, "number": 1}[kind]
        if abs(value) < LARGEST_EXACT:
            sheet.write_number(row, place, value / divided if divided > 1 else value, look)
        else:
            sheet.write_string(row, place, _plain(kind, value), looks["text"])
    elif kind == "day":
        sheet.write_datetime(row, place, date.fromisoformat(value), look)
    elif kind == "instant":
        local = datetime.fromisoformat(value).astimezone(CHINA)
        sheet.write_datetime(row, place, local.replace(tzinfo=None, microsecond=0), look)
    else:
        sheet.write_string(row, place, neutral(str(value)), look)


def as_csv(asked: Mapping[str, Any], streamed: Iterable[Row]) -> int:
    """The streamed table with its header in the first line; what it is stands below it."""
    (told,) = asked["sheets"]
    columns = told["columns"]
    sums: dict[int, int] = {place: 0 for place, column in enumerate(columns) if column["total"]}
    written = 0
    with Path(asked["path"]).open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([neutral(column["title"]) for column in columns])
        for row in streamed:
            written += 1
            writer.writerow([_plain(columns[place]["kind"], value) for place, value in enumerate(row)])
            for place in sums:
                sums[place] += row[place] or 0
        if sums:
            last = [_plain(column["kind"], sums.get(place)) for place, column in enumerate(columns)]
            writer.writerow([told["total"], *last[1:]])
        writer.writerow([])
        writer.writerow([neutral(asked["cover"]["title"])])
        writer.writerows([[neutral(label), neutral(value)] for label, value in asked["cover"]["lines"]])
    return written


def _plain(kind: str, value: Any) -> str:
    """A value as text: money in yuan, shares in percent, instants in China's time."""
    if kind == "each":
        kind, value = value
    if value is None:
        return ""
    if kind in {"fen", "bp"}:
        sign, whole = "-" if value < 0 else "", abs(value)
        return f"{sign}{whole // 100}.{whole % 100:02d}" + ("%" if kind == "bp" else "")
    if kind == "instant":
        return f"{datetime.fromisoformat(value).astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
    return neutral(str(value)) if kind == "text" else str(value)


def _first(rows: Iterator[Row], most: int) -> Iterator[Row]:
    for _ in range(most):
        try:
            yield next(rows)
        except StopIteration:
            return


if __name__ == "__main__":
    main()
