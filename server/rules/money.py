"""Where money can be, and which movements there are: the chart of accounts of the ledger.

Every movement is a balanced posting between two named accounts (launch.md I12, I13):
appropriation → budget → round → available on a voucher → held on an order → redeemed → disbursed,
and the ways out: expired, reclaimed, handed back, voided.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Account(StrEnum):
    """Where money can be. Kept per budget and, where set, per round, enterprise and voucher."""

    APPROPRIATION = "appropriation"
    """财政拨款: the outside world money comes from; its balance is minus what was ever put in."""
    BUDGET = "budget"
    """年度预算: the year's money not yet given to a round."""
    ROUND = "round"
    """批次资金池: a round's money not yet issued."""
    AVAILABLE = "available"
    """可用: on the voucher, free to spend."""
    HELD = "held"
    """冻结: held on an order."""
    REDEEMED = "redeemed"
    """核销: spent on an accepted order, not yet paid out."""
    DISBURSED = "disbursed"
    """拨付: paid to the provider's bank account."""
    EXPIRED = "expired"
    """过期: lapsed by date."""
    RECLAIMED = "reclaimed"
    """收回: taken back for a missed deadline."""
    HANDED_BACK = "handed_back"
    """退回: given back by the holder."""
    VOIDED = "voided"
    """作废: void as a sanction."""


class Movement(StrEnum):
    """Why money moved."""

    APPROPRIATE = "appropriate"
    CUT_BUDGET = "cut_budget"
    ALLOT = "allot"
    RETURN_ALLOTMENT = "return_allotment"
    ISSUE = "issue"
    HOLD = "hold"
    RELEASE = "release"
    REDEEM = "redeem"
    DISBURSE = "disburse"
    CLAW_BACK = "claw_back"
    EXPIRE = "expire"
    RECLAIM = "reclaim"
    HAND_BACK = "hand_back"
    VOID = "void"


ROUTES: Mapping[Movement, tuple[Account, Account]] = {
    Movement.APPROPRIATE: (Account.APPROPRIATION, Account.BUDGET),
    Movement.CUT_BUDGET: (Account.BUDGET, Account.APPROPRIATION),
    Movement.ALLOT: (Account.BUDGET, Account.ROUND),
    Movement.RETURN_ALLOTMENT: (Account.ROUND, Account.BUDGET),
    Movement.ISSUE: (Account.ROUND, Account.AVAILABLE),
    Movement.HOLD: (Account.AVAILABLE, Account.HELD),
    Movement.RELEASE: (Account.HELD, Account.AVAILABLE),
    Movement.REDEEM: (Account.HELD, Account.REDEEMED),
    Movement.DISBURSE: (Account.REDEEMED, Account.DISBURSED),
    Movement.CLAW_BACK: (Account.DISBURSED, Account.APPROPRIATION),
    Movement.EXPIRE: (Account.AVAILABLE, Account.EXPIRED),
    Movement.RECLAIM: (Account.AVAILABLE, Account.RECLAIMED),
    Movement.HAND_BACK: (Account.AVAILABLE, Account.HANDED_BACK),
    Movement.VOID: (Account.AVAILABLE, Account.VOIDED),
}
"""Each movement leaves one account and arrives in one other; nothing else can be posted."""

OF_A_VOUCHER = frozenset(
    {
        Account.AVAILABLE,
        Account.HELD,
        Account.REDEEMED,
        Account.DISBURSED,
        Account.EXPIRED,
        Account.RECLAIMED,
        Account.HANDED_BACK,
        Account.VOIDED,
    }
)
"""Issued money is always in exactly one of these: they sum to what was issued (I12)."""
