"""The runner: what every server process does because time passed.

Each job has a task of its own, so that a long one keeps no other waiting. Which worker runs a slot is
decided in the database (``services/job_runs.py``): one of them, however many there are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog

from server.rules.slots import Every
from server.services.clocks import ProgrammeClocks
from server.services.job_runs import LEASE, Claim, JobPlan, JobRuns

log = structlog.get_logger("server.jobs")

LOOK_SECONDS = 20.0
"""How often a worker looks whether a daily slot is due."""


@dataclass(frozen=True, slots=True)
class Slot:
    """What a job is told: whose slot it is (``""``: no programme's), when it was due, what time it is."""

    programme_slug: str
    due_at: datetime
    now: datetime


@dataclass(frozen=True, slots=True)
class Job:
    """One job: its line in the schedule and what it does, returning how much there was to do.

    What it does may be begun twice for one slot, by two workers one after the other, and in the worst
    case at once; the second time must change nothing.
    """

    plan: JobPlan
    run: Callable[[Slot], Awaitable[int]]


class Runner:
    """The jobs as one worker runs them. Programmes are given by slug."""

    def __init__(
        self, jobs: Sequence[Job], runs: JobRuns, clocks: ProgrammeClocks, slugs: Sequence[str]
    ) -> None:
        self.jobs = tuple(jobs)
        self._runs = runs
        self._clocks = clocks
        self._slugs = tuple(slugs)

    async def turn(self, job: Job) -> int:
        """Run every slot of a job that is due now and that no other worker has; returns how many."""
        begun = 0
        for slug in self._slugs if job.plan.per_programme else ("",):
            while (claim := await self._runs.take(job.plan, slug, self._clocks.now(slug))) is not None:
                begun += 1
                await self._work(job, claim)
        return begun

    async def turn_all(self) -> int:
        """One turn of every job, in the order of the schedule; returns how many slots were run."""
        return sum([await self.turn(job) for job in self.jobs])

    async def keep_running(self, job: Job) -> None:
        """Turn again and again until cancelled; a database that is away is asked again."""
        plan = job.plan.plan
        wait_seconds = min(LOOK_SECONDS, plan.seconds) if isinstance(plan, Every) else LOOK_SECONDS
        while True:
            await asyncio.sleep(wait_seconds)
            try:
                await self.turn(job)
            # Whatever failed (a database that is away, say) is tried again at the next turn.
            except Exception as fault:  # noqa: BLE001
                log.warning("job.not_taken", job=job.plan.name, fault=type(fault).__name__)

    async def _work(self, job: Job, claim: Claim) -> None:
        slot = Slot(claim.programme_slug, claim.slot, self._clocks.now(claim.programme_slug))
        holding = asyncio.create_task(self._keep_holding(claim))
        named = {"job": claim.job, "programme": claim.programme_slug, "slot": claim.slot.isoformat()}
        try:
            count = await job.run(slot)
        except asyncio.CancelledError:
            # The process stops in good order: nobody need wait for the lease to end.
            await self._runs.release(claim)
            raise
        # A job that fails must not end the others; the run says that it failed, and is seen.
        except Exception as fault:  # noqa: BLE001
            log.warning("job.failed", fault=type(fault).__name__, attempt=claim.attempt, **named)
            await self._runs.failed(job.plan, claim, type(fault).__name__)
        else:
            if not await self._runs.done(claim, count):
                log.warning("job.taken_over", **named)
            elif count:
                log.info("job.done", count=count, **named)
        finally:
            holding.cancel()

    async def _keep_holding(self, claim: Claim) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            try:
                if not await self._runs.hold(claim):
                    return
            # The lease may outlive an outage; if not, the job's own guards decide.
            except Exception as fault:  # noqa: BLE001
                log.warning("job.not_held", job=claim.job, fault=type(fault).__name__)
