"""Uploads: a file on its way, part by part, until it is whole, checked and stored.

A lost connection costs nothing: what has arrived is kept, the phone asks how far it came and goes on from
there. Every part is a file of its own, so that two senders at one offset disturb nobody: the first to be
written down wins. A directory exists only beside its upload's row, so what is left over is easily told.
"""

from __future__ import annotations

import asyncio
import secrets
import shutil
from collections.abc import AsyncIterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from tortoise.functions import Sum

from server.errors import Refusal
from server.gateways.file_lab import FileLab
from server.gateways.lab import JPEG, PDF, PNG, Flawed
from server.models.files import StoredFile, Upload
from server.programme.papers import DocumentKind
from server.programme.registry import Programmes
from server.services.access import CLOCK, Actor, NotFound, organisation_id_of
from server.services.buckets import Buckets, TooManyRequests
from server.services.clocks import ProgrammeClocks
from server.services.files.evidence import Evidence
from server.services.files.file_intake import FileIntake, UploadCorrupted, UploadFinished
from server.services.files.file_safety import (
    FileRefused,
    extension_of,
    require_acceptable,
    require_declared,
    usable_name,
)

UPLOAD_LASTS = timedelta(hours=24)
MOST_OPEN = 20
MOST_STORED_BYTES = 1024 * 1024 * 1024
"""Of one organisation: some thousand papers."""
BURST, PER_SECOND = 120, 1 / 20
"""Uploads an organisation may begin: so many at once, then so many a second."""
MERGED = frozenset({JPEG, PNG, PDF})


class UploadOffsetWrong(Refusal):
    """The part does not begin where the upload stands: ask for the offset and go on from there."""

    status, code = 409, "upload_offset_wrong"


class UploadOverrun(Refusal):
    """More bytes than were announced; this part is not kept."""

    status, code = 413, "upload_overrun"


class UploadIncomplete(Refusal):
    """There are bytes still to come."""

    status, code = 409, "upload_incomplete"


class MergeImpossible(Refusal):
    """Only pictures and PDFs become one PDF, and its name must end accordingly."""

    status, code = 422, "merge_impossible"


class MergeTooLarge(Refusal):
    """However small the pictures are made, the PDF stays above the limit."""

    status, code = 422, "merge_too_large"


class TooManyUploads(Refusal):
    """So many uploads are open already that no more may be begun."""

    status, code = 409, "too_many_uploads"


class StorageFull(Refusal):
    """The organisation has stored as much as one may."""

    status, code = 409, "storage_full"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """What the sender says of a file before sending it. ``sha256`` in hex; empty: not said."""

    name: str
    size_bytes: int
    programme: str
    kind: DocumentKind
    media_type: str = ""
    sha256: str = ""


class Uploads:
    """The verbs on uploads. ``directory`` is where parts wait, shared by all workers."""

    def __init__(
        self,
        programmes: Programmes,
        clocks: ProgrammeClocks,
        evidence: Evidence,
        lab: FileLab,
        directory: Path,
    ) -> None:
        self.programmes = programmes
        self.lab = lab
        self.evidence = evidence
        self.intake = FileIntake(programmes, clocks, evidence, lab)
        self._clocks = clocks
        self._directory = directory.absolute()
        self._rates = Buckets(per_second=PER_SECOND, burst=BURST)

    async def begin(self, announced: Announced, *, actor: Actor) -> Upload:
        """Make room for a file; what can be refused by its name, size and type is refused here.

        Raises ``FileNameUnusable``, ``FileUnacceptable``, ``FileTypeMismatch``, ``UnknownProgramme``,
        :class:`TooManyUploads`, :class:`StorageFull`, ``TooManyRequests``; ``NoOrganisation`` for a person
        who acts for none.
        """
        programme = self.programmes.get(announced.programme)
        name = usable_name(announced.name)
        require_acceptable(programme, name, announced.size_bytes)
        require_declared(programme, name, announced.media_type)
        owner = None if actor.kind == "staff" else organisation_id_of(actor)
        now = self._clocks.base.now()
        await self._require_room(owner, announced.size_bytes, actor, now)
        upload = await Upload.create(
            id=secrets.token_hex(16),
            organisation_id=owner,
            uploaded_by=actor.name,
            programme_slug=programme.slug,
            kind=announced.kind,
            name=name,
            size_bytes=announced.size_bytes,
            sha256=announced.sha256.lower(),
            created_at=now,
            touched_at=now,
        )
        await asyncio.to_thread(self.folder(upload).mkdir, parents=True)
        return upload

    async def find(self, upload_id: str, *, actor: Actor) -> Upload:
        """An upload of the actor's own. Raises ``NotFound`` for anybody else's."""
        upload = await Upload.get_or_none(
            id=upload_id, uploaded_by=actor.name, organisation_id=actor.organisation_id
        )
        if upload is None:
            raise NotFound()
        return upload

    async def receive(
        self, upload_id: str, offset: int, content: AsyncIterable[bytes], *, actor: Actor
    ) -> Upload:
        """Write a part that begins at ``offset``; what came before a lost connection is kept.

        Raises :class:`UploadOffsetWrong`, :class:`UploadOverrun`, :class:`UploadFinished`, and whatever
        refusal ``content`` breaks off with, after keeping what had arrived.
        """
        upload = await self.find(upload_id, actor=actor)
        if upload.file_id is not None:
            raise UploadFinished()
        if upload.received_bytes != offset:
            raise UploadOffsetWrong(offset=upload.received_bytes)
        part = self.folder(upload) / secrets.token_hex(8)
        try:
            arrived = await _written(part, content, upload.size_bytes - offset)
        except FileNotFoundError:
            # Given up, completed or swept since we looked.
            raise NotFound() from None
        if arrived.size_bytes:
            # The WHERE clause is the lock: of two senders at one offset exactly one matches the row.
            moved = await Upload.filter(id=upload.id, received_bytes=offset, file_id=None).update(
                received_bytes=offset + arrived.size_bytes,
                parts=[*upload.parts, part.name],
                touched_at=self._clocks.base.now(),
            )
            if not moved:
                await asyncio.to_thread(part.unlink, missing_ok=True)
                upload = await self.find(upload_id, actor=actor)
                raise UploadOffsetWrong(offset=upload.received_bytes)
        if arrived.broken is not None:
            raise arrived.broken
        return await self.find(upload_id, actor=actor)

    async def complete(self, upload_id: str, *, actor: Actor) -> StoredFile:
        """Check what has arrived and store it; asked again, the same file answers.

        Raises :class:`UploadIncomplete` and every ``FileRefused``: then nothing is left of the upload.
        """
        upload = await self.find(upload_id, actor=actor)
        if upload.file_id is not None:
            return await StoredFile.get(id=upload.file_id)
        if upload.received_bytes < upload.size_bytes:
            raise UploadIncomplete(received=upload.received_bytes, size=upload.size_bytes)
        return await self._finish(upload, actor=actor)

    async def send(self, announced: Announced, content: AsyncIterable[bytes], *, actor: Actor) -> StoredFile:
        """Take a whole file at once; ``size_bytes`` is what the sender announces, 0 if it does not.

        Raises what :meth:`begin` and :meth:`complete` raise; whatever is raised, nothing is left.
        """
        programme = self.programmes.get(announced.programme)
        # One byte more than the limit is read, to tell what is too large from what just fits.
        most = programme.files.max_bytes + 1
        upload = await self.begin(replace(announced, size_bytes=announced.size_bytes or 1), actor=actor)
        try:
            await Upload.filter(id=upload.id).update(size_bytes=announced.size_bytes or most)
            try:
                upload = await self.receive(upload.id, 0, content, actor=actor)
            except UploadOverrun:
                require_acceptable(programme, upload.name, most)
                raise
            require_acceptable(programme, upload.name, upload.received_bytes)
            return await self._finish(upload, actor=actor)
        # Whatever stopped it, its own end too: nothing of a file that was not taken is left.
        except BaseException:
            await self.drop(upload)
            raise

    async def merge(self, announced: Announced, sources: Sequence[StoredFile], *, actor: Actor) -> StoredFile:
        """Several files as one PDF in this order (GZ-76); pictures are made smaller if they must be.

        Raises what :meth:`begin` raises, :class:`MergeImpossible`, :class:`MergeTooLarge`.
        """
        name = usable_name(announced.name)
        if extension_of(name) != "pdf" or any(source.media_type not in MERGED for source in sources):
            raise MergeImpossible(name=name)
        most = self.programmes.get(announced.programme).files.max_bytes
        upload = await self.begin(replace(announced, name=name, size_bytes=most), actor=actor)
        folder = self.folder(upload)
        try:
            paths = []
            for number, source in enumerate(sources):
                path = folder / f"source-{number}"
                await asyncio.to_thread(path.write_bytes, await self.evidence.read(source.original_id))
                paths.append((path, source.media_type))
            try:
                merged = await self.lab.merge(paths, folder / "merged", most)
            except Flawed:
                raise MergeTooLarge(name=name, most=most // 1024**2) from None
            await Upload.filter(id=upload.id).update(parts=["merged"])
            upload = await self.find(str(upload.id), actor=actor)
            hints = ["downscaled"] if merged["longest_side"] else []
            return await self._finish(
                upload, actor=actor, merged_from=[source.id for source in sources], hints=hints
            )
        # Whatever stopped it, its own end too: nothing of a file that was not taken is left.
        except BaseException:
            await self.drop(upload)
            raise

    async def take_whole(
        self, name: str, content: bytes, *, slug: str, sent_by: str, now: datetime
    ) -> StoredFile:
        """A file that came in one piece from somebody without an account, named ``sent_by``.

        It goes through the same intake as every file. Raises what the intake raises (``FileRefused``,
        ``UploadFinished``): what is refused leaves nothing behind.
        """
        upload = await Upload.create(
            id=secrets.token_hex(16),
            organisation_id=None,
            uploaded_by=sent_by,
            programme_slug=slug,
            kind=DocumentKind.OTHER,
            name=name,
            size_bytes=max(len(content), 1),
            received_bytes=len(content),
            parts=["sent"],
            created_at=now,
            touched_at=now,
        )
        folder = self.folder(upload)
        try:
            await asyncio.to_thread(folder.mkdir, parents=True)
            await asyncio.to_thread((folder / "sent").write_bytes, content)
            return await self.intake.take(upload, folder, actor=CLOCK)
        finally:
            await self.drop(upload)

    async def give_up(self, upload_id: str, *, actor: Actor) -> None:
        """Forget an upload and everything that arrived of it. Raises ``NotFound``, ``UploadFinished``."""
        upload = await self.find(upload_id, actor=actor)
        if upload.file_id is not None:
            raise UploadFinished()
        await self.drop(upload)

    async def drop(self, upload: Upload) -> None:
        """Take an upload away, the row first: the sweeper finds a directory without one, not the reverse."""
        await Upload.filter(id=upload.id, file_id=None).delete()
        await asyncio.to_thread(shutil.rmtree, self.folder(upload), ignore_errors=True)

    async def sweep(self, now: datetime) -> int:
        """Forget what nobody has touched for a day, and what a crash left; returns how much.

        ``now`` is the machine's instant. Safe to run at any time and by several at once.
        """
        # Directories are listed before rows: a row is always written before its directory.
        found = await asyncio.to_thread(_listed, self._directory)
        old = await Upload.filter(touched_at__lt=now - UPLOAD_LASTS)
        forgotten = 0
        for upload in old:
            # Guarded: somebody may be going on with it at this very moment.
            forgotten += await Upload.filter(id=upload.id, touched_at=upload.touched_at).delete()
        known = await Upload.filter(id__in=found, file_id=None).values_list("id", flat=True)
        for name in sorted(set(found) - {str(one) for one in known}):
            await asyncio.to_thread(shutil.rmtree, self._directory / name, ignore_errors=True)
        return forgotten + await self.evidence.sweep(now)

    def folder(self, upload: Upload) -> Path:
        """Where the parts of an upload wait."""
        return self._directory / str(upload.id)

    async def _finish(
        self, upload: Upload, *, actor: Actor, merged_from: Sequence[int] = (), hints: Sequence[str] = ()
    ) -> StoredFile:
        """Check and store what lies in an upload's parts; a refused file leaves nothing behind."""
        try:
            file = await self.intake.take(
                upload, self.folder(upload), actor=actor, merged_from=merged_from, hints=hints
            )
        except (FileRefused, UploadFinished, FileNotFoundError) as fault:
            # Somebody else may have completed it in the meantime, and taken the directory away.
            upload = await self.find(str(upload.id), actor=actor)
            if upload.file_id is not None:
                return await StoredFile.get(id=upload.file_id)
            await self.drop(upload)
            if isinstance(fault, FileNotFoundError):
                raise UploadCorrupted(name=upload.name) from None
            raise
        await asyncio.to_thread(shutil.rmtree, self.folder(upload), ignore_errors=True)
        return file

    async def _require_room(self, owner: int | None, size_bytes: int, actor: Actor, now: datetime) -> None:
        wait = self._rates.take(owner or -actor.id, now.timestamp())
        if wait:
            raise TooManyRequests(retry_after=max(1, round(wait)))
        fresh = now - UPLOAD_LASTS
        opened = await Upload.filter(uploaded_by=actor.name, file_id=None, touched_at__gte=fresh).count()
        if opened >= MOST_OPEN:
            raise TooManyUploads(most=MOST_OPEN)
        if owner is not None:
            files = StoredFile.filter(organisation_id=owner).annotate(total=Sum("size_bytes"))
            stored = int((await files.values("total"))[0]["total"] or 0)
            if stored + size_bytes > MOST_STORED_BYTES:
                arithmetic = f"{stored:,} + {size_bytes:,} > {MOST_STORED_BYTES:,}"
                raise StorageFull(arithmetic=arithmetic, most=MOST_STORED_BYTES // 1024**2)


@dataclass(frozen=True, slots=True)
class _Arrived:
    size_bytes: int
    broken: Refusal | None


async def _written(part: Path, content: AsyncIterable[bytes], room: int) -> _Arrived:
    """Write what comes, at most ``room`` bytes, through to the disk."""
    size, broken = 0, None
    with await asyncio.to_thread(part.open, "xb", 0) as file:
        try:
            async for piece in content:
                size += len(piece)
                if size > room:
                    raise UploadOverrun(limit_bytes=room)
                await asyncio.to_thread(file.write, piece)
        except UploadOverrun:
            await asyncio.to_thread(part.unlink)
            raise
        except Refusal as refusal:
            broken = refusal
    return _Arrived(size, broken)


def _listed(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir()) if directory.exists() else []
