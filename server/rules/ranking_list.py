"""The published list of a ranked round: its canonical form, by whose SHA-256 anybody can hold us to it.

One line for the head and one for each position, each ended by a line feed, UTF-8::

    qiquan-ranking-1|<round>|<programme>|<version>|<pool_fen>|<keys, by comma>
    <position>|<priority 0 or 1>|<group>|<arrived_at>|<place>|<asked>|<allowed>|<awarded>|<outcome>|<name>

Instants are UTC with three decimals and a Z; money is fen. A line feed within a name is written as a space.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.programme.issuance import RankKey


@dataclass(frozen=True, slots=True)
class ListHead:
    """What a list is of. ``pool_fen`` is what there was to give."""

    round_id: int
    programme: str
    version: str
    pool_fen: int
    order: tuple[RankKey, ...]


def instant(at: datetime) -> str:
    """An instant as the list writes it: UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def head_line(head: ListHead) -> str:
    """The first line of the canonical form."""
    keys = ",".join(head.order)
    facts = (head.round_id, head.programme, head.version, head.pool_fen, keys)
    return "|".join(("qiquan-ranking-1", *map(str, facts))) + "\n"


def line_of(entry: Mapping[str, Any]) -> str:
    """The line of one position; ``entry`` has the fields of the list by name."""
    facts = (
        entry["position"],
        int(entry["priority"]),
        entry["group_code"],
        instant(entry["arrived_at"]),
        entry["place"],
        entry["asked_fen"],
        entry["allowed_fen"],
        entry["awarded_fen"],
        str(entry["outcome"]),
        entry["name"].translate({10: " ", 13: " "}),
    )
    return "|".join(map(str, facts)) + "\n"
