"""The API layer and its middleware: what every route gets without asking for it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from random import Random
from typing import Any

import asyncpg
import pytest
import redis.exceptions
from aiohttp import web
from aiohttp.test_utils import TestClient
from pydantic import AwareDatetime, Field
from tortoise.exceptions import DBConnectionError, IntegrityError, OperationalError

from server.errors import Unmet
from server.handlers import api
from server.handlers.api import PERSON, PUBLIC, SIGNED_IN, Access, Answer, Reply, RouteMistake, Routes, staff
from server.handlers.outages import is_outage
from server.handlers.parsing import Body, BodyTooLarge, Fen, Headers, Id, Path, Query
from server.handlers.problems import RequestUnusable, document, problem_response, spread
from server.handlers.wire import JSON_CREATED, PreparedProblem, WireAnswer
from server.keys import REQUEST_ID
from server.middlewares import new_request_id, runner_options
from server.services.access import Actor, NotFound
from tests.handlers.platform import TEST, small_app

routes = Routes("things")


class Busy(RequestUnusable):
    """A refusal with everything that a refusal can carry."""

    status = 429


class ThingPath(Path):
    thing_id: Id = Field(description="The thing. | 编号。")


class Filter(Query):
    limit: int = Field(default=20, ge=1, le=100, description="How many. | 数量。")
    since: AwareDatetime | None = Field(default=None, description="From when. | 起始时间。")


class Key(Headers):
    key: str = Field(
        alias="Idempotency-Key", pattern="^[0-9a-f]{4}$", examples=["00ff"], description="Key. | 请求编号。"
    )


class Payment(Body):
    amount_fen: Fen = Field(description="Money, in fen. | 金额，单位分。")
    note: str = Field(default="", max_length=5, description="A note. | 备注。")


class Thing(Answer):
    """A thing."""

    thing_id: int = Field(description="The thing. | 编号。")
    says: str = Field(description="What it says. | 内容。")


class Waiting(Answer):
    """Not yet."""

    seconds: int = Field(description="How long. | 秒数。")


@routes.post(
    "/things/{thing_id}/payments",
    summary="Pay. | 付款。",
    access=PERSON,
    answers={201: Thing, 202: Waiting},
)
async def pay(
    request: web.Request, actor: Actor, path: ThingPath, headers: Key, body: Payment
) -> Thing | Reply:
    if body.note == "wait":
        return Reply(Waiting(seconds=2), {"Retry-After": "2"})
    said = f"{actor.name} {headers.key} {body.amount_fen}"
    return Thing(thing_id=path.thing_id, says=said)


@routes.get("/things", summary="List. | 列表。", access=SIGNED_IN, answers={200: Thing})
async def things(request: web.Request, query: Filter) -> Thing:
    return Thing(thing_id=query.limit, says=str(query.since))


@routes.delete(
    "/things/{thing_id}", summary="Remove. | 删除。", access=staff("operator"), answers={204: None}
)
async def remove(request: web.Request, path: ThingPath) -> None:
    return None


@routes.get(
    "/raise/{thing_id}",
    summary="Fails in a chosen way. | 失败。",
    access=PUBLIC,
    answers={200: Thing},
    refusals=(Busy, BodyTooLarge),
)
async def fail(request: web.Request, path: ThingPath) -> Thing:
    raise FAILURES[path.thing_id]


@routes.post("/rings/{thing_id}", summary="Gives way. | 让路。", access=PUBLIC, answers={200: Thing})
async def ring(request: web.Request, path: ThingPath, body: Payment) -> Thing:
    """Gives way as often as the path says before it gets through."""
    return through_a_ring(path, body.note)


@routes.post("/streams/{thing_id}", summary="Reads the wire. | 读流。", access=PUBLIC, answers={200: Thing})
async def stream(request: web.Request, path: ThingPath) -> Thing:
    return through_a_ring(path, (await request.read()).decode())


TRIED: Counter[str] = Counter()


def through_a_ring(path: ThingPath, said: str) -> Thing:
    TRIED[said] += 1
    if TRIED[said] <= path.thing_id:
        raise asyncpg.DeadlockDetectedError("deadlock detected")
    return Thing(thing_id=TRIED[said], says=said)


@routes.bare("POST", "/bare", summary="Bare. | 直达。", access=PUBLIC, answers={201: Thing})
async def bare(request: web.Request) -> web.StreamResponse:
    return WireAnswer(JSON_CREATED, b'{"thing_id":1,"says":"x"}', status=201, request_id=request[REQUEST_ID])


PREPARED = PreparedProblem(RequestUnusable(clause="二（一）", receipt=1))


@routes.bare("GET", "/prepared", summary="Refused. | 拒绝。", access=PUBLIC, answers={201: Thing})
async def prepared(request: web.Request) -> web.StreamResponse:
    return PREPARED.answer(request[REQUEST_ID], receipt="abc")


class Undeclared(RequestUnusable):
    """Raised by a route that does not name it."""


FAILURES: dict[int, BaseException] = {
    1: Busy(
        clause="二（三）1",
        arithmetic="7 < 12",
        retry_after=10,
        unmet=[Unmet("age", "二（三）1", "成立不足 12 个月", "7 < 12")],
        months=7,
    ),
    2: ValueError("openid oABCDEFGHIJKLMNOPQRSTUVWXYZ1 of 13812345678"),
    3: redis.exceptions.ConnectionError("away"),
    4: Undeclared(),
    5: web.HTTPNotFound(),
    6: web.HTTPConflict(),
    7: web.HTTPFound("/things"),
    8: NotFound(),
    9: BodyTooLarge(),
}

AS_OWNER = {"X-Actor": "owner"}
AS_OPERATOR = {"X-Actor": "operator"}
KEY = {"Idempotency-Key": "00ff"}


@pytest.fixture
async def client(aiohttp_client: Any) -> AsyncIterator[TestClient[Any, Any]]:
    yield await aiohttp_client(small_app(routes))


async def problem(response: Any) -> dict[str, Any]:
    assert response.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = await response.json(content_type=None)
    assert document["status"] == response.status
    assert document["request_id"] == response.headers["X-Request-Id"]
    return document


# -- what goes in, what comes out ------------------------------------------------------------------


async def test_a_handler_receives_typed_values_and_its_answer_class_decides_the_status(client: Any) -> None:
    response = await client.post("/things/5/payments", json={"amount_fen": 70}, headers={**AS_OWNER, **KEY})
    assert response.status == 201
    assert await response.json() == {"thing_id": 5, "says": "person:1 00ff 70"}


async def test_a_reply_adds_headers_to_the_status_of_its_answer(client: Any) -> None:
    body = {"amount_fen": 70, "note": "wait"}
    response = await client.post("/things/5/payments", json=body, headers={**AS_OWNER, **KEY})
    assert (response.status, response.headers["Retry-After"]) == (202, "2")


async def test_an_empty_answer_is_204(client: Any) -> None:
    assert (await client.delete("/things/5", headers=AS_OPERATOR)).status == 204


async def test_query_values_are_typed_and_have_defaults(client: Any) -> None:
    plain = await client.get("/things", headers=AS_OWNER)
    chosen = await client.get("/things?limit=7&since=2026-03-01T09:00:00%2B08:00", headers=AS_OWNER)
    assert (await plain.json())["thing_id"] == 20
    assert (await chosen.json())["thing_id"] == 7
    assert (await chosen.json())["says"].startswith("2026-03-01 09:00:00")


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("limit=0", "limit", "greater_than_equal"),
        ("limit=1_0", "limit", "int_parsing"),
        ("limit=%207", "limit", "int_parsing"),
        ("limit=7.0", "limit", "int_parsing"),
        ("limit=99999999999999999999", "limit", "int_parsing"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("limits=1", "limits", "extra_forbidden"),
        ("since=2026-03-01T09:00:00", "since", "timezone_aware"),
        ("since=2026%00", "since", "other"),
    ],
)
async def test_a_wrong_query_is_refused_by_field(client: Any, query: str, field: str, code: str) -> None:
    response = await client.get(f"/things?{query}", headers=AS_OWNER)
    refused = await problem(response)
    assert (response.status, refused["code"]) == (422, "malformed")
    assert [(fault["field"], fault["code"]) for fault in refused["faults"]] == [(field, code)]


async def test_all_faults_of_a_body_come_back_together(client: Any) -> None:
    response = await client.post(
        "/things/5/payments", json={"note": "much too long", "x": 1}, headers={**AS_OWNER, **KEY}
    )
    refused = await problem(response)
    assert refused["detail"] == "提交的内容有 3 处需要修改"
    assert {fault["field"]: fault["problem"] for fault in refused["faults"]} == {
        "amount_fen": "缺少这一项",
        "note": "最多 5 个字",
        "x": "没有这一项",
    }


async def test_a_missing_or_malformed_header_is_named_as_it_is_sent(client: Any) -> None:
    for sent, code in (({}, "missing"), ({"Idempotency-Key": "zz"}, "string_pattern_mismatch")):
        response = await client.post(
            "/things/5/payments", json={"amount_fen": 1}, headers={**AS_OWNER, **sent}
        )
        assert (await problem(response))["faults"][0] | {"problem": ""} == {
            "field": "Idempotency-Key",
            "code": code,
            "problem": "",
        }


@pytest.mark.parametrize("thing", ["0", "-1", "01", "1_0", "x", "9223372036854775808", "%00", "1%2F2"])
async def test_a_path_that_names_nothing_is_404(client: Any, thing: str) -> None:
    response = await client.delete(f"/things/{thing}", headers=AS_OPERATOR)
    assert (await problem(response))["code"] in {"not_found", "no_such_address"}
    assert response.status == 404


# -- who may ---------------------------------------------------------------------------------------


async def test_nobody_in_particular_is_asked_to_sign_in_before_the_body_is_read(client: Any) -> None:
    response = await client.post("/things/5/payments", data=b"not json")
    assert (response.status, (await problem(response))["code"]) == (401, "not_signed_in")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("POST", "/things/5/payments", AS_OPERATOR, 403),
        ("DELETE", "/things/5", AS_OWNER, 403),
        ("GET", "/things", AS_OWNER, 200),
        ("GET", "/things", AS_OPERATOR, 200),
    ],
)
async def test_access_admits_the_kinds_and_roles_it_names(
    client: Any, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    assert (await client.request(method, path, headers=headers)).status == status


def test_a_role_is_needed_as_well_as_a_kind() -> None:
    clerk = Actor(kind="staff", id=3, session_id="s", organisation_id=None, roles=frozenset({"clerk"}))
    assert not staff("operator").admits(clerk)
    assert staff("operator", "clerk").admits(clerk)
    assert staff().admits(clerk)
    assert not Access(frozenset({"person"})).admits(clerk)


# -- refusals and failures -------------------------------------------------------------------------


async def test_a_refusal_says_everything_it_knows(client: Any) -> None:
    response = await client.get("/raise/1")
    refused = await problem(response)
    wait = refused.pop("retry_after")
    assert 10 <= wait <= 15
    assert response.headers["Retry-After"] == str(wait)
    assert refused | {"request_id": ""} == {
        "type": "/docs#request_unusable",
        "title": "操作太频繁",
        "status": 429,
        "detail": "请求无法处理",
        "code": "request_unusable",
        "request_id": "",
        "clause": "二（三）1",
        "arithmetic": "7 < 12",
        "unmet": [
            {"code": "age", "clause": "二（三）1", "message": "成立不足 12 个月", "arithmetic": "7 < 12"}
        ],
        "values": {"months": 7},
    }


def test_only_waiting_for_an_overloaded_server_is_spread() -> None:
    random = Random(1)
    assert {spread(10, random) for _ in range(200)} == set(range(10, 16))
    assert {spread(0, random) for _ in range(50)} == {0, 1}
    busy, early = Busy(retry_after=10), RequestUnusable(retry_after=3)
    told = {problem_response(busy, "A", random).headers["Retry-After"] for _ in range(50)}
    assert len(told) > 1
    assert {problem_response(early, "A", random).headers["Retry-After"] for _ in range(50)} == {"3"}


async def test_an_unexpected_failure_says_nothing_but_the_request_id(client: Any) -> None:
    response = await client.get("/raise/2")
    refused = await problem(response)
    assert (response.status, refused["code"]) == (500, "internal_error")
    assert refused["request_id"] in refused["detail"]
    assert "138" not in json.dumps(refused)
    assert "ValueError" not in json.dumps(refused)


async def test_a_missing_server_behind_us_is_503_with_a_time_to_come_back(client: Any) -> None:
    response = await client.get("/raise/3")
    refused = await problem(response)
    assert (response.status, refused["code"]) == (503, "service_unavailable")
    assert int(response.headers["Retry-After"]) == refused["retry_after"] >= 2


async def test_a_refusal_that_a_route_does_not_declare_fails_in_tests_and_speaks_in_production(
    aiohttp_client: Any, client: Any
) -> None:
    assert (await client.get("/raise/4")).status == 500
    assert (await client.get("/raise/8")).status == 404
    live = await aiohttp_client(small_app(routes, settings=replace(TEST, mode="demo")))
    assert (await live.get("/raise/4")).status == 400


@pytest.mark.parametrize(
    ("which", "status", "code"), [(5, 404, "no_such_address"), (6, 400, "request_unusable")]
)
async def test_errors_of_aiohttp_are_told_in_our_words(
    client: Any, which: int, status: int, code: str
) -> None:
    response = await client.get(f"/raise/{which}")
    assert (response.status, (await problem(response))["code"]) == (status, code)


async def test_redirects_pass(client: Any) -> None:
    response = await client.get("/raise/7", allow_redirects=False)
    assert (response.status, response.headers["Location"]) == (302, "/things")


async def test_an_unknown_address_and_an_unknown_method_are_problems_too(client: Any) -> None:
    assert (await problem(await client.get("/nowhere")))["code"] == "no_such_address"
    wrong = await client.put("/things")
    assert (await problem(wrong))["code"] == "method_not_allowed"
    assert wrong.headers["Allow"] == "GET"
    assert (await client.head("/things")).status == 405


@pytest.mark.parametrize(
    "fault",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 5432)"),
        DBConnectionError("away"),
        redis.exceptions.TimeoutError("slow"),
        redis.exceptions.BusyLoadingError("loading"),
        asyncpg.CannotConnectNowError("starting"),
        asyncpg.AdminShutdownError("going"),
        asyncpg.TooManyConnectionsError("full"),
        asyncpg.ConnectionDoesNotExistError("gone"),
        asyncpg.DeadlockDetectedError("deadlock"),
        asyncpg.InterfaceError("connection is closed"),
    ],
    ids=repr,
)
def test_an_outage_is_recognised(fault: Exception) -> None:
    assert is_outage(fault)


@pytest.mark.parametrize(
    "fault",
    [
        ValueError(),
        OSError("disk"),
        IntegrityError("twice"),
        OperationalError("no such column"),
        asyncpg.UndefinedColumnError("x"),
        asyncpg.InterfaceError("the query has 2 parameters"),
        redis.exceptions.ResponseError("wrong type"),
    ],
    ids=repr,
)
def test_a_mistake_of_ours_is_not_called_an_outage(fault: Exception) -> None:
    assert not is_outage(fault)


async def test_who_gave_way_in_a_ring_is_asked_again_before_its_caller_hears_of_it(client: Any) -> None:
    for gave_way in (1, 2):
        answered = await client.post(f"/rings/{gave_way}", json={"amount_fen": 1, "note": f"r{gave_way}"})
        assert (answered.status, (await answered.json())["thing_id"]) == (200, gave_way + 1)
    # There is an end to it, and what was read from the wire is not asked for twice.
    endless = await client.post("/rings/9", json={"amount_fen": 1, "note": "r9"})
    assert ((await problem(endless))["code"], TRIED["r9"]) == ("service_unavailable", 3)
    read = await client.post("/streams/1", data=b"s1")
    assert ((await problem(read))["code"], TRIED["s1"]) == ("service_unavailable", 1)


def test_a_locked_sqlite_file_is_an_outage(tmp_path: Any) -> None:
    path = tmp_path / "x.sqlite3"
    first = sqlite3.connect(path, isolation_level=None)
    second = sqlite3.connect(path, timeout=0, isolation_level=None)
    try:
        first.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as locked:
            second.execute("BEGIN EXCLUSIVE")
        with pytest.raises(sqlite3.OperationalError) as absurd:
            second.execute("NONSENSE")
    finally:
        first.close()
        second.close()
    assert is_outage(OperationalError(locked.value))
    assert not is_outage(OperationalError(absurd.value))


# -- what every answer carries ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/things", "/nowhere", "/raise/2", "/prepared", "/healthz"])
async def test_every_answer_has_a_request_id_and_forbids_sniffing_and_storing(client: Any, path: str) -> None:
    first = await client.get(path, headers={**AS_OWNER, "X-Request-Id": "AAAAAAAA"})
    second = await client.get(path, headers=AS_OWNER)
    ids = [response.headers["X-Request-Id"] for response in (first, second)]
    assert all(re.fullmatch("[0-9A-HJKMNP-TV-Z]{8}", one) for one in ids)
    assert len({*ids, "AAAAAAAA"}) == 3
    for response in (first, second):
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["Server"] == "qiquan"
        assert response.headers["Date"]


def test_request_ids_are_drawn_from_a_seed() -> None:
    assert [new_request_id(Random(7)) for _ in range(2)] == [new_request_id(Random(7))] * 2
    random = Random(7)
    assert len({new_request_id(random) for _ in range(10_000)}) == 10_000


async def test_requests_are_counted_by_route_and_status_not_by_address(client: Any) -> None:
    for number in range(3):
        await client.get(f"/raise/{number + 20}")
    await client.get("/nowhere/at/all")
    text = await (await client.get("/metrics")).text()
    assert 'qiquan_request_seconds_count{method="GET",route="/raise/{thing_id}",status="500"} 3.0' in text
    assert 'route="unknown",status="404"} 1.0' in text
    assert "nowhere" not in text
    assert "qiquan_leaked_units 0.0" in text


# -- the hot path ----------------------------------------------------------------------------------


async def test_a_bare_answer_is_whole_on_a_kept_and_on_a_closed_connection(client: Any) -> None:
    for headers, connection in (({}, None), ({"Connection": "close"}, "close")):
        response = await client.post("/bare", headers=headers)
        assert response.status == 201
        assert response.headers["Content-Type"] == "application/json"
        assert response.headers.get("Connection") == connection
        assert await response.json() == {"thing_id": 1, "says": "x"}


async def test_a_prepared_problem_is_the_problem_it_was_made_from(client: Any) -> None:
    response = await client.get("/prepared")
    told = await problem(response)
    made = document(RequestUnusable(clause="二（一）", receipt=1), None)
    assert told == {**made, "request_id": told["request_id"], "receipt": "abc"}


async def test_a_prepared_problem_says_when_to_come_back(aiohttp_client: Any) -> None:
    own = Routes("own")
    refused = PreparedProblem(Busy(retry_after=9))

    @own.bare("GET", "/busy", summary="Busy. | 忙。", access=PUBLIC, answers={200: Thing})
    async def busy(request: web.Request) -> web.StreamResponse:
        return refused.answer(request[REQUEST_ID])

    response = await (await aiohttp_client(small_app(own))).get("/busy")
    assert (response.status, response.headers["Retry-After"]) == (429, "9")
    assert (await problem(response))["retry_after"] == 9


async def test_two_answers_in_one_write_are_both_read(client: Any) -> None:
    both = await asyncio.gather(*(client.post("/bare") for _ in range(20)))
    assert {response.status for response in both} == {201}


# -- declarations that cannot be served ------------------------------------------------------------


def declare(handler: Any, **changes: Any) -> None:
    kept: dict[str, Any] = {"summary": "A. | 甲。", "access": PERSON, "answers": {200: Thing}}
    routes = Routes("wrong")
    routes.post(changes.pop("path", "/wrong"), **(kept | changes))(handler)
    routes.add_to(web.Application())


async def _takes_path(request: web.Request, path: ThingPath) -> Thing:
    raise AssertionError


async def _takes_actor(request: web.Request, actor: Actor) -> Thing:
    raise AssertionError


async def _takes_anything(request: web.Request, what: str) -> Thing:
    raise AssertionError


@pytest.mark.parametrize(
    ("handler", "changes", "said"),
    [
        (_takes_path, {}, "the path names"),
        (_takes_actor, {"path": "/wrong/{thing_id}"}, "the path names"),
        (_takes_actor, {"access": PUBLIC}, "is public"),
        (_takes_anything, {}, "cannot tell where 'what' comes from"),
        (_takes_actor, {"summary": "Only English."}, "English and Chinese"),
        (_takes_actor, {"answers": {200: Thing, 201: Thing}}, "two statuses with one class"),
    ],
)
def test_a_mistaken_declaration_is_refused_at_start(handler: Any, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RouteMistake, match=said):
        declare(handler, **changes)


def test_a_route_must_say_who_may_call_it() -> None:
    with pytest.raises(TypeError, match="access"):
        Routes("x").get("/x", summary="A. | 甲。", answers={200: Thing})


def test_every_route_may_be_refused_for_the_reasons_of_its_inputs() -> None:
    by_name = {route.handler.__name__: {r.code for r in api.refusals_of(route)} for route in routes.declared}
    assert {"not_signed_in", "not_allowed", "not_found", "json_malformed", "malformed"} <= by_name["pay"]
    assert "json_malformed" not in by_name["things"]
    assert by_name["bare"] == {"service_unavailable", "internal_error"}


def test_the_server_is_told_the_limits_of_the_settings() -> None:
    options = runner_options(TEST)
    assert options["max_line_size"] == options["max_field_size"] == TEST.max_header_bytes
    assert options["access_log"] is None
