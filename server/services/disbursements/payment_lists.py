"""Payment lists: batches and payments, a page at a time, for whoever may see them."""

from __future__ import annotations

from server.models.disbursements import Payment, PaymentBatch
from server.rules.disbursements import BatchStatus, PaymentSource
from server.services import access
from server.services.access import Actor


async def batches(
    actor: Actor,
    *,
    programme: str | None,
    source: PaymentSource | None,
    status: BatchStatus | None,
    after: int,
    limit: int,
) -> list[PaymentBatch]:
    """The next batches after an id, of the programmes of whoever asks."""
    rows = PaymentBatch.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
    if programme is not None:
        rows = rows.filter(programme_slug=programme)
    if source is not None:
        rows = rows.filter(source=source)
    if status is not None:
        rows = rows.filter(status=status)
    return await rows.select_related("budget").order_by("id").limit(limit)


async def payments(
    actor: Actor, *, source: PaymentSource | None = None, after: int, limit: int
) -> list[Payment]:
    """The next payments after an id that left a draft: an organisation's own, or of a staff's programmes."""
    rows = Payment.filter(id__gt=after)
    if source is not None:
        rows = rows.filter(source=source)
    if actor.kind == "person":
        sent = [BatchStatus.SENT, BatchStatus.CLOSED]
        rows = rows.filter(provider_id=access.organisation_id_of(actor), batch__status__in=sent)
    else:
        rows = rows.filter(access.within_programmes(actor, "batch__programme_slug"))
    return await rows.select_related("provider", "account").order_by("id").limit(limit)
