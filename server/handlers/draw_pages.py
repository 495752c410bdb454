"""The public pages of draws: what was committed to, what was locked, what was drawn, and how to draw again.

They name nobody: a line is a number, its stratum a provider counted through and a band of its amount.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from html import escape

from aiohttp import web
from pydantic import Field

from server import texts
from server.handlers.api import PUBLIC, Routes
from server.handlers.parsing import Id, Query
from server.handlers.plain_pages import HTML, facts, plain_page, plain_table
from server.handlers.sampling_views import DrawPath
from server.keys import PROGRAMMES, SETTINGS
from server.models.sampling import SamplingDraw, SamplingItem
from server.rules.deadlines import told
from server.rules.sampling import DrawStatus
from server.services.reviews import sampling_pages
from server.units import percent

routes = Routes("draw_pages")

LINES = 500
"""On one page of a list."""


class DrawListQuery(Query):
    """Which page."""

    before: Id | None = Field(default=None, description="Older than this id. | 早于该编号。")


class DrawLinesQuery(Query):
    """Which lines."""

    after: str = Field(default="", max_length=40, description="After this number. | 从该编号之后开始。")


@routes.get(
    "/draws",
    summary="All draws, as a page to read. | 抽查公开，网页版。",
    access=PUBLIC,
    answers={200: HTML},
)
async def index(request: web.Request, query: DrawListQuery) -> web.Response:
    found, words = await sampling_pages.page(None, before=query.before), texts.DRAW_PAGE
    name_of = request.app[PROGRAMMES].name_of
    parts = [f"<p>{escape(words['list_intro'])}</p>"]
    if found.rows:
        heads = [words[one] for one in ("title", "programme", "state", "announced", "drawn_at", "counts")]
        rows = [(_link(row), _cells(row, name_of(row.programme_slug))) for row in found.rows]
        parts += plain_table(words["list_title"], heads, rows)
    else:
        parts.append(f"<p>{escape(words['empty'])}</p>")
    if found.next_before is not None:
        parts.append(_next(f"/draws?before={found.next_before}"))
    return plain_page(words["list_title"], parts)


@routes.get(
    "/draws/{draw_id}",
    summary="One draw, as a page to read. | 抽查网页。",
    access=PUBLIC,
    answers={200: HTML},
)
async def page(request: web.Request, path: DrawPath, query: DrawLinesQuery) -> web.Response:
    row, words = await sampling_pages.one(path.draw_id), texts.DRAW_PAGE
    name = request.app[PROGRAMMES].name_of(row.programme_slug)
    parts = [f'<p><a href="/draws">{escape(words["back"])}</a></p>', facts(_facts(row, name))]
    parts += _how(row, request.app[SETTINGS].public_url)
    if row.status is not DrawStatus.ANNOUNCED:
        lines = await sampling_pages.lines(row, after=query.after, limit=LINES + 1)
        parts += _lines(lines[:LINES])
        if len(lines) > LINES:
            parts.append(_next(f"/draws/{row.id}?after={lines[LINES - 1].key}"))
    return plain_page(words["one_title"].format(number=row.id, name=row.name), parts)


def _link(row: SamplingDraw) -> str:
    title = texts.DRAW_PAGE["one_title"].format(number=row.id, name=row.name)
    return f'<a href="/draws/{row.id}">{escape(title)}</a>'


def _next(href: str) -> str:
    return f'<p><a rel="next" href="{escape(href)}">{escape(texts.DRAW_PAGE["next"])}</a></p>'


def _cells(row: SamplingDraw, programme_name: str) -> Sequence[str]:
    return (
        programme_name,
        texts.DRAW_STATES[row.status],
        told(row.announced_at),
        _at(row.drawn_at),
        _counts(row),
    )


def _counts(row: SamplingDraw) -> str:
    if row.drawn_at is None:
        return texts.DRAW_PAGE["counts_locked"].format(items=row.items) if row.locked_at else ""
    words = texts.DRAW_PAGE["counts_drawn"]
    return words.format(items=row.items, drawn=row.drawn, open=row.open_items)


def _facts(row: SamplingDraw, programme_name: str) -> Iterator[tuple[str, str]]:
    """In the order in which they became known; what is not known yet is said to be so."""
    words = texts.DRAW_PAGE
    later, source = words["later"], row.public_source
    yield words["programme"], programme_name
    yield words["clause"], row.clause
    yield words["over"], texts.DRAW_OVER[row.over]
    yield words["share"], percent(row.share_bp)
    yield words["state"], texts.DRAW_STATES[row.status]
    if row.since is not None and row.until is not None:
        yield words["period"], f"{row.since.isoformat()} — {row.until.isoformat()}"
    yield words["announced"], told(row.announced_at)
    yield words["commitment"], row.commitment
    yield words["public_source"], source or texts.DRAW_NO_SOURCE
    yield words["locked_at"], _at(row.locked_at) or later
    yield words["list_hash"], row.list_hash or later
    yield words["drawn_at"], _at(row.drawn_at) or later
    if source:
        yield words["public_number"], row.public_number or later
    yield words["seed"], row.seed or later
    yield words["counts"], _counts(row) or later


def _how(row: SamplingDraw, public_url: str) -> Iterator[str]:
    words = texts.DRAW_PAGE
    yield f"<h2>{escape(words['how'])}</h2><p>{escape(words['how_text'])}</p>"
    if row.status is DrawStatus.ANNOUNCED:
        return
    path = f"/api/v1/sampling-draws/{row.id}/list"
    yield f'<p><a href="{path}">{escape(words["file"])}</a></p>'
    if row.drawn_at is not None:
        command = f"curl -s {public_url.rstrip('/')}{path} | python -m server sampling redraw -"
        yield f"<p>{escape(words['command'])}</p><pre><code>{escape(command)}</code></pre>"


def _lines(lines: Sequence[SamplingItem]) -> Iterator[str]:
    words = texts.DRAW_PAGE
    heads = [words[one] for one in ("line", "stratum", "flagged", "turn")]
    yield from plain_table(words["lines"], heads, ((escape(one.key), _line(one)) for one in lines))


def _line(one: SamplingItem) -> Sequence[str]:
    words = texts.DRAW_PAGE
    provider, _, band = one.stratum.partition("-")
    return (
        words["in_stratum"].format(
            provider=int(provider), band=texts.DRAW_BANDS.get(band, band), raw=one.stratum
        ),
        words["yes"] if one.flagged else "",
        "" if one.turn is None else words["drawn_as"].format(turn=one.turn),
    )


def _at(at: datetime | None) -> str:
    return "" if at is None else told(at)
