"""Public notices: what is put up for objection, who objects, who answers, and how a notice ends.

A case goes up by itself when its chain comes to a notice. The clock takes it down when its working days
are over and nothing holds it. An objection holds it until the authority has answered; where the chain
has a reconsideration of its own, that is the answer and the notice ends on time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Qualification
from server.models.reviews import ReviewCase, ReviewObjection
from server.programme.review import ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.lifecycles import QualificationStatus
from server.rules.review import CaseStatus, NotYourReview, ReasonMissing, Verdict, require_turn
from server.services.access import CLOCK, Actor, NotFound
from server.services.review_cases import copied, due_columns, notice_end, reply_end, step_of
from server.services.review_passage import AT_REST, Passage, Said, objection_follows_later
from server.services.reviewed import together
from server.services.reviewers import reviewer_of
from server.services.reviews import CaseMovedOn, Reviews

log = structlog.get_logger()

PARTIES = frozenset({Role.ENTERPRISE, Role.PROVIDER, Role.BOTH})


class NoticeOver(Refusal):
    """The case is not on notice, or its days are over."""

    status, code = 409, "notice_over"


class NotYourObjection(Refusal):
    """The text lets others object."""

    status, code = 403, "not_your_objection"


class ObjectionPending(Refusal):
    """The same person's objection to the same case is not answered yet."""

    status, code = 409, "objection_pending"


class ObjectionAnswered(Refusal):
    """The objection has its answer."""

    status, code = 409, "objection_answered"


@dataclass(frozen=True, slots=True)
class NoticePage:
    """Cases on notice by id, and where the next page starts."""

    rows: list[ReviewCase]
    next_after: int | None


class Notices:
    """The verbs on public notices; ``reviews`` moves the cases."""

    def __init__(self, reviews: Reviews) -> None:
        self.reviews = reviews

    async def object(self, case_id: int, *, reason: str, actor: Actor) -> ReviewObjection:
        """Object to a case on notice, with a reason, until its last day is over.

        Raises ``NotFound``, :class:`NoticeOver`, :class:`NotYourObjection`, :class:`ObjectionPending` or
        ``ReasonMissing``.
        """
        if not reason.strip():
            raise ReasonMissing()
        case = await ReviewCase.get_or_none(id=case_id)
        if case is None or case.notice_until is None:
            raise NotFound()
        now = self.reviews.clocks.now(case.programme_slug)
        if now >= case.notice_until:
            raise NoticeOver(clause=copied(case).notice.article)
        async with in_transaction():
            seen = await ReviewCase.filter(id=case_id, status=CaseStatus.ON_NOTICE).update(
                version=F("version") + 1
            )
            case = await ReviewCase.get(id=case_id)
            if not seen or case.notice_until is None:
                raise NoticeOver(clause=copied(case).notice.article)
            await _require_party(case, actor)
            if await ReviewObjection.exists(case_id=case_id, made_by=actor.name, answered_at=None):
                raise ObjectionPending(clause=copied(case).notice.article)
            passage = await self.reviews.passage(case, actor=actor, now=now)
            terms = passage.kept.notice
            due = reply_end(terms, now, self.reviews.days.calendar)
            objection = await ReviewObjection.create(
                case_id=case_id,
                made_by=actor.name,
                reason=reason.strip(),
                made_at=now,
                due_at=None if due is None else due.ends_at,
            )
            await passage.state_further({ReviewWhen.OBJECTION})
            step = step_of(case)
            if step is not None and terms.objection_holds_item and not objection_follows_later(passage):
                await passage.change(**due_columns(due), turn=step.by)
            await passage.note("review.objected", objection=objection.id)
            if step is not None:
                await passage.tell_team("review.objected", step.by, step=step.name)
            await passage.tell_applicant("review.objected", clause=terms.article)
        return objection

    async def answer(self, objection_id: int, *, upheld: bool, answer: str, actor: Actor) -> ReviewObjection:
        """Answer an objection: upheld, and the case is refused; or not, and its notice goes on.

        Raises ``NotFound``, ``NotYourReview``, ``OwnReview``, ``DecidedBefore``, ``ReasonMissing``,
        :class:`ObjectionAnswered` or ``CaseMovedOn``.
        """
        if not answer.strip():
            raise ReasonMissing()
        reviewer = await reviewer_of(actor)
        objection = await ReviewObjection.get_or_none(id=objection_id).select_related("case")
        if objection is None or not reviewer.may_see(objection.case):
            raise NotFound()
        case = objection.case
        if objection.answered_at is not None:
            raise ObjectionAnswered()
        async with in_transaction():
            passage = await self.reviews.take(case.id, case.version, reviewer, actor=actor)
            step = step_of(passage.case)
            if step is None or passage.case.status is not CaseStatus.ON_NOTICE:
                raise NoticeOver(clause=passage.kept.notice.article)
            if step.by not in reviewer.roles:
                raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
            require_turn(passage.kept.chain, passage.state, step.by, str(reviewer.id))
            place = passage.case.place
            assert place is not None, "a notice is a place in the chain"
            answered = await ReviewObjection.filter(id=objection_id, answered_at=None).update(
                answered_at=passage.now, answered_by=reviewer.id, upheld=upheld, answer=answer.strip()
            )
            if not answered:
                raise ObjectionAnswered()
            verdict = Verdict.REJECTED if upheld else Verdict.ANSWERED
            await passage.put_down(place, Said(verdict=verdict, reviewer=reviewer, reason=answer.strip()))
            await passage.note(
                f"review.{verdict}", place=place, objection=objection_id, reason=answer.strip()
            )
            if upheld:
                await passage.go_on()
            else:
                await self._go_on_without(passage)
        await together(passage.afters)()
        return await ReviewObjection.get(id=objection_id)

    async def close_due(self) -> int:
        """End every notice whose working days are over and that nothing holds; how many this call ended.

        The days are counted anew: a year published meanwhile moves the end, and while they are still
        guessed nobody loses their right to object.
        """
        ended = 0
        for programme in self.reviews.programmes:
            now = self.reviews.clocks.now(programme.slug)
            due = ReviewCase.filter(
                programme_slug=programme.slug, status=CaseStatus.ON_NOTICE, notice_until__lte=now
            )
            for case in await due.order_by("notice_until", "id"):
                ended += await self._close(case, now)
        return ended

    async def recount(self) -> int:
        """Count the ends of notices again that were guessed; how many changed."""
        changed = 0
        for case in await ReviewCase.filter(due_provisional=True, status=CaseStatus.ON_NOTICE):
            changed += await self._recounted(case)
        return changed

    async def _close(self, case: ReviewCase, now: datetime) -> bool:
        """End one notice, unless something holds it or its days were guessed."""
        if await self._recounted(case):
            case = await ReviewCase.get(id=case.id)
        if case.due_provisional or case.notice_until is None or now < case.notice_until:
            return False
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

    async def _recounted(self, case: ReviewCase) -> bool:
        if not case.due_provisional:
            return False
        end = notice_end(copied(case).notice, case.turn_since, self.reviews.days.calendar)
        if (end.ends_at, end.provisional) == (case.notice_until, True):
            return False
        changed = await ReviewCase.filter(id=case.id, version=case.version).update(
            notice_until=end.ends_at,
            due_provisional=end.provisional,
            **({"due_at": end.ends_at} if case.turn is None else {}),
        )
        return bool(changed)

    async def _go_on_without(self, passage: Passage) -> None:
        """One objection fewer: with the last of them the case waits for its day again, or goes on."""
        if await ReviewObjection.exists(case_id=passage.case.id, answered_at=None):
            return
        passage.state = replace(passage.state, open_objection=False)
        until = passage.case.notice_until
        await passage.change(**{**AT_REST, "due_at": until, "notice_until": until})
        if until is not None and passage.now >= until and not passage.case.due_provisional:
            await self._end(passage)

    async def _end(self, passage: Passage) -> None:
        place = passage.case.place
        assert place is not None, "a notice is a place in the chain"
        await passage.put_down(place, Said(verdict=Verdict.APPROVED, reason=texts.REASONS["notice_over"]))
        await passage.note("review.taken_down", place=place)
        await passage.go_on()

    def _is_held(self, passage: Passage) -> bool:
        holds = passage.kept.notice.objection_holds_item and passage.state.open_objection
        return holds and not objection_follows_later(passage)


async def page(slug: str | None, *, after: int, limit: int) -> NoticePage:
    """What is on public notice, by id."""
    wanted = ReviewCase.filter(status=CaseStatus.ON_NOTICE, id__gt=after)
    if slug is not None:
        wanted = wanted.filter(programme_slug=slug)
    rows = await wanted.order_by("id").limit(limit + 1)
    return NoticePage(rows[:limit], rows[limit - 1].id if len(rows) > limit else None)


async def _require_party(case: ReviewCase, actor: Actor) -> None:
    """Raise :class:`NotYourObjection` where the text names who may object, and it is not the actor."""
    terms = copied(case).notice
    if terms.objections_by not in PARTIES:
        return
    approved = Qualification.filter(
        organisation_id=actor.organisation_id,
        programme_slug=case.programme_slug,
        status=QualificationStatus.APPROVED,
    )
    if terms.objections_by is not Role.BOTH:
        approved = approved.filter(party=terms.objections_by.value)
    if actor.organisation_id is None or not await approved.exists():
        raise NotYourObjection(clause=terms.article, who=texts.ACTORS[terms.objections_by])
