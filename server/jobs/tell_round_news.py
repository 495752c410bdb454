"""The news of rounds, told every minute: one that opens soon must not wait for the morning's reminders."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from server.programme.registry import Programmes
from server.services.clocks import ProgrammeClocks
from server.services.rounds import round_news


async def tell_round_news(
    programmes: Programmes, clocks: ProgrammeClocks, turn: Callable[[], Awaitable[None]]
) -> int:
    """Tell what is due of every programme's rounds, a launch first; returns how many messages."""
    told = 0
    for programme in programmes:
        told += await round_news.tell_due(programme, now=clocks.now(programme.slug), turn=turn)
    return told
