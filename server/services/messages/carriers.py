"""Carriers: one message given to one channel, in the words and within the limits of that channel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from server import texts
from server.clock import CHINA
from server.gateways.sms import Sms
from server.programme.messages import MessageChannel, Template
from server.rules.chat_messages import WechatAccount
from server.rules.message_fields import LONGEST_CUSTOM_BYTES, fitted, parts
from server.services.messages.reachable import Contact

SUBSCRIBE_PATH = "/cgi-bin/message/subscribe/send"
TEMPLATE_PATH = "/cgi-bin/message/template/send"
CUSTOM_PATH = "/cgi-bin/message/custom/send"
LONGEST_SMS_WORD = 35
LONGEST_MESSAGE_ID = 64


class Calls(Protocol):
    """WeChat's API, as ``gateways/wechat_calls.py`` carries it."""

    def serves(self, account: WechatAccount) -> bool:
        """Whether this account is configured."""

    async def call(self, path: str, body: Any = None, *, account: WechatAccount) -> dict[str, Any]:
        """The answer of a success; raises ``WechatRefused`` and ``WechatUnavailable``."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What is to be said, before any channel cuts it to its size."""

    template: Template | None
    title: str
    sentence: str
    at: datetime
    deadline: datetime | None = None
    number: str = ""
    programme: str = ""
    is_reply: bool = False
    """A reply of the chat: its sentence is said as it is, by a customer-service message alone."""

    def field(self, text: str) -> str:
        """A field's text with its placeholders filled in."""
        until = self.deadline or self.at
        return text.format(
            title=self.title,
            # What was said in the chat may be personal: other channels tell only that there is an answer.
            sentence=self.title if self.is_reply else self.sentence,
            number=self.number or texts.NOTICE_UNKNOWN,
            programme=self.programme or texts.NOTICE_UNKNOWN,
            at=_said(self.at),
            deadline=_said(until),
        )

    def instant(self, text: str) -> datetime:
        """What a field for a time holds."""
        return (self.deadline or self.at) if "{deadline}" in text else self.at


def _said(instant: datetime) -> str:
    return texts.INSTANT.format(at=instant.astimezone(CHINA))


class Carriers:
    """The channels as they are set up; before :attr:`calls` or :attr:`sms` is given, they are not."""

    def __init__(self, *, mini_appid: str) -> None:
        self.calls: Calls | None = None
        self.sms: Sms | None = None
        self._mini_appid = mini_appid

    def usable(self, template: Template | None) -> frozenset[MessageChannel]:
        """By what a message of this template can go out here."""
        up: set[MessageChannel] = set()
        if self.calls is not None:
            mini, official = (self.calls.serves(one) for one in (WechatAccount.MINI, WechatAccount.OFFICIAL))
            up |= {MessageChannel.SUBSCRIBE, MessageChannel.CUSTOM} if mini else set()
            up |= {MessageChannel.TEMPLATE, MessageChannel.CUSTOM} if official else set()
        if self.sms is not None:
            up.add(MessageChannel.SMS)
        return frozenset(up & (template.channels if template is not None else {MessageChannel.CUSTOM}))

    async def carry(self, channel: MessageChannel, to: Contact, wording: Wording, *, key: str) -> str:
        """Give one message to a channel; the channel's own name of it, where it has one.

        Raises ``WechatRefused``, ``WechatUnavailable``, ``SmsRefused`` and ``SmsUnavailable``.
        """
        template = wording.template
        if channel is MessageChannel.CUSTOM:
            return await self._say(to, wording)
        assert template is not None, "other channels have no words without a template"
        if channel is MessageChannel.SMS:
            assert self.sms is not None, "it was usable"
            words = {
                name: wording.field(text)[:LONGEST_SMS_WORD] for name, text in template.sms_fields.items()
            }
            return await self.sms.send(to.phone, template.sms_code, words, key=key)
        if channel is MessageChannel.SUBSCRIBE:
            body: dict[str, Any] = {
                "touser": to.openid,
                "template_id": template.subscribe_id,
                "page": template.page,
                "lang": "zh_CN",
                "data": _data(template.fields, wording),
            }
            return await self._call(SUBSCRIBE_PATH, body, WechatAccount.MINI)
        body = {
            "touser": to.official_openid,
            "template_id": template.official_id,
            # For ten minutes WeChat sends nothing twice to one person under the same id.
            "client_msg_id": key,
            "miniprogram": {"appid": self._mini_appid, "pagepath": template.page},
            "data": _data(template.official_fields, wording),
        }
        return await self._call(TEMPLATE_PATH, body, WechatAccount.OFFICIAL)

    async def _say(self, to: Contact, wording: Wording) -> str:
        said = wording.sentence if wording.is_reply else f"{wording.title}\n{wording.sentence}"
        text = parts(said, longest=LONGEST_CUSTOM_BYTES)[0]
        body = {"touser": to.chat_openid, "msgtype": "text", "text": {"content": text}}
        return await self._call(CUSTOM_PATH, body, to.chat_account)

    async def _call(self, path: str, body: dict[str, Any], account: WechatAccount) -> str:
        assert self.calls is not None, "it was usable"
        answer = await self.calls.call(path, body, account=account)
        return str(answer.get("msgid", ""))[:LONGEST_MESSAGE_ID]


def _data(fields: Mapping[str, str], wording: Wording) -> dict[str, dict[str, str]]:
    return {
        name: {"value": fitted(name, wording.field(text), at=wording.instant(text))}
        for name, text in fields.items()
    }
