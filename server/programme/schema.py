"""The schema, read from the dataclasses themselves: the key, type, default and meaning of every value."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import textwrap
import types
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

UNITS: Mapping[str, tuple[str, str]] = {
    "_fen": ("_yuan", "yuan; at most two decimals"),
    "_bp": ("_percent", "percent, 0 to 100; at most two decimals"),
    "_days": ("_days", "days"),
    "_months": ("_months", "months"),
    "_years": ("_years", "years"),
    "_bytes": ("_bytes", "bytes"),
}
"""Python's suffix → the officials' suffix, and the unit in words."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a table.

    ``attribute`` is its name in Python, ``name`` the one in TOML. ``many`` is ``""`` for one value,
    ``"list"`` or ``"set"``; ``type`` is the type of each. ``table`` is whose key it is.
    """

    table: type
    attribute: str
    name: str
    type: type
    many: str
    required: bool
    default: Any

    @property
    def meaning(self) -> str:
        """The sentence under it. Read when somebody asks: no server that starts does."""
        return meanings_of(self.table).get(self.attribute, "")

    @property
    def unit(self) -> str:
        """The unit in words, or ``""``."""
        return next((words for suffix, (_, words) in UNITS.items() if self.attribute.endswith(suffix)), "")

    @property
    def is_money(self) -> bool:
        return self.attribute.endswith("_fen")

    @property
    def is_rate(self) -> bool:
        return self.attribute.endswith("_bp")

    @property
    def is_table(self) -> bool:
        return dataclasses.is_dataclass(self.type)


@cache
def keys_of(table: type) -> tuple[Key, ...]:
    """The keys of a table, in the order they are declared in."""
    hints = get_type_hints(table)
    keys = []
    for field in dataclasses.fields(table):
        inner, many = _inner(hints[field.name])
        keys.append(
            Key(
                table=table,
                attribute=field.name,
                name=_toml_name(field.name, inner, many),
                type=inner,
                many=many,
                required=field.default is dataclasses.MISSING,
                default=None if field.default is dataclasses.MISSING else field.default,
            )
        )
    return tuple(keys)


def _inner(hint: Any) -> tuple[type, str]:
    """``tuple[Tier, ...]`` → ``(Tier, "list")``; ``int | None`` → ``(int, "")``."""
    origin = get_origin(hint)
    if origin in (Union, types.UnionType):
        (inner,) = (part for part in get_args(hint) if part is not type(None))
        return _inner(inner)
    if origin is tuple:
        return get_args(hint)[0], "list"
    if origin is frozenset:
        return get_args(hint)[0], "set"
    return hint, ""


def _toml_name(attribute: str, inner: type, many: str) -> str:
    """The officials' unit instead of ours; ``[[tier]]`` in the singular for several tables."""
    for suffix, (theirs, _) in UNITS.items():
        if attribute.endswith(suffix):
            return attribute.removesuffix(suffix) + theirs
    if many and dataclasses.is_dataclass(inner):
        if attribute.endswith("ies"):
            return attribute.removesuffix("ies") + "y"
        return attribute.removesuffix("s")
    return attribute


@cache
def meanings_of(cls: type) -> Mapping[str, str]:
    """The sentence under each attribute or member, its own and its bases'."""
    meanings: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if not base.__module__.startswith("server.programme"):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for statement, following in zip(definition.body, definition.body[1:], strict=False):
            if isinstance(following, ast.Expr) and isinstance(following.value, ast.Constant):
                names = _assigned(statement)
                meanings.update(dict.fromkeys(names, inspect.cleandoc(str(following.value.value))))
    return meanings


def _assigned(statement: ast.stmt) -> list[str]:
    if isinstance(statement, ast.AnnAssign):
        return [statement.target.id] if isinstance(statement.target, ast.Name) else []
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)]
    return []


@cache
def tables_of(root: type) -> Mapping[type, tuple[str, ...]]:
    """Every table under ``root`` with its headers, such as ``[[issuance.tier]]``; outside in."""
    found: dict[type, list[str]] = {}
    waiting = [(key.name, key) for key in keys_of(root) if key.is_table]
    while waiting:
        path, key = waiting.pop(0)
        found.setdefault(key.type, []).append(f"[[{path}]]" if key.many else f"[{path}]")
        waiting += [(f"{path}.{inner.name}", inner) for inner in keys_of(key.type) if inner.is_table]
    return {table: tuple(headers) for table, headers in found.items()}


def words_of(root: type) -> tuple[type[StrEnum], ...]:
    """Every vocabulary that a key under ``root`` is written in, in the order of first use."""
    tables = (root, *tables_of(root))
    used = (key.type for table in tables for key in keys_of(table))
    return tuple(dict.fromkeys(word for word in used if issubclass(word, StrEnum)))
