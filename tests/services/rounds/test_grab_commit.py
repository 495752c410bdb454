"""The committer of a process, as other work of the process meets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.services.rounds import grab_commit
from server.services.rounds.grab_commit import BudgetTerms, GrabCommitter
from tests.factories import MORNING

TERMS = BudgetTerms(1, lambda: MORNING)
NOBODY: Any = None
"""Where nothing asks for a claim or a store."""


class HeldCommitter(GrabCommitter):
    """Commits when it is told to."""

    def __init__(self) -> None:
        super().__init__(NOBODY, lambda *_: None, observe=lambda _: None)
        self.go_on = asyncio.Event()

    async def commit(self, terms: BudgetTerms, epoch: int | None, claims: Any) -> Any:
        await self.go_on.wait()
        return [grab_commit.FENCED] * len(claims)


async def test_other_work_waits_until_nobody_waits_for_a_commit() -> None:
    committer = HeldCommitter()
    await committer.calm()
    answers = [committer.submit(TERMS, 1, NOBODY, patience_seconds=60) for _ in range(2)]
    waiting = asyncio.create_task(committer.calm())
    for _ in range(5):
        await asyncio.sleep(0)
    assert not waiting.done()
    committer.go_on.set()
    await waiting
    assert all(answer.done() for answer in answers)
    await committer.drain()


async def test_other_work_is_done_beside_a_crowd_that_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grab_commit, "CALM_SECONDS", 0.01)
    committer = HeldCommitter()
    answer = committer.submit(TERMS, 1, NOBODY, patience_seconds=60)
    await committer.calm()
    assert not answer.done()
    committer.go_on.set()
    await committer.drain()
