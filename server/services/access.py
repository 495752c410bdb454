"""Access: who is asking, and what they may touch."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from server.errors import Refusal


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

    kind: Literal["person", "staff"]
    id: int
    session_id: str
    enterprise_id: int | None
    roles: frozenset[str]

    @property
    def name(self) -> str:
        """As the journal and the token's subject write it: ``person:12``, ``staff:3``."""
        return f"{self.kind}:{self.id}"


def require_role(actor: Actor, *roles: str) -> None:
    """Raise :class:`NotAllowed` unless the actor has at least one of the roles."""
    if actor.roles.isdisjoint(roles):
        raise NotAllowed()
