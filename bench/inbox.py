"""The reviewers' inbox at a million cases against a thousand: the CPU a request costs, with all counts.

Counted is what the server's process and PostgreSQL's processes for its database use together, so nothing
is gained by leaving the work to the database. Requests go round the lists of one operator who works on
every programme; each answer has a page of fifty and the counts of four lists. Both databases stand side by
side and are asked by turns (``bench/turns.py``).
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from time import perf_counter

import aiohttp
import asyncpg

from bench.asking import Asked, line
from bench.ratios import Finding, steady
from bench.seed import running
from bench.stage import Stage, a_stage, settle
from bench.turns import Turns, cpu_us, in_turns, per_cpu_second, settle_garbage
from server import keys
from server.database import migrate
from server.programme.registry import Programmes
from server.programme.review import ReviewSubject
from server.services.access import StaffRole
from server.services.accounts.staff import create_staff
from server.services.reviews.review_cases import copy_of

FEW, MANY = 1_000, 1_000_000
REQUESTS = 40
"""So many in a slice: a tenth of a second of CPU."""
SLICES = 5
"""So many of each narrowed list, and of a search."""
NARROWED_FLOOR, NARROWED_GOAL = 6.0, 2.0
"""Of a narrowed list, times. Wider than for the whole inbox: of a thousand cases it counts the few there are,
of a million a thousand in each queue, and looks at five to find one."""
WARM_UP_LIST = 80
WARM_UP = 320
"""Enough for PostgreSQL to settle on a plan for each statement on every connection."""
WORK_MEMORY = "512MB"
"""So that an index of a million names is built in one go, by two workers."""
LISTS = ("mine", "team", "soon", "late")
SEARCH = "reviews?queue=team&search=第777号"

CASES = """
INSERT INTO review_case (subject, subject_id, programme_slug, programme_version, organisation_name, uscc,
    area, title, chain, circumstances, status, place, step_name, turn, turn_since, claimed_by, claimed_at,
    due_at, due_provisional, rank_ms, flagged, version, opened_at, opened_by, closed_at)
SELECT 'offering', n, slugs[1 + n % cardinality(slugs)], '1', '第' || n || '号精密机械有限公司',
    'BENCH' || lpad(n::text, 13, '0'), '', '诊断服务', $2::jsonb, '[]'::jsonb,
    CASE WHEN kind < 6 THEN 'open' ELSE 'passed' END, CASE WHEN kind < 6 THEN 0 END, '初核',
    CASE WHEN kind < 5 THEN 'operator' WHEN kind = 5 THEN 'authority' END,
    began, CASE WHEN kind = 0 THEN 1 END, CASE WHEN kind = 0 THEN began END,
    due, false, coalesce((extract(epoch FROM due) * 1000)::bigint, 9007199254740991), false, 1, began,
    'person:1',
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
class Filling:
    """What fills an inbox: cases of one subject, by a statement of its own, and what is asked beside."""

    name: str
    subject: ReviewSubject
    cases: str
    narrowed: Mapping[str, str]
    """What lists with a ratio of their own are narrowed by, and what is asked for them."""
    beside: Mapping[str, str]
    """What the figures printed beside the ratio are called, and what is asked for them."""


OFFERINGS = Filling("inbox", ReviewSubject.OFFERING, CASES, {}, {"a search by part of a name": SEARCH})


async def measure() -> list[Finding]:
    """The one ratio of the inbox; that of a search by name is printed beside it."""
    return await compare(OFFERINGS)


async def compare(filling: Filling) -> list[Finding]:
    """The ratios of the lists with all their counts, full against nearly empty."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        # Every programme lives in the present, as in production: deadlines lie around it.
        stage.environment["QIQUAN_DEMO_CLOCKS"] = "false"
        few = await stack.enter_async_context(_inbox(stage, filling, FEW, 0))
        many = await stack.enter_async_context(_inbox(stage, filling, MANY, 1))
        settle_garbage()
        found = await steady(lambda: _run(few, many), lambda run: run.reference(per_cpu_second))
        narrowed, beside = [
            {name: [await _cheapest(one, what) for one in (few, many)] for name, what in asked.items()}
            for asked in (filling.narrowed, filling.beside)
        ]
    run = found.run
    for series in (run.reference(per_cpu_second), run.subject(per_cpu_second)):
        print("  " + line(series))
    low, high = run.quartiles(cpu_us)
    pairs = sum(map(len, run.blocks))
    print(f"  {pairs} pairs of slices, the middle half of them between {low:.3f}× and {high:.3f}×")
    for name, (little, much) in (narrowed | beside).items():
        print(f"  {name}: {little / 1000:.1f} ms of CPU, {much / 1000:.1f} ms at {MANY:,}")
    title = f"{filling.name} with counts at {MANY:,} cases / at {FEW:,}"
    judged = {title: (run.ratio(cpu_us), 2.0, 1.3)} | {
        f"{filling.name}: {name}": (much / little, NARROWED_FLOOR, NARROWED_GOAL)
        for name, (little, much) in narrowed.items()
    }
    return [
        Finding(name, ratio, floor, goal, unit="×", lower_is_better=True, is_void=found.is_void)
        for name, (ratio, floor, goal) in judged.items()
    ]


async def _cheapest(inbox: Asked, what: str) -> float:
    """The CPU of a request for one list, of the cheapest slice: nothing else ran beside it."""
    await inbox.ask([what] * WARM_UP_LIST)
    return min([cpu_us(await inbox.slice([what], REQUESTS)) for _ in range(SLICES)])


async def _run(few: Asked, many: Asked) -> Turns:
    requests = [f"reviews?queue={name}" for name in LISTS]
    for inbox in (few, many):
        await inbox.ask(list(islice(cycle(requests), WARM_UP)))
    blocks = await in_turns(partial(few.slice, requests, REQUESTS), partial(many.slice, requests, REQUESTS))
    names = f"{few.size:,} cases", f"{many.size:,} cases"
    return Turns(names, blocks)


@asynccontextmanager
async def _inbox(stage: Stage, filling: Filling, cases: int, redis: int) -> AsyncIterator[Asked]:
    url = await stage.postgres.create(f"bench_{filling.subject}_{cases}")
    await migrate(url)
    settings = stage.settings(url)
    async with running(settings) as app:
        now = app[keys.CLOCK].now()
        staff = await create_staff("bench-operator", "Never-in-production-1", [StaffRole.OPERATOR.value], now)
        programmes: Programmes = app[keys.PROGRAMMES]
        token = (await app[keys.SESSIONS].start(staff, now=now)).access_token
    began = perf_counter()
    await _write_cases(url, filling, cases, programmes)
    await settle(url)
    print(f"inbox: wrote {cases:,} cases in {perf_counter() - began:.1f} s")
    headers = {"Authorization": f"Bearer {token}"}
    onlooker = await asyncpg.connect(url)
    try:
        async with (
            stage.serving(f"{filling.subject}-{cases}", ["-m", "server", "serve"], url, redis) as server,
            aiohttp.ClientSession(
                f"http://127.0.0.1:{server.port}", headers=headers, raise_for_status=True
            ) as http,
        ):
            yield Asked(cases, "counts", server, http, onlooker)
    finally:
        await onlooker.close()


async def _write_cases(url: str, filling: Filling, cases: int, programmes: Programmes) -> None:
    """Fill the table as years of work would, its indexes built at the end."""
    programme = next(one for one in programmes if one.review(filling.subject))
    chain = programme.review(filling.subject)
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
        await connection.execute(filling.cases, cases, copied, now, slugs)
        await connection.execute(f"SET maintenance_work_mem = '{WORK_MEMORY}'")
        for index in indexes:
            await connection.execute(index["indexdef"])
    finally:
        await connection.close()
