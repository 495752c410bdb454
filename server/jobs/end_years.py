"""A programme's mornings with money: reminders, the list of a year that is over, and what it left unpaid."""

from __future__ import annotations

from server.jobs.runner import Slot
from server.services.disbursements import disbursement_reminders
from server.services.disbursements.disbursement_office import DisbursementOffice


async def end_years(office: DisbursementOffice, slot: Slot) -> int:
    """Write the list of every year that is over, carry what is carried, and end what was agreed to."""
    slug = slot.programme_slug
    done = await office.years.end_due(slug) + await office.years.carry_due(slug)
    return done + await office.lapses.carry_out_due(slug)


async def remind_of_money(office: DisbursementOffice, slot: Slot) -> int:
    """Send the reminders about windows, invoices and accounts that are due this morning."""
    return await disbursement_reminders.send_due(office.programmes.get(slot.programme_slug), now=slot.now)
