"""Evidence: bytes are in the store before a row speaks of them, and leave it only when none does.

An object's row is its lock. Storing renews its lease first; a file's row is written in a transaction that
finds the object's row still there. The sweeper takes the object away while it holds that row. So a crash
leaves an object without a file, which the sweeper finds, and never a file without its object.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import structlog
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.gateways.evidence_store import (
    EvidenceAltered,
    EvidenceMissing,
    EvidenceStore,
    hash_of,
    hash_of_file,
)
from server.models.files import EvidenceObject, StoredFile

LEASE = timedelta(hours=1)
"""How long bytes may lie in the store before a file's row speaks of them."""
SPEAKING = (
    *("originals", "shown", "exports", "export_parts"),
    *("report_pages", "report_sheets", "report_papers"),
)
"""By which relations a row speaks of an object."""

log = structlog.get_logger("server.evidence")


class EvidenceDamaged(Refusal):
    """The store gives back other bytes than were put in, or none."""

    status, code = 500, "evidence_damaged"


class Evidence:
    """The verbs on bytes. Instants are those of the machine's clock, not of a programme's."""

    def __init__(self, store: EvidenceStore) -> None:
        self._store = store

    async def keep(self, content: bytes, *, now: datetime) -> str:
        """Store bytes and return their SHA-256; call :meth:`hold` when the file's row is written."""
        await _lease(await asyncio.to_thread(hash_of, content), now)
        return await self._store.put(content)

    async def keep_file(self, path: Path, *, now: datetime) -> str:
        """The same for a file that is too long to be held in memory."""
        await _lease(await asyncio.to_thread(hash_of_file, path), now)
        return await self._store.put_file(path)

    async def pieces(self, sha256: str) -> AsyncIterator[bytes]:
        """The bytes piece by piece. Raises :class:`EvidenceDamaged`, also before the last of them."""
        try:
            async for piece in self._store.pieces(sha256):
                yield piece
        except (EvidenceAltered, EvidenceMissing) as fault:
            log.error("evidence.damaged", sha256=sha256, fault=type(fault).__name__)
            raise EvidenceDamaged() from None

    async def hold(self, *hashes: str, now: datetime) -> bool:
        """Inside the transaction that writes a file's row: lock its objects; ``False`` if one was swept."""
        wanted = sorted(set(hashes))
        # The WHERE clause is the lock: the sweeper deletes what it updates.
        return all([await EvidenceObject.filter(sha256=one).update(leased_at=now) for one in wanted])

    async def read(self, sha256: str) -> bytes:
        """The bytes, proved by their hash. Raises :class:`EvidenceDamaged`."""
        try:
            return await self._store.get(sha256)
        except (EvidenceAltered, EvidenceMissing) as fault:
            log.error("evidence.damaged", sha256=sha256, fault=type(fault).__name__)
            raise EvidenceDamaged() from None

    async def sweep(self, now: datetime) -> int:
        """Take away every object that no file speaks of and whose lease is over; returns how many.

        Objects that are in the store without a row (after a restored backup) get one, and with it a lease.
        """
        await self._adopt(now)
        swept = 0
        ended = EvidenceObject.filter(leased_at__lt=now - LEASE, originals__id=None)
        for sha256 in await ended.values_list("sha256", flat=True):
            swept += await self._sweep_one(str(sha256), now)
        return swept

    async def verify(self) -> list[str]:
        """One sentence for each object that a file speaks of and the store does not give back as it was."""
        faults: list[str] = []
        last = 0
        while files := await StoredFile.filter(id__gt=last).order_by("id").limit(200):
            for file in files:
                for sha256 in (file.original_id, file.shown_id):
                    try:
                        await self._store.get(sha256)
                    except EvidenceAltered:
                        faults.append(f"file {file.id}: {sha256} was altered")
                    except EvidenceMissing:
                        faults.append(f"file {file.id}: {sha256} is missing")
            last = files[-1].id
        return faults

    async def _sweep_one(self, sha256: str, now: datetime) -> int:
        async with in_transaction():
            # The lock. Whoever stores the same bytes now waits here, and stores them again afterwards.
            locked = await EvidenceObject.filter(sha256=sha256, leased_at__lt=now - LEASE).update(
                leased_at=now
            )
            if not locked or await _is_spoken_of(sha256):
                return 0
            await self._store.delete(sha256)
            await EvidenceObject.filter(sha256=sha256).delete()
        return 1

    async def _adopt(self, now: datetime) -> None:
        async for hashes in self._store.hashes():
            known = await EvidenceObject.filter(sha256__in=hashes).values_list("sha256", flat=True)
            strays = set(hashes) - {str(one) for one in known}
            await EvidenceObject.bulk_create(
                [EvidenceObject(sha256=sha256, leased_at=now) for sha256 in sorted(strays)],
                ignore_conflicts=True,
            )


async def _is_spoken_of(sha256: str) -> bool:
    """Asked relation by relation: two of them lead to the same table, which one statement joins but once."""
    own = EvidenceObject.filter(sha256=sha256)
    for relation in SPEAKING:
        if await own.filter(**{f"{relation}__id__isnull": False}).exists():
            return True
    return False


async def _lease(sha256: str, now: datetime) -> None:
    await EvidenceObject.bulk_create(
        [EvidenceObject(sha256=sha256, leased_at=now)],
        on_conflict=["sha256"],
        update_fields=["leased_at"],
    )
