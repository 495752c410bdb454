"""The ledger: every movement takes its one route, balances are sums, and no fault stays hidden."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.connection import get_connection
from tortoise.context import TortoiseContext
from tortoise.exceptions import IntegrityError, OperationalError

from server.database import close_database, connection_name, open_database
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.rules.money import ROUTES, Account, Movement
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.units import yuan_to_fen
from tests.factories import MORNING, Office, an_office, make_budget, make_qualified

FACE = yuan_to_fen(10_000)
DATABASE_REFUSED = (OperationalError, IntegrityError, asyncpg.RaiseError)


async def test_every_movement_leaves_one_account_and_arrives_in_one_other(database: TortoiseContext) -> None:
    for number, movement in enumerate(Movement, start=1):
        where = Where(number, 2, 3, 4, 5, 6, "legal_services")
        await ledger.post(movement, 700, where, at=MORNING)
        debit, credit = ROUTES[movement]
        assert await ledger.balances(budget_id=number) == {debit: -700, credit: 700}
        entry = await LedgerEntry.get(budget_id=number)
        assert (entry.movement, entry.at, entry.amount_fen) == (movement, MORNING, 700)
        kept = (entry.round_id, entry.enterprise_id, entry.voucher_id, entry.order_id, entry.provider_id)
        assert kept == (2, 3, 4, 5, 6)
        assert entry.category == "legal_services"


async def test_a_balance_is_the_sum_of_its_entries(database: TortoiseContext) -> None:
    spent, other = Where(1, 1, 7, 70), Where(1, 1, 7, 71)
    for movement, amount_fen, where in (
        (Movement.ISSUE, 1_000, spent),
        (Movement.ISSUE, 2_000, other),
        (Movement.HOLD, 600, spent),
        (Movement.RELEASE, 100, spent),
        (Movement.REDEEM, 500, spent),
    ):
        await ledger.post(movement, amount_fen, where, at=MORNING)
    mine = await ledger.balances_of_vouchers([7], [70, 71, 72])
    assert mine[70] == {Account.ROUND: -1_000, Account.AVAILABLE: 500, Account.HELD: 0, Account.REDEEMED: 500}
    assert mine[71] == {Account.ROUND: -2_000, Account.AVAILABLE: 2_000}
    assert mine[72] == {}
    assert await ledger.balances(voucher_id=70) == mine[70]
    assert (await ledger.balances(round_id=1))[Account.ROUND] == -3_000


@pytest.mark.parametrize("amount_fen", [0, -1])
async def test_nothing_and_less_than_nothing_cannot_be_posted(
    database: TortoiseContext, amount_fen: int
) -> None:
    with pytest.raises(IntegrityError):
        await ledger.post(Movement.ISSUE, amount_fen, Where(1), at=MORNING)
    assert await LedgerEntry.all().count() == 0


async def test_an_empty_house_is_balanced(database: TortoiseContext) -> None:
    assert await ledger.verify() == []


async def test_issued_money_left_the_pool_and_is_on_the_vouchers(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=200_000)
    small = [await make_qualified(office.programme) for _ in range(2)]
    large = await make_qualified(office.programme, labels=("newly_above_scale",))
    row = await office.make_round(budget, pool_yuan=100_000)
    for enterprise in (*small, large):
        await office.grant(row, enterprise)
    sums = await ledger.balances(budget_id=budget.id)
    assert sums == {
        Account.APPROPRIATION: -yuan_to_fen(200_000),
        Account.BUDGET: yuan_to_fen(100_000),
        Account.ROUND: yuan_to_fen(60_000),
        Account.AVAILABLE: yuan_to_fen(40_000),
    }
    row = await Round.get(id=row.id)
    assert (row.issued_fen, row.issued_count) == (yuan_to_fen(40_000), 3)
    assert await ledger.verify() == []


# -- history is written once -------------------------------------------------------------------------


async def test_no_entry_is_changed_or_taken_out(office: Office, database_url: str) -> None:
    await make_budget(office.programme)
    connection = get_connection(connection_name(database_url))
    for table in ("ledger_entry", "journal_entry"):
        before = await connection.execute_query_dict(f"SELECT * FROM {table}")
        for change in (f"UPDATE {table} SET at = at", f"DELETE FROM {table}"):
            with pytest.raises(DATABASE_REFUSED, match=f"{table} is append-only"):
                await connection.execute_query(change)
        assert before
        assert await connection.execute_query_dict(f"SELECT * FROM {table}") == before


# -- faults ------------------------------------------------------------------------------------------


@dataclass
class Books:
    """One budget, one round with two vouchers of 10,000 yuan, and a hand that can reach everything."""

    connection: BaseDBAsyncClient
    budget: Budget
    round: Round
    voucher: Voucher

    async def run(self, statement: str) -> None:
        names = {"budget": self.budget.id, "round": self.round.id, "voucher": self.voucher.id}
        await self.connection.execute_query(statement.format(**names))


@pytest.fixture
async def books(sqlite_url: str, redis_url: str) -> AsyncIterator[Books]:
    context = await open_database(sqlite_url)
    async with an_office(sqlite_url, redis_url) as office:
        budget = await make_budget(office.programme, total_yuan=200_000)
        enterprises = [await make_qualified(office.programme) for _ in range(2)]
        row = await office.make_round(budget, pool_yuan=100_000)
        for enterprise in enterprises:
            await office.grant(row, enterprise)
        connection = get_connection(connection_name(sqlite_url))
        for verb in ("UPDATE", "DELETE"):
            await connection.execute_query(f"DROP TRIGGER ledger_entry_no_{verb}")
        yield Books(connection, budget, row, await Voucher.filter(round_id=row.id).first())
    await close_database(context)


PLANTED = {
    "a counter of issued money that runs ahead": (
        "UPDATE round SET issued_fen = issued_fen + 1 WHERE id = {round}",
        [
            "round {round}: issued, against its vouchers: 20,000.01 is not 20,000.00",
            "round {round}: issued, against the ledger: 20,000.01 is not 20,000.00",
            "round {round}: left in the pool, against the ledger: 79,999.99 is not 80,000.00",
        ],
    ),
    "a pool with money from nowhere": (
        "UPDATE round SET pool_fen = pool_fen + 100 WHERE id = {round}",
        [
            "round {round}: left in the pool, against the ledger: 80,001.00 is not 80,000.00",
            "budget {budget}: allotted, against its rounds: 100,000.00 is not 100,001.00",
        ],
    ),
    "a voucher worth more than was issued": (
        "UPDATE voucher SET face_value_fen = face_value_fen + 1 WHERE id = {voucher}",
        [
            "voucher {voucher} (money): issue in the ledger is 10,000.00, not 10,000.01",
            "round {round}: issued, against its vouchers: 20,000.00 is not 20,000.01",
        ],
    ),
    "a voucher that is gone": (
        "DELETE FROM voucher WHERE id = {voucher}",
        [
            "voucher {voucher}: in the ledger and nowhere else",
            "round {round}: issued, against its vouchers: 20,000.00 is not 10,000.00",
        ],
    ),
    "an entry that is gone": (
        "DELETE FROM ledger_entry WHERE voucher_id = {voucher}",
        [
            "voucher {voucher} (money): issue in the ledger is 0.00, not 10,000.00",
            "round {round}: issued, against the ledger: 20,000.00 is not 10,000.00",
            "round {round}: left in the pool, against the ledger: 80,000.00 is not 90,000.00",
        ],
    ),
    "an entry of another amount": (
        "UPDATE ledger_entry SET amount_fen = amount_fen - 1 WHERE voucher_id = {voucher}",
        [
            "voucher {voucher} (money): issue in the ledger is 9,999.99, not 10,000.00",
            "round {round}: issued, against the ledger: 20,000.00 is not 19,999.99",
            "round {round}: left in the pool, against the ledger: 80,000.00 is not 80,000.01",
        ],
    ),
    "a budget with money from nowhere": (
        "UPDATE budget SET total_fen = total_fen + 1 WHERE id = {budget}",
        ["budget {budget}: free, against the ledger: 100,000.01 is not 100,000.00"],
    ),
    "money that no round has": (
        "UPDATE budget SET allotted_fen = allotted_fen + 1 WHERE id = {budget}",
        [
            "budget {budget}: allotted, against its rounds: 100,000.01 is not 100,000.00",
            "budget {budget}: free, against the ledger: 99,999.99 is not 100,000.00",
        ],
    ),
    "a voucher that has ended and can still pay": (
        "UPDATE voucher SET status = 'voided' WHERE id = {voucher}",
        ["voucher {voucher}: 10,000.00 is free, though it is voided"],
    ),
    "a quota given back for nothing": (
        "UPDATE voucher SET given_back_fen = 1 WHERE id = {voucher}",
        ["voucher {voucher}: 0.01 of its quota is back, of 0.00 ended"],
    ),
    "an entry of another enterprise": (
        "UPDATE ledger_entry SET enterprise_id = enterprise_id + 1 WHERE voucher_id = {voucher}",
        ["voucher {voucher}: 1 entries are another's"],
    ),
    "money committed for no contract": (
        "UPDATE budget SET committed_fen = 1 WHERE id = {budget}",
        [
            "budget {budget}: committed 0.01, its orders 0.00",
            "budget {budget}: committed, against the ledger: 0.01 is not 0.00",
            "budget {budget}: free, against the ledger: 99,999.99 is not 100,000.00",
        ],
    ),
    "money returned by no voucher": (
        "UPDATE budget SET returned_fen = 1 WHERE id = {budget}",
        [
            "budget {budget}: returned, against the ledger: 0.01 is not 0.00",
            "budget {budget}: free, against the ledger: 100,000.01 is not 100,000.00",
        ],
    ),
    "a voucher on another basis": (
        "UPDATE voucher SET basis = 'on_file' WHERE id = {voucher}",
        ["voucher {voucher} (on_file): issue in the ledger is 10,000.00, not 0.00"],
    ),
    "money that took another way": (
        "UPDATE ledger_entry SET credit = 'disbursed' WHERE voucher_id = {voucher}",
        ["ledger: issue went from round to disbursed 1 times; its route is round to available"],
    ),
}


@pytest.mark.parametrize("planted", PLANTED)
async def test_verify_finds_a_planted_fault_and_shows_its_sums(books: Books, planted: str) -> None:
    statement, found = PLANTED[planted]
    assert await ledger.verify() == []
    await books.run(statement)
    names = {"budget": books.budget.id, "round": books.round.id, "voucher": books.voucher.id}
    assert sorted(await ledger.verify()) == sorted(line.format(**names) for line in found)


async def test_verify_finds_more_money_spent_than_a_voucher_had(books: Books) -> None:
    voucher = books.voucher
    where = Where(books.budget.id, books.round.id, voucher.enterprise_id, voucher.id)
    await ledger.post(Movement.HOLD, FACE, where, at=MORNING)
    assert await ledger.verify() == [f"voucher {voucher.id}: orders hold 0.00, the ledger 10,000.00"]
    await ledger.post(Movement.HOLD, 1, where, at=MORNING)
    assert f"voucher {voucher.id}: available is -0.01" in await ledger.verify()
