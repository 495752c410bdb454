"""Issuing: who comes before whom, who gets how much of a round, and when the result is due.

A grab is decided as it arrives (``server/rules/grabbing.py``); here are the modes that collect
applications first, rank them and issue at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from server.programme.holidays import WorkingCalendar
from server.programme.issuance import Priority, RankKey
from server.programme.model import Programme
from server.programme.steps import Event, StepKind
from server.rules.deadlines import DueBy, due_by, working_days_after
from server.rules.lifecycles import RoundStatus


class ApplicationStatus(StrEnum):
    """Whether an application counts when its round is ranked."""

    STANDING = "standing"
    WITHDRAWN = "withdrawn"


class ApplicationDeed(StrEnum):
    """What a request did to an application."""

    APPLY = "apply"
    CHANGE = "change"
    WITHDRAW = "withdraw"


class Window(StrEnum):
    """How a round stands to those who would apply in it at an instant."""

    EARLY = "early"
    OPEN = "open"
    PAUSED = "paused"
    CLOSED = "closed"


class RankOutcome(StrEnum):
    """What an application came to in its round's ranking."""

    AWARDED = "awarded"
    """Everything it asked for, or all that its quota left."""
    PARTLY = "partly"
    """The first whom the money did not cover: it got the rest."""
    WAITING = "waiting"
    """Ranked, and got nothing; it waits for what comes back."""
    UNSUCCESSFUL = "unsuccessful"
    """Ranked, and got nothing, where no waiting list is kept."""
    NOT_QUALIFIED = "not_qualified"
    """Not ranked: its qualification no longer held."""
    BARRED = "barred"
    """Not ranked: it was on a blocklist."""
    QUOTA_USED = "quota_used"
    """Not ranked: its year's quota had been used up since it applied."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One holder's application in a round. ``id`` counts up in the order in which they were taken."""

    id: int
    labels: frozenset[str]
    applied_at: datetime
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Award:
    """What an application was awarded; at most what it asked for, and less only where money ran out."""

    application: Application
    amount_fen: int


@dataclass(frozen=True, slots=True)
class Ranking:
    """The outcome of a round: who gets what, in their order, and who waits for what comes back."""

    awards: tuple[Award, ...]
    waiting: tuple[Application, ...]


def window(status: RoundStatus, opens_at: datetime, closes_at: datetime, now: datetime) -> Window:
    """Whether a published round takes applications: from its announced opening to its closing (GZ-28).

    The closing instant is too late, and a round that people have closed stays closed.
    """
    if status is RoundStatus.CLOSED or now >= closes_at:
        return Window.CLOSED
    if status is RoundStatus.PAUSED:
        return Window.PAUSED
    return Window.EARLY if now < opens_at else Window.OPEN


def group_of(programme: Programme, labels: frozenset[str]) -> Priority | None:
    """The first group a holder belongs to of those that come first (GZ-12); ``None``: none of them."""
    groups = programme.issuance.priorities
    return next((group for group in groups if not labels.isdisjoint(group.any_of)), None)


def has_priority(programme: Programme, labels: frozenset[str]) -> bool:
    """Whether a holder belongs to one of the groups that come first; these are equal among each other."""
    return group_of(programme, labels) is not None


def comes_before_newcomers(programme: Programme, labels: frozenset[str]) -> bool:
    """Whether nobody who applies later can be ranked before a holder of these labels."""
    return programme.issuance.ranking[0] is RankKey.ARRIVAL or has_priority(programme, labels)


def keeps_place(amount_fen: int, changed_to_fen: int) -> bool:
    """Whether a changed application keeps its arrival: not if it asks for more.

    Otherwise a place could be taken with a single fen, before others, and be filled afterwards (GZ-30).
    """
    return changed_to_fen <= amount_fen


def ranked(programme: Programme, applications: Iterable[Application]) -> tuple[Application, ...]:
    """Applications in the programme's order (GZ-30, NX-31); of two at one instant, the earlier taken."""

    def place(application: Application) -> tuple[object, ...]:
        keys = {
            RankKey.PRIORITY: not has_priority(programme, application.labels),
            RankKey.ARRIVAL: application.applied_at,
        }
        return (*(keys[key] for key in programme.issuance.ranking), application.id)

    return tuple(sorted(applications, key=place))


def served(in_order: Sequence[Application], pool_fen: int) -> tuple[int, ...]:
    """What each of a line gets of some money, fen: all it asks for, until one gets the rest and none is left.

    So money that came back goes down a waiting list, too, in the order it was published in.
    """
    amounts = []
    for application in in_order:
        amounts.append(min(application.amount_fen, pool_fen))
        pool_fen -= amounts[-1]
    return tuple(amounts)


def award(programme: Programme, applications: Iterable[Application], pool_fen: int) -> Ranking:
    """Give a round's money out in the programme's order until none is left.

    Nobody is passed over: the first whom the money does not cover gets what is left, and all after it
    get nothing. They wait where the programme keeps a waiting list (LS-06, GZ-30).
    """
    awards, waiting = [], []
    in_order = ranked(programme, applications)
    for application, amount_fen in zip(in_order, served(in_order, pool_fen), strict=True):
        if amount_fen:
            awards.append(Award(application, amount_fen))
        elif programme.issuance.waiting_list:
            waiting.append(application)
    return Ranking(tuple(awards), tuple(waiting))


def is_full(programme: Programme, applications: Sequence[Application], pool_fen: int) -> bool:
    """Whether a round closes early because nobody who comes now could still get anything (GZ-32).

    Where priority comes before arrival, a newcomer of a priority group would still push others back:
    only the applications of these groups fill the round for everybody.
    """
    if not programme.issuance.close_when_full:
        return False
    ahead_of_everybody = [one for one in applications if comes_before_newcomers(programme, one.labels)]
    return sum(one.amount_fen for one in ahead_of_everybody) >= pool_fen


def result_due(
    programme: Programme, closed_on: date, calendar: WorkingCalendar
) -> tuple[DueBy | None, DueBy | None]:
    """Until when a round's result is published, and seen by every holder in its account (GZ-31)."""
    issuance = programme.issuance
    published, visible = (
        None if days is None else working_days_after(calendar, closed_on, days)
        for days in (issuance.result_working_days, issuance.result_visible_working_days)
    )
    return published, visible


def order_deadline(
    programme: Programme, happened: Mapping[Event | StepKind, date], calendar: WorkingCalendar
) -> DueBy | None:
    """Until when a voucher issued by list must be ordered with, or it is reclaimed (GZ-33).

    The first of the deadlines that steps of an order count from what ``happened``; ``None`` where no step
    has one, and the round itself says until when.
    """
    due = (
        due_by(programme, step.deadline, happened, calendar=calendar)
        for step in programme.order_steps
        if step.deadline is not None and step.deadline.from_event in happened
    )
    return min((one for one in due if one is not None), key=lambda one: one.ends_at, default=None)
