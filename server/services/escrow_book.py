"""The book of escrow transfers: batches and transfers as whoever may see them reads them, and what waits."""

from __future__ import annotations

from server.models.escrow_transfers import EscrowBatch, EscrowTransfer
from server.models.settlements import Settlement
from server.rules.disbursements import LIVE_TRANSFERS, BatchStatus, TransferStatus
from server.rules.settlements import SETTLED, SettlementStatus
from server.services import access
from server.services.access import Actor, NotFound


async def batch_for(actor: Actor, batch_id: int) -> EscrowBatch:
    """A batch of a programme the actor works on. Raises ``NotFound``."""
    batch = await EscrowBatch.get_or_none(id=batch_id)
    if batch is None or actor.kind != "staff":
        raise NotFound()
    access.require_programme(actor, batch.programme_slug)
    return batch


async def transfer_for(actor: Actor, transfer_id: int) -> EscrowTransfer:
    """A transfer with its payee and account, of a programme the actor works on. Raises ``NotFound``."""
    row = await EscrowTransfer.get_or_none(id=transfer_id).select_related("batch", "provider", "account")
    if row is None or actor.kind != "staff":
        raise NotFound()
    access.require_programme(actor, row.batch.programme_slug)
    return row


async def transfers_of(batch_id: int, *statuses: TransferStatus) -> list[EscrowTransfer]:
    """A batch's transfers in their order, of these statuses only where any is named."""
    rows = EscrowTransfer.filter(batch_id=batch_id).select_related("provider", "account")
    if statuses:
        rows = rows.filter(status__in=statuses)
    return await rows.order_by("id")


async def batches(actor: Actor, *, programme: str | None, after: int, limit: int) -> list[EscrowBatch]:
    """The next batches after an id, of the programmes of whoever asks."""
    rows = EscrowBatch.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
    if programme is not None:
        rows = rows.filter(programme_slug=programme)
    return await rows.order_by("id").limit(limit)


async def own(actor: Actor, *, after: int, limit: int) -> list[EscrowTransfer]:
    """The next transfers after an id that a bank has: an organisation's own, or of a staff's programmes."""
    rows = EscrowTransfer.filter(id__gt=after)
    if actor.kind == "person":
        sent = [BatchStatus.SENT, BatchStatus.CLOSED]
        rows = rows.filter(provider_id=access.organisation_id_of(actor), batch__status__in=sent)
    else:
        rows = rows.filter(access.within_programmes(actor, "batch__programme_slug"))
    return await rows.select_related("provider", "account").order_by("id").limit(limit)


async def waiting(slug: str) -> list[Settlement]:
    """Whose escrow was released and is on no way to its provider.

    One that was refused after that stands here, too: the decision's hold stops it, an appeal sets it free.
    """
    released = Settlement.filter(
        programme_slug=slug, status__in=[*SETTLED, SettlementStatus.REFUSED], escrow_fen__gt=0
    )
    live = EscrowTransfer.filter(batch__programme_slug=slug, status__in=list(LIVE_TRANSFERS))
    taken = {int(str(one)) for one in await live.values_list("settlement_id", flat=True)}
    return [one for one in await released.order_by("id") if one.id not in taken]
