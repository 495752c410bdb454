"""Several cases at once: each is approved by itself, and each is told what became of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.rules.review import Record, Verdict
from server.services.access import Actor
from server.services.review_inbox import Cursor, Wanted, page
from server.services.reviewers import reviewer_of
from server.services.reviews import Reviews

MOST_AT_ONCE = 100


class SelectionChanged(Refusal):
    """The list is not the one that was looked at any more: nothing was decided."""

    status, code = 409, "selection_changed"


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


async def approve_found(
    reviews: Reviews,
    wanted: Wanted,
    *,
    counted: int,
    excepted: Collection[int] = (),
    reason: str = "",
    record: Record | None = None,
    actor: Actor,
) -> list[Outcome]:
    """Approve what a list of the actor's inbox holds, but for the exceptions: those stay as they are.

    ``counted`` is how many were looked at; a list that holds more or fewer by now is looked at again. At most
    :data:`MOST_AT_ONCE` at a time, the most urgent first. Raises ``NotFound``, ``SearchTooShort`` and
    :class:`SelectionChanged`.
    """
    found = await page(
        await reviewer_of(actor),
        wanted,
        programmes=reviews.programmes,
        clocks=reviews.clocks,
        after=Cursor(),
        limit=MOST_AT_ONCE,
    )
    if len(found.rows) != counted or not {row["id"] for row in found.rows}.issuperset(excepted):
        raise SelectionChanged(seen=counted, now=len(found.rows))
    chosen = [(row["id"], row["version"]) for row in found.rows if row["id"] not in set(excepted)]
    return await approve_many(reviews, chosen, reason=reason, record=record, actor=actor)
