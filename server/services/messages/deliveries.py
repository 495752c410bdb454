"""Deliveries: everything on its way beyond the inbox, sent at least once.

A delivery is claimed with a lease and prepared (channel chosen, consent or place in the window set aside)
before it is given away; what became of it is written as soon as the channel answers. Of a worker that died,
the lease ends and another goes on with the same channel (docs/decisions/0028). Bounded: a page at a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from random import Random
from typing import Any
from uuid import uuid4

import structlog
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.clock import Clock
from server.gateways.sms import SmsRefused, SmsUnavailable
from server.gateways.wechat_calls import WechatRefused
from server.gateways.wechat_http import WechatUnavailable
from server.models.chat import ChatSender
from server.models.deliveries import Delivery, DeliveryState
from server.models.inbox import InboxMessage
from server.programme.messages import MessageChannel, Messages
from server.rules.channels import (
    MESSAGE_WINDOW,
    MOST_ATTEMPTS,
    NEXT_CHANNEL,
    TAP_WINDOW,
    WHOLE_CHANNEL,
    Meaning,
    back_off,
    meaning_of,
    next_channel,
    rest_after,
)
from server.sealing import NotSealedByUs, Sealer
from server.services.messages import consents, delivery_plan, late_messages
from server.services.messages.carriers import Carriers, Wording
from server.services.messages.delivery_plan import CHAT_REPLY
from server.services.messages.late_messages import TOO_LATE, is_late
from server.services.messages.notices import notice
from server.services.messages.reachable import Contact, contacts
from server.services.outbox import Moved

PAGE = 64
"""So many are on their way at once in one process, and so many are in its memory."""
LEASE = timedelta(minutes=2)
"""Well below the ten minutes in which WeChat knows a template message again."""
MARGIN = timedelta(seconds=30)
"""Nothing is given away so shortly before the lease ends: WeChat may take two tries to answer."""
HELD_FOR = timedelta(days=30)

PATIENCE = 3
"""So many attempts the chat's later replies wait for an earlier one; then they go past it."""

# One reply of the chat is on its way to a sender at a time, whichever process has it: they arrive in order.
_BEHIND = f"""(outbox_id IS NULL AND EXISTS (SELECT 1 FROM delivery earlier
    WHERE earlier.state = 'waiting' AND earlier.outbox_id IS NULL AND earlier.addressee = mine.addressee
        AND earlier.id < mine.id AND (earlier.claimed_by <> '' OR earlier.attempts < {PATIENCE})))"""
_CLAIM_POSTGRES = f"""
UPDATE delivery SET claimed_by = $3, next_at = $4 FROM (
    SELECT id FROM delivery mine WHERE state = 'waiting' AND next_at <= $1 AND NOT {_BEHIND}
    ORDER BY next_at, id LIMIT $2 FOR UPDATE SKIP LOCKED) due
WHERE delivery.id = due.id RETURNING delivery.id"""
_CLAIM_SQLITE = f"""
UPDATE delivery SET claimed_by = ?3, next_at = ?4 WHERE id IN (
    SELECT id FROM delivery mine WHERE state = 'waiting' AND next_at <= ?1 AND NOT {_BEHIND}
    ORDER BY next_at, id LIMIT ?2)
RETURNING id"""
# Who hears a message wakes what was held for its sender (``chat_senders``): what they have is left to them.
_WAKE = """
UPDATE delivery SET state = 'waiting', next_at = {now} WHERE id IN (SELECT id FROM delivery
    WHERE state = 'held' AND EXISTS (SELECT 1 FROM chat_sender WHERE 'sender:' || chat_sender.id = addressee
        AND (last_message_at > delivery.next_at OR last_tap_at > delivery.next_at)) {lock})
RETURNING id"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Ready:
    """A delivery that is prepared: it goes to this contact by this channel."""

    row: Delivery
    channel: MessageChannel
    holds: bool
    contact: Contact
    wording: Wording


@dataclass(slots=True)
class Claimed:
    """A page of deliveries that this process has until the lease ends."""

    name: str
    until: datetime
    rows: Sequence[Delivery]


async def _at_once() -> None:
    """Nothing goes before."""


class Deliveries:
    """What is due is sent from here, by as many processes as run it. Programmes are named by slug."""

    def __init__(
        self,
        messages: Messages,
        carriers: Carriers,
        sealer: Sealer,
        clock: Clock,
        *,
        programme_name: Callable[[str], str],
        programme_now: Callable[[str], datetime],
        random: Random,
    ) -> None:
        self.messages = messages
        self.carriers = carriers
        self.sealer = sealer
        self._clock = clock
        self._programme_name, self._programme_now = programme_name, programme_now
        self._random = random
        self._resting: dict[MessageChannel, datetime] = {}

    async def plan(self, moved: Sequence[Moved], now: datetime) -> None:
        """For ``outbox.deliver``: what is moved into the inbox goes out as well."""
        await delivery_plan.plan(self.messages, moved, now)

    async def send_due(self, *, turn: Callable[[], Awaitable[None]] = _at_once) -> int:
        """Send everything that is due; returns how many were taken up. A launch goes first (``turn``)."""
        taken = 0
        while True:
            await turn()
            page = await self._claim()
            if not page.rows:
                return taken
            taken += len(page.rows)
            ready = await self._prepare(page)
            async with asyncio.TaskGroup() as group:
                for _, one_after_another in groupby(ready, key=lambda one: one.row.addressee):
                    group.create_task(self._carry_all(list(one_after_another), page))

    async def wake_due(self) -> int:
        """Let what was held for somebody without an inbox go, now that they wrote again; returns how many."""
        now = self._clock.now()
        await Delivery.filter(state=DeliveryState.HELD, created_at__lt=now - HELD_FOR).update(
            state=DeliveryState.KEPT, settled_at=now, text_sealed=""
        )
        async with in_transaction() as connection:
            if connection.capabilities.dialect == "postgres":
                woken = await connection.execute_query_dict(
                    _WAKE.format(now="$1", lock="FOR UPDATE SKIP LOCKED"), [now]
                )
            else:
                woken = await connection.execute_query_dict(_WAKE.format(now="?1", lock=""), [str(now)])
        return len(woken)

    # -- taking up ---------------------------------------------------------------------------------

    async def _claim(self) -> Claimed:
        now, name = self._clock.now(), uuid4().hex
        until = now + LEASE
        async with in_transaction() as connection:
            if connection.capabilities.dialect == "postgres":
                found = await connection.execute_query_dict(_CLAIM_POSTGRES, [now, PAGE, name, until])
            else:
                values = [str(now), PAGE, name, str(until)]
                found = await connection.execute_query_dict(_CLAIM_SQLITE, values)
        rows = await Delivery.filter(id__in=[one["id"] for one in found]) if found else []
        return Claimed(name, until, rows)

    async def _prepare(self, page: Claimed) -> list[Ready]:
        """Choose a channel for each and set aside what it needs; what must wait is put back."""
        now = self._clock.now()
        known = await contacts(
            {row.addressee for row in page.rows}, sealer=self.sealer, messages=self.messages, now=now
        )
        inbox = {
            row.outbox_id: row
            for row in await InboxMessage.filter(
                outbox_id__in=[row.outbox_id for row in page.rows if row.outbox_id is not None]
            )
        }
        # In one order everywhere, so that no two processes wait for each other's consents.
        rows = sorted(
            page.rows, key=lambda row: (_person_of(known.get(row.addressee)), row.addressee, row.id)
        )
        ready: list[Ready] = []
        async with in_transaction():
            for row in rows:
                contact = known.get(row.addressee)
                message = inbox.get(row.outbox_id or 0)
                try:
                    wording = self._wording(row, message)
                # One that cannot be worded, whatever is wrong with it, must not keep a page from being sent.
                except Exception as fault:  # noqa: BLE001
                    log.warning("delivery.not_worded", topic=row.topic, fault=type(fault).__name__)
                    await self._let_go(
                        row, page, state=DeliveryState.DEAD, error=Meaning.FAULTY, settled_at=now
                    )
                    continue
                if contact is None or wording is None:
                    await self._let_go(row, page, state=DeliveryState.KEPT, settled_at=now)
                elif is_late(self.messages, row, wording, now=self._programme_now(row.programme_slug)):
                    ended = {"state": DeliveryState.EXPIRED, "error": TOO_LATE, "settled_at": now}
                    if await self._let_go(row, page, **ended, **_FREE):
                        await late_messages.note(row, wording, contact.person_id, now=now)
                elif (until := self._quiet_until(row, contact, now)) is not None:
                    await self._let_go(row, page, next_at=until)
                elif (chosen := await self._choose(row, contact, wording, now)) is None:
                    held = row.addressee.startswith("sender:")
                    state = DeliveryState.HELD if held else DeliveryState.KEPT
                    ended = {"channel": MessageChannel.INBOX, "holds": False, "uncertain": False}
                    await self._let_go(row, page, state=state, next_at=now, settled_at=now, **ended)
                elif (rests := self._resting.get(chosen[0])) is not None and rests > now:
                    # It keeps what was set aside for it.
                    await self._let_go(row, page, channel=chosen[0], holds=chosen[1], next_at=rests)
                else:
                    ready.append(Ready(row, *chosen, contact, wording))
            for channel, holds in {(one.channel, one.holds) for one in ready}:
                ids = [one.row.id for one in ready if (one.channel, one.holds) == (channel, holds)]
                theirs = Delivery.filter(id__in=ids, claimed_by=page.name)
                await theirs.update(channel=channel, holds=holds, uncertain=True)
        return ready

    def _wording(self, row: Delivery, message: InboxMessage | None) -> Wording | None:
        template = self.messages.template_of(row.topic)
        if row.topic == CHAT_REPLY:
            try:
                text = self.sealer.open(row.text_sealed)
            except NotSealedByUs:
                log.warning("reply.not_readable", delivery=row.id)
                return None
            return Wording(template, texts.CHAT_REPLY_TITLE, text, row.created_at, is_reply=True)
        if message is None:
            return None
        said = notice(row.topic, message.data, programme_name=self._programme_name)
        slug = str(message.data.get("programme", ""))
        return Wording(
            template=template,
            title=said.title,
            sentence=said.sentence,
            at=message.created_at,
            deadline=said.deadline,
            number=str(message.data.get("number", "")),
            programme=self._programme_name(slug) if slug else "",
        )

    def _quiet_until(self, row: Delivery, contact: Contact, now: datetime) -> datetime | None:
        # Who wrote or tapped just now is awake.
        if row.topic == CHAT_REPLY or row.topic in self.messages.urgent:
            return None
        return contact.quiet.until(now)

    async def _choose(
        self, row: Delivery, contact: Contact, wording: Wording, now: datetime
    ) -> tuple[MessageChannel, bool] | None:
        """The channel, and whether something of it is set aside; ``None``: no channel reaches them."""
        usable, tried = self.carriers.usable(wording.template), set(row.tried)
        code = "" if wording.template is None else wording.template.code
        if row.channel in usable and row.channel not in tried and (row.uncertain or row.holds):
            # Whoever had it before may have given it away: only the same channel can know it again.
            return row.channel, row.holds
        if row.holds and row.channel is MessageChannel.SUBSCRIBE and contact.person_id is not None:
            # The channel is closed by now, and with it what was set aside of it.
            await consents.give_back(contact.person_id, code, delivery_id=row.id, now=now)
        order: Iterable[MessageChannel] = self.messages.order
        if wording.is_reply:
            order = sorted(order, key=lambda one: one is not MessageChannel.CUSTOM)
        while True:
            channel = next_channel(list(order), contact.reach, code, usable=usable, tried=tried, now=now)
            if channel is MessageChannel.INBOX:
                return None
            taken = await self._take(row, channel, contact, code, now)
            if taken is not None:
                return channel, taken
            tried.add(channel)

    async def _take(
        self, row: Delivery, channel: MessageChannel, contact: Contact, code: str, now: datetime
    ) -> bool | None:
        """Set aside what a message by this channel uses up; ``None``: somebody else was faster."""
        if channel is MessageChannel.SUBSCRIBE and contact.person_id is not None:
            return await consents.take(contact.person_id, code, delivery_id=row.id, now=now)
        if channel is MessageChannel.CUSTOM:
            mine = ChatSender.filter(id=contact.chat_id)
            # The WHERE clauses are the lock: the window lets no more through than it has room for.
            by_tap = mine.filter(taps_left__gt=0, last_tap_at__gt=now - TAP_WINDOW)
            by_message = mine.filter(messages_left__gt=0, last_message_at__gt=now - MESSAGE_WINDOW)
            return (
                bool(
                    await by_tap.update(taps_left=F("taps_left") - 1)
                    or await by_message.update(messages_left=F("messages_left") - 1)
                )
                or None
            )
        return False

    # -- giving away -------------------------------------------------------------------------------

    async def _carry_all(self, ready: Sequence[Ready], page: Claimed) -> None:
        for one in ready:
            if self._clock.now() >= page.until - MARGIN:
                # Somebody else may have it soon; nothing was given away.
                await self._let_go(one.row, page, uncertain=one.row.uncertain, next_at=self._clock.now())
                continue
            await self._carry(one, page)

    async def _carry(self, one: Ready, page: Claimed) -> None:
        try:
            message_id = await self.carriers.carry(
                one.channel, one.contact, one.wording, key=f"qiquan-{one.row.id}"
            )
        except WechatRefused as refused:
            await self._refused(one, page, refused.errcode)
        except WechatUnavailable:
            await self._later(one, page, "no_answer", uncertain=True)
        except SmsUnavailable as silent:
            await self._later(one, page, "no_answer", uncertain=not silent.sent_nothing)
        except SmsRefused as refused_sms:
            if refused_sms.unusable:
                await self._next_channel(one, page, Meaning.UNUSABLE, None)
            else:
                await self._dead(one, page, Meaning.FAULTY, None)
        # Whatever else goes wrong with one must not end the others that are on their way.
        except Exception as fault:  # noqa: BLE001
            log.warning("delivery.failed", topic=one.row.topic, fault=type(fault).__name__)
            await self._later(one, page, Meaning.UNKNOWN, uncertain=True)
        else:
            await self._sent(one, page, message_id)

    async def _sent(self, one: Ready, page: Claimed, message_id: str, error_code: int | None = None) -> None:
        now = self._clock.now()
        if one.wording.is_reply and one.channel is not MessageChannel.CUSTOM:
            # They know that there is an answer; its words wait until they can be said.
            tried = [*one.row.tried, one.channel.value]
            await self._let_go(one.row, page, state=DeliveryState.HELD, tried=tried, next_at=now, **_FREE)
            return
        await self._let_go(
            one.row,
            page,
            state=DeliveryState.SENT,
            uncertain=False,
            message_id=message_id,
            error_code=error_code,
            error="",
            settled_at=now,
            text_sealed="",
        )

    async def _refused(self, one: Ready, page: Claimed, errcode: int) -> None:
        meaning, now = meaning_of(errcode), self._clock.now()
        if meaning is Meaning.CONSENT_SPENT and one.row.uncertain and one.row.holds:
            # The consent was this delivery's alone, and an earlier try has used it: that one arrived.
            await self._sent(one, page, "", errcode)
        elif meaning in NEXT_CHANNEL:
            await self._next_channel(one, page, meaning, errcode)
        elif meaning is Meaning.FAULTY:
            await self._dead(one, page, meaning, errcode)
        elif meaning in WHOLE_CHANNEL:
            until = rest_after(meaning, now, self._random)
            self._resting[one.channel] = max(until, self._resting.get(one.channel, until))
            log.warning("channel.rests", channel=one.channel, errcode=errcode)
            await self._let_go(
                one.row, page, uncertain=one.row.uncertain, next_at=until, error=meaning, error_code=errcode
            )
        else:
            await self._later(one, page, meaning, uncertain=one.row.uncertain, errcode=errcode)

    async def _next_channel(self, one: Ready, page: Claimed, meaning: Meaning, errcode: int | None) -> None:
        """Mark the channel as closed to them; the next turn takes another, at once."""
        row, contact, now = one.row, one.contact, self._clock.now()
        code = "" if one.wording.template is None else one.wording.template.code
        # A window opens again, and is closed until then by its own count.
        closed = () if meaning is Meaning.WINDOW_CLOSED else (one.channel.value,)
        async with in_transaction():
            if one.channel is MessageChannel.SUBSCRIBE and contact.person_id is not None:
                if meaning is Meaning.CONSENT_SPENT:
                    await consents.spent(contact.person_id, code, delivery_id=row.id, now=now)
                elif one.holds:
                    await consents.give_back(contact.person_id, code, delivery_id=row.id, now=now)
            elif one.channel is MessageChannel.CUSTOM and meaning is Meaning.WINDOW_CLOSED:
                await ChatSender.filter(id=contact.chat_id).update(taps_left=0, messages_left=0)
            elif one.channel is MessageChannel.TEMPLATE and meaning is Meaning.UNSUBSCRIBED:
                await ChatSender.filter(id=contact.official_id, unsubscribed_at__isnull=True).update(
                    unsubscribed_at=now
                )
            await self._let_go(
                row,
                page,
                tried=[*row.tried, *closed],
                error=meaning,
                error_code=errcode,
                next_at=now,
                **_FREE,
            )

    async def _later(
        self, one: Ready, page: Claimed, error: str, *, uncertain: bool, errcode: int | None = None
    ) -> None:
        attempts = one.row.attempts + 1
        now = self._clock.now()
        dead = attempts >= MOST_ATTEMPTS
        await self._let_go(
            one.row,
            page,
            state=DeliveryState.DEAD if dead else DeliveryState.WAITING,
            settled_at=now if dead else None,
            attempts=attempts,
            uncertain=uncertain,
            next_at=now + back_off(attempts, self._random),
            error=error,
            error_code=errcode,
        )

    async def _dead(self, one: Ready, page: Claimed, meaning: Meaning, errcode: int | None) -> None:
        log.warning("delivery.dead", topic=one.row.topic, channel=one.channel, errcode=errcode)
        await self._let_go(
            one.row,
            page,
            state=DeliveryState.DEAD,
            attempts=one.row.attempts + 1,
            uncertain=False,
            error=meaning,
            error_code=errcode,
            settled_at=self._clock.now(),
        )

    def _mine(self, row: Delivery, page: Claimed) -> Any:
        # The WHERE clause is the lock: whose lease ended writes nothing any more.
        return Delivery.filter(id=row.id, claimed_by=page.name)

    async def _let_go(self, row: Delivery, page: Claimed, **changes: Any) -> bool:
        return bool(await self._mine(row, page).update(claimed_by="", **changes))


_FREE: dict[str, Any] = {"holds": False, "uncertain": False, "channel": None}


def _person_of(contact: Contact | None) -> int:
    return 0 if contact is None or contact.person_id is None else contact.person_id
