"""Token buckets: how often one person, or one enterprise, may knock in a rush.

Kept in the process: two workers give twice the allowance, which only has to keep one phone from
crowding out the others. The strongest rule is the programme's own: one enterprise, one voucher.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from server.errors import Refusal


class TooManyRequests(Refusal):
    """This person knocks faster than anybody needs to."""

    status, code = 429, "too_many_requests"


@dataclass(slots=True)
class _Level:
    tokens: float
    at: float


class Buckets:
    """One bucket a key: ``burst`` at once, refilled by ``per_second``; at most ``capacity`` keys."""

    def __init__(self, *, per_second: float, burst: float, capacity: int = 100_000) -> None:
        self.per_second = per_second
        self.burst = burst
        self.capacity = capacity
        self._levels: OrderedDict[int, _Level] = OrderedDict()

    def take(self, key: int, now: float) -> float:
        """Take one token; returns 0, or the seconds until there is one. ``now`` in seconds, monotonic."""
        level = self._levels.get(key)
        if level is None:
            if len(self._levels) >= self.capacity:
                self._levels.popitem(last=False)
            self._levels[key] = _Level(self.burst - 1, now)
            return 0.0
        tokens = min(self.burst, level.tokens + (now - level.at) * self.per_second)
        level.at = now
        if tokens < 1:
            level.tokens = tokens
            return (1 - tokens) / self.per_second
        level.tokens = tokens - 1
        return 0.0
