"""Rounds of selection over HTTP: when a programme takes offerings for its yearly catalogue."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import WORKING, Answer, Routes, staff
from server.handlers.offering_forms import OfferingFormQuery
from server.handlers.offering_views import PROGRAMME
from server.handlers.parsing import Body, Id, Instant, Path
from server.keys import SELECTIONS
from server.models.offerings import SelectionRound
from server.programme.registry import UnknownProgramme
from server.rules.review import ReasonMissing
from server.services.access import Actor, StaffRole
from server.services.marketplace.selections import (
    NothingSelected,
    SelectionOver,
    SelectionRunning,
    SelectionsUsedUp,
    SelectionTimesWrong,
)

routes = Routes("offerings")

AUTHORITY = staff(StaffRole.AUTHORITY)
TITLE = "What it is called. | 征集名称。"
OPENS, CLOSES = "From when it takes offerings. | 开始时间。", "Until when (exclusive). | 截止时间（不含）。"


class OpenSelection(Body):
    """A round to announce."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    title: str = Field(min_length=2, max_length=200, description=TITLE, examples=["第一次服务产品征集"])
    opens_at: Instant = Field(description=OPENS, examples=["2026-03-01T09:00:00+08:00"])
    closes_at: Instant = Field(description=CLOSES, examples=["2026-04-01T00:00:00+08:00"])


class CloseSelection(Body):
    """Why it ends early."""

    reason: str = Field(max_length=500, description="Why. | 提前结束的原因。")


class SelectionPath(Path):
    """A round of selection."""

    selection_id: Id = Field(description="The round. | 征集批次编号。")


class SelectionView(Answer):
    """A round of selection."""

    id: int = Field(description="The round. | 征集批次编号。")
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description="The catalogue's programme year. | 目录年度。")
    number: int = Field(description="1 is the year's first. | 年度内第几次。")
    title: str = Field(description=TITLE)
    opens_at: AwareDatetime = Field(description=OPENS)
    closes_at: AwareDatetime = Field(description=CLOSES)
    reason: str = Field(description="Why it ended early. | 提前结束的原因。")


class SelectionList(Answer):
    """Every round of a programme, the newest first."""

    selections: list[SelectionView] = Field(description="The rounds. | 征集批次。")


@routes.get(
    "/api/v1/selection-rounds",
    summary="When a programme takes offerings for its catalogue. | 服务产品征集批次。",
    access=WORKING,
    answers={200: SelectionList},
    refusals=(UnknownProgramme,),
)
async def selections(request: web.Request, query: OfferingFormQuery) -> SelectionList:
    rows = await request.app[SELECTIONS].all(query.programme)
    return SelectionList(selections=[_view(row) for row in rows])


@routes.post(
    "/api/v1/selection-rounds",
    summary="Announce a round of selection; admitted providers are told. | 发布服务产品征集。",
    access=AUTHORITY,
    answers={201: SelectionView},
    refusals=(UnknownProgramme, NothingSelected, SelectionTimesWrong, SelectionRunning, SelectionsUsedUp),
)
async def open_selection(request: web.Request, actor: Actor, body: OpenSelection) -> SelectionView:
    row = await request.app[SELECTIONS].open(
        body.programme, title=body.title, opens_at=body.opens_at, closes_at=body.closes_at, actor=actor
    )
    return _view(row)


@routes.post(
    "/api/v1/selection-rounds/{selection_id}/close",
    summary="End a round of selection early. | 提前结束征集。",
    access=AUTHORITY,
    answers={200: SelectionView},
    refusals=(ReasonMissing, SelectionOver),
)
async def close_selection(
    request: web.Request, actor: Actor, path: SelectionPath, body: CloseSelection
) -> SelectionView:
    return _view(await request.app[SELECTIONS].close(path.selection_id, reason=body.reason, actor=actor))


def _view(row: SelectionRound) -> SelectionView:
    return SelectionView(
        id=row.id,
        programme=row.programme_slug,
        year=row.year,
        number=row.number,
        title=row.title,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        reason=row.reason,
    )
