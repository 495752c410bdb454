"""Mutations: small changes of what a rule rests on, each of which its test must notice."""

from __future__ import annotations

import ast
import copy
import random
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.rules.programmes import words_beside
from tools.rules.references import Reference, function_in, locate
from tools.rules.toml_text import dump


@dataclass(frozen=True)
class Mutation:
    """One changed file: what was changed, in words, and the text to put in its place."""

    reference: Reference
    change: str
    text: str


def of(reference: Reference, root: Path, *, seed: int) -> Iterator[Mutation]:
    """The mutations of a value, the nearest first, or of a function, in an order drawn by the seed."""
    return _of_value(reference, root) if reference.is_value else _of_function(reference, root, seed)


# Values.


def _of_value(reference: Reference, root: Path) -> Iterator[Mutation]:
    document = tomllib.loads((root / reference.file).read_text(encoding="utf-8"))
    container, key = locate(document, reference.place)
    old = container[key]
    for new in _changed(old, str(key), _siblings(str(key), root / reference.file)):
        changed = copy.deepcopy(document)
        inner, _ = locate(changed, reference.place)
        inner[key] = new
        yield Mutation(reference, f"{_short(old)} became {_short(new)}", dump(changed))


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _siblings(key: str, path: Path) -> list[Any]:
    """What stands under the same key elsewhere: the words a loader is likely to accept there."""
    found: list[Any] = []

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            for name, value in node.items():
                if name == key and value not in found:
                    found.append(value)
                walk(value)
        elif isinstance(node, list):
            for element in node:
                walk(element)

    for file in (path, *sorted(path.parent.glob("*.toml"))):
        walk(tomllib.loads(file.read_text(encoding="utf-8")))
    return found


def _changed(old: Any, key: str, siblings: list[Any]) -> Iterator[Any]:
    match old:
        case bool():
            yield not old
        case int() | float():
            yield from _another_number(old, key)
        case date():
            yield old + timedelta(days=1)
            yield old - timedelta(days=1)
        case str():
            yield from _another_text(old, siblings)
        case list():
            yield from _another_list(old, siblings)
        case dict():
            # A table is its values: each of them in turn.
            for name, value in old.items():
                for new in _changed(value, name, []):
                    yield old | {name: new}


def _another_number(old: int | float, key: str) -> Iterator[int | float]:
    """One smallest unit more, or one less: a fen where yuan are written, a basis point where percent are."""
    fine = key.endswith(("_yuan", "_percent"))
    step = Decimal("0.01") if fine else Decimal(1)
    for new in (Decimal(str(old)) + step, Decimal(str(old)) - step):
        yield float(new) if fine else int(new)
    if fine:
        # A loader may want whole ones here.
        yield from (int(old) + 1, int(old) - 1)


def _another_text(old: str, siblings: list[Any]) -> Iterator[str]:
    try:
        yield (date.fromisoformat(old) + timedelta(days=1)).isoformat()
    except ValueError:
        yield from (other for other in siblings if isinstance(other, str) and other != old)
        yield from words_beside(old)
        yield old + "x"


def _another_list(old: list[Any], siblings: list[Any]) -> Iterator[list[Any]]:
    others = [other[0] for other in siblings if isinstance(other, list) and other and other[0] not in old]
    if old:
        yield old[:-1]
        yield old[1:]
        yield from ([*old[:-1], other] for other in others)
    yield from ([*old, other] for other in others)
    if len(old) > 1:
        yield old[::-1]
    if old and isinstance(old[0], dict):
        for position, element in enumerate(old):
            for new in _changed(element, "", []):
                yield [*old[:position], new, *old[position + 1 :]]


# Functions.

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_CALLS = {"min": "max", "max": "min", "any": "all", "all": "any", "sorted": "list"}


@dataclass(frozen=True)
class Site:
    """One place of a function that can be changed, and put back."""

    node: ast.AST
    field: str
    new: Any
    change: str
    line: int
    crude: bool = False
    """Any call at all would notice it: taken only when nothing finer is left."""


def _negated(expression: ast.expr) -> ast.expr:
    return ast.UnaryOp(op=ast.Not(), operand=expression)


def _of_function(reference: Reference, root: Path, seed: int) -> Iterator[Mutation]:
    module = ast.parse((root / reference.file).read_text(encoding="utf-8"))
    function = function_in(module, reference.place)
    # Signature, annotations and texts stay as they are.
    sites = [site for statement in function.body for node in ast.walk(statement) for site in _sites(node)]
    random.Random(seed).shuffle(sites)
    for site in sorted(sites, key=lambda site: site.crude):
        old = getattr(site.node, site.field)
        setattr(site.node, site.field, site.new)
        text = ast.unparse(ast.fix_missing_locations(module))
        setattr(site.node, site.field, old)
        yield Mutation(reference, f"line {site.line}: {site.change}", text)


def _sites(node: ast.AST) -> Iterator[Site]:
    match node:
        case ast.Compare(ops=[operator, *rest]) if type(operator) in _COMPARISONS:
            other = _COMPARISONS[type(operator)]
            change = f"{type(operator).__name__} became {other.__name__}"
            yield Site(node, "ops", [other(), *rest], change, node.lineno)
        case ast.BinOp(op=operator) if type(operator) in _ARITHMETIC:
            swapped = _ARITHMETIC[type(operator)]
            change = f"{type(operator).__name__} became {swapped.__name__}"
            yield Site(node, "op", swapped(), change, node.lineno)
        case ast.BoolOp(op=ast.And()):
            yield Site(node, "op", ast.Or(), "and became or", node.lineno)
        case ast.BoolOp(op=ast.Or()):
            yield Site(node, "op", ast.And(), "or became and", node.lineno)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield Site(node, "operand", _negated(operand), "a not was undone", node.lineno)
        case ast.Constant(value=bool() as flag):
            yield Site(node, "value", not flag, f"{flag} became {not flag}", node.lineno)
        case ast.Constant(value=int() as number):
            yield Site(node, "value", number + 1, f"{number} became {number + 1}", node.lineno)
        case ast.Call(func=ast.Name(id=name) as called) if name in _CALLS:
            yield Site(called, "id", _CALLS[name], f"{name} became {_CALLS[name]}", node.lineno)
        case ast.If() | ast.IfExp():
            yield Site(node, "test", _negated(node.test), "a condition was negated", node.lineno)
        case ast.comprehension(ifs=[condition, *rest]):
            yield Site(node, "ifs", [_negated(condition), *rest], "a filter was negated", condition.lineno)
        case ast.Return(value=ast.expr() as value) if not isinstance(value, ast.Constant):
            yield Site(
                node, "value", _negated(value), "what is returned was negated", node.lineno, crude=True
            )
