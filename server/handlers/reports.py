"""Reports over HTTP: what was delivered in every form, what stands behind a figure, and the desk."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Media, Routes, staff
from server.handlers.paging import AfterId, NextPage
from server.handlers.parsing import Body, Day, Id, Path, Query
from server.keys import CLOCKS, PROGRAMMES, REPORTS
from server.models.reports import ReportEdition
from server.programme.registry import UnknownProgramme
from server.rules.report_periods import Period
from server.services import access
from server.services.access import Actor, StaffRole
from server.services.files.evidence import EvidenceDamaged
from server.services.reports.definitions import ReportByPeople, ReportUnknown, definitions
from server.services.reports.desk import desk
from server.services.reports.editions import (
    ReportFigureUnknown,
    ReportPeriodImpossible,
    ReportReasonMissing,
    ReportUnchanged,
)
from server.services.reports.page import rendered
from server.services.tables.sheets import XLSX

routes = Routes("reports")

MAKERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY)
READERS = staff(
    StaffRole.OPERATOR,
    StaffRole.AUTHORITY,
    StaffRole.DIVISION,
    StaffRole.TREASURY,
    StaffRole.DISTRICT,
    StaffRole.INSPECTOR,
)
PDF, HTML = "application/pdf", "text/html; charset=utf-8"
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'"
ROWS = 200

PROGRAMME = "The programme's slug. | 项目代码。"
CODE = "Of the report; overview is the platform's own. | 报表代码，overview 为平台运行报表。"


class ReportForm(StrEnum):
    """In which form."""

    PAGE = "page"
    XLSX = "xlsx"
    PDF = "pdf"


class ReportPath(Path):
    """A report as it was delivered."""

    report_id: Id = Field(description="The report. | 报表。")


class ReportFilePath(ReportPath):
    """One of its forms."""

    shape: ReportForm = Field(description="page, xlsx or pdf. | 网页、表格或打印件。")


class ReportsQuery(Query):
    """Which reports."""

    programme: str = Field(default="", max_length=64, description=PROGRAMME)
    code: str = Field(default="", max_length=64, description=CODE)
    after: AfterId = 0


class LiveQuery(Query):
    """What to count now."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    code: str = Field(max_length=64, description=CODE)
    first: Day = Field(description="From this day on. | 起始日期。")
    last: Day = Field(description="Up to this day. | 截止日期。")
    page: bool = Field(default=False, description="As a page instead of JSON. | 以网页显示。")


class DeskQuery(Query):
    """Whose desk."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class BehindQuery(Query):
    """Which figure."""

    figure: str = Field(
        default="", max_length=130, description="section.figure, or section.table with a row. | 数据代码。"
    )
    row: int | None = Field(default=None, ge=0, le=100_000, description="Row of the table. | 表格行号。")
    after: AfterId = 0


class ReportOrder(Body):
    """Which report to make."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    code: str = Field(max_length=64, description=CODE)
    first: Day = Field(description="First day. | 起始日期。")
    last: Day = Field(description="Last day. | 截止日期。")
    reason: str = Field(
        default="", max_length=500, description="Why it is corrected, where it was delivered. | 更正原因。"
    )


class DefinitionView(Answer):
    """A report that is owed."""

    code: str = Field(description=CODE)
    title: str = Field(description="What it is called. | 名称。")
    article: str = Field(description="Its clause; empty: the platform's own. | 依据条款。")
    by: str = Field(description="Who owes it. | 报送单位。")
    to: list[str] = Field(description="To whom. | 报送对象。")
    cadence: str = Field(description="How often. | 报送频次。")
    content: list[str] = Field(description="What the text asks for. | 规定内容。")
    sections: list[str] = Field(description="What the platform counts; none: people write it. | 统计部分。")


class DefinitionsView(Answer):
    """The reports of a programme."""

    reports: list[DefinitionView] = Field(description="The reports. | 应报送的报表。")


class EditionView(Answer):
    """A report as it was delivered."""

    id: int = Field(description="The report. | 报表。")
    number: str = Field(description="What people read aloud. | 编号。")
    programme: str = Field(description=PROGRAMME)
    code: str = Field(description=CODE)
    subject: str = Field(description="What it is about besides its days. | 对象，如批次。")
    first: date = Field(description="First day. | 起始日期。")
    last: date = Field(description="Last day. | 截止日期。")
    version: int = Field(description="1; a correction is the next. | 版本，更正为下一版。")
    title: str = Field(description="What it is called. | 名称。")
    article: str = Field(description="Its clause. | 依据条款。")
    sha256: str = Field(description="Of its content. | 内容的 SHA-256。")
    reason: str = Field(description="Why it was made anew. | 更正原因。")
    differences: list[dict[str, Any]] = Field(description="From the version before. | 与上一版的差异。")
    made_by: str = Field(description="Who made it. | 生成人。")
    made_at: AwareDatetime = Field(description="When. | 生成时间。")
    delivered_to: list[str] = Field(description="The roles it went to. | 已送达。")


class EditionDetail(EditionView):
    """A report with every figure."""

    content: dict[str, Any] = Field(description="Sections, figures, tables, traces. | 全部数据。")


class EditionMade(EditionDetail):
    """A report just delivered."""


class EditionsView(Answer):
    """A page of reports, by id."""

    reports: list[EditionView] = Field(description="The reports. | 报表。")
    next_after: NextPage


class LiveView(Answer):
    """A report as it is now; kept nowhere."""

    content: dict[str, Any] = Field(description="Sections, figures, tables. | 全部数据。")


class BehindRow(Answer):
    """A row behind a figure."""

    id: int = Field(description="Its id. | 序号。")
    name: str = Field(description="What it is called. | 名称。")
    amount_fen: int | None = Field(description="Its money, fen. | 金额，单位分。")


class BehindView(Answer):
    """Some of the rows behind a figure."""

    of: str = Field(description="What they are rows of. | 数据来源。")
    rows: list[BehindRow] = Field(description="The rows, by id. | 明细。")
    next_after: NextPage


class MoneyView(Answer):
    """One state of a year's money."""

    state: str = Field(description="The account. | 资金状态代码。")
    title: str = Field(description="What it is called. | 资金状态。")
    amount_fen: int = Field(description="Fen. | 金额，单位分。")


class YearView(Answer):
    """Where a year's money is."""

    budget_id: int = Field(description="The year's budget. | 年度预算。")
    year: int = Field(description="The year. | 年度。")
    free_fen: int = Field(description="Free for rounds and contracts, fen. | 尚可安排，单位分。")
    money: list[MoneyView] = Field(description="State by state. | 各状态金额。")


class QueueView(Answer):
    """Work that waits."""

    code: str = Field(description="Of what kind. | 类别。")
    title: str = Field(description="What it is called. | 名称。")
    waiting: int = Field(description="How much, up to 999. | 待办数，最多显示 999。")
    late: int = Field(description="How much of it is late, up to 999. | 逾期数，最多显示 999。")


class DeskView(Answer):
    """The desk of a programme."""

    at: AwareDatetime = Field(description="As of. | 统计时间。")
    years: list[YearView] = Field(description="Money, the newest year first. | 各年度资金。")
    queues: list[QueueView] = Field(description="Queues, the latest first. | 各类待办。")


@routes.get(
    "/api/v1/report-definitions",
    summary="Reports that a programme owes. | 项目应报送的报表。",
    access=READERS,
    answers={200: DefinitionsView},
    refusals=(UnknownProgramme,),
)
async def owed(request: web.Request, actor: Actor, query: DeskQuery) -> DefinitionsView:
    access.require_programme(actor, query.programme)
    programme = request.app[PROGRAMMES].get(query.programme)
    return DefinitionsView(
        reports=[
            DefinitionView(
                code=one.code,
                title=one.title,
                article=one.article,
                by=texts.ACTORS[one.by],
                to=[texts.ACTORS[each] for each in one.to],
                cadence=one.cadence,
                content=list(one.content),
                sections=[section.value for section in one.sections],
            )
            for one in definitions(programme)
        ]
    )


@routes.get(
    "/api/v1/reports",
    summary="Reports that were delivered. | 已报送的报表。",
    access=READERS,
    answers={200: EditionsView},
)
async def every(request: web.Request, actor: Actor, query: ReportsQuery) -> EditionsView:
    rows, after = await request.app[REPORTS].page(
        actor=actor, programme_slug=query.programme, code=query.code, after=query.after
    )
    return EditionsView(reports=[EditionView(**_view(row)) for row in rows], next_after=after)


@routes.post(
    "/api/v1/reports",
    summary="Count and deliver a report, or correct one. | 生成并报送报表，或更正。",
    access=MAKERS,
    answers={201: EditionMade},
    refusals=(
        ReportUnknown,
        ReportByPeople,
        ReportPeriodImpossible,
        ReportReasonMissing,
        ReportUnchanged,
        UnknownProgramme,
        EvidenceDamaged,
    ),
)
async def make(request: web.Request, actor: Actor, body: ReportOrder) -> EditionMade:
    edition = await request.app[REPORTS].make(
        body.programme, body.code, Period(body.first, body.last), reason=body.reason, actor=actor
    )
    return EditionMade(**_view(edition), content=edition.content)


@routes.get(
    "/api/v1/report-counts",
    summary="A report as it is now; kept nowhere. | 实时统计，不存档。",
    access=READERS,
    answers={200: LiveView},
    refusals=(ReportUnknown, ReportByPeople, ReportPeriodImpossible, UnknownProgramme),
)
async def live(request: web.Request, actor: Actor, query: LiveQuery) -> Any:
    access.require_programme(actor, query.programme)
    if query.first > query.last:
        today = request.app[CLOCKS].now(query.programme).date()
        raise ReportPeriodImpossible(today=today.isoformat())
    period = Period(query.first, query.last)
    content = await request.app[REPORTS].counted(query.programme, query.code, period)
    if not query.page:
        return LiveView(content=content)
    words = texts.REPORT_WORDS
    facts = [
        (words["programme"], content["programme"]),
        (words["span"], words["period"].format(first=content["first"], last=content["last"])),
        (words["made"], words["live"]),
    ]
    return _page(rendered(content, facts).encode())


@routes.get(
    "/api/v1/reports/{report_id}",
    summary="A report with every figure. | 报表全部数据。",
    access=READERS,
    answers={200: EditionDetail},
)
async def one(request: web.Request, actor: Actor, path: ReportPath) -> EditionDetail:
    edition = await request.app[REPORTS].find(path.report_id, actor=actor)
    return EditionDetail(**_view(edition), content=edition.content)


@routes.get(
    "/api/v1/reports/{report_id}/rows",
    summary="The rows behind a figure. | 数据对应的明细。",
    access=READERS,
    answers={200: BehindView},
    refusals=(ReportFigureUnknown,),
)
async def rows(request: web.Request, actor: Actor, path: ReportPath, query: BehindQuery) -> BehindView:
    reports = request.app[REPORTS]
    edition = await reports.find(path.report_id, actor=actor)
    found = await reports.behind(
        edition, query.figure, row=query.row, actor=actor, after=query.after, limit=ROWS
    )
    return BehindView(
        of=found.of,
        rows=[BehindRow(id=row.id, name=row.name, amount_fen=row.amount_fen) for row in found.rows],
        next_after=found.next_after,
    )


@routes.get(
    "/api/v1/reports/{report_id}/files/{shape}",
    summary="A report as it was delivered: page, XLSX or PDF. | 查看或下载报表。",
    access=READERS,
    answers={200: Media(PDF, "A page, an XLSX file or a PDF. | 网页、XLSX 或 PDF。")},
    refusals=(EvidenceDamaged,),
)
async def file(request: web.Request, actor: Actor, path: ReportFilePath) -> web.Response:
    reports = request.app[REPORTS]
    edition = await reports.find(path.report_id, actor=actor)
    sha256, media_type = {
        ReportForm.PAGE: (edition.page_id, HTML),
        ReportForm.XLSX: (edition.sheet_id, XLSX),
        ReportForm.PDF: (edition.paper_id, PDF),
    }[path.shape]
    content = b"".join([piece async for piece in reports.pieces(sha256)])
    if path.shape is ReportForm.PAGE:
        return _page(content)
    name = f"{edition.title}-{edition.period_to:%Y%m%d}-{edition.number}.{path.shape}"
    return web.Response(
        body=content,
        headers={
            "Content-Type": media_type,
            "Content-Disposition": f'attachment; filename="report.{path.shape}";'
            f" filename*=UTF-8''{quote(name)}",
        },
    )


@routes.get(
    "/api/v1/desk",
    summary="Money by state, queues and what is late. | 工作台：资金、待办与逾期。",
    access=READERS,
    answers={200: DeskView},
    refusals=(UnknownProgramme,),
)
async def shown_desk(request: web.Request, actor: Actor, query: DeskQuery) -> DeskView:
    access.require_programme(actor, query.programme)
    request.app[PROGRAMMES].get(query.programme)
    found = await desk(query.programme, request.app[CLOCKS].now(query.programme))
    return DeskView(
        at=found.at,
        years=[
            YearView(
                budget_id=year.budget_id,
                year=year.year,
                free_fen=year.free_fen,
                money=[
                    MoneyView(state=each.state, title=each.title, amount_fen=each.amount_fen)
                    for each in year.money
                ],
            )
            for year in found.years
        ],
        queues=[
            QueueView(code=each.code, title=each.title, waiting=each.waiting, late=each.late)
            for each in found.queues
        ],
    )


def _page(content: bytes) -> web.Response:
    return web.Response(body=content, headers={"Content-Type": HTML, "Content-Security-Policy": NO_SCRIPTS})


def _view(edition: ReportEdition) -> dict[str, Any]:
    return {
        "id": edition.id,
        "number": edition.number,
        "programme": edition.programme_slug,
        "code": edition.code,
        "subject": edition.subject,
        "first": edition.period_from,
        "last": edition.period_to,
        "version": edition.version,
        "title": edition.title,
        "article": edition.article,
        "sha256": edition.sha256,
        "reason": edition.reason,
        "differences": edition.differences,
        "made_by": edition.made_by,
        "made_at": edition.made_at,
        "delivered_to": edition.delivered_to,
    }
