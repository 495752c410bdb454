"""The chat's form over HTTP: a draft behind a link, filed without an account; and what WeChat checks."""

from __future__ import annotations

from datetime import date

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Media, Routes
from server.handlers.complaints import RevealUnread
from server.handlers.parsing import Body, Day, Path
from server.keys import CHAT_DESK
from server.rules.complaints import LONGEST_CONTACT, LONGEST_MESSAGE, LONGEST_NAME, LONGEST_STORY, SubjectKind
from server.services.allowances import TooManyToday
from server.services.chat.chat_forms import FormAnswers
from server.services.complaints.complaint_aims import ComplaintSubjectUnknown
from server.services.complaints.complaints import ComplaintEmpty, ComplaintTooLong
from server.services.files.evidence import EvidenceDamaged

routes = Routes("chat")

LONGEST_SUBJECT = 200
CHECKED = Media("image/jpeg", "A picture, while WeChat is asked about it. | 内容安全检查用的图片。")


class TokenPath(Path):
    """A link."""

    token: str = Field(min_length=16, max_length=64, description="What the link holds. | 链接中的令牌。")


class ChatDraft(Answer):
    """What was said in the chat so far."""

    subject: SubjectKind | None = Field(description="What it is about, if said. | 反映对象类型，未说为空。")
    about: str = Field(description="Which one, in words. | 对象名称或编号。")
    programme: str = Field(description="The programme, empty: not said. | 项目代码，未说为空。")
    happened: str = Field(description="What happened. | 经过。")
    since: date | None = Field(description="Since when. | 从何时起。")
    wanted: str = Field(description="What is wanted. | 诉求。")
    anonymous: bool | None = Field(description="Null: not said. | 是否匿名，未说为空。")
    name: str = Field(description="The name. | 称呼。")
    contact: str = Field(description="How to be reached. | 联系方式。")
    media: int = Field(description="How many pieces were sent; they go with it. | 已发来的材料数，随同提交。")
    warning: str = Field(description="Naming an order may reveal who complains. | 匿名提示。")
    until: AwareDatetime = Field(description="The link's end. | 链接有效期。")


class FileDraft(Body):
    """The complaint as the form has it."""

    subject: SubjectKind = Field(description="What it is about. | 反映对象类型。")
    about: str = Field(default="", max_length=LONGEST_SUBJECT, description="Which one. | 对象名称或编号。")
    programme: str = Field(default="", max_length=64, description="The programme. | 项目代码。")
    happened: str = Field(max_length=LONGEST_STORY, description="What happened. | 经过。")
    since: Day | None = Field(default=None, description="Since when. | 从何时起。")
    wanted: str = Field(default="", max_length=LONGEST_MESSAGE, description="What is wanted. | 诉求。")
    anonymous: bool = Field(description="Nobody shall read whose it is. | 是否匿名。")
    name: str = Field(default="", max_length=LONGEST_NAME, description="The name. | 称呼。")
    contact: str = Field(default="", max_length=LONGEST_CONTACT, description="To be reached. | 联系方式。")
    warning_read: bool = Field(
        default=False, description="I know that naming an order may reveal me. | 已知悉匿名提示。"
    )


class FiledDraft(Answer):
    """The case that came of it."""

    number: str = Field(description="The case's number. | 投诉编号。")
    due: str = Field(description="Until when it is answered, as people read it. | 预计答复时间。")


@routes.get(
    "/api/v1/complaints/drafts/{token}",
    summary="What was said in the chat, for the form. | 聊天中已填写的内容，供表单继续填写。",
    access=PUBLIC,
    answers={200: ChatDraft},
)
async def draft(request: web.Request, path: TokenPath) -> ChatDraft:
    found = await request.app[CHAT_DESK].forms.open(path.token)
    given = found.answers
    return ChatDraft(
        subject=SubjectKind(given["kind"]) if given.get("kind") else None,
        about=given.get("subject", ""),
        programme=given.get("programme", ""),
        happened=found.happened,
        since=date.fromisoformat(given["since"]) if given.get("since") else None,
        wanted=given.get("wanted", ""),
        anonymous=found.anonymous,
        name=given.get("name", ""),
        contact=given.get("contact", ""),
        media=found.media,
        warning=texts.COMPLAINT_MAY_REVEAL,
        until=found.until,
    )


@routes.post(
    "/api/v1/complaints/drafts/{token}",
    summary="File what was begun in the chat, once. | 提交聊天中开始的投诉，只能提交一次。",
    access=PUBLIC,
    answers={201: FiledDraft},
    refusals=(ComplaintEmpty, ComplaintTooLong, ComplaintSubjectUnknown, RevealUnread, TooManyToday),
)
async def file(request: web.Request, path: TokenPath, body: FileDraft) -> FiledDraft:
    if body.anonymous and body.subject is SubjectKind.ORDER and not body.warning_read:
        raise RevealUnread(warning=texts.COMPLAINT_MAY_REVEAL)
    answers = FormAnswers(
        kind=body.subject,
        subject=body.about,
        programme=body.programme,
        happened=body.happened,
        since=body.since,
        wanted=body.wanted,
        anonymous=body.anonymous,
        name=body.name,
        contact=body.contact,
    )
    facts = await request.app[CHAT_DESK].forms.file(path.token, answers)
    return FiledDraft(number=facts["number"], due=facts["due"])


@routes.get(
    "/api/v1/chat/checked-media/{token}",
    summary="A picture that WeChat was asked about. | 供微信内容安全检查读取的图片。",
    access=PUBLIC,
    answers={200: CHECKED},
    refusals=(EvidenceDamaged,),
)
async def checked_media(request: web.Request, path: TokenPath) -> web.Response:
    file, shown = await request.app[CHAT_DESK].checks.fetched(path.token)
    headers = {
        "Content-Type": file.shown_media_type,
        "Cache-Control": "no-store",
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    }
    return web.Response(body=shown, headers=headers)
