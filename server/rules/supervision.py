"""Supervision: the words of inspections, call-backs and service files, and what makes one complete."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from server.programme.vocabulary import Actor


class InspectionKind(StrEnum):
    """Why somebody looks."""

    DAILY = "daily"
    """日常走访: the operator's own visits (LS-73)."""
    JOINT = "joint"
    """联合检查: several authorities together (LS-75)."""
    THIRD_PARTY = "third_party"
    """第三方监督: commissioned, and ending in an opinion and a report (GX-66)."""
    FOLLOW_UP = "follow_up"
    """跟踪检查: of one contract's performance (GZ-45)."""
    COMMITMENT = "commitment"
    """信用承诺抽查: unannounced (GX-72)."""


class InspectionStatus(StrEnum):
    """Where an inspection stands."""

    PLANNED = "planned"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class VisitStatus(StrEnum):
    """What became of one visit."""

    PLANNED = "planned"
    DONE = "done"
    REFUSED = "refused"
    """The organisation would not be inspected: a ground of a sanction (GX-81, YC-31)."""


class RectificationStatus(StrEnum):
    """整改: where putting a finding right stands."""

    OPEN = "open"
    HANDED_IN = "handed_in"
    ACCEPTED = "accepted"


class CallBackStatus(StrEnum):
    """Where one call-back stands. Whoever was not reached stays on the list."""

    WAITING = "waiting"
    ANSWERED = "answered"
    DECLINED = "declined"


class CallOutcome(StrEnum):
    """What one attempt to reach an enterprise led to."""

    ANSWERED = "answered"
    NO_ANSWER = "no_answer"
    WRONG_NUMBER = "wrong_number"
    DECLINED = "declined"


class CallMethod(StrEnum):
    """How an enterprise is asked."""

    PHONE = "phone"
    VISIT = "visit"


class ServiceEntryKind(StrEnum):
    """What an entry of a service file (服务档案) is about."""

    ADMISSION = "admission"
    ORDER = "order"
    RATING = "rating"
    INSPECTION = "inspection"
    RECTIFICATION = "rectification"
    CALL_BACK = "call_back"
    COMPLAINT = "complaint"
    SANCTION = "sanction"
    SETTLEMENT = "settlement"
    ANOMALY = "anomaly"
    COMMITMENT = "commitment"
    AUDIT = "audit"


class EntryTone(StrEnum):
    """Whether an entry speaks for a provider or against it."""

    GOOD = "good"
    PLAIN = "plain"
    BAD = "bad"


class AnomalyStatus(StrEnum):
    """Where a finding of the monitoring stands. Only a person ends it."""

    OPEN = "open"
    LIFTED = "lifted"
    PROPOSED = "proposed"
    """A sanction was proposed on it, and the clues were referred."""


class AuditKind(StrEnum):
    """Whose figures a report gives."""

    SELF_CHECK = "self_check"
    AUDIT = "audit"


class AuditOpinion(StrEnum):
    """What the yearly audit of the operator says (NX-39)."""

    CLEAN = "clean"
    QUALIFIED = "qualified"
    ADVERSE = "adverse"


class CommissionOutcome(StrEnum):
    """What the authority makes of the audit: whether the commission goes on (NX-39)."""

    CONTINUES = "continues"
    CONDITIONS = "conditions"
    ENDS = "ends"


PARTICIPANTS: Mapping[InspectionKind, frozenset[Actor]] = {
    InspectionKind.DAILY: frozenset({Actor.OPERATOR}),
    InspectionKind.JOINT: frozenset({Actor.AUTHORITY, Actor.TREASURY}),
    InspectionKind.THIRD_PARTY: frozenset({Actor.INSPECTOR}),
    InspectionKind.FOLLOW_UP: frozenset({Actor.OPERATOR, Actor.AUTHORITY, Actor.DIVISION}),
    InspectionKind.COMMITMENT: frozenset({Actor.OPERATOR, Actor.AUTHORITY, Actor.DIVISION}),
}
"""Who holds each kind where the programme's own sampling names nobody."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a checklist: what is looked at, by its code and in words."""

    code: str
    says: str


def unanswered(items: Collection[Item], answers: Mapping[str, object]) -> tuple[str, ...]:
    """What a checklist asks and nobody has answered, in the words of the list."""
    return tuple(item.says for item in items if item.code not in answers)


def unsigned(needed: Collection[str], signed: Collection[str]) -> tuple[str, ...]:
    """Which of the roles that hold an inspection together have not signed it yet (LS-75)."""
    return tuple(role for role in sorted(needed) if role not in signed)
