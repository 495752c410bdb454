"""Job runs on a real database: each slot once, however many workers; a dead worker's slot again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, time, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.jobs.runner import Job, Runner, Slot
from server.models.jobs import JobRun, RunStatus
from server.rules.slots import Daily, Every
from server.services import job_runs
from server.services.clocks import ProgrammeClocks
from server.services.job_runs import LEASE, MOST_ATTEMPTS, JobPlan, JobRuns

NINE = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SLUGS = ("east", "west")
DAILY = JobPlan("remind", Daily(time(9, 0)), per_programme=True)
OFTEN = JobPlan("look", Every(10))


class House:
    """Workers on one database, a clock, and what was done."""

    def __init__(self) -> None:
        self.clock = FixedClock(NINE)
        # The west lives in another year, as programmes do in a demonstration.
        self.clocks = ProgrammeClocks(self.clock, {"west": -200 * DAY})
        self.done: list[tuple[str, datetime]] = []

    async def note(self, slot: Slot) -> int:
        await asyncio.sleep(0)
        self.done.append((slot.programme_slug, slot.due_at))
        return 7

    def runs(self, name: str) -> JobRuns:
        return JobRuns(self.clock, worker=name)

    def worker(self, name: str, plan: JobPlan, run: Callable[[Slot], Awaitable[int]] | None = None) -> Runner:
        return Runner([Job(plan, run or self.note)], self.runs(name), self.clocks, SLUGS)


@pytest.fixture
def house(database: TortoiseContext) -> House:
    return House()


async def test_many_workers_run_every_slot_once_and_in_order(house: House) -> None:
    workers = [house.worker(f"w{number}", DAILY) for number in range(6)]
    for _ in range(8):
        await asyncio.gather(*(worker.turn_all() for worker in workers))
        house.clock.advance(DAY)
    assert len(house.done) == 8 * len(SLUGS)
    assert set(Counter(house.done).values()) == {1}
    for slug in SLUGS:
        slots = [at for programme, at in house.done if programme == slug]
        assert slots == sorted(slots)
    assert await JobRun.filter(status=RunStatus.DONE, count=7, attempts=1).count() == len(house.done)


async def test_daily_slots_live_on_the_clock_of_their_programme(house: House) -> None:
    await house.worker("w", DAILY).turn_all()
    assert dict(house.done) == {"east": NINE, "west": NINE - 200 * DAY}


async def test_after_an_outage_daily_slots_are_run_in_order_and_intervals_once(house: House) -> None:
    daily, often = house.worker("w", DAILY), house.worker("w", OFTEN)
    await daily.turn_all()
    await often.turn_all()
    house.done.clear()
    house.clock.advance(3 * DAY)
    assert await daily.turn_all() == 3 * len(SLUGS)
    assert [at for slug, at in house.done if slug == "east"] == [NINE + n * DAY for n in (1, 2, 3)]
    house.done.clear()
    assert await often.turn_all() == 1
    assert house.done == [("", NINE + 3 * DAY)]


async def test_a_dead_workers_slot_is_run_again_when_its_lease_is_over(house: House) -> None:
    dead, alive = house.runs("dead"), house.worker("alive", OFTEN)
    claim = await dead.take(OFTEN, "", house.clock.now())
    assert claim is not None
    assert await alive.turn_all() == 0
    house.clock.advance(LEASE)
    assert await alive.turn_all() == 2, "the slot of the dead, and then the slot that is due now"
    assert house.done[0] == ("", claim.slot)
    run = await JobRun.get(id=claim.run_id)
    assert (run.worker, run.attempts, run.status) == ("alive", 2, RunStatus.DONE)
    # The dead one comes back to life: it ends nothing that is no longer its own.
    assert not await dead.done(claim, 1)
    assert not await dead.hold(claim)
    assert (await JobRun.get(id=claim.run_id)).count == 7


async def test_one_of_many_takes_over_from_the_dead(house: House) -> None:
    assert await house.runs("dead").take(OFTEN, "", house.clock.now())
    house.clock.advance(LEASE - timedelta(seconds=1))
    heirs = [house.runs(f"heir{number}") for number in range(6)]
    assert not any(await asyncio.gather(*(one.take(OFTEN, "", house.clock.now()) for one in heirs)))
    house.clock.advance(timedelta(seconds=1))
    taken = await asyncio.gather(*(one.take(OFTEN, "", house.clock.now()) for one in heirs))
    assert len([claim for claim in taken if claim]) == 1


async def test_a_held_lease_keeps_others_away_for_as_long_as_the_work_takes(house: House) -> None:
    slow, other = house.runs("slow"), house.runs("other")
    claim = await slow.take(OFTEN, "", house.clock.now())
    assert claim is not None
    for _ in range(5):
        house.clock.advance(LEASE / 2)
        assert await slow.hold(claim)
        assert await other.take(OFTEN, "", house.clock.now()) is None
    assert await slow.done(claim, 0)


async def test_a_worker_that_is_told_to_stop_gives_its_slot_back_at_once(house: House) -> None:
    begun = asyncio.Event()

    async def endless(_: Slot) -> int:
        begun.set()
        await asyncio.Event().wait()
        return 0

    stopped = asyncio.create_task(house.worker("stopped", OFTEN, endless).turn_all())
    await begun.wait()
    stopped.cancel()
    with pytest.raises(asyncio.CancelledError):
        await stopped
    assert await house.worker("next", OFTEN).turn_all() == 1


async def test_a_failed_daily_slot_is_tried_again_and_keeps_later_ones_waiting(house: House) -> None:
    async def broken(_: Slot) -> int:
        raise LookupError("13800138000")

    failing = house.worker("w", DAILY, broken)
    await failing.turn_all()
    run = await JobRun.get(programme_slug="east")
    assert (run.status, run.error, run.finished_at) == (RunStatus.RETRYING, "LookupError", None)
    house.clock.advance(timedelta(seconds=29))
    assert await failing.turn_all() == 0
    house.clock.advance(DAY)
    assert await house.worker("w", DAILY).turn_all() == 2 * len(SLUGS)
    assert [at for slug, at in house.done if slug == "east"] == [NINE, NINE + DAY]


async def test_a_slot_that_fails_every_time_is_given_up_and_seen(house: House) -> None:
    async def broken(_: Slot) -> int:
        raise LookupError

    failing = house.worker("w", DAILY, broken)
    for _ in range(MOST_ATTEMPTS):
        await failing.turn_all()
        house.clock.advance(timedelta(hours=1))
    run = await JobRun.get(programme_slug="east")
    assert (run.status, run.attempts, run.error) == (RunStatus.FAILED, MOST_ATTEMPTS, "LookupError")
    house.clock.advance(DAY)
    assert await house.worker("w", DAILY).turn_all() == len(SLUGS)


async def test_a_slot_that_kills_its_worker_every_time_is_given_up(house: House) -> None:
    for number in range(MOST_ATTEMPTS):
        claim = await house.runs(f"w{number}").take(OFTEN, "", house.clock.now())
        assert claim is not None
        assert claim.attempt == number + 1
        house.clock.advance(LEASE)
    assert await house.runs("last").take(OFTEN, "", house.clock.now()) is None
    assert (await JobRun.get()).error == "abandoned"
    assert await house.worker("w", OFTEN).turn_all() == 1


async def test_a_failed_interval_has_its_next_slot(house: House) -> None:
    async def broken(_: Slot) -> int:
        raise LookupError

    assert await house.worker("w", OFTEN, broken).turn_all() == 1
    assert (await JobRun.get()).status is RunStatus.FAILED
    house.clock.advance(timedelta(seconds=10))
    assert await house.worker("w", OFTEN).turn_all() == 1


async def test_old_runs_are_forgotten_but_never_the_latest(house: House) -> None:
    often, daily = house.worker("w", OFTEN), house.worker("w", DAILY)
    for _ in range(3):
        await often.turn_all()
        await daily.turn_all()
        house.clock.advance(2 * timedelta(hours=1))
    assert await job_runs.forget([OFTEN, DAILY], house.clock.now()) == 2
    assert await JobRun.filter(job="look").count() == 1
    assert await JobRun.filter(job="remind").count() == len(SLUGS)
    house.clock.advance(500 * DAY)
    assert await job_runs.forget([OFTEN, DAILY], house.clock.now()) == 0


async def test_the_standing_of_each_job_shows_its_last_run_and_its_next_slot(house: House) -> None:
    await house.worker("w", DAILY).turn_all()
    east, west, look = await job_runs.standings([DAILY, OFTEN], SLUGS, house.clocks)
    assert east.last is not None
    assert (east.programme_slug, east.last.slot, east.next_slot) == ("east", NINE, NINE + DAY)
    assert (west.programme_slug, west.next_slot) == ("west", NINE - 199 * DAY)
    assert (look.last, look.next_slot) == (None, NINE + timedelta(seconds=10))
