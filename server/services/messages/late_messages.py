"""Late messages: what would come after the moment it tells of is not sent, and that is kept.

A reminder of a deadline that is over, or of a round that has opened, misleads whoever reads it on their
phone. It stands in the inbox as it did before; beyond it nothing goes out, and the journal says what did not.
"""

from __future__ import annotations

from datetime import datetime

from server.models.deliveries import Delivery
from server.programme.messages import MessageChannel, Messages
from server.services import journal
from server.services.access import CLOCK
from server.services.messages import consents
from server.services.messages.carriers import Wording

TOO_LATE = "too_late"
"""Why it was not sent, in the row and in the journal."""


def is_late(messages: Messages, row: Delivery, wording: Wording, *, now: datetime) -> bool:
    """Whether the moment that a message tells of has come. ``now`` is its programme's."""
    return row.topic in messages.expiring and wording.deadline is not None and wording.deadline <= now


async def note(row: Delivery, wording: Wording, person_id: int | None, *, now: datetime) -> None:
    """Write down that it was dropped, and give a consent back that was set aside for it.

    Inside the transaction that drops it. Whether an uncertain one arrived, nobody knows: its consent
    counts as used. ``now`` is the machine's.
    """
    kept = row.holds and not row.uncertain and row.channel is MessageChannel.SUBSCRIBE
    if kept and person_id is not None and wording.template is not None:
        await consents.give_back(person_id, wording.template.code, delivery_id=row.id, now=now)
    await journal.record(
        "delivery.expired",
        f"delivery:{row.id}",
        actor=CLOCK.name,
        at=now,
        programme_slug=row.programme_slug,
        topic=row.topic,
        reason=TOO_LATE,
        until=None if wording.deadline is None else wording.deadline.isoformat(),
        attempts=row.attempts,
        uncertain=row.uncertain,
    )
