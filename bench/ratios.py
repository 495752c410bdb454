"""Ratios: the arithmetic of a benchmark whose absolute figures mean nothing on another machine.

The references and the subject are measured in turns within the same minute, and their medians are
divided. What the machine does meanwhile shows in the reference: if that varies by more than
:data:`MOST_SPREAD`, the run is void and made again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Generic, TypeVar

INTERLEAVINGS = 5
TRIES = 4
MOST_SPREAD = 0.30


@dataclass(frozen=True, slots=True)
class Sample:
    """One measurement of one server. Latencies in milliseconds, ``cpu_us`` its own CPU a request."""

    per_second: float
    p50_ms: float
    p99_ms: float
    slowest_ms: float
    cpu_us: float


@dataclass(frozen=True, slots=True)
class Series:
    """The samples of one server in one run."""

    name: str
    samples: Sequence[Sample]

    @property
    def per_second(self) -> float:
        """The median rate."""
        return median(sample.per_second for sample in self.samples)

    @property
    def spread(self) -> float:
        """How far the rates lie apart, as a part of their median."""
        return spread([sample.per_second for sample in self.samples])

    def line(self) -> str:
        """The series for people."""
        p50, p99, cpu = (
            median(getattr(sample, name) for sample in self.samples)
            for name in ("p50_ms", "p99_ms", "cpu_us")
        )
        slowest = max(sample.slowest_ms for sample in self.samples)
        return (
            f"{self.name:24} {self.per_second:9,.0f}/s ±{self.spread / 2:4.0%}   p50 {p50:6.1f} ms"
            f"   p99 {p99:6.1f} ms   slowest {slowest:6.1f} ms   {cpu:6.1f} µs CPU of the process"
        )


@dataclass(frozen=True, slots=True)
class Finding:
    """One figure with its floor, which must hold, and its goal, which is printed beside it."""

    title: str
    value: float
    floor: float
    goal: float
    unit: str = ""
    lower_is_better: bool = False
    is_void: bool = False
    """The machine was too restless to tell, every time; what cannot be measured is not met."""

    def reaches(self, mark: float) -> bool:
        """Whether the figure is at ``mark`` or better."""
        return self.value <= mark if self.lower_is_better else self.value >= mark

    @property
    def is_missed(self) -> bool:
        """Whether the floor does not hold."""
        return self.is_void or not self.reaches(self.floor)

    def line(self) -> str:
        """The finding as a row of the table."""
        verdict = "VOID" if self.is_void else "MISSED" if self.is_missed else "met"
        goal = "goal met" if self.reaches(self.goal) else "goal missed"
        figures = (f"{number:.4g}{self.unit}" for number in (self.value, self.floor, self.goal))
        value, floor, aim = figures
        return f"{self.title:56} {value:>9} {floor:>8} {aim:>8}   {verdict}, {goal}"


HEADING = f"{'':56} {'measured':>9} {'floor':>8} {'goal':>8}"


def spread(rates: Sequence[float]) -> float:
    """The distance of the extremes as a part of the median."""
    return (max(rates) - min(rates)) / median(rates)


def is_restless(reference: Series) -> bool:
    """Whether the machine was too busy with something else for this run to mean anything."""
    return reference.spread > MOST_SPREAD


Run = TypeVar("Run")


@dataclass(frozen=True, slots=True)
class Steady(Generic[Run]):
    """A run, and whether it still was void after the last try."""

    run: Run
    is_void: bool


async def steady(
    measure: Callable[[], Awaitable[Run]], reference: Callable[[Run], Series], *, tries: int = TRIES
) -> Steady[Run]:
    """Measure until the reference keeps still, ``tries`` times at most."""
    for number in range(1, tries + 1):
        run = await measure()
        if not is_restless(reference(run)):
            return Steady(run, is_void=False)
        still = reference(run)
        print(f"  void: {still.name} varied by {still.spread:.0%} (try {number} of {tries})")
    return Steady(run, is_void=True)


def closing_line(findings: Sequence[Finding]) -> str:
    """What ``make bench`` ends with; M counts floors."""
    missed = sum(finding.is_missed for finding in findings)
    return f"bench: {len(findings)} ratios, missed {missed}"
