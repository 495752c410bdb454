"""Case index: the workbook that lists a case's files, deeds and bookings.

Rows wait in files of their own until the workbook is written, so that many of them cost no memory.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import xlsxwriter

from server import texts
from server.models.files import StoredFile
from server.rules.spreadsheets import LAST_ROW, neutral
from server.services.proof.case_proofs import Places
from server.units import yuan

SAME_DAY = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no time zone
WIDTHS = (44, 26, 20, 16, 26, 24, 16, 66)


class CaseIndex:
    """The rows so far; :meth:`written` makes the workbook of them."""

    def __init__(self) -> None:
        self._waiting: dict[str, IO[str]] = {}
        self._files: dict[str, str] = {}

    def close(self) -> None:
        """Let go of rows that no workbook was made of."""
        for waiting in self._waiting.values():
            waiting.close()
        self._waiting.clear()

    async def file(self, path: str, file: StoredFile) -> None:
        """What a file of the evidence is called by its owner."""
        self._files.setdefault(path, file.name)

    async def journal(self, line: Mapping[str, Any], places: Places) -> None:
        """One link of the journal."""
        entry = line.get("entry")
        day = next((number for number, known in places.of_day.items() if known[-1] == line["place"]), "")
        said = (entry["at"], entry["action"], entry["actor"]) if entry else ("", texts.CASE_WITHHELD, "")
        self._keep("journal", (line["place"], day, line["subject"], line["seq"], *said, line["hash"]))

    async def ledger(self, row: Mapping[str, Any]) -> None:
        """One booking."""
        kept = (row["id"], row["at"], row["movement"], row["debit"], row["credit"])
        self._keep("ledger", (*kept, yuan(row["amount_fen"]), row["order_id"], row["voucher_id"]))

    async def written(self, hashes: Mapping[str, str], sizes: Mapping[str, int]) -> bytes:
        """The workbook; the rows that waited are gone."""
        for path, sha256 in hashes.items():
            self._keep("files", (path, sha256, sizes[path], self._files.get(path, "")))
        return await asyncio.to_thread(self._book)

    def _keep(self, sheet: str, row: tuple[object, ...]) -> None:
        if sheet not in self._waiting:
            self._waiting[sheet] = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
        said = ["" if cell is None else str(cell) for cell in row]
        self._waiting[sheet].write(json.dumps(said) + "\n")

    def _book(self) -> bytes:
        options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
        with tempfile.TemporaryDirectory(prefix="qiquan-index-") as folder:
            path = Path(folder, "index.xlsx")
            with xlsxwriter.Workbook(str(path), {**options, "tmpdir": folder}) as book:
                book.set_properties({"created": SAME_DAY})
                text = book.add_format({"num_format": "@"})
                bold = book.add_format({"bold": True, "num_format": "@"})
                for code, (title, columns) in texts.CASE_INDEX.items():
                    sheet = book.add_worksheet(title)
                    sheet.freeze_panes(1, 0)
                    for column, name in enumerate(columns):
                        sheet.set_column(column, column, WIDTHS[column], text)
                        sheet.write_string(0, column, name, bold)
                    for number, row in enumerate(self._rows(code), 1):
                        for column, cell in enumerate(row if number < LAST_ROW else ()):
                            sheet.write_string(number, column, neutral(cell), text)
            return path.read_bytes()

    def _rows(self, sheet: str) -> Any:
        waiting = self._waiting.pop(sheet, None)
        if waiting is None:
            return
        with waiting:
            waiting.seek(0)
            for line in waiting:
                yield json.loads(line)
