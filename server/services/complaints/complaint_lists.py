"""Reading complaints: a complainant's own case with its thread, and the queues of whoever handles them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from tortoise.expressions import Q

from server.models.complaints import Complaint, OrderHold
from server.rules.complaints import COMPLAINT_MAY, Audience, ComplaintAct
from server.services.access import Actor
from server.services.complaints.complaint_book import ComplaintBook, Line
from server.services.complaints.complaint_clock import OPEN
from server.services.complaints.complaint_desk import case_for, visible
from server.services.complaints.complaints import Complaints, Whose

PAGE = 50


class Queue(StrEnum):
    """Which cases of a rung somebody looks at."""

    MINE = "mine"
    """In my hand."""
    TEAM = "team"
    """In nobody's hand."""
    DUE = "due"
    """Half their time is over."""
    LATE = "late"
    ALL = "all"
    """Whatever stands on the rung, closed ones too."""


@dataclass(frozen=True, slots=True)
class OwnCase:
    """A complainant's own case."""

    complaint: Complaint
    happened: str
    wanted: str
    rung: str
    """What the rung it stands at is called."""
    basis: str
    """The clause of the ladder, or that it is the house's default."""
    lines: tuple[Line, ...]
    urgeable: bool
    reopenable: bool
    mailbox: bool
    """It may be brought past everybody who has handled it."""


@dataclass(frozen=True, slots=True)
class HandledCase:
    """A case as whoever handles it reads it: nothing of whose it is."""

    complaint: Complaint
    happened: str
    wanted: str
    rung: str
    basis: str
    methods: tuple[str, ...]
    lines: tuple[Line, ...]
    held: bool
    """Its order is held."""


async def own_case(complaints: Complaints, complaint_id: int, by: Whose) -> OwnCase:
    """A case of somebody's own, with what they may do with it. Raises ``NotFound``."""
    book, complaint = complaints.book, await complaints.own(complaint_id, by)
    now, ladder = book.now(complaint.programme_slug), book.ladder_of(complaint)
    may = COMPLAINT_MAY[complaint.status]
    again, until = complaint.urge_again_at, complaint.reopen_until
    reopenable = ComplaintAct.REOPEN in may and (until is None or now < until)
    return OwnCase(
        complaint=complaint,
        happened=book.sealer.open(complaint.happened_sealed),
        wanted=book.sealer.open(complaint.wanted_sealed),
        rung=ladder.rungs[complaint.rung].name,
        basis=ladder.basis,
        lines=tuple(await book.lines(complaint, Audience.COMPLAINANT)),
        urgeable=ComplaintAct.URGE in may and (again is None or now >= again),
        reopenable=reopenable,
        mailbox=reopenable and not complaint.sealed,
    )


async def handled_case(book: ComplaintBook, complaint_id: int, *, actor: Actor) -> HandledCase:
    """A case of the actor's rungs. Raises ``NotFound``."""
    complaint = await case_for(actor, complaint_id)
    ladder = book.ladder_of(complaint)
    rung = ladder.rungs[complaint.rung]
    return HandledCase(
        complaint=complaint,
        happened=book.sealer.open(complaint.happened_sealed),
        wanted=book.sealer.open(complaint.wanted_sealed),
        rung=rung.name,
        basis=ladder.basis,
        methods=rung.methods,
        lines=tuple(await book.lines(complaint, Audience.HANDLERS)),
        held=await OrderHold.exists(complaint_id=complaint.id, lifted_at=None),
    )


async def queue(
    book: ComplaintBook, wanted: Queue, *, actor: Actor, programme: str | None = None, after: int = 0
) -> list[Complaint]:
    """The next cases of a queue after one of them, the most pressing first, at most one more than a page."""
    rows = Complaint.filter(visible(actor))
    if programme is not None:
        rows = rows.filter(programme_slug=programme)
    if wanted is not Queue.ALL:
        rows = rows.filter(status__in=OPEN)
    if wanted is Queue.MINE:
        rows = rows.filter(assigned_to=actor.id)
    elif wanted is Queue.TEAM:
        rows = rows.filter(assigned_to=None)
    elif wanted is Queue.DUE:
        rows = rows.filter(_by_clock(book, actor, "half_way_at"))
    elif wanted is Queue.LATE:
        rows = rows.filter(_by_clock(book, actor, "answer_due_at"))
    if after:
        last = await case_for(actor, after)
        later = Q(answer_due_at__gt=last.answer_due_at)
        rows = rows.filter(later | Q(answer_due_at=last.answer_due_at, id__gt=last.id))
    return await rows.order_by("answer_due_at", "id").limit(PAGE + 1)


def _by_clock(book: ComplaintBook, actor: Actor, column: str) -> Q:
    """Cases whose instant has come by the clock of their own programme."""
    slugs = ["", *sorted(one.slug for one in book.programmes)]
    seen = [slug for slug in slugs if not actor.programmes or not slug or slug in actor.programmes]
    bounds: list[dict[str, Any]] = [
        {"programme_slug": slug, f"{column}__lte": book.now(slug)} for slug in seen
    ]
    return Q(*(Q(**one) for one in bounds), join_type=Q.OR)
