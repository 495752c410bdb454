"""Fifty enterprises, ten vouchers: the race itself, and the colleagues and impatient thumbs within it.

Everything runs on real PostgreSQL and Redis, through two workers that know nothing of each other.
"""

from __future__ import annotations

import asyncio
from collections import Counter

from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.services.rounds.grabs import GrabCode, GrabReply
from tests.factories import grab_key
from tests.races.hall import FACE_FEN, LARGER, LARGER_FACE_FEN, Hall, until

ENTERPRISES, VOUCHERS = 50, 10


def codes(replies: list[GrabReply]) -> Counter[GrabCode]:
    """How often each thing was said."""
    return Counter(reply.code for reply in replies)


async def test_control_whoever_checks_before_taking_oversells(hall: Hall) -> None:
    """What the races below would come to if the money were looked at first and taken afterwards."""
    row = await hall.open_round(hall.worker(), vouchers=VOUCHERS)
    enterprises = await hall.enterprises(ENTERPRISES)
    all_looked = asyncio.Barrier(ENTERPRISES)
    taken: list[int] = []

    async def take(enterprise_id: int) -> None:
        fresh = await Round.get(id=row.id)
        async with asyncio.timeout(10):
            await all_looked.wait()
        if fresh.pool_fen - fresh.issued_fen >= FACE_FEN:
            taken.append(enterprise_id)

    await asyncio.gather(*(take(enterprise.id) for enterprise in enterprises))
    assert len(taken) == ENTERPRISES > VOUCHERS


async def test_fifty_enterprises_get_exactly_ten_vouchers(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(ENTERPRISES)
    row = await hall.open_round(workers[0], vouchers=VOUCHERS)
    replies = await asyncio.gather(
        *(workers[number % 2].grab(row, enterprise) for number, enterprise in enumerate(enterprises))
    )
    assert codes(replies) == {GrabCode.GRANTED: VOUCHERS, GrabCode.SOLD_OUT: ENTERPRISES - VOUCHERS}
    assert await hall.vouchers(row) == VOUCHERS
    for enterprise, reply in zip(enterprises, replies, strict=True):
        owned = await Voucher.get_or_none(round_id=row.id, enterprise_id=enterprise.id)
        assert (reply.voucher and reply.voucher.id) == (owned and owned.id)
    await until(lambda: hall.at_rest(row))


async def test_two_face_values_leave_less_than_the_smallest(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(20) + await hall.enterprises(20, labels=LARGER)
    row = await hall.open_round(workers[0], vouchers=15)
    mixed = [one for pair in zip(enterprises[:20], enterprises[20:], strict=True) for one in pair]
    replies = await asyncio.gather(
        *(workers[number // 2 % 2].grab(row, enterprise) for number, enterprise in enumerate(mixed))
    )
    faces = Counter(reply.voucher.face_value_fen for reply in replies if reply.voucher)
    assert set(faces) == {FACE_FEN, LARGER_FACE_FEN}
    # The smaller ones still fit when a larger one does not: not a fen is left that anybody could have.
    assert sum(face * count for face, count in faces.items()) == 15 * FACE_FEN
    await hall.vouchers(row)
    await until(lambda: hall.at_rest(row))


async def test_two_people_of_one_enterprise_at_once_hold_one_voucher_and_both_know_it(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(workers[0], vouchers=VOUCHERS)
    replies = await asyncio.gather(
        workers[0].grab(row, enterprise, person=1), workers[1].grab(row, enterprise, person=2)
    )
    assert codes(replies) == {GrabCode.GRANTED: 1, GrabCode.ALREADY: 1}
    assert len({reply.voucher.id for reply in replies if reply.voucher}) == 1
    assert await hall.vouchers(row) == 1


async def test_one_key_sent_twice_at_once_is_granted_once_and_told_so_twice(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    (enterprise,) = await hall.enterprises(1)
    row = await hall.open_round(workers[0], vouchers=VOUCHERS)
    key = grab_key()
    replies = await asyncio.gather(
        *(worker.grab(row, enterprise, key=key, attempt=attempt) for attempt, worker in enumerate(workers, 1))
    )
    assert codes(replies) == {GrabCode.GRANTED: 2}
    assert replies[0].voucher == replies[1].voucher
    assert await hall.vouchers(row) == 1


async def test_every_retry_hears_what_the_first_one_heard(hall: Hall) -> None:
    workers = [hall.worker(), hall.worker()]
    enterprises = await hall.enterprises(6)
    row = await hall.open_round(workers[0], vouchers=3)
    sent = [(enterprise, grab_key()) for enterprise in enterprises]
    first = await asyncio.gather(*(workers[0].grab(row, one, key=key) for one, key in sent))
    again = await asyncio.gather(*(workers[1].grab(row, one, key=key, attempt=2) for one, key in sent))
    assert [(reply.code, reply.voucher) for reply in again] == [
        (reply.code, reply.voucher) for reply in first
    ]


async def test_a_key_used_for_another_round_is_refused_and_changes_nothing(hall: Hall) -> None:
    worker = hall.worker()
    (enterprise,) = await hall.enterprises(1, labels=LARGER)
    first = await hall.open_round(worker, vouchers=2)
    second = await hall.open_round(worker, vouchers=2)
    key = grab_key()
    assert (await worker.grab(first, enterprise, key=key)).code is GrabCode.GRANTED
    assert (await worker.grab(second, enterprise, key=key)).code in (GrabCode.KEY_REUSED, GrabCode.QUOTA_USED)
    assert await hall.vouchers(first) == 1
    assert await hall.vouchers(second) == 0
