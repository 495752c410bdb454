"""A request's row: reading it, moving it, and what it is worth; every move is journaled by who makes it."""

from __future__ import annotations

from datetime import datetime

from server.errors import Refusal
from server.models.orders import Order
from server.models.voucher_requests import VoucherRequest
from server.programme.model import Programme
from server.rules.deduction import Deduction, Used, deduction
from server.rules.lifecycles import require_move
from server.rules.quota import quota_left
from server.rules.request_line import REQUEST_MOVES, RequestStatus
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound
from server.services.rounds import entitlements
from server.services.vouchers.order_purse import NothingToPay, prices_of


class RequestMovedOn(Refusal):
    """Somebody decided on the request, or withdrew it, a moment earlier."""

    status, code = 409, "request_moved_on"


async def own(request_id: int, *, actor: Actor) -> VoucherRequest:
    """A request of the actor's organisation, with its order and contract. Raises ``NotFound``."""
    mine = access.organisation_id_of(actor)
    request = (
        await VoucherRequest.filter(id=request_id, enterprise_id=mine)
        .select_related("order__contract")
        .first()
    )
    if request is None:
        raise NotFound()
    return request


async def page(*, actor: Actor, after: int, limit: int) -> list[VoucherRequest]:
    """The next ``limit`` requests of the actor's organisation after an id, with their orders."""
    mine = access.organisation_id_of(actor)
    wanted = VoucherRequest.filter(enterprise_id=mine, id__gt=after)
    return await wanted.select_related("order__contract").order_by("id").limit(limit)


async def worked_out(programme: Programme, budget_id: int, order: Order) -> Deduction:
    """What a voucher for an order may be at most: rate, caps, what the year's quota leaves (NX-19)."""
    taken = await entitlements.taken_fen(programme, budget_id, [order.enterprise_id])
    left = quota_left(programme, None, taken.get(order.enterprise_id, 0), {})
    return deduction(
        programme,
        order.category,
        prices_of(order),
        used=Used(),
        others=[] if left is None else [left],
    )


def require_something(paid: Deduction) -> None:
    """Raise ``NothingToPay`` where one of the limits leaves no room."""
    if not paid.amount_fen:
        raise NothingToPay(clause=paid.clause, arithmetic=paid.arithmetic)


async def move(request: VoucherRequest, target: RequestStatus, **changes: object) -> VoucherRequest:
    """Move a request. Raises ``IllegalMove`` or :class:`RequestMovedOn`."""
    require_move(REQUEST_MOVES, request.status, target)
    # The WHERE clause is the lock: of two who move it at once exactly one matches a row.
    moved = await VoucherRequest.filter(id=request.id, status=request.status).update(status=target, **changes)
    if not moved:
        raise RequestMovedOn()
    return await VoucherRequest.get(id=request.id)


async def note(
    action: str,
    request: VoucherRequest,
    programme: Programme,
    actor: Actor,
    now: datetime,
    **data: object,
) -> None:
    """Write a deed on a request into the journal."""
    await journal.record(
        action,
        f"voucher_request:{request.id}",
        actor=actor.name,
        at=now,
        programme_slug=programme.slug,
        enterprise=request.enterprise_id,
        **data,
    )


async def tell(topic: str, request: VoucherRequest, now: datetime, **data: object) -> None:
    """Tell the enterprise that asked."""
    await outbox.tell(
        f"organisation:{request.enterprise_id}", topic, at=now, voucher_request=request.id, **data
    )
