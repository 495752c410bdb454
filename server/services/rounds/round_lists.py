"""Reading rounds: pages for the phone, single rounds, and what phase a round is in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from server.models.rounds import Round
from server.rules.lifecycles import RoundStatus
from server.services.access import NotFound

PAGE = 50
Phase = Literal["draft", "upcoming", "open", "paused", "over"]


@dataclass(frozen=True, slots=True)
class RoundPage:
    """Rounds by id, with their budgets, and where the next page starts."""

    rows: list[Round]
    next_after: int | None


def phase(row: Round, now: datetime) -> Phase:
    """What a round's status means at an instant of its programme's clock."""
    if row.status is RoundStatus.DRAFT:
        return "draft"
    if row.status is RoundStatus.CLOSED or now >= row.closes_at:
        return "over"
    if row.status is RoundStatus.PAUSED:
        return "paused"
    return "upcoming" if now < row.opens_at else "open"


async def published(slug: str | None, *, after: int) -> RoundPage:
    """A page of rounds that are no drafts, by id."""
    wanted = Round.filter(id__gt=after).exclude(status=RoundStatus.DRAFT)
    if slug is not None:
        wanted = wanted.filter(budget__programme_slug=slug)
    rows = await wanted.select_related("budget").order_by("id").limit(PAGE + 1)
    return RoundPage(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


async def one(round_id: int) -> Round:
    """A round with its budget, drafts too; for the operator. Raises :class:`NotFound`."""
    row = await Round.get_or_none(id=round_id).select_related("budget")
    if row is None:
        raise NotFound()
    return row


async def one_published(round_id: int) -> Round:
    """A round that everybody may see. Raises :class:`NotFound`."""
    row = await one(round_id)
    if row.status is RoundStatus.DRAFT:
        raise NotFound()
    return row
