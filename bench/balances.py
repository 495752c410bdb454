"""One enterprise's balance at ten million ledger entries against ten thousand: the CPU a request costs.

An enterprise asks for its vouchers with what is on each: the sums over its own entries, which are as many in
either ledger. Around them lie the entries of everybody else, and what is compared is their number alone.
Counted is what the server's process and PostgreSQL's processes for its database use together. Both databases
stand side by side and are asked by turns (``bench/turns.py``).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
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
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.people import Person
from server.models.rounds import Budget

FEW, MANY = 10_000, 10_000_000
REQUESTS = 40
"""So many in a slice: a tenth of a second of CPU."""
WARM_UP = 320
VOUCHERS, OF_ONE = 4, 40
"""The vouchers of one enterprise, and its entries: each was issued, and used three times in three steps."""
WORK_MEMORY = "512MB"
ADDRESS = "vouchers"
USCC = "91331100MA0000001H"

VOUCHER = """
INSERT INTO voucher (number, round_id, budget_id, enterprise_id, kind, basis, serial, tier, face_value_fen,
    given_back_fen, status, programme_slug, programme_version, granted_at, reserved_at, valid_until, epoch,
    place)
SELECT 'BENCH' || n, NULL, 1, $1, '', 'money', n, '', 1000000, 0, 'active', $2, '1', now(), now(),
    now() + interval '1 year', 0, ''
FROM generate_series(1, $3::int) n"""
ENTRIES = """
INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id, enterprise_id,
    voucher_id)
SELECT now(), moved[1], moved[2], moved[3], CASE WHEN step = 0 THEN 1000000 ELSE 100000 END,
    1, 1 + whose % 50, $2::bigint + whose, $3::bigint + whose * 4 + (n / 10) % 4
FROM generate_series(0, $1::bigint - 1) n,
    LATERAL (SELECT n % 10 AS step, n % greatest(1, $1::bigint / 40) AS whose) one,
    LATERAL (SELECT CASE
        WHEN step = 0 THEN ARRAY['issue', 'round', 'available']
        WHEN step % 3 = 1 THEN ARRAY['hold', 'available', 'held']
        WHEN step % 3 = 2 THEN ARRAY['redeem', 'held', 'redeemed']
        ELSE ARRAY['disburse', 'redeemed', 'disbursed'] END AS moved) two"""
OWN = """
INSERT INTO ledger_entry (at, movement, debit, credit, amount_fen, budget_id, round_id, enterprise_id,
    voucher_id)
SELECT now(), moved[1], moved[2], moved[3], CASE WHEN step = 0 THEN 1000000 ELSE 100000 END,
    1, NULL, $1::bigint, one.id
FROM (SELECT id FROM voucher WHERE enterprise_id = $1) one, generate_series(0, 9) step,
    LATERAL (SELECT CASE
        WHEN step = 0 THEN ARRAY['issue', 'round', 'available']
        WHEN step % 3 = 1 THEN ARRAY['hold', 'available', 'held']
        WHEN step % 3 = 2 THEN ARRAY['redeem', 'held', 'redeemed']
        ELSE ARRAY['disburse', 'redeemed', 'disbursed'] END AS moved) two"""
OTHERS = 1_000_000
"""Ids of everybody else begin here: nobody is the enterprise that asks."""


async def measure() -> list[Finding]:
    """The one ratio of the ledger."""
    async with AsyncExitStack() as stack:
        stage = await stack.enter_async_context(a_stage())
        few = await stack.enter_async_context(_ledger(stage, FEW, 0))
        many = await stack.enter_async_context(_ledger(stage, MANY, 1))
        settle_garbage()
        found = await steady(lambda: _run(few, many), lambda run: run.reference(per_cpu_second))
    run = found.run
    for series in (run.reference(per_cpu_second), run.subject(per_cpu_second)):
        print("  " + line(series))
    low, high = run.quartiles(cpu_us)
    print(f"  {sum(map(len, run.blocks))} pairs, the middle half of them between {low:.3f}× and {high:.3f}×")
    title = f"an enterprise's balance at {MANY:,} entries / at {FEW:,}"
    ratio = run.ratio(cpu_us)
    return [Finding(title, ratio, 1.5, 1.1, unit="×", lower_is_better=True, is_void=found.is_void)]


async def _run(few: Asked, many: Asked) -> Turns:
    for one in (few, many):
        await one.ask([ADDRESS] * WARM_UP)
    blocks = await in_turns(partial(few.slice, [ADDRESS], REQUESTS), partial(many.slice, [ADDRESS], REQUESTS))
    return Turns((f"{few.size:,} entries", f"{many.size:,} entries"), blocks)


@asynccontextmanager
async def _ledger(stage: Stage, entries: int, redis: int) -> AsyncIterator[Asked]:
    url = await stage.postgres.create(f"bench_balances_{entries}")
    await migrate(url)
    settings = stage.settings(url)
    async with running(settings) as app:
        now = app[keys.CLOCK].now()
        programme = next(iter(app[keys.PROGRAMMES]))
        person = await Person.create(account="openid-bench", created_at=now)
        organisation = await Organisation.create(
            uscc=USCC, name="晨光精密机械有限公司", area="", industry="C3484", legal_person=True,
            established_on=now.date(), headcount=1, revenue_fen=0, assets_fen=0, created_at=now,
            facts_changed_at=now,
        )  # fmt: skip
        await Membership.create(
            person=person, organisation=organisation, role=MemberRole.HANDLER, created_at=now
        )
        await Budget.create(
            id=1, programme_slug=programme.slug, programme_version=programme.version, year=now.year,
            total_fen=10**13, allotted_fen=0, created_at=now,
        )  # fmt: skip
        token = (await app[keys.SESSIONS].start(person, now=now)).access_token
    began = perf_counter()
    await _write(url, entries, organisation.id, programme.slug)
    await settle(url)
    print(f"ledger: wrote {entries:,} entries in {perf_counter() - began:.1f} s")
    headers = {"Authorization": f"Bearer {token}"}
    onlooker = await asyncpg.connect(url)
    try:
        async with (
            stage.serving(f"balances-{entries}", ["-m", "server", "serve"], url, redis) as server,
            aiohttp.ClientSession(
                f"http://127.0.0.1:{server.port}", headers=headers, raise_for_status=True
            ) as http,
        ):
            yield Asked(entries, "vouchers", server, http, onlooker)
    finally:
        await onlooker.close()


async def _write(url: str, entries: int, enterprise_id: int, slug: str) -> None:
    """Fill the ledger as years of launches would, its indexes built at the end."""
    connection = await asyncpg.connect(url)
    try:
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes"
            " WHERE tablename = 'ledger_entry' AND indexname NOT LIKE '%_pkey'"
        )
        for index in indexes:
            await connection.execute(f'DROP INDEX "{index["indexname"]}"')
        await connection.execute(VOUCHER, enterprise_id, slug, VOUCHERS)
        half = (entries - OF_ONE) // 2
        # The enterprise's own lie in the middle of everybody's.
        await connection.execute(ENTRIES, half, OTHERS, OTHERS, timeout=1200)
        await connection.execute(OWN, enterprise_id)
        await connection.execute(ENTRIES, entries - OF_ONE - half, 2 * OTHERS, 2 * OTHERS, timeout=1200)
        await connection.execute(f"SET maintenance_work_mem = '{WORK_MEMORY}'")
        for index in indexes:
            await connection.execute(index["indexdef"], timeout=1200)
    finally:
        await connection.close()
