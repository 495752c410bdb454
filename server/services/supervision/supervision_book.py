"""What every verb of supervision needs: who may, whose programme it is, files kept with it, a number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from server import texts
from server.errors import Refusal
from server.models.files import StoredFile
from server.models.organisations import Organisation
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.services import access, journal
from server.services.access import SUPERVISORS as SUPERVISORS
from server.services.access import Actor, NotAllowed, StaffRole
from server.services.clocks import ProgrammeClocks
from server.services.files.files import own_files
from server.services.reviews.reviewers import OwnReview, reviewer_of

DECIDING = frozenset({StaffRole.AUTHORITY, StaffRole.DIVISION})
"""Who decides what follows from what was found."""
MOST_FILES = 30


class SupervisionMovedOn(Refusal):
    """Somebody else was faster: what was seen is not how it stands."""

    status, code = 409, "supervision_moved_on"


class WordsMissing(Refusal):
    """Nothing was written where something has to be."""

    status, code = 422, "supervision_words_missing"


class TooManyFiles(Refusal):
    """More files than anybody looks at."""

    status, code = 422, "supervision_too_many_files"


class SupervisionBook:
    """The programmes, their clocks, and the checks that all verbs share."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self.programmes = programmes
        self.clocks = clocks

    def programme(self, slug: str, actor: Actor, roles: Collection[str] = SUPERVISORS) -> Programme:
        """A programme the actor works on in one of these roles. Raises ``NotFound``, ``NotAllowed``."""
        access.require_programme(actor, slug)
        if actor.roles.isdisjoint(roles):
            raise NotAllowed()
        return self.programmes.get(slug)

    def now(self, slug: str) -> datetime:
        """The present instant of a programme."""
        return self.clocks.now(slug)


def require_words(words: str) -> str:
    """The words without what is around them. Raises :class:`WordsMissing`."""
    if not words.strip():
        raise WordsMissing()
    return words.strip()


async def require_impartial(actor: Actor, organisations: Collection[Organisation]) -> None:
    """Raise ``OwnReview`` where the actor is affiliated with one of them, ``NotFound`` beyond their areas."""
    affiliations = (await reviewer_of(actor)).affiliations
    for organisation in organisations:
        access.require_area(actor, organisation.area)
        if organisation.uscc in affiliations:
            raise OwnReview()


async def files_of(ids: Sequence[int], *, actor: Actor) -> list[StoredFile]:
    """The actor's own files with these ids. Raises ``FilesUnknown``, :class:`TooManyFiles`."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_FILES:
        raise TooManyFiles(most=MOST_FILES)
    return await own_files(wanted, actor=actor)


async def note(
    action: str, subject: str, *, actor: Actor, now: datetime, programme_slug: str, **data: Any
) -> None:
    """One deed of supervision in the journal."""
    await journal.record(action, subject, actor=actor.name, at=now, programme_slug=programme_slug, **data)


def roles_in_words(roles: Collection[str]) -> str:
    """Roles as people read them."""
    return texts.LIST.join(texts.ACTORS[role] for role in sorted(roles))
