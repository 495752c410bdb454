"""Turns: whose a case is at this instant, and what somebody is told who comes too late or out of turn."""

from __future__ import annotations

from datetime import timedelta

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.journal import JournalEntry
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.programme.vocabulary import Actor as Role
from server.rules.review import CaseStatus, NotYourReview, ReviewOver
from server.rules.sampling import DrawOutstanding, ListFrozen
from server.services.reviews.review_cases import copied
from server.services.reviews.reviewers import Reviewer

CLAIM_KEPT = timedelta(hours=24)
"""How long a claim keeps colleagues out while nothing happens; then anybody of the role takes over."""


class CaseMovedOn(Refusal):
    """Somebody decided after the reviewer looked: ``who`` did ``what`` at ``when``."""

    status, code = 409, "case_moved_on"


class ReviewClaimed(Refusal):
    """A colleague has taken the case on."""

    status, code = 409, "review_claimed"


class ReviewNotOpen(Refusal):
    """The case is with its applicant, or on public notice: nobody's turn."""

    status, code = 409, "review_not_open"


async def moved_on(case_id: int) -> CaseMovedOn:
    """Who did what meanwhile, for whoever looked at an earlier version."""
    kept = copied(case := await ReviewCase.get(id=case_id))
    clause = kept.chain.article if case.place is None else kept.chain.steps[case.place].article
    actions = [f"review.{deed}" for deed in texts.REVIEW_DEEDS]
    entry = await JournalEntry.filter(subject=f"review:{case_id}", action__in=actions).order_by("-id").first()
    if entry is None:
        return CaseMovedOn(clause=clause, who=texts.WHO["clock"], when="", what=texts.REVIEW_DEEDS["opened"])
    return CaseMovedOn(
        clause=clause,
        who=await name_of(entry.actor),
        when=entry.at.astimezone(CHINA).strftime(texts.REVIEW_INSTANT),
        what=texts.REVIEW_DEEDS[entry.action.removeprefix("review.")],
    )


async def claimed_by(case: ReviewCase) -> ReviewClaimed:
    """Who has taken a case on, and since when."""
    since = (
        "" if case.claimed_at is None else case.claimed_at.astimezone(CHINA).strftime(texts.REVIEW_INSTANT)
    )
    return ReviewClaimed(who=await name_of(f"staff:{case.claimed_by}"), when=since)


def role_of(case: ReviewCase, reviewer: Reviewer) -> Role:
    """The role in which somebody acts: the one whose turn it is, if they have it."""
    theirs = reviewer.roles_in(case)
    if case.turn is not None and case.turn in theirs:
        return case.turn
    return min(theirs, default=Role.ANYONE)


def require_open(case: ReviewCase) -> None:
    """Raise ``ReviewOver`` at the end, :class:`ReviewNotOpen` while it is nobody's turn."""
    if case.status is CaseStatus.OPEN:
        return
    if case.place is None:
        raise ReviewOver(clause=copied(case).chain.article)
    raise ReviewNotOpen(state=texts.REVIEW_STATUSES[case.status])


def require_drawn(case: ReviewCase) -> None:
    """Raise ``DrawOutstanding`` for a case that waits for its draw, ``ListFrozen`` on one not drawn yet."""
    if case.status is not CaseStatus.OPEN or case.turn is not None or case.place is None:
        return
    step = copied(case).chain.steps[case.place]
    if case.draw_id is not None:
        raise ListFrozen(clause=step.article, step=step.name)
    raise DrawOutstanding(clause=step.article, step=step.name)


def not_yours(case: ReviewCase) -> Refusal:
    """Whose turn it is instead."""
    kept = copied(case)
    if case.place is None:
        return ReviewOver(clause=kept.chain.article)
    step = kept.chain.steps[case.place]
    return NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])


async def name_of(actor_name: str) -> str:
    """How a deed's author is called to a reviewer; nobody's personal name but a colleague's."""
    kind, _, number = actor_name.partition(":")
    if kind != "staff":
        return texts.REVIEW_WHO[kind]
    staff = await Staff.get_or_none(id=int(number))
    return texts.WHO["staff"] if staff is None else str(staff.display_name)
