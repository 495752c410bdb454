"""The way to the lab: orders go to a process that opens files, and only a report comes back."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from server.gateways.lab import Examined, ExamineOrder, Flaw, Flawed, Merged, MergeOrder

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST_REPORT = 65_536
ANSWER_SECONDS = 120.0
"""The lab ends each order by itself long before; this is for a lab that was stopped."""


class FileLab:
    """Starts the lab at the first order and again should it have died; at most ``at_once`` orders run.

    Paths are absolute: the lab works in a directory of its own.
    """

    def __init__(self, *, at_once: int = 2) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._starting = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._orders: socket.socket | None = None

    async def examine(self, source: Path, media_type: str, shown: Path, watermark: str) -> Examined:
        """Open ``source`` as ``media_type`` and write the copy that may be shown to ``shown``.

        ``watermark`` is written over the copy; empty for none. Raises ``Flawed``.
        """
        order = ExamineOrder(
            job="examine",
            source=str(source),
            media_type=media_type,
            shown=str(shown),
            watermark=watermark,
        )
        return cast(Examined, await self._do(order))

    async def merge(self, sources: list[tuple[Path, str]], target: Path, max_bytes: int) -> Merged:
        """Put several files (path, media type) in this order into one PDF.

        Pictures are made smaller until it has at most ``max_bytes``; raises ``Flawed(HEAVY)`` if even
        the smallest do not fit.
        """
        paths = [(str(path), media_type) for path, media_type in sources]
        order = MergeOrder(job="merge", sources=paths, target=str(target), max_bytes=max_bytes)
        return cast(Merged, await self._do(order))

    async def close(self) -> None:
        """End the lab; orders under way end with it."""
        async with self._starting:
            self._forget()

    async def _do(self, order: ExamineOrder | MergeOrder) -> Mapping[str, Any]:
        async with self._turns:
            ours = await self._handed_over()
            reader, writer = await asyncio.open_connection(sock=ours, limit=LONGEST_REPORT)
            try:
                writer.write(json.dumps(order).encode("ascii") + b"\n")
                line = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
            except ConnectionError:
                line = b""
            finally:
                writer.close()
                with suppress(ConnectionError):
                    await writer.wait_closed()
        if not line:
            # A limit ended the child: whatever unfolds so far is not taken.
            raise Flawed(Flaw.HEAVY)
        report = json.loads(line)
        if "flaw" in report:
            raise Flawed(Flaw(report["flaw"]))
        return cast(Mapping[str, Any], report["done"])

    async def _handed_over(self) -> socket.socket:
        """Our end of a new socket whose other end the lab has."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        try:
            async with self._starting:
                try:
                    await asyncio.to_thread(self._hand, theirs)
                except OSError:
                    # The lab itself has died since the last order.
                    self._forget()
                    await asyncio.to_thread(self._hand, theirs)
        # Whatever stopped it, its own end too: our half of the pair is nobody's any more.
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        return ours

    def _hand(self, theirs: socket.socket) -> None:
        if self._process is None or self._process.poll() is not None or self._orders is None:
            self._forget()
            self._start()
        assert self._orders is not None
        socket.send_fds(self._orders, [b"o"], [theirs.fileno()])

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # No settings and no keys: whoever broke out of a parser would find an empty house.
            environment = {"PATH": os.defpath, "LANG": "C.UTF-8"}
            self._process = subprocess.Popen(
                [sys.executable, "-E", "-s", "-m", "server.gateways.lab"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env=environment,
                start_new_session=True,
            )
        self._orders = ours

    def _forget(self) -> None:
        if self._orders is not None:
            self._orders.close()
            self._orders = None
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
            self._process = None
