"""The blocklist over HTTP, for operators."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Instant, Path, Query
from server.keys import BLOCKLIST
from server.models.organisations import BlocklistEntry
from server.programme.registry import UnknownProgramme
from server.rules.uscc import UsccInvalid
from server.services import access
from server.services.access import Actor, StaffRole
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import blocklist
from server.services.sanctions.blocklist import BanAlreadyLifted, BanOfSanction, BanPeriodImpossible

routes = Routes("blocklist")

OPERATOR = staff(StaffRole.OPERATOR)
LIFTERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY)
READERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY)
PAGE = 50

USCC = "Unified Social Credit Code. | 统一社会信用代码。"
PROGRAMME = "The programme it bars from; null: from all. | 所禁项目，空为全部项目。"
LIST = "The official list it is taken from, by its name and number. | 所依据的官方名单及文号。"
CLAUSE = "The provision it rests on. | 依据条款。"
REASON = "Why. | 理由。"
STARTS = "Since when. | 开始时间。"
ENDS = "Until when, exclusive; null: for good. | 结束时间，空为长期。"


class Bar(Body):
    """Whom to bar, from what, why and how long."""

    uscc: str = Field(max_length=40, description=USCC, examples=["91110000600037341L"])
    programme: str | None = Field(default=None, max_length=64, description=PROGRAMME)
    list_name: str = Field(min_length=4, max_length=200, description=LIST, examples=["失信惩戒名单"])
    clause: str = Field(min_length=1, max_length=120, description=CLAUSE, examples=["五（二）"])
    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["虚假交易"])
    starts_at: Instant | None = Field(
        default=None, description="Since when; null: now. | 开始时间，空为即时。"
    )
    ends_at: Instant | None = Field(default=None, description=ENDS)


class Lift(Body):
    """Why a ban is lifted."""

    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["复核后更正"])


class BanView(Answer):
    """An entry of the blocklist."""

    id: int = Field(description="The entry. | 记录编号。")
    uscc: str = Field(description=USCC)
    programme: str | None = Field(description=PROGRAMME)
    list_name: str = Field(description="The list; empty: decided here. | 所依据名单，空为本平台决定。")
    clause: str = Field(description=CLAUSE)
    reason: str = Field(description=REASON)
    starts_at: AwareDatetime = Field(description=STARTS)
    ends_at: AwareDatetime | None = Field(description=ENDS)
    lifted_at: AwareDatetime | None = Field(description="When it was lifted. | 解除时间。")
    lift_asked_by: int | None = Field(description="Who asked to lift it. | 提请解除的人员。")
    lift_reason: str = Field(description="Why it was lifted. | 解除理由。")


class Barred(BanView):
    """An entry just made."""


class BanQuery(Query):
    """Which entries."""

    uscc: str | None = Field(default=None, max_length=18, description=USCC)
    after: AfterId = 0


class Bans(Answer):
    """A page of entries, by id, lifted ones included."""

    entries: list[BanView] = Field(description="The entries. | 记录列表。")
    next_after: NextPage


class BanPath(Path):
    """An entry."""

    entry_id: Id = Field(description="The entry. | 记录编号。")


@routes.post(
    "/api/v1/blocklist",
    summary="Bar whom an official list names. | 按官方名单列入黑名单。",
    access=OPERATOR,
    answers={201: Barred},
    refusals=(UsccInvalid, UnknownProgramme, BanPeriodImpossible),
)
async def bar(request: web.Request, actor: Actor, body: Bar) -> Barred:
    access.require_programme(actor, body.programme)
    entry = await request.app[BLOCKLIST].add(
        body.uscc,
        slug=body.programme,
        list_name=body.list_name,
        clause=body.clause,
        reason=body.reason,
        starts_at=body.starts_at,
        ends_at=body.ends_at,
        actor=actor,
    )
    return Barred(**_shown(entry))


@routes.get(
    "/api/v1/blocklist",
    summary="The blocklist. | 黑名单。",
    access=READERS,
    answers={200: Bans},
)
async def every(request: web.Request, actor: Actor, query: BanQuery) -> Bans:
    rows = await blocklist.page(actor, uscc=query.uscc, after=query.after, limit=PAGE + 1)
    return Bans(
        entries=[BanView(**_shown(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/blocklist/{entry_id}/lifting",
    summary="Lift a ban; of what was decided here one asks, and one of the authority lifts. | 解除黑名单。",
    access=LIFTERS,
    answers={200: BanView},
    refusals=(BanAlreadyLifted, BanOfSanction, OwnReview),
)
async def lift(request: web.Request, actor: Actor, path: BanPath, body: Lift) -> BanView:
    await access.ban_for(actor, path.entry_id)
    return BanView(
        **_shown(await request.app[BLOCKLIST].lift(path.entry_id, reason=body.reason, actor=actor))
    )


def _shown(entry: BlocklistEntry) -> dict[str, Any]:
    named = {field: getattr(entry, field) for field in BanView.model_fields if field != "programme"}
    return {**named, "programme": entry.programme_slug}
