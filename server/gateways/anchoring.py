"""Anchoring: whoever keeps the hash of a day where nobody of ours can change it.

An anchor of any kind (a file on another machine, a time-stamp authority, a blockchain) is an
:class:`Anchor`. It is handed one hash a day and never a word of the journal.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Protocol

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

TIMEOUT_SECONDS = 20.0
LONGEST_ANSWER = 65_536


class AnchorAway(ConnectionError):
    """No answer, or none that can be used; asking again may help."""


class AnchorContradicts(Exception):
    """Another hash is kept for this day already: somebody signed the day a second time."""


@dataclass(frozen=True, slots=True)
class DayToKeep:
    """A day as an anchor is told of it. ``signed`` are the bytes that ``statement`` is the SHA-256 of."""

    number: int
    day: date
    root: str
    statement: str
    signed: bytes
    signature: str
    key_id: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What came back: a token to be kept for good (it may be empty) and when, by the anchor's own clock."""

    token: bytes
    at: datetime


class Anchor(Protocol):
    """Whoever keeps a day's hash. ``name`` stands in the rows: ``file``, ``rfc3161``, ``blockchain``."""

    name: str

    async def keep(self, one: DayToKeep, *, now: datetime) -> Kept:
        """Keep a day; the same day again is the same as once. Raises :class:`AnchorAway`,
        :class:`AnchorContradicts`."""

    async def fault(self, statement: str, token: bytes) -> str | None:
        """What is wrong with a token for this hash, in one sentence; ``None``: nothing."""

    def seen_at(self, token: bytes) -> datetime | None:
        """When somebody outside vouches to have seen it; ``None``: nobody signs any instant."""


class FileAnchor:
    """One line a day, appended to a file outside of the database: best on a machine of somebody else's."""

    name = "file"

    def __init__(self, file: Path) -> None:
        self._file = file

    async def keep(self, one: DayToKeep, *, now: datetime) -> Kept:
        """See :class:`Anchor`."""
        await asyncio.to_thread(self._append, one)
        return Kept(b"", now)

    async def fault(self, statement: str, token: bytes) -> str | None:
        """See :class:`Anchor`; what the file says is compared through :meth:`read`."""
        return None

    def seen_at(self, token: bytes) -> datetime | None:
        """See :class:`Anchor`: a line names no instant."""
        return None

    async def read(self) -> Mapping[int, Mapping[str, Any]]:
        """Every line by the number of its day; nothing where there is no file."""
        return await asyncio.to_thread(self._lines)

    def _lines(self) -> dict[int, dict[str, Any]]:
        try:
            said = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as fault:
            raise AnchorAway(str(fault)) from None
        # A line that a power cut left half written is not there; it is written again.
        whole = said[: said.rfind(b"\n") + 1].splitlines()
        try:
            lines: dict[int, dict[str, Any]] = {}
            for one in map(orjson.loads, filter(None, whole)):
                # What is kept is never taken back: of two lines for one day the first one counts.
                lines.setdefault(one["number"], one)
            return lines
        except (ValueError, KeyError, TypeError):
            raise AnchorAway(f"{self._file} is not readable as an anchor") from None

    def _append(self, one: DayToKeep) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._file.open("a+b") as out:
                fcntl.flock(out, fcntl.LOCK_EX)
                known = self._lines().get(one.number)
                if known is not None and known["statement"] == one.statement:
                    return
                if known is not None:
                    raise AnchorContradicts(f"day {one.number} is kept as {known['statement']}")
                line = {
                    "number": one.number,
                    "day": one.day.isoformat(),
                    "root": one.root,
                    "statement": one.statement,
                    "signature": one.signature,
                    "key_id": one.key_id,
                }
                out.seek(0)
                whole = out.read()
                if whole and not whole.endswith(b"\n"):
                    # A power cut left half a line: it was never said to be kept.
                    out.truncate(whole.rfind(b"\n") + 1)
                out.write(orjson.dumps(line) + b"\n")
                out.flush()
                os.fsync(out.fileno())
        except OSError as fault:
            raise AnchorAway(str(fault)) from None


class ChainDock:
    """A blockchain behind one small door: ``POST {url}/anchors`` with a day's number, day and hash.

    200 ``{"transaction", "block", "at", "statement"}``: it is in. 409 with the same: it was in before. The
    answer as it came is the token. Whoever has a chain (an e-evidence platform, a consortium's node) puts an
    adapter of some lines behind this door; nothing of ours depends on which chain it is.
    """

    name = "blockchain"

    def __init__(self, http: ClientSession, *, url: str) -> None:
        self._http = http
        self._address = url.rstrip("/") + "/anchors"

    async def keep(self, one: DayToKeep, *, now: datetime) -> Kept:
        """See :class:`Anchor`."""
        told = {"number": one.number, "day": one.day.isoformat(), "statement": one.statement}
        raw = await posted(self._http, self._address, orjson.dumps(told), "application/json", {200, 409})
        said = _chained(raw)
        if said["statement"] != one.statement:
            raise AnchorContradicts(f"day {one.number} is kept as {said['statement']}")
        return Kept(raw, said["at"])

    async def fault(self, statement: str, token: bytes) -> str | None:
        """See :class:`Anchor`. That the transaction stands in the chain, the chain itself shows."""
        try:
            kept = _chained(token)["statement"]
        except AnchorAway:
            return "its answer cannot be read"
        return None if kept == statement else f"it keeps {kept}"

    def seen_at(self, token: bytes) -> datetime | None:
        """See :class:`Anchor`: nobody signs the instant of the answer, and the block's is the chain's."""
        return None


async def posted(http: ClientSession, address: str, body: bytes, media_type: str, fine: set[int]) -> bytes:
    """What an anchor answers to a POST. Raises :class:`AnchorAway`."""
    try:
        async with http.post(
            address,
            data=body,
            headers={"Content-Type": media_type},
            allow_redirects=False,
            timeout=ClientTimeout(total=TIMEOUT_SECONDS),
        ) as response:
            raw = await response.content.read(LONGEST_ANSWER)
            if response.status not in fine:
                raise AnchorAway(f"{response.status} from the anchor")
            return raw
    except (ClientError, TimeoutError, OSError) as fault:
        raise AnchorAway(type(fault).__name__) from None


def _chained(raw: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(raw)
        return {"statement": str(said["statement"]), "at": datetime.fromisoformat(said["at"])}
    except (ValueError, KeyError, TypeError):
        raise AnchorAway("an answer that cannot be read") from None
