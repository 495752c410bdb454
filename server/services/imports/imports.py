"""Imports: a file is looked at first, and taken in only as it was looked at.

The dry run writes nothing and answers with a fingerprint of the file, its settings and everything that
would change. The import is asked for with that fingerprint and the same file: if anything is different
by then, nothing is done. A file with a single broken row is not imported at all.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.imports import ImportRun
from server.models.rounds import Round
from server.programme.issuance import IssuanceMode
from server.rules.deadlines import told
from server.rules.lifecycles import RoundStatus
from server.services import access, journal
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.imports.import_kinds import Comparison, Effect, ImportKind, ImportSettings
from server.services.rounds.rounds import Rounds
from server.services.tables import sheets
from server.services.tables.import_table import Row, Table, table_of

FEW = 100
"""Lines that may change at any moment: they are settled in a second."""
BEFORE_A_LAUNCH, A_LAUNCH = timedelta(minutes=10), timedelta(minutes=30)
"""The house's own: when a crowd gets ready for a round, and by when it has what it came for."""


class ImportKindUnknown(Refusal):
    """There is no such kind of list."""

    status, code = 404, "import_kind_unknown"


class ImportRowsBroken(Refusal):
    """Some rows cannot be: nothing was taken in."""

    status, code = 422, "import_rows_broken"


class ImportDuringLaunch(Refusal):
    """So many organisations are not settled while thousands grab: from ``until`` on it may be taken in."""

    status, code = 409, "import_during_launch"


class ImportNotPreviewed(Refusal):
    """The file, its settings or what is there already differ from what was looked at."""

    status, code = 409, "import_not_previewed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row does, or what is wrong with it."""

    row: Row[Any]
    effect: Effect
    note: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a file would change. ``withdrawn`` names those whom the list names no longer."""

    sha256: str
    fingerprint: str
    header: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    withdrawn: tuple[str, ...]
    comparison: Comparison

    @property
    def counts(self) -> dict[str, int]:
        """Rows by what they do, and how many lines would be withdrawn."""
        found = Counter(outcome.effect.value for outcome in self.outcomes)
        return {**{effect.value: found[effect.value] for effect in Effect}, "withdrawn": len(self.withdrawn)}

    @property
    def changes(self) -> int:
        """How many lines there would be less, more or other ones."""
        counts = self.counts
        return counts[Effect.NEW.value] + counts[Effect.CHANGED.value] + counts["withdrawn"]


class Imports:
    """The engine; what is particular to a list stands in its kind."""

    def __init__(self, kinds: Iterable[ImportKind], clocks: ProgrammeClocks, rounds: Rounds) -> None:
        self.kinds = {kind.code: kind for kind in kinds}
        self._clocks = clocks
        self._rounds = rounds

    def kind(self, code: str) -> ImportKind:
        """Raises :class:`ImportKindUnknown`."""
        try:
            return self.kinds[code]
        except KeyError:
            raise ImportKindUnknown() from None

    async def template(self, code: str, *, as_csv: bool) -> bytes:
        """The empty form of a kind: its header and an example row, which imports leave out."""
        columns = self.kind(code).columns
        header, example = [one.name for one in columns], [[one.example for one in columns]]
        if as_csv:
            return await asyncio.to_thread(sheets.written_csv, header, example)
        widths = [one.width for one in columns]
        return await asyncio.to_thread(sheets.written, header, example, widths=widths)

    async def preview(self, code: str, raw: bytes, settings: ImportSettings) -> Preview:
        """Everything that the file would do, row by row; nothing is written.

        Raises :class:`ImportKindUnknown`, the kind's refusals of its settings, the sheet's of the file,
        and ``ImportColumnsWrong``.
        """
        kind = self.kind(code)
        kind.require_usable(settings)
        return await self._compared(kind, await self._read(kind, raw, settings), raw, settings)

    async def report(self, preview: Preview) -> bytes:
        """The same file as XLSX, with what each row does and what is wrong with it beside it."""
        own = [place for place, name in enumerate(preview.header) if name not in texts.IMPORT_REPORT.values()]
        header = [preview.header[place] for place in own]
        rows = [
            [*(_at(outcome.row.cells, place) for place in own), *_verdict(outcome)]
            for outcome in preview.outcomes
        ]
        named = [*header, texts.IMPORT_REPORT["effect"], texts.IMPORT_REPORT["faults"]]
        return await asyncio.to_thread(sheets.written, named, rows)

    async def carry_out(
        self, code: str, raw: bytes, settings: ImportSettings, *, fingerprint: str, actor: Actor
    ) -> ImportRun:
        """Take the file in, in one transaction, if it still does what was looked at.

        Raises what :meth:`preview` raises, :class:`ImportRowsBroken`, :class:`ImportNotPreviewed` and
        :class:`ImportDuringLaunch`.
        """
        kind = self.kind(code)
        kind.require_usable(settings)
        table = await self._read(kind, raw, settings)
        slug = settings.programme
        now = self._clocks.base.now() if slug is None else self._clocks.now(slug)
        try:
            async with in_transaction():
                preview = await self._compared(kind, table, raw, settings)
                broken = preview.counts[Effect.BROKEN.value]
                if broken:
                    raise ImportRowsBroken(clause=kind.clause(settings), count=broken)
                if preview.fingerprint != fingerprint:
                    raise ImportNotPreviewed()
                if preview.changes > FEW:
                    await self._require_quiet()
                items = [outcome.row.item for outcome in preview.outcomes]
                changes = await kind.carry_out(items, preview.comparison, settings, actor=actor, now=now)
                run = await ImportRun.create(
                    kind=kind.code,
                    programme_slug=slug,
                    settings=settings.kept(),
                    sha256=preview.sha256,
                    counts=preview.counts,
                    done_by=actor.id,
                    done_at=now,
                )
                await journal.record(
                    "import.done",
                    f"import:{run.id}",
                    actor=actor.name,
                    at=now,
                    programme_slug=slug or "",
                    kind=kind.code,
                    sha256=preview.sha256,
                    **settings.kept(),
                    counts=preview.counts,
                )
        except IntegrityError:
            # Somebody took the same list in at this moment: the table's own guard has noticed.
            raise ImportNotPreviewed() from None
        await self._rounds.standing_told(changes)
        return run

    async def _require_quiet(self) -> None:
        """Raise :class:`ImportDuringLaunch` just before a round is grabbed from, and in its first minutes.

        The locks of everybody concerned are held until the last of them is settled: grabs would wait.
        """
        rounds = Round.filter(status__in=[RoundStatus.SCHEDULED, RoundStatus.PAUSED])
        for row in await rounds.select_related("budget").order_by("opens_at"):
            slug = row.budget.programme_slug
            is_grabbed = self._rounds.programmes.get(slug).issuance.mode is IssuanceMode.GRAB
            since, until = row.opens_at - BEFORE_A_LAUNCH, min(row.opens_at + A_LAUNCH, row.closes_at)
            if is_grabbed and since <= self._clocks.now(slug) < until:
                raise ImportDuringLaunch(title=row.title, until=told(until))

    async def _read(self, kind: ImportKind, raw: bytes, settings: ImportSettings) -> Table[Any]:
        def read() -> Table[Any]:
            return table_of(
                sheets.read(raw),
                kind.columns,
                lambda cells: kind.read(cells, settings),
                key=kind.key,
                holder=kind.holder,
            )

        return await asyncio.to_thread(read)

    async def _compared(
        self, kind: ImportKind, table: Table[Any], raw: bytes, settings: ImportSettings
    ) -> Preview:
        sound = [row for row in table.rows if row.item is not None]
        comparison = await kind.compare([row.item for row in sound], settings)
        effects = {row.number: effect for row, effect in zip(sound, comparison.effects, strict=True)}
        notes = {sound[place].number: note for place, note in comparison.notes.items()}
        outcomes = tuple(
            Outcome(row, effects.get(row.number, Effect.BROKEN), notes.get(row.number, ""))
            for row in table.rows
        )
        sha256 = hashlib.sha256(raw).hexdigest()
        told = {
            "kind": kind.code,
            "sha256": sha256,
            "settings": asdict(settings),
            "effects": [[one.row.number, one.effect] for one in outcomes],
            "replaced": sorted(comparison.replaced),
            "withdrawn": sorted(comparison.withdrawn),
        }
        return Preview(
            sha256=sha256,
            fingerprint=hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest(),
            header=table.header,
            outcomes=outcomes,
            withdrawn=tuple(whom for _, whom in comparison.withdrawn),
            comparison=comparison,
        )


async def page(actor: Actor, *, after: int, limit: int) -> list[ImportRun]:
    """The next ``limit`` imports after an id, of the programmes of whoever asks, oldest first."""
    wanted = ImportRun.filter(access.within_programmes(actor, "programme_slug"), id__gt=after)
    return await wanted.order_by("id").limit(limit)


def _verdict(outcome: Outcome) -> tuple[str, str]:
    faults = [
        f"{fault.column}：{fault.problem}" if fault.column else fault.problem for fault in outcome.row.faults
    ]
    return texts.IMPORT_EFFECTS[outcome.effect.value], texts.STEP.join(faults or [outcome.note])


def _at(cells: Sequence[str], place: int) -> str:
    return cells[place] if place < len(cells) else ""
