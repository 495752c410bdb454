"""Recusals (回避): whoever has a tie to a case says so, or is told so, and has no say in it any more."""

from __future__ import annotations

from collections.abc import Collection

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.people import Staff
from server.models.review_papers import ReviewRecusal
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.vocabulary import Actor as Role
from server.rules.review import FINAL, LIVE, DecidedBefore, ReasonMissing, ReviewOver
from server.services import journal
from server.services.access import Actor, NotAllowed, NotFound
from server.services.clocks import ProgrammeClocks
from server.services.reviews.reviewers import case_for, reviewer_of

LED_BY_OPERATOR = frozenset({Role.OPERATOR, Role.EXPERT, Role.INSPECTOR})
"""Whom the operator, who is commissioned, may see to it that they keep out; the authority may anybody."""


class Recused(Refusal):
    """Somebody who is recused from a case has no say in it."""

    status, code = 403, "recused"


class RecusedBefore(Refusal):
    """They are recused already."""

    status, code = 409, "recused_before"


async def recuse(
    case_id: int, *, reason: str, reviewer_id: int | None = None, clocks: ProgrammeClocks, actor: Actor
) -> ReviewRecusal:
    """Keep somebody out of a case from now on: oneself, or a colleague where one leads the review.

    An opinion already given by them counts no more; who has decided stays responsible for it. Raises
    ``NotFound``, ``NotAllowed``, ``ReasonMissing``, ``ReviewOver``, ``DecidedBefore`` and
    :class:`RecusedBefore`.
    """
    if not reason.strip():
        raise ReasonMissing()
    asker = await reviewer_of(actor)
    case = await case_for(asker, case_id)
    whom = asker.id if reviewer_id is None else reviewer_id
    other = await Staff.get_or_none(id=whom)
    if whom != asker.id and not _may_keep_out(asker.roles_in(case), other):
        raise NotAllowed()
    if other is None:
        raise NotFound()
    now = clocks.now(case.programme_slug)
    try:
        async with in_transaction():
            # A write first: whoever decides at this instant waits, or is waited for.
            freed = await ReviewCase.filter(id=case.id, claimed_by=whom).update(
                claimed_by=None, claimed_at=None
            )
            case = await ReviewCase.get(id=case.id)
            if case.status not in LIVE:
                raise ReviewOver()
            if await ReviewDecision.exists(case_id=case.id, reviewer_id=whom, verdict__in=sorted(FINAL)):
                raise DecidedBefore()
            made = await ReviewRecusal.create(
                case_id=case.id,
                reviewer_id=whom,
                reason=reason.strip(),
                declared_by=actor.name,
                declared_at=now,
            )
            await journal.record(
                "review.recused",
                f"review:{case.id}",
                actor=actor.name,
                at=now,
                programme_slug=case.programme_slug,
                whom=f"staff:{whom}",
                reason=reason.strip(),
                freed=bool(freed),
            )
    except IntegrityError:
        raise RecusedBefore() from None
    return made


def _may_keep_out(theirs: Collection[Role], other: Staff | None) -> bool:
    """Whether somebody of these roles leads the review, and whoever is named is theirs to lead."""
    if Role.AUTHORITY in theirs:
        return True
    return Role.OPERATOR in theirs and (other is None or LED_BY_OPERATOR.issuperset(other.roles))


async def require_say(case_id: int, reviewer_id: int) -> None:
    """Raise :class:`Recused` for whoever keeps out of a case."""
    if await recused_from([case_id], reviewer_id):
        raise Recused()


async def recused_from(case_ids: Collection[int], reviewer_id: int) -> frozenset[int]:
    """Of these cases, those that somebody keeps out of."""
    rows = await ReviewRecusal.filter(reviewer_id=reviewer_id, case_id__in=list(case_ids))
    return frozenset(row.case_id for row in rows)
