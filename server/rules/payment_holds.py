"""Payment holds: why money that is due is not paid for now."""

from __future__ import annotations

from enum import StrEnum


class HoldCause(StrEnum):
    """What a hold rests on. The cause's own door lifts it."""

    SANCTION = "sanction"
    """A sanction is proposed and not yet decided, or decided and holds payment."""
    ANOMALY = "anomaly"
    """Figures out of the ordinary (YC-40)."""
    INSPECTION = "inspection"
    """An inspection found something, or is not finished."""
    COMPLAINT = "complaint"
    """A complaint against a provider as a whole; one about an order holds that order."""
