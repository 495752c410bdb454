"""The table of jobs as an operator reads it at the command line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from server.clock import CHINA
from server.rules.slots import Every, Plan
from server.services.job_runs import JobStanding

_HEADINGS = ("job", "programme", "when", "last slot", "status", "count", "next slot")


def rendered(standings: Sequence[JobStanding]) -> str:
    """One line a job, of one programme where each has its own; instants in China's time."""
    rows = [_HEADINGS, *(_row(one) for one in standings)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADINGS))]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def _row(one: JobStanding) -> tuple[str, ...]:
    last = one.last
    told = ("-", "never", "-")
    if last is not None:
        status = f"{last.status.value} ({last.error})" if last.error else last.status.value
        told = (_said(last.slot), status, str(last.count))
    return (one.plan.name, one.programme_slug or "-", _when(one.plan.plan), *told, _said(one.next_slot))


def _when(plan: Plan) -> str:
    return f"every {plan.seconds} s" if isinstance(plan, Every) else f"daily {plan.at:%H:%M}"


def _said(instant: datetime) -> str:
    return f"{instant.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"
