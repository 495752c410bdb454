"""Recoveries over HTTP: what is claimed back, the demand, instalments, receipts, writing off."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Media, Routes, person_or_staff, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Fen, Id, Path, Query, SeenVersion
from server.handlers.recovery_views import (
    RecoveryReceiptView,
    RecoverySummary,
    RecoveryView,
    recovery_summary_of,
    recovery_view_of,
)
from server.handlers.sanction_views import LONGEST, REASON
from server.keys import SANCTIONS
from server.rules.recoveries import RecoveryStatus
from server.rules.review import ReasonMissing
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import sanction_lists
from server.services.sanctions.recoveries import (
    COLLECTORS,
    InstalmentsUneven,
    RecoveryKeptBack,
    RecoveryMovedOn,
    RecoveryOver,
    WriteOffNotAsked,
    recovery_for,
)
from server.services.sanctions.recovery_letters import NotDemanded
from server.services.sanctions.recovery_receipts import ReceiptDayImpossible, ReceiptKnown, ReceiptTooMuch
from server.services.sanctions.recovery_returns import (
    NothingOwedBack,
    ReturnAsked,
    ReturnDayImpossible,
    ReturnNotAsked,
    owed_back,
    returns_of,
)
from server.services.sanctions.sanction_book import READERS
from server.services.sanctions.sanction_lists import PAGE

routes = Routes("recoveries")

BOTH_SIDES = person_or_staff(*sorted(READERS))
COLLECTING = staff(*sorted(COLLECTORS))
MOVED = (RecoveryMovedOn, RecoveryOver, OwnReview)
PDF = Media("application/pdf", "The demand as PDF. | 追缴通知书 PDF。")


class RecoveryPath(Path):
    """A claim."""

    recovery_id: Id = Field(description="The claim. | 追缴编号。")


class RecoveryQuery(Query):
    """Which claims."""

    status: RecoveryStatus | None = Field(default=None, description="In one status. | 状态。")
    after: AfterId = 0


class SeenRecovery(Body):
    """A change of a claim that was seen."""

    version: SeenVersion


class Instalment(Body):
    """One part of a plan."""

    due_on: Day = Field(description="Until which day. | 期限。")
    amount_fen: Fen = Field(description="How much, fen. | 金额，单位分。")


class PlanInstalments(SeenRecovery):
    """How the principal still owed is paid back in parts."""

    instalments: list[Instalment] = Field(
        min_length=1, max_length=60, description="The parts, by day. | 分期计划。"
    )


class MatchReceipt(SeenRecovery):
    """Money that came back."""

    reference: str = Field(min_length=4, max_length=64, description="The bank's number. | 流水号。")
    amount_fen: Fen = Field(gt=0, description="How much, fen. | 金额，单位分。")
    received_on: Day = Field(description="On which day. | 到账日期。")


class AskWriteOff(SeenRecovery):
    """Why a claim is to be written off."""

    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON)


class DecideWriteOff(SeenRecovery):
    """Whether a second person agrees."""

    agreed: bool = Field(description="Whether it is written off. | 是否同意核销。")


class EnterReturn(SeenRecovery):
    """The transfer that gives back what is owed."""

    reference: str = Field(min_length=4, max_length=64, description="The bank's number. | 流水号。")
    paid_on: Day = Field(description="On which day. | 退还日期。")


class DecideReturn(SeenRecovery):
    """Whether a second person agrees."""

    agreed: bool = Field(description="Whether it went back as entered. | 是否同意。")


class RecoveryPage(Answer):
    """A page of claims."""

    recoveries: list[RecoverySummary] = Field(description="The claims. | 追缴列表。")
    next_after: NextPage


@routes.get(
    "/api/v1/recoveries",
    summary="What is claimed back: my organisation's, or of my programmes. | 追缴列表。",
    access=BOTH_SIDES,
    answers={200: RecoveryPage},
    refusals=(NoOrganisation,),
)
async def every(request: web.Request, actor: Actor, query: RecoveryQuery) -> RecoveryPage:
    rows = await sanction_lists.recoveries(actor, status=query.status, after=query.after)
    return RecoveryPage(
        recoveries=[RecoverySummary.model_validate(recovery_summary_of(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/recoveries/{recovery_id}",
    summary="One claim, with what is owed today. | 追缴详情和截至今日的应缴金额。",
    access=BOTH_SIDES,
    answers={200: RecoveryView},
    refusals=(NoOrganisation,),
)
async def one(request: web.Request, actor: Actor, path: RecoveryPath) -> RecoveryView:
    return await _view(request, actor, path.recovery_id)


@routes.get(
    "/api/v1/recoveries/{recovery_id}/letter",
    summary="The demand as it went out. | 追缴通知书。",
    access=BOTH_SIDES,
    answers={200: PDF},
    refusals=(NotDemanded, NoOrganisation),
)
async def letter(request: web.Request, actor: Actor, path: RecoveryPath) -> web.Response:
    claim = await recovery_for(actor, path.recovery_id)
    printed = await request.app[SANCTIONS].letters.print(claim)
    return web.Response(body=printed, content_type="application/pdf")


@routes.post(
    "/api/v1/recoveries/{recovery_id}/demand",
    summary="Demand it, with a day until which. | 发出追缴通知。",
    access=COLLECTING,
    answers={200: RecoveryView},
    refusals=MOVED,
)
async def demand(request: web.Request, actor: Actor, path: RecoveryPath, body: SeenRecovery) -> RecoveryView:
    await request.app[SANCTIONS].recoveries.demand(path.recovery_id, version=body.version, actor=actor)
    return await _view(request, actor, path.recovery_id)


@routes.post(
    "/api/v1/recoveries/{recovery_id}/instalments",
    summary="Agree on instalments of what is still owed. | 同意分期缴回。",
    access=COLLECTING,
    answers={200: RecoveryView},
    refusals=(*MOVED, InstalmentsUneven, NotDemanded),
)
async def plan(request: web.Request, actor: Actor, path: RecoveryPath, body: PlanInstalments) -> RecoveryView:
    parts = [(one.due_on, one.amount_fen) for one in body.instalments]
    await request.app[SANCTIONS].recoveries.plan(path.recovery_id, parts, version=body.version, actor=actor)
    return await _view(request, actor, path.recovery_id)


@routes.post(
    "/api/v1/recoveries/{recovery_id}/receipts",
    summary="Match money that came back. | 登记到账。",
    access=COLLECTING,
    answers={201: RecoveryReceiptView},
    refusals=(*MOVED, ReceiptTooMuch, ReceiptKnown, ReceiptDayImpossible, RecoveryKeptBack),
)
async def receive(
    request: web.Request, actor: Actor, path: RecoveryPath, body: MatchReceipt
) -> RecoveryReceiptView:
    made = await request.app[SANCTIONS].receipts.receive(path.recovery_id, **body.model_dump(), actor=actor)
    return RecoveryReceiptView(**{name: getattr(made, name) for name in RecoveryReceiptView.model_fields})


@routes.post(
    "/api/v1/recoveries/{recovery_id}/write-off",
    summary="Ask that a claim be written off. | 提请核销。",
    access=COLLECTING,
    answers={200: RecoveryView},
    refusals=(*MOVED, WriteOffNotAsked, RecoveryKeptBack, ReasonMissing),
)
async def ask_write_off(
    request: web.Request, actor: Actor, path: RecoveryPath, body: AskWriteOff
) -> RecoveryView:
    recoveries = request.app[SANCTIONS].recoveries
    await recoveries.ask_write_off(path.recovery_id, body.reason, version=body.version, actor=actor)
    return await _view(request, actor, path.recovery_id)


@routes.post(
    "/api/v1/recoveries/{recovery_id}/write-off/decision",
    summary="A second person agrees to write it off, or does not. | 核销复核，由他人决定。",
    access=staff(StaffRole.AUTHORITY, StaffRole.TREASURY),
    answers={200: RecoveryView},
    refusals=(*MOVED, WriteOffNotAsked, RecoveryKeptBack),
)
async def write_off(
    request: web.Request, actor: Actor, path: RecoveryPath, body: DecideWriteOff
) -> RecoveryView:
    recoveries = request.app[SANCTIONS].recoveries
    await recoveries.write_off(path.recovery_id, agreed=body.agreed, version=body.version, actor=actor)
    return await _view(request, actor, path.recovery_id)


@routes.post(
    "/api/v1/recoveries/{recovery_id}/return",
    summary="Give back what a reversed decision had collected. | 登记退还已缴回的款项。",
    access=COLLECTING,
    answers={200: RecoveryView},
    refusals=(RecoveryMovedOn, OwnReview, NothingOwedBack, ReturnAsked, ReturnDayImpossible),
)
async def give_back(
    request: web.Request, actor: Actor, path: RecoveryPath, body: EnterReturn
) -> RecoveryView:
    await request.app[SANCTIONS].returns.ask(path.recovery_id, **body.model_dump(), actor=actor)
    return await _view(request, actor, path.recovery_id)


@routes.post(
    "/api/v1/recoveries/{recovery_id}/return/decision",
    summary="A second person agrees to what is given back, or does not. | 退还复核，由他人决定。",
    access=staff(StaffRole.AUTHORITY, StaffRole.TREASURY),
    answers={200: RecoveryView},
    refusals=(RecoveryMovedOn, OwnReview, ReturnNotAsked),
)
async def decide_return(
    request: web.Request, actor: Actor, path: RecoveryPath, body: DecideReturn
) -> RecoveryView:
    await request.app[SANCTIONS].returns.decide(path.recovery_id, **body.model_dump(), actor=actor)
    return await _view(request, actor, path.recovery_id)


async def _view(request: web.Request, actor: Actor, recovery_id: int) -> RecoveryView:
    office = request.app[SANCTIONS]
    claim = await recovery_for(actor, recovery_id)
    balance = await office.recoveries.today(claim)
    return recovery_view_of(
        claim,
        balance,
        await sanction_lists.lines_of(claim),
        await sanction_lists.receipts_of(claim),
        await returns_of(claim),
        (await owed_back(claim)).amount_fen,
    )
