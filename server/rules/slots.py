"""Slots: the instants at which a job is due, every so often or daily at a time of day in China."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from server.clock import CHINA

MOST_MISSED = 400
"""Daily slots further back than this are not caught up: the newest ones are."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Every:
    """Every so many seconds. Slots that were missed are one slot: the latest."""

    seconds: int

    def due(self, last: datetime | None, now: datetime) -> datetime | None:
        """The slot to run next if ``last`` was the latest so far; ``None`` if none is due."""
        slot = self._latest(now)
        return slot if last is None or slot > last else None

    def next_after(self, now: datetime) -> datetime:
        """The first slot that lies after ``now``."""
        return self._latest(now) + timedelta(seconds=self.seconds)

    def _latest(self, now: datetime) -> datetime:
        return now - (now - _EPOCH) % timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Daily:
    """Daily at a time of day in Asia/Shanghai. Every slot that was missed is run, oldest first."""

    at: time

    def due(self, last: datetime | None, now: datetime) -> datetime | None:
        """The slot to run next if ``last`` was the latest so far; ``None`` if none is due.

        A job that never ran begins with its latest slot.
        """
        latest = self.next_after(now) - _DAY
        if last is None:
            return latest
        following = max(self.next_after(last), latest - MOST_MISSED * _DAY)
        return following if following <= now else None

    def next_after(self, now: datetime) -> datetime:
        """The first slot that lies after ``now``."""
        local = now.astimezone(CHINA)
        slot = datetime.combine(local.date(), self.at, CHINA)
        return (slot if slot > local else slot + _DAY).astimezone(UTC)


Plan = Every | Daily
"""When a job is due."""
