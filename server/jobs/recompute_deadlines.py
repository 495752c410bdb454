"""Computing deadlines anew that were guessed, when the year they lie in has been published."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from server.services.working_days import WorkingDays

Recount = Callable[[], Awaitable[int]]
"""Computes the provisional deadlines of one noun anew; returns how many are different now."""


async def recompute_deadlines(days: WorkingDays, recounts: Sequence[Recount]) -> int:
    """Read the calendar again and let every noun that keeps deadlines recount what was provisional.

    Raises ``HolidayFileError`` for a faulty file: the run fails, and is seen.
    """
    await days.reload()
    return sum([await recount() for recount in recounts])
