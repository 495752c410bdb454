"""Programmes over HTTP: what anybody may read of a regulation."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from server.app import create_app
from server.clock import FixedClock
from server.settings import Settings
from server.units import yuan_to_fen
from tests.town import MORNING, PROGRAMME, Town, a_town


@pytest.fixture
async def town(sqlite_url: str, redis_url: str) -> AsyncIterator[Town]:
    """One kind of database will do: none is asked."""
    async with a_town(sqlite_url, redis_url) as town:
        yield town


async def read(town: Town, path: str) -> tuple[int, dict[str, Any]]:
    async with town.client.get(f"/api/v1/{path}") as response:
        return response.status, await response.json()


async def test_everybody_sees_every_programme_without_signing_in(town: Town) -> None:
    status, body = await read(town, "programmes")
    shown = {one["slug"]: one for one in body["programmes"]}
    assert status == 200
    assert len(shown) == len(town.programmes) == 5
    assert {slug: one["in_force"] for slug, one in shown.items()} == {
        "guangxi-2024": True,
        "guangzhou-2020": False,
        "lishui-2024": True,
        "ningxia-2016": True,
        "yinchuan-2024": False,
    }
    assert shown[PROGRAMME]["authority"] == "丽水市经济和信息化局"
    assert shown[PROGRAMME]["mode"] == "grab"
    assert shown[PROGRAMME]["offset_days"] == 0


async def test_a_programme_shows_what_an_enterprise_wants_to_know_with_its_clauses(town: Town) -> None:
    status, body = await read(town, f"programmes/{PROGRAMME}")
    assert status == 200
    tiers = [(tier["face_value_fen"], tier["clause"]) for tier in body["tiers"]]
    assert tiers == [(yuan_to_fen(yuan), "二（三）1") for yuan in (20_000, 10_000, 10_000)]
    conditions = {one["code"]: one["clause"] for one in body["conditions"]}
    assert (conditions["area"], conditions["established"]) == ("二（一）", "二（一）2")
    assert "seedling_library" in [one["code"] for one in body["labels"]]
    assert [one["code"] for one in body["fields"]] == ["fits_industrial_direction"]
    assert body["areas"] == ["浙江省/丽水市/市直", "浙江省/丽水市/莲都区", "浙江省/丽水市/丽水经开区"]


async def test_an_unknown_programme_is_not_found(town: Town) -> None:
    status, body = await read(town, "programmes/nowhere")
    assert (status, body["code"]) == (404, "unknown_programme")


async def test_in_a_demonstration_each_programme_lives_on_its_own_day(
    sqlite_url: str, redis_url: str
) -> None:
    settings = Settings(mode="demo", database_url=sqlite_url, redis_url=redis_url, demo_clocks=True)
    app = create_app(settings, clock=FixedClock(MORNING + timedelta(days=200)))
    async with TestClient(TestServer(app)) as client:
        body = await (await client.get("/api/v1/programmes")).json()
    today = {one["slug"]: datetime.fromisoformat(one["now"]).date() for one in body["programmes"]}
    assert today[PROGRAMME] == MORNING.date()
    assert today["guangzhou-2020"].year == 2020
    assert {one["slug"]: one["offset_days"] for one in body["programmes"]}[PROGRAMME] == -200
