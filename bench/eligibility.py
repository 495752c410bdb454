"""Eligibility, measured: everything that stands between an enterprise and a programme, in key reads.

The unit is what the house pays for reading one row by its primary key. Both are asked in this process,
on a real PostgreSQL, one after the other, for enterprises drawn from the same crowd: with labels on
lists and papers, claims, forms that were filled in, and bans here and there.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from bench.ratios import Finding, Sample, Series, Steady, steady
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
from server.services.clocks import ProgrammeClocks
from server.services.qualifications import Qualifications
from tests.servers import postgres_server

PROGRAMME = "lishui-2024"
CONFIG = Path("config")
CROWD = 5_000
INTERLEAVINGS, READS, ASKED, WARM_UP = 9, 400, 200, 100
FLOOR, GOAL = 3.0, 2.5
TODAY = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
SEED = 1

One = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Run:
    """Reads by key and questions of eligibility, in turns."""

    reads: Series
    asked: Series

    def ratio(self, figure: Callable[[Sample], float]) -> float:
        """What a question costs in reads: the median over the turns."""
        pairs = zip(self.asked.samples, self.reads.samples, strict=True)
        return median(figure(asked) / figure(read) for asked, read in pairs)


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
            found = await steady(lambda: _run(programmes, ids), lambda run: run.reads)
        finally:
            await close_database(opened)
    for series in (found.run.reads, found.run.asked):
        print(f"  {series.line()}")
    return [
        _finding("eligibility, every clause / primary-key read, CPU", found, lambda one: one.cpu_us),
        _finding("eligibility, every clause / primary-key read, time", found, lambda one: one.p50_ms),
    ]


def _finding(title: str, found: Steady[Run], figure: Callable[[Sample], float]) -> Finding:
    value = found.run.ratio(figure)
    return Finding(title, value, FLOOR, GOAL, "x", lower_is_better=True, is_void=found.is_void)


async def _run(programmes: Programmes, ids: list[int]) -> Run:
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
        await _sample(one, WARM_UP, drawn)
    reads, asked = [], []
    for _ in range(INTERLEAVINGS):
        reads.append(await _sample(read, READS, drawn))
        asked.append(await _sample(ask, ASKED, drawn))
    return Run(Series("primary-key read", reads), Series("eligibility", asked))


async def _sample(one: One, times: int, drawn: Iterator[int]) -> Sample:
    latencies = []
    cpu = time.process_time()
    for _ in range(times):
        started = time.perf_counter()
        await one(next(drawn))
        latencies.append((time.perf_counter() - started) * 1e3)
    cpu = time.process_time() - cpu
    latencies.sort()
    return Sample(
        per_second=1e3 / median(latencies),
        p50_ms=median(latencies),
        p99_ms=latencies[int(times * 0.99)],
        slowest_ms=latencies[-1],
        cpu_us=cpu / times * 1e6,
    )


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
