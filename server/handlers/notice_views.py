"""What a notice is told as: in a list, whole, and as a draft."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.handlers.paging import NextPage
from server.handlers.parsing import Id, Path
from server.models.public_notices import NoticeShowing, PublicNotice
from server.rules.public_notices import NoticeKind, NoticeStatus
from server.services.public_notices.notice_reading import Shown, ShownLine

NOTICE = "The notice. | 公示（内部编号）。"
PROGRAMME = "The programme's slug. | 项目代码。"
TITLE = "Its title. | 标题。"
UNTIL = "Until when, exclusive; null: not every channel has shown it. | 公示截止时间，渠道未齐时为空。"
PROVISIONAL = "The end may move: a year's holidays are not published yet. | 截止时间为暂定。"
VERSION = "Its version. | 版本号。"
SHA256 = "SHA-256 of its text. | 内容校验值。"


class NoticePath(Path):
    """A notice."""

    notice_id: Id = Field(description=NOTICE)


class NoticeView(Answer):
    """A published notice in a list."""

    id: int = Field(description=NOTICE)
    number: str = Field(description="What people read aloud. | 公示编号。")
    programme: str = Field(description=PROGRAMME)
    kind: NoticeKind = Field(description="To object to, or a result. | 公示或结果公布。")
    status: NoticeStatus = Field(description="Where it stands. | 状态。")
    status_name: str = Field(description="The same in Chinese. | 状态说明。")
    title: str = Field(description=TITLE)
    clause: str = Field(description="The provision. | 依据条款。")
    working_days: int = Field(description="How long it stands; 0: a result. | 公示期，工作日。")
    published_at: AwareDatetime = Field(description="When. | 发布时间。")
    begins_on: date | None = Field(description="The day of the last channel. | 公示期起算日。")
    until: AwareDatetime | None = Field(description=UNTIL)
    provisional: bool = Field(description=PROVISIONAL)
    sha256: str = Field(description=SHA256)
    page: str = Field(description="Its page, for everybody. | 公示页面地址。")


class ShowingView(Answer):
    """One channel."""

    channel: str = Field(description="Where. | 渠道。")
    on_platform: bool = Field(description="This platform itself. | 是否本平台。")
    shown_on: date | None = Field(description="On which day; null: not yet. | 公示日期，空为尚未公示。")
    url: str = Field(description="The address there. | 网址。")


class LineView(Answer):
    """One line."""

    place: int = Field(description="Its number on the notice. | 序号。")
    values: dict[str, str] = Field(description="What it shows, masked. | 公示内容（已脱敏）。")
    state: str = Field(description="What became of it, as a code. | 目前情况代码。")
    state_name: str = Field(description="The same in Chinese. | 目前情况。")


class NoticeFile(NoticeView):
    """A published notice, whole."""

    lines: list[LineView] = Field(description="Its lines. | 公示事项。")
    channels: list[ShowingView] = Field(description="Where it is shown. | 公示渠道。")
    text: str = Field(description="What its hash is of, in UTF-8. | 计算校验值的原文。")
    withdrawn_reason: str = Field(description="Why it was withdrawn. | 撤回原因。")
    replaces: int | None = Field(description="The notice it was put up again for. | 被其替代的公示。")
    replaced_by: int | None = Field(description="The notice that was put up again for it. | 重新公示的公示。")


class NoticeList(Answer):
    """A page of notices, the newest first."""

    notices: list[NoticeView] = Field(description="The notices. | 公示列表。")
    next_before: NextPage


def page_of(notice: PublicNotice, public_url: str) -> str:
    """The address of a notice's page; without a public address of ours, the path alone."""
    return f"{public_url.rstrip('/')}/notices/{notice.id}"


def status_name(notice: PublicNotice) -> str:
    """Where a notice stands, in Chinese: a result is published, and that is all."""
    return texts.NOTICE_STATUSES["published" if notice.kind is NoticeKind.RESULT else notice.status]


def notice_view(notice: PublicNotice, public_url: str) -> NoticeView:
    """A published notice in a list."""
    return NoticeView(**_columns(notice, public_url))


def notice_file(shown: Shown, public_url: str) -> NoticeFile:
    """A published notice, whole."""
    notice = shown.notice
    return NoticeFile(
        **_columns(notice, public_url),
        lines=[line_view(line) for line in shown.lines],
        channels=[showing_view(one) for one in shown.showings],
        text=notice.text,
        withdrawn_reason=notice.withdraw_reason,
        replaces=None if shown.replaces is None else shown.replaces.id,
        replaced_by=None if shown.replaced_by is None else shown.replaced_by.id,
    )


def line_view(line: ShownLine) -> LineView:
    """One line."""
    return LineView(
        place=line.place,
        values=dict(line.values),
        state=line.state,
        state_name=texts.LINE_STATES[line.state],
    )


def showing_view(row: NoticeShowing) -> ShowingView:
    """One channel."""
    return ShowingView(channel=row.channel, on_platform=row.on_platform, shown_on=row.shown_on, url=row.url)


def _columns(notice: PublicNotice, public_url: str) -> dict[str, object]:
    return {
        "id": notice.id,
        "number": notice.number or "",
        "programme": notice.programme_slug,
        "kind": notice.kind,
        "status": notice.status,
        "status_name": status_name(notice),
        "title": notice.title,
        "clause": notice.clause,
        "working_days": notice.working_days,
        "published_at": notice.published_at,
        "begins_on": notice.begins_on,
        "until": notice.ends_at,
        "provisional": notice.due_provisional,
        "sha256": notice.sha256,
        "page": page_of(notice, public_url),
    }
