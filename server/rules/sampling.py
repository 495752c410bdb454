"""Sampling: a random draw that anybody can repeat from its seed.

Each item gets a lot, the SHA-256 of seed and item, and the smallest lots are drawn. No version of any
random generator is involved, so an auditor finds the same sample years later in any language.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from server.units import share_up


def sample_size(items: int, share_bp: int) -> int:
    """How many of ``items`` are drawn for "not less than" a share: rounded up, at least one (YC-24)."""
    return max(1, share_up(items, share_bp)) if items else 0


def draw(items: Iterable[str], share_bp: int, seed: str) -> tuple[str, ...]:
    """The items drawn, in the order of their lots. Neither order nor repetition of ``items`` matters."""
    lots = sorted({(sha256(f"{seed}\n{item}".encode()).hexdigest(), item) for item in items})
    return tuple(item for _, item in lots[: sample_size(len(lots), share_bp)])
