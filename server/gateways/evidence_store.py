"""The evidence store: bytes by their content hash, in a directory or in an S3-compatible store.

The name of an object is the SHA-256 of its bytes, so nothing can be stored under another's name, storing
twice is storing once, and every read proves that what comes back is what was put in.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

if TYPE_CHECKING:
    from obstore.store import ClientConfig, RetryConfig

PREFIX = "evidence"
PIECE_BYTES = 1 << 20
PARTS_AT_ONCE = 2
"""Of a long file on its way into the store, so many parts of 5 MB are in memory."""
# Somebody is waiting for each answer: what is away is said to be away within half a minute.
RETRY: RetryConfig = {"max_retries": 2, "retry_timeout": timedelta(seconds=10)}
CLIENT: ClientConfig = {"timeout": timedelta(seconds=20), "connect_timeout": timedelta(seconds=5)}
_NAME = re.compile(r"[0-9a-f]{64}")

_Result = TypeVar("_Result")


class EvidenceStoreAway(ConnectionError):
    """The store does not answer; nothing is lost, and asking again may help."""


class EvidenceMissing(Exception):
    """The store has no such object."""


class EvidenceAltered(Exception):
    """What the store holds under this hash has another hash."""


class EvidenceStore:
    """One store. ``url`` names an S3-compatible one (``s3://bucket/path``); empty: the directory.

    Credentials and endpoint of an S3-compatible store come from the environment, as every tool of that
    world reads them (``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_ENDPOINT_URL``, …).
    """

    def __init__(self, directory: Path, url: str = "") -> None:
        self._directory = None if url else directory.absolute()
        self._url = url
        self._opened: ObjectStore | None = None

    async def put(self, content: bytes) -> str:
        """Store bytes and return their SHA-256 (hex); durable when this returns."""
        sha256 = await asyncio.to_thread(hash_of, content)
        await _answered((await self._store()).put_async(_key(sha256), content))
        if self._directory is not None:
            await asyncio.to_thread(_flush, self._directory / _key(sha256))
        return sha256

    async def put_file(self, path: Path) -> str:
        """Store a file piece by piece, however long it is, and return its SHA-256 (hex)."""
        sha256 = await asyncio.to_thread(hash_of_file, path)
        store = await self._store()
        await _answered(store.put_async(_key(sha256), path, max_concurrency=PARTS_AT_ONCE))
        if self._directory is not None:
            await asyncio.to_thread(_flush, self._directory / _key(sha256))
        return sha256

    async def pieces(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes with this hash, piece by piece; the last one only comes when all of them are proved.

        Raises :class:`EvidenceMissing`, and at the end :class:`EvidenceAltered`.
        """
        found = await _answered((await self._store()).get_async(_key(sha256)))
        seen, last = hashlib.sha256(), b""
        try:
            async for piece in found.stream(min_chunk_size=PIECE_BYTES):
                if last:
                    yield last
                last = bytes(piece)
                await asyncio.to_thread(seen.update, last)
        except (BaseError, OSError) as fault:
            raise EvidenceStoreAway(str(fault).partition("\n")[0]) from None
        if seen.hexdigest() != sha256:
            raise EvidenceAltered(sha256)
        yield last

    async def get(self, sha256: str) -> bytes:
        """The bytes with this hash. Raises :class:`EvidenceMissing`, :class:`EvidenceAltered`."""
        found = await _answered((await self._store()).get_async(_key(sha256)))
        content = bytes(await _answered(found.bytes_async()))
        if await asyncio.to_thread(hash_of, content) != sha256:
            raise EvidenceAltered(sha256)
        return content

    async def delete(self, sha256: str) -> None:
        """Take an object out; that it was not there is no fault."""
        try:
            await _answered((await self._store()).delete_async(_key(sha256)))
        except EvidenceMissing:
            return

    async def hashes(self) -> AsyncIterator[list[str]]:
        """The hashes of everything in the store, some at a time."""
        listing = (await self._store()).list(PREFIX)
        while True:
            try:
                batch = await anext(listing)
            except StopAsyncIteration:
                return
            except (BaseError, OSError) as fault:
                raise EvidenceStoreAway(str(fault).partition("\n")[0]) from None
            names = (one["path"].rpartition("/")[2] for one in batch)
            yield [name for name in names if _NAME.fullmatch(name)]

    async def _store(self) -> ObjectStore:
        if self._opened is None:
            self._opened = await _answered(asyncio.to_thread(self._open))
        return self._opened

    def _open(self) -> ObjectStore:
        if self._directory is None:
            # Options of ours put those of the environment aside; this one a store beside us needs.
            plain = os.environ.get("AWS_ALLOW_HTTP", "").lower() == "true"
            return from_url(self._url, retry_config=RETRY, client_options={**CLIENT, "allow_http": plain})
        return LocalStore(self._directory, mkdir=True)


def hash_of(content: bytes) -> str:
    """SHA-256 in hex: the name of an object. Some milliseconds for the largest file; call it in a thread."""
    return hashlib.sha256(content).hexdigest()


def hash_of_file(path: Path) -> str:
    """SHA-256 in hex of a file that may be long; call it in a thread."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _key(sha256: str) -> str:
    return f"{PREFIX}/{sha256[:2]}/{sha256}"


async def _answered(asked: Awaitable[_Result]) -> _Result:
    try:
        return await asked
    except FileNotFoundError:
        raise EvidenceMissing() from None
    except (BaseError, OSError) as fault:
        # The first line names what failed; the rest repeats the request.
        raise EvidenceStoreAway(str(fault).partition("\n")[0]) from None


def _flush(file: Path) -> None:
    """Write a file and its name through to the disk: a power cut must not take it back."""
    for path in (file, file.parent, file.parent.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
