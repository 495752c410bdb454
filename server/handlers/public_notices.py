"""Public notices over HTTP: what stands open to objection, objecting, and answering."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PUBLIC, WORKING, Answer, Routes, staff
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.review_forms import ReviewPath
from server.handlers.review_views import (
    CLAUSE,
    PROVISIONAL,
    REASON,
    SUBJECT,
    TITLE,
    ObjectionView,
    objection_view,
)
from server.keys import PUBLIC_NOTICES
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from server.rules.review import DecidedBefore, NotYourReview, ReasonMissing
from server.services import review_notices
from server.services.access import Actor, StaffRole
from server.services.review_cases import copied
from server.services.review_notices import (
    NoticeOver,
    NotYourObjection,
    ObjectionAnswered,
    ObjectionPending,
)
from server.services.reviewers import OwnReview
from server.services.reviews import CaseMovedOn

routes = Routes("public_notices")

PAGE = 50


class NoticesQuery(Query):
    """Which notices."""

    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    after: int = Field(default=0, ge=0, description="After this id. | 从该编号之后开始。")


class NoticeView(Answer):
    """A case that stands open to objection."""

    review_id: int = Field(description="The case, to object to. | 审核件编号，提出异议时使用。")
    subject: ReviewSubject = Field(description=SUBJECT)
    programme: str = Field(description="The programme's slug. | 项目代码。")
    title: str = Field(description=TITLE)
    organisation: str = Field(description="Whom it concerns. | 公示单位。")
    since: AwareDatetime = Field(description="Since when. | 公示开始时间。")
    until: AwareDatetime | None = Field(description="Until when, exclusive. | 公示截止时间。")
    provisional: bool = Field(description=PROVISIONAL)
    channels: list[str] = Field(description="Where else it is shown. | 公示渠道。")
    clause: str = Field(description=CLAUSE)


class NoticeList(Answer):
    """A page of notices, by id."""

    notices: list[NoticeView] = Field(description="The notices. | 公示列表。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class Object(Body):
    """An objection."""

    reason: str = Field(min_length=2, max_length=2000, description=REASON, examples=["申报材料不实"])


class ObjectionMade(Answer):
    """The objection, as it was received."""

    id: int = Field(description="The objection. | 异议编号。")
    due_at: AwareDatetime | None = Field(description="To be answered by then. | 答复期限。")


class ObjectionPath(Path):
    """An objection."""

    objection_id: Id = Field(description="The objection. | 异议编号。")


class AnswerObjection(Body):
    """The authority's answer."""

    upheld: bool = Field(description="Upheld: the case is refused. | 异议是否成立，成立则不予通过。")
    answer: str = Field(min_length=2, max_length=2000, description="The answer. | 答复内容。")


@routes.get(
    "/api/v1/public-notices",
    summary="What stands open to objection. | 正在公示的事项。",
    access=PUBLIC,
    answers={200: NoticeList},
)
async def standing(request: web.Request, query: NoticesQuery) -> NoticeList:
    page = await review_notices.page(query.programme, after=query.after, limit=PAGE)
    return NoticeList(notices=[_notice(row) for row in page.rows], next_after=page.next_after)


@routes.post(
    "/api/v1/public-notices/{review_id}/objections",
    summary="Object to a case on notice. | 对公示提出异议。",
    access=WORKING,
    answers={201: ObjectionMade},
    refusals=(NoticeOver, NotYourObjection, ObjectionPending, ReasonMissing),
)
async def object_to(request: web.Request, actor: Actor, path: ReviewPath, body: Object) -> ObjectionMade:
    made = await request.app[PUBLIC_NOTICES].object(path.review_id, reason=body.reason, actor=actor)
    return ObjectionMade(id=made.id, due_at=made.due_at)


@routes.post(
    "/api/v1/objections/{objection_id}/answer",
    summary="Answer an objection. | 答复公示异议。",
    access=staff(StaffRole.AUTHORITY, StaffRole.OPERATOR),
    answers={200: ObjectionView},
    refusals=(
        NotYourReview,
        OwnReview,
        DecidedBefore,
        ReasonMissing,
        NoticeOver,
        ObjectionAnswered,
        CaseMovedOn,
    ),
)
async def answer(
    request: web.Request, actor: Actor, path: ObjectionPath, body: AnswerObjection
) -> ObjectionView:
    answered = await request.app[PUBLIC_NOTICES].answer(
        path.objection_id, upheld=body.upheld, answer=body.answer, actor=actor
    )
    return objection_view(answered, named=True)


def _notice(case: ReviewCase) -> NoticeView:
    terms = copied(case).notice
    return NoticeView(
        review_id=case.id,
        subject=case.subject,
        programme=case.programme_slug,
        title=case.title,
        organisation=case.organisation_name,
        since=case.turn_since,
        until=case.notice_until,
        provisional=case.due_provisional,
        channels=list(terms.channels),
        clause=terms.article,
    )
