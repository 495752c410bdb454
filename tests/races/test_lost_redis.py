"""Redis gone, emptied, rolled back: nothing is lost, nothing is promised twice, and it comes back by itself.

The Redis of these tests is their own, and is killed for real.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from typing import Any

from redis.asyncio import Redis

from server.gateways.grab_gate import GateCode
from server.gateways.redis_lane import LUA
from server.models.rounds import Budget, Round
from server.services.rounds.grabs import GrabCode
from tests.factories import OPERATOR, grab_key
from tests.races.hall import FACE_FEN, Hall, Worker, until
from tools.embedded import RedisServer

AWAY = "redis://127.0.0.1:1/0"
"""Nobody listens on this port."""


async def restarted_with(server: RedisServer, memory: dict[str, tuple[int, bytes]]) -> None:
    """Kill Redis and bring it back with what it had once known: a restart from an old file."""
    server.running.kill()
    server.start()
    async with Redis.from_url(server.url()) as redis:
        for name, (_, value) in memory.items():
            await redis.restore(name, 0, value)


async def memory_of(server: RedisServer) -> dict[str, tuple[int, bytes]]:
    """Everything Redis knows."""
    async with Redis.from_url(server.url()) as redis:
        names = [name async for name in redis.scan_iter()]
        return {name.decode(): (0, await redis.dump(name)) for name in names}


async def rests(hall: Hall, row: Round, *workers: Worker) -> bool:
    """A pass of every worker's reconciler; whether Redis and the database then agree and nothing leaked."""
    for worker in workers:
        await worker.reconcile()
    return await hall.at_rest(row) and not any(any(worker.leaks.values()) for worker in workers)


async def test_control_a_rolled_back_redis_looks_just_like_the_true_one(
    frail_hall: Hall, own_redis_server: RedisServer
) -> None:
    worker = frail_hall.worker()
    (enterprise,) = await frail_hall.enterprises(1)
    row = await frail_hall.open_round(worker, vouchers=2)
    before = await memory_of(own_redis_server)
    assert (await worker.grab(row, enterprise)).code is GrabCode.GRANTED
    await restarted_with(own_redis_server, before)
    budget = await Budget.get(id=row.budget_id)
    state = await frail_hall.redis.hmget(f"{{budget:{row.budget_id}}}", "epoch", "version")
    assert [int(one or 0) for one in state] == [budget.epoch, budget.version]
    # And yet it would give the same money out again.
    assert await frail_hall.remaining_fen(row) == 2 * FACE_FEN


async def test_hole_4_a_redis_that_came_back_with_an_old_memory_is_not_trusted(
    frail_hall: Hall, own_redis_server: RedisServer
) -> None:
    worker = frail_hall.worker()
    winner, second, third = await frail_hall.enterprises(3)
    row = await frail_hall.open_round(worker, vouchers=2)
    before = await memory_of(own_redis_server)
    key = grab_key()
    first = await worker.grab(row, winner, key=key)
    epoch = (await worker.footing(row)).epoch
    await restarted_with(own_redis_server, before)
    again = await worker.grab(row, winner, key=key, attempt=2)
    assert (again.code, again.voucher) == (GrabCode.GRANTED, first.voucher)
    assert (await worker.grab(row, second)).code is GrabCode.GRANTED
    assert (await worker.grab(row, third)).code is GrabCode.SOLD_OUT
    assert (await worker.footing(row)).epoch > epoch
    assert await frail_hall.vouchers(row) == 2
    await until(lambda: rests(frail_hall, row, worker))


async def test_hole_4_a_worker_that_starts_does_not_trust_it_either(
    frail_hall: Hall, own_redis_server: RedisServer
) -> None:
    worker = frail_hall.worker()
    winner, second = await frail_hall.enterprises(2)
    row = await frail_hall.open_round(worker, vouchers=1)
    before = await memory_of(own_redis_server)
    assert (await worker.grab(row, winner)).code is GrabCode.GRANTED
    await restarted_with(own_redis_server, before)
    newcomer = frail_hall.worker()
    assert (await newcomer.grab(row, second)).code is GrabCode.SOLD_OUT
    assert await frail_hall.vouchers(row) == 1


def test_hole_12_there_is_no_state_of_a_consumer_group_to_lose() -> None:
    commands = {
        command
        for script in LUA.glob("*.lua")
        for command in re.findall(r"redis\.call\('([A-Z]+)'", script.read_text(encoding="utf-8"))
    }
    assert "XADD" in commands
    assert not {command for command in commands if command in {"XGROUP", "XREADGROUP", "XACK", "XCLAIM"}}


async def test_hole_12_what_a_dead_worker_left_is_finished_by_another(hall: Hall) -> None:
    dead, alive = hall.worker(), hall.worker()
    enterprises = await hall.enterprises(5)
    row = await hall.open_round(dead, vouchers=3)
    keys = [grab_key() for _ in enterprises]
    admitted = [await dead.admit(row, one, key) for one, key in zip(enterprises, keys, strict=True)]
    assert Counter(one.code for one in admitted) == {GateCode.ADMITTED: 3, GateCode.SOLD_OUT: 2}
    await dead.close()
    # Nobody is told "sold out" while that is undecided.
    asked = asyncio.create_task(alive.ask(row, enterprises[3]))
    await until(lambda: rests(hall, row, alive))
    assert (await asked).code in (GrabCode.SOLD_OUT, GrabCode.PENDING)
    assert await hall.vouchers(row) == 3
    for enterprise, key in zip(enterprises[:3], keys[:3], strict=True):
        reply = await alive.grab(row, enterprise, key=key, attempt=2)
        assert reply.code is GrabCode.GRANTED


async def test_an_emptied_redis_is_rebuilt_in_mid_launch(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(30)
    row = await hall.open_round(workers[0], vouchers=10)
    early = await asyncio.gather(*(workers[0].grab(row, one) for one in enterprises[:5]))
    await hall.redis.flushall()
    await hall.redis.script_flush()
    late = await asyncio.gather(
        *(workers[number % 2].grab(row, one) for number, one in enumerate(enterprises[5:]))
    )
    told = Counter(reply.code for reply in [*early, *late])
    assert told == {GrabCode.GRANTED: 10, GrabCode.SOLD_OUT: 20}
    assert await hall.vouchers(row) == 10
    await until(lambda: rests(hall, row, *workers))


async def test_redis_killed_in_mid_launch_and_back_empty_loses_nothing(
    frail_hall: Hall, own_redis_server: RedisServer
) -> None:
    workers = [frail_hall.worker(), frail_hall.worker()]
    enterprises = await frail_hall.enterprises(40)
    row = await frail_hall.open_round(workers[0], vouchers=10)

    async def accident() -> None:
        await until(lambda: Round.exists(id=row.id, issued_count__gte=1))
        own_redis_server.running.kill()
        await asyncio.to_thread(own_redis_server.start)

    told, _ = await asyncio.gather(
        asyncio.gather(*(workers[number % 2].grab(row, one) for number, one in enumerate(enterprises))),
        accident(),
    )
    assert Counter(reply.code for reply in told) == {GrabCode.GRANTED: 10, GrabCode.SOLD_OUT: 30}
    assert await frail_hall.vouchers(row) == 10
    await until(lambda: rests(frail_hall, row, *workers))


async def test_without_redis_the_database_alone_grants_exactly_what_there_is(hall: Hall) -> None:
    workers = [hall.worker(redis_url=AWAY), hall.worker(redis_url=AWAY)]
    enterprises = await hall.enterprises(30)
    row = await hall.open_round(workers[0], vouchers=10)
    keys = [grab_key() for _ in enterprises]
    sent: list[Any] = list(zip(enterprises, keys, strict=True))
    replies = await asyncio.gather(
        *(workers[number % 2].grab(row, one, key=key) for number, (one, key) in enumerate(sent))
    )
    assert Counter(reply.code for reply in replies) == {GrabCode.GRANTED: 10, GrabCode.SOLD_OUT: 20}
    again = await asyncio.gather(*(workers[0].grab(row, one, key=key, attempt=2) for one, key in sent))
    assert [(one.code, one.voucher) for one in again] == [(one.code, one.voucher) for one in replies]
    assert await hall.vouchers(row) == 10


async def test_redis_is_rebuilt_from_what_was_granted_without_it_and_nothing_has_leaked(hall: Hall) -> None:
    near, far = hall.worker(), hall.worker(redis_url=AWAY)
    enterprises = await hall.enterprises(6)
    row = await hall.open_round(near, vouchers=4)
    assert (await near.grab(row, enterprises[0])).code is GrabCode.GRANTED
    # One worker is cut off from Redis, the other is not: both grant, neither twice.
    for enterprise in enterprises[1:3]:
        assert (await far.grab(row, enterprise)).code is GrabCode.GRANTED
    assert (await near.grab(row, enterprises[1])).code is GrabCode.ALREADY
    await until(lambda: rests(hall, row, near))
    assert await hall.remaining_fen(row) == FACE_FEN
    replies = [await near.grab(row, one) for one in enterprises[3:]]
    assert [reply.code for reply in replies] == [GrabCode.GRANTED, GrabCode.SOLD_OUT, GrabCode.SOLD_OUT]
    assert near.leaks.get(row.id, 0) == 0


async def test_a_leak_is_seen_told_and_mended(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=3)
    await worker.footing(row)
    await hall.redis.hincrby(hall.key(row), "remaining_fen", -FACE_FEN)
    seen: list[int] = []

    async def told() -> bool:
        await worker.reconcile()
        seen.append(worker.leaks.get(row.id, 0))
        return FACE_FEN in seen

    await until(told)
    await until(lambda: rests(hall, row, worker))
    await worker.reconcile()
    assert worker.leaks[row.id] == 0
    assert await hall.remaining_fen(row) == 3 * FACE_FEN


async def test_a_pause_made_without_redis_holds_once_it_is_back(
    frail_hall: Hall, own_redis_server: RedisServer
) -> None:
    worker = frail_hall.worker()
    (enterprise,) = await frail_hall.enterprises(1)
    row = await frail_hall.open_round(worker, vouchers=3)
    own_redis_server.running.kill()
    await worker.rounds.pause(row.id, actor=OPERATOR, reason="look")
    assert (await worker.grab(row, enterprise)).code in (GrabCode.PAUSED, GrabCode.CLOSED)
    own_redis_server.start()
    await until(lambda: rests(frail_hall, row, worker))
    assert (await worker.grab(row, enterprise)).code is GrabCode.PAUSED
    assert await frail_hall.vouchers(row) == 0
