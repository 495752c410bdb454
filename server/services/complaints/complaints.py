"""Complaints: what whoever complains does, from filing a case to saying that it is settled.

It needs no account: a sender of the chat, a person, or a caller for whom staff write it down. What is filed
has its number and the date of the answer at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.expressions import F, Q, Subquery
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.chat import ChatSender
from server.models.complaints import COMPLAINANT, Complainant, Complaint, ComplaintEntry
from server.models.files import StoredFile
from server.models.people import Person
from server.models.ratings import Rating
from server.rules.complaints import (
    LONGEST_CONTACT,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    LONGEST_STORY,
    SATISFACTION,
    Channel,
    Closing,
    ComplaintAct,
    ComplaintStatus,
    EntryKind,
    Finding,
    SubjectKind,
    ladder_of,
    reopen_until,
    urge_again_at,
)
from server.rules.deadlines import day_of, told
from server.services import allowances
from server.services.access import Actor, NotFound, organisation_id_of, works_on
from server.services.complaints.complaint_aims import ComplaintSubjectUnknown, acts_for, aim_of
from server.services.complaints.complaint_book import ComplaintBook, files_of
from server.services.holds import order_holds
from server.services.numbers import new_number
from server.services.organisations.memberships import lock

PAGE = 50
TWO_PRESSES = timedelta(minutes=1)


class ComplaintEmpty(Refusal):
    """Nobody can look into a complaint that does not say what happened."""

    status, code = 422, "complaint_empty"


class ComplaintTooLong(Refusal):
    """More than anybody reads; ``most`` says how many letters are taken."""

    status, code = 422, "complaint_too_long"


class UrgedAlready(Refusal):
    """It was urged a moment ago; ``again`` says from when it may be urged anew."""

    status, code = 409, "complaint_urged_already"


class ComplaintWindowOver(Refusal):
    """The days in which it could be opened again are over."""

    status, code = 409, "complaint_window_over"


class AlreadyInMailbox(Refusal):
    """It stands in the mailbox: nothing is above that."""

    status, code = 409, "complaint_in_mailbox"


class RatingNotLow(Refusal):
    """Only a low rating becomes a complaint in one tap."""

    status, code = 409, "rating_not_low"


class HandlingLevelUnknown(Refusal):
    """No such word for how the handling was."""

    status, code = 422, "handling_level_unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filing:
    """What somebody complains of.

    ``subject_id``: the order, the provider's organisation or the round; ``None`` for the others. ``name`` and
    ``contact`` are sealed, and are not kept at all of whoever stays anonymous. The files are those that the
    person, the sender (``StoredFile.uploaded_by`` is ``sender:17``) or ``by`` uploaded.
    """

    channel: Channel
    subject: SubjectKind
    subject_id: int | None
    programme_slug: str | None
    happened: str
    since: date | None
    wanted: str
    file_ids: tuple[int, ...]
    anonymous: bool
    name: str
    contact: str
    person_id: int | None
    sender_id: int | None
    by: Actor | None = None
    """The member of staff who writes it down for a caller or from a letter."""


@dataclass(frozen=True, slots=True)
class Whose:
    """A complainant as they come to us: a person, a sender of the chat, or one that is both."""

    person_id: int | None = None
    sender_id: int | None = None

    @property
    def uploaders(self) -> tuple[str, ...]:
        """Under which names they upload files."""
        known = {"person": self.person_id, "sender": self.sender_id}
        return tuple(f"{kind}:{one}" for kind, one in known.items() if one is not None)

    @property
    def rows(self) -> Q:
        """The rows of :class:`Complainant` that are theirs; a person's by the chat, too.

        Nobody's where nothing is known.
        """
        bounds = []
        if self.person_id is not None:
            senders = ChatSender.filter(person_id=self.person_id).values("id")
            bounds += [Q(person_id=self.person_id), Q(sender_id__in=Subquery(senders))]
        if self.sender_id is not None:
            bounds.append(Q(sender_id=self.sender_id))
        return Q(*bounds, join_type=Q.OR) if bounds else Q(id__in=[])


class Complaints:
    """The verbs of whoever complains. Instants are those of the case's programme."""

    def __init__(self, book: ComplaintBook) -> None:
        self.book = book

    async def file(self, filing: Filing, *, now: datetime) -> Complaint:
        """File a case, inside the caller's transaction; ``number`` and ``answer_due_at`` are on the row.

        A member of staff who is bound to programmes writes nothing down for another one. Raises
        :class:`ComplaintEmpty`, :class:`ComplaintTooLong`, ``ComplaintSubjectUnknown``,
        ``UnknownProgramme``, ``FilesUnknown``, ``ComplaintTooManyFiles`` and ``TooManyToday``.
        """
        _require_words(filing.happened, LONGEST_STORY)
        _require_short(filing.wanted, LONGEST_MESSAGE)
        _require_short(filing.name, LONGEST_NAME)
        _require_short(filing.contact, LONGEST_CONTACT)
        whose = Whose(filing.person_id, filing.sender_id)
        uploaders = whose.uploaders if filing.by is None else (*whose.uploaders, filing.by.name)
        files = await files_of(filing.file_ids, uploaders)
        organisation_id = await acts_for(filing.person_id)
        aim = await aim_of(
            filing.subject,
            filing.subject_id,
            slug=filing.programme_slug or "",
            organisation_id=organisation_id,
            known=filing.person_id is not None,
        )
        if filing.by is not None and aim.slug and not works_on(filing.by, aim.slug):
            raise ComplaintSubjectUnknown()
        programme = self.book.programmes.get(aim.slug) if aim.slug else None
        if whose.uploaders:
            mine = Complainant.filter(whose.rows)
            await allowances.require(mine, "complaint__filed_at", allowances.COMPLAINTS, now=now)
        ladder = ladder_of(programme, self.book.defaults)
        complaint = await Complaint.create(
            number=new_number("T"),
            programme_slug=aim.slug,
            programme_version="" if programme is None else programme.version,
            channel=filing.channel,
            subject=filing.subject,
            subject_id=filing.subject_id,
            accused_id=aim.accused_id,
            accused_as=aim.accused_as,
            anonymous=filing.anonymous,
            happened_sealed=self.book.sealer.seal(filing.happened.strip()),
            since=filing.since,
            wanted_sealed=self.book.sealer.seal(filing.wanted.strip()),
            filed_at=now,
            **self.book.on_rung(ladder, ladder.first(filing.subject), now),
        )
        known = not filing.anonymous
        await Complainant.create(
            complaint_id=complaint.id,
            person_id=filing.person_id,
            sender_id=filing.sender_id,
            organisation_id=organisation_id,
            name_sealed=self.book.sealer.seal(filing.name.strip() if known else ""),
            contact_sealed=self.book.sealer.seal(filing.contact.strip() if known else ""),
        )
        author = COMPLAINANT if filing.by is None else filing.by.name
        await self.book.write(
            complaint, EntryKind.FILED, author=author, now=now, files=files, channel=filing.channel.value
        )
        due = complaint.answer_due_at.isoformat()
        await self.book.tell_complainant(complaint, "complaint.filed", now=now, until=due)
        await self.book.tell_handlers(complaint, "complaint.arrived", now=now, until=due)
        return complaint

    async def submit(self, filing: Filing) -> Complaint:
        """:meth:`file` in a transaction of its own, at the instant of the programme it names.

        Pressed twice within a minute, the same words of a person are the same case.
        """
        slug = filing.programme_slug or ""
        if slug:
            self.book.programmes.get(slug)
        async with in_transaction():
            if filing.person_id is not None:
                # The lock: the second of two presses waits here, and then finds the first.
                await Person.select_for_update(no_key=True).get(id=filing.person_id)
                if (known := await self._pressed_before(filing)) is not None:
                    return known
            return await self.file(filing, now=self.book.now(slug))

    async def _pressed_before(self, filing: Filing) -> Complaint | None:
        row = next(iter(await self.of_complainant(person_id=filing.person_id, sender_id=None)), None)
        if row is None or self.book.now(row.programme_slug) - row.filed_at >= TWO_PRESSES:
            return None
        said = [self.book.sealer.open(words) for words in (row.happened_sealed, row.wanted_sealed)]
        known = (row.status, row.subject, row.subject_id, row.anonymous, *said)
        asked = (ComplaintStatus.FILED, filing.subject, filing.subject_id, filing.anonymous)
        return row if known == (*asked, filing.happened.strip(), filing.wanted.strip()) else None

    async def from_rating(self, rating_id: int, *, actor: Actor) -> Complaint:
        """Make a low rating of one's own a complaint about its order, in one tap; tapped again, the same.

        Raises ``NotFound``, :class:`RatingNotLow` and what :meth:`file` does.
        """
        mine = organisation_id_of(actor)
        rating = await Rating.get_or_none(id=rating_id, enterprise_id=mine).select_related("order")
        if rating is None:
            raise NotFound()
        if not rating.is_low:
            raise RatingNotLow()
        order = rating.order
        by = Whose(person_id=actor.id)
        async with in_transaction():
            await lock(mine)
            open_ = Complaint.filter(subject=SubjectKind.ORDER, subject_id=order.id, closed_at=None)
            for known in await open_.order_by("-id"):
                if await self.is_own(known.id, by):
                    return known
            story = texts.LOW_RATING_STORY.format(
                number=order.number,
                project=order.project,
                level=rating.level,
                tags="".join(f"{tag}。" for tag in rating.tags),
                words=rating.words,
            )
            filing = Filing(
                channel=Channel.MINI_PROGRAM,
                subject=SubjectKind.ORDER,
                subject_id=order.id,
                programme_slug=order.programme_slug,
                happened=story,
                since=None,
                wanted="",
                file_ids=(),
                anonymous=False,
                name="",
                contact="",
                person_id=actor.id,
                sender_id=None,
            )
            return await self.file(filing, now=self.book.now(order.programme_slug))

    async def of_complainant(self, *, person_id: int | None, sender_id: int | None) -> list[Complaint]:
        """Somebody's own cases, the newest first, at most :data:`PAGE`."""
        mine = Complainant.filter(Whose(person_id, sender_id).rows).values_list("complaint_id", flat=True)
        return await Complaint.filter(id__in=await mine).order_by("-id").limit(PAGE)

    async def own(self, complaint_id: int, by: Whose) -> Complaint:
        """A case of somebody's own. Raises ``NotFound`` for every other."""
        if not await self.is_own(complaint_id, by):
            raise NotFound()
        return await Complaint.get(id=complaint_id)

    async def is_own(self, complaint_id: int, by: Whose) -> bool:
        """Whether a case is somebody's own."""
        return await Complainant.filter(by.rows, complaint_id=complaint_id).exists()

    async def supplement(
        self, complaint_id: int, words: str, *, file_ids: Sequence[int] = (), by: Whose
    ) -> Complaint:
        """Add to what was said. Raises ``NotFound``, ``NotPermittedNow``, ``TooManyToday`` and others."""
        _require_words(words, LONGEST_MESSAGE)
        files: list[StoredFile] = await files_of(file_ids, by.uploaders)
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            said = ComplaintEntry.filter(complaint_id=complaint.id, kind=EntryKind.SUPPLEMENT)
            await allowances.require(said, "at", allowances.SUPPLEMENTS, now=now)
            complaint = await self.book.change(complaint, ComplaintAct.SUPPLEMENT)
            await self.book.write(
                complaint,
                EntryKind.SUPPLEMENT,
                author=COMPLAINANT,
                now=now,
                words=words.strip(),
                files=files,
            )
            await self.book.tell_handlers(complaint, "complaint.supplemented", now=now)
        return complaint

    async def urge(self, complaint_id: int, *, by: Whose) -> Complaint:
        """Urge, once in a period. Raises ``NotFound``, ``NotPermittedNow``, :class:`UrgedAlready`."""
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            if complaint.urge_again_at is not None and now < complaint.urge_again_at:
                raise UrgedAlready(again=told(complaint.urge_again_at))
            again = urge_again_at(
                self.book.ladder_of(complaint), self.book.working_days.calendar, day_of(now)
            )
            # Of two who urge at once one finds the row as it was.
            complaint = await self.book.change(
                complaint,
                ComplaintAct.URGE,
                guard=Q(urges=complaint.urges),
                urged_at=now,
                urge_again_at=again,
                urges=F("urges") + 1,
            )
            await self.book.write(complaint, EntryKind.URGED, author=COMPLAINANT, now=now)
            due = complaint.answer_due_at.isoformat()
            await self.book.tell_handlers(complaint, "complaint.urged", now=now, until=due)
        return complaint

    async def withdraw(self, complaint_id: int, *, reason: str = "", by: Whose) -> Complaint:
        """Take it back, for good. Raises ``NotFound``, ``NotPermittedNow``, ``ComplaintMovedOn``."""
        _require_short(reason, LONGEST_MESSAGE)
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            complaint = await self.book.change(
                complaint, ComplaintAct.WITHDRAW, to=ComplaintStatus.WITHDRAWN, closed_at=now
            )
            await self.book.write(
                complaint, EntryKind.WITHDRAWN, author=COMPLAINANT, now=now, words=reason.strip()
            )
            if complaint.finding is not Finding.SUBSTANTIATED:
                await order_holds.lift(complaint, reason="withdrawn", by=None, now=now)
            await self.book.tell_handlers(complaint, "complaint.withdrawn", now=now)
        return complaint

    async def confirm(self, complaint_id: int, *, by: Whose) -> Complaint:
        """Content with the answer: closed. Raises ``NotFound``, ``NotPermittedNow``, ``ComplaintMovedOn``."""
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            ladder, calendar = self.book.ladder_of(complaint), self.book.working_days.calendar
            complaint = await self.book.change(
                complaint,
                ComplaintAct.CONFIRM,
                to=ComplaintStatus.CLOSED,
                closed_at=now,
                closed_how=Closing.CONFIRMED,
                reopen_until=reopen_until(ladder, calendar, now),
            )
            await self.book.write(complaint, EntryKind.CONFIRMED, author=COMPLAINANT, now=now)
            await self.book.tell_handlers(complaint, "complaint.confirmed", now=now)
        return complaint

    async def reopen(self, complaint_id: int, *, reason: str, mailbox: bool = False, by: Whose) -> Complaint:
        """Not content: the next rung looks at it, or somebody else of this one, or the mailbox.

        Into the mailbox nothing comes but so: from then on the rungs below see neither content nor
        complainant (LS-83). Raises ``NotFound``, ``NotPermittedNow``, :class:`ComplaintWindowOver`,
        :class:`AlreadyInMailbox`, :class:`ComplaintEmpty`, ``ComplaintMovedOn``.
        """
        _require_words(reason, LONGEST_MESSAGE)
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            if mailbox and complaint.sealed:
                raise AlreadyInMailbox()
            until = complaint.reopen_until if complaint.status is ComplaintStatus.CLOSED else None
            if until is not None and now >= until:
                raise ComplaintWindowOver()
            ladder, left = self.book.ladder_of(complaint), complaint.rung
            target = ladder.mailbox if mailbox else ladder.above(left)
            target = left if target is None else target
            complaint = await self.book.change(
                complaint,
                ComplaintAct.REOPEN,
                to=ComplaintStatus.FILED,
                reopened=F("reopened") + 1,
                answered_at=None,
                confirm_until=None,
                closed_at=None,
                closed_how=None,
                reopen_until=None,
                handling=None,
                **self.book.on_rung(ladder, target, now),
            )
            await self.book.write(
                complaint, EntryKind.REOPENED, author=COMPLAINANT, now=now, words=reason.strip(), left=left
            )
            due = complaint.answer_due_at.isoformat()
            await self.book.tell_handlers(complaint, "complaint.arrived", now=now, until=due)
        return complaint

    async def rate(self, complaint_id: int, level: str, *, words: str = "", by: Whose) -> Complaint:
        """Say how the handling was, once. Raises ``NotFound``, ``NotPermittedNow``, ``ComplaintMovedOn``,
        :class:`HandlingLevelUnknown`."""
        _require_short(words, LONGEST_MESSAGE)
        async with in_transaction():
            complaint, now = await self._mine(complaint_id, by)
            if level not in SATISFACTION:
                raise HandlingLevelUnknown(levels=texts.LIST.join(SATISFACTION))
            complaint = await self.book.change(
                complaint, ComplaintAct.RATE, guard=Q(handling__isnull=True), handling=level
            )
            await self.book.write(
                complaint, EntryKind.RATED, author=COMPLAINANT, now=now, words=words.strip(), level=level
            )
        return complaint

    async def _mine(self, complaint_id: int, by: Whose) -> tuple[Complaint, datetime]:
        complaint = await self.own(complaint_id, by)
        return complaint, self.book.now(complaint.programme_slug)


def _require_words(words: str, most: int) -> None:
    if not words.strip():
        raise ComplaintEmpty()
    _require_short(words, most)


def _require_short(words: str, most: int) -> None:
    if len(words.strip()) > most:
        raise ComplaintTooLong(most=most)
