"""Eligibility, measured: everything that stands between an enterprise and a programme, in key reads.

The unit is what the house pays for reading one row by its primary key. Both are asked in this process,
on a real PostgreSQL, by turns (``bench/turns.py``), for enterprises drawn from the same crowd: with labels
on lists and papers, claims, forms that were filled in, and bans here and there.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

from bench.ratios import Finding, is_restless, steady
from bench.stage import settle
from bench.turns import (
    Figure,
    Slice,
    Turns,
    cpu_us,
    in_turns,
    p50_ms,
    per_cpu_second,
    per_second,
    settle_garbage,
)
from server.clock import FixedClock
from server.database import close_database, migrate, open_database
from server.models.labels import AttestedLabel, LabelSource
from server.models.organisations import BlocklistEntry, Organisation
from server.models.registrations import Registration
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.programme.size_classes import load_size_standard
from server.programme.vocabulary import Party
from server.services.access import Actor
from server.services.admissions.qualifications import Qualifications
from server.services.clocks import ProgrammeClocks
from tests.servers import postgres_server

PROGRAMME = "lishui-2024"
CONFIG = Path("config")
CROWD = 5_000
READS, ASKED, WARM_UP = 200, 100, 500
FLOOR, GOAL = 3.0, 2.5
TODAY = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
SEED = 1

One = Callable[[int], Awaitable[object]]


async def measure() -> list[Finding]:
    """The cost of one enterprise's eligibility, in primary-key reads."""
    with postgres_server() as postgres:
        url = await postgres.create("bench_eligibility")
        await migrate(url)
        opened = await open_database(url)
        try:
            print(f"eligibility: {CROWD} enterprises; server and database share the machine's cores")
            programmes = Programmes.load(CONFIG / "programmes")
            ids = await _crowd(programmes.get(PROGRAMME))
            await settle(url)
            settle_garbage()
            found = await steady(lambda: _run(programmes, ids), lambda run: run.reference(per_second))
        finally:
            await close_database(opened)
    run = found.run
    for series in (run.reference(per_second), run.subject(per_second)):
        print(f"  {series.line()}")
    return [_finding("CPU", run, cpu_us, per_cpu_second), _finding("time", run, p50_ms, per_second)]


def _finding(what: str, run: Turns, figure: Figure, rate: Figure) -> Finding:
    """The cost by one figure, void if it was the reference's by this very figure that did not keep still."""
    title = f"eligibility, every clause / primary-key read, {what}"
    low, high = run.quartiles(figure)
    pairs = sum(map(len, run.blocks))
    print(f"  {what}: {pairs} pairs of slices, the middle half of them between {low:.3f}x and {high:.3f}x")
    is_void = is_restless(run.reference(rate))
    return Finding(title, run.ratio(figure), FLOOR, GOAL, "x", lower_is_better=True, is_void=is_void)


async def _run(programmes: Programmes, ids: list[int]) -> Turns:
    clocks = ProgrammeClocks(FixedClock(TODAY))
    nobody: Any = None
    sizes = load_size_standard(CONFIG / "size-classes.toml")
    qualifications = Qualifications(programmes, sizes, clocks, rounds=nobody, reviews=nobody)

    async def read(organisation_id: int) -> object:
        return await Organisation.get(id=organisation_id)

    async def ask(organisation_id: int) -> object:
        actor = Actor("person", 1, "", organisation_id, frozenset())
        return await qualifications.eligibility(PROGRAMME, Party.ENTERPRISE, actor=actor)

    drawn = _drawn(ids)
    for one in (read, ask):
        await _slice(one, WARM_UP, drawn)
    blocks = await in_turns(partial(_slice, read, READS, drawn), partial(_slice, ask, ASKED, drawn))
    return Turns(("primary-key read", "eligibility"), blocks)


async def _slice(one: One, times: int, drawn: Iterator[int]) -> Slice:
    latencies = []
    cpu_seconds = time.process_time()
    for organisation_id in islice(drawn, times):
        started = time.perf_counter()
        await one(organisation_id)
        latencies.append((time.perf_counter() - started) * 1e3)
    return Slice(latencies, time.process_time() - cpu_seconds)


def _drawn(ids: list[int]) -> Iterator[int]:
    random = Random(SEED)
    while True:
        yield random.choice(ids)


async def _crowd(programme: Programme) -> list[int]:
    """Small manufacturers that claim every label of the programme, have one on a list and one on paper."""
    labels = [label.code for label in programme.labels if label.of is Party.ENTERPRISE]
    declared = {one.fact: one.expected for one in programme.enterprise_conditions if one.fact}
    usccs = [f"BENCH{number:013d}" for number in range(CROWD)]
    await Organisation.bulk_create(
        [
            Organisation(
                uscc=uscc,
                name="bench",
                area=programme.areas[0],
                industry="C3484",
                legal_person=True,
                established_on=date(2016, 3, 18),
                headcount=42,
                revenue_fen=1_000_000_000,
                assets_fen=800_000_000,
                labels=labels[:2],
                labels_claimed=labels,
                created_at=TODAY,
                facts_changed_at=TODAY,
            )
            for uscc in usccs
        ],
        batch_size=500,
    )
    ids = [one.id for one in await Organisation.all().only("id").order_by("id")]
    await Registration.bulk_create(
        [
            Registration(
                organisation_id=one,
                party=Party.ENTERPRISE,
                programme_slug=programme.slug,
                values=declared,
                saved_by=1,
                created_at=TODAY,
                saved_at=TODAY,
            )
            for one in ids
        ],
        batch_size=500,
    )
    await AttestedLabel.bulk_create(
        [
            AttestedLabel(
                uscc=uscc, code=code, source=source, list_name=source, attested_by=1, attested_at=TODAY
            )
            for uscc in usccs
            for code, source in zip(labels[:2], LabelSource, strict=True)
        ],
        batch_size=500,
    )
    await BlocklistEntry.bulk_create(
        [
            BlocklistEntry(
                uscc=uscc,
                programme_slug=programme.slug,
                clause="1",
                reason="bench",
                starts_at=TODAY,
                made_by=1,
            )
            for uscc in usccs[::10]
        ],
        batch_size=500,
    )
    return ids
