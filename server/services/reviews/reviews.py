"""Reviews: one engine for everything that is reviewed, its chains from the programmes.

A case is opened with its chain copied into it. From then on it moves by decisions alone: each names the
version of the case that its reviewer looked at, carries the applicant's snapshot and the system's own
checks, and is never changed. What follows from the end of a chain happens in the same transaction.

Locks are taken in this order: the organisation, the case, a budget.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.organisations import Organisation
from server.models.reviews import NO_DEADLINE_MS, ReviewCase, ReviewDecision
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.review import ReviewKind, ReviewStep, ReviewSubject, ReviewWhen
from server.rules.deadlines import day_of, end_of
from server.rules.review import (
    CaseStatus,
    NotYourReview,
    ReasonMissing,
    Record,
    ReviewNotAskable,
    ReviewOver,
    StepNotAtHand,
    Verdict,
    may_ask_for,
    require_by_hand,
    require_panel,
    require_record,
    require_returnable,
    require_turn,
)
from server.services.access import Actor, NotFound
from server.services.afterwards import After, nothing, together
from server.services.clocks import ProgrammeClocks
from server.services.organisations import memberships
from server.services.reviews.inspection_forms import require_support
from server.services.reviews.recusals import recused_from, require_say
from server.services.reviews.review_cases import copied, copy_of, deadline
from server.services.reviews.review_passage import AT_REST, Passage, Said, answer_by_reconsideration, begin
from server.services.reviews.review_turns import (
    CaseMovedOn,
    ReviewClaimed,
    ReviewNotOpen,
    claimed_by,
    moved_on,
    name_of,
    not_yours,
    require_drawn,
    require_open,
    role_of,
)
from server.services.reviews.reviewed import Reviewed, Weighed
from server.services.reviews.reviewers import (
    Reviewer,
    case_for,
    require_impartial,
    reviewer_of,
    still_has,
)
from server.services.reviews.sampling_results import note_review
from server.services.working_days import WorkingDays

__all__ = [
    "After",
    "CaseMovedOn",
    "ReviewClaimed",
    "ReviewNotOpen",
    "Reviewed",
    "Reviews",
    "nothing",
    "together",
]


class ReviewUnderWay(Refusal):
    """The same thing is under review already."""

    status, code = 409, "review_under_way"


class CorrectionTimePast(Refusal):
    """The last day for a correction lies before tomorrow."""

    status, code = 422, "correction_time_past"


class OpinionGiven(Refusal):
    """One expert gives one opinion on what was handed in; after a return, another on what it is now."""

    status, code = 409, "opinion_given"


class Reviews:
    """The verbs on cases. Instants are those of the clock of the case's programme."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, days: WorkingDays) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.days = days
        self._reviewed: dict[ReviewSubject, Reviewed] = {}

    def serve(self, subject: ReviewSubject, reviewed: Reviewed) -> None:
        """From now on review this kind of thing, which ``reviewed`` knows."""
        self._reviewed[subject] = reviewed

    def reviewed(self, case: ReviewCase) -> Reviewed:
        """Who knows what a case is about."""
        return self._reviewed[case.subject]

    async def open(
        self,
        subject: ReviewSubject,
        subject_id: int,
        *,
        programme: Programme,
        organisation: Organisation | None,
        title: str,
        actor: Actor,
        now: datetime,
        circumstances: Collection[ReviewWhen] = (),
        amount_fen: int | None = None,
        flagged: bool = False,
    ) -> tuple[ReviewCase, After]:
        """Begin a review, inside the caller's transaction, and under the organisation's lock if there is one.

        Steps of the software decide at once: a chain of nothing else has passed or refused on return.
        ``amount_fen`` is what it is about, in fen; what is ``flagged`` is in every sample. Whether there is a
        chain, ``programme.review(subject)`` says; without one this is a ``LookupError``.
        Raises :class:`ReviewUnderWay`, and whatever ``Reviewed.passed`` raises.
        """
        chain = programme.review(subject)
        if chain is None:
            raise LookupError(f"{programme.slug} has no review of {subject}")
        try:
            async with in_transaction():  # A savepoint: the case may have come to be a moment ago.
                case = await ReviewCase.create(
                    subject=subject,
                    subject_id=subject_id,
                    programme_slug=programme.slug,
                    programme_version=programme.version,
                    organisation=organisation,
                    organisation_name="" if organisation is None else organisation.name,
                    uscc="" if organisation is None else organisation.uscc,
                    area="" if organisation is None else organisation.area,
                    title=title,
                    chain=copy_of(programme, chain),
                    circumstances=sorted(circumstances),
                    amount_fen=amount_fen,
                    flagged=flagged,
                    turn_since=now,
                    rank_ms=NO_DEADLINE_MS,
                    opened_at=now,
                    opened_by=actor.name,
                )
        except IntegrityError:
            raise ReviewUnderWay() from None
        passage = await self.passage(case, actor=actor, now=now)
        await passage.note("review.opened")
        await passage.go_on()
        return passage.case, together(passage.afters)

    async def resume(self, case: ReviewCase, *, actor: Actor, now: datetime) -> After:
        """What was returned has been corrected: back to the step that returned it, and to who did.

        Inside the caller's transaction, under the organisation's lock. Raises :class:`CaseMovedOn` unless
        the case is waiting for its correction.
        """
        if case.place is None:
            raise ReviewOver()
        step = copied(case).chain.steps[case.place]
        returned = (
            await ReviewDecision.filter(case_id=case.id, verdict=Verdict.RETURNED).order_by("-id").first()
        )
        columns = {**AT_REST, **deadline(step, now, self.days.calendar), "turn": step.by}
        if returned is not None and await _goes_on(case, step, returned.reviewer_id):
            columns |= {"claimed_by": returned.reviewer_id, "claimed_at": now}
        moved = await ReviewCase.filter(id=case.id, status=CaseStatus.RETURNED).update(
            **columns, status=CaseStatus.OPEN, turn_since=now, version=F("version") + 1
        )
        if not moved:
            raise await moved_on(case.id)
        passage = await self.passage(await ReviewCase.get(id=case.id), actor=actor, now=now)
        await passage.note("review.resubmitted", place=case.place)
        await passage.tell_team("review.resubmitted", step.by, step=step.name)
        return together(passage.afters)

    async def withdraw(self, case: ReviewCase, *, reason: str, actor: Actor, now: datetime) -> None:
        """The applicant takes back what has no decision yet; inside the caller's transaction.

        Raises :class:`CaseMovedOn` when the case has come to its end meanwhile.
        """
        live = [CaseStatus.OPEN, CaseStatus.RETURNED, CaseStatus.ON_NOTICE]
        moved = await ReviewCase.filter(id=case.id, status__in=live).update(
            **AT_REST,
            status=CaseStatus.WITHDRAWN,
            place=None,
            step_name="",
            closed_at=now,
            version=F("version") + 1,
        )
        if not moved:
            raise await moved_on(case.id)
        passage = await self.passage(await ReviewCase.get(id=case.id), actor=actor, now=now)
        await passage.note("review.withdrawn", reason=reason)

    async def decide(
        self,
        case_id: int,
        verdict: Verdict,
        *,
        version: int,
        reason: str = "",
        fields: Mapping[str, str] | None = None,
        extras: Mapping[str, Any] | None = None,
        record: Record | None = None,
        ask_for: Collection[ReviewWhen] = (),
        correct_by: date | None = None,
        actor: Actor,
    ) -> ReviewCase:
        """Approve a case at its step, return it for correction, or reject it; in a transaction of its own.

        ``fields`` names what is to be corrected, each with its reason, ``correct_by`` the last day for it;
        ``extras`` is for whoever acts on the end of the chain, ``record`` what the kind of step asks,
        ``ask_for`` makes later steps apply. Raises ``NotFound``, ``NotYourReview``, ``OwnReview``,
        :class:`CaseMovedOn`, :class:`ReviewClaimed`, :class:`ReviewNotOpen`, ``ReviewOver``,
        ``DecidedBefore``, ``ReasonMissing``, ``ReviewNotReturnable``, ``ReviewRecordIncomplete``,
        ``PanelTooSmall``, ``PaidByBatch``, ``ReviewNotAskable``, :class:`CorrectionTimePast`, and what
        ``Reviewed.passed`` raises.
        """
        said = Said(
            verdict=verdict,
            reviewer=await reviewer_of(actor),
            reason=reason.strip(),
            fields=fields or {},
            extras=extras or {},
            record=record or Record(),
        )
        if verdict is not Verdict.APPROVED and not said.reason:
            raise ReasonMissing()
        async with in_transaction():
            passage = await self.take(case_id, version, said.reviewer, actor=actor)
            place = await self._apply(passage, said, ask_for, correct_by)
            case = passage.case
            await passage.note(
                f"review.{verdict}", place=place, reason=said.reason, fields=sorted(said.fields)
            )
        await together(passage.afters)()
        return case

    async def opine(
        self, case_id: int, *, version: int, record: Record, reason: str, actor: Actor
    ) -> ReviewCase:
        """Add one expert's opinion; the panel's conclusion is a decision like any other.

        Raises what :meth:`decide` raises, :class:`OpinionGiven`, and ``NotYourReview`` where no panel sits.
        """
        reviewer = await reviewer_of(actor)
        if not reason.strip():
            raise ReasonMissing()
        said = Said(verdict=Verdict.OPINION, reviewer=reviewer, reason=reason.strip(), record=record)
        async with in_transaction():
            # The version stays: experts do not wait for each other.
            passage = await self.take(case_id, version, reviewer, actor=actor, moves=False)
            require_open(passage.case)
            require_drawn(passage.case)
            place = passage.case.place
            assert place is not None, "an open case stands somewhere"
            step = require_turn(
                passage.kept.chain, passage.state, role_of(passage.case, reviewer), str(reviewer.id)
            )
            if step.kind is not ReviewKind.EXPERT_REVIEW:
                raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
            if (place, str(reviewer.id)) in passage.state.voices:
                raise OpinionGiven(clause=step.article)
            require_record(step, record, day_of(passage.now))
            await passage.put_down(place, said)
            await passage.note("review.opinion", place=place, score=record.score)
        return passage.case

    async def put_on_record(
        self,
        case: ReviewCase,
        *,
        kind: ReviewKind,
        actor: Actor,
        reason: str = "",
        extras: Mapping[str, Any] | None = None,
    ) -> After:
        """End the step a case stands at, because what it asks for was done elsewhere: paid, shown, archived.

        Inside the caller's transaction and after its locks, with the case as it was read there. It is put
        down who did it, and counts as nobody's decision on the case. Raises ``StepNotAtHand`` at a step of
        another kind, :class:`CaseMovedOn`, and what ``Reviewed.passed`` raises.
        """
        kept = copied(case)
        place = case.place
        if place is None or kept.chain.steps[place].kind is not kind:
            raise StepNotAtHand(clause=kept.chain.article, kind=texts.REVIEW_KINDS[kind])
        moved = await ReviewCase.filter(id=case.id, version=case.version, place=place).update(
            version=F("version") + 1
        )
        if not moved:
            raise await moved_on(case.id)
        now = self.clocks.now(case.programme_slug)
        passage = await self.passage(await ReviewCase.get(id=case.id), actor=actor, now=now)
        who = "" if actor.kind == "clock" else await name_of(actor.name)
        said = Said(verdict=Verdict.APPROVED, recorded_by=who, reason=reason.strip(), extras=extras or {})
        await passage.put_down(place, said)
        await passage.note("review.recorded", place=place, step=kept.chain.steps[place].name)
        await passage.go_on()
        return together(passage.afters)

    async def recount(self) -> int:
        """Count the deadlines again that were guessed, now that a year may be published; how many changed."""
        changed = 0
        for case in await ReviewCase.filter(due_provisional=True, status=CaseStatus.OPEN).order_by("id"):
            if case.place is None:
                continue
            due = deadline(copied(case).chain.steps[case.place], case.turn_since, self.days.calendar)
            if (due["due_at"], due["due_provisional"]) != (case.due_at, True):
                changed += await ReviewCase.filter(id=case.id, version=case.version).update(**due)
        return changed

    async def take(
        self,
        case_id: int,
        version: int,
        reviewer: Reviewer | None,
        *,
        actor: Actor,
        moves: bool = True,
    ) -> Passage:
        """The passage of a case that somebody is about to move: inside a transaction, under its locks.

        ``reviewer`` is ``None`` for the clock, which may move any.
        """
        seen = (
            await ReviewCase.get_or_none(id=case_id)
            if reviewer is None
            else await case_for(reviewer, case_id)
        )
        if seen is None:
            raise NotFound()
        if reviewer is not None and reviewer.roles_in(seen).isdisjoint(copied(seen).roles):
            raise not_yours(seen)
        if seen.organisation_id is not None:
            await memberships.lock(seen.organisation_id)
        # The WHERE clause is the lock: of two who looked at one version exactly one matches.
        moved = await ReviewCase.filter(id=case_id, version=version).update(version=F("version") + int(moves))
        if not moved:
            raise await moved_on(case_id)
        case = await ReviewCase.get(id=case_id)
        if reviewer is not None:
            await require_impartial(reviewer, case, self.reviewed(case))
            await require_say(case_id, reviewer.id)
        return await self.passage(case, actor=actor, now=self.clocks.now(case.programme_slug))

    async def passage(self, case: ReviewCase, *, actor: Actor, now: datetime) -> Passage:
        """A case whose lock is held, ready to be moved."""
        return await begin(case, self.reviewed(case), calendar=self.days.calendar, actor=actor, now=now)

    async def _apply(
        self, passage: Passage, said: Said, ask_for: Collection[ReviewWhen], correct_by: date | None
    ) -> int:
        """Let one decision take effect; the place it was taken at."""
        case, reviewer = passage.case, said.reviewer
        assert reviewer is not None, "the clock decides elsewhere"
        require_open(case)
        require_drawn(case)
        step = require_turn(
            passage.kept.chain, passage.state, role_of(passage.case, reviewer), str(reviewer.id)
        )
        if case.claimed_by not in (None, reviewer.id, *reviewer.principals):
            raise await claimed_by(case)
        if case.claimed_by in reviewer.principals:
            await passage.note("review.stood_in", principal=f"staff:{case.claimed_by}")
        place = case.place
        assert place is not None, "an open case stands somewhere"
        require_by_hand(step)
        if said.verdict is Verdict.RETURNED:
            require_returnable(step)
            await passage.put_down(place, said)
            await self._return(passage, said, correct_by)
            return place
        require_record(step, said.record, day_of(passage.now))
        require_panel(step, passage.state, place, str(reviewer.id))
        if said.verdict is Verdict.APPROVED:
            await require_support(case, step, place)
            if said.extras and isinstance(passage.reviewed, Weighed):
                await passage.reviewed.require_usable(case, said.extras, reason=said.reason)
        if not may_ask_for(passage.kept.chain, place).issuperset(ask_for):
            raise ReviewNotAskable(clause=step.article)
        if ask_for:
            await passage.state_further(ask_for)
        await passage.put_down(place, said)
        if step.kind is ReviewKind.SPOT_CHECK:
            passed = said.verdict is Verdict.APPROVED
            await note_review(
                passage.case, passed=passed, reason=said.reason, actor=passage.actor, now=passage.now
            )
        if step.kind is ReviewKind.RECONSIDERATION:
            await answer_by_reconsideration(passage, said)
        if said.verdict is Verdict.APPROVED:
            await passage.tell_applicant(
                "review.step_passed", step=step.name, clause=step.article, reason=said.reason
            )
        await passage.go_on()
        return place

    async def _return(self, passage: Passage, said: Said, correct_by: date | None) -> None:
        until = None if correct_by is None else end_of(correct_by)
        if correct_by is not None and correct_by <= day_of(passage.now):
            raise CorrectionTimePast()
        await passage.change(
            **{**AT_REST, "due_at": until}, status=CaseStatus.RETURNED, turn_since=passage.now
        )
        after = await passage.reviewed.returned(
            passage.case, fields=said.fields, reason=said.reason, actor=passage.actor, now=passage.now
        )
        passage.afters.append(after)
        await passage.tell_applicant(
            "review.returned",
            reason=said.reason,
            fields=dict(said.fields),
            until=None if until is None else until.isoformat(),
        )


async def _goes_on(case: ReviewCase, step: ReviewStep, reviewer_id: int | None) -> bool:
    """Whether who returned a case still has this turn of it: else it is anybody's of the role."""
    has_it = await still_has(reviewer_id, case, step.by)
    return has_it and not await recused_from([case.id], reviewer_id or 0)
