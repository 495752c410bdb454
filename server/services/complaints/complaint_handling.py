"""Handling complaints: what is said, found, answered and handed on, and what follows from a finding.

A serious complaint that proved true holds its order, that one alone, and proposes a sanction to whoever
decides on one (LS-82, GX-79). What other people read of a case may not name its complainant.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tortoise.expressions import Q
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.complaints import Complaint, SanctionProposal
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.complaints import (
    AUDIENCES,
    GROUND,
    LONGEST_MESSAGE,
    Audience,
    ComplaintAct,
    ComplaintStatus,
    EntryKind,
    Finding,
    confirm_until,
    sanction_proposed,
)
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import outbox
from server.services.access import Actor, require_programme
from server.services.complaints.complaint_book import ComplaintBook, files_of
from server.services.complaints.complaint_desk import ComplaintDesk
from server.services.complaints.complaints import ComplaintEmpty, ComplaintTooLong
from server.services.holds import order_holds
from server.services.organisations import service_files

_ASKED = frozenset({EntryKind.REQUEST, EntryKind.MEDIATION})


class NobodyAccused(Refusal):
    """The complaint is against no organisation: there is no other side to ask."""

    status, code = 409, "complaint_nobody_accused"


class FindingMissing(Refusal):
    """Nothing was found yet: an answer says what looking into it came to, and why."""

    status, code = 409, "complaint_finding_missing"


class NothingAbove(Refusal):
    """No rung above this one takes a case from staff: into the mailbox its complainant alone brings it."""

    status, code = 409, "complaint_nothing_above"


class HoldImpossible(Refusal):
    """It is about no order, or the order is held already."""

    status, code = 409, "complaint_hold_impossible"


class ComplaintHandling:
    """The verbs of whoever has a case in hand. All of them raise ``NotFound`` and ``NotYourComplaint``."""

    def __init__(self, desk: ComplaintDesk) -> None:
        self.desk = desk
        self.book: ComplaintBook = desk.book

    async def say(
        self,
        complaint_id: int,
        kind: EntryKind,
        words: str,
        *,
        file_ids: Sequence[int] = (),
        actor: Actor,
    ) -> Complaint:
        """Say something: to the complainant, to the accused side, to both, or among the handlers.

        Raises ``NotPermittedNow``, ``ComplaintEmpty``, ``ComplaintTooLong``, ``FilesUnknown``,
        ``ComplainantRevealed``, ``TooManyToday``, :class:`NobodyAccused`.
        """
        complaint, now = await self.desk.in_hand(complaint_id, actor)
        await self._require_words(complaint, words, kind, actor=actor, now=now)
        files = await files_of(file_ids, [actor.name])
        mediated = kind is EntryKind.MEDIATION
        async with in_transaction():
            complaint = await self.book.change(complaint, ComplaintAct.TALK, guard=Q(assigned_to=actor.id))
            await self.book.write(
                complaint, kind, author=actor.name, now=now, words=words.strip(), files=files
            )
            if Audience.COMPLAINANT in AUDIENCES[kind]:
                await self.book.tell_complainant(
                    complaint, "complaint.mediation" if mediated else "complaint.message", now=now
                )
            if Audience.ACCUSED in AUDIENCES[kind]:
                await self.book.tell_accused(
                    complaint, "accusation.mediation" if mediated else "accusation.request", now=now
                )
        return complaint

    async def hold(self, complaint_id: int, reason: str, *, actor: Actor) -> Complaint:
        """Hold the order while its complaint is looked into. Raises :class:`HoldImpossible` and others."""
        complaint, now = await self.desk.in_hand(complaint_id, actor)
        await self._require_words(complaint, reason, EntryKind.HELD, actor=actor, now=now)
        async with in_transaction():
            complaint = await self.book.change(complaint, ComplaintAct.FIND, guard=Q(assigned_to=actor.id))
            if not await self._place(complaint, reason, actor, now):
                raise HoldImpossible()
        return complaint

    async def lift(self, complaint_id: int, reason: str, *, actor: Actor) -> Complaint:
        """Let the order go: whoever has the case in hand, and of a closed case the authority.

        Raises :class:`HoldImpossible` where it is not held and others.
        """
        complaint, guard = await self._lifted_by(complaint_id, actor)
        now = self.book.now(complaint.programme_slug)
        await self._require_words(complaint, reason, EntryKind.HOLD_LIFTED, actor=actor, now=now)
        async with in_transaction():
            complaint = await self.book.change(complaint, None, guard=guard)
            if not await order_holds.lift(complaint, reason=reason.strip(), by=actor.id, now=now):
                raise HoldImpossible()
            await self.book.write(
                complaint, EntryKind.HOLD_LIFTED, author=actor.name, now=now, words=reason.strip()
            )
        return complaint

    async def find(
        self, complaint_id: int, finding: Finding, reasons: str, *, serious: bool, actor: Actor
    ) -> Complaint:
        """Say whether it is true, with reasons that both sides read.

        True and serious: its order is held, and a sanction proposed; otherwise neither stays. Raises
        ``NotPermittedNow``, ``ComplaintEmpty``, ``ComplaintTooLong``, ``ComplainantRevealed`` and
        ``TooManyToday``.
        """
        complaint, now = await self.desk.in_hand(complaint_id, actor)
        await self._require_words(complaint, reasons, EntryKind.FINDING, actor=actor, now=now)
        weighs = serious and finding is Finding.SUBSTANTIATED
        async with in_transaction():
            complaint = await self.book.change(
                complaint,
                ComplaintAct.FIND,
                guard=Q(assigned_to=actor.id),
                finding=finding,
                serious=weighs,
                found_at=now,
            )
            await self.book.write(
                complaint,
                EntryKind.FINDING,
                author=actor.name,
                now=now,
                words=reasons.strip(),
                finding=finding.value,
                serious=weighs,
            )
            if weighs:
                await self._place(complaint, reasons, actor, now)
                await self._propose(complaint, reasons.strip(), actor, now)
            else:
                # A case that was made of it goes its own way: people decide on that.
                await SanctionProposal.filter(
                    complaint_id=complaint.id, decided_at=None, case_id=None
                ).delete()
                if await order_holds.lift(complaint, reason=reasons.strip(), by=actor.id, now=now):
                    await self.book.write(complaint, EntryKind.HOLD_LIFTED, author=actor.name, now=now)
            await self._to_file(complaint, now=now)
            await self.book.tell_accused(complaint, "accusation.found", now=now)
        return complaint

    async def _to_file(self, complaint: Complaint, *, now: datetime) -> None:
        """A line in the service file of a provider; nothing of what is in the mailbox (LS-83)."""
        programme = self.book.programme_of(complaint)
        if programme is None or complaint.accused_id is None or complaint.sealed:
            return
        true, source = complaint.finding is Finding.SUBSTANTIATED, f"complaint:{complaint.id}"
        known = await service_files.known(complaint.accused_id, ServiceEntryKind.COMPLAINT, source)
        if complaint.accused_as is not Party.PROVIDER or not (true or known):
            return
        await service_files.note(
            ServiceEntryKind.COMPLAINT,
            "complained" if true else "complaint_cleared",
            f"{source}:{complaint.version}" if known else source,
            provider_id=complaint.accused_id,
            programme=programme,
            tone=EntryTone.BAD if true else EntryTone.PLAIN,
            at=now,
            clears="" if true else source,
        )

    async def answer(
        self, complaint_id: int, words: str, *, file_ids: Sequence[int] = (), actor: Actor
    ) -> Complaint:
        """Answer: from now on its complainant has the word, until the window ends (LS-81).

        Raises ``NotPermittedNow``, ``ComplaintEmpty``, ``ComplaintTooLong``, :class:`FindingMissing`,
        ``FilesUnknown``, ``ComplaintMovedOn``.
        """
        complaint, now = await self.desk.in_hand(complaint_id, actor)
        await self._require_words(complaint, words, EntryKind.ANSWER, actor=actor, now=now)
        if complaint.found_at is None or complaint.found_at < complaint.rung_since:
            raise FindingMissing()
        files = await files_of(file_ids, [actor.name])
        until = confirm_until(self.book.ladder_of(complaint), self.book.working_days.calendar, now)
        async with in_transaction():
            complaint = await self.book.change(
                complaint,
                ComplaintAct.ANSWER,
                to=ComplaintStatus.ANSWERED,
                guard=Q(assigned_to=actor.id),
                answered_at=now,
                answered_by=actor.id,
                confirm_until=until,
            )
            await self.book.write(
                complaint, EntryKind.ANSWER, author=actor.name, now=now, words=words.strip(), files=files
            )
            await self.book.tell_complainant(
                complaint, "complaint.answered", now=now, until=until.isoformat()
            )
        return complaint

    async def hand_over(self, complaint_id: int, reason: str, *, actor: Actor) -> Complaint:
        """Hand a case up to the next rung, with everything in it (LS-82).

        Raises ``NotPermittedNow``, ``ComplaintEmpty``, ``ComplaintTooLong``, :class:`NothingAbove`.
        """
        complaint, now = await self.desk.in_hand(complaint_id, actor)
        await self._require_words(complaint, reason, EntryKind.HANDED_OVER, actor=actor, now=now)
        async with in_transaction():
            return await self.climb(
                complaint, EntryKind.HANDED_OVER, author=actor.name, words=reason.strip(), now=now
            )

    async def climb(
        self, complaint: Complaint, kind: EntryKind, *, author: str, words: str, now: datetime
    ) -> Complaint:
        """Bring a case up, inside the caller's transaction. Raises :class:`NothingAbove`."""
        ladder = self.book.ladder_of(complaint)
        above = None if complaint.sealed else ladder.above(complaint.rung)
        if above is None:
            raise NothingAbove(clause=ladder.article)
        complaint = await self.book.change(
            complaint,
            ComplaintAct.HAND_OVER,
            to=ComplaintStatus.FILED,
            **self.book.on_rung(ladder, above, now),
        )
        await self.book.write(complaint, kind, author=author, now=now, words=words)
        due = complaint.answer_due_at.isoformat()
        await self.book.tell_handlers(complaint, "complaint.arrived", now=now, until=due)
        await self.book.tell_complainant(
            complaint, "complaint.handed_over", now=now, until=due, rung=ladder.rungs[above].name
        )
        return complaint

    # ------------------------------------------------------------------------------------------------

    async def _lifted_by(self, complaint_id: int, actor: Actor) -> tuple[Complaint, Q]:
        """The case somebody may lift the hold of, and what must still be so when they do.

        On a closed case nobody works any more, and its handler may have left: its authority lifts what it
        left behind. Raises ``NotFound`` and ``NotYourComplaint``.
        """
        left = await Complaint.get_or_none(id=complaint_id, status=ComplaintStatus.CLOSED, sealed=False)
        if left is not None and Role.AUTHORITY.value in actor.roles:
            require_programme(actor, left.programme_slug)
            return left, Q(status=ComplaintStatus.CLOSED)
        complaint, _ = await self.desk.in_hand(complaint_id, actor)
        return complaint, Q(assigned_to=actor.id)

    async def _require_words(
        self, complaint: Complaint, words: str, kind: EntryKind, *, actor: Actor, now: datetime
    ) -> None:
        if not words.strip():
            raise ComplaintEmpty()
        if len(words.strip()) > LONGEST_MESSAGE:
            raise ComplaintTooLong(most=LONGEST_MESSAGE)
        if Audience.ACCUSED in AUDIENCES[kind]:
            if kind in _ASKED and complaint.accused_id is None:
                raise NobodyAccused()
            await self.book.require_veiled(complaint, words, actor=actor.name, now=now)

    async def _place(self, complaint: Complaint, reason: str, actor: Actor, now: datetime) -> bool:
        clause = self.book.ladder_of(complaint).article
        placed = await order_holds.place(complaint, clause=clause, by=actor.id, now=now)
        if placed:
            await self.book.write(complaint, EntryKind.HELD, author=actor.name, now=now, words=reason.strip())
        return placed

    async def _propose(self, complaint: Complaint, reasons: str, actor: Actor, now: datetime) -> None:
        """Ask whoever decides to deal with the accused side. From the mailbox nothing of it gets out."""
        programme = self.book.programme_of(complaint)
        if programme is None or complaint.accused_id is None or complaint.accused_as is None:
            return
        if complaint.sealed or await SanctionProposal.exists(complaint_id=complaint.id):
            return
        sanction = sanction_proposed(programme, complaint.accused_as)
        decides = Role.AUTHORITY if sanction is None else sanction.decided_by
        grounds = () if sanction is None else sanction.grounds
        clause = next((one.article for one in grounds if one.code == GROUND and one.article), "")
        clause = clause or (self.book.ladder_of(complaint).article if sanction is None else sanction.article)
        await SanctionProposal.create(
            complaint_id=complaint.id,
            programme_slug=complaint.programme_slug,
            programme_version=complaint.programme_version,
            against_id=complaint.accused_id,
            party=complaint.accused_as,
            sanction="" if sanction is None else sanction.code,
            ground="" if sanction is None else GROUND,
            clause=clause,
            measures=[] if sanction is None else sorted(sanction.measures),
            decided_by_role=decides,
            reason=reasons,
            proposed_by=actor.id,
            proposed_at=now,
        )
        await self.book.write(complaint, EntryKind.PROPOSED, author=actor.name, now=now, clause=clause)
        await outbox.tell(
            outbox.team(decides.value, complaint.programme_slug),
            "complaint.sanction_proposed",
            at=now,
            programme=complaint.programme_slug,
            number=complaint.number,
            clause=clause,
        )
