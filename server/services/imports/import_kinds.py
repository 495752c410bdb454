"""Import kinds: lists of labels, lists of recognised institutions, blocklists.

Each kind says its columns, reads a row, compares the file with what is there, and carries the difference
out inside the caller's transaction.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from server import texts
from server.errors import Refusal
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import Organisation
from server.programme.people import Label
from server.programme.vocabulary import Party
from server.services.access import Actor
from server.services.admissions import attestations
from server.services.admissions.attestations import Statement
from server.services.admissions.labels import Labels
from server.services.rounds.rounds import StandingChange
from server.services.tables.cells import CellFault, last_day_of, name_of, plain, uscc_of, year_of
from server.services.tables.import_table import Cells, Column, RowUnusable

BATCH = 500
SEPARATORS = "、,;/ "


class ImportSettingsWrong(Refusal):
    """The programme, the label or the list's name is missing, or does not belong together."""

    status, code = 422, "import_settings_wrong"


class ImportMode(StrEnum):
    """What becomes of what the list said before and does not say now."""

    ADD = "add"
    """It stays."""
    REPLACE = "replace"
    """It is withdrawn: the file is the whole list."""


class Effect(StrEnum):
    """What a row does."""

    NEW = "new"
    CHANGED = "changed"
    SAME = "same"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    """Which list a file is. ``label`` only for lists of labels; no programme: every programme's."""

    programme: str | None
    label: str = ""
    list_name: str
    document_number: str = ""
    mode: ImportMode = ImportMode.ADD

    def kept(self) -> dict[str, Any]:
        """Fit to be kept with the import."""
        return {
            "label": self.label,
            "list": self.list_name,
            "document": self.document_number,
            "mode": self.mode.value,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a file would change: the effect of each item, and what would be withdrawn."""

    effects: tuple[Effect, ...]
    notes: dict[int, str] = field(default_factory=dict)
    """Remarks by the item's place: nothing wrong, but worth a look."""
    replaced: tuple[int, ...] = ()
    """Rows of ours that a changed item takes the place of."""
    withdrawn: tuple[tuple[int, str], ...] = ()
    """Rows of ours that the list names no longer, and whom they name."""


class ImportKind(Protocol):
    """One kind of list."""

    code: str
    columns: tuple[Column, ...]
    holder: str

    def require_usable(self, settings: ImportSettings) -> None: ...

    def clause(self, settings: ImportSettings) -> str: ...

    def read(self, cells: Cells, settings: ImportSettings) -> Any: ...

    def key(self, item: Any) -> object: ...

    async def compare(self, items: Sequence[Any], settings: ImportSettings) -> Comparison: ...

    async def carry_out(
        self,
        items: Sequence[Any],
        comparison: Comparison,
        settings: ImportSettings,
        *,
        actor: Actor,
        now: datetime,
    ) -> list[StandingChange]: ...


class _Statements(ABC):
    """What the two kinds of lists of labels have in common: their rows are statements."""

    def __init__(self, labels: Labels) -> None:
        self.labels = labels

    def key(self, item: Statement) -> object:
        return item.holder

    @abstractmethod
    def codes(self, settings: ImportSettings) -> tuple[str, ...]:
        """The labels that a list of this kind can give."""

    def clause(self, settings: ImportSettings) -> str:
        """Where the programme speaks of these labels."""
        codes, programme = self.codes(settings), self.labels.programmes.get(settings.programme or "")
        return texts.LIST.join(
            dict.fromkeys(one.article for one in programme.labels if one.code in codes and one.article)
        )

    async def compare(self, items: Sequence[Statement], settings: ImportSettings) -> Comparison:
        """Compare with what this very list says now."""
        rows = await AttestedLabel.filter(
            list_name=settings.list_name,
            code__in=list(self.codes(settings)),
            source=LabelSource.LIST,
            withdrawn_at__isnull=True,
        ).order_by("id")
        known = {attestations.stated(row).holder: row for row in rows}
        effects, replaced = [], []
        for item in items:
            row = known.get(item.holder)
            if row is None:
                effects.append(Effect.NEW)
            elif attestations.stated(row) == item:
                effects.append(Effect.SAME)
            else:
                effects.append(Effect.CHANGED)
                replaced.append(row.id)
        named = {item.holder for item in items}
        gone = [row for holder, row in known.items() if holder not in named]
        return Comparison(
            effects=tuple(effects),
            notes=await _other_names(items),
            replaced=tuple(replaced),
            withdrawn=tuple((row.id, row.name or row.uscc or "") for row in gone)
            if settings.mode is ImportMode.REPLACE
            else (),
        )

    async def carry_out(
        self,
        items: Sequence[Statement],
        comparison: Comparison,
        settings: ImportSettings,
        *,
        actor: Actor,
        now: datetime,
    ) -> list[StandingChange]:
        """Withdraw, write and settle, under the locks of everybody concerned."""
        written = [
            item
            for item, effect in zip(items, comparison.effects, strict=True)
            if effect in (Effect.NEW, Effect.CHANGED)
        ]
        ids = [*comparison.replaced, *(one for one, _ in comparison.withdrawn)]
        gone = [attestations.stated(row) for row in await _rows(ids)]
        held = await self.labels.lock_holders([*written, *gone])
        reason = texts.LABEL_SOURCES["replaced"]
        await attestations.withdraw_rows(ids, reason=reason, actor=actor, now=now)
        await attestations.write(
            written,
            LabelSource.LIST,
            programme_slug=settings.programme,
            list_name=settings.list_name,
            document_number=settings.document_number,
            actor=actor,
            now=now,
        )
        return await self.labels.settle(held, actor=actor)


class LabelList(_Statements):
    """One label and who holds it: 专精特新, 新升规, D类, … (LS-11, LS-28, LS-29, GX-25 to GX-29, NX-32)."""

    code = "labels"
    holder = "uscc"
    columns: tuple[Column, ...] = (
        Column("uscc", texts.IMPORT_COLUMN["uscc"], "91330000000000000X", required=True, width=24),
        Column("name", texts.IMPORT_COLUMN["name"], texts.IMPORT_EXAMPLE["name"], width=36),
        Column("recognised_in", texts.IMPORT_COLUMN["recognised_in"], "2024", width=12),
        Column("valid_until", texts.IMPORT_COLUMN["valid_until"], "2026年12月31日", width=18),
    )

    def require_usable(self, settings: ImportSettings) -> None:
        """Raises ``UnknownProgramme``, ``LabelsUnknown`` or :class:`ImportSettingsWrong`."""
        if settings.programme is None or not settings.label:
            raise ImportSettingsWrong(problem=texts.IMPORT_SETTINGS["label"])
        self.labels.label(settings.programme, settings.label)

    def codes(self, settings: ImportSettings) -> tuple[str, ...]:
        return (settings.label,)

    def read(self, cells: Cells, settings: ImportSettings) -> Statement:
        """A row as what it says of somebody."""
        return Statement(
            uscc=cells.read("uscc", uscc_of),
            name=name_of(cells.text("name")),
            code=settings.label,
            recognised_in=cells.read("recognised_in", year_of),
            valid_until=cells.read("valid_until", last_day_of),
        )


class ProviderList(_Statements):
    """名录: who is recognised as what, by its full name (GZ-06, GZ-07, GZ-81)."""

    code = "providers"
    holder = "name"
    columns: tuple[Column, ...] = (
        Column(
            "name",
            texts.IMPORT_COLUMN["institution"],
            texts.IMPORT_EXAMPLE["institution"],
            required=True,
            width=36,
        ),
        Column("uscc", texts.IMPORT_COLUMN["uscc"], "", width=24),
        Column(
            "recognition",
            texts.IMPORT_COLUMN["recognition"],
            texts.IMPORT_EXAMPLE["recognition"],
            required=True,
            width=24,
        ),
        Column("level", texts.IMPORT_COLUMN["level"], "", width=12),
        Column("kinds", texts.IMPORT_COLUMN["kinds"], texts.IMPORT_EXAMPLE["kinds"], width=30),
        Column("recognised_in", texts.IMPORT_COLUMN["recognised_in"], "2019", width=12),
        Column("valid_until", texts.IMPORT_COLUMN["valid_until"], "长期", width=18),
    )

    def require_usable(self, settings: ImportSettings) -> None:
        """Raises ``UnknownProgramme`` or :class:`ImportSettingsWrong`."""
        if settings.programme is None or settings.label:
            raise ImportSettingsWrong(problem=texts.IMPORT_SETTINGS["providers"])
        if not self._recognitions(settings):
            raise ImportSettingsWrong(problem=texts.IMPORT_SETTINGS["no_recognitions"])

    def codes(self, settings: ImportSettings) -> tuple[str, ...]:
        return tuple(label.code for label in self._recognitions(settings))

    def read(self, cells: Cells, settings: ImportSettings) -> Statement:
        """A row as what it says of somebody; the recognition stands in it by its name."""
        recognitions = {plain(label.name): label for label in self._recognitions(settings)}
        label = recognitions.get(cells.text("recognition"))
        if label is None:
            names = texts.LIST.join(one.name for one in recognitions.values())
            raise RowUnusable(
                texts.IMPORT_COLUMN["recognition"],
                texts.CELL_FAULTS["label"].format(text=cells.text("recognition"), names=names),
            )
        level = cells.text("level").removesuffix("级")
        if level and label.level and level != label.level:
            raise RowUnusable(
                texts.IMPORT_COLUMN["level"],
                texts.CELL_FAULTS["level"].format(name=label.name, wanted=label.level, own=level),
            )
        return Statement(
            uscc=cells.read("uscc", _uscc_if_any),
            name=name_of(cells.text("name")),
            code=label.code,
            kinds=_parts(cells.text("kinds")),
            recognised_in=cells.read("recognised_in", year_of),
            valid_until=cells.read("valid_until", last_day_of),
        )

    def _recognitions(self, settings: ImportSettings) -> tuple[Label, ...]:
        programme = self.labels.programmes.get(settings.programme or "")
        return tuple(label for label in programme.labels if label.of is Party.PROVIDER)


def _uscc_if_any(text: str) -> str | None:
    return uscc_of(text) if text else None


def _parts(text: str) -> tuple[str, ...]:
    for separator in SEPARATORS[1:]:
        text = text.replace(separator, SEPARATORS[0])
    return tuple(part for part in text.split(SEPARATORS[0]) if part)


async def _rows(ids: Sequence[int]) -> list[AttestedLabel]:
    rows: list[AttestedLabel] = []
    for start in range(0, len(ids), BATCH):
        rows += await AttestedLabel.filter(id__in=list(ids[start : start + BATCH])).order_by("id")
    return rows


async def _other_names(items: Collection[Statement]) -> dict[int, str]:
    """Who is registered here under another name than the list has: perhaps a wrong code."""
    usccs = sorted({item.uscc for item in items if item.uscc and item.name})
    names: dict[str, str] = {}
    for start in range(0, len(usccs), BATCH):
        for row in await Organisation.filter(uscc__in=usccs[start : start + BATCH]).only("uscc", "name"):
            names[row.uscc] = row.name
    return {
        place: texts.IMPORT_NOTES["other_name"].format(name=names[item.uscc])
        for place, item in enumerate(items)
        if item.uscc in names and item.name and name_of(_plain(names[item.uscc])) != item.name
    }


def _plain(name: str) -> str:
    try:
        return plain(name)
    except CellFault:
        return name
