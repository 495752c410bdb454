"""Reading ratings: whose they are decides what is seen of them."""

from __future__ import annotations

from tortoise.queryset import QuerySet

from server.models.offerings import Offering
from server.models.ratings import Rating
from server.services import access
from server.services.access import IN_THE_FILES, Actor, NotFound

PAGE = 50


async def of_order(order_id: int, *, actor: Actor) -> Rating:
    """The rating of an order, for the enterprise that gave it and for the official side.

    Raises ``NotFound``, to the provider too: it reads what it received without knowing from whom.
    """
    known = Rating.filter(order_id=order_id)
    if actor.kind == "person":
        known = known.filter(enterprise_id=access.organisation_id_of(actor))
    elif IN_THE_FILES.isdisjoint(actor.roles):
        raise NotFound()
    rating = await known.select_related("enterprise", "provider").first()
    if rating is None:
        raise NotFound()
    access.require_programme(actor, rating.programme_slug)
    access.require_area(actor, rating.enterprise.area)
    return rating


async def given(*, actor: Actor, after: int) -> list[Rating]:
    """What the actor's organisation said, by id; one more than a page."""
    return await _page(Rating.filter(enterprise_id=access.organisation_id_of(actor)), after)


async def received(*, actor: Actor, after: int) -> list[Rating]:
    """What was said of the actor's organisation, by id; one more than a page."""
    return await _page(Rating.filter(provider_id=access.organisation_id_of(actor)), after)


async def of_offering(offering_id: int, *, after: int) -> list[Rating]:
    """What was said of an offering that has been listed, for everybody. Raises ``NotFound``."""
    if not await Offering.exists(id=offering_id, current_version_id__isnull=False):
        raise NotFound()
    return await _page(Rating.filter(offering_id=offering_id), after)


async def of_programmes(
    *, actor: Actor, slug: str | None, provider_id: int | None, low: bool | None, after: int
) -> list[Rating]:
    """What was said in the programmes and areas of a member of staff, by id; one more than a page."""
    known = Rating.filter(access.within_programmes(actor, "programme_slug"))
    if actor.areas:
        known = known.filter(access.within_areas(actor, "enterprise__area"))
    if slug is not None:
        known = known.filter(programme_slug=slug)
    if provider_id is not None:
        known = known.filter(provider_id=provider_id)
    if low is not None:
        known = known.filter(is_low=low)
    return await _page(known, after)


async def _page(known: QuerySet[Rating], after: int) -> list[Rating]:
    rows = known.filter(id__gt=after).select_related("enterprise", "provider")
    return await rows.order_by("id").limit(PAGE + 1)
