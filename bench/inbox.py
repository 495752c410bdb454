"""The reviewers' inbox at a million cases against a thousand: the CPU a request costs, with all counts.

Counted is what the server's process and PostgreSQL's processes for its database use together, so nothing
is gained by leaving the work to the database. Requests go round the lists of one operator who works on
every programme; each answer has a page of fifty and the counts of four lists.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter

import aiohttp
import asyncpg

from bench.ratios import INTERLEAVINGS, Finding, Sample, Series, steady
from bench.seed import running
from bench.stage import TICKS, Server, Stage, a_stage
from server import keys
from server.database import migrate
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.services.access import StaffRole
from server.services.review_cases import copy_of
from server.services.staff import create_staff

FEW, MANY = 1_000, 1_000_000
REQUESTS = 200
WARM_UP = 320
"""Enough for PostgreSQL to settle on a plan for each statement on every connection."""
AT_ONCE = 4
LISTS = ("mine", "team", "soon", "late")
SEARCH = "reviews?queue=team&search=第777号"

CASES = """
INSERT INTO review_case (subject, subject_id, programme_slug, programme_version, organisation_name, uscc,
    area, title, chain, circumstances, status, place, step_name, turn, turn_since, claimed_by, claimed_at,
    due_at, due_provisional, rank_ms, version, opened_at, opened_by, closed_at)
SELECT 'offering', n, slugs[1 + n % cardinality(slugs)], '1', '第' || n || '号精密机械有限公司',
    'BENCH' || lpad(n::text, 13, '0'), '', '诊断服务', $2::jsonb, '[]'::jsonb,
    CASE WHEN kind < 6 THEN 'open' ELSE 'passed' END, CASE WHEN kind < 6 THEN 0 END, '初核',
    CASE WHEN kind < 5 THEN 'operator' WHEN kind = 5 THEN 'authority' END,
    began, CASE WHEN kind = 0 THEN 1 END, CASE WHEN kind = 0 THEN began END,
    due, false, coalesce((extract(epoch FROM due) * 1000)::bigint, 9007199254740991), 1, began, 'person:1',
    CASE WHEN kind > 5 THEN began END
FROM generate_series(1, $1) n,
    LATERAL (SELECT n % 10 AS kind, $3::timestamptz - make_interval(days => n % 90) AS began) one,
    LATERAL (SELECT $3::timestamptz + make_interval(hours => CASE kind
        WHEN 1 THEN 4 + n % 64 WHEN 2 THEN -1 - n % 500 END) AS due) another,
    (SELECT $4::text[] AS slugs) known"""
"""Of ten, one is the operator's own, one is due soon, one late, two wait, one is another's; four are over.

So every list has more than a page in either database, and what is compared is its size alone.
"""


@dataclass(frozen=True, slots=True)
class Run:
    """The same requests to both servers, as requests for a second of CPU."""

    few: Series
    many: Series


@dataclass(frozen=True, slots=True)
class Inbox:
    """A server on a database with so many cases, and the token of its operator."""

    cases: int
    server: Server
    token: str


async def measure() -> list[Finding]:
    """The one ratio of the inbox; that of a search by name is printed beside it."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        # Every programme lives in the present, as in production: deadlines lie around it.
        stage.environment["QIQUAN_DEMO_CLOCKS"] = "false"
        few = await stack.enter_async_context(_inbox(stage, FEW, 0))
        many = await stack.enter_async_context(_inbox(stage, MANY, 1))
        found = await steady(lambda: _run(few, many), lambda run: run.few)
        for series in (found.run.few, found.run.many):
            print("  " + _line(series))
        searches = [await _sample(inbox, [SEARCH]) for inbox in (few, many)]
        print(
            f"  a search by part of a name: {searches[0].cpu_us / 1000:.1f} ms of CPU,"
            f" {searches[1].cpu_us / 1000:.1f} ms at {MANY:,}"
        )
    ratio = found.run.few.per_second / found.run.many.per_second
    title = f"inbox with counts at {MANY:,} cases / at {FEW:,}"
    return [Finding(title, ratio, 2.0, 1.3, unit="×", lower_is_better=True, is_void=found.is_void)]


def _line(series: Series) -> str:
    cpu_ms = [sample.cpu_us / 1000 for sample in series.samples]
    p50 = sorted(sample.p50_ms for sample in series.samples)[len(series.samples) // 2]
    return f"{series.name:20} {min(cpu_ms):.2f} to {max(cpu_ms):.2f} ms of CPU a request   p50 {p50:.1f} ms"


async def _run(few: Inbox, many: Inbox) -> Run:
    requests = [f"reviews?queue={name}" for name in LISTS]
    samples: dict[int, list[Sample]] = {FEW: [], MANY: []}
    for _ in range(INTERLEAVINGS):
        for inbox in (few, many):
            samples[inbox.cases].append(await _sample(inbox, requests))
    return Run(*(Series(f"{cases:,} cases", samples[cases]) for cases in (FEW, MANY)))


async def _sample(inbox: Inbox, addresses: Sequence[str]) -> Sample:
    """One measurement: latencies as a client sees them, CPU of the server and of its database."""
    before = await _cpu_seconds(inbox.server)
    latencies = await _ask(inbox, list(islice(cycle(addresses), REQUESTS)))
    cpu_us = (await _cpu_seconds(inbox.server) - before) / REQUESTS * 1e6
    latencies.sort()
    return Sample(
        per_second=1e6 / cpu_us,
        p50_ms=latencies[len(latencies) // 2] * 1000,
        p99_ms=latencies[len(latencies) * 99 // 100] * 1000,
        slowest_ms=latencies[-1] * 1000,
        cpu_us=cpu_us,
    )


async def _ask(inbox: Inbox, addresses: list[str]) -> list[float]:
    """Ask for each of these, a few at once; seconds each took. Every answer must be a page."""
    waiting = iter(addresses)
    latencies: list[float] = []
    headers = {"Authorization": f"Bearer {inbox.token}"}
    base = f"http://127.0.0.1:{inbox.server.port}/api/v1/"

    async with aiohttp.ClientSession(headers=headers, raise_for_status=True) as http:

        async def asker() -> None:
            for address in waiting:
                began = perf_counter()
                async with http.get(base + address) as answer:
                    assert (await answer.json())["counts"], "an inbox has counts"
                latencies.append(perf_counter() - began)

        await asyncio.gather(*(asker() for _ in range(AT_ONCE)))
    return latencies


async def _cpu_seconds(server: Server) -> float:
    """What the server and PostgreSQL's processes for its database have used, from /proc."""
    connection = await asyncpg.connect(server.database_url)
    try:
        rows = await connection.fetch(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await connection.close()
    return server.cpu_seconds() + sum(_of_process(row["pid"]) for row in rows)


def _of_process(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


@asynccontextmanager
async def _inbox(stage: Stage, cases: int, redis: int) -> AsyncIterator[Inbox]:
    url = await stage.postgres.create(f"bench_inbox_{cases}")
    await migrate(url)
    settings = stage.settings(url)
    async with running(settings) as app:
        now = app[keys.CLOCK].now()
        staff = await create_staff("bench-operator", "Never-in-production-1", [StaffRole.OPERATOR.value], now)
        programmes: Programmes = app[keys.PROGRAMMES]
        token = (await app[keys.SESSIONS].start(staff, now=now)).access_token
    print(f"inbox: writing {cases:,} cases")
    await _write_cases(url, cases, programmes)
    async with stage.serving(f"inbox-{cases}", ["-m", "server", "serve"], url, redis) as server:
        inbox = Inbox(cases, server, token)
        await _ask(inbox, [f"reviews?queue={name}" for name in islice(cycle(LISTS), WARM_UP)])
        yield inbox


async def _write_cases(url: str, cases: int, programmes: Programmes) -> None:
    """Fill the table as years of work would, its indexes built at the end."""
    programme = next(one for one in programmes if one.review(ReviewSubject.OFFERING))
    chain = programme.review(ReviewSubject.OFFERING)
    assert chain is not None, "chosen for it"
    connection = await asyncpg.connect(url)
    try:
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'review_case' AND indexname NOT LIKE '%_pkey'"
        )
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        now = await connection.fetchval("SELECT now()")
        slugs = [one.slug for one in programmes]
        copied = json.dumps(copy_of(programme, chain), ensure_ascii=False)
        await connection.execute(CASES, cases, copied, now, slugs)
        for index in indexes:
            await connection.execute(index["indexdef"])
        await connection.execute("VACUUM ANALYZE review_case")
    finally:
        await connection.close()
    os.sync()
