"""What a callback says: WeChat's fields understood as a message, and an answer in WeChat's words.

Everything here was written by a stranger and passed on by WeChat. A kind nobody has heard of is a message
of the kind ``other``; fields that are missing or misshapen are empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from server.gateways.wechat_xml import Fields, XmlUnusable, parse, quoted, text_of
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount

LONGEST_ITEM = 2_000
LONGEST_DATA = 200
UNSUPPORTED: Final = "【收到不支持的消息类型，暂无法显示】"
"""What WeChat says in place of a sticker of its shop."""

_OPENID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]{1,20}", re.ASCII)
_HEAD = frozenset({"ToUserName", "FromUserName", "CreateTime", "MsgType"})

_MESSAGES: Mapping[str, MessageKind] = {
    "text": MessageKind.TEXT,
    "image": MessageKind.IMAGE,
    "voice": MessageKind.VOICE,
    "video": MessageKind.VIDEO,
    "shortvideo": MessageKind.VIDEO,
    "file": MessageKind.FILE,
    "location": MessageKind.LOCATION,
    "link": MessageKind.LINK,
    "miniprogrampage": MessageKind.LINK,
    "emoticon": MessageKind.STICKER,
    "sticker": MessageKind.STICKER,
}
_EVENTS: Mapping[str, MessageKind] = {
    "click": MessageKind.MENU_TAP,
    "scancode_push": MessageKind.MENU_TAP,
    "scancode_waitmsg": MessageKind.MENU_TAP,
    "subscribe": MessageKind.SUBSCRIBE,
    "unsubscribe": MessageKind.UNSUBSCRIBE,
    "scan": MessageKind.ENTER_SESSION,
    "user_enter_tempsession": MessageKind.ENTER_SESSION,
    "templatesendjobfinish": MessageKind.TEMPLATE_RESULT,
    "subscribe_msg_popup_event": MessageKind.SUBSCRIBE_RESULT,
    "subscribe_msg_change_event": MessageKind.SUBSCRIBE_RESULT,
    "subscribe_msg_sent_event": MessageKind.SUBSCRIBE_RESULT,
    "wxa_media_check": MessageKind.MEDIA_CHECK,
}


class NoMessage(Exception):
    """Genuine, and yet nothing that anybody sent: acknowledged and forgotten."""


def understood(
    document: bytes, account: WechatAccount, *, signature: str, blind: Callable[[str], str], now: datetime
) -> tuple[ChatMessage, str]:
    """The message of a decrypted callback, and what our account calls itself. Raises :class:`NoMessage`.

    ``blind`` makes the key that every delivery of this message has: WeChat's number of it; for events, which
    have none, who, when and what; and where even that is missing, the signature.
    """
    try:
        fields = parse(document)
        openid, kind_name = text_of(fields, "FromUserName"), text_of(fields, "MsgType").lower()
        event = text_of(fields, "Event").lower()
        created, number = text_of(fields, "CreateTime"), text_of(fields, "MsgId")
        ours = text_of(fields, "ToUserName")
    except XmlUnusable:
        raise NoMessage from None
    if not _OPENID.fullmatch(openid) or not kind_name:
        raise NoMessage
    is_event = kind_name == "event"
    if not is_event and number:
        key = f"message|{account}|{number}"
    elif _DIGITS.fullmatch(created):
        detail = [str(fields.get(name, "")) for name in ("EventKey", "MsgID", "trace_id", "Content")]
        key = "|".join(("event", account, openid, created, kind_name, event, *detail))
    else:
        key = f"signature|{signature}"
    kind = (_EVENTS if is_event else _MESSAGES).get(event if is_event else kind_name, MessageKind.OTHER)
    text = _item(fields, "Content")
    if kind is MessageKind.TEXT and text == UNSUPPORTED:
        kind, text = MessageKind.STICKER, ""
    message = ChatMessage(
        account=account,
        openid=openid,
        sent_at=_instant(created, now),
        key=blind(key),
        kind=kind,
        text=text,
        media_id=_item(fields, "MediaId"),
        menu_key=_item(fields, "EventKey") if kind is MessageKind.MENU_TAP else "",
        data=_data(fields, kind, kind_name),
    )
    return message, ours


def rendered(text: str, *, to: str, sender: str, now: datetime) -> str:
    """A passive text answer, before it is encrypted. ``sender`` is our account's original id."""
    return (
        f"<xml><ToUserName>{quoted(to)}</ToUserName><FromUserName>{quoted(sender)}</FromUserName>"
        f"<CreateTime>{int(now.timestamp())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
        f"<Content>{quoted(text)}</Content></xml>"
    )


def _data(fields: Fields, kind: MessageKind, kind_name: str) -> dict[str, Any]:
    match kind:
        case MessageKind.VOICE:
            return {"format": _item(fields, "Format"), "recognition": _item(fields, "Recognition")}
        case MessageKind.LOCATION:
            names = {"label": "Label", "latitude": "Location_X", "longitude": "Location_Y"}
            return {ours: _item(fields, theirs) for ours, theirs in names.items()}
        case MessageKind.LINK if kind_name == "miniprogrampage":
            return {"title": _item(fields, "Title"), "description": "", "url": _item(fields, "PagePath")}
        case MessageKind.LINK:
            return {name.lower(): _item(fields, name) for name in ("Title", "Description", "Url")}
        case MessageKind.FILE:
            return {"title": _item(fields, "Title")}
        case MessageKind.OTHER if kind_name != "event":
            return {"message": kind_name[:LONGEST_DATA]}
        case _ if kind_name == "event":
            scene = _item(fields, "SessionFrom") or _item(fields, "EventKey")
            told = {name.lower(): _plain(value) for name, value in fields.items() if name not in _HEAD}
            return {**told, "scene": scene} if kind is MessageKind.ENTER_SESSION else told
    return {}


def _plain(value: Any) -> Any:
    """A field of an event, bounded, its names in lower case."""
    if isinstance(value, str):
        return value[:LONGEST_DATA]
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return {name.lower(): _plain(one) for name, one in value.items()}


def _item(fields: Fields, name: str) -> str:
    """A text, however long a person may make it; nothing for what is no text."""
    found = fields.get(name, "")
    if not isinstance(found, str):
        return ""
    return found if name == "Content" else found[:LONGEST_ITEM]


def _instant(created: str, now: datetime) -> datetime:
    """When it was sent, by WeChat; now, where WeChat says nothing that can be."""
    if not _DIGITS.fullmatch(created):
        return now
    seconds = int(created)
    return datetime.fromtimestamp(seconds, UTC) if seconds <= now.timestamp() + 86_400 else now
