"""Strict reading of a programme or notice: a file loads completely, or gives one :class:`ProgrammeError`."""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from server.programme.clause import Clause
from server.programme.consistency import inconsistencies
from server.programme.faults import Fault, ProgrammeError, line_of, lines_of
from server.programme.model import Programme
from server.programme.schema import UNITS, Key, keys_of
from server.units import InexactAmount, percent_to_bp, yuan_to_fen

Table = TypeVar("Table")


def load_programme(file: Path) -> Programme:
    """Read one programme. Raises :class:`ProgrammeError` on the first thing that is not right."""
    return load_table(file, Programme, inconsistencies)


def parse_programme(text: str, file: Path) -> Programme:
    """The same of a text; ``file`` is what errors call it."""
    return parse_table(text, file, Programme, inconsistencies)


def load_table(file: Path, shape: type[Table], faults: Callable[[Table], Iterator[Fault]]) -> Table:
    """Read a file of this shape, in which ``faults`` finds nothing that cannot be.

    Raises :class:`ProgrammeError` on the first thing that is not right.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as fault:
        raise ProgrammeError(file, 0, "", "bytes that are not UTF-8", "a UTF-8 text") from fault
    return parse_table(text, file, shape, faults)


def parse_table(
    text: str, file: Path, shape: type[Table], faults: Callable[[Table], Iterator[Fault]]
) -> Table:
    """The same of a text that was read already."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as fault:
        place = re.search(r"line (\d+)", str(fault))
        raise ProgrammeError(file, int(place[1]) if place else 0, "", str(fault), "TOML") from fault
    except (ValueError, RecursionError) as fault:
        # A number of thousands of digits, arrays within arrays: Python gives up, and names no line.
        raise ProgrammeError(file, 0, "", str(fault), "TOML") from fault
    try:
        table = _table(shape, raw, "", _Inherited())
        first = next(faults(table), None)
        if first is not None:
            raise first
    except Fault as fault:
        line = line_of(lines_of(text), fault.key)
        raise ProgrammeError(file, line, fault.key, fault.found, fault.expected) from fault
    return table


@dataclass(frozen=True, slots=True)
class _Inherited:
    """The clause of the enclosing table; a table that names none rests on it."""

    article: str = ""
    assumed: bool = False
    why: str = ""


def _table(cls: type[Table], raw: object, path: str, around: _Inherited) -> Table:
    if not isinstance(raw, Mapping):
        raise Fault(path, _shown(raw), "a table")
    shape: type = cls
    keys = {key.name: key for key in keys_of(shape)}
    for name in raw:
        if name not in keys:
            raise Fault(_join(path, name), "an unknown key", _suggestion(name, keys))
    own = _Inherited(str(raw.get("article", "")), raw.get("assumed") is True, str(raw.get("why", "")))
    rests_on = own if own.article or own.assumed else around
    listed = raw.get("assumed_keys")
    assumed_keys = listed if isinstance(listed, list) else []
    values: dict[str, Any] = {}
    for name, key in keys.items():
        if name in raw:
            inherited = _Inherited(rests_on.article, True, own.why) if name in assumed_keys else rests_on
            values[key.attribute] = _value(key, raw[name], _join(path, name), inherited)
        elif key.required:
            raise Fault(_join(path, name), "nothing", f"the key: {key.meaning}")
    if issubclass(cls, Clause):
        if not (rests_on.article or rests_on.assumed):
            raise Fault(path, "neither `article` nor `assumed`", "the clause, or `assumed = true`")
        values |= {"article": rests_on.article, "assumed": rests_on.assumed, "why": own.why or rests_on.why}
        for name in assumed_keys:
            if name not in keys:
                raise Fault(_join(path, "assumed_keys"), f'"{name}"', _suggestion(name, keys))
    return cls(**values)


def _value(key: Key, raw: object, path: str, around: _Inherited) -> Any:
    if not key.many:
        return _single(key, raw, path, around)
    if not isinstance(raw, list):
        raise Fault(path, _shown(raw), "an array")
    values = [_single(key, item, f"{path}[{place}]", around) for place, item in enumerate(raw)]
    names = [getattr(value, "code", None) for value in values] if key.is_table else values
    for place, name in enumerate(names):
        if name is not None and name in names[:place]:
            raise Fault(f"{path}[{place}]", f'"{name}" again', "each only once")
    return frozenset(values) if key.many == "set" else tuple(values)


def _single(key: Key, raw: object, path: str, around: _Inherited) -> Any:
    if key.is_money or key.is_rate:
        return _amount(key, raw, path)
    if dataclasses.is_dataclass(key.type):
        return _table(key.type, raw, path, around)
    if issubclass(key.type, StrEnum):
        return _word(key.type, raw, path)
    # A TOML boolean is an int to Python, and an instant is a date.
    exact = type(raw) is key.type and not isinstance(raw, datetime)
    if not exact:
        raise Fault(path, _shown(raw), _TYPES[key.type])
    if isinstance(raw, str) and not raw.strip():
        raise Fault(path, "an empty text", "a text, or no such key")
    if isinstance(raw, int) and raw < 0:
        raise Fault(path, _shown(raw), "zero or more")
    most = next((most for unit, most in _LONGEST if unit in key.name.split("_")), None)
    if isinstance(raw, int) and most is not None and raw > most:
        raise Fault(path, _shown(raw), f"at most {most}")
    return raw


_LONGEST = (("days", 36_525), ("months", 1_200), ("years", 100))
"""A century of each: counted from any day there is, it ends on a day that there is."""
_TYPES: Mapping[type, str] = {
    str: "a text in quotation marks",
    int: "a whole number",
    bool: "true or false",
    date: "a date such as 2024-08-09",
}


def _word(words: type[StrEnum], raw: object, path: str) -> StrEnum:
    known = [word.value for word in words]
    if not isinstance(raw, str) or raw not in known:
        raise Fault(path, _shown(raw), "one of " + ", ".join(known))
    return words(raw)


def _amount(key: Key, raw: object, path: str) -> int:
    """Exact: yuan to fen, percent to basis points."""
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal):
        raise Fault(path, _shown(raw), f"a number of {key.unit}")
    try:
        amount = yuan_to_fen(raw) if key.is_money else percent_to_bp(raw)
    except InexactAmount as fault:
        exact = "fen" if key.is_money else "hundredths of a percent"
        raise Fault(path, _shown(raw), f"a whole number of {exact}") from fault
    if amount < 0 or (key.is_rate and amount > 10_000):
        raise Fault(path, _shown(raw), "zero or more" if key.is_money else "0 to 100 percent")
    return amount


def _suggestion(name: str, keys: Mapping[str, Key]) -> str:
    """What an unknown key was probably meant to be: another unit, or a typing mistake."""
    for suffix, (theirs, _) in UNITS.items():
        if suffix != theirs and name.endswith(suffix) and name.removesuffix(suffix) + theirs in keys:
            return f"`{name.removesuffix(suffix)}{theirs}`, in {UNITS[suffix][1]}"
    longer = [known for known in keys if known.startswith(f"{name}_")]
    near = longer or difflib.get_close_matches(name, keys, n=1)
    return f"`{near[0]}`" if near else "one of " + ", ".join(keys)


def _shown(raw: object) -> str:
    if isinstance(raw, str):
        return f'"{raw}"'
    if isinstance(raw, bool):
        return str(raw).lower()
    if isinstance(raw, Mapping):
        return "a table"
    if isinstance(raw, list):
        return "an array"
    return str(raw)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
