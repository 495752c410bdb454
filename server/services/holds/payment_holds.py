"""Payment holds: nothing is settled or paid while a sanction, an anomaly or an inspection is undecided.

Whoever pays asks :func:`require_free` under the locks of both sides, which a hold takes too: what was free
when it was asked stays free until the payment is in.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from tortoise.exceptions import IntegrityError
from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.payment_holds import PaymentHold
from server.rules.payment_holds import HoldCause
from server.services import journal, outbox
from server.services.access import Actor
from server.services.organisations.memberships import lock_all


class PaymentHeld(Refusal):
    """Nothing is paid of this settlement until whoever held it has decided."""

    status, code = 409, "payment_held"


class Payable(Protocol):
    """What a hold can hit; a settlement is one."""

    id: int
    order_id: int
    provider_id: int
    enterprise_id: int
    programme_slug: str


async def place(
    cause: HoldCause,
    cause_id: int,
    *,
    programme_slug: str,
    clause: str,
    reason: str,
    actor: Actor,
    now: datetime,
    provider_id: int | None = None,
    enterprise_id: int | None = None,
    order_id: int | None = None,
    orders_until: datetime | None = None,
) -> PaymentHold:
    """Hold what matches, inside the caller's transaction; a hold of the same cause that stands is returned.

    ``reason`` is read by both sides. ``orders_until``: what is ordered after it is another matter. Locks the
    organisations concerned: call it before any order or budget is locked. Raises ``ValueError`` where neither
    a side nor an order is named.
    """
    order = None if order_id is None else await Order.get(id=order_id)
    sides = {provider_id, enterprise_id} - {None}
    if order is not None:
        sides |= {order.provider_id, order.enterprise_id}
    if not sides:
        raise ValueError("a payment hold names a side or an order")
    try:
        async with in_transaction() as connection:  # A savepoint: one hold of each cause at a time.
            await lock_all((one for one in sides if one is not None), connection)
            hold = await PaymentHold.create(
                programme_slug=programme_slug,
                provider_id=provider_id,
                enterprise_id=enterprise_id,
                order_id=order_id,
                orders_until=orders_until,
                cause=cause,
                cause_id=cause_id,
                clause=clause,
                reason=reason,
                placed_by=actor.id if actor.kind == "staff" else None,
                placed_at=now,
            )
    except IntegrityError:
        return await PaymentHold.get(
            cause=cause,
            cause_id=cause_id,
            provider_id=provider_id,
            enterprise_id=enterprise_id,
            order_id=order_id,
            lifted_at=None,
        )
    await _note("payment.held", hold, order, actor=actor, reason=reason, now=now)
    return hold


async def lift(cause: HoldCause, cause_id: int, *, reason: str, actor: Actor, now: datetime) -> int:
    """Lift every hold of a cause, inside the caller's transaction; how many there were."""
    lifted = 0
    for hold in await PaymentHold.filter(cause=cause, cause_id=cause_id, lifted_at=None).order_by("id"):
        # The WHERE clause is the lock: of two who lift it exactly one does.
        done = await PaymentHold.filter(id=hold.id, lifted_at=None).update(
            lifted_at=now, lifted_by=actor.id if actor.kind == "staff" else None, lift_reason=reason
        )
        if done:
            order = None if hold.order_id is None else await Order.get(id=hold.order_id)
            await _note("payment.released", hold, order, actor=actor, reason=reason, now=now)
            lifted += 1
    return lifted


async def standing_for(settlements: Sequence[Payable]) -> Mapping[int, list[PaymentHold]]:
    """The holds that stand on each of these settlements, by settlement id, oldest first."""
    if not settlements:
        return {}
    matching = [
        Q(order_id__in=[one.order_id for one in settlements]),
        Q(order_id__isnull=True, provider_id__in=[one.provider_id for one in settlements]),
        Q(order_id__isnull=True, enterprise_id__in=[one.enterprise_id for one in settlements]),
    ]
    holds = await PaymentHold.filter(
        Q(*matching, join_type=Q.OR),
        programme_slug__in=list({one.programme_slug for one in settlements}),
        lifted_at=None,
    ).order_by("id")
    placed: dict[int, datetime] = {}
    if any(hold.orders_until is not None for hold in holds):
        orders = Order.filter(id__in=[one.order_id for one in settlements])
        placed = {one.id: one.placed_at for one in await orders.only("id", "placed_at")}
    found: dict[int, list[PaymentHold]] = defaultdict(list)
    for settlement in settlements:
        found[settlement.id].extend(
            hold for hold in holds if _hits(hold, settlement, placed.get(settlement.order_id))
        )
    return found


async def require_free(settlement: Payable) -> None:
    """Raise :class:`PaymentHeld` with the clauses and reasons of everything that holds a settlement."""
    holds = (await standing_for([settlement]))[settlement.id]
    if holds:
        raise PaymentHeld(clause=holds[0].clause, reasons=texts.LIST.join(_said(hold) for hold in holds))


def _hits(hold: PaymentHold, settlement: Payable, placed_at: datetime | None) -> bool:
    later = hold.orders_until is not None and placed_at is not None and placed_at > hold.orders_until
    return (
        not later
        and hold.programme_slug == settlement.programme_slug
        and hold.order_id in (None, settlement.order_id)
        and hold.provider_id in (None, settlement.provider_id)
        and hold.enterprise_id in (None, settlement.enterprise_id)
    )


def _said(hold: PaymentHold) -> str:
    return f"{hold.reason}（{hold.clause}）" if hold.clause else hold.reason


async def _note(
    action: str, hold: PaymentHold, order: Order | None, *, actor: Actor, reason: str, now: datetime
) -> None:
    """Write it into the journal of what is held, and tell whoever waits for money."""
    if order is not None:
        subject, told = f"order:{order.id}", order.provider_id
    else:
        told = hold.provider_id or hold.enterprise_id or 0
        subject = f"organisation:{told}"
    await journal.record(
        action,
        subject,
        actor=actor.name,
        at=now,
        programme_slug=hold.programme_slug,
        hold=hold.id,
        cause=hold.cause.value,
        cause_id=hold.cause_id,
        clause=hold.clause,
        reason=reason,
    )
    await outbox.tell(
        f"organisation:{told}",
        action,
        at=now,
        programme=hold.programme_slug,
        scope=texts.HOLD_EVERY_ORDER if order is None else order.number,
        clause=hold.clause,
        reason=reason,
    )
