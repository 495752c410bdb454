"""The launch's rows on SQLite: one process, one connection, the same lock taken by writing first."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from server.gateways.grab_gate import RoundSnapshot, Snapshot
from server.gateways.grab_store import (
    BudgetMark,
    OutcomeUnknown,
    Recorded,
    StoreConflict,
    VoucherFacts,
    milliseconds,
    standing_of,
    voucher_number,
)
from server.rules.grabbing import UNSTORED, Claim, Decision, GrabOutcome, Standing

Row = dict[str, Any]

STANDING = """
SELECT c.value ->> 0 AS round_id, c.value ->> 1 AS enterprise_id, c.value ->> 2 AS grab_key,
       r.status, r.pool_fen, r.issued_fen, r.issued_count, r.opens_at, r.closes_at,
       d.round_id AS decided_round, d.outcome, d.voucher_id AS decided_voucher,
       v.id AS voucher_id, e.tier, e.amount_fen, e.quota_fen,
       (SELECT sum(w.face_value_fen - w.given_back_fen) FROM voucher w
        WHERE w.enterprise_id = c.value ->> 1 AND w.budget_id = ?1) AS taken_fen
FROM json_each(?2) AS c
JOIN round r ON r.id = c.value ->> 0 AND r.budget_id = ?1
LEFT JOIN grab_decision d ON d.enterprise_id = c.value ->> 1 AND d.grab_key = c.value ->> 2
LEFT JOIN voucher v ON v.round_id = c.value ->> 0 AND v.enterprise_id = c.value ->> 1
LEFT JOIN entitlement e ON e.round_id = c.value ->> 0 AND e.enterprise_id = c.value ->> 1"""

ISSUE = """
INSERT INTO voucher (number, round_id, budget_id, enterprise_id, serial, tier, face_value_fen, status,
                     programme_slug, programme_version, granted_at, reserved_at, order_deadline,
                     valid_until, epoch, place)
SELECT ?, r.id, r.budget_id, ?, 1, ?, ?, 'active', ?, ?, ?, ?, r.order_deadline, r.valid_until, ?, ?
FROM round r WHERE r.id = ?
RETURNING id, number, face_value_fen, valid_until, order_deadline"""

SNAPSHOT_WINNERS = """
SELECT v.enterprise_id, v.id AS voucher_id, coalesce(d.grab_key, '') AS grab_key FROM voucher v
LEFT JOIN grab_decision d
  ON d.voucher_id = v.id AND d.enterprise_id = v.enterprise_id AND d.outcome = 'granted'
WHERE v.round_id = ?"""
SNAPSHOT_QUOTA = """
SELECT e.enterprise_id, max(e.quota_fen) - coalesce((
    SELECT sum(v.face_value_fen - v.given_back_fen) FROM voucher v WHERE v.enterprise_id = e.enterprise_id
    AND v.budget_id = ?1), 0) AS left_fen
FROM entitlement e JOIN round r ON r.id = e.round_id
WHERE r.budget_id = ?1 AND r.status <> 'draft' GROUP BY e.enterprise_id"""


class SqliteGrabStore:
    """Uses the ORM's one connection: two would lock each other out of the file."""

    def __init__(self, connection_name: str) -> None:
        self.connection_name = connection_name

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[BaseDBAsyncClient]:
        try:
            async with in_transaction(self.connection_name) as connection:
                yield connection
        except IntegrityError as error:
            raise StoreConflict(str(error)) from error
        except (OperationalError, sqlite3.Error) as error:
            raise OutcomeUnknown(type(error).__name__) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[SqliteGrabTransaction]:
        async with self._open() as connection:
            yield SqliteGrabTransaction(connection)

    async def mark(self, budget_id: int) -> BudgetMark:
        async with self._open() as connection:
            return await _mark(connection, budget_id)

    async def snapshot(self, budget_id: int) -> Snapshot:
        async with self._open() as connection:
            await _run(
                connection,
                "UPDATE budget SET epoch = epoch + 1, lock_number = lock_number + 1 WHERE id = ?",
                budget_id,
            )
            mark = await _mark(connection, budget_id)
            rounds: list[RoundSnapshot] = []
            for each in await _run(
                connection,
                "SELECT * FROM round WHERE budget_id = ? AND status <> 'draft' ORDER BY id",
                budget_id,
            ):
                entitled = await _run(
                    connection,
                    "SELECT enterprise_id, amount_fen FROM entitlement WHERE round_id = ?",
                    each["id"],
                )
                winners = await _run(connection, SNAPSHOT_WINNERS, each["id"])
                rounds.append(
                    RoundSnapshot(
                        round_id=each["id"],
                        status=each["status"],
                        opens_ms=milliseconds(_instant(each["opens_at"])),
                        closes_ms=milliseconds(_instant(each["closes_at"])),
                        remaining_fen=each["pool_fen"] - each["issued_fen"],
                        entitled=[(row["enterprise_id"], row["amount_fen"]) for row in entitled],
                        winners=[
                            (row["enterprise_id"], row["voucher_id"], row["grab_key"]) for row in winners
                        ],
                    )
                )
            quota = await _run(connection, SNAPSHOT_QUOTA, budget_id)
        left = [(row["enterprise_id"], row["left_fen"]) for row in quota]
        return Snapshot(budget_id, mark.epoch, mark.version, left, rounds)

    async def recorded(self, enterprise_id: int, grab_key: str) -> Recorded | None:
        async with self._open() as connection:
            rows = await _run(
                connection,
                "SELECT * FROM grab_decision WHERE enterprise_id = ? AND grab_key = ?",
                enterprise_id,
                grab_key,
            )
        for row in rows:
            decided_at = _instant(row["decided_at"])
            outcome = GrabOutcome(row["outcome"])
            return Recorded(row["round_id"], outcome, row["voucher_id"], decided_at, row["place"])
        return None

    async def voucher(self, voucher_id: int) -> VoucherFacts:
        async with self._open() as connection:
            rows = await _run(connection, "SELECT * FROM voucher WHERE id = ?", voucher_id)
        return _voucher(rows[0])

    async def issued_fen(self, round_id: int) -> tuple[int, int]:
        async with self._open() as connection:
            rows = await _run(connection, "SELECT pool_fen, issued_fen FROM round WHERE id = ?", round_id)
        return rows[0]["pool_fen"], rows[0]["issued_fen"]

    async def close(self) -> None:
        """Nothing of its own to close."""


class SqliteGrabTransaction:
    """The statements of one commit."""

    def __init__(self, connection: BaseDBAsyncClient) -> None:
        self.connection = connection

    async def lock(self, budget_id: int) -> BudgetMark:
        await _run(self.connection, "UPDATE budget SET lock_number = lock_number + 1 WHERE id = ?", budget_id)
        return await _mark(self.connection, budget_id)

    async def standing(self, budget_id: int, claims: Sequence[Claim]) -> Standing:
        wanted = [[claim.round_id, claim.enterprise_id, claim.grab_key] for claim in claims]
        rows = await _run(self.connection, STANDING, budget_id, json.dumps(wanted))
        for row in rows:
            row["opens_at"], row["closes_at"] = _instant(row["opens_at"]), _instant(row["closes_at"])
        return standing_of(rows)

    async def record(
        self, mark: BudgetMark, decisions: Sequence[Decision], now: datetime
    ) -> Mapping[tuple[int, int], VoucherFacts]:
        granted: dict[tuple[int, int], VoucherFacts] = {}
        for one in decisions:
            if one.stored or one.outcome in UNSTORED:
                continue
            seat = (one.claim.round_id, one.claim.enterprise_id)
            if one.outcome is GrabOutcome.GRANTED:
                granted[seat] = await self._issue(mark, one, now)
            voucher = granted.get(seat) if one.outcome is GrabOutcome.ALREADY else None
            voucher_id = voucher.id if voucher else one.voucher_id
            if one.outcome is GrabOutcome.GRANTED:
                voucher_id = granted[seat].id
            await self._insert(
                "grab_decision",
                enterprise_id=one.claim.enterprise_id,
                grab_key=one.claim.grab_key,
                round_id=one.claim.round_id,
                person_id=one.claim.person_id,
                epoch=mark.epoch,
                place=one.claim.place,
                outcome=one.outcome.value,
                voucher_id=voucher_id,
                decided_at=_written(now),
            )
        return granted

    async def _issue(self, mark: BudgetMark, one: Decision, now: datetime) -> VoucherFacts:
        claim, number = one.claim, voucher_number(one.claim.round_id, one.number)
        rows = await _run(
            self.connection,
            ISSUE,
            number,
            claim.enterprise_id,
            one.tier,
            one.amount_fen,
            mark.programme_slug,
            mark.programme_version,
            _written(now),
            _written(claim.reserved_at),
            mark.epoch,
            claim.place,
            claim.round_id,
        )
        voucher = _voucher(rows[0])
        await self._insert(
            "ledger_entry",
            at=_written(now),
            movement="issue",
            debit="round",
            credit="available",
            amount_fen=one.amount_fen,
            budget_id=mark.budget_id,
            round_id=claim.round_id,
            enterprise_id=claim.enterprise_id,
            voucher_id=voucher.id,
        )
        facts = {
            "round": claim.round_id,
            "enterprise": claim.enterprise_id,
            "number": number,
            "amount_fen": one.amount_fen,
            "place": claim.place,
            "epoch": mark.epoch,
        }
        await self._insert(
            "journal_entry",
            at=_written(now),
            action="voucher.granted",
            actor=f"person:{claim.person_id}",
            subject=f"voucher:{voucher.id}",
            programme_slug=mark.programme_slug,
            data=json.dumps(facts),
        )
        notice = {"voucher": voucher.id, "number": number, "amount_fen": one.amount_fen}
        await self._insert(
            "outbox_message",
            created_at=_written(now),
            topic="voucher.granted",
            recipient=f"organisation:{claim.enterprise_id}",
            data=json.dumps(notice),
        )
        await _run(
            self.connection,
            "UPDATE round SET issued_fen = issued_fen + ?, issued_count = issued_count + 1 WHERE id = ?",
            one.amount_fen,
            claim.round_id,
        )
        return voucher

    async def _insert(self, table: str, **values: Any) -> None:
        columns, places = ", ".join(values), ", ".join("?" * len(values))
        await _run(self.connection, f"INSERT INTO {table} ({columns}) VALUES ({places})", *values.values())

    async def raise_version(self, budget_id: int) -> None:
        await _run(self.connection, "UPDATE budget SET version = version + 1 WHERE id = ?", budget_id)


async def _run(connection: BaseDBAsyncClient, statement: str, *values: Any) -> list[Row]:
    return list(await connection.execute_query_dict(statement, list(values)))


async def _mark(connection: BaseDBAsyncClient, budget_id: int) -> BudgetMark:
    rows = await _run(
        connection,
        "SELECT id, epoch, version, programme_slug, programme_version FROM budget WHERE id = ?",
        budget_id,
    )
    return BudgetMark(*rows[0].values())


def _voucher(row: Row) -> VoucherFacts:
    deadline = row["order_deadline"]
    return VoucherFacts(
        row["id"],
        row["number"],
        row["face_value_fen"],
        _instant(row["valid_until"]),
        _instant(deadline) if deadline is not None else None,
    )


def _instant(written: str) -> datetime:
    """An instant as Tortoise writes it to SQLite: ISO 8601 with its offset."""
    at = datetime.fromisoformat(written)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _written(at: datetime) -> str:
    return str(at.astimezone(UTC))
