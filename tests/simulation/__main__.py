"""``make simulate``: the product's grab protocol under a seeded scheduler with faults.

First ``--seeds`` clean runs, which must break nothing and must have met every kind of fault; then each
planted bug, which must be caught. Exits with 1 when any of that fails. One seed again: ``--only SEED``.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

from tests.simulation.accidents import FAULTS
from tests.simulation.campaign import Catch, Result, catch, clean, remember
from tests.simulation.planted import FOUND, PLANTED

CHUNK = 50
ENOUGH_CAUGHT = 18


def main() -> int:
    """Run the campaign; returns the exit status."""
    options = _options()
    chunks = [range(first, min(first + CHUNK, options.seeds)) for first in range(0, options.seeds, CHUNK)]
    if options.only is not None:
        chunks = [range(options.only, options.only + 1)]
    names = [] if options.only is not None else [bug.name for bug in (*PLANTED, *FOUND)]
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(clean, chunk) for chunk in chunks]
        catches = {name: pool.submit(catch, name, options.planted_seeds) for name in names}
        result = _report_clean(parts)
        found = {name: future.result() for name, future in catches.items()}
    caught = _report_planted(found)
    if options.remember:
        remember(list(found.values()))
    never = [fault for fault in FAULTS if not result.counts[fault]] if options.only is None else []
    if never:
        print("faults that never occurred:", ", ".join(never))
    violations = len(result.violations)
    print(
        f"simulate: seeds {result.seeds}, {violations} violations,"
        f" planted bugs caught {caught} of {len(PLANTED)}"
    )
    enough = caught >= ENOUGH_CAUGHT or options.only is not None
    return 0 if enough and not violations and not never else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many clean runs")
    parser.add_argument("--planted-seeds", type=int, default=3000, help="runs, at most, for each planted bug")
    parser.add_argument("--remember", action="store_true", help="keep the seeds that caught the planted bugs")
    parser.add_argument("--only", type=int, metavar="SEED", help="run this one seed, and no planted bug")
    return parser.parse_args()


def _report_clean(parts: list[Future[Result]]) -> Result:
    result = Result()
    for part in parts:
        result.add(part.result())
    for name, count in sorted(result.counts.items()):
        mark = "fault" if name in FAULTS else "     "
        print(f"{count:>10}  {mark}  {name}")
    for seed, breach in sorted(result.violations.items()):
        print(f"seed {seed}: {breach}")
    return result


def _report_planted(catches: dict[str, Catch]) -> int:
    """Print the table; returns how many of the twenty were caught."""
    print(f"\n{'planted bug':<46}{'seed':>7}{'tried':>7}  caught by")
    for each in catches.values():
        seed = "-" if each.seed is None else str(each.seed)
        print(f"{each.bug:<46}{seed:>7}{each.tried:>7}  {each.breach or 'not caught'}"[:150])
    return sum(catches[bug.name].seed is not None for bug in PLANTED if bug.name in catches)


if __name__ == "__main__":
    sys.exit(main())
