"""Chat messages: what somebody sent to the official account or the mini-program, once it is understood.

The door makes them of WeChat's callbacks (docs/decisions/0025); whoever hears one knows no XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any


class WechatAccount(StrEnum):
    """Which of the operator's two accounts a message came to: each knows the person by another openid."""

    OFFICIAL = "official"
    MINI = "mini"


class MessageKind(StrEnum):
    """What arrived. Up to ``STICKER`` a person said it, and an answer is expected."""

    TEXT = "text"
    IMAGE = "image"
    VOICE = "voice"
    VIDEO = "video"
    FILE = "file"
    LOCATION = "location"
    LINK = "link"
    STICKER = "sticker"
    MENU_TAP = "menu_tap"
    SUBSCRIBE = "subscribe"
    UNSUBSCRIBE = "unsubscribe"
    ENTER_SESSION = "enter_session"
    TEMPLATE_RESULT = "template_result"
    SUBSCRIBE_RESULT = "subscribe_result"
    MEDIA_CHECK = "media_check"
    OTHER = "other"


SAID = frozenset(
    {
        MessageKind.TEXT,
        MessageKind.IMAGE,
        MessageKind.VOICE,
        MessageKind.VIDEO,
        MessageKind.FILE,
        MessageKind.LOCATION,
        MessageKind.LINK,
        MessageKind.STICKER,
    }
)
"""What a person sent themselves: it opens the window of five messages in 48 hours."""
HEARD = SAID | {MessageKind.MENU_TAP, MessageKind.SUBSCRIBE, MessageKind.ENTER_SESSION, MessageKind.OTHER}
"""What the conversation hears; everything else is for whoever registered for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message or event, as understood.

    ``key`` is the same for every delivery of the same message and for no other one. ``data`` holds what
    only its kind has: ``format`` and ``recognition`` of a voice, ``label``, ``latitude`` and ``longitude``
    of a place, ``title``, ``description`` and ``url`` of a link, ``scene`` of an entry; of an event every
    plain item under WeChat's own name in lower case. Everything in it was written by a stranger.
    """

    account: WechatAccount
    openid: str = field(repr=False)
    sent_at: datetime
    key: str
    kind: MessageKind
    text: str = field(default="", repr=False)
    media_id: str = field(default="", repr=False)
    menu_key: str = ""
    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    sender_id: int = 0
    """The sender's row; 0 until the door has found it, never where a message is heard."""

    def packed(self) -> dict[str, Any]:
        """Everything but the sender's row, as JSON can hold it."""
        return {
            "account": self.account.value,
            "openid": self.openid,
            "sent_at": self.sent_at.timestamp(),
            "key": self.key,
            "kind": self.kind.value,
            "text": self.text,
            "media_id": self.media_id,
            "menu_key": self.menu_key,
            "data": dict(self.data),
        }

    @classmethod
    def unpacked(cls, packed: Mapping[str, Any], *, sender_id: int) -> ChatMessage:
        """What :meth:`packed` made, for the sender it was found to be from."""
        return cls(
            account=WechatAccount(packed["account"]),
            openid=packed["openid"],
            sent_at=datetime.fromtimestamp(packed["sent_at"], UTC),
            key=packed["key"],
            kind=MessageKind(packed["kind"]),
            text=packed["text"],
            media_id=packed["media_id"],
            menu_key=packed["menu_key"],
            data=packed["data"],
            sender_id=sender_id,
        )
