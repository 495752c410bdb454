"""Draws as everybody may see them: what was committed, what was locked, what was drawn, and how to repeat it.

The published file holds all that a second draw needs; ``python -m server sampling redraw`` takes it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.functions import Count

from server.models.sampling import SampleAnswer, SamplingDraw, SamplingItem
from server.programme.registry import Programmes
from server.programme.review import Sampled, Sampling
from server.rules.eligibility import lies_within
from server.rules.sampling import FORMAT, DrawStatus, SampleOutcome
from server.services.access import Actor, NotFound, require_programme
from server.services.reviews.sampling_draws import sampled_subject
from server.services.reviews.sampling_lists import areas_of, names_of, waiting
from server.services.reviews.sampling_results import OUTSTANDING, answers_to

PAGE = 50
MOST_WAITING = 999


@dataclass(frozen=True, slots=True)
class DrawPage:
    """Some draws, newest first, and where the next page starts."""

    rows: list[SamplingDraw]
    next_before: int | None


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """One drawn line for whoever looks at it, with what it is about and every attempt."""

    item: SamplingItem
    name: str
    answers: Sequence[SampleAnswer]


@dataclass(frozen=True, slots=True)
class DrawProgress:
    """How far a sample has been looked at: counts of drawn lines."""

    drawn: int
    findings: int
    gone: int
    clean: int
    no_answer: int
    """Tried, and nobody was reached or answered: still on the list."""

    @property
    def looked_at(self) -> int:
        return self.clean + self.findings + self.gone

    @property
    def outstanding(self) -> int:
        return self.drawn - self.looked_at


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """Some of what was drawn, in the order of the draw."""

    draw: SamplingDraw
    progress: DrawProgress
    lines: list[DrawnLine]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class CheckInWaiting:
    """A check of the programme, and how many cases wait for its next draw, to 999."""

    check: Sampling
    waiting: int


async def page(slug: str | None, *, before: int | None) -> DrawPage:
    """The draws there are, newest first."""
    wanted = SamplingDraw.all() if slug is None else SamplingDraw.filter(programme_slug=slug)
    if before is not None:
        wanted = wanted.filter(id__lt=before)
    rows = await wanted.order_by("-id").limit(PAGE + 1)
    return DrawPage(rows[:PAGE], rows[PAGE - 1].id if len(rows) > PAGE else None)


async def one(draw_id: int) -> SamplingDraw:
    """A draw. Raises ``NotFound``."""
    row = await SamplingDraw.get_or_none(id=draw_id)
    if row is None:
        raise NotFound()
    return row


async def lines(draw: SamplingDraw, *, after: str, limit: int) -> list[SamplingItem]:
    """The public lines of a locked list by their number, from ``after`` on; a result is none of them."""
    return await SamplingItem.filter(draw_id=draw.id, key__gt=after).order_by("key").limit(limit)


async def published(draw_id: int) -> Mapping[str, Any]:
    """Everything that is public of a draw, from the locking of its list on. Raises ``NotFound``."""
    row = await one(draw_id)
    if row.status is DrawStatus.ANNOUNCED:
        raise NotFound()
    items = await SamplingItem.filter(draw_id=row.id).order_by("key")
    drawn = sorted((item for item in items if item.turn is not None), key=lambda item: item.turn or 0)
    return {
        "format": FORMAT,
        "draw": row.id,
        "programme": row.programme_slug,
        "check": row.name,
        "clause": row.clause,
        "share_bp": row.share_bp,
        "commitment": row.commitment,
        "committed_at": row.announced_at.isoformat(),
        "list_hash": row.list_hash,
        "locked_at": _iso(row.locked_at),
        "public_source": row.public_source,
        "public_number": row.public_number,
        "seed": row.seed,
        "drawn_at": _iso(row.drawn_at),
        "items": [{"key": item.key, "stratum": item.stratum, "flagged": item.flagged} for item in items],
        "drawn": [item.key for item in drawn],
    }


async def progress(draw_id: int) -> DrawProgress:
    """How far what a draw drew has been looked at."""
    drawn_lines = SamplingItem.filter(draw_id=draw_id, turn__isnull=False)
    counted = await drawn_lines.annotate(many=Count("id")).group_by("outcome").values("outcome", "many")
    many = {row["outcome"]: int(row["many"]) for row in counted}
    return DrawProgress(
        drawn=sum(many.values()),
        findings=many.get(SampleOutcome.FINDING, 0),
        gone=many.get(SampleOutcome.GONE, 0),
        clean=many.get(SampleOutcome.CLEAN, 0),
        no_answer=many.get(SampleOutcome.NO_ANSWER, 0),
    )


async def drawn(draw_id: int, *, after: int, only_outstanding: bool = False, actor: Actor) -> DrawnPage:
    """What was drawn, for the programme's own people, with names and results, as far as their areas go.

    Raises ``NotFound``.
    """
    row = await one(draw_id)
    require_programme(actor, row.programme_slug)
    lines_of = SamplingItem.filter(draw_id=row.id, turn__gt=after)
    if only_outstanding:
        lines_of = lines_of.filter(OUTSTANDING)
    items = await lines_of.order_by("turn").limit(PAGE + 1)
    shown = items[:PAGE]
    areas = await areas_of(row, shown) if actor.areas else {}
    seen = [one for one in shown if not actor.areas or lies_within(areas[one.row_id], actor.areas)]
    names, answers = await names_of(row, seen), await answers_to(seen)
    lines = [DrawnLine(item, names.get(item.row_id, ""), answers[item.id]) for item in seen]
    return DrawnPage(row, await progress(row.id), lines, shown[-1].turn if len(items) > PAGE else None)


async def checks(slug: str, *, programmes: Programmes, actor: Actor) -> list[CheckInWaiting]:
    """The checks of a programme, and how much waits for each. Raises ``NotFound``."""
    require_programme(actor, slug)
    programme = programmes.get(slug)
    subject = sampled_subject(programme)
    found = []
    for check in programme.samplings:
        counted = 0
        if Sampled.REVIEW in check.over and subject is not None:
            ids = await waiting(slug, subject).limit(MOST_WAITING).values_list("id", flat=True)
            counted = len(ids)
        found.append(CheckInWaiting(check, counted))
    return found


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
