"""Receipts file: the bank's word on payments as a table, read without trusting it.

A line is a payment's number, its amount, what became of it and when; a last line may state the sum. All of
it is plain, blocking work: call it on a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal, InvalidOperation

from server import texts
from server.rules.disbursements import Receipt
from server.rules.own_payments import bank_reference
from server.services.tables import sheets
from server.services.tables.cells import CellFault
from server.services.tables.cells import day_of as day_in
from server.services.tables.import_table import Cells, Column, Table, table_of
from server.services.tables.sheets import Line
from server.units import InexactAmount, yuan_to_fen

LARGEST_FEN = 10**15


def columns() -> tuple[Column, ...]:
    """What a file of receipts has; other columns of a bank's are told apart by the header."""
    return tuple(
        Column(code, texts.RECEIPT_COLUMNS[code], texts.RECEIPT_EXAMPLES[code], required=code in REQUIRED)
        for code in texts.RECEIPT_COLUMNS
    )


REQUIRED = frozenset({"payment", "amount", "outcome", "on"})


def read(raw: bytes) -> tuple[Table[Receipt], int | None]:
    """A file's lines, and the sum it states in fen, if it states one.

    Raises the sheet's refusals and ``ImportColumnsWrong``.
    """
    lines, stated_fen = _without_totals(sheets.read(raw))
    return table_of(lines, columns(), _receipt, key=lambda one: one.payment, holder="payment"), stated_fen


def _without_totals(lines: Sequence[Line]) -> tuple[list[Line], int | None]:
    """The lines without the one that states their sum, and that sum, fen."""
    for place in range(len(lines) - 1, 0, -1):
        cells = [str(cell).strip() for cell in lines[place].cells if cell not in (None, "")]
        if not cells or not any(cell.lstrip("'").startswith(texts.BANK_TOTALS) for cell in cells):
            continue
        amounts = [fen for cell in cells if (fen := _fen(cell, least=None)) is not None and "." in cell]
        whole = [fen for cell in cells if (fen := _fen(cell, least=None)) is not None]
        stated = amounts or whole
        return [*lines[:place], *lines[place + 1 :]], stated[-1] if stated else None
    return list(lines), None


def _receipt(cells: Cells) -> Receipt:
    """One line as the bank's word; what cannot be is noted as a fault of its cell."""
    amount_fen = cells.read("amount", _amount)
    on = cells.read("on", day_in)
    paid = cells.read("outcome", _outcome)
    number = cells.read("number", _number) if paid else ""
    reason = cells.text("reason")
    if paid is False:
        cells.read("reason", _reason)
    return Receipt(
        payment=cells.text("payment").strip(),
        amount_fen=amount_fen or 0,
        paid=bool(paid),
        on=on or date.min,
        number=number or "",
        reason=reason,
    )


def _amount(text: str) -> int:
    fen = _fen(text, least=1)
    if fen is None:
        raise CellFault(texts.RECEIPT_FAULTS["not_money"].format(text=text))
    return fen


def _fen(text: str, *, least: int | None) -> int | None:
    try:
        fen = yuan_to_fen(Decimal(text.replace(",", "").removesuffix(texts.YUAN_WORD)))
    except (InvalidOperation, InexactAmount, ValueError, OverflowError):
        return None
    return fen if (least is None or fen >= least) and abs(fen) <= LARGEST_FEN else None


def _outcome(text: str) -> bool:
    for paid, words in ((True, texts.RECEIPT_PAID), (False, texts.RECEIPT_RETURNED)):
        if text in words:
            return paid
    raise CellFault(texts.RECEIPT_FAULTS["outcome"].format(text=text))


def _number(text: str) -> str:
    reference = bank_reference(text)
    if reference is None:
        raise CellFault(texts.RECEIPT_FAULTS["number"])
    return reference


def _reason(text: str) -> str:
    if not text.strip():
        raise CellFault(texts.RECEIPT_FAULTS["reason"])
    return text.strip()
