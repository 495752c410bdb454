"""A year's money over HTTP: what is left of it at any moment, its account, and what its end leaves behind."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, person_or_staff, staff
from server.handlers.bank_accounts import REASON
from server.handlers.disbursement_views import (
    YearMoneyView,
    money_of,
)
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Fen, Id, Path, Query
from server.keys import DISBURSEMENTS, PROGRAMMES
from server.models.disbursements import FundEntry
from server.programme.registry import UnknownProgramme
from server.rules.disbursements import FundKind, FundStatus, LapseStatus
from server.rules.review import ReasonMissing
from server.services import access
from server.services.access import DECIDERS, Actor, NotFound, StaffRole
from server.services.disbursements import funds, year_lapses, year_money
from server.services.disbursements.disbursement_book import PAYERS, READERS, NotYourDisbursement, SameHands
from server.services.disbursements.funds import (
    FundDayAhead,
    FundEntryDecided,
    FundEntryTaken,
    InterestNotTheFunds,
    LineKind,
)
from server.services.disbursements.year_end import YearList, YearNotOver
from server.services.disbursements.year_lapses import LapseAsked, LapseNotAsked, NothingLapses, YearListStale
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.vouchers import order_purse
from server.services.vouchers.order_purse import YearNotOpen

routes = Routes("year_money")

LIVE = person_or_staff(*sorted(DECIDERS | {StaffRole.AUDITOR}))
"""Everybody who has to do with vouchers (GX-64); who only keeps accounts has not."""

PAGE = 50
PROGRAMME = "The programme. | 项目代码。"
SEEN = "SHA-256 of the list as seen. | 所见清单的 SHA-256。"
YEAR = "The programme year. | 年度。"
FEN = "Fen. | 单位分。"
KIND = "allocation or interest. | 拨入或利息。"
REFERENCE = "Of the statement, or of the document that allocates. | 凭证号或文号。"


class YearQuery(Query):
    """A programme year."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    year: int = Field(ge=2000, le=2200, description=YEAR)


class FundsQuery(Query):
    """Which entries."""

    programme: str | None = Field(default=None, max_length=64, description=PROGRAMME)
    after: AfterId = 0


class FundPath(Path):
    """An entry of an account."""

    fund_entry_id: Id = Field(description="The entry. | 入账编号。")


class EnterFund(Body):
    """Money that came into the account of a year."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["example-2026"])
    year: int = Field(ge=2000, le=2200, description=YEAR, examples=[2016])
    kind: FundKind = Field(description=KIND, examples=["interest"])
    amount_fen: Fen = Field(gt=0, description=FEN, examples=[123_456])
    dated: Day = Field(strict=False, description="On the statement. | 入账日期。", examples=["2016-09-21"])
    reference: str = Field(min_length=2, max_length=64, description=REFERENCE, examples=["20160921-0001"])
    files: list[Id] = Field(
        min_length=1, max_length=10, description="The statement. | 银行对账单等附件。", examples=[[12]]
    )


class DecideFund(Body):
    """Whether what somebody else entered is right."""

    confirmed: bool = Field(description="It is. | 是否确认。")
    reason: str = Field(default="", max_length=500, description=REASON, examples=["金额与对账单不符"])


class EndYear(Body):
    """The year whose list is written."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["example-2026"])
    year: int = Field(ge=2000, le=2200, description=YEAR, examples=[2025])


class FundView(Answer):
    """An entry of an account."""

    id: int = Field(description="The entry. | 入账编号。")
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    kind: FundKind = Field(description=KIND)
    amount_fen: int = Field(description=FEN)
    dated: date = Field(description="On the statement. | 入账日期。")
    reference: str = Field(description=REFERENCE)
    files: list[int] = Field(description="The statement. | 附件。")
    status: FundStatus = Field(description="Where it stands. | 状态。")
    reason: str = Field(description=REASON)
    entered_at: AwareDatetime = Field(description="When it was entered. | 登记时间。")
    decided_at: AwareDatetime | None = Field(description="When it was decided. | 确认时间。")


class FundEntered(FundView):
    """An entry just made."""


class FundsView(Answer):
    """A page of entries, by id."""

    entries: list[FundView] = Field(description="The entries. | 入账记录。")
    next_after: NextPage


class StatementLineView(Answer):
    """One movement of an account."""

    kind: LineKind = Field(description="allocation, interest, payment or returned. | 类别。")
    on: date = Field(description="The day. | 日期。")
    reference: str = Field(description="Its number. | 凭证号或付款编号。")
    name: str = Field(description="Who was paid. | 收款人。")
    in_fen: int = Field(description="Came in, fen. | 收入，单位分。")
    out_fen: int = Field(description="Went out, fen. | 支出，单位分。")
    balance_fen: int = Field(description="What is left, fen. | 余额，单位分。")


class StatementView(Answer):
    """The dedicated account of a year."""

    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    lines: list[StatementLineView] = Field(description="By days. | 专户明细。")
    balance_fen: int = Field(description="What is left, fen. | 余额，单位分。")


class YearLineView(Answer):
    """A settlement on a year's list."""

    settlement: int = Field(description="The settlement. | 兑付编号。")
    number: str = Field(description="Its number. | 编号。")
    provider: int = Field(description="The provider. | 服务机构编号。")
    status: str = Field(description="Where it stood. | 当时状态。")
    amount_fen: int = Field(description=FEN)
    approved_on: str = Field(description="When it was approved. | 批准日期。")
    reason: str = Field(description=REASON)
    clause: str = Field(description="The provision. | 依据条款。")


class YearEndView(Answer):
    """What a year leaves behind."""

    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    ended_on: date = Field(description="Its last day. | 年度最后一日。")
    written_at: AwareDatetime | None = Field(description="Null: a preview. | 生成时间，空为预览。")
    figures: dict[str, int] = Field(description="Sums in fen, and counts. | 金额（分）和笔数。")
    carried: list[YearLineView] = Field(description="Approved and unpaid, in order. | 结转清单。")
    lapsed: list[YearLineView] = Field(description="What ends with it. | 年度终止清单。")


class AskLapse(EndYear):
    """That what ends with the year be ended, as the list was seen."""

    sha256: str = Field(min_length=64, max_length=64, description=SEEN)
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["年度已结束"])


class DecideLapse(EndYear):
    """Whether what somebody else asked for is done."""

    sha256: str = Field(min_length=64, max_length=64, description=SEEN)
    agreed: bool = Field(description="It is. | 是否同意。")
    reason: str = Field(default="", max_length=500, description=REASON, examples=["清单有误"])


class LapseQuery(YearQuery):
    """A programme year that is over."""


class LapseView(Answer):
    """What of a year's list still ends with it, and how far that is."""

    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    sha256: str = Field(description="Of the list as it stands. | 当前清单的 SHA-256。")
    lapses: list[YearLineView] = Field(description="Still to be ended. | 待终止。")
    status: LapseStatus | None = Field(description="What was last asked. | 最近一次终止的状态，空为没有。")
    reason: str = Field(description=REASON)
    asked_at: AwareDatetime | None = Field(description="When it was asked for. | 提出时间。")
    done_at: AwareDatetime | None = Field(description="When all was done. | 完成时间。")


class LapseAskedFor(LapseView):
    """What was just asked for."""


class YearEnded(YearEndView):
    """A list just written."""


@routes.get(
    "/api/v1/year-money",
    summary="What is left of a year's money at this moment. | 年度资金实时余额。",
    access=LIVE,
    answers={200: YearMoneyView},
    refusals=(UnknownProgramme, YearNotOpen),
)
async def left(request: web.Request, query: YearQuery) -> YearMoneyView:
    programme = request.app[PROGRAMMES].get(query.programme)
    budget = await order_purse.year_budget(programme.slug, query.year)
    return money_of(programme.slug, budget.year, programme.budget.article, await year_money.of(budget))


@routes.post(
    "/api/v1/fund-entries",
    summary="Enter an allocation or interest with its statement. | 登记拨入资金或利息。",
    access=staff(*PAYERS),
    answers={201: FundEntered},
    refusals=(NotYourDisbursement, YearNotOpen, InterestNotTheFunds, FundDayAhead, FundEntryTaken,
              FilesUnknown, FileUnacceptable, UnknownProgramme, NotFound),
)  # fmt: skip
async def enter(request: web.Request, actor: Actor, body: EnterFund) -> FundEntered:
    made = await request.app[DISBURSEMENTS].funds.enter(
        body.programme,
        body.year,
        body.kind,
        amount_fen=body.amount_fen,
        dated=body.dated,
        reference=body.reference,
        file_ids=body.files,
        actor=actor,
    )
    return FundEntered(**_fund(made, body.year))


@routes.get(
    "/api/v1/fund-entries",
    summary="What came into the accounts of my programmes. | 入账记录。",
    access=staff(*READERS),
    answers={200: FundsView},
)
async def entries(request: web.Request, actor: Actor, query: FundsQuery) -> FundsView:
    rows = await funds.entries(actor, programme=query.programme, after=query.after, limit=PAGE + 1)
    return FundsView(
        entries=[FundView(**_fund(row, row.budget.year)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/fund-entries/{fund_entry_id}/decision",
    summary="Confirm what somebody else entered, or reject it. | 确认或驳回入账。",
    access=staff(*PAYERS),
    answers={200: FundView},
    refusals=(NotYourDisbursement, SameHands, FundEntryDecided, ReasonMissing, NotFound),
)
async def decide(request: web.Request, actor: Actor, path: FundPath, body: DecideFund) -> FundView:
    row = await request.app[DISBURSEMENTS].funds.decide(
        path.fund_entry_id, confirmed=body.confirmed, reason=body.reason, actor=actor
    )
    await row.fetch_related("budget")
    return FundView(**_fund(row, row.budget.year))


@routes.get(
    "/api/v1/fund-statement",
    summary="The dedicated account of a year, by days. | 专户明细账。",
    access=staff(*READERS),
    answers={200: StatementView},
    refusals=(UnknownProgramme, YearNotOpen, NotFound),
)
async def statement(request: web.Request, actor: Actor, query: YearQuery) -> StatementView:
    access.require_programme(actor, query.programme)
    programme = request.app[PROGRAMMES].get(query.programme)
    lines = await funds.statement(await order_purse.year_budget(programme.slug, query.year))
    return StatementView(
        programme=programme.slug,
        year=query.year,
        lines=[
            StatementLineView(**{name: getattr(one, name) for name in StatementLineView.model_fields})
            for one in lines
        ],
        balance_fen=lines[-1].balance_fen if lines else 0,
    )


@routes.get(
    "/api/v1/year-ends",
    summary="What a year leaves behind: as written, or as it would be now. | 年度结转清单（未结束为预览）。",
    access=staff(*READERS),
    answers={200: YearEndView},
    refusals=(UnknownProgramme, YearNotOpen, NotFound),
)
async def year_end(request: web.Request, actor: Actor, query: YearQuery) -> YearEndView:
    found = await request.app[DISBURSEMENTS].years.preview(query.programme, query.year, actor=actor)
    return YearEndView(**_year(found))


@routes.post(
    "/api/v1/year-ends",
    summary="Write the list of a year that is over. | 生成已结束年度的结转清单。",
    access=staff(*PAYERS),
    answers={201: YearEnded},
    refusals=(YearNotOver, YearNotOpen, UnknownProgramme, NotFound),
)
async def end_year(request: web.Request, actor: Actor, body: EndYear) -> YearEnded:
    found = await request.app[DISBURSEMENTS].years.take(body.programme, body.year, actor=actor)
    return YearEnded(**_year(found))


@routes.get(
    "/api/v1/year-lapses",
    summary="What of a year's list still ends with it. | 年度终止清单。",
    access=staff(*READERS),
    answers={200: LapseView},
    refusals=(UnknownProgramme, NotFound),
)
async def lapses(request: web.Request, actor: Actor, query: LapseQuery) -> LapseView:
    return LapseView(**await _lapse(query.programme, query.year, actor))


@routes.post(
    "/api/v1/year-lapses",
    summary="Ask that what ends with a year be ended. | 提出年度终止。",
    access=staff(*PAYERS),
    answers={201: LapseAskedFor},
    refusals=(NotYourDisbursement, ReasonMissing, YearNotOver, YearListStale, NothingLapses, LapseAsked,
              UnknownProgramme, NotFound),
)  # fmt: skip
async def ask_lapse(request: web.Request, actor: Actor, body: AskLapse) -> LapseAskedFor:
    await request.app[DISBURSEMENTS].lapses.ask(
        body.programme, body.year, sha256=body.sha256, reason=body.reason, actor=actor
    )
    return LapseAskedFor(**await _lapse(body.programme, body.year, actor))


@routes.post(
    "/api/v1/year-lapses/decision",
    summary="Agree to what another asked for, and end it; or do not. | 决定年度终止。",
    access=staff(*PAYERS),
    answers={200: LapseView},
    refusals=(NotYourDisbursement, SameHands, ReasonMissing, YearNotOver, YearListStale, LapseNotAsked,
              UnknownProgramme, NotFound),
)  # fmt: skip
async def decide_lapse(request: web.Request, actor: Actor, body: DecideLapse) -> LapseView:
    await request.app[DISBURSEMENTS].lapses.decide(
        body.programme, body.year, agreed=body.agreed, sha256=body.sha256, reason=body.reason, actor=actor
    )
    return LapseView(**await _lapse(body.programme, body.year, actor))


async def _lapse(slug: str, year: int, actor: Actor) -> dict[str, Any]:
    digest, lines, asked = await year_lapses.seen(slug, year, actor=actor)
    return {
        "programme": slug,
        "year": year,
        "sha256": digest,
        "lapses": [YearLineView(**one) for one in lines],
        "status": None if asked is None else asked.status,
        "reason": "" if asked is None else asked.reason,
        "asked_at": None if asked is None else asked.asked_at,
        "done_at": None if asked is None else asked.done_at,
    }


def _fund(row: FundEntry, year: int) -> dict[str, Any]:
    own = [name for name in FundView.model_fields if name not in ("programme", "year")]
    return {
        **{name: getattr(row, name) for name in own},
        "programme": row.programme_slug,
        "year": year,
    }


def _year(found: YearList) -> dict[str, Any]:
    return {
        "programme": found.programme_slug,
        "year": found.year,
        "ended_on": found.ended_on,
        "written_at": found.taken_at,
        "figures": found.figures,
        "carried": [YearLineView(**one) for one in found.carried],
        "lapsed": [YearLineView(**one) for one in found.lapsed],
    }
