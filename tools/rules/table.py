"""The table that ``make rules`` prints."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping

from tools.rules.catalogue import Catalogue, Status
from tools.rules.evidence import Proof

WIDTHS = {"rule": 6, "status": 18, "clause": 24, "what must hold": 60, "tests": 5, "rests on": 0}


def _width(text: str) -> int:
    """Columns on a screen: Chinese takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _cell(text: str, width: int) -> str:
    if not width:
        return text
    if _width(text) > width:
        while _width(text) >= width:
            text = text[:-1]
        text += "…"
    return text + " " * (width - _width(text))


def _line(cells: list[str]) -> str:
    return "  ".join(_cell(cell, width) for cell, width in zip(cells, WIDTHS.values(), strict=True)).rstrip()


def lines(catalogue: Catalogue, passing: Mapping[str, list[Proof]]) -> Iterator[str]:
    """A heading and one line for each rule."""
    yield _line(list(WIDTHS))
    for rule in catalogue:
        status = f"later: {rule.later}" if rule.status is Status.LATER else rule.status.replace("_", " ")
        rests_on = ", ".join(str(reference) for reference in rule.rests_on) or rule.reason
        tests = str(len(passing.get(rule.id, ())))
        yield _line([rule.id, status, rule.clause, rule.line, tests, rests_on])
