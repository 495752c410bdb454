"""The reception: where files are handed in, with the real verbs on a real database, store and lab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from server.clock import FixedClock
from server.gateways.evidence_store import EvidenceStore
from server.gateways.file_lab import FileLab
from server.models.files import EvidenceObject, StoredFile, Upload
from server.models.journal import JournalEntry
from server.programme.papers import DocumentKind
from server.programme.registry import Programmes
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.files.evidence import Evidence
from server.services.files.uploads import Announced, Uploads
from tests.factories import MORNING, PROGRAMMES, make_enterprise

PROGRAMME = "guangzhou-2020"
_numbers = count(1)


@dataclass
class Reception:
    """Where files are handed in, by one organisation."""

    uploads: Uploads
    evidence: Evidence
    store: EvidenceStore
    clock: FixedClock
    actor: Actor
    folder: Path

    async def send(
        self,
        content: bytes,
        name: str = "材料.pdf",
        *,
        declared: str = "",
        kind: DocumentKind = DocumentKind.OTHER,
        programme: str = PROGRAMME,
    ) -> StoredFile:
        """Hand a file in at once."""
        announced = Announced(
            name=name, size_bytes=len(content), programme=programme, kind=kind, media_type=declared
        )
        return await self.uploads.send(announced, in_pieces(content), actor=self.actor)

    async def left(self) -> list[str]:
        """Everything that lies anywhere: rows, objects, directories."""
        rows = [
            f"{model.__name__} {count}"
            for model in (StoredFile, Upload, EvidenceObject, JournalEntry)
            if (count := await model.all().count())
        ]
        return rows + [path.name for path in self.folder.rglob("*") if path.is_file()]


async def in_pieces(content: bytes, size: int = 65_536) -> AsyncIterator[bytes]:
    """As a connection brings it."""
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def a_reception(lab: FileLab, folder: Path, *, organisation_id: int = 0) -> Reception:
    """A reception on whichever database is open, for a new organisation unless one is named."""
    clock, store = FixedClock(MORNING), EvidenceStore(folder / "evidence")
    evidence = Evidence(store)
    programmes = Programmes.load(PROGRAMMES)
    uploads = Uploads(programmes, ProgrammeClocks(clock), evidence, lab, folder / "uploads")
    owner = organisation_id or (await make_enterprise()).id
    actor = Actor("person", next(_numbers), "s", owner, frozenset({"handler"}))
    return Reception(uploads, evidence, store, clock, actor, folder)
