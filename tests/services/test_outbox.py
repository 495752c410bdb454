"""The outbox: what was told with a change arrives in the inbox, once, in order, and late commits too."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.database import close_database, open_database
from server.models.inbox import InboxMessage, OutboxCursor
from server.models.outbox import OutboxMessage
from server.services import outbox
from server.services.outbox import BATCH, HORIZON, Message

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)


async def told(count: int, **data: Any) -> None:
    """So many messages, each of them to an organisation of its own."""
    await outbox.tell_all(
        [
            Message(f"organisation:{number}", "voucher.granted", {"number": number, **data})
            for number in range(count)
        ],
        at=NOW,
    )


async def inbox() -> list[str]:
    return [row.recipient for row in await InboxMessage.all().order_by("id")]


async def test_every_message_arrives_once_and_in_order(database: TortoiseContext) -> None:
    total = 2 * BATCH + 7
    await told(total)
    assert await outbox.deliver(NOW) == total
    assert await outbox.deliver(NOW) == 0
    assert await inbox() == [f"organisation:{number}" for number in range(total)]
    assert await OutboxMessage.filter(delivered_at=NOW).count() == total


async def test_a_message_arrives_as_it_was_told(database: TortoiseContext) -> None:
    await outbox.tell("person:7", "membership.ended", at=NOW - timedelta(hours=1), area="某省/某市", list=[1])
    await outbox.deliver(NOW)
    row, sent = await InboxMessage.get(), await OutboxMessage.get()
    assert (row.topic, row.recipient, row.data) == (sent.topic, sent.recipient, sent.data)
    assert (row.created_at, row.delivered_at) == (NOW - timedelta(hours=1), NOW)
    assert (row.outbox_id, row.area) == (sent.id, "某省/某市")


async def test_what_a_change_that_failed_would_have_told_is_never_delivered(
    database: TortoiseContext,
) -> None:
    with pytest.raises(LookupError):
        async with in_transaction():
            await told(1)
            raise LookupError
    assert await outbox.deliver(NOW) == 0


async def test_workers_that_deliver_at_once_deliver_each_message_once(database: TortoiseContext) -> None:
    await told(3 * BATCH)
    await asyncio.gather(*(outbox.deliver(NOW) for _ in range(4)))
    assert len(await inbox()) == len(set(await inbox())) == 3 * BATCH
    assert not await OutboxMessage.filter(delivered_at=None).exists()


async def test_every_batch_waits_for_its_turn(database: TortoiseContext) -> None:
    arrived = []

    async def turn() -> None:
        arrived.append(len(await inbox()))

    await told(BATCH + 1)
    await outbox.deliver(NOW, turn=turn)
    assert arrived == [0, BATCH]


async def test_delivered_messages_are_not_looked_at_for_ever(database: TortoiseContext) -> None:
    await told(3)
    await outbox.deliver(NOW)
    assert (await OutboxCursor.get()).through == 0, "the newest may still have older ones in front of them"
    await outbox.deliver(NOW + HORIZON)
    await told(2)
    await outbox.deliver(NOW + 2 * HORIZON)
    assert (await OutboxCursor.get()).through == (await OutboxMessage.all().order_by("id"))[2].id
    assert len(await inbox()) == 5


async def test_a_message_committed_after_newer_ones_were_delivered_arrives_too(postgres_url: str) -> None:
    """On PostgreSQL ids come before the commit: a slow transaction's are lower than its neighbours'."""
    context = await open_database(postgres_url)
    connection = await asyncpg.connect(postgres_url)
    try:
        slow = connection.transaction()
        await slow.start()
        await connection.execute(
            "INSERT INTO outbox_message (created_at, topic, recipient, data)"
            " VALUES (now(), 'voucher.granted', 'organisation:99', '{}')"
        )
        await told(2)
        assert await outbox.deliver(NOW) == 2
        await slow.commit()
        assert await outbox.deliver(NOW + timedelta(minutes=10)) == 1
        assert (await inbox())[-1] == "organisation:99"
    finally:
        await connection.close()
        await close_database(context)
