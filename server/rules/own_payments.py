"""Own payments: what an enterprise pays of an order itself, when it is due, and what shows it was paid."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from enum import StrEnum

from server.programme.model import Programme
from server.programme.money import Payee
from server.programme.papers import Document, DocumentKind
from server.programme.steps import OrderStep, StepKind
from server.rules.payments import Payments, payments


class PaymentPurpose(StrEnum):
    """What a payment of the enterprise's own money is for."""

    DEPOSIT = "deposit"
    """定金, at the signing (GX-53)."""
    BALANCE = "balance"
    """余款, after performance (GX-54)."""
    OWN_SHARE = "own_share"
    """自付部分, shown by a transfer's receipt (LS-51, GZ-72)."""
    ESCROW = "escrow"
    """保证金, into the operator's hands (NX-20)."""
    REPAYMENT = "repayment"
    """退回多付: what the provider gives back to an enterprise that had paid in full (GZ-48)."""


class PaymentMethod(StrEnum):
    """How it was paid."""

    TRANSFER = "transfer"
    """By the bank, shown by a receipt."""
    ONLINE = "online"
    """Through the payment gateway."""


class PaymentStatus(StrEnum):
    """Where a payment stands."""

    PENDING = "pending"
    """Asked for at the gateway; nobody has said that it was paid."""
    PAID = "paid"
    CLOSED = "closed"
    """Never paid, and can be paid no more."""
    DISPUTED = "disputed"
    """The gateway tells another amount than was asked for: people look at it."""
    REFUND_DUE = "refund_due"
    """Paid, and to be given back by the gateway."""
    REFUNDED = "refunded"
    REPLACED = "replaced"
    """Its receipt was sent back and another came in its place."""


PAYMENT_MOVES: Mapping[PaymentStatus, frozenset[PaymentStatus]] = {
    PaymentStatus.PENDING: frozenset({PaymentStatus.PAID, PaymentStatus.CLOSED, PaymentStatus.DISPUTED}),
    # The gateway may tell of a payment that was made in the last instant after it was closed here.
    PaymentStatus.CLOSED: frozenset({PaymentStatus.REFUND_DUE, PaymentStatus.DISPUTED}),
    PaymentStatus.PAID: frozenset({PaymentStatus.REFUND_DUE, PaymentStatus.REPLACED}),
    PaymentStatus.DISPUTED: frozenset(),
    PaymentStatus.REFUND_DUE: frozenset({PaymentStatus.REFUNDED}),
    PaymentStatus.REFUNDED: frozenset(),
    PaymentStatus.REPLACED: frozenset(),
}

TO_THE_PROVIDER = frozenset({PaymentPurpose.DEPOSIT, PaymentPurpose.BALANCE, PaymentPurpose.OWN_SHARE})
"""What the provider has received of the price when all is counted."""

PURPOSES: Mapping[StepKind, PaymentPurpose] = {
    StepKind.DEPOSIT: PaymentPurpose.DEPOSIT,
    StepKind.BALANCE: PaymentPurpose.BALANCE,
    StepKind.ESCROW: PaymentPurpose.ESCROW,
    StepKind.TRANSFER_RECEIPT: PaymentPurpose.OWN_SHARE,
}
"""The steps that are a payment; any other step with a transfer's receipt shows the own share."""

RECEIPTS = frozenset({DocumentKind.TRANSFER_RECEIPT, DocumentKind.PAYMENT_RECEIPT})
"""The papers that show that money was paid."""

SHORTEST_REFERENCE, LONGEST_REFERENCE = 6, 64
_REFERENCE = re.compile(rf"[0-9A-Z]{{{SHORTEST_REFERENCE},{LONGEST_REFERENCE}}}", re.ASCII)
_BETWEEN = re.compile(r"[\s\-_/.]+")


def purpose_of(step: OrderStep) -> PaymentPurpose:
    """What a receipt handed in with this step was paid for."""
    return PURPOSES.get(step.kind, PaymentPurpose.OWN_SHARE)


def due_fen(parts: Payments, purpose: PaymentPurpose) -> int:
    """How much of the own share a purpose asks for, fen."""
    return {
        PaymentPurpose.DEPOSIT: parts.deposit_fen,
        PaymentPurpose.BALANCE: parts.rest_fen,
        PaymentPurpose.ESCROW: parts.escrow_fen,
        PaymentPurpose.OWN_SHARE: parts.own_share_fen,
        PaymentPurpose.REPAYMENT: 0,
    }[purpose]


def parts_of(programme: Programme, price_fen: int, voucher_fen: int) -> Payments:
    """How a price is paid, the voucher paying at most all of it."""
    return payments(programme.own_share, price_fen, min(price_fen, voucher_fen))


def payee_of(programme: Programme, purpose: PaymentPurpose) -> Payee:
    """Into whose hands a payment goes: escrow to the operator, anything else as the text says."""
    return Payee.OPERATOR if purpose is PaymentPurpose.ESCROW else programme.own_share.paid_to


def takes_online(programme: Programme) -> bool:
    """Whether own money may be paid through the platform: where the text says so, or the operator is paid."""
    return programme.own_share.on_platform or programme.own_share.paid_to is Payee.OPERATOR


def receipts_of(step: OrderStep) -> tuple[Document, ...]:
    """The documents of a step that show a payment, handed in with this step."""
    return tuple(one for one in step.documents if one.kind in RECEIPTS and not one.carried_over)


def bank_reference(written: str) -> str | None:
    """A bank's reference, the same however it was spaced; ``None`` where it cannot be one."""
    reference = _BETWEEN.sub("", unicodedata.normalize("NFKC", written)).upper()
    return reference if _REFERENCE.fullmatch(reference) else None


def same_name(one: str, other: str) -> bool:
    """Whether two names are one: full-width brackets and spaces make no difference (GZ-64, GZ-74)."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
