"""The complaints desk: which cases a member of staff works on, and who of them has one in hand.

Whoever works on the rung a case stands at sees it; for everybody else it does not exist. In the mailbox that
is the oversight body alone, a role that goes with no other.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.complaints import Complainant, Complaint
from server.models.organisations import Organisation
from server.models.people import Staff
from server.programme.vocabulary import Actor as Role
from server.rules.complaints import COMPLAINT_MAY, ComplaintAct, ComplaintStatus, EntryKind
from server.rules.lifecycles import require_act
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.complaints.complaint_book import ComplaintBook
from server.services.complaints.complaints import Complaints, Filing
from server.services.providers.suspensions import require_impartial


class NotYourComplaint(Refusal):
    """A colleague has it in hand, or nobody yet: take it on first."""

    status, code = 409, "complaint_not_in_your_hand"


class OwnAnswer(Refusal):
    """Its complainant was not content with this person's answer: a colleague looks at it."""

    status, code = 409, "complaint_own_answer"


class NoSuchColleague(Refusal):
    """Nobody of this number works on the rung the case stands at."""

    status, code = 422, "complaint_no_such_colleague"


class ComplainantUnnamed(Refusal):
    """Whoever complained chose to stay anonymous: nobody reads who it is."""

    status, code = 409, "complainant_unnamed"


class ComplainantReasonMissing(Refusal):
    """Staff say why they look at who complained."""

    status, code = 422, "complainant_reason_missing"


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose a named case is, opened."""

    name: str
    contact: str


def visible(actor: Actor) -> Q:
    """The cases a member of staff may know of: those of their rungs, in their programmes or in none."""
    # Roles that no ladder knows, an auditor's among them, read nothing here.
    mine = Q(turn__in=[role for role in Role if role.value in actor.roles])
    if actor.programmes:
        mine &= Q(programme_slug__in=["", *sorted(actor.programmes)])
    return mine


async def case_for(actor: Actor, complaint_id: int) -> Complaint:
    """A case of the actor's rungs. Raises ``NotFound`` for every other."""
    complaint = await Complaint.filter(visible(actor), id=complaint_id).first()
    if complaint is None:
        raise NotFound()
    return complaint


class ComplaintDesk:
    """The verbs by which a case comes into somebody's hand."""

    def __init__(self, complaints: Complaints) -> None:
        self.book: ComplaintBook = complaints.book
        self._complaints = complaints

    async def record(self, filing: Filing, *, actor: Actor) -> Complaint:
        """Write a case down for a caller or from a letter. Raises what ``Complaints.file`` does."""
        return await self._complaints.submit(replace(filing, by=actor, person_id=None, sender_id=None))

    async def claim(self, complaint_id: int, *, actor: Actor) -> Complaint:
        """Take a case on; its complainant hears it the first time.

        Raises ``NotFound``, ``NotPermittedNow``, ``OwnReview``, :class:`NotYourComplaint` and
        :class:`OwnAnswer`.
        """
        complaint, now = await self._seen(complaint_id, actor)
        require_act(COMPLAINT_MAY, complaint.status, ComplaintAct.CLAIM)
        await self._require_impartial(complaint, actor)
        await _require_other_eyes(complaint, actor.id)
        if await _in_a_hand(complaint):
            raise NotYourComplaint()
        async with in_transaction():
            return await self._hand_to(complaint, actor.id, author=actor.name, now=now)

    async def assign(self, complaint_id: int, staff_id: int, *, actor: Actor) -> Complaint:
        """Hand a case that nobody there has any more, or that the actor has, to a colleague of the rung.

        Raises ``NotFound``, ``NotPermittedNow``, :class:`NotYourComplaint`, :class:`NoSuchColleague` and
        :class:`OwnAnswer`.
        """
        complaint, now = await self._seen(complaint_id, actor)
        require_act(COMPLAINT_MAY, complaint.status, ComplaintAct.CLAIM)
        if complaint.assigned_to != actor.id and await _in_a_hand(complaint):
            raise NotYourComplaint()
        colleagues = {one.id: one for one in await _colleagues(complaint)}
        accused = await _accused(complaint)
        if staff_id not in colleagues or (accused and accused.uscc in colleagues[staff_id].affiliations):
            raise NoSuchColleague()
        await _require_other_eyes(complaint, staff_id)
        async with in_transaction():
            complaint = await self._hand_to(complaint, staff_id, author=actor.name, now=now)
            await self.book.tell_handlers(
                complaint, "complaint.assigned", now=now, until=complaint.answer_due_at.isoformat()
            )
        return complaint

    async def release(self, complaint_id: int, *, actor: Actor) -> Complaint:
        """Give a case back to the rung. Raises ``NotFound`` and :class:`NotYourComplaint`."""
        complaint, now = await self.in_hand(complaint_id, actor)
        async with in_transaction():
            complaint = await self.book.change(
                complaint,
                ComplaintAct.CLAIM,
                guard=Q(assigned_to=actor.id),
                assigned_to=None,
                assigned_at=None,
            )
            await self.book.write(complaint, EntryKind.RELEASED, author=actor.name, now=now)
            await self.book.tell_handlers(
                complaint, "complaint.arrived", now=now, until=complaint.answer_due_at.isoformat()
            )
        return complaint

    async def identity(self, complaint_id: int, *, why: str, actor: Actor) -> Identity:
        """Who complained, for whoever has a named case in hand; that they looked is in the journal first.

        Raises ``NotFound``, :class:`NotYourComplaint`, :class:`ComplainantUnnamed`,
        :class:`ComplainantReasonMissing`.
        """
        complaint, now = await self.in_hand(complaint_id, actor)
        if not why.strip():
            raise ComplainantReasonMissing()
        if complaint.anonymous:
            raise ComplainantUnnamed()
        async with in_transaction():
            await journal.record(
                "complaint.complainant_viewed",
                f"complaint:{complaint.id}",
                actor=actor.name,
                at=now,
                programme_slug=complaint.programme_slug,
                why=why.strip(),
            )
        whose = await Complainant.get(complaint_id=complaint.id)
        opened = self.book.sealer.open
        return Identity(opened(whose.name_sealed), opened(whose.contact_sealed))

    async def in_hand(self, complaint_id: int, actor: Actor) -> tuple[Complaint, datetime]:
        """A case the actor has in hand, and its instant. Raises ``NotFound``, :class:`NotYourComplaint`."""
        complaint, now = await self._seen(complaint_id, actor)
        if complaint.assigned_to != actor.id:
            raise NotYourComplaint()
        return complaint, now

    async def _seen(self, complaint_id: int, actor: Actor) -> tuple[Complaint, datetime]:
        complaint = await case_for(actor, complaint_id)
        return complaint, self.book.now(complaint.programme_slug)

    async def _hand_to(self, complaint: Complaint, staff_id: int, *, author: str, now: datetime) -> Complaint:
        """Put it into somebody's hand; two who take it on at once find it free once."""
        first = complaint.status is ComplaintStatus.FILED
        complaint = await self.book.change(
            complaint,
            ComplaintAct.CLAIM,
            to=ComplaintStatus.IN_HAND,
            guard=_held_by(complaint.assigned_to),
            assigned_to=staff_id,
            assigned_at=now,
        )
        kind = EntryKind.RECEIVED if first else EntryKind.ASSIGNED
        await self.book.write(complaint, kind, author=author, now=now)
        if first:
            await self.book.tell_complainant(
                complaint, "complaint.received", now=now, until=complaint.answer_due_at.isoformat()
            )
        return complaint

    async def _require_impartial(self, complaint: Complaint, actor: Actor) -> None:
        accused = await _accused(complaint)
        if accused is not None:
            await require_impartial(actor, accused)


async def _require_other_eyes(complaint: Complaint, staff_id: int) -> None:
    """Whoever gave the answer that did not content leaves it to a colleague, where there is one."""
    if not complaint.reopened or complaint.answered_by != staff_id:
        return
    if any(one.id != staff_id for one in await _colleagues(complaint)):
        raise OwnAnswer()


async def _in_a_hand(complaint: Complaint) -> bool:
    """Whether somebody has it who still works on its rung: whoever left keeps no case from the others."""
    return any(one.id == complaint.assigned_to for one in await _colleagues(complaint))


def _held_by(staff_id: int | None) -> Q:
    return Q(assigned_to__isnull=True) if staff_id is None else Q(assigned_to=staff_id)


async def _accused(complaint: Complaint) -> Organisation | None:
    return None if complaint.accused_id is None else await Organisation.get(id=complaint.accused_id)


async def _colleagues(complaint: Complaint) -> list[Staff]:
    """Everybody who works on the rung a case stands at, in its programme."""
    slug = complaint.programme_slug
    return [
        one
        for one in await Staff.filter(disabled=False).order_by("id")
        if complaint.turn.value in one.roles and (not one.programmes or not slug or slug in one.programmes)
    ]
