"""Bad input, made from what a route declares: every case must be refused with its own 4xx code."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from enum import EnumType
from functools import cache, lru_cache
from typing import Any

from aiohttp import web
from annotated_types import MinLen

from server.handlers.api import Route
from server.handlers.openapi import document
from server.keys import IDENTIFY, ROUTES
from server.services.access import Actor
from tools import permissions
from tools.api import example_of

JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Case:
    """What is sent, and how it must be refused; ``fault`` is (field, code) of a 422."""

    name: str
    body: bytes
    status: int
    code: str
    fault: tuple[str, str] | None = None
    headers: tuple[tuple[str, str], ...] = tuple(JSON.items())


def writes(app: web.Application) -> list[Route]:
    """The routes of an application that take a body."""
    return [route for route in app[ROUTES].values() if route.body_model is not None]


def admit_everybody(app: web.Application) -> None:
    """Let every request in as somebody whom its route admits: what is under test is the input."""

    async def identify(request: web.Request) -> Actor:
        access = app[ROUTES][request.match_info.handler].access
        kind: Any = min(access.kinds)
        return Actor(kind=kind, id=1, session_id="s", organisation_id=1, roles=access.roles or frozenset())

    app[IDENTIFY] = identify


def address(route: Route) -> str:
    """The route's path with a number long enough for every variable, or the first of its words."""
    path = route.path
    for name, field in route.path_model.model_fields.items() if route.path_model else ():
        least = next((one.min_length for one in field.metadata if isinstance(one, MinLen)), 1)
        words = field.annotation if isinstance(field.annotation, EnumType) else ("1" * least,)
        path = path.replace(f"{{{name}}}", str(next(iter(words))))
    return path


@lru_cache(maxsize=4)
def _contract(declared: tuple[Route, ...]) -> Mapping[str, Any]:
    """The document of these routes. Writing one for each route takes longer than asking them all."""
    return document(declared)


@cache
def described(route: Route) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What the contract says of a route, and the schemas that it refers to."""
    declared = tuple(permissions.declared())
    contract = _contract(declared if route in declared else (route,))
    return contract["paths"][route.path][route.method.lower()], contract["components"]["schemas"]


def headers_of(route: Route) -> dict[str, str]:
    """Headers that the route accepts."""
    operation, components = described(route)
    return {
        parameter["name"]: str(example_of(parameter["schema"], components))
        for parameter in operation["parameters"]
        if parameter["in"] == "header"
    }


def body_of(route: Route) -> Any:
    """A body that the route's model accepts, the caller's own to change, or none where it takes none."""
    if route.body_model is None:
        return None
    operation, components = described(route)
    return deepcopy(example_of(operation["requestBody"]["content"]["application/json"]["schema"], components))


def cases(route: Route, limit: int) -> Iterator[Case]:
    """Bad bodies for a route, of at most a little more than ``limit`` bytes."""
    operation, components = described(route)
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    good = body_of(route)
    fields = components[schema["$ref"].rpartition("/")[2]]
    yield from _of_the_body(json.dumps(good).encode(), limit)
    yield _malformed("an unknown field", {**good, "qiquan_unknown": 1}, "qiquan_unknown", "extra_forbidden")
    for name in fields.get("required", ()):
        without = {key: value for key, value in good.items() if key != name}
        yield _malformed(f"no {name}", without, name, "missing")
    for name, field in fields["properties"].items():
        wrong: object = [1] if field.get("type") == "object" else {"a": [1]}
        yield _malformed(f"{name} of a wrong type", {**good, name: wrong}, name)
        if name.endswith("_fen"):
            for value, code in MONEY:
                yield _malformed(f"{name} {value!r}", {**good, name: value}, name, code)


MONEY: tuple[tuple[object, str], ...] = (
    (-1, "money_negative"),
    (0.5, "money_fractional"),
    (100.01, "money_fractional"),
    (10**15 + 1, "money_too_large"),
    ("100", "money_not_a_number"),
    (True, "money_not_a_number"),
)


def _malformed(name: str, value: dict[str, Any], field: str, code: str = "") -> Case:
    return Case(name, json.dumps(value).encode(), 422, "malformed", (field, code))


def _of_the_body(good: bytes, limit: int) -> Iterator[Case]:
    """Faults that need no knowledge of the fields."""
    begun = good[:-1] + (b"" if good == b"{}" else b", ")
    for name, body, code in (
        ("nothing", b"", "json_malformed"),
        ("half an object", good[:-1], "json_malformed"),
        ("two objects", good + good, "json_malformed"),
        ("not UTF-8", b'{"a": "\xff"}', "json_malformed"),
        ("a byte order mark", b"\xef\xbb\xbf" + good, "json_malformed"),
        ("UTF-16", good.decode().encode("utf-16"), "json_malformed"),
        ("a comment", good + b"// yes", "json_malformed"),
        ("single quotes", b"{'a': 1}", "json_malformed"),
        ("a leading zero", b'{"a": 01}', "json_malformed"),
        ("a control character in a text", b'{"a": "\x01"}', "json_malformed"),
        ("a list", b"[" + good + b"]", "json_not_an_object"),
        ("a text", b'"text"', "json_not_an_object"),
        ("null", b"null", "json_not_an_object"),
        ("one key twice", b'{"a": 1, "a": 1}', "json_duplicate_key"),
        ("one key twice, inside", begun + b'"a": [{"b": 1, "b": 2}]}', "json_duplicate_key"),
        ("one key in two spellings", b'{"a": 1, "\\u0061": 2}', "json_duplicate_key"),
        ("NaN", begun + b'"a": NaN}', "json_number_unusable"),
        ("Infinity", begun + b'"a": -Infinity}', "json_number_unusable"),
        ("1e400", begun + b'"a": 1e400}', "json_number_unusable"),
        ("2^63", begun + b'"a": 9223372036854775808}', "json_number_unusable"),
        ("a number of 1,000 digits", begun + b'"a": ' + b"9" * 1_000 + b"}", "json_number_unusable"),
        ("half a surrogate pair", begun + b'"a": "\\ud83d"}', "json_text_unusable"),
        ("half a surrogate pair as a key", begun + b'"\\udc00": 1}', "json_text_unusable"),
        ("U+0000", begun + b'"a": "x\\u0000y"}', "json_text_unusable"),
        ("a deep list", begun + b'"a": ' + b"[" * 40 + b"]" * 40 + b"}", "json_too_deep"),
        ("an abyss", b'{"a":' * (limit // 7) + b"1" + b"}" * (limit // 7), "json_too_deep"),
    ):
        yield Case(name, body, 400, code)
    yield Case("too large by one byte", good + b" " * (limit - len(good) + 1), 413, "body_too_large")
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""):
        yield Case(f"as {kind or 'nothing'}", good, 415, "not_json", headers=(("Content-Type", kind),))
    gbk = (("Content-Type", "application/json; charset=gbk"),)
    yield Case("in another character set", good, 415, "not_json", headers=gbk)
