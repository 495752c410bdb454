"""Imports over HTTP: templates, the dry run, the file with its errors, and the import itself.

The file is the request's body, or the one field of a form; its format is told by its content.
"""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Media, Routes, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import BodyIncomplete, BodyTooLarge, BodyTooSlow, Path, Query
from server.handlers.streams import UploadFormUnusable, whole_file
from server.keys import IMPORTS
from server.models.imports import ImportRun
from server.programme.registry import UnknownProgramme
from server.services import access
from server.services.access import Actor, NotFound, StaffRole
from server.services.admissions.qualifications import LabelsUnknown
from server.services.imports import imports
from server.services.imports.import_kinds import Effect, ImportMode, ImportSettings, ImportSettingsWrong
from server.services.imports.imports import (
    ImportDuringLaunch,
    ImportKindUnknown,
    ImportNotPreviewed,
    ImportRowsBroken,
    Outcome,
    Preview,
)
from server.services.tables.import_table import ImportColumnsWrong
from server.services.tables.sheets import MOST_BYTES, MOST_ROWS, SHEET_REFUSALS, XLSX

routes = Routes("imports")

KEEPERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY)
PAGE = 50
FILE = Media(
    "application/octet-stream, multipart/form-data",
    "The list as XLSX or CSV, or a form whose only field `file` is the list."
    " | XLSX 或 CSV 文件内容本身，或只含一个 file 字段的表单。",
)
CSV = "text/csv; charset=utf-8"
FILE_REFUSALS = (
    BodyTooLarge,
    BodyTooSlow,
    BodyIncomplete,
    UploadFormUnusable,
    ImportKindUnknown,
    ImportSettingsWrong,
    ImportColumnsWrong,
    UnknownProgramme,
    LabelsUnknown,
    NotFound,
    *SHEET_REFUSALS,
)

KIND = "labels, providers or blocklist. | 标识名单、服务机构名录或限制名单。"
PROGRAMME = "The programme's slug; null: all of them (blocklists only). | 项目代码，仅限制名单可为空。"
SHA256 = "SHA-256 of the file. | 文件的 SHA-256。"
COUNTS = "Rows by what they do, and lines withdrawn. | 各类行数及撤销数。"
SETTINGS = "List, document, label and mode. | 名单、文号、标识和方式。"


class KindPath(Path):
    """A kind of list."""

    kind: str = Field(max_length=32, description=KIND)


class TemplateQuery(Query):
    """In which format."""

    format: str = Field(default="xlsx", pattern="^(xlsx|csv)$", description="xlsx or csv. | 格式。")


class FileQuery(Query):
    """Which list the file is."""

    programme: str | None = Field(default=None, max_length=64, description=PROGRAMME)
    label: str = Field(default="", max_length=64, description="The label, for lists of labels. | 标识代码。")
    list_name: str = Field(min_length=2, max_length=200, description="The list's name. | 名单名称。")
    document_number: str = Field(default="", max_length=120, description="Its number. | 文号。")
    mode: ImportMode = Field(
        default=ImportMode.ADD,
        description="add, or replace: the file is the whole list, what it does not name is withdrawn. "
        "| 增补，或整体替换（名单不再列入的予以撤销）。",
    )


class CarryOutQuery(FileQuery):
    """Which list the file is, as it was looked at."""

    fingerprint: str = Field(
        min_length=64, max_length=64, description="From the dry run of this file. | 预览返回的指纹。"
    )


class ColumnView(Answer):
    """A column of a template."""

    name: str = Field(description="Its header. | 表头。")
    required: bool = Field(description="Must be filled in. | 是否必填。")
    example: str = Field(description="An example. | 示例。")


class KindView(Answer):
    """A kind of list."""

    code: str = Field(description=KIND)
    columns: list[ColumnView] = Field(description="Its columns. | 各列。")


class Kinds(Answer):
    """What can be imported."""

    kinds: list[KindView] = Field(description="The kinds. | 类别。")
    most_bytes: int = Field(description="The largest file. | 文件大小上限（字节）。")
    most_rows: int = Field(description="The most rows. | 行数上限。")


class FaultView(Answer):
    """What is wrong with a row."""

    column: str = Field(description="Header of the column; empty: the row. | 所在列，空为整行。")
    problem: str = Field(description="What is wrong. | 问题。")


class RowView(Answer):
    """What a row does, or what is wrong with it."""

    row: int = Field(description="Its number in the file, from 1. | 行号。")
    holder: str = Field(description="Whom it names. | 对象。")
    effect: Effect = Field(description="new, changed, same or broken. | 新增、更新、无变化或有错误。")
    faults: list[FaultView] = Field(description="Everything wrong with it. | 错误。")
    note: str = Field(description="Worth a look, but no fault. | 提示。")


class PreviewView(Answer):
    """What a file would do; nothing was written."""

    sha256: str = Field(description=SHA256)
    fingerprint: str = Field(description="To import exactly this. | 导入时提交的指纹。")
    ready: bool = Field(description="No row is broken: it can be imported. | 是否可以导入。")
    counts: dict[str, int] = Field(description=COUNTS)
    rows: list[RowView] = Field(description="Every row. | 逐行结果。")
    withdrawn: list[str] = Field(description="Whom the list names no longer. | 将被撤销的对象。")


class RunView(Answer):
    """An import that was carried out."""

    id: int = Field(description="The import. | 导入编号。")
    kind: str = Field(description=KIND)
    programme: str | None = Field(description=PROGRAMME)
    settings: dict[str, Any] = Field(description=SETTINGS)
    sha256: str = Field(description=SHA256)
    counts: dict[str, int] = Field(description=COUNTS)
    done_at: AwareDatetime = Field(description="When. | 导入时间。")


class Imported(RunView):
    """An import just carried out."""


class RunQuery(Query):
    """Where a page starts."""

    after: AfterId = 0


class Runs(Answer):
    """A page of imports, by id."""

    imports: list[RunView] = Field(description="The imports. | 导入记录。")
    next_after: NextPage


@routes.get(
    "/api/v1/imports",
    summary="Imports that were carried out. | 导入记录。",
    access=KEEPERS,
    answers={200: Runs},
)
async def every(request: web.Request, actor: Actor, query: RunQuery) -> Runs:
    rows = await imports.page(actor, after=query.after, limit=PAGE + 1)
    return Runs(
        imports=[RunView(**_run(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/import-kinds",
    summary="What can be imported, and its columns. | 可导入的名单类别。",
    access=KEEPERS,
    answers={200: Kinds},
)
async def kinds(request: web.Request) -> Kinds:
    return Kinds(
        kinds=[
            KindView(
                code=kind.code,
                columns=[
                    ColumnView(name=column.name, required=column.required, example=column.example)
                    for column in kind.columns
                ],
            )
            for kind in request.app[IMPORTS].kinds.values()
        ],
        most_bytes=MOST_BYTES,
        most_rows=MOST_ROWS,
    )


@routes.get(
    "/api/v1/imports/{kind}/template",
    summary="The empty form, with an example row that imports leave out. | 下载导入模板。",
    access=KEEPERS,
    answers={200: Media(XLSX, "An XLSX file, or CSV where asked for. | XLSX 文件，或按要求为 CSV。")},
    refusals=(ImportKindUnknown,),
)
async def template(request: web.Request, path: KindPath, query: TemplateQuery) -> web.Response:
    as_csv = query.format == "csv"
    content = await request.app[IMPORTS].template(path.kind, as_csv=as_csv)
    return _file(content, CSV if as_csv else XLSX, f"{path.kind}-template.{query.format}")


@routes.post(
    "/api/v1/imports/{kind}/preview",
    summary="Dry run: what the file in the body would do. | 预览导入结果（不写入任何数据）。",
    access=KEEPERS,
    answers={200: PreviewView},
    refusals=FILE_REFUSALS,
    receives=FILE,
)
async def preview(request: web.Request, actor: Actor, path: KindPath, query: FileQuery) -> PreviewView:
    found = await _previewed(request, actor, path, query)
    return PreviewView(
        sha256=found.sha256,
        fingerprint=found.fingerprint,
        ready=not found.counts[Effect.BROKEN.value],
        counts=found.counts,
        rows=[_row(outcome) for outcome in found.outcomes],
        withdrawn=list(found.withdrawn),
    )


@routes.post(
    "/api/v1/imports/{kind}/report",
    summary="The same file with each row's result and errors beside it. | 下载带结果和错误列的文件。",
    access=KEEPERS,
    answers={200: Media(XLSX, "An XLSX file. | XLSX 文件。")},
    refusals=FILE_REFUSALS,
    receives=FILE,
)
async def report(request: web.Request, actor: Actor, path: KindPath, query: FileQuery) -> web.Response:
    found = await _previewed(request, actor, path, query)
    return _file(await request.app[IMPORTS].report(found), XLSX, f"{path.kind}-report.xlsx")


@routes.post(
    "/api/v1/imports/{kind}",
    summary="Import the file in the body, as it was looked at. | 按预览结果导入。",
    access=KEEPERS,
    answers={201: Imported},
    refusals=(*FILE_REFUSALS, ImportRowsBroken, ImportNotPreviewed, ImportDuringLaunch),
    receives=FILE,
)
async def carry_out(request: web.Request, actor: Actor, path: KindPath, query: CarryOutQuery) -> Imported:
    access.require_programme(actor, query.programme)
    raw = await whole_file(request, MOST_BYTES)
    run = await request.app[IMPORTS].carry_out(
        path.kind, raw, _settings(query), fingerprint=query.fingerprint, actor=actor
    )
    return Imported(**_run(run))


async def _previewed(request: web.Request, actor: Actor, path: KindPath, query: FileQuery) -> Preview:
    access.require_programme(actor, query.programme)
    raw = await whole_file(request, MOST_BYTES)
    return await request.app[IMPORTS].preview(path.kind, raw, _settings(query))


def _settings(query: FileQuery) -> ImportSettings:
    return ImportSettings(
        programme=query.programme,
        label=query.label,
        list_name=query.list_name,
        document_number=query.document_number,
        mode=query.mode,
    )


def _row(outcome: Outcome) -> RowView:
    return RowView(
        row=outcome.row.number,
        holder=outcome.row.holder,
        effect=outcome.effect,
        faults=[FaultView(column=one.column, problem=one.problem) for one in outcome.row.faults],
        note=outcome.note,
    )


def _run(run: ImportRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "kind": run.kind,
        "programme": run.programme_slug,
        "settings": run.settings,
        "sha256": run.sha256,
        "counts": run.counts,
        "done_at": run.done_at,
    }


def _file(content: bytes, media_type: str, name: str) -> web.Response:
    return web.Response(
        body=content,
        headers={
            "Content-Type": media_type,
            "Content-Disposition": f'attachment; filename="{name}"',
        },
    )
