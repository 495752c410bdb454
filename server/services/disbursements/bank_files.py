"""Bank files: an approved batch as the table its bank takes, twice the same to the byte.

Everything here is plain, blocking work: call it on a thread. Names may come from anybody and are no
formulas; an account's number is a text, never a number that a spreadsheet rounds.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

import xlsxwriter

from server import texts
from server.models.disbursements import BankAccount
from server.programme.bank_files import BankEncoding, BankTemplate, BankValue
from server.rules.spreadsheets import neutral
from server.sealing import Sealer
from server.services.tables.sheets import XLSX


class BankFormat(StrEnum):
    """In which form a bank's file is downloaded."""

    CSV = "csv"
    XLSX = "xlsx"


MEDIA = {BankFormat.CSV: "text/csv", BankFormat.XLSX: XLSX}
MADE = datetime(2000, 1, 1, tzinfo=UTC)
"""What every workbook says of when it was made: what was approved has one hash, whenever it is written."""
WIDTH = 24


@dataclass(frozen=True, slots=True)
class BankLine:
    """One payment as the bank reads it; ``account`` is the whole number."""

    payment: str
    holder: str
    account: str
    bank: str
    bank_code: str
    uscc: str
    amount_fen: int
    settlement: str

    @classmethod
    def to(
        cls,
        account: BankAccount,
        sealer: Sealer,
        *,
        payment: str,
        uscc: str,
        amount_fen: int,
        settlement: str,
    ) -> BankLine:
        """A line that pays so much into an account, whose number is unsealed for it."""
        return cls(
            payment=payment,
            holder=account.holder,
            account=sealer.open(account.number_sealed),
            bank=account.bank,
            bank_code=account.bank_code,
            uscc=uscc,
            amount_fen=amount_fen,
            settlement=settlement,
        )


@dataclass(frozen=True, slots=True)
class BankFile:
    """What is sent: both forms, and what they come to."""

    csv: bytes
    xlsx: bytes
    count: int
    total_fen: int

    def content(self, form: BankFormat) -> bytes:
        """One of its forms."""
        return self.csv if form is BankFormat.CSV else self.xlsx

    def sha256(self, form: BankFormat) -> str:
        """The hash of one of its forms."""
        return hashlib.sha256(self.content(form)).hexdigest()


def written(template: BankTemplate, lines: Sequence[BankLine], *, purpose: str, batch: str) -> BankFile:
    """A batch in both forms, its lines in their order."""
    table = list(_table(template, lines, purpose, batch))
    return BankFile(
        csv=_csv(template, table),
        xlsx=_xlsx(template, table),
        count=len(lines),
        total_fen=sum(line.amount_fen for line in lines),
    )


def plain_yuan(amount_fen: int) -> str:
    """An amount as a bank reads it: yuan, two decimals, nothing between the thousands."""
    return f"{amount_fen // 100}.{amount_fen % 100:02d}"


def _table(
    template: BankTemplate, lines: Sequence[BankLine], purpose: str, batch: str
) -> Iterator[list[str]]:
    yield [column.title for column in template.columns]
    for number, line in enumerate(lines, 1):
        held = {
            BankValue.LINE: str(number),
            BankValue.PAYMENT: line.payment,
            BankValue.HOLDER: line.holder,
            BankValue.ACCOUNT: line.account,
            BankValue.BANK: line.bank,
            BankValue.BANK_CODE: line.bank_code,
            BankValue.USCC: line.uscc,
            BankValue.AMOUNT: plain_yuan(line.amount_fen),
            BankValue.PURPOSE: purpose,
            BankValue.BATCH: batch,
            BankValue.SETTLEMENT: line.settlement,
        }
        yield [neutral(held[column.holds]) for column in template.columns]
    if template.totals:
        yield _totals(template, lines)


def _totals(template: BankTemplate, lines: Sequence[BankLine]) -> list[str]:
    said = {
        BankValue.PAYMENT: texts.BANK_TOTALS,
        BankValue.HOLDER: texts.BANK_COUNT.format(count=len(lines)),
        BankValue.AMOUNT: plain_yuan(sum(line.amount_fen for line in lines)),
    }
    return [said.get(column.holds, "") for column in template.columns]


def _csv(template: BankTemplate, table: Sequence[Sequence[str]]) -> bytes:
    marked = {BankValue.ACCOUNT, BankValue.BANK_CODE}
    places = [place for place, column in enumerate(template.columns) if column.holds in marked]
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    for number, row in enumerate(table):
        cells = list(row)
        for place in places:
            if number and cells[place]:
                cells[place] = template.text_mark + cells[place]
        writer.writerow(cells)
    return buffer.getvalue().encode("utf-8-sig" if template.encoding is BankEncoding.UTF_8 else "gb18030")


def _xlsx(template: BankTemplate, table: Sequence[Sequence[str]]) -> bytes:
    buffer = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_numbers": False,
        "strings_to_urls": False,
    }
    with xlsxwriter.Workbook(buffer, options) as book:
        book.set_properties({"created": MADE})
        sheet = book.add_worksheet()
        text, bold = book.add_format({"num_format": "@"}), book.add_format({"bold": True, "num_format": "@"})
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, len(template.columns) - 1, WIDTH, text)
        for number, row in enumerate(table):
            for place, cell in enumerate(row):
                sheet.write_string(number, place, cell, text if number else bold)
    return buffer.getvalue()
