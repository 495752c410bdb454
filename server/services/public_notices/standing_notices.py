"""Standing notices: where each channel showed one, how one is withdrawn, and who is reminded of its end."""

from __future__ import annotations

from datetime import date, datetime

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.public_notices import NoticeShowing, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.public_notice_defaults import NoticeDefaults
from server.rules.deadlines import day_of, working_days_after
from server.rules.public_notices import LineOutcome, NoticeKind, NoticeStatus, begins_on
from server.rules.review import CaseStatus, ReasonMissing
from server.services import journal, outbox
from server.services.access import Actor
from server.services.organisations import memberships
from server.services.public_notices.public_notices import notice_for, require_theirs
from server.services.public_notices.review_notices import Notices
from server.services.reviews import notice_book
from server.services.reviews.review_cases import number_of, step_of
from server.services.reviews.review_passage import AT_REST
from server.services.reviews.reviewers import reviewer_of


class NoticeNotStanding(Refusal):
    """Its days are over, or it was withdrawn."""

    status, code = 409, "notice_not_standing"


class ChannelUnknown(Refusal):
    """The text names other channels."""

    status, code = 422, "channel_unknown"


class ChannelShown(Refusal):
    """Its day is recorded already."""

    status, code = 409, "channel_shown"


class ChannelDayUnusable(Refusal):
    """A day before the notice was published, or after today."""

    status, code = 422, "channel_day_unusable"


class ChannelDayTooOld(Refusal):
    """Counted from that day, the notice would be over before anybody could read when it ends."""

    status, code = 422, "channel_day_too_old"


class StandingNotices:
    """The verbs on what is published."""

    def __init__(self, notices: Notices, defaults: NoticeDefaults) -> None:
        self.reviews = notices.reviews
        self.defaults = defaults

    async def show(
        self, notice_id: int, channel: str, *, shown_on: date, url: str, actor: Actor
    ) -> PublicNotice:
        """Record when and where a channel showed a notice; with the last of them its days begin (LS-56).

        Raises ``NotFound``, :class:`NoticeNotStanding`, :class:`ChannelUnknown`, :class:`ChannelShown`,
        :class:`ChannelDayUnusable`, :class:`ChannelDayTooOld`.
        """
        notice = await notice_for(notice_id, actor)
        now = self.reviews.clocks.now(notice.programme_slug)
        async with in_transaction():
            held = await PublicNotice.filter(id=notice.id, status=NoticeStatus.STANDING).update(
                version=F("version") + 1
            )
            if not held or notice.published_at is None:
                raise NoticeNotStanding(clause=notice.clause)
            showings = await NoticeShowing.filter(notice_id=notice.id).order_by("id")
            mine = next((one for one in showings if one.channel == channel), None)
            if mine is None:
                names = texts.LIST.join(one.channel for one in showings)
                raise ChannelUnknown(clause=notice.clause, channels=names)
            if mine.shown_on is not None:
                raise ChannelShown(clause=notice.clause)
            first, today = day_of(notice.published_at), day_of(now)
            if not first <= shown_on <= today:
                raise ChannelDayUnusable(first=first.isoformat(), last=today.isoformat())
            begins = begins_on(shown_on if one is mine else one.shown_on for one in showings)
            calendar = self.reviews.days.calendar
            if begins is not None and notice_book.period_of(notice, begins, calendar).ends_at <= now:
                raise ChannelDayTooOld(clause=notice.clause)
            await NoticeShowing.filter(id=mine.id).update(
                shown_on=shown_on, url=url, recorded_by=actor.id, recorded_at=now
            )
            await notice_book.note(
                "shown", notice, actor=actor.name, at=now, channel=channel, day=shown_on.isoformat(), url=url
            )
            return await notice_book.begin(await PublicNotice.get(id=notice.id), calendar=calendar, now=now)

    async def withdraw(self, notice_id: int, *, reason: str, actor: Actor) -> PublicNotice:
        """Take a notice down before its end; it stays to be read, and its cases wait for another.

        Raises ``NotFound``, ``NotYourReview``, ``OwnReview``, ``Recused``, ``ReasonMissing``,
        :class:`NoticeNotStanding`.
        """
        if not reason.strip():
            raise ReasonMissing()
        notice = await notice_for(notice_id, actor)
        reviewer = await reviewer_of(actor)
        now = self.reviews.clocks.now(notice.programme_slug)
        async with in_transaction() as connection:
            cases = await notice_book.cases_of(notice.id)
            organisations = [case.organisation_id for case in cases if case.organisation_id is not None]
            await memberships.lock_all(organisations, connection)
            moved = await PublicNotice.filter(
                id=notice.id, status=NoticeStatus.STANDING, kind=NoticeKind.OBJECTION
            ).update(
                status=NoticeStatus.WITHDRAWN,
                withdrawn_by=actor.id,
                withdrawn_at=now,
                withdraw_reason=reason.strip(),
                version=F("version") + 1,
            )
            if not moved:
                raise NoticeNotStanding(clause=notice.clause)
            cases = await notice_book.cases_of(notice.id)
            if cases:
                await require_theirs(cases, reviewer, self.reviews)
            for case in cases:
                await self._take_down(notice, case, reason.strip(), actor=actor, now=now)
            await notice_book.note(
                "withdrawn", notice, actor=actor.name, at=now, reason=reason.strip(), lines=len(cases)
            )
        return await PublicNotice.get(id=notice.id)

    async def remind_due(self, slug: str) -> int:
        """Remind the authority, once, of every notice of a programme whose last days have come; how many."""
        told = 0
        now = self.reviews.clocks.now(slug)
        days = self.defaults.remind_working_days
        horizon = working_days_after(self.reviews.days.calendar, day_of(now), days).ends_at
        soon = PublicNotice.filter(
            programme_slug=slug,
            status=NoticeStatus.STANDING,
            reminded_at=None,
            ends_at__gt=now,
            ends_at__lte=horizon,
        )
        for notice in await soon.order_by("id"):
            told += await self._remind(notice, now)
        return told

    async def _take_down(
        self, notice: PublicNotice, case: ReviewCase, reason: str, *, actor: Actor, now: datetime
    ) -> None:
        step = step_of(case)
        assert step is not None, "a case on notice stands at a step"
        await notice_book.settle_line(case.id, LineOutcome.TAKEN_DOWN)
        await ReviewCase.filter(id=case.id).update(
            **{**AT_REST, "turn": step.by},
            status=CaseStatus.OPEN,
            turn_since=now,
            version=F("version") + 1,
        )
        await notice_book.await_notice(case, now=now)
        await journal.record(
            "review.taken_down",
            f"review:{case.id}",
            actor=actor.name,
            at=now,
            programme_slug=case.programme_slug,
            notice=notice.id,
        )
        if recipient := notice_book.applicant_of(case):
            await outbox.tell(
                recipient,
                "notice.withdrawn",
                at=now,
                review=case.id,
                number=number_of(case),
                programme=case.programme_slug,
                title=case.title,
                reason=reason,
            )

    async def _remind(self, notice: PublicNotice, now: datetime) -> bool:
        async with in_transaction():
            moved = await PublicNotice.filter(id=notice.id, reminded_at=None).update(reminded_at=now)
            if not moved:
                return False
            cases = await notice_book.cases_of(notice.id)
            step = step_of(cases[0]) if cases else None
            if step is None or notice.ends_at is None:
                return False
            open_ones = await ReviewObjection.filter(notice_id=notice.id, answered_at=None).count()
            await outbox.tell(
                outbox.team(step.by, notice.programme_slug),
                "notice.ending",
                at=now,
                notice=notice.id,
                number=notice.number,
                programme=notice.programme_slug,
                title=notice.title,
                until=notice.ends_at.isoformat(),
                provisional=notice.due_provisional,
                open=open_ones,
            )
        return True
