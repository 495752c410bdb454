"""Invoice checks: what numbers, amounts, days and names on papers must be, and what is wrong with them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.papers import AmountRule, Document, DocumentKind
from server.rules.own_payments import RECEIPTS, bank_reference, same_name
from server.rules.payments import amount_unmet, own_share_at_least
from server.units import yuan


class MarkKind(StrEnum):
    """What a number is the number of."""

    INVOICE = "invoice"
    RECEIPT = "receipt"


CHECKED = RECEIPTS | {DocumentKind.INVOICE}
"""The papers whose number, amount, day and names are compared with the order."""

_BETWEEN = re.compile(r"[\s\-_/.,]+")
# A fully digital invoice has 20 digits. An older one has a code of 10 or 12 digits and a number of 8:
# alone, the 8 digits name many invoices. A fiscal receipt has a code of 8 digits and a number of 10.
_INVOICE = re.compile(r"\d{20}|\d{18}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one paper shows. ``payer`` is an invoice's buyer, ``payee`` its seller."""

    number: str = ""
    amount_fen: int | None = None
    dated: date | None = None
    payer: str = ""
    payee: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What the papers of one document must show, by order, contract and programme.

    ``payers`` and ``payees`` are the names that count, the present one first; none: not known here.
    ``first_day`` and ``last_day`` both count; ``window`` says whether they bound the service window.
    """

    document: Document
    price_fen: int
    """The price its amount is compared with: contract, or what was invoiced."""
    voucher_fen: int
    exact_fen: int | None = None
    """What it must come to, where the step itself asks for an amount."""
    payers: tuple[str, ...] = ()
    payees: tuple[str, ...] = ()
    first_day: date | None = None
    last_day: date | None = None
    window: tuple[date | None, date | None] = (None, None)

    @property
    def amount_fen(self) -> int | None:
        """What the papers must come to (at least, for such a rule), fen; ``None``: any amount."""
        if self.exact_fen is not None:
            return self.exact_fen
        least_fen = own_share_at_least(self.document, self.price_fen, self.voucher_fen)
        return {
            None: None,
            AmountRule.FULL_PRICE: self.price_fen,
            AmountRule.OWN_SHARE: self.price_fen - self.voucher_fen,
            AmountRule.OWN_SHARE_AT_LEAST: least_fen,
            AmountRule.VOUCHER_SUM: None,
        }[self.document.amount]


def invoice_number(written: str) -> str | None:
    """The digits that name one invoice among all, or ``None`` where they do not.

    Twenty digits; or code and number of an older one, written together or apart (10 or 12 and 8); or code
    and number of a fiscal receipt (8 and 10).
    """
    digits = _BETWEEN.sub("", unicodedata.normalize("NFKC", written))
    return digits if _INVOICE.fullmatch(digits) else None


def mark_kind(kind: DocumentKind) -> MarkKind:
    """A bank's receipt is one, whatever a programme asks it for."""
    return MarkKind.INVOICE if kind is DocumentKind.INVOICE else MarkKind.RECEIPT


def mark_of(kind: DocumentKind, written: str) -> str | None:
    """What a paper is told apart by from every other of its kind, or ``None``."""
    return invoice_number(written) if kind is DocumentKind.INVOICE else bank_reference(written)


def papers_unmet(wanted: Wanted, papers: Sequence[Shown], today: date) -> tuple[Unmet, ...]:
    """Everything that the papers of one document show and must not, each fault once.

    Amounts are added up: a price may be paid, or invoiced, in several parts.
    """
    if not papers:
        return ()
    faults = [fault for paper in papers for fault in _faults(wanted, paper, today)]
    marks = [mark_of(wanted.document.kind, paper.number) for paper in papers]
    known = [mark for mark in marks if mark is not None]
    if len(known) != len(set(known)):
        faults.append(_unmet(wanted.document, "twice"))
    amounts = [paper.amount_fen for paper in papers if paper.amount_fen]
    if len(amounts) == len(papers):
        faults += _amount_faults(wanted, sum(amounts))
    return tuple(dict.fromkeys(faults))


def _faults(wanted: Wanted, paper: Shown, today: date) -> Iterable[Unmet]:
    document = wanted.document
    if mark_of(document.kind, paper.number) is None:
        yield _unmet(document, "invoice_number" if document.kind is DocumentKind.INVOICE else "reference")
    if not paper.amount_fen:
        yield _unmet(document, "amount")
    yield from _day_faults(wanted, paper.dated, today)
    for code, name, names in (("payer", paper.payer, wanted.payers), ("payee", paper.payee, wanted.payees)):
        if not name.strip():
            yield _unmet(document, f"{code}_missing")
        elif names and not any(same_name(name, one) for one in names):
            yield _unmet(document, code, f"{name} ≠ {names[0]}")


def _day_faults(wanted: Wanted, dated: date | None, today: date) -> Iterable[Unmet]:
    document = wanted.document
    if dated is None:
        yield _unmet(document, "dated")
        return
    if dated > today:
        yield _unmet(document, "in_the_future", f"{dated} > {today}")
    if wanted.first_day is not None and dated < wanted.first_day:
        yield _unmet(document, "before_contract", f"{dated} < {wanted.first_day}")
    first, last = wanted.window
    if (first is not None and dated < first) or (last is not None and dated > last):
        bounds = f"{first or ''}～{last or ''}"
        message = texts.PAPERS["in_service_window"].format(name=document.name)
        yield Unmet(f"{document.code}_in_service_window", document.article, message, f"{dated} ∉ {bounds}")


def _amount_faults(wanted: Wanted, shown_fen: int) -> Iterable[Unmet]:
    document = wanted.document
    if wanted.exact_fen is not None:
        if shown_fen != wanted.exact_fen:
            yield _unmet(document, "amount_differs", f"{yuan(shown_fen)} ≠ {yuan(wanted.exact_fen)}")
        return
    fault = amount_unmet(document, shown_fen, price_fen=wanted.price_fen, voucher_fen=wanted.voucher_fen)
    if fault is not None:
        yield fault


def _unmet(document: Document, code: str, arithmetic: str = "") -> Unmet:
    payer, payee = texts.PAPER_SIDES[mark_kind(document.kind)]
    message = texts.PAPER_CHECKS[code].format(name=document.name, payer=payer, payee=payee)
    return Unmet(f"{document.code}_{code}", document.article, message, arithmetic)
