"""Several cases at once: each is approved by itself, and each is told what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.rules.review import Record, Verdict
from server.services.access import Actor
from server.services.reviews import Reviews

MOST_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case of several that were approved together; ``refusal`` says why not."""

    case_id: int
    case: ReviewCase | None
    refusal: Refusal | None


async def approve_many(
    reviews: Reviews,
    cases: Sequence[tuple[int, int]],
    *,
    reason: str = "",
    record: Record | None = None,
    actor: Actor,
) -> list[Outcome]:
    """Approve several cases, each by (id, version) and each by itself: one refusal stops no other.

    What passed the first step is often collected and decided at one meeting (LS-55): ``record`` holds
    for all of them.
    """
    outcomes = []
    for case_id, version in cases:
        try:
            case = await reviews.decide(
                case_id, Verdict.APPROVED, version=version, reason=reason, record=record, actor=actor
            )
        except Refusal as refusal:
            outcomes.append(Outcome(case_id, None, refusal))
        else:
            outcomes.append(Outcome(case_id, case, None))
    return outcomes
