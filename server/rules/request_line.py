"""The line of a period: requests for vouchers on contracts, issued in the programme's order.

Requests are reviewed one by one, in whatever order the reviewer takes them; the money is given out in the
order of the programme (NX-31, NX-32). So a request that is decided early does not overtake one that came
before it: what those ahead may still need is set aside for them until they, too, are decided. What is
issued is never taken back, whoever comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from server import texts
from server.programme.model import Programme
from server.rules.issuance import Application, Award, ranked
from server.units import yuan


class RequestStatus(StrEnum):
    """Where a request stands."""

    PENDING = "pending"
    """Somebody has yet to review it."""
    RETURNED = "returned"
    """Sent back to be put right; it keeps its place."""
    APPROVED = "approved"
    """Reviewed; the money of those ahead of it is not decided yet, or money has yet to be found."""
    ISSUED = "issued"
    REFUSED = "refused"
    LEFT_OUT = "left_out"
    """The period's money was out."""
    WITHDRAWN = "withdrawn"


OPEN = frozenset({RequestStatus.PENDING, RequestStatus.RETURNED, RequestStatus.APPROVED})
"""In the line, not issued yet."""

REQUEST_MOVES: Mapping[RequestStatus, frozenset[RequestStatus]] = {
    RequestStatus.PENDING: frozenset(
        {RequestStatus.APPROVED, RequestStatus.REFUSED, RequestStatus.RETURNED, RequestStatus.WITHDRAWN}
    ),
    RequestStatus.RETURNED: frozenset({RequestStatus.PENDING, RequestStatus.WITHDRAWN}),
    RequestStatus.APPROVED: frozenset(
        {RequestStatus.ISSUED, RequestStatus.LEFT_OUT, RequestStatus.WITHDRAWN}
    ),
    RequestStatus.ISSUED: frozenset(),
    RequestStatus.REFUSED: frozenset(),
    RequestStatus.LEFT_OUT: frozenset(),
    RequestStatus.WITHDRAWN: frozenset(),
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request in the line; ``decided``: its review is over, and only the money is still asked."""

    application: Application
    decided: bool


@dataclass(frozen=True, slots=True)
class Turn:
    """What is to be done now: issued in this order, and left without anything, each with its sum."""

    awards: tuple[Award, ...]
    empty_handed: tuple[tuple[Application, str], ...]


def turn(programme: Programme, line: Iterable[Waiting], left_fen: int) -> Turn:
    """Whom the money that a period has left goes to now, fen.

    Who is decided is issued its amount if the money covers it after everybody ahead. If it does not, and
    somebody ahead is undecided, it waits: their refusal may free money. If nobody ahead is, it gets what is
    left, as the first whom the money does not cover (as in ``issuance.award``), or nothing.
    """
    waiting = {one.application.id: one for one in line}
    awards: list[Award] = []
    empty_handed: list[tuple[Application, str]] = []
    undecided_ahead = False
    for application in ranked(programme, (one.application for one in waiting.values())):
        if not waiting[application.id].decided:
            undecided_ahead = True
            left_fen = max(0, left_fen - application.amount_fen)
        elif application.amount_fen <= left_fen or (left_fen and not undecided_ahead):
            amount_fen = min(application.amount_fen, left_fen)
            left_fen -= amount_fen
            awards.append(Award(application, amount_fen))
        elif undecided_ahead:
            # It stays in the line, and so does its claim to the money behind those ahead.
            left_fen = 0
        else:
            empty_handed.append((application, texts.NONE_LEFT.format(asked=yuan(application.amount_fen))))
    return Turn(tuple(awards), tuple(empty_handed))
