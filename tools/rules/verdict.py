"""The verdict: whether every claim of the catalogue is covered by what the tests have shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from tools.rules.catalogue import Catalogue, Rule, Status
from tools.rules.evidence import Evidence
from tools.rules.references import Reference, Unresolved, resolve

Shown = Callable[[Reference], bool]
"""Whether programme-check shows a value."""


def faults(catalogue: Catalogue, evidence: Evidence, root: Path, shown: Shown) -> list[str]:
    """Everything that does not hold, one sentence each; empty when the map is true."""
    return [*_of_the_run(catalogue, evidence), *_of_the_rows(catalogue, evidence, root, shown)]


def _of_the_run(catalogue: Catalogue, evidence: Evidence) -> Iterator[str]:
    if evidence.exit not in (0, 1):
        yield f"the tests did not run (pytest says {evidence.exit}): {evidence.output.strip()[-2000:]}"
    for proof in evidence.failed:
        yield f"{proof.test} names {', '.join(proof.rules) or 'no rule'} and did not pass ({proof.outcome})"
    known = catalogue.by_id
    for proof in evidence.proofs:
        if unknown := [rule for rule in proof.rules if rule not in known]:
            yield f"{proof.test} names {', '.join(unknown)}, which no catalogue has"


def _of_the_rows(catalogue: Catalogue, evidence: Evidence, root: Path, shown: Shown) -> Iterator[str]:
    passing = evidence.passing()
    for rule in catalogue:
        proven = bool(passing.get(rule.id))
        if rule.status is Status.TESTED and not proven:
            yield f"{rule.id} is said to be tested, and no passing test names it"
        if rule.status is not Status.TESTED and proven:
            # Not an error of the code, but the map must stay current.
            tests = len(passing[rule.id])
            yield f"{rule.id} is said to be {rule.status}, and {tests} passing tests name it: make it tested"
        yield from _of_the_references(rule, root, shown)


def _of_the_references(rule: Rule, root: Path, shown: Shown) -> Iterator[str]:
    for reference in rule.rests_on:
        try:
            resolve(reference, root)
        except Unresolved as error:
            yield f"{rule.id} rests on nothing: {error}"
            continue
        if rule.status is Status.DATA and not reference.is_value:
            yield f"{rule.id} is said to be data and rests on a function: {reference}"
        elif rule.status is Status.DATA and not shown(reference):
            yield f"{rule.id} is said to be data, and programme-check does not show {reference}"


def closing(catalogue: Catalogue) -> str:
    """The four counts, as the last line says them."""
    count = Counter(rule.status for rule in catalogue)
    return (
        f"rules: {count[Status.TESTED]} tested, {count[Status.DATA]} data, {count[Status.LATER]} later, "
        f"{count[Status.NOT_SOFTWARE]} not software, of {len(catalogue)}"
    )
