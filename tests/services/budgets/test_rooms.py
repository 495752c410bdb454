"""What providers and categories may still take of a year, from the ledger's own dimensions."""

from __future__ import annotations

from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server.models.rounds import Budget
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.money import Movement
from server.services.budgets import ledger, rooms
from server.services.budgets.ledger import Where
from server.units import yuan_to_fen
from tests.factories import MORNING, make_budget

PROGRAMMES = Programmes.load(Path("config/programmes"))
PROVIDER, ANOTHER = 7, 8


async def moved(
    budget: Budget, movement: Movement, yuan: int, *, provider: int = PROVIDER, category: str = ""
) -> None:
    """One movement of an order's money."""
    where = Where(
        budget.id, enterprise_id=1, voucher_id=1, order_id=1, provider_id=provider, category=category or None
    )
    await ledger.post(movement, yuan_to_fen(yuan), where, at=MORNING)


async def left_yuan(programme: Programme, budget: Budget, provider: int = PROVIDER) -> int:
    room = await rooms.provider_room(programme, provider, budget)
    assert room is not None
    return room.limit.amount_fen // 100


@pytest.mark.rules("GZ-25")
async def test_what_orders_hold_spend_and_were_paid_counts_once_against_their_provider(
    database: TortoiseContext,
) -> None:
    programme = PROGRAMMES.get("guangzhou-2020")
    budget = await make_budget(programme, total_yuan=100_000_000)
    assert await left_yuan(programme, budget) == 500_000
    await moved(budget, Movement.HOLD, 120_000)
    await moved(budget, Movement.HOLD, 30_000, provider=ANOTHER)
    await moved(budget, Movement.REDEEM, 100_000)
    await moved(budget, Movement.DISBURSE, 100_000)
    await moved(budget, Movement.RELEASE, 20_000)
    assert await left_yuan(programme, budget) == 400_000
    assert await left_yuan(programme, budget, ANOTHER) == 470_000
    await moved(budget, Movement.CLAW_BACK, 60_000)
    assert await left_yuan(programme, budget) == 460_000


@pytest.mark.rules("GZ-26")
async def test_the_smaller_of_two_ceilings_counts_and_another_year_is_another_room(
    database: TortoiseContext,
) -> None:
    programme = PROGRAMMES.get("guangzhou-2020")
    budget, later = await make_budget(programme), await make_budget(programme, year=2031)
    # The text wants twice as much issued; of so little a tenth is less than the other ceiling.
    await Budget.filter(id__in=[budget.id, later.id]).update(total_fen=yuan_to_fen(3_000_000))
    budget, later = await Budget.get(id=budget.id), await Budget.get(id=later.id)
    await moved(budget, Movement.HOLD, 250_000)
    assert await left_yuan(programme, budget) == 50_000
    assert await left_yuan(programme, later) == 300_000


@pytest.mark.rules("LS-24", "LS-26")
async def test_a_category_takes_what_its_share_and_the_others_floor_leave(database: TortoiseContext) -> None:
    programme = PROGRAMMES.get("lishui-2024")
    budget = await make_budget(programme, total_yuan=1_000_000)
    least = min(programme.categories, key=lambda one: one.max_share_bp or 0)
    favoured = programme.category_floors[0].categories[0]
    await moved(budget, Movement.HOLD, 70_000, category=least.code)
    await moved(budget, Movement.REDEEM, 70_000, category=least.code)
    asked = rooms.Asked(programme, budget, frozenset({PROVIDER}), frozenset({least.code, favoured}))
    room = (await rooms.rooms([asked])).categories[programme.slug, least.code]
    assert room.amount_fen == yuan_to_fen(30_000)
    others = [
        one.code
        for one in programme.categories
        if one.code not in programme.category_floors[0].categories and one != least
    ]
    for code in others[:2]:
        await moved(budget, Movement.HOLD, 260_000, category=code)
    found = await rooms.rooms([asked])
    assert {code: room.amount_fen for (_, code), room in found.categories.items()} == {
        least.code: yuan_to_fen(10_000),
        favoured: yuan_to_fen(300_000),
    }
    assert "600,000.00" in found.categories[programme.slug, least.code].arithmetic
    assert found.providers == {}


async def test_the_rooms_of_several_years_are_told_apart_in_one_reading(database: TortoiseContext) -> None:
    capped, shared = PROGRAMMES.get("guangzhou-2020"), PROGRAMMES.get("lishui-2024")
    code = shared.categories[0].code
    years = [
        (capped, await make_budget(capped, total_yuan=100_000_000)),
        (shared, await make_budget(shared, total_yuan=1_000_000)),
    ]
    for programme, budget in years:
        await moved(budget, Movement.HOLD, 10_000, category=code)
        await moved(budget, Movement.HOLD, 20_000, provider=ANOTHER, category=programme.categories[1].code)
    both = frozenset({PROVIDER, ANOTHER})
    found = await rooms.rooms([rooms.Asked(*year, both, frozenset({code})) for year in years])
    assert {one: room.limit.amount_fen // 100 for (_, one), room in found.providers.items()} == {
        PROVIDER: 490_000,
        ANOTHER: 480_000,
    }
    assert {one: room.amount_fen // 100 for one, room in found.categories.items()} == {
        (shared.slug, code): 290_000
    }
    assert (await rooms.rooms([])).categories == {}


async def test_who_is_full_is_known_and_a_programme_without_ceilings_limits_nobody(
    database: TortoiseContext,
) -> None:
    programme, free = PROGRAMMES.get("guangzhou-2020"), PROGRAMMES.get("ningxia-2016")
    budget, other = await make_budget(programme, total_yuan=100_000_000), await make_budget(free)
    await moved(budget, Movement.HOLD, 499_000)
    await moved(budget, Movement.HOLD, 1_000, provider=ANOTHER)
    assert await rooms.providers_without(programme, yuan_to_fen(2_000), budget) == [PROVIDER]
    assert await rooms.providers_without(programme, yuan_to_fen(1_000), budget) == []
    assert await rooms.provider_room(free, PROVIDER, other) is None
    asked = rooms.Asked(free, other, categories=frozenset({free.categories[0].code}))
    assert (await rooms.rooms([asked])).categories == {}


async def test_what_was_issued_is_asked_for_reports(database: TortoiseContext) -> None:
    programme = PROGRAMMES.get("lishui-2024")
    budget = await make_budget(programme)
    await moved(budget, Movement.POST_QUOTA, 4_000)
    await moved(budget, Movement.HOLD, 1_500, category=programme.categories[0].code)
    year = await rooms.year_money(budget)
    assert (year.total_fen, year.issued_fen) == (yuan_to_fen(1_000_000), yuan_to_fen(4_000))
    assert year.used_fen == {programme.categories[0].code: yuan_to_fen(1_500)}
