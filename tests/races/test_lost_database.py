"""PostgreSQL crashes in mid-launch: what was promised is there, what was not is decided when it is back.

The PostgreSQL of these tests is their own and durable. Killing one of its backends makes it crash as a
whole: every connection is lost, the log is replayed, and it accepts again.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from itertools import count

import asyncpg
import pytest

from server.database import close_database, migrate, open_database
from server.models.organisations import Organisation
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.services.rounds.grabs import GrabCode, GrabReply
from tests.factories import grab_key
from tests.races.hall import PASSING, Hall, Worker, a_hall, until
from tests.servers import PostgresServer, postgres_server

_numbers = count(1)


@pytest.fixture(scope="module")
def crashing_server() -> Iterator[PostgresServer]:
    """A durable PostgreSQL of these tests alone, never one that was given."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("TEST_DATABASE_URL", raising=False)
        with postgres_server(durable=True) as server:
            yield server


@pytest.fixture
async def hall(crashing_server: PostgresServer, redis_url: str) -> AsyncIterator[Hall]:
    """Launches on that PostgreSQL."""
    url = await crashing_server.create(f"crashing_{next(_numbers)}")
    await migrate(url)
    context = await open_database(url)
    async with a_hall(url, redis_url) as hall:
        yield hall
    await close_database(context)


async def crash(url: str) -> None:
    """Kill a backend, and wait until the server accepts connections again."""
    victim, witness = [await asyncpg.connect(url) for _ in range(2)]
    os.kill(victim.get_server_pid(), signal.SIGKILL)

    async def accepts() -> bool:
        try:
            connection = await asyncpg.connect(url, timeout=5)
        except (OSError, TimeoutError, asyncpg.PostgresError):
            return False
        await connection.close()
        return True

    # It accepts as before until it has noticed. Then it says goodbye to everybody.
    await until(is_gone(witness))
    await until(accepts)


def is_gone(connection: asyncpg.Connection) -> Callable[[], Awaitable[bool]]:
    """A condition: this connection has noticed."""

    async def gone() -> bool:
        try:
            await connection.fetchval("SELECT 1")
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return True
        return connection.is_closed()

    return gone


async def persist(workers: list[Worker], row: Round, enterprise: Organisation, key: str) -> GrabReply:
    """A phone that asks again with the same key until it is told something final."""
    attempt = 1
    while True:
        reply = await workers[attempt % 2].ask(row, enterprise, key=key, attempt=attempt)
        if reply.code not in PASSING:
            return reply
        attempt += 1
        await asyncio.sleep(0.01)


async def test_a_database_that_crashes_twice_in_mid_launch_breaks_no_promise(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(40)
    row = await hall.open_round(workers[0], vouchers=10)
    for worker in workers:
        await worker.book.card(row.id)
        await worker.footing(row)
    keys = [grab_key() for _ in enterprises]
    watcher = await asyncpg.connect(hall.database_url)

    async def accident() -> None:
        await until(lambda: watcher.fetchval("SELECT issued_count FROM round WHERE id = $1", row.id))
        for _ in range(2):
            await crash(hall.database_url)

    pressing = [
        persist(workers, row, enterprise, key) for enterprise, key in zip(enterprises, keys, strict=True)
    ]
    # Not all in one group: the first is committed before the others press.
    first = await pressing[0]
    told, _ = await asyncio.gather(asyncio.gather(*pressing[1:]), accident())
    replies = [first, *told]
    assert Counter(reply.code for reply in replies) == {GrabCode.GRANTED: 10, GrabCode.SOLD_OUT: 30}

    async def rests() -> bool:
        # The ORM's own pool notices the crash, too.
        try:
            for worker in workers:
                await worker.reconcile()
            return await hall.at_rest(row)
        except Exception:  # noqa: BLE001 - whatever a lost connection is called, the next one is new
            return False

    await until(rests)
    assert await hall.vouchers(row) == 10
    for enterprise, reply in zip(enterprises, replies, strict=True):
        owned = await Voucher.get_or_none(round_id=row.id, enterprise_id=enterprise.id)
        assert (reply.voucher and reply.voucher.id) == (owned and owned.id)
    for enterprise, key, reply in zip(enterprises, keys, replies, strict=True):
        again = await workers[0].grab(row, enterprise, key=key, attempt=99)
        assert (again.code, again.voucher) == (reply.code, reply.voucher)
    assert not any(any(worker.leaks.values()) for worker in workers)
    watcher.terminate()
