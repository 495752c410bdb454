"""``python -m bench [--part launch]``: every ratio with its floor and its goal; 1 if a floor is missed."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import (
    balances,
    callbacks,
    cases,
    confirming,
    deliveries,
    eligibility,
    exports,
    inbox,
    ranking,
    reviews,
    rush,
    search,
)
from bench.ratios import HEADING, Finding, closing_line

PARTS: dict[str, Callable[[], Awaitable[list[Finding]]]] = {
    "balances": balances.measure,
    "cases": cases.measure,
    "chat": callbacks.measure,
    "deliveries": deliveries.measure,
    "eligibility": eligibility.measure,
    "exports": exports.measure,
    "launch": rush.measure,
    "orders": confirming.measure,
    "ranking": ranking.measure,
    "review": inbox.measure,
    "reviews": reviews.measure,
    "search": search.measure,
}


async def measure(names: list[str]) -> int:
    """Measure the named parts; the exit status."""
    findings = [finding for name in names for finding in await PARTS[name]()]
    print(HEADING)
    for finding in findings:
        print(finding.line())
    print(closing_line(findings))
    return 1 if any(finding.is_missed for finding in findings) else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--part", choices=sorted(PARTS), help="only this part")
    chosen = parser.parse_args().part
    sys.exit(asyncio.run(measure([chosen] if chosen else list(PARTS))))
