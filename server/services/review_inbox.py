"""The inbox of reviewers: mine, my team's, due soon, late; searched, filtered, counted, page by page.

However many cases there are, a request reads a page of each index and counts to a thousand: every queue
is a range of an index of its own (``migrations/0002_guards.py``), read once for each role and programme
of the reviewer, because each programme has its own clock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from tortoise.connection import get_connections

from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.rules.eligibility import AREA_SEPARATOR
from server.services.clocks import ProgrammeClocks
from server.services.review_cases import unix_ms
from server.services.reviewers import Reviewer

MOST_COUNTED = 999
LARGEST_PAGE = 100
COUNT_TO = f" LIMIT {MOST_COUNTED + 1}"
READ_TO = f" LIMIT {LARGEST_PAGE + 1}"
"""Written out, not given as parameters: PostgreSQL then keeps one plan, instead of making it anew each time
because it cannot know how few rows are wanted."""
SOON = timedelta(days=3)
SHORTEST_NAME = 2
AFTER_SEPARATOR = chr(ord(AREA_SEPARATOR) + 1)
_TAIL = re.compile(r"[0-9]{6}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{8}", re.ASCII)
_CODE = re.compile(r"[0-9A-Z]{18}", re.ASCII)
_SHOWN = (
    "id",
    "subject",
    "programme_slug",
    "organisation_name",
    "uscc",
    "title",
    "status",
    "step_name",
    "turn",
    "claimed_by",
    "due_at",
    "due_provisional",
    "rank_ms",
    "amount_fen",
    "version",
    "opened_at",
)


class Queue(StrEnum):
    """The lists of an inbox."""

    MINE = "mine"
    """What I have taken on."""
    TEAM = "team"
    """My roles' turn, and nobody has taken it on."""
    SOON = "soon"
    """My roles' turn, and due within :data:`SOON`."""
    LATE = "late"
    """My roles' turn, and its time is over."""
    ALL = "all"
    """Every case of my programmes and areas, at its end or not."""


COUNTED = (Queue.MINE, Queue.TEAM, Queue.SOON, Queue.LATE)


class SearchTooShort(Refusal):
    """A single character would find half of everybody."""

    status, code = 422, "search_too_short"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a reviewer looks for. ``search`` is part of a name, a USCC, a number or its last six digits.

    ``step`` is what a step is called, ``area`` the area and all below it; ``due_before`` is exclusive.
    """

    queue: Queue = Queue.MINE
    programme: str | None = None
    subject: ReviewSubject | None = None
    search: str = ""
    step: str = ""
    organisation_id: int | None = None
    area: str = ""
    due_before: datetime | None = None
    amount_from_fen: int | None = None
    amount_to_fen: int | None = None
    application_id: int | None = None
    """Only what was handed in together for settlement."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a page begins: after the case of this rank and id."""

    rank_ms: int = 0
    id: int = 0


@dataclass(frozen=True, slots=True)
class Counted:
    """How many cases are in a queue; with ``more``, at least one more than that."""

    number: int
    more: bool


@dataclass(frozen=True, slots=True)
class InboxPage:
    """One page of a queue as plain rows, and how many each queue holds under the same filters."""

    rows: list[dict[str, Any]]
    counts: Mapping[Queue, Counted]
    next_after: Cursor | None


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who asks for what, and what each of the conditions below is made from."""

    reviewer: Reviewer
    wanted: Wanted
    dialect: str
    slugs: Sequence[str]
    now: Callable[[str], datetime]


class _Statement:
    """SQL in the making: every value becomes a parameter."""

    def __init__(self, dialect: str) -> None:
        self.values: list[Any] = []
        self._mark = "$" if dialect == "postgres" else "?"

    def put(self, value: Any) -> str:
        """The place of one more parameter."""
        self.values.append(value)
        return f"{self._mark}{len(self.values)}"


async def page(
    reviewer: Reviewer,
    wanted: Wanted,
    *,
    programmes: Programmes,
    clocks: ProgrammeClocks,
    after: Cursor,
    limit: int,
) -> InboxPage:
    """A page of a queue, the most urgent first, and the counts of all queues.

    ``limit`` is at most :data:`LARGEST_PAGE`. Raises :class:`SearchTooShort`.
    """
    if wanted.search and len(wanted.search) < SHORTEST_NAME:
        raise SearchTooShort(least=SHORTEST_NAME)
    connection = get_connections().get(ReviewCase._meta.db.connection_name)
    known = [one.slug for one in programmes]
    slugs = [slug for slug in known if reviewer.areas_in(slug) is not None]
    asking = _Asking(
        reviewer,
        wanted,
        connection.capabilities.dialect,
        [slug for slug in slugs if wanted.programme in (None, slug)],
        clocks.now,
    )
    keys = await _keys(connection, asking, after, limit + 1)
    rows = {row["id"]: row for row in await ReviewCase.filter(id__in=keys[:limit]).values(*_SHOWN)}
    shown = [rows[key] for key in keys[:limit] if key in rows]
    last = shown[-1] if shown and len(keys) > limit else None
    return InboxPage(
        shown,
        await _counts(connection, asking),
        None if last is None else Cursor(last["rank_ms"], last["id"]),
    )


async def _keys(connection: Any, asking: _Asking, after: Cursor, limit: int) -> list[int]:
    """The ids of one page: the first of every range, merged."""
    statement = _Statement(asking.dialect)
    parts = []
    for conditions in _ranges(asking, asking.wanted.queue, statement):
        place = f"(rank_ms, id) > ({statement.put(after.rank_ms)}, {statement.put(after.id)})"
        parts.append(
            "".join(
                (
                    "SELECT * FROM (SELECT rank_ms, id FROM review_case WHERE ",
                    " AND ".join((*conditions, place)),
                    f" ORDER BY rank_ms, id{READ_TO}) AS part",
                )
            )
        )
    if not parts:
        return []
    text = "".join((" UNION ALL ".join(parts), f" ORDER BY rank_ms, id{READ_TO}"))
    rows = await connection.execute_query_dict(text, statement.values)
    return [row["id"] for row in rows[:limit]]


async def _counts(connection: Any, asking: _Asking) -> dict[Queue, Counted]:
    """Every queue counted, to a thousand at most, in one statement."""
    statement = _Statement(asking.dialect)
    sums = []
    for queue in COUNTED:
        ranges = [
            "".join(("SELECT 1 FROM review_case WHERE ", " AND ".join(conditions)))
            for conditions in _ranges(asking, queue, statement)
        ]
        if not ranges:
            sums.append("0")
            continue
        sums.append("".join(("(SELECT count(*) FROM (", " UNION ALL ".join(ranges), COUNT_TO, ") AS part)")))
    named = (f"{total} AS {queue.value}" for queue, total in zip(COUNTED, sums, strict=True))
    row = (await connection.execute_query_dict("".join(("SELECT ", ", ".join(named))), statement.values))[0]
    return {queue: Counted(min(row[queue], MOST_COUNTED), row[queue] > MOST_COUNTED) for queue in COUNTED}


def _ranges(asking: _Asking, queue: Queue, statement: _Statement) -> Iterator[list[str]]:
    """The conditions of each range of the queue's index."""
    for slug in asking.slugs:
        seen = asking.reviewer.areas_in(slug) or ()
        if queue is Queue.ALL:
            yield [_of(slug, statement), *_filters(asking, seen, statement)]
        elif queue is Queue.MINE:
            for one in (asking.reviewer.id, *sorted(asking.reviewer.principals)):
                mine = f"turn IS NOT NULL AND claimed_by = {statement.put(one)}"
                yield [mine, _of(slug, statement), *_filters(asking, seen, statement)]
        else:
            for role in sorted(asking.reviewer.roles):
                if (areas := asking.reviewer.areas_in(slug, role)) is None:
                    continue
                turn = f"turn = {statement.put(role.value)}"
                urgency = _urgency(queue, asking.now(slug), statement)
                yield [turn, _of(slug, statement), urgency, *_filters(asking, areas, statement)]


def _of(slug: str, statement: _Statement) -> str:
    return f"programme_slug = {statement.put(slug)}"


def _urgency(queue: Queue, now: datetime, statement: _Statement) -> str:
    if queue is Queue.TEAM:
        return "claimed_by IS NULL"
    if queue is Queue.LATE:
        return f"rank_ms <= {statement.put(unix_ms(now))}"
    soon = statement.put(unix_ms(now)), statement.put(unix_ms(now + SOON))
    return f"rank_ms > {soon[0]} AND rank_ms <= {soon[1]}"


def _filters(asking: _Asking, areas: Sequence[str], statement: _Statement) -> Iterator[str]:
    """What narrows every queue alike; ``areas`` are those seen of it, none for all."""
    if asking.wanted.subject is not None:
        yield f"subject = {statement.put(asking.wanted.subject.value)}"
    if areas:
        yield f"({' OR '.join(_below(area, statement) for area in areas)})"
    yield from _narrowed(asking, statement)
    search = asking.wanted.search
    if not search:
        return
    if _TAIL.fullmatch(search):
        yield f"id % 1000000 = {statement.put(int(search))}"
    elif _NUMBER.fullmatch(search):
        yield f"id = {statement.put(int(search))}"
    elif _CODE.fullmatch(search.upper()):
        yield f"uscc = {statement.put(search.upper())}"
    elif asking.dialect == "postgres":
        place = statement.put(search)
        yield f"name_pairs(organisation_name) @> name_pairs({place})"
        yield f"strpos(organisation_name, {place}) > 0"
    else:
        yield f"instr(organisation_name, {statement.put(search)}) > 0"


def _narrowed(asking: _Asking, statement: _Statement) -> Iterator[str]:
    """What somebody chose from the lists of an inbox; each has an index that holds little else."""
    wanted = asking.wanted
    if wanted.step:
        yield f"step_name = {statement.put(wanted.step)}"
    if wanted.organisation_id is not None:
        yield f"organisation_id = {statement.put(wanted.organisation_id)}"
    if wanted.due_before is not None:
        yield f"rank_ms <= {statement.put(unix_ms(wanted.due_before))}"
    if wanted.amount_from_fen is not None:
        yield f"amount_fen >= {statement.put(wanted.amount_from_fen)}"
    if wanted.amount_to_fen is not None:
        yield f"amount_fen <= {statement.put(wanted.amount_to_fen)}"
    if wanted.application_id is not None:
        handed_in = "".join(
            ("SELECT id FROM settlement WHERE application_id = ", statement.put(wanted.application_id))
        )
        yield f"subject = 'settlement' AND subject_id IN ({handed_in})"
    if wanted.area:
        # A range of the index, and within it exactly the area and what lies below it.
        column = 'area COLLATE "C"' if asking.dialect == "postgres" else "area"
        yield f"{column} >= {statement.put(wanted.area)}"
        yield f"{column} < {statement.put(wanted.area + AFTER_SEPARATOR)}"
        yield f"({_below(wanted.area, statement)})"


def _below(area: str, statement: _Statement) -> str:
    inside = area + AREA_SEPARATOR
    start = f"substr(area, 1, {len(inside)}) = {statement.put(inside)}"
    return f"area = {statement.put(area)} OR {start}"
