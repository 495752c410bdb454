"""Dead letters: what could not be sent, for the operator to look at and to send again."""

from __future__ import annotations

from datetime import datetime

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.deliveries import Delivery, DeliveryState
from server.services import journal
from server.services.access import Actor, NotFound, within_programmes

UNNAMED = ("complaint.", "chat.")
"""Topics whose addressee nobody reads: who complains, and who is about to, stands apart (decision 0027)."""
COMPLAINANT = "complainant"


class DeliveryNotDead(Refusal):
    """It was sent meanwhile, or waits to be."""

    status, code = 409, "delivery_not_dead"


async def page(actor: Actor, *, after: int | None, limit: int) -> list[Delivery]:
    """Dead letters of the actor's programmes, newest first."""
    rows = Delivery.filter(within_programmes(actor, "programme_slug"), state=DeliveryState.DEAD)
    if after is not None:
        rows = rows.filter(id__lt=after)
    return await rows.order_by("-id").limit(limit)


def addressee_of(row: Delivery) -> str:
    """Whom a dead letter is for, as the operator may know it."""
    return COMPLAINANT if row.topic.startswith(UNNAMED) else row.addressee


async def retry(delivery_id: int, *, actor: Actor, now: datetime) -> Delivery:
    """Send a dead letter again, with all its channels open. Raises :class:`NotFound`,
    :class:`DeliveryNotDead`."""
    mine = Delivery.filter(within_programmes(actor, "programme_slug"), id=delivery_id)
    row = await mine.first()
    if row is None:
        raise NotFound()
    async with in_transaction():
        # The WHERE clause is the lock: of two that try again, one does.
        again = await Delivery.filter(id=row.id, state=DeliveryState.DEAD).update(
            state=DeliveryState.WAITING, attempts=0, tried=[], next_at=now, settled_at=None
        )
        if not again:
            raise DeliveryNotDead()
        await journal.record(
            "delivery.retried",
            f"delivery:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=row.programme_slug,
            topic=row.topic,
        )
    return await Delivery.get(id=row.id)
