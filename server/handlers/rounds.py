"""Rounds and budgets over HTTP: what a phone counts down to, and what an operator moves."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, PUBLIC, Answer, Routes, staff
from server.handlers.grabs import RoundPath
from server.handlers.paging import NextPage
from server.handlers.parsing import Body, Fen, Id, Instant, Path, Query
from server.handlers.problems import UnmetCondition
from server.keys import BOOK, CLOCKS, PROGRAMMES, ROUNDS
from server.models.rounds import Budget, Round
from server.programme.registry import UnknownProgramme
from server.rules.budgets import BudgetBelowFloor
from server.rules.lifecycles import IllegalMove, NotPermittedNow, RoundStatus
from server.services import access
from server.services.access import Actor, NoOrganisation, NotFound, StaffRole, organisation_id_of
from server.services.budgets import budgets
from server.services.budgets.budgets import BudgetExists, BudgetTooSmall
from server.services.budgets.commissions import CommissionEnded
from server.services.rounds import round_lists
from server.services.rounds.rounds import (
    PoolTooSmall,
    RoundBeyondProgramme,
    RoundBeyondYear,
    RoundMovedOn,
    RoundNotForThisProgramme,
    RoundPlan,
    RoundRanked,
    RoundWindowImpossible,
)

routes = Routes("rounds")

OPERATOR = staff(StaffRole.OPERATOR)
TREASURER = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.TREASURY)
"""Who arranges a year's money: the finance department itself, or whoever does so in its name (GX-08)."""
POSSIBLE = (RoundWindowImpossible, RoundBeyondProgramme, RoundBeyondYear)
MOVES = (IllegalMove, RoundMovedOn)


class ClockQuery(Query):
    """Whose clock."""

    programme: str | None = Field(
        default=None,
        max_length=64,
        description="A programme's own clock; without it, the server's. | 项目时钟；不填为服务器时钟。",
    )


class ClockView(Answer):
    """What time it is."""

    now: AwareDatetime = Field(description="The present instant. | 当前时间。")
    unix_ms: int = Field(description="The same, Unix milliseconds. | 毫秒时间戳。")
    offset_days: int = Field(
        description="Days by which this clock differs from the calendar; 0 outside demonstrations."
        " | 与实际日期相差的天数，正式运行时为 0。"
    )


class RoundsQuery(Query):
    """Which rounds."""

    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    after: int = Field(default=0, ge=0, description="After this round's id. | 从该编号之后开始。")


class RoundView(Answer):
    """A round."""

    id: int = Field(description="The round. | 批次编号。")
    budget_id: int = Field(description="The year's budget it belongs to. | 所属年度预算。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    programme_version: str = Field(description="Its version. | 项目版本。")
    title: str = Field(description="Title. | 标题。")
    status: RoundStatus = Field(description="As decided by people. | 状态。")
    phase: Literal["draft", "upcoming", "open", "paused", "over"] = Field(
        description="What that means at this instant. | 当前阶段。"
    )
    opens_at: AwareDatetime = Field(description="Opening instant. | 开始时间。")
    closes_at: AwareDatetime = Field(description="Closing instant, exclusive. | 结束时间。")
    pool_fen: int = Field(description="Money of the round, fen. | 资金池，单位分。")
    remaining_fen: int = Field(
        description="Not yet issued, fen; the display may lag a moment."
        " | 剩余金额，单位分，显示可能略有延迟。"
    )
    valid_until: AwareDatetime = Field(description="Vouchers end then. | 服务券有效期至。")
    order_deadline: AwareDatetime | None = Field(description="Order and contract by then. | 下单截止时间。")
    now: AwareDatetime = Field(description="The programme's clock. | 项目当前时间。")


class RoundList(Answer):
    """A page of rounds, by id."""

    rounds: list[RoundView] = Field(description="The rounds. | 批次列表。")
    next_after: NextPage


class ReadinessView(Answer):
    """Whether the enterprise is ready for a round."""

    ready: bool = Field(description="Everything is in order. | 是否已就绪。")
    amount_fen: int = Field(description="What it may be granted, fen. | 可领取金额，单位分。")
    quota_fen: int = Field(description="Its quota of the year, fen. | 年度额度，单位分。")
    taken_fen: int = Field(description="Of which used up, fen. | 已占用额度，单位分。")
    missing: list[UnmetCondition] = Field(description="Everything that is missing. | 缺少的全部条件。")


class OpenBudget(Body):
    """A year's money."""

    programme: str = Field(max_length=64, description="The programme's slug. | 项目代码。")
    year: int = Field(ge=2000, le=2100, description="Programme year. | 年度。", examples=[2026])
    total_fen: Fen = Field(description="Money of the year, fen. | 年度资金，单位分。", examples=[300_000_000])


class BudgetPath(Path):
    """A budget."""

    budget_id: Id = Field(description="The budget. | 预算编号。")


class Money(Body):
    """Money to move, and why."""

    amount_fen: Fen = Field(gt=0, description="How much, fen. | 金额，单位分。", examples=[10_000_000])
    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["年中追加"])


class Reason(Body):
    """Why a thing is done."""

    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["系统演练"])


class Reopen(Reason):
    """Until when, and why."""

    closes_at: Instant = Field(description="The new closing instant. | 新的结束时间。")


class BudgetView(Answer):
    """A year's budget."""

    id: int = Field(description="The budget. | 预算编号。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    year: int = Field(description="Programme year. | 年度。")
    total_fen: int = Field(description="Money of the year, fen. | 年度资金，单位分。")
    allotted_fen: int = Field(description="Given to rounds, fen. | 已划入批次，单位分。")


class PlanRound(Body):
    """A new round."""

    budget_id: Id = Field(description="The year's budget. | 年度预算编号。")
    title: str = Field(min_length=2, max_length=120, description="Title. | 标题。", examples=["第一批"])
    opens_at: Instant = Field(description="Opening instant. | 开始时间。")
    closes_at: Instant = Field(description="Closing instant, exclusive. | 结束时间。")
    pool_fen: Fen = Field(description="Money of the round, fen. | 资金池，单位分。", examples=[300_000_000])
    valid_until: Instant = Field(description="Vouchers end then, exclusive. | 服务券有效期至（不含）。")
    order_deadline: Instant | None = Field(
        default=None, description="Order and contract by then. | 下单截止时间。"
    )


@routes.get(
    "/api/v1/clock",
    summary="The server's clock, to count down by. | 服务器时钟，用于倒计时校准。",
    access=PUBLIC,
    answers={200: ClockView},
    refusals=(UnknownProgramme,),
    quiet=True,
)
async def clock(request: web.Request, query: ClockQuery) -> ClockView:
    clocks = request.app[CLOCKS]
    offset = timedelta(0)
    if query.programme is not None:
        request.app[PROGRAMMES].get(query.programme)
        offset = clocks.offset(query.programme)
    now = clocks.base.now() + offset
    return ClockView(now=now, unix_ms=int(now.timestamp() * 1000), offset_days=offset.days)


@routes.get(
    "/api/v1/rounds",
    summary="Published rounds. | 已发布的批次。",
    access=PUBLIC,
    answers={200: RoundList},
)
async def published(request: web.Request, query: RoundsQuery) -> RoundList:
    page = await round_lists.published(query.programme, after=query.after)
    return RoundList(rounds=[_view(request, row) for row in page.rows], next_after=page.next_after)


@routes.get(
    "/api/v1/rounds/{round_id}",
    summary="One published round. | 批次详情。",
    access=PUBLIC,
    answers={200: RoundView},
)
async def one(request: web.Request, path: RoundPath) -> RoundView:
    return _view(request, await round_lists.one_published(path.round_id))


@routes.get(
    "/api/v1/rounds/{round_id}/readiness",
    summary="Am I ready for this round, and what is missing? | 是否已具备抢券条件，还缺什么。",
    access=PERSON,
    answers={200: ReadinessView},
    refusals=(NoOrganisation,),
)
async def readiness(request: web.Request, actor: Actor, path: RoundPath) -> ReadinessView:
    ready = await request.app[ROUNDS].readiness(path.round_id, organisation_id_of(actor))
    return ReadinessView(
        ready=ready.is_ready,
        amount_fen=ready.amount_fen,
        quota_fen=ready.quota_fen,
        taken_fen=ready.taken_fen,
        missing=[
            UnmetCondition(code=one.code, clause=one.clause, message=one.message, arithmetic=one.arithmetic)
            for one in ready.missing
        ],
    )


@routes.post(
    "/api/v1/budgets",
    summary="Put a year's money in. | 设立年度预算。",
    access=TREASURER,
    answers={201: BudgetView},
    refusals=(UnknownProgramme, BudgetExists, BudgetBelowFloor, CommissionEnded),
)
async def open_budget(request: web.Request, actor: Actor, body: OpenBudget) -> BudgetView:
    programme = request.app[PROGRAMMES].get(body.programme)
    access.require_programme(actor, programme.slug)
    now = request.app[CLOCKS].now(programme.slug)
    return _budget(await budgets.open_year(programme, body.year, body.total_fen, actor=actor, now=now))


@routes.post(
    "/api/v1/budgets/{budget_id}/top-ups",
    summary="Add to a year's money. | 追加年度预算。",
    access=TREASURER,
    answers={200: BudgetView},
)
async def top_up_budget(request: web.Request, actor: Actor, path: BudgetPath, body: Money) -> BudgetView:
    now = await _budget_now(request, actor, path.budget_id)
    return _budget(
        await budgets.top_up(path.budget_id, body.amount_fen, actor=actor, now=now, reason=body.reason)
    )


@routes.post(
    "/api/v1/budgets/{budget_id}/cuts",
    summary="Take free money out of a year. | 核减年度预算。",
    access=TREASURER,
    answers={200: BudgetView},
    refusals=(BudgetTooSmall, BudgetBelowFloor),
)
async def cut_budget(request: web.Request, actor: Actor, path: BudgetPath, body: Money) -> BudgetView:
    now = await _budget_now(request, actor, path.budget_id)
    programme = request.app[PROGRAMMES].get((await access.budget_for(actor, path.budget_id)).programme_slug)
    return _budget(
        await budgets.cut(
            path.budget_id, body.amount_fen, programme=programme, actor=actor, now=now, reason=body.reason
        )
    )


@routes.post(
    "/api/v1/rounds",
    summary="Plan a round, as a draft. | 拟定批次（草稿）。",
    access=OPERATOR,
    answers={201: RoundView},
    refusals=(*POSSIBLE, RoundNotForThisProgramme, BudgetTooSmall, NotFound),
)
async def plan(request: web.Request, actor: Actor, body: PlanRound) -> RoundView:
    await access.budget_for(actor, body.budget_id)
    drafted = RoundPlan(
        title=body.title,
        opens_at=body.opens_at,
        closes_at=body.closes_at,
        pool_fen=body.pool_fen,
        valid_until=body.valid_until,
        order_deadline=body.order_deadline,
    )
    row = await request.app[ROUNDS].plan(body.budget_id, drafted, actor=actor)
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/schedule",
    summary="Publish a round and settle who may be granted what. | 发布批次并核定可领取名单。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=MOVES,
)
async def schedule(request: web.Request, actor: Actor, path: RoundPath) -> RoundView:
    await access.round_for(actor, path.round_id)
    return await _shown(request, await request.app[ROUNDS].schedule(path.round_id, actor=actor))


@routes.post(
    "/api/v1/rounds/{round_id}/pause",
    summary="Halt a round. | 暂停批次。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=MOVES,
)
async def pause(request: web.Request, actor: Actor, path: RoundPath, body: Reason) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].pause(path.round_id, actor=actor, reason=body.reason)
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/resume",
    summary="Let a paused round go on. | 恢复批次。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=MOVES,
)
async def resume(request: web.Request, actor: Actor, path: RoundPath, body: Reason) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].resume(path.round_id, actor=actor, reason=body.reason)
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/close",
    summary="End a round. | 结束批次。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=MOVES,
)
async def close(request: web.Request, actor: Actor, path: RoundPath, body: Reason) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].close(path.round_id, actor=actor, reason=body.reason)
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/reopen",
    summary="Open a closed round again. | 重新开放批次。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=(*MOVES, *POSSIBLE, RoundRanked),
)
async def reopen(request: web.Request, actor: Actor, path: RoundPath, body: Reopen) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].reopen(
        path.round_id, closes_at=body.closes_at, actor=actor, reason=body.reason
    )
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/top-ups",
    summary="Give a round more money. | 追加批次资金。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=(NotPermittedNow, BudgetTooSmall),
)
async def top_up(request: web.Request, actor: Actor, path: RoundPath, body: Money) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].top_up(path.round_id, body.amount_fen, actor=actor, reason=body.reason)
    return await _shown(request, row)


@routes.post(
    "/api/v1/rounds/{round_id}/cuts",
    summary="Take unissued money out of a round. | 核减批次资金。",
    access=OPERATOR,
    answers={200: RoundView},
    refusals=(NotPermittedNow, PoolTooSmall),
)
async def cut(request: web.Request, actor: Actor, path: RoundPath, body: Money) -> RoundView:
    await access.round_for(actor, path.round_id)
    row = await request.app[ROUNDS].cut(path.round_id, body.amount_fen, actor=actor, reason=body.reason)
    return await _shown(request, row)


async def _budget_now(request: web.Request, actor: Actor, budget_id: int) -> datetime:
    budget = await access.budget_for(actor, budget_id)
    return request.app[CLOCKS].now(budget.programme_slug)


async def _shown(request: web.Request, row: Round) -> RoundView:
    """A round after a change, with its card in this process brought up to date."""
    await request.app[BOOK].refresh(row.id)
    return _view(request, await round_lists.one(row.id))


def _budget(budget: Budget) -> BudgetView:
    return BudgetView(
        id=budget.id,
        programme=budget.programme_slug,
        year=budget.year,
        total_fen=budget.total_fen,
        allotted_fen=budget.allotted_fen,
    )


def _view(request: web.Request, row: Round) -> RoundView:
    now = request.app[CLOCKS].now(row.budget.programme_slug)
    return RoundView(
        id=row.id,
        budget_id=row.budget_id,
        programme=row.budget.programme_slug,
        programme_version=row.budget.programme_version,
        title=row.title,
        status=row.status,
        phase=round_lists.phase(row, now),
        opens_at=row.opens_at,
        closes_at=row.closes_at,
        pool_fen=row.pool_fen,
        remaining_fen=row.pool_fen - row.issued_fen,
        valid_until=row.valid_until,
        order_deadline=row.order_deadline,
        now=now,
    )
