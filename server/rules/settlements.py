"""Settlements: what a settlement may become, what it comes to, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


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
SETTLED = frozenset({*UNPAID, SettlementStatus.PAID, SettlementStatus.CLOSED})
"""Approved: it counts against every ceiling for good."""
LIVE = frozenset({SettlementStatus.DRAFT, *UNDER_REVIEW, *UNPAID})
"""May still come to something."""
