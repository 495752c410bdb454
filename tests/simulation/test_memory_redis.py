"""The Redis of the simulation answers the shipped scripts as a real one does."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from server.gateways.redis_lane import RedisLane, RedisLink, Script
from tests.simulation.lua import LuaEngine, LuaError
from tests.simulation.memory_redis import MemoryRedis

BUDGET, QUOTA = "{budget:1}", "{budget:1}:quota"
ROUNDS = [f"{{budget:1}}:round:{number}" for number in (1, 2)]
STEPS = 120
HOUR_MS = 3_600_000
MILLISECOND = 0.001
SCRIPTS = {name: Script.named(name) for name in ("grab", "finish", "install", "change", "survey", "winners")}


class Pair:
    """A real Redis and one in memory, asked the same; places are named by their order of appearance."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.memory = MemoryRedis(LuaEngine(), "run0", time.time)
        self.places: dict[str, list[str]] = {"real": [], "memory": []}

    async def ask(self, name: str, keys: list[str], *arguments: str | int) -> Any:
        """The reply of both, which must be the same.

        No two calls share a millisecond. Else an entry of one round and one of the other, or one of a stream
        made anew, may have the same id on one side and two ids on the other: one name there, two here.
        """
        await asyncio.sleep(MILLISECOND)
        real = await self.link.run(SCRIPTS[name], keys, self._placed("real", arguments))
        memory = self.memory.execute(SCRIPTS[name].text, keys, self._placed("memory", arguments))
        if name == "grab" and real[0] == "OK":
            # The instants differ by the time in between.
            assert abs(int(real.pop(1)) - int(memory.pop(1))) < 60_000
        told = self._named("real", real)
        assert told == self._named("memory", memory), name
        return told

    def _placed(self, side: str, arguments: tuple[str | int, ...]) -> list[str | int]:
        places = self.places[side]
        return [
            places[int(each[1:])] if isinstance(each, str) and each.startswith("#") else each
            for each in arguments
        ]

    def _named(self, side: str, reply: Any) -> Any:
        if isinstance(reply, list):
            return [self._named(side, each) for each in reply]
        if not isinstance(reply, str):
            return reply
        words = reply.split("|")
        if words[0] == "W":
            self.places[side].append(words[1])
        for index, place in enumerate(self.places[side]):
            words = [f"#{index}" if word == place else word for word in words]
        return "|".join(words)


def round_keys(stem: str) -> list[str]:
    """A round's keys without those of its budget."""
    return [stem, f"{stem}:holders", f"{stem}:entitled", f"{stem}:intents"]


async def step(pair: Pair, draw: random.Random, state: dict[str, int]) -> None:
    """One drawn call of one script."""
    stem = draw.choice(ROUNDS)
    holders, entitled, intents = round_keys(stem)[1:]
    who = draw.randint(1, 4)
    now_ms = int(time.time() * 1000)
    match draw.choice(("grab", "grab", "grab", "finish", "change", "survey", "winners", "install")):
        case "grab":
            asks = [
                word for _ in range(draw.randint(1, 3)) for word in (draw.randint(1, 5), 7, draw.choice("kl"))
            ]
            await pair.ask("grab", [stem, holders, entitled, QUOTA, intents], state["epoch"], 0, *asks)
        case "finish" if pair.places["real"]:
            place = f"#{draw.randrange(len(pair.places['real']))}"
            verdict = (place, who, 100, "k", draw.choice("GAR"), 9)
            await pair.ask("finish", [stem, holders, entitled, QUOTA, intents], state["epoch"], *verdict)
        case "change":
            state["version"] += draw.choice((0, 1, 1, 1))
            words = draw.choice(
                [
                    ("status", draw.choice(("scheduled", "scheduled", "paused"))),
                    ("money", draw.choice((-100, 200))),
                    ("window", now_ms - HOUR_MS, now_ms + HOUR_MS),
                    ("entitle", who, draw.choice((100, 200)), 300),
                    ("bar", who),
                    ("unheard of",),
                ]
            )
            keys = [BUDGET, QUOTA, stem, entitled]
            state["version"] -= not await pair.ask("change", keys, state["epoch"], state["version"], *words)
        case "survey":
            await pair.ask(
                "survey", [BUDGET, stem, holders, intents], draw.choice((0, 60_000)), draw.choice((0, 3))
            )
        case "winners":
            await pair.ask("winners", [stem, holders, entitled, intents])
        case "install" if draw.random() < 0.4:
            state["epoch"] += draw.choice((0, 1))
            state["version"] = 5
            rounds = [
                *("scheduled", now_ms - HOUR_MS, now_ms + HOUR_MS, 500, 100, 2, 1, 100, 2, 200, 1, 4, 9, "k"),
                *("scheduled", now_ms + HOUR_MS, now_ms + 2 * HOUR_MS, 50, 0, 0, 0),
            ]
            keys = [BUDGET, QUOTA, *(key for each in ROUNDS for key in round_keys(each))]
            await pair.ask("install", keys, state["epoch"], 5, "run0", 2, 1, 300, 2, 300, *rounds)


@pytest.fixture
async def pair(redis_url: str) -> AsyncIterator[Pair]:
    """Both empty."""
    lane = RedisLane(redis_url)
    yield Pair(await lane.link())
    lane.close()
    # Let the transport close before its loop does.
    await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(6))
async def test_any_course_of_calls_has_the_same_replies(pair: Pair, seed: int) -> None:
    draw, state = random.Random(seed), {"epoch": 1, "version": 5}
    for _ in range(STEPS):
        await step(pair, draw, state)
    assert pair.places["real"]


def test_a_script_that_leaves_a_global_behind_is_refused() -> None:
    memory = MemoryRedis(LuaEngine(), "run0", time.time)
    with pytest.raises(LuaError, match="attempted to create global variable total"):
        memory.execute("total = 1", [], [])


def test_ids_of_a_stream_only_grow_whatever_the_clock_does() -> None:
    instants = iter((5.0, 3.0, 3.0))
    memory = MemoryRedis(LuaEngine(), "run0", lambda: next(instants))
    places = [
        memory.execute("return redis.call('XADD', KEYS[1], '*', 'a', '1')", ["s"], []) for _ in range(3)
    ]
    assert places == ["5000-0", "5000-1", "5000-2"]
