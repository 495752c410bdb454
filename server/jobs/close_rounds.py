"""Closing rounds whose time is over, so that every list and report says so."""

from __future__ import annotations

from server.models.rounds import Round
from server.rules.lifecycles import IllegalMove, RoundStatus
from server.services.access import CLOCK
from server.services.rounds.rounds import RoundMovedOn, Rounds
from server.texts import REASONS


async def close_due_rounds(rounds: Rounds) -> int:
    """Close every round that is past its closing instant; returns how many this call closed.

    Nothing depends on its being punctual: a grab is judged by the window itself.
    """
    closed = 0
    open_rounds = Round.filter(status__in=[RoundStatus.SCHEDULED, RoundStatus.PAUSED])
    for row in await open_rounds.select_related("budget").order_by("id"):
        if rounds.clocks.now(row.budget.programme_slug) < row.closes_at:
            continue
        try:
            await rounds.close(row.id, actor=CLOCK, reason=REASONS["time_over"])
        except (IllegalMove, RoundMovedOn):
            # Another worker, or an operator, was quicker.
            continue
        closed += 1
    return closed
