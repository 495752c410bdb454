"""A campaign: many seeds of the product as shipped, then each planted bug until it is caught."""

from __future__ import annotations

import gc
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import structlog

from tests.simulation.lua import LuaEngine
from tests.simulation.planted import FOUND, PLANTED, PlantedBug
from tests.simulation.product import Product, planted, shipped
from tests.simulation.universe import Violation
from tests.simulation.world import World

DIRECTED = Path(__file__).parent / "directed.toml"
COLLECT_EVERY = 50
REMEMBERED = """\
# Seeds that caught a planted bug; they are tried first. A change of the product may move them:
# `python -m tests.simulation --seeds 200 --planted-seeds 20000 --remember` finds them again.

[seeds]
"""


@dataclass
class Result:
    """What some seeds came to: how often each thing happened, and every breach by its seed."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)

    def add(self, other: Result) -> None:
        """Take another part of the same campaign in."""
        self.seeds += other.seeds
        self.counts.update(other.counts)
        self.violations |= other.violations


@dataclass(frozen=True)
class Catch:
    """Where a planted bug was caught; ``seed`` is ``None`` when it was not in ``tried`` seeds."""

    bug: str
    seed: int | None
    tried: int
    breach: str


def simulate(product: Product, seeds: Iterable[int], *, until_caught: bool = False) -> Result:
    """Run seeds one after the other; with ``until_caught`` only to the first breach."""
    result, engine = Result(), LuaEngine()
    with _undisturbed():
        for seed in seeds:
            result.seeds += 1
            world = World(seed, product, engine)
            try:
                world.run()
            except Violation as violation:
                result.violations[seed] = str(violation)
                if until_caught:
                    break
            finally:
                world.universe.end()
            result.counts.update(world.universe.counts)
            if result.seeds % COLLECT_EVERY == 0:
                gc.collect()
    return result


def clean(seeds: range) -> Result:
    """Run seeds of the product as it is shipped."""
    return simulate(shipped(), seeds)


def catch(name: str, limit: int) -> Catch:
    """Plant a bug and look for it: in the seeds that caught it before, then in the first ``limit``."""
    bug = bugs()[name]
    known = directed().get(name, [])
    result = simulate(planted(bug.patches), [*known, *range(limit)], until_caught=True)
    for seed, breach in result.violations.items():
        return Catch(name, seed, result.seeds, breach)
    return Catch(name, None, result.seeds, "")


def bugs() -> dict[str, PlantedBug]:
    """Every bug that can be planted, by its name."""
    return {bug.name: bug for bug in (*PLANTED, *FOUND)}


@cache
def directed() -> dict[str, list[int]]:
    """The seeds that caught a bug before, by its name."""
    seeds: dict[str, list[int]] = tomllib.loads(DIRECTED.read_text(encoding="utf-8"))["seeds"]
    return seeds


def remember(catches: Iterable[Catch]) -> None:
    """Write down where each bug was caught; a bug that was not keeps the seeds it had."""
    lines = [REMEMBERED]
    for each in catches:
        seeds = directed().get(each.bug, []) if each.seed is None else [each.seed]
        lines.append(f'"{each.bug}" = {seeds}\n')
    DIRECTED.write_text("".join(lines), encoding="utf-8")


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Without the product's log lines, and with garbage collected between seeds only."""
    before, collecting = structlog.get_config(), gc.isenabled()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50), processors=[_drop])
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        if collecting:
            gc.enable()
        structlog.configure(**before)


def _drop(logger: object, method: str, event: object) -> dict[str, object]:
    raise structlog.DropEvent
