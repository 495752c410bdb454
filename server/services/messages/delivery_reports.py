"""Delivery reports: what WeChat tells afterwards, of a message it took on and of consents.

Told by callbacks, which the door has checked and made out once each; what they say was still written by a
stranger, and a report of something unknown changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from server.clock import Clock
from server.models.chat import ChatSender
from server.models.deliveries import Delivery, DeliveryState
from server.models.people import Person
from server.programme.messages import MessageChannel, Messages
from server.rules.chat_messages import ChatMessage, WechatAccount
from server.sealing import Sealer
from server.services.messages import consents

POPUP, CHANGE, SENT = "subscribemsgpopupevent", "subscribemsgchangeevent", "subscribemsgsentevent"
"""What an event's items stand under, in lower case."""
ACCEPT, REJECT = "accept", "reject"
SUCCESS = "success"
FAILED = "not_delivered"
LONGEST_ID = 64


class DeliveryReports:
    """Hears the door's events, inside the transaction in which the door marks them as heard."""

    def __init__(self, messages: Messages, sealer: Sealer, clock: Clock) -> None:
        self._messages = messages
        self._sealer = sealer
        self._clock = clock

    async def subscribe_result(self, message: ChatMessage) -> None:
        """The person answered a request to consent, changed their mind in the settings, or WeChat says
        whether a subscription message arrived."""
        now = self._clock.now()
        for event, item in _items(message.data):
            if event == SENT:
                code = str(item.get("errorcode", ""))
                await self._reported(
                    str(item.get("msgid", "")), MessageChannel.SUBSCRIBE, code in ("0", ""), now
                )
            else:
                template = self._messages.by_subscribe_id(str(item.get("templateid", "")))
                person = await self._person(message)
                if template is None or person is None:
                    continue
                said = str(item.get("subscribestatusstring", "")).lower()
                if said == ACCEPT and event == POPUP:
                    await consents.given(
                        person,
                        template.code,
                        source=consents.WECHAT,
                        long_term=template.long_term,
                        now=now,
                    )
                elif said == REJECT:
                    await consents.refused(
                        person, template.code, source=consents.WECHAT, now=now, for_good=event == CHANGE
                    )

    async def template_result(self, message: ChatMessage) -> None:
        """WeChat says whether a template message arrived."""
        status = str(message.data.get("status", "")).lower()
        message_id = str(message.data.get("msgid", ""))
        await self._reported(message_id, MessageChannel.TEMPLATE, status == SUCCESS, self._clock.now())

    async def _reported(self, message_id: str, channel: MessageChannel, arrived: bool, now: datetime) -> None:
        """Send by another channel what WeChat could not deliver after all."""
        if arrived or not message_id or len(message_id) > LONGEST_ID:
            return
        sent = Delivery.filter(message_id=message_id, channel=channel, state=DeliveryState.SENT)
        for row in await sent.limit(1):
            # The WHERE clause is the lock: two reports of one message move it once.
            await Delivery.filter(id=row.id, state=DeliveryState.SENT, message_id=message_id).update(
                state=DeliveryState.WAITING,
                tried=[*row.tried, channel.value],
                channel=None,
                holds=False,
                message_id="",
                error=FAILED,
                next_at=now,
                settled_at=None,
            )

    async def _person(self, message: ChatMessage) -> int | None:
        if message.account is not WechatAccount.MINI:
            return None
        sender = await ChatSender.get_or_none(id=message.sender_id)
        if sender is not None and sender.person_id is not None:
            return sender.person_id
        person = await Person.filter(account__in=self._sealer.blinds(message.openid)).first()
        return None if person is None else person.id


def _items(data: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What the events list, one item or several, each with its event."""
    for event in (POPUP, CHANGE, SENT):
        holder = data.get(event)
        listed = holder.get("list") if isinstance(holder, Mapping) else None
        for item in listed if isinstance(listed, list) else [listed]:
            if isinstance(item, Mapping):
                yield event, item
