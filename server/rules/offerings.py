"""Offerings: what a provider must say and show to publish one, and the states one can be in."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class OfferingStatus(StrEnum):
    """Whether an offering can be ordered. Whether its provider may take orders is another question."""

    UNLISTED = "unlisted"
    """Never listed."""
    LISTED = "listed"
    WITHDRAWN = "withdrawn"
    """By its provider, who may hand it in again."""
    TAKEN_DOWN = "taken_down"
    """By the operator, with a reason."""
    ENDED = "ended"
    """Its catalogue year is over; it takes a new selection."""


class DraftStatus(StrEnum):
    """The state of what the provider is writing."""

    OPEN = "open"
    SUBMITTED = "submitted"
    """Under review, and shut."""
    RETURNED = "returned"
    """Only what was returned is open."""
    REFUSED = "refused"
    """May be written anew."""
    PASSED = "passed"
    """As listed; the next version begins with it."""


OFFERING_MOVES: Mapping[OfferingStatus, frozenset[OfferingStatus]] = {
    OfferingStatus.UNLISTED: frozenset({OfferingStatus.LISTED}),
    OfferingStatus.LISTED: frozenset(
        {OfferingStatus.LISTED, OfferingStatus.WITHDRAWN, OfferingStatus.TAKEN_DOWN, OfferingStatus.ENDED}
    ),
    OfferingStatus.WITHDRAWN: frozenset({OfferingStatus.LISTED}),
    # What was taken down comes back through a review of a new version, never by itself.
    OfferingStatus.TAKEN_DOWN: frozenset({OfferingStatus.LISTED}),
    OfferingStatus.ENDED: frozenset({OfferingStatus.LISTED}),
}
