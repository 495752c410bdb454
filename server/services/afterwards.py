"""Afterwards: what is left to do once a transaction is in. Telling Redis, telling other workers.

A verb that changes rows returns it, and whoever opened the transaction awaits it after the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

After = Callable[[], Awaitable[None]]
"""To be awaited after the transaction: telling Redis, other workers."""


async def nothing() -> None:
    """An :data:`After` that has nothing to tell."""


def together(afters: Sequence[After]) -> After:
    """One :data:`After` that does several, in their order."""

    async def run() -> None:
        for after in afters:
            await after()

    return run
