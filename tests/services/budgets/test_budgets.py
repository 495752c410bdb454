"""Budgets: a year's money is put in once, added to and cut, all of it or nothing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import asyncpg
import pytest
from tortoise.exceptions import IntegrityError

from server.database import close_database, open_database
from server.handlers.outages import is_outage
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.programme.registry import Programmes
from server.rules.budgets import BudgetBelowFloor
from server.rules.money import Account
from server.services import journal
from server.services.access import NotFound
from server.services.budgets import budgets, ledger
from server.services.budgets.budgets import BudgetExists, BudgetTooSmall
from server.units import yuan_to_fen
from tests.factories import OPERATOR, PROGRAMMES, Office, make_budget


def change(budget: Budget, amount_yuan: int, office: Office) -> dict[str, Any]:
    return {"amount_fen": yuan_to_fen(amount_yuan), "actor": OPERATOR, "now": office.now, "reason": "调整"}


def cut_of(office: Office) -> Callable[..., Awaitable[Budget]]:
    return partial(budgets.cut, programme=office.programme)


@pytest.mark.rules("GZ-10")
async def test_a_year_is_neither_opened_nor_cut_below_what_its_text_wants_issued(office: Office) -> None:
    guangzhou = office.programmes.get("guangzhou-2020")
    with pytest.raises(BudgetBelowFloor) as refused:
        await budgets.open_year(guangzhou, 2026, yuan_to_fen(5_999_999), actor=OPERATOR, now=office.now)
    assert refused.value.clause and refused.value.arithmetic == "5,999,999.00 < 6,000,000.00"
    budget = await make_budget(guangzhou, total_yuan=6_000_100)
    cut = partial(budgets.cut, programme=guangzhou)
    assert (await cut(budget.id, **change(budget, 100, office))).total_fen == yuan_to_fen(6_000_000)
    with pytest.raises(BudgetBelowFloor):
        await cut(budget.id, **change(budget, 1, office))


async def test_a_years_money_is_put_in_once(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    assert (budget.year, budget.total_fen, budget.allotted_fen) == (2026, 30_000, 0)
    with pytest.raises(BudgetExists) as refused:
        await make_budget(office.programme, total_yuan=500)
    assert refused.value.values["year"] == 2026
    await make_budget(office.programme, total_yuan=500, year=2025)
    sums = await ledger.balances(budget_id=budget.id)
    assert sums == {Account.APPROPRIATION: -30_000, Account.BUDGET: 30_000}
    assert await Budget.all().count() == 2


async def test_a_budget_may_begin_empty(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=0)
    assert await LedgerEntry.filter(budget_id=budget.id).count() == 0
    with pytest.raises(BudgetTooSmall):
        await office.make_round(budget, pool_yuan=1)


async def test_money_is_added_and_free_money_is_taken_out(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    await office.make_round(budget, pool_yuan=200)
    topped = await budgets.top_up(budget.id, **change(budget, 50, office))
    assert topped.total_fen == 35_000
    cut = await cut_of(office)(budget.id, **change(budget, 150, office))
    assert (cut.total_fen, cut.allotted_fen) == (20_000, 20_000)
    assert (await ledger.balances(budget_id=budget.id))[Account.BUDGET] == 0


async def test_what_rounds_hold_is_not_cut_and_the_sum_is_shown(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    await office.make_round(budget, pool_yuan=200)
    with pytest.raises(BudgetTooSmall) as refused:
        await cut_of(office)(budget.id, **{**change(budget, 0, office), "amount_fen": 10_001})
    assert refused.value.arithmetic == "100.01 > 100.00"
    assert (await Budget.get(id=budget.id)).total_fen == 30_000


async def test_each_change_stands_in_the_journal_with_who_and_why(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    await budgets.top_up(budget.id, **change(budget, 50, office))
    await cut_of(office)(budget.id, **change(budget, 10, office))
    deeds = await journal.history(f"budget:{budget.id}")
    assert [deed.action for deed in deeds] == ["budget.opened", "budget.topped_up", "budget.cut"]
    assert {deed.actor for deed in deeds} == {"staff:1"}
    assert deeds[0].data == {"year": 2026, "total_fen": 30_000}
    assert [deed.data for deed in deeds[1:]] == [
        {"amount_fen": 5_000, "reason": "调整"},
        {"amount_fen": 1_000, "reason": "调整"},
    ]


class PowerCut(Exception):
    """Whatever may go wrong just before the end."""


async def everything() -> tuple[Any, ...]:
    return (
        await Budget.all().order_by("id").values(),
        await Round.all().order_by("id").values(),
        await LedgerEntry.all().order_by("id").values(),
        await JournalEntry.all().order_by("id").values(),
    )


async def test_a_failure_in_the_middle_leaves_nothing_behind(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    row = await office.make_round(budget, pool_yuan=100)
    drafted = await office.make_round(budget, pool_yuan=100, scheduled=False)
    rounds = office.rounds
    verbs: list[Callable[[], Awaitable[Any]]] = [
        lambda: make_budget(office.programme, year=2025),
        lambda: budgets.top_up(budget.id, **change(budget, 1, office)),
        lambda: cut_of(office)(budget.id, **change(budget, 1, office)),
        lambda: office.make_round(budget, pool_yuan=50),
        lambda: rounds.schedule(drafted.id, actor=OPERATOR),
        lambda: rounds.top_up(row.id, 100, actor=OPERATOR, reason="追加"),
        lambda: rounds.cut(row.id, 100, actor=OPERATOR, reason="核减"),
        lambda: rounds.pause(row.id, actor=OPERATOR, reason="演练"),
        lambda: rounds.close(row.id, actor=OPERATOR, reason="演练"),
    ]
    before = await everything()

    async def power_cut(*_: Any, **__: Any) -> None:
        raise PowerCut

    # The journal is what every verb writes last.
    monkeypatch.setattr(journal, "record", power_cut)
    for verb in verbs:
        with pytest.raises(PowerCut):
            await verb()
        assert await everything() == before


async def test_the_database_itself_refuses_more_for_rounds_than_there_is(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=300)
    for impossible in ({"allotted_fen": 30_001}, {"allotted_fen": -1}, {"total_fen": -1}):
        with pytest.raises(IntegrityError):
            await Budget.filter(id=budget.id).update(**impossible)


async def test_a_budget_that_is_not_there_is_not_found(office: Office) -> None:
    budget = await make_budget(office.programme)
    for verb in (budgets.top_up, cut_of(office)):
        with pytest.raises(NotFound):
            await verb(budget.id + 1, **change(budget, 1, office))


async def test_who_waits_too_long_for_the_budgets_lock_is_told_to_come_again(
    postgres_url: str, redis_url: str
) -> None:
    context = await open_database(postgres_url)
    holder = await asyncpg.connect(postgres_url)
    try:
        office = Office(Programmes.load(PROGRAMMES), postgres_url, redis_url)
        budget = await make_budget(office.programme, total_yuan=300)
        async with holder.transaction():
            await holder.execute("UPDATE budget SET lock_number = lock_number + 1")
            with pytest.raises(asyncpg.LockNotAvailableError) as refused:
                await budgets.top_up(budget.id, **change(budget, 1, office))
        assert is_outage(refused.value)
        assert (await budgets.top_up(budget.id, **change(budget, 1, office))).total_fen == 30_100
    finally:
        await holder.close()
        await close_database(context)
