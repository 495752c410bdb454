"""Activities over HTTP: what an organisation learnt and took part in."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Query
from server.keys import CLOCKS, PROGRAMMES
from server.models.organisations import ActivityKind, ActivityRecord
from server.programme.registry import UnknownProgramme
from server.services import access
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.allowances import TooManyToday
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.organisations import activities
from server.services.organisations.activities import ActivityInFuture

routes = Routes("activities")

READERS = staff(*access.IN_THE_FILES)
PAGE = 50

PROGRAMME = "The programme's slug. | 项目代码。"
KIND = "training of the contact, or public-benefit activity. | 专管人员培训或公益助企活动。"
HELD = "The day it was held. | 举办日期。"
WHAT = "What it was. | 内容。"
FILES = "My files that show it. | 佐证文件编号。"


class Record(Body):
    """Something that was held."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    kind: ActivityKind = Field(description=KIND)
    held_on: Day = Field(description=HELD, examples=["2026-05-18"])
    what: str = Field(min_length=2, max_length=500, description=WHAT, examples=["服务券政策培训"])
    files: list[Id] = Field(default=[], max_length=30, description=FILES, examples=[[]])


class ActivityView(Answer):
    """Something that was held."""

    id: int = Field(description="The record. | 记录编号。")
    organisation_id: int = Field(description="The organisation. | 机构编号。")
    programme: str = Field(description=PROGRAMME)
    kind: ActivityKind = Field(description=KIND)
    held_on: date = Field(description=HELD)
    what: str = Field(description=WHAT)
    files: list[int] = Field(description=FILES)
    recorded_at: AwareDatetime = Field(description="When it was recorded. | 登记时间。")


class Recorded(ActivityView):
    """A record just made."""


class Activities(Answer):
    """A page of records, by id."""

    activities: list[ActivityView] = Field(description="The records. | 记录列表。")
    next_after: NextPage


class MineQuery(Query):
    """Which of my records."""

    after: AfterId = 0


class EveryQuery(MineQuery):
    """Which records."""

    programme: str = Field(max_length=64, description=PROGRAMME)


@routes.post(
    "/api/v1/organisations/mine/activities",
    summary="Put down a training or an activity. | 登记培训或活动。",
    access=IN_CHARGE,
    answers={201: Recorded},
    refusals=(UnknownProgramme, ActivityInFuture, FilesUnknown, FileUnacceptable, TooManyToday),
)
async def record(request: web.Request, actor: Actor, body: Record) -> Recorded:
    made = await activities.record(
        request.app[PROGRAMMES].get(body.programme),
        body.kind,
        body.held_on,
        body.what,
        body.files,
        actor=actor,
        clocks=request.app[CLOCKS],
    )
    return Recorded(**_view(made).model_dump())


@routes.get(
    "/api/v1/organisations/mine/activities",
    summary="What my organisation put down. | 我的培训和活动记录。",
    access=PERSON,
    answers={200: Activities},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: MineQuery) -> Activities:
    organisation_id = access.organisation_id_of(actor)
    return _page(await activities.page(organisation_id, after=query.after, limit=PAGE + 1))


@routes.get(
    "/api/v1/activities",
    summary="What the organisations of a programme put down. | 项目内的培训和活动记录。",
    access=READERS,
    answers={200: Activities},
    refusals=(NotFound,),
)
async def every(request: web.Request, actor: Actor, query: EveryQuery) -> Activities:
    return _page(await activities.of_programme(actor, query.programme, after=query.after, limit=PAGE + 1))


def _page(rows: list[ActivityRecord]) -> Activities:
    return Activities(
        activities=[_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


def _view(row: ActivityRecord) -> ActivityView:
    return ActivityView(
        id=row.id,
        organisation_id=row.organisation_id,
        programme=row.programme_slug,
        kind=row.kind,
        held_on=row.held_on,
        what=row.what,
        files=row.files,
        recorded_at=row.recorded_at,
    )
