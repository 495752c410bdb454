"""Merkle: many hashes under one, and the short proof that one of them is among them.

As RFC 6962 (section 2.1) has it: a leaf is SHA-256 of a zero byte and its content, a node SHA-256 of a one
byte and its two children, so that no node passes for a leaf; a tree of n leaves is split at the largest power
of two below n, and none is ever counted twice. The content of a leaf is the 32 bytes of a link's hash.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

LEAF, NODE = b"\x00", b"\x01"
EMPTY = sha256(b"").hexdigest()
"""The root of nothing."""


def leaf(content: str) -> bytes:
    """The hash of a leaf, from its content in hex."""
    return sha256(LEAF + bytes.fromhex(content)).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of a node, from its children's."""
    return sha256(NODE + left + right).digest()


def root(contents: Sequence[str]) -> str:
    """The root over these leaves in their order, all in hex."""
    if not contents:
        return EMPTY
    level = [leaf(one) for one in contents]
    while len(level) > 1:
        level = _next_level(level)
    return level[0].hex()


def paths(contents: Sequence[str], positions: Sequence[int]) -> list[list[str]]:
    """For each position (from 0) the hashes beside the way from its leaf to the root, lowest first.

    One pass over the tree serves them all. Raises ``IndexError`` for a position there is not.
    """
    if any(not 0 <= position < len(contents) for position in positions):
        raise IndexError("no such leaf")
    found: list[list[str]] = [[] for _ in positions]
    places = list(positions)
    level = [leaf(one) for one in contents]
    while len(level) > 1:
        for path, place in zip(found, places, strict=True):
            # The last of an odd number has nobody beside it and rises as it is.
            if (beside := place ^ 1) < len(level):
                path.append(level[beside].hex())
        places = [place // 2 for place in places]
        level = _next_level(level)
    return found


def _next_level(level: Sequence[bytes]) -> list[bytes]:
    # Joining neighbours and letting an odd last one rise gives the same tree as splitting at powers of two.
    above = [node(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return [*above, level[-1]] if len(level) % 2 else above
