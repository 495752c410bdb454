"""Senders: who writes to us, whether they ever signed in, and how long they may be written to."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog

from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import WechatUnavailable
from server.models.chat import ChatSender
from server.models.deliveries import Delivery, DeliveryState
from server.models.people import Person
from server.rules.channels import MESSAGES_A_TAP, MESSAGES_A_WINDOW
from server.rules.chat_messages import SAID, ChatMessage, MessageKind, WechatAccount
from server.sealing import Sealer

TAPS = frozenset({MessageKind.MENU_TAP, MessageKind.SUBSCRIBE, MessageKind.ENTER_SESSION})
"""What opens the window of a minute."""

log = structlog.get_logger()


async def sender_of(message: ChatMessage, *, sealer: Sealer, now: datetime) -> ChatSender:
    """The row of whoever sent a message, with its windows as this message opens them.

    Call it inside the transaction in which the message is heard.
    """
    account, known_as = message.account, sealer.blinds(message.openid)
    # Whoever is there twice (``data-keys reseal`` names them) is who was there first.
    sender = await ChatSender.filter(account=account, openid_index__in=known_as).order_by("id").first()
    if sender is None:
        sender, _ = await ChatSender.get_or_create(
            account=account,
            openid_index=known_as[0],
            defaults={"openid_sealed": sealer.seal(message.openid), "first_seen_at": now},
        )
    opened = _opened(message)
    if sender.person_id is None and account is WechatAccount.MINI:
        person = await Person.filter(account__in=known_as).order_by("id").only("id").first()
        if person is not None:
            opened["person_id"] = person.id
    if opened:
        await ChatSender.filter(id=sender.id).update(**opened)
        for name, value in opened.items():
            setattr(sender, name, value)
    if not opened.keys().isdisjoint({"last_tap_at", "last_message_at"}):
        # What was held for them goes now, before anything that is said to them from here on.
        held = Delivery.filter(addressee=f"sender:{sender.id}", state=DeliveryState.HELD)
        await held.filter(next_at__lt=message.sent_at).update(state=DeliveryState.WAITING, next_at=now)
    return sender


async def link(sender: ChatSender, openid: str, *, calls: WechatCalls, sealer: Sealer) -> None:
    """Find out from WeChat who a sender is elsewhere, and so the person who signed in; outside transactions.

    Not knowing is no fault: nobody needs to have signed in.
    """
    if sender.unionid_index or not calls.serves(sender.account):
        return
    try:
        told = await calls.call("/cgi-bin/user/info", account=sender.account, query={"openid": openid})
    except (WechatRefused, WechatUnavailable) as fault:
        log.info("chat.sender_not_linked", sender=sender.id, fault=type(fault).__name__)
        return
    unionid = told.get("unionid")
    if isinstance(unionid, str) and unionid:
        known = Person.filter(unionid_index__in=sealer.blinds(unionid)).order_by("id")
        person = await known.only("id").first()
        linked = {"person_id": person.id} if person is not None else {}
        await ChatSender.filter(id=sender.id).update(unionid_index=sealer.blind(unionid), **linked)


async def know(person: Person, unionid: str | None, *, sealer: Sealer) -> None:
    """Somebody signed in: remember what WeChat calls them everywhere, and that senders of it are theirs.

    Inside the transaction of the sign-in.
    """
    if not unionid:
        return
    known_as = sealer.blinds(unionid)
    if person.unionid_index not in known_as:
        await Person.filter(id=person.id).update(unionid_index=known_as[0])
    await ChatSender.filter(unionid_index__in=known_as, person_id=None).update(person_id=person.id)


def _opened(message: ChatMessage) -> dict[str, Any]:
    """What a message changes about the windows, by the instant WeChat gave it."""
    at = message.sent_at
    if message.kind is MessageKind.UNSUBSCRIBE:
        return {"unsubscribed_at": at, "taps_left": 0, "messages_left": 0}
    changed: dict[str, Any] = {}
    if message.kind in TAPS:
        changed |= {"last_tap_at": at, "taps_left": MESSAGES_A_TAP}
    if message.kind in SAID:
        changed |= {"last_message_at": at, "messages_left": MESSAGES_A_WINDOW}
    if message.kind is MessageKind.SUBSCRIBE:
        changed["unsubscribed_at"] = None
    return changed
