"""The inbox over HTTP: what I was told, what of it is new, and marking it as read."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import SIGNED_IN, Answer, Routes
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import PROGRAMMES
from server.services.access import Actor, NotFound
from server.services.messages.inbox import COUNTED, Inbox, InboxOrder, Item, Place
from server.services.messages.notices import notice

routes = Routes("inbox")

PAGE = 20


class InboxQuery(Query):
    """Which messages, and in which order."""

    order: InboxOrder = Field(
        default=InboxOrder.UNREAD_FIRST,
        description="unread_first or time; the newest come first. | unread_first 未读在前，time 按时间。",
    )
    unread_only: bool = Field(default=False, description="Leave out what is read. | 只看未读。")
    after: str | None = Field(
        default=None,
        pattern=r"^(unread|any)-[1-9][0-9]{0,17}$",
        description="The next_after of the page before. | 上一页的 next_after。",
        examples=["any-120"],
    )
    limit: int = Field(default=PAGE, ge=1, le=100, description="Most messages of a page. | 每页条数。")


class Link(Answer):
    """What a message is about."""

    kind: str = Field(description="voucher, round, review, qualification … | 对象类型。")
    id: str = Field(description="Its id, of a programme its slug. | 对象编号，项目为代码。")


class MessageView(Answer):
    """One message."""

    id: int = Field(description="The message. | 消息编号。")
    at: AwareDatetime = Field(description="When it happened. | 发生时间。")
    topic: str = Field(description="What kind of thing happened. | 消息主题代码。")
    title: str = Field(description="A heading. | 标题。")
    sentence: str = Field(description="What happened, in words. | 内容。")
    link: Link | None = Field(description="What it is about. | 关联对象，可为空。")
    deadline: AwareDatetime | None = Field(
        description="Until when somebody must act, exclusive. | 办理期限（不含），可为空。"
    )
    deadline_text: str = Field(
        description="The same as people say it; says so where it is provisional. | 期限的文字，暂定的会注明。"
    )
    read: bool = Field(description="I have read it. | 本人是否已读。")


class MessageList(Answer):
    """A page of messages."""

    messages: list[MessageView] = Field(description="The messages. | 消息列表。")
    next_after: str | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class UnreadView(Answer):
    """How much is new."""

    unread: int = Field(
        description=f"Unread messages, counted up to {COUNTED}. | 未读条数，最多计到 {COUNTED}。"
    )


class MessagePath(Path):
    """A message."""

    message_id: Id = Field(description="The message. | 消息编号。")


class ReadUpTo(Body):
    """How far I have read."""

    up_to: Id = Field(
        description="The newest message that I saw; it and all older ones are read."
        " | 已看到的最新一条，它和更早的都记为已读。"
    )


@routes.get(
    "/api/v1/inbox",
    summary="What was I, my organisation or my team told? | 站内消息。",
    access=SIGNED_IN,
    answers={200: MessageList},
)
async def page(request: web.Request, actor: Actor, query: InboxQuery) -> MessageList:
    items = await _inbox(request, actor).page(
        query.order, after=_place(query.after), limit=query.limit + 1, unread_only=query.unread_only
    )
    shown = items[: query.limit]
    more = len(items) > query.limit
    return MessageList(
        messages=[_view(request, item) for item in shown],
        next_after=_after(shown[-1], query) if more else None,
    )


@routes.get(
    "/api/v1/inbox/unread",
    summary="How many messages are new? | 未读消息数。",
    access=SIGNED_IN,
    answers={200: UnreadView},
    quiet=True,
)
async def unread(request: web.Request, actor: Actor) -> UnreadView:
    return UnreadView(unread=await _inbox(request, actor).unread_count())


@routes.post(
    "/api/v1/inbox/{message_id}/read",
    summary="I have read this message. | 标记一条消息为已读。",
    access=SIGNED_IN,
    answers={204: None},
)
async def read(request: web.Request, actor: Actor, path: MessagePath) -> None:
    await _inbox(request, actor).read(path.message_id)


@routes.post(
    "/api/v1/inbox/read",
    summary="I have read everything up to this message. | 全部标记为已读。",
    access=SIGNED_IN,
    answers={204: None},
    refusals=(NotFound,),
)
async def read_all(request: web.Request, actor: Actor, body: ReadUpTo) -> None:
    await _inbox(request, actor).read_all(body.up_to)


def _inbox(request: web.Request, actor: Actor) -> Inbox:
    return Inbox(actor, [programme.slug for programme in request.app[PROGRAMMES]])


def _place(after: str | None) -> Place | None:
    if after is None:
        return None
    part, _, number = after.partition("-")
    return Place(int(number), unread=part == "unread")


def _after(last: Item, query: InboxQuery) -> str:
    is_unread = not last.read and (query.unread_only or query.order is InboxOrder.UNREAD_FIRST)
    return f"{'unread' if is_unread else 'any'}-{last.message.id}"


def _view(request: web.Request, item: Item) -> MessageView:
    row, programmes = item.message, request.app[PROGRAMMES]
    said = notice(
        row.topic,
        row.data,
        programme_name=lambda slug: programmes.get(slug).name if slug in programmes else slug,
    )
    return MessageView(
        id=row.id,
        at=row.created_at,
        topic=row.topic,
        title=said.title,
        sentence=said.sentence,
        link=Link(kind=said.link_kind, id=said.link_id) if said.link_kind else None,
        deadline=said.deadline,
        deadline_text=said.deadline_text,
        read=item.read,
    )
