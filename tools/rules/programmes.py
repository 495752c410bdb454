"""What the map asks the server about programme files: do they load, and what does programme-check show."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from server.programme.faults import ProgrammeError
from server.programme.loader import load_programme
from server.programme.model import Programme
from server.programme.page import values_of
from server.programme.schema import words_of
from tools.rules.references import Reference, path_to, written


def loads(file: Path) -> bool:
    """Whether a programme file is accepted."""
    try:
        load_programme(file)
    except ProgrammeError:
        return False
    return True


def shown_in(root: Path) -> Callable[[Reference], bool]:
    """Answers whether programme-check shows a value of the tree at ``root``."""

    @cache
    def keys(file: Path) -> frozenset[str]:
        return frozenset(value.key for value in values_of(load_programme(file)))

    def shown(reference: Reference) -> bool:
        file = root / reference.file
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        return written(path_to(document, reference.place)) in keys(file)

    return shown


def words_beside(word: str) -> Iterator[str]:
    """The other words of every vocabulary that knows this one: what a loader would accept in its place."""
    for vocabulary in words_of(Programme):
        if word in vocabulary.__members__.values():
            yield from (other.value for other in vocabulary if other.value != word)
