"""Limits: amounts that may not be passed, each with its clause and its arithmetic.

Quota, rate, cap, balance and ceiling all come down to "not more than this much"; what may be spent is
the smallest of them, and the answer says which one it was.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from server import texts
from server.units import yuan


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount_fen``, never below 0; ``arithmetic`` says why, in Chinese and in yuan."""

    amount_fen: int
    clause: str
    arithmetic: str


def room(ceiling_fen: int, used_fen: int, *, clause: str, name: str) -> Limit:
    """What a ceiling leaves after what is used; nothing where it is passed already."""
    left = max(0, ceiling_fen - used_fen)
    return Limit(
        left,
        clause,
        texts.ROOM.format(name=name, ceiling=yuan(ceiling_fen), used=yuan(used_fen), left=yuan(left)),
    )


def smallest(limits: Iterable[Limit]) -> Limit:
    """The limit that binds; of equal ones the first."""
    return min(limits, key=lambda limit: limit.amount_fen)
