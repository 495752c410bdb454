"""Programme clocks: what time it is in a programme.

In production every programme lives in the present. In demo mode each lives on a day inside its own
validity, a fixed offset from the machine's clock, and every screen says so.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from server.clock import Clock
from server.programme.model import Programme


class ProgrammeClocks:
    """The machine's clock, and each programme's offset from it."""

    def __init__(self, base: Clock, offsets: dict[str, timedelta] | None = None) -> None:
        self.base = base
        self._offsets = offsets or {}

    @classmethod
    def for_demo(cls, base: Clock, programmes: Iterable[Programme], anchor: date) -> ProgrammeClocks:
        """Clocks by which it was each programme's demo day on ``anchor``, the day the demo first ran."""
        return cls(base, {one.slug: one.demo_today - anchor for one in programmes})

    def offset(self, slug: str) -> timedelta:
        """The programme's clock minus the machine's."""
        return self._offsets.get(slug, timedelta(0))

    def now(self, slug: str) -> datetime:
        """The present instant of a programme."""
        return self.base.now() + self.offset(slug)
