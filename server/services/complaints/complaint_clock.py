"""The clock of complaints: reminders half-way, cases that climb because nobody answered, and silent consent.

A date that rests on guessed working days moves nothing: it is computed anew when the year is published.
"""

from __future__ import annotations

from datetime import datetime

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server.models.complaints import Complaint
from server.rules.complaints import (
    Closing,
    ComplaintStatus,
    EntryKind,
    due_dates,
    reopen_until,
)
from server.services.complaints.complaint_book import CLOCK, ComplaintMovedOn
from server.services.complaints.complaint_handling import ComplaintHandling

BATCH = 200
OPEN = (ComplaintStatus.FILED, ComplaintStatus.IN_HAND)


class ComplaintClock:
    """What happens to cases because time passed. Each deed is a transaction of its own, and happens once."""

    def __init__(self, handling: ComplaintHandling) -> None:
        self._handling = handling
        self._book = handling.book

    async def remind_half_way(self, slug: str) -> int:
        """Tell whoever should answer that half the time is over; how many cases of a programme."""
        now, done = self._book.now(slug), 0
        due = Complaint.filter(
            programme_slug=slug, status__in=OPEN, half_way_at__lte=now, reminded_at=None, overdue_at=None
        )
        for complaint in await due.order_by("half_way_at", "id").limit(BATCH):
            done += await self._remind(complaint, now)
        return done

    async def escalate_overdue(self, slug: str) -> int:
        """Bring what nobody answered in time to the next rung; on the last, say that it is late."""
        now, done = self._book.now(slug), 0
        due = Complaint.filter(
            programme_slug=slug,
            status__in=OPEN,
            answer_due_at__lte=now,
            due_provisional=False,
            overdue_at=None,
        )
        for complaint in await due.order_by("answer_due_at", "id").limit(BATCH):
            done += await self._escalate(complaint, now)
        return done

    async def close_unconfirmed(self, slug: str) -> int:
        """Close what was answered, and to which its complainant said nothing in time."""
        now, done = self._book.now(slug), 0
        due = Complaint.filter(programme_slug=slug, status=ComplaintStatus.ANSWERED, confirm_until__lte=now)
        for complaint in await due.order_by("confirm_until", "id").limit(BATCH):
            done += await self._close(complaint, now)
        return done

    async def turn(self, slug: str) -> int:
        """All three of them; ``slug=""``: of cases of no programme."""
        reminded = await self.remind_half_way(slug)
        return reminded + await self.escalate_overdue(slug) + await self.close_unconfirmed(slug)

    async def turn_all(self) -> int:
        """The same of every programme, and of none."""
        slugs = ["", *sorted(programme.slug for programme in self._book.programmes)]
        return sum([await self.turn(slug) for slug in slugs])

    async def recount(self) -> int:
        """Compute guessed dates anew, because a year was published; returns how many changed."""
        changed = 0
        for complaint in await Complaint.filter(due_provisional=True, status__in=OPEN).order_by("id"):
            ladder, calendar = self._book.ladder_of(complaint), self._book.working_days.calendar
            dates = due_dates(ladder, complaint.rung, calendar, complaint.rung_since)
            changed += await Complaint.filter(
                id=complaint.id, rung=complaint.rung, rung_since=complaint.rung_since
            ).update(
                receipt_due_at=dates.receipt.ends_at,
                half_way_at=dates.half_way.ends_at,
                answer_due_at=dates.answer.ends_at,
                due_provisional=dates.answer.provisional,
            )
        return changed

    async def _remind(self, complaint: Complaint, now: datetime) -> bool:
        try:
            async with in_transaction():
                complaint = await self._book.change(
                    complaint, None, guard=Q(reminded_at__isnull=True), reminded_at=now
                )
                await self._book.write(complaint, EntryKind.HALF_WAY, author=CLOCK, now=now)
                due = complaint.answer_due_at.isoformat()
                await self._book.tell_handlers(complaint, "complaint.half_way", now=now, until=due)
        except ComplaintMovedOn:
            return False
        return True

    async def _escalate(self, complaint: Complaint, now: datetime) -> bool:
        above = self._book.ladder_of(complaint).above(complaint.rung)
        try:
            async with in_transaction():
                if above is not None and not complaint.sealed:
                    await self._handling.climb(complaint, EntryKind.OVERDUE, author=CLOCK, words="", now=now)
                    return True
                complaint = await self._book.change(
                    complaint, None, guard=Q(overdue_at__isnull=True), overdue_at=now
                )
                await self._book.write(complaint, EntryKind.OVERDUE, author=CLOCK, now=now)
                due = complaint.answer_due_at.isoformat()
                await self._book.tell_handlers(complaint, "complaint.overdue", now=now, until=due)
        except ComplaintMovedOn:
            return False
        return True

    async def _close(self, complaint: Complaint, now: datetime) -> bool:
        ladder, calendar = self._book.ladder_of(complaint), self._book.working_days.calendar
        until = reopen_until(ladder, calendar, now)
        try:
            async with in_transaction():
                complaint = await self._book.change(
                    complaint,
                    None,
                    to=ComplaintStatus.CLOSED,
                    closed_at=now,
                    closed_how=Closing.BY_TIME,
                    reopen_until=until,
                )
                await self._book.write(complaint, EntryKind.CLOSED_BY_TIME, author=CLOCK, now=now)
                await self._book.tell_complainant(
                    complaint, "complaint.closed_by_time", now=now, until=until.isoformat()
                )
        except ComplaintMovedOn:
            return False
        return True
