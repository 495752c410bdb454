"""Files over HTTP: what was handed in, and the safe copy of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import quote

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, SIGNED_IN, Answer, Media, Routes
from server.handlers.paging import NextPage
from server.handlers.parsing import Id, Path, Query
from server.keys import FILES
from server.models.files import StoredFile
from server.programme.papers import DocumentKind
from server.services.access import Actor, NoOrganisation
from server.services.files.evidence import EvidenceDamaged
from server.services.files.files import FileInUse, ViewReasonMissing, hints_of

routes = Routes("files")

SHOWN_EXTENSIONS: Mapping[str, str] = MappingProxyType(
    {"application/pdf": "pdf", "image/jpeg": "jpg", "video/mp4": "mp4", "audio/amr": "amr"}
)
SHOWN = Media(
    "application/pdf, image/jpeg, video/mp4, audio/amr",
    "The copy that may be shown: no metadata, nothing that runs. | 可供查看的副本：不含元数据和可执行内容。",
)


class FilePath(Path):
    """A file."""

    file_id: Id = Field(description="The file. | 文件编号。")


class ContentQuery(Query):
    """Why somebody looks."""

    why: str = Field(
        default="",
        max_length=200,
        description="Why; staff must say it, and it is kept. | 查看理由，工作人员必填，将留痕。",
    )


class FilesQuery(Query):
    """Which page."""

    after: int = Field(default=0, ge=0, description="After this file's id. | 从该编号之后开始。")


class HintView(Answer):
    """A warning about a photo; the file is taken all the same."""

    code: str = Field(description="Stable machine code. | 提示代码。")
    message: str = Field(description="What may be better. | 中文说明。")


class FileView(Answer):
    """A file that was taken."""

    id: int = Field(description="The file; forms refer to it by this. | 文件编号，填表时引用。")
    programme: str = Field(description="The programme whose rules it was checked by. | 检查时适用的项目。")
    kind: DocumentKind = Field(description="What it is evidence of. | 材料种类。")
    name: str = Field(description="As its owner calls it. | 文件名。")
    media_type: str = Field(description="By its content. | 按内容判定的类型。")
    size_bytes: int = Field(description="Its size in bytes. | 字节数。")
    pages: int = Field(description="How many pages; 1 for a picture. | 页数，图片为 1。")
    sha256: str = Field(description="Hash of the bytes as they came, kept so. | 原始内容的 SHA-256。")
    hints: list[HintView] = Field(description="Warnings about its quality. | 清晰度等提示，不影响提交。")
    merged_from: list[int] = Field(description="The files it was put together from. | 由哪些文件合并而成。")
    created_at: AwareDatetime = Field(description="When it was taken. | 接收时间。")


class FileList(Answer):
    """A page of files, by id."""

    files: list[FileView] = Field(description="The files. | 文件列表。")
    next_after: NextPage


@routes.get(
    "/api/v1/files",
    summary="The files of my organisation. | 本单位的文件。",
    access=PERSON,
    answers={200: FileList},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: FilesQuery) -> FileList:
    page = await request.app[FILES].mine(actor=actor, after=query.after)
    return FileList(files=[file_view(row) for row in page.rows], next_after=page.next_after)


@routes.get(
    "/api/v1/files/{file_id}",
    summary="What is known of a file. | 文件信息。",
    access=SIGNED_IN,
    answers={200: FileView},
)
async def one(request: web.Request, actor: Actor, path: FilePath) -> FileView:
    return file_view(await request.app[FILES].find(path.file_id, actor=actor))


@routes.get(
    "/api/v1/files/{file_id}/content",
    summary="The safe copy of a file; that it was seen is kept. | 查看文件的安全副本，查看将留痕。",
    access=SIGNED_IN,
    answers={200: SHOWN},
    refusals=(ViewReasonMissing, EvidenceDamaged),
)
async def content(request: web.Request, actor: Actor, path: FilePath, query: ContentQuery) -> web.Response:
    file, shown = await request.app[FILES].view(path.file_id, actor=actor, why=query.why)
    return web.Response(
        body=shown,
        headers={
            "Content-Type": file.shown_media_type,
            "Content-Disposition": disposition(file),
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


@routes.delete(
    "/api/v1/files/{file_id}",
    summary="Take back a file that was not handed in. | 删除尚未提交的文件。",
    access=PERSON,
    answers={204: None},
    refusals=(FileInUse, NoOrganisation),
)
async def discard(request: web.Request, actor: Actor, path: FilePath) -> None:
    await request.app[FILES].discard(path.file_id, actor=actor)


def disposition(file: StoredFile) -> str:
    """Always an attachment, with a plain name for old readers and the true one for the others (RFC 6266)."""
    extension = SHOWN_EXTENSIONS[file.shown_media_type]
    name = f"{file.name.rpartition('.')[0]}.{extension}"
    return f"attachment; filename=\"file-{file.id}.{extension}\"; filename*=UTF-8''{quote(name, safe='')}"


def file_view(file: StoredFile) -> FileView:
    """A file as it is told."""
    return FileView(
        id=file.id,
        programme=file.programme_slug,
        kind=file.kind,
        name=file.name,
        media_type=file.media_type,
        size_bytes=file.size_bytes,
        pages=file.pages,
        sha256=file.sha256,
        hints=[HintView(code=hint.code, message=hint.message) for hint in hints_of(file)],
        merged_from=file.merged_from,
        created_at=file.created_at,
    )
