"""Files of complaints: shown to whoever reads the entry they came with, and to nobody by another door."""

from __future__ import annotations

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.complaints import Complaint, ComplaintFile
from server.models.files import StoredFile
from server.rules.complaints import Audience
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.complaints.accusations import called_in
from server.services.complaints.complaint_book import ComplaintBook
from server.services.complaints.complaint_desk import case_for
from server.services.complaints.complaints import Complaints, Whose
from server.services.complaints.content_checks import is_hidden
from server.services.files.evidence import Evidence
from server.services.files.files import ViewReasonMissing


class FileUnfit(Refusal):
    """WeChat found the picture unfit: it is shown to staff who say that they know."""

    status, code = 403, "file_unfit"


class ComplaintFiles:
    """The verb on what came with a complaint."""

    def __init__(self, book: ComplaintBook, complaints: Complaints, evidence: Evidence) -> None:
        self._book = book
        self._complaints = complaints
        self._evidence = evidence

    async def view(
        self, attachment_id: int, *, actor: Actor, why: str = "", unfit: bool = False
    ) -> tuple[StoredFile, bytes]:
        """The safe copy; that staff looked, and why, is in the journal first.

        ``unfit``: staff know that WeChat found it unfit. Raises ``NotFound``, ``ViewReasonMissing``,
        :class:`FileUnfit`, ``EvidenceDamaged``.
        """
        row = await ComplaintFile.get_or_none(id=attachment_id).select_related("entry__complaint", "file")
        if row is None:
            raise NotFound()
        complaint: Complaint = row.entry.complaint
        if await self._audience(complaint, actor) not in row.entry.audiences:
            raise NotFound()
        if await is_hidden(row.file_id) and not (unfit and actor.kind == "staff"):
            raise FileUnfit()
        if actor.kind == "staff":
            if not why.strip():
                raise ViewReasonMissing()
            async with in_transaction():
                await journal.record(
                    "complaint.file_viewed",
                    f"complaint:{complaint.id}",
                    actor=actor.name,
                    at=self._book.now(complaint.programme_slug),
                    programme_slug=complaint.programme_slug,
                    attachment=row.id,
                    why=why.strip(),
                )
        return row.file, await self._evidence.read(row.file.shown_id)

    async def _audience(self, complaint: Complaint, actor: Actor) -> Audience | None:
        """As what somebody reads a case. Raises ``NotFound`` for staff of other rungs."""
        if actor.kind == "staff":
            await case_for(actor, complaint.id)
            return Audience.HANDLERS
        if await self._complaints.is_own(complaint.id, Whose(person_id=actor.id)):
            return Audience.COMPLAINANT
        if complaint.accused_id == actor.organisation_id and await called_in(complaint.id):
            return Audience.ACCUSED
        return None
