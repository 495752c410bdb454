"""Forms of a report: the workbook and the paper, made of the snapshot alone as the page is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from server import texts
from server.gateways.sheet_press import CellKind, SheetColumn, SheetCover, SheetTable
from server.services.reports.page import bars, head, shown

KINDS: Mapping[str, CellKind] = {"fen": "fen", "bp": "bp", "count": "number", "text": "text"}
LONGEST_NAME = 31
"""Of a worksheet."""

Facts = Sequence[tuple[str, str]]


def workbook(content: Mapping[str, Any], facts: Facts) -> tuple[SheetCover, list[SheetTable]]:
    """A sheet that says what it is, one of all figures, and one for each table."""
    words = texts.REPORT_WORDS
    cover = SheetCover(words["sheet"], content["title"], facts)
    figures = [
        [section["title"], head(one), [KINDS[one["unit"]], one["value"]]]
        for section in content["sections"]
        for one in section["figures"]
    ]
    columns = [
        SheetColumn("", width=24),
        SheetColumn(words["figure"], width=36),
        SheetColumn(words["value"], "each"),
    ]
    sheets = [SheetTable(words["figures"], columns, words["total"], figures)]
    taken = {words["sheet"], words["figures"]}
    for section in content["sections"]:
        for table in section["tables"]:
            summed = table["totals"] is not None
            named = [
                SheetColumn(
                    head(column),
                    KINDS[column["unit"]],
                    32 if column["unit"] == "text" else 16,
                    total=summed and column["unit"] in {"fen", "count"},
                )
                for column in table["columns"]
            ]
            rows = [list(row["cells"]) for row in table["rows"]]
            sheets.append(SheetTable(_free(table["title"], taken), named, words["total"], rows))
    return cover, sheets


def paper(content: Mapping[str, Any], facts: Facts, *, programme: str, number: str) -> dict[str, Any]:
    """What the template of the paper is filled with: every value as people read it."""
    words = texts.REPORT_WORDS
    return {
        "title": content["title"],
        "programme": programme,
        "number": number,
        "footnote": words["footnote"],
        "draft": False,
        "nothing": words["nothing"],
        "facts": [list(one) for one in facts],
        "sections": [
            {
                "title": section["title"],
                "figures": [[head(one), shown(one["value"], one["unit"])] for one in section["figures"]],
                "tables": [_printed(table) for table in section["tables"]],
            }
            for section in content["sections"]
        ],
    }


def _printed(table: Mapping[str, Any]) -> dict[str, Any]:
    columns = table["columns"]

    def row(cells: Sequence[Any]) -> list[str]:
        return [shown(value, column["unit"]) for column, value in zip(columns, cells, strict=True)]

    return {
        "title": table["title"],
        "head": [head(column) for column in columns],
        "numbers": [column["unit"] != "text" for column in columns],
        "widths": [3 if place == 0 else 2 for place in range(len(columns))],
        "rows": [row(one["cells"]) for one in table["rows"]],
        "totals": row(table["totals"]) if table["totals"] else [],
        "bars": [list(bar) for bar in bars(table)] if table["chart"] and table["rows"] else [],
    }


def _free(title: str, taken: set[str]) -> str:
    """A name that no sheet of the book has yet, without what a spreadsheet forbids in one."""
    plain = "".join("·" if sign in "[]:*?/\\" else sign for sign in title)[: LONGEST_NAME - 3]
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain}-{number}", number + 1
    taken.add(name)
    return name
