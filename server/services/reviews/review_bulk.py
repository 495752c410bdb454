"""Several cases at once: each is approved by itself, and each is told what became of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.rules.review import Record, Verdict
from server.services.access import Actor
from server.services.reviews.review_inbox import Cursor, page
from server.services.reviews.review_ranges import Wanted
from server.services.reviews.reviewers import reviewer_of
from server.services.reviews.reviews import Reviews

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


def digest_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """What a page of cases is known by: which ones they are, in their order, and at which versions."""
    return sha256("".join(f"{row['id']}:{row['version']}\n" for row in rows).encode()).hexdigest()


async def approve_found(
    reviews: Reviews,
    wanted: Wanted,
    *,
    seen: str,
    excepted: Collection[int] = (),
    reason: str = "",
    record: Record | None = None,
    actor: Actor,
) -> list[Outcome]:
    """Approve what a list of the actor's inbox holds, but for the exceptions: those stay as they are.

    ``seen`` is the :func:`digest_of` the page that was looked at: a list that holds others by now, or the
    same at another version, is looked at again. At most :data:`MOST_AT_ONCE` at a time, the most urgent
    first. Raises ``NotFound``, ``SearchTooShort`` and :class:`SelectionChanged`.
    """
    found = await page(
        await reviewer_of(actor),
        wanted,
        programmes=reviews.programmes,
        clocks=reviews.clocks,
        after=Cursor(),
        limit=MOST_AT_ONCE,
    )
    if digest_of(found.rows) != seen or not {row["id"] for row in found.rows}.issuperset(excepted):
        raise SelectionChanged(now=len(found.rows))
    chosen = [(row["id"], row["version"]) for row in found.rows if row["id"] not in set(excepted)]
    return await approve_many(reviews, chosen, reason=reason, record=record, actor=actor)
