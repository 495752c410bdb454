"""Access: who is asking, and what they may touch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from server.errors import Refusal
from server.models.organisations import Membership, Organisation, Qualification
from server.models.vouchers import Voucher


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
    """运营方: runs rounds, qualifies organisations."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is asking, as the database knows them; nothing here is read from a token.

    ``roles`` are :class:`StaffRole` values for staff, membership roles for a person.
    ``organisation_id`` is the organisation a person acts for, ``None`` for staff.
    """

    kind: Literal["person", "staff", "clock"]
    id: int
    session_id: str
    organisation_id: int | None
    roles: frozenset[str]

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
    """A qualification, with its organisation: an operator's any, a person's own. Raises :class:`NotFound`."""
    known = Qualification.filter(id=qualification_id)
    if actor.kind == "person":
        known = known.filter(organisation_id=organisation_id_of(actor))
    elif StaffRole.OPERATOR not in actor.roles:
        raise NotFound()
    qualification = await known.select_related("organisation").first()
    if qualification is None:
        raise NotFound()
    return qualification


async def voucher_for(actor: Actor, voucher_id: int) -> Voucher:
    """A voucher of the actor's own organisation, with its round. Raises :class:`NotFound`."""
    voucher = (
        await Voucher.filter(id=voucher_id, enterprise_id=organisation_id_of(actor))
        .select_related("round")
        .first()
    )
    if voucher is None:
        raise NotFound()
    return voucher
