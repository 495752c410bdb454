"""Steps: what comes next in an order, who does it, and what it does to the voucher's money.

A programme writes its steps in their order; the engine knows no other. A step that may be left out
is passed over when a later one is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from server import texts
from server.errors import Refusal, Unmet
from server.programme.model import Programme
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Actor


class StepOutOfTurn(Refusal):
    """Another step has to be done first, or this one was done already."""

    status, code = 409, "step_out_of_turn"


class NotYourStep(Refusal):
    """The step is somebody else's to do."""

    status, code = 403, "not_your_step"


def open_steps(programme: Programme, done: Sequence[StepKind]) -> Iterator[OrderStep]:
    """The steps that may be done now: the next one, after optional ones before it."""
    last = max((place for place, step in enumerate(programme.order_steps) if step.kind in done), default=-1)
    for step in programme.order_steps[last + 1 :]:
        yield step
        if not step.optional:
            return


def require_step(programme: Programme, done: Sequence[StepKind], kind: StepKind, actor: Actor) -> OrderStep:
    """The step that somebody wants to do now.

    Raises :class:`StepOutOfTurn` when another comes first, :class:`NotYourStep` when it is another's.
    """
    allowed = list(open_steps(programme, done))
    step = next((step for step in allowed if step.kind is kind), None)
    if step is None:
        following = allowed[-1] if allowed else None
        raise StepOutOfTurn(
            clause="" if following is None else following.article,
            next="" if following is None else following.name,
        )
    sides = {Actor.ENTERPRISE, Actor.PROVIDER} if step.actor is Actor.BOTH else {step.actor}
    if actor not in sides:
        raise NotYourStep(clause=step.article, step=step.name, actor=texts.ACTORS[step.actor])
    return step


def cancellation_unmet(programme: Programme, requested_by: frozenset[Actor]) -> tuple[Unmet, ...]:
    """Who still has to ask before an order is cancelled; where both must, one alone cancels nothing."""
    rules = programme.cancellation
    needed = (Actor.ENTERPRISE, Actor.PROVIDER) if rules.requested_by is Actor.BOTH else (rules.requested_by,)
    return tuple(
        Unmet(
            f"requested_by_{actor.value}",
            rules.article,
            texts.CANCELLATION.format(actor=texts.ACTORS[actor]),
        )
        for actor in needed
        if actor not in requested_by
    )


def may_return_payment(programme: Programme, actor: Actor, expires_at: datetime, now: datetime) -> bool:
    """Whether somebody may ask for a paid voucher to go back to its holder (GZ-101)."""
    rules = programme.payment_return
    if rules is None or rules.requested_by is not actor:
        return False
    return not rules.before_expiry or now < expires_at
