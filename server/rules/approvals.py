"""Approvals: how long one holds, and what is still allowed when it has ended."""

from __future__ import annotations

from datetime import date, datetime

from server.programme.model import Programme
from server.programme.people import Renewal
from server.rules.deadlines import DueBy, add_months, until, year_bounds


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


def may_contract(programme: Programme, renewal: Renewal, approved_on: date, now: datetime) -> bool:
    """Whether an approved party may take on something new."""
    ends = approval_ends(programme, renewal, approved_on)
    return ends is None or not ends.is_over(now)


def may_finish(programme: Programme, renewal: Renewal, approved_on: date, now: datetime) -> bool:
    """Whether it may finish and settle what it signed before."""
    return renewal.finish_signed or may_contract(programme, renewal, approved_on, now)
