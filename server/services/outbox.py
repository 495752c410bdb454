"""The outbox: what people must be told, written in the transaction of the change, delivered after it.

A recipient is ``person:12``, ``organisation:5`` (whoever acts for it), ``staff:3`` or
``role:operator:<programme>`` (whoever works as one on it; without a programme, on any of them), or
``sender:17``: somebody who only ever wrote.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tortoise.transactions import in_transaction

from server.models.inbox import OutboxCursor
from server.models.outbox import OutboxMessage

BATCH = 500
HORIZON = timedelta(hours=1)
"""Longer than any transaction: a message may become visible after one with a higher id, never so late."""
_CURSOR = 1

# One statement on PostgreSQL. It locks nothing that a grab waits for: rows of the outbox are only added.
_MOVE_POSTGRES = """
WITH batch AS (
    SELECT id FROM outbox_message WHERE id > $1 AND delivered_at IS NULL ORDER BY id LIMIT $2 FOR UPDATE
), moved AS (
    INSERT INTO inbox_message (outbox_id, created_at, delivered_at, topic, recipient, area, data)
    SELECT o.id, o.created_at, $3, o.topic, o.recipient, coalesce(o.data ->> 'area', ''), o.data
    FROM outbox_message o JOIN batch ON batch.id = o.id ORDER BY o.id
    ON CONFLICT (outbox_id) DO NOTHING
)
UPDATE outbox_message o SET delivered_at = $3 FROM batch WHERE o.id = batch.id
RETURNING o.id, o.recipient, o.topic, coalesce(o.data ->> 'programme', '') AS slug"""
_MARK_SQLITE = """
UPDATE outbox_message SET delivered_at = ?3 WHERE id IN (
    SELECT id FROM outbox_message WHERE id > ?1 AND delivered_at IS NULL ORDER BY id LIMIT ?2)
RETURNING id, recipient, topic, coalesce(data ->> 'programme', '') AS slug"""
_MOVE_SQLITE = """
INSERT INTO inbox_message (outbox_id, created_at, delivered_at, topic, recipient, area, data)
SELECT id, created_at, delivered_at, topic, recipient, coalesce(data ->> 'area', ''), data
FROM outbox_message
WHERE id BETWEEN ?1 AND ?2 AND delivered_at = ?3 ORDER BY id
ON CONFLICT (outbox_id) DO NOTHING"""
_TOP = "SELECT coalesce(max(id), 0) AS top FROM outbox_message"


@dataclass(frozen=True, slots=True)
class Message:
    """One thing to tell one recipient."""

    recipient: str
    topic: str
    data: Mapping[str, Any]


def team(role: str, slug: str) -> str:
    """The recipient that is everybody of a role in a programme; an empty one: of the role in any of them.

    With an ``area`` in a message's data, members of staff of other areas do not see it.
    """
    return f"role:{role}:{slug}"


async def tell(recipient: str, topic: str, *, at: datetime, **data: Any) -> None:
    """Queue one message to ``kind:id`` (``organisation:5``). Call it inside the change's transaction.

    ``data`` holds what its sentence in ``texts.NOTICES`` names and the id of what it is about, under the
    name of its kind (``voucher=1024``); no personal data.
    """
    await OutboxMessage.create(created_at=at, topic=topic, recipient=recipient, data=data)


async def tell_all(messages: Iterable[Message], *, at: datetime) -> None:
    """Queue many messages in one statement, inside the change's transaction."""
    rows = [
        OutboxMessage(created_at=at, topic=one.topic, recipient=one.recipient, data=dict(one.data))
        for one in messages
    ]
    if rows:
        await OutboxMessage.bulk_create(rows)


@dataclass(frozen=True, slots=True)
class Moved:
    """A message that has come into the inbox."""

    id: int
    recipient: str
    topic: str
    programme_slug: str
    """Empty: of no programme."""


Plan = Callable[[Sequence[Moved], datetime], Awaitable[None]]
"""What else is to be done with a batch, in the transaction that moves it."""


async def _at_once() -> None:
    """Nothing goes before."""


async def _nothing_else(_: Sequence[Moved], __: datetime) -> None:
    """The inbox is all."""


async def deliver(
    now: datetime, *, turn: Callable[[], Awaitable[None]] = _at_once, plan: Plan = _nothing_else
) -> int:
    """Put every message that is committed into the inbox, in order, each once; returns how many.

    ``now`` is the machine's clock. Every batch is a transaction of its own, in which ``plan`` is told of
    it, and waits for its ``turn``: a launch goes first.
    """
    delivered = 0
    while True:
        await turn()
        moved = await _deliver_batch(now, plan)
        delivered += moved
        if moved < BATCH:
            return delivered


async def _deliver_batch(now: datetime, plan: Plan) -> int:
    async with in_transaction() as connection:
        cursor, _ = await OutboxCursor.get_or_create(id=_CURSOR, defaults={"seen_at": now})
        if connection.capabilities.dialect == "postgres":
            rows = await connection.execute_query_dict(_MOVE_POSTGRES, [cursor.through, BATCH, now])
        else:
            rows = await connection.execute_query_dict(_MARK_SQLITE, [cursor.through, BATCH, str(now)])
            if rows:
                ids = [row["id"] for row in rows]
                await connection.execute_query(_MOVE_SQLITE, [min(ids), max(ids), str(now)])
        if rows:
            await plan([Moved(row["id"], row["recipient"], row["topic"], row["slug"]) for row in rows], now)
        if len(rows) < BATCH and now - cursor.seen_at >= HORIZON:
            # What was there an hour ago is delivered, and nothing can still appear below it.
            top = (await connection.execute_query_dict(_TOP))[0]["top"]
            await OutboxCursor.filter(id=cursor.id, seen_at=cursor.seen_at).update(
                through=cursor.seen, seen=top, seen_at=now
            )
        return len(rows)
