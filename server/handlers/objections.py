"""Objections over HTTP, for the authority that answers: the answer, who objected, and what came with it."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.files import SHOWN, ContentQuery, FileView, disposition, file_view
from server.handlers.parsing import Body, Id, Path
from server.handlers.review_views import ObjectionView, objection_view
from server.handlers.reviews import FOLLOWING
from server.keys import NOTICE_DESK
from server.rules.review import DecidedBefore, NotYourReview, ReasonMissing
from server.services.access import Actor, StaffRole
from server.services.files.evidence import EvidenceDamaged
from server.services.files.files import ViewReasonMissing
from server.services.public_notices.objection_answers import ObjectionAnswered, ObjectorAnonymous
from server.services.public_notices.objections import NoticeOver
from server.services.reviews.recusals import Recused
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import CaseMovedOn

routes = Routes("objections")

ANSWERERS = staff(StaffRole.AUTHORITY, StaffRole.OPERATOR)
THEIRS = (NotYourReview, OwnReview, Recused, NoticeOver)


class ObjectionPath(Path):
    """An objection."""

    objection_id: Id = Field(description="The objection. | 异议编号。")


class ObjectionFilePath(ObjectionPath):
    """A file of an objection."""

    file_id: Id = Field(description="The file. | 文件编号。")


class AnswerObjection(Body):
    """The authority's answer."""

    upheld: bool = Field(description="Upheld: the case is refused. | 异议是否成立，成立则不予通过。")
    answer: str = Field(min_length=2, max_length=2000, description="The answer. | 答复内容。")


class Reveal(Body):
    """Why somebody must know."""

    why: str = Field(min_length=2, max_length=200, description="Why; it is kept. | 查看理由，将留痕。")


class ObjectorView(Answer):
    """Who objected."""

    name: str = Field(description="As they gave it. | 姓名。")
    contact: str = Field(description="How to reach them. | 联系方式。")


class ObjectionFiles(Answer):
    """What came with an objection."""

    files: list[FileView] = Field(description="The files. | 附件。")


@routes.post(
    "/api/v1/objections/{objection_id}/answer",
    summary="Answer an objection. | 答复公示异议。",
    access=ANSWERERS,
    answers={200: ObjectionView},
    refusals=(*THEIRS, DecidedBefore, ReasonMissing, ObjectionAnswered, CaseMovedOn, *FOLLOWING),
)
async def answer(
    request: web.Request, actor: Actor, path: ObjectionPath, body: AnswerObjection
) -> ObjectionView:
    answered = await request.app[NOTICE_DESK].answers.answer(
        path.objection_id, upheld=body.upheld, answer=body.answer, actor=actor
    )
    return objection_view(answered, named=True)


@routes.post(
    "/api/v1/objections/{objection_id}/reveal",
    summary="Who objected under their name; it is kept who asked, and why. | 查看实名异议人，将留痕。",
    access=ANSWERERS,
    answers={200: ObjectorView},
    refusals=(*THEIRS, ReasonMissing, ObjectorAnonymous),
)
async def reveal(request: web.Request, actor: Actor, path: ObjectionPath, body: Reveal) -> ObjectorView:
    name, contact = await request.app[NOTICE_DESK].answers.reveal(
        path.objection_id, why=body.why, actor=actor
    )
    return ObjectorView(name=name, contact=contact)


@routes.get(
    "/api/v1/objections/{objection_id}/files",
    summary="What came with an objection. | 异议附件。",
    access=ANSWERERS,
    answers={200: ObjectionFiles},
    refusals=THEIRS,
)
async def files(request: web.Request, actor: Actor, path: ObjectionPath) -> ObjectionFiles:
    rows = await request.app[NOTICE_DESK].files.of(path.objection_id, actor=actor)
    return ObjectionFiles(files=[file_view(row.file) for row in rows])


@routes.get(
    "/api/v1/objections/{objection_id}/files/{file_id}/content",
    summary="The safe copy of one; that it was seen is kept. | 查看异议附件，查看将留痕。",
    access=ANSWERERS,
    answers={200: SHOWN},
    refusals=(*THEIRS, ViewReasonMissing, EvidenceDamaged),
)
async def content(
    request: web.Request, actor: Actor, path: ObjectionFilePath, query: ContentQuery
) -> web.Response:
    file, shown = await request.app[NOTICE_DESK].files.view(
        path.objection_id, path.file_id, why=query.why, actor=actor
    )
    return web.Response(
        body=shown,
        headers={
            "Content-Type": file.shown_media_type,
            "Content-Disposition": disposition(file),
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )
