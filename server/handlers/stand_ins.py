"""Stand-ins over HTTP: naming a colleague for some days, calling it off, and who stands in for whom."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes
from server.handlers.parsing import Body, Day, Id, Path
from server.handlers.review_inbox import REVIEWERS
from server.keys import CLOCKS
from server.models.stand_ins import StandIn
from server.programme.vocabulary import Actor as Role
from server.services.access import Actor, NotFound
from server.services.reviews import stand_ins
from server.services.reviews.stand_ins import StandInNamed, StandInUnusable

routes = Routes("stand_ins")


class StandInPath(Path):
    """A stand-in."""

    stand_in_id: Id = Field(description="The stand-in. | 代班编号。")


class NameStandIn(Body):
    """Who stands in, in which role and on which days."""

    deputy_id: int = Field(ge=1, le=2**31 - 1, description="The colleague. | 代班人编号。")
    role: Role = Field(description="The role both have. | 双方共有的角色。")
    first_day: Day = Field(strict=False, description="From. | 起始日期。", examples=["2026-10-01"])
    last_day: Day = Field(
        strict=False, description="To, included. | 截止日期（含）。", examples=["2026-10-08"]
    )
    reason: str = Field(default="", max_length=200, description="Why. | 事由。")


class StandInView(Answer):
    """A stand-in."""

    id: int = Field(description="The stand-in. | 代班编号。")
    principal_id: int = Field(description="Who is away. | 被代班人。")
    deputy_id: int = Field(description="Who stands in. | 代班人。")
    role: Role = Field(description="In which role. | 角色。")
    starts_at: AwareDatetime = Field(description="From. | 开始时间。")
    ends_at: AwareDatetime = Field(description="Until, exclusive. | 结束时间。")
    active: bool = Field(description="Now. | 当前是否生效。")


class StandInMade(StandInView):
    """A stand-in just named."""


class StandInsView(Answer):
    """Who stands in for me, and for whom I do."""

    stand_ins: list[StandInView] = Field(description="By day. | 代班安排。")


@routes.get(
    "/api/v1/stand-ins",
    summary="Who stands in for me, and for whom I do. | 我的代班安排。",
    access=REVIEWERS,
    answers={200: StandInsView},
)
async def own(request: web.Request, actor: Actor) -> StandInsView:
    return StandInsView(stand_ins=[StandInView(**_columns(row)) for row in await stand_ins.own(actor)])


@routes.post(
    "/api/v1/stand-ins",
    summary="Name a colleague to stand in for me. | 指定代班人。",
    access=REVIEWERS,
    answers={201: StandInMade},
    refusals=(NotFound, StandInUnusable, StandInNamed),
)
async def name(request: web.Request, actor: Actor, body: NameStandIn) -> StandInMade:
    row = await stand_ins.name(
        body.deputy_id,
        body.role,
        first_day=body.first_day,
        last_day=body.last_day,
        reason=body.reason,
        actor=actor,
        now=request.app[CLOCKS].base.now(),
    )
    return StandInMade(**_columns(row))


@routes.post(
    "/api/v1/stand-ins/{stand_in_id}/end",
    summary="Call my stand-in off. | 撤销代班。",
    access=REVIEWERS,
    answers={200: StandInView},
)
async def end(request: web.Request, actor: Actor, path: StandInPath) -> StandInView:
    row = await stand_ins.end(path.stand_in_id, actor=actor, now=request.app[CLOCKS].base.now())
    return StandInView(**_columns(row))


def _columns(row: StandIn) -> dict[str, object]:
    return {
        "id": row.id,
        "principal_id": row.principal_id,
        "deputy_id": row.deputy_id,
        "role": row.role,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "active": row.active,
    }
