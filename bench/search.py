"""The marketplace's search at 100,000 offerings against 1,000: the CPU a request costs, and its time.

Counted is what the server's process and PostgreSQL's processes for its database use together. Requests go
round what people type: frequent words and rare ones, a word in the middle of another, pinyin and initials,
another word for a category, filters and every order; each answer is a first page with its arithmetic. Both
marketplaces stand side by side and are asked by turns (``bench/turns.py``). In the same run the first page
is held against reading one row by its primary key, through the same ORM on the same database.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count, cycle, islice
from random import Random
from urllib.parse import quote

import aiohttp
import asyncpg

from bench.asking import Asked, line
from bench.ratios import Finding, is_restless, steady
from bench.seed import running
from bench.shelves import PROVIDERS, TEXTS, Goods, fill, texts
from bench.stage import Stage, a_stage, settle
from bench.turns import Slice, Turns, cpu_us, in_turns, p50_ms, per_cpu_second, per_second, settle_garbage
from server import keys
from server.database import close_database, migrate, open_database
from server.models.marketplace import Listing
from server.programme.registry import Programmes
from server.services.access import Actor
from server.services.budgets import budgets
from server.units import yuan_to_fen

FEW, MANY = 1_000, 100_000
REQUESTS, READS = 44, 300
"""So many in a slice: a tenth or two of a second of CPU."""
WARM_UP = 220
TYPED = (
    "检测",
    "服务",
    "专利",
    "代理记账",
    "理记",
    "数字化",
    "汇算清缴",
    "软件定制开发",
    "外贸 商标",
    "jcjy",
    "zscq",
    "zhuanli",
    "审计",
    "记账报税",
    "猎头",
    "食堂",
)
CHOSEN = (
    "sort=relevance",
    "sort=sales",
    "sort=price&programme=lishui-2024",
    "sort=newest&category=legal_protection_services",
    "sort=rating&rating_from_bp=8000",
    f"q={quote('咨询')}&price_to_fen=500000000&sort=price",
)
REQUESTED = tuple(
    f"marketplace/offerings?{query}" for query in (*(f"q={quote(word)}" for word in TYPED), *CHOSEN)
)
FLOOR, GOAL = 2.0, 1.3
PAGE_FLOOR, PAGE_GOAL = 30.0, 15.0
SEED = 1

SOLD = """
INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, enterprise_id, order_id,
    provider_id, category)
SELECT now(), 'hold', 'available', 'held', 100000, $1, n, n, 1 + n % $2::int, $3
FROM generate_series(1, 2000) n"""
"""Orders of the year, as many in either marketplace: what providers and categories have taken is a sum."""


async def measure() -> list[Finding]:
    """The ratio of the two sizes, and the first page in primary-key reads."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        stage.environment["QIQUAN_DEMO_CLOCKS"] = "false"
        # The rows have no sources here, and the daily check would take them away.
        stage.environment["QIQUAN_RUN_JOBS"] = "false"
        goods: list[Goods] = []
        few = await stack.enter_async_context(_marketplace(stage, goods, FEW, 0))
        many = await stack.enter_async_context(_marketplace(stage, goods, MANY, 1))
        settle_garbage()
        sizes = await steady(lambda: _sizes(few, many), lambda run: run.reference(per_cpu_second))
        opened = await open_database(many.server.database_url)
        try:
            pages = await steady(lambda: _pages(many), lambda run: run.reference(per_second))
        finally:
            await close_database(opened)
    for series in (sizes.run.reference(per_cpu_second), sizes.run.subject(per_cpu_second)):
        print("  " + line(series))
    for series in (pages.run.reference(per_second), pages.run.subject(per_second)):
        print(f"  {series.line()}")
    size = Finding(
        f"search over {MANY:,} offerings / over {FEW:,}",
        sizes.run.ratio(cpu_us),
        FLOOR,
        GOAL,
        unit="×",
        lower_is_better=True,
        is_void=sizes.is_void,
    )
    page = Finding(
        f"first page of {MANY:,} / primary-key read, time",
        pages.run.ratio(p50_ms),
        PAGE_FLOOR,
        PAGE_GOAL,
        unit="×",
        lower_is_better=True,
        is_void=is_restless(pages.run.reference(per_second)),
    )
    for title, run, figure in (("sizes", sizes.run, cpu_us), ("first page", pages.run, p50_ms)):
        low, high = run.quartiles(figure)
        pairs = sum(map(len, run.blocks))
        print(f"  {title}: {pairs} pairs of slices, the middle half between {low:.3f}× and {high:.3f}×")
    return [size, page]


async def _sizes(few: Asked, many: Asked) -> Turns:
    for place in (few, many):
        await place.ask(list(islice(cycle(REQUESTED), WARM_UP)))
    blocks = await in_turns(partial(few.slice, REQUESTED, REQUESTS), partial(many.slice, REQUESTED, REQUESTS))
    return Turns((f"{few.size:,} offerings", f"{many.size:,} offerings"), blocks)


async def _pages(many: Asked) -> Turns:
    drawn = _drawn(many.size)
    await _reads(drawn)
    # One after another: nobody waits for anybody else's.
    pages = partial(many.slice, REQUESTED, len(REQUESTED), at_once=1)
    await pages()
    blocks = await in_turns(partial(_reads, drawn), pages)
    return Turns(("primary-key read", "first page"), blocks)


async def _reads(drawn: Iterator[int]) -> Slice:
    latencies = []
    cpu_seconds = time.process_time()
    for offering_id in islice(drawn, READS):
        began = time.perf_counter()
        await Listing.get(offering_id=offering_id)
        latencies.append((time.perf_counter() - began) * 1e3)
    return Slice(latencies, time.process_time() - cpu_seconds)


def _drawn(cases: int) -> Iterator[int]:
    random = Random(SEED)
    return (random.randint(1, cases) for _ in count())


@asynccontextmanager
async def _marketplace(stage: Stage, goods: list[Goods], size: int, redis: int) -> AsyncIterator[Asked]:
    url = await stage.postgres.create(f"bench_search_{size}")
    await migrate(url)
    began = time.perf_counter()
    async with running(stage.settings(url)) as app:
        programmes: Programmes = app[keys.PROGRAMMES]
        if not goods:
            goods += texts(programmes, TEXTS)
        years = []
        for programme in programmes:
            now = app[keys.CLOCKS].now(programme.slug)
            actor = Actor("staff", 1, "", None, frozenset({"operator"}))
            total_fen = yuan_to_fen(1_000_000_000)
            budget = await budgets.open_year(
                programme, programme.year_of(now), total_fen, actor=actor, now=now
            )
            years.append((budget.id, PROVIDERS, programme.categories[0].code))
    await fill(url, goods, size)
    onlooker = await asyncpg.connect(url)
    await onlooker.executemany(SOLD, years)
    await settle(url)
    print(f"search: wrote {size:,} offerings in {time.perf_counter() - began:.1f} s")
    try:
        async with (
            stage.serving(f"search-{size}", ["-m", "server", "serve"], url, redis) as server,
            aiohttp.ClientSession(f"http://127.0.0.1:{server.port}", raise_for_status=True) as http,
        ):
            yield Asked(size, "offerings", server, http, onlooker)
    finally:
        await onlooker.close()
