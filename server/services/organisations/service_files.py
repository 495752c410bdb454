"""Service files (服务档案): what is known of a provider's service, line by line (GX-57, NX-25).

Written in the transaction of whatever it tells of, once, and never changed. Admission and settlement read it
as a line of their checks; a provider reads its own, without what would tell who spoke of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tortoise.functions import Count

from server import texts
from server.models.orders import Order
from server.models.settlements import Settlement
from server.models.supervision import ServiceFileEntry
from server.programme.model import Programme
from server.rules.orders import OrderStatus
from server.rules.review import Check
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import access
from server.services.access import Actor, NotFound
from server.units import yuan

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

    ``clears`` among ``data`` names the source of an entry that counts no more.
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


async def known(provider_id: int, kind: ServiceEntryKind, source: str) -> bool:
    """Whether something has its line in a provider's file already."""
    return await ServiceFileEntry.exists(provider_id=provider_id, kind=kind, source=source)


async def order_ended(order: Order, programme: Programme, *, now: datetime) -> None:
    """An order came to its end: done, or not; inside the transaction that ends it."""
    done = order.status is OrderStatus.DONE
    await note(
        ServiceEntryKind.ORDER,
        "order_done" if done else "order_ended",
        f"order:{order.id}:{order.status.value}",
        provider_id=order.provider_id,
        programme=programme,
        tone=EntryTone.GOOD if done else EntryTone.PLAIN,
        at=now,
        number=order.number,
        status=texts.SERVICE_FILE_ENDS.get(order.status.value, ""),
    )


async def settled(settlement: Settlement, *, now: datetime) -> None:
    """A settlement was paid; inside the transaction of the bank's word."""
    reduced = settlement.reduced_fen > 0
    row = ServiceFileEntry(
        provider_id=settlement.provider_id,
        programme_slug=settlement.programme_slug,
        year=settlement.year,
        kind=ServiceEntryKind.SETTLEMENT,
        source=f"settlement:{settlement.id}",
        tone=EntryTone.PLAIN,
        clause=settlement.clause[:120] if reduced else "",
        data={
            "event": "reduced" if reduced else "settled",
            "amount": yuan(settlement.amount_fen),
            "reduced": yuan(settlement.reduced_fen),
        },
        at=now,
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
    year = programme.year_of(now)
    rows = ServiceFileEntry.filter(programme_slug=programme.slug, provider_id=provider_id, year=year)
    told = await rows.only("id", "kind", "source", "tone", "data")
    # What was found otherwise later stands against nobody any more.
    cleared = {str(one.data.get("clears", "")) for one in told}
    bad = [one for one in told if one.tone is EntryTone.BAD and one.source not in cleared]
    against = Counter(one.kind.value for one in bad)
    clause = next((one.article for one in programme.samplings if one.to_service_file), "")
    arithmetic = texts.LIST.join(
        texts.SERVICE_FILE_COUNT.format(kind=texts.SERVICE_FILE_KINDS[kind], count=many)
        for kind, many in sorted(against.items())
    )
    return Check("service_file", clause, texts.SERVICE_FILE_CHECK, not against, arithmetic)


def _word(value: Any) -> str:
    return str(getattr(value, "value", value))
