"""The shipped Lua, executed by Lua 5.1 as Redis does: compiled once, the keyspace put underneath."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from lupa.lua51 import LuaError, LuaRuntime

Call = Callable[..., Any]


class LuaEngine:
    """One Lua state for a whole simulation. ``redis.call`` goes to whatever keyspace the run is given."""

    def __init__(self) -> None:
        self._lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False)
        self._compiled: dict[str, Any] = {}
        self._call: Call | None = None
        # Like Redis: a script may not leave a global behind.
        self._lua.execute(
            "local call = ...\n"
            "redis = { call = call }\n"
            "setmetatable(_G, { __newindex = function(_, name)\n"
            "  error('Script attempted to create global variable ' .. name)\n"
            "end })",
            self._from_lua,
        )

    def run(self, text: str, keys: Sequence[str], arguments: Sequence[str], call: Call) -> Any:
        """Run a script to its end. Returns its reply as a client gets it; raises ``LuaError``."""
        script = self._compiled.get(text)
        if script is None:
            script = self._lua.execute(f"return function(KEYS, ARGV)\n{text}\nend")
            self._compiled[text] = script
        self._call = call
        return _reply(script(self._lua.table_from(keys), self._lua.table_from(arguments)))

    def _from_lua(self, command: str, *words: str | int | float) -> Any:
        assert self._call is not None
        return self._into_lua(self._call(command, *[_word(word) for word in words]))

    def _into_lua(self, value: Any) -> Any:
        if value is None:
            return False
        if isinstance(value, list):
            return self._lua.table_from([self._into_lua(each) for each in value])
        return value


def _word(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("ERR Command arguments must be strings or integers")
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.17g}"
    return str(int(value))


def _reply(value: Any) -> Any:
    """A Lua value as Redis replies it: numbers cut to integers, ``false`` as nil, tables up to a nil."""
    if value is None or value is False:
        return None
    if value is True:
        return 1
    if isinstance(value, str):
        return value
    if isinstance(value, int | float):
        return int(value)
    return [_reply(value[index]) for index in range(1, len(value) + 1)]


__all__ = ["LuaEngine", "LuaError"]
