"""The inbox of reviewers: mine, my team's, due soon, late; searched, filtered, counted, page by page.

However many cases there are, a request reads a page of each index and counts to a thousand: every queue
is made of ranges of an index (``services/reviews/review_ranges.py``), one for each role and programme of the
reviewer, because each programme has its own clock. What narrows a list is looked into first, to a thousand
cases: who finds no more reads them all in their own index and sorts them, who does finds a page soon in the
order of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tortoise.connection import get_connections

from server.errors import Refusal
from server.models.reviews import ReviewCase
from server.programme.registry import Programmes
from server.services.clocks import ProgrammeClocks
from server.services.reviews.review_ranges import Asking, Place, Queue, Statement, Wanted
from server.services.reviews.reviewers import Reviewer

MOST_COUNTED = 999
LARGEST_PAGE = 100
COUNT_TO = f" LIMIT {MOST_COUNTED + 1}"
READ_TO = f" LIMIT {LARGEST_PAGE + 1}"
"""Written out, not given as parameters: PostgreSQL then keeps one plan, instead of making it anew each time
because it cannot know how few rows are wanted."""
SHORTEST_NAME = 2
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


COUNTED = (Queue.MINE, Queue.TEAM, Queue.SOON, Queue.LATE)


class SearchTooShort(Refusal):
    """A single character would find half of everybody."""

    status, code = 422, "search_too_short"


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
    asking = Asking(
        reviewer, wanted, [slug for slug in slugs if wanted.programme in (None, slug)], clocks.now
    )
    few = await _looked_into(connection, asking)
    keys = await _keys(connection, asking, few, after, limit + 1)
    rows = {row["id"]: row for row in await ReviewCase.filter(id__in=keys[:limit]).values(*_SHOWN)}
    shown = [rows[key] for key in keys[:limit] if key in rows]
    last = shown[-1] if shown and len(keys) > limit else None
    return InboxPage(
        shown,
        await _counts(connection, asking, few),
        None if last is None else Cursor(last["rank_ms"], last["id"]),
    )


async def _looked_into(connection: Any, asking: Asking) -> dict[Place, bool]:
    """Every place of the lists, and whether what is wanted of it is few; where nothing is, is left out."""
    ranges = (one for queue in (asking.wanted.queue, *COUNTED) for one in asking.ranges(queue))
    few = dict.fromkeys((one.place for one in ranges), False)
    probed = [place for place in few if asking.ways(place)]
    if not probed:
        return few
    statement = Statement(connection.capabilities.dialect)
    counts = (
        "".join((_number_of([_cases(asking.probe(place, statement))]), f" AS n{number}"))
        for number, place in enumerate(probed)
    )
    row = (await connection.execute_query_dict("".join(("SELECT ", ", ".join(counts))), statement.values))[0]
    for number, place in enumerate(probed):
        few[place] = row[f"n{number}"] <= MOST_COUNTED
        if not row[f"n{number}"]:
            del few[place]
    return few


async def _keys(
    connection: Any, asking: Asking, few: Mapping[Place, bool], after: Cursor, limit: int
) -> list[int]:
    """The ids of one page: the first of every range, merged."""
    statement = Statement(connection.capabilities.dialect)
    queue = asking.wanted.queue
    parts = []
    for one in asking.ranges(queue):
        if one.place not in few:
            continue
        conditions = asking.conditions(one, queue, statement, few=few[one.place])
        place = f"(rank_ms, id) > ({statement.put(after.rank_ms)}, {statement.put(after.id)})"
        if few[one.place]:
            cases = "".join(("(", _cases(conditions, "rank_ms, id"), statement.fence, ") AS few"))
            narrowed = "".join(("SELECT rank_ms, id FROM ", cases, " WHERE ", place))
        else:
            narrowed = _cases([*conditions, place], "rank_ms, id")
        parts.append("".join(("SELECT * FROM (", narrowed, f" ORDER BY rank_ms, id{READ_TO}) AS part")))
    if not parts:
        return []
    text = "".join((" UNION ALL ".join(parts), f" ORDER BY rank_ms, id{READ_TO}"))
    rows = await connection.execute_query_dict(text, statement.values)
    return [row["id"] for row in rows[:limit]]


async def _counts(connection: Any, asking: Asking, few: Mapping[Place, bool]) -> dict[Queue, Counted]:
    """Every queue counted, to a thousand at most, in one statement."""
    statement = Statement(connection.capabilities.dialect)
    sums = []
    for queue in COUNTED:
        cases = [
            _cases(asking.conditions(one, queue, statement, few=few[one.place]))
            for one in asking.ranges(queue)
            if one.place in few
        ]
        sums.append(_number_of(cases) if cases else "0")
    named = (f"{total} AS {queue.value}" for queue, total in zip(COUNTED, sums, strict=True))
    row = (await connection.execute_query_dict("".join(("SELECT ", ", ".join(named))), statement.values))[0]
    return {queue: Counted(min(row[queue], MOST_COUNTED), row[queue] > MOST_COUNTED) for queue in COUNTED}


def _cases(conditions: Sequence[str], columns: str = "1") -> str:
    return "".join(("SELECT ", columns, " FROM review_case WHERE ", " AND ".join(conditions)))


def _number_of(cases: Sequence[str]) -> str:
    """How many these are together, to a thousand at most."""
    return "".join(("(SELECT count(*) FROM (", " UNION ALL ".join(cases), COUNT_TO, ") AS part)"))
