"""The payment gateway as the house knows it: ask for money, learn what became of it, give it back.

What the phone says about a payment counts for nothing. What counts is the gateway's own word: a signed
notice, or its answer to a question of ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from server.errors import Refusal


class PaymentsUnavailable(Refusal):
    """The gateway did not answer, answered what nobody can rely on, or does not accept us."""

    status, code = 503, "payments_unavailable"


class PaymentNoticeRefused(Refusal):
    """A notice that is not the gateway's own, not for us, or too old. Nobody is told which."""

    status, code = 403, "payment_notice_refused"


class TradeState(StrEnum):
    """What became of a trade, by the gateway's word."""

    UNPAID = "unpaid"
    """Nothing was paid so far; it still may be."""
    PAID = "paid"
    CLOSED = "closed"
    """Nothing was paid, and nothing will be: closed, revoked or never heard of."""
    REFUNDED = "refunded"
    """Paid, and given back or on its way back."""


class RefundState(StrEnum):
    """What became of a refund, by the gateway's word."""

    UNDER_WAY = "under_way"
    DONE = "done"
    FAILED = "failed"
    """The gateway cannot give it back: people have to."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Money asked for: how much, for what, of whom (their ``openid``) and until when."""

    trade_number: str
    amount_fen: int
    description: str
    openid: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class PhonePayment:
    """What a phone hands to ``wx.requestPayment``, signed."""

    time_stamp: str
    nonce: str
    package: str
    sign_type: str
    signature: str


@dataclass(frozen=True, slots=True)
class Trade:
    """A trade as the gateway tells it. Amount and transaction are known once something was paid."""

    trade_number: str
    state: TradeState
    transaction_id: str | None = None
    amount_fen: int | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TradeRefund:
    """A refund as the gateway tells it; a trade is given back whole, so its number names the refund."""

    trade_number: str
    state: RefundState
    amount_fen: int


class PaymentGateway(Protocol):
    """One merchant's door to a payment service. Everything may raise :class:`PaymentsUnavailable`."""

    async def charge(self, charge: Charge, *, now: datetime) -> PhonePayment:
        """Open a trade. Asking again with the same number is asking once."""

    async def find(self, trade_number: str, *, now: datetime) -> Trade:
        """What became of a trade."""

    async def close(self, trade_number: str, *, now: datetime) -> None:
        """Let nobody pay it any more. A trade paid meanwhile stays paid: ask :meth:`find`."""

    async def refund(self, trade_number: str, amount_fen: int, reason: str, *, now: datetime) -> TradeRefund:
        """Give a trade back whole. Asking again is asking once."""

    def read_notice(self, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Trade | TradeRefund:
        """What a notice says. Raises :class:`PaymentNoticeRefused`."""
