"""A Redis in memory: the commands that our scripts use, with the quirks that they could trip over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from tests.simulation.lua import LuaEngine

SNAPSHOTS_KEPT = 8


class Stream:
    """A stream: entries by id, and the last id ever given, which survives its entry."""

    __slots__ = ("entries", "last")

    def __init__(self) -> None:
        self.entries: dict[str, list[str]] = {}
        self.last = (0, 0)

    def copy(self) -> Stream:
        """The stream as it is now."""
        other = Stream()
        other.entries, other.last = dict(self.entries), self.last
        return other


Keyspace = dict[str, dict[str, str] | Stream]


class MemoryRedis:
    """One Redis process. Losing it is a new object with another ``run_id``, empty or older."""

    def __init__(
        self, engine: LuaEngine, run_id: str, now: Callable[[], float], keyspace: Keyspace | None = None
    ) -> None:
        self.engine = engine
        self.run_id = run_id
        self.now = now
        self.keyspace: Keyspace = keyspace if keyspace is not None else {}
        self.snapshots: list[Keyspace] = []
        self.alive = True
        self.frozen_until = 0.0
        self.wrote = False

    def execute(self, text: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script, atomically, at this instant."""
        self.wrote = False
        return self.engine.run(text, keys, [str(each) for each in arguments], self._call)

    def remember(self) -> None:
        """Keep the present state as one to which a restart may fall back."""
        self.snapshots.append(copied(self.keyspace))
        del self.snapshots[:-SNAPSHOTS_KEPT]

    def _call(self, command: str, *words: str) -> Any:
        return _COMMANDS[command](self, *words)

    def hash(self, key: str) -> dict[str, str]:
        """The hash under a key; an empty one where there is none."""
        found = self.keyspace.get(key)
        if found is None:
            return {}
        if not isinstance(found, dict):
            raise TypeError("WRONGTYPE")
        return found

    def stream(self, key: str) -> Stream | None:
        """The stream under a key."""
        found = self.keyspace.get(key)
        if found is not None and not isinstance(found, Stream):
            raise TypeError("WRONGTYPE")
        return found

    def _hget(self, key: str, field: str) -> str | None:
        return self.hash(key).get(field)

    def _hmget(self, key: str, *fields: str) -> list[str | None]:
        found = self.hash(key)
        return [found.get(field) for field in fields]

    def _hset(self, key: str, *pairs: str) -> int:
        if not pairs or len(pairs) % 2:
            raise TypeError("ERR wrong number of arguments for 'hset' command")
        self.wrote = True
        found = self.hash(key)
        self.keyspace[key] = found
        before = len(found)
        found.update(zip(pairs[::2], pairs[1::2], strict=True))
        return len(found) - before

    def _hincrby(self, key: str, field: str, by: str) -> int:
        self.wrote = True
        found = self.hash(key)
        self.keyspace[key] = found
        value = int(found.get(field, "0")) + int(by)
        found[field] = str(value)
        return value

    def _hdel(self, key: str, *fields: str) -> int:
        self.wrote = True
        found = self.hash(key)
        removed = sum(found.pop(field, None) is not None for field in fields)
        if not found:
            self.keyspace.pop(key, None)
        return removed

    def _hlen(self, key: str) -> int:
        return len(self.hash(key))

    def _hkeys(self, key: str) -> list[str]:
        return list(self.hash(key))

    def _del(self, *keys: str) -> int:
        self.wrote = True
        return sum(self.keyspace.pop(key, None) is not None for key in keys)

    def _time(self) -> list[str]:
        microseconds = self._microseconds()
        return [str(microseconds // 1_000_000), str(microseconds % 1_000_000)]

    def _microseconds(self) -> int:
        return round(self.now() * 1_000_000)

    def _xadd(self, key: str, *words: str) -> str:
        self.wrote = True
        longest: int | None = None
        if words[0] == "MAXLEN":
            longest, words = int(words[1]), words[2:]
        if words[0] != "*" or len(words) % 2 == 0:
            raise TypeError("ERR wrong number of arguments for 'xadd' command")
        stream = self.stream(key) or Stream()
        self.keyspace[key] = stream
        # Ids only grow, whatever the clock does.
        stream.last = max((self._microseconds() // 1000, 0), (stream.last[0], stream.last[1] + 1))
        name = f"{stream.last[0]}-{stream.last[1]}"
        stream.entries[name] = list(words[1:])
        while longest is not None and len(stream.entries) > longest:
            del stream.entries[next(iter(stream.entries))]
        return name

    def _xdel(self, key: str, *names: str) -> int:
        self.wrote = True
        stream = self.stream(key)
        return 0 if stream is None else sum(stream.entries.pop(name, None) is not None for name in names)

    def _xlen(self, key: str) -> int:
        stream = self.stream(key)
        return 0 if stream is None else len(stream.entries)

    def _xrange(self, key: str, start: str, end: str, word: str, limit: str) -> list[Any] | None:
        assert (start, word) == ("-", "COUNT"), "only what our scripts ask for"
        stream = self.stream(key)
        if stream is None:
            return []
        if int(limit) == 0:
            return None
        # An end without a sequence number takes in the whole millisecond.
        inside = [name for name in stream.entries if int(name.partition("-")[0]) <= int(end)]
        return [[name, list(stream.entries[name])] for name in inside[: int(limit)]]


def copied(keyspace: Keyspace) -> Keyspace:
    """An independent copy of everything stored."""
    return {key: value.copy() for key, value in keyspace.items()}


_COMMANDS: dict[str, Callable[..., Any]] = {
    name.removeprefix("_").upper(): getattr(MemoryRedis, name)
    for name in (
        *("_hget", "_hmget", "_hset", "_hincrby", "_hdel", "_hlen", "_hkeys"),
        *("_del", "_time", "_xadd", "_xdel", "_xlen", "_xrange"),
    )
}
