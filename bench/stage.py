"""The stage: real servers on loopback, the product and its references in processes of their own."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
from redis.asyncio import Redis

from bench.client import Outcome, Plan
from bench.ratios import Sample
from bench.seed import Scene, seed
from server.clock import CHINA
from server.database import migrate
from server.settings import Settings, load
from server.texts import JOBS
from tests.servers import DURABLE, NoPostgres, PostgresServer, postgres_server, redis_server
from tools.processes import Child, accepts_connections, free_port, stopping

PATIENCE_SECONDS = 120.0
PLAIN_POOL = 10
LOOK_AGAIN_SECONDS = 0.5
JOBS_BEHIND = """
SELECT $1 - count(DISTINCT job) + count(*) FILTER (WHERE finished_at IS NULL) FROM job_run"""
"""Jobs that never ran, or are at it."""
OF_ALL_THREADS = 2
"""CPUCLOCK_SCHED: what the scheduler counted, in nanoseconds."""


def cpu_seconds_of(pid: int) -> float:
    """What a process has used so far, all its threads, to the nanosecond; 0 for one that has ended.

    Linux keeps a clock for every process, whose number is made of the process' (``clock_getcpuclockid(3)``).
    ``/proc/PID/stat`` counts the same in ticks of 10 ms. Other systems have no such clock: 0.
    """
    try:
        return time.clock_gettime(~pid << 3 | OF_ALL_THREADS)
    except OSError:
        return 0.0


async def settle(url: str) -> None:
    """Leave PostgreSQL nothing to do for a filled database but to answer.

    Every table is vacuumed and analysed, and will not be again by itself; what was written is on disk.
    """
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for table in tables:
            await connection.execute(f'ALTER TABLE "{table["tablename"]}" SET (autovacuum_enabled = false)')
        await connection.execute("VACUUM (ANALYZE)")
        await connection.execute("CHECKPOINT")
    finally:
        await connection.close()


@dataclass(slots=True)
class Server:
    """A server under measurement, in a process of its own."""

    child: Child
    port: int
    database_url: str = ""

    def cpu_seconds(self) -> float:
        """What its process has used so far."""
        return cpu_seconds_of(self.child.pid)


class Stage:
    """PostgreSQL and Redis, a seeded database to copy, and what runs on copies of it."""

    def __init__(self, directory: Path, postgres: PostgresServer, redis: Any, environment: dict[str, str]):
        self.directory = directory
        self.postgres = postgres
        self.redis = redis
        self.environment = environment
        self.scene: Scene
        self._numbers = count(1)
        self.tokens = directory / "tokens"

    async def prepare(self, *, people: int, pools: dict[str, int]) -> None:
        """Make the database that every run gets a copy of."""
        url = await self.postgres.create("bench_seed")
        await _require_durable(url)
        await migrate(url)
        self.scene = await seed(self.settings(url), people=people, pools=pools)
        self.tokens.write_text("\n".join(self.scene.tokens))

    @asynccontextmanager
    async def product(self) -> AsyncIterator[Server]:
        """The product, on a fresh copy of the database."""
        async with self._on_a_copy("product", ["-m", "server", "serve"], 0) as server:
            yield server

    @asynccontextmanager
    async def plain(self) -> AsyncIterator[Server]:
        """The plain way, on another."""
        async with self._on_a_copy("plain", ["-m", "bench.plain", str(PLAIN_POOL)], 1) as server:
            yield server

    @asynccontextmanager
    async def bare(self, body_bytes: int) -> AsyncIterator[Server]:
        """The bare handler with an answer of this size."""
        port = free_port()
        command = [sys.executable, "-m", "bench.bare", str(port), str(body_bytes)]
        with stopping(Child("bare handler", command, log=self.directory / "bare.log")) as child:
            child.wait_until(lambda: accepts_connections(port))
            yield Server(child, port)

    @asynccontextmanager
    async def _on_a_copy(self, name: str, command: list[str], redis: int) -> AsyncIterator[Server]:
        database = f"bench_{name}_{next(self._numbers)}"
        url = await self.postgres.create(database, template="bench_seed")
        async with Redis.from_url(self.redis.url(redis)) as client:
            # What it remembers is of an earlier copy.
            await client.flushdb()
        try:
            async with self.serving(name, command, url, redis) as server:
                yield server
        finally:
            await self.postgres.drop(database)

    @asynccontextmanager
    async def serving(self, name: str, command: list[str], url: str, redis: int) -> AsyncIterator[Server]:
        """A server on a database that is there already."""
        port = free_port()
        told = {**self._told(url, redis), "QIQUAN_PORT": str(port)}
        log = self.directory / f"{name}-{next(self._numbers)}.log"
        with stopping(Child(name, [sys.executable, *command], log=log, environment=told)) as child:
            child.wait_until(lambda: accepts_connections(port))
            yield Server(child, port, url)

    def settings(self, url: str) -> Settings:
        """The settings that such a server is given."""
        return load(self._told(url, 0))

    def _told(self, url: str, redis: int) -> dict[str, str]:
        return {**self.environment, "QIQUAN_DATABASE_URL": url, "QIQUAN_REDIS_URL": self.redis.url(redis)}

    async def ask(self, plan: Plan) -> Outcome:
        """Carry a plan out in a client process and wait for its outcome."""
        file = self.directory / f"plan-{next(self._numbers)}.json"
        file.write_text(json.dumps(asdict(plan)))
        command = [sys.executable, "-m", "bench.client", str(file)]
        with stopping(Child("client", command, log=self.directory / "client.log")) as child:
            status = await asyncio.to_thread(child.process.wait, PATIENCE_SECONDS)
            if status:
                raise RuntimeError(f"the client failed:\n{child.last_lines()}")
        found = json.loads(file.with_suffix(".outcome").read_text())
        for name in ("statuses", "answer_bytes"):
            found[name] = {int(status): number for status, number in found[name].items()}
        return Outcome(**found)

    async def sample(self, server: Server, plan: Plan, *, expected: int | None = None) -> Sample:
        """One measurement; every answer must have the ``expected`` status."""
        before = server.cpu_seconds()
        outcome = await self.ask(plan)
        cpu = server.cpu_seconds() - before
        if expected is not None and outcome.statuses != {expected: plan.count}:
            raise RuntimeError(f"{server.child.name} answered {outcome.statuses}, expected {expected} only")
        return Sample(
            per_second=plan.count / outcome.seconds,
            p50_ms=outcome.share_ms(0.5),
            p99_ms=outcome.share_ms(0.99),
            slowest_ms=max(outcome.latencies_ms),
            cpu_us=cpu / plan.count * 1e6,
        )

    async def new_round(self, server: Server, *, opens_in: float, pool_fen: int) -> tuple[int, float]:
        """Plan and publish a round through the operator's door; its id and its opening, Unix seconds."""
        base = f"http://127.0.0.1:{server.port}/api/v1"
        headers = {"Authorization": f"Bearer {self.scene.operator_token}"}
        async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:
            async with http.get(f"{base}/rounds/{next(iter(self.scene.rounds.values()))}") as answer:
                known = await answer.json()
            now = datetime.fromisoformat(known["now"])
            opening = datetime.now(UTC).timestamp() + opens_in
            plan = {
                "budget_id": self.scene.budget_id,
                "title": "rush",
                "opens_at": (now + (datetime.fromtimestamp(opening, UTC) - datetime.now(UTC))).isoformat(),
                "closes_at": known["closes_at"],
                "pool_fen": pool_fen,
                "valid_until": known["valid_until"],
            }
            async with http.post(f"{base}/rounds", json=plan) as answer:
                round_id = (await answer.json())["id"]
            async with http.post(f"{base}/rounds/{round_id}/schedule"):
                return round_id, opening

    async def past_first_jobs(self, *servers: Server) -> None:
        """Wait until every job has run once, on the database of each server.

        A server that starts on a database where none ever ran runs all of them twenty seconds later, for half
        a second of CPU: on any later day they come one by one.
        """
        async with asyncio.timeout(PATIENCE_SECONDS):
            for server in servers:
                while await self.query(server, JOBS_BEHIND, len(JOBS)) > 0:  # noqa: ASYNC110 - it is elsewhere
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)

    async def query(self, server: Server, statement: str, *arguments: object) -> Any:
        """One value from a server's database."""
        connection = await asyncpg.connect(server.database_url)
        try:
            return await connection.fetchval(statement, *arguments)
        finally:
            await connection.close()


async def _require_durable(url: str) -> None:
    """What is measured is worth nothing if a power cut could undo it."""
    connection = await asyncpg.connect(url)
    try:
        values = {name: await connection.fetchval(f"SHOW {name}") for name in DURABLE}
    finally:
        await connection.close()
    off = [name for name, value in values.items() if value == "off"]
    if off:
        raise NoPostgres(f"PostgreSQL runs with {', '.join(off)} off: the benchmark needs it on.")


@contextmanager
def _machinery() -> Any:
    with (
        tempfile.TemporaryDirectory(prefix="qiquan-bench-") as directory,
        postgres_server(durable=True) as postgres,
        redis_server() as redis,
    ):
        yield Path(directory), postgres, redis


@asynccontextmanager
async def a_stage() -> AsyncIterator[Stage]:
    """Everything started; everything ended."""
    async with AsyncExitStack() as stack:
        directory, postgres, redis = stack.enter_context(_machinery())
        environment = {name: value for name, value in os.environ.items() if not name.startswith("QIQUAN_")}
        today = datetime.now(CHINA).date()
        environment |= {
            "QIQUAN_MODE": "demo",
            "QIQUAN_DEMO_CLOCKS": "true",
            "QIQUAN_DEMO_ANCHOR": today.isoformat(),
        }
        yield Stage(directory, postgres, redis, environment)
