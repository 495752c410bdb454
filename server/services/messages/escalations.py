"""Escalations: a case that nobody decides for days after its time is told to the next one above, once.

No text says when: the house's days and ladder stand in ``config/reviews.toml``. It is told anew when the case
stands at another step and is late there as well. A day that was guessed is held against nobody.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from server import texts
from server.models.reviews import ReviewCase
from server.programme.model import Programme
from server.programme.review_defaults import ReviewDefaults
from server.rules.deadlines import day_of, working_days_after
from server.rules.review import CaseStatus
from server.services import outbox
from server.services.messages.reminders import GROUP, REVIEW_OVERDUE, Matter, of_case, send
from server.services.working_days import WorkingDays


class Escalations:
    """What the clock does about cases that are late."""

    def __init__(self, working_days: WorkingDays, defaults: ReviewDefaults) -> None:
        self._working_days = working_days
        self._defaults = defaults

    async def tell_due(self, programme: Programme, *, now: datetime) -> int:
        """Tell of every case of a programme that has been late for long enough; how many. Safe to repeat."""
        told = 0
        async for group in self._late(programme, now):
            told += await send(group, now, lambda _: 0)
        return told

    async def _late(self, programme: Programme, now: datetime) -> AsyncIterator[list[Matter]]:
        # So many working days are at least as many days: the calendar is asked of no other case.
        since = now - timedelta(days=self._defaults.escalate_working_days)
        wanted = ReviewCase.filter(
            programme_slug=programme.slug,
            status=CaseStatus.OPEN,
            turn__isnull=False,
            due_at__lte=since,
            due_provisional=False,
        )
        last = 0
        while rows := await wanted.filter(id__gt=last).order_by("id").limit(GROUP):
            matters = (self._matter(row) for row in rows if self._is_due(row, now))
            yield [one for one in matters if one is not None]
            last = rows[-1].id

    def _is_due(self, row: ReviewCase, now: datetime) -> bool:
        assert row.due_at is not None, "asked for with a time"
        late = working_days_after(
            self._working_days.calendar,
            day_of(row.due_at - timedelta.resolution),
            self._defaults.escalate_working_days,
        )
        return not late.provisional and late.is_over(now)

    def _matter(self, row: ReviewCase) -> Matter | None:
        above = None if row.turn is None else self._defaults.above(row.turn)
        if above is None or row.turn is None or row.due_at is None:
            return None
        data = {**of_case(row), "actor": texts.ACTORS[row.turn], "says": self._defaults.says}
        to = outbox.team(above.value, row.programme_slug)
        return Matter(REVIEW_OVERDUE, f"review:{row.id}", (to,), row.due_at, data)
