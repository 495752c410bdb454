"""The clock on public notices: periods end, cases go on, provisional ends are counted anew.

A notice comes down when its working days are over and nothing is guessed. Each of its cases goes on by
itself: one that somebody objected to waits for the answer, and keeps no other waiting. Where the chain has a
reconsideration of its own, that is the answer, and the case goes on in time.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import structlog
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.public_notices import PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.rules.public_notices import LineOutcome, NoticeKind, NoticeStatus
from server.rules.review import CaseStatus, Verdict
from server.services.access import CLOCK
from server.services.afterwards import together
from server.services.reviews import notice_book
from server.services.reviews.review_passage import AT_REST, Passage, Said, objection_follows_later
from server.services.reviews.reviews import CaseMovedOn, Reviews

log = structlog.get_logger()


class Notices:
    """What time does to notices; ``reviews`` moves the cases."""

    def __init__(self, reviews: Reviews) -> None:
        self.reviews = reviews

    async def close_due(self) -> int:
        """End every notice whose working days are over; how many of their cases went on.

        The days are counted anew: a year published meanwhile moves the end, and while they are still
        guessed nobody loses their right to object.
        """
        await self.recount()
        moved = 0
        for programme in self.reviews.programmes:
            now = self.reviews.clocks.now(programme.slug)
            over = PublicNotice.filter(
                programme_slug=programme.slug,
                status=NoticeStatus.STANDING,
                kind=NoticeKind.OBJECTION,
                ends_at__lte=now,
                due_provisional=False,
            )
            for notice in await over.order_by("ends_at", "id"):
                await self._over(notice, now)
            # Whoever is held has somebody's turn. What could not end a minute ago is tried again.
            due = ReviewCase.filter(
                programme_slug=programme.slug,
                status=CaseStatus.ON_NOTICE,
                turn=None,
                notice_until__lte=now,
                due_provisional=False,
            )
            for case in await due.order_by("notice_until", "id"):
                moved += await self._close(case, now)
        return moved

    async def recount(self) -> int:
        """Count the ends of notices again that were guessed; how many changed."""
        changed = 0
        guessed = PublicNotice.filter(due_provisional=True, status=NoticeStatus.STANDING)
        for notice in await guessed.order_by("id"):
            assert notice.begins_on is not None, "only a period that began has an end"
            end = notice_book.period_of(notice, notice.begins_on, self.reviews.days.calendar)
            if (end.ends_at, end.provisional) == (notice.ends_at, True):
                continue
            async with in_transaction():
                moved = await PublicNotice.filter(id=notice.id, version=notice.version).update(
                    ends_at=end.ends_at, due_provisional=end.provisional, version=F("version") + 1
                )
                if moved:
                    await notice_book.set_ends(notice.id, end)
            changed += moved
        return changed

    async def go_on_without(self, passage: Passage) -> None:
        """One objection fewer: with the last of them the case waits for its day again, or goes on."""
        if await ReviewObjection.exists(case_id=passage.case.id, answered_at=None):
            return
        passage.state = replace(passage.state, open_objection=False)
        case = passage.case
        line = await notice_book.line_on_notice(case.id)
        notice = None if line is None else await PublicNotice.get(id=line.notice_id)
        guessed = notice is not None and notice.due_provisional
        until = case.notice_until
        await passage.change(
            **{**AT_REST, "due_at": until, "notice_until": until, "due_provisional": guessed}
        )
        if until is not None and passage.now >= until and not guessed:
            await self._end(passage)

    async def _over(self, notice: PublicNotice, now: datetime) -> None:
        async with in_transaction():
            moved = await PublicNotice.filter(id=notice.id, status=NoticeStatus.STANDING).update(
                status=NoticeStatus.OVER, over_at=now, version=F("version") + 1
            )
            if moved:
                await notice_book.note("over", notice, actor=CLOCK.name, at=now)

    async def _close(self, case: ReviewCase, now: datetime) -> bool:
        """Let one case go on, unless something holds it."""
        try:
            async with in_transaction():
                passage = await self.reviews.take(case.id, case.version, None, actor=CLOCK)
                if passage.case.status is not CaseStatus.ON_NOTICE or self._is_held(passage):
                    return False
                await self._end(passage)
        except CaseMovedOn:
            # Somebody objected or answered in between, or another worker was quicker.
            return False
        except Refusal as refusal:
            # What follows from the end cannot be just now; the others' notices end all the same.
            log.warning("notice.not_ended", review=case.id, code=refusal.code)
            return False
        await together(passage.afters)()
        return True

    async def _end(self, passage: Passage) -> None:
        place = passage.case.place
        assert place is not None, "a notice is a place in the chain"
        await notice_book.settle_line(passage.case.id, LineOutcome.OVER)
        await passage.put_down(place, Said(verdict=Verdict.APPROVED, reason=texts.REASONS["notice_over"]))
        await passage.note("review.taken_down", place=place)
        await passage.go_on()

    def _is_held(self, passage: Passage) -> bool:
        holds = passage.kept.notice.objection_holds_item and passage.state.open_objection
        return holds and not objection_follows_later(passage)
