"""The schedule: what happens because time passed, in one readable table.

The jobs run inside every server process. Each is safe to run twice at once: the database's own guards
let exactly one of two take effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from server.jobs.close_rounds import close_due_rounds
from server.services.blocklist import Blocklist
from server.services.rounds import Rounds

log = structlog.get_logger("server.jobs")


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its name, how often it runs, and what it does, returning how much there was to do."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[int]]


def schedule(rounds: Rounds, blocklist: Blocklist) -> tuple[Job, ...]:
    """Every job there is."""
    return (
        Job("close_rounds", 5.0, lambda: close_due_rounds(rounds)),
        Job("settle_bans", 30.0, blocklist.settle_turned),
    )


async def keep_running(job: Job) -> None:
    """Run a job again and again until cancelled; a failure of one run never ends the next."""
    while True:
        await asyncio.sleep(job.every_seconds)
        try:
            done = await job.run()
        # Whatever failed (a database that is away, say) is tried again at the next turn.
        except Exception as fault:  # noqa: BLE001
            log.warning("job.failed", job=job.name, fault=type(fault).__name__)
        else:
            if done:
                log.info("job.done", job=job.name, count=done)
