"""Import of blocklists: who is barred, by which clause and how long, as an authority's list has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from server import texts
from server.models.organisations import BlocklistEntry
from server.services.access import Actor
from server.services.admissions.applicants import day
from server.services.imports.import_kinds import (
    Comparison,
    Effect,
    ImportMode,
    ImportSettings,
    ImportSettingsWrong,
)
from server.services.organisations.records import INSTANT
from server.services.rounds.rounds import StandingChange
from server.services.sanctions.blocklist import Ban, Blocklist, midnight, midnight_after
from server.services.tables.cells import day_of, last_day_of, uscc_of
from server.services.tables.import_table import Cells, Column, RowUnusable


@dataclass(frozen=True, slots=True)
class BanLine:
    """One line: whom, why, and its first and last day (``None``: from the import on; for good)."""

    uscc: str
    clause: str
    reason: str
    starts_on: date | None
    ends_on: date | None


class BanList:
    """A list of barred organisations, of one programme or of all."""

    code = "blocklist"
    holder = "uscc"
    columns: tuple[Column, ...] = (
        Column("uscc", texts.IMPORT_COLUMN["uscc"], "91330000000000000X", required=True, width=24),
        Column("name", texts.IMPORT_COLUMN["name"], texts.IMPORT_EXAMPLE["name"], width=36),
        Column(
            "clause", texts.IMPORT_COLUMN["clause"], texts.IMPORT_EXAMPLE["clause"], required=True, width=18
        ),
        Column(
            "reason", texts.IMPORT_COLUMN["reason"], texts.IMPORT_EXAMPLE["reason"], required=True, width=36
        ),
        Column("starts_on", texts.IMPORT_COLUMN["starts_on"], "2024-06-01", width=18),
        Column("ends_on", texts.IMPORT_COLUMN["ends_on"], "2027年5月31日", width=18),
    )

    def __init__(self, blocklist: Blocklist) -> None:
        self._blocklist = blocklist

    def require_usable(self, settings: ImportSettings) -> None:
        """Raises ``UnknownProgramme`` or ``ImportSettingsWrong``."""
        if settings.label:
            raise ImportSettingsWrong(problem=texts.IMPORT_SETTINGS["blocklist"])
        if settings.programme is not None:
            self._blocklist.programmes.get(settings.programme)

    def clause(self, settings: ImportSettings) -> str:
        """None of the list's own: each of its rows names the clause that bars."""
        return ""

    def read(self, cells: Cells, settings: ImportSettings) -> BanLine:
        """A row as a ban; the last day is still a day of the ban."""
        starts_on = cells.read("starts_on", _day_if_any)
        ends_on = cells.read("ends_on", last_day_of)
        if starts_on is not None and ends_on is not None and ends_on < starts_on:
            raise RowUnusable(texts.IMPORT_COLUMN["ends_on"], texts.CELL_FAULTS["backwards"])
        return BanLine(
            uscc=cells.read("uscc", uscc_of) or "",
            clause=cells.text("clause")[:120],
            reason=cells.text("reason"),
            starts_on=starts_on,
            ends_on=ends_on,
        )

    def key(self, item: BanLine) -> object:
        """One list bars an organisation once by one clause."""
        return item.uscc, item.clause

    async def compare(self, items: Sequence[BanLine], settings: ImportSettings) -> Comparison:
        """Compare with what this very list bars now."""
        rows = await BlocklistEntry.filter(
            list_name=settings.list_name, programme_slug=settings.programme, lifted_at__isnull=True
        ).order_by("id")
        known = {(row.uscc, row.clause): row for row in rows}
        effects, replaced = [], []
        for item in items:
            row = known.get((item.uscc, item.clause))
            if row is None:
                effects.append(Effect.NEW)
            elif _says(row, item):
                effects.append(Effect.SAME)
            else:
                effects.append(Effect.CHANGED)
                replaced.append(row.id)
        named = {self.key(item) for item in items}
        gone = [row for key, row in known.items() if key not in named]
        return Comparison(
            effects=tuple(effects),
            replaced=tuple(replaced),
            withdrawn=tuple((row.id, row.uscc) for row in gone)
            if settings.mode is ImportMode.REPLACE
            else (),
        )

    async def carry_out(
        self,
        items: Sequence[BanLine],
        comparison: Comparison,
        settings: ImportSettings,
        *,
        actor: Actor,
        now: datetime,
    ) -> list[StandingChange]:
        """Lift, bar and settle, under the locks of everybody concerned."""
        bans = [
            Ban(
                item.uscc,
                item.clause,
                item.reason,
                None if item.starts_on is None else midnight(item.starts_on),
                None if item.ends_on is None else midnight_after(item.ends_on),
            )
            for item, effect in zip(items, comparison.effects, strict=True)
            if effect in (Effect.NEW, Effect.CHANGED)
        ]
        return await self._blocklist.take_in(
            bans,
            [*comparison.replaced, *(one for one, _ in comparison.withdrawn)],
            slug=settings.programme,
            list_name=settings.list_name,
            actor=actor,
        )


def _day_if_any(text: str) -> date | None:
    return day_of(text) if text else None


def _says(row: BlocklistEntry, item: BanLine) -> bool:
    """Whether an entry is what the line says; a line without a first day means the one there is."""
    ends_on = None if row.ends_at is None else day(row.ends_at - INSTANT)
    return (row.reason, ends_on) == (item.reason, item.ends_on) and item.starts_on in (
        None,
        day(row.starts_at),
    )
