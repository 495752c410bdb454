"""The simulation, quickly: some clean seeds, every planted bug once, and that its world is what it says."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys

import pytest

from tests.simulation.accidents import FAULTS
from tests.simulation.campaign import bugs, catch, clean
from tests.simulation.planted import FOUND, PLANTED, PlantedBug
from tests.simulation.product import MODULES, ROOT, Patch, patched_texts, planted, shipped
from tests.simulation.universe import Universe, Violation

CLEAN_SEEDS = 250
PLANTED_SEEDS = 400
ENOUGH_CAUGHT = 18
TRACE = "from tests.simulation.campaign import clean; print(sorted(clean(range(6)).counts.items()))"


def test_the_shipped_protocol_holds_under_every_kind_of_fault() -> None:
    result = clean(range(CLEAN_SEEDS))
    assert result.violations == {}
    assert [fault for fault in FAULTS if not result.counts[fault]] == []
    assert result.counts["I9 compared"] > CLEAN_SEEDS
    assert result.counts["probed granted"] > 0


@pytest.mark.timeout(240)
def test_the_planted_bugs_are_caught() -> None:
    missed = [bug.name for bug in PLANTED if catch(bug.name, PLANTED_SEEDS).seed is None]
    assert len(PLANTED) - len(missed) >= ENOUGH_CAUGHT, f"not caught: {missed}"


@pytest.mark.parametrize("bug", [*PLANTED, *FOUND], ids=lambda bug: bug.name)
def test_a_planted_bug_is_still_a_change_of_the_product(bug: PlantedBug) -> None:
    for path, text in patched_texts(bug.patches).items():
        if path.endswith(".py"):
            compile(text, path, "exec")


def test_there_are_twenty_planted_bugs_of_different_names() -> None:
    assert (len(PLANTED), len(bugs())) == (20, 20 + len(FOUND))


def test_a_patch_that_does_not_fit_any_more_is_refused() -> None:
    with pytest.raises(ValueError, match="0 times"):
        patched_texts([Patch("server/services/rounds/latch.py", "no such line", "")])
    with pytest.raises(ValueError, match="times, not once"):
        patched_texts([Patch("server/services/rounds/latch.py", "armed", "")])


def test_a_planted_bug_touches_only_its_own_copy() -> None:
    before = {name: sys.modules[name] for name in MODULES.values()}
    copy = planted(bugs()["latch without expiry"].patches)
    assert {name: sys.modules[name] for name in MODULES.values()} == before
    assert copy.latch.Latch is not shipped().latch.Latch
    assert copy.grabs.Latch is copy.latch.Latch


def test_a_seed_is_the_same_run_in_every_process() -> None:
    runs = {
        subprocess.run(
            [sys.executable, "-c", TRACE],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1
    assert runs.pop() == f"{sorted(clean(range(6)).counts.items())}\n"


def test_nothing_of_a_killed_process_runs_any_more() -> None:
    universe, happened = Universe(1), []
    loop = universe.loop("one")

    async def work() -> None:
        try:
            await asyncio.sleep(1)
        finally:
            happened.append("finally")

    universe.spawn(loop, work())
    universe.after(0.5, universe.kill, loop)
    universe.run(until=2.0)
    assert happened == []
    universe.end()


def test_a_frozen_process_goes_on_where_it_stopped() -> None:
    universe, happened = Universe(1), []
    loop = universe.loop("one")

    async def work() -> None:
        await asyncio.sleep(1)
        happened.append(universe.now)

    universe.spawn(loop, work())
    universe.after(0.5, universe.freeze, loop, 2.0)
    universe.run(until=3.0)
    assert happened == [2.5]


def test_a_task_that_dies_is_a_violation() -> None:
    universe = Universe(1)

    async def work() -> None:
        raise KeyError("lost")

    universe.spawn(universe.loop("one"), work())
    with pytest.raises(Violation, match="X1 a task died"):
        universe.run(until=1.0)
