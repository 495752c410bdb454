"""Answers to objections: who gives them, who learns whose one is, and what happens when they are late.

Upheld, the case is refused with the answer as its reason; not upheld, it goes on. Both sides are told. Name
and contact of an objector are opened for the authority that answers, with a reason, in the journal first.
"""

from __future__ import annotations

from datetime import datetime

from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.public_notices import Objector
from server.models.reviews import ReviewObjection
from server.programme.review import ReviewKind
from server.programme.vocabulary import Actor as Role
from server.rules.public_notices import LineOutcome
from server.rules.review import CaseStatus, NotYourReview, ReasonMissing, Verdict, require_turn
from server.services import journal, outbox
from server.services.access import CLOCK, Actor, NotFound
from server.services.afterwards import together
from server.services.public_notices.objections import ANONYMOUS, NoticeOver, Objections
from server.services.reviews import notice_book
from server.services.reviews.recusals import require_say
from server.services.reviews.review_cases import copied, step_of
from server.services.reviews.review_passage import Passage, Said
from server.services.reviews.reviewers import Reviewer, require_impartial, reviewer_of

ANSWERING = (ReviewKind.PUBLIC_NOTICE, ReviewKind.RECONSIDERATION)
"""The steps at which an objection is answered."""


class ObjectionAnswered(Refusal):
    """The objection has its answer."""

    status, code = 409, "objection_answered"


class ObjectorAnonymous(Refusal):
    """Nobody knows who it was: there is nothing to reveal."""

    status, code = 409, "objector_anonymous"


class ObjectionAnswers:
    """The verbs of the side that answers."""

    def __init__(self, objections: Objections) -> None:
        self.objections = objections
        self.notices = objections.notices
        self.reviews = objections.reviews
        self.sealer = objections.sealer

    async def answer(self, objection_id: int, *, upheld: bool, answer: str, actor: Actor) -> ReviewObjection:
        """Answer an objection: upheld, and the case is refused; or not, and its notice goes on.

        Raises ``NotFound``, ``NotYourReview``, ``OwnReview``, ``Recused``, ``DecidedBefore``,
        ``ReasonMissing``, :class:`ObjectionAnswered`, :class:`NoticeOver`, ``CaseMovedOn``, and whatever
        stands in the way of what follows.
        """
        if not answer.strip():
            raise ReasonMissing()
        reviewer = await reviewer_of(actor)
        objection = await self._objection(objection_id, reviewer)
        if objection.answered_at is not None:
            raise ObjectionAnswered()
        async with in_transaction():
            passage = await self.reviews.take(
                objection.case_id, objection.case.version, reviewer, actor=actor
            )
            step = step_of(passage.case)
            if step is None or step.kind is not ReviewKind.PUBLIC_NOTICE:
                raise NoticeOver(clause=passage.kept.notice.article)
            if step.by not in reviewer.roles_in(passage.case):
                raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
            require_turn(passage.kept.chain, passage.state, step.by, str(reviewer.id))
            answered = await ReviewObjection.filter(id=objection_id, answered_at=None).update(
                answered_at=passage.now, answered_by=reviewer.id, upheld=upheld, answer=answer.strip()
            )
            if not answered:
                raise ObjectionAnswered()
            await self._follow_up(passage, objection_id, upheld=upheld, answer=answer.strip(), by=reviewer)
        await together(passage.afters)()
        return await ReviewObjection.get(id=objection_id)

    async def reveal(self, objection_id: int, *, why: str, actor: Actor) -> tuple[str, str]:
        """Name and contact of whoever objected, for the authority that answers; the journal has it first.

        Raises what :meth:`for_answering` raises, ``ReasonMissing``, :class:`ObjectorAnonymous`.
        """
        if not why.strip():
            raise ReasonMissing()
        objection = await self.for_answering(objection_id, actor=actor)
        whose = await Objector.get(objection_id=objection.id)
        if objection.made_by == ANONYMOUS:
            raise ObjectorAnonymous()
        async with in_transaction():
            await self._journal("objection.revealed", objection, actor=actor, why=why.strip())
        return self.sealer.open(whose.name_sealed), self.sealer.open(whose.contact_sealed)

    async def for_answering(self, objection_id: int, *, actor: Actor) -> ReviewObjection:
        """An objection as the authority has it that answers: at its notice, or at a reconsideration.

        Raises ``NotFound``, ``NotYourReview``, ``OwnReview``, ``Recused``, and ``NoticeOver`` for a chain
        without either.
        """
        reviewer = await reviewer_of(actor)
        objection = await self._objection(objection_id, reviewer)
        chain = copied(objection.case).chain
        answering = [step for step in chain.steps if step.kind in ANSWERING]
        if not answering:
            raise NoticeOver(clause=chain.article)
        if reviewer.roles_in(objection.case).isdisjoint(step.by for step in answering):
            first = answering[0]
            raise NotYourReview(clause=first.article, step=first.name, actor=texts.ACTORS[first.by])
        case = objection.case
        await require_impartial(reviewer, case, self.reviews.reviewed(case))
        await require_say(case.id, reviewer.id)
        return objection

    async def escalate_due(self) -> int:
        """Tell of every answer that is overdue, to those who owe it and to the oversight body; how many.

        A day that was guessed is counted anew first, and held against nobody while it is.
        """
        told = 0
        for programme in self.reviews.programmes:
            now = self.reviews.clocks.now(programme.slug)
            waiting = ReviewObjection.filter(
                case__programme_slug=programme.slug, answered_at=None, escalated_at=None, due_at__lte=now
            ).select_related("case", "notice")
            for objection in await waiting.order_by("due_at", "id"):
                told += await self._escalate(objection, now)
        return told

    # -- inside ------------------------------------------------------------------------------------

    async def _follow_up(
        self, passage: Passage, objection_id: int, *, upheld: bool, answer: str, by: Reviewer
    ) -> None:
        """What an answer leads to: the case refused, or on its way again; and whoever objected is told."""
        place = passage.case.place
        assert place is not None, "a notice is a place in the chain"
        verdict = Verdict.REJECTED if upheld else Verdict.ANSWERED
        await passage.put_down(place, Said(verdict=verdict, reviewer=by, reason=answer))
        await passage.note(f"review.{verdict}", place=place, objection=objection_id, reason=answer)
        if upheld:
            await notice_book.settle_line(passage.case.id, LineOutcome.REFUSED)
            # What others objected to the same case is answered with it.
            others = ReviewObjection.filter(case_id=passage.case.id, answered_at=None)
            told = [objection_id, *await others.values_list("id", flat=True)]
            await others.update(answered_at=passage.now, answered_by=by.id, upheld=True, answer=answer)
            await passage.go_on()
        else:
            told = [objection_id]
            # A case whose notice was withdrawn waits for the next one, answered or not.
            if passage.case.status is CaseStatus.ON_NOTICE:
                await self.notices.go_on_without(passage)
        rows = await ReviewObjection.filter(id__in=told)
        await notice_book.tell_objectors(passage.case, rows, now=passage.now)

    async def _objection(self, objection_id: int, reviewer: Reviewer) -> ReviewObjection:
        objection = await ReviewObjection.get_or_none(id=objection_id).select_related("case", "notice")
        if objection is None or not reviewer.may_see(objection.case):
            raise NotFound()
        return objection

    async def _escalate(self, objection: ReviewObjection, now: datetime) -> bool:
        case = objection.case
        async with in_transaction():
            if objection.due_provisional:
                due = self.objections.due(copied(case).notice, objection.made_at)
                await ReviewObjection.filter(id=objection.id).update(
                    due_at=due.ends_at, due_provisional=due.provisional
                )
                if due.provisional or due.ends_at > now:
                    return False
            moved = await ReviewObjection.filter(id=objection.id, escalated_at=None, answered_at=None).update(
                escalated_at=now
            )
            if not moved:
                return False
            await journal.record(
                "objection.overdue",
                f"review:{case.id}",
                actor=CLOCK.name,
                at=now,
                programme_slug=case.programme_slug,
                objection=objection.id,
            )
            owed = {step.by for step in copied(case).chain.steps if step.kind in ANSWERING}
            messages = [
                outbox.Message(
                    outbox.team(role, case.programme_slug),
                    "objection.overdue",
                    {
                        "review": case.id,
                        "number": "" if objection.notice is None else objection.notice.number,
                        "programme": case.programme_slug,
                        "title": case.title,
                        "area": case.area,
                    },
                )
                for role in sorted({*owed, Role.OVERSIGHT_BODY})
            ]
            await outbox.tell_all(messages, at=now)
        return True

    async def _journal(
        self, action: str, objection: ReviewObjection, *, actor: Actor, **data: object
    ) -> None:
        slug = objection.case.programme_slug
        await journal.record(
            action,
            f"review:{objection.case_id}",
            actor=actor.name,
            at=self.reviews.clocks.now(slug),
            programme_slug=slug,
            objection=objection.id,
            **data,
        )
