"""Proving: what somebody with the database's own keys could do to the journal, done in tests."""

from __future__ import annotations

from datetime import date

from tortoise.backends.base.client import BaseDBAsyncClient

from server.gateways.seal_keys import SealKeys
from server.models.journal import JournalEntry
from server.models.proof import DayRoot, JournalSeal
from server.rules import merkle
from server.rules.day_statements import Statement, signed_bytes, statement_hash
from server.rules.hash_chain import GENESIS, chain
from server.services.proof.journal_seals import deed_of


async def as_a_dba(connection: BaseDBAsyncClient, *statements: str) -> None:
    """Run statements with the append-only triggers out of the way, as their owner can."""
    if connection.capabilities.dialect == "postgres":
        whole = ["BEGIN", "SET LOCAL session_replication_role = replica", *statements, "COMMIT"]
    else:
        guards = await connection.execute_query_dict(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name GLOB '*_no_*'"
        )
        away, back = [f"DROP TRIGGER {one['name']}" for one in guards], [one["sql"] for one in guards]
        whole = [*away, *statements, *back]
    await connection.execute_script(";".join(whole))


async def seal_again(connection: BaseDBAsyncClient, keys: SealKeys) -> None:
    """Compute every link and every day anew over the journal as it is now, and sign with our own key."""
    entries = await JournalEntry.all().order_by("id")
    links = chain([deed_of(entry) for entry in entries], {})
    places = {entry.id: made for entry, made in zip(entries, links, strict=True)}
    statements = []
    for seal in await JournalSeal.all():
        made = places[seal.entry_id]
        statements.append(
            f"UPDATE journal_seal SET hash = '{made.hash}', previous = '{made.previous}'"
            f" WHERE place = {seal.place}"
        )
    await as_a_dba(connection, *statements)
    before, statements = GENESIS, []
    for row in await DayRoot.all().order_by("number"):
        within = JournalSeal.filter(place__gte=row.first_place, place__lte=row.last_place)
        hashes = await within.order_by("place").values_list("hash", flat=True)
        said = Statement(
            row.number,
            row.day,
            row.first_place,
            row.last_place,
            row.first_entry,
            row.last_entry,
            merkle.root([str(one) for one in hashes]),
            before,
        )
        _, signature = keys.sign(signed_bytes(said), today=date(2026, 3, 9))
        before = statement_hash(said)
        statements.append(
            f"UPDATE day_root SET root = '{said.root}', previous = '{said.previous}',"
            f" statement = '{before}', signature = '{signature}' WHERE number = {row.number}"
        )
        statements.append(f"UPDATE day_anchor SET statement = '{before}' WHERE root_id = {row.number}")
    await as_a_dba(connection, *statements)
