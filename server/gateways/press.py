"""The press: papers are set by typst from the templates in ``server/documents``, with fonts of our own.

The same content gives the same bytes on every machine: no font of the system is used and the date inside
comes from the content. Content reaches a template as data, never as markup. Setting a page takes some
twenty milliseconds in a thread, and for most of them Python is not held.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.resources import as_file, files
from io import BytesIO
from pathlib import Path
from typing import Any

import pikepdf
import typst

TEMPLATES = Path(__file__).resolve().parent.parent / "documents"
FONTS = "pylopdf_fonts_zh_cn"
AT_ONCE = 2


class Press:
    """Prints PDFs; at most ``AT_ONCE`` at a time."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def print(self, template: str, content: Mapping[str, Any], *, at: datetime) -> bytes:
        """The PDF of a template of the house, filled in. ``at`` is the instant it says it was made."""
        async with self._turns:
            return await asyncio.to_thread(printed, template, content, at)


def printed(template: str, content: Mapping[str, Any], at: datetime) -> bytes:
    """The same, at once."""
    at = at.astimezone(UTC)
    said = {**content, "at": [at.year, at.month, at.day, at.hour, at.minute, at.second]}
    with as_file(files(FONTS)) as fonts:
        made = typst.compile(
            str(TEMPLATES / f"{template}.typ"),
            root=str(TEMPLATES),
            font_paths=[str(fonts)],
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"content": json.dumps(said, ensure_ascii=False)},
            timestamp=int(at.timestamp()),
        )
    assert isinstance(made, bytes)
    return made


async def page_count(made: bytes) -> int:
    """How many pages a PDF of our own has."""

    def counted() -> int:
        with pikepdf.open(BytesIO(made)) as pdf:
            return len(pdf.pages)

    return await asyncio.to_thread(counted)
