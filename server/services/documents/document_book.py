"""Reading what was printed of an order: both its sides and the official side, and nobody else."""

from __future__ import annotations

from server.errors import Refusal
from server.models.documents import PrintedDocument, Signature
from server.models.orders import Order
from server.rules.documents import Printed
from server.services import access
from server.services.access import IN_THE_FILES, Actor, NotFound, StaffRole

READERS = IN_THE_FILES | {StaffRole.INSPECTOR}
"""Who of the official side reads an order's papers."""


class NotPrintedYet(Refusal):
    """Both sides have not signed it, so it has not been printed."""

    status, code = 409, "not_printed_yet"


async def order_for(order_id: int, *, actor: Actor) -> Order:
    """An order of the actor's own organisation; of the official side, one of their programmes and areas.

    Raises ``NotFound``.
    """
    order = await Order.get_or_none(id=order_id).select_related("enterprise", "provider")
    if order is None:
        raise NotFound()
    if actor.kind == "person":
        if access.organisation_id_of(actor) not in (order.enterprise_id, order.provider_id):
            raise NotFound()
        return order
    if READERS.isdisjoint(actor.roles):
        raise NotFound()
    access.require_programme(actor, order.programme_slug)
    access.require_area(actor, order.enterprise.area)
    return order


async def printed_of(order_id: int) -> list[PrintedDocument]:
    """Everything that was printed of an order, oldest first, with its files."""
    return await PrintedDocument.filter(order_id=order_id).select_related("file").order_by("id")


async def signed_of(order_id: int) -> list[Signature]:
    """Every signature under a document of an order, oldest first."""
    return await Signature.filter(order_id=order_id).order_by("id")


async def latest(order_id: int, document: Printed) -> PrintedDocument:
    """The last version of a document that was printed. Raises :class:`NotPrintedYet`."""
    printed = PrintedDocument.filter(order_id=order_id, document=document)
    found = await printed.select_related("file").order_by("-version").first()
    if found is None:
        raise NotPrintedYet()
    return found
