"""The journal: every verb says here who did what to which case, in the transaction of the change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from server.models.journal import JournalEntry


async def record(
    action: str,
    subject: str,
    *,
    actor: str,
    at: datetime,
    programme_slug: str = "",
    **data: Any,
) -> JournalEntry:
    """Write one deed. Call it inside the transaction that makes the change.

    ``action`` is dotted and global (``round.opened``), ``subject`` and ``actor`` are ``kind:id``
    (``round:7``, ``staff:3``, ``clock``). ``data`` holds no personal data.
    """
    entry = deed(action, subject, actor=actor, at=at, programme_slug=programme_slug, **data)
    await entry.save(force_create=True)
    return entry


def deed(
    action: str, subject: str, *, actor: str, at: datetime, programme_slug: str = "", **data: Any
) -> JournalEntry:
    """The same, for whoever writes it together with the change itself."""
    return JournalEntry(
        at=at, action=action, actor=actor, subject=subject, programme_slug=programme_slug, data=data
    )


async def history(subject: str) -> list[JournalEntry]:
    """The deeds done to one case, oldest first."""
    return await JournalEntry.filter(subject=subject).order_by("id")
