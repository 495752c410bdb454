"""Proof over HTTP: keys, signed days and inclusion proofs for anybody; the file of a case for its readers."""

from __future__ import annotations

from hashlib import sha256
from operator import attrgetter
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PERSON, PUBLIC, Answer, Routes, staff
from server.handlers.orders import OrderPath
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import CASE_FILES, JOURNAL_SEALS
from server.models.exports import ExportJob, ExportStatus
from server.services.access import Actor, NotFound, StaffRole
from server.services.exports.exports import ExportAlreadyRunning
from server.services.proof import case_proofs
from server.services.proof.case_files import CaseReasonMissing, CaseRevealForbidden
from server.services.proof.case_proofs import EntryNotProved
from server.services.proof.case_scope import CaseNameUnusable
from server.services.proof.case_sections import Audience

routes = Routes("proof")

PAGE = 100
CASE = "As the journal names it. | 案卷名称。"
OFFICIALS = staff(
    *(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY, StaffRole.INSPECTOR),
    StaffRole.AUDITOR,
)
"""An auditor changes nothing, and a file changes nothing of its case."""


class DayQuery(Query):
    """Where a page starts."""

    after: int = Field(default=0, ge=0, le=2**31 - 1, description="After this number. | 从该序号之后开始。")


class EntryPath(Path):
    """A place in the journal's order of sealing."""

    place: Id = Field(description="The place of an entry, as its file says it. | 记录的位置。")


class CaseQuery(Query):
    """Which case."""

    case: str = Field(max_length=40, description=CASE, examples=["settlement:5"])


class CaseOrder(Body):
    """Which case, and how."""

    case: str = Field(max_length=40, description=CASE, examples=["settlement:5"])
    revealed: bool = Field(
        default=False, description="Personal data in clear: needs the right and a reason. | 不遮盖个人信息。"
    )
    reason: str = Field(default="", max_length=500, description="Why it is needed in clear. | 不遮盖的理由。")


class KeyView(Answer):
    """A key that signs days and files, or did."""

    key_id: str = Field(description="Its id. | 密钥编号。")
    public_key: str = Field(description="Ed25519, hex. | Ed25519 公钥，十六进制。")
    fingerprint: str = Field(description="SHA-256 of it, hex. | 公钥的 SHA-256。")


class KeysView(Answer):
    """Every key there was."""

    keys: list[KeyView] = Field(description="By id; the last one signs. | 按编号排列，最后一个在用。")


class AnchorView(Answer):
    """What somebody outside gave for a day."""

    anchor: str = Field(description="file, rfc3161 or blockchain. | 留存方式。")
    token: str = Field(description="What they gave, Base64. | 留存凭证，Base64。")


class DayView(Answer):
    """A signed day."""

    statement: dict[str, Any] = Field(description="What is signed. | 签名内容。")
    hash: str = Field(description="Its SHA-256, hex. | 签名内容的 SHA-256。")
    signature: str = Field(description="Ed25519, hex. | 签名，十六进制。")
    key_id: str = Field(description="The key. | 密钥编号。")
    anchors: list[AnchorView] = Field(description="Who keeps it. | 外部留存。")


class DaysView(Answer):
    """A page of the signed days."""

    days: list[DayView] = Field(description="By number. | 按序号。")
    next_after: NextPage


class ProofView(Answer):
    """That an entry stands under a day's root."""

    place: int = Field(description="The place. | 位置。")
    hash: str = Field(description="The entry's link, hex. | 记录的链上摘要。")
    position: int = Field(description="Which leaf of the day, from 0. | 当日第几个，从 0 起。")
    path: list[str] = Field(description="Hashes beside the way to the root, lowest first. | 到根的路径。")
    day: DayView = Field(description="The day. | 所在的签署日。")


class CaseFileView(Answer):
    """The file of a case on its way."""

    export_id: int = Field(description="The export that it is; cancel it there. | 导出编号。")
    number: str = Field(description="What people read aloud. | 编号。")
    case: str = Field(description=CASE)
    copy_for: Audience = Field(description="Whose copy it is. | 留存方。")
    revealed: bool = Field(description="Personal data in clear. | 个人信息是否未遮盖。")
    status: ExportStatus = Field(description="Where it stands. | 状态。")
    status_text: str = Field(description="The same in words. | 状态说明。")
    done: int = Field(description="Sections and papers that are in it. | 已完成的分册和材料数。")
    total: int | None = Field(description="Of so many; null: not begun. | 总数。")
    asked_at: AwareDatetime = Field(description="When it was asked for. | 申请时间。")
    expires_at: AwareDatetime | None = Field(description="Until then it can be fetched. | 可下载至。")
    size_bytes: int = Field(description="Of the file. | 文件大小（字节）。")
    sha256: str = Field(description="Of the file; empty: none yet. | 文件的 SHA-256。")
    file: str | None = Field(description="Where it is fetched; null: not yet. | 下载地址。")


class CaseFileBegun(CaseFileView):
    """A file just asked for, or under way already."""


@routes.get(
    "/api/v1/proof/keys",
    summary="The keys that sign the journal. | 日志签名公钥。",
    access=PUBLIC,
    answers={200: KeysView},
)
async def keys(request: web.Request) -> KeysView:
    known = await request.app[JOURNAL_SEALS].public_keys()
    return KeysView(
        keys=[
            KeyView(key_id=key_id, public_key=one, fingerprint=sha256(bytes.fromhex(one)).hexdigest())
            for key_id, one in known.items()
        ]
    )


@routes.get(
    "/api/v1/proof/days",
    summary="The signed days of the journal. | 日志每日签名。",
    access=PUBLIC,
    answers={200: DaysView},
)
async def days(request: web.Request, query: DayQuery) -> DaysView:
    rows = await case_proofs.days_page(after=query.after, limit=PAGE + 1)
    return DaysView(
        days=[DayView(**await case_proofs.day_line(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE, attrgetter("number")),
    )


@routes.get(
    "/api/v1/proof/entries/{place}",
    summary="That an entry stands under its day's root; nothing of its words. | 记录的存证路径，不含内容。",
    access=PUBLIC,
    answers={200: ProofView},
    refusals=(EntryNotProved, NotFound),
)
async def entry(request: web.Request, path: EntryPath) -> ProofView:
    found = await case_proofs.proof_of(path.place)
    if found is None:
        raise NotFound()
    seal, row, way = found
    return ProofView(
        place=seal.place,
        hash=seal.hash,
        position=seal.place - row.first_place,
        path=way,
        day=DayView(**await case_proofs.day_line(row)),
    )


@routes.post(
    "/api/v1/case-files",
    summary="Begin the file of a case: everything about it as a ZIP that can be checked. The same under"
    " way is answered again. | 一键导出案卷（ZIP），留痕；正在生成的不重复生成。",
    access=OFFICIALS,
    answers={202: CaseFileBegun},
    refusals=(CaseNameUnusable, CaseReasonMissing, CaseRevealForbidden, ExportAlreadyRunning, NotFound),
)
async def begin(request: web.Request, actor: Actor, body: CaseOrder) -> CaseFileBegun:
    job = await request.app[CASE_FILES].ask(
        body.case, revealed=body.revealed, reason=body.reason, actor=actor
    )
    return CaseFileBegun(**_told(job))


@routes.get(
    "/api/v1/case-files",
    summary="How far one's own last file of a case is, and where it is fetched. | 案卷的生成进度和下载地址。",
    access=OFFICIALS,
    answers={200: CaseFileView},
    refusals=(CaseNameUnusable, NotFound),
)
async def newest(request: web.Request, actor: Actor, query: CaseQuery) -> CaseFileView:
    return CaseFileView(**_told(await request.app[CASE_FILES].newest(query.case, actor=actor)))


@routes.post(
    "/api/v1/orders/{order_id}/case-file",
    summary="Begin what a side of an order keeps of it: its own copy of the file, a ZIP that can be checked."
    " | 生成本单位留存的订单案卷（ZIP）。",
    access=PERSON,
    answers={202: CaseFileBegun},
    refusals=(ExportAlreadyRunning, NotFound),
)
async def begin_own(request: web.Request, actor: Actor, path: OrderPath) -> CaseFileBegun:
    return CaseFileBegun(**_told(await request.app[CASE_FILES].ask_own(path.order_id, actor=actor)))


@routes.get(
    "/api/v1/orders/{order_id}/case-file",
    summary="How far one's own copy is, and where it is fetched. | 本单位订单案卷的生成进度和下载地址。",
    access=PERSON,
    answers={200: CaseFileView},
    refusals=(NotFound,),
)
async def newest_own(request: web.Request, actor: Actor, path: OrderPath) -> CaseFileView:
    return CaseFileView(**_told(await request.app[CASE_FILES].newest_own(path.order_id, actor=actor)))


def _told(job: ExportJob) -> dict[str, Any]:
    return {
        "export_id": job.id,
        "number": job.number,
        "case": job.subject,
        "copy_for": job.filters["copy"],
        "revealed": job.revealed,
        "status": job.status,
        "status_text": texts.EXPORT_STATUSES[job.status],
        "done": job.rows_done,
        "total": job.rows_total,
        "asked_at": job.asked_at,
        "expires_at": job.expires_at,
        "size_bytes": job.size_bytes,
        "sha256": job.sha256,
        "file": f"/api/v1/exports/{job.id}/file" if job.status is ExportStatus.DONE else None,
    }
