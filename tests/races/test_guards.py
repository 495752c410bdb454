"""Hole 14: the database enforces every limit itself, on both databases, whatever the code above it does.

Tortoise silently creates no constraint from a model's Meta, so each guard is read back from the catalogue
of the database and then broken on purpose with raw SQL.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from tortoise.connection import get_connection

from server.database import close_database, connection_name, is_sqlite, open_database
from server.models.rounds import Round
from server.services.rounds.grabs import GrabCode
from tests.factories import grab_key
from tests.races.hall import Hall, a_hall

pytestmark = pytest.mark.usefixtures("opened")


@dataclass(frozen=True)
class Sold:
    """A round with one voucher granted, in a database that is about to be attacked."""

    hall: Hall
    url: str
    row: Round

    async def execute(self, statement: str) -> None:
        await get_connection(connection_name(self.url)).execute_script(statement)

    async def state(self) -> dict[str, Any]:
        """Everything the attacks are about."""
        connection = get_connection(connection_name(self.url))
        tables = (
            "budget",
            "round",
            "voucher",
            "grab_decision",
            "ledger_entry",
            "journal_entry",
            "entitlement",
        )
        return {
            table: await connection.execute_query_dict(f"SELECT * FROM {table} ORDER BY id")
            for table in tables
        }


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[None]:
    context = await open_database(database_url)
    yield
    await close_database(context)


@pytest.fixture
async def sold(opened: None, database_url: str, redis_url: str) -> AsyncIterator[Sold]:
    async with a_hall(database_url, redis_url) as hall:
        worker = hall.worker()
        winner, _ = await hall.enterprises(2)
        row = await hall.open_round(worker, vouchers=2)
        assert (await worker.grab(row, winner, key=grab_key())).code is GrabCode.GRANTED
        yield Sold(hall, database_url, await Round.get(id=row.id))


async def test_control_what_no_guard_forbids_is_written(sold: Sold) -> None:
    """The attacks below fail because of the guards, not because raw SQL could not be written."""
    before = await sold.state()
    await sold.execute("UPDATE round SET issued_fen = pool_fen; UPDATE voucher SET tier = 'another'")
    assert await sold.state() != before


VOUCHER = """
INSERT INTO voucher (number, round_id, budget_id, enterprise_id, serial, tier, face_value_fen, status,
                     programme_slug, programme_version, granted_at, reserved_at, valid_until, epoch, place)
SELECT {number}, round_id, budget_id, enterprise_id, {serial}, tier, {face}, status, programme_slug,
       programme_version, granted_at, reserved_at, valid_until, epoch, place FROM voucher"""
DECISION = """
INSERT INTO grab_decision (enterprise_id, grab_key, round_id, person_id, epoch, place, outcome, decided_at)
SELECT enterprise_id, grab_key, round_id, person_id, epoch, place, 'sold_out', decided_at
FROM grab_decision"""

ATTACKS = {
    "more issued than the pool holds": "UPDATE round SET issued_fen = pool_fen + 1",
    "less than nothing issued": "UPDATE round SET issued_fen = -1",
    "a pool cut below what is issued": "UPDATE round SET pool_fen = issued_fen - 1",
    "a pool below zero": "UPDATE round SET issued_fen = 0, pool_fen = -1",
    "more allotted than the year has": "UPDATE budget SET allotted_fen = total_fen + 1",
    "less than nothing allotted": "UPDATE budget SET allotted_fen = -1",
    "a year below zero": "UPDATE budget SET allotted_fen = 0, total_fen = -1",
    "a second budget for the year": """
        INSERT INTO budget (programme_slug, programme_version, year, total_fen, allotted_fen, committed_fen,
                            on_file_fen, fees_fen, returned_fen, issued_count, epoch, version, lock_number,
                            created_at)
        SELECT programme_slug, programme_version, year, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, created_at
        FROM budget""",
    "more taken on file than the year has": "UPDATE budget SET on_file_fen = total_fen + returned_fen + 1",
    "less than nothing taken on file": "UPDATE budget SET on_file_fen = -1",
    "a second voucher of the same enterprise": VOUCHER.format(
        number="'copy'", serial=1, face="face_value_fen"
    ),
    "a second voucher of the same number": VOUCHER.format(number="number", serial=2, face="face_value_fen"),
    "a voucher worth nothing": VOUCHER.format(number="'copy'", serial=2, face=0),
    "a voucher given to another holder": "UPDATE voucher SET enterprise_id = enterprise_id + 1",
    "a voucher given to a provider": "UPDATE voucher SET provider_id = 1",
    "a second decision of the same request": DECISION,
    "an entitlement beyond the quota": "UPDATE entitlement SET amount_fen = quota_fen + 1",
    "an entitlement to nothing": "UPDATE entitlement SET amount_fen = 0",
    "a second entitlement": """
        INSERT INTO entitlement (round_id, enterprise_id, tier, amount_fen, quota_fen, prepared_at)
        SELECT round_id, enterprise_id, tier, amount_fen, quota_fen, prepared_at FROM entitlement""",
    "an entry of nothing in the ledger": """
        INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id)
        SELECT at, movement, debit, credit, 0, budget_id FROM ledger_entry""",
    "an entry changed afterwards": "UPDATE ledger_entry SET amount_fen = amount_fen + 1",
    "an entry taken out of the ledger": "DELETE FROM ledger_entry",
    "a deed changed afterwards": "UPDATE journal_entry SET actor = 'nobody'",
    "a deed taken out of the journal": "DELETE FROM journal_entry",
}


async def test_hole_14_the_database_refuses_every_attack(sold: Sold) -> None:
    before = await sold.state()
    survived = {}
    for attack, statement in ATTACKS.items():
        try:
            await sold.execute(statement)
            survived[attack] = "was let through"
        # Each database and driver refuses in its own words; that it is the guard that speaks is seen below.
        except Exception as refusal:  # noqa: BLE001
            words = str(refusal).lower()
            if not any(word in words for word in ("check", "unique", "append-only", "keeps its holder")):
                survived[attack] = words
    assert survived == {}
    assert await sold.state() == before


CHECKS = {
    "round": {"issued_fen >= 0", "issued_fen <= pool_fen", "pool_fen >= 0"},
    "budget": {
        "total_fen >= 0",
        "allotted_fen >= 0",
        "allotted_fen + committed_fen + on_file_fen + fees_fen <= total_fen + returned_fen",
        "committed_fen >= 0",
        "returned_fen >= 0",
    },
    "voucher": {"face_value_fen > 0"},
    "entitlement": {"amount_fen > 0", "quota_fen >= amount_fen"},
    "ledger_entry": {"amount_fen > 0"},
}
UNIQUE = {
    "budget": {("programme_slug", "year")},
    "voucher": {("number",), ("round_id", "enterprise_id", "serial")},
    "grab_decision": {("enterprise_id", "grab_key")},
    "entitlement": {("round_id", "enterprise_id")},
}


async def checks_of(url: str, table: str) -> str:
    """Every CHECK of a table, as its database writes it."""
    connection = get_connection(connection_name(url))
    if is_sqlite(url):
        rows = await connection.execute_query_dict("SELECT sql FROM sqlite_master WHERE name = ?", [table])
        return str(rows[0]["sql"])
    rows = await connection.execute_query_dict(
        "SELECT pg_get_constraintdef(oid) AS text FROM pg_constraint"
        " WHERE conrelid = $1::text::regclass AND contype = 'c'",
        [table],
    )
    return " ".join(row["text"].replace("(", "").replace(")", "") for row in rows)


async def unique_of(url: str, table: str) -> set[tuple[str, ...]]:
    """The columns of every unique index of a table."""
    connection = get_connection(connection_name(url))
    if is_sqlite(url):
        rows = await connection.execute_query_dict(
            "SELECT l.name AS name, i.name AS field FROM pragma_index_list(?) l, pragma_index_info(l.name) i"
            ' WHERE l."unique" = 1 ORDER BY l.name, i.seqno',
            [table],
        )
    else:
        rows = await connection.execute_query_dict(
            "SELECT i.indexrelid::text AS name, a.attname AS field FROM pg_index i"
            " CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)"
            " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
            " WHERE i.indrelid = $1::text::regclass AND i.indisunique ORDER BY name, k.place",
            [table],
        )
    indexes: dict[str, list[str]] = {}
    for row in rows:
        indexes.setdefault(row["name"], []).append(row["field"])
    return {tuple(fields) for fields in indexes.values()}


async def test_hole_14_every_check_stands_in_the_catalogue(database_url: str) -> None:
    for table, checks in CHECKS.items():
        text = await checks_of(database_url, table)
        assert {check for check in checks if check not in text} == set()


async def test_hole_14_every_uniqueness_stands_in_the_catalogue(database_url: str) -> None:
    for table, wanted in UNIQUE.items():
        assert await unique_of(database_url, table) >= wanted


async def test_hole_14_history_is_guarded_by_triggers(database_url: str) -> None:
    connection = get_connection(connection_name(database_url))
    if is_sqlite(database_url):
        rows = await connection.execute_query_dict(
            "SELECT tbl_name AS name FROM sqlite_master WHERE type = 'trigger'"
        )
    else:
        rows = await connection.execute_query_dict(
            "SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE NOT tgisinternal"
        )
    assert {row["name"] for row in rows} >= {"ledger_entry", "journal_entry"}
