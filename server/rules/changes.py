"""Changes: whether a party reported a major change in time, and what its programme lets follow if not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from server.programme.people import ChangeReport
from server.rules.deadlines import DueBy, natural_days_after


class Consequence(StrEnum):
    """What the operator may do about a late report; nothing happens by itself."""

    SUSPEND = "suspend"
    """Withdraw the standing at once (LS-41, LS-63)."""
    VOID_VOUCHERS = "void_vouchers"
    """Void what was claimed (LS-63)."""


@dataclass(frozen=True, slots=True)
class Late:
    """A report that came after its days were over."""

    due: DueBy
    clause: str
    consequences: tuple[Consequence, ...]


def report_due(rules: ChangeReport, changed_on: date) -> DueBy | None:
    """Until when a change of a day is to be reported; ``None``: the text names no time."""
    return None if rules.natural_days is None else natural_days_after(changed_on, rules.natural_days)


def lateness(rules: ChangeReport, changed_on: date, reported_at: datetime) -> Late | None:
    """What a report of a change was late for; ``None``: it was in time, or there is none."""
    due = report_due(rules, changed_on)
    if due is None or not due.is_over(reported_at):
        return None
    consequences = tuple(
        consequence
        for consequence, allowed in (
            (Consequence.SUSPEND, rules.late_may_suspend),
            (Consequence.VOID_VOUCHERS, rules.late_may_void),
        )
        if allowed
    )
    return Late(due, rules.article, consequences)
