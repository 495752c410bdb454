"""Printed papers: what the press made, kept as a file like any other and attached to what it is of."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from server.gateways.press import page_count
from server.models.files import FileAttachment, StoredFile
from server.programme.papers import DocumentKind
from server.services.files.evidence import Evidence, EvidenceDamaged

PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class Paper:
    """A paper of the house: whose it is, what it is of, and what it is called there."""

    organisation_id: int
    by: str
    programme_slug: str
    subject: str
    code: str
    kind: DocumentKind
    name: str


async def attach(
    paper: Paper, made: bytes, sha256: str, *, evidence: Evidence, stored_at: datetime, now: datetime
) -> StoredFile:
    """Write the file's row and hang it on its subject; inside a transaction, after ``evidence.keep``.

    ``stored_at`` is the machine's clock, ``now`` the programme's. Raises ``EvidenceDamaged`` if the bytes
    were swept away meanwhile.
    """
    if not await evidence.hold(sha256, now=stored_at):
        raise EvidenceDamaged()
    file = await StoredFile.create(
        organisation_id=paper.organisation_id,
        uploaded_by=paper.by,
        programme_slug=paper.programme_slug,
        kind=paper.kind,
        name=paper.name,
        original_id=sha256,
        shown_id=sha256,
        size_bytes=len(made),
        media_type=PDF,
        shown_media_type=PDF,
        extension="pdf",
        pages=await page_count(made),
        created_at=now,
    )
    await FileAttachment.create(
        file_id=file.id,
        subject=paper.subject,
        document_code=paper.code,
        programme_slug=paper.programme_slug,
        attached_at=now,
    )
    return file
