"""Health: alive, ready, degraded, unready; and which part is to blame."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from server.handlers import health
from server.handlers.health import Probe
from tests.handlers.platform import small_app


async def present() -> None:
    return None


async def absent() -> None:
    raise ConnectionRefusedError


async def stuck() -> None:
    await asyncio.sleep(3600)


def probes(**checks: Any) -> list[Probe]:
    return [
        Probe(name, checks.get(name, present), essential=name != "redis")  # type: ignore[arg-type]
        for name in ("database", "migrations", "redis", "programmes")
    ]


async def ready(aiohttp_client: Any, **checks: Any) -> tuple[int, dict[str, Any]]:
    client = await aiohttp_client(small_app(probes=probes(**checks)))
    response = await client.get("/readyz")
    return response.status, await response.json()


async def test_a_living_process_says_so_whatever_is_missing(aiohttp_client: Any) -> None:
    client = await aiohttp_client(small_app(probes=probes(database=absent)))
    response = await client.get("/healthz")
    assert (response.status, await response.json()) == (200, {"status": "alive"})


async def test_everything_there_is_ready(aiohttp_client: Any) -> None:
    status, body = await ready(aiohttp_client)
    assert (status, body["status"]) == (200, "ready")
    assert [part["name"] for part in body["parts"]] == ["database", "migrations", "redis", "programmes"]


async def test_without_redis_the_server_is_degraded_but_serves(aiohttp_client: Any) -> None:
    status, body = await ready(aiohttp_client, redis=absent)
    assert (status, body["status"]) == (200, "degraded")
    assert [(part["name"], part["says"]) for part in body["parts"] if not part["ok"]] == [
        ("redis", "缓存不可用，抢券改走数据库，速度较慢")
    ]


@pytest.mark.parametrize("name", ["database", "migrations", "programmes"])
async def test_a_missing_essential_part_is_named_and_takes_the_server_out(
    aiohttp_client: Any, name: str
) -> None:
    status, body = await ready(aiohttp_client, **{name: absent})
    assert (status, body["status"]) == (503, "unready")
    assert [part["name"] for part in body["parts"] if not part["ok"]] == [name]


async def test_a_part_that_does_not_answer_counts_as_missing(
    aiohttp_client: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.01)
    status, _ = await ready(aiohttp_client, database=stuck)
    assert status == 503


async def test_metrics_are_in_the_prometheus_format(aiohttp_client: Any) -> None:
    client = await aiohttp_client(small_app())
    response = await client.get("/metrics")
    assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    text = await response.text()
    for name in ("qiquan_leaked_units", "qiquan_grab_answers_total", "qiquan_grab_commit_winners_bucket"):
        assert name in text or f"# HELP {name.removesuffix('_total').removesuffix('_bucket')}" in text
