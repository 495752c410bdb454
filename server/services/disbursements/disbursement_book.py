"""The book of disbursements: who may do what with money, and the rows it is done to.

Locks are taken in this order: organisations by id, orders by id, review cases by id, the budget. What is
moved was read under them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.expressions import F

from server import texts
from server.errors import Refusal
from server.models.complaints import OrderHold
from server.models.disbursements import Payment, PaymentBatch
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.reviews import ReviewCase
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.vocabulary import Actor as Role
from server.rules.disbursements import BATCH_MOVES, BatchStatus, TransferStatus
from server.rules.lifecycles import require_move
from server.rules.review import ReasonMissing
from server.services import access, journal
from server.services.access import Actor, NotFound, StaffRole
from server.services.holds import order_holds, payment_holds
from server.services.organisations import memberships
from server.services.reviews.reviewers import OwnReview, Reviewer, reviewer_of

PAYERS = (StaffRole.OPERATOR, StaffRole.TREASURY, StaffRole.AUTHORITY)
"""Who has anything to do with payments in some programme; which of them may do what, each text says."""
READERS = (*PAYERS, StaffRole.DIVISION, StaffRole.OVERSIGHT_BODY)


class NotYourDisbursement(Refusal):
    """In this programme another role pays, or approves what is paid."""

    status, code = 403, "not_your_disbursement"


class SameHands(Refusal):
    """Whoever made it, or was the one before, is not the one who approves it."""

    status, code = 403, "same_hands"


class BatchMovedOn(Refusal):
    """Somebody did something with the batch a moment earlier; nothing of this was done."""

    status, code = 409, "batch_moved_on"


class ArchiveClosed(Refusal):
    """The batch is in the archive: it is read and never changed again (GZ-43)."""

    status, code = 409, "archive_closed"


async def paying(actor: Actor, programme: Programme, *roles: Role) -> Reviewer:
    """The member of staff who is asking, if one of these roles is theirs.

    Raises :class:`NotYourDisbursement`, and ``NotFound`` for a programme they have no part in.
    """
    access.require_programme(actor, programme.slug)
    reviewer = await reviewer_of(actor)
    if reviewer.roles.isdisjoint(roles):
        raise NotYourDisbursement(
            clause=programme.disbursement.article,
            roles=texts.LIST.join(texts.ACTORS[role] for role in sorted(set(roles))),
        )
    return reviewer


def makers(programme: Programme) -> tuple[Role, ...]:
    """Who draws up a batch and enters what the bank said: the operator, or whoever pays."""
    return tuple(sorted({Role.OPERATOR, programme.disbursement.paid_by}))


def require_other_hands(actor: Actor, before: Collection[int | None], *, clause: str, what: str) -> None:
    """Raise :class:`SameHands` where the actor was one of those before."""
    if actor.id in before:
        raise SameHands(clause=clause, what=texts.SAME_HANDS[what])


def require_reason(reason: str) -> str:
    """The reason without its margins. Raises ``ReasonMissing``: nothing is done without one (GX-82)."""
    if not reason.strip():
        raise ReasonMissing()
    return reason.strip()


def require_impartial(reviewer: Reviewer, providers: Iterable[Organisation]) -> None:
    """Raise ``OwnReview`` where one of those who are paid is the reviewer's own organisation."""
    if any(one.uscc in reviewer.affiliations for one in providers):
        raise OwnReview()


# -- rows -------------------------------------------------------------------------------------------------


async def batch_for(actor: Actor, batch_id: int) -> PaymentBatch:
    """A batch of a programme the actor works on, with its year. Raises ``NotFound``."""
    batch = await PaymentBatch.get_or_none(id=batch_id).select_related("budget")
    if batch is None or actor.kind != "staff":
        raise NotFound()
    access.require_programme(actor, batch.programme_slug)
    return batch


async def payment_for(actor: Actor, payment_id: int) -> Payment:
    """A payment with its batch and provider: a person's organisation's, or of a staff's programme."""
    payment = await Payment.get_or_none(id=payment_id).select_related("batch__budget", "provider", "account")
    if payment is None:
        raise NotFound()
    if actor.kind == "person":
        if payment.provider_id != access.organisation_id_of(actor):
            raise NotFound()
        return payment
    access.require_programme(actor, payment.batch.programme_slug)
    return payment


async def move(batch: PaymentBatch, status: BatchStatus, version: int, **columns: Any) -> None:
    """Give a batch its next status. Raises ``IllegalMove``, :class:`BatchMovedOn` for an older version."""
    if batch.archived_at is not None:
        raise ArchiveClosed(number=batch.number)
    if batch.version != version:
        raise await moved_on(batch)
    require_move(BATCH_MOVES, batch.status, status)
    await guarded(batch, version, status=status, **columns)


async def guarded(batch: PaymentBatch, version: int, **columns: Any) -> None:
    """Change a batch that is still as it was seen; the WHERE clause is the lock."""
    changed = await PaymentBatch.filter(id=batch.id, version=version, status=batch.status).update(
        **columns, version=F("version") + 1
    )
    if not changed:
        raise await moved_on(batch)


async def moved_on(batch: PaymentBatch) -> BatchMovedOn:
    """What somebody is told whose screen is out of date."""
    now = await PaymentBatch.get(id=batch.id)
    return BatchMovedOn(number=now.number, status=texts.BATCH_STATUSES[now.status])


async def payments_of(batch_id: int, *statuses: TransferStatus) -> list[Payment]:
    """A batch's payments in their order, of these statuses only where any is named."""
    rows = Payment.filter(batch_id=batch_id).select_related("provider", "account")
    if statuses:
        rows = rows.filter(status__in=statuses)
    return await rows.order_by("id")


# -- locks ------------------------------------------------------------------------------------------------


async def lock(settlements: Sequence[Settlement], connection: BaseDBAsyncClient) -> list[Settlement]:
    """Both sides, the orders and the cases of these settlements, locked in that order; read anew."""
    sides = {side for one in settlements for side in (one.provider_id, one.enterprise_id)}
    await memberships.lock_all(sides, connection)
    # Writes, because SQLite ignores SELECT … FOR UPDATE; one by one, so that nobody waits in a ring.
    for order_id in sorted({one.order_id for one in settlements}):
        await Order.filter(id=order_id).update(version=F("version"))
    for case_id in sorted({one.case_id for one in settlements if one.case_id is not None}):
        await ReviewCase.filter(id=case_id).update(version=F("version"))
    ids = [one.id for one in settlements]
    fresh = {one.id: one for one in await Settlement.filter(id__in=ids).select_related("order")}
    return [fresh[one] for one in ids]


async def held(settlements: Sequence[Settlement]) -> dict[int, list[str]]:
    """What holds each of these settlements, as sentences both sides may read; an empty list: nothing."""
    holds = await payment_holds.standing_for(settlements)
    orders = [one.order_id for one in settlements]
    complained: set[object] = set(
        await OrderHold.filter(order_id__in=orders, lifted_at=None).values_list("order_id", flat=True)
    )
    found: dict[int, list[str]] = {}
    for one in settlements:
        shown = await order_holds.shown(one.order_id) if one.order_id in complained else ""
        found[one.id] = [*([shown] if shown else []), *(hold.reason for hold in holds[one.id])]
    return found


# -- journal ----------------------------------------------------------------------------------------------


def subject_of(batch: PaymentBatch) -> str:
    """As what the journal knows a batch."""
    return f"payment_batch:{batch.id}"


async def note(action: str, batch: PaymentBatch, actor: Actor, now: datetime, **data: object) -> None:
    """Write a deed on a batch into the journal."""
    await journal.record(
        action,
        subject_of(batch),
        actor=actor.name,
        at=now,
        programme_slug=batch.programme_slug,
        number=batch.number,
        **data,
    )
