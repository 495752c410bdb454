"""Reviews: given a chain and the decisions so far, what comes next, whose turn it is, and who is paid.

A programme writes the steps of each chain in their order. Some apply only to what was drawn, to what is
incomplete, to what somebody objects to; an opinion is recorded and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from server import texts
from server.errors import Refusal
from server.programme.review import PublicNotice, ReviewChain, ReviewKind, ReviewStep, ReviewWhen
from server.programme.vocabulary import Actor


class ReviewOver(Refusal):
    """The chain has come to its end, or somebody has turned the case down."""

    status, code = 409, "review_over"


class NotYourReview(Refusal):
    """The next decision is somebody else's to make."""

    status, code = 403, "not_your_review"


class DecidedBefore(Refusal):
    """Nobody decides twice in one chain."""

    status, code = 409, "decided_before"


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
    applying = case.circumstances | {ReviewWhen.ALWAYS}
    waiting = (place for place, step in enumerate(chain.steps) if place not in done and step.when in applying)
    return next(waiting, None)


def require_turn(chain: ReviewChain, case: Case, actor: Actor, reviewer: str) -> ReviewStep:
    """The step that a reviewer may decide now.

    Raises :class:`ReviewOver`, :class:`NotYourReview` when it is another role's turn, and
    :class:`DecidedBefore` when the same person has decided on this case already.
    """
    place = next_place(chain, case)
    if place is None:
        raise ReviewOver(clause=chain.article)
    step = chain.steps[place]
    if actor is not step.by:
        raise NotYourReview(clause=step.article, step=step.name, actor=texts.ACTORS[step.by])
    if any(decision.reviewer == reviewer for decision in case.decisions):
        raise DecidedBefore(clause=chain.article)
    return step


def may_be_paid(chain: ReviewChain, notice: PublicNotice, case: Case) -> bool:
    """Whether nothing stands any more between a settlement and its payment: no step, no open objection."""
    place = next_place(chain, case)
    if place is None or chain.steps[place].kind is not ReviewKind.DISBURSEMENT:
        return False
    return not (case.open_objection and notice.objection_holds_item)
