"""Faults of a programme's file in Chinese, for whoever sends one; programmers read the loader's English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from server import texts
from server.programme.faults import ProgrammeError

_PLACE = re.compile(r"\(at line \d+, column (\d+)\)$")
SYNTAX = "TOML"
"""What the loader expects where a text is none."""


def where(fault: ProgrammeError) -> str:
    """Line and key, as far as they are known."""
    line = texts.PROGRAMME_FAULT_LINE.format(line=fault.line) if fault.line else ""
    return line + (texts.PROGRAMME_FAULT_KEY.format(key=fault.key) if fault.key else "")


def found(fault: ProgrammeError) -> str:
    """What stands there."""
    if fault.expected != SYNTAX:
        return in_chinese(fault.found)
    # Python's own words on what is wrong with it are English, and many.
    place = _PLACE.search(fault.found)
    return texts.PROGRAMME_FAULT_COLUMN.format(column=place[1]) if place else texts.PROGRAMME_FAULT_SYNTAX


def expected(fault: ProgrammeError) -> str:
    """What should stand there."""
    return in_chinese(fault.expected)


def in_chinese(said: str) -> str:
    """A phrase of the loader in Chinese; a number or a day as it is."""
    for pattern, chinese in _patterns():
        if match := pattern.fullmatch(said):
            given = match.groups()
            words = {
                f"word{place}": texts.PROGRAMME_FAULT_WORDS.get(one, one) for place, one in enumerate(given)
            }
            return chinese.format(*given, **words)
    return said


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Every phrase as a pattern, the one that says most by itself first."""
    return tuple(_sorted())


def _sorted() -> Iterator[tuple[re.Pattern[str], str]]:
    phrases = sorted(texts.PROGRAMME_FAULTS, key=lambda one: -len(one.replace("{}", "")))
    for phrase in phrases:
        literal = "(.+?)".join(re.escape(part) for part in phrase.split("{}"))
        yield re.compile(literal, re.DOTALL), texts.PROGRAMME_FAULTS[phrase]
