"""Review ranges: what a reviewer's list consists of, and the SQL that finds each part in an index.

A queue is a range of an index for each role (or claim) and programme, read in the order of the list, with
everything that narrows a list in the index itself (``migrations/0002_guards.py``). A step, an amount, an area
and a subject have an index each as well. So there are two ways to what is wanted, and whoever asks says which
one: if it is ``few``, all of it through its own index, to be sorted; if not, in the order of the list, looked
at until the page is full. The conditions are written so that the database has no other way: it keeps one
plan for a statement, and cannot know how many it will find.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.eligibility import AREA_SEPARATOR, lies_within
from server.services.reviews.review_cases import unix_ms
from server.services.reviews.reviewers import Reviewer

SOON = timedelta(days=3)
AFTER_SEPARATOR = chr(ord(AREA_SEPARATOR) + 1)
COMPARISONS = {"=": "eq", ">=": "ge", "<=": "le"}
_TAIL = re.compile(r"[0-9]{6}", re.ASCII)
_NUMBER = re.compile(r"[0-9]{8}", re.ASCII)
_CODE = re.compile(r"[0-9A-Z]{18}", re.ASCII)


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


class Statement:
    """SQL in the making: every value becomes a parameter."""

    def __init__(self, dialect: str) -> None:
        self.values: list[Any] = []
        self.is_postgres = dialect == "postgres"
        self._mark = "$" if self.is_postgres else "?"

    def put(self, value: Any) -> str:
        """The place of one more parameter."""
        self.values.append(value)
        return f"{self._mark}{len(self.values)}"

    def compared(self, column: str, is_what: str, value: str | int, *, indexed: bool) -> str:
        """A comparison that an index may serve, or the same in words that none knows.

        PostgreSQL takes a function for true of every third row, so it trusts that a page is full soon and
        starts no other process to help it look.
        """
        place = self.put(value)
        if indexed:
            return f"{column} {is_what} {place}"
        if not self.is_postgres:
            return f"+{column} {is_what} {place}"
        kind = "text" if isinstance(value, str) else "int8"
        return f"{kind}{COMPARISONS[is_what]}({column}, {place})"

    @property
    def fence(self) -> str:
        """At the end of a subquery: it is not made one with what is around it."""
        return " OFFSET 0" if self.is_postgres else " LIMIT -1"


@dataclass(frozen=True, slots=True)
class Place:
    """Where cases are: one programme, and one area with all below it; empty: everywhere."""

    slug: str
    area: str


@dataclass(frozen=True, slots=True)
class Range:
    """The cases of one place whose turn is one role's, or which one member of staff has claimed.

    ``holder`` is a role or the id of a member of staff, ``None`` for every case of the place.
    """

    place: Place
    holder: Role | int | None


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks for what, and by which clocks."""

    reviewer: Reviewer
    wanted: Wanted
    slugs: Sequence[str]
    now: Callable[[str], datetime]

    def ranges(self, queue: Queue) -> list[Range]:
        """What a queue consists of; no case is in two of them."""
        return list(self._ranges(queue))

    def ways(self, place: Place) -> Sequence[str]:
        """By what there are two ways to what is wanted of a place, the first of them to be looked into.

        None where an organisation, an application or a search leads to few cases in any case.
        """
        wanted = self.wanted
        if wanted.search or not (wanted.organisation_id is None is wanted.application_id):
            return ()
        has_amount = not (wanted.amount_from_fen is None is wanted.amount_to_fen)
        known = {"step": wanted.step, "amount": has_amount, "area": place.area, "subject": wanted.subject}
        return [name for name, given in known.items() if given]

    def probe(self, place: Place, statement: Statement) -> list[str]:
        """The conditions that find what is wanted of a place through an index of its own."""
        return [_in(place.slug, statement), *self._bounds(place, statement, few=True)]

    def conditions(self, one: Range, queue: Queue, statement: Statement, *, few: bool) -> list[str]:
        """The conditions of a range, to be found on one of the two ways."""
        return [
            *_held(one.holder, statement),
            _in(one.place.slug, statement),
            *self._urgency(one.place.slug, queue, statement),
            *self._filters(statement),
            *self._bounds(one.place, statement, few=few),
        ]

    def _ranges(self, queue: Queue) -> Iterator[Range]:
        for slug in self.slugs:
            everywhere = self._places(slug, self.reviewer.areas_in(slug))
            if queue is Queue.ALL:
                yield from (Range(place, None) for place in everywhere)
            elif queue is Queue.MINE:
                claimers = (self.reviewer.id, *sorted(self.reviewer.principals))
                yield from (Range(place, one) for place in everywhere for one in claimers)
            else:
                for role in sorted(self.reviewer.roles):
                    for place in self._places(slug, self.reviewer.areas_in(slug, role)):
                        yield Range(place, role)

    def _places(self, slug: str, seen: Sequence[str] | None) -> list[Place]:
        """Where in a programme to look, no place within another, for who sees these areas of it."""
        if seen is None:
            return []
        wanted = self.wanted.area
        if not seen or (wanted and lies_within(wanted, seen)):
            return [Place(slug, wanted)]
        inside = [area for area in seen if not wanted or lies_within(area, [wanted])]
        return [
            Place(slug, area)
            for area in inside
            if not lies_within(area, [other for other in inside if other != area])
        ]

    def _urgency(self, slug: str, queue: Queue, statement: Statement) -> Iterator[str]:
        now = self.now(slug)
        if queue is Queue.TEAM:
            yield "claimed_by IS NULL"
        elif queue is Queue.LATE:
            yield f"rank_ms <= {statement.put(unix_ms(now))}"
        elif queue is Queue.SOON:
            yield f"rank_ms > {statement.put(unix_ms(now))}"
            yield f"rank_ms <= {statement.put(unix_ms(now + SOON))}"

    def _bounds(self, place: Place, statement: Statement, *, few: bool) -> Iterator[str]:
        """What narrows a list; an index of its own is of use to the first of it alone, if it is few."""
        wanted = self.wanted
        through = next(iter(self.ways(place)), "") if few else ""
        for name, column, is_what, value in (
            ("step", "step_name", "=", wanted.step or None),
            ("subject", "subject", "=", None if wanted.subject is None else wanted.subject.value),
            ("amount", "amount_fen", ">=", wanted.amount_from_fen),
            ("amount", "amount_fen", "<=", wanted.amount_to_fen),
        ):
            if value is not None:
                yield statement.compared(column, is_what, value, indexed=through == name)
        if through == "area":
            column = 'area COLLATE "C"' if statement.is_postgres else "area"
            yield f"{column} >= {statement.put(place.area)}"
            yield f"{column} < {statement.put(place.area + AFTER_SEPARATOR)}"
        if place.area:
            # A range of the index is not exactly the area and what lies below it.
            inside = place.area + AREA_SEPARATOR
            itself = statement.compared("area", "=", place.area, indexed=False)
            below = statement.compared(f"substr(area, 1, {len(inside)})", "=", inside, indexed=False)
            yield f"({itself} OR {below})"

    def _filters(self, statement: Statement) -> Iterator[str]:
        """What leads to few cases by itself."""
        wanted = self.wanted
        if wanted.organisation_id is not None:
            yield f"organisation_id = {statement.put(wanted.organisation_id)}"
        if wanted.due_before is not None:
            yield f"rank_ms <= {statement.put(unix_ms(wanted.due_before))}"
        if wanted.application_id is not None:
            handed_in = "".join(
                ("SELECT id FROM settlement WHERE application_id = ", statement.put(wanted.application_id))
            )
            yield f"subject = 'settlement' AND subject_id IN ({handed_in})"
        if wanted.search:
            yield from _searched(wanted.search, statement)


def _in(slug: str, statement: Statement) -> str:
    return f"programme_slug = {statement.put(slug)}"


def _held(holder: Role | int | None, statement: Statement) -> Iterator[str]:
    if isinstance(holder, Role):
        yield f"turn = {statement.put(holder.value)}"
    elif holder is not None:
        yield f"turn IS NOT NULL AND claimed_by = {statement.put(holder)}"


def _searched(search: str, statement: Statement) -> Iterator[str]:
    if _TAIL.fullmatch(search):
        yield f"id % 1000000 = {statement.put(int(search))}"
    elif _NUMBER.fullmatch(search):
        yield f"id = {statement.put(int(search))}"
    elif _CODE.fullmatch(search.upper()):
        yield f"uscc = {statement.put(search.upper())}"
    elif statement.is_postgres:
        place = statement.put(search)
        yield f"name_pairs(organisation_name) @> name_pairs({place})"
        yield f"strpos(organisation_name, {place}) > 0"
    else:
        yield f"instr(organisation_name, {statement.put(search)}) > 0"
