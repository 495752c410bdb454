"""Logs: JSON lines that can be followed by request id and name nobody."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from server import logs
from tests.handlers.platform import small_app
from tests.handlers.test_api_layer import AS_OWNER, routes
from tests.handlers.test_bad_input import exchange


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    logs.configure(stream=stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:] = handlers
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


SECRETS = {
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJwZXJzb246MSJ9.c2lnbmF0dXJl",
    "openid": "oABCDEFGHIJKLMNOPQRSTUVWXYZ1",
    "phone": "13812345678",
    "identity": "110101199003078515",
    "identity_x": "11010119900307851X",
    "url": "postgres://qiquan:pass-word@db/qiquan",
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_looks_like_a_secret_is_masked_wherever_it_stands(name: str, written: io.StringIO) -> None:
    secret = SECRETS[name]
    log = structlog.get_logger("test")
    log.info(f"seen {secret} here", plain=secret, nested={"list": [{"deep": secret}]})
    logging.getLogger("somebody.else").warning("seen %s", secret)
    try:
        raise ValueError(f"bad value {secret}")
    except ValueError:
        log.exception("failed")
    text = written.getvalue()
    assert len(lines(written)) == 3
    assert (secret if name != "url" else "pass-word") not in text
    assert text.count(logs.MASK) >= 5


@pytest.mark.parametrize(
    "name",
    [
        "access_token",
        "Authorization",
        "session_key",
        "openid",
        "code",
        "phone",
        "password",
        "app_secret",
        "totp",
    ],
)
def test_what_is_named_like_a_secret_is_masked_whatever_it_holds(name: str, written: io.StringIO) -> None:
    structlog.get_logger("test").info("seen", **{name: "short", "inner": {name: 12345}})
    assert "short" not in written.getvalue()
    assert "12345" not in written.getvalue()


def test_ordinary_facts_stay_readable(written: io.StringIO) -> None:
    structlog.get_logger("test").info(
        "round opened", round_id=7, amount_fen=30_000_000, name="第一批", ok=True
    )
    (line,) = lines(written)
    assert {
        key: line[key] for key in ("event", "round_id", "amount_fen", "name", "ok", "level", "logger")
    } == {
        "event": "round opened",
        "round_id": 7,
        "amount_fen": 30_000_000,
        "name": "第一批",
        "ok": True,
        "level": "info",
        "logger": "test",
    }
    assert "第一批" in written.getvalue()


async def test_the_lines_of_a_request_carry_the_id_that_its_answer_shows(
    aiohttp_client: Any, written: io.StringIO
) -> None:
    client = await aiohttp_client(small_app(routes))
    response = await client.get("/raise/2")
    shown = response.headers["X-Request-Id"]
    found = lines(written)
    assert [(line["event"], line["request_id"]) for line in found] == [
        ("unexpected", shown),
        ("request", shown),
    ]
    assert "ValueError" in found[0]["exception"]
    assert SECRETS["phone"] not in written.getvalue()


async def test_what_is_no_http_writes_no_line(aiohttp_client: Any, written: io.StringIO) -> None:
    client = await aiohttp_client(small_app(routes))
    assert b" 400 " in await exchange(client, b"13812345678\r\n\r\n")
    assert written.getvalue() == ""
    logging.getLogger("aiohttp.server").error("a fault of ours", exc_info=ValueError("x"))
    assert len(lines(written)) == 1


async def test_addresses_and_queries_are_not_logged_and_the_hot_route_writes_no_line(
    aiohttp_client: Any, written: io.StringIO
) -> None:
    client = await aiohttp_client(small_app(routes))
    await client.post("/bare")
    await client.get("/healthz")
    assert written.getvalue() == ""
    await client.get("/things?limit=55&who=secret-name", headers=AS_OWNER)
    (line,) = lines(written)
    assert (line["route"], line["status"]) == ("/things", 422)
    assert "secret-name" not in written.getvalue()
