"""``make launch``: a release as it happens, three times over, with real processes and real accidents.

PostgreSQL with its durable settings, a real Redis, two server processes, thousands of phones over HTTP.
Run 1 goes undisturbed, in run 2 a server is killed in mid-launch, in run 3 Redis is killed and comes back
empty. Each run has a database of its own; ``bench/verdict.py`` judges it from outside.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import asyncpg

from bench.launch_seed import seed
from bench.rehearsal import (
    CLEAN,
    JWT_SECRET,
    RECEIPT_KEY,
    REDIS_EMPTIED,
    RUN_SECONDS,
    SERVER_KILLED,
    LaunchFailed,
    Run,
    Stage,
    at_rest,
    cause,
    leaked,
    phones,
    running_servers,
    schedule_round,
)
from server.clock import SystemClock
from server.database import migrate
from server.programme.registry import Programmes
from tests.servers import postgres_server, redis_server
from tools.processes import Child, ProcessFailed

PROGRAMME = "lishui-2024"
RUNS = (CLEAN, SERVER_KILLED, REDIS_EMPTIED)
MID_LAUNCH = 0.1
"""The accident happens once this share of the vouchers has been committed."""
WATCH_SECONDS = 0.004
AT_REST_SECONDS = 15.0


async def watch(run: Run, playing: Child) -> None:
    """Follow the round in the database; cause the accident in the middle; return when all phones ended."""
    connection = await asyncpg.connect(run.database)
    happened = run.accident == CLEAN
    try:
        while playing.is_running:
            row = await connection.fetchrow(
                "SELECT issued_count, pool_fen - issued_fen AS left_fen FROM round WHERE id = $1",
                run.round_id,
            )
            count = row["issued_count"]
            if not happened and count >= run.stage.vouchers * MID_LAUNCH:
                happened = True
                run.happened = f"at +{time.time() - run.opens:.3f} s with {count} vouchers committed"
                await cause(run)
                run.over = time.time()
            if count and not row["left_fen"] and not run.committed_after:
                run.committed_after = time.time() - run.opens
            if time.time() > run.opens + RUN_SECONDS + 15:
                raise LaunchFailed(f"the phones of run {run.number} did not end")
            pause = WATCH_SECONDS if run.opens - 0.1 < time.time() < run.opens + 5 else 0.1
            await asyncio.sleep(pause)
    finally:
        await connection.close()
    if not happened:
        raise LaunchFailed(f"run {run.number} was over before its accident could happen")
    if playing.process.returncode:
        raise LaunchFailed(f"the phones failed:\n{playing.last_lines()}")


def ask_wallets(run: Run) -> None:
    """Look into the wallet of every enterprise that has a voucher, at a server that lives."""
    winners = set(asyncio.run(_winners(run)))
    owners = {phone["enterprise_id"]: phone for phone in run.stage.crowd.as_json()}
    chosen = [phone for enterprise, phone in owners.items() if enterprise in winners]
    alive = next(port for port, server in zip(run.ports, run.servers, strict=True) if server.is_running)
    asking = phones(
        run, "wallets", chosen, wallets=True, addresses=[("127.0.0.1", alive)], ends=time.time() + RUN_SECONDS
    )
    asking.process.wait(RUN_SECONDS + 15)
    if asking.process.returncode:
        raise LaunchFailed(f"the wallets could not be asked:\n{asking.last_lines()}")


async def _winners(run: Run) -> list[int]:
    connection = await asyncpg.connect(run.database)
    try:
        rows = await connection.fetch("SELECT enterprise_id FROM voucher WHERE round_id = $1", run.round_id)
        return [row[0] for row in rows]
    finally:
        await connection.close()


def verdict(run: Run) -> dict[str, Any]:
    """What the separate script says of this run."""
    command = [
        sys.executable,
        "-m",
        "bench.verdict",
        "--database",
        run.database,
        "--round",
        str(run.round_id),
    ]
    command += ["--phones", str(len(run.stage.crowd.phones)), "--receipt-key", RECEIPT_KEY]
    command += [str(run.directory / "phones.jsonl"), str(run.directory / "wallets.jsonl")]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120)
    if not said.stdout:
        raise LaunchFailed(f"there is no verdict:\n{said.stderr}")
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def ledger_verifies(run: Run) -> bool:
    """Whether the house's own check of its books agrees."""
    environment = {**os.environ, "QIQUAN_MODE": "test", "QIQUAN_DATABASE_URL": run.database}
    command = [sys.executable, "-m", "server", "ledger", "verify"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    return said.returncode == 0


def until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether it came to hold within so many seconds."""
    give_up = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(0.1)
    return True


def hold(stage: Stage, number: int, accident: str) -> dict[str, Any]:
    """One run from its empty database to its verdict."""
    directory = stage.directory / f"run-{number}"
    directory.mkdir()
    name = f"launch_{os.getpid()}_{number}"
    database = asyncio.run(stage.postgres.create(name, template=stage.template))
    with redis_server() as redis, running_servers(stage, database, redis, directory) as (servers, ports):
        run = Run(stage, number, accident, database, redis, servers, ports)
        schedule_round(run)
        playing = phones(run, "phones", stage.crowd.as_json())
        try:
            asyncio.run(watch(run, playing))
        finally:
            playing.stop()
        rests = until(lambda: asyncio.run(at_rest(run)) and leaked(run) == 0, AT_REST_SECONDS)
        ask_wallets(run)
        found = verdict(run)
        if not rests:
            found["faults"].append("Redis and the database differ at rest")
        if not ledger_verifies(run):
            found["books"] = False
            found["faults"].append("`ledger verify` found the books out of balance")
        found["passed"] = found["passed"] and rests and found["books"]
        tell(run, found)
    asyncio.run(stage.postgres.drop(name))
    return found


def tell(run: Run, found: dict[str, Any]) -> None:
    """What a reader wants to know of one run."""
    print(f"run {run.number}, {run.accident}{': ' + run.happened if run.happened else ''}")
    counts = ", ".join(f"{answer} {count}" for answer, count in found["answers"].items())
    print(f"  {found['requests']} requests, {found['unanswered']} without an answer; {counts}")
    print(
        f"  answer      p50 {found['p50'] * 1000:.0f} ms, p99 {found['p99'] * 1000:.0f} ms,"
        f" slowest {found['slowest']:.2f} s"
    )
    print(
        f"  until final p50 {found['final_p50'] * 1000:.0f} ms, p99 {found['final_p99'] * 1000:.0f} ms,"
        f" slowest {found['final_slowest']:.2f} s, everybody +{found['last_final'] - run.opens:.2f} s"
    )
    print(
        f"  granted {found['granted']}, the last one committed {run.committed_after:.2f} s after the opening;"
        f" {found['found only by asking']} found only by asking, {found['receipts checked']} receipts checked"
    )
    if found["excepted"]:
        print(
            f"  {found['excepted']} keys refused while another copy of the same request was still under way,"
            " and granted by that (the documented exception)"
        )
    if run.over:
        print(f"  everybody had a final answer {found['last_final'] - run.over:.2f} s after the accident")
    for fault in found["faults"]:
        print(f"  BROKEN: {fault}")
    sys.stdout.flush()


def launch(stage: Stage, accidents: tuple[str, ...]) -> int:
    """A run for each accident, and the closing line."""
    found = [hold(stage, number, accident) for number, accident in enumerate(accidents, 1)]
    granted = sorted({str(one["granted"]) for one in found})
    totals = {
        name: sum(one[name] for one in found) for name in ("oversold", "undersold", "lost", "contradictory")
    }
    balanced = all(one["books"] for one in found)
    print(
        f"launch: phones {len(stage.crowd.phones)}, vouchers {stage.vouchers}, granted {'/'.join(granted)},"
        f" oversold {totals['oversold']}, undersold {totals['undersold']}, lost {totals['lost']},"
        f" contradictory answers {totals['contradictory']},"
        f" books {'balanced' if balanced else 'do not balance'}, runs {len(found)}"
    )
    return 0 if all(one["passed"] for one in found) else 1


def main() -> int:
    """Hold the launch; exit status 1 when anything was broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--phones", type=int, default=5000)
    parser.add_argument("--vouchers", type=int, default=300)
    parser.add_argument("--mixed", action="store_true", help="two face values in the round")
    parser.add_argument("--only", choices=RUNS, help="this run alone")
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--keep", type=Path, help="keep plans, answers and logs in this directory")
    chosen = parser.parse_args()
    programme = Programmes.load(Path("config/programmes")).get(PROGRAMME)
    with (
        tempfile.TemporaryDirectory(prefix="qiquan-launch-") as scratch,
        postgres_server(durable=True) as postgres,
    ):
        directory = chosen.keep or Path(scratch)
        directory.mkdir(parents=True, exist_ok=True)
        template = f"launch_{os.getpid()}"
        url = asyncio.run(postgres.create(template))
        asyncio.run(migrate(url))
        crowd = asyncio.run(
            seed(
                url,
                programme,
                phones=chosen.phones,
                mixed=chosen.mixed,
                keys={"launch": JWT_SECRET},
                now=SystemClock().now(),
                random=Random(chosen.seed),
            )
        )
        stage = Stage(
            directory, postgres, template, programme, crowd, chosen.vouchers, chosen.mixed, chosen.seed
        )
        try:
            return launch(stage, (chosen.only,) if chosen.only else RUNS)
        except (LaunchFailed, ProcessFailed) as fault:
            print(f"launch: {fault}", file=sys.stderr)
            return 1
        finally:
            asyncio.run(postgres.drop(template))


if __name__ == "__main__":
    sys.exit(main())
