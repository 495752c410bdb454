"""Documents: what the platform prints, and how a party confirms what it signs."""

from __future__ import annotations

from enum import StrEnum


class Printed(StrEnum):
    """What is printed."""

    CONTRACT = "contract"
    SERVICE_CONFIRMATION = "service_confirmation"


class SignMethod(StrEnum):
    """How a signature came about. A certificate authority's would be another word here."""

    PLATFORM = "platform"
    """Confirmed by a person signed in here, who may act for the party."""
