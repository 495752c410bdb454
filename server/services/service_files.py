"""Service files (服务档案): what is known of a provider's service, line by line (GX-57, NX-25).

Written in the transaction of whatever it tells of, once, and never changed. Admission and settlement read it
as a line of their checks; a provider reads its own, without what would tell who spoke of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.functions import Count

from server import texts
from server.models.supervision import ServiceFileEntry
from server.programme.model import Programme
from server.rules.review import Check
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import access
from server.services.access import Actor, NotFound

PAGE = 50
UNTOLD = frozenset({ServiceEntryKind.RATING, ServiceEntryKind.CALL_BACK, ServiceEntryKind.COMPLAINT})
"""Whoever is judged in these is not told which order it was, nor on what day (GX-57)."""


@dataclass(frozen=True, slots=True)
class FilePage:
    """Some entries, newest first, and where the next page starts."""

    rows: list[ServiceFileEntry]
    next_before: int | None
    own: bool
    """A provider reads its own: some things are left out."""


async def note(
    kind: ServiceEntryKind,
    event: str,
    source: str,
    *,
    provider_id: int,
    programme: Programme,
    tone: EntryTone,
    at: datetime,
    clause: str = "",
    **data: Any,
) -> None:
    """Write one line, inside the transaction of what it tells of; the same ``source`` and ``kind`` once.

    ``event`` names its sentence in ``texts.SERVICE_FILE``, ``data`` what that names: no person, and no
    enterprise where :data:`UNTOLD`.
    """
    row = ServiceFileEntry(
        provider_id=provider_id,
        programme_slug=programme.slug,
        year=programme.year_of(at),
        kind=kind,
        source=source,
        tone=tone,
        clause=clause,
        data={"event": event, **data},
        at=at,
    )
    await ServiceFileEntry.bulk_create([row], ignore_conflicts=True)


async def page(provider_id: int, *, actor: Actor, programme: str = "", before: int | None = None) -> FilePage:
    """The file of a provider, newest first: its own, or of the asker's programmes. Raises ``NotFound``."""
    own = actor.kind == "person"
    if own and actor.organisation_id != provider_id:
        raise NotFound()
    rows = ServiceFileEntry.filter(provider_id=provider_id)
    if not own:
        rows = rows.filter(access.within_programmes(actor, "programme_slug"))
        rows = rows.filter(access.within_areas(actor, "provider__area"))
    if programme:
        rows = rows.filter(programme_slug=programme)
    if before is not None:
        rows = rows.filter(id__lt=before)
    found = await rows.order_by("-id").limit(PAGE + 1)
    return FilePage(found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None, own)


def says(entry: ServiceFileEntry) -> str:
    """An entry in words."""
    return texts.SERVICE_FILE[entry.data["event"]].format(**entry.data)


async def figures(slug: str, provider_id: int, year: int | None = None) -> Mapping[str, int]:
    """How many entries of each kind and tone a provider has (``inspection.bad``), of a year or of all."""
    rows = ServiceFileEntry.filter(programme_slug=slug, provider_id=provider_id)
    if year is not None:
        rows = rows.filter(year=year)
    counted = await rows.annotate(many=Count("id")).group_by("kind", "tone").values("kind", "tone", "many")
    named = {f"{_word(row['kind'])}.{_word(row['tone'])}": int(row["many"]) for row in counted}
    return dict(sorted(named.items()))


async def check(programme: Programme, provider_id: int, *, now: datetime) -> Check:
    """The line that admission and settlement show: green without an entry against it in this year."""
    counted = await figures(programme.slug, provider_id, programme.year_of(now))
    against = {key: many for key, many in counted.items() if key.endswith(f".{EntryTone.BAD}")}
    clause = next((one.article for one in programme.samplings if one.to_service_file), "")
    arithmetic = texts.LIST.join(
        texts.SERVICE_FILE_COUNT.format(kind=texts.SERVICE_FILE_KINDS[key.partition(".")[0]], count=many)
        for key, many in against.items()
    )
    return Check("service_file", clause, texts.SERVICE_FILE_CHECK, not against, arithmetic)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))
