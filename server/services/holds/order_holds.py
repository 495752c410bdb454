"""Order holds: an order is not settled while a serious complaint weighs on it; that one, and no other."""

from __future__ import annotations

from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.complaints import Complaint, OrderHold
from server.models.orders import Order
from server.rules.complaints import Finding, SubjectKind
from server.rules.orders import COMING_TO_SOMETHING
from server.services import journal, outbox
from server.services.organisations.memberships import lock_all


class OrderHeld(Refusal):
    """The order is held by supervision: it is not settled until the hold is lifted."""

    status, code = 409, "order_held"


async def place(complaint: Complaint, *, clause: str, by: int, now: datetime) -> bool:
    """Hold the order a complaint is about, inside the caller's transaction; whether that is new.

    Under the locks of both sides, so that nothing is settled meanwhile. Of one that came to nothing there
    is nothing to hold. Both sides hear that the order is held, and not why.
    """
    if complaint.subject is not SubjectKind.ORDER or complaint.subject_id is None:
        return False
    order = await Order.get(id=complaint.subject_id)
    try:
        async with in_transaction() as connection:  # A savepoint: one hold of each complaint at a time.
            await lock_all((order.enterprise_id, order.provider_id), connection)
            order = await Order.get(id=order.id)
            if order.status not in COMING_TO_SOMETHING:
                return False
            await OrderHold.create(
                order_id=order.id, complaint_id=complaint.id, clause=clause, placed_by=by, placed_at=now
            )
    except IntegrityError:
        return False
    await _note("order.held", order, by, now)
    await outbox.tell_all(
        (
            outbox.Message(
                f"organisation:{side}",
                "order.held",
                {"order": order.id, "number": order.number, "project": order.project},
            )
            for side in (order.enterprise_id, order.provider_id)
        ),
        at=now,
    )
    return True


async def lift(complaint: Complaint, *, reason: str, by: int | None, now: datetime) -> bool:
    """Lift a complaint's hold, inside the caller's transaction; whether there was one."""
    lifted = await OrderHold.filter(complaint_id=complaint.id, lifted_at=None).update(
        lifted_at=now, lifted_by=by, lift_reason=reason
    )
    if not lifted or complaint.subject_id is None:
        return False
    order = await Order.get(id=complaint.subject_id)
    await _note("order.released", order, by, now)
    if not await held(order.id):
        await outbox.tell_all(
            (
                outbox.Message(
                    f"organisation:{side}",
                    "order.released",
                    {"order": order.id, "number": order.number, "project": order.project},
                )
                for side in (order.enterprise_id, order.provider_id)
            ),
            at=now,
        )
    return True


async def held(order_id: int) -> list[OrderHold]:
    """The holds on an order that stand, with their complaints, oldest first."""
    return await (
        OrderHold.filter(order_id=order_id, lifted_at=None).select_related("complaint").order_by("id")
    )


async def require_free(order: Order) -> None:
    """Raise :class:`OrderHeld` for an order that a complaint holds: nothing of it is settled."""
    standing = await held(order.id)
    if standing:
        raise OrderHeld(clause=standing[0].clause, number=order.number)


async def shown(order_id: int, *, to_staff: bool = False) -> str:
    """What somebody reads of a hold: that there is one, and which complaint only as far as they may know.

    Both sides of the order read it once it was found true; staff at once; of the mailbox nobody does. Empty
    for an order that is free.
    """
    standing = await held(order_id)
    if not standing:
        return ""
    open_ = [one.complaint for one in standing if not one.complaint.sealed]
    found = [one.number for one in open_ if one.finding is Finding.SUBSTANTIATED]
    if found:
        return texts.ORDER_HELD_FOUND.format(numbers=texts.LIST.join(found))
    if to_staff and open_:
        return texts.ORDER_HELD_OPEN.format(numbers=texts.LIST.join(one.number for one in open_))
    return texts.ORDER_HELD


async def _note(action: str, order: Order, by: int | None, now: datetime) -> None:
    """In the journal of an order stands that it is held; because of what, in the complaint's alone."""
    await journal.record(
        action,
        f"order:{order.id}",
        actor="clock" if by is None else f"staff:{by}",
        at=now,
        programme_slug=order.programme_slug,
    )
