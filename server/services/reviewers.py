"""Reviewers: which cases a member of staff may look at, and which they may not decide."""

from __future__ import annotations

from dataclasses import dataclass

from server.errors import Refusal
from server.models.people import Staff
from server.models.reviews import ReviewCase
from server.programme.vocabulary import Actor as Role
from server.rules.eligibility import lies_within
from server.services import access
from server.services.access import Actor, NotFound

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
class Reviewer:
    """A member of staff as far as reviews go. Empty ``programmes`` or ``areas`` mean all of them."""

    id: int
    name: str
    roles: frozenset[Role]
    programmes: frozenset[str]
    areas: tuple[str, ...]
    affiliations: frozenset[str]

    @property
    def actor_name(self) -> str:
        """As the journal writes it."""
        return f"staff:{self.id}"

    def may_see(self, case: ReviewCase) -> bool:
        """Whether the case lies in their programmes and under their areas."""
        in_programme = not self.programmes or case.programme_slug in self.programmes
        return in_programme and (not self.areas or lies_within(case.area, self.areas))

    def require_impartial(self, case: ReviewCase) -> None:
        """Raise :class:`OwnReview` for a case they opened themselves or of an affiliated organisation."""
        if case.opened_by == self.actor_name or case.uscc in self.affiliations:
            raise OwnReview()


async def reviewer_of(actor: Actor) -> Reviewer:
    """The member of staff who is asking. Raises :class:`NotFound` for anybody else."""
    staff = await Staff.get_or_none(id=actor.id) if actor.kind == "staff" else None
    if staff is None:
        raise NotFound()
    return Reviewer(
        id=staff.id,
        name=staff.display_name,
        roles=frozenset(role for role in REVIEWING if role.value in actor.roles),
        programmes=frozenset(staff.programmes),
        areas=tuple(staff.areas),
        affiliations=frozenset(staff.affiliations),
    )


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
