"""Offering lists: the pages of offerings that the official side looks through."""

from __future__ import annotations

from server.models.offerings import Offering
from server.rules.offerings import OfferingStatus
from server.services import access
from server.services.access import Actor


async def handed_in(
    slug: str, status: OfferingStatus | None, *, actor: Actor, after: int, limit: int
) -> list[Offering]:
    """The next offerings of a programme after an id, that were handed in once, of the actor's areas.

    Raises ``NotFound`` for a programme that the actor has no part in.
    """
    access.require_programme(actor, slug)
    wanted = Offering.filter(programme_slug=slug, id__gt=after, versions__number=1)
    if status is not None:
        wanted = wanted.filter(status=status)
    if actor.areas:
        wanted = wanted.filter(access.within_areas(actor, "provider__area"))
    return await wanted.select_related("provider").order_by("id").limit(limit)
