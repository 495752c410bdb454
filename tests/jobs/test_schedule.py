"""The schedule as the server runs it: every job has its words, and does no harm when it runs twice."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tortoise import Tortoise

from server import texts
from server.keys import JOB_PLANS, RUN_JOBS
from server.models.jobs import JobRun, RunStatus
from server.models.vouchers import Voucher
from server.rules.lifecycles import RoundStatus
from tests.town import DAY, PROGRAMME, Town

OWN = frozenset({"job_run", "outbox_cursor"})
"""What the machinery writes about itself."""


async def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table that tells of the world."""
    models = Tortoise.apps["models"].values()
    return {
        model._meta.db_table: [
            # Taking a budget's lock is a write to this column.
            {name: value for name, value in row.items() if name != "lock_number"}
            for row in await model.all().order_by(model._meta.pk_attr).values()
        ]
        for model in models
        if model._meta.db_table not in OWN
    }


async def test_every_job_says_what_it_does(town: Town) -> None:
    names = [plan.name for plan in town.app[JOB_PLANS]]
    assert len(names) == len(set(names))
    assert set(names) == texts.JOBS.keys()


async def test_every_job_runs_in_a_town_without_anybody_and_finds_nothing_to_do(town: Town) -> None:
    await town.run_jobs()
    runs = await JobRun.all()
    assert {run.job for run in runs} == {plan.name for plan in town.app[JOB_PLANS]}
    assert {(run.status, run.count, run.error) for run in runs} == {(RunStatus.DONE, 0, "")}


async def test_jobs_of_a_programme_run_once_for_each(town: Town) -> None:
    await town.run_jobs()
    slugs = sorted(programme.slug for programme in town.programmes)
    for plan in town.app[JOB_PLANS]:
        runs = await JobRun.filter(job=plan.name).order_by("programme_slug")
        assert [run.programme_slug for run in runs] == (slugs if plan.per_programme else [""])


async def test_a_job_that_runs_twice_for_one_slot_changes_nothing_the_second_time(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    organisation = (await handler.get("organisations/mine")).body["id"]
    round_id = await town.open_round(operator, closes_in=timedelta(hours=1))
    await town.grant(round_id, handler, organisation)
    # The voucher lapses in a day and a half: the round is over, a reminder is due, messages wait.
    await Voucher.all().update(valid_until=town.now + 1.5 * DAY)
    town.clock.advance(timedelta(hours=2))
    await town.run_jobs()
    assert (await operator.get(f"rounds/{round_id}")).body["status"] == RoundStatus.CLOSED
    first = await everything()
    assert len(first["reminder_sent"]) == 1
    assert len(first["inbox_message"]) >= 2

    # Every worker died after its job was done and before it said so.
    await JobRun.all().delete()
    await town.app[RUN_JOBS]()
    second = await everything()
    # The first run of all reminded; what it told is delivered by the second.
    for table in ("inbox_message", "delivery"):
        assert second.pop(table)[: len(first[table])] == first.pop(table)
    for table in ("outbox_message",):
        told = [{**row, "delivered_at": None} for row in second.pop(table)]
        assert told == [{**row, "delivered_at": None} for row in first.pop(table)]
    assert second == first
    assert await JobRun.filter(job="send_reminders", programme_slug=PROGRAMME, count=0).exists()
