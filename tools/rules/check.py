"""The check of the map: change what a rule rests on, and the tests that name the rule must fail."""

from __future__ import annotations

import itertools
import random
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tools.rules import evidence, mutations
from tools.rules.catalogue import Rule
from tools.rules.evidence import TREE, Evidence, Proof
from tools.rules.mutations import Mutation
from tools.rules.references import Reference

VALUE_TRIES = 12
"""Changed values of one key that may be refused before a test runs."""
FUNCTION_TRIES = 6
"""Mutations of one function: some change nothing that can be seen, some nothing this rule is about."""
SECONDS = 120.0
"""How long the tests of one changed rule may take: a mutation may loop for ever."""
SECONDS_UNCHANGED = 900.0
"""How long the tests of all drawn rules may take together before anything is changed."""

Loads = Callable[[Path], bool]
"""Whether a programme file still loads."""


class Unusable(Exception):
    """The tests of the drawn rules could not be run at all; the message is what pytest said."""


@dataclass(frozen=True)
class Trial:
    """What became of one rule: the last change tried, and the test that noticed, or nobody."""

    rule: str
    reference: Reference
    change: str
    caught_by: str | None
    remark: str = ""

    @property
    def line(self) -> str:
        verdict = f"caught by {self.caught_by}" if self.caught_by else f"NOT CAUGHT{self.remark}"
        return f"{self.rule}  {self.reference}  {self.change}  {verdict}"


class Overlay:
    """A copy of the tree in which one file at a time is changed and put back."""

    def __init__(self, root: Path, copy: Path) -> None:
        self.root = copy
        for name in TREE:
            source, target = root / name, copy / name
            if source.is_dir():
                shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
            elif source.is_file():
                shutil.copy(source, target)

    def run(self, tests: Sequence[str], *, seconds: float) -> Evidence:
        """The tests, as they stand in the overlay."""
        return evidence.run(self.root, self.root / "evidence.json", tests, seconds=seconds)

    def with_change(self, mutation: Mutation, tests: Sequence[str]) -> Evidence:
        """The tests with one file changed, up to the first that fails; the file is whole again afterwards."""
        path = self.root / mutation.reference.file
        before = path.read_text(encoding="utf-8")
        path.write_text(mutation.text, encoding="utf-8")
        try:
            return self.run(["-x", *tests], seconds=SECONDS)
        finally:
            path.write_text(before, encoding="utf-8")

    def loads_with(self, mutation: Mutation, loads: Loads) -> bool:
        """Whether a changed programme file is still accepted."""
        path = self.root / mutation.reference.file
        before = path.read_text(encoding="utf-8")
        path.write_text(mutation.text, encoding="utf-8")
        try:
            return loads(path)
        finally:
            path.write_text(before, encoding="utf-8")


def draw(tested: Sequence[Rule], number: int, seed: int) -> list[tuple[Rule, Reference]]:
    """``number`` of the tested rules, each with one thing it rests on."""
    dice = random.Random(seed)
    drawn = dice.sample(tested, min(number, len(tested)))
    return [(rule, dice.choice(rule.rests_on)) for rule in drawn]


def trials(
    drawn: Sequence[tuple[Rule, Reference]],
    passing: Mapping[str, list[Proof]],
    overlay: Overlay,
    *,
    seed: int,
    loads: Loads,
) -> Iterator[Trial]:
    """One trial for each drawn rule. The tests must pass before the change, or their failing says nothing."""
    wanted = {proof.test: None for rule, _ in drawn for proof in passing[rule.id]}
    unchanged = overlay.run(list(wanted), seconds=SECONDS_UNCHANGED)
    if unchanged.exit not in (0, 1):
        raise Unusable(unchanged.output)
    passed = {proof.test for proof in unchanged.proofs if proof.passed}
    for rule, reference in drawn:
        tests = [proof.test for proof in passing[rule.id]]
        if passed.issuperset(tests):
            yield _trial(rule, reference, tests, overlay, seed, loads)
        else:
            yield Trial(rule.id, reference, "nothing", None, ": its tests fail unchanged")


def _trial(
    rule: Rule, reference: Reference, tests: Sequence[str], overlay: Overlay, seed: int, loads: Loads
) -> Trial:
    change, remark = "nothing", ": nothing to change was found"
    for mutation in _tried(reference, overlay, seed, loads):
        after = overlay.with_change(mutation, tests)
        if failed := [proof for proof in after.failed if proof.outcome in ("failed", "timed out")]:
            return Trial(rule.id, reference, mutation.change, failed[0].test)
        change, remark = mutation.change, "" if after.exit == 0 else ": the tests could not be collected"
        if reference.is_value and after.exit == 0:
            break
    return Trial(rule.id, reference, change, None, remark)


def _tried(reference: Reference, overlay: Overlay, seed: int, loads: Loads) -> Iterator[Mutation]:
    """What may be tried: the first values that load, or, when none does, the first at all."""
    found = mutations.of(reference, overlay.root, seed=seed)
    if not reference.is_value:
        yield from itertools.islice(found, FUNCTION_TRIES)
        return
    candidates = list(itertools.islice(found, VALUE_TRIES))
    loading = [mutation for mutation in candidates if overlay.loads_with(mutation, loads)]
    yield from loading or candidates
