"""Job runs: each slot is claimed by an insert, held by a lease, and says what came of it.

A worker that dies leaves a run whose lease ends; then another takes it over. So a slot may be begun twice,
and a job must do no harm when it is. Leases are instants of the machine's clock, slots of the clock the
job lives on: its programme's, or the server's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.queryset import QuerySet

from server.clock import Clock
from server.models.jobs import JobRun, RunStatus
from server.rules.slots import Every, Plan
from server.services.clocks import ProgrammeClocks

LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 5
RETRY_AFTER = timedelta(seconds=30)
"""Before the second attempt; doubled before each later one."""
INTERVAL_RUNS_KEPT = timedelta(hours=1)
DAILY_RUNS_KEPT = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class JobPlan:
    """A job as the schedule lists it: its name, when it is due, and whether each programme has its own."""

    name: str
    plan: Plan
    per_programme: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A slot that this worker may work on until its lease ends."""

    run_id: int
    job: str
    programme_slug: str
    slot: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class JobStanding:
    """How one job stands (of one programme): its latest run and its next slot."""

    plan: JobPlan
    programme_slug: str
    last: JobRun | None
    next_slot: datetime


class JobRuns:
    """The runs as one worker takes, holds and ends them."""

    def __init__(self, clock: Clock, *, worker: str) -> None:
        self._clock = clock
        self.worker = worker

    async def take(self, job: JobPlan, slug: str, now: datetime) -> Claim | None:
        """The next slot of a job that is due at ``now``, claimed; ``None`` if there is none for us.

        A later slot is never begun before the one before it has ended.
        """
        last = await _latest(job.name, slug)
        if last is not None and last.finished_at is None:
            return await self._take_over(job, last)
        slot = job.plan.due(last.slot if last else None, now)
        if slot is None:
            return None
        machine = self._clock.now()
        try:
            run = await JobRun.create(
                job=job.name,
                programme_slug=slug,
                slot=slot,
                worker=self.worker,
                started_at=machine,
                leased_until=machine + LEASE,
            )
        except IntegrityError:
            return None  # Another worker was quicker.
        return Claim(run.id, job.name, slug, slot, 1)

    async def hold(self, claim: Claim) -> bool:
        """Prolong the lease; ``False`` if another worker has taken the slot over."""
        return bool(await self._mine(claim).update(leased_until=self._clock.now() + LEASE))

    async def done(self, claim: Claim, count: int) -> bool:
        """The slot has run; ``False`` if another worker has taken it over."""
        return bool(
            await self._mine(claim).update(
                status=RunStatus.DONE, finished_at=self._clock.now(), count=count, error=""
            )
        )

    async def failed(self, job: JobPlan, claim: Claim, fault: str) -> None:
        """The run failed. A daily slot is tried again, later and later; an interval has its next slot."""
        machine = self._clock.now()
        if isinstance(job.plan, Every) or claim.attempt >= MOST_ATTEMPTS:
            await self._mine(claim).update(status=RunStatus.FAILED, finished_at=machine, error=fault)
            return
        again = machine + RETRY_AFTER * 2 ** (claim.attempt - 1)
        await self._mine(claim).update(status=RunStatus.RETRYING, leased_until=again, error=fault)

    async def release(self, claim: Claim) -> None:
        """Give the slot up at once: this worker was told to stop in the middle of it."""
        await self._mine(claim).update(leased_until=self._clock.now())

    async def _take_over(self, job: JobPlan, run: JobRun) -> Claim | None:
        machine = self._clock.now()
        if run.leased_until > machine:
            return None
        # The WHERE clause is the lock: of many who see a lease that has ended one takes the run over.
        ended = JobRun.filter(id=run.id, finished_at__isnull=True, attempts=run.attempts)
        if run.attempts >= MOST_ATTEMPTS:
            # Whoever begins it dies of it: it must not keep later slots waiting for ever.
            await ended.update(status=RunStatus.FAILED, finished_at=machine, error=run.error or "abandoned")
            return None
        taken = await ended.update(
            status=RunStatus.RUNNING,
            worker=self.worker,
            attempts=F("attempts") + 1,
            started_at=machine,
            leased_until=machine + LEASE,
        )
        if not taken:
            return None
        return Claim(run.id, job.name, run.programme_slug, run.slot, run.attempts + 1)

    def _mine(self, claim: Claim) -> QuerySet[JobRun]:
        return JobRun.filter(
            id=claim.run_id, worker=self.worker, attempts=claim.attempt, finished_at__isnull=True
        )


async def standings(
    plans: Sequence[JobPlan], slugs: Sequence[str], clocks: ProgrammeClocks
) -> list[JobStanding]:
    """Every job, of every programme where each has its own, with its latest run and its next slot."""
    return [
        JobStanding(plan, slug, await _latest(plan.name, slug), plan.plan.next_after(clocks.now(slug)))
        for plan in plans
        for slug in (slugs if plan.per_programme else ("",))
    ]


async def forget(plans: Sequence[JobPlan], now: datetime) -> int:
    """Delete runs that nobody asks for any more; returns how many. The latest of each job stays."""
    forgotten = 0
    for plan in plans:
        kept = INTERVAL_RUNS_KEPT if isinstance(plan.plan, Every) else DAILY_RUNS_KEPT
        known = JobRun.filter(job=plan.name)
        slugs = await known.distinct().values_list("programme_slug", flat=True)
        latest = [await _latest(plan.name, str(slug)) for slug in slugs]
        old = known.filter(finished_at__lt=now - kept).exclude(id__in=[run.id for run in latest if run])
        forgotten += await old.delete()
    return forgotten


async def _latest(job: str, slug: str) -> JobRun | None:
    return await JobRun.filter(job=job, programme_slug=slug).order_by("-slot").first()
