"""Reminding people of their deadlines, each morning on the programme's own clock."""

from __future__ import annotations

from server.jobs.runner import Slot
from server.programme.registry import Programmes
from server.services import reminders


async def send_reminders(programmes: Programmes, slot: Slot) -> int:
    """Send what is due now: a morning that was missed is not made up for with yesterday's count of days."""
    return await reminders.send_due(programmes.get(slot.programme_slug), now=slot.now)
