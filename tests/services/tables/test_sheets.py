"""Sheets from strangers: what is no plain table is refused before anything interprets it."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from random import Random
from typing import Any

import openpyxl
import pytest

from server.errors import Refusal
from server.services.tables import sheets
from server.services.tables.sheets import Line, SheetHasMacros, SheetTooLarge, SheetUnreadable, SheetUnsafe

HEADER = ("统一社会信用代码", "企业名称")
DAY = datetime.combine(date(2024, 5, 31), time())
ROW = ("91110000600037341L", "某公司")


def workbook(*rows: Any) -> bytes:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def repacked(raw: bytes, **parts: bytes) -> bytes:
    """The same workbook with some parts changed or added; ``__`` stands for a slash, ``_dot_`` for a dot."""
    named = {name.replace("__", "/").replace("_dot_", "."): content for name, content in parts.items()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            if part.filename not in named:
                new.writestr(part.filename, old.read(part))
        for name, content in named.items():
            new.writestr(name, content)
    return buffer.getvalue()


def values(lines: list[Line]) -> list[tuple[Any, ...]]:
    return [line.cells for line in lines]


def test_a_workbook_is_read_as_it_stands() -> None:
    raw = workbook(HEADER, ROW, (), ("x", DAY, 7, None))
    lines = sheets.read(raw)
    assert values(lines) == [HEADER, ROW, ("x", DAY, 7)]
    assert [line.number for line in lines] == [1, 2, 4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_csv_is_read_in_the_encodings_that_spreadsheets_write(encoding: str) -> None:
    raw = "统一社会信用代码,企业名称\r\n91110000600037341L,某公司\r\n".encode(encoding)
    assert values(sheets.read(raw)) == [HEADER, ROW]


def test_what_we_write_we_read_again_and_no_cell_is_a_formula() -> None:
    rows = [("=HYPERLINK(1)", "123456789012345678"), ("@x", "-1")]
    raw = sheets.written(HEADER, rows)
    book = openpyxl.load_workbook(io.BytesIO(raw))
    cells = [cell for row in book.active.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} == {"s"}
    assert not [cell.value for cell in cells if cell.value[0] in "=+-@"]
    assert book.active["B2"].value == "123456789012345678"
    assert book.active["B2"].number_format == "@"
    assert b"'=HYPERLINK(1)" in sheets.written_csv(HEADER, rows)


def test_a_formula_counts_as_the_value_it_last_had_never_as_itself() -> None:
    assert values(sheets.read(workbook(HEADER, ("=1+1", "x")))) == [HEADER, (None, "x")]


MACROS = repacked(workbook(HEADER, ROW), xl__vbaProject_dot_bin=b"code")
CONTENT_TYPES = zipfile.ZipFile(io.BytesIO(workbook(HEADER, ROW))).read("[Content_Types].xml")
MACRO_TYPE = CONTENT_TYPES.replace(
    b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
    b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
)
BOMB = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><s>&b;</s>'
FILE_ENTITY = b'<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><s>&a;</s>'


@pytest.mark.parametrize(
    ("raw", "refusal"),
    [
        pytest.param(MACROS, SheetHasMacros, id="a macro project"),
        pytest.param(
            repacked(workbook(HEADER, ROW), **{"[Content_Types]_dot_xml": MACRO_TYPE}),
            SheetHasMacros,
            id="a macro workbook by its type",
        ),
        pytest.param(
            repacked(workbook(HEADER, ROW), xl__worksheets__sheet1_dot_xml=BOMB), SheetUnsafe, id="entities"
        ),
        pytest.param(
            repacked(workbook(HEADER, ROW), xl__sharedStrings_dot_xml=FILE_ENTITY),
            SheetUnsafe,
            id="a file entity",
        ),
        pytest.param(
            repacked(workbook(HEADER, ROW), xl__styles_dot_xml=BOMB.decode().encode("utf-16")),
            SheetUnsafe,
            id="entities hidden in UTF-16",
        ),
        pytest.param(
            repacked(workbook(HEADER, ROW), xl__externalLinks__externalLink1_dot_xml=b"<x/>"),
            SheetUnsafe,
            id="a link to another file",
        ),
        pytest.param(
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, SheetUnsafe, id="an XLS, or a password"
        ),
        pytest.param(
            repacked(workbook(HEADER, ROW), xl__bomb_dot_xml=b"0" * (sheets.MOST_UNPACKED_BYTES + 1)),
            SheetTooLarge,
            id="a zip bomb",
        ),
        pytest.param(
            repacked(workbook(HEADER), **{f"x{number}": b"" for number in range(sheets.MOST_PARTS)}),
            SheetTooLarge,
            id="too many parts",
        ),
        pytest.param(b"x" * (sheets.MOST_BYTES + 1), SheetTooLarge, id="too many bytes"),
        pytest.param(b"a,b\n" * (sheets.MOST_ROWS + 6), SheetTooLarge, id="too many rows"),
        pytest.param(b"a" + b",a" * sheets.MOST_COLUMNS, SheetTooLarge, id="too many columns"),
        pytest.param(workbook(HEADER, ROW)[:-200], SheetUnreadable, id="a workbook cut off"),
        pytest.param(b"PK\x03\x04" + b"\0" * 100, SheetUnreadable, id="a zip in name only"),
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00", SheetUnreadable, id="a picture"),
        pytest.param(b"", SheetUnreadable, id="nothing"),
        pytest.param(b"\r\n,,\r\n", SheetUnreadable, id="only empty rows"),
        pytest.param(b'"a\n', SheetUnreadable, id="a quotation that never ends"),
        pytest.param(
            repacked(workbook(HEADER), xl__workbook_dot_xml=b"<x/>"), SheetUnreadable, id="no workbook"
        ),
    ],
)
def test_what_is_no_plain_table_is_refused(raw: bytes, refusal: type[Refusal]) -> None:
    assert values(sheets.read(workbook(HEADER, ROW))) == [HEADER, ROW]
    with pytest.raises(refusal):
        sheets.read(raw)


def test_a_part_that_lies_about_its_size_is_refused() -> None:
    raw = workbook(HEADER, ROW)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        stated = packed.getinfo("xl/worksheets/sheet1.xml").file_size.to_bytes(4, "little")
    assert raw.count(stated) > 0
    with pytest.raises(SheetUnreadable):
        sheets.read(raw.replace(stated, (10).to_bytes(4, "little")))


def test_no_byte_that_is_wrong_ends_in_anything_but_a_refusal_or_a_table() -> None:
    raw, random = workbook(HEADER, ROW), Random(7)
    outcomes = set()
    for _ in range(300):
        damaged = bytearray(raw)
        for _ in range(random.randint(1, 8)):
            damaged[random.randrange(len(damaged))] = random.randrange(256)
        try:
            sheets.read(bytes(damaged))
            outcomes.add("table")
        except Refusal as refusal:
            outcomes.add(refusal.code)
    assert "sheet_unreadable" in outcomes
    assert outcomes <= {"table", *(refusal.code for refusal in sheets.SHEET_REFUSALS)}


def test_a_sheet_that_states_a_smaller_size_loses_no_row() -> None:
    raw = workbook(*[ROW] * 50)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").replace(b'ref="A1:B50"', b'ref="A1:B2"')
    assert len(sheets.read(repacked(raw, xl__worksheets__sheet1_dot_xml=sheet))) == 50


def test_a_row_beyond_any_worksheet_is_refused_and_costs_nothing() -> None:
    raw = workbook(ROW)
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        sheet = packed.read("xl/worksheets/sheet1.xml").replace(b'r="1"', b'r="2000000000"')
    with pytest.raises(SheetTooLarge):
        sheets.read(repacked(raw, xl__worksheets__sheet1_dot_xml=sheet))
