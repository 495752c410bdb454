"""Reading the lists of ranked rounds, page by page, and which of them nobody may know of yet."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from server.gateways import ranking as gateway
from server.models.applications import Ranking


async def lines(round_id: int, *, after: int, limit: int) -> list[dict[str, Any]]:
    """The next ``limit`` lines of a list after a position, by the names of its canonical form."""
    return await gateway.lines(Ranking._meta.db, round_id, after=after, limit=limit)


async def all_lines(round_id: int) -> AsyncIterator[list[dict[str, Any]]]:
    """The whole list, some thousand lines at a time."""
    after = 0
    while rows := await lines(round_id, after=after, limit=gateway.LINES):
        yield rows
        after = rows[-1]["position"]


async def untold_rounds() -> list[int]:
    """The rounds whose results nobody has been told yet: their vouchers are not shown (GZ-31)."""
    return [made.round_id for made in await Ranking.filter(told_at__isnull=True)]
