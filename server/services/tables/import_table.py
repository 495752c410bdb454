"""Import tables: the columns a kind of list has, and its rows read into items, every fault with its row.

A file that came back from us, with its results and errors beside each row, is read as if they were not
there; so is the example row of the template.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from server import texts
from server.errors import Refusal
from server.services.tables.cells import CellFault, plain
from server.services.tables.sheets import HEADER_WITHIN, Line, SheetUnreadable

Item = TypeVar("Item")
_MARKS = re.compile(r"[*＊\s]|\((?:必填|选填)\)")


class ImportColumnsWrong(Refusal):
    """The header is not the template's: columns are missing, unknown or there twice."""

    status, code = 422, "import_columns_wrong"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a template. ``example`` stands in the template's second row."""

    code: str
    name: str
    example: str
    required: bool = False
    width: int = 20


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong with one row, and in which column; an empty column: with the row."""

    column: str
    problem: str


class RowUnusable(Exception):
    """Raised by a kind's reader: the row is well written, but what it says cannot be."""

    def __init__(self, column: str, problem: str) -> None:
        super().__init__(problem)
        self.fault = RowFault(column, problem)


@dataclass(frozen=True, slots=True)
class Row(Generic[Item]):
    """One row: what it says (``None`` while it has faults), and what everybody knows it by."""

    number: int
    cells: tuple[str, ...]
    holder: str
    item: Item | None
    faults: tuple[RowFault, ...]


@dataclass(frozen=True, slots=True)
class Table(Generic[Item]):
    """A file's header as it was written, and its rows."""

    header: tuple[str, ...]
    rows: tuple[Row[Item], ...]


class Cells:
    """One row's cells by column code; reading one notes its fault and goes on."""

    def __init__(self, written: Mapping[str, str], columns: Sequence[Column]) -> None:
        self._written = written
        self._names = {column.code: column.name for column in columns}
        self.faults: list[RowFault] = []

    def text(self, code: str) -> str:
        """The cell in its one spelling; empty where there is none."""
        return self._written.get(code, "")

    def read(self, code: str, reader: Callable[[str], Item]) -> Item | None:
        """What a reader makes of a cell; ``None`` and a fault where it cannot."""
        try:
            return reader(self.text(code))
        except CellFault as fault:
            self.faults.append(RowFault(self._names[code], str(fault)))
            return None


def table_of(
    lines: Sequence[Line],
    columns: Sequence[Column],
    reader: Callable[[Cells], Item],
    *,
    key: Callable[[Item], object],
    holder: str,
) -> Table[Item]:
    """A file's rows as items. ``key`` says which rows mean the same thing; ``holder`` names a column.

    Raises :class:`ImportColumnsWrong`, or ``SheetUnreadable`` for a header without rows.
    """
    start, places, header = _header(lines, columns)
    rows: list[Row[Item]] = []
    seen: dict[object, int] = {}
    for line in lines[start + 1 :]:
        cells, unreadable = _plain(line, places, columns)
        if not any(cells.values()) and not unreadable:
            continue
        if cells == {column.code: plain(column.example) for column in columns if column.code in places}:
            continue
        row = _row(line, cells, unreadable, columns, reader, holder)
        if row.item is not None:
            first = seen.setdefault(key(row.item), row.number)
            if first != row.number:
                twice = RowFault("", texts.CELL_FAULTS["twice"].format(row=first))
                row = Row(row.number, row.cells, row.holder, None, (twice,))
        rows.append(row)
    if not rows:
        raise SheetUnreadable()
    return Table(header, tuple(rows))


def _header(lines: Sequence[Line], columns: Sequence[Column]) -> tuple[int, dict[str, int], tuple[str, ...]]:
    """Where the header stands, the place of each column, and the header as written."""
    known = {column.name: column.code for column in columns}
    candidates = [[_heading(cell) for cell in line.cells] for line in lines[:HEADER_WITHIN]]
    start = max(range(len(candidates)), key=lambda one: (len(known.keys() & set(candidates[one])), -one))
    header = candidates[start]
    missing = [column.name for column in columns if column.required and column.name not in header]
    unknown = [name for name in header if name and name not in known and name not in texts.IMPORT_IGNORED]
    twice = sorted({name for name in header if name in known and header.count(name) > 1})
    problems = [
        texts.IMPORT_COLUMNS[problem].format(names=texts.LIST.join(names))
        for problem, names in (("missing", missing), ("unknown", unknown[:5]), ("twice", twice))
        if names
    ]
    if problems:
        raise ImportColumnsWrong(problem=texts.STEP.join(problems))
    places = {known[name]: place for place, name in enumerate(header) if name in known}
    return start, places, tuple(header)


def _heading(cell: object) -> str:
    try:
        return _MARKS.sub("", plain(cell))[:60]  # type: ignore[arg-type]
    except CellFault:
        return "?"


def _plain(
    line: Line, places: Mapping[str, int], columns: Sequence[Column]
) -> tuple[dict[str, str], list[RowFault]]:
    names = {column.code: column.name for column in columns}
    cells: dict[str, str] = {}
    faults: list[RowFault] = []
    for code, place in places.items():
        try:
            cells[code] = plain(line.cells[place]) if place < len(line.cells) else ""
        except CellFault as fault:
            cells[code] = ""
            faults.append(RowFault(names[code], str(fault)))
    return cells, faults


def _row(
    line: Line,
    written: Mapping[str, str],
    unreadable: list[RowFault],
    columns: Sequence[Column],
    reader: Callable[[Cells], Item],
    holder: str,
) -> Row[Item]:
    broken = {fault.column for fault in unreadable}
    faults = unreadable + [
        RowFault(column.name, texts.CELL_FAULTS["missing"].format(name=column.name))
        for column in columns
        if column.required and not written.get(column.code) and column.name not in broken
    ]
    empty = {fault.column for fault in faults}
    cells = Cells(written, columns)
    item: Item | None = None
    try:
        item = reader(cells)
    except RowUnusable as unusable:
        faults.append(unusable.fault)
    faults += [fault for fault in cells.faults if fault.column not in empty]
    return Row(
        line.number,
        tuple(_shown(cell) for cell in line.cells),
        written.get(holder, ""),
        None if faults else item,
        tuple(faults),
    )


def _shown(cell: object) -> str:
    """A cell as it goes back to its sender, whatever is wrong with it."""
    try:
        return plain(cell)  # type: ignore[arg-type]
    except CellFault:
        return str(cell)[:60].encode("utf-8", "replace").decode()
