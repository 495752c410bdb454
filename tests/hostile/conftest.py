"""A house that takes files: the real verbs on a real database, store and lab, without HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.database import close_database, open_database
from server.gateways.evidence_store import EvidenceStore
from server.gateways.file_lab import FileLab
from server.models.files import EvidenceObject, StoredFile, Upload
from server.models.journal import JournalEntry
from server.programme.papers import DocumentKind
from server.programme.registry import Programmes
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.evidence import Evidence
from server.services.uploads import Announced, Uploads
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


@pytest.fixture(scope="session")
async def lab() -> AsyncIterator[FileLab]:
    """One lab for all tests, as a server has one."""
    lab = FileLab()
    yield lab
    await lab.close()


@pytest.fixture(scope="session")
def programmes() -> Programmes:
    """All programmes of the house."""
    return Programmes.load(PROGRAMMES)


@pytest.fixture
async def sqlite(sqlite_url: str) -> AsyncIterator[TortoiseContext]:
    """A database of this test alone."""
    context = await open_database(sqlite_url)
    yield context
    await close_database(context)


@pytest.fixture
async def reception(
    sqlite: TortoiseContext, lab: FileLab, programmes: Programmes, tmp_path: Path
) -> Reception:
    """Where one organisation hands files in."""
    return await a_reception(lab, programmes, tmp_path / "house")


async def a_reception(lab: FileLab, programmes: Programmes, folder: Path) -> Reception:
    """The same on whichever database is open."""
    clock = FixedClock(MORNING)
    store = EvidenceStore(folder / "evidence")
    evidence = Evidence(store)
    uploads = Uploads(programmes, ProgrammeClocks(clock), evidence, lab, folder / "uploads")
    organisation = await make_enterprise()
    actor = Actor("person", next(_numbers), "s", organisation.id, frozenset({"handler"}))
    return Reception(uploads, evidence, store, clock, actor, folder)
