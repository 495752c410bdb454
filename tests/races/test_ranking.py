"""Closing and ranking while applications arrive: whoever was taken is ranked, and it is all done once.

The control takes the lock away that an application holds on its round, and shows who is left out then.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from server.gateways import ranking
from server.jobs.close_rounds import close_due_rounds
from server.keys import ROUNDS
from server.models.applications import Application, Ranking, RankingEntry
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.services.budgets import ledger
from server.services.vouchers import applications
from tests.batch import MILLISECOND, Batch, a_batch
from tests.races.hall import until
from tests.town import a_town

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


@pytest.fixture
async def batch(postgres_url: str, redis_url: str) -> AsyncIterator[Batch]:
    """An open round of 100,000 yuan, on PostgreSQL."""
    async with a_town(postgres_url, redis_url) as town:
        yield await a_batch(town)
        assert await ledger.verify() == []


async def _apply_as_it_closes(batch: Batch, url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, bool]:
    """Let one application be in the middle of its transaction while the round closes and is ranked.

    Returns the status it was answered with, and whether it was ranked.
    """
    held, go = asyncio.Event(), asyncio.Event()
    take = applications._take

    async def slowly(*given: Any) -> Application:
        held.set()
        await go.wait()
        return await take(*given)

    monkeypatch.setattr(applications, "_take", slowly)
    applicant = await batch.applicant()
    batch.town.clock.at = batch.closes_at - MILLISECOND
    asking = asyncio.create_task(applicant.ask(batch.round_id, 100))
    await held.wait()
    batch.town.clock.at = batch.closes_at
    closing = asyncio.create_task(close_due_rounds(batch.town.app[ROUNDS]))
    connection = await asyncpg.connect(url)

    async def closed_or_waiting() -> bool:
        return closing.done() or bool(await connection.fetchval(WAITING))

    await until(closed_or_waiting)
    if closing.done():
        await batch.ranked.rank_due()
    go.set()
    status = (await asking).status
    assert await closing == 1
    await batch.ranked.rank_due()
    await connection.close()
    return status, await RankingEntry.exists(enterprise_id=applicant.organisation.id)


async def test_control_without_the_lock_an_application_that_was_taken_is_left_out(
    batch: Batch, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applications, "SHARE_LOCK", "SELECT id FROM round WHERE id = $1")
    assert await _apply_as_it_closes(batch, postgres_url, monkeypatch) == (200, False)


async def test_whoever_was_taken_in_the_last_moment_is_ranked(
    batch: Batch, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await _apply_as_it_closes(batch, postgres_url, monkeypatch) == (200, True)


async def test_of_many_workers_one_ranks_and_one_tells(batch: Batch) -> None:
    for _ in range(3):
        await batch.asked(1_000)
    batch.town.clock.at = batch.closes_at
    await close_due_rounds(batch.town.app[ROUNDS])
    ranked = await asyncio.gather(*(batch.ranked.rank(batch.round_id) for _ in range(4)))
    assert sum(one is not None for one in ranked) == 1
    assert (await Ranking.all().count(), await Voucher.all().count()) == (1, 3)
    assert (await Round.get(id=batch.round_id)).issued_count == 3
    batch.town.clock.at = (await Ranking.get()).visible_at
    told = await asyncio.gather(*(batch.ranked.tell_due() for _ in range(4)))
    assert sum(told) == 1


async def test_whose_labels_change_in_the_middle_of_the_ranking_is_ranked_all_the_same(
    batch: Batch, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    steady, changing = await batch.asked(100), await batch.asked(100)
    read, times = ranking.label_sets, 0

    async def read_then_changed(*given: Any) -> list[str]:
        nonlocal times
        times += 1
        found = await read(*given)
        if times == 1:
            connection = await asyncpg.connect(postgres_url)
            await connection.execute(
                "UPDATE organisation SET labels = '[\"startup\"]' WHERE id = $1", changing.organisation.id
            )
            await connection.close()
        return found

    monkeypatch.setattr(ranking, "label_sets", read_then_changed)
    await batch.rank()
    assert times == 2
    ranked = set(await RankingEntry.all().values_list("enterprise_id", flat=True))
    assert ranked == {steady.organisation.id, changing.organisation.id}
    assert await Voucher.all().count() == 2
