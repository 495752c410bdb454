"""Changes by people in the middle of a launch: each takes hold at once, for everybody, exactly once.

The control shows what a change is worth that only Redis, or only the database, has heard of.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from tortoise.transactions import in_transaction

from server.models.organisations import Organisation, Qualification
from server.models.rounds import Round
from server.rules.lifecycles import QualificationStatus
from server.services.rounds.grabs import GrabCode, GrabReply
from server.services.rounds.rounds import PoolTooSmall
from tests.factories import DAY, HOUR, OPERATOR, grab_key
from tests.races.hall import FACE_FEN, PROGRAMME, Hall, Worker, until


async def rush(workers: list[Worker], row: Round, enterprises: list[Organisation]) -> list[GrabReply]:
    """Everybody at once, at both workers in turn."""
    return await asyncio.gather(
        *(workers[number % len(workers)].grab(row, one) for number, one in enumerate(enterprises))
    )


async def rests(hall: Hall, row: Round, workers: list[Worker]) -> bool:
    """A pass of every worker's reconciler; whether Redis and the database then agree."""
    for worker in workers:
        await worker.reconcile()
    return await hall.at_rest(row)


async def rush_until_told(
    workers: list[Worker], row: Round, enterprises: list[Organisation]
) -> list[GrabReply]:
    """The same with phones that ask again while the round is paused."""

    async def persist(number: int, enterprise: Organisation) -> GrabReply:
        key, attempt = grab_key(), 1
        while True:
            worker = workers[(number + attempt) % len(workers)]
            reply = await worker.grab(row, enterprise, key=key, attempt=attempt)
            if reply.code is not GrabCode.PAUSED:
                return reply
            attempt += 1
            await asyncio.sleep(0.01)

    return await asyncio.gather(*(persist(number, one) for number, one in enumerate(enterprises)))


def codes(replies: list[GrabReply]) -> Counter[GrabCode]:
    return Counter(reply.code for reply in replies)


async def test_control_money_that_only_redis_heard_of_is_never_granted(hall: Hall) -> None:
    worker = hall.worker()
    row = await hall.open_round(worker, vouchers=2)
    enterprises = await hall.enterprises(5)
    await worker.rounds.close(row.id, actor=OPERATOR, reason="control")
    await worker.rounds.reopen(row.id, closes_at=hall.now + DAY, actor=OPERATOR, reason="control")
    await hall.redis.hincrby(hall.key(row), "remaining_fen", 3 * FACE_FEN)
    replies = await rush([worker], row, enterprises)
    assert codes(replies) == {GrabCode.GRANTED: 2, GrabCode.SOLD_OUT: 3}
    assert await hall.vouchers(row) == 2


async def test_a_top_up_in_mid_launch_is_granted_to_the_last_fen_and_once(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(30)
    row = await hall.open_round(workers[0], vouchers=10)
    replies, _ = await asyncio.gather(
        rush(workers, row, enterprises),
        workers[1].rounds.top_up(row.id, 5 * FACE_FEN, actor=OPERATOR, reason="more"),
    )
    # Whoever was told sold out before the money came presses again, with a new key.
    losers = [one for one, reply in zip(enterprises, replies, strict=True) if reply.code is GrabCode.SOLD_OUT]
    again = await rush_until_told(workers, row, losers)
    granted = codes(replies)[GrabCode.GRANTED] + codes(again)[GrabCode.GRANTED]
    assert granted == await hall.vouchers(row) == 15
    await until(lambda: rests(hall, row, workers))


async def test_the_latch_opens_for_money_that_comes_after_it_shut(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(8)
    row = await hall.open_round(workers[0], vouchers=2)
    await rush(workers, row, enterprises)
    await shut(workers, row, enterprises[-1])
    await workers[0].rounds.top_up(row.id, 6 * FACE_FEN, actor=OPERATOR, reason="more")

    async def all_granted() -> bool:
        await rush(workers, row, enterprises)
        return await hall.vouchers(row) == 8

    await until(all_granted)


async def shut(workers: list[Worker], row: Round, loser: Organisation) -> None:
    """Wait until every worker refuses a first attempt of this enterprise without asking Redis."""
    for worker in workers:
        card = await worker.book.card(row.id)

        async def latched(worker: Worker = worker, card: object = card) -> bool:
            await worker.grab(row, loser)
            return worker.grabs.latched(card, loser.id, 1)  # type: ignore[arg-type]

        await until(latched)


async def test_a_cut_in_mid_launch_never_takes_what_is_granted(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(30)
    row = await hall.open_round(workers[0], vouchers=20)

    async def cut() -> int:
        try:
            await workers[1].rounds.cut(row.id, 12 * FACE_FEN, actor=OPERATOR, reason="less")
        except PoolTooSmall:
            return 0
        return 12

    replies, gone = await asyncio.gather(rush_until_told(workers, row, enterprises), cut())
    assert codes(replies)[GrabCode.GRANTED] == await hall.vouchers(row) == 20 - gone
    await until(lambda: rests(hall, row, workers))


async def test_nothing_is_granted_while_paused_and_everything_afterwards(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(20)
    row = await hall.open_round(workers[0], vouchers=10)
    for worker in workers:
        await worker.footing(row)
    rushing = asyncio.create_task(rush_until_told(workers, row, enterprises))
    await workers[0].rounds.pause(row.id, actor=OPERATOR, reason="look")
    halted = await hall.vouchers(row)
    (late,) = await hall.enterprises(1)
    assert (await workers[1].ask(row, late)).code is not GrabCode.GRANTED
    assert await hall.vouchers(row) == halted
    await workers[1].rounds.resume(row.id, actor=OPERATOR, reason="fine")

    async def all_told() -> bool:
        # What the pause overtook kept its place; the reconciler goes on with it.
        for worker in workers:
            await worker.reconcile()
        return rushing.done()

    await until(all_told)
    assert codes(await rushing) == {GrabCode.GRANTED: 10, GrabCode.SOLD_OUT: 10}
    assert await hall.vouchers(row) == 10
    await until(lambda: rests(hall, row, workers))


async def test_nothing_is_granted_after_a_close_and_again_after_a_reopening(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(20)
    row = await hall.open_round(workers[0], vouchers=10)
    rushing = asyncio.create_task(rush_until_told(workers, row, enterprises))
    await workers[1].rounds.close(row.id, actor=OPERATOR, reason="over")
    granted = await hall.vouchers(row)
    replies = await rushing
    assert codes(replies)[GrabCode.GRANTED] == granted == await hall.vouchers(row)
    await workers[0].rounds.reopen(row.id, closes_at=hall.now + HOUR, actor=OPERATOR, reason="on")
    await rush_until_told(workers, row, enterprises)
    assert await hall.vouchers(row) == 10
    await until(lambda: rests(hall, row, workers))


Ending = Callable[[Hall, Worker, Organisation], Awaitable[None]]


async def barred(hall: Hall, worker: Worker, enterprise: Organisation) -> None:
    """Put on the blocklist."""
    await worker.blocklist.add(
        enterprise.uscc,
        slug=PROGRAMME,
        clause="五（二）",
        reason="弄虚作假",
        list_name="失信名单",
        starts_at=None,
        ends_at=None,
        actor=OPERATOR,
    )


async def revoked(hall: Hall, worker: Worker, enterprise: Organisation) -> None:
    """Its qualification revoked, as the service does it."""
    async with in_transaction():
        await Qualification.filter(organisation_id=enterprise.id).update(status=QualificationStatus.REVOKED)
        changes = await worker.rounds.standing_changed(enterprise, PROGRAMME)
    await worker.rounds.standing_told(changes)


@pytest.mark.parametrize("ending", [barred, revoked])
async def test_whoever_loses_its_standing_in_mid_launch_is_granted_nothing_afterwards(
    hall: Hall, ending: Ending
) -> None:
    workers = [hall.worker(), hall.worker()]
    loser, *others = await hall.enterprises(12)
    row = await hall.open_round(workers[0], vouchers=12)
    # The gate has let it in already; the commit comes after its standing has ended.
    key = grab_key()
    footing, _ = [await worker.footing(row) for worker in workers]
    admitted = await workers[0].admit(row, loser, key)
    replies, _ = await asyncio.gather(rush(workers, row, others), ending(hall, workers[1], loser))
    assert codes(replies) == {GrabCode.GRANTED: 11}
    decided = await workers[0].commit(row, loser, key, admitted, footing.epoch)
    assert decided.outcome is not None
    assert decided.outcome.value == GrabCode.NOT_ELIGIBLE
    for worker in workers:
        assert (await worker.grab(row, loser)).code is GrabCode.NOT_ELIGIBLE
    assert await hall.vouchers(row) == 11
    # What had been set aside for it is back in the line.
    await until(lambda: rests(hall, row, workers))
    assert await hall.remaining_fen(row) == FACE_FEN
