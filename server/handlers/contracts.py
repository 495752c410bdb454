"""Contracts over HTTP: entering, signing and ending them, and looking ahead before anybody signs."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Access, Answer, Routes, staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Day, Fen, Id, Path, Query
from server.keys import CONTRACTS, OUTLOOKS
from server.models.contracts import Contract
from server.models.organisations import MemberRole
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Party
from server.rules.budgets import ContractsPaused
from server.rules.contracts import ContractStatus
from server.rules.lifecycles import IllegalMove
from server.rules.uscc import UsccInvalid, checked_uscc
from server.services import contract_lists
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.allowances import TooManyToday
from server.services.annual_notices import KindNotAnnounced, KindNotNow, KindUnknown
from server.services.budgets import BudgetTooSmall
from server.services.contract_sketches import ContractUnusable, NotAParty, NotYoursToMake, Sketch
from server.services.contracts import ContractInUse, ContractKnown, PartyNotRegistered, SignedAlready
from server.services.file_safety import FileUnacceptable
from server.services.files import FilesUnknown
from server.services.qualifications import ProgrammeNotRunning
from server.services.standings import NotInStanding
from server.services.voucher_holds import NothingToPay, YearNotOpen

routes = Routes("contracts")

PAGE = 50
READERS = Access(
    frozenset({"person", "staff"}), frozenset({*MemberRole, *StaffRole} - {StaffRole.ADMINISTRATOR})
)
"""Both sides, and whoever works on a programme; an administrator keeps accounts only."""


class EnterContract(Body):
    """A contract between an enterprise and a provider. A day only where it is not signed on the platform."""

    programme: str = Field(max_length=64, description="The programme's slug. | 项目代码。")
    enterprise_uscc: str = Field(max_length=40, description="The enterprise's code. | 企业统一社会信用代码。")
    enterprise_name: str = Field(
        min_length=2, max_length=200, description="Its name in the contract. | 合同上的企业名称。"
    )
    provider_uscc: str = Field(max_length=40, description="The provider's code. | 服务机构统一社会信用代码。")
    provider_name: str = Field(
        min_length=2, max_length=200, description="Its name in the contract. | 合同上的服务机构名称。"
    )
    number: str = Field(min_length=1, max_length=64, description="The contract's number. | 合同编号。")
    project: str = Field(min_length=2, max_length=200, description="What is served. | 服务项目名称。")
    category: str = Field(max_length=64, description="Category code of the programme. | 服务类别代码。")
    amount_fen: Fen = Field(gt=0, description="Amount, tax included, fen. | 合同金额（含税），单位分。")
    signed_on: Day | None = Field(
        default=None, strict=False, description="The day it was signed. | 签订日期，平台上签订的不填。"
    )
    kind: str = Field(
        default="", max_length=32, description="Kind of voucher, where there are several. | 券种代码。"
    )
    wanted_fen: Fen | None = Field(
        default=None,
        gt=0,
        description="The most to spend of the voucher, fen. | 拟用券额，不填为可用最高额。",
    )
    file_ids: list[Id] = Field(
        default=[], max_length=50, description="Its pages, uploaded before. | 已上传的合同文件编号。"
    )


class ContractPath(Path):
    """A contract."""

    contract_id: Id = Field(description="The contract. | 合同记录编号。")


class Sign(Body):
    """A signature."""

    wanted_fen: Fen | None = Field(
        default=None, gt=0, description="The most to spend of the voucher, fen. | 拟用券额，企业可填。"
    )


class Failure(Body):
    """Why a contract will not be performed."""

    reason: str = Field(min_length=2, max_length=500, description="Why. | 原因。", examples=["双方协商终止"])


class ContractsQuery(Query):
    """Where a page starts."""

    after: int = Field(default=0, ge=0, description="After this id. | 从该编号之后开始。")


class ContractView(Answer):
    """A contract, and what its voucher pays."""

    id: int = Field(description="The contract. | 合同记录编号。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    programme_version: str = Field(description="The version it stands under. | 适用的政策版本。")
    notice_year: int | None = Field(description="The yearly notice it stands under. | 适用的年度申报通知。")
    status: ContractStatus = Field(description="Where it stands. | 状态。")
    made_by: Party = Field(description="Who entered it. | 登记方。")
    enterprise_id: int = Field(description="The enterprise. | 企业编号。")
    enterprise_name: str = Field(description="Its name in the contract. | 合同上的企业名称。")
    provider_id: int | None = Field(description="The provider, if registered. | 服务机构编号，未登记则为空。")
    provider_uscc: str = Field(description="Its code. | 服务机构统一社会信用代码。")
    provider_name: str = Field(description="Its name in the contract. | 合同上的服务机构名称。")
    number: str = Field(description="The contract's number. | 合同编号。")
    project: str = Field(description="What is served. | 服务项目名称。")
    category: str = Field(description="Category code. | 服务类别代码。")
    kind: str = Field(description="Kind of voucher, or empty. | 券种代码，只有一种则为空。")
    amount_fen: int = Field(description="Amount, fen. | 合同金额，单位分。")
    signed_on: date | None = Field(description="The day it was signed. | 签订日期，未签订则为空。")
    enterprise_signed: bool = Field(description="The enterprise has signed here. | 企业是否已签署。")
    provider_signed: bool = Field(description="The provider has signed here. | 服务机构是否已签署。")
    voucher_fen: int = Field(description="Frozen of the quota at signing, fen. | 冻结的券额，单位分。")
    clause: str = Field(description="The provision that limits it. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    created_at: AwareDatetime = Field(description="When it was entered. | 登记时间。")
    reason: str = Field(description="Why it came to nothing. | 终止原因。")


class ContractList(Answer):
    """A page of contracts, by id."""

    contracts: list[ContractView] = Field(description="The contracts. | 合同列表。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


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
    refusals=(NoOrganisation, UnknownProgramme, KindUnknown, KindNotAnnounced, ContractUnusable),
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


@routes.post(
    "/api/v1/contracts",
    summary="Enter a contract of mine. | 登记服务合同。",
    access=IN_CHARGE,
    answers={201: ContractView},
    refusals=(
        NoOrganisation,
        TooManyToday,
        UnknownProgramme,
        UsccInvalid,
        ProgrammeNotRunning,
        NotAParty,
        NotYoursToMake,
        PartyNotRegistered,
        ContractUnusable,
        ContractKnown,
        KindUnknown,
        KindNotAnnounced,
        FilesUnknown,
        FileUnacceptable,
    ),
)
async def enter(request: web.Request, actor: Actor, body: EnterContract) -> ContractView:
    sketch = Sketch(
        enterprise_uscc=checked_uscc(body.enterprise_uscc),
        enterprise_name=body.enterprise_name,
        provider_uscc=checked_uscc(body.provider_uscc),
        provider_name=body.provider_name,
        number=body.number,
        project=body.project,
        category=body.category,
        amount_fen=body.amount_fen,
        signed_on=body.signed_on,
        kind=body.kind,
        wanted_fen=body.wanted_fen,
        file_ids=tuple(body.file_ids),
    )
    return _view(await request.app[CONTRACTS].enter(body.programme, sketch, actor=actor))


@routes.get(
    "/api/v1/contracts",
    summary="My organisation's contracts; for staff, those of their programmes. | 服务合同列表。",
    access=READERS,
    answers={200: ContractList},
    refusals=(NoOrganisation,),
)
async def contracts(request: web.Request, actor: Actor, query: ContractsQuery) -> ContractList:
    rows = await contract_lists.page(actor=actor, after=query.after, limit=PAGE + 1)
    return ContractList(
        contracts=[_view(row) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@routes.get(
    "/api/v1/contracts/{contract_id}",
    summary="One contract. | 合同详情。",
    access=READERS,
    answers={200: ContractView},
    refusals=(NoOrganisation,),
)
async def one(request: web.Request, actor: Actor, path: ContractPath) -> ContractView:
    if actor.kind == "person":
        contract, _ = await contract_lists.of_party(path.contract_id, actor=actor)
        return _view(contract)
    return _view(await contract_lists.one(path.contract_id, actor=actor))


@routes.post(
    "/api/v1/contracts/{contract_id}/signatures",
    summary="Sign for my side; with both, the voucher's quota is frozen. | 签署合同；双方签署后冻结券额。",
    access=IN_CHARGE,
    answers={200: ContractView},
    refusals=(
        NoOrganisation,
        SignedAlready,
        IllegalMove,
        NotInStanding,
        ContractUnusable,
        ContractsPaused,
        BudgetTooSmall,
        NothingToPay,
        YearNotOpen,
        KindNotAnnounced,
        KindNotNow,
    ),
)
async def sign(request: web.Request, actor: Actor, path: ContractPath, body: Sign) -> ContractView:
    contract = await request.app[CONTRACTS].sign(path.contract_id, actor=actor, wanted_fen=body.wanted_fen)
    return _view(contract)


@routes.post(
    "/api/v1/contracts/{contract_id}/withdrawal",
    summary="Give up a contract that is not signed by both. | 撤回尚未签订的合同。",
    access=IN_CHARGE,
    answers={200: ContractView},
    refusals=(NoOrganisation, IllegalMove, SignedAlready),
)
async def withdraw(request: web.Request, actor: Actor, path: ContractPath) -> ContractView:
    return _view(await request.app[CONTRACTS].withdraw(path.contract_id, actor=actor))


@routes.post(
    "/api/v1/contracts/{contract_id}/failure",
    summary="Record that a signed contract will not be performed; what it froze comes back."
    " | 登记合同不能履行，释放冻结的券额。",
    access=staff(StaffRole.OPERATOR),
    answers={200: ContractView},
    refusals=(IllegalMove, SignedAlready, ContractInUse),
)
async def fail(request: web.Request, actor: Actor, path: ContractPath, body: Failure) -> ContractView:
    contract = await request.app[CONTRACTS].fail(path.contract_id, reason=body.reason, actor=actor)
    return _view(contract)


def _view(contract: Contract) -> ContractView:
    return ContractView(
        id=contract.id,
        programme=contract.programme_slug,
        programme_version=contract.programme_version,
        notice_year=contract.notice_year,
        status=contract.status,
        made_by=contract.made_by_party,
        enterprise_id=contract.enterprise_id,
        enterprise_name=contract.enterprise_name,
        provider_id=contract.provider_id,
        provider_uscc=contract.provider_uscc,
        provider_name=contract.provider_name,
        number=contract.number,
        project=contract.project,
        category=contract.category,
        kind=contract.kind,
        amount_fen=contract.amount_fen,
        signed_on=contract.signed_on,
        enterprise_signed=contract.enterprise_signed_at is not None,
        provider_signed=contract.provider_signed_at is not None,
        voucher_fen=contract.voucher_fen,
        clause=contract.clause,
        arithmetic=contract.arithmetic,
        created_at=contract.created_at,
        reason=contract.reason,
    )
