"""The public list of sanctions in force: as JSON, and as a plain page that needs no script and no account.

It shows what the text wants announced, as long as it is in force: what is over, lifted or reversed is gone.
Of persons nothing but the family name is shown.
"""

from __future__ import annotations

from datetime import timedelta
from html import escape
from operator import attrgetter

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Media, Routes
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Path, Query
from server.handlers.sanction_views import CLAUSE, NUMBER
from server.keys import CLOCKS, PROGRAMMES, SANCTIONS
from server.programme.registry import UnknownProgramme
from server.rules.deadlines import day_of
from server.services.sanctions import sanction_lists
from server.services.sanctions.sanction_lists import PAGE, Announced

routes = Routes("blocklist_pages")

INSTANT = timedelta(microseconds=1)
HTML = Media("text/html", "The page. | 网页。")
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-cache",
}
_STYLE = (
    "body{font:16px/1.7 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;margin:0 auto;max-width:72rem;"
    "padding:1rem}table{border-collapse:collapse;width:100%}caption{font-weight:bold;text-align:left}"
    "th,td{border:1px solid #8886;padding:.35rem .6rem;text-align:left;overflow-wrap:anywhere}"
)


class BlocklistPath(Path):
    """A programme."""

    slug: str = Field(max_length=64, description="The programme. | 项目代码。")


class AnnouncedQuery(Query):
    """From where."""

    after: AfterId = 0


class BlocklistedView(Answer):
    """Who is on the list, why, and until when."""

    id: int = Field(description="The case. | 案件编号。")
    number: str = Field(description=NUMBER)
    name: str = Field(description="Who. | 单位名称。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    person: str = Field(description="Who was responsible, masked; empty: nobody. | 责任人，已脱敏。")
    ground: str = Field(description="What for. | 事由。")
    clause: str = Field(description=CLAUSE)
    scope: str = Field(description="What it bars from besides. | 限制范围。")
    starts_at: AwareDatetime = Field(description="Since when. | 起始时间。")
    ends_at: AwareDatetime | None = Field(description="Until when, exclusive; null: for good. | 截止时间。")


class BlocklistedPage(Answer):
    """A page of the list."""

    programme: str = Field(description="The programme. | 项目代码。")
    entries: list[BlocklistedView] = Field(description="Who is on the list. | 名单。")
    next_after: NextPage


@routes.get(
    "/api/v1/programmes/{slug}/blocklist",
    summary="Who is on the public list now. | 生效中的违规名单。",
    access=PUBLIC,
    answers={200: BlocklistedPage},
    refusals=(UnknownProgramme,),
)
async def announced(request: web.Request, path: BlocklistPath, query: AnnouncedQuery) -> BlocklistedPage:
    rows = await _rows(request, path.slug, query.after)
    return BlocklistedPage(
        programme=path.slug,
        entries=[_entry(request, row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE, attrgetter("case.id")),
    )


@routes.get(
    "/blocklist/{slug}",
    summary="The same as a page to read. | 违规名单，网页版。",
    access=PUBLIC,
    answers={200: HTML},
    refusals=(UnknownProgramme,),
)
async def page(request: web.Request, path: BlocklistPath, query: AnnouncedQuery) -> web.Response:
    rows = await _rows(request, path.slug, query.after)
    words, name = texts.BLOCKLIST_PAGE, request.app[PROGRAMMES].name_of(path.slug)
    title = f"{name} {words['title']}"
    lines = [_line(_entry(request, row)) for row in rows[:PAGE]]
    head = "".join(f'<th scope="col">{escape(one)}</th>' for one in words["columns"].split("|"))
    table = (
        f"<table><caption>{escape(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(lines)}</tbody></table>"
        if lines
        else f"<p>{escape(words['nobody'])}</p>"
    )
    body = (
        f'<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body><main>'
        f"<h1>{escape(title)}</h1><p>{escape(words['note'])}</p>{table}</main></body></html>"
    )
    return web.Response(text=body, content_type="text/html", headers=HEADERS)


async def _rows(request: web.Request, slug: str, after: int) -> list[Announced]:
    programme, office = request.app[PROGRAMMES].get(slug), request.app[SANCTIONS]
    now = request.app[CLOCKS].now(programme.slug)
    return await sanction_lists.announced(programme.slug, office.book.sealer, after=after, now=now)


def _entry(request: web.Request, row: Announced) -> BlocklistedView:
    case, book = row.case, request.app[SANCTIONS].book
    assert case.starts_at is not None
    return BlocklistedView(
        id=case.id,
        number=case.number,
        name=row.name,
        uscc=row.uscc,
        person=row.person,
        ground=book.ground_of(case).says,
        clause=case.clause,
        scope=book.sanction_of(case).ban_scope,
        starts_at=case.starts_at,
        ends_at=case.ends_at,
    )


def _line(one: BlocklistedView) -> str:
    until = (
        texts.BLOCKLIST_PAGE["for_good"] if one.ends_at is None else day_of(one.ends_at - INSTANT).isoformat()
    )
    cells = (
        one.uscc,
        one.person,
        one.ground,
        one.clause,
        day_of(one.starts_at).isoformat(),
        until,
        one.scope,
    )
    return (
        f'<tr><th scope="row">{escape(one.name)}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
    )
