"""Access: who is asking, and what they may touch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from tortoise.expressions import Q

from server.errors import Refusal
from server.models.organisations import BlocklistEntry, Membership, Organisation, Qualification
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.rules.eligibility import AREA_SEPARATOR, lies_within


class NotSignedIn(Refusal):
    """No token, or none that we made and still stand by."""

    status, code = 401, "not_signed_in"


class SessionEnded(NotSignedIn):
    """A session of ours that is over: signed out, revoked, outlived, or its owner disabled."""

    status, code = 401, "session_ended"


class NotAllowed(Refusal):
    """Signed in, but this is somebody else's to do."""

    status, code = 403, "not_allowed"


class NotFound(Refusal):
    """There is no such thing, or none that the asker may know of."""

    status, code = 404, "not_found"


class NoOrganisation(NotFound):
    """The asker acts for no organisation yet: register one, or be invited into one."""

    status, code = 404, "no_organisation"


class StaffRole(StrEnum):
    """What a member of staff is there for."""

    OPERATOR = "operator"
    """运营方: runs rounds, reviews first, follows the effect."""
    AUTHORITY = "authority"
    """主管部门: in charge of the programme, decides."""
    DIVISION = "division"
    """主管部门职能处室: prepares the authority's decisions."""
    DISTRICT = "district"
    """区主管部门: the organisations of its own areas."""
    TREASURY = "treasury"
    """财政部门: arranges the budget, allocates the money."""
    INSPECTOR = "inspector"
    """第三方机构: inspects on site and on paper."""
    EXPERT = "expert"
    """专家: gives an opinion where a chain asks for one."""
    OVERSIGHT_BODY = "oversight_body"
    """监督机关: hears complaints past the platform's own people."""
    AUDITOR = "auditor"
    """审计: reads what the operator or the authority may read, and changes nothing."""
    ADMINISTRATOR = "administrator"
    """账号管理员: accounts of staff, and nothing else."""


DECIDERS = frozenset(StaffRole) - {StaffRole.AUDITOR, StaffRole.ADMINISTRATOR}
"""Whose work moves cases and money."""

AUDITED = frozenset({StaffRole.OPERATOR, StaffRole.AUTHORITY})
"""What one of these may read, an auditor may read."""

IN_THE_FILES = frozenset(
    {*AUDITED, StaffRole.DIVISION, StaffRole.DISTRICT, StaffRole.OVERSIGHT_BODY, StaffRole.AUDITOR}
)
"""Who reads an organisation's standing without a review of theirs to do."""

SUPERVISORS = frozenset(
    {
        StaffRole.OPERATOR,
        StaffRole.AUTHORITY,
        StaffRole.DIVISION,
        StaffRole.TREASURY,
        StaffRole.INSPECTOR,
    }
)
"""Who may have a part in supervision; which part, the programme says."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is asking, as the database knows them; nothing here is read from a token.

    ``roles`` are :class:`StaffRole` values for staff, membership roles for a person.
    ``programmes`` (slugs) and ``areas`` bound what a member of staff sees; empty: no bound.
    ``organisation_id`` is the organisation a person acts for, ``None`` for staff.
    """

    kind: Literal["person", "staff", "clock"]
    id: int
    session_id: str
    organisation_id: int | None
    roles: frozenset[str]
    programmes: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        """As the journal and the token's subject write it: ``person:12``, ``staff:3``; ``clock``."""
        return "clock" if self.kind == "clock" else f"{self.kind}:{self.id}"


CLOCK = Actor("clock", 0, "", None, frozenset())
"""Nobody: a thing happens because time passed."""


def require_role(actor: Actor, *roles: str) -> None:
    """Raise :class:`NotAllowed` unless the actor has at least one of the roles."""
    if actor.roles.isdisjoint(roles):
        raise NotAllowed()


def require_programme(actor: Actor, slug: str | None) -> None:
    """Raise :class:`NotFound` for what belongs to a programme that a member of staff has no part in.

    What belongs to every programme (``None``) is theirs alone who work on every programme.
    """
    if not works_on(actor, slug):
        raise NotFound()


def works_on(actor: Actor, slug: str | None) -> bool:
    """Whether a member of staff has a part in a programme; in every one, for ``None``."""
    return not actor.programmes or slug in actor.programmes


def require_area(actor: Actor, area: str) -> None:
    """Raise :class:`NotFound` for what lies outside the areas of a member of staff."""
    if actor.areas and not lies_within(area, actor.areas):
        raise NotFound()


def within_areas(actor: Actor, column: str) -> Q:
    """For a list: rows whose ``column`` is one of the actor's areas or lies below one."""
    bounds = [
        Q(**{key: value})
        for area in sorted(actor.areas)
        for key, value in ((column, area), (f"{column}__startswith", area + AREA_SEPARATOR))
    ]
    return Q(*bounds, join_type=Q.OR)


def within_programmes(actor: Actor, column: str) -> Q:
    """For a list: rows whose ``column`` is the slug of one of the actor's programmes."""
    bounds: dict[str, Any] = {f"{column}__in": sorted(actor.programmes)} if actor.programmes else {}
    return Q(**bounds)


# -- from an id in an address to a row: the only way ------------------------------------------------
# Another organisation's is answered exactly like one that does not exist.


def organisation_id_of(actor: Actor) -> int:
    """The organisation the actor acts for. Raises :class:`NoOrganisation`."""
    if actor.organisation_id is None:
        raise NoOrganisation()
    return actor.organisation_id


async def organisation_of(actor: Actor) -> Organisation:
    """The organisation the actor acts for. Raises :class:`NoOrganisation`."""
    return await Organisation.get(id=organisation_id_of(actor))


async def membership_for(actor: Actor, membership_id: int) -> Membership:
    """A place in the actor's own organisation that is still taken. Raises :class:`NotFound`."""
    membership = await Membership.get_or_none(
        id=membership_id, organisation_id=organisation_id_of(actor), active=True
    )
    if membership is None:
        raise NotFound()
    return membership


async def qualification_for(actor: Actor, qualification_id: int) -> Qualification:
    """A qualification, with its organisation: a person's own; of the official side, any of the programmes
    and areas of whoever asks. Raises :class:`NotFound`."""
    known = Qualification.filter(id=qualification_id)
    if actor.kind == "person":
        known = known.filter(organisation_id=organisation_id_of(actor))
    elif IN_THE_FILES.isdisjoint(actor.roles):
        raise NotFound()
    qualification = await known.select_related("organisation").first()
    if qualification is None:
        raise NotFound()
    require_programme(actor, qualification.programme_slug)
    require_area(actor, qualification.organisation.area)
    return qualification


async def budget_for(actor: Actor, budget_id: int) -> Budget:
    """A year's budget of a programme that the actor works on. Raises :class:`NotFound`."""
    budget = await Budget.get_or_none(id=budget_id)
    if budget is None:
        raise NotFound()
    require_programme(actor, budget.programme_slug)
    return budget


async def round_for(actor: Actor, round_id: int) -> Round:
    """A round, with its budget, of a programme that the actor works on. Raises :class:`NotFound`."""
    row = await Round.get_or_none(id=round_id).select_related("budget")
    if row is None:
        raise NotFound()
    require_programme(actor, row.budget.programme_slug)
    return row


async def ban_for(actor: Actor, entry_id: int) -> BlocklistEntry:
    """An entry of the blocklist of a programme that the actor works on. Raises :class:`NotFound`."""
    entry = await BlocklistEntry.get_or_none(id=entry_id)
    if entry is None:
        raise NotFound()
    require_programme(actor, entry.programme_slug)
    return entry


def held_by(organisation_id: int) -> Q:
    """The vouchers an organisation holds: those it drew (YC-04), and as an enterprise those nobody drew."""
    return Q(provider_id=organisation_id) | Q(provider_id__isnull=True, enterprise_id=organisation_id)


async def voucher_for(actor: Actor, voucher_id: int) -> Voucher:
    """A voucher that the actor's organisation holds, with its round. Raises :class:`NotFound`."""
    held = Voucher.filter(held_by(organisation_id_of(actor)), id=voucher_id)
    voucher = await held.select_related("round").first()
    if voucher is None:
        raise NotFound()
    return voucher
