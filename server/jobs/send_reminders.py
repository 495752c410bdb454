"""Reminding people of their deadlines, each morning on the programme's own clock."""

from __future__ import annotations

from server.jobs.runner import Slot
from server.programme.registry import Programmes
from server.services.messages import reminders
from server.services.messages.escalations import Escalations


async def send_reminders(programmes: Programmes, escalations: Escalations, slot: Slot) -> int:
    """Send what is due now, and tell those above of what is late.

    A morning that was missed is not made up for with yesterday's count of days.
    """
    programme = programmes.get(slot.programme_slug)
    sent = await reminders.send_due(programme, now=slot.now)
    return sent + await escalations.tell_due(programme, now=slot.now)
