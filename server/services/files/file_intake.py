"""File intake: what has arrived is proved to be what it says it is, and becomes a file."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.gateways.evidence_store import hash_of
from server.gateways.file_lab import FileLab
from server.gateways.lab import Flawed
from server.models.files import StoredFile, Upload
from server.programme.model import Programme
from server.programme.papers import DocumentKind
from server.programme.registry import Programmes
from server.services import journal
from server.services.access import Actor
from server.services.clocks import ProgrammeClocks
from server.services.files.evidence import Evidence
from server.services.files.file_safety import (
    FLAWS,
    HEAD_BYTES,
    FileBroken,
    FileRefused,
    extension_of,
    require_true,
)

STAMPED = frozenset({DocumentKind.IDENTITY, DocumentKind.LICENCE})
"""What a copy of may be misused for; these are shown with their purpose written over them."""
PICTURES = frozenset({"jpg", "jpeg", "png"})


class UploadFinished(Refusal):
    """The upload has become a file already."""

    status, code = 409, "upload_finished"


class UploadCorrupted(FileRefused):
    """What arrived is not what was announced (by its hash) or received: send it again from the beginning."""

    status, code = 422, "upload_corrupted"


class FileIntake:
    """From the parts of an upload to a stored file."""

    def __init__(
        self, programmes: Programmes, clocks: ProgrammeClocks, evidence: Evidence, lab: FileLab
    ) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self._evidence = evidence
        self._lab = lab

    async def take(
        self,
        upload: Upload,
        folder: Path,
        *,
        actor: Actor,
        merged_from: Sequence[int] = (),
        hints: Sequence[str] = (),
    ) -> StoredFile:
        """Check and store what lies in ``folder``. Raises every ``FileRefused``, :class:`UploadFinished`."""
        programme, token = self._programmes.get(upload.programme_slug), secrets.token_hex(8)
        whole, shown = folder / f"{token}.whole", folder / f"{token}.shown"
        content = await asyncio.to_thread(_joined, folder, list(upload.parts), whole)
        if not content:
            raise FileBroken(name=upload.name)
        if upload.sha256 and await asyncio.to_thread(hash_of, content) != upload.sha256:
            raise UploadCorrupted(name=upload.name)
        if not merged_from and len(content) != upload.received_bytes:
            # After a power cut a part may be shorter than what was counted.
            raise UploadCorrupted(name=upload.name)
        media_type = require_true(programme, upload.name, content[:HEAD_BYTES])
        now = self._clocks.now(programme.slug)
        watermark = _watermark(programme, upload.kind, now)
        try:
            examined = await self._lab.examine(whole, media_type, shown, watermark)
        except Flawed as flawed:
            raise FLAWS[flawed.flaw](name=upload.name) from None
        shown_content = await asyncio.to_thread(shown.read_bytes)
        kept: StoredFile | None = None
        # Only a sweeper that came between storing and writing down makes a second turn.
        while kept is None:
            kept = await self._written_down(
                upload,
                content,
                shown_content,
                actor=actor,
                now=now,
                media_type=media_type,
                shown_media_type=examined["shown_media_type"],
                pages=examined["pages"],
                hints=[*hints, *hints_asked_for(programme, upload.name, examined["hints"])],
                merged_from=list(merged_from),
            )
        return kept

    async def _written_down(
        self, upload: Upload, content: bytes, shown: bytes, *, actor: Actor, now: datetime, **found: Any
    ) -> StoredFile | None:
        """Store the bytes, then the row that speaks of them; ``None`` if an object was swept in between."""
        instant = self._clocks.base.now()
        original_id = await self._evidence.keep(content, now=instant)
        shown_id = await self._evidence.keep(shown, now=instant)
        async with in_transaction():
            if not await self._evidence.hold(original_id, shown_id, now=instant):
                return None
            file = await StoredFile.create(
                organisation_id=upload.organisation_id,
                uploaded_by=upload.uploaded_by,
                programme_slug=upload.programme_slug,
                kind=upload.kind,
                name=upload.name,
                original_id=original_id,
                shown_id=shown_id,
                size_bytes=len(content),
                extension=extension_of(upload.name),
                created_at=now,
                **found,
            )
            # The WHERE clause is the lock: an upload becomes one file, however often it is completed.
            won = await Upload.filter(id=upload.id, file_id=None).update(file_id=file.id, touched_at=instant)
            if not won:
                raise UploadFinished()
            await journal.record(
                "file.stored",
                f"file:{file.id}",
                actor=actor.name,
                at=now,
                programme_slug=upload.programme_slug,
                sha256=original_id,
                size_bytes=len(content),
                kind=upload.kind.value,
            )
        return file


def _joined(folder: Path, parts: Sequence[str], whole: Path) -> bytes:
    content = b"".join((folder / part).read_bytes() for part in parts)
    whole.write_bytes(content)
    return content


def _watermark(programme: Programme, kind: DocumentKind, now: datetime) -> str:
    if kind not in STAMPED:
        return ""
    day = now.astimezone(CHINA).date().isoformat()
    return texts.FILE_WATERMARK.format(programme=programme.name, day=day)


def hints_asked_for(programme: Programme, name: str, found: Sequence[str]) -> list[str]:
    """What the lab found, as far as the programme asks for it (GZ-77)."""
    hints = [hint for hint in found if hint != "grey" or programme.files.colour]
    if programme.files.scan_preferred and extension_of(name) in PICTURES:
        hints.append("scan_preferred")
    return hints
