"""Review cases as data: the chain that was copied into one, and what its decisions add up to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any

from server.models.review_papers import ReviewRecusal
from server.models.reviews import NO_DEADLINE_MS, ReviewCase, ReviewDecision, ReviewObjection
from server.programme.holidays import WorkingCalendar
from server.programme.model import Programme
from server.programme.review import (
    PublicNotice,
    ReviewChain,
    ReviewKind,
    ReviewStep,
    ReviewSubject,
    ReviewWhen,
)
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import DueBy, day_of
from server.rules.review import FINAL, Case, Decision, Verdict, due_by

NUMBER_DIGITS = 8
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Copied:
    """What a case keeps of its programme: the chain, and the terms of its public notice."""

    chain: ReviewChain
    notice: PublicNotice

    @property
    def roles(self) -> frozenset[Role]:
        """Everybody who has a turn somewhere in the chain."""
        return frozenset(step.by for step in self.chain.steps)


def copy_of(programme: Programme, chain: ReviewChain) -> dict[str, Any]:
    """The chain as a case keeps it: plain data that a later version of the text does not change."""
    notice = _stated(programme.public_notice)
    return {
        "chain": {**_stated(chain), "steps": [_stated(step) for step in chain.steps]},
        "notice": {**notice, "required_for": sorted(programme.public_notice.required_for)},
    }


def copied(case: ReviewCase) -> Copied:
    """The chain of a case, as it was copied."""
    chain, notice = case.chain["chain"], case.chain["notice"]
    return Copied(
        ReviewChain(**{**_read(chain), "steps": tuple(ReviewStep(**_read(step)) for step in chain["steps"])}),
        PublicNotice(**_read(notice)),
    )


def _stated(table: ReviewChain | ReviewStep | PublicNotice) -> dict[str, Any]:
    """What a table states; a million cases need not repeat what it leaves unsaid."""
    values = ((one, getattr(table, one.name)) for one in fields(table))
    return {one.name: value for one, value in values if value != one.default}


_READ: Mapping[str, Callable[[Any], Any]] = {
    "subject": ReviewSubject,
    "kind": ReviewKind,
    "by": Role,
    "objections_by": Role,
    "when": ReviewWhen,
    "required_for": lambda subjects: frozenset(ReviewSubject(one) for one in subjects),
    "channels": tuple,
    "on_platform": tuple,
    "looks_at": tuple,
    "assumed_keys": tuple,
}
"""How each column that is no plain value comes back from JSON."""


def _read(table: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _READ[name](value) if name in _READ else value for name, value in table.items()}


def number_of(case: ReviewCase) -> str:
    """The case's number, as people read it aloud: eight digits, of which they type the last six."""
    return number(case.id)


def number(case_id: int) -> str:
    """The same of a case that is known by its id."""
    return f"{case_id:0{NUMBER_DIGITS}d}"


def step_of(case: ReviewCase) -> ReviewStep | None:
    """The step a case stands at; ``None`` at its end."""
    return None if case.place is None else copied(case).chain.steps[case.place]


async def state_of(case: ReviewCase) -> Case:
    """What the decisions on a case add up to, for the rules."""
    rows = (
        await ReviewDecision.filter(case_id=case.id)
        .order_by("id")
        .only("place", "verdict", "reviewer_id", "role", "returns_before")
    )
    open_objection = await ReviewObjection.exists(case_id=case.id, answered_at=None)
    recused = {_name(one.reviewer_id) for one in await ReviewRecusal.filter(case_id=case.id)}
    returned = sum(row.verdict is Verdict.RETURNED for row in rows)
    return Case(
        decisions=tuple(
            Decision(row.place, _name(row.reviewer_id), row.verdict != Verdict.REJECTED)
            for row in rows
            if row.verdict in FINAL
        ),
        hands=frozenset(
            (row.place, _name(row.reviewer_id))
            for row in rows
            if row.verdict not in FINAL
            and row.reviewer_id is not None
            and not (row.verdict is Verdict.OPINION and _name(row.reviewer_id) in recused)
        ),
        voices=frozenset(
            (row.place, _name(row.reviewer_id))
            for row in rows
            if row.verdict is Verdict.OPINION
            and row.returns_before == returned
            and _name(row.reviewer_id) not in recused
        ),
        returned=returned,
        circumstances=frozenset(ReviewWhen(one) for one in case.circumstances),
        open_objection=open_objection,
    )


def _name(reviewer_id: int | None) -> str:
    return "" if reviewer_id is None else str(reviewer_id)


def deadline(step: ReviewStep, since: datetime, calendar: WorkingCalendar) -> dict[str, Any]:
    """The columns that say until when a step is to be decided; none are set where the text is silent."""
    return due_columns(due_by(step, day_of(since), calendar))


def due_columns(due: DueBy | None) -> dict[str, Any]:
    """A deadline as a case's row keeps it."""
    ends_at = None if due is None else due.ends_at
    return {
        "due_at": ends_at,
        "due_provisional": due is not None and due.provisional,
        "rank_ms": NO_DEADLINE_MS if ends_at is None else unix_ms(ends_at),
    }


def unix_ms(instant: datetime) -> int:
    """An instant as the lists are ordered by it."""
    return (instant - EPOCH) // MILLISECOND


async def decisions_on(case_id: int) -> Sequence[ReviewDecision]:
    """Everything that was decided, oldest first."""
    return await ReviewDecision.filter(case_id=case_id).order_by("id")


async def objections_to(case_id: int) -> Sequence[ReviewObjection]:
    """Everything that was objected, oldest first."""
    return await ReviewObjection.filter(case_id=case_id).order_by("id")
