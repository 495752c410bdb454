"""Settlements: what a settlement may become, what it comes to, and what stands against it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from server import texts
from server.errors import Refusal, Unmet
from server.programme.model import Programme
from server.programme.papers import Document, DocumentForm, DocumentKind
from server.programme.steps import OrderStep, StepKind
from server.rules.deadlines import told, told_until
from server.rules.deduction import Deduction
from server.rules.limits import Limit
from server.rules.payments import require_fee
from server.units import yuan


class WindowClosed(Refusal):
    """Settlements are handed in within windows of the year, and none is open (GX-60)."""

    status, code = 409, "settlement_window_closed"


class WindowImpossible(Refusal):
    """A window that ends before it begins, lies in the past, or runs into another."""

    status, code = 422, "settlement_window_impossible"


class WindowsFull(Refusal):
    """The text lets the authority open so many windows a year, and no more (GX-60)."""

    status, code = 409, "settlement_windows_full"


class ReductionNotAllowed(Refusal):
    """The text lets nobody settle less than the ledger has of the order."""

    status, code = 409, "reduction_not_allowed"


class ReductionImpossible(Refusal):
    """An amount below nothing, or above what there is."""

    status, code = 422, "reduction_impossible"


class FeeNotTaken(Refusal):
    """The text lets nobody take a fee for supervision."""

    status, code = 409, "supervision_fee_not_taken"


class SettlementApplicationStatus(StrEnum):
    """Where an application stands; what became of its orders, each settlement says."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    WITHDRAWN = "withdrawn"


class SettlementStatus(StrEnum):
    """Where one order's settlement stands."""

    DRAFT = "draft"
    """Put into an application that has not been handed in."""
    IN_REVIEW = "in_review"
    RETURNED = "returned"
    """With the provider, for correction."""
    PAYABLE = "payable"
    """Nothing stands between it and its payment but the payment."""
    AWAITING_BUDGET = "awaiting_budget"
    """Payable, and the year's money is short: next year's first (GX-61)."""
    IN_PAYMENT = "in_payment"
    PAID = "paid"
    """The bank's receipt is matched; filing and archive may follow."""
    CLOSED = "closed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


SETTLEMENT_MOVES: Mapping[SettlementStatus, frozenset[SettlementStatus]] = {
    SettlementStatus.DRAFT: frozenset({SettlementStatus.IN_REVIEW, SettlementStatus.WITHDRAWN}),
    SettlementStatus.IN_REVIEW: frozenset(
        {
            SettlementStatus.RETURNED,
            SettlementStatus.PAYABLE,
            SettlementStatus.REFUSED,
            SettlementStatus.WITHDRAWN,
        }
    ),
    SettlementStatus.RETURNED: frozenset(
        {SettlementStatus.IN_REVIEW, SettlementStatus.REFUSED, SettlementStatus.WITHDRAWN}
    ),
    SettlementStatus.PAYABLE: frozenset(
        {SettlementStatus.AWAITING_BUDGET, SettlementStatus.IN_PAYMENT, SettlementStatus.REFUSED}
    ),
    SettlementStatus.AWAITING_BUDGET: frozenset(
        {SettlementStatus.PAYABLE, SettlementStatus.IN_PAYMENT, SettlementStatus.REFUSED}
    ),
    # What the bank returned is paid again.
    SettlementStatus.IN_PAYMENT: frozenset({SettlementStatus.PAYABLE, SettlementStatus.PAID}),
    SettlementStatus.PAID: frozenset({SettlementStatus.PAYABLE, SettlementStatus.CLOSED}),
    SettlementStatus.CLOSED: frozenset(),
    SettlementStatus.REFUSED: frozenset(),
    SettlementStatus.WITHDRAWN: frozenset(),
}

UNDER_REVIEW = frozenset({SettlementStatus.IN_REVIEW, SettlementStatus.RETURNED})
"""Handed in, and not decided."""
UNPAID = frozenset({SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET, SettlementStatus.IN_PAYMENT})
"""Decided, and the money has not arrived."""
STOPPABLE = frozenset({*UNDER_REVIEW, SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET})
"""May be refused by a decision; what is with the bank comes back first, or is claimed back."""
SETTLED = frozenset({*UNPAID, SettlementStatus.PAID, SettlementStatus.CLOSED})
"""Approved: it counts against every ceiling for good."""
LIVE = frozenset({SettlementStatus.DRAFT, *UNDER_REVIEW, *UNPAID})
"""May still come to something."""


# -- when: any time, or in windows of the year ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Span:
    """A window in which settlements are handed in; the end is exclusive."""

    name: str
    opens_at: datetime
    closes_at: datetime

    def is_open(self, now: datetime) -> bool:
        return self.opens_at <= now < self.closes_at


def has_windows(programme: Programme) -> bool:
    """Whether settlements are handed in within windows only (GX-60); elsewhere at any time (LS-47)."""
    return not programme.settlement.any_time and programme.settlement.windows_per_year_max is not None


def open_window(programme: Programme, windows: Sequence[Span], now: datetime) -> Span | None:
    """The window that is open; ``None`` where none is needed. Raises :class:`WindowClosed`."""
    if not has_windows(programme):
        return None
    window = next((one for one in windows if one.is_open(now)), None)
    if window is None:
        coming = min(
            (one for one in windows if one.opens_at > now), key=lambda one: one.opens_at, default=None
        )
        raise WindowClosed(
            clause=programme.settlement.article,
            next=texts.NO_WINDOW_ANNOUNCED
            if coming is None
            else texts.WINDOW_FROM.format(name=coming.name, opens=told(coming.opens_at)),
        )
    return window


def require_window(
    programme: Programme, known: Sequence[Span], new: Span, now: datetime, *, beside: Sequence[Span] = ()
) -> None:
    """Raise unless one more window can be announced beside those ``known`` of its year.

    :class:`WindowsFull` beyond what the text allows; :class:`WindowImpossible` for a span that is none, has
    passed, or runs into another, be it ``beside`` it in another year.
    """
    settlement = programme.settlement
    most = settlement.windows_per_year_max
    if not has_windows(programme) or (most is not None and len(known) >= most):
        raise WindowsFull(
            clause=settlement.article, most=most or 0, arithmetic=f"{len(known)} + 1 > {most or 0}"
        )
    clash = next(
        (one for one in (*known, *beside) if one.opens_at < new.closes_at and new.opens_at < one.closes_at),
        None,
    )
    if new.closes_at <= new.opens_at or new.closes_at <= now or clash is not None:
        arithmetic = f"{told(new.opens_at)} ～ {told_until(new.closes_at)}"
        raise WindowImpossible(clause=settlement.article, arithmetic=arithmetic)


# -- with what: the papers ---------------------------------------------------------------------------------


def settle_step(programme: Programme) -> OrderStep | None:
    """The order's step that asks for the money, where the text has it as one."""
    return next((step for step in programme.order_steps if step.kind is StepKind.SETTLE), None)


def for_all(document: Document) -> bool:
    """Whether a document is handed in once for all orders of an application, and not order by order."""
    return document.kind in (DocumentKind.SETTLEMENT_FORM, DocumentKind.OTHER)


def asked_documents(programme: Programme) -> tuple[Document, ...]:
    """What a provider hands in with a settlement itself: nothing that an earlier step brought (GZ-40)."""
    step = settle_step(programme)
    listed = (*(() if step is None else step.documents), *programme.settlement.documents)
    asked: dict[str, Document] = {}
    for document in listed:
        if not document.carried_over and document.form is not DocumentForm.ELECTRONIC:
            asked.setdefault(document.code, document)
    return tuple(asked.values())


def carried_documents(programme: Programme) -> tuple[Document, ...]:
    """What is taken over from the order's earlier steps; what its own step asks for is no such thing."""
    own = {document.kind for document in asked_documents(programme)}
    return tuple(
        document
        for document in programme.settlement.documents
        if document.carried_over and document.kind not in own
    )


def carriers(programme: Programme, document: Document) -> frozenset[str]:
    """The codes of the order's documents that carry one: of its own name or group, else of its kind."""
    handed = [
        one
        for step in programme.order_steps
        if step.kind is not StepKind.SETTLE
        for one in step.documents
        if not one.carried_over
    ]
    named = {one.code for one in handed if document.code == one.code or document.code in one.groups}
    return frozenset(named or (one.code for one in handed if one.kind is document.kind))


def is_flagged(documents: Iterable[Document], handed: Collection[str]) -> bool:
    """Whether a paper that stands in for another was handed in without it: into the spot check (YC-22)."""
    known = list(documents)
    return any(
        not any(one.code in handed and group in one.groups and not one.flags_sample for one in known)
        for document in known
        if document.flags_sample and document.code in handed
        for group in document.groups
    )


# -- how much ----------------------------------------------------------------------------------------------


def difference(worked: Deduction, ledger_fen: int) -> Unmet | None:
    """What the evidence comes to against what the ledger has of the order; ``None`` where they are one."""
    if worked.amount_fen == ledger_fen:
        return None
    apart = yuan(abs(ledger_fen - worked.amount_fen))
    message = texts.SETTLEMENT_CHECKS["amount_differs"].format(
        worked=yuan(worked.amount_fen), ledger=yuan(ledger_fen), apart=apart
    )
    return Unmet("amount_differs", worked.clause, message, worked.arithmetic)


def beyond(limit: Limit | None, amount_fen: int, *, code: str) -> Unmet | None:
    """What a ceiling says against one more settlement of this amount; ``None`` where it has room."""
    if limit is None or amount_fen <= limit.amount_fen:
        return None
    message = texts.SETTLEMENT_CHECKS[code].format(amount=yuan(amount_fen), left=yuan(limit.amount_fen))
    return Unmet(code, limit.clause, message, f"{yuan(amount_fen)} > {limit.arithmetic}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """How a settlement is divided, in fen.

    ``amount_fen`` is paid of the voucher, ``reduced_fen`` goes back to the fund; ``escrow_fen`` is released
    to the provider, ``escrow_back_fen`` given back to the enterprise.
    """

    amount_fen: int
    reduced_fen: int
    escrow_fen: int
    escrow_back_fen: int

    @property
    def is_whole(self) -> bool:
        """Whether nothing is cut off."""
        return not self.reduced_fen and not self.escrow_back_fen


def cut(
    programme: Programme,
    *,
    ledger_fen: int,
    escrow_held_fen: int,
    amount_fen: object = None,
    escrow_fen: object = None,
) -> Cut:
    """Divide a settlement as its reviewer says (NX-26); said nothing, all of it is paid.

    Raises :class:`ReductionNotAllowed` where the text adjusts nothing, :class:`ReductionImpossible` for an
    amount that is not between nothing and what there is. Of the voucher something is paid: nothing at all is
    a refusal, and is said as one.
    """
    paid = _within(programme, amount_fen, ledger_fen, least_fen=min(1, ledger_fen))
    released = _within(programme, escrow_fen, escrow_held_fen)
    made = Cut(
        amount_fen=paid,
        reduced_fen=ledger_fen - paid,
        escrow_fen=released,
        escrow_back_fen=escrow_held_fen - released,
    )
    if not made.is_whole and not programme.settlement.adjustable:
        raise ReductionNotAllowed(
            clause=programme.settlement.article, asked=yuan(paid), whole=yuan(ledger_fen)
        )
    return made


def _within(programme: Programme, asked: object, most_fen: int, *, least_fen: int = 0) -> int:
    if asked is None:
        return most_fen
    if type(asked) is not int or not least_fen <= asked <= most_fen:
        raise ReductionImpossible(clause=programme.settlement.article, most=yuan(most_fen))
    return asked


def fee_of(programme: Programme, contract_fen: int, asked: object) -> int:
    """The supervision fee the operator takes on a contract, fen; said nothing, none is taken (NX-36).

    Raises :class:`FeeNotTaken` where the text knows none, ``FeeOutOfBounds`` outside its bounds.
    """
    if asked is None:
        return 0
    if programme.supervision_fee is None:
        raise FeeNotTaken(clause=programme.settlement.article)
    if type(asked) is not int or asked < 0:
        raise ReductionImpossible(clause=programme.supervision_fee.article, most=yuan(contract_fen))
    require_fee(programme.supervision_fee, contract_fen, asked)
    return asked
