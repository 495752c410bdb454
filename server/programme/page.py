"""The page an official can review: every value of a programme with its clause, assumptions, and gaps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from server import texts
from server.programme.clause import Clause
from server.programme.model import Programme
from server.programme.policy import Demo
from server.programme.schema import Key, keys_of
from server.units import percent, yuan


@dataclass(frozen=True, slots=True)
class Value:
    """One value as the page shows it. ``key`` is the path in the file; ``assumed`` has a ``why``."""

    key: str
    shown: str
    article: str
    assumed: bool
    why: str


def values_of(programme: Programme) -> Iterator[Value]:
    """Every value the programme states, and every limit it is assumed not to set, in the schema's order."""
    yield from _values(programme, "", Clause())


def _table(table: Any, path: str, around: Clause) -> Iterator[Value]:
    """The values of a table; a table without any is one value: that the text says nothing."""
    values = list(_values(table, path, around))
    if not values and isinstance(table, Clause):
        values = [Value(path, texts.PAGE_NOTHING, table.article, table.assumed, table.why)]
    yield from values


def _values(table: Any, path: str, around: Clause) -> Iterator[Value]:
    clause = table if isinstance(table, Clause) else around
    own = {key.attribute for key in keys_of(Clause)} if isinstance(table, Clause) else set()
    shape: type = type(table)
    for key in keys_of(shape):
        if key.attribute in own or key.type is Demo:
            continue
        name = f"{path}.{key.name}" if path else key.name
        value = getattr(table, key.attribute)
        if not key.is_table:
            assumed = clause.assumed or key.name in clause.assumed_keys
            if _is_stated(key, value) or key.name in clause.assumed_keys:
                yield Value(name, _shown(key, value), clause.article, assumed, clause.why if assumed else "")
        elif key.many:
            for place, inner in enumerate(value):
                yield from _table(inner, f"{name}[{place}]", _covering(clause, key))
        elif value is not None:
            yield from _table(value, name, _covering(clause, key))


def _covering(clause: Clause, key: Key) -> Clause:
    """The clause that a table inside rests on, if it names none: an assumed key assumes all of it."""
    if key.name in clause.assumed_keys:
        return Clause(article=clause.article, assumed=True, why=clause.why)
    return clause


def _is_stated(key: Key, value: Any) -> bool:
    return key.required or value != key.default


def _shown(key: Key, value: Any) -> str:
    if value is None or value in ((), frozenset(), ""):
        return texts.PAGE_NOTHING
    if key.many:
        items = value if key.many == "list" else sorted(value)
        return texts.LIST.join(_one(key, item) for item in items)
    return _one(key, value)


def _one(key: Key, value: Any) -> str:
    if isinstance(value, bool):
        return texts.YES_NO[value]
    if key.is_money:
        return texts.PAGE_MONEY.format(amount=yuan(value))
    if key.is_rate:
        return percent(value)
    return value.isoformat() if isinstance(value, date) else str(value)


def uncovered(programme: Programme) -> tuple[str, ...]:
    """The parts of the schema that no clause of this text covers: left out, or assumed from end to end."""
    covered = {
        value.key.partition(".")[0].partition("[")[0] for value in values_of(programme) if not value.assumed
    }
    parts = [key.name for key in keys_of(Programme) if key.type is not Demo]
    return tuple(part for part in parts if part not in covered)


def page(programme: Programme) -> Iterator[str]:
    """The page, line by line."""
    yield f"{programme.name}  ({programme.slug}, {programme.version})"
    values = list(values_of(programme))
    for value in values:
        clause = texts.PAGE_ASSUMED if value.assumed else texts.PAGE_CLAUSE.format(article=value.article)
        yield f"  {value.key} = {value.shown}    {clause}"
    assumptions = [value for value in values if value.assumed]
    yield texts.PAGE_ASSUMPTIONS.format(count=len(assumptions))
    for value in assumptions:
        article = f"  {value.article}" if value.article else ""
        yield f"  {value.key} = {value.shown}{article}  {value.why}".rstrip()
    gaps = uncovered(programme)
    yield texts.PAGE_UNCOVERED.format(count=len(gaps), parts=texts.LIST.join(gaps) or texts.PAGE_NOTHING)
