"""Reading notices: what anybody sees of one, for as long as there is a platform.

What a notice said comes from its frozen text alone; what became of each line since is worked out beside it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from server import texts
from server.models.public_notices import NoticeLine, NoticeShowing, PublicNotice
from server.models.reviews import ReviewCase, ReviewObjection
from server.rules.public_notices import LineOutcome, NoticeKind, NoticeStatus
from server.rules.review import LIVE
from server.services.access import NotFound

PUBLISHED = (NoticeStatus.STANDING, NoticeStatus.OVER, NoticeStatus.WITHDRAWN)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """One line: what was frozen, and what became of it by its code in ``texts.LINE_STATES``."""

    place: int
    values: Mapping[str, str]
    state: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A published notice with everything a page of it needs."""

    notice: PublicNotice
    lines: Sequence[ShownLine]
    showings: Sequence[NoticeShowing]
    replaces: PublicNotice | None
    replaced_by: PublicNotice | None


async def page(
    slug: str | None,
    *,
    status: NoticeStatus | None = None,
    kind: NoticeKind | None = None,
    before: int | None = None,
    limit: int,
) -> list[PublicNotice]:
    """Published notices, the newest first."""
    wanted = PublicNotice.filter(status__in=PUBLISHED if status is None else [status])
    if slug is not None:
        wanted = wanted.filter(programme_slug=slug)
    if kind is not None:
        wanted = wanted.filter(kind=kind)
    if before is not None:
        wanted = wanted.filter(id__lt=before)
    return await wanted.order_by("-id").limit(limit)


async def shown(notice_id: int) -> Shown:
    """A published notice. Raises ``NotFound`` for a draft, too."""
    notice = await PublicNotice.get_or_none(id=notice_id).select_related("replaces")
    if notice is None or notice.status not in PUBLISHED:
        raise NotFound()
    states = await _states(notice)
    lines = [
        ShownLine(one["place"], _ordered(one["values"]), states[one["place"]])
        for one in json.loads(notice.text)["lines"]
    ]
    return Shown(
        notice,
        lines,
        await NoticeShowing.filter(notice_id=notice.id).order_by("id"),
        notice.replaces,
        await PublicNotice.filter(replaces_id=notice.id, status__in=PUBLISHED).order_by("id").first(),
    )


def _ordered(values: Mapping[str, str]) -> Mapping[str, str]:
    """A line as it is read aloud: a canonical text has its headings in the order of their code points."""
    places = {heading: place for place, heading in enumerate(texts.NOTICE_LINE.values())}
    return dict(sorted(values.items(), key=lambda one: places.get(one[0], len(places))))


async def _states(notice: PublicNotice) -> dict[int, str]:
    lines = await NoticeLine.filter(notice_id=notice.id).select_related("case")
    objections: dict[int, list[ReviewObjection]] = {}
    for one in await ReviewObjection.filter(notice_id=notice.id):
        objections.setdefault(one.case_id, []).append(one)
    found: dict[int, str] = {}
    for line in lines:
        assert line.place is not None, "a line of a published notice has its place"
        found[line.place] = _state(notice, line, line.case, objections.get(line.case_id, []))
    return found


def _state(notice: PublicNotice, line: NoticeLine, case: ReviewCase, made: Sequence[Any]) -> str:
    if notice.kind is NoticeKind.RESULT:
        return "published"
    if line.outcome is LineOutcome.TAKEN_DOWN:
        return "taken_down"
    if line.outcome is LineOutcome.REFUSED or any(one.upheld for one in made):
        return "upheld"
    if any(one.answered_at is None for one in made):
        return "objected"
    if line.outcome is LineOutcome.OVER:
        return "not_upheld" if made else "over"
    return "standing" if case.status in LIVE else "ended"
