"""Case archive: a ZIP that is written piece by piece, with the hash of everything in it.

Every file carries the same date, so that the same content gives the same bytes.
"""

from __future__ import annotations

import asyncio
import hashlib
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType

SAME_DATE = (1980, 1, 1, 0, 0, 0)
PIECE_BYTES = 1 << 20
PERMISSIONS = 0o644 << 16
UNIX = 3


class CaseArchive:
    """One ZIP under way. ``hashes`` and ``sizes`` are those of what is in it so far, by name."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.hashes: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        self.damaged: list[str] = []
        """Names of what could not be given back as it once came."""

    async def __aenter__(self) -> CaseArchive:
        self._zip = await asyncio.to_thread(zipfile.ZipFile, self._path, "w")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self._zip.close)

    async def add(self, name: str, content: bytes, *, packed: bool = True) -> None:
        """One small file at once."""
        async with self.writing(name, packed=packed) as out:
            await out(content)

    @asynccontextmanager
    async def writing(
        self, name: str, *, packed: bool = True
    ) -> AsyncIterator[Callable[[bytes], Awaitable[None]]]:
        """One file, piece by piece: what is yielded takes the pieces. Small ones are gathered first."""
        info = zipfile.ZipInfo(name, SAME_DATE)
        info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
        info.external_attr, info.create_system = PERMISSIONS, UNIX
        made, size, gathered = hashlib.sha256(), 0, bytearray()
        target = self._zip.open(info, "w", force_zip64=True)

        def flush() -> None:
            made.update(gathered)
            target.write(bytes(gathered))
            gathered.clear()

        async def out(piece: bytes) -> None:
            nonlocal size
            size += len(piece)
            gathered.extend(piece)
            if len(gathered) >= PIECE_BYTES:
                await asyncio.to_thread(flush)

        try:
            yield out
            await asyncio.to_thread(flush)
        finally:
            await asyncio.to_thread(target.close)
        self.hashes[name], self.sizes[name] = made.hexdigest(), size
