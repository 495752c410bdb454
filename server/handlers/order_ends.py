"""How orders end before they are done, over HTTP, and how a payment goes back."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Routes, staff
from server.handlers.order_views import OrderView
from server.handlers.orders import OrderPath, Reasoned, order_shown
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Id, SeenVersion
from server.keys import ORDER_ENDS, PAYMENT_RETURNS
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.orders.order_ends import (
    CancellationAskedAlready,
    CancellationIncomplete,
    CannotDecline,
    NotHeldBack,
    NothingToTakeBack,
    NotYoursToCancel,
)
from server.services.orders.order_wishes import OrderMovedOn
from server.services.orders.request_book import RequestMovedOn
from server.services.orders.reviewed_orders import PaymentNotReturned, PaymentReturnAsked
from server.services.reviews.reviews import CaseMovedOn

routes = Routes("order-ends")


class Cancel(Reasoned):
    """A written request to cancel."""

    file_ids: list[Id] = Field(
        default=[], max_length=20, description="The written request. | 书面申请的文件编号。"
    )


class Termination(Body):
    """Why an order will not be performed."""

    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["企业注销"])


class Clearance(Termination):
    """What the operator found."""

    allowed: bool = Field(description="Whether the order goes on. | 是否放行。")


class Versioned(Body):
    """The order as it was shown."""

    version: SeenVersion


@routes.post(
    "/api/v1/orders/{order_id}/decline",
    summary="Do not take the order on. | 服务机构拒绝接单。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=(NoOrganisation, OrderMovedOn, NotPermittedNow, IllegalMove, CannotDecline),
)
async def decline(request: web.Request, actor: Actor, path: OrderPath, body: Reasoned) -> OrderView:
    await request.app[ORDER_ENDS].decline(
        path.order_id, reason=body.reason, version=body.version, actor=actor
    )
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/cancellation",
    summary="Take the order back, or ask that it be cancelled. | 撤回订单或申请取消订单。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=(
        NoOrganisation,
        OrderMovedOn,
        NotPermittedNow,
        IllegalMove,
        NotYoursToCancel,
        CancellationIncomplete,
        CancellationAskedAlready,
        RequestMovedOn,
        CaseMovedOn,
        FilesUnknown,
        FileUnacceptable,
    ),
)
async def cancel(request: web.Request, actor: Actor, path: OrderPath, body: Cancel) -> OrderView:
    await request.app[ORDER_ENDS].cancel(
        path.order_id, reason=body.reason, file_ids=body.file_ids, version=body.version, actor=actor
    )
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/cancellation/withdrawal",
    summary="Take back my request to cancel. | 撤回取消申请。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=(NoOrganisation, OrderMovedOn, NothingToTakeBack, IllegalMove, CaseMovedOn),
)
async def take_back(request: web.Request, actor: Actor, path: OrderPath, body: Versioned) -> OrderView:
    await request.app[ORDER_ENDS].take_back(path.order_id, version=body.version, actor=actor)
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/payment-return",
    summary="Ask that a voucher received go back to its payer. | 申请退回支付的服务券。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=(NoOrganisation, OrderMovedOn, PaymentNotReturned, PaymentReturnAsked),
)
async def return_payment(request: web.Request, actor: Actor, path: OrderPath, body: Reasoned) -> OrderView:
    await request.app[PAYMENT_RETURNS].ask(
        path.order_id, reason=body.reason, version=body.version, actor=actor
    )
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/termination",
    summary="Record that an order will not be performed. | 登记订单不能履行，释放冻结的券额。",
    access=staff(StaffRole.OPERATOR),
    answers={200: OrderView},
    refusals=(OrderMovedOn, NotPermittedNow, IllegalMove, RequestMovedOn, CaseMovedOn),
)
async def terminate(request: web.Request, actor: Actor, path: OrderPath, body: Termination) -> OrderView:
    await request.app[ORDER_ENDS].terminate(path.order_id, reason=body.reason, actor=actor)
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/clearance",
    summary="Let an order that was held back go on, or end it. | 核对后放行或终止订单。",
    access=staff(StaffRole.OPERATOR, StaffRole.AUTHORITY),
    answers={200: OrderView},
    refusals=(OrderMovedOn, NotHeldBack, IllegalMove),
)
async def clear(request: web.Request, actor: Actor, path: OrderPath, body: Clearance) -> OrderView:
    await request.app[ORDER_ENDS].clear(path.order_id, allowed=body.allowed, reason=body.reason, actor=actor)
    return await order_shown(request, path.order_id, actor)
