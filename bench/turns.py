"""Turns: a reference and a subject measured in slices of a tenth of a second, by turns, and what they say.

A machine that is shared slows down and speeds up over seconds. Two slices side by side meet it in the same
state, so the ratio is taken of each pair, and the median of the pairs counts: a slice in which something
else ran is one of hundreds and moves nothing. Who comes first changes from pair to pair, because the second
finds the caches full of the first.

The void rule of ``bench/ratios.py`` stays what it is: five samples of the reference, void if their extremes
lie more than :data:`~bench.ratios.MOST_SPREAD` apart. What is a sample is said here: the median of the
slices of one block, in which each side worked for :data:`BLOCK_SECONDS` of CPU. The extremes of single
slices would void a run the surer the longer it measures, though its median is the better for it. Blocks
follow one another, so a machine whose speed drifts under the run still shows: in its medians.
"""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.ratios import INTERLEAVINGS, Sample, Series

BLOCK_SECONDS = 2.0
"""CPU that each side uses in a block, at the least."""


@dataclass(frozen=True, slots=True)
class Slice:
    """A fraction of a second of one side: what each request took, in ms, and the CPU of them all."""

    latencies_ms: Sequence[float]
    cpu_seconds: float


Figure = Callable[[Slice], float]
Take = Callable[[], Awaitable[Slice]]
Pair = tuple[Slice, Slice]
"""The reference and the subject, side by side."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Everything measured in one run, block by block."""

    names: tuple[str, str]
    blocks: Sequence[Sequence[Pair]]

    def reference(self, rate: Figure) -> Series:
        """What the void rule looks at: a sample for each block. A ratio of CPU goes by the rate of CPU."""
        return self._series(0, rate)

    def subject(self, rate: Figure) -> Series:
        """The other side, likewise."""
        return self._series(1, rate)

    def ratio(self, figure: Figure) -> float:
        """What the subject costs in references: the median over all pairs."""
        return median(self._ratios(figure))

    def quartiles(self, figure: Figure) -> tuple[float, float]:
        """Between what the middle half of the pairs lies, to print beside the ratio."""
        ordered = sorted(self._ratios(figure))
        return ordered[len(ordered) // 4], ordered[len(ordered) * 3 // 4]

    def _ratios(self, figure: Figure) -> Iterator[float]:
        return (figure(subject) / figure(reference) for block in self.blocks for reference, subject in block)

    def _series(self, side: int, rate: Figure) -> Series:
        samples = [_sample([pair[side] for pair in block], rate) for block in self.blocks]
        return Series(self.names[side], samples)


def _sample(slices: Sequence[Slice], rate: Figure) -> Sample:
    latencies = sorted(latency for one in slices for latency in one.latencies_ms)
    return Sample(
        per_second=median(map(rate, slices)),
        p50_ms=median(latencies),
        p99_ms=latencies[int(len(latencies) * 0.99)],
        slowest_ms=latencies[-1],
        cpu_us=median(map(cpu_us, slices)),
    )


async def in_turns(reference: Take, subject: Take) -> list[list[Pair]]:
    """Take slices of both by turns until every block is full."""
    return [await _block(reference, subject) for _ in range(INTERLEAVINGS)]


async def _block(reference: Take, subject: Take) -> list[Pair]:
    pairs: list[Pair] = []
    used = [0.0, 0.0]
    while min(used) < BLOCK_SECONDS:
        # Nobody's slice pays for what another one left behind.
        gc.collect()
        if len(pairs) % 2:
            second = await subject()
            pair = await reference(), second
        else:
            pair = await reference(), await subject()
        pairs.append(pair)
        if not min(one.cpu_seconds for one in pair):
            raise RuntimeError("This machine does not say what a process uses: CPU cannot be compared here.")
        used = [total + one.cpu_seconds for total, one in zip(used, pair, strict=True)]
    return pairs


def cpu_us(one: Slice) -> float:
    """CPU a request, microseconds."""
    return one.cpu_seconds / len(one.latencies_ms) * 1e6


def per_cpu_second(one: Slice) -> float:
    """Requests for a second of CPU."""
    return len(one.latencies_ms) / one.cpu_seconds


def p50_ms(one: Slice) -> float:
    """The median latency."""
    return median(one.latencies_ms)


def per_second(one: Slice) -> float:
    """Requests a second, one after another, going by the median."""
    return 1e3 / median(one.latencies_ms)


def settle_garbage() -> None:
    """Let the collector forget everything made so far: what was loaded and seeded is nobody's garbage."""
    gc.collect()
    gc.freeze()
