"""The chat's door: a message is kept, acknowledged, heard once, and answered in time or afterwards.

WeChat waits five seconds and delivers again. So: first kept, then heard behind the answer, in a transaction
that marks it as heard together with everything that comes of it. What is ready in time is the answer;
everything else goes out as a message of its own. A process that dies leaves its messages to the others.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import traceback
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.clock import Clock
from server.gateways.wechat_calls import WechatCalls
from server.models.chat import ChatSender, InboundMessage
from server.rules.chat_messages import HEARD, ChatMessage, MessageKind, WechatAccount
from server.rules.message_fields import parts
from server.sealing import NotSealedByUs, Sealer
from server.services.buckets import Buckets
from server.services.chat.chat_intake import ChatIntake
from server.services.messages import chat_senders

ANSWER_SECONDS = 3.0
"""So long a delivery waits for its answer: WeChat gives up after five."""
LEASE = timedelta(seconds=30)
HEARD_AT_ONCE = 4
WAITING_AT_MOST = 24
"""With more of them unheard the next are acknowledged at once and answered afterwards."""
REMEMBERED_AT_MOST = 200
SWEEP_SECONDS = 1.0
SWEPT_AT_ONCE = 100
STEP_ASIDE_SECONDS = 1.0
LOOK_AGAIN_SECONDS = 0.1
MOST_ATTEMPTS = 5
DRAIN_SECONDS = 5.0
BURST, PER_SECOND = 40.0, 0.5
"""What one sender may send: forty at once, then one every two seconds. An album has nine pictures."""

LINKED_AT = frozenset({MessageKind.SUBSCRIBE, MessageKind.MENU_TAP})
"""Rare enough to ask WeChat who it is."""

Hear = Callable[[ChatMessage], Awaitable[str | None]]
Listen = Callable[[ChatMessage], Awaitable[None]]

log = structlog.get_logger()


class Say(Protocol):
    """Says something to a sender by the next channel that reaches them, inside the caller's transaction."""

    async def __call__(self, sender_id: int, text: str, *, now: datetime) -> None: ...


@dataclass(slots=True)
class _Work:
    """A message that this process hears, and the deliveries that wait for what comes of it."""

    id: int
    message: ChatMessage
    sender_index: str
    answer: asyncio.Future[str | None]
    done: asyncio.Future[None]
    late: bool


class ChatDoor:
    """What arrives at one process."""

    def __init__(self, sealer: Sealer, clock: Clock, calls: WechatCalls, *, say: Say) -> None:
        self._sealer, self._clock, self._calls, self._say = sealer, clock, calls, say
        self.hear: Hear | None = None
        """The conversation. Without one, people are heard by nobody and told nothing."""
        self._worker = secrets.token_hex(8)
        self._intake = ChatIntake(sealer, self._worker, LEASE, crowded=self._let_go)
        self._listeners: defaultdict[MessageKind, list[Listen]] = defaultdict(list)
        self._works: dict[int, _Work] = {}
        self._tails: dict[str, asyncio.Future[None]] = {}
        self._hands = asyncio.Semaphore(HEARD_AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._buckets = Buckets(per_second=PER_SECOND, burst=BURST)
        self._warned: OrderedDict[int, None] = OrderedDict()

    def on(self, kind: MessageKind, listen: Listen) -> None:
        """Let somebody hear every event of a kind, inside the transaction that marks it as heard."""
        self._listeners[kind].append(listen)

    async def receive(self, message: ChatMessage, *, now: datetime) -> str | None:
        """Take a delivery in; what to answer it with, or ``None`` for an acknowledgement without words.

        Of a repeated delivery, the first one's answer. Raises ``TimeoutError`` and what the database raises
        when the message could not be kept in time: then it must not be acknowledged.
        """
        began = time.monotonic()
        index = self._sealer.blind(message.openid)
        if message.kind in HEARD:
            flood = self._flood(index)
            if flood is not None:
                return flood or None if message.account is WechatAccount.OFFICIAL else None
        # In a crowd no more is begun than can be answered: the rest is heard when there is time.
        ours = len(self._works) < (WAITING_AT_MOST if self._intake.is_crowded() else REMEMBERED_AT_MOST)
        kept = await self._intake.keep(message, index, ours=ours, now=now)
        if kept.is_first and not ours:
            return None
        patience = max(0.0, ANSWER_SECONDS - (time.monotonic() - began))
        work = self._works.get(kept.id) or (self._begin(kept.id, message, index) if kept.is_first else None)
        if work is None:
            return await self._first_answer(kept.id, patience)
        if work.late:
            return None
        done, _ = await asyncio.wait((work.answer,), timeout=patience)
        # From here on the answer goes out as a message, for every delivery of it.
        work.late = work.late or not done
        return work.answer.result() if done else None

    # -- behind the answer ---------------------------------------------------------------------------

    def _begin(self, row_id: int, message: ChatMessage, index: str, *, late: bool = False) -> _Work:
        # The mini-program's people are answered by messages only, and so is everybody in a crowd.
        late = late or message.account is WechatAccount.MINI or self._intake.is_crowded()
        late = late or len(self._works) >= WAITING_AT_MOST
        loop = asyncio.get_running_loop()
        answer, done = loop.create_future(), loop.create_future()
        work = self._works[row_id] = _Work(row_id, message, index, answer, done, late)
        before = self._tails.get(index)
        self._tails[index] = done
        self._behind(self._work(work, before))
        return work

    def _behind(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(doing, name="chat")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, work: _Work, before: asyncio.Future[None] | None) -> None:
        answer = None
        try:
            if before is not None:
                # One after the other, as they were sent.
                await asyncio.wait((before,))
            async with self._hands:
                if self._intake.is_crowded():
                    await asyncio.sleep(STEP_ASIDE_SECONDS)
                answer = await self._heard(work)
        finally:
            self._works.pop(work.id, None)
            if self._tails.get(work.sender_index) is work.done:
                del self._tails[work.sender_index]
            work.done.set_result(None)
            if not work.answer.done():
                work.answer.set_result(answer)

    def _let_go(self) -> None:
        """A crowd begins: whoever waits for an answer is acknowledged, and answered afterwards."""
        for work in self._works.values():
            work.late = True
            if not work.answer.done():
                work.answer.set_result(None)

    async def _heard(self, work: _Work) -> str | None:
        """Hear a message and everything that comes of it, once; the answer, if it is in time for one."""
        try:
            answer, told = await self._transaction(work)
        # Whatever it is: the message is kept, and is tried again.
        except Exception as fault:  # noqa: BLE001
            await self._try_again(work, fault)
            return None
        if answer and work.late and not told:
            # The delivery gave up waiting while the transaction was being committed.
            async with in_transaction():
                if await InboundMessage.filter(id=work.id, late=False).update(late=True):
                    await self._say_to(work.message, answer)
        return None if work.late else answer

    async def _transaction(self, work: _Work) -> tuple[str | None, bool]:
        now = self._clock.now()
        async with in_transaction():
            if not await self._is_next(work):
                return None, True
            sender = await chat_senders.sender_of(work.message, sealer=self._sealer, now=now)
            message = replace(work.message, sender_id=sender.id)
            answer = await self._answer(message)
            told = work.late
            first, *more = parts(answer) if answer else [""]
            for words in (first, *more) if told else more:
                if words:
                    await self._say(sender.id, words, now=now)
            # Last: a delivery that is repeated meanwhile would wait for this row, and all that are kept with
            # it. The WHERE clause is the lock: who lost the message meanwhile has done nothing.
            mine = InboundMessage.filter(id=work.id, worker=self._worker, handled_at=None)
            if not await mine.update(handled_at=now, answer_sealed=self._sealer.seal(first), late=told):
                raise _TakenOver
        if message.kind in LINKED_AT and not sender.unionid_index:
            self._behind(chat_senders.link(sender, message.openid, calls=self._calls, sealer=self._sealer))
        return first or None, told

    async def _answer(self, message: ChatMessage) -> str | None:
        for listen in self._listeners[message.kind]:
            await listen(message)
        is_event = message.kind is MessageKind.OTHER and "event" in message.data
        if self.hear is None or message.kind not in HEARD or is_event:
            return None
        return await self.hear(message)

    async def _is_next(self, work: _Work) -> bool:
        """Whether this message is still this process's. Raises :class:`_NotYet` while an earlier one of the
        same sender is unheard elsewhere."""
        unheard = InboundMessage.filter(sender_index=work.sender_index, id__lte=work.id, handled_at=None)
        rows = await unheard.order_by("-id").limit(2).values_list("id", "worker")
        if not rows or rows[0] != (work.id, self._worker):
            return False
        if len(rows) > 1:
            raise _NotYet
        return True

    async def _try_again(self, work: _Work, fault: Exception) -> None:
        now = self._clock.now()
        waiting = InboundMessage.filter(id=work.id, worker=self._worker, handled_at=None)
        try:
            if isinstance(fault, _TakenOver):
                return
            if isinstance(fault, _NotYet):
                await waiting.update(worker_until=now + timedelta(seconds=SWEEP_SECONDS))
                return
            row = await InboundMessage.get(id=work.id)
            # Without its words: they may quote what somebody wrote.
            at = traceback.extract_tb(fault.__traceback__)[-1]
            log.error(
                "chat.not_heard",
                message=work.id,
                kind=row.kind.value,
                attempts=row.attempts,
                fault=type(fault).__name__,
                at=f"{at.filename}:{at.lineno}",
            )
            pause = timedelta(seconds=2 * (row.attempts + 1) ** 2)
            if row.attempts + 1 < MOST_ATTEMPTS:
                await waiting.update(attempts=F("attempts") + 1, worker_until=now + pause)
                return
            async with in_transaction():
                given_up = await waiting.update(attempts=F("attempts") + 1, handled_at=now, failed=True)
                if given_up and work.message.kind in HEARD:
                    await self._say_to(work.message, texts.CHAT_NOT_HEARD)
        # The database is away. The lease runs out by itself, and somebody takes it over.
        except Exception as second:  # noqa: BLE001
            log.warning("chat.left_to_others", message=work.id, fault=type(second).__name__)

    async def _say_to(self, message: ChatMessage, words: str) -> None:
        now = self._clock.now()
        known = self._sealer.blinds(message.openid)
        senders = ChatSender.filter(account=message.account, openid_index__in=known)
        if (sender := await senders.order_by("id").first()) is not None:
            await self._say(sender.id, words, now=now)

    # -- repeated deliveries, floods, and what others left -------------------------------------------

    async def _first_answer(self, row_id: int, patience: float) -> str | None:
        """What the first delivery of a message was answered, wherever it is heard."""
        until = time.monotonic() + patience
        while True:
            row = await InboundMessage.get_or_none(id=row_id)
            if row is None or row.handled_at is not None:
                return self._sealer.open(row.answer_sealed) or None if row and not row.late else None
            if time.monotonic() + LOOK_AGAIN_SECONDS > until:
                return None
            await asyncio.sleep(LOOK_AGAIN_SECONDS)

    def _flood(self, index: str) -> str | None:
        """``None`` for who keeps within bounds; else what to tell them, once, and then ``""``."""
        key = hash(index)
        if not self._buckets.take(key, time.monotonic()):
            self._warned.pop(key, None)
            return None
        if key in self._warned:
            return ""
        log.warning("chat.flood")
        self._warned[key] = None
        if len(self._warned) > REMEMBERED_AT_MOST:
            self._warned.popitem(last=False)
        return texts.CHAT_TOO_FAST

    async def sweep(self) -> int:
        """Take over what nobody works on: left by a process that died, or too much at the time. How many."""
        now = self._clock.now()
        left = InboundMessage.filter(handled_at=None, worker_until__lte=now).order_by("id")
        # A crowd may stay: something is done all the same.
        most = HEARD_AT_ONCE if self._intake.is_crowded() else SWEPT_AT_ONCE
        room = min(most, REMEMBERED_AT_MOST - len(self._works))
        ids = await left.limit(room).values_list("id", flat=True) if room > 0 else []
        if not ids:
            return 0
        # The WHERE clause is the lock: one process takes each of them over.
        until = now + LEASE
        free = InboundMessage.filter(id__in=ids, handled_at=None, worker_until__lte=now)
        await free.update(worker=self._worker, worker_until=until)
        taken = 0
        mine = InboundMessage.filter(id__in=ids, handled_at=None, worker=self._worker, worker_until=until)
        for row in await mine.order_by("id"):
            if row.id in self._works:
                continue
            taken += 1
            try:
                message = self._intake.opened(row)
            except (NotSealedByUs, ValueError, KeyError):
                log.error("chat.unreadable", message=row.id)
                await InboundMessage.filter(id=row.id).update(handled_at=now, failed=True)
                continue
            self._begin(row.id, message, row.sender_index, late=True)
        return taken

    async def keep_sweeping(self) -> None:
        """Sweep until cancelled; the database may be away meanwhile."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            try:
                while await self.sweep():  # noqa: ASYNC110 - what is left may be another process's
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
            # The database is away, whatever its driver calls that: what waits goes on waiting.
            except Exception as fault:  # noqa: BLE001
                log.warning("chat.not_swept", fault=type(fault).__name__)

    async def drain(self) -> None:
        """Hear what this process has begun, for a while; what is left then, another one hears."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=DRAIN_SECONDS)
        for task in set(self._tasks):
            task.cancel()


class _NotYet(Exception):
    """An earlier message of the same sender is to be heard first."""


class _TakenOver(Exception):
    """Another process has heard the message meanwhile: nothing of what was done here stands."""
