"""Extremes: values that a route's schema may well admit, sent to the real server; never a 500."""

from __future__ import annotations

import copy
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest

from server.handlers.api import Route
from tests.handlers.bad_input import body_of, headers_of
from tests.ownership import NO_OBJECT, OWNED, Objects, Stage
from tests.town import Caller, Town, a_town
from tools import permissions
from tools.permissions import PRINCIPALS

ROUTES = permissions.declared()
TAGS = tuple(dict.fromkeys(route.tag for route in ROUTES if not route.path.startswith("/metrics")))

NUMBERS = (-1, 2**31, 2**53, 2**63 - 1, -(2**63))
DAYS = ("0001-01-01", "9999-12-31", "２０２６-05-18")
INSTANTS = ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-05-18T00:00:00")
TEXTS = ("", "  ", "９１３３", "文" * 20_000, "\u202e\u200b", "a\u0007", "%s{names}", "=cmd|' /C calc'!A0")
ODD: tuple[Any, ...] = (None, True, 0.5, [], {}, [[]], {"a": {}})
UNAVAILABLE = 503
"""WeChat is not there in this town."""
SPENT = (401, 429)
"""What is said to somebody who has signed out, or has asked too often for today."""


@pytest.fixture
async def town(postgres_url: str, redis_url: str) -> AsyncIterator[Town]:
    """PostgreSQL alone: its columns have limits that SQLite's have not."""
    async with a_town(postgres_url, redis_url) as town:
        yield town


def mutations(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Everywhere in a body, something extreme: (where, what)."""
    if path:
        for other in (*NUMBERS, *DAYS, *INSTANTS, *TEXTS, *ODD):
            yield path, other
    inside: Any = ()
    if isinstance(value, dict):
        inside = value.items()
        yield (*path, "x" * 64), 1
        yield (*path, "文"), "x"
    elif isinstance(value, list):
        inside = enumerate(value)
        if value:
            yield path, value * 2
            yield path, value * 5_000
    for key, one in inside:
        yield from mutations(one, (*path, key))


def mutated(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    changed = copy.deepcopy(body)
    place = changed
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return changed


async def admitted(route: Route, stage: Stage) -> Caller:
    """Somebody whom the route admits, and whose the objects are."""
    if route.access.is_public:
        return stage.town.anybody
    for principal in PRINCIPALS:
        if principal.may(route) and principal.role in stage.owners:
            return stage.owners[principal.role]
    principal = next(one for one in PRINCIPALS if one.may(route))
    return await (stage.town.person() if principal.kind == "person" else stage.town.staff(principal.role))


async def placed(route: Route, objects: Objects, *others: str) -> tuple[Stage, str, Mapping[str, int | str]]:
    """A stage with what the route's path and ``others`` name, the address, and those objects."""
    names = (*(route.path_model.model_fields if route.path_model else ()), *others)
    stage, made = await objects.of({name: OWNED[name].make for name in names if name in OWNED})
    path = route.path
    for name in route.path_model.model_fields if route.path_model else ():
        path = path.replace(f"{{{name}}}", str(made[name] if name in made else NO_OBJECT[name]))
    return stage, path, made


@pytest.mark.parametrize("tag", TAGS)
async def test_no_extreme_value_is_more_than_the_server_can_answer(town: Town, tag: str) -> None:
    fallen = []
    objects = Objects(town)
    for route in (one for one in ROUTES if one.tag == tag and one.body_model is not None):
        body = body_of(route)
        stage, where, made = await placed(route, objects, *body)
        body.update({name: made[name] for name in body if name in made})
        headers: Mapping[str, str] = {
            name: value for name, value in headers_of(route).items() if name != "Authorization"
        }
        caller, was_accepted = await admitted(route, stage), False
        for path, value in mutations(body):
            sent = mutated(body, path, value)
            status, _ = await caller.refused(route.method, where, body=sent, headers=headers)
            if status in SPENT:
                caller = await admitted(route, stage)
                status, _ = await caller.refused(route.method, where, body=sent, headers=headers)
            if status < 300:
                # What was accepted may stand in the way of the next: somebody else comes.
                was_accepted, caller = True, await admitted(route, stage)
            if status >= 500 and status != UNAVAILABLE:
                fallen.append(f"{route.method} {route.path} {path} {str(value)[:40]!r}: {status}")
        if was_accepted:
            # What was done may have taken a right away.
            objects.forget()
    assert fallen == []


@pytest.mark.parametrize("tag", TAGS)
async def test_no_query_is_more_than_the_server_can_answer(town: Town, tag: str) -> None:
    objects = Objects(town)
    fallen = []
    for route in (one for one in ROUTES if one.tag == tag and one.query_model is not None):
        stage, where, _ = await placed(route, objects)
        caller = await admitted(route, stage)
        for name in route.query_model.model_fields if route.query_model else ():
            for value in (*NUMBERS, *DAYS, *(text[:900] for text in TEXTS), "%00", "\ud83d"):
                said = quote(str(value), safe="%", errors="surrogatepass")
                status, _ = await caller.refused(route.method, f"{where}?{name}={said}")
                if status >= 500 and status != UNAVAILABLE:
                    fallen.append(f"{route.method} {route.path}?{name}={said[:60]}: {status}")
    assert fallen == []
