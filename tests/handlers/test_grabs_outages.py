"""Grabbing while a part is away: nothing is lost, nothing is guessed, and the phone knows when to ask."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from server.keys import GRAB_DOOR
from server.models.vouchers import Voucher
from server.services.budgets import ledger
from server.services.rounds import grabs, launch
from tests.races.proxy import a_proxy
from tests.town import Answered, a_running_town, grab_key
from tools.embedded import RedisServer


async def eventually(asked: Callable[[], Awaitable[Any]]) -> Any:
    """Ask again, as the phone is told to, until what comes back is something."""
    async with asyncio.timeout(30):
        said = await asked()
        while not said:
            await asyncio.sleep(0.05)
            said = await asked()
        return said


async def until(ask: Callable[[], Awaitable[Answered]], wanted: int) -> Answered:
    """Ask again until the answer has this status."""

    async def asked() -> Answered | None:
        told = await ask()
        return told if told.status == wanted else None

    told: Answered = await eventually(asked)
    return told


async def said(logs: list[EventDict], event: str) -> bool:
    """Whether the server has written a line about this."""
    return any(line["event"] == event for line in logs)


async def metric(town: Any, name: str) -> float:
    async with town.client.get("/metrics") as response:
        lines = (await response.text()).splitlines()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


async def test_while_the_database_is_held_the_phone_is_told_where_to_ask(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grabs, "PATIENCE_SECONDS", 0.3)
    holder = await asyncpg.connect(postgres_url)
    async with a_running_town(postgres_url, redis_url) as town:
        operator = await town.operator()
        handler = await town.qualified(operator)
        round_id = await town.open_round(operator)
        town.app[GRAB_DOOR].persons.burst = 1_000
        key = grab_key()
        async with holder.transaction():
            await holder.execute("UPDATE budget SET lock_number = lock_number + 1")
            pending = await handler.grab(round_id, key)
            assert (pending.status, pending.body["answer"]) == (202, "pending")
            assert pending.headers["Retry-After"] == str(pending.body["retry_after"])
            assert pending.body["ask_at"] == f"/api/v1/rounds/{round_id}/grabs/{key}"
            facts = await town.anybody.post("receipts/checks", receipt=pending.body["receipt"])
            assert facts.body["answer"] == "pending"
            asked = await handler.get(f"rounds/{round_id}/grabs/{key}")
            assert (asked.status, asked.body["answer"]) == (202, "pending")
            # Sent again, it stands in line once.
            assert (await handler.grab(round_id, key, Grab_Attempt="2")).status == 202
        told = await until(lambda: handler.get(f"rounds/{round_id}/grabs/{key}"), 200)
        assert told.body["answer"] == "granted"
        again = await handler.grab(round_id, key, Grab_Attempt="3")
        assert (again.status, again.body["voucher"]) == (201, told.body["voucher"])
        assert await Voucher.all().count() == 1
        assert await ledger.verify() == []
    await holder.close()


async def test_while_redis_is_away_the_database_decides_and_redis_is_rebuilt_afterwards(
    database_url: str, own_redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "BREAKER_SECONDS", 0.05)
    async with a_running_town(database_url, own_redis_server.url()) as town:
        operator = await town.operator()
        handlers = [await town.qualified(operator) for _ in range(4)]
        round_id = await town.open_round(operator, pool_yuan=30_000)
        assert (await handlers[0].grab(round_id, grab_key())).body["position"] == 1
        own_redis_server.running.kill()
        key = grab_key()
        granted = await handlers[1].grab(round_id, key)
        assert (granted.status, granted.body["position"]) == (201, 0)
        again = await handlers[1].grab(round_id, key, Grab_Attempt="2")
        assert again.body["voucher"] == granted.body["voucher"]
        async with town.client.get("/readyz") as ready:
            assert (ready.status, (await ready.json())["status"]) == (200, "degraded")

        own_redis_server.start()

        async def rebuilt() -> Any:
            return town.app[GRAB_DOOR].grabs.desk.footing(1)

        await eventually(rebuilt)
        # Redis knows again what the database decided without it: the last voucher, and no more.
        assert (await handlers[0].grab(round_id, grab_key())).body["answer"] == "already"
        last = await handlers[2].grab(round_id, grab_key())
        assert (last.status, last.body["position"]) == (201, 1)
        assert (await handlers[3].grab(round_id, grab_key())).code == "round_sold_out"
        assert await Voucher.all().count() == 3
        assert await metric(town, "qiquan_leaked_units") == 0
        assert await ledger.verify() == []


async def test_while_the_database_is_away_nothing_is_promised_and_the_winner_still_wins(
    postgres_url: str, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grabs, "PATIENCE_SECONDS", 0.3)
    async with a_proxy(postgres_url) as proxy, a_running_town(proxy.url, redis_url) as town:
        operator = await town.operator()
        handler = await town.qualified(operator)
        round_id = await town.open_round(operator)
        town.app[GRAB_DOOR].persons.burst = 1_000
        assert (await handler.get("vouchers")).body["vouchers"] == []
        with capture_logs() as logs:
            await proxy.stop()
            # Whatever runs beside the requests meets the outage, too, and goes on afterwards.
            await eventually(lambda: said(logs, "launch.reconcile_failed"))

        key = grab_key()
        admitted = await handler.grab(round_id, key)
        assert (admitted.status, admitted.body["answer"]) == (202, "pending")
        asked = await handler.get(f"rounds/{round_id}/grabs/{key}")
        assert (asked.status, asked.code) == (503, "service_unavailable")
        assert int(asked.headers["Retry-After"]) >= 1
        # A process that knows nothing of the round yet cannot even ask Redis.
        desk = town.app[GRAB_DOOR].grabs.desk
        desk.distrust(1, desk.footing(1))
        away = await handler.grab(round_id, key, Grab_Attempt="2")
        assert (away.status, away.code) == (503, "try_again")
        assert int(away.headers["Retry-After"]) >= 1
        async with town.client.get("/readyz") as ready:
            assert ready.status == 503

        await proxy.start()
        granted = await until(lambda: handler.grab(round_id, key, Grab_Attempt="3"), 201)
        assert granted.body["answer"] == "granted"
        assert await Voucher.all().count() == 1
        assert await ledger.verify() == []
