"""Every door that takes anything: what it refuses is refused by name, and leaves nothing behind in any table.

The doors are those that the routes declare: a new one is tried without anybody writing it down here.
"""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tortoise import Tortoise
from tortoise.exceptions import IntegrityError, MultipleObjectsReturned
from tortoise.transactions import in_transaction

from server.handlers.api import Route
from tests.handlers.bad_input import body_of, headers_of
from tests.handlers.test_extremes import SPENT, UNAVAILABLE, admitted
from tests.ownership import NO_OBJECT, OWNED, Stage, a_stage
from tests.servers import emptied_redis
from tests.town import Caller, a_town
from tools import permissions

ROUTES = permissions.declared()
WRITES = [route for route in ROUTES if route.body_model is not None]
TAKES_BYTES = [route for route in ROUTES if route.receives is not None]
WRITING, TAKING = (tuple(dict.fromkeys(one.tag for one in some)) for some in (WRITES, TAKES_BYTES))
"""The tags of both: the doors of one are one test, so that none is long however slow the machine is."""
NOBODYS = 2**31 - 1
"""An id and a version that nothing has."""
KEPT = frozenset({"journal_entry", "sign_in_failures"})
"""What is written about a refusal, and is no part of what was refused."""
ENTITIES = b'<?xml version="1.0"?><!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><s>&b;</s>'


def zipped(**parts: bytes) -> bytes:
    """A ZIP of these parts; ``__`` stands for a slash, ``_dot_`` for a dot."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in parts.items():
            packed.writestr(name.replace("__", "/").replace("_dot_", "."), content)
    return buffer.getvalue()


BYTES: Mapping[str, bytes] = {
    "nothing": b"",
    "a zero byte": b"\x00",
    "half a letter": "文".encode()[:2],
    "another character set": "付款编号,金额\n".encode("utf-16"),
    "a page": b"<!doctype html><script>alert(1)</script>",
    "a formula for a header": "=HYPERLINK(1),金额\n1,2\n".encode(),
    "an endless line": b"a," * 40_000,
    "a ZIP of nothing": zipped(),
    "an XLSX of entities": zipped(**{"[Content_Types]_dot_xml": ENTITIES, "xl__workbook_dot_xml": ENTITIES}),
    "an XLSX that unpacks to a flood": zipped(xl__worksheets__sheet1_dot_xml=b"0" * 70_000_000),
    "a way out of the folder": zipped(**{"..__..__etc__passwd": b"x"}),
    "half a ZIP": zipped(xl__workbook_dot_xml=b"<x/>" * 400)[:-30],
    "a picture that is none": b"\x89PNG\r\n\x1a\n" + b"\x00" * 64,
    "a paper that is none": b"%PDF-1.7\n%%EOF",
    "half an object": b'{"a": ',
}
NAMES = ("../../etc/passwd", "a\r\nSet-Cookie: x=1", "\u202egnp.exe", "文" * 400, "%00", "COM1", ".", " ")


class Doors:
    """One stage, whose objects are made once, and the tables behind it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.made: dict[str, str] = {}
        self.callers: dict[object, Caller] = {}

    async def address(self, route: Route) -> str:
        """The route with objects that are there, on another stage where they do not fit on this one."""
        try:
            return await self._address(route)
        except (AssertionError, MultipleObjectsReturned, IntegrityError):
            self.stage, self.made = await a_stage(self.stage.town), {}
            return await self._address(route)

    async def _address(self, route: Route) -> str:
        path = route.path
        for name in route.path_model.model_fields if route.path_model else ():
            if name not in self.made:
                known = OWNED.get(name)
                self.made[name] = str(await known.make(self.stage)) if known else NO_OBJECT[name]
            path = path.replace(f"{{{name}}}", self.made[name])
        return path

    async def caller(self, route: Route, *, again: bool = False) -> Caller:
        """Somebody whom the route admits; the same one as long as they have their rights."""
        if again or route.access not in self.callers:
            self.callers[route.access] = await admitted(route, self.stage)
        return self.callers[route.access]

    async def tried(self, route: Route, send: Callable[[Caller], Awaitable[tuple[int, str]]]) -> str:
        """What is wrong with the answer, if anything is; an empty text: nothing."""
        caller = await self.caller(route)
        before = await self.rows()
        status, code = await send(caller)
        if status in SPENT:
            caller = await self.caller(route, again=True)
            before = await self.rows()
            status, code = await send(caller)
        now = await self.rows()
        left = [name for name, many in now.items() if before and many != before[name]]
        if status >= 500 and status != UNAVAILABLE:
            return f"{route.method} {route.path}: {status}"
        return f"{route.method} {route.path}: {status} {code} {left}" if status >= 400 and left else ""

    async def rows(self) -> dict[str, int]:
        """How many rows each table has."""
        known = {model._meta.db_table for app in Tortoise.apps.values() for model in app.values()}
        counts = " UNION ALL ".join(
            f"SELECT '{one}' AS name, COUNT(*) AS many FROM \"{one}\"" for one in sorted(known - KEPT)
        )
        async with in_transaction() as connection:
            found = await connection.execute_query_dict(counts)
        return {str(row["name"]): int(row["many"]) for row in found}


@pytest.fixture(scope="module")
async def doors(
    sqlite_template: Path, redis_address: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Doors]:
    """One for all these tests: what is refused leaves nothing behind that another could stumble over."""
    file = tmp_path_factory.mktemp("doors") / "qiquan.sqlite3"
    shutil.copyfile(sqlite_template, file)
    async with a_town(f"sqlite://{file}", await emptied_redis(redis_address)) as town:
        yield Doors(await a_stage(town))
    file.unlink()


def nobodys(value: Any, name: str = "") -> Any:
    """The same body about things that nobody has, seen as they never were."""
    if isinstance(value, dict):
        return {key: nobodys(one, key) for key, one in value.items()}
    if isinstance(value, list):
        return [nobodys(one, name) for one in value]
    names_something = name == "version" or name.endswith(("_id", "_ids"))
    return NOBODYS if names_something and isinstance(value, int) else value


def test_every_door_is_tried() -> None:
    assert len(WRITES) > 150 and {one.tag for one in WRITES} == set(WRITING)
    assert len(TAKES_BYTES) > 8 and {one.tag for one in TAKES_BYTES} == set(TAKING)


@pytest.mark.parametrize("tag", WRITING)
async def test_what_is_about_nothing_there_is_refused_and_leaves_nothing(doors: Doors, tag: str) -> None:
    wrong = []
    for route in (one for one in WRITES if one.tag == tag):
        where, body = await doors.address(route), nobodys(body_of(route))
        headers = {name: value for name, value in headers_of(route).items() if name != "Authorization"}
        send = partial(_said, route.method, where, body, headers)
        wrong.append(await doors.tried(route, send))
    assert [one for one in wrong if one] == []


@pytest.mark.parametrize("tag", TAKING)
async def test_no_bytes_are_more_than_a_door_can_refuse_and_nothing_is_left(doors: Doors, tag: str) -> None:
    wrong = []
    for route in (one for one in TAKES_BYTES if one.tag == tag):
        where = await doors.address(route)
        for title, content in BYTES.items():
            send = partial(_thrown, route.method, where + query_of(route), content)
            said = await doors.tried(route, send)
            wrong += [f"{title}: {said}"] if said else []
    assert wrong == []


async def test_no_name_of_a_file_leads_anywhere(doors: Doors) -> None:
    wrong = []
    for route in (one for one in TAKES_BYTES if one.query_model and "name" in one.query_model.model_fields):
        where, caller = await doors.address(route), await doors.caller(route)
        for name in NAMES:
            asked = where + query_of(route, name=quote(name, safe="%"))
            status, _ = await caller.throw(route.method, asked, b"%PDF-1.7\n%%EOF")
            if status < 400 or (status >= 500 and status != UNAVAILABLE):
                wrong.append(f"{route.path} {name!r}: {status}")
    assert wrong == []


async def _said(
    method: str, where: str, body: Any, headers: Mapping[str, str], caller: Caller
) -> tuple[int, str]:
    return await caller.refused(method, where, body=body, headers=headers)


async def _thrown(method: str, where: str, content: bytes, caller: Caller) -> tuple[int, str]:
    return await caller.throw(method, where, content)


def query_of(route: Route, **known: str) -> str:
    """A query that the route takes."""
    usual = {"name": "a.pdf", "kind": "other", "programme": "lishui-2024", "fingerprint": "0" * 64, **known}
    fields = route.query_model.model_fields if route.query_model else {}
    asked = "&".join(f"{name}={usual[name]}" for name in fields if name in usual)
    return f"?{asked}" if asked else ""
