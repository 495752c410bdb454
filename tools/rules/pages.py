"""Pages for readers: per programme, clause by clause, the rule, what it rests on, its tests, its status."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tools.rules.catalogue import Catalogue, Regulation, Rule, Status
from tools.rules.evidence import Proof

HEAD = """# {title}

`{programme}`, {count} rules. Generated from [docs/rules/](../rules/) and the tests by
`python -m tools.rules --write`; do not edit.

| rule | clause | what must hold | status | rests on | tests |
|---|---|---|---|---|---|
"""

STATUS = {
    Status.TESTED: "tested",
    Status.DATA: "data",
    Status.LATER: "later: {later}",
    Status.NOT_SOFTWARE: "not software: {reason}",
}


def functions(proofs: list[Proof]) -> list[str]:
    """The test functions of some tests, each once, whatever its parameters."""
    return sorted({proof.test.partition("[")[0] for proof in proofs})


def _row(rule: Rule, proofs: list[Proof]) -> str:
    status = STATUS[rule.status].format(later=rule.later, reason=rule.reason)
    rests_on = "<br>".join(f"`{reference}`" for reference in rule.rests_on)
    tests = "<br>".join(f"`{test}`" for test in functions(proofs))
    return f"| {rule.id} | {rule.clause} | {rule.line} | {status} | {rests_on} | {tests} |\n"


def page(regulation: Regulation, passing: Mapping[str, list[Proof]]) -> str:
    """One programme's page as Markdown."""
    head = HEAD.format(title=regulation.title, programme=regulation.programme, count=regulation.count)
    return head + "".join(_row(rule, passing.get(rule.id, [])) for rule in regulation.rules)


def pages(catalogue: Catalogue, passing: Mapping[str, list[Proof]], directory: Path) -> dict[Path, str]:
    """Every page and where it belongs."""
    return {
        directory / f"{regulation.programme}.md": page(regulation, passing)
        for regulation in catalogue.regulations
    }


def stale(wanted: Mapping[Path, str]) -> list[str]:
    """The pages that do not say what they should, one sentence each."""
    return [
        f"docs/regulations/{path.name} is out of date: python -m tools.rules --write"
        for path, text in wanted.items()
        if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
