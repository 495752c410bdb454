"""Journal verification: everything recomputed, and what is wrong said by name.

Nothing in the database is believed: each link is computed anew from its entry, each root from its links,
each signature is checked with keys that do not stand in the database, each day compared with what its anchors
keep.
"""

from __future__ import annotations

import asyncio
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from tortoise.transactions import in_transaction

from server.gateways.anchoring import Anchor, AnchorAway, FileAnchor
from server.gateways.seal_keys import SealKeys, is_signed
from server.models.journal import JournalEntry
from server.models.proof import DayAnchor, DayRoot, JournalSeal
from server.rules import merkle
from server.rules.day_statements import signed_bytes, statement_hash
from server.rules.deadlines import end_of
from server.rules.hash_chain import GENESIS, Deed, link
from server.services.proof.journal_seals import deed_of, statement_of

PAGE = 2_000
STAMPED_WITHIN = timedelta(days=7)
"""So long after a day is over its time stamp may come. A later one says nothing of what stood before."""
MOST_COMPARED = 200
"""So many entries that do not fit are compared with each other, to tell a swap from a change."""

_COLUMNS = "s.place, s.entry_id, s.subject, s.seq, s.previous, s.hash, p.hash AS before"
_BEFORE = " FROM journal_seal s LEFT JOIN journal_seal p ON p.subject = s.subject AND p.seq = s.seq - 1"
_BY_PLACE = {
    "postgres": f"SELECT {_COLUMNS}{_BEFORE} WHERE s.place > $1 AND s.place <= $2 ORDER BY s.place LIMIT $3",
    "sqlite": f"SELECT {_COLUMNS}{_BEFORE} WHERE s.place > ?1 AND s.place <= ?2 ORDER BY s.place LIMIT ?3",
}
_OF_SUBJECT = {
    "postgres": f"SELECT {_COLUMNS}{_BEFORE} WHERE s.subject = $1 AND s.seq > $2 ORDER BY s.seq LIMIT $3",
    "sqlite": f"SELECT {_COLUMNS}{_BEFORE} WHERE s.subject = ?1 AND s.seq > ?2 ORDER BY s.seq LIMIT ?3",
}
_UNSEALED = {
    "postgres": "SELECT e.id FROM journal_entry e LEFT JOIN journal_seal s ON s.entry_id = e.id"
    " WHERE e.id > $1 AND e.id < $2 AND s.place IS NULL ORDER BY e.id LIMIT $3",
    "sqlite": "SELECT e.id FROM journal_entry e LEFT JOIN journal_seal s ON s.entry_id = e.id"
    " WHERE e.id > ?1 AND e.id < ?2 AND s.place IS NULL ORDER BY e.id LIMIT ?3",
}


@dataclass(slots=True)
class Findings:
    """What a verification looked at, and every fault in one sentence each."""

    sealed: int = 0
    late: int = 0
    days: int = 0
    anchored: int = 0
    waiting: int = 0
    """Sealed, and not under a root yet."""
    faults: list[str] = field(default_factory=list)
    subject: str = ""
    """The one case that was looked at; empty: all of them."""

    def summary(self) -> str:
        """One line: what was looked at, and the verdict, with what a look at one case cannot see."""
        verdict = f"{len(self.faults)} faults" if self.faults else "verified"
        looked_at = "journal"
        if self.subject:
            looked_at = (
                f"journal, {self.subject} alone (what was put in the place of its entries on a day without"
                " others of it, a run over everything sees)"
            )
        return (
            f"{looked_at}: {self.sealed} entries in chains ({self.late} late), {self.days} days signed,"
            f" {self.anchored} kept outside, {self.waiting} entries wait for their day's root: {verdict}"
        )


@dataclass(frozen=True, slots=True)
class _Unfit:
    """An entry whose content is not what was sealed under its id."""

    deed: Deed
    seal: Mapping[str, Any]


class JournalVerification:
    """The verbs of looking. Reads alone; safe beside a running server."""

    def __init__(self, keys: SealKeys, anchors: Sequence[Anchor]) -> None:
        self._keys = keys
        self._anchors = anchors

    async def verify(
        self, *, since: date | None = None, subject: str | None = None, stamped_since: date | None = None
    ) -> Findings:
        """Everything; or what was sealed from a day on; or one case (``settlement:5``) and its days.

        ``stamped_since``: the first day that a time-stamp authority was asked for; of earlier ones a late
        stamp is no fault.
        """
        found = Findings(subject=subject or "")
        first = None
        if since is not None:
            first = await DayRoot.filter(day__gte=since).order_by("number").first()
        if subject is not None:
            days = await self._of_subject(subject, found)
            await self._counted(found)
        else:
            start = first.first_place if first else 1
            await self._all_links(start, found)
            if since is None:
                await self._unsealed(found)
            days = None
        if since is None or first is not None:
            await self._days(first.number if first else 1, days, stamped_since or date.min, found)
        found.late = await JournalSeal.filter(late=True, **({"subject": subject} if subject else {})).count()
        return found

    # -- links ---------------------------------------------------------------------------------------

    async def _all_links(self, start: int, found: Findings) -> None:
        last = await JournalSeal.all().order_by("-place").first()
        upto, at = last.place if last else 0, start - 1
        unfit: list[_Unfit] = []
        while at < upto:
            rows = await _rows(_BY_PLACE, [at, upto, PAGE])
            for row in rows:
                if row["place"] != at + 1:
                    found.faults.append(f"gap: seals {at + 1} to {row['place'] - 1} were taken out")
                at = row["place"]
            if not rows:
                break
            unfit += await self._page(rows, found)
        self._name_unfit(unfit, found)

    async def _of_subject(self, subject: str, found: Findings) -> set[int]:
        """Check one chain; the places in it."""
        seq, places = 0, set[int]()
        unfit: list[_Unfit] = []
        while rows := await _rows(_OF_SUBJECT, [subject, seq, PAGE]):
            unfit += await self._page(rows, found)
            seq = rows[-1]["seq"]
            places |= {row["place"] for row in rows}
        self._name_unfit(unfit, found)
        unsealed = await JournalEntry.filter(subject=subject).count() - seq
        if unsealed > 0:
            found.waiting += unsealed
        return places

    async def _counted(self, found: Findings) -> None:
        """Places are counted without a gap: what was taken out of any day, a case's last entries too."""
        newest = await JournalSeal.all().order_by("-place").first()
        days = await DayRoot.all().order_by("number")
        signed_to = days[-1].last_place if days else 0
        last = max(signed_to, newest.place if newest else 0)
        if await JournalSeal.all().count() == last:
            return
        spans = [(f"day {day.day} (no. {day.number})", day.first_place, day.last_place) for day in days]
        for named, begins, ends in (*spans, ("what waits for its root", signed_to + 1, last)):
            left = await JournalSeal.filter(place__gte=begins, place__lte=ends).count()
            if left <= ends - begins:
                found.faults.append(f"gap: {ends - begins + 1 - left} seals of {named} were taken out")

    async def _page(self, rows: Sequence[Mapping[str, Any]], found: Findings) -> list[_Unfit]:
        entries = {
            entry.id: entry for entry in await JournalEntry.filter(id__in=[row["entry_id"] for row in rows])
        }
        unfit: list[_Unfit] = []
        for row in rows:
            found.sealed += 1
            named = f"{row['subject']} no. {row['seq']}"
            before = row["before"] if row["seq"] > 1 else GENESIS
            if before is None:
                found.faults.append(f"gap: the link before {named} was taken out")
            elif before != row["previous"]:
                found.faults.append(f"chain: {named} does not follow the link before it")
            entry = entries.get(row["entry_id"])
            if entry is None:
                found.faults.append(
                    f"removed: entry {row['entry_id']} ({named}) was taken out of the journal"
                )
                continue
            deed = deed_of(entry)
            if not _fits(deed, row):
                unfit.append(_Unfit(deed, row))
        await asyncio.sleep(0)
        return unfit

    def _name_unfit(self, unfit: Sequence[_Unfit], found: Findings) -> None:
        """Which entries hold each other's content, and which were changed."""
        left = list(unfit)
        while left:
            one = left.pop(0)
            other = next((two for two in left[:MOST_COMPARED] if _are_swapped(one, two)), None)
            if other is not None:
                left.remove(other)
                found.faults.append(f"swapped: entries {_named(one)} and {_named(other)} changed places")
            else:
                found.faults.append(f"changed: entry {_named(one)} is not what was sealed")

    async def _unsealed(self, found: Findings) -> None:
        """Entries below the newest that was sealed which nobody sealed: late, or put in behind our back."""
        newest = await JournalSeal.all().order_by("-entry_id").first()
        at, most = 0, newest.entry_id if newest else 0
        while rows := await _rows(_UNSEALED, [at, most, PAGE]):
            found.faults += [
                f"added: entry {row['id']} stands among sealed ones without a seal" for row in rows
            ]
            at = rows[-1]["id"]

    # -- days ----------------------------------------------------------------------------------------

    async def _days(self, start: int, places: set[int] | None, stamped_since: date, found: Findings) -> None:
        keys = await asyncio.to_thread(self._keys.public_keys)
        before = await DayRoot.get_or_none(number=start - 1)
        rows = await DayRoot.filter(number__gte=start).order_by("number")
        kept = await self._kept(found)
        for row in rows:
            found.days += 1
            named = f"{row.day} (no. {row.number})"
            number, place = (before.number, before.last_place) if before else (0, 0)
            if row.number != number + 1:
                found.faults.append(f"gap: days no. {number + 1} to {row.number - 1} were taken out")
            elif row.first_place != place + 1:
                found.faults.append(f"gap: day {named} does not begin where the day before it ends")
            elif row.previous != (before.statement if before else GENESIS):
                found.faults.append(f"day: {named} does not follow the day before it")
            said = statement_of(row)
            if statement_hash(said) != row.statement:
                found.faults.append(f"day: {named} says something else than its hash")
            if row.key_id not in keys:
                found.faults.append(f"signature: day {named} is signed by {row.key_id}, no key of ours")
            elif not is_signed(keys[row.key_id], row.signature, signed_bytes(said)):
                found.faults.append(f"signature: day {named} is not signed by {row.key_id}")
            if places is None or any(row.first_place <= one <= row.last_place for one in places):
                await self._root(row, named, found)
            await self._anchored(row, named, kept, stamped_since, found)
            before = row
        last = before.last_place if before else 0
        found.faults += [
            f"gap: day {line['day']} (no. {number}) is kept by the anchor's file and stands no more"
            for number, line in sorted(kept.items())
            if number > (rows[-1].number if rows else start - 1)
        ]
        waiting = JournalSeal.filter(place__gt=last)
        found.waiting += await waiting.count() if places is None else sum(1 for one in places if one > last)

    async def _root(self, row: DayRoot, named: str, found: Findings) -> None:
        hashes: list[str] = []
        at = row.first_place
        while at <= row.last_place:
            page = await (
                JournalSeal.filter(place__gte=at, place__lte=min(row.last_place, at + PAGE - 1))
                .order_by("place")
                .values_list("hash", flat=True)
            )
            hashes += [str(one) for one in page]
            at += PAGE
        if await asyncio.to_thread(merkle.root, hashes) != row.root:
            found.faults.append(f"day: the root of {named} is not the root of its {len(hashes)} links")

    async def _kept(self, found: Findings) -> dict[int, Mapping[str, Any]]:
        kept: dict[int, Mapping[str, Any]] = {}
        for anchor in self._anchors:
            if isinstance(anchor, FileAnchor):
                try:
                    kept |= await anchor.read()
                except AnchorAway as fault:
                    found.faults.append(f"anchor: {fault}")
        return kept

    async def _anchored(
        self,
        row: DayRoot,
        named: str,
        kept: Mapping[int, Mapping[str, Any]],
        stamped_since: date,
        found: Findings,
    ) -> None:
        line = kept.get(row.number)
        if line is not None and line.get("statement") != row.statement:
            found.faults.append(
                f"signed anew: day {named} has root {row.root}, the anchor's file keeps {line.get('root')}"
            )
        held = 1 if line is not None else 0
        for token in await DayAnchor.filter(root_id=row.number).order_by("id"):
            held = 1
            anchor = next((one for one in self._anchors if one.name == token.anchor), None)
            if token.statement != row.statement:
                fault: str | None = f"it was handed {token.statement}"
            elif isinstance(anchor, FileAnchor):
                fault = None if line is not None else "the line is gone"
            else:
                fault = await anchor.fault(row.statement, b64decode(token.token)) if anchor else None
            if fault is not None:
                found.faults.append(f"anchor: day {named} and what {token.anchor} keeps of it: {fault}")
            elif anchor is not None and row.day >= stamped_since:
                self._in_time(row, named, anchor.seen_at(b64decode(token.token)), token.anchor, found)
        found.anchored += held

    def _in_time(self, row: DayRoot, named: str, seen: datetime | None, anchor: str, found: Findings) -> None:
        """Name a day that somebody outside saw so late that it could have been signed anew before."""
        if seen is not None and seen > end_of(row.day) + STAMPED_WITHIN:
            found.faults.append(
                f"stamped late: day {named} was seen by {anchor} on {seen:%Y-%m-%d} for the first time,"
                f" {(seen - end_of(row.day)).days} days after it was over"
            )


def _fits(deed: Deed, seal: Mapping[str, Any]) -> bool:
    said: str = link(deed, seal["seq"], seal["previous"]).hash
    return bool(deed.subject == seal["subject"] and said == seal["hash"])


def _are_swapped(one: _Unfit, two: _Unfit) -> bool:
    """Whether each of two entries holds what was sealed as the other, under its own id or the other's."""
    return any(
        _fits(there, one.seal) and _fits(here, two.seal)
        for there, here in (
            (replace(two.deed, id=one.deed.id), replace(one.deed, id=two.deed.id)),
            (two.deed, one.deed),
        )
    )


def _named(one: _Unfit) -> str:
    return f"{one.deed.id} ({one.seal['subject']} no. {one.seal['seq']})"


async def _rows(statements: Mapping[str, str], values: Iterable[object]) -> list[dict[str, Any]]:
    async with in_transaction() as connection:
        return await connection.execute_query_dict(statements[connection.capabilities.dialect], list(values))
