"""SQLite under two processes: the control shows the trap, then ours waits its turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext
from tortoise.exceptions import OperationalError
from tortoise.transactions import in_transaction

from server import sqlite
from server.models import MODULES

Opening = Callable[..., AbstractAsyncContextManager[None]]


@pytest.fixture
def opened(tmp_path: Path) -> Opening:
    """Two connections to one file, as two processes have them, through the engine of this name."""

    @asynccontextmanager
    async def open_twice(engine: str, patience_ms: int = 60_000) -> AsyncIterator[None]:
        credentials = {"file_path": str(tmp_path / "shared.sqlite3"), "busy_timeout": patience_ms}
        one = {"engine": engine, "credentials": credentials}
        async with TortoiseContext() as context:
            await context.init(
                config={
                    "connections": {"first": one, "second": one},
                    "apps": {"models": {"models": list(MODULES), "default_connection": "first"}},
                }
            )
            async with in_transaction("first") as first:
                await first.execute_script(
                    "CREATE TABLE place (number integer); INSERT INTO place VALUES (0)"
                )
            yield

    return open_twice


async def count_up(connection: str, *, has_read: asyncio.Event, go_on: asyncio.Event) -> None:
    """Read, wait until told to go on, write what was read plus one."""
    async with in_transaction(connection) as transaction:
        rows = await transaction.execute_query_dict("SELECT number FROM place")
        has_read.set()
        await go_on.wait()
        await transaction.execute_query("UPDATE place SET number = ?", [rows[0]["number"] + 1])


async def number() -> int:
    async with in_transaction("first") as transaction:
        rows = await transaction.execute_query_dict("SELECT number FROM place")
    return int(rows[0]["number"])


async def test_deferred_transactions_that_both_have_read_cannot_both_write(opened: Opening) -> None:
    async with opened("tortoise.backends.sqlite"):
        read = asyncio.Event(), asyncio.Event()
        go_on = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(count_up("first", has_read=read[0], go_on=go_on[0]))
        second = asyncio.create_task(count_up("second", has_read=read[1], go_on=go_on[1]))
        await asyncio.gather(*(event.wait() for event in read))
        go_on[0].set()
        await first
        go_on[1].set()
        with pytest.raises(OperationalError, match="database is locked"):
            await second


async def test_an_immediate_transaction_waits_its_turn_and_reads_what_came_before(opened: Opening) -> None:
    async with opened(sqlite.ENGINE):
        read = asyncio.Event(), asyncio.Event()
        go_on = asyncio.Event()
        first = asyncio.create_task(count_up("first", has_read=read[0], go_on=go_on))
        await read[0].wait()
        second = asyncio.create_task(count_up("second", has_read=read[1], go_on=go_on))
        await asyncio.sleep(0.05)
        assert not read[1].is_set(), "the second came in while the first was inside"
        go_on.set()
        await asyncio.gather(first, second)
        assert await number() == 2


async def test_a_transaction_that_waits_in_vain_leaves_its_connection_usable(opened: Opening) -> None:
    async with opened(sqlite.ENGINE, 50):
        async with in_transaction("first"):
            with pytest.raises(OperationalError, match="database is locked"):
                async with in_transaction("second"):
                    pytest.fail("it came in")
        async with asyncio.timeout(10), in_transaction("second") as transaction:
            await transaction.execute_query("UPDATE place SET number = 3")
        assert await number() == 3


async def test_a_transaction_inside_another_can_fail_alone(opened: Opening) -> None:
    async with opened(sqlite.ENGINE):
        async with in_transaction("first") as outer:
            await outer.execute_query("UPDATE place SET number = 7")
            with pytest.raises(ZeroDivisionError):
                async with in_transaction("first") as inner:
                    await inner.execute_query("UPDATE place SET number = 8")
                    raise ZeroDivisionError
        assert await number() == 7


async def test_the_house_opens_sqlite_this_way(database: TortoiseContext, database_url: str) -> None:
    client = database.connections.all()[0]
    assert isinstance(client, sqlite.SharedSqliteClient) == database_url.startswith("sqlite:")
