"""Reviews: given a chain and the decisions so far, what comes next, and whose turn it is.

A programme writes the steps of each chain in their order. Some apply only to what was drawn, to what is
incomplete, to what somebody objects to; an opinion is recorded and decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from server import texts
from server.errors import Refusal
from server.programme.holidays import WorkingCalendar
from server.programme.review import ReviewChain, ReviewKind, ReviewStep, ReviewWhen
from server.programme.vocabulary import Actor
from server.rules.deadlines import DueBy, working_days_after

BEST_SCORE = 100
"""An expert's score is out of this."""

JUDGING = frozenset(
    {
        ReviewKind.PRE_REVIEW,
        ReviewKind.REVIEW,
        ReviewKind.EXPERT_REVIEW,
        ReviewKind.SPOT_CHECK,
        ReviewKind.SITE_INSPECTION,
        ReviewKind.COMMITTEE,
        ReviewKind.DETERMINATION,
        ReviewKind.RECONSIDERATION,
    }
)
"""Steps at which somebody weighs the case, and may send it back; the others put on record."""


class CaseStatus(StrEnum):
    """The state of a case under review."""

    OPEN = "open"
    """Somebody's turn."""
    RETURNED = "returned"
    """With the applicant, for correction."""
    ON_NOTICE = "on_notice"
    """Put up for objection."""
    PASSED = "passed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    """The applicant took it back."""


EVERYWHERE = frozenset({ReviewWhen.ALWAYS, ReviewWhen.SAMPLED})
"""What every case comes to: a spot check too, where it waits until a draw has settled whom it is for."""

LIVE = frozenset({CaseStatus.OPEN, CaseStatus.RETURNED, CaseStatus.ON_NOTICE})
"""Not at its end."""


class Verdict(StrEnum):
    """What somebody says of a case at one step of its chain."""

    APPROVED = "approved"
    RETURNED = "returned"
    REJECTED = "rejected"
    OPINION = "opinion"
    """One expert's, among several: the panel's conclusion comes after it."""
    ANSWERED = "answered"
    """To an objection during the public notice, which the case survives."""
    NOT_DRAWN = "not_drawn"
    """The draw passed it over: its spot check is done without anybody looking."""


FINAL = frozenset({Verdict.APPROVED, Verdict.REJECTED, Verdict.NOT_DRAWN})
"""What ends a step."""


class PanelTooSmall(Refusal):
    """Fewer experts have had their say than the programme asks for."""

    status, code = 409, "panel_too_small"


class ReviewOver(Refusal):
    """The chain has come to its end, or somebody has turned the case down."""

    status, code = 409, "review_over"


class NotYourReview(Refusal):
    """The next decision is somebody else's to make."""

    status, code = 403, "not_your_review"


class DecidedBefore(Refusal):
    """Nobody decides twice in one chain."""

    status, code = 409, "decided_before"


class ReasonMissing(Refusal):
    """Who is refused something, or is to correct it, is told why."""

    status, code = 422, "reason_missing"


class ReviewNotReturnable(Refusal):
    """The step puts something on record; there is nothing to send back for correction."""

    status, code = 409, "review_not_returnable"


class ReviewRecordIncomplete(Refusal):
    """A committee's decision has its day, an expert's its score; ``unmet`` names what is missing."""

    status, code = 422, "review_record_incomplete"


class PaidByBatch(Refusal):
    """A payment is put on record by the bank's receipt, by nobody's hand."""

    status, code = 409, "paid_by_batch"


class PutUpByNotice(Refusal):
    """A case that is gathered goes up with the notice that somebody publishes, by nobody's decision."""

    status, code = 409, "put_up_by_notice"


class StepNotAtHand(Refusal):
    """What was done elsewhere belongs to a step that the case does not stand at."""

    status, code = 409, "step_not_at_hand"


class ReviewNotAskable(Refusal):
    """The further step that is asked for is none of this chain, or none that a reviewer may ask for."""

    status, code = 422, "review_not_askable"


@dataclass(frozen=True, slots=True)
class Check:
    """One of the system's own lines about a case: green where ``met``, red where not."""

    code: str
    clause: str
    message: str
    met: bool
    arithmetic: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a step's text asks to be put down besides the decision.

    ``score`` is an expert's, out of :data:`BEST_SCORE`; ``held_on`` the day a committee met.
    """

    score: int | None = None
    held_on: date | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision taken: at which place of the chain, by whom, and whether the case may go on."""

    place: int
    reviewer: str
    passed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is reviewed: the decisions in their order, and what makes further steps apply to it."""

    decisions: tuple[Decision, ...] = ()
    """What has ended a step, in its order."""
    hands: frozenset[tuple[int, str]] = frozenset()
    """Who else has had a hand in it, and at which place: who returned it, gave an opinion, answered."""
    voices: frozenset[tuple[int, str]] = frozenset()
    """Whose opinion counts, and at which place: what was given before a return was about another file."""
    returned: int = 0
    """How often it was."""
    circumstances: frozenset[ReviewWhen] = frozenset()
    open_objection: bool = False
    """Somebody has objected during the public notice and has no answer yet."""


def is_refused(chain: ReviewChain, case: Case) -> bool:
    """Whether somebody who decides, and does not only give an opinion, has turned the case down."""
    return any(not one.passed and chain.steps[one.place].decides for one in case.decisions)


def next_place(chain: ReviewChain, case: Case) -> int | None:
    """The place of the next step that applies to the case; ``None`` when it is refused or at its end."""
    if is_refused(chain, case):
        return None
    done = {decision.place for decision in case.decisions}
    applying = case.circumstances | EVERYWHERE
    waiting = (place for place, step in enumerate(chain.steps) if place not in done and step.when in applying)
    return next(waiting, None)


def awaits_draw(step: ReviewStep, case: Case) -> bool:
    """Whether a draw has yet to say if the step is anybody's work in this case."""
    return step.when is ReviewWhen.SAMPLED and ReviewWhen.SAMPLED not in case.circumstances


def require_turn(chain: ReviewChain, case: Case, actor: Actor, reviewer: str) -> ReviewStep:
    """The step that a reviewer may decide now.

    Raises :class:`ReviewOver`, :class:`NotYourReview` when it is another role's turn, and
    :class:`DecidedBefore` when the same person has decided on this case already. Who returned it at this
    very step, or gave an opinion there, goes on with it.
    """
    place = next_place(chain, case)
    if place is None:
        raise ReviewOver(clause=chain.article)
    step = chain.steps[place]
    if actor is not step.by:
        raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
    decided = any(decision.reviewer == reviewer for decision in case.decisions)
    if decided or any(who == reviewer and where != place for where, who in case.hands):
        raise DecidedBefore(clause=chain.article)
    return step


def require_returnable(step: ReviewStep) -> None:
    """Raise :class:`ReviewNotReturnable` at a step that only puts something on record."""
    if step.kind not in JUDGING:
        raise ReviewNotReturnable(clause=step.article, step=step.name)


def require_by_hand(step: ReviewStep) -> None:
    """Raise :class:`PaidByBatch` at a payment: a case is paid when the bank says so (YC-27); and
    :class:`PutUpByNotice` at a public notice, which is drafted by one and published by another."""
    if step.kind is ReviewKind.PUBLIC_NOTICE:
        raise PutUpByNotice(clause=step.article, step=step.name)
    if step.kind is ReviewKind.DISBURSEMENT:
        raise PaidByBatch(clause=step.article, step=step.name)


def require_record(step: ReviewStep, record: Record, today: date) -> None:
    """Raise :class:`ReviewRecordIncomplete` unless the record holds what the kind of step asks.

    A committee has met on a day, not later than ``today`` (YC-27); an expert gives a score.
    """
    scored = record.score is not None and 0 <= record.score <= BEST_SCORE
    if step.kind is ReviewKind.EXPERT_REVIEW and not scored:
        raise ReviewRecordIncomplete(
            clause=step.article, step=step.name, lacking=texts.REVIEW_RECORD["score"]
        )
    held = record.held_on is not None and record.held_on <= today
    if step.kind is ReviewKind.COMMITTEE and not held:
        raise ReviewRecordIncomplete(
            clause=step.article, step=step.name, lacking=texts.REVIEW_RECORD["held_on"]
        )


def require_panel(step: ReviewStep, case: Case, place: int, reviewer: str) -> None:
    """Raise :class:`PanelTooSmall` where a panel concludes before enough of it have had their say.

    Whoever concludes has had theirs.
    """
    voices = {who for where, who in case.voices if where == place} | {reviewer}
    if step.panel_min is not None and len(voices) < step.panel_min:
        raise PanelTooSmall(clause=step.article, given=len(voices), wanted=step.panel_min)


def may_ask_for(chain: ReviewChain, place: int) -> frozenset[ReviewWhen]:
    """The circumstances a reviewer at ``place`` may state, so that a later step applies.

    Not that something was drawn, nor that somebody objects: that follows from the draw and the objection.
    """
    own = {ReviewWhen.ALWAYS, ReviewWhen.SAMPLED, ReviewWhen.OBJECTION}
    return frozenset(step.when for step in chain.steps[place + 1 :]) - own


def due_by(step: ReviewStep, since: date, calendar: WorkingCalendar) -> DueBy | None:
    """Until when the step is to be decided that became due on ``since``; ``None``: the text says nothing."""
    return None if step.working_days is None else working_days_after(calendar, since, step.working_days)


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """What changed between two snapshots: the path of each value, what it was, what it is."""
    was, now = dict(_leaves(before)), dict(_leaves(after))
    paths = dict.fromkeys((*was, *now))
    return tuple((path, was.get(path), now.get(path)) for path in paths if was.get(path) != now.get(path))


def _leaves(value: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        name = f"{path}.{key}" if path else str(key)
        if isinstance(inner, Mapping):
            yield from _leaves(inner, name)
        else:
            yield name, inner
