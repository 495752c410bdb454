"""Complaints: the life of a case, who may do what with it, who may read what, and until when.

A case climbs a ladder of rungs (LS-80 to LS-83). What a programme's text leaves open, the house's defaults
fill in, and say so. Whatever a rung is called, the one that bypasses the operator is the mailbox: nobody of
another rung reads what is in it, nor whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from server.programme.complaints import ComplaintDefaults
from server.programme.holidays import WorkingCalendar
from server.programme.model import Programme
from server.programme.oversight import Rung, Sanction
from server.programme.vocabulary import Party
from server.rules.deadlines import DueBy, day_of, working_days_after
from server.rules.sanctions import sanction_of

LONGEST_STORY = 4_000
LONGEST_MESSAGE = 2_000
LONGEST_NAME, LONGEST_CONTACT = 40, 60
MOST_FILES = 9
GROUND = "complaint"
"""The code under which a programme names a verified complaint as a ground of a sanction (GX-79)."""
SATISFACTION = ("满意", "基本满意", "不满意")
"""How the handling was, best first; the service is rated elsewhere."""


class Channel(StrEnum):
    """How a complaint came."""

    CHAT = "chat"
    MINI_PROGRAM = "mini_program"
    HOTLINE = "hotline"
    """Written down by staff on behalf of a caller or a visitor."""
    LETTER = "letter"
    """Entered by staff, with a scan."""


class SubjectKind(StrEnum):
    """What it is about."""

    ORDER = "order"
    PROVIDER = "provider"
    ROUND = "round"
    OFFICIAL = "official"
    """Somebody of the official side: goes to the mailbox at once."""
    OTHER = "other"


class ComplaintStatus(StrEnum):
    """Where a case stands."""

    FILED = "filed"
    """Nobody has taken it on yet."""
    IN_HAND = "in_hand"
    """Somebody looks into it."""
    ANSWERED = "answered"
    """Its complainant has the word: content, or not."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class ComplaintAct(StrEnum):
    """What can be done with a case."""

    CLAIM = "claim"
    """Take it on, give it back, hand it to a colleague."""
    TALK = "talk"
    """Messages and mediation."""
    FIND = "find"
    ANSWER = "answer"
    HAND_OVER = "hand_over"
    SUPPLEMENT = "supplement"
    URGE = "urge"
    WITHDRAW = "withdraw"
    CONFIRM = "confirm"
    REOPEN = "reopen"
    RATE = "rate"


class Finding(StrEnum):
    """What looking into it came to."""

    SUBSTANTIATED = "substantiated"
    UNSUBSTANTIATED = "unsubstantiated"


class Closing(StrEnum):
    """Why a case is closed."""

    CONFIRMED = "confirmed"
    BY_TIME = "by_time"
    """Its complainant said nothing while the window was open."""


class Audience(StrEnum):
    """Who may read an entry of the thread."""

    COMPLAINANT = "complainant"
    HANDLERS = "handlers"
    """Whoever works on the rung the case stands at."""
    ACCUSED = "accused"


class EntryKind(StrEnum):
    """What happened in a case."""

    FILED = "filed"
    SUPPLEMENT = "supplement"
    URGED = "urged"
    RECEIVED = "received"
    ASSIGNED = "assigned"
    RELEASED = "released"
    MESSAGE = "message"
    REQUEST = "request"
    """Handlers ask the accused side for its account."""
    STATEMENT = "statement"
    """What the accused side says."""
    MEDIATION = "mediation"
    NOTE = "note"
    """Among the handlers."""
    HELD = "held"
    HOLD_LIFTED = "hold_lifted"
    FINDING = "finding"
    PROPOSED = "proposed"
    """A sanction is proposed."""
    ANSWER = "answer"
    CONFIRMED = "confirmed"
    REOPENED = "reopened"
    RATED = "rated"
    WITHDRAWN = "withdrawn"
    HANDED_OVER = "handed_over"
    HALF_WAY = "half_way"
    OVERDUE = "overdue"
    CLOSED_BY_TIME = "closed_by_time"


COMPLAINT_MOVES: Mapping[ComplaintStatus, frozenset[ComplaintStatus]] = {
    ComplaintStatus.FILED: frozenset({ComplaintStatus.IN_HAND, ComplaintStatus.WITHDRAWN}),
    # Handed up, it waits for somebody of the next rung.
    ComplaintStatus.IN_HAND: frozenset(
        {ComplaintStatus.ANSWERED, ComplaintStatus.FILED, ComplaintStatus.WITHDRAWN}
    ),
    ComplaintStatus.ANSWERED: frozenset(
        {ComplaintStatus.CLOSED, ComplaintStatus.FILED, ComplaintStatus.WITHDRAWN}
    ),
    # Not content after all: another rung, or somebody else of the same one, looks at it from the start.
    ComplaintStatus.CLOSED: frozenset({ComplaintStatus.FILED}),
    ComplaintStatus.WITHDRAWN: frozenset(),
}

_OPEN_TO_COMPLAINANT = frozenset({ComplaintAct.SUPPLEMENT, ComplaintAct.URGE, ComplaintAct.WITHDRAW})
COMPLAINT_MAY: Mapping[ComplaintStatus, frozenset[ComplaintAct]] = {
    ComplaintStatus.FILED: _OPEN_TO_COMPLAINANT | {ComplaintAct.CLAIM, ComplaintAct.HAND_OVER},
    ComplaintStatus.IN_HAND: _OPEN_TO_COMPLAINANT
    | {
        ComplaintAct.CLAIM,
        ComplaintAct.TALK,
        ComplaintAct.FIND,
        ComplaintAct.ANSWER,
        ComplaintAct.HAND_OVER,
    },
    ComplaintStatus.ANSWERED: frozenset(
        {ComplaintAct.SUPPLEMENT, ComplaintAct.WITHDRAW, ComplaintAct.CONFIRM, ComplaintAct.REOPEN}
    ),
    ComplaintStatus.CLOSED: frozenset({ComplaintAct.REOPEN, ComplaintAct.RATE}),
    ComplaintStatus.WITHDRAWN: frozenset(),
}

_ALL = frozenset(Audience)
_INSIDE = frozenset({Audience.HANDLERS})
_BOTH = frozenset({Audience.HANDLERS, Audience.COMPLAINANT})
_ACROSS = frozenset({Audience.HANDLERS, Audience.ACCUSED})
AUDIENCES: Mapping[EntryKind, frozenset[Audience]] = {
    **dict.fromkeys(EntryKind, _BOTH),
    EntryKind.REQUEST: _ACROSS,
    EntryKind.STATEMENT: _ACROSS,
    EntryKind.MEDIATION: _ALL,
    EntryKind.FINDING: _ALL,
    EntryKind.HELD: _INSIDE,
    EntryKind.HOLD_LIFTED: _INSIDE,
    EntryKind.NOTE: _INSIDE,
    EntryKind.PROPOSED: _INSIDE,
    EntryKind.RELEASED: _INSIDE,
    EntryKind.HALF_WAY: _INSIDE,
    EntryKind.RATED: _BOTH,
}
"""Who reads each kind of entry. What a complainant said, an accused side never reads."""

CALLED_IN = frozenset({EntryKind.REQUEST, EntryKind.MEDIATION, EntryKind.FINDING})
"""Entries by which the accused side learns that there is a case."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs that a case of one programme climbs, with the lengths that hold on them."""

    rungs: tuple[Rung, ...]
    defaults: ComplaintDefaults
    article: str
    """The programme's clause; empty where the text says nothing."""

    @property
    def basis(self) -> str:
        """What the ladder rests on, as people read it."""
        return self.article or self.defaults.says

    def first(self, subject: SubjectKind) -> int:
        """Where a case begins: what is about officials, at the mailbox."""
        return self.mailbox if subject is SubjectKind.OFFICIAL else 0

    @property
    def mailbox(self) -> int:
        """The rung whose content nobody of another one sees (LS-83). Every ladder has one."""
        return next(place for place, rung in enumerate(self.rungs) if rung.bypasses_operator)

    def above(self, place: int) -> int | None:
        """The next rung up that is no mailbox: into that only its complainant brings a case."""
        following = place + 1
        if following < len(self.rungs) and not self.rungs[following].bypasses_operator:
            return following
        return None

    def answer_days(self, place: int) -> int:
        """Working days for an answer on a rung: the text's, or the house's."""
        return self.rungs[place].answer_working_days or self.defaults.answer_working_days

    def names_answer_days(self, place: int) -> bool:
        """Whether the text itself says how long an answer may take."""
        return self.rungs[place].answer_working_days is not None


def ladder_of(programme: Programme | None, defaults: ComplaintDefaults) -> Ladder:
    """The ladder of a programme, or of a complaint about none of them.

    A text that names no mailbox gets the house's as its last rung: somebody has to be past everybody.
    """
    text = None if programme is None else programme.complaints
    if text is None:
        return Ladder(defaults.rungs, defaults, "")
    rungs = text.rungs
    if not any(rung.bypasses_operator for rung in rungs):
        rungs = (*rungs, defaults.rungs[-1])
    return Ladder(rungs, defaults, text.article)


@dataclass(frozen=True, slots=True)
class DueDates:
    """Until when somebody takes a case on, looks at it half-way, and answers it."""

    receipt: DueBy
    half_way: DueBy
    answer: DueBy


def due_dates(ladder: Ladder, place: int, calendar: WorkingCalendar, now: datetime) -> DueDates:
    """The dates of a case that comes to a rung at ``now``; the day itself does not count."""
    today, days = day_of(now), ladder.answer_days(place)
    return DueDates(
        receipt=working_days_after(calendar, today, min(days, ladder.defaults.receipt_working_days)),
        half_way=working_days_after(calendar, today, days // 2),
        answer=working_days_after(calendar, today, days),
    )


def confirm_until(ladder: Ladder, calendar: WorkingCalendar, now: datetime) -> datetime:
    """When an answer of ``now`` closes the case unless its complainant says otherwise; exclusive."""
    return working_days_after(calendar, day_of(now), ladder.defaults.confirm_working_days).ends_at


def reopen_until(ladder: Ladder, calendar: WorkingCalendar, now: datetime) -> datetime:
    """Until when a case that closes at ``now`` may be opened again; exclusive."""
    return working_days_after(calendar, day_of(now), ladder.defaults.reopen_working_days).ends_at


def urge_again_at(ladder: Ladder, calendar: WorkingCalendar, urged: date) -> datetime:
    """From when a case that was urged on a day may be urged again."""
    return working_days_after(calendar, urged, ladder.defaults.urge_working_days).ends_at


def handled_by(rung: Rung, roles: Iterable[str]) -> bool:
    """Whether somebody with these roles works on a rung. An auditor reads nothing here: it is no file."""
    return rung.handled_by.value in set(roles)


def reveals(words: str, secrets: Iterable[str]) -> bool:
    """Whether a text that somebody else will read names a complainant: any of the secrets, spaced or not."""
    plain = "".join(words.split()).casefold().replace("-", "")
    hidden = ("".join(one.split()).casefold().replace("-", "") for one in secrets)
    return any(len(one) > 1 and one in plain for one in hidden)


def sanction_proposed(programme: Programme | None, party: Party) -> Sanction | None:
    """The sanction for which a verified complaint is a ground in the text (GX-79), or ``None``."""
    return None if programme is None else sanction_of(programme, GROUND, party)
