"""Reveals: a masked number of a case is shown whole to one who says why, and the journal keeps it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from tortoise.transactions import in_transaction

from server.models.reviews import ReviewCase
from server.rules.review import ReasonMissing
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.reviews.inspection_forms import InspectionForms
from server.services.reviews.recusals import require_say
from server.services.reviews.review_cases import copied
from server.services.reviews.reviewers import case_for, require_impartial, reviewer_of
from server.services.reviews.reviews import Reviews


@runtime_checkable
class Veiled(Protocol):
    """A kind of thing under review whose snapshot masks something."""

    async def unveil(self, case: ReviewCase, field: str) -> str | None:
        """What stands behind a masked field; ``None`` where there is nothing of the name."""


async def reveal(
    reviews: Reviews, forms: InspectionForms, case_id: int, field: str, *, reason: str, actor: Actor
) -> str:
    """One masked value, whole, for a reviewer with a turn in the chain, who says what it is needed for.

    Written down before it is shown: field and reason, never the value. Raises ``NotFound``, ``OwnReview``,
    ``Recused`` and ``ReasonMissing``.
    """
    if not reason.strip():
        raise ReasonMissing()
    reviewer = await reviewer_of(actor)
    case = await case_for(reviewer, case_id)
    if reviewer.roles_in(case).isdisjoint(copied(case).roles):
        raise NotFound()
    reviewed = reviews.reviewed(case)
    await require_impartial(reviewer, case, reviewed)
    await require_say(case.id, reviewer.id)
    value = await reviewed.unveil(case, field) if isinstance(reviewed, Veiled) else None
    if value is None:
        value = await forms.unveil(case, field)
    if value is None:
        raise NotFound()
    async with in_transaction():
        await journal.record(
            "review.revealed",
            f"review:{case.id}",
            actor=actor.name,
            at=reviews.clocks.now(case.programme_slug),
            programme_slug=case.programme_slug,
            field=field,
            reason=reason.strip(),
        )
    return value
