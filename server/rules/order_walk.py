"""Walking an order: which steps are done, which may be done now, and by whom.

What has been done is a list of deeds, one for each side that did a step; a step that both sides do is done
when both have. Everything here follows from the programme's list of steps and from that list alone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server import texts
from server.errors import Refusal
from server.programme.model import Programme
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Actor, Party
from server.rules.deadlines import told
from server.rules.steps import open_steps, require_step

SETTLING = frozenset({StepKind.SETTLE, StepKind.APPROVE_SETTLEMENT})
"""Where the order ends and the settlement begins."""


class StepDoneAlready(Refusal):
    """This side has nothing to do in the step now; the other side's part is missing."""

    status, code = 409, "step_done_already"


class StepTooLate(Refusal):
    """The step's deadline has passed."""

    status, code = 409, "step_too_late"


_SIDES: Mapping[Actor, frozenset[Party]] = {
    actor: frozenset(Party)
    if actor is Actor.BOTH
    else frozenset(party for party in Party if party.value == actor.value)
    for actor in Actor
}

_NOBODY: frozenset[Party] = frozenset()


@dataclass(frozen=True, slots=True)
class Deed:
    """One side did one step; ``party`` is ``None`` for the platform and officials."""

    step: StepKind
    party: Party | None


def sides(step: OrderStep) -> frozenset[Party]:
    """Which sides of the order have to do a step; none where officials or the platform do."""
    return _SIDES[step.actor]


def contributors(step: OrderStep) -> frozenset[Party]:
    """Which other sides hand in a document with a step that is not theirs; they do so first."""
    if not step.documents:
        return _NOBODY
    handing = {document.by for document in step.documents if document.by is not Actor.BOTH}
    return frozenset().union(*(_SIDES[actor] for actor in handing if actor is not None)) - sides(step)


def is_done(step: OrderStep, deeds: Collection[Deed]) -> bool:
    """Whether a step is done, by everybody who has to do it or to bring something to it."""
    parties = {deed.party for deed in deeds if deed.step is step.kind}
    if not parties:
        return False
    needed = sides(step)
    return not needed or needed | contributors(step) <= parties


def done_kinds(programme: Programme, deeds: Collection[Deed]) -> tuple[StepKind, ...]:
    """The steps that are done, in the programme's order."""
    return tuple(step.kind for step in programme.order_steps if is_done(step, deeds))


def next_step(programme: Programme, deeds: Collection[Deed]) -> OrderStep | None:
    """What comes next; ``None`` when every step is done. An optional step is next before what follows it."""
    return next(iter(open_steps(programme, done_kinds(programme, deeds))), None)


def is_finished(programme: Programme, deeds: Collection[Deed]) -> bool:
    """Whether nothing that must be done is left but the settlement."""
    left = [step for step in open_steps(programme, done_kinds(programme, deeds)) if not step.optional]
    return not left or left[0].kind in SETTLING


def missing_sides(step: OrderStep, deeds: Collection[Deed]) -> tuple[Party, ...]:
    """Which sides have to do their part of a step now, the enterprise first.

    Who only brings a document to it comes before those whose step it is.
    """
    did = {deed.party for deed in deeds if deed.step is step.kind}
    bringing = tuple(party for party in Party if party in contributors(step) and party not in did)
    return bringing or tuple(party for party in Party if party in sides(step) and party not in did)


def require_turn(programme: Programme, deeds: Sequence[Deed], kind: StepKind, party: Party) -> OrderStep:
    """The step that one side wants to do, or to bring something to, now.

    Raises ``StepOutOfTurn``, ``NotYourStep``, or :class:`StepDoneAlready` where only the other side's part
    is missing.
    """
    done = done_kinds(programme, deeds)
    step = next((one for one in open_steps(programme, done) if one.kind is kind), None)
    if step is None or party not in contributors(step):
        step = require_step(programme, done, kind, Actor(party.value))
    missing = missing_sides(step, deeds)
    if missing and party not in missing:
        raise StepDoneAlready(
            clause=step.article, step=step.name, actor=texts.ACTORS[Actor(missing[0].value)]
        )
    return step


def require_in_time(step: OrderStep, due_at: datetime | None, now: datetime) -> None:
    """Raise :class:`StepTooLate` when a step's deadline has passed; the instant itself is too late."""
    if due_at is not None and now >= due_at:
        raise StepTooLate(
            clause=step.article,
            step=step.name,
            until=told(due_at),
            arithmetic=f"{told(now)} ≥ {told(due_at)}",
        )


def whose_turn(programme: Programme, deeds: Sequence[Deed]) -> tuple[OrderStep, tuple[Actor, ...]] | None:
    """The next step and who has to do it now, as the phone says it; ``None`` when all is done."""
    step = next_step(programme, deeds)
    if step is None:
        return None
    missing = missing_sides(step, deeds)
    return step, tuple(Actor(party.value) for party in missing) or (step.actor,)


def undone_from(programme: Programme, kind: StepKind) -> frozenset[StepKind]:
    """The step an order is sent back to, and every step after it; none where the programme has no such."""
    kinds = [step.kind for step in programme.order_steps]
    return frozenset(kinds[kinds.index(kind) :]) if kind in kinds else frozenset()
