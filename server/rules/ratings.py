"""Ratings: what may be said of a service, what counts as low, and until when it may be changed.

A scale is the programme's words, best first. A level is a word of it; nobody is given one (no default).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from server import texts
from server.errors import Unmet
from server.programme.model import Programme
from server.rules.deadlines import day_of, natural_days_after
from server.units import BASIS_POINTS

LONGEST_WORDS = 500
MOST_TAGS = 5
_NUMBER = re.compile(r"\d(?:[-\s]?\d){6,}")
"""Seven digits and more: a telephone or an identity number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What an enterprise says of a service: a level, short remarks to choose from, words of its own."""

    level: str
    tags: tuple[str, ...] = ()
    words: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What ratings add up to. ``score_bp``: the sum, each from 0 (the worst level) to 10,000 (the best)."""

    votes: int
    score_bp: int
    low: int
    by_level: Mapping[str, int]

    @property
    def average_bp(self) -> int | None:
        """The mean score, or ``None`` without a vote."""
        return self.score_bp // self.votes if self.votes else None


def said_faults(programme: Programme, said: Said) -> tuple[Unmet, ...]:
    """Everything wrong with a rating: no level or none of the scale, unknown remarks, too many words."""
    return tuple(_faults(programme, said))


def _faults(programme: Programme, said: Said) -> Iterator[Unmet]:
    scale, clause, says = programme.rating.scale, programme.rating.article, texts.RATING_FAULTS
    if said.level not in scale:
        yield Unmet("rating", clause, says["level"].format(scale=texts.LIST.join(scale)))
    unknown = [tag for tag in said.tags if tag not in texts.RATING_TAGS]
    if unknown:
        yield Unmet("rating_tags", clause, says["tags"].format(tags=texts.LIST.join(unknown)[:100]))
    if len(said.tags) > MOST_TAGS:
        yield Unmet(
            "rating_tags",
            clause,
            says["too_many_tags"].format(most=MOST_TAGS),
            f"{len(said.tags)} > {MOST_TAGS}",
        )
    if len(said.words) > LONGEST_WORDS:
        yield Unmet(
            "rating_words",
            clause,
            says["words"].format(most=LONGEST_WORDS),
            f"{len(said.words)} > {LONGEST_WORDS}",
        )


def score_bp(scale: Sequence[str], level: str) -> int:
    """Where a level stands on its scale: 10,000 for the best, 0 for the worst, evenly between."""
    steps = len(scale) - 1
    return BASIS_POINTS * (steps - scale.index(level)) // steps


def is_low(scale: Sequence[str], level: str) -> bool:
    """Whether a level is below the middle: of three the last, of five the last two."""
    least = max(1, (len(scale) - 1) // 2)
    return scale.index(level) >= len(scale) - least


def editable_until(programme: Programme, rated_at: datetime) -> datetime:
    """The instant (UTC, exclusive) until which the enterprise may change its rating.

    The natural days of the programme, the day of the rating not counted; none: given is given.
    """
    days = programme.rating.editable_natural_days
    return natural_days_after(day_of(rated_at), days).ends_at if days else rated_at


def veiled(words: str, names: Iterable[str]) -> str:
    """Words as anybody may read them: no name of the enterprise's own, no telephone or identity number."""
    for name in sorted({name for name in names if name}, key=len, reverse=True):
        words = words.replace(name, texts.RATING_SOMEBODY)
    return _NUMBER.sub("***", words)
