"""Sampling over HTTP: draws that everybody may follow and repeat, and what came of what was drawn."""

from __future__ import annotations

import json

from aiohttp import web

from server.handlers.api import PUBLIC, Media, Routes, staff
from server.handlers.review_forms import ReviewPath
from server.handlers.sampling_views import (
    Announce,
    AnswerItem,
    ChecksQuery,
    ChecksView,
    CheckView,
    Draw,
    DrawMade,
    DrawnQuery,
    DrawnView,
    DrawPath,
    DrawsQuery,
    DrawsView,
    DrawView,
    Flag,
    Flagged,
    ItemPath,
    LineAnswered,
    Lock,
    columns,
    drawn_line,
    progress,
)
from server.keys import CLOCKS, DRAWS, PROGRAMMES
from server.programme.registry import UnknownProgramme
from server.rules.review import ReasonMissing
from server.rules.sampling import DrawNotThere, ListFrozen, NothingToDraw, ShareTooSmall
from server.services.access import Actor, StaffRole
from server.services.reviews import sampling_pages, sampling_results
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.sampling_draws import (
    DrawUnderWay,
    DrawUnusable,
    NotSampled,
    Plan,
    PublicNumberMissing,
)
from server.services.reviews.sampling_lists import ListTooLong
from server.services.reviews.sampling_results import (
    Answered,
    FindingMissing,
    NotYourDraw,
    ResultByReview,
    SampleLookedAt,
    SampleWordUnknown,
)

routes = Routes("sampling")

DRAWERS = staff(
    StaffRole.OPERATOR,
    StaffRole.AUTHORITY,
    StaffRole.DIVISION,
    StaffRole.TREASURY,
    StaffRole.INSPECTOR,
    StaffRole.OVERSIGHT_BODY,
)
READERS = staff(*sorted(DRAWERS.roles), StaffRole.AUDITOR)
FILE = Media("application/json", "Everything a second draw needs. | 重新抽取所需的全部内容。")


@routes.get(
    "/api/v1/sampling-draws",
    summary="Draws, newest first. | 抽查公开列表。",
    access=PUBLIC,
    answers={200: DrawsView},
)
async def draws(request: web.Request, query: DrawsQuery) -> DrawsView:
    page = await sampling_pages.page(query.programme, before=query.before)
    return DrawsView(draws=[DrawView(**columns(row)) for row in page.rows], next_before=page.next_before)


@routes.get(
    "/api/v1/sampling-checks",
    summary="The checks by sample of a programme, and how much waits. | 项目的抽查事项和待抽取件数。",
    access=READERS,
    answers={200: ChecksView},
    refusals=(UnknownProgramme,),
)
async def checks(request: web.Request, actor: Actor, query: ChecksQuery) -> ChecksView:
    found = await sampling_pages.checks(query.programme, programmes=request.app[PROGRAMMES], actor=actor)
    return ChecksView(
        checks=[
            CheckView(
                code=one.check.code,
                name=one.check.of,
                over=list(one.check.over),
                share_bp=one.check.share_bp,
                methods=list(one.check.methods),
                clause=one.check.article,
                waiting=one.waiting,
            )
            for one in found
        ]
    )


@routes.post(
    "/api/v1/sampling-draws",
    summary="Announce a draw: commit to its seed. | 公布抽查及其种子摘要。",
    access=DRAWERS,
    answers={201: DrawMade},
    refusals=(NotYourDraw, DrawUnusable, ShareTooSmall, ListTooLong, NothingToDraw, DrawUnderWay),
)
async def announce(request: web.Request, actor: Actor, body: Announce) -> DrawMade:
    plan = Plan(
        code=body.code,
        over=body.over,
        share_bp=body.share_bp,
        since=body.since,
        until=body.until,
        public_source=body.public_source,
    )
    return DrawMade(**columns(await request.app[DRAWS].announce(body.programme, plan, actor=actor)))


@routes.get(
    "/api/v1/sampling-draws/{draw_id}",
    summary="A draw. | 抽查详情。",
    access=PUBLIC,
    answers={200: DrawView},
)
async def one(request: web.Request, path: DrawPath) -> DrawView:
    return DrawView(**columns(await sampling_pages.one(path.draw_id)))


@routes.get(
    "/api/v1/sampling-draws/{draw_id}/list",
    summary="The locked list, and with the result all that a second draw needs. | 锁定名单及重新抽取文件。",
    access=PUBLIC,
    answers={200: FILE},
)
async def published(request: web.Request, path: DrawPath) -> web.Response:
    content = await sampling_pages.published(path.draw_id)
    name = f'attachment; filename="draw-{path.draw_id}.json"'
    return web.Response(
        text=json.dumps(content, ensure_ascii=False, indent=1),
        content_type="application/json",
        headers={"Content-Disposition": name},
    )


@routes.post(
    "/api/v1/sampling-draws/{draw_id}/lock",
    summary="Lock the list. | 锁定名单。",
    access=DRAWERS,
    answers={200: DrawView},
    refusals=(NotYourDraw, DrawNotThere, NothingToDraw),
)
async def lock(request: web.Request, actor: Actor, path: DrawPath, body: Lock) -> DrawView:
    row = await request.app[DRAWS].lock(path.draw_id, version=body.version, actor=actor)
    return DrawView(**columns(row))


@routes.post(
    "/api/v1/sampling-draws/{draw_id}/draw",
    summary="Draw, and publish the seed. | 抽取并公布种子。",
    access=DRAWERS,
    answers={200: DrawView},
    refusals=(NotYourDraw, DrawNotThere, PublicNumberMissing),
)
async def draw(request: web.Request, actor: Actor, path: DrawPath, body: Draw) -> DrawView:
    row = await request.app[DRAWS].draw(
        path.draw_id, version=body.version, public_number=body.public_number, actor=actor
    )
    return DrawView(**columns(row))


@routes.get(
    "/api/v1/sampling-draws/{draw_id}/drawn",
    summary="What was drawn, with every attempt. | 抽中名单和核查情况。",
    access=READERS,
    answers={200: DrawnView},
)
async def drawn(request: web.Request, actor: Actor, path: DrawPath, query: DrawnQuery) -> DrawnView:
    page = await sampling_pages.drawn(
        path.draw_id, after=query.after, only_outstanding=query.outstanding, actor=actor
    )
    return DrawnView(
        progress=progress(page.progress),
        lines=[drawn_line(line) for line in page.lines],
        next_after=page.next_after,
    )


@routes.post(
    "/api/v1/sampling-items/{item_id}/answers",
    summary="Write down what came of a drawn line. | 登记抽中事项的核查结果。",
    access=DRAWERS,
    answers={201: LineAnswered},
    refusals=(
        NotYourDraw,
        DrawNotThere,
        ResultByReview,
        SampleLookedAt,
        SampleWordUnknown,
        FindingMissing,
    ),
)
async def answer(request: web.Request, actor: Actor, path: ItemPath, body: AnswerItem) -> LineAnswered:
    said = Answered(outcome=body.outcome, method=body.method, satisfaction=body.satisfaction, note=body.note)
    item = await sampling_results.answer(
        path.item_id,
        said,
        programmes=request.app[PROGRAMMES],
        clocks=request.app[CLOCKS],
        actor=actor,
    )
    return LineAnswered(id=item.id, outcome=item.outcome)


@routes.post(
    "/api/v1/reviews/{review_id}/flag",
    summary="See to it that a case is in the next sample. | 将审核件列为抽查必查件。",
    access=DRAWERS,
    answers={200: Flagged},
    refusals=(OwnReview, ReasonMissing, NotSampled, ListFrozen),
)
async def flag(request: web.Request, actor: Actor, path: ReviewPath, body: Flag) -> Flagged:
    case = await request.app[DRAWS].flag(path.review_id, reason=body.reason, actor=actor)
    return Flagged(review_id=case.id)
