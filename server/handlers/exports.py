"""Exports over HTTP: lists that can be had, asking for one, how far it is, and the file."""

from __future__ import annotations

from typing import Any, Literal
from urllib.parse import quote

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Media, Routes, person_or_staff, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Path, Query
from server.keys import EXPORTS
from server.models.exports import ExportFormat, ExportJob, ExportStatus
from server.programme.registry import UnknownProgramme
from server.services.access import Actor, StaffRole
from server.services.exports.export_kinds import ExportFilters
from server.services.exports.exports import (
    READERS,
    ExportAlreadyRunning,
    ExportEnded,
    ExportFilterUnknown,
    ExportGone,
    ExportKindUnknown,
    ExportNotReady,
    ExportReasonMissing,
    ExportRevealForbidden,
)
from server.services.files.evidence import EvidenceDamaged
from server.services.tables.sheets import XLSX

routes = Routes("exports")

ASKERS = staff(*READERS)
LOOKERS = staff(*READERS, StaffRole.AUDITOR)
WAITERS = person_or_staff(*READERS)
PAGE = 50
ASKED = person_or_staff(*READERS, StaffRole.AUDITOR)
"""A person has no lists, and fetches the file of a case here."""
TYPES = {
    ExportFormat.XLSX: XLSX,
    ExportFormat.CSV: "text/csv; charset=utf-8",
    ExportFormat.ZIP: "application/zip",
}

PROGRAMME = "The programme's slug. | 项目代码。"
KIND = "Which list. | 导出类别。"


class ExportPath(Path):
    """An export."""

    export_id: Id = Field(description="The export. | 导出编号。")


class ExportQuery(Query):
    """Where a page starts."""

    programme: str = Field(default="", max_length=64, description=PROGRAMME)
    after: AfterId = 0


class ExportOrder(Body):
    """What is wanted."""

    kind: str = Field(max_length=32, description=KIND, examples=["orders"])
    programme: str = Field(max_length=64, description=PROGRAMME)
    format: Literal[ExportFormat.XLSX, ExportFormat.CSV] = Field(
        default=ExportFormat.XLSX, description="xlsx or csv. | 格式。"
    )
    since: Day | None = Field(default=None, description="From this day on. | 起始日期，含当日。")
    until: Day | None = Field(default=None, description="Up to this day. | 截止日期，含当日。")
    status: str = Field(default="", max_length=32, description="Only this status. | 仅此状态。")
    category: str = Field(default="", max_length=64, description="Only this category. | 仅此服务类别。")
    year: int | None = Field(default=None, ge=1949, le=2199, description="Only this year. | 仅此年度。")
    revealed: bool = Field(
        default=False, description="Personal data in clear: needs the right and a reason. | 不遮盖个人信息。"
    )
    reason: str = Field(default="", max_length=500, description="Why it is needed in clear. | 不遮盖的理由。")


class ExportColumnView(Answer):
    """A column of a list."""

    title: str = Field(description="Its header. | 表头。")
    personal: bool = Field(description="Masked unless revealed. | 是否为个人信息。")


class ExportKindView(Answer):
    """A list that can be had."""

    kind: str = Field(description=KIND)
    title: str = Field(description="What it is called. | 名称。")
    filters: list[str] = Field(description="What narrows it. | 可用的筛选条件。")
    columns: list[ExportColumnView] = Field(description="Its columns. | 各列。")
    may_reveal: bool = Field(description="Whether the asker may have personal data. | 可否不遮盖。")


class ExportKindsView(Answer):
    """The lists that the asker may have."""

    kinds: list[ExportKindView] = Field(description="The lists. | 可导出的清单。")


class ExportView(Answer):
    """An export and how far it is."""

    id: int = Field(description="The export. | 导出编号。")
    number: str = Field(description="What people read aloud. | 编号。")
    kind: str = Field(description=KIND)
    subject: str = Field(description="The case it is of; empty: a list. | 所属案卷，清单为空。")
    title: str = Field(description="What it is called. | 名称。")
    programme: str = Field(description=PROGRAMME)
    filters: dict[str, Any] = Field(description="As they were chosen. | 筛选条件。")
    format: ExportFormat = Field(description="xlsx, csv, or zip of a case. | 格式。")
    revealed: bool = Field(description="Personal data in clear. | 个人信息是否未遮盖。")
    status: ExportStatus = Field(description="Where it stands. | 状态。")
    status_text: str = Field(description="The same in words. | 状态说明。")
    asked_by: str = Field(description="Who asked for it. | 导出人。")
    asked_at: AwareDatetime = Field(description="When. | 申请时间。")
    rows_done: int = Field(description="Rows that are read. | 已完成行数。")
    rows_total: int | None = Field(description="Of so many; null: not counted yet. | 总行数。")
    size_bytes: int = Field(description="Of the file. | 文件大小（字节）。")
    sha256: str = Field(description="Of the file; empty: none yet. | 文件的 SHA-256。")
    finished_at: AwareDatetime | None = Field(description="When it was done. | 完成时间。")
    expires_at: AwareDatetime | None = Field(description="Until then it can be fetched. | 可下载至。")
    downloads: int = Field(description="How often it was fetched. | 下载次数。")


class ExportAsked(ExportView):
    """An export just asked for."""


class ExportsView(Answer):
    """A page of exports, by id."""

    exports: list[ExportView] = Field(description="The exports. | 导出记录。")
    next_after: NextPage


@routes.get(
    "/api/v1/export-kinds",
    summary="Lists that can be exported. | 可导出的清单。",
    access=LOOKERS,
    answers={200: ExportKindsView},
)
async def kinds(request: web.Request, actor: Actor) -> ExportKindsView:
    offered = request.app[EXPORTS].offered(actor)
    return ExportKindsView(
        kinds=[
            ExportKindView(
                kind=kind,
                title=source.title,
                filters=sorted(source.filters),
                columns=[
                    ExportColumnView(title=one.title, personal=one.mask is not None) for one in source.columns
                ],
                may_reveal=not source.revealers.isdisjoint(actor.roles),
            )
            for kind, source in offered.items()
        ]
    )


@routes.post(
    "/api/v1/exports",
    summary="Ask for a list as a file. | 申请导出。",
    access=ASKERS,
    answers={201: ExportAsked},
    refusals=(
        ExportKindUnknown,
        ExportFilterUnknown,
        ExportReasonMissing,
        ExportRevealForbidden,
        ExportAlreadyRunning,
        UnknownProgramme,
    ),
)
async def ask(request: web.Request, actor: Actor, body: ExportOrder) -> ExportAsked:
    job = await request.app[EXPORTS].ask(
        body.kind,
        programme_slug=body.programme,
        filters=ExportFilters(body.since, body.until, body.status, body.category, body.year),
        format=body.format,
        revealed=body.revealed,
        reason=body.reason,
        actor=actor,
    )
    return ExportAsked(**_view(job))


@routes.get(
    "/api/v1/exports",
    summary="One's own exports; an auditor sees everybody's. | 导出记录。",
    access=LOOKERS,
    answers={200: ExportsView},
)
async def every(request: web.Request, actor: Actor, query: ExportQuery) -> ExportsView:
    rows = await request.app[EXPORTS].page(
        actor=actor, programme_slug=query.programme, after=query.after, limit=PAGE + 1
    )
    return ExportsView(
        exports=[ExportView(**_view(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/exports/{export_id}",
    summary="How far an export is. | 导出进度。",
    access=ASKED,
    answers={200: ExportView},
)
async def one(request: web.Request, actor: Actor, path: ExportPath) -> ExportView:
    return ExportView(**_view(await request.app[EXPORTS].find(path.export_id, actor=actor)))


@routes.post(
    "/api/v1/exports/{export_id}/cancel",
    summary="Stop an export that is not done. | 取消导出。",
    access=WAITERS,
    answers={200: ExportView},
    refusals=(ExportEnded,),
)
async def cancel(request: web.Request, actor: Actor, path: ExportPath) -> ExportView:
    return ExportView(**_view(await request.app[EXPORTS].cancel(path.export_id, actor=actor)))


@routes.get(
    "/api/v1/exports/{export_id}/file",
    summary="The file; that it was fetched is kept. | 下载导出文件，下载将留痕。",
    access=ASKED,
    answers={200: Media(XLSX, "An XLSX file, CSV, or the ZIP of a case. | XLSX、CSV 文件或案卷 ZIP。")},
    refusals=(ExportNotReady, ExportGone, EvidenceDamaged),
)
async def file(request: web.Request, actor: Actor, path: ExportPath) -> web.StreamResponse:
    download = await request.app[EXPORTS].download(path.export_id, actor=actor)
    response = web.StreamResponse(
        headers={
            "Content-Type": TYPES[download.job.format],
            "Content-Length": str(download.job.size_bytes),
            "Content-Disposition": f'attachment; filename="export.{download.job.format}";'
            f" filename*=UTF-8''{quote(download.name)}",
            "Cache-Control": "no-store",
        }
    )
    await response.prepare(request)
    async for piece in download.content:
        await response.write(piece)
    await response.write_eof()
    return response


def _view(job: ExportJob) -> dict[str, Any]:
    return {
        "id": job.id,
        "number": job.number,
        "kind": job.kind,
        "subject": job.subject,
        "title": texts.EXPORT_KINDS.get(job.kind, job.kind),
        "programme": job.programme_slug,
        "filters": job.filters,
        "format": job.format,
        "revealed": job.revealed,
        "status": job.status,
        "status_text": texts.EXPORT_STATUSES[job.status],
        "asked_by": job.asked_name,
        "asked_at": job.asked_at,
        "rows_done": job.rows_done,
        "rows_total": job.rows_total,
        "size_bytes": job.size_bytes,
        "sha256": job.sha256,
        "finished_at": job.finished_at,
        "expires_at": job.expires_at,
        "downloads": job.downloads,
    }
