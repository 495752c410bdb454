"""Reachable: by what people can be reached, read for many of them at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, time

import structlog

from server.models.chat import ChatSender
from server.models.deliveries import ConsentBalance, DeliveryPreference
from server.models.people import Person
from server.programme.messages import Messages
from server.rules.channels import Quiet, Reach, Window
from server.rules.chat_messages import WechatAccount
from server.sealing import NotSealedByUs, Sealer

MINUTES_AN_HOUR = 60

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody to write to, and how. Addresses stay out of ``repr``."""

    addressee: str
    person_id: int | None
    reach: Reach
    quiet: Quiet
    openid: str = field(default="", repr=False)
    """In the mini-program."""
    official_openid: str = field(default="", repr=False)
    official_id: int = 0
    """Their row as a sender to the official account."""
    chat_openid: str = field(default="", repr=False)
    chat_account: WechatAccount = WechatAccount.OFFICIAL
    chat_id: int = 0
    """Whose window is open, or would be."""
    phone: str = field(default="", repr=False)


async def contacts(
    addressees: Collection[str], *, sealer: Sealer, messages: Messages, now: datetime
) -> dict[str, Contact]:
    """Each of ``person:12`` and ``sender:17`` that there is, with what is known of them."""
    senders = await ChatSender.filter(id__in=_ids(addressees, "sender"))
    own = _ids(addressees, "person")
    linked = {row.person_id for row in senders if row.person_id is not None}
    people = {row.id: row for row in await Person.filter(id__in=own | linked, disabled=False)}
    theirs: dict[int, list[ChatSender]] = {}
    for row in await ChatSender.filter(person_id__in=people.keys()).order_by("id"):
        theirs.setdefault(row.person_id or 0, []).append(row)
    left: dict[int, dict[str, int]] = {}
    long_term: dict[int, set[str]] = {}
    for balance in await ConsentBalance.filter(person_id__in=people.keys()):
        left.setdefault(balance.person_id, {})[balance.template] = balance.left_count
        if balance.long_term:
            long_term.setdefault(balance.person_id, set()).add(balance.template)
    chosen = {row.person_id: row for row in await DeliveryPreference.filter(person_id__in=people.keys())}

    def contact(addressee: str, person: Person | None, chats: list[ChatSender]) -> Contact:
        openid = "" if person is None else _opened(sealer, person.openid_sealed)
        phone = "" if person is None else _opened(sealer, person.phone_sealed)
        of = 0 if person is None else person.id
        official = next((one for one in chats if _follows(one)), None)
        official_openid = "" if official is None else _opened(sealer, official.openid_sealed)
        # The window that is open; else whoever wrote last, so that its end can be told.
        chat = max(chats, key=lambda one: (_window(one).is_open(now), one.id), default=None)
        chat_openid = "" if chat is None else _opened(sealer, chat.openid_sealed)
        return Contact(
            addressee=addressee,
            person_id=None if person is None else person.id,
            reach=Reach(
                mini_program=bool(openid),
                consents=left.get(of, {}),
                long_term=frozenset(long_term.get(of, ())),
                follows=bool(official_openid),
                window=Window() if chat is None or not chat_openid else _window(chat),
                phone=bool(phone),
            ),
            quiet=_quiet(chosen.get(of), messages),
            openid=openid,
            official_openid=official_openid,
            official_id=0 if official is None else official.id,
            chat_openid=chat_openid,
            chat_account=WechatAccount.OFFICIAL if chat is None else chat.account,
            chat_id=0 if chat is None else chat.id,
            phone=phone,
        )

    found = {
        f"person:{one}": contact(f"person:{one}", people[one], theirs.get(one, []))
        for one in own & people.keys()
    }
    for row in senders:
        found[f"sender:{row.id}"] = contact(f"sender:{row.id}", people.get(row.person_id or 0), [row])
    return found


def _ids(addressees: Collection[str], kind: str) -> set[int]:
    return {int(one.partition(":")[2]) for one in addressees if one.startswith(f"{kind}:")}


def _follows(row: ChatSender) -> bool:
    return row.account is WechatAccount.OFFICIAL and row.unsubscribed_at is None


def _window(row: ChatSender) -> Window:
    return Window(row.last_tap_at, row.taps_left, row.last_message_at, row.messages_left)


def _quiet(row: DeliveryPreference | None, messages: Messages) -> Quiet:
    if row is None:
        return Quiet(messages.quiet_from, messages.quiet_until)
    return Quiet(time_of(row.quiet_from_minute), time_of(row.quiet_until_minute))


def time_of(minute: int) -> time:
    """A time of day by its minute."""
    return time(minute // MINUTES_AN_HOUR, minute % MINUTES_AN_HOUR)


def _opened(sealer: Sealer, sealed: str) -> str:
    """What is sealed; nothing where no key of ours opens it any more: then this way is closed."""
    try:
        return sealer.open(sealed)
    except NotSealedByUs:
        log.warning("contact.not_readable")
        return ""
