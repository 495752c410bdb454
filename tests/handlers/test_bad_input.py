"""Bad input is refused with its own code, never with a 500, on every route that takes a body."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from server.handlers import doors
from server.handlers.api import Route
from server.handlers.complaints import AccusationsQuery
from server.handlers.parsing import query_parser
from server.handlers.problems import Malformed
from server.keys import ROUTES
from tests.handlers.bad_input import JSON, Case, address, admit_everybody, cases, headers_of, writes
from tests.handlers.platform import TEST, small_app
from tests.handlers.test_api_layer import AS_OWNER, KEY
from tests.handlers.test_api_layer import routes as things

LIMIT = 4_000
SETTINGS = replace(TEST, max_body_bytes=LIMIT)
EVERY = small_app(*doors.MODULES[1:], things, settings=SETTINGS)
WRITES: list[Route] = writes(EVERY)


async def refused(client: Any, route: Route, case: Case) -> str:
    """An empty text if the case is refused as it must be, or what came instead."""
    headers = {**headers_of(route), **dict(case.headers)}
    response = await client.request(route.method, address(route), data=case.body, headers=headers)
    told = await response.json(content_type=None)
    if (response.status, told.get("code")) != (case.status, case.code):
        return f"{case.name}: {response.status} {told}"
    if case.fault is not None:
        field, code = case.fault
        if not any(
            fault["field"].partition(".")[0] == field and code in (fault["code"], "")
            for fault in told["faults"]
        ):
            return f"{case.name}: {told['faults']}"
    return ""


@pytest.fixture
async def client(aiohttp_client: Any) -> AsyncIterator[Any]:
    app = small_app(*doors.MODULES[1:], things, settings=SETTINGS)
    admit_everybody(app)
    yield await aiohttp_client(app)


@pytest.mark.parametrize("route", WRITES, ids=lambda route: f"{route.method} {route.path}")
async def test_every_bad_body_is_refused_with_its_own_code(client: Any, route: Route) -> None:
    wrong = [await refused(client, route, case) for case in cases(route, LIMIT)]
    assert [one for one in wrong if one] == []
    assert len(wrong) > 30


async def test_words_to_choose_from_are_named_without_any_of_pythons(client: Any) -> None:
    for path, field, words in (
        ("/api/v1/exports", "format", "应为以下之一：xlsx、csv"),
        ("/api/v1/reviews/1/decision", "decision", "应为以下之一：approve、return、reject"),
    ):
        response = await client.post(path, json={field: "zip"}, headers=AS_OWNER)
        told = {one["field"]: one["problem"] for one in (await response.json())["faults"]}
        assert told[field] == words


async def test_there_are_routes_to_try(client: Any) -> None:
    assert any(route.body_model for route in client.app[ROUTES].values())


# -- bodies as they arrive -------------------------------------------------------------------------

PATH = "/things/1/payments"
HEADERS = {**AS_OWNER, **KEY, **JSON}


async def chunks(*parts: bytes, pause: float = 0) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
        await asyncio.sleep(pause)


async def test_a_body_without_announced_length_is_counted_as_it_arrives(client: Any) -> None:
    fine = await client.post(PATH, data=chunks(b'{"amount_fen":', b" 7}"), headers=HEADERS)
    assert fine.status == 201
    large = await client.post(PATH, data=chunks(*[b" " * 500] * 9), headers=HEADERS)
    assert (large.status, (await large.json(content_type=None))["code"]) == (413, "body_too_large")


async def test_a_body_of_exactly_the_limit_is_read(client: Any) -> None:
    body = b'{"amount_fen": 7}'
    response = await client.post(PATH, data=body + b" " * (LIMIT - len(body)), headers=HEADERS)
    assert response.status == 201


async def test_a_body_that_does_not_come_is_given_up(client: Any) -> None:
    response = await client.post(PATH, data=chunks(b"{", b"}", pause=1.5), headers=HEADERS)
    assert (response.status, (await response.json(content_type=None))["code"]) == (408, "body_too_slow")


async def exchange(client: Any, request: bytes) -> bytes:
    """What the server answers to these bytes before it closes the connection."""
    reader, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(request)
    try:
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()


HEAD = b"POST /things/1/payments HTTP/1.1\r\nHost: x\r\nX-Actor: owner\r\nIdempotency-Key: 00ff\r\n"


@pytest.mark.parametrize(
    "request_bytes",
    [
        pytest.param(HEAD + b"Content-Length: -1\r\n\r\n{}", id="a negative length"),
        pytest.param(HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", id="two lengths"),
        pytest.param(
            HEAD + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", id="length and chunks"
        ),
        pytest.param(HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", id="an unknown encoding"),
        pytest.param(HEAD + b"X: a\r\n b\r\n\r\n", id="a folded header"),
        pytest.param(HEAD + b"X: " + b"a" * 9_000 + b"\r\n\r\n", id="a header of 9,000 bytes"),
        pytest.param(HEAD + b"X\x00: a\r\n\r\n", id="a zero byte in a header"),
        pytest.param(
            b"POST /" + b"a" * 9_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", id="an address of 9,000 bytes"
        ),
        pytest.param(b"NONSENSE\r\n\r\n", id="no request at all"),
    ],
)
async def test_a_request_that_is_no_http_is_refused_and_the_connection_closed(
    client: Any, request_bytes: bytes
) -> None:
    answer = await exchange(client, request_bytes)
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.0 400", b"HTTP/1.1 431", b"HTTP/1.1 414")), answer[
        :200
    ]
    assert answer.count(b"HTTP/1.") == 1


async def test_a_broken_chunk_is_refused(client: Any) -> None:
    head = HEAD + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = await exchange(client, head + b"zz\r\n{}\r\n0\r\n\r\n")
    assert b" 400 " in answer.partition(b"\r\n")[0]


async def test_a_body_that_breaks_off_disturbs_nobody(client: Any) -> None:
    head = HEAD + b"Content-Type: application/json\r\nContent-Length: 50\r\n\r\n"
    _, writer = await asyncio.open_connection(client.host, client.port)
    writer.write(head + b'{"amount')
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert (await client.post(PATH, json={"amount_fen": 7}, headers=HEADERS)).status == 201


def test_a_number_beyond_64_bits_in_a_query_is_a_fault_and_no_failure_of_the_database() -> None:
    read = query_parser(AccusationsQuery)
    assert read(make_mocked_request("GET", f"/?after={2**63 - 1}")).after == 2**63 - 1
    with pytest.raises(Malformed):
        read(make_mocked_request("GET", f"/?after={2**63}"))
