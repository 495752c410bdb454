"""The fields of a step: what somebody filled in, read by the kind of each field, with every fault at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any

from server import texts
from server.clock import EARLIEST, LATEST
from server.errors import Unmet
from server.programme.papers import Field, FieldKind

LONGEST_TEXT = 2000
LARGEST_FEN = 10**13
LARGEST_COUNT = 10**9


def field_of(code: str, kind: FieldKind, *, required: bool = True, clause: str = "", **more: Any) -> Field:
    """A step's field by its code; its name stands in the texts."""
    return Field(
        code=code, name=texts.ORDER_FIELDS[code], kind=kind, required=required, article=clause, **more
    )


def read(fields: Sequence[Field], values: Mapping[str, object]) -> tuple[dict[str, Any], tuple[Unmet, ...]]:
    """What was filled in, by code: text stripped, money in fen, days as ``date``; and everything wrong.

    A field left out, or left empty, is missing where it is required; a field the step does not have is
    wrong too, so that nothing typed is silently lost.
    """
    known = {field.code: field for field in fields}
    wrong = [
        Unmet(code, "", texts.STEP_FIELD_FAULTS["unknown"].format(name=code))
        for code in values
        if code not in known
    ]
    taken: dict[str, Any] = {}
    for field in fields:
        said = values.get(field.code)
        if said is None or said == "":
            if field.required:
                wrong.append(_fault(field, "missing"))
            continue
        value, fault = _READERS.get(field.kind, _text)(field, said)
        if fault:
            wrong.append(_fault(field, fault))
        else:
            taken[field.code] = value
    return taken, tuple(wrong)


def _fault(field: Field, fault: str) -> Unmet:
    return Unmet(field.code, field.article, texts.STEP_FIELD_FAULTS[fault].format(name=field.name))


Taken = tuple[Any, str]
"""A value and no fault, or nothing and the fault's code."""


def _text(field: Field, said: object) -> Taken:
    if not isinstance(said, str) or not said.strip():
        return None, "text"
    words = said.strip()
    return (words, "") if len(words) <= LONGEST_TEXT else (None, "too_long")


def _money(field: Field, said: object) -> Taken:
    if type(said) is not int or not 0 <= said <= LARGEST_FEN:
        return None, "money"
    return said, ""


def _count(field: Field, said: object) -> Taken:
    if type(said) is not int or not 0 <= said <= LARGEST_COUNT:
        return None, "count"
    return said, ""


def _yes_no(field: Field, said: object) -> Taken:
    return (said, "") if isinstance(said, bool) else (None, "yes_no")


def _day(field: Field, said: object) -> Taken:
    try:
        day = date.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        day = None
    return (day, "") if day is not None and EARLIEST <= day <= LATEST else (None, "date")


def _choice(field: Field, said: object) -> Taken:
    return (said, "") if said in field.choices else (None, "choice")


_READERS: Mapping[FieldKind, Callable[[Field, object], Taken]] = {
    FieldKind.TEXT: _text,
    FieldKind.MONEY: _money,
    FieldKind.COUNT: _count,
    FieldKind.YES_NO: _yes_no,
    FieldKind.DATE: _day,
    FieldKind.CHOICE: _choice,
}
