"""Contract checks: what shared data of banks and regulators says about a contract and its sides (GX-69)."""

from __future__ import annotations

from enum import StrEnum


class SharedSource(StrEnum):
    """Whose data is asked."""

    BUSINESS_REGISTER = "business_register"
    """市场监管: whether a side exists, and may do what it contracts to do."""
    DISHONESTY_LIST = "dishonesty_list"
    """失信被执行人名单."""
    BANK = "bank"
    """Whether a side's account is its own and open."""


class CheckVerdict(StrEnum):
    """What a source says."""

    LAWFUL = "lawful"
    DOUBTFUL = "doubtful"
    """Somebody looks at it before anything is paid."""
    UNLAWFUL = "unlawful"
    UNANSWERED = "unanswered"
    """The source gave no answer: neither for the contract nor against it."""
