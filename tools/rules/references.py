"""References: the value or the function a rule rests on, written as text and found in the tree.

``config/programmes/lishui-2024.toml:deduction[0].rate_percent`` is a value; a list is entered by
position or by the value of a key, ``tiers[code=starter].quota_yuan``.
``server/rules/deduction.py:deduct`` is a function, ``…:Programme.in_force_on`` a method.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Step = str | int | tuple[str, str]
"""A key, a position in a list, or the (key, value) that an element of a list has."""

_STEP = re.compile(r"(?P<key>[A-Za-z0-9_-]+)(?P<selectors>(?:\[[^\]]+\])*)")
_SELECTOR = re.compile(r"\[(?:(?P<index>\d+)|(?P<key>\w+)=(?P<value>[^\]]+))\]")


class Unresolved(Exception):
    """A reference that leads nowhere; the message says where it ends."""


@dataclass(frozen=True)
class Reference:
    """A file of the tree and a place in it."""

    file: str
    place: str

    @classmethod
    def parse(cls, text: str) -> Reference:
        """``file:place``; :class:`Unresolved` when it is neither a TOML value nor a Python function."""
        file, colon, place = text.partition(":")
        if not colon or not place or not file.endswith((".toml", ".py")):
            raise Unresolved(f"{text!r} is not of the form file.toml:key or file.py:function")
        return cls(file, place)

    @property
    def is_value(self) -> bool:
        return self.file.endswith(".toml")

    def __str__(self) -> str:
        return f"{self.file}:{self.place}"


def steps(place: str) -> Iterator[Step]:
    """The steps from the top of a TOML document to a value."""
    for part in place.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise Unresolved(f"{part!r} is not a key with selectors")
        yield match["key"]
        for selector in _SELECTOR.finditer(match["selectors"]):
            yield int(selector["index"]) if selector["index"] else (selector["key"], selector["value"])


def locate(document: Any, place: str) -> tuple[Any, str | int]:
    """The container that holds the value at ``place``, and its key there."""
    *outer, key = path_to(document, place)
    container = document
    for step in outer:
        container = container[step]
    return container, key


def path_to(document: Any, place: str) -> list[str | int]:
    """The keys and positions that lead to ``place``; :class:`Unresolved` when they lead nowhere."""
    path: list[str | int] = []
    current = document
    for step in steps(place):
        if isinstance(step, tuple):
            name, value = step
            found = [
                index
                for index, element in enumerate(current if isinstance(current, list) else [])
                if isinstance(element, dict) and str(element.get(name)) == value
            ]
            if len(found) != 1:
                raise Unresolved(f"{len(found)} elements have {name}={value} in {place}")
            step = found[0]
        try:
            current = current[step]
        except (KeyError, IndexError, TypeError) as error:
            raise Unresolved(f"{step!r} of {place} is not there") from error
        path.append(step)
    return path


def written(path: list[str | int]) -> str:
    """A path as programme-check writes it: ``issuance.tier[0].code``."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def function_in(module: ast.Module, place: str) -> ast.FunctionDef | ast.AsyncFunctionDef:
    """The function or method of that dotted name."""
    scope: list[ast.stmt] = module.body
    *owners, name = place.split(".")
    for owner in owners:
        classes = [node for node in scope if isinstance(node, ast.ClassDef) and node.name == owner]
        if not classes:
            raise Unresolved(f"no class {owner} for {place}")
        scope = classes[0].body
    for node in scope:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == name:
            return node
    raise Unresolved(f"no function {place}")


def resolve(reference: Reference, root: Path) -> Any:
    """The value itself, or the source of the function; :class:`Unresolved` when it is not there."""
    path = root / reference.file
    if not path.is_file():
        raise Unresolved(f"{reference}: no such file")
    text = path.read_text(encoding="utf-8")
    try:
        if reference.is_value:
            container, key = locate(tomllib.loads(text), reference.place)
            return container[key]
        return ast.get_source_segment(text, function_in(ast.parse(text), reference.place))
    except Unresolved as error:
        raise Unresolved(f"{reference}: {error}") from error
