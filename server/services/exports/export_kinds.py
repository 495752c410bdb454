"""Kinds of exports: what a list consists of, who may have it, and how its rows are read page by page.

A source reads its rows by keyset and bounds itself once, at the beginning: what is written meanwhile
belongs to the next export. Whatever is personal in a row names its mask; only an export that was asked for
with the right and a reason goes without.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

from tortoise.expressions import Q
from tortoise.models import Model
from tortoise.queryset import QuerySet

from server.gateways.sheet_press import CellKind
from server.models.exports import ExportJob
from server.rules.deadlines import end_of, start_of
from server.rules.eligibility import AREA_SEPARATOR
from server.services.access import StaffRole

PAGE_ROWS = 2_000
"""Rows that are read and kept at a time."""

Cell = str | int | date | datetime | None


@dataclass(frozen=True, slots=True)
class ExportFilters:
    """What narrows a list; a kind says which of these it knows. Days are China's, both included."""

    since: date | None = None
    until: date | None = None
    status: str = ""
    category: str = ""
    year: int | None = None

    def chosen(self) -> dict[str, Any]:
        """The ones that are set, as they are kept."""
        named: dict[str, Any] = {
            "since": self.since and self.since.isoformat(),
            "until": self.until and self.until.isoformat(),
            "status": self.status,
            "category": self.category,
            "year": self.year,
        }
        return {name: value for name, value in named.items() if value}

    @classmethod
    def kept(cls, filters: Mapping[str, Any]) -> ExportFilters:
        """The same as they were kept."""
        known: dict[str, Any] = dict(filters)
        for name in {"since", "until"} & known.keys():
            known[name] = date.fromisoformat(known[name])
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Scope:
    """What one export is about: a programme, as far as its asker may see it."""

    programme_slug: str
    filters: ExportFilters = ExportFilters()
    areas: frozenset[str] = frozenset()
    """The areas that its asker is bound to, empty: no bound."""
    through_id: int | None = None
    """The last row there was at its beginning."""
    revealed: bool = False


@dataclass(frozen=True, slots=True)
class ExportColumn:
    """One column; ``mask`` covers what is personal in it."""

    title: str
    kind: CellKind = "text"
    width: int = 18
    total: bool = False
    mask: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class ExportPage:
    """Some rows in the order of their ids, and the last id that was read; empty: there are no more."""

    rows: Sequence[Sequence[Cell]]
    last_id: int


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many rows there are, and the last of them."""

    rows: int
    through_id: int


class ExportSource(Protocol):
    """One kind of list. Register it with ``exports.serve(kind, source)``."""

    @property
    def title(self) -> str:
        """What the list is called."""

    @property
    def columns(self) -> Sequence[ExportColumn]:
        """Its columns, in their order."""

    @property
    def filters(self) -> frozenset[str]:
        """Which of :class:`ExportFilters` it knows."""

    @property
    def statuses(self) -> Mapping[str, str]:
        """What the codes are called by which it can be narrowed to a status."""

    @property
    def readers(self) -> frozenset[StaffRole]:
        """Who may have it."""

    @property
    def by_area(self) -> bool:
        """Whether it can be narrowed to the areas that its asker is bound to."""

    @property
    def revealers(self) -> frozenset[StaffRole]:
        """Who of them may have its personal data in clear, with a reason."""

    async def bounds(self, scope: Scope) -> Bounds:
        """How long the list is now."""

    async def page(self, scope: Scope, *, after: int, limit: int) -> ExportPage:
        """The rows after an id, up to ``scope.through_id``."""


CountedOff = Callable[[int, int], Awaitable[None]]
"""Say how much is done of how much. The job is held again; who says nothing for long loses it."""


class ExportWhole(Protocol):
    """One kind of file that is no list: made at one go. Register it with ``exports.serve_whole``.

    Whoever takes it over from a dead process begins anew.
    """

    def title_of(self, job: ExportJob) -> str:
        """What the file is called in a sentence."""

    def name_of(self, job: ExportJob) -> str:
        """What the file is called when it is fetched."""

    async def make(self, job: ExportJob, path: Path, counted_off: CountedOff) -> None:
        """Write the file to ``path``."""


Rows = Callable[[Sequence[Mapping[str, Any]], Scope], Awaitable[Sequence[Sequence[Cell]]]]
NOBODY: frozenset[StaffRole] = frozenset()


@dataclass(frozen=True, slots=True)
class TableSource:
    """A list that is one table of ours with what hangs on it.

    ``reads`` are the columns that are read of a row, ``rows`` makes cells of them; ``on`` names the columns
    that filters look at: ``programme``, ``at`` (instant), ``status``, ``category``, ``year``, ``area``.
    """

    title: str
    model: type[Model]
    columns: Sequence[ExportColumn]
    reads: Sequence[str]
    rows: Rows
    on: Mapping[str, str]
    readers: frozenset[StaffRole]
    revealers: frozenset[StaffRole] = NOBODY
    statuses: Mapping[str, str] = field(default_factory=dict)
    narrowed: Q = field(default_factory=Q)
    belongs: Callable[[str], Any] = str
    """What the programme's column is compared with, made of its slug."""

    @property
    def filters(self) -> frozenset[str]:
        """Which of the filters this table has a column for."""
        days = {"since", "until"} if "at" in self.on else set()
        return frozenset(days | ({"status", "category", "year"} & self.on.keys()))

    @property
    def by_area(self) -> bool:
        """Whether its rows know an area."""
        return "area" in self.on

    async def bounds(self, scope: Scope) -> Bounds:
        """How many rows there are now, and the last of them."""
        wanted = self._wanted(scope)
        last: int | None = await wanted.order_by("-id").first().values_list("id", flat=True)  # type: ignore[assignment]
        if last is None:
            return Bounds(0, 0)
        return Bounds(await wanted.filter(id__lte=last).count(), last)

    async def page(self, scope: Scope, *, after: int, limit: int) -> ExportPage:
        """The rows after an id."""
        wanted = self._wanted(scope).filter(id__gt=after)
        if scope.through_id is not None:
            wanted = wanted.filter(id__lte=scope.through_id)
        found = await wanted.order_by("id").limit(limit).values("id", *self.reads)
        if not found:
            return ExportPage((), after)
        return ExportPage(await self.rows(found, scope), int(found[-1]["id"]))

    def _wanted(self, scope: Scope) -> QuerySet[Any]:
        filters, on = scope.filters, self.on
        bounds: dict[str, Any] = {on["programme"]: self.belongs(scope.programme_slug)}
        if filters.since is not None:
            bounds[f"{on['at']}__gte"] = start_of(filters.since)
        if filters.until is not None:
            bounds[f"{on['at']}__lt"] = end_of(filters.until)
        bounds |= {
            on[name]: value
            for name in ("status", "category", "year")
            if (value := getattr(filters, name)) and name in on
        }
        wanted = self.model.filter(self.narrowed, **bounds)
        return wanted.filter(_within(scope.areas, on["area"])) if scope.areas else wanted


def _within(areas: frozenset[str], column: str) -> Q:
    bounds = [
        Q(**{key: value})
        for area in sorted(areas)
        for key, value in ((column, area), (f"{column}__startswith", area + AREA_SEPARATOR))
    ]
    return Q(*bounds, join_type=Q.OR)
