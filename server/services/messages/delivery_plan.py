"""The plan of deliveries: for each message that comes into the inbox, whom to reach beyond it.

Planned in the transaction that moves the messages; a grab's commit writes no more than its outbox row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from server import texts
from server.models.deliveries import Delivery
from server.models.organisations import Membership
from server.programme.messages import Messages
from server.services.outbox import Moved

CHAT_REPLY = "chat.reply"
"""The topic of what the chat says, which is in no outbox."""
GROUP = 500


def known_topics() -> frozenset[str]:
    """Everything that somebody may be told."""
    return frozenset({*texts.NOTICES, CHAT_REPLY})


async def plan(messages: Messages, moved: Sequence[Moved], now: datetime) -> int:
    """Write a delivery for each message and each person of its recipient; returns how many.

    Staff and teams have the inbox alone. Somebody who never signed in has no inbox: everything is for them.
    """
    outward = [one for one in moved if messages.template_of(one.topic) or one.recipient.startswith("sender:")]
    people = await _people({one.recipient for one in outward})
    rows = [
        Delivery(
            outbox_id=one.id,
            addressee=addressee,
            topic=one.topic,
            programme_slug=one.programme_slug,
            next_at=now,
            created_at=now,
        )
        for one in outward
        for addressee in people.get(one.recipient, ())
    ]
    for start in range(0, len(rows), GROUP):
        await Delivery.bulk_create(rows[start : start + GROUP], ignore_conflicts=True)
    return len(rows)


async def _people(recipients: set[str]) -> Mapping[str, list[str]]:
    """Each recipient's addressees: an organisation is whoever acts for it."""
    found = {one: [one] for one in recipients if one.startswith(("person:", "sender:"))}
    ids = {int(one.partition(":")[2]) for one in recipients if one.startswith("organisation:")}
    if ids:
        members = await Membership.filter(organisation_id__in=ids, active=True).order_by("id")
        for member in members:
            found.setdefault(f"organisation:{member.organisation_id}", []).append(
                f"person:{member.person_id}"
            )
    return found
