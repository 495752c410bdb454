"""Looking ahead before anybody signs: what a voucher would pay, and what money is left."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.parsing import Query
from server.keys import OUTLOOKS
from server.programme.registry import UnknownProgramme
from server.services.access import Actor, NoOrganisation
from server.services.budgets.annual_notices import KindNotAnnounced, KindUnknown
from server.services.orders.order_opening import OutOfScope

routes = Routes("outlooks")


class OutlookQuery(Query):
    """A contract one thinks of."""

    programme: str = Field(max_length=64, description="The programme's slug. | 项目代码。")
    category: str = Field(max_length=64, description="Category code. | 服务类别代码。")
    amount_fen: int = Field(ge=1, le=10**15, description="Contract amount, fen. | 合同金额，单位分。")
    kind: str = Field(default="", max_length=32, description="Kind of voucher. | 券种代码，只有一种则不填。")


class PeriodView(Answer):
    """A period that takes requests now."""

    round_id: int = Field(description="The round. | 批次编号。")
    title: str = Field(description="Its title. | 批次名称。")
    left_fen: int = Field(description="Not yet issued, fen. | 剩余金额，单位分。")


class OutlookView(Answer):
    """What a contract could get now; nothing of it is a promise."""

    voucher_fen: int = Field(description="What a voucher may pay at most, fen. | 可抵用金额，单位分。")
    clause: str = Field(description="The provision that limits it. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    deposit_fen: int = Field(description="Deposit at signing, fen. | 定金，单位分。")
    escrow_fen: int = Field(description="Bond held by the operator, fen. | 保证金，单位分。")
    rest_fen: int = Field(description="Paid at the end, fen. | 余款，单位分。")
    shares: str = Field(description="How the price is divided. | 价款构成。")
    year_left_fen: int | None = Field(description="What the year still covers, fen. | 年度剩余资金，单位分。")
    year_arithmetic: str = Field(description="How that was worked out. | 年度剩余资金的计算过程。")
    periods: list[PeriodView] = Field(description="Periods that take requests now. | 当前可申请的批次。")


@routes.get(
    "/api/v1/contract-outlook",
    summary="What would a voucher pay, and what money is left? | 签约前查看可抵用金额和剩余资金。",
    access=PERSON,
    answers={200: OutlookView},
    refusals=(NoOrganisation, UnknownProgramme, KindUnknown, KindNotAnnounced, OutOfScope),
)
async def outlook(request: web.Request, actor: Actor, query: OutlookQuery) -> OutlookView:
    ahead = await request.app[OUTLOOKS].ahead(
        query.programme, category=query.category, amount_fen=query.amount_fen, kind=query.kind, actor=actor
    )
    return OutlookView(
        voucher_fen=ahead.paid.amount_fen,
        clause=ahead.paid.clause,
        arithmetic=ahead.paid.arithmetic,
        deposit_fen=ahead.shares.deposit_fen,
        escrow_fen=ahead.shares.escrow_fen,
        rest_fen=ahead.shares.rest_fen,
        shares=ahead.shares.arithmetic,
        year_left_fen=None if ahead.year_left is None else ahead.year_left.amount_fen,
        year_arithmetic="" if ahead.year_left is None else ahead.year_left.arithmetic,
        periods=[
            PeriodView(round_id=one.round_id, title=one.title, left_fen=one.left_fen) for one in ahead.periods
        ],
    )
