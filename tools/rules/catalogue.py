"""The catalogue: every rule of every regulation, with what is claimed about it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from tools.rules.references import Reference

LATER = ("paperwork", "marketplace", "chat", "money out")
"""The parts of the product that are still to come, in the order in which they come."""


class Status(StrEnum):
    """What is claimed about a rule."""

    TESTED = "tested"
    """A passing test names it, and fails when what the rule rests on is changed."""
    DATA = "data"
    """A programme value that programme-check shows; no behaviour follows from it."""
    LATER = "later"
    """Belongs to a part of the product that is not built yet."""
    NOT_SOFTWARE = "not_software"
    """Nothing a program can keep; the reason says why."""


class BrokenCatalogue(Exception):
    """A catalogue file that cannot be read as one; the message names file, rule and key."""


@dataclass(frozen=True)
class Rule:
    """One checkable rule of one regulation.

    ``clause`` is in the numbering of the text itself, ``line`` says what must hold, ``later`` is one
    of :data:`LATER` and set exactly when the status is ``later``, ``reason`` exactly when it is
    ``not_software``, ``rests_on`` exactly when it is ``tested`` or ``data``.
    """

    id: str
    clause: str
    line: str
    capability: tuple[str, ...]
    status: Status
    rests_on: tuple[Reference, ...] = ()
    later: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Regulation:
    """One catalogue file: a programme and its rules in the order of the text."""

    programme: str
    title: str
    prefix: str
    count: int
    rules: tuple[Rule, ...]


@dataclass(frozen=True)
class Catalogue:
    """All regulations together."""

    regulations: tuple[Regulation, ...]

    def __iter__(self) -> Iterator[Rule]:
        for regulation in self.regulations:
            yield from regulation.rules

    def __len__(self) -> int:
        return sum(len(regulation.rules) for regulation in self.regulations)

    @property
    def by_id(self) -> Mapping[str, Rule]:
        return {rule.id: rule for rule in self}


_FILE_KEYS = {"programme", "title", "prefix", "count", "rule"}
_ALWAYS = {"id", "clause", "line", "capability", "status"}
_BY_STATUS = {
    Status.TESTED: {"rests_on"},
    Status.DATA: {"rests_on"},
    Status.LATER: {"later"},
    Status.NOT_SOFTWARE: {"reason"},
}


def _rule(row: Mapping[str, Any], where: str) -> Rule:
    where = f"{where}: {row.get('id', 'a rule without id')}"
    try:
        status = Status(row.get("status", ""))
    except ValueError as error:
        raise BrokenCatalogue(f"{where}: status must be one of {', '.join(Status)}") from error
    expected = _ALWAYS | _BY_STATUS[status]
    if set(row) != expected:
        raise BrokenCatalogue(f"{where}: a {status} rule has exactly the keys {', '.join(sorted(expected))}")
    if empty := [key for key in sorted(expected) if not row[key]]:
        raise BrokenCatalogue(f"{where}: {', '.join(empty)} must not be empty")
    if status is Status.LATER and row["later"] not in LATER:
        raise BrokenCatalogue(f"{where}: later must be one of {', '.join(LATER)}")
    return Rule(
        id=row["id"],
        clause=row["clause"],
        line=row["line"],
        capability=tuple(row["capability"]),
        status=status,
        rests_on=tuple(Reference.parse(text) for text in row.get("rests_on", ())),
        later=row.get("later", ""),
        reason=row.get("reason", ""),
    )


def read(path: Path) -> Regulation:
    """One catalogue file; :class:`BrokenCatalogue` when a key, a row or the numbering is wrong."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    if set(document) != _FILE_KEYS:
        raise BrokenCatalogue(
            f"{path.name}: a catalogue has exactly the keys {', '.join(sorted(_FILE_KEYS))}"
        )
    rules = tuple(_rule(row, path.name) for row in document["rule"])
    prefix, count = document["prefix"], document["count"]
    numbered = [int(match[1]) for rule in rules if (match := re.fullmatch(rf"{prefix}-(\d\d+)", rule.id))]
    if numbered != list(range(1, count + 1)) or len(numbered) != len(rules):
        raise BrokenCatalogue(
            f"{path.name}: the rules must run from {prefix}-01 to {prefix}-{count} without a gap"
        )
    return Regulation(document["programme"], document["title"], prefix, count, rules)


def load(directory: Path) -> Catalogue:
    """Every catalogue file of a directory, by name."""
    return Catalogue(tuple(read(path) for path in sorted(directory.glob("*.toml"))))
