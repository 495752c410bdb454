"""Deliveries through the death of a sender, small: real processes, one killed with messages on their way."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bench.deliveries import gone_wrong, seed, send_through_a_death, sender_environment
from server.clock import SystemClock
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, WechatStandIn

NUMBER = 300

# Three processes start, wherever this runs.
pytestmark = pytest.mark.timeout(300)


async def test_a_killed_sender_loses_nothing_and_doubles_nothing(
    postgres_url: str, redis_url: str, tmp_path: Path
) -> None:
    standin = WechatStandIn(Accounts(DEMO_APPID), SystemClock())
    async with TestClient(TestServer(standin.app)) as wechat:
        plain = {name: value for name, value in os.environ.items() if not name.startswith("QIQUAN_")}
        environment = sender_environment(plain, postgres_url, redis_url, str(wechat.make_url("")))

        async def post(path: str, body: Mapping[str, Any]) -> None:
            assert (await wechat.post(path, json=body)).status == 200

        people = await seed(environment, NUMBER, post)
        await post("/standin/switches", {"delay_ms": 50, "consents": True})

        async def half_way() -> None:
            # Messages are on their way from now until they are taken on.
            while True:
                if len(standin.sends.taken) >= NUMBER / 3:
                    return
                await asyncio.sleep(0.005)

        await send_through_a_death(tmp_path, environment, half_way)
        arrived = [one["openid"] for one in standin.sends.taken]
        assert await gone_wrong(environment, people, arrived) == 0
