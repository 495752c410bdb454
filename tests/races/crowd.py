"""The crowd: verbs begun at once, and the moment at which all of them wait for whoever holds a row."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable

import asyncpg

from server.errors import Refusal

WAITING = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND wait_event_type = 'Lock'"""
PATIENCE_SECONDS = 10.0


async def outcome(verb: Awaitable[object]) -> str:
    """What somebody was told: ``done``, or the code of the refusal."""
    try:
        await verb
    except Refusal as refusal:
        return refusal.code
    return "done"


async def together(*verbs: Awaitable[object]) -> Counter[str]:
    """What became of verbs that were begun at once."""
    return Counter(await asyncio.gather(*(outcome(verb) for verb in verbs)))


async def all_wait(postgres_url: str, *verbs: asyncio.Task[object]) -> None:
    """Until every one of these verbs stands at a lock of this database; fails when one goes past it."""
    watcher = await asyncpg.connect(postgres_url)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await watcher.fetchval(WAITING) < len(verbs):
                assert not any(verb.done() for verb in verbs), "it did not wait"
                await asyncio.sleep(0.01)
    finally:
        await watcher.close()
    assert not any(verb.done() for verb in verbs), "it did not wait"
