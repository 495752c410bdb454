"""The one error of a programme file: which file, which line, which key, what was found and expected."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\-]+)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-]+)\s*=\s*(.*)$")
_STRING = re.compile(r'"""|"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*$')


class ProgrammeError(ValueError):
    """A programme file that is not what it must be. ``line`` is 0 where no line can be named."""

    def __init__(self, file: Path, line: int, key: str, found: str, expected: str) -> None:
        self.file, self.line, self.key, self.found, self.expected = file, line, key, found, expected
        where = f"{file.name}:{line}" if line else file.name
        super().__init__(f"{where}: {key or 'the file'}: found {found}; expected {expected}")


class Fault(Exception):
    """What :class:`ProgrammeError` says, before file and line are known."""

    def __init__(self, key: str, found: str, expected: str) -> None:
        super().__init__(f"{key}: found {found}; expected {expected}")
        self.key, self.found, self.expected = key, found, expected


def lines_of(text: str) -> Mapping[str, int]:
    """The line each key path stands on (``issuance.tier[0].code``), counted from 1.

    Reads what programme files use: headers, one key a line, arrays whose elements begin a line. It only
    serves error messages; what is true comes from ``tomllib``.
    """
    lines: dict[str, int] = {}
    counts: dict[str, int] = {}
    table = array = ""
    element = depth = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        bare = _STRING.sub('""', raw)
        if depth:
            if depth == 1 and bare.strip().startswith(("{", '"')):
                lines[f"{array}[{element}]"] = number
                element += 1
        elif header := _HEADER.match(raw):
            table = _indexed(header[2], counts, is_array=header[1] == "[[")
            lines[table] = number
        elif key := _KEY.match(raw):
            array = f"{table}.{key[1]}" if table else key[1]
            lines[array] = number
            element = 0
        depth += sum(bare.count(mark) for mark in "[{") - sum(bare.count(mark) for mark in "]}")
        if _HEADER.match(raw):
            depth = 0
    return lines


def _indexed(name: str, counts: dict[str, int], *, is_array: bool) -> str:
    """The path of a header, with the number of every array of tables on the way."""
    path = ""
    parts = name.split(".")
    for place, part in enumerate(parts):
        path = f"{path}.{part}" if path else part
        last = place == len(parts) - 1
        if last and is_array:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = f"{path}[{counts[path]}]"
    return path


def line_of(lines: Mapping[str, int], key: str) -> int:
    """The line of a key, else of the nearest table around it, else 0."""
    while key:
        if key in lines:
            return lines[key]
        key = key[: max(key.rfind("."), key.rfind("["), 0)]
    return 0
