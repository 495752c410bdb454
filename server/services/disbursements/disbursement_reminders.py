"""Reminders about money: summary invoices that are owed, accounts that are missing.

One, three and seven days after something began to be owed that holds up somebody's payment. Each is told once
to each side it concerns. Of windows that close, ``settlement_windows`` tells.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from server.models.disbursements import PaymentBatch
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.disbursements import BatchStatus
from server.services import outbox
from server.services.disbursements import bank_accounts, summary_invoices
from server.services.disbursements.payable_budget import WAITING
from server.services.messages.reminders import ACCOUNT, DISTANCES, INVOICE, Matter, send
from server.units import yuan


async def send_due(programme: Programme, *, now: datetime) -> int:
    """Send every reminder about money that is due on the day of ``now``; returns how many."""
    sent = 0
    for source in (_invoices, _accounts):
        async for matter in source(programme):
            sent += await send([matter], now, lambda one: _after(one, now))
    return sent


def _after(matter: Matter, now: datetime) -> int | None:
    """The distance from the day on which something began to be owed."""
    since = (day_of(now) - day_of(matter.deadline)).days
    return next((days for days in sorted(DISTANCES, reverse=True) if since >= days), None)


async def _invoices(programme: Programme) -> AsyncIterator[Matter]:
    """Who owes a summary invoice for a batch that waits for it (LS-57), and whoever drew the batch up."""
    drafts = PaymentBatch.filter(programme_slug=programme.slug, status=BatchStatus.DRAFT)
    for batch in await drafts.order_by("id"):
        missing = await summary_invoices.missing(batch, programme)
        if missing:
            yield Matter(
                about=INVOICE,
                subject=f"payment_batch:{batch.id}",
                recipients=(*(f"organisation:{one}" for one in missing), f"staff:{batch.drafted_by}"),
                deadline=batch.drafted_at,
                data={"programme": programme.slug, "batch": batch.id, "number": batch.number},
            )


async def _accounts(programme: Programme) -> AsyncIterator[Matter]:
    """Whom money waits for without a verified account, and the operator, who may have to verify one."""
    rows = await Settlement.filter(programme_slug=programme.slug, status__in=WAITING).order_by("id")
    known = await bank_accounts.verified([row.provider_id for row in rows], programme.slug)
    owed: dict[int, list[Settlement]] = {}
    for row in rows:
        if row.provider_id not in known and row.payable_at is not None:
            owed.setdefault(row.provider_id, []).append(row)
    for provider_id, waiting in owed.items():
        yield Matter(
            about=ACCOUNT,
            subject=f"provider:{provider_id}:account",
            recipients=(f"organisation:{provider_id}", outbox.team(Role.OPERATOR, programme.slug)),
            deadline=min(row.payable_at for row in waiting if row.payable_at is not None),
            data={
                "programme": programme.slug,
                "count": len(waiting),
                "amount": yuan(sum(row.amount_fen for row in waiting)),
            },
        )
