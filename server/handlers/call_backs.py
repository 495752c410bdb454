"""Call-backs over HTTP: lists of whom to ask, what each try came to, and what a list adds up to."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.supervision_forms import BeforeQuery
from server.handlers.supervision_views import CLAUSE, LONGEST, PROGRAMME
from server.keys import SUPERVISION
from server.models.supervision import CallBack, CallBackList
from server.programme.registry import UnknownProgramme
from server.rules.supervision import CallBackStatus, CallMethod, CallOutcome
from server.services.access import Actor
from server.services.reviews.reviewers import OwnReview
from server.services.supervision import call_backs
from server.services.supervision.call_backs import MOST_CALLS, CallAnswerUnusable, CallListUnusable, CallOver
from server.services.supervision.supervision_book import SUPERVISORS, WordsMissing
from server.services.supervision.supervision_samples import SampleNotDrawn

routes = Routes("call_backs")

OFFICIALS = staff(*sorted(SUPERVISORS))


class CallListPath(Path):
    """A list."""

    call_list_id: Id = Field(description="The list. | 回访名单编号。")


class CallPath(Path):
    """A call-back."""

    call_id: Id = Field(description="The call-back. | 回访编号。")


class CallQuery(Query):
    """Which call-backs, from where."""

    status: CallBackStatus | None = Field(default=None, description="Which status. | 状态。")
    after: AfterId = 0


class MakeCallList(Body):
    """Which orders are asked about."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    order_ids: list[Id] = Field(
        min_length=1, max_length=MOST_CALLS, description="The orders. | 订单编号。", examples=[[1]]
    )
    draw_id: Id | None = Field(default=None, description="The draw they come from. | 抽样编号。")
    reason: str = Field(default="", max_length=LONGEST, description="Why these, where named. | 指定理由。")
    script: list[str] = Field(default=[], max_length=20, description="What is asked. | 回访话术，空为默认。")


class CallMade(Body):
    """What one try came to."""

    outcome: CallOutcome = Field(
        description="answered, no_answer, wrong_number or declined. | 结果。", examples=["no_answer"]
    )
    method: CallMethod = Field(description="phone or visit. | 方式。", examples=["phone"])
    level: str = Field(default="", max_length=32, description="Of the programme's scale. | 满意度。")
    words: str = Field(default="", max_length=LONGEST, description="What was said. | 意见。")
    remark: str = Field(default="", max_length=500, description="A remark. | 备注。")


class CallListView(Answer):
    """A list of call-backs."""

    id: int = Field(description="The list. | 名单编号。")
    number: str = Field(description="Its number. | 名单号。")
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description="Programme year. | 年度。")
    clause: str = Field(description=CLAUSE)
    draw_id: int | None = Field(description="The draw it comes from. | 抽样编号，空为指定。")
    reason: str = Field(description="Why these. | 指定理由。")
    script: list[str] = Field(description="What is asked. | 回访话术。")
    made_at: AwareDatetime = Field(description="When. | 制定时间。")


class CallListMade(CallListView):
    """A list just made."""


class CallListsView(Answer):
    """A page of lists, newest first."""

    lists: list[CallListView] = Field(description="The lists. | 回访名单。")
    next_before: NextPage


class CallView(Answer):
    """One call-back."""

    id: int = Field(description="The call-back. | 回访编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    enterprise_id: int = Field(description="The enterprise that is asked. | 企业编号。")
    enterprise: str = Field(description="Its name. | 企业名称。")
    project: str = Field(description="What was served. | 项目。")
    status: CallBackStatus = Field(description="waiting, answered or declined. | 状态。")
    attempts: int = Field(description="How often it was tried. | 联系次数。")
    level: str = Field(description="What was answered. | 满意度。")
    words: str = Field(description="What was said. | 意见。")


class CallSummary(Answer):
    """What a list came to so far."""

    asked: int = Field(description="On the list. | 名单总数。")
    answered: int = Field(description="Answered. | 已答复。")
    declined: int = Field(description="Declined. | 拒绝答复。")
    waiting: int = Field(description="Not reached yet; they stay on the list. | 未联系上，保留在名单中。")
    attempts: int = Field(description="Tries together. | 联系总次数。")
    by_level: dict[str, int] = Field(description="Answers by level. | 各等级数量。")
    average_bp: int | None = Field(description="Mean, 10000 is the best. | 平均得分，万分制。")


class CallListDetail(CallListView):
    """A list with its call-backs and its sum."""

    summary: CallSummary = Field(description="What it came to. | 汇总。")
    calls: list[CallView] = Field(description="A page of its call-backs. | 回访记录。")
    next_after: NextPage


class CallTried(Answer):
    """A call-back after a try."""

    id: int = Field(description="The call-back. | 回访编号。")
    status: CallBackStatus = Field(description="waiting, answered or declined. | 状态。")
    attempts: int = Field(description="How often it was tried. | 联系次数。")


@routes.post(
    "/api/v1/call-back-lists",
    summary="Make a list of orders whose enterprises are asked. | 制定回访名单。",
    access=OFFICIALS,
    answers={201: CallListMade},
    refusals=(UnknownProgramme, CallListUnusable, SampleNotDrawn, WordsMissing),
)
async def make(request: web.Request, actor: Actor, body: MakeCallList) -> CallListMade:
    made = await request.app[SUPERVISION].call_backs.make(
        body.programme,
        body.order_ids,
        draw_id=body.draw_id,
        reason=body.reason,
        script=body.script,
        actor=actor,
    )
    return CallListMade.model_validate(_list(made))


@routes.get(
    "/api/v1/call-back-lists",
    summary="Lists of call-backs, newest first. | 回访名单列表。",
    access=OFFICIALS,
    answers={200: CallListsView},
)
async def lists(request: web.Request, actor: Actor, query: BeforeQuery) -> CallListsView:
    rows = await call_backs.listed(actor, programme=query.programme, before=query.before)
    shown = rows[: call_backs.PAGE]
    return CallListsView(
        lists=[CallListView.model_validate(_list(one)) for one in shown],
        next_before=next_page(rows, call_backs.PAGE),
    )


@routes.get(
    "/api/v1/call-back-lists/{call_list_id}",
    summary="A list with its call-backs and what it came to. | 回访名单详情和汇总。",
    access=OFFICIALS,
    answers={200: CallListDetail},
)
async def detail(request: web.Request, actor: Actor, path: CallListPath, query: CallQuery) -> CallListDetail:
    made = await call_backs.list_for(actor, path.call_list_id)
    summary = await request.app[SUPERVISION].call_backs.summary(made)
    rows = await call_backs.calls_of(made.id, status=query.status, after=query.after)
    shown = rows[: call_backs.PAGE]
    return CallListDetail.model_validate(
        {
            **_list(made),
            "summary": CallSummary(
                asked=summary.asked,
                answered=summary.answered,
                declined=summary.declined,
                waiting=summary.waiting,
                attempts=summary.attempts,
                by_level=dict(summary.by_level),
                average_bp=summary.average_bp,
            ),
            "calls": [_call(one) for one in shown],
            "next_after": next_page(rows, call_backs.PAGE),
        }
    )


@routes.post(
    "/api/v1/call-backs/{call_id}/attempts",
    summary="Put down one try to reach an enterprise. | 登记一次回访。",
    access=OFFICIALS,
    answers={200: CallTried},
    refusals=(CallOver, CallAnswerUnusable, OwnReview),
)
async def attempt(request: web.Request, actor: Actor, path: CallPath, body: CallMade) -> CallTried:
    call = await request.app[SUPERVISION].call_backs.attempt(
        path.call_id,
        body.outcome,
        method=body.method,
        level=body.level,
        words=body.words,
        remark=body.remark,
        actor=actor,
    )
    return CallTried(id=call.id, status=call.status, attempts=call.attempts)


def _list(made: CallBackList) -> dict[str, object]:
    return {
        "id": made.id,
        "number": made.number,
        "programme": made.programme_slug,
        "year": made.year,
        "clause": made.clause,
        "draw_id": made.draw_id,
        "reason": made.reason,
        "script": made.script,
        "made_at": made.made_at,
    }


def _call(call: CallBack) -> CallView:
    return CallView(
        id=call.id,
        order_id=call.order_id,
        enterprise_id=call.order.enterprise_id,
        enterprise=call.order.enterprise.name,
        project=call.order.project,
        status=call.status,
        attempts=call.attempts,
        level=call.level,
        words=call.words,
    )
