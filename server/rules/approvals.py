"""Approvals: how long one holds, and what is still allowed when it has ended."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from server.programme.model import Programme
from server.programme.people import Renewal
from server.rules.deadlines import DueBy, add_months, day_of, until, year_bounds

RENEWAL_OPENS_BEFORE = timedelta(days=60)
"""No text says when a renewal may be handed in: early enough for a slow review."""


def approval_ends(programme: Programme, renewal: Renewal, approved_on: date) -> DueBy | None:
    """Until when an approval holds; ``None``: it holds on.

    Two years after the approval (LS-40), or with the programme year it was given in (GX-43); where a
    text says both, whichever comes first.
    """
    last_days = []
    if renewal.months is not None:
        last_days.append(add_months(approved_on, renewal.months))
    if renewal.end_of_year:
        last_days.append(year_bounds(programme, approved_on)[1])
    return until(min(last_days)) if last_days else None


def next_end(
    programme: Programme, renewal: Renewal, now: datetime, held_until: datetime | None
) -> DueBy | None:
    """Until when an approval given at ``now`` holds; a renewal continues the approval that still holds.

    ``held_until`` is the end of that one, ``None`` where there is none: a renewal handed in in December
    for a programme that approves by years is one for the next year.
    """
    continues = held_until is not None and held_until > now
    return approval_ends(programme, renewal, day_of(held_until if continues and held_until else now))


def may_renew(held_until: datetime | None, now: datetime) -> bool:
    """Whether an approval is near enough to its end to be renewed; one without an end never is."""
    return held_until is not None and now >= held_until - RENEWAL_OPENS_BEFORE
