"""The file of a case: what a reviewer sees before deciding, and what the applicant sees of it.

A reviewer sees the applicant as they stand, what changed since the case was sent back, the system's own
green and red lines, every decision so far, and what they themselves may do now. The applicant sees where
the case stands, whose turn it is and until when, and every decision with its clause and reason; who the
people are, and what single experts said, is not for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from server.errors import Refusal
from server.models.people import Staff
from server.models.reviews import ReviewCase, ReviewDecision, ReviewObjection
from server.programme.review import ReviewKind, ReviewStep
from server.rules.review import (
    EVERYWHERE,
    FINAL,
    JUDGING,
    CaseStatus,
    Check,
    Verdict,
    differences,
    require_by_hand,
    require_turn,
)
from server.services import access
from server.services.access import IN_THE_FILES, Actor, NotAllowed, NotFound
from server.services.reviews.recusals import require_say
from server.services.reviews.review_cases import Copied, copied, decisions_on, objections_to, state_of
from server.services.reviews.review_inbox import Cursor, InboxPage
from server.services.reviews.review_inbox import page as inbox_page
from server.services.reviews.review_ranges import Queue, Wanted
from server.services.reviews.review_turns import CLAIM_KEPT
from server.services.reviews.reviewers import Reviewer, case_for, own_case, require_impartial, reviewer_of
from server.services.reviews.reviews import Reviews


class Deed(StrEnum):
    """What somebody may do with a case at this instant."""

    APPROVE = "approve"
    RETURN = "return"
    REJECT = "reject"
    OPINE = "opine"
    CLAIM = "claim"
    RELEASE = "release"
    ANSWER = "answer"


class StepState(StrEnum):
    """How far a step of a chain is."""

    DONE = "done"
    CURRENT = "current"
    AHEAD = "ahead"
    SKIPPED = "skipped"
    """It applies only in circumstances that this case is not in, or comes after the case's end."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """A case with everything that was decided and objected; ``steps`` in the order of the chain."""

    case: ReviewCase
    kept: Copied
    steps: Sequence[tuple[ReviewStep, StepState]]
    decisions: Sequence[ReviewDecision]
    objections: Sequence[ReviewObjection]


@dataclass(frozen=True, slots=True)
class ReviewerFile(CaseFile):
    """The same as a reviewer has it before them. ``changed`` is path, before, after."""

    snapshot: dict[str, Any]
    changed: Sequence[tuple[str, Any, Any]]
    checks: Sequence[Check]
    claimed_by_name: str
    may: frozenset[Deed]


async def for_reviewer(reviews: Reviews, case_id: int, *, actor: Actor) -> ReviewerFile:
    """A case as a member of staff sees it who has a turn in its chain, or reads the files.

    Raises :class:`NotFound`.
    """
    reviewer = await reviewer_of(actor)
    case = await case_for(reviewer, case_id)
    kept = copied(case)
    if actor.roles.isdisjoint(IN_THE_FILES) and reviewer.roles_in(case).isdisjoint(kept.roles):
        raise NotFound()
    now = reviews.clocks.now(case.programme_slug)
    decisions = await decisions_on(case.id)
    snapshot = await reviews.reviewed(case).snapshot(case)
    returned = [one for one in decisions if one.verdict is Verdict.RETURNED]
    colleague = None if case.claimed_by is None else await Staff.get_or_none(id=case.claimed_by)
    return ReviewerFile(
        case,
        kept,
        _steps(case, kept, decisions),
        decisions,
        await objections_to(case.id),
        snapshot,
        differences(returned[-1].snapshot, snapshot) if returned else (),
        await reviews.reviewed(case).checks(case, now=now),
        "" if colleague is None else colleague.display_name,
        await _may(reviews, case, kept, reviewer, now),
    )


async def for_applicant(case_id: int, *, actor: Actor) -> CaseFile:
    """A case as its own organisation sees it. Raises :class:`NotFound`."""
    case = await own_case(actor, case_id)
    kept = copied(case)
    decisions = await decisions_on(case.id)
    told = [one for one in decisions if one.verdict is not Verdict.OPINION]
    return CaseFile(case, kept, _steps(case, kept, decisions), told, await objections_to(case.id))


async def of_organisation(actor: Actor, *, after: int, limit: int) -> list[ReviewCase]:
    """The cases of the actor's own organisation, by id."""
    own = ReviewCase.filter(organisation_id=access.organisation_id_of(actor), id__gt=after)
    return await own.order_by("id").limit(limit)


async def inbox(reviews: Reviews, wanted: Wanted, *, after: Cursor, limit: int, actor: Actor) -> InboxPage:
    """A page of the actor's inbox, with counts. Every case there is, only readers of the files list."""
    reviewer = await reviewer_of(actor)
    if wanted.queue is Queue.ALL and actor.roles.isdisjoint(IN_THE_FILES):
        raise NotAllowed()
    return await inbox_page(
        reviewer, wanted, programmes=reviews.programmes, clocks=reviews.clocks, after=after, limit=limit
    )


def _steps(
    case: ReviewCase, kept: Copied, decisions: Sequence[ReviewDecision]
) -> list[tuple[ReviewStep, StepState]]:
    done = {one.place for one in decisions if one.verdict in FINAL}
    applying = {*EVERYWHERE, *case.circumstances}
    passed_over = {one.place for one in decisions if one.verdict is Verdict.NOT_DRAWN}

    def state(place: int, step: ReviewStep) -> StepState:
        if place in passed_over:
            return StepState.SKIPPED
        if place in done:
            return StepState.DONE
        if place == case.place:
            return StepState.CURRENT
        return StepState.AHEAD if case.place is not None and step.when in applying else StepState.SKIPPED

    return [(step, state(place, step)) for place, step in enumerate(kept.chain.steps)]


async def _may(
    reviews: Reviews, case: ReviewCase, kept: Copied, reviewer: Reviewer, now: datetime
) -> frozenset[Deed]:
    if case.turn is None or case.turn not in reviewer.roles_in(case):
        return frozenset()
    state = await state_of(case)
    try:
        await require_impartial(reviewer, case, reviews.reviewed(case))
        await require_say(case.id, reviewer.id)
        step = require_turn(kept.chain, state, case.turn, str(reviewer.id))
        if case.status is CaseStatus.OPEN:
            require_by_hand(step)
    except Refusal:
        return frozenset()
    if case.status is CaseStatus.ON_NOTICE:
        return frozenset({Deed.ANSWER})
    voiced = step.kind is not ReviewKind.EXPERT_REVIEW or (case.place, str(reviewer.id)) in state.voices
    opinion = frozenset() if voiced else frozenset({Deed.OPINE})
    if case.claimed_by not in (None, reviewer.id, *reviewer.principals):
        # Who concludes has taken the case on; the others of the panel have their say all the same.
        silent = case.claimed_at is not None and case.claimed_at <= now - CLAIM_KEPT
        return opinion | ({Deed.CLAIM} if silent else set())
    # What a colleague took on whom one stands in for is theirs to release; one takes it over.
    deeds = {Deed.APPROVE, Deed.REJECT, Deed.RELEASE if case.claimed_by == reviewer.id else Deed.CLAIM}
    if step.kind in JUDGING:
        deeds.add(Deed.RETURN)
    return opinion | deeds
