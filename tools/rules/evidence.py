"""Evidence: what the rule-naming tests have shown, kept as long as the tree is the same."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

TREE = ("server", "standin", "config", "tests", "tools", "bench", "pyproject.toml")
"""What a result depends on."""


@dataclass(frozen=True)
class Proof:
    """One test that names rules."""

    test: str
    """Its pytest node id."""
    outcome: str
    rules: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"


@dataclass(frozen=True)
class Evidence:
    """The outcome of one run of tests. ``exit`` is pytest's: 0 all passed, 1 some failed, else no run."""

    exit: int
    proofs: tuple[Proof, ...]
    output: str = ""

    def passing(self) -> Mapping[str, list[Proof]]:
        """The passing tests of each rule that is named at all."""
        found: dict[str, list[Proof]] = {}
        for proof in self.proofs:
            for rule in proof.rules:
                tests = found.setdefault(rule, [])
                if proof.passed:
                    tests.append(proof)
        return found

    @property
    def failed(self) -> tuple[Proof, ...]:
        return tuple(proof for proof in self.proofs if not proof.passed)


def tree_hash(root: Path) -> str:
    """A hash of names and contents of everything a test result depends on."""
    digest = hashlib.sha256()
    for top in TREE:
        path = root / top
        files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(str(file.relative_to(root)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def run(
    root: Path, results: Path, selection: Iterable[str], *, seconds: float, is_copy: bool = True
) -> Evidence:
    """pytest over ``selection`` in the tree at ``root``; a run that hangs counts as a failed one.

    In a copy, which changes from one run to the next, nothing compiled is left behind.
    """
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "tools.rules.plugin"]
    command += [f"--rules-to={results}", *selection]
    # The tree's own packages must win over installed ones: the tree may be a changed copy.
    environment = os.environ | {"PYTHONPATH": str(root)}
    if is_copy:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"
    results.unlink(missing_ok=True)
    try:
        done = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return Evidence(1, (Proof(f"(no end within {seconds:.0f} s)", "timed out", ()),))
    output = done.stdout + done.stderr
    if not results.is_file():
        return Evidence(done.returncode or 3, (), output)
    document = json.loads(results.read_text(encoding="utf-8"))
    proofs = tuple(
        Proof(name, test["outcome"], tuple(test["rules"])) for name, test in document["tests"].items()
    )
    return Evidence(done.returncode, proofs, output)


def foreseen(root: Path, results: Path, *, seconds: float) -> Evidence:
    """What the evidence will be if every test passes: which tests name which rules. Runs none of them."""
    found = run(root, results, ("--collect-only", "-m", "rules", "tests"), seconds=seconds, is_copy=False)
    return replace(found, proofs=tuple(replace(proof, outcome="passed") for proof in found.proofs))


def read(results: Path) -> Evidence:
    """The evidence of a run that somebody else made with the plugin; tests that name no rule are left out."""
    document = json.loads(results.read_text(encoding="utf-8"))
    proofs = (Proof(name, test["outcome"], tuple(test["rules"])) for name, test in document["tests"].items())
    return Evidence(document["exit"], tuple(proof for proof in proofs if proof.rules))


def gather(root: Path, results: Path, *, seconds: float, at_once: int = 2) -> Evidence:
    """The evidence of every rule-naming test, from the last run if the tree has not changed since."""
    stamp = results.with_suffix(".tree")
    tree = tree_hash(root)
    if results.is_file() and stamp.is_file() and stamp.read_text() == tree:
        return read(results)
    stamp.unlink(missing_ok=True)
    # Two at a time, as `make test` runs the rest: many of them stand on a real database.
    evidence = run(root, results, ("-n", str(at_once), "-m", "rules", "tests"), seconds=seconds)
    if evidence.exit == 0:
        # A failing run is not kept: what failed may be a server that was away.
        stamp.write_text(tree)
    return evidence
