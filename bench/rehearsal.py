"""The rehearsal that ``bench/launch.py`` holds: its servers, its operator, its phones and its accidents."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from redis.asyncio import Redis

from bench.launch_seed import Crowd
from server.clock import CHINA, SystemClock
from server.programme.model import Programme
from server.services.clocks import ProgrammeClocks
from tests.servers import PostgresServer
from tools.embedded import RedisServer
from tools.processes import Child, free_port

JWT_SECRET = "launch-signing-key-of-a-rehearsal-only"
RECEIPT_KEY = "launch-receipt-key-of-a-rehearsal-only"
CLEAN, SERVER_KILLED, REDIS_EMPTIED = "clean", "server killed", "redis emptied"
RUN_SECONDS = 60.0
"""A run that is not over so long after its opening has failed."""
PAGE_SECONDS = 0.004
"""How long before the opening the phones begin to read the round's page, for each phone."""
LEAST_PREPARATION_SECONDS = 5.0
REDIS_AWAY_SECONDS = 0.5
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class LaunchFailed(Exception):
    """The launch could not be held; the message says why in one sentence."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What all three runs stand on."""

    directory: Path
    postgres: PostgresServer
    template: str
    programme: Programme
    crowd: Crowd
    vouchers: int
    mixed: bool
    seed: int


@dataclass(slots=True)
class Run:
    """One run under way."""

    stage: Stage
    number: int
    accident: str
    database: str
    redis: RedisServer
    servers: list[Child]
    ports: list[int]
    round_id: int = 0
    opens: float = 0.0
    committed_after: float = 0.0
    happened: str = ""
    over: float = 0.0
    """When the accident was over: the server dead, or Redis back."""

    @property
    def directory(self) -> Path:
        return self.stage.directory / f"run-{self.number}"

    def url(self, server: int, path: str) -> str:
        return f"http://127.0.0.1:{self.ports[server]}{path}"


@contextmanager
def running_servers(
    stage: Stage, database: str, redis: RedisServer, directory: Path
) -> Iterator[tuple[list[Child], list[int]]]:
    """Two server processes on one database and one Redis, stopped afterwards."""
    ports, servers = [free_port(), free_port()], []
    try:
        for number, port in enumerate(ports, 1):
            environment = {
                **os.environ,
                "QIQUAN_MODE": "test",
                "QIQUAN_HOST": "127.0.0.1",
                "QIQUAN_PORT": str(port),
                "QIQUAN_DATABASE_URL": database,
                "QIQUAN_REDIS_URL": redis.url(),
                "QIQUAN_JWT_KEYS": f"launch={JWT_SECRET}",
                "QIQUAN_RECEIPT_KEY": RECEIPT_KEY,
                "QIQUAN_DEMO_CLOCKS": "true",
                "QIQUAN_DEMO_ANCHOR": anchor().isoformat(),
            }
            command = [sys.executable, "-m", "server", "serve"]
            servers.append(
                Child(
                    f"server {number}",
                    command,
                    log=directory / f"server-{number}.log",
                    environment=environment,
                )
            )
        for server, port in zip(servers, ports, strict=True):
            server.wait_until(lambda port=port: answers(f"http://127.0.0.1:{port}/readyz"), 60.0)
        yield servers, ports
    finally:
        for server in servers:
            server.stop()


def anchor() -> date:
    """Today in China: the programme's clock shows its demo day, inside its validity."""
    return SystemClock().now().astimezone(CHINA).date()


def answers(address: str) -> bool:
    """Whether a GET of this address is answered with 200."""
    try:
        with DIRECT.open(address, timeout=2.0) as response:
            return bool(response.status == 200)
    except OSError:
        return False


def call(url: str, token: str, body: dict[str, Any] | None = None) -> Any:
    """One request of the operator's, with a body or without; the answer's JSON."""
    headers = {"Authorization": f"Bearer {token}"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    data = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers=headers, method="POST")
    try:
        with DIRECT.open(request, timeout=30.0) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise LaunchFailed(f"{url} answered {error.code}: {error.read().decode()}") from None


def schedule_round(run: Run) -> None:
    """The operator opens the year's budget and schedules the round, through the API."""
    stage = run.stage
    offset = ProgrammeClocks.for_demo(SystemClock(), [stage.programme], anchor()).offset(stage.programme.slug)
    preparation = max(LEAST_PREPARATION_SECONDS, len(stage.crowd.phones) * PAGE_SECONDS)
    now = SystemClock().now()
    opens_at = (now + timedelta(seconds=preparation)).replace(microsecond=0)
    faces = sorted({tier.face_value_fen for tier in stage.programme.issuance.tiers})
    pool_fen = stage.vouchers * faces[0]
    programme_time = opens_at + offset
    year = stage.programme.year_of(programme_time)
    year_end = datetime(year + 1, 1, 1, tzinfo=CHINA)
    token = stage.crowd.operator_token
    budget = call(
        run.url(0, "/api/v1/budgets"),
        token,
        {"programme": stage.programme.slug, "year": year, "total_fen": 2 * pool_fen},
    )
    planned = call(
        run.url(0, "/api/v1/rounds"),
        token,
        {
            "budget_id": budget["id"],
            "title": f"Launch {run.number}",
            "opens_at": programme_time.isoformat(),
            "closes_at": (programme_time + timedelta(hours=1)).isoformat(),
            "pool_fen": pool_fen,
            "valid_until": year_end.isoformat(),
        },
    )
    call(run.url(0, f"/api/v1/rounds/{planned['id']}/schedule"), token)
    run.round_id, run.opens = planned["id"], opens_at.timestamp()


def phones(run: Run, name: str, crowd: list[dict[str, Any]], **more: Any) -> Child:
    """Start the process that plays these phones."""
    plan = {
        "addresses": [("127.0.0.1", port) for port in run.ports],
        "round_id": run.round_id,
        "opens": run.opens,
        "ends": run.opens + RUN_SECONDS,
        "seed": run.stage.seed + run.number,
        "phones": crowd,
        "out": str(run.directory / f"{name}.jsonl"),
        **more,
    }
    file = run.directory / f"{name}.plan.json"
    file.write_bytes(orjson.dumps(plan))
    return Child(name, [sys.executable, "-m", "bench.phones", file], log=run.directory / f"{name}.log")


async def cause(run: Run) -> None:
    """The accident of this run, as abrupt as it comes."""
    if run.accident == SERVER_KILLED:
        run.servers[1].kill()
    else:
        run.redis.running.kill()
        await asyncio.sleep(REDIS_AWAY_SECONDS)
        run.redis.start()


def leaked(run: Run) -> int:
    """Leaked fen between Redis and database, added up over the living servers."""
    total = 0
    for number, server in enumerate(run.servers):
        if server.is_running:
            with DIRECT.open(run.url(number, "/metrics"), timeout=5.0) as response:
                for line in response.read().decode().splitlines():
                    if line.startswith("qiquan_leaked_units "):
                        total += int(float(line.split()[1]))
    return total


async def at_rest(run: Run) -> bool:
    """Whether Redis is where the database is: same epoch and version, nothing undecided, same money (I7)."""
    connection = await asyncpg.connect(run.database)
    try:
        row = await connection.fetchrow(
            "SELECT b.id, b.epoch, b.version, r.pool_fen - r.issued_fen AS left_fen"
            " FROM round r JOIN budget b ON b.id = r.budget_id WHERE r.id = $1",
            run.round_id,
        )
    finally:
        await connection.close()
    async with Redis.from_url(run.redis.url(), decode_responses=True) as redis:
        stem = f"{{budget:{row['id']}}}"
        budget = await redis.hmget(stem, "epoch", "version")
        state = await redis.hmget(f"{stem}:round:{run.round_id}", "epoch", "remaining_fen")
        undecided = await redis.xlen(f"{stem}:round:{run.round_id}:intents")
    expected = [str(row["epoch"]), str(row["version"]), str(row["epoch"]), str(row["left_fen"])]
    return [*budget, *state] == expected and not undecided
