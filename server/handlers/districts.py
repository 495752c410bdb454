"""Districts over HTTP: the enterprises of a department's own areas, as a list and as CSV, and reminders."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from operator import attrgetter

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.clock import CHINA
from server.handlers.api import Answer, Media, Routes, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Query
from server.keys import CLOCKS, PROGRAMMES
from server.programme.registry import UnknownProgramme
from server.rules.spreadsheets import neutral
from server.services.access import Actor, NotFound, StaffRole
from server.services.admissions.districts import District, Line, Stage

routes = Routes("districts")

DEPARTMENTS = staff(StaffRole.DISTRICT, StaffRole.AUTHORITY, StaffRole.OPERATOR)
PAGE = 50
BOM = "\ufeff"
"""So that a spreadsheet reads the CSV as UTF-8."""

PROGRAMME = "The programme's slug. | 项目代码。"
AREA = "An area of one's own; left out: all of them. | 本部门辖区内的区域，不填为全部。"
STAGE = (
    "registered, drafted, submitted, returned, ended, approved or applied. | "
    "办理进度：registered 已注册未填报、drafted 填报中、submitted 审核中、returned 待修改、"
    "ended 未通过或已失效、approved 已通过未申领、applied 已申领。"
)


class DistrictQuery(Query):
    """Which enterprises."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    area: str | None = Field(default=None, max_length=64, description=AREA)


class StageQuery(DistrictQuery):
    """Which enterprises, at one stage or at all."""

    stage: Stage | None = Field(default=None, strict=False, description=STAGE)


class PageQuery(StageQuery):
    """A page of them."""

    after: AfterId = 0
    limit: int = Field(default=PAGE, ge=1, le=200, description="Most of a page. | 每页条数。")


class EnterpriseLine(Answer):
    """An enterprise and how far it has come."""

    id: int = Field(description="The enterprise. | 企业编号。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    name: str = Field(description="Name. | 企业名称。")
    area: str = Field(description="Area of registration. | 注册区域。")
    stage: Stage = Field(description=STAGE)
    stage_text: str = Field(description="The same in words. | 办理进度的文字。")
    registered_at: AwareDatetime = Field(description="When it came to the platform. | 平台注册时间。")
    reminded_at: AwareDatetime | None = Field(description="The latest reminder. | 最近一次提醒时间，可为空。")


class EnterprisePage(Answer):
    """A page of enterprises, by id."""

    enterprises: list[EnterpriseLine] = Field(description="The enterprises. | 企业列表。")
    next_after: NextPage


class StageCount(Answer):
    """How many stand at a stage."""

    stage: Stage = Field(description=STAGE)
    stage_text: str = Field(description="The same in words. | 办理进度的文字。")
    enterprises: int = Field(description="How many. | 企业家数。")


class Counts(Answer):
    """How many enterprises stand where."""

    stages: list[StageCount] = Field(description="Every stage, in its order. | 各进度家数，按先后。")
    enterprises: int = Field(description="All of them. | 合计家数。")


class Remind(Body):
    """Whom to remind."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    organisations: list[Id] = Field(
        min_length=1, max_length=100, description="The enterprises. | 企业编号。", examples=[[1]]
    )


class Reminded(Answer):
    """What came of it."""

    sent: list[int] = Field(description="Were reminded. | 已提醒的企业。")
    had_one: list[int] = Field(description="Had been reminded today. | 今日已提醒过的企业。")
    not_their_turn: list[int] = Field(
        description="Have nothing to do: under review, ended, or done. | 无须提醒：审核中、已结束或已申领。"
    )


@routes.get(
    "/api/v1/districts/enterprises",
    summary="The enterprises of my areas, and how far they have come. | 辖区企业办理进度。",
    access=DEPARTMENTS,
    answers={200: EnterprisePage},
    refusals=(UnknownProgramme, NotFound),
)
async def page(request: web.Request, actor: Actor, query: PageQuery) -> EnterprisePage:
    lines = await _district(request, actor, query).page(
        stage=query.stage, after=query.after, limit=query.limit + 1
    )
    shown = lines[: query.limit]
    return EnterprisePage(
        enterprises=[_view(line) for line in shown],
        next_after=next_page(lines, query.limit, attrgetter("organisation.id")),
    )


@routes.get(
    "/api/v1/districts/counts",
    summary="How many of them stand where. | 辖区企业各进度家数。",
    access=DEPARTMENTS,
    answers={200: Counts},
    refusals=(UnknownProgramme, NotFound),
)
async def counts(request: web.Request, actor: Actor, query: DistrictQuery) -> Counts:
    counted = await _district(request, actor, query).counts()
    return Counts(
        stages=[
            StageCount(stage=stage, stage_text=texts.DISTRICT_STAGES[stage], enterprises=number)
            for stage, number in counted.items()
        ],
        enterprises=sum(counted.values()),
    )


@routes.get(
    "/api/v1/districts/enterprises.csv",
    summary="The whole list as CSV. | 辖区企业办理进度（CSV 文件）。",
    access=DEPARTMENTS,
    answers={200: Media("text/csv", "The list, UTF-8 with a byte order mark. | 名单文件（UTF-8 BOM）。")},
    refusals=(UnknownProgramme, NotFound),
)
async def whole_as_csv(request: web.Request, actor: Actor, query: StageQuery) -> web.StreamResponse:
    district = _district(request, actor, query)
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="enterprises-{query.programme}.csv"',
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    await response.write((BOM + _rows([texts.DISTRICT_COLUMNS])).encode())
    async for lines in district.every(stage=query.stage):
        await response.write(_rows(map(_cells, lines)).encode())
    await response.write_eof()
    return response


@routes.post(
    "/api/v1/districts/reminders",
    summary="Remind enterprises of their next step, each once a day. | 提醒辖区企业办理，每家每天一次。",
    access=DEPARTMENTS,
    answers={200: Reminded},
    refusals=(UnknownProgramme, NotFound),
)
async def remind(request: web.Request, actor: Actor, body: Remind) -> Reminded:
    programme = request.app[PROGRAMMES].get(body.programme)
    reminding = await District(actor, programme).remind(
        body.organisations, now=request.app[CLOCKS].now(programme.slug)
    )
    return Reminded(
        sent=list(reminding.sent),
        had_one=list(reminding.had_one),
        not_their_turn=list(reminding.not_their_turn),
    )


def _district(request: web.Request, actor: Actor, query: DistrictQuery) -> District:
    return District(actor, request.app[PROGRAMMES].get(query.programme), area=query.area)


def _view(line: Line) -> EnterpriseLine:
    row = line.organisation
    return EnterpriseLine(
        id=row.id,
        uscc=row.uscc,
        name=row.name,
        area=row.area,
        stage=line.stage,
        stage_text=texts.DISTRICT_STAGES[line.stage],
        registered_at=row.created_at,
        reminded_at=line.reminded_at,
    )


def _cells(line: Line) -> Sequence[str]:
    row, instants = line.organisation, (line.organisation.created_at, line.reminded_at)
    said = ["" if one is None else texts.INSTANT.format(at=one.astimezone(CHINA)) for one in instants]
    return (row.uscc, row.name, row.area, texts.DISTRICT_STAGES[line.stage], *said)


def _rows(rows: Iterable[Sequence[str]]) -> str:
    """Rows of CSV in which no cell can be taken for a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([neutral(cell) for cell in row] for row in rows)
    return out.getvalue()
