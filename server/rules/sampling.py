"""Sampling: a random draw that anybody can repeat from its list and its seed.

Each item gets a lot, the SHA-256 of seed and item. The list is ordered by strata, each in the order of its
own lot, and by lot within a stratum; from a random start every n-th of that order is drawn. So every item
has the same chance, and each stratum has its part, give or take one. What is flagged is drawn besides. No
version of any random generator is involved: an auditor finds the same sample years later in any language.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from server.errors import Refusal
from server.units import share_up

FORMAT = "qiquan-draw-1"
"""What a published draw calls its own form."""
AMOUNT_BANDS_FEN = (1_000_000, 5_000_000, 20_000_000)
"""Where one band of amounts ends and the next begins: 1, 5 and 20 万元. The house's own choice."""


class DrawStatus(StrEnum):
    """How far a draw is."""

    ANNOUNCED = "announced"
    """The hash of its seed is published; there is no list yet."""
    LOCKED = "locked"
    """Its list is frozen."""
    DRAWN = "drawn"
    """The seed is published, and what was drawn is being looked at."""
    CLOSED = "closed"
    """Everything drawn has been looked at."""


class SampleOutcome(StrEnum):
    """What came of looking at what was drawn."""

    CLEAN = "clean"
    """Looked at, nothing found."""
    FINDING = "finding"
    NO_ANSWER = "no_answer"
    """Nobody was reached or answered. It stays on the list, and open."""
    GONE = "gone"
    """The case ended before anybody looked."""


LOOKED_AT = frozenset({SampleOutcome.CLEAN, SampleOutcome.FINDING, SampleOutcome.GONE})
"""Nothing is left to be done about it."""


class ListFrozen(Refusal):
    """The list of a draw is locked: what is on it stays, what comes later waits for the next draw."""

    status, code = 409, "list_frozen"


class DrawOutstanding(Refusal):
    """Whether the case is in the sample is not drawn yet: until then nobody decides on it by hand."""

    status, code = 409, "draw_outstanding"


class ShareTooSmall(Refusal):
    """Less than the programme's least share."""

    status, code = 422, "share_too_small"


class NothingToDraw(Refusal):
    """There is nothing to put on the list."""

    status, code = 409, "nothing_to_draw"


class DrawNotThere(Refusal):
    """The draw is not at the point where this can be done with it."""

    status, code = 409, "draw_not_there"


@dataclass(frozen=True, slots=True, order=True)
class Listed:
    """One line of a list. ``flagged`` is always in the sample."""

    key: str
    stratum: str = ""
    flagged: bool = False


def sample_size(items: int, share_bp: int) -> int:
    """How many of ``items`` are drawn for "not less than" a share: rounded up, at least one (YC-24)."""
    return max(1, share_up(items, share_bp)) if items else 0


def band(amount_fen: int | None) -> str:
    """The band an amount lies in, ``"1"`` the lowest; ``"0"`` where it is about no money."""
    return "0" if amount_fen is None else str(1 + sum(amount_fen >= one for one in AMOUNT_BANDS_FEN))


def committed(seed: str) -> str:
    """What is published of a seed before its list is locked."""
    return sha256(seed.encode()).hexdigest()


def hash_of(items: Collection[Listed]) -> str:
    """The hash of a list, in whatever order it comes."""
    lines = (f"{one.key}\t{one.stratum}\t{int(one.flagged)}\n" for one in sorted(set(items)))
    return sha256("".join(lines).encode()).hexdigest()


def seed_of_lots(seed: str, list_hash: str, public_number: str) -> str:
    """What the lots are made from: the seed, the list it meets, and a number nobody here could choose."""
    return sha256(f"{seed}\n{list_hash}\n{public_number}".encode()).hexdigest()


def draw(items: Collection[Listed], share_bp: int, seed: str) -> tuple[str, ...]:
    """The keys drawn: the flagged ones, then the others. The order of ``items`` does not matter."""
    unique = set(items)
    flagged = sorted((one for one in unique if one.flagged), key=lambda one: _lot(seed, one.key))
    rest = sorted(
        (one for one in unique if not one.flagged),
        key=lambda one: (_lot(seed, f"stratum\n{one.stratum}"), one.stratum, _lot(seed, one.key)),
    )
    size = sample_size(len(rest), share_bp)
    start = int(_lot(seed, "start"), 16) % len(rest) if rest else 0
    places = ((step * len(rest) + start) // size for step in range(size))
    return tuple(one.key for one in (*flagged, *(rest[place] for place in places)))


def require_share(share_bp: int, least_bp: int | None, clause: str) -> None:
    """Raise :class:`ShareTooSmall` for less than the programme asks."""
    if least_bp is not None and share_bp < least_bp:
        raise ShareTooSmall(clause=clause, given_bp=share_bp, least_bp=least_bp)


def faults_of(published: Mapping[str, Any]) -> Iterator[str]:
    """What does not add up in a published draw, drawn again from nothing but what is published.

    Each is a word: ``format``, ``seed`` (not what was committed), ``list`` (not what was locked), ``drawn``
    (another sample).
    """
    try:
        items = [
            Listed(str(one["key"]), str(one["stratum"]), bool(one["flagged"])) for one in published["items"]
        ]
        seed, number = str(published["seed"]), str(published["public_number"])
        share_bp, drawn = int(published["share_bp"]), [str(one) for one in published["drawn"]]
        promised, locked = published["commitment"], published["list_hash"]
    except (KeyError, TypeError, ValueError, OverflowError):
        yield "format"
        return
    if published.get("format") != FORMAT:
        yield "format"
    if committed(seed) != promised:
        yield "seed"
    if hash_of(items) != locked:
        yield "list"
    if _again(items, share_bp, seed, number) != drawn:
        yield "drawn"


def _again(items: Sequence[Listed], share_bp: int, seed: str, public_number: str) -> list[str]:
    return list(draw(items, share_bp, seed_of_lots(seed, hash_of(items), public_number)))


def _lot(seed: str, item: str) -> str:
    return sha256(f"{seed}\n{item}".encode()).hexdigest()
