"""Notices over HTTP, for the authority: what waits, drafting, publishing, recording channels, withdrawing."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.notice_views import (
    NOTICE,
    PROGRAMME,
    TITLE,
    VERSION,
    NoticeFile,
    NoticePath,
    notice_file,
)
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Path, Query, SeenVersion
from server.handlers.review_views import REASON, SUBJECT
from server.keys import NOTICE_DESK, SETTINGS
from server.models.public_notices import PublicNotice
from server.programme.registry import UnknownProgramme
from server.programme.review import ReviewSubject
from server.rules.review import NotYourReview, ReasonMissing
from server.services.access import Actor, StaffRole
from server.services.public_notices import notice_reading
from server.services.public_notices.public_notices import (
    MOST_LINES,
    NoticeEmpty,
    NoticeItemUnusable,
    NoticeKindsMixed,
    NoticeMovedOn,
    NoticeNotDraft,
    NoticeOwnDraft,
    NoticeTooLong,
    Preview,
)
from server.services.public_notices.standing_notices import (
    ChannelDayTooOld,
    ChannelDayUnusable,
    ChannelShown,
    ChannelUnknown,
    NoticeNotStanding,
)
from server.services.reviews.recusals import Recused
from server.services.reviews.reviewers import OwnReview

routes = Routes("notice_drafts")

PUBLISHERS = staff(StaffRole.AUTHORITY, StaffRole.OPERATOR)
THEIRS = (NotYourReview, OwnReview, Recused)
PAGE = 100
WEB_ADDRESS = r"^(https?://[^\s<>\"]{3,490})?$"


class WaitingQuery(Query):
    """Of which programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    after: int = Field(default=0, ge=0, description="After this line's id. | 从该编号之后开始。")


class WaitingView(Answer):
    """A case that waits for a notice."""

    id: int = Field(description="The line; drafts choose by it. | 待公示事项编号，拟定时引用。")
    review_id: int = Field(description="The case. | 审核件编号。")
    subject: ReviewSubject = Field(description=SUBJECT)
    title: str = Field(description="What it is about. | 标题。")
    organisation: str = Field(description="Whom it concerns. | 单位。")
    arrived_at: AwareDatetime = Field(description="Since when it waits. | 进入待公示的时间。")


class WaitingList(Answer):
    """A page of what waits, the oldest first."""

    waiting: list[WaitingView] = Field(description="The cases. | 待公示事项。")
    next_after: NextPage


class DraftPath(Path):
    """A draft."""

    draft_id: Id = Field(description="The draft: the id it keeps as a notice. | 公示（内部编号）。")


class DraftNotice(Body):
    """A notice to draft."""

    programme: str = Field(max_length=64, description=PROGRAMME, examples=["demo"])
    title: str = Field(
        default="", max_length=200, description="Empty: ours. | 标题，不填则自动生成。", examples=[""]
    )
    lines: list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST_LINES,
        description="What is put up; left out: all that waits. | 公示事项编号，不填则为全部待公示事项。",
        examples=[None],
    )
    replaces: int | None = Field(
        default=None,
        ge=1,
        le=2**63 - 1,
        description="A withdrawn notice that is put up again. | 重新公示时，原公示编号。",
        examples=[None],
    )


class DraftView(Answer):
    """A draft, as it would be published now."""

    id: int = Field(description=NOTICE)
    programme: str = Field(description=PROGRAMME)
    title: str = Field(description=TITLE)
    clause: str = Field(description="The provision. | 依据条款。")
    working_days: int = Field(description="How long it will stand. | 公示期，工作日。")
    drafted_by: int | None = Field(description="Who drafted it, and so does not publish it. | 拟定人。")
    drafted_at: AwareDatetime = Field(description="When. | 拟定时间。")
    lines: list[dict[str, str]] = Field(description="The masked lines. | 公示内容预览（已脱敏）。")
    sha256: str = Field(description="SHA-256 of what would be published. | 预览内容校验值，发布时提交。")
    version: int = Field(description=VERSION)


class DraftMade(Answer):
    """A draft was made."""

    id: int = Field(description=NOTICE)
    version: int = Field(description=VERSION)


class Publish(Body):
    """What the publisher looked at."""

    version: SeenVersion
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="Of the preview. | 预览内容的校验值。",
        examples=["0" * 64],
    )


class Discard(Body):
    """The draft as it was seen."""

    version: SeenVersion


class Showing(Body):
    """Where and when a channel showed it."""

    channel: str = Field(max_length=120, description="One of the notice's. | 渠道。")
    shown_on: Day = Field(strict=False, description="The day. | 公示日期。", examples=["2026-05-18"])
    url: str = Field(
        default="",
        pattern=WEB_ADDRESS,
        description="The address there. | 网址。",
        examples=["https://example.com/1.html"],
    )


class Withdraw(Body):
    """Why it is taken down."""

    reason: str = Field(min_length=2, max_length=500, description=REASON)


@routes.get(
    "/api/v1/notice-drafts/waiting",
    summary="Cases that wait for a notice. | 待公示事项。",
    access=PUBLISHERS,
    answers={200: WaitingList},
)
async def waiting(request: web.Request, actor: Actor, query: WaitingQuery) -> WaitingList:
    rows = await request.app[NOTICE_DESK].drafts.waiting(
        query.programme, after=query.after, limit=PAGE + 1, actor=actor
    )
    return WaitingList(
        waiting=[
            WaitingView(
                id=row.id,
                review_id=row.case_id,
                subject=row.case.subject,
                title=row.case.title,
                organisation=row.case.organisation_name,
                arrived_at=row.arrived_at,
            )
            for row in rows[:PAGE]
        ],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/notice-drafts",
    summary="Draft a notice; somebody else publishes it. | 拟定公示，由另一人发布。",
    access=PUBLISHERS,
    answers={201: DraftMade},
    refusals=(
        *THEIRS,
        UnknownProgramme,
        NoticeEmpty,
        NoticeTooLong,
        NoticeItemUnusable,
        NoticeKindsMixed,
    ),
)
async def draft(request: web.Request, actor: Actor, body: DraftNotice) -> DraftMade:
    made = await request.app[NOTICE_DESK].drafts.draft(
        body.programme, title=body.title, line_ids=body.lines, replaces=body.replaces, actor=actor
    )
    return DraftMade(id=made.id, version=made.version)


@routes.get(
    "/api/v1/notice-drafts/{draft_id}",
    summary="A draft, as it would be published now. | 公示预览。",
    access=PUBLISHERS,
    answers={200: DraftView},
    refusals=(NoticeNotDraft,),
)
async def preview(request: web.Request, actor: Actor, path: DraftPath) -> DraftView:
    return _draft(await request.app[NOTICE_DESK].drafts.preview(path.draft_id, actor=actor))


@routes.post(
    "/api/v1/notice-drafts/{draft_id}/discard",
    summary="Give a draft up; its cases wait again. | 放弃拟定。",
    access=PUBLISHERS,
    answers={204: None},
    refusals=(NoticeNotDraft, NoticeMovedOn),
)
async def discard(request: web.Request, actor: Actor, path: DraftPath, body: Discard) -> None:
    await request.app[NOTICE_DESK].drafts.discard(path.draft_id, version=body.version, actor=actor)


@routes.post(
    "/api/v1/notice-drafts/{draft_id}/publication",
    summary="Publish it as it was previewed; not by whoever drafted it. | 发布公示，须由拟定人以外的人办理。",
    access=PUBLISHERS,
    answers={200: NoticeFile},
    refusals=(*THEIRS, NoticeNotDraft, NoticeOwnDraft, NoticeMovedOn, NoticeItemUnusable, NoticeEmpty),
)
async def publish(request: web.Request, actor: Actor, path: DraftPath, body: Publish) -> NoticeFile:
    notice = await request.app[NOTICE_DESK].drafts.publish(
        path.draft_id, version=body.version, sha256=body.sha256, actor=actor
    )
    return await _shown(request, notice)


@routes.post(
    "/api/v1/public-notices/{notice_id}/showings",
    summary="When and where a channel showed it; with the last the days begin. | 登记渠道公示日期和网址。",
    access=PUBLISHERS,
    answers={200: NoticeFile},
    refusals=(NoticeNotStanding, ChannelUnknown, ChannelShown, ChannelDayUnusable, ChannelDayTooOld),
)
async def show(request: web.Request, actor: Actor, path: NoticePath, body: Showing) -> NoticeFile:
    notice = await request.app[NOTICE_DESK].standing.show(
        path.notice_id, body.channel, shown_on=body.shown_on, url=body.url, actor=actor
    )
    return await _shown(request, notice)


@routes.post(
    "/api/v1/public-notices/{notice_id}/withdrawal",
    summary="Take it down, to be put up again; it stays to be read. | 撤回公示，可重新公示，原公示保留可查。",
    access=PUBLISHERS,
    answers={200: NoticeFile},
    refusals=(*THEIRS, NoticeNotStanding, ReasonMissing),
)
async def withdraw(request: web.Request, actor: Actor, path: NoticePath, body: Withdraw) -> NoticeFile:
    notice = await request.app[NOTICE_DESK].standing.withdraw(path.notice_id, reason=body.reason, actor=actor)
    return await _shown(request, notice)


async def _shown(request: web.Request, notice: PublicNotice) -> NoticeFile:
    return notice_file(await notice_reading.shown(notice.id), request.app[SETTINGS].public_url)


def _draft(found: Preview) -> DraftView:
    notice = found.notice
    return DraftView(
        id=notice.id,
        programme=notice.programme_slug,
        title=notice.title,
        clause=notice.clause,
        working_days=notice.working_days,
        drafted_by=notice.drafted_by,
        drafted_at=notice.drafted_at,
        lines=[dict(line) for line in found.lines],
        sha256=found.sha256,
        version=notice.version,
    )
