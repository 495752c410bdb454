"""The sheet press: long tables become XLSX or CSV in a process of their own, row by row.

Neither this process nor that one ever holds a table: what is streamed goes through line by line, so that
two hundred thousand rows take the memory of twenty thousand, and writing them keeps no request waiting.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

ROOT = Path(__file__).resolve().parent.parent.parent
PIECE_BYTES = 256 * 1024
ANSWER_SECONDS = 600.0
"""From the last row to the end of the file."""

CellKind = Literal["text", "fen", "number", "bp", "day", "instant", "each"]
"""``each``: every cell says what it is, as a pair of its kind and its value."""


class SheetNotWritten(RuntimeError):
    """The writer ended without a file."""


@dataclass(frozen=True, slots=True)
class SheetColumn:
    """One column: its header, what its cells are, how wide it is, and whether it is summed."""

    title: str
    kind: CellKind = "text"
    width: int = 20
    total: bool = False


@dataclass(frozen=True, slots=True)
class SheetTable:
    """One worksheet; ``rows`` is ``None`` where they are streamed."""

    name: str
    columns: Sequence[SheetColumn]
    total: str
    """What the row of totals is called."""
    rows: Sequence[Sequence[Any]] | None = None


@dataclass(frozen=True, slots=True)
class SheetCover:
    """The first sheet: what this is, who asked for it, when and of what."""

    name: str
    title: str
    lines: Sequence[tuple[str, str]] = field(default=())


async def _nothing() -> AsyncIterator[bytes]:
    none: tuple[bytes, ...] = ()
    for piece in none:
        yield piece


class SheetPress:
    """Writes one file at a time for each of ``at_once``; a file that nobody finished is not left behind."""

    def __init__(self, *, at_once: int = 1) -> None:
        self._turns = asyncio.Semaphore(at_once)

    async def write(
        self,
        path: Path,
        format: Literal["xlsx", "csv"],
        cover: SheetCover,
        tables: Sequence[SheetTable],
        streamed: AsyncIterator[bytes] | None = None,
    ) -> int:
        """Write a file, its path absolute.

        ``streamed`` gives the rows of the table without rows, as lines of JSON arrays.
        Returns how many rows were streamed. Raises :class:`SheetNotWritten`.
        """
        asked = {
            "path": str(path),
            "format": format,
            "cover": asdict(cover),
            "sheets": [asdict(table) for table in tables],
        }
        async with self._turns:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-E", "-s", "-m", "server.gateways.sheet_writer"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=ROOT,
                # No settings and no keys: it writes what it is given.
                env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            )
            try:
                return await self._fed(process, asked, streamed or _nothing())
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()

    async def _fed(
        self, process: asyncio.subprocess.Process, asked: dict[str, Any], streamed: AsyncIterator[bytes]
    ) -> int:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked, ensure_ascii=False).encode() + b"\n")
            await process.stdin.drain()
            async for piece in streamed:
                for start in range(0, len(piece), PIECE_BYTES):
                    process.stdin.write(piece[start : start + PIECE_BYTES])
                    await process.stdin.drain()
        except ConnectionError:
            # It has ended: its answer says so.
            pass
        process.stdin.close()
        try:
            said, fault = await asyncio.wait_for(process.communicate(), ANSWER_SECONDS)
        except TimeoutError:
            raise SheetNotWritten("no answer") from None
        if process.returncode:
            raise SheetNotWritten(fault.decode(errors="replace").strip().rpartition("\n")[2][:200])
        return int(json.loads(said)["rows"])
