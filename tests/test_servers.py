"""The servers that tests and rehearsals stand on: real, on loopback, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from tests.servers import NoPostgres, PostgresServer, postgres_server, redis_address, redis_server
from tools.embedded import RedisServer
from tools.processes import Child, ProcessFailed, free_port, is_taken, stopping

ROOT = Path(__file__).parent.parent
WRITES = """
INSERT INTO journal_entry (at, action, actor, subject, programme_slug, data)
SELECT now(), 'test.done', 'person:1', 'test:1', '', '{}' RETURNING id"""


def is_alive(pid: int) -> bool:
    """Whether a process of this id still runs; one that ended and waits to be noted does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rsplit(")", 1)[1].split()[0] == "Z")


def wait_until_gone(pids: list[int], seconds: float = 20.0) -> list[int]:
    """Those of these processes that still run when the time is over."""
    give_up = time.monotonic() + seconds
    while (left := [pid for pid in pids if is_alive(pid)]) and time.monotonic() < give_up:
        time.sleep(0.05)
    return left


def test_redis_stands_on_loopback_and_is_gone_afterwards() -> None:
    with redis_server() as server:
        pid, directory = server.running.pid, server.directory
        assert server.url(3) == f"redis://127.0.0.1:{server.port}/3"
        assert is_alive(pid)
    assert not is_alive(pid)
    assert not directory.exists()


async def test_redis_keeps_nothing_and_forgets_nothing_by_itself(own_redis_server: RedisServer) -> None:
    async with Redis.from_url(own_redis_server.url()) as client:
        assert await client.config_get("save", "appendonly", "maxmemory-policy") == {
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
        }
        await client.set("place", 1)
    own_redis_server.running.kill()
    own_redis_server.start()
    async with Redis.from_url(own_redis_server.url()) as client:
        assert await client.get("place") is None


def test_a_given_redis_is_used_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_REDIS_URL", "redis://127.0.0.1:7/4")
    with redis_address() as address:
        assert address == "redis://127.0.0.1:7"


async def test_a_database_is_a_copy_of_its_template(postgres_server: PostgresServer) -> None:
    template = await postgres_server.create("a_template")
    connection = await asyncpg.connect(template)
    await connection.execute("CREATE TABLE place (number bigint); INSERT INTO place VALUES (7)")
    await connection.close()
    connection = await asyncpg.connect(await postgres_server.create("a_copy", template="a_template"))
    assert await connection.fetchval("SELECT number FROM place") == 7
    await postgres_server.drop("a_copy")  # with a client still inside
    await connection.close()
    await postgres_server.drop("a_template")


@pytest.mark.parametrize(("durable", "expected"), [(True, "on"), (False, "off")])
async def test_postgres_waits_for_the_disk_only_where_that_is_asked_for(durable: bool, expected: str) -> None:
    with postgres_server(durable=durable) as server:
        pid = server.running.pid
        connection = await asyncpg.connect(server.url("postgres"))
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert await connection.fetchval("SELECT current_setting($1)", setting) == expected
        assert await connection.fetchval("SHOW listen_addresses") == "127.0.0.1"
        await connection.close()
    assert not is_alive(pid)


def test_a_given_postgres_is_used_and_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_DATABASE_URL", "postgres://me@127.0.0.1:7/postgres")
    with postgres_server() as server:
        assert server.url("mine") == "postgres://me@127.0.0.1:7/mine"
        with pytest.raises(NoPostgres, match="not ours to stop"):
            _ = server.running


@pytest.fixture
async def used(postgres_server: PostgresServer, postgres_template: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to a copy of the migrated database, into which somebody has written."""
    address = await postgres_server.create("used", template=postgres_template)
    connection = await asyncpg.connect(address)
    assert await connection.fetchval(WRITES) == 1
    yield connection
    await connection.close()
    await postgres_server.drop("used")


async def test_an_emptied_database_is_as_its_template(
    used: asyncpg.Connection, postgres_server: PostgresServer, postgres_template: str
) -> None:
    # So many that the room they leave behind is given back, too.
    await used.execute(f"{WRITES[: -len(' RETURNING id')]} FROM generate_series(1, 9000)")
    # A number that was taken and not used is given back, too.
    await used.execute("SELECT nextval(pg_get_serial_sequence('voucher', 'id'))")

    assert await postgres_server.emptied("used", like=postgres_template)

    # Whoever was connected is out.
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
        await used.fetchval("SELECT 1")
    again = await asyncpg.connect(postgres_server.url("used"))
    tables = [
        row[0] for row in await again.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    ]
    full = [table for table in tables if await again.fetchval(f'SELECT EXISTS (SELECT 1 FROM "{table}")')]
    assert sorted(full) == ["schema_stamp", "tortoise_migrations"]
    assert await again.fetchval("SELECT pg_relation_size('journal_entry')") == 0
    assert await again.fetchval(WRITES) == 1
    assert await again.fetchval("SELECT nextval(pg_get_serial_sequence('voucher', 'id'))") == 1
    # What guards it guards it still.
    with pytest.raises(asyncpg.PostgresError):
        await again.execute("DELETE FROM journal_entry")
    await again.close()


@pytest.mark.parametrize(
    "touch",
    [
        "ALTER TABLE person ADD COLUMN shoe_size int",
        "ALTER TABLE person ALTER COLUMN account DROP NOT NULL",
        "ALTER TABLE journal_entry DISABLE TRIGGER ALL",
        "CREATE INDEX of_a_test ON person (created_at)",
        "DROP INDEX membership_person_once",
        "ALTER TABLE person ADD CONSTRAINT of_a_test CHECK (id > 0)",
        "CREATE FUNCTION of_a_test() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TABLE journal_entry",
    ],
)
async def test_a_database_whose_schema_was_touched_is_not_used_again(
    used: asyncpg.Connection, postgres_server: PostgresServer, postgres_template: str, touch: str
) -> None:
    await used.execute(touch)

    assert not await postgres_server.emptied("used", like=postgres_template)


STARTS_BOTH = """
import os, signal, sys
from tests.servers import postgres_server, redis_server
# Whatever runs in the background of a shell ignores this signal, and so would its children.
signal.signal(signal.SIGINT, signal.default_int_handler)
with postgres_server() as database, redis_server() as redis:
    print(database.running.pid, redis.running.pid, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """A directory that every user may enter, as PostgreSQL's own must be when root starts it."""
    with tempfile.TemporaryDirectory(prefix="qiquan-test-") as name:
        os.chmod(name, 0o755)
        yield Path(name)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_servers_end_with_whoever_started_them(number: signal.Signals, open_directory: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", STARTS_BOTH],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(open_directory)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert owner.stdin and owner.stdout
    with owner.stdin, owner.stdout:
        pids = [int(pid) for pid in owner.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(is_alive, pids))
        owner.send_signal(number)
        owner.wait()
    assert wait_until_gone(pids) == []


def test_a_process_that_fails_says_its_last_words(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no ink'); raise SystemExit(3)"]
    with (
        stopping(Child("the printer", command, log=tmp_path / "log")) as child,
        pytest.raises(ProcessFailed, match=r"the printer ended with exit code 3:\n\s+no ink"),
    ):
        child.wait_until(lambda: False)


def test_a_process_that_will_not_listen_is_killed(tmp_path: Path) -> None:
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True)"
    child = Child("the deaf one", [sys.executable, "-c", f"{deaf}; time.sleep(600)"], log=tmp_path / "log")
    child.wait_until(lambda: "deaf" in child.last_lines())
    child.stop(patience=0.2)
    assert child.process.returncode == -signal.SIGKILL


def test_a_free_port_is_free_until_somebody_listens() -> None:
    port = free_port()
    assert not is_taken(port)
    with redis_server() as server:
        assert is_taken(server.port)
