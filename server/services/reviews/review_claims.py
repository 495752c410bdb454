"""Claims: a reviewer takes a case on, so that no colleague works on it meanwhile, or gives it back."""

from __future__ import annotations

from datetime import datetime

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server.models.reviews import ReviewCase
from server.services import journal
from server.services.access import Actor
from server.services.reviews.recusals import require_say
from server.services.reviews.review_turns import (
    CLAIM_KEPT,
    claimed_by,
    not_yours,
    require_drawn,
    require_open,
)
from server.services.reviews.reviewers import case_for, require_impartial, reviewer_of
from server.services.reviews.reviews import Reviews


async def claim(reviews: Reviews, case_id: int, *, actor: Actor) -> ReviewCase:
    """Take a case on, or over from a colleague who has been silent for :data:`CLAIM_KEPT`.

    Raises ``NotFound``, ``NotYourReview``, ``OwnReview``, :class:`ReviewNotOpen`, ``ReviewOver`` or
    :class:`ReviewClaimed`.
    """
    reviewer = await reviewer_of(actor)
    case = await case_for(reviewer, case_id)
    now = reviews.clocks.now(case.programme_slug)
    require_open(case)
    await require_impartial(reviewer, case, reviews.reviewed(case))
    require_drawn(case)
    if case.turn not in reviewer.roles_in(case):
        raise not_yours(case)
    await require_say(case.id, reviewer.id)
    theirs = Q(claimed_by__in=[reviewer.id, *sorted(reviewer.principals)])
    silent = Q(claimed_by=None) | theirs | Q(claimed_at__lte=now - CLAIM_KEPT)
    async with in_transaction():
        taken = await ReviewCase.filter(silent, id=case.id, version=case.version, turn=case.turn).update(
            claimed_by=reviewer.id, claimed_at=now
        )
        case = await ReviewCase.get(id=case.id)
        if not taken:
            raise await claimed_by(case)
        await (await reviews.passage(case, actor=actor, now=now)).note("review.claimed")
    return case


async def release(reviews: Reviews, case_id: int, *, actor: Actor) -> ReviewCase:
    """Give a case back to the team. Raises ``NotFound`` or :class:`ReviewClaimed`."""
    reviewer = await reviewer_of(actor)
    case = await case_for(reviewer, case_id)
    now = reviews.clocks.now(case.programme_slug)
    async with in_transaction():
        freed = await ReviewCase.filter(id=case.id, claimed_by=reviewer.id).update(
            claimed_by=None, claimed_at=None
        )
        case = await ReviewCase.get(id=case.id)
        if freed:
            await (await reviews.passage(case, actor=actor, now=now)).note("review.released")
        elif case.claimed_by is not None:
            raise await claimed_by(case)
    return case


async def give_up(staff_id: int, *, actor: Actor, now: datetime) -> int:
    """What somebody had taken on is their team's again, inside the transaction that takes their duties away.

    No list but their own shows what they have; how many cases.
    """
    held = ReviewCase.filter(claimed_by=staff_id)
    rows = await held.order_by("id").only("id", "programme_slug")
    await held.update(claimed_by=None, claimed_at=None)
    for row in rows:
        await journal.record(
            "review.released",
            f"review:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=row.programme_slug,
            of=f"staff:{staff_id}",
        )
    return len(rows)
