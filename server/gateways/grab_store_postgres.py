"""The launch's rows on PostgreSQL: a held connection, arrays in, one statement for everything written."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg

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

QUESTIONS_AT_ONCE = 500

LOCK = """
UPDATE budget SET lock_number = lock_number + 1 WHERE id = $1
RETURNING id, epoch, version, programme_slug, programme_version"""

# "+ 0" keeps the planner from the budget's own index. While it knows nothing of a table that fills within
# seconds, that one looks as good as the enterprise's, and each claim would read all vouchers of the year.
STANDING = """
SELECT c.round_id, c.enterprise_id, c.grab_key,
       r.status, r.pool_fen, r.issued_fen, r.issued_count, r.opens_at, r.closes_at,
       d.round_id AS decided_round, d.outcome, d.voucher_id AS decided_voucher,
       v.id AS voucher_id, e.tier, e.amount_fen, e.quota_fen, t.taken_fen
FROM unnest($2::bigint[], $3::bigint[], $4::text[]) AS c (round_id, enterprise_id, grab_key)
JOIN round r ON r.id = c.round_id AND r.budget_id = $1
LEFT JOIN grab_decision d ON d.enterprise_id = c.enterprise_id AND d.grab_key = c.grab_key
LEFT JOIN voucher v ON v.round_id = c.round_id AND v.enterprise_id = c.enterprise_id
LEFT JOIN entitlement e ON e.round_id = c.round_id AND e.enterprise_id = c.enterprise_id
LEFT JOIN LATERAL (
    SELECT sum(w.face_value_fen - w.given_back_fen)::bigint AS taken_fen FROM voucher w
    WHERE w.enterprise_id = c.enterprise_id AND w.budget_id + 0 = $1
) t ON true"""

# Vouchers get their ids before they are inserted: joining the inserted rows back to the claims would cost
# more than all the inserts, because the planner expects one row and compares every one with every other.
RECORD = """
WITH decided AS (
    SELECT d.*, CASE d.outcome WHEN 'granted' THEN nextval('voucher_id_seq')
                               ELSE d.known_voucher END AS voucher_id
    FROM unnest($3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::text[],
                $9::bigint[], $10::timestamptz[], $11::text[], $12::bigint[], $13::text[])
      AS d (round_id, enterprise_id, person_id, grab_key, place, outcome,
            known_voucher, reserved_at, tier, amount_fen, number)
), granted AS (
    INSERT INTO voucher (id, number, round_id, budget_id, enterprise_id, serial, tier, face_value_fen, status,
                         programme_slug, programme_version, granted_at, reserved_at, order_deadline,
                         valid_until, epoch, place)
    SELECT d.voucher_id, d.number, d.round_id, $1, d.enterprise_id, 1, d.tier, d.amount_fen, 'active',
           $14, $15, $2, d.reserved_at, r.order_deadline, r.valid_until, $16, d.place
    FROM decided d JOIN round r ON r.id = d.round_id WHERE d.outcome = 'granted'
    RETURNING round_id, enterprise_id, id, number, face_value_fen, valid_until, order_deadline
), decision AS (
    INSERT INTO grab_decision (enterprise_id, grab_key, round_id, person_id, epoch, place, outcome,
                               voucher_id, decided_at)
    SELECT d.enterprise_id, d.grab_key, d.round_id, d.person_id, $16, d.place, d.outcome,
           CASE WHEN d.outcome = 'already' AND d.voucher_id IS NULL
                THEN (SELECT w.voucher_id FROM decided w WHERE w.outcome = 'granted'
                      AND w.round_id = d.round_id AND w.enterprise_id = d.enterprise_id)
                ELSE d.voucher_id END, $2
    FROM decided d
), ledger AS (
    INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id,
                              enterprise_id, voucher_id)
    SELECT $2, 'issue', 'round', 'available', amount_fen, $1, round_id, enterprise_id, voucher_id
    FROM decided WHERE outcome = 'granted'
), journal AS (
    INSERT INTO journal_entry (at, action, actor, subject, programme_slug, data)
    SELECT $2, 'voucher.granted', 'person:' || person_id, 'voucher:' || voucher_id, $14,
           jsonb_build_object('round', round_id, 'enterprise', enterprise_id, 'number', number,
                              'amount_fen', amount_fen, 'place', place, 'epoch', $16::bigint)
    FROM decided WHERE outcome = 'granted'
), outbox AS (
    INSERT INTO outbox_message (created_at, topic, recipient, data)
    SELECT $2, 'voucher.granted', 'organisation:' || enterprise_id,
           jsonb_build_object('voucher', voucher_id, 'number', number, 'amount_fen', amount_fen)
    FROM decided WHERE outcome = 'granted'
), money AS (
    UPDATE round r SET issued_fen = r.issued_fen + s.total_fen, issued_count = r.issued_count + s.total
    FROM (SELECT round_id, sum(amount_fen) AS total_fen, count(*) AS total
          FROM decided WHERE outcome = 'granted' GROUP BY round_id) s
    WHERE r.id = s.round_id
)
SELECT * FROM granted"""

RECORDED = """
SELECT d.enterprise_id, d.grab_key, d.round_id, d.outcome, d.voucher_id, d.decided_at, d.place
FROM unnest($1::bigint[], $2::text[]) AS q (enterprise_id, grab_key)
JOIN grab_decision d ON d.enterprise_id = q.enterprise_id AND d.grab_key = q.grab_key"""

RAISE_EPOCH = """
UPDATE budget SET epoch = epoch + 1, lock_number = lock_number + 1 WHERE id = $1 RETURNING epoch, version"""
SNAPSHOT_ROUNDS = """
SELECT id, status, opens_at, closes_at, pool_fen - issued_fen AS remaining_fen
FROM round WHERE budget_id = $1 AND status <> 'draft' ORDER BY id"""
SNAPSHOT_ENTITLED = "SELECT enterprise_id, amount_fen FROM entitlement WHERE round_id = $1"
SNAPSHOT_WINNERS = """
SELECT v.enterprise_id, v.id, coalesce(d.grab_key, '') AS grab_key FROM voucher v
LEFT JOIN grab_decision d
  ON d.voucher_id = v.id AND d.enterprise_id = v.enterprise_id AND d.outcome = 'granted'
WHERE v.round_id = $1"""
SNAPSHOT_QUOTA = """
SELECT e.enterprise_id, max(e.quota_fen) - coalesce(max(t.taken_fen), 0) AS left_fen
FROM entitlement e JOIN round r ON r.id = e.round_id
LEFT JOIN (SELECT enterprise_id, sum(face_value_fen - given_back_fen)::bigint AS taken_fen FROM voucher
           WHERE budget_id = $1 GROUP BY enterprise_id) t
  ON t.enterprise_id = e.enterprise_id
WHERE r.budget_id = $1 AND r.status <> 'draft' GROUP BY e.enterprise_id"""


UNKNOWN = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # How asyncpg may report a connection that was cut between two messages.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)
"""After any of these nobody knows whether the transaction happened."""


class PostgresGrabStore:
    """One connection for the commits of this process and one for everything else."""

    def __init__(self, url: str, *, timeout_seconds: float = 10.0) -> None:
        self.url = url
        self.timeout_seconds = timeout_seconds
        self._connections: dict[str, asyncpg.Connection[asyncpg.Record]] = {}
        self._turn = {"commit": asyncio.Lock(), "read": asyncio.Lock()}
        self._questions: deque[tuple[int, str, asyncio.Future[Recorded | None]]] = deque()
        self._answering: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def _connection(self, purpose: str) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
        """The held connection, for one at a time; a broken one is dropped and opened anew next time."""
        async with self._turn[purpose]:
            try:
                held = self._connections.get(purpose)
                if held is None or held.is_closed():
                    held = await asyncpg.connect(
                        self.url, timeout=self.timeout_seconds, command_timeout=self.timeout_seconds
                    )
                    self._connections[purpose] = held
                yield held
            except asyncpg.IntegrityConstraintViolationError as error:
                raise StoreConflict(str(error)) from error
            except UNKNOWN as error:
                broken = self._connections.pop(purpose, None)
                if broken is not None:
                    broken.terminate()
                raise OutcomeUnknown(type(error).__name__) from error

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[PostgresGrabTransaction]:
        async with self._connection("commit") as connection, connection.transaction():
            yield PostgresGrabTransaction(connection)

    async def mark(self, budget_id: int) -> BudgetMark:
        async with self._connection("read") as connection:
            row = await connection.fetchrow(
                "SELECT id, epoch, version, programme_slug, programme_version FROM budget WHERE id = $1",
                budget_id,
            )
        assert row is not None, "a budget is never deleted"
        return BudgetMark(*row)

    async def snapshot(self, budget_id: int) -> Snapshot:
        async with self._connection("read") as connection, connection.transaction():
            # The lock comes first: a commit of the old epoch is either in the snapshot or fenced.
            row = await connection.fetchrow(RAISE_EPOCH, budget_id)
            assert row is not None, "a budget is never deleted"
            rounds = [
                RoundSnapshot(
                    round_id=each["id"],
                    status=each["status"],
                    opens_ms=milliseconds(each["opens_at"]),
                    closes_ms=milliseconds(each["closes_at"]),
                    remaining_fen=each["remaining_fen"],
                    entitled=await _tuples(connection, SNAPSHOT_ENTITLED, each["id"]),
                    winners=await _tuples(connection, SNAPSHOT_WINNERS, each["id"]),
                )
                for each in await connection.fetch(SNAPSHOT_ROUNDS, budget_id)
            ]
            quota_left = await _tuples(connection, SNAPSHOT_QUOTA, budget_id)
        return Snapshot(budget_id, row["epoch"], row["version"], quota_left, rounds)

    async def recorded(self, enterprise_id: int, grab_key: str) -> Recorded | None:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Recorded | None] = loop.create_future()
        self._questions.append((enterprise_id, grab_key, answer))
        if self._answering is None or self._answering.done():
            self._answering = loop.create_task(self._answer())
        return await answer

    async def _answer(self) -> None:
        """Answer the questions about decisions together: a crowd that asks again asks all at once."""
        while self._questions:
            group = [self._questions.popleft() for _ in range(min(QUESTIONS_AT_ONCE, len(self._questions)))]
            try:
                async with self._connection("read") as connection:
                    rows = await connection.fetch(
                        RECORDED, [question[0] for question in group], [question[1] for question in group]
                    )
            # Whatever it is, everybody in the group hears it, and the next group is asked.
            except Exception as fault:  # noqa: BLE001
                for _, _, answer in group:
                    if not answer.done():
                        answer.set_exception(fault)
                continue
            found = {
                (row[0], row[1]): Recorded(row[2], GrabOutcome(row[3]), row[4], row[5], row[6])
                for row in rows
            }
            for enterprise_id, grab_key, answer in group:
                if not answer.done():
                    answer.set_result(found.get((enterprise_id, grab_key)))

    async def voucher(self, voucher_id: int) -> VoucherFacts:
        async with self._connection("read") as connection:
            row = await connection.fetchrow(
                "SELECT id, number, face_value_fen, valid_until, order_deadline FROM voucher WHERE id = $1",
                voucher_id,
            )
        assert row is not None, "a voucher is never deleted"
        return VoucherFacts(*row)

    async def issued_fen(self, round_id: int) -> tuple[int, int]:
        async with self._connection("read") as connection:
            row = await connection.fetchrow("SELECT pool_fen, issued_fen FROM round WHERE id = $1", round_id)
        assert row is not None, "a round is never deleted"
        return row[0], row[1]

    async def close(self) -> None:
        """Close both connections."""
        for connection in self._connections.values():
            await connection.close()
        self._connections.clear()


class PostgresGrabTransaction:
    """The statements of one commit."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self.connection = connection

    async def lock(self, budget_id: int) -> BudgetMark:
        row = await self.connection.fetchrow(LOCK, budget_id)
        assert row is not None, "a budget is never deleted"
        return BudgetMark(*row)

    async def standing(self, budget_id: int, claims: Sequence[Claim]) -> Standing:
        rows = await self.connection.fetch(
            STANDING,
            budget_id,
            [claim.round_id for claim in claims],
            [claim.enterprise_id for claim in claims],
            [claim.grab_key for claim in claims],
        )
        return standing_of(rows)

    async def record(
        self, mark: BudgetMark, decisions: Sequence[Decision], now: datetime
    ) -> Mapping[tuple[int, int], VoucherFacts]:
        fresh = [one for one in decisions if not one.stored and one.outcome not in UNSTORED]
        if not fresh:
            return {}
        rows = await self.connection.fetch(
            RECORD,
            mark.budget_id,
            now,
            [one.claim.round_id for one in fresh],
            [one.claim.enterprise_id for one in fresh],
            [one.claim.person_id for one in fresh],
            [one.claim.grab_key for one in fresh],
            [one.claim.place for one in fresh],
            [one.outcome.value for one in fresh],
            [one.voucher_id for one in fresh],
            [one.claim.reserved_at for one in fresh],
            [one.tier for one in fresh],
            [one.amount_fen for one in fresh],
            [voucher_number(one.claim.round_id, one.number) for one in fresh],
            mark.programme_slug,
            mark.programme_version,
            mark.epoch,
        )
        return {(row[0], row[1]): VoucherFacts(*row[2:]) for row in rows}

    async def raise_version(self, budget_id: int) -> None:
        await self.connection.execute("UPDATE budget SET version = version + 1 WHERE id = $1", budget_id)


async def _tuples(
    connection: asyncpg.Connection[asyncpg.Record], query: str, *arguments: Any
) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in await connection.fetch(query, *arguments)]
