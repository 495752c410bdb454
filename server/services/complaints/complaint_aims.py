"""Aims of complaints: what one is about, and whom it accuses, as the database knows it."""

from __future__ import annotations

from dataclasses import dataclass

from server.models.orders import Order
from server.models.organisations import Membership, Qualification
from server.models.rounds import Round
from server.programme.vocabulary import Party
from server.rules.complaints import SubjectKind
from server.services.access import NotFound


class ComplaintSubjectUnknown(NotFound):
    """What it is about is not known, or is none of the complainant's."""

    status, code = 404, "complaint_subject_unknown"


@dataclass(frozen=True, slots=True)
class Aim:
    """What a complaint is about, as the database knows it."""

    slug: str
    accused_id: int | None = None
    accused_as: Party | None = None


async def acts_for(person_id: int | None) -> int | None:
    """Whom a person acts for."""
    place = None if person_id is None else await Membership.get_or_none(person_id=person_id, active=True)
    return None if place is None else place.organisation_id


async def aim_of(
    subject: SubjectKind, about: int | None, *, slug: str, organisation_id: int | None, known: bool
) -> Aim:
    """What somebody complains of; ``known``: they are signed in, and an order must be their own.

    Raises :class:`ComplaintSubjectUnknown`.
    """
    if subject in (SubjectKind.OFFICIAL, SubjectKind.OTHER):
        if about is not None:
            raise ComplaintSubjectUnknown()
        return Aim(slug)
    if about is None:
        raise ComplaintSubjectUnknown()
    if subject is SubjectKind.ORDER:
        return await _order_aim(about, organisation_id, known=known)
    if subject is SubjectKind.ROUND:
        row = await Round.get_or_none(id=about).select_related("budget")
        if row is None:
            raise ComplaintSubjectUnknown()
        return Aim(row.budget.programme_slug)
    standings = Qualification.filter(organisation_id=about, party=Party.PROVIDER)
    slugs = {row.programme_slug for row in await standings}
    if not slugs or (slug and slug not in slugs):
        raise ComplaintSubjectUnknown()
    return Aim(slug or (slugs.pop() if len(slugs) == 1 else ""), about, Party.PROVIDER)


async def _order_aim(order_id: int, organisation_id: int | None, *, known: bool) -> Aim:
    """An order: the other side is accused; whoever is known complains of none but their own."""
    order = await Order.get_or_none(id=order_id)
    if order is None or (known and organisation_id not in (order.enterprise_id, order.provider_id)):
        raise ComplaintSubjectUnknown()
    if organisation_id == order.provider_id:
        return Aim(order.programme_slug, order.enterprise_id, Party.ENTERPRISE)
    return Aim(order.programme_slug, order.provider_id, Party.PROVIDER)
