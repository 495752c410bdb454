"""Evidence: bytes before rows, rows before sweeping, and a crash at any point leaves no row without bytes."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from asyncpg import PostgresError
from tortoise.context import TortoiseContext
from tortoise.exceptions import BaseORMException

from server.gateways.evidence_store import EvidenceAltered, EvidenceMissing, EvidenceStore, EvidenceStoreAway
from server.gateways.file_lab import FileLab
from server.models.files import EvidenceObject, StoredFile, Upload
from server.models.journal import JournalEntry
from server.programme.papers import DocumentKind
from server.services.files.evidence import LEASE, EvidenceDamaged
from server.services.files.files import attach, of
from server.services.files.uploads import UPLOAD_LASTS, Announced
from tests.hostile.reception import Reception, a_reception, in_pieces
from tests.hostile.seeds import paper, photo

ROOT = Path(__file__).resolve().parents[3]
HOUR = timedelta(hours=1)


@pytest.fixture
async def reception(database: TortoiseContext, lab: FileLab, tmp_path: Path) -> Reception:
    """Where files are handed in, once on each kind of database."""
    return await a_reception(lab, tmp_path / "house")


async def objects(reception: Reception) -> set[str]:
    return {one async for some in reception.store.hashes() for one in some}


def overwrite(folder: Path, sha256: str, content: bytes) -> None:
    """As a broken disk or a curious administrator does."""
    next(folder.rglob(sha256)).write_bytes(content)


# -- the store -------------------------------------------------------------------------------------


async def test_what_is_stored_comes_back_under_its_hash(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "evidence")
    sha256 = await store.put(b"evidence")
    assert sha256 == hashlib.sha256(b"evidence").hexdigest()
    assert await store.put(b"evidence") == sha256
    assert await store.get(sha256) == b"evidence"
    assert [one async for one in store.hashes()] == [[sha256]]
    await store.delete(sha256)
    await store.delete(sha256)
    with pytest.raises(EvidenceMissing):
        await store.get(sha256)


async def test_a_flipped_bit_is_found_when_it_is_read(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path)
    sha256 = await store.put(b"evidence")
    overwrite(tmp_path, sha256, b"Evidence")
    with pytest.raises(EvidenceAltered):
        await store.get(sha256)


async def test_the_same_store_lies_elsewhere_by_its_address(tmp_path: Path) -> None:
    store = EvidenceStore(tmp_path / "nowhere", "memory:///")
    sha256 = await store.put(b"evidence")
    assert await store.get(sha256) == b"evidence"
    assert os.listdir(tmp_path) == []


async def test_a_store_that_does_not_answer_is_an_outage(tmp_path: Path) -> None:
    (tmp_path / "evidence").write_text("a file where the directory should be")
    with pytest.raises(EvidenceStoreAway):
        await EvidenceStore(tmp_path / "evidence").put(b"evidence")


# -- sweeping --------------------------------------------------------------------------------------


async def test_bytes_without_a_file_are_swept_when_their_lease_is_over(reception: Reception) -> None:
    now = reception.clock.now()
    sha256 = await reception.evidence.keep(b"left by a crash", now=now)
    assert await reception.evidence.sweep(now + LEASE) == 0
    assert await objects(reception) == {sha256}
    assert await reception.evidence.sweep(now + LEASE + HOUR) == 1
    assert await objects(reception) == set()
    assert await EvidenceObject.all().count() == 0


async def test_bytes_of_a_file_are_never_swept(reception: Reception) -> None:
    file = await reception.send(photo(), "照片.jpg", kind=DocumentKind.LICENCE)
    assert await reception.evidence.sweep(reception.clock.now() + timedelta(days=9_000)) == 0
    assert await objects(reception) == {file.original_id, file.shown_id}
    assert await reception.evidence.verify() == []


async def test_bytes_that_lost_their_file_are_swept(reception: Reception) -> None:
    file = await reception.send(paper())
    await StoredFile.filter(id=file.id).delete()
    assert await reception.evidence.sweep(reception.clock.now() + 2 * LEASE) == 2
    assert await objects(reception) == set()


async def test_bytes_that_two_files_share_stay_until_both_are_gone(reception: Reception) -> None:
    first, second = await reception.send(paper()), await reception.send(paper())
    assert first.original_id == second.original_id
    await StoredFile.filter(id=first.id).delete()
    assert await reception.evidence.sweep(reception.clock.now() + 2 * LEASE) == 0
    assert await reception.evidence.read(second.original_id) == paper()


async def test_bytes_that_a_restored_database_does_not_know_are_given_a_lease_first(
    reception: Reception,
) -> None:
    now, sha256 = reception.clock.now(), await reception.store.put(b"from after the backup")
    assert await reception.evidence.sweep(now) == 0
    assert await EvidenceObject.filter(sha256=sha256).count() == 1
    assert await reception.evidence.sweep(now + 2 * LEASE) == 1


async def test_a_sweeper_that_comes_between_storing_and_writing_down_costs_a_second_turn(
    reception: Reception, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold, swept = reception.evidence.hold, []

    async def late(*hashes: str, now: object) -> bool:
        if not swept:
            # As after a pause longer than the lease: the sweeper has taken the objects and their rows.
            for sha256 in hashes:
                await reception.store.delete(sha256)
                await EvidenceObject.filter(sha256=sha256).delete()
                swept.append(sha256)
        return await hold(*hashes, now=now)  # type: ignore[arg-type]

    monkeypatch.setattr(reception.evidence, "hold", late)
    file = await reception.send(paper())
    assert swept
    assert await reception.evidence.read(file.original_id) == paper()
    assert await StoredFile.all().count() == await JournalEntry.filter(action="file.stored").count() == 1


async def test_what_the_store_no_longer_gives_back_is_named(reception: Reception) -> None:
    kept, lost = await reception.send(paper()), await reception.send(paper(2))
    await reception.store.delete(lost.original_id)
    overwrite(reception.folder, kept.original_id, b"other")
    assert await reception.evidence.verify() == [
        f"file {kept.id}: {kept.original_id} was altered",
        f"file {lost.id}: {lost.original_id} is missing",
    ]
    with pytest.raises(EvidenceDamaged):
        await reception.evidence.read(lost.original_id)


async def test_an_upload_that_nobody_goes_on_with_is_forgotten(reception: Reception) -> None:
    announced = Announced(
        name="合同.pdf", size_bytes=900, programme="guangzhou-2020", kind=DocumentKind.CONTRACT
    )
    upload = await reception.uploads.begin(announced, actor=reception.actor)
    await reception.uploads.receive(str(upload.id), 0, in_pieces(bytes(100)), actor=reception.actor)
    reception.clock.advance(UPLOAD_LASTS)
    assert await reception.uploads.sweep(reception.clock.now()) == 0
    reception.clock.advance(timedelta(seconds=1))
    assert await reception.uploads.sweep(reception.clock.now()) == 1
    assert await reception.left() == []
    assert list((reception.folder / "uploads").iterdir()) == []


async def test_a_directory_without_an_upload_is_cleared_at_once(reception: Reception) -> None:
    left = reception.folder / "uploads" / ("0" * 32)
    left.mkdir(parents=True)
    (left / "part").write_bytes(b"left by a crash")
    await reception.uploads.sweep(reception.clock.now())
    assert not left.exists()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE stored_file SET name = 'x'",
        "DELETE FROM stored_file",
        "UPDATE file_attachment SET document_code = 'x'",
        "DELETE FROM file_attachment",
        "DELETE FROM evidence_object",
    ],
)
async def test_what_was_handed_in_withstands_raw_sql(reception: Reception, statement: str) -> None:
    file = await reception.send(paper())
    programme = reception.uploads.programmes.get(file.programme_slug)
    await attach([file], "registration:1", "licence", programme=programme, now=reception.clock.now())
    with pytest.raises((BaseORMException, PostgresError)):
        await EvidenceObject._meta.db.execute_query(statement)
    assert (await of("registration:1"))["licence"][0].name == file.name
    assert await reception.evidence.verify() == []


# -- a kill in the middle --------------------------------------------------------------------------

DIES = """
import asyncio, gc, json, os, sys
gc.disable()
from pathlib import Path
from server.database import open_database
from server.services.files import evidence, file_intake, uploads
from server.services import journal
from server.gateways.file_lab import FileLab
from tests.hostile.reception import a_reception
from tests.hostile.seeds import paper

async def die(*_, **__):
    os._exit(9)

async def main(url, folder, owner, where):
    await open_database(url)
    reception = await a_reception(FileLab(), Path(folder), organisation_id=owner)
    target, name = {
        "before the bytes": (evidence.Evidence, "keep"),
        "after the bytes": (evidence.Evidence, "hold"),
        "inside the transaction": (journal, "record"),
    }[where]
    setattr(target, name, die)
    await reception.send(paper())

for line in sys.stdin:
    child = os.fork()
    if not child:
        asyncio.run(main(**json.loads(line)))
        os._exit(0)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""
"""Dies as it is told, line by line, in a child of its own each time: importing it all takes longer."""


@pytest.fixture(scope="module")
async def dying() -> AsyncIterator[asyncio.subprocess.Process]:
    """The process whose children die."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        DIES,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    yield process
    await process.communicate(b"")


@pytest.mark.parametrize("where", ["before the bytes", "after the bytes", "inside the transaction"])
async def test_a_kill_leaves_no_file_without_bytes_and_the_sweeper_clears_the_rest(
    reception: Reception, dying: asyncio.subprocess.Process, database_url: str, where: str
) -> None:
    assert dying.stdin is not None
    assert dying.stdout is not None
    told = {"folder": str(reception.folder), "owner": reception.actor.organisation_id, "where": where}
    dying.stdin.write(json.dumps({"url": database_url, **told}).encode() + b"\n")
    assert await dying.stdout.readline() == b"9\n"
    assert await StoredFile.all().count() == 0
    assert await Upload.all().count() == 1
    left = {"before the bytes": 0, "after the bytes": 2, "inside the transaction": 2}[where]
    assert len(await objects(reception)) == left
    reception.clock.advance(UPLOAD_LASTS + HOUR)
    await reception.uploads.sweep(reception.clock.now())
    assert await reception.left() == []
    # And whoever was killed simply sends it again.
    file = await reception.send(paper())
    assert await reception.evidence.read(file.original_id) == paper()


# -- races -----------------------------------------------------------------------------------------


async def test_one_upload_completed_by_many_at_once_is_one_file(reception: Reception) -> None:
    content = paper()
    announced = Announced(
        name="合同.pdf", size_bytes=len(content), programme="guangzhou-2020", kind=DocumentKind.CONTRACT
    )
    upload = await reception.uploads.begin(announced, actor=reception.actor)
    await reception.uploads.receive(str(upload.id), 0, in_pieces(content), actor=reception.actor)
    asked = [reception.uploads.complete(str(upload.id), actor=reception.actor) for _ in range(6)]
    assert len({file.id for file in await asyncio.gather(*asked)}) == 1
    assert await StoredFile.all().count() == 1
    assert await JournalEntry.filter(action="file.stored").count() == 1


async def test_storing_and_sweeping_the_same_bytes_never_leave_a_file_without_them(
    reception: Reception,
) -> None:
    """Each turn the object is old enough to be swept just when somebody sends the same file again."""
    for _ in range(6):
        sent, _ = await asyncio.gather(
            reception.send(paper()), reception.evidence.sweep(reception.clock.now())
        )
        assert await reception.evidence.verify() == []
        await StoredFile.filter(id=sent.id).delete()
        reception.clock.advance(2 * LEASE)
