"""Ranking a great round: 200,000 applications ranked and issued to the budget, beside sorting the same rows.

The subject is the job's own verb, ``RankedRounds.rank``: one transaction that judges everybody's standing and
quota, ranks, writes the list and its SHA-256, and issues vouchers with ledger and journal. The reference is
PostgreSQL sorting the very same rows by the same keys and giving nothing out. Each pair of measurements is
made on a fresh copy of one database, and the median of the ratios counts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import cast

import asyncpg

from bench.ratios import INTERLEAVINGS, Finding
from server.clock import OffsetClock, SystemClock
from server.database import close_database, migrate, open_database
from server.models.applications import Ranking
from server.models.rounds import Round
from server.programme.registry import Programmes
from server.services.budgets import ledger
from server.services.clocks import ProgrammeClocks
from server.services.rounds.launch import LaunchDesk
from server.services.rounds.rounds import Rounds
from server.services.vouchers.ranked import RankedRounds
from server.services.working_days import WorkingDays
from tests.servers import PostgresServer, postgres_server

APPLICATIONS = 200_000
PROGRAMME = "guangzhou-2020"
CLOSED = datetime(2020, 6, 22, 10, 0, tzinfo=UTC)
SERVED = 10
"""The money covers one in so many of what is asked for."""
SORTS = 3
"""Sorts a measurement; the median counts."""

# Enterprises of every kind, a tenth in each of two groups that come first, some barred, some not approved.
ORGANISATIONS = """
INSERT INTO organisation (uscc, name, area, industry, legal_person, established_on, headcount, revenue_fen,
                          assets_fen, labels, labels_claimed, declarations, created_at, facts_changed_at)
SELECT 'U' || lpad(n::text, 17, '0'), '第' || n || '机械有限公司', 'a', 'C34', true, '2016-01-01', 42,
       1, 1, (CASE n % 10 WHEN 0 THEN '["sme_monitoring"]' WHEN 1 THEN '["srdi_or_little_giant"]'
              ELSE '[]' END)::jsonb, '[]', '{}', $1, $1
FROM generate_series(1, $2::int) n"""
QUALIFICATIONS = """
INSERT INTO qualification (organisation_id, party, programme_slug, programme_version, status, applied_at,
                           snapshot, unmet, reason)
SELECT id, 'enterprise', $2, '2020', CASE WHEN id % 100 = 7 THEN 'revoked' ELSE 'approved' END, $1,
       '{}', '[]', ''
FROM organisation"""
BANS = """
INSERT INTO blocklist_entry (uscc, programme_slug, clause, reason, starts_at, made_by, lift_reason, list_name)
SELECT uscc, $2, '一', '二', $1, 1, '', '' FROM organisation WHERE id % 1000 = 3"""
ASKED = """
INSERT INTO application (round_id, enterprise_id, status, amount_fen, arrived_at, place, ahead, person_id,
                         created_at, changed_at)
SELECT $2, id, 'standing', 100 * (1 + id * 7919 % 20000),
       $1::timestamptz - interval '1 day' + n * interval '0.4 s', n, labels <> '[]', 1, $1, $1
FROM (SELECT id, labels, row_number() OVER (ORDER BY md5(id::text)) AS n FROM organisation) o ORDER BY n"""
SORT = """
SELECT count(*) FROM (
    SELECT * FROM application WHERE round_id = $1 ORDER BY ahead DESC, arrived_at, place OFFSET 0) sorted"""


@dataclass(frozen=True, slots=True)
class Measured:
    """One pair, in seconds."""

    sort: float
    rank: float
    tell: float


async def measure() -> list[Finding]:
    """The ratio of ranking and issuing to sorting."""
    with postgres_server(durable=True) as postgres:
        print(f"ranking: seeding {APPLICATIONS:,} applications, money for one yuan in {SERVED}")
        await _seed(await postgres.create("ranking_seed"))
        runs = [await _pair(postgres, number) for number in range(INTERLEAVINGS)]
    for name in ("sort", "rank", "tell"):
        seconds = [getattr(run, name) for run in runs]
        print(f"  {name:6} {median(seconds):7.3f} s   ({min(seconds):.3f} to {max(seconds):.3f} s)")
    ratio = median(run.rank / run.sort for run in runs)
    title = f"ranking and issuing {APPLICATIONS:,} / sorting them"
    return [Finding(title, ratio, 30, 15, unit="×", lower_is_better=True)]


async def _seed(url: str) -> None:
    await migrate(url)
    programme = Programmes.load(Path("config/programmes")).get(PROGRAMME)
    connection = await asyncpg.connect(url)
    try:
        budget_id, round_id = 1, 1
        await connection.execute(
            "INSERT INTO budget (id, programme_slug, programme_version, year, total_fen, allotted_fen,"
            " committed_fen, returned_fen, issued_count, epoch, version, lock_number, created_at)"
            " VALUES ($1, $2, $3, 2020, 0, 0, 0, 0, 0, 1, 0, 0, $4)",
            budget_id,
            programme.slug,
            programme.version,
            CLOSED,
        )
        await connection.execute(
            "INSERT INTO round (id, budget_id, title, status, opens_at, closes_at, pool_fen, issued_fen,"
            " issued_count, valid_until, created_at, created_by)"
            " VALUES ($1, $2, 'bench', 'closed', $3, $4, 0, 0, 0, $5, $3, 1)",
            round_id,
            budget_id,
            CLOSED - timedelta(days=1),
            CLOSED,
            CLOSED + timedelta(days=120),
        )
        await connection.execute(ORGANISATIONS, CLOSED, APPLICATIONS)
        await connection.execute(QUALIFICATIONS, CLOSED, programme.slug)
        await connection.execute(BANS, CLOSED, programme.slug)
        await connection.execute(ASKED, CLOSED, round_id)
        pool_fen = await connection.fetchval("SELECT sum(amount_fen)::bigint FROM application") // SERVED
        await connection.execute("UPDATE budget SET total_fen = $1, allotted_fen = $1", pool_fen)
        await connection.execute("UPDATE round SET pool_fen = $1", pool_fen)
        for debit, credit, movement, of in (
            ("appropriation", "budget", "appropriate", None),
            ("budget", "round", "allot", round_id),
        ):
            await connection.execute(
                "INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                CLOSED,
                movement,
                debit,
                credit,
                pool_fen,
                budget_id,
                of,
            )
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _pair(postgres: PostgresServer, number: int) -> Measured:
    name = f"ranking_{number}"
    url = await postgres.create(name, template="ranking_seed")
    context = await open_database(url)
    try:
        sort = await _sorting(url)
        ranked = _ranked()
        started = time.perf_counter()
        made = await ranked.rank(1)
        rank = time.perf_counter() - started
        assert made is not None
        await Ranking.all().update(visible_at=CLOSED)
        started = time.perf_counter()
        await ranked.tell_due()
        tell = time.perf_counter() - started
        if number == 0:
            await _require_balanced(made)
    finally:
        await close_database(context)
        await postgres.drop(name)
    print(f"  sorted in {sort:.3f} s, ranked and issued in {rank:.3f} s, told in {tell:.3f} s")
    return Measured(sort, rank, tell)


async def _sorting(url: str) -> float:
    connection = await asyncpg.connect(url)
    try:
        seconds = []
        for _ in range(1 + SORTS):
            started = time.perf_counter()
            await connection.fetchval(SORT, 1)
            seconds.append(time.perf_counter() - started)
        return median(seconds[1:])
    finally:
        await connection.close()


def _ranked() -> RankedRounds:
    """The verbs as the job has them, on a day shortly after the round closed; nothing here is grabbed."""
    machine = SystemClock()
    offset = CLOSED + timedelta(seconds=5) - machine.now()
    clocks = ProgrammeClocks(OffsetClock(machine, offset))
    programmes = Programmes.load(Path("config/programmes"))
    rounds = Rounds(programmes, clocks, cast(LaunchDesk, None))
    return RankedRounds(rounds, WorkingDays(Path("config/holidays")))


async def _require_balanced(made: Ranking) -> None:
    """What was fast must also be right."""
    row = await Round.get(id=made.round_id)
    print(
        f"  {made.ranked_count:,} ranked, {made.excluded_count:,} excluded, {made.awarded_count:,} vouchers,"
        f" {made.awarded_fen:,} of {made.pool_fen:,} fen"
    )
    faults = await ledger.verify()
    if faults or row.issued_fen != made.pool_fen:
        raise RuntimeError(f"the books do not balance after the ranking: {faults[:3]}")
