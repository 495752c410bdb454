"""A TCP proxy that cuts a connection at a chosen moment: before a message is passed on, or after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Stands between a client and a server.

    ``cut_before(word)`` arms it: the next message of a client that contains the word is not passed on,
    and its connection is cut. ``cut_after(word)``: it is passed on, the server's answer is awaited and
    thrown away, and the connection is cut. Each happens once.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._parts = parts
        self._before: bytes | None = None
        self._after: bytes | None = None
        self._server: asyncio.Server | None = None
        self._port = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self.cuts = 0

    @property
    def url(self) -> str:
        """The server's address, through the proxy."""
        assert self._server is not None
        user = f"{self._parts.username}@" if self._parts.username else ""
        return urlunsplit(self._parts._replace(netloc=f"{user}127.0.0.1:{self._port}"))

    def cut_before(self, word: bytes) -> None:
        """The next message with this word never arrives."""
        self._before = word

    def cut_after(self, word: bytes) -> None:
        """The next message with this word arrives; its answer does not."""
        self._after = word

    async def start(self) -> None:
        """Listen; after ``stop``, at the same address again."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        server_reader, server_writer = await asyncio.open_connection(*self._target)
        muted, answered = asyncio.Event(), asyncio.Event()
        pumps = [
            asyncio.create_task(self._questions(reader, server_writer, muted, answered)),
            asyncio.create_task(self._answers(server_reader, writer, muted, answered)),
        ]
        # Whoever hangs up, hangs up for both. A proxy that is stopped in between ends without a sound.
        with suppress(asyncio.CancelledError):
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        writer.transport.abort()
        server_writer.transport.abort()
        self._tasks.discard(task)

    async def _questions(
        self,
        reader: asyncio.StreamReader,
        server: asyncio.StreamWriter,
        muted: asyncio.Event,
        answered: asyncio.Event,
    ) -> None:
        while data := await reader.read(65_536):
            if self._before is not None and self._before in data:
                self._before = None
                self.cuts += 1
                return
            cut = self._after is not None and self._after in data
            if cut:
                self._after = None
                self.cuts += 1
                muted.set()
            server.write(data)
            if cut:
                await answered.wait()
                return

    async def _answers(
        self,
        server: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        muted: asyncio.Event,
        answered: asyncio.Event,
    ) -> None:
        while data := await server.read(65_536):
            if muted.is_set():
                answered.set()
            else:
                writer.write(data)


@asynccontextmanager
async def a_proxy(url: str) -> AsyncIterator[Proxy]:
    """A proxy in front of this address."""
    proxy = Proxy(url)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.stop()
