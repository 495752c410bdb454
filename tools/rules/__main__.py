"""``python -m tools.rules``: the rule map, held to the tests; ``--check N`` changes what N rules rest on."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tools.rules import catalogue, check, evidence, pages, table, verdict
from tools.rules.catalogue import Catalogue, Status
from tools.rules.evidence import Evidence
from tools.rules.programmes import loads, shown_in

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "var" / "rules" / "evidence.json"
FORESEEN = ROOT / "var" / "rules" / "foreseen.json"
SECONDS = 1800.0
"""How long all rule-naming tests together may take."""


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="rules", description=__doc__)
    parser.add_argument(
        "--check", type=int, default=0, metavar="N", help="change what N tested rules rest on"
    )
    parser.add_argument("--seed", type=int, default=1, help="draws the rules and the changes (default 1)")
    parser.add_argument("--evidence", type=Path, help="what a run with the plugin has written; runs no test")
    parser.add_argument(
        "--foreseen", action="store_true", help="only what can be said in seconds: as if every test passed"
    )
    parser.add_argument("--write", action="store_true", help="write docs/regulations/*.md; runs no test")
    return parser.parse_args()


def _changed(rules: Catalogue, proven: Evidence, number: int, seed: int) -> tuple[int, int]:
    """How many rules were changed and how many of the changes were caught; prints one line for each."""
    tested = [rule for rule in rules if rule.status is Status.TESTED and proven.passing().get(rule.id)]
    drawn = check.draw(tested, number, seed)
    caught = 0
    with tempfile.TemporaryDirectory(prefix="rules-") as copy:
        overlay = check.Overlay(ROOT, Path(copy))
        for trial in check.trials(drawn, proven.passing(), overlay, seed=seed, loads=loads):
            print(trial.line, flush=True)
            caught += trial.caught_by is not None
    return len(drawn), caught


def _proven(arguments: argparse.Namespace) -> Evidence:
    if arguments.evidence:
        return evidence.read(arguments.evidence)
    if arguments.foreseen or arguments.write:
        return evidence.foreseen(ROOT, FORESEEN, seconds=SECONDS)
    return evidence.gather(ROOT, RESULTS, seconds=SECONDS)


def main() -> int:
    """0 when every claim of the map holds, else 1."""
    arguments = _arguments()
    rules = catalogue.load(ROOT / "docs" / "rules")
    proven = _proven(arguments)
    passing = proven.passing()
    wanted = pages.pages(rules, passing, ROOT / "docs" / "regulations")
    if arguments.write:
        for path, text in wanted.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    found = verdict.faults(rules, proven, ROOT, shown_in(ROOT)) + pages.stale(wanted)
    closing = verdict.closing(rules)
    if arguments.check:
        changed, caught = _changed(rules, proven, arguments.check, arguments.seed)
        closing += f"; changed {changed}, caught {caught}"
        if caught < changed or changed < arguments.check:
            found.append(
                f"{changed - caught} of {changed} changes were not caught ({arguments.check} were asked for)"
            )
    elif not arguments.foreseen:
        for line in table.lines(rules, passing):
            print(line)
    for fault in found:
        print(f"! {fault}")
    print(closing)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
