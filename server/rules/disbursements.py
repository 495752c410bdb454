"""Disbursements: where an account, a batch and a payment can be, and what their sums must come to.

A payment is one attempt to pay one settlement from one source of money. It is paid when the bank's receipt
says so and never before; what the bank sends back is paid anew in another batch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeVar

from server import texts
from server.errors import Refusal
from server.programme.papers import Document, DocumentKind
from server.programme.review import Disbursement
from server.programme.vocabulary import Actor, LegalForm
from server.units import yuan

Item = TypeVar("Item")


class AccountStatus(StrEnum):
    """A provider's bank account. Only a verified one is paid to."""

    WAITING = "waiting"
    """Entered by the provider; nobody has looked at it."""
    CHECKED = "checked"
    """The first of two has compared it with its proof."""
    VERIFIED = "verified"
    REPLACED = "replaced"
    """Another one was verified after it."""
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class BatchStatus(StrEnum):
    """A batch of payments."""

    DRAFT = "draft"
    APPROVED = "approved"
    SENT = "sent"
    """Its file is with the bank."""
    CLOSED = "closed"
    """Every payment has its receipt, or was returned."""
    DROPPED = "dropped"


class PaymentSource(StrEnum):
    """Whose money a batch takes to the bank."""

    BUDGET = "budget"
    """Public money of a programme year."""
    ESCROW = "escrow"
    """An enterprise's own, released to its provider (NX-20)."""


class TransferStatus(StrEnum):
    """One payment of a batch."""

    WAITING = "waiting"
    PAID = "paid"
    RETURNED = "returned"
    """Sent back by the bank."""
    DROPPED = "dropped"
    """Taken out of its batch, or its batch was dropped."""


class FundKind(StrEnum):
    """What comes into the account that a programme is paid from."""

    ALLOCATION = "allocation"
    """拨入: finance allocates the year's money, or a part of it (GX-08, NX-38)."""
    INTEREST = "interest"
    """利息: rolls into the fund (NX-38)."""


class FundStatus(StrEnum):
    """What somebody entered counts when somebody else has confirmed it."""

    ENTERED = "entered"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"


class InvoiceStatus(StrEnum):
    """A summary invoice to the authority (LS-57)."""

    HANDED = "handed"
    ACCEPTED = "accepted"
    """The original is there."""
    SENT_BACK = "sent_back"


class LapseStatus(StrEnum):
    """What ends with a year, from the first of two to the last settlement."""

    ASKED = "asked"
    AGREED = "agreed"
    """Being carried out."""
    DONE = "done"
    DISMISSED = "dismissed"
    STALE = "stale"
    """The list had changed when the second came."""


class HandOverStatus(StrEnum):
    """The papers of a batch on their way to the archive (GZ-43)."""

    HANDED = "handed"
    RECEIVED = "received"
    SENT_BACK = "sent_back"


LIVE_ACCOUNTS = frozenset({AccountStatus.WAITING, AccountStatus.CHECKED})
"""Not decided yet."""
LIVE_TRANSFERS = frozenset({TransferStatus.WAITING, TransferStatus.PAID})
"""A settlement has one of these of each source at most: nobody is paid twice."""
OPEN_BATCHES = frozenset({BatchStatus.DRAFT, BatchStatus.APPROVED, BatchStatus.SENT})

BATCH_MOVES: Mapping[BatchStatus, frozenset[BatchStatus]] = {
    BatchStatus.DRAFT: frozenset({BatchStatus.APPROVED, BatchStatus.DROPPED}),
    # Sent back to its maker by whoever was to send it, before a bank has seen it.
    BatchStatus.APPROVED: frozenset({BatchStatus.SENT, BatchStatus.DROPPED}),
    BatchStatus.SENT: frozenset({BatchStatus.CLOSED}),
    # A transfer that came back days later opens nothing: its settlement is payable again.
    BatchStatus.CLOSED: frozenset(),
    BatchStatus.DROPPED: frozenset(),
}
TRANSFER_MOVES: Mapping[TransferStatus, frozenset[TransferStatus]] = {
    TransferStatus.WAITING: frozenset({TransferStatus.PAID, TransferStatus.RETURNED, TransferStatus.DROPPED}),
    # The bank told of success and sent the money back afterwards.
    TransferStatus.PAID: frozenset({TransferStatus.RETURNED}),
    TransferStatus.RETURNED: frozenset(),
    TransferStatus.DROPPED: frozenset(),
}


class AccountNumberWrong(Refusal):
    """No account of a bank has such a number."""

    status, code = 422, "account_number_wrong"


class SummaryInvoiceDiffers(Refusal):
    """The summary invoice is for another sum than the provider's vouchers in the batch (LS-57)."""

    status, code = 422, "summary_invoice_differs"


SHORTEST_ACCOUNT, LONGEST_ACCOUNT = 8, 32
TAIL = 4
_ACCOUNT = re.compile(rf"[0-9A-Z]{{{SHORTEST_ACCOUNT},{LONGEST_ACCOUNT}}}", re.ASCII)
_BETWEEN = re.compile(r"[\s\-_.]+")


def account_number(written: str) -> str:
    """An account's number, the same however it was spaced. Raises :class:`AccountNumberWrong`."""
    number = _BETWEEN.sub("", unicodedata.normalize("NFKC", written)).upper()
    if not _ACCOUNT.fullmatch(number) or not any(each.isdigit() for each in number):
        raise AccountNumberWrong(shortest=SHORTEST_ACCOUNT, longest=LONGEST_ACCOUNT)
    return number


def tail_of(number: str) -> str:
    """What is shown of an account's number."""
    return number[-TAIL:]


def masked(tail: str) -> str:
    """An account's number as people see it."""
    return f"{'*' * TAIL}{tail}"


def checkers(rules: Disbursement) -> frozenset[Actor]:
    """Who may be the first of the two who verify an account: the operator, or whoever pays."""
    return frozenset({Actor.OPERATOR, rules.paid_by})


def invoice_of(rules: Disbursement, form: LegalForm | None) -> Document | None:
    """The summary invoice or receipt that a provider of this form owes before payment, if any (LS-57).

    Without a known form, the one for everybody else is asked for.
    """
    asked = [one for one in rules.documents if one.kind is DocumentKind.SUMMARY_INVOICE]
    fitting = [one for one in asked if not one.legal_forms or form in one.legal_forms]
    return next(iter(fitting or asked), None)


def require_sum(document: Document, shown_fen: int, vouchers_fen: Sequence[int]) -> None:
    """Raise :class:`SummaryInvoiceDiffers` unless it is for exactly the sum of the vouchers, to the fen."""
    if shown_fen != sum(vouchers_fen):
        raise SummaryInvoiceDiffers(
            clause=document.article,
            name=document.name,
            arithmetic=f"{yuan(shown_fen)} ≠ {added(vouchers_fen)}",
        )


MOST_ADDENDS = 6
"""More than these are told by their number."""


def added(amounts_fen: Sequence[int]) -> str:
    """A sum as people add it up: ``30000.00 元 + 20000.00 元 = 50000.00 元``."""
    total = yuan(sum(amounts_fen))
    if len(amounts_fen) <= 1:
        return total
    if len(amounts_fen) > MOST_ADDENDS:
        return texts.SUM_OF_MANY.format(count=len(amounts_fen), total=total)
    return f"{' + '.join(yuan(one) for one in amounts_fen)} = {total}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """Which of what is to be paid the money covers, in its order. ``left_fen`` is what remains."""

    covered: tuple[int, ...]
    uncovered: tuple[int, ...]
    left_fen: int


def gather(
    line: Iterable[Item], money_fen: int, *, key: Callable[[Item], int], amount: Callable[[Item], int]
) -> Gathered:
    """Who is paid from the money there is: in the order of the line, and nobody overtakes (GX-61)."""
    covered: list[int] = []
    uncovered: list[int] = []
    for one in line:
        if uncovered or amount(one) > money_fen:
            uncovered.append(key(one))
            continue
        covered.append(key(one))
        money_fen -= amount(one)
    return Gathered(tuple(covered), tuple(uncovered), money_fen)


@dataclass(frozen=True, slots=True, kw_only=True)
class YearMoney:
    """A programme year's money as it is shown at any moment (GX-64), fen.

    ``total_fen``     what the year may spend, interest included
    ``used_fen``      what vouchers have been spent on and is not paid yet, besides what follows
    ``held_fen``      held by orders under way
    ``payable_fen``   approved, waiting for a batch
    ``awaiting_fen``  approved, waiting for money
    ``paying_fen``    in a batch, without the bank's receipt
    ``paid_fen``      by the bank's receipts
    ``free_fen``      neither given to rounds nor promised to contracts
    ``funded_fen``    what finance has allocated so far; ``None`` where it records nothing
    """

    total_fen: int
    used_fen: int
    held_fen: int
    payable_fen: int
    awaiting_fen: int
    paying_fen: int
    paid_fen: int
    free_fen: int
    funded_fen: int | None = None

    @property
    def most_fen(self) -> int:
        """What may be paid in all: the year's money, or what has come of it so far."""
        return self.total_fen if self.funded_fen is None else min(self.total_fen, self.funded_fen)

    @property
    def payable_left_fen(self) -> int:
        """What may still be paid, fen."""
        return max(0, self.most_fen - self.paid_fen - self.paying_fen)

    @property
    def arithmetic(self) -> str:
        """How :attr:`payable_left_fen` was worked out."""
        return (
            f"{yuan(self.most_fen)} − {yuan(self.paid_fen)} − {yuan(self.paying_fen)}"
            f" = {yuan(self.payable_left_fen)}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the bank says of one payment. ``number`` is the bank's own, empty where it came back."""

    payment: str
    amount_fen: int
    paid: bool
    on: date
    number: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One payment as the books have it. ``amount_fen`` is what the bank transfers."""

    payment: str
    amount_fen: int
    status: TransferStatus
    receipt: str = ""
    tail: str = ""


class Match(StrEnum):
    """What a line of a receipts file does."""

    NEW = "new"
    SAME = "same"
    """The books say it already: nothing is done."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Matched:
    """A line, and what is wrong with it, in Chinese."""

    match: Match
    problem: str = ""


def matched(said: Receipt, known: Known | None, taken: Collection[str]) -> Matched:
    """What one line does. ``taken`` are numbers of receipts that other payments have already.

    Broken: an unknown payment, one paid under another number, another amount, a number used twice.
    """
    if known is None:
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["unknown"].format(payment=said.payment))
    if said.amount_fen != known.amount_fen:
        wrong = f"{yuan(said.amount_fen)} ≠ {yuan(known.amount_fen)}"
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["amount"].format(arithmetic=wrong))
    if not known.amount_fen:
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["no_transfer"])
    if known.status is TransferStatus.DROPPED:
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["dropped"])
    if said.paid:
        return _paid(said, known, taken)
    if known.status is TransferStatus.RETURNED:
        return Matched(Match.SAME)
    return Matched(Match.NEW)


def _paid(said: Receipt, known: Known, taken: Collection[str]) -> Matched:
    if known.status is TransferStatus.RETURNED:
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["returned"])
    if known.status is TransferStatus.PAID:
        if said.number == known.receipt:
            return Matched(Match.SAME)
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["twice"].format(receipt=known.receipt))
    if said.number in taken:
        return Matched(Match.BROKEN, texts.RECEIPT_FAULTS["taken"].format(receipt=said.number))
    return Matched(Match.NEW)


def sums_differ(rows_fen: Sequence[int], stated_fen: int | None) -> str:
    """The arithmetic of a file whose lines do not come to what it states; empty where they do."""
    if stated_fen is None or sum(rows_fen) == stated_fen:
        return ""
    difference = yuan(abs(sum(rows_fen) - stated_fen))
    return texts.SUMS_DIFFER.format(rows=added(rows_fen), stated=yuan(stated_fen), difference=difference)
