"""The book of complaints: what every verb on a case does alike. It guards, notes, tells and seals.

Nothing here says whose a case is: the complainant is called ``complainant`` in thread and journal, and is
told under a recipient of their own. In the mailbox nobody of another rung hears anything at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.expressions import F, Q
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.complaints import Complainant, Complaint, ComplaintEntry, ComplaintFile
from server.models.files import StoredFile
from server.models.journal import JournalEntry
from server.models.organisations import Organisation
from server.models.people import Person, Staff
from server.programme.complaints import ComplaintDefaults
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.complaints import (
    AUDIENCES,
    COMPLAINT_MAY,
    COMPLAINT_MOVES,
    MOST_FILES,
    Audience,
    ComplaintAct,
    ComplaintStatus,
    EntryKind,
    Ladder,
    due_dates,
    ladder_of,
    reveals,
)
from server.rules.lifecycles import require_act, require_move
from server.sealing import Sealer
from server.services import allowances, journal, outbox
from server.services.clocks import ProgrammeClocks
from server.services.files.files import FilesUnknown
from server.services.working_days import WorkingDays

REVEALING = "complaint.revealing_text_refused"
ACCUSED, CLOCK = "accused", "clock"
"""Authors that are no member of staff, as thread and journal write them, besides ``COMPLAINANT``."""


class ComplaintMovedOn(Refusal):
    """Somebody did something else with it a moment earlier."""

    status, code = 409, "complaint_moved_on"


class ComplaintTooManyFiles(Refusal):
    """More files than one entry takes; ``most`` says how many it does."""

    status, code = 422, "complaint_too_many_files"


class ComplainantRevealed(Refusal):
    """A text that somebody else would read names the complainant."""

    status, code = 422, "complainant_revealed"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a thread, opened."""

    entry: ComplaintEntry
    by: str
    """Who wrote it, in Chinese and without a name."""
    words: str
    files: tuple[ComplaintFile, ...]


class ComplaintBook:
    """What the services on complaints share."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        working_days: WorkingDays,
        defaults: ComplaintDefaults,
        sealer: Sealer,
    ) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.working_days = working_days
        self.defaults = defaults
        self.sealer = sealer

    def now(self, slug: str) -> datetime:
        """The instant of a case's programme; of a case of none, the machine's."""
        return self.clocks.now(slug) if slug else self.clocks.base.now()

    def programme_of(self, complaint: Complaint) -> Programme | None:
        """The text that was in force when it was filed."""
        if not complaint.programme_slug:
            return None
        return self.programmes.version(complaint.programme_slug, complaint.programme_version)

    def ladder_of(self, complaint: Complaint) -> Ladder:
        """The rungs it climbs."""
        return ladder_of(self.programme_of(complaint), self.defaults)

    def on_rung(self, ladder: Ladder, place: int, now: datetime) -> dict[str, Any]:
        """The columns of a case that comes to a rung: whose turn it is, and until when."""
        dates, rung = due_dates(ladder, place, self.working_days.calendar, now), ladder.rungs[place]
        return {
            "rung": place,
            "turn": rung.handled_by,
            "sealed": rung.bypasses_operator,
            "assigned_to": None,
            "assigned_at": None,
            "rung_since": now,
            "receipt_due_at": dates.receipt.ends_at,
            "half_way_at": dates.half_way.ends_at,
            "answer_due_at": dates.answer.ends_at,
            "due_provisional": dates.answer.provisional,
            "reminded_at": None,
            "overdue_at": None,
        }

    async def change(
        self,
        complaint: Complaint,
        act: ComplaintAct | None,
        *,
        to: ComplaintStatus | None = None,
        guard: Q | None = None,
        **changes: Any,
    ) -> Complaint:
        """Change a case as it was read, inside the caller's transaction; ``act=None`` is the clock's.

        Raises ``NotPermittedNow``, ``IllegalMove`` and :class:`ComplaintMovedOn`.
        """
        if act is not None:
            require_act(COMPLAINT_MAY, complaint.status, act)
        if to is not None and to is not complaint.status:
            require_move(COMPLAINT_MOVES, complaint.status, to)
        if to is not None:
            changes["status"] = to
        # The WHERE clause is the lock: of two who move it at once exactly one matches the row.
        changed = await Complaint.filter(
            guard or Q(), id=complaint.id, status=complaint.status, rung=complaint.rung
        ).update(version=F("version") + 1, **changes)
        if not changed:
            raise ComplaintMovedOn()
        return await Complaint.get(id=complaint.id)

    async def write(
        self,
        complaint: Complaint,
        kind: EntryKind,
        *,
        author: str,
        now: datetime,
        words: str = "",
        files: Sequence[StoredFile] = (),
        audiences: Iterable[Audience] | None = None,
        **data: Any,
    ) -> ComplaintEntry:
        """Add an entry to the thread and a line to the journal, which has neither its words nor its files."""
        entry = await ComplaintEntry.create(
            complaint_id=complaint.id,
            kind=kind,
            author=author,
            rung=complaint.rung,
            audiences=sorted(AUDIENCES[kind] if audiences is None else audiences),
            words_sealed=self.sealer.seal(words),
            data=data,
            at=now,
        )
        for file in files:
            await ComplaintFile.create(entry_id=entry.id, file_id=file.id)
        await journal.record(
            f"complaint.{kind.value}",
            f"complaint:{complaint.id}",
            actor=author,
            at=now,
            programme_slug=complaint.programme_slug,
            rung=complaint.rung,
            **data,
        )
        return entry

    async def lines(self, complaint: Complaint, audience: Audience) -> list[Line]:
        """The thread as one audience reads it, oldest first."""
        entries = [
            entry
            for entry in await ComplaintEntry.filter(complaint_id=complaint.id).order_by("id")
            if audience in entry.audiences
        ]
        attached: dict[int, list[ComplaintFile]] = {}
        rows = ComplaintFile.filter(entry_id__in=[entry.id for entry in entries]).select_related("file")
        for row in await rows.order_by("id"):
            attached.setdefault(row.entry_id, []).append(row)
        rungs = self.ladder_of(complaint).rungs
        return [
            Line(
                entry,
                texts.COMPLAINT_AUTHORS.get(entry.author) or texts.ACTORS[rungs[entry.rung].handled_by],
                self.sealer.open(entry.words_sealed),
                tuple(attached.get(entry.id, ())),
            )
            for entry in entries
        ]

    # -- who is told -------------------------------------------------------------------------------

    async def tell_complainant(self, complaint: Complaint, topic: str, *, now: datetime, **data: Any) -> None:
        """Tell whoever complained, where anything is known by which they can be told."""
        whose = await Complainant.get(complaint_id=complaint.id)
        if whose.person_id is not None:
            recipient = f"person:{whose.person_id}"
        elif whose.sender_id is not None:
            recipient = f"sender:{whose.sender_id}"
        else:
            return
        await outbox.tell(recipient, topic, at=now, complaint=complaint.id, number=complaint.number, **data)

    async def tell_handlers(self, complaint: Complaint, topic: str, *, now: datetime, **data: Any) -> None:
        """Tell whoever has it in hand, or everybody of its rung, also where whoever had it has left."""
        if await Staff.exists(id=complaint.assigned_to, disabled=False):
            recipient = f"staff:{complaint.assigned_to}"
        else:
            # A case of no programme is told to everybody of its rung, once: they all see it.
            recipient = outbox.team(complaint.turn.value, complaint.programme_slug)
        await outbox.tell(recipient, topic, at=now, complaint=complaint.id, number=complaint.number, **data)

    async def tell_accused(self, complaint: Complaint, topic: str, *, now: datetime) -> None:
        """Tell the accused side that there is something for it to read, and nothing else."""
        if complaint.accused_id is not None:
            await outbox.tell(
                f"organisation:{complaint.accused_id}",
                topic,
                at=now,
                accusation=complaint.id,
                number=complaint.number,
            )

    # -- what must not be told ----------------------------------------------------------------------

    async def require_veiled(self, complaint: Complaint, words: str, *, actor: str, now: datetime) -> None:
        """Raise :class:`ComplainantRevealed` for a text to others that names the complainant.

        A refusal says that a guess was right. Of whoever stays anonymous it is in the journal who had it,
        and after a few in one day nothing more is tried: ``TooManyToday``. In a transaction of its own.
        """
        refused = JournalEntry.filter(action=REVEALING, subject=f"complaint:{complaint.id}")
        await allowances.require(refused, "at", allowances.REVEALING_TEXTS, now=now)
        if not reveals(words, await self._hidden(complaint)):
            return
        if complaint.anonymous:
            async with in_transaction():
                await journal.record(
                    REVEALING,
                    f"complaint:{complaint.id}",
                    actor=actor,
                    at=now,
                    programme_slug=complaint.programme_slug,
                )
        raise ComplainantRevealed()

    async def _hidden(self, complaint: Complaint) -> list[str]:
        whose = await Complainant.get(complaint_id=complaint.id)
        hidden = [self.sealer.open(whose.name_sealed), self.sealer.open(whose.contact_sealed)]
        person = None if whose.person_id is None else await Person.get_or_none(id=whose.person_id)
        if person is not None:
            hidden += [person.name, self.sealer.open(person.phone_sealed)]
        # To refuse the accused side's own name would say that its own people complain.
        if complaint.anonymous and whose.organisation_id not in (None, complaint.accused_id):
            hidden.append((await Organisation.get(id=whose.organisation_id)).name)
        return hidden


async def files_of(ids: Sequence[int], uploaders: Iterable[str]) -> list[StoredFile]:
    """The files with these ids, in this order, each uploaded by one of these (``person:12``, ``sender:17``).

    Raises ``FilesUnknown`` naming every other one, and :class:`ComplaintTooManyFiles`.
    """
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST_FILES:
        raise ComplaintTooManyFiles(most=MOST_FILES)
    owned = {one.id: one for one in await StoredFile.filter(id__in=wanted, uploaded_by__in=list(uploaders))}
    if unknown := [one for one in wanted if one not in owned]:
        raise FilesUnknown(ids=texts.LIST.join(str(one) for one in unknown))
    return [owned[one] for one in wanted]
