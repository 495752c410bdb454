"""Offerings: the states one can be in, and what a negotiated price may be against a catalogue's."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from server import texts
from server.errors import Unmet
from server.programme.catalogue import OfferingRules
from server.programme.model import Programme
from server.units import yuan


class OfferingStatus(StrEnum):
    """Whether an offering can be ordered. Whether its provider may take orders is another question."""

    UNLISTED = "unlisted"
    """Never listed."""
    LISTED = "listed"
    WITHDRAWN = "withdrawn"
    """By its provider, who may put it back as it was."""
    TAKEN_DOWN = "taken_down"
    """By the operator, with a reason; it takes a new version and its review."""
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
    OfferingStatus.WITHDRAWN: frozenset({OfferingStatus.LISTED, OfferingStatus.TAKEN_DOWN}),
    OfferingStatus.TAKEN_DOWN: frozenset({OfferingStatus.LISTED}),
    OfferingStatus.ENDED: frozenset({OfferingStatus.LISTED}),
}


def is_selected(rules: OfferingRules) -> bool:
    """Whether offerings are selected in rounds, and not taken all year round (GX-24)."""
    return rules.selections_per_year_min is not None or rules.selections_per_year_max is not None


def price_unmet(programme: Programme, catalogue_fen: int | None, price_fen: int) -> tuple[Unmet, ...]:
    """What is wrong with a negotiated price against the highest price of the version that was ordered.

    Only where the text binds the two (GX-31); elsewhere a deviation asks for a reason, no more.
    """
    rules = programme.offering
    if not rules.price_at_most_catalogue or catalogue_fen is None or price_fen <= catalogue_fen:
        return ()
    arithmetic = f"{yuan(price_fen)} > {yuan(catalogue_fen)}"
    return (Unmet("above_catalogue", rules.article, texts.OFFERING_FAULTS["above_catalogue"], arithmetic),)
