"""Reviewers: which cases a member of staff may look at, and which they may not decide."""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import Refusal
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.models.stand_ins import StandIn
from server.programme.vocabulary import Actor as Role
from server.rules.eligibility import lies_within
from server.services import access
from server.services.access import Actor, NotFound
from server.services.reviews.reviewed import Sided

REVIEWING = frozenset(
    {
        Role.OPERATOR,
        Role.AUTHORITY,
        Role.DIVISION,
        Role.DISTRICT,
        Role.TREASURY,
        Role.INSPECTOR,
        Role.EXPERT,
        Role.OVERSIGHT_BODY,
    }
)
"""The roles in a programme that are people who may have a turn."""


class OwnReview(Refusal):
    """Nobody decides on their own case, nor on that of an organisation they are affiliated with."""

    status, code = 403, "own_review"


@dataclass(frozen=True, slots=True)
class Cover:
    """A colleague whom somebody stands in for: who, in which role, and within which bounds they work."""

    principal_id: int
    role: Role
    programmes: frozenset[str]
    areas: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A member of staff as far as reviews go. Empty ``programmes`` or ``areas`` mean all of them."""

    id: int
    name: str
    roles: frozenset[Role]
    programmes: frozenset[str]
    areas: tuple[str, ...]
    affiliations: frozenset[str]
    covers: tuple[Cover, ...] = ()
    """Colleagues they stand in for at this instant."""

    @property
    def actor_name(self) -> str:
        """As the journal writes it."""
        return f"staff:{self.id}"

    @property
    def principals(self) -> frozenset[int]:
        """Whose claims are theirs to go on with."""
        return frozenset(cover.principal_id for cover in self.covers)

    def areas_in(self, slug: str, role: Role | None = None) -> tuple[str, ...] | None:
        """The areas they see in a programme, empty for all of it; ``None`` where they see nothing of it.

        In one of their ``roles``, if it is given: a stand-in has the other's bounds in that one role alone.
        """
        covers = (one for one in self.covers if role in (None, one.role))
        bounds = [(self.programmes, self.areas), *((one.programmes, one.areas) for one in covers)]
        areas = [within for programmes, within in bounds if not programmes or slug in programmes]
        if not areas:
            return None
        return () if () in areas else tuple(sorted({area for within in areas for area in within}))

    def may_see(self, case: ReviewCase) -> bool:
        """Whether the case lies in their programmes and under their areas, or in those they stand in for."""
        return _lies_in(case, self.areas_in(case.programme_slug))

    def roles_in(self, case: ReviewCase) -> frozenset[Role]:
        """The roles in which the case is theirs: what they may do as a stand-in they may do in one alone."""
        return frozenset(
            role for role in self.roles if _lies_in(case, self.areas_in(case.programme_slug, role))
        )

    def require_impartial(self, case: ReviewCase) -> None:
        """Raise :class:`OwnReview` for a case they opened themselves or of an affiliated organisation."""
        if case.opened_by == self.actor_name or case.uscc in self.affiliations:
            raise OwnReview()


async def reviewer_of(actor: Actor) -> Reviewer:
    """The member of staff who is asking. Raises :class:`NotFound` for anybody else."""
    staff = await Staff.get_or_none(id=actor.id) if actor.kind == "staff" else None
    if staff is None:
        raise NotFound()
    return await _reviewer(staff, actor.roles)


async def still_has(staff_id: int | None, case: ReviewCase, role: Role) -> bool:
    """Whether a member of staff is there, and a turn of ``role`` at a case would be theirs to take."""
    staff = await Staff.get_or_none(id=staff_id, disabled=False)
    if staff is None:
        return False
    reviewer = await _reviewer(staff, frozenset(staff.roles))
    return role in reviewer.roles_in(case) and case.uscc not in reviewer.affiliations


async def _reviewer(staff: Staff, roles: frozenset[str]) -> Reviewer:
    return Reviewer(
        id=staff.id,
        name=staff.display_name,
        roles=frozenset(role for role in REVIEWING if role.value in roles),
        programmes=frozenset(staff.programmes),
        areas=tuple(staff.areas),
        affiliations=frozenset(staff.affiliations),
        covers=await _covers(staff.id, roles),
    )


async def _covers(staff_id: int, roles: frozenset[str]) -> tuple[Cover, ...]:
    """Whom somebody stands in for, in a role that both still have."""
    rows = await StandIn.filter(deputy_id=staff_id, active=True).order_by("id")
    live = [row for row in rows if row.role.value in roles]
    known = await Staff.filter(id__in=[row.principal_id for row in live]) if live else []
    principals = {one.id: one for one in known}
    return tuple(
        Cover(one.id, row.role, frozenset(one.programmes), tuple(one.areas))
        for row in live
        if row.role.value in (one := principals[row.principal_id]).roles
    )


def _lies_in(case: ReviewCase, areas: tuple[str, ...] | None) -> bool:
    return areas is not None and (not areas or lies_within(case.area, areas))


async def require_impartial(reviewer: Reviewer, case: ReviewCase, reviewed: object) -> None:
    """Raise :class:`OwnReview` for whoever opened a case, or is affiliated with anybody it concerns.

    ``reviewed`` knows what the case is about, and so who its other sides are.
    """
    reviewer.require_impartial(case)
    sides = await reviewed.sides(case) if reviewer.affiliations and isinstance(reviewed, Sided) else ()
    if not reviewer.affiliations.isdisjoint(sides):
        raise OwnReview()


async def case_for(reviewer: Reviewer, case_id: int) -> ReviewCase:
    """A case of the reviewer's programmes and areas. Raises :class:`NotFound`."""
    case = await ReviewCase.get_or_none(id=case_id)
    if case is None or not reviewer.may_see(case):
        raise NotFound()
    return case


async def own_case(actor: Actor, case_id: int) -> ReviewCase:
    """A case of the actor's own organisation. Raises :class:`NotFound`."""
    case = await ReviewCase.get_or_none(id=case_id, organisation_id=access.organisation_id_of(actor))
    if case is None:
        raise NotFound()
    return case
