"""Proof over HTTP: keys, signed days and inclusion proofs for anybody; the file of a case for its readers."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import Any
from urllib.parse import quote

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, PUBLIC, Answer, Media, Routes, staff
from server.handlers.orders import OrderPath
from server.handlers.parsing import Id, Path, Query
from server.keys import AUDIT_PACKS, JOURNAL_SEALS
from server.services import case_proofs
from server.services.access import Actor, NotFound, StaffRole
from server.services.audit_packs import CaseReasonMissing, CaseRevealForbidden, Pack
from server.services.case_proofs import EntryNotProved
from server.services.case_scope import CaseNameUnusable

routes = Routes("proof")

PAGE = 100
PIECE_BYTES = 262_144
ZIP = "application/zip"


class DayQuery(Query):
    """Where a page starts."""

    after: int = Field(default=0, ge=0, le=2**31 - 1, description="After this number. | 从该序号之后开始。")


class EntryPath(Path):
    """A place in the journal's order of sealing."""

    place: Id = Field(description="The place of an entry, as its file says it. | 记录的位置。")


class CaseQuery(Query):
    """Which case, and how."""

    case: str = Field(
        max_length=40, description="As the journal names it. | 案卷名称。", examples=["settlement:5"]
    )
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
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class ProofView(Answer):
    """That an entry stands under a day's root."""

    place: int = Field(description="The place. | 位置。")
    hash: str = Field(description="The entry's link, hex. | 记录的链上摘要。")
    position: int = Field(description="Which leaf of the day, from 0. | 当日第几个，从 0 起。")
    path: list[str] = Field(description="Hashes beside the way to the root, lowest first. | 到根的路径。")
    day: DayView = Field(description="The day. | 所在的签署日。")


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
        next_after=rows[PAGE - 1].number if len(rows) > PAGE else None,
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


@routes.get(
    "/api/v1/case-files",
    summary="Everything about a case as a ZIP that can be checked; that it was made is kept."
    " | 一键导出案卷（ZIP），导出将留痕。",
    access=staff(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY, StaffRole.INSPECTOR),
    answers={200: Media(ZIP, "The file. | 案卷。")},
    refusals=(CaseNameUnusable, CaseReasonMissing, CaseRevealForbidden, NotFound),
)
async def case_file(request: web.Request, actor: Actor, query: CaseQuery) -> web.StreamResponse:
    pack = await request.app[AUDIT_PACKS].make(
        query.case, revealed=query.revealed, reason=query.reason, actor=actor
    )
    return await _sent(request, pack)


@routes.get(
    "/api/v1/orders/{order_id}/case-file",
    summary="What a side of an order keeps of it: its own copy of the file, as a ZIP that can be checked."
    " | 导出本单位留存的订单案卷（ZIP）。",
    access=PERSON,
    answers={200: Media(ZIP, "The file. | 案卷。")},
    refusals=(NotFound,),
)
async def own_case_file(request: web.Request, actor: Actor, path: OrderPath) -> web.StreamResponse:
    return await _sent(request, await request.app[AUDIT_PACKS].make_own(path.order_id, actor=actor))


async def _sent(request: web.Request, pack: Pack) -> web.StreamResponse:
    response = web.StreamResponse(
        headers={
            "Content-Type": ZIP,
            "Content-Length": str(pack.size_bytes),
            "Content-Disposition": f"attachment; filename=\"case.zip\"; filename*=UTF-8''{quote(pack.name)}",
            "Cache-Control": "no-store",
        }
    )
    try:
        await response.prepare(request)
        with await asyncio.to_thread(pack.path.open, "rb") as whole:
            while piece := await asyncio.to_thread(whole.read, PIECE_BYTES):
                await response.write(piece)
        await response.write_eof()
    finally:
        await asyncio.to_thread(pack.path.unlink, missing_ok=True)
    return response
