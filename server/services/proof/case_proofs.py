"""Case proofs: the chains of a case's subjects, the way from each link to its day's root, the signed days."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from server.errors import Refusal
from server.models.journal import JournalEntry
from server.models.proof import DayAnchor, DayRoot, JournalSeal
from server.rules import merkle
from server.rules.day_statements import statement_document
from server.rules.hash_chain import link_document
from server.services.proof.journal_seals import deed_of, statement_of

PAGE = 500


class EntryNotProved(Refusal):
    """The entry is chained, and its day has no root yet; tomorrow it has."""

    status, code = 409, "entry_not_proved"


@dataclass(slots=True)
class Places:
    """The places of a case's links, day by day, as they are read."""

    of_day: dict[int, list[int]] = field(default_factory=dict)
    waiting: int = 0


async def chain_lines(
    subjects: Sequence[str], places: Places, *, hides: frozenset[str] = frozenset()
) -> AsyncIterator[dict[str, Any]]:
    """Each link of these subjects with its entry, subject by subject, in its order; ``places`` is filled.

    Entries by an actor of one of the kinds in ``hides`` (``staff``) come by their hash alone: the chain can
    be checked, and the words are not told.
    """
    days = await _days()
    for subject in subjects:
        seq = 0
        while seals := await JournalSeal.filter(subject=subject, seq__gt=seq).order_by("seq").limit(PAGE):
            wanted = [seal.entry_id for seal in seals]
            entries = {entry.id: entry for entry in await JournalEntry.filter(id__in=wanted)}
            for seal in seals:
                day = next((one for one in days if one.first_place <= seal.place <= one.last_place), None)
                if day is None:
                    places.waiting += 1
                else:
                    places.of_day.setdefault(day.number, []).append(seal.place)
                yield _line(seal, entries.get(seal.entry_id), hides)
            seq = seals[-1].seq


async def proofs(places: Places) -> AsyncIterator[dict[str, Any]]:
    """The way from each of these places to its day's root. One day's links are in memory at a time."""
    for number, wanted in sorted(places.of_day.items()):
        row = await DayRoot.get(number=number)
        ways = await _ways(row, sorted(wanted))
        for place, path in zip(sorted(wanted), ways, strict=True):
            yield {"place": place, "day": number, "path": path}


async def day_lines(numbers: Sequence[int]) -> AsyncIterator[dict[str, Any]]:
    """These days as they were signed, with what their anchors gave."""
    for number in sorted(numbers):
        yield await day_line(await DayRoot.get(number=number))


async def day_line(row: DayRoot) -> dict[str, Any]:
    """One day: statement, hash, signature, tokens."""
    kept = await DayAnchor.filter(root_id=row.number).order_by("anchor")
    return {
        "statement": statement_document(statement_of(row)),
        "hash": row.statement,
        "signature": row.signature,
        "key_id": row.key_id,
        "anchors": [{"anchor": one.anchor, "token": one.token} for one in kept],
    }


async def days_page(*, after: int, limit: int) -> list[DayRoot]:
    """The next days by their number: public, as they say nothing of any case."""
    return await DayRoot.filter(number__gt=after).order_by("number").limit(limit)


async def proof_of(place: int) -> tuple[JournalSeal, DayRoot, list[str]] | None:
    """The way of one link; ``None`` for no such place. Raises :class:`EntryNotProved`."""
    seal = await JournalSeal.get_or_none(place=place)
    if seal is None:
        return None
    row = await DayRoot.filter(first_place__lte=place, last_place__gte=place).first()
    if row is None:
        raise EntryNotProved(place=place)
    (path,) = await _ways(row, [place])
    return seal, row, path


async def _days() -> list[DayRoot]:
    return await DayRoot.all().order_by("-number")


async def _ways(row: DayRoot, places: Sequence[int]) -> list[list[str]]:
    hashes = await (
        JournalSeal.filter(place__gte=row.first_place, place__lte=row.last_place)
        .order_by("place")
        .values_list("hash", flat=True)
    )
    positions = [place - row.first_place for place in places]
    return await asyncio.to_thread(merkle.paths, [str(one) for one in hashes], positions)


def _line(seal: JournalSeal, entry: JournalEntry | None, hides: frozenset[str]) -> dict[str, Any]:
    said: dict[str, Any] = {
        "place": seal.place,
        "subject": seal.subject,
        "seq": seal.seq,
        "previous": seal.previous,
        "hash": seal.hash,
        "late": seal.late,
    }
    if entry is not None and entry.actor.partition(":")[0] not in hides:
        said["entry"] = link_document(deed_of(entry), seal.seq, seal.previous)
    return said
