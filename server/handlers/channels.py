"""Channels over HTTP: which one reaches me next, what I consented to, and what could not be sent."""

from __future__ import annotations

from datetime import time
from typing import Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PERSON, Answer, Routes, staff
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import CLOCK, DELIVERIES, SEALER
from server.models.deliveries import Delivery
from server.programme.messages import MessageChannel
from server.services.access import Actor, StaffRole
from server.services.messages import dead_letters
from server.services.messages.consents import TemplateUnknown
from server.services.messages.dead_letters import DeliveryNotDead
from server.services.messages.own_channels import choose_quiet, own_channels, tell_consents

routes = Routes("channels")

PAGE = 20
MOST_TEMPLATES = 5
"""``wx.requestSubscribeMessage`` asks for no more at once; ``wx`` itself allows three, or five."""
TIME = "^([01][0-9]|2[0-3]):[0-5][0-9]$"


class NextView(Answer):
    """What reaches me next with one kind of message."""

    code: str = Field(description="The kind of message. | 消息类别代码。")
    title: str = Field(description="Its name. | 消息类别名称。")
    channel: MessageChannel = Field(
        description="What reaches me next; inbox: nothing else does. | 下一条的送达方式。"
    )
    channel_title: str = Field(description="The same in words. | 送达方式名称。")
    subscribe_template_id: str | None = Field(
        description="What to ask wx.requestSubscribeMessage for; null: there is none."
        " | 订阅消息模板编号，用于 wx.requestSubscribeMessage，可为空。"
    )
    consents_left: int = Field(description="Messages I consented to and have not had. | 剩余订阅次数。")
    long_term: bool = Field(description="I consented for good. | 是否长期订阅。")


class ChannelsView(Answer):
    """How I can be reached."""

    follows_official_account: bool = Field(description="I follow the official account. | 是否已关注服务号。")
    phone_known: bool = Field(description="My phone number is known. | 是否已绑定手机号。")
    window_open: bool = Field(
        description="Customer-service messages reach me just now. | 当前是否可收到客服消息。"
    )
    quiet_from: str = Field(description="Quiet from, in China. | 免打扰开始时间。", examples=["22:00"])
    quiet_until: str = Field(
        description="Quiet until; the same: never. | 免打扰结束时间。", examples=["08:00"]
    )
    messages: list[NextView] = Field(description="Each kind of message. | 各类消息。")


class ConsentAnswer(Body):
    """What the person answered for one template."""

    template_id: str = Field(
        min_length=1, max_length=64, description="WeChat's id of the template. | 订阅消息模板编号。"
    )
    answer: Literal["accept", "reject", "ban", "filter", "acceptWithAudio", "acceptWithAlert"] = Field(
        description="As wx.requestSubscribeMessage answers. | wx.requestSubscribeMessage 返回的结果。"
    )


class TellConsents(Body):
    """What ``wx.requestSubscribeMessage`` answered."""

    answers: list[ConsentAnswer] = Field(
        min_length=1, max_length=MOST_TEMPLATES, description="One for each template. | 每个模板的结果。"
    )


class QuietHours(Body):
    """When I want to be left in peace."""

    quiet_from: str = Field(pattern=TIME, description="From, in China. | 开始时间。", examples=["22:00"])
    quiet_until: str = Field(
        pattern=TIME,
        description="Until; the same as from: never. | 结束时间，与开始相同表示不设。",
        examples=["07:30"],
    )


class DeadLetter(Answer):
    """One message that could not be sent."""

    id: int = Field(description="The delivery. | 投递编号。")
    topic: str = Field(description="What it is about. | 消息主题代码。")
    title: str = Field(description="Its heading. | 消息标题。")
    programme: str | None = Field(description="The programme it belongs to. | 项目代码，可为空。")
    addressee: str = Field(
        description="Whom it is for, by id; of a complaint, nobody. | 收件人编号，投诉人不显示。",
        examples=["person:12"],
    )
    channel: MessageChannel | None = Field(description="By which it was tried last. | 最后一次的送达方式。")
    error_code: int | None = Field(description="WeChat's code. | 微信错误码，可为空。")
    reason: str = Field(description="What that means. | 未送达原因。")
    attempts: int = Field(description="How often it was tried. | 尝试次数。")
    since: AwareDatetime = Field(description="When it came into being. | 产生时间。")


class DeadLetterList(Answer):
    """A page of them, newest first."""

    dead_letters: list[DeadLetter] = Field(description="What could not be sent. | 未送达的消息。")
    next_after: NextPage


class DeadLetterQuery(Query):
    """Which page."""

    after: Id | None = Field(default=None, description="The next_after before. | 上一页的 next_after。")
    limit: int = Field(default=PAGE, ge=1, le=100, description="Most of a page. | 每页条数。")


class DeliveryPath(Path):
    """A delivery."""

    delivery_id: Id = Field(description="The delivery. | 投递编号。")


@routes.get(
    "/api/v1/me/channels",
    summary="Which channel reaches me next? | 消息将以哪种方式送达本人。",
    access=PERSON,
    answers={200: ChannelsView},
)
async def mine(request: web.Request, actor: Actor) -> ChannelsView:
    return await _mine(request, actor)


@routes.post(
    "/api/v1/me/consents",
    summary="What wx.requestSubscribeMessage answered. | 上报订阅消息的授权结果。",
    access=PERSON,
    answers={200: ChannelsView},
    refusals=(TemplateUnknown,),
)
async def consented(request: web.Request, actor: Actor, body: TellConsents) -> ChannelsView:
    answers = {
        one.template_id: "accept" if one.answer.startswith("accept") else one.answer for one in body.answers
    }
    deliveries = request.app[DELIVERIES]
    await tell_consents(actor, answers, messages=deliveries.messages, now=request.app[CLOCK].now())
    return await _mine(request, actor)


@routes.put(
    "/api/v1/me/quiet-hours",
    summary="Choose when I want to be left in peace. | 设置免打扰时段。",
    access=PERSON,
    answers={200: ChannelsView},
)
async def quiet_hours(request: web.Request, actor: Actor, body: QuietHours) -> ChannelsView:
    await choose_quiet(actor, from_minute=_minute(body.quiet_from), until_minute=_minute(body.quiet_until))
    return await _mine(request, actor)


@routes.get(
    "/api/v1/staff/dead-letters",
    summary="Which messages could not be sent? | 未能送达的消息。",
    access=staff(StaffRole.OPERATOR),
    answers={200: DeadLetterList},
)
async def dead(request: web.Request, actor: Actor, query: DeadLetterQuery) -> DeadLetterList:
    rows = await dead_letters.page(actor, after=query.after, limit=query.limit + 1)
    shown = rows[: query.limit]
    return DeadLetterList(
        dead_letters=[_letter(row) for row in shown],
        next_after=next_page(rows, query.limit),
    )


@routes.post(
    "/api/v1/staff/dead-letters/{delivery_id}/retry",
    summary="Send it again. | 重新发送。",
    access=staff(StaffRole.OPERATOR),
    answers={204: None},
    refusals=(DeliveryNotDead,),
)
async def retry(request: web.Request, actor: Actor, path: DeliveryPath) -> None:
    await dead_letters.retry(path.delivery_id, actor=actor, now=request.app[CLOCK].now())


async def _mine(request: web.Request, actor: Actor) -> ChannelsView:
    deliveries = request.app[DELIVERIES]
    found = await own_channels(
        actor,
        messages=deliveries.messages,
        carriers=deliveries.carriers,
        sealer=request.app[SEALER],
        now=request.app[CLOCK].now(),
    )
    return ChannelsView(
        follows_official_account=found.follows,
        phone_known=found.phone,
        window_open=found.window_open,
        quiet_from=_said(found.quiet.begins),
        quiet_until=_said(found.quiet.ends),
        messages=[
            NextView(
                code=one.template.code,
                title=one.template.title,
                channel=one.channel,
                channel_title=texts.CHANNELS[one.channel],
                subscribe_template_id=one.template.subscribe_id or None,
                consents_left=one.consents_left,
                long_term=one.long_term,
            )
            for one in found.next
        ],
    )


def _letter(row: Delivery) -> DeadLetter:
    title, _ = texts.NOTICES.get(row.topic, (texts.CHAT_REPLY_TITLE, ""))
    return DeadLetter(
        id=row.id,
        topic=row.topic,
        title=title,
        programme=row.programme_slug or None,
        addressee=dead_letters.addressee_of(row),
        channel=row.channel,
        error_code=row.error_code,
        reason=texts.DELIVERY_FAULTS[row.error],
        attempts=row.attempts,
        since=row.created_at,
    )


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


def _said(at: time) -> str:
    return f"{at:%H:%M}"
