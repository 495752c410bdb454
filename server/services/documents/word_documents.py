"""Word documents: the smallest DOCX that Word, WPS and LibreOffice open, made of paragraphs and one table.

The same content gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_TYPES = (
    f'{_HEAD}<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="xml" ContentType="application/xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{MEDIA_TYPE}.main+xml"/></Types>'
)
_LINKS = (
    f'{_HEAD}<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/></Relationships>'
)
_LINE = "single"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what is asked, and what is filled in already."""

    name: str
    value: str = ""


def document(title: str, rows: Sequence[Row], paragraphs: Iterable[str]) -> bytes:
    """A DOCX with a title, a table of two columns and paragraphs below it."""
    body = "".join(
        (
            _paragraph(title, title=True),
            _table(rows) if rows else "",
            *(_paragraph(one) for one in paragraphs),
        )
    )
    text = f'{_HEAD}<w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _LINKS),
            ("word/document.xml", text),
        ):
            package.writestr(zipfile.ZipInfo(name, _EARLIEST), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _paragraph(text: str, *, title: bool = False) -> str:
    look = '<w:pPr><w:jc w:val="center"/></w:pPr>' if title else ""
    font = '<w:rPr><w:b/><w:sz w:val="32"/></w:rPr>' if title else ""
    return f'<w:p>{look}<w:r>{font}<w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def _table(rows: Sequence[Row]) -> str:
    sides = ("top", "left", "bottom", "right", "insideH", "insideV")
    borders = "".join(f'<w:{side} w:val="{_LINE}" w:sz="4" w:space="0" w:color="auto"/>' for side in sides)
    lines = "".join(f"<w:tr>{_cell(row.name, 3600)}{_cell(row.value, 5400)}</w:tr>" for row in rows)
    return (
        f"<w:tbl><w:tblPr><w:tblBorders>{borders}</w:tblBorders></w:tblPr>"
        f'<w:tblGrid><w:gridCol w:w="3600"/><w:gridCol w:w="5400"/></w:tblGrid>{lines}</w:tbl>'
    )


def _cell(text: str, width: int) -> str:
    return f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/></w:tcPr>{_paragraph(text)}</w:tc>'
