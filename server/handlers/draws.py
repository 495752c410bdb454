"""Draws over HTTP: where providers hold the vouchers, they draw them here, each for one project."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.contracts import ContractPath, ContractsQuery
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Fen
from server.keys import DRAWS
from server.services import draws
from server.services.access import Actor, NoOrganisation
from server.services.draws import (
    ContractNotSigned,
    Drawn,
    EnterpriseNotServed,
    FeesBeyondContract,
    NotDrawnHere,
    ProjectDrawnBefore,
)
from server.services.qualifications import ProgrammeNotRunning
from server.services.standings import NotInStanding
from server.services.voucher_holds import NothingToPay, YearNotOpen

routes = Routes("draws")

PAGE = 50


class DrawVoucher(Body):
    """Which project of the contract."""

    project: str = Field(min_length=2, max_length=200, description="The service project. | 服务项目名称。")
    fee_fen: Fen = Field(gt=0, description="Its fee, tax included, fen. | 项目服务费（含税），单位分。")


class DrawView(Answer):
    """A drawn voucher and its registered use."""

    id: int = Field(description="The draw. | 领取记录编号。")
    voucher_id: int = Field(description="Its voucher. | 服务券编号。")
    number: str = Field(description="The voucher's number. | 券号。")
    contract_id: int = Field(description="The contract. | 合同记录编号。")
    provider_id: int = Field(description="Who drew it. | 服务机构编号。")
    enterprise_id: int = Field(description="Who is served. | 服务对象编号。")
    project: str = Field(description="The service project. | 服务项目名称。")
    fee_fen: int = Field(description="The project's fee, fen. | 项目服务费，单位分。")
    amount_fen: int = Field(description="What the voucher is worth at most, fen. | 券面金额，单位分。")
    clause: str = Field(description="The provision that limits it. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    drawn_at: AwareDatetime = Field(description="When it was drawn. | 领取时间。")


class DrawnView(DrawView):
    """A voucher just drawn, with what the year has left: an information, nothing is reserved."""

    year_left_fen: int = Field(description="What the year has left, fen. | 年度剩余资金，单位分，仅供参考。")
    year_arithmetic: str = Field(description="How that was worked out. | 年度剩余资金的计算过程。")


class DrawList(Answer):
    """A page of draws, by id."""

    draws: list[DrawView] = Field(description="The draws. | 领取记录。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


@routes.post(
    "/api/v1/contracts/{contract_id}/draws",
    summary="Draw the voucher for one project of a contract. | 为合同中的服务项目领取服务券。",
    access=IN_CHARGE,
    answers={201: DrawnView},
    refusals=(
        NoOrganisation,
        NotDrawnHere,
        ProgrammeNotRunning,
        NotInStanding,
        ContractNotSigned,
        EnterpriseNotServed,
        ProjectDrawnBefore,
        FeesBeyondContract,
        NothingToPay,
        YearNotOpen,
    ),
)
async def draw(request: web.Request, actor: Actor, path: ContractPath, body: DrawVoucher) -> DrawnView:
    verbs = request.app[DRAWS]
    drawn = await verbs.draw(path.contract_id, body.project, body.fee_fen, actor=actor)
    left = await verbs.money_left(drawn)
    return DrawnView(
        **_view(drawn).model_dump(), year_left_fen=left.amount_fen, year_arithmetic=left.arithmetic
    )


@routes.get(
    "/api/v1/draws",
    summary="The vouchers drawn by my organisation, or for it. | 本单位的领券记录。",
    access=PERSON,
    answers={200: DrawList},
    refusals=(NoOrganisation,),
)
async def drawn_so_far(request: web.Request, actor: Actor, query: ContractsQuery) -> DrawList:
    rows = await draws.page(actor=actor, after=query.after, limit=PAGE + 1)
    return DrawList(
        draws=[_view(one) for one in rows[:PAGE]],
        next_after=rows[PAGE - 1].draw.id if len(rows) > PAGE else None,
    )


def _view(drawn: Drawn) -> DrawView:
    row = drawn.draw
    return DrawView(
        id=row.id,
        voucher_id=row.voucher_id,
        number=drawn.voucher.number,
        contract_id=row.contract_id,
        provider_id=row.provider_id,
        enterprise_id=row.enterprise_id,
        project=row.project,
        fee_fen=row.fee_fen,
        amount_fen=drawn.voucher.face_value_fen,
        clause=row.clause,
        arithmetic=row.arithmetic,
        drawn_at=row.drawn_at,
    )
