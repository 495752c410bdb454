"""A lane to Redis for the launch: one connection, no retries, everything of one moment in one packet.

A pooled client costs fifteen times the CPU of this and, by default, sends a script again when its reply
is lost (docs/decisions/0003). Here a command is sent once. When the connection breaks, every command
under way fails with :class:`LaneBroken`: its outcome is unknown, and the protocol above knows what to do.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import hiredis

LUA = Path(__file__).parent / "lua"
INCOMPLETE = object()


class LaneBroken(Exception):
    """The connection is gone or silent; what was under way may or may not have run."""


class Script:
    """A Lua script, known to Redis by the hash of its text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    @classmethod
    def named(cls, name: str) -> Script:
        """The script that is shipped as ``lua/<name>.lua``."""
        return cls((LUA / f"{name}.lua").read_text(encoding="utf-8"))


class Link(Protocol):
    """One connection to one Redis process. It never becomes a connection to another."""

    run_id: str

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any: ...


class Lane(Protocol):
    """Where a link comes from; a new one when the last one broke."""

    async def link(self) -> Link: ...


class RedisLink(asyncio.Protocol):
    """A connection: commands written in one tick leave together, replies come back in order."""

    def __init__(self, timeout_seconds: float) -> None:
        self.run_id = ""
        self.timeout_seconds = timeout_seconds
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(encoding="utf-8", errors="replace", notEnoughData=INCOMPLETE)
        self._waiting: deque[tuple[float, asyncio.Future[Any]]] = deque()
        self._outgoing: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None

    @property
    def broken(self) -> bool:
        return self._transport is None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports have the methods without the base class.
        self._transport = cast(asyncio.Transport, transport)
        self._watch = self._loop.call_later(self.timeout_seconds / 2, self._look)

    def data_received(self, data: bytes) -> None:
        self._reader.feed(data)
        while (reply := self._reader.gets()) is not INCOMPLETE:
            _, future = self._waiting.popleft()
            if future.done():
                continue
            if isinstance(reply, hiredis.ReplyError):
                future.set_exception(reply)
            else:
                future.set_result(reply)

    def connection_lost(self, error: Exception | None) -> None:
        self.break_off("connection lost")

    def break_off(self, why: str) -> None:
        """Give the connection up; everything under way fails."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()
        if self._watch is not None:
            self._watch.cancel()
        while self._waiting:
            _, future = self._waiting.popleft()
            if not future.done():
                future.set_exception(LaneBroken(why))

    def call(self, *command: str | int) -> asyncio.Future[Any]:
        """Send one command; its reply comes through the future."""
        if self._transport is None:
            raise LaneBroken("no connection")
        if not self._outgoing:
            self._loop.call_soon(self._send)
        # The stub of pack_command asks for a tuple of one.
        self._outgoing.append(hiredis.pack_command(cast(Any, command)))
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((self._loop.time() + self.timeout_seconds, future))
        return future

    async def run(self, script: Script, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script once. Errors of the script itself are raised as ``hiredis.ReplyError``."""
        try:
            return await self.call("EVALSHA", script.sha, len(keys), *keys, *arguments)
        except hiredis.ReplyError as error:
            # Unknown to this server means that nothing ran: sending the text is not a second run.
            if not str(error).startswith("NOSCRIPT"):
                raise
        return await self.call("EVAL", script.text, len(keys), *keys, *arguments)

    def _send(self) -> None:
        if self._transport is not None:
            self._transport.write(b"".join(self._outgoing))
        self._outgoing.clear()

    def _look(self) -> None:
        """Notice a silent peer: one timer for the connection instead of one for each command."""
        if self._waiting and self._waiting[0][0] < self._loop.time():
            self.break_off("no reply in time")
        elif self._transport is not None:
            self._watch = self._loop.call_later(self.timeout_seconds / 2, self._look)


class RedisLane:
    """Hands out the one link of this process, and opens a new one when it broke."""

    def __init__(self, url: str, *, timeout_seconds: float = 2.0) -> None:
        address = urlsplit(url)
        self.host = address.hostname or "127.0.0.1"
        self.port = address.port or 6379
        self.database = int(address.path.strip("/") or 0)
        self.username = address.username
        self.password = address.password
        self.timeout_seconds = timeout_seconds
        self._link: RedisLink | None = None
        self._opening: asyncio.Lock = asyncio.Lock()

    async def link(self) -> RedisLink:
        """The link, opened and introduced. Raises :class:`LaneBroken` when there is no Redis."""
        link = self._link
        if link is not None and not link.broken:
            return link
        async with self._opening:
            if self._link is None or self._link.broken:
                self._link = await self._open()
            return self._link

    async def _open(self) -> RedisLink:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self.timeout_seconds):
                _, link = await loop.create_connection(
                    lambda: RedisLink(self.timeout_seconds), self.host, self.port
                )
                if self.password is not None:
                    user = (self.username,) if self.username else ()
                    await link.call("AUTH", *user, self.password)
                await link.call("SELECT", self.database)
                information = str(await link.call("INFO", "server"))
        except (OSError, TimeoutError, hiredis.ReplyError) as error:
            raise LaneBroken(f"no Redis at {self.host}:{self.port}") from error
        lines = dict(line.split(":", 1) for line in information.splitlines() if ":" in line)
        link.run_id = lines["run_id"]
        return link

    def close(self) -> None:
        """Let the link go."""
        if self._link is not None:
            self._link.break_off("closed")
