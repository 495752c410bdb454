"""Access: who is asking, and what they may touch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from server.errors import Refusal
from server.models.organisations import Enterprise, Membership, Qualification
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


class NoEnterprise(NotFound):
    """The asker acts for no enterprise yet: register one, or be invited into one."""

    status, code = 404, "no_enterprise"


class StaffRole(StrEnum):
    """What a member of staff is there for."""

    OPERATOR = "operator"
    """运营方: runs rounds, qualifies enterprises."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever is asking, as the database knows them; nothing here is read from a token.

    ``roles`` are :class:`StaffRole` values for staff, membership roles for a person.
    ``enterprise_id`` is the enterprise a person acts for, ``None`` for staff.
    """

    kind: Literal["person", "staff", "clock"]
    id: int
    session_id: str
    enterprise_id: int | None
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
# Another enterprise's is answered exactly like one that does not exist.


def enterprise_id_of(actor: Actor) -> int:
    """The enterprise the actor acts for. Raises :class:`NoEnterprise`."""
    if actor.enterprise_id is None:
        raise NoEnterprise()
    return actor.enterprise_id


async def enterprise_of(actor: Actor) -> Enterprise:
    """The enterprise the actor acts for. Raises :class:`NoEnterprise`."""
    return await Enterprise.get(id=enterprise_id_of(actor))


async def membership_for(actor: Actor, membership_id: int) -> Membership:
    """A place in the actor's own enterprise that is still taken. Raises :class:`NotFound`."""
    membership = await Membership.get_or_none(
        id=membership_id, enterprise_id=enterprise_id_of(actor), active=True
    )
    if membership is None:
        raise NotFound()
    return membership


async def qualification_for(actor: Actor, qualification_id: int) -> Qualification:
    """A qualification, with its enterprise: an operator's any, a person's own. Raises :class:`NotFound`."""
    known = Qualification.filter(id=qualification_id)
    if actor.kind == "person":
        known = known.filter(enterprise_id=enterprise_id_of(actor))
    elif StaffRole.OPERATOR not in actor.roles:
        raise NotFound()
    qualification = await known.select_related("enterprise").first()
    if qualification is None:
        raise NotFound()
    return qualification


async def voucher_for(actor: Actor, voucher_id: int) -> Voucher:
    """A voucher of the actor's own enterprise, with its round. Raises :class:`NotFound`."""
    voucher = (
        await Voucher.filter(id=voucher_id, enterprise_id=enterprise_id_of(actor))
        .select_related("round")
        .first()
    )
    if voucher is None:
        raise NotFound()
    return voucher
