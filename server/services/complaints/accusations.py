"""Accusations: what an accused side sees of a complaint, and what it says to it.

It learns of a case when it is asked for its account, called to a mediation, or reads the finding; before
that there is none for it. Never does it read what the complainant said, nor who that is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tortoise.transactions import in_transaction

from server.models.complaints import Complaint, ComplaintEntry
from server.rules.complaints import (
    CALLED_IN,
    LONGEST_MESSAGE,
    Audience,
    ComplaintAct,
    EntryKind,
    Finding,
    SubjectKind,
)
from server.services import access, allowances
from server.services.access import Actor, NotFound
from server.services.complaints.complaint_book import ACCUSED, ComplaintBook, Line
from server.services.complaints.complaints import ComplaintEmpty, ComplaintTooLong
from server.services.files.files import require_own

PAGE = 50


@dataclass(frozen=True, slots=True)
class Accusation:
    """A case as its accused side reads it. ``order_id``: only once something was found."""

    id: int
    number: str
    finding: Finding | None
    order_id: int | None
    closed: bool
    lines: tuple[Line, ...]


class Accusations:
    """The verbs of an accused side."""

    def __init__(self, book: ComplaintBook) -> None:
        self._book = book

    async def mine(self, *, actor: Actor, after: int = 0) -> list[Accusation]:
        """The cases against the actor's organisation that it was called into, by id, without their thread."""
        against = Complaint.filter(accused_id=access.organisation_id_of(actor), id__gt=after)
        called = ComplaintEntry.filter(
            kind__in=list(CALLED_IN), complaint__accused_id=access.organisation_id_of(actor)
        )
        ids = {entry.complaint_id for entry in await called.only("id", "complaint_id")}
        rows = await against.filter(id__in=sorted(ids)).order_by("id").limit(PAGE + 1)
        return [_accusation(row, ()) for row in rows]

    async def one(self, complaint_id: int, *, actor: Actor) -> Accusation:
        """One of them with what was written for this side. Raises ``NotFound``."""
        complaint = await self._called_into(complaint_id, actor)
        return _accusation(complaint, tuple(await self._book.lines(complaint, Audience.ACCUSED)))

    async def state(
        self, complaint_id: int, words: str, *, file_ids: Sequence[int] = (), actor: Actor
    ) -> Accusation:
        """Give one's account. Raises ``NotFound``, ``NotPermittedNow``, ``FilesUnknown`` and others."""
        if not words.strip():
            raise ComplaintEmpty()
        if len(words.strip()) > LONGEST_MESSAGE:
            raise ComplaintTooLong(most=LONGEST_MESSAGE)
        complaint = await self._called_into(complaint_id, actor)
        files = await require_own(file_ids, access.organisation_id_of(actor), by=actor.name)
        now = self._book.now(complaint.programme_slug)
        said = ComplaintEntry.filter(complaint_id=complaint.id, kind=EntryKind.STATEMENT)
        async with in_transaction():
            await allowances.require(said, "at", allowances.SUPPLEMENTS, now=now)
            complaint = await self._book.change(complaint, ComplaintAct.TALK)
            await self._book.write(
                complaint, EntryKind.STATEMENT, author=ACCUSED, now=now, words=words.strip(), files=files
            )
            await self._book.tell_handlers(complaint, "complaint.stated", now=now)
        return await self.one(complaint.id, actor=actor)

    async def _called_into(self, complaint_id: int, actor: Actor) -> Complaint:
        complaint = await Complaint.get_or_none(id=complaint_id, accused_id=access.organisation_id_of(actor))
        if complaint is None or not await called_in(complaint_id):
            raise NotFound()
        return complaint


async def called_in(complaint_id: int) -> bool:
    """Whether the accused side knows of a case: it was asked, called to a mediation, or told the finding."""
    return await ComplaintEntry.filter(complaint_id=complaint_id, kind__in=list(CALLED_IN)).exists()


def _accusation(complaint: Complaint, lines: tuple[Line, ...]) -> Accusation:
    about_order = complaint.subject is SubjectKind.ORDER and complaint.finding is not None
    return Accusation(
        id=complaint.id,
        number=complaint.number,
        finding=complaint.finding,
        order_id=complaint.subject_id if about_order else None,
        closed=complaint.closed_at is not None,
        lines=lines,
    )
