"""The launch, measured: durable grants, the plain way, sold-out refusals, and the first second.

Everybody's token has been seen before the measurement, as it has in a launch: the phone asked whether
it is ready, or knocked too early. Two cores carry the server, the client, PostgreSQL and Redis.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import count
from statistics import median

from bench.client import Plan
from bench.ratios import INTERLEAVINGS, Finding, Sample, Series, Steady, steady
from bench.seed import FACE_VALUE_FEN
from bench.stage import Server, Stage, a_stage

CONNECTIONS = 512
"""Requests under way at once, the same for everybody: in a launch hundreds wait at any instant."""
GRANTS = 4_000
PLAIN_GRANTS = 800
REFUSALS = 16_000
BARE = 20_000
WARM_UP = 400
PHONES, VOUCHERS, RUSHES = 5_000, 300, 5
PEOPLE = WARM_UP + INTERLEAVINGS * GRANTS
HEAD_MARGIN = 160
"""About what aiohttp's own head takes; the bare body is the rest of the subject's answer."""

CONNECTING_SECONDS = 12.0
"""Time for the round to be published and for every phone to connect."""

LAST_COMMIT = """
SELECT extract(epoch FROM max(pg_xact_commit_timestamp(xmin)))::float8 FROM voucher WHERE round_id = $1"""
"""When the last voucher of a round was committed, by the database's own clock, Unix seconds."""

_seeds = count(1)


@dataclass(frozen=True, slots=True)
class GrantRun:
    """Grants beside the bare handler and the plain way."""

    bare: Series
    grants: Series
    plain: Series


@dataclass(frozen=True, slots=True)
class RefusalRun:
    """Refusals beside the bare handler."""

    bare: Series
    refusals: Series


async def measure() -> list[Finding]:
    """The four ratios of the launch."""
    async with a_stage() as stage:
        print(f"launch: seeding {PEOPLE} enterprises; client, database and Redis share the machine's cores")
        await stage.prepare(people=PEOPLE, pools={"grants": PEOPLE, "sold out": 1, "not yet": 0})
        grants = await steady(lambda: _grants(stage), lambda run: run.bare)
        for series in (grants.run.bare, grants.run.grants, grants.run.plain):
            print("  " + series.line())
        refusals = await steady(lambda: _refusals(stage), lambda run: run.bare)
        for series in (refusals.run.bare, refusals.run.refusals):
            print("  " + series.line())
        rush = await _rushes(stage)
    return [*_of_grants(grants), _of_refusals(refusals), rush]


def _of_grants(grants: Steady[GrantRun]) -> list[Finding]:
    run, is_void = grants.run, grants.is_void
    return [
        Finding(
            "durable grants / bare handler",
            run.grants.per_second / run.bare.per_second,
            0.3,
            0.5,
            is_void=is_void,
        ),
        Finding(
            "durable grants / plain way",
            run.grants.per_second / run.plain.per_second,
            8,
            20,
            unit="×",
            is_void=is_void,
        ),
    ]


def _of_refusals(refusals: Steady[RefusalRun]) -> Finding:
    run = refusals.run
    ratio = run.refusals.per_second / run.bare.per_second
    return Finding("sold-out refusals / bare handler", ratio, 0.6, 0.9, is_void=refusals.is_void)


def _plan(stage: Stage, server: Server, name: str, *, first: int, requests: int) -> Plan:
    return Plan(
        port=server.port,
        round_id=stage.scene.rounds[name],
        tokens=str(stage.tokens),
        first=first,
        count=requests,
        connections=CONNECTIONS,
        seed=next(_seeds),
    )


async def _answer_bytes(stage: Stage, plan: Plan) -> int:
    """How long an answer to this plan is; warms the server up by the way."""
    outcome = await stage.ask(plan)
    return max(outcome.answer_bytes.values())


async def _grants(stage: Stage) -> GrantRun:
    async with stage.product() as product, stage.plain() as plain:
        await stage.ask(_plan(stage, product, "not yet", first=0, requests=PEOPLE))
        await stage.ask(
            _plan(stage, plain, "not yet", first=0, requests=WARM_UP + INTERLEAVINGS * PLAIN_GRANTS)
        )
        size = await _answer_bytes(stage, _plan(stage, product, "grants", first=0, requests=WARM_UP))
        await stage.ask(_plan(stage, plain, "grants", first=0, requests=WARM_UP))
        await stage.past_first_jobs(product, plain)
        async with stage.bare(size - HEAD_MARGIN) as bare:
            await stage.ask(_plan(stage, bare, "grants", first=0, requests=BARE))
            samples: dict[str, list[Sample]] = {"bare": [], "grants": [], "plain": []}
            for number in range(INTERLEAVINGS):
                first = WARM_UP + number * GRANTS
                plan = _plan(stage, bare, "grants", first=0, requests=BARE)
                samples["bare"].append(await stage.sample(bare, plan, expected=200))
                plan = _plan(stage, product, "grants", first=first, requests=GRANTS)
                samples["grants"].append(await stage.sample(product, plan, expected=201))
                plan = _plan(
                    stage, plain, "grants", first=WARM_UP + number * PLAIN_GRANTS, requests=PLAIN_GRANTS
                )
                samples["plain"].append(await stage.sample(plain, plan, expected=201))
    return GrantRun(
        Series("bare handler", samples["bare"]),
        Series("durable grants", samples["grants"]),
        Series("plain way", samples["plain"]),
    )


async def _refusals(stage: Stage) -> RefusalRun:
    async with stage.product() as product:
        # The one voucher goes to the first of them; everybody else learns that it is gone.
        await stage.sample(product, _plan(stage, product, "sold out", first=0, requests=1), expected=201)
        sold_out = _plan(stage, product, "sold out", first=1, requests=PEOPLE - 1)
        size = await _answer_bytes(stage, sold_out)
        await stage.past_first_jobs(product)
        async with stage.bare(size - HEAD_MARGIN) as bare:
            await stage.ask(_plan(stage, bare, "sold out", first=0, requests=BARE))
            bare_samples, samples = [], []
            for number in range(INTERLEAVINGS):
                plan = _plan(stage, bare, "sold out", first=0, requests=BARE)
                bare_samples.append(await stage.sample(bare, plan, expected=200))
                first = 1 + number * 977 % (PEOPLE - REFUSALS - 1)
                plan = replace(sold_out, first=first, count=REFUSALS, seed=next(_seeds))
                samples.append(await stage.sample(product, plan, expected=409))
    return RefusalRun(Series("bare handler", bare_samples), Series("sold-out refusals", samples))


async def _rushes(stage: Stage) -> Finding:
    async with stage.product() as product:
        await stage.ask(_plan(stage, product, "not yet", first=0, requests=PEOPLE))
        seconds = [await _rush(stage, product, number) for number in range(RUSHES)]
    title = f"{PHONES:,} phones, {VOUCHERS} vouchers: last one committed"
    return Finding(title, median(seconds), 2.0, 1.0, unit=" s", lower_is_better=True)


async def _rush(stage: Stage, product: Server, number: int) -> float:
    """One opening; seconds until the last voucher was committed, infinite if not all of them were."""
    pool_fen = VOUCHERS * FACE_VALUE_FEN
    round_id, opens_at = await stage.new_round(product, opens_in=CONNECTING_SECONDS, pool_fen=pool_fen)
    plan = _plan(stage, product, "grants", first=number * PHONES // 2 % (PEOPLE - PHONES), requests=PHONES)
    outcome = await stage.ask(replace(plan, round_id=round_id, opens_at=opens_at))
    granted = await stage.query(product, "SELECT count(*) FROM voucher WHERE round_id = $1", round_id)
    committed = await stage.query(product, LAST_COMMIT, round_id) - opens_at
    told = outcome.last_grant_seconds
    print(
        f"  rush {number + 1}: {granted} granted; the last committed {committed:.3f} s, told {told:.3f} s"
        f" after the opening; all answered {outcome.seconds:.3f} s after it\n"
        f"          p50 {outcome.share_ms(0.5):.1f} ms, p99 {outcome.share_ms(0.99):.1f} ms,"
        f" slowest {max(outcome.latencies_ms):.1f} ms; statuses {outcome.statuses}"
    )
    return committed if granted == VOUCHERS else float("inf")
