"""Public notices of what is gathered: one drafts, another publishes.

A draft holds the cases it chose, so that nobody else puts them up. Publishing freezes the masked lines that
the publisher was shown, by their hash; what is wrong is withdrawn and put up again (``standing_notices``).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F
from tortoise.queryset import QuerySet
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.public_notices import NoticeLine, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.review import ReviewKind, ReviewStep, ReviewSubject
from server.rules.public_notices import NoticeStatus, hash_of
from server.rules.review import CaseStatus, NotYourReview
from server.services import journal, outbox
from server.services.access import Actor, NotFound, require_programme
from server.services.organisations import memberships
from server.services.public_notices.review_notices import Notices
from server.services.reviews import notice_book
from server.services.reviews.recusals import Recused, recused_from
from server.services.reviews.review_cases import copied, due_columns, step_of
from server.services.reviews.review_passage import AT_REST
from server.services.reviews.reviewers import OwnReview, Reviewer, require_impartial, reviewer_of
from server.services.reviews.reviews import Reviews

MOST_LINES = 500
PAGE = 50

LineMaker = Callable[[ReviewCase], Awaitable[Mapping[str, str]]]
"""What a notice shows of a case, heading to words; nothing personal in the clear."""


class NoticeEmpty(Refusal):
    """Nothing waits that could be put up."""

    status, code = 422, "notice_empty"


class NoticeTooLong(Refusal):
    """More lines than one notice takes; ``most`` says how many it does."""

    status, code = 422, "notice_too_long"


class NoticeItemUnusable(Refusal):
    """A line that does not wait: on another draft, withdrawn, or never there. ``lines`` names them."""

    status, code = 409, "notice_item_unusable"


class NoticeKindsMixed(Refusal):
    """One notice is about one kind of thing."""

    status, code = 422, "notice_kinds_mixed"


class NoticeMovedOn(Refusal):
    """The draft is not what was looked at."""

    status, code = 409, "notice_moved_on"


class NoticeNotDraft(Refusal):
    """What is published is not changed: it is withdrawn and put up again."""

    status, code = 409, "notice_not_draft"


class NoticeOwnDraft(Refusal):
    """Whoever drafted it does not publish it."""

    status, code = 403, "notice_own_draft"


@dataclass(frozen=True, slots=True)
class Preview:
    """What a draft would say if it were published now."""

    notice: PublicNotice
    lines: Sequence[Mapping[str, str]]
    sha256: str


class PublicNotices:
    """The verbs of the authority on notices; ``notices`` is their clock."""

    def __init__(self, notices: Notices) -> None:
        self.reviews = notices.reviews
        self._makers: dict[ReviewSubject, LineMaker] = {}

    def describe(self, subject: ReviewSubject, maker: LineMaker) -> None:
        """From now on show this kind of thing as ``maker`` says."""
        self._makers[subject] = maker

    async def line_of(self, case: ReviewCase) -> Mapping[str, str]:
        """What a notice shows of a case."""
        maker = self._makers.get(case.subject)
        return notice_book.plain_line(case) if maker is None else await maker(case)

    async def waiting(self, slug: str, *, after: int, limit: int, actor: Actor) -> list[NoticeLine]:
        """The cases that wait for a notice of a programme, the oldest first, each with its case."""
        reviewer = await reviewer_of(actor)
        require_programme(actor, slug)
        rows = await _waiting(slug).filter(id__gt=after).order_by("id").limit(limit)
        return [row for row in rows if reviewer.may_see(row.case) and _waits(row.case)]

    async def draft(
        self,
        slug: str,
        *,
        title: str,
        line_ids: Sequence[int] | None,
        replaces: int | None = None,
        actor: Actor,
    ) -> PublicNotice:
        """Draft a notice of these lines, or (``None``) of all that wait; ``replaces`` names a withdrawn one.

        Raises ``NotFound``, ``UnknownProgramme``, ``NotYourReview``, ``OwnReview``, ``Recused``,
        :class:`NoticeEmpty`, :class:`NoticeTooLong`, :class:`NoticeItemUnusable`, :class:`NoticeKindsMixed`.
        """
        reviewer = await reviewer_of(actor)
        require_programme(actor, slug)
        programme = self.reviews.programmes.get(slug)
        now = self.reviews.clocks.now(slug)
        if replaces is not None and not await PublicNotice.exists(
            id=replaces, programme_slug=slug, status=NoticeStatus.WITHDRAWN
        ):
            raise NotFound()
        lines = await self._chosen(slug, line_ids, reviewer)
        first = lines[0].case
        step = await require_theirs([line.case for line in lines], reviewer, self.reviews)
        terms = programme.public_notice
        subject = texts.NOTICE_SUBJECTS[first.subject]
        async with in_transaction():
            notice = await PublicNotice.create(
                programme_slug=slug,
                programme_version=programme.version,
                title=title.strip() or texts.NOTICE_TITLE.format(subject=subject),
                clause=terms.article or step.article,
                working_days=terms.working_days,
                drafted_by=actor.id,
                drafted_at=now,
                replaces_id=replaces,
            )
            ids = [line.id for line in lines]
            # The WHERE clause is the lock: a line waits for one notice at a time.
            taken = await NoticeLine.filter(id__in=ids, notice_id=None, outcome=None).update(
                notice_id=notice.id
            )
            if taken != len(ids):
                raise NoticeItemUnusable(lines=texts.LIST.join(str(one) for one in ids))
            await notice_book.note("drafted", notice, actor=actor.name, at=now, lines=len(ids))
            await outbox.tell(
                outbox.team(step.by, slug),
                "notice.drafted",
                at=now,
                notice=notice.id,
                programme=slug,
                title=notice.title,
                count=len(ids),
            )
        return notice

    async def preview(self, notice_id: int, *, actor: Actor) -> Preview:
        """A draft as it would be published now. Raises ``NotFound``, :class:`NoticeNotDraft`."""
        notice = await self._draft_for(notice_id, actor)
        return await self._previewed(notice, [line.case for line in await _lines(notice.id)])

    async def discard(self, notice_id: int, *, version: int, actor: Actor) -> None:
        """Give a draft up; its cases wait again.

        Raises what :meth:`preview` raises, :class:`NoticeMovedOn`.
        """
        notice = await self._draft_for(notice_id, actor)
        now = self.reviews.clocks.now(notice.programme_slug)
        async with in_transaction():
            # The notice before its lines, as whoever publishes it takes them.
            ours = await PublicNotice.filter(id=notice.id, version=version, status=NoticeStatus.DRAFT).update(
                version=F("version") + 1
            )
            if not ours:
                raise NoticeMovedOn()
            await NoticeLine.filter(notice_id=notice.id).update(notice_id=None)
            await PublicNotice.filter(id=notice.id).delete()
            await notice_book.note("discarded", notice, actor=actor.name, at=now)

    async def publish(self, notice_id: int, *, version: int, sha256: str, actor: Actor) -> PublicNotice:
        """Publish a draft by somebody else, as it was previewed: ``sha256`` is the preview's.

        Raises what :meth:`preview` raises, :class:`NoticeOwnDraft`, :class:`NoticeMovedOn`,
        ``NotYourReview``, ``OwnReview``, ``Recused``, :class:`NoticeItemUnusable`, :class:`NoticeEmpty`.
        """
        notice = await self._draft_for(notice_id, actor)
        if notice.drafted_by == actor.id:
            raise NoticeOwnDraft(clause=notice.clause)
        reviewer = await reviewer_of(actor)
        now = self.reviews.clocks.now(notice.programme_slug)
        async with in_transaction() as connection:
            organisations = [line.case.organisation_id for line in await _lines(notice.id)]
            await memberships.lock_all([one for one in organisations if one is not None], connection)
            moved = await PublicNotice.filter(
                id=notice.id, version=version, status=NoticeStatus.DRAFT
            ).update(version=F("version") + 1)
            if not moved:
                raise NoticeMovedOn(clause=notice.clause)
            lines = await _lines(notice.id)
            if gone := [line.id for line in lines if not _waits(line.case)]:
                raise NoticeItemUnusable(lines=texts.LIST.join(str(one) for one in gone))
            if not lines:
                raise NoticeEmpty(clause=notice.clause)
            cases = [line.case for line in lines]
            await require_theirs(cases, reviewer, self.reviews)
            shown = await self._previewed(notice, cases)
            if shown.sha256 != sha256:
                raise NoticeMovedOn(clause=notice.clause)
            await self._put_up(notice, cases, actor=actor, now=now)
            await notice_book.freeze(notice, lines, shown.lines, published_by=actor.id, now=now)
            terms = self.reviews.programmes.get(notice.programme_slug).public_notice
            await notice_book.open_channels(notice, terms, now=now)
            await notice_book.note("published", notice, actor=actor.name, at=now, sha256=shown.sha256)
            notice = await PublicNotice.get(id=notice.id)
            return await notice_book.begin(notice, calendar=self.reviews.days.calendar, now=now)

    # -- inside ------------------------------------------------------------------------------------

    async def _chosen(
        self, slug: str, line_ids: Sequence[int] | None, reviewer: Reviewer
    ) -> list[NoticeLine]:
        wanted = _waiting(slug)
        if line_ids is not None:
            wanted = wanted.filter(id__in=list(line_ids))
        rows = await wanted.order_by("id").limit(MOST_LINES + 1)
        lines = [row for row in rows if reviewer.may_see(row.case) and _waits(row.case)]
        if line_ids is None:
            # Of all that wait, those that are somebody else's to put up stay where they are.
            kept_out = await recused_from([row.case_id for row in lines], reviewer.id)
            if lines and all(_step(row.case).by not in reviewer.roles_in(row.case) for row in lines):
                # Something waits, and others put it up: say who.
                await _require_theirs(lines[0].case, reviewer, self.reviews)
            lines = [row for row in lines if row.case_id not in kept_out]
            lines = [row for row in lines if await _is_theirs(row.case, reviewer, self.reviews)]
        elif lacking := sorted(set(line_ids) - {row.id for row in lines}):
            raise NoticeItemUnusable(lines=texts.LIST.join(str(one) for one in lacking))
        if not lines:
            raise NoticeEmpty()
        if len(rows) > MOST_LINES:
            raise NoticeTooLong(most=MOST_LINES)
        if len({row.case.subject for row in lines}) > 1:
            raise NoticeKindsMixed()
        return lines

    async def _previewed(self, notice: PublicNotice, cases: Sequence[ReviewCase]) -> Preview:
        lines = [await self.line_of(case) for case in cases]
        text = notice_book.text_of(notice, notice_book.number_of(notice), lines)
        return Preview(notice, lines, hash_of(text))

    async def _put_up(
        self, notice: PublicNotice, cases: Sequence[ReviewCase], *, actor: Actor, now: datetime
    ) -> None:
        """Every case from waiting to standing on notice; an objection from before is still to be answered."""
        ids = [case.id for case in cases]
        moved = await ReviewCase.filter(id__in=ids, status=CaseStatus.OPEN).update(
            **AT_REST, status=CaseStatus.ON_NOTICE, turn_since=now, version=F("version") + 1
        )
        if moved != len(ids):
            raise NoticeMovedOn(clause=notice.clause)
        for case in cases:
            await journal.record(
                "review.put_up",
                f"review:{case.id}",
                actor=actor.name,
                at=now,
                programme_slug=case.programme_slug,
                notice=notice.id,
            )
            objection = await ReviewObjection.filter(case_id=case.id, answered_at=None).first()
            kept = copied(case)
            if objection is not None and kept.notice.objection_holds_item and case.place is not None:
                await ReviewCase.filter(id=case.id).update(
                    **{**due_columns(None), "due_at": objection.due_at},
                    turn=kept.chain.steps[case.place].by,
                )

    async def _draft_for(self, notice_id: int, actor: Actor) -> PublicNotice:
        notice = await notice_for(notice_id, actor)
        if notice.status is not NoticeStatus.DRAFT:
            raise NoticeNotDraft(clause=notice.clause)
        return notice


async def notice_for(notice_id: int, actor: Actor) -> PublicNotice:
    """A notice of a programme that a member of staff works on. Raises ``NotFound``."""
    notice = await PublicNotice.get_or_none(id=notice_id)
    if notice is None:
        raise NotFound()
    require_programme(actor, notice.programme_slug)
    return notice


async def require_theirs(cases: Sequence[ReviewCase], reviewer: Reviewer, reviews: Reviews) -> ReviewStep:
    """The step at which cases are put up, by somebody whose turn it is and who has no part in any of them.

    Raises ``NotYourReview``, ``OwnReview``, ``Recused``.
    """
    if await recused_from([case.id for case in cases], reviewer.id):
        raise Recused(clause=_step(cases[0]).article)
    step = _step(cases[0])
    for case in cases:
        step = await _require_theirs(case, reviewer, reviews)
    return step


async def _require_theirs(case: ReviewCase, reviewer: Reviewer, reviews: Reviews) -> ReviewStep:
    step = _step(case)
    if step.by not in reviewer.roles_in(case):
        raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
    await require_impartial(reviewer, case, reviews.reviewed(case))
    return step


async def _is_theirs(case: ReviewCase, reviewer: Reviewer, reviews: Reviews) -> bool:
    try:
        await _require_theirs(case, reviewer, reviews)
    except (NotYourReview, OwnReview):
        return False
    return True


def _step(case: ReviewCase) -> ReviewStep:
    step = step_of(case)
    assert step is not None, "a case that waits for a notice, or stands on one, is at that step"
    return step


def _waiting(slug: str) -> QuerySet[NoticeLine]:
    rows = NoticeLine.filter(
        programme_slug=slug, notice_id=None, outcome=None, result=False, case__status=CaseStatus.OPEN
    )
    return rows.select_related("case")


async def _lines(notice_id: int) -> list[NoticeLine]:
    return await NoticeLine.filter(notice_id=notice_id).select_related("case").order_by("id")


def _waits(case: ReviewCase) -> bool:
    """Whether a case still stands where a notice is to be published."""
    step = step_of(case)
    return case.status is CaseStatus.OPEN and step is not None and step.kind is ReviewKind.PUBLIC_NOTICE
