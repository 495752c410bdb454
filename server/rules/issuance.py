"""Issuing: who comes before whom, who gets how much of a round, and when the result is due.

A grab is decided as it arrives (``server/rules/grabbing.py``); here are the modes that collect
applications first, rank them and issue at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server.programme.holidays import WorkingCalendar
from server.programme.issuance import RankKey
from server.programme.model import Programme
from server.rules.deadlines import DueBy, working_days_after


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


def has_priority(programme: Programme, labels: frozenset[str]) -> bool:
    """Whether a holder belongs to one of the groups that come first; these are equal among each other."""
    return any(not labels.isdisjoint(group.any_of) for group in programme.issuance.priorities)


def ranked(programme: Programme, applications: Iterable[Application]) -> tuple[Application, ...]:
    """Applications in the programme's order (GZ-30, NX-31); of two at one instant, the earlier taken."""

    def place(application: Application) -> tuple[object, ...]:
        keys = {
            RankKey.PRIORITY: not has_priority(programme, application.labels),
            RankKey.ARRIVAL: application.applied_at,
        }
        return (*(keys[key] for key in programme.issuance.ranking), application.id)

    return tuple(sorted(applications, key=place))


def award(programme: Programme, applications: Iterable[Application], pool_fen: int) -> Ranking:
    """Give a round's money out in the programme's order until none is left.

    Nobody is passed over: the first whom the money does not cover gets what is left, and all after it
    get nothing. They wait where the programme keeps a waiting list (LS-06, GZ-30).
    """
    awards, waiting = [], []
    for application in ranked(programme, applications):
        amount = min(application.amount_fen, pool_fen)
        pool_fen -= amount
        if amount:
            awards.append(Award(application, amount))
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
    ahead_of_everybody = applications
    if programme.issuance.ranking[0] is RankKey.PRIORITY:
        ahead_of_everybody = [one for one in applications if has_priority(programme, one.labels)]
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
