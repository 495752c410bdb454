"""Taking in: every message is kept before WeChat is told that it arrived, and once however often it comes.

All that arrive in one moment are kept by one statement, so that a flood costs the database little. The key
of a message is unique: of two deliveries, also at the same instant at two workers, one is the first.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import orjson
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connections

from server.models.chat import InboundMessage
from server.rules.chat_messages import ChatMessage
from server.sealing import Sealer

GROUP_SIZE = 300
KEEP_SECONDS = 4.5
"""What is not kept by then is not acknowledged, and WeChat delivers it again."""
WINDOW_SECONDS, CROWD = 0.1, 50
"""With more than these in a tenth of a second it is a crowd."""
FORGET_GROUP = 500
KEPT_FOR = timedelta(days=3)
"""How long a message that was heard stays: WeChat repeats within a minute, and the case has its own words."""

_KEEP_POSTGRES = """
INSERT INTO inbound_message (key, sender_index, kind, body_sealed, received_at, worker, worker_until,
                             attempts, failed, late, answer_sealed)
SELECT m.key, m.sender_index, m.kind, m.body, $5::timestamptz, $6::text,
       CASE m.ours WHEN 1 THEN $7::timestamptz ELSE $5::timestamptz END,
       0, false, false, ''
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $8::int[])
  AS m (key, sender_index, kind, body, ours)
ON CONFLICT (key) DO NOTHING RETURNING id, key"""
_KEEP_SQLITE = """
INSERT INTO inbound_message (key, sender_index, kind, body_sealed, received_at, worker, worker_until,
                             attempts, failed, late, answer_sealed)
SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, ?2, ?3,
       CASE value ->> 4 WHEN 1 THEN ?4 ELSE ?2 END, 0, 0, 0, ''
FROM json_each(?1) WHERE true
ON CONFLICT (key) DO NOTHING RETURNING id, key"""


class Kept(NamedTuple):
    """The row of a message, and whether this delivery made it."""

    id: int
    is_first: bool


@dataclass(slots=True)
class _Arrived:
    message: ChatMessage
    sender_index: str
    body: str = field(repr=False)
    ours: bool
    future: asyncio.Future[int | None]


class ChatIntake:
    """The messages of one process on their way into the database."""

    def __init__(self, sealer: Sealer, worker: str, lease: timedelta, *, crowded: Callable[[], None]) -> None:
        """``worker`` names this process; what it keeps for itself nobody else touches within ``lease``.

        ``crowded`` is called when a crowd begins, and a few times a second while it stays.
        """
        self._sealer, self._worker, self._lease, self._crowded = sealer, worker, lease, crowded
        self._arrived: list[_Arrived] = []
        self._keeping: asyncio.Task[None] | None = None
        self._impatient: deque[tuple[float, asyncio.Future[int | None]]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._window, self._counted, self._crowd = 0.0, 0, 0

    def is_crowded(self) -> bool:
        """Whether so much arrives just now that other work had better step aside."""
        return asyncio.get_running_loop().time() < self._window + 2 * WINDOW_SECONDS and (
            max(self._counted, self._crowd) > CROWD
        )

    async def keep(self, message: ChatMessage, sender_index: str, *, ours: bool, now: datetime) -> Kept:
        """Keep a message; what returns is durable. With ``ours`` this process will hear it, else whoever can.

        Raises what the database raises, and ``TimeoutError`` when it takes too long: the message may have
        been kept all the same.
        """
        loop = asyncio.get_running_loop()
        self._count(loop.time())
        body = self._sealer.seal(orjson.dumps(message.packed()).decode())
        one = _Arrived(message, sender_index, body, ours, loop.create_future())
        self._arrived.append(one)
        self._impatient.append((loop.time() + KEEP_SECONDS, one.future))
        if self._sweeper is None:
            self._sweeper = loop.call_later(WINDOW_SECONDS, self._give_up)
        if self._keeping is None or self._keeping.done():
            self._keeping = loop.create_task(self._keep_all(now), name="chat intake")
        row_id = await one.future
        if row_id is not None:
            return Kept(row_id, is_first=True)
        first = await InboundMessage.get(key=message.key).only("id")
        return Kept(first.id, is_first=False)

    def opened(self, row: InboundMessage, *, sender_id: int = 0) -> ChatMessage:
        """The message of a row. Raises :class:`~server.sealing.NotSealedByUs`."""
        return ChatMessage.unpacked(orjson.loads(self._sealer.open(row.body_sealed)), sender_id=sender_id)

    def _count(self, now: float) -> None:
        if now >= self._window + WINDOW_SECONDS:
            self._crowd = self._counted if now < self._window + 2 * WINDOW_SECONDS else 0
            self._window, self._counted = now, 0
        self._counted += 1
        if self._counted == CROWD + 1:
            self._crowded()

    def _give_up(self) -> None:
        """Let those go whose time is over: one timer for all, in the order of their arrival."""
        loop = asyncio.get_running_loop()
        while self._impatient and (self._impatient[0][1].done() or self._impatient[0][0] <= loop.time()):
            future = self._impatient.popleft()[1]
            if not future.done():
                future.set_exception(TimeoutError())
        self._sweeper = loop.call_later(WINDOW_SECONDS, self._give_up) if self._impatient else None

    async def _keep_all(self, now: datetime) -> None:
        while self._arrived:
            group, self._arrived = self._arrived[:GROUP_SIZE], self._arrived[GROUP_SIZE:]
            try:
                ids = await self._written(group, now)
            # Whatever it is: each of them answers for itself, and the next group gets its chance.
            except Exception as fault:  # noqa: BLE001
                for one in group:
                    if not one.future.done():
                        one.future.set_exception(fault)
                continue
            for one in group:
                if not one.future.done():
                    # Of two of one key in a group, the first to come is the first.
                    one.future.set_result(ids.pop(one.message.key, None))

    async def _written(self, group: Sequence[_Arrived], now: datetime) -> dict[str, int]:
        connection = _connection()
        until = now + self._lease
        rows = [(o.message.key, o.sender_index, o.message.kind.value, o.body, int(o.ours)) for o in group]
        if connection.capabilities.dialect == "postgres":
            keys, indexes, kinds, bodies, ours = (list(column) for column in zip(*rows, strict=True))
            values: list[Any] = [keys, indexes, kinds, bodies, now, self._worker, until, ours]
            found = await connection.execute_query_dict(_KEEP_POSTGRES, values)
        else:
            values = [orjson.dumps(rows).decode(), str(now), self._worker, str(until)]
            found = await connection.execute_query_dict(_KEEP_SQLITE, values)
        return {row["key"]: row["id"] for row in found}


async def forget_heard(now: datetime) -> int:
    """Delete what was heard days ago: what came of it is kept elsewhere. How many rows."""
    forgotten = 0
    while True:
        old = InboundMessage.filter(handled_at__lt=now - KEPT_FOR).order_by("id").limit(FORGET_GROUP)
        ids = await old.values_list("id", flat=True)
        if not ids:
            return forgotten
        forgotten += await InboundMessage.filter(id__in=ids).delete()


def _connection() -> BaseDBAsyncClient:
    """The database, outside any transaction of whoever happened to wake the task."""
    return get_connections().get(InboundMessage._meta.db.connection_name)
