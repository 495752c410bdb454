"""Settlements over HTTP: applications of providers, their papers and forms, what becomes of each order."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PUBLIC, Access, Routes, staff
from server.handlers.order_views import ORDER_READERS
from server.handlers.orders import PaperBody
from server.handlers.paging import AfterId, next_page
from server.handlers.parsing import Body, Id, Path, Query, SeenVersion
from server.handlers.settlement_views import (
    ApplicationFile,
    ApplicationList,
    ApplicationView,
    FormList,
    RefundList,
    SettlementFile,
    SettlementList,
    SettlementView,
    WindowList,
    WindowView,
    application_file,
    application_view,
    form_view,
    lines_of,
    paper_view,
    refund_view,
    settlement_view,
    window_view,
)
from server.keys import SETTLEMENTS
from server.models.organisations import MemberRole
from server.programme.registry import UnknownProgramme
from server.rules.lifecycles import IllegalMove
from server.rules.order_walk import StepTooLate
from server.rules.settlements import (
    SettlementStatus,
    WindowClosed,
    WindowImpossible,
    WindowsFull,
)
from server.services.access import Actor, NoOrganisation, NotAllowed, StaffRole
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.holds.order_holds import OrderHeld
from server.services.holds.payment_holds import PaymentHeld
from server.services.orders.order_papers import HandIn
from server.services.payments.invoices import PaperIsSummaryInvoice, PaperUsedBefore
from server.services.reviews.reviews import CaseMovedOn
from server.services.settlements import settlement_book, settlement_papers
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.settlements.settlement_drafts import (
    MOST_ORDERS,
    NothingToSettle,
    OrderNotFinished,
    OrdersMixed,
    SettledAlready,
    SettlementOrdersUnknown,
)
from server.services.settlements.settlement_forms import NoSettlementForms
from server.services.settlements.settlement_money import YearMoneyGone
from server.services.settlements.settlement_papers import ForOrder, PaperNotAsked
from server.services.settlements.settlements import SettlementDecided, SettlementUnmet
from server.services.vouchers.order_purse import NothingToPay, UsedTooOften

routes = Routes("settlements")

PAGE = 50
APPLICANTS = Access(
    frozenset({"person", "staff"}),
    frozenset({MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER, StaffRole.OPERATOR}),
)
"""Who may ask for money where the text lets them: a provider's people in charge, or the operator for it."""
HANDING_IN = (
    SettlementMovedOn,
    WindowClosed,
    StepTooLate,
    OrderHeld,
    PaymentHeld,
    SettlementUnmet,
    YearMoneyGone,
    NothingToPay,
    UsedTooOften,
    FileUnacceptable,
    FilesUnknown,
    PaperUsedBefore,
    PaperIsSummaryInvoice,
    NoOrganisation,
    NotAllowed,
)
CHOOSING = (
    NoOrganisation,
    NotAllowed,
    SettlementOrdersUnknown,
    OrdersMixed,
    OrderNotFinished,
    SettledAlready,
)


class ApplicationPath(Path):
    """An application."""

    settlement_application_id: Id = Field(description="The application. | 申请编号。")


class SettlementPath(Path):
    """A settlement."""

    settlement_id: Id = Field(description="The settlement. | 兑付编号。")


class PageQuery(Query):
    """Which page, of which programme."""

    after: AfterId = 0
    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )


class SettlementsQuery(PageQuery):
    """The same, in one state."""

    status: SettlementStatus | None = Field(default=None, description="Only these. | 只看该状态。")


class WindowsQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description="Which programme. | 项目。")


class Choose(Body):
    """The orders of an application."""

    order_ids: list[Id] = Field(
        min_length=1, max_length=MOST_ORDERS, description="Finished orders. | 已完成的订单。"
    )


class ChooseAgain(Choose):
    """The same of an application that there is."""

    version: SeenVersion


class OrderPaperBody(PaperBody):
    """A document, for one order of the application or for all of it."""

    order_id: Id | None = Field(default=None, description="Its order; none: for all. | 所属订单，空为整份。")


class HandInPapers(Body):
    """Documents; of one code and order the last one counts, one without files is taken back."""

    papers: list[OrderPaperBody] = Field(min_length=1, max_length=100, description="The documents. | 材料。")
    version: SeenVersion


class Press(Body):
    """What was seen."""

    version: SeenVersion


class TakeBack(Press):
    """Why, if one likes to say."""

    reason: str = Field(default="", max_length=500, description="Why. | 撤回原因，可不填。")


class Announce(Body):
    """A window of the year."""

    programme: str = Field(max_length=64, description="Which programme. | 项目。")
    name: str = Field(min_length=2, max_length=120, description="What it is called. | 名称。")
    opens_at: AwareDatetime = Field(strict=False, description="When it opens. | 开始受理时间。")
    closes_at: AwareDatetime = Field(strict=False, description="When it closes. | 截止时间。")


# -- applications ------------------------------------------------------------------------------------------


@routes.post(
    "/api/v1/settlement-applications",
    summary="Begin an application for the money of finished orders. | 新建兑付申请。",
    access=APPLICANTS,
    answers={201: ApplicationFile},
    refusals=CHOOSING,
)
async def begin(request: web.Request, actor: Actor, body: Choose) -> ApplicationFile:
    made = await request.app[SETTLEMENTS].drafts.open(body.order_ids, actor=actor)
    return await _file(request, made.id, actor)


@routes.get(
    "/api/v1/settlement-applications",
    summary="Applications: my organisation's, or of my programmes. | 兑付申请列表。",
    access=ORDER_READERS,
    answers={200: ApplicationList},
    refusals=(NoOrganisation,),
)
async def applications(request: web.Request, actor: Actor, query: PageQuery) -> ApplicationList:
    rows = await settlement_book.applications_page(
        actor=actor, after=query.after, limit=PAGE + 1, programme=query.programme
    )
    return ApplicationList(
        applications=[application_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/settlement-applications/{settlement_application_id}",
    summary="An application, its orders line by line, and what is missing. | 兑付申请详情及核对结果。",
    access=ORDER_READERS,
    answers={200: ApplicationFile},
    refusals=(NoOrganisation,),
)
async def one_application(request: web.Request, actor: Actor, path: ApplicationPath) -> ApplicationFile:
    return await _file(request, path.settlement_application_id, actor)


@routes.put(
    "/api/v1/settlement-applications/{settlement_application_id}/orders",
    summary="Let a draft be for these orders. | 修改申请中的订单。",
    access=APPLICANTS,
    answers={200: ApplicationFile},
    refusals=(*CHOOSING, SettlementMovedOn),
)
async def choose(
    request: web.Request, actor: Actor, path: ApplicationPath, body: ChooseAgain
) -> ApplicationFile:
    application_id = path.settlement_application_id
    await request.app[SETTLEMENTS].drafts.choose(
        application_id, body.order_ids, version=body.version, actor=actor
    )
    return await _file(request, application_id, actor)


@routes.put(
    "/api/v1/settlement-applications/{settlement_application_id}/papers",
    summary="Hand in papers: of a draft, or of what was returned. | 提交或补正兑付材料。",
    access=APPLICANTS,
    answers={200: ApplicationFile},
    refusals=(NoOrganisation, NotAllowed, SettlementMovedOn, PaperNotAsked, FilesUnknown),
)
async def papers(
    request: web.Request, actor: Actor, path: ApplicationPath, body: HandInPapers
) -> ApplicationFile:
    given = [
        ForOrder(
            one.order_id,
            HandIn(
                code=one.code,
                file_ids=tuple(one.file_ids),
                number=one.number,
                amount_fen=one.amount_fen,
                dated=one.dated,
                payer=one.payer,
                payee=one.payee,
            ),
        )
        for one in body.papers
    ]
    application_id = path.settlement_application_id
    await request.app[SETTLEMENTS].drafts.hand_in_papers(
        application_id, given, version=body.version, actor=actor
    )
    return await _file(request, application_id, actor)


@routes.post(
    "/api/v1/settlement-applications/{settlement_application_id}/forms",
    summary="Fill in and print its forms, to be stamped where asked. | 生成申请表和明细表。",
    access=APPLICANTS,
    answers={201: FormList},
    refusals=(NoOrganisation, NotAllowed, NothingToSettle, NoSettlementForms),
)
async def forms(request: web.Request, actor: Actor, path: ApplicationPath) -> FormList:
    made = await request.app[SETTLEMENTS].drafts.print_forms(path.settlement_application_id, actor=actor)
    return FormList(forms=[form_view(row) for row in made])


@routes.post(
    "/api/v1/settlement-applications/{settlement_application_id}/submission",
    summary="Hand it in: every order of it, or none. | 提交兑付申请。",
    access=APPLICANTS,
    answers={200: ApplicationFile},
    refusals=(*HANDING_IN, NothingToSettle),
)
async def submit(request: web.Request, actor: Actor, path: ApplicationPath, body: Press) -> ApplicationFile:
    application_id = path.settlement_application_id
    await request.app[SETTLEMENTS].submit(application_id, version=body.version, actor=actor)
    return await _file(request, application_id, actor)


@routes.post(
    "/api/v1/settlement-applications/{settlement_application_id}/withdrawal",
    summary="Take it back before anything of it is determined. | 撤回兑付申请。",
    access=APPLICANTS,
    answers={200: ApplicationView},
    refusals=(NoOrganisation, NotAllowed, SettlementMovedOn, SettlementDecided, IllegalMove, CaseMovedOn),
)
async def withdraw_all(
    request: web.Request, actor: Actor, path: ApplicationPath, body: TakeBack
) -> ApplicationView:
    application_id = path.settlement_application_id
    await request.app[SETTLEMENTS].withdraw_all(
        application_id, reason=body.reason, version=body.version, actor=actor
    )
    return application_view(await settlement_book.application_for(application_id, actor=actor))


# -- settlements -------------------------------------------------------------------------------------------


@routes.get(
    "/api/v1/settlements",
    summary="Settlements: of either side's orders, or of my programmes. | 兑付列表。",
    access=ORDER_READERS,
    answers={200: SettlementList},
    refusals=(NoOrganisation,),
)
async def settlements(request: web.Request, actor: Actor, query: SettlementsQuery) -> SettlementList:
    rows = await settlement_book.page(
        actor=actor, after=query.after, limit=PAGE + 1, status=query.status, programme=query.programme
    )
    return SettlementList(
        settlements=[settlement_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/settlements/{settlement_id}",
    summary="A settlement, its evidence line by line, and what holds it. | 兑付详情、核对结果和暂扣情况。",
    access=ORDER_READERS,
    answers={200: SettlementFile},
    refusals=(NoOrganisation,),
)
async def one(request: web.Request, actor: Actor, path: SettlementPath) -> SettlementFile:
    row = await settlement_book.settlement_for(path.settlement_id, actor=actor)
    evidence = await request.app[SETTLEMENTS].examine(row)
    rows = await settlement_papers.of(row.application_id, row.id)
    return SettlementFile(
        settlement=settlement_view(row),
        lines=lines_of(evidence.checks),
        papers=[paper_view(one, {row.id: row.order_id}) for one in rows],
        held=await settlement_book.hold_reasons(row),
    )


@routes.post(
    "/api/v1/settlements/{settlement_id}/resubmission",
    summary="Hand in again what was returned. | 补正后重新提交。",
    access=APPLICANTS,
    answers={200: SettlementView},
    refusals=(*HANDING_IN, IllegalMove, CaseMovedOn),
)
async def resubmit(request: web.Request, actor: Actor, path: SettlementPath, body: Press) -> SettlementView:
    await request.app[SETTLEMENTS].resubmit(path.settlement_id, version=body.version, actor=actor)
    return settlement_view(await settlement_book.settlement_for(path.settlement_id, actor=actor))


@routes.post(
    "/api/v1/settlements/{settlement_id}/withdrawal",
    summary="Take one order back out of what was handed in. | 撤回一笔兑付。",
    access=APPLICANTS,
    answers={200: SettlementView},
    refusals=(NoOrganisation, NotAllowed, SettlementMovedOn, SettlementDecided, IllegalMove, CaseMovedOn),
)
async def withdraw(
    request: web.Request, actor: Actor, path: SettlementPath, body: TakeBack
) -> SettlementView:
    await request.app[SETTLEMENTS].withdraw(
        path.settlement_id, reason=body.reason, version=body.version, actor=actor
    )
    return settlement_view(await settlement_book.settlement_for(path.settlement_id, actor=actor))


@routes.get(
    "/api/v1/settlement-refunds",
    summary="What providers owe back to enterprises that had paid in full. | 服务机构应退还企业的款项。",
    access=ORDER_READERS,
    answers={200: RefundList},
    refusals=(NoOrganisation,),
)
async def refunds(request: web.Request, actor: Actor, query: PageQuery) -> RefundList:
    rows = await settlement_book.refunds_page(
        actor=actor, after=query.after, limit=PAGE + 1, programme=query.programme
    )
    return RefundList(
        refunds=[refund_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


# -- windows -----------------------------------------------------------------------------------------------


@routes.get(
    "/api/v1/settlement-windows",
    summary="When settlements are handed in, where a text has windows. | 集中兑付受理时间。",
    access=PUBLIC,
    answers={200: WindowList},
    refusals=(UnknownProgramme,),
)
async def windows(request: web.Request, query: WindowsQuery) -> WindowList:
    rows = await request.app[SETTLEMENTS].windows.page(query.programme)
    return WindowList(windows=[window_view(row) for row in rows])


@routes.post(
    "/api/v1/settlement-windows",
    summary="Announce a window of the year. | 安排一次集中兑付。",
    access=staff(StaffRole.AUTHORITY),
    answers={201: WindowView},
    refusals=(UnknownProgramme, WindowsFull, WindowImpossible),
)
async def announce(request: web.Request, actor: Actor, body: Announce) -> WindowView:
    made = await request.app[SETTLEMENTS].windows.announce(
        body.programme, body.name.strip(), body.opens_at, body.closes_at, actor=actor
    )
    return window_view(made)


async def _file(request: web.Request, application_id: int, actor: Actor) -> ApplicationFile:
    checklist = await request.app[SETTLEMENTS].checklist(application_id, actor=actor)
    return application_file(
        checklist,
        await settlement_book.of_application(application_id),
        await settlement_book.papers_of(application_id),
        await settlement_book.forms_of(application_id),
    )
