"""Orders over HTTP: opening one, doing its steps through one uniform door, and ending it."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, Routes
from server.handlers.order_views import (
    ORDER_READERS,
    ChecklistView,
    OrderList,
    OrderView,
    summary_of,
    unmet_view,
    view_of,
)
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, next_page
from server.handlers.parsing import Body, Day, Fen, Id, Path, Query, SeenVersion
from server.keys import ORDER_OPENING, ORDERS
from server.programme.registry import UnknownProgramme
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.budgets import ContractsPaused
from server.rules.fair_price import PriceReasonMissing
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.rules.order_walk import StepDoneAlready, StepTooLate
from server.rules.orders import OrderStatus
from server.rules.steps import NotYourStep, StepOutOfTurn
from server.rules.uscc import UsccInvalid, checked_uscc
from server.services.access import Actor, NoOrganisation
from server.services.admissions.qualifications import ProgrammeNotRunning
from server.services.admissions.standings import NotInStanding
from server.services.allowances import TooManyToday
from server.services.budgets.annual_notices import KindNotAnnounced, KindNotNow, KindUnknown
from server.services.budgets.budgets import BudgetTooSmall
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.marketplace.offering_book import OfferingNotListed
from server.services.orders import order_lists
from server.services.orders.contract_steps import ContractKnown
from server.services.orders.order_opening import (
    DealForbidden,
    NotYoursToOpen,
    OfferingNeeded,
    OrderUnusable,
    OtherSideUnknown,
    OutOfScope,
    Sketch,
)
from server.services.orders.order_papers import HandIn
from server.services.orders.order_wishes import NothingToSendBack, OrderMovedOn, StepUnmet, Wish
from server.services.orders.voucher_requests import PeriodNotOpen, RequestedAlready
from server.services.payments.escrows import EscrowShort
from server.services.payments.invoices import PaperIsSummaryInvoice, PaperUsedBefore
from server.services.vouchers.issuing import PoolExhausted
from server.services.vouchers.order_purse import (
    NothingToPay,
    UsedTooOften,
    VoucherUnusable,
    WantedTooMuch,
    YearNotOpen,
)

routes = Routes("orders")

PAGE = 50
MONEY_REFUSALS = (
    YearNotOpen,
    VoucherUnusable,
    NothingToPay,
    WantedTooMuch,
    UsedTooOften,
    BudgetTooSmall,
    ContractsPaused,
    KindNotNow,
)
"""What the money of a step may refuse."""
STEP_REFUSALS = (
    NoOrganisation,
    OrderMovedOn,
    NotPermittedNow,
    IllegalMove,
    StepOutOfTurn,
    NotYourStep,
    StepDoneAlready,
    StepTooLate,
    StepUnmet,
    FilesUnknown,
    FileUnacceptable,
    ContractKnown,
    NotInStanding,
    PeriodNotOpen,
    PoolExhausted,
    RequestedAlready,
    *MONEY_REFUSALS,
    PaperUsedBefore,
    PaperIsSummaryInvoice,
    EscrowShort,
    TooManyToday,
)


class PaperBody(Body):
    """A document handed in: its files, and what stands on it where that counts."""

    code: str = Field(max_length=64, description="The document's code. | 材料代码。")
    file_ids: list[Id] = Field(
        default=[], max_length=50, description="Uploaded before, in order. | 已上传的文件编号，按顺序。"
    )
    number: str = Field(default="", max_length=64, description="Its number. | 发票号码、回单号等。")
    amount_fen: Fen | None = Field(default=None, description="Its amount, fen. | 金额，单位分。")
    dated: Day | None = Field(default=None, strict=False, description="Its date. | 日期。")
    payer: str = Field(default="", max_length=200, description="Payer or buyer. | 付款方（购买方）。")
    payee: str = Field(default="", max_length=200, description="Payee or seller. | 收款方（销售方）。")


class StepBody(Body):
    """What one side says and hands in with a step."""

    values: dict[str, Any] = Field(
        default={}, max_length=50, description="The step's fields by code. | 按字段代码填写的内容。"
    )
    papers: list[PaperBody] = Field(default=[], max_length=50, description="Its documents. | 材料。")


class TakeStep(StepBody):
    """A step, on the order as it was shown."""

    version: SeenVersion


class OpenOrder(StepBody):
    """An order to open."""

    programme: str = Field(max_length=64, description="The programme's slug. | 项目代码。")
    offering_id: Id | None = Field(default=None, description="The offering. | 服务产品编号。")
    other_uscc: str = Field(
        default="",
        max_length=40,
        description="The other side, if no offering names it. | 对方统一社会信用代码。",
    )
    as_party: Party | None = Field(
        default=None, strict=False, description="Which side I am, if it is open. | 本单位是企业还是服务机构。"
    )
    category: str = Field(default="", max_length=64, description="Category code. | 服务类别代码。")
    project: str = Field(default="", max_length=200, description="What is served. | 服务项目名称。")
    price_fen: Fen | None = Field(default=None, gt=0, description="Agreed price, fen. | 约定价格，单位分。")
    kind: str = Field(default="", max_length=32, description="Kind of voucher. | 券种代码，只有一种则不填。")
    wanted_fen: Fen | None = Field(default=None, gt=0, description="To spend at most, fen. | 拟用券额。")
    voucher_id: Id | None = Field(default=None, description="Which voucher. | 使用哪张服务券。")
    price_reason: str = Field(
        default="", max_length=500, description="Why the price differs. | 价格差异的说明。"
    )
    other_public_money: bool = Field(
        default=False,
        description="Other public money pays for the same. | 本项服务已享受或正申请其他财政资金。",
    )


class OrderPath(Path):
    """An order."""

    order_id: Id = Field(description="The order. | 订单编号。")


class StepPath(OrderPath):
    """A step of an order."""

    step: StepKind = Field(strict=False, description="The step. | 步骤代码。")


class OrdersQuery(Query):
    """Which orders."""

    after: AfterId = 0
    party: Party | None = Field(default=None, strict=False, description="As which side. | 作为哪一方。")
    status: OrderStatus | None = Field(default=None, strict=False, description="In which state. | 状态。")


class Reasoned(Body):
    """A reason, on the order as it was shown."""

    version: SeenVersion
    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["双方协商一致"])


class Checklist(StepBody):
    """What somebody means to do."""


@routes.post(
    "/api/v1/orders",
    summary="Open an order. | 下单或发起合同。",
    access=IN_CHARGE,
    answers={201: OrderView},
    refusals=(
        *STEP_REFUSALS,
        TooManyToday,
        UnknownProgramme,
        UsccInvalid,
        ProgrammeNotRunning,
        NotYoursToOpen,
        OfferingNeeded,
        OfferingNotListed,
        OtherSideUnknown,
        OutOfScope,
        OrderUnusable,
        DealForbidden,
        PriceReasonMissing,
        KindUnknown,
        KindNotAnnounced,
    ),
)
async def open_order(request: web.Request, actor: Actor, body: OpenOrder) -> OrderView:
    sketch = Sketch(
        offering_id=body.offering_id,
        other_uscc=checked_uscc(body.other_uscc) if body.other_uscc else "",
        party=body.as_party,
        category=body.category,
        project=body.project,
        price_fen=body.price_fen,
        kind=body.kind,
        wanted_fen=body.wanted_fen,
        voucher_id=body.voucher_id,
        price_reason=body.price_reason,
        other_public_money=body.other_public_money,
    )
    order = await request.app[ORDER_OPENING].open(body.programme, sketch, _wish(body), actor=actor)
    return await order_shown(request, order.id, actor)


@routes.get(
    "/api/v1/orders",
    summary="My organisation's orders; for staff, those of their programmes. | 订单列表。",
    access=ORDER_READERS,
    answers={200: OrderList},
    refusals=(NoOrganisation,),
)
async def orders(request: web.Request, actor: Actor, query: OrdersQuery) -> OrderList:
    rows = await order_lists.page(
        actor=actor, after=query.after, limit=PAGE + 1, party=query.party, status=query.status
    )
    return OrderList(
        orders=[summary_of(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/orders/{order_id}",
    summary="One order: its steps, whose turn it is, and what is asked of me. | 订单详情。",
    access=ORDER_READERS,
    answers={200: OrderView},
    refusals=(NoOrganisation,),
)
async def order(request: web.Request, actor: Actor, path: OrderPath) -> OrderView:
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/steps/{step}",
    summary="Do a step of an order. | 办理订单的一个步骤。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=STEP_REFUSALS,
)
async def take(request: web.Request, actor: Actor, path: StepPath, body: TakeStep) -> OrderView:
    await request.app[ORDERS].take(path.order_id, path.step, _wish(body), version=body.version, actor=actor)
    return await order_shown(request, path.order_id, actor)


@routes.post(
    "/api/v1/orders/{order_id}/steps/{step}/checklist",
    summary="What is missing before I do this step? | 提交前检查缺少什么。",
    access=PERSON,
    answers={200: ChecklistView},
    refusals=(
        NoOrganisation,
        NotPermittedNow,
        StepOutOfTurn,
        NotYourStep,
        StepDoneAlready,
        StepTooLate,
        FilesUnknown,
        UsedTooOften,
    ),
)
async def checklist(request: web.Request, actor: Actor, path: StepPath, body: Checklist) -> ChecklistView:
    unmet = await request.app[ORDERS].checklist(path.order_id, path.step, _wish(body), actor=actor)
    return ChecklistView(missing=[unmet_view(one) for one in unmet])


@routes.post(
    "/api/v1/orders/{order_id}/return",
    summary="Send the order back to the step before. | 退回上一步。",
    access=IN_CHARGE,
    answers={200: OrderView},
    refusals=(NoOrganisation, OrderMovedOn, NotPermittedNow, NothingToSendBack),
)
async def send_back(request: web.Request, actor: Actor, path: OrderPath, body: Reasoned) -> OrderView:
    await request.app[ORDERS].send_back(path.order_id, reason=body.reason, version=body.version, actor=actor)
    return await order_shown(request, path.order_id, actor)


def _wish(body: StepBody) -> Wish:
    return Wish(
        values=body.values,
        papers=[
            HandIn(
                code=one.code,
                file_ids=tuple(one.file_ids),
                number=one.number,
                amount_fen=one.amount_fen,
                dated=one.dated,
                payer=one.payer,
                payee=one.payee,
            )
            for one in body.papers
        ],
    )


async def order_shown(request: web.Request, order_id: int, actor: Actor) -> OrderView:
    """An order as it stands now, for whoever asks."""
    return view_of(await order_lists.shown(request.app[ORDERS], order_id, actor=actor))
