"""Deliveries, several workers at once on PostgreSQL: each is sent by one, and no consent is used twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

from tortoise.context import TortoiseContext

from server.models.deliveries import ConsentBalance, ConsentEntry, Delivery
from server.services import outbox
from server.services.messages import consents
from tests.posting import NOW, Post, states

WORKERS, MESSAGES, CONSENTS = 4, 60, 5


async def test_control_workers_who_look_before_they_take_use_one_consent_twice(
    postgres: TortoiseContext,
) -> None:
    post = Post()
    person = await post.person(consents_given=1)
    both_looked = asyncio.Barrier(2)

    async def take() -> bool:
        balance = await ConsentBalance.get(person_id=person)
        await both_looked.wait()
        await ConsentBalance.filter(id=balance.id).update(left_count=balance.left_count - 1)
        return balance.left_count > 0

    assert await asyncio.gather(take(), take()) == [True, True]


async def test_each_message_is_sent_by_one_worker_and_each_consent_is_one_message(
    postgres: TortoiseContext,
) -> None:
    post = Post()
    person = await post.person(consents_given=CONSENTS)
    others = [await post.person(follows=True) for _ in range(3)]
    for _ in range(MESSAGES // 4):
        for one in (person, *others):
            await post.tell(f"person:{one}")
    workers = [post.worker() for _ in range(WORKERS)]
    taken = await asyncio.gather(*(worker.send_due() for worker in workers))
    assert sum(taken) == MESSAGES
    counts = Counter(await states())
    assert counts == {
        ("sent", "subscribe"): CONSENTS,
        ("sent", "template"): MESSAGES * 3 // 4,
        ("kept", "inbox"): MESSAGES // 4 - CONSENTS,
    }
    assert len(post.wechat.sent) == CONSENTS + MESSAGES * 3 // 4
    names = Counter(body["client_msg_id"] for _, body in post.wechat.sent if "client_msg_id" in body)
    assert set(names.values()) == {1}
    assert (await ConsentBalance.get(person_id=person)).left_count == 0


async def test_a_message_is_planned_once_however_many_move_it(postgres: TortoiseContext) -> None:
    post = Post()
    person = await post.person(follows=True)
    await post.tell(f"person:{person}")
    row = await Delivery.get()
    moved = [_moved(row)]
    await asyncio.gather(*(post.worker().plan(moved, NOW) for _ in range(WORKERS)))
    assert await Delivery.all().count() == 1


async def test_a_consent_told_from_both_sides_at_once_is_counted_once(postgres: TortoiseContext) -> None:
    post = Post()
    person = await post.person()
    sources = [consents.PHONE, consents.WECHAT] * 3
    await asyncio.gather(
        *(
            consents.given(person, "review", source=one, long_term=False, now=NOW + timedelta(seconds=number))
            for number, one in enumerate(sources)
        )
    )
    assert (await ConsentBalance.get(person_id=person)).left_count == 3
    assert await ConsentEntry.all().count() == 6


def _moved(row: Delivery) -> outbox.Moved:
    assert row.outbox_id is not None
    return outbox.Moved(row.outbox_id, row.addressee, row.topic, row.programme_slug)
