"""Recompute a published ranking list: ``python tools/recompute_ranking.py ranking.json`` (or ``.csv``).

For anybody who wants to check a round without trusting its platform: this file needs Python 3.11 and nothing
else. From priority, arrival, allowed amounts and the pool it works out the order and the awards again, and
the SHA-256 of the list. It prints every difference, and ends with status 0 only when there is none.

What a list cannot show is who was left out of it, and that each arrival is true: for these there are
each applicant's own numbers, and the SHA-256 that was written into the journal when the round was ranked.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

FIELDS = (
    "position",
    "name",
    "priority",
    "group",
    "arrived_at",
    "place",
    "asked_fen",
    "allowed_fen",
    "awarded_fen",
    "outcome",
)
NUMBERS = ("position", "place", "asked_fen", "allowed_fen", "awarded_fen")
FORMULA = "=+-@\t\r"
MOST_SHOWN = 20


def read(file: Path) -> dict[str, Any]:
    """The list with its head, from the JSON or the CSV that the platform gives out."""
    text = file.read_text(encoding="utf-8-sig")
    if text.lstrip().startswith("{"):
        found: dict[str, Any] = json.loads(text)
        return found
    rows = list(csv.reader(text.splitlines()))
    gap = rows.index([])
    head: dict[str, Any] = {row[0]: _unmarked(row[1]) for row in rows[:gap]}
    head |= {"pool_fen": int(head["pool_fen"]), "order": head["order"].split(",")}
    entries: list[dict[str, Any]] = []
    for row in rows[gap + 2 :]:
        cells = dict(zip(FIELDS, map(_unmarked, row), strict=True))
        numbers = {name: int(cells[name]) for name in NUMBERS}
        entries.append({**cells, **numbers, "priority": cells["priority"] == "True"})
    return {**head, "entries": entries}


def faults(found: dict[str, Any]) -> list[str]:
    """Every way in which a list is not what its own figures make of it."""
    entries = found["entries"]
    return [*_order(found["order"], entries), *_awards(found["pool_fen"], entries), *_fingerprint(found)]


def _order(order: list[str], entries: list[dict[str, Any]]) -> list[str]:
    def key(entry: dict[str, Any]) -> tuple[object, ...]:
        keys = {"priority": not entry["priority"], "arrival": entry["arrived_at"]}
        return (*(keys[name] for name in order), entry["place"])

    right = sorted(entries, key=key)
    return [
        f"position {number}: {entry['name']} ({entry['position']}), should be {wanted['name']}"
        for number, (entry, wanted) in enumerate(zip(entries, right, strict=True), 1)
        if entry is not wanted or entry["position"] != number
    ]


def _awards(pool_fen: int, entries: list[dict[str, Any]]) -> list[str]:
    wrong = []
    for entry in entries:
        most = entry["allowed_fen"]
        wanted = min(most, pool_fen)
        pool_fen -= wanted
        outcomes = ("awarded",) if wanted == most else ("partly",) if wanted else ("waiting", "unsuccessful")
        if not 0 < most <= entry["asked_fen"]:
            wrong.append(f"position {entry['position']}: {most} fen allowed of {entry['asked_fen']}")
        if entry["awarded_fen"] != wanted:
            wrong.append(f"position {entry['position']}: {entry['awarded_fen']} fen, should be {wanted}")
        if entry["outcome"] not in outcomes:
            wrong.append(
                f"position {entry['position']}: {entry['outcome']}, should be {' or '.join(outcomes)}"
            )
    return wrong


def _fingerprint(found: dict[str, Any]) -> list[str]:
    head = (found["round_id"], found["programme"], found["programme_version"], found["pool_fen"])
    lines = ["|".join(("qiquan-ranking-1", *map(str, head), ",".join(found["order"])))]
    for entry in found["entries"]:
        facts = {
            **entry,
            "priority": int(entry["priority"]),
            "name": entry["name"].replace("\n", " ").replace("\r", " "),
        }
        names = ("position", "priority", "group", "arrived_at", "place", "asked_fen", "allowed_fen")
        lines.append("|".join(str(facts[name]) for name in (*names, "awarded_fen", "outcome", "name")))
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode()).hexdigest()
    if digest == found["sha256"]:
        return []
    return [f"SHA-256 of the list is {digest}, the published one is {found['sha256']}"]


def _unmarked(cell: str) -> str:
    """A cell without the mark that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip(" ")[:1] in FORMULA else cell


def main() -> int:
    """0 when the list follows from its figures, 1 when it does not."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("file", type=Path, help="ranking.json or ranking.csv of a round")
    parser.add_argument("--sha256", help="as it stands in the journal, or as somebody wrote it down before")
    chosen = parser.parse_args()
    found = read(chosen.file)
    if chosen.sha256:
        found["sha256"] = chosen.sha256
    wrong = faults(found)
    for fault in wrong[:MOST_SHOWN]:
        print(fault)
    given = sum(entry["awarded_fen"] for entry in found["entries"])
    print(
        f"round {found['round_id']}: {len(found['entries'])} positions, {given} of {found['pool_fen']} fen,"
        f" {len(wrong)} differences"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
