"""Sheets: tables that people send as XLSX or CSV, read without trusting them, and tables sent back.

What arrives may be a bomb, a macro, another format under a wrong name. It is opened only after its
parts were counted and looked at, and never read beyond :data:`MOST_ROWS` and :data:`MOST_COLUMNS`.
Everything here is plain, blocking work: call it on a thread.
"""

from __future__ import annotations

import csv
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import xlsxwriter

from server.errors import Refusal
from server.rules.spreadsheets import LAST_ROW, neutral
from server.services.tables.cells import Cell

MOST_BYTES = 5 * 1024 * 1024
MOST_UNPACKED_BYTES = 24 * 1024 * 1024
MOST_PARTS = 200
MOST_ROWS = 10_000
MOST_COLUMNS = 40
HEADER_WITHIN = 5
"""Official lists carry a title or two above their header."""
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ZIP_START = b"PK\x03\x04"
OLE_START = b"\xd0\xcf\x11\xe0"
"""What XLS and password-protected XLSX begin with."""
BROKEN = (
    zipfile.BadZipFile,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    EOFError,
    OSError,
    RuntimeError,
    SyntaxError,
    OverflowError,
    AssertionError,
    struct.error,
    zlib.error,
)
"""What a reader of somebody else's bytes ends with; each means: not a table."""


class SheetUnreadable(Refusal):
    """Neither XLSX nor CSV, or damaged."""

    status, code = 422, "sheet_unreadable"


class SheetTooLarge(Refusal):
    """More bytes (packed or unpacked), rows or columns than an import takes."""

    status, code = 413, "sheet_too_large"


class SheetHasMacros(Refusal):
    """The workbook carries programs; nobody needs them in a list."""

    status, code = 422, "sheet_has_macros"


class SheetUnsafe(Refusal):
    """XML entities, links to other files, or a password: nothing a list needs."""

    status, code = 422, "sheet_unsafe"


SHEET_REFUSALS: tuple[type[Refusal], ...] = (SheetUnreadable, SheetTooLarge, SheetHasMacros, SheetUnsafe)


@dataclass(frozen=True, slots=True)
class Line:
    """One row as it stands in the file; ``number`` counts from 1, as spreadsheets show it."""

    number: int
    cells: tuple[Cell, ...]

    @property
    def is_empty(self) -> bool:
        return all(cell is None or cell == "" for cell in self.cells)


def read(raw: bytes) -> list[Line]:
    """Every row of the first sheet that is not empty.

    Raises :class:`SheetUnreadable`, :class:`SheetTooLarge`, :class:`SheetHasMacros`, :class:`SheetUnsafe`.
    """
    if len(raw) > MOST_BYTES:
        raise _too_large()
    if raw.startswith(OLE_START):
        raise SheetUnsafe()
    lines = _of_workbook(raw) if raw.startswith(ZIP_START) else _of_csv(raw)
    kept: list[Line] = []
    for line in lines:
        if line.is_empty:
            continue
        if len(line.cells) > MOST_COLUMNS or len(kept) >= MOST_ROWS + HEADER_WITHIN:
            raise _too_large()
        kept.append(line)
    if not kept:
        raise SheetUnreadable()
    return kept


def written(header: Sequence[str], rows: Sequence[Sequence[str]], *, widths: Sequence[int] = ()) -> bytes:
    """An XLSX of texts: a frozen header, every cell a text that is no formula, long numbers kept."""
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        sheet = book.add_worksheet()
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        sheet.freeze_panes(1, 0)
        for column in range(len(header)):
            sheet.set_column(column, column, widths[column] if column < len(widths) else 20, text)
        for number, row in enumerate((header, *rows)):
            for column, cell in enumerate(row):
                sheet.write_string(number, column, neutral(cell), text if number else bold)
    return buffer.getvalue()


def written_csv(header: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    """The same as CSV in UTF-8 with the mark by which spreadsheets know it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerows([[neutral(cell) for cell in row] for row in (header, *rows)])
    return buffer.getvalue().encode("utf-8-sig")


def _too_large() -> SheetTooLarge:
    return SheetTooLarge(megabytes=MOST_BYTES // 1024**2, rows=MOST_ROWS, columns=MOST_COLUMNS)


# -- XLSX ------------------------------------------------------------------------------------------


def _of_workbook(raw: bytes) -> Iterator[Line]:
    # Here, on its thread: most processes never read a workbook, and this takes a tenth of their start.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            _require_harmless(packed)
        # Values as last computed; links and formulas are not followed.
        book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True, keep_links=False)
        try:
            sheet = book.worksheets[0]
            # The size that the sheet states may be wrong, and what lies beyond it would be lost unseen.
            sheet.reset_dimensions()
            for number, row in enumerate(sheet.iter_rows(values_only=True), 1):
                if number > LAST_ROW:
                    raise _too_large()
                if any(cell is not None for cell in row):
                    yield Line(number, _trimmed(row))
        finally:
            book.close()
    except (*BROKEN, InvalidFileException):
        raise SheetUnreadable() from None


def _require_harmless(packed: zipfile.ZipFile) -> None:
    """Look at the parts before anything interprets them; their stated sizes are what unpacking is held to."""
    parts = packed.infolist()
    if len(parts) > MOST_PARTS or sum(part.file_size for part in parts) > MOST_UNPACKED_BYTES:
        raise _too_large()
    names = [part.filename.lower() for part in parts]
    if any(part.flag_bits & 1 for part in parts) or any("externallink" in name for name in names):
        raise SheetUnsafe()
    if any((name.endswith(".bin") and "vba" in name) or "macrosheet" in name for name in names):
        raise SheetHasMacros()
    if "[content_types].xml" not in names or "xl/workbook.xml" not in names:
        raise SheetUnreadable()
    for part in parts:
        if part.filename.lower().endswith((".xml", ".rels", ".vml")):
            content = packed.read(part)
            # A document type declares entities, and in UTF-16 would hide from this look.
            if b"<!DOCTYPE" in content or b"<!ENTITY" in content or b"\x00" in content:
                raise SheetUnsafe()
            if b"macroEnabled" in content and part.filename.lower() == "[content_types].xml":
                raise SheetHasMacros()


def _trimmed(row: Sequence[object]) -> tuple[Cell, ...]:
    """Without the empty cells at the end: a sheet that was once wider is not too wide."""
    last = max((place for place, cell in enumerate(row, 1) if cell not in (None, "")), default=0)
    return tuple(cell if isinstance(cell, Cell) else str(cell) for cell in row[:last])


# -- CSV -------------------------------------------------------------------------------------------


def _of_csv(raw: bytes) -> Iterator[Line]:
    text = _decoded(raw)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            yield Line(number, _trimmed(row))
    except csv.Error:
        raise SheetUnreadable() from None


def _decoded(raw: bytes) -> str:
    """UTF-8, or what a spreadsheet in Chinese saves as CSV."""
    if b"\x00" in raw:
        raise SheetUnreadable()
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise SheetUnreadable()
