"""Requests for vouchers over HTTP: on a signed contract, one a contract, in the line of a period."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import VOUCHER_REQUESTS
from server.models.voucher_requests import VoucherRequest
from server.rules.lifecycles import IllegalMove
from server.rules.request_line import RequestStatus
from server.services.access import Actor, NoOrganisation
from server.services.orders import request_book
from server.services.orders.order_wishes import OrderMovedOn
from server.services.orders.request_book import RequestMovedOn
from server.services.reviews.reviews import CaseMovedOn

routes = Routes("voucher-requests")

PAGE = 50


class RequestsQuery(Query):
    """Where a page starts."""

    after: AfterId = 0


class RequestPath(Path):
    """A request."""

    request_id: Id = Field(description="The request. | 申请编号。")


class Withdraw(Body):
    """Why, if one likes to say."""

    reason: str = Field(default="", max_length=500, description="Why. | 撤回原因，可不填。")


class RequestView(Answer):
    """A request and what became of it."""

    id: int = Field(description="The request. | 申请编号。")
    round_id: int = Field(description="The period. | 批次编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    order_number: str = Field(description="Its number. | 订单号。")
    project: str = Field(description="What is served. | 服务项目名称。")
    contract_fen: int = Field(description="Contract amount, fen. | 合同金额，单位分。")
    status: RequestStatus = Field(description="Where it stands. | 状态。")
    requested_at: AwareDatetime = Field(description="When it was made: its place. | 申请时间，据此排序。")
    expected_fen: int = Field(description="What the rules gave then, fen. | 申请时可用金额，单位分。")
    amount_fen: int | None = Field(description="What was worked out or issued, fen. | 核定金额，单位分。")
    clause: str = Field(description="The provision it rests on. | 依据条款。")
    arithmetic: str = Field(description="The sum behind it. | 计算过程。")
    reason: str = Field(description="Why it was refused or returned. | 未通过或退回的原因。")
    voucher_id: int | None = Field(description="The voucher, once issued. | 服务券编号。")


class RequestList(Answer):
    """A page of requests, by id."""

    requests: list[RequestView] = Field(description="The requests. | 申请列表。")
    next_after: NextPage


@routes.get(
    "/api/v1/voucher-requests",
    summary="My organisation's requests. | 本单位的服务券申请。",
    access=PERSON,
    answers={200: RequestList},
    refusals=(NoOrganisation,),
)
async def requests(request: web.Request, actor: Actor, query: RequestsQuery) -> RequestList:
    rows = await request_book.page(actor=actor, after=query.after, limit=PAGE + 1)
    return RequestList(
        requests=[_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/voucher-requests/{request_id}",
    summary="One request. | 申请详情。",
    access=PERSON,
    answers={200: RequestView},
    refusals=(NoOrganisation,),
)
async def one(request: web.Request, actor: Actor, path: RequestPath) -> RequestView:
    return await _shown(path.request_id, actor)


@routes.post(
    "/api/v1/voucher-requests/{request_id}/withdrawal",
    summary="Give a request up before it is issued. | 撤回尚未发放的申请。",
    access=IN_CHARGE,
    answers={200: RequestView},
    refusals=(NoOrganisation, IllegalMove, OrderMovedOn, RequestMovedOn, CaseMovedOn),
)
async def withdraw(request: web.Request, actor: Actor, path: RequestPath, body: Withdraw) -> RequestView:
    await request.app[VOUCHER_REQUESTS].withdraw(path.request_id, reason=body.reason, actor=actor)
    return await _shown(path.request_id, actor)


async def _shown(request_id: int, actor: Actor) -> RequestView:
    return _view(await request_book.own(request_id, actor=actor))


def _view(row: VoucherRequest) -> RequestView:
    return RequestView(
        id=row.id,
        round_id=row.round_id,
        order_id=row.order_id,
        order_number=row.order.number,
        project=row.order.project,
        contract_fen=row.order.contract_fen or row.order.price_fen,
        status=row.status,
        requested_at=row.requested_at,
        expected_fen=row.expected_fen,
        amount_fen=row.amount_fen,
        clause=row.clause,
        arithmetic=row.arithmetic,
        reason=row.reason,
        voucher_id=row.voucher_id,
    )
