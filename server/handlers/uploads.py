"""Uploads over HTTP: a file at once, or part by part so that a lost connection costs nothing."""

from __future__ import annotations

from typing import Annotated

from aiohttp import hdrs, web
from pydantic import AwareDatetime, Field

from server.handlers.api import WORKING, Answer, Media, Reply, Routes
from server.handlers.files import FileView, file_view
from server.handlers.parsing import Body, BodyIncomplete, BodyTooLarge, BodyTooSlow, Headers, Path, Query
from server.handlers.streams import UploadFormUnusable, UploadTypeUnusable, body_of, sent_file
from server.keys import PROGRAMMES, UPLOADS
from server.models.files import Upload
from server.programme.papers import DocumentKind
from server.programme.registry import UnknownProgramme
from server.services.access import Actor, NoOrganisation
from server.services.buckets import TooManyRequests
from server.services.files.file_intake import UploadCorrupted, UploadFinished
from server.services.files.file_safety import FLAWS, FileNameUnusable, FileTypeMismatch, FileUnacceptable
from server.services.files.files import FilesUnknown, own_files
from server.services.files.uploads import (
    UPLOAD_LASTS,
    Announced,
    MergeImpossible,
    MergeTooLarge,
    StorageFull,
    TooManyUploads,
    UploadIncomplete,
    UploadOffsetWrong,
    UploadOverrun,
)

routes = Routes("uploads")

OFFSET, LENGTH = "Upload-Offset", "Upload-Length"
PART_TYPES = ("application/offset+octet-stream", "application/octet-stream")
PART = Media(", ".join(PART_TYPES), "The bytes from this offset on. | 从该位置开始的文件内容。")
WHOLE = Media(
    "application/octet-stream, multipart/form-data",
    "The file itself, or a form whose only field `file` is the file (wx.uploadFile)."
    " | 文件内容本身，或只含一个 file 字段的表单（wx.uploadFile）。",
)
ROOM = (
    UnknownProgramme,
    NoOrganisation,
    FileNameUnusable,
    FileUnacceptable,
    FileTypeMismatch,
    TooManyRequests,
    TooManyUploads,
    StorageFull,
)
JUDGED = (FileTypeMismatch, UploadCorrupted, *FLAWS.values())
RECEIVED = (
    UploadOffsetWrong,
    UploadOverrun,
    UploadFinished,
    UploadTypeUnusable,
    BodyTooSlow,
    BodyIncomplete,
)
MOST_MERGED = 50

PROGRAMME = "The programme whose file rules count. | 适用其文件要求的项目。"
KIND = "What it is evidence of. | 材料种类。"
NAME = "Name with extension. | 文件名（含扩展名）。"


class BeginUpload(Body):
    """A file that is about to be sent."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["demo"])
    kind: DocumentKind = Field(strict=False, description=KIND)
    name: str = Field(max_length=500, description=NAME, examples=["营业执照.jpg"])
    size_bytes: int = Field(ge=1, le=2**53, description="Its size in bytes. | 字节数。", examples=[1_048_576])
    media_type: str = Field(
        default="",
        max_length=100,
        description="Its type, if known. | 文件类型，可不填。",
    )
    sha256: str = Field(
        default="",
        pattern=r"^([0-9a-fA-F]{64})?$",
        description="Its SHA-256 in hex, if known: what arrives is compared."
        " | 文件的 SHA-256，可不填，填写后将核对。",
        examples=[""],
    )


class UploadPath(Path):
    """An upload."""

    upload_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="The upload. | 上传编号。")


class PartHeaders(Headers):
    """Where a part begins."""

    offset: int = Field(
        alias=OFFSET, ge=0, le=2**53, description="Bytes that came before it. | 此前已上传的字节数。"
    )


class SendQuery(Query):
    """What a file sent at once is."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    kind: DocumentKind = Field(description=KIND)
    name: str = Field(
        default="",
        max_length=500,
        description="Name with extension; a form may bring its own. | 文件名，表单可自带。",
    )


class MergeFiles(Body):
    """Files to become one PDF."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["demo"])
    kind: DocumentKind = Field(strict=False, description=KIND)
    name: str = Field(
        max_length=500, description="Name, ending in .pdf. | 文件名，以 .pdf 结尾。", examples=["合同.pdf"]
    )
    file_ids: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] = Field(
        min_length=2,
        max_length=MOST_MERGED,
        description="The files in the order of their pages. | 文件编号，按页序。",
        examples=[[1, 2]],
    )


class UploadView(Answer):
    """How far an upload has come."""

    id: str = Field(description="The upload. | 上传编号。")
    name: str = Field(description="Its name. | 文件名。")
    size_bytes: int = Field(description="Bytes announced. | 文件总字节数。")
    offset: int = Field(description="Bytes received; go on from here. | 已收到的字节数，从此处继续。")
    expires_at: AwareDatetime = Field(
        description="Forgotten if nothing comes until then. | 此前未续传将被清除。"
    )


@routes.post(
    "/api/v1/uploads",
    summary="Begin a file that is sent part by part. | 开始分段上传。",
    access=WORKING,
    answers={201: UploadView},
    refusals=ROOM,
)
async def begin(request: web.Request, actor: Actor, body: BeginUpload) -> Reply:
    announced = Announced(
        name=body.name,
        size_bytes=body.size_bytes,
        programme=body.programme,
        kind=body.kind,
        media_type=body.media_type,
        sha256=body.sha256,
    )
    upload = await request.app[UPLOADS].begin(announced, actor=actor)
    return Reply(_view(upload), {hdrs.LOCATION: f"/api/v1/uploads/{upload.id}", OFFSET: "0"})


@routes.head(
    "/api/v1/uploads/{upload_id}",
    summary="How far an upload has come, in headers. | 查询上传进度（响应头）。",
    access=WORKING,
    answers={200: None},
)
async def offset(request: web.Request, actor: Actor, path: UploadPath) -> web.Response:
    upload = await request.app[UPLOADS].find(path.upload_id, actor=actor)
    return web.Response(headers={OFFSET: str(upload.received_bytes), LENGTH: str(upload.size_bytes)})


@routes.get(
    "/api/v1/uploads/{upload_id}",
    summary="How far an upload has come. | 查询上传进度。",
    access=WORKING,
    answers={200: UploadView},
)
async def one(request: web.Request, actor: Actor, path: UploadPath) -> UploadView:
    return _view(await request.app[UPLOADS].find(path.upload_id, actor=actor))


@routes.patch(
    "/api/v1/uploads/{upload_id}",
    summary="Send the next part; what came before a lost connection is kept. | 续传，断线前的内容保留。",
    access=WORKING,
    answers={204: None},
    refusals=RECEIVED,
    receives=PART,
)
async def patch(request: web.Request, actor: Actor, path: UploadPath, headers: PartHeaders) -> web.Response:
    return await _received(request, actor, path.upload_id, headers.offset)


@routes.post(
    "/api/v1/uploads/{upload_id}/parts",
    summary="The same as PATCH, for wx.request, which has none. | 与 PATCH 相同，供 wx.request 使用。",
    access=WORKING,
    answers={204: None},
    refusals=RECEIVED,
    receives=PART,
)
async def part(request: web.Request, actor: Actor, path: UploadPath, headers: PartHeaders) -> web.Response:
    return await _received(request, actor, path.upload_id, headers.offset)


@routes.post(
    "/api/v1/uploads/{upload_id}/completion",
    summary="Everything is sent: check it and keep it. | 上传完毕，检查并保存。",
    access=WORKING,
    answers={201: FileView},
    refusals=(UploadIncomplete, *JUDGED),
)
async def complete(request: web.Request, actor: Actor, path: UploadPath) -> FileView:
    return file_view(await request.app[UPLOADS].complete(path.upload_id, actor=actor))


@routes.delete(
    "/api/v1/uploads/{upload_id}",
    summary="Give an upload up. | 取消上传。",
    access=WORKING,
    answers={204: None},
    refusals=(UploadFinished,),
)
async def give_up(request: web.Request, actor: Actor, path: UploadPath) -> None:
    await request.app[UPLOADS].give_up(path.upload_id, actor=actor)


@routes.post(
    "/api/v1/files",
    summary="Send a whole file at once. | 一次上传整个文件。",
    access=WORKING,
    answers={201: FileView},
    refusals=(*ROOM, *JUDGED, UploadFormUnusable, BodyTooLarge, BodyTooSlow, BodyIncomplete),
    receives=WHOLE,
)
async def send(request: web.Request, actor: Actor, query: SendQuery) -> FileView:
    most = request.app[PROGRAMMES].get(query.programme).files.max_bytes
    sent = await sent_file(request, query.name, most)
    announced = Announced(
        name=sent.name,
        size_bytes=sent.size_bytes,
        programme=query.programme,
        kind=query.kind,
        media_type=sent.media_type,
    )
    return file_view(await request.app[UPLOADS].send(announced, sent.content, actor=actor))


@routes.post(
    "/api/v1/files/merges",
    summary="Put own files into one PDF, in this order. | 按顺序把自己的文件合并为一个 PDF。",
    access=WORKING,
    answers={201: FileView},
    refusals=(*ROOM, *JUDGED, FilesUnknown, MergeImpossible, MergeTooLarge),
)
async def merge(request: web.Request, actor: Actor, body: MergeFiles) -> FileView:
    sources = await own_files(body.file_ids, actor=actor)
    announced = Announced(name=body.name, size_bytes=1, programme=body.programme, kind=body.kind)
    return file_view(await request.app[UPLOADS].merge(announced, sources, actor=actor))


async def _received(request: web.Request, actor: Actor, upload_id: str, begins: int) -> web.Response:
    if request.content_type not in PART_TYPES:
        raise UploadTypeUnusable(wanted=PART_TYPES[0])
    upload = await request.app[UPLOADS].receive(upload_id, begins, body_of(request), actor=actor)
    return web.Response(status=204, headers={OFFSET: str(upload.received_bytes)})


def _view(upload: Upload) -> UploadView:
    return UploadView(
        id=str(upload.id),
        name=upload.name,
        size_bytes=upload.size_bytes,
        offset=upload.received_bytes,
        expires_at=upload.touched_at + UPLOAD_LASTS,
    )
