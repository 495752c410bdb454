"""Asking: a server on a database of some size, asked over HTTP, and the CPU that it and PostgreSQL use."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from time import perf_counter

import aiohttp
import asyncpg

from bench.ratios import Series
from bench.stage import Server, cpu_seconds_of
from bench.turns import Slice

AT_ONCE = 4
PROCESSES = """
SELECT pid FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A server on a database with so many rows, a client of it, and one that looks on.

    ``holds`` is the key that every answer has: whatever it is, it says something.
    """

    size: int
    holds: str
    server: Server
    http: aiohttp.ClientSession
    onlooker: asyncpg.Connection

    async def ask(self, addresses: Sequence[str], *, at_once: int = AT_ONCE) -> list[float]:
        """Ask for each of these, a few at once; seconds each took. Every answer must be a page."""
        waiting = iter(addresses)
        latencies: list[float] = []

        async def asker() -> None:
            for address in waiting:
                began = perf_counter()
                async with self.http.get(f"/api/v1/{address}") as answer:
                    assert self.holds in await answer.json(), f"{address} answers without {self.holds}"
                latencies.append(perf_counter() - began)

        await asyncio.gather(*(asker() for _ in range(at_once)))
        return latencies

    async def slice(self, addresses: Sequence[str], requests: int, *, at_once: int = AT_ONCE) -> Slice:
        """A few requests: latencies as a client sees them, CPU of the server and of its database."""
        before = await self._used()
        latencies = await self.ask(list(islice(cycle(addresses), requests)), at_once=at_once)
        after = await self._used()
        if not before.keys() <= after.keys():
            # A connection was closed meanwhile, and what it used went with it.
            return await self.slice(addresses, requests, at_once=at_once)
        cpu_seconds = sum(used - before.get(pid, 0.0) for pid, used in after.items())
        return Slice([latency * 1000 for latency in latencies], cpu_seconds)

    async def _used(self) -> dict[int, float]:
        """The CPU seconds of the server and of each PostgreSQL process that works for it, by process id."""
        pids = [self.server.child.pid, *(row["pid"] for row in await self.onlooker.fetch(PROCESSES))]
        return {pid: cpu_seconds_of(pid) for pid in pids}


def line(series: Series) -> str:
    """A series of requests for people."""
    cpu_ms = [sample.cpu_us / 1000 for sample in series.samples]
    p50 = sorted(sample.p50_ms for sample in series.samples)[len(series.samples) // 2]
    return f"{series.name:20} {min(cpu_ms):.2f} to {max(cpu_ms):.2f} ms of CPU a request   p50 {p50:.1f} ms"
