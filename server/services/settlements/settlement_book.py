"""The book of settlements: reading, locking and changing one, what holds it, and who hears of it.

Everything that changes a settlement stands in a transaction that has locked its organisations first
(``memberships.lock_all``), then its order; the review case and the budget come after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.expressions import F, Q

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.settlements import (
    RefundTask,
    Settlement,
    SettlementApplication,
    SettlementForm,
    SettlementPaper,
)
from server.rules.lifecycles import require_move
from server.rules.settlements import SETTLEMENT_MOVES, SettlementStatus
from server.services import access, journal, outbox
from server.services.access import Actor, NotFound
from server.services.holds import order_holds, payment_holds


class SettlementMovedOn(Refusal):
    """Somebody did something with the settlement a moment earlier; nothing of this was done."""

    status, code = 409, "settlement_moved_on"


def subject_of(settlement: Settlement) -> str:
    """As what the journal knows a settlement."""
    return f"settlement:{settlement.id}"


async def locked(settlement_id: int) -> Settlement:
    """A settlement that is ours until the transaction ends. Raises ``NotFound``."""
    # A write, because SQLite ignores SELECT … FOR UPDATE.
    if not await Settlement.filter(id=settlement_id).update(version=F("version") + 1):
        raise NotFound()
    return await Settlement.get(id=settlement_id)


async def change(settlement: Settlement, **columns: Any) -> Settlement:
    """Give a settlement new values, in the table and in the hand; a new ``status`` must be a legal move.

    Raises ``IllegalMove``, and :class:`SettlementMovedOn` where somebody moved it a moment earlier.
    """
    target = columns.get("status")
    if target is not None and target is not settlement.status:
        require_move(SETTLEMENT_MOVES, settlement.status, target)
    # The WHERE clause is the lock: of two who move it at once exactly one matches a row.
    moved = await Settlement.filter(id=settlement.id, status=settlement.status).update(**columns)
    if not moved:
        raise SettlementMovedOn(number=settlement.number, what=await _stands(settlement.id))
    for name, value in columns.items():
        setattr(settlement, name, value)
    return settlement


async def _stands(settlement_id: int) -> str:
    return texts.SETTLEMENT_STATUSES[(await Settlement.get(id=settlement_id)).status]


async def moved_on(settlement: Settlement) -> SettlementMovedOn:
    """What somebody is told whose screen is out of date."""
    return SettlementMovedOn(number=settlement.number, what=await _stands(settlement.id))


# -- what holds it ---------------------------------------------------------------------------------------


async def hold_reasons(settlement: Settlement) -> list[str]:
    """Everything that holds a settlement now, each as a sentence that both sides may read; empty: free."""
    held = await order_holds.shown(settlement.order_id)
    holds = (await payment_holds.standing_for([settlement]))[settlement.id]
    return [*([held] if held else []), *(hold.reason for hold in holds)]


async def require_free(settlement: Settlement) -> None:
    """Raise ``OrderHeld`` or ``PaymentHeld``: what is held goes nowhere until that is lifted."""
    await order_holds.require_free(await Order.get(id=settlement.order_id))
    await payment_holds.require_free(settlement)


# -- reading ---------------------------------------------------------------------------------------------


async def application_for(application_id: int, *, actor: Actor) -> SettlementApplication:
    """An application of the actor's organisation, or of a staff member's programme. Raises ``NotFound``."""
    row = await SettlementApplication.get_or_none(id=application_id).select_related("provider", "window")
    if row is None:
        raise NotFound()
    if actor.kind == "person":
        if row.provider_id != access.organisation_id_of(actor):
            raise NotFound()
        return row
    access.require_programme(actor, row.programme_slug)
    access.require_area(actor, row.provider.area)
    return row


async def settlement_for(settlement_id: int, *, actor: Actor) -> Settlement:
    """A settlement of either side's organisation, or of a staff member's programme. Raises ``NotFound``."""
    row = await Settlement.get_or_none(id=settlement_id).select_related(
        "order__enterprise", "application__provider"
    )
    if row is None:
        raise NotFound()
    if actor.kind == "person":
        mine = access.organisation_id_of(actor)
        drafted = row.status is SettlementStatus.DRAFT
        if mine != row.provider_id and (mine != row.enterprise_id or drafted):
            raise NotFound()
        return row
    access.require_programme(actor, row.programme_slug)
    access.require_area(actor, row.application.provider.area)
    return row


async def of_application(application_id: int) -> list[Settlement]:
    """The settlements of an application that were not taken back, in their order."""
    found = Settlement.filter(application_id=application_id).exclude(status=SettlementStatus.WITHDRAWN)
    return await found.select_related("order__enterprise", "application__provider").order_by("id")


async def applications_page(
    *, actor: Actor, after: int, limit: int, programme: str | None = None
) -> list[SettlementApplication]:
    """The next applications after an id: a person's organisation's, a member of staff's programmes'."""
    wanted = SettlementApplication.filter(id__gt=after)
    if actor.kind == "person":
        wanted = wanted.filter(provider_id=access.organisation_id_of(actor))
    else:
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"),
            access.within_areas(actor, "provider__area"),
        )
    if programme is not None:
        wanted = wanted.filter(programme_slug=programme)
    return await wanted.select_related("provider", "window").order_by("id").limit(limit)


async def page(
    *,
    actor: Actor,
    after: int,
    limit: int,
    status: SettlementStatus | None = None,
    programme: str | None = None,
) -> list[Settlement]:
    """The next settlements after an id, with their orders: either side's own, or of a staff's programmes."""
    wanted = Settlement.filter(id__gt=after)
    if actor.kind == "person":
        mine = access.organisation_id_of(actor)
        seen = Q(enterprise_id=mine) & ~Q(status=SettlementStatus.DRAFT)
        wanted = wanted.filter(Q(provider_id=mine) | seen)
    else:
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"),
            access.within_areas(actor, "application__provider__area"),
        )
    if status is not None:
        wanted = wanted.filter(status=status)
    if programme is not None:
        wanted = wanted.filter(programme_slug=programme)
    return (
        await wanted.select_related("order__enterprise", "application__provider").order_by("id").limit(limit)
    )


async def papers_of(application_id: int) -> list[SettlementPaper]:
    """Everything handed in with an application that counts, of its orders and of all of them."""
    return await SettlementPaper.filter(application_id=application_id, withdrawn_at=None).order_by("id")


async def forms_of(application_id: int) -> list[SettlementForm]:
    """What was printed of an application, oldest first."""
    return await SettlementForm.filter(application_id=application_id).order_by("id")


async def refunds_page(
    *, actor: Actor, after: int, limit: int, programme: str | None = None
) -> list[RefundTask]:
    """The next refund tasks after an id: of either side's orders, or of a member of staff's programmes."""
    wanted = RefundTask.filter(id__gt=after)
    if actor.kind == "person":
        mine = access.organisation_id_of(actor)
        wanted = wanted.filter(Q(provider_id=mine) | Q(enterprise_id=mine))
    else:
        wanted = wanted.filter(
            access.within_programmes(actor, "programme_slug"),
            access.within_areas(actor, "settlement__application__provider__area"),
        )
    if programme is not None:
        wanted = wanted.filter(programme_slug=programme)
    return await wanted.order_by("id").limit(limit)


# -- telling ---------------------------------------------------------------------------------------------


async def note(action: str, settlement: Settlement, actor: Actor, now: datetime, **data: object) -> None:
    """Write a deed on a settlement into the journal."""
    await journal.record(
        action,
        subject_of(settlement),
        actor=actor.name,
        at=now,
        programme_slug=settlement.programme_slug,
        order=settlement.order_id,
        provider=settlement.provider_id,
        enterprise=settlement.enterprise_id,
        **data,
    )


async def tell(
    topic: str, settlement: Settlement, sides: Sequence[int], *, now: datetime, **data: Any
) -> None:
    """Tell sides of a settlement, each once."""
    for side in dict.fromkeys(sides):
        await outbox.tell(
            f"organisation:{side}",
            topic,
            at=now,
            settlement=settlement.id,
            number=settlement.number,
            programme=settlement.programme_slug,
            amount_fen=settlement.amount_fen,
            **data,
        )
