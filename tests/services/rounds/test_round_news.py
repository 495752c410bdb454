"""Round news: who may take part hears once that a round opens soon, halts and goes on."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.outbox import OutboxMessage
from server.models.rounds import Entitlement, Round
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.lifecycles import RoundStatus
from server.services import journal
from server.services.rounds import round_news
from tests.factories import MORNING, PROGRAMMES, make_budget, make_qualified

GRABBED, RANKED = "lishui-2024", "guangxi-2024"


@pytest.fixture(scope="module")
def programmes() -> Programmes:
    return Programmes.load(PROGRAMMES)


async def a_round(programme: Programme, **others: object) -> Round:
    budget = await make_budget(programme)
    times = {"opens_at": MORNING + timedelta(hours=3), "closes_at": MORNING + timedelta(days=1)}
    return await Round.create(
        **{
            "budget_id": budget.id,
            "title": "第一批",
            "status": RoundStatus.SCHEDULED,
            "pool_fen": 0,
            "valid_until": MORNING + timedelta(days=30),
            "created_at": MORNING,
            "created_by": 1,
            **times,
            **others,
        }
    )


async def told() -> list[tuple[str, str]]:
    return [(row.topic, row.recipient) for row in await OutboxMessage.all().order_by("id")]


async def test_two_hours_before_a_launch_each_hears_once_whether_they_are_ready(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get(GRABBED)
    row = await a_round(programme)
    ready, other = await make_qualified(programme), await make_qualified(programme)
    await Entitlement.create(
        round_id=row.id, enterprise_id=ready.id, tier="x", amount_fen=1, quota_fen=1, prepared_at=MORNING
    )
    assert await round_news.tell_due(programme, now=MORNING) == 0, "three hours before"
    turns: list[int] = []

    async def turn() -> None:
        turns.append(len(await told()))

    for minutes in (60, 61):
        await round_news.tell_due(programme, now=MORNING + timedelta(minutes=minutes), turn=turn)
    assert await told() == [
        ("round.opens_soon", f"organisation:{ready.id}"),
        ("round.opens_not_ready", f"organisation:{other.id}"),
    ]
    assert turns[0] == 0, "a launch is waited for before anybody is told"


async def test_a_halt_and_a_resumption_are_told_to_those_who_may_take_part(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get(GRABBED)
    row = await a_round(programme, opens_at=MORNING - timedelta(hours=1))
    ready, _ = await make_qualified(programme), await make_qualified(programme)
    await Entitlement.create(
        round_id=row.id, enterprise_id=ready.id, tier="x", amount_fen=1, quota_fen=1, prepared_at=MORNING
    )
    assert await round_news.tell_due(programme, now=MORNING) == 0
    moves = (
        (RoundStatus.PAUSED, "round.paused"),
        (RoundStatus.SCHEDULED, "round.resumed"),
        (RoundStatus.PAUSED, "round.paused"),
    )
    for number, (status, action) in enumerate(moves):
        at = MORNING + timedelta(minutes=number)
        await Round.filter(id=row.id).update(status=status)
        await journal.record(action, f"round:{row.id}", actor="staff:1", at=at)
        for _ in range(2):
            await round_news.tell_due(programme, now=at)
    assert await told() == [(action, f"organisation:{ready.id}") for _, action in moves]


async def test_nobody_hurries_to_a_round_that_is_ranked(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get(RANKED)
    await a_round(programme)
    await make_qualified(programme)
    assert await round_news.tell_due(programme, now=MORNING + timedelta(hours=2)) == 0
