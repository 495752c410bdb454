"""The house's own defaults for reviews: used where a text is silent, never part of a programme."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.programme.faults import Fault
from server.programme.loader import load_table
from server.programme.vocabulary import Actor


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDefaults:
    """What no text says of reviews that take too long. None of this is anybody's clause."""

    says: str
    """What people read beside what rests on nothing but this."""
    escalate_working_days: int
    """So many after a step was to be decided, the next one above is told."""
    ladder: tuple[Actor, ...]
    """Who is above whom, the lowest first: whoever does not stand here is below all of them."""

    def above(self, role: Actor) -> Actor | None:
        """Who is told that a step of this role is late; ``None``: nobody is above."""
        rung = self.ladder.index(role) + 1 if role in self.ladder else 0
        return self.ladder[rung] if rung < len(self.ladder) else None


def load_review_defaults(file: Path) -> ReviewDefaults:
    """Read the file. Raises ``ProgrammeError`` on the first thing that is not right."""
    return load_table(file, ReviewDefaults, _faults)


def _faults(defaults: ReviewDefaults) -> Iterator[Fault]:
    if defaults.escalate_working_days < 1:
        yield Fault("escalate_working_days", "0", "at least 1")
    if not defaults.ladder or len(set(defaults.ladder)) != len(defaults.ladder):
        yield Fault("ladder", "none, or one of them twice", "each role once, at least one")
