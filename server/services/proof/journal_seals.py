"""Journal seals: entries chained behind the write, a signed root for each day, its hash kept outside.

A verb writes its entry and is done; the chain is made a moment later, in pages, by whoever has the job. So a
launch pays nothing, and what is changed within that moment is not noticed (docs/decisions/0035). Ids are
given before a transaction ends, so only what is older than :data:`HORIZON` is chained; what shows up below it
later is chained then, and marked as late.
"""

from __future__ import annotations

import asyncio
from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import structlog
from tortoise.exceptions import IntegrityError
from tortoise.functions import Max
from tortoise.transactions import in_transaction

from server.clock import CHINA, Clock
from server.gateways.anchoring import Anchor, AnchorAway, AnchorContradicts, DayToKeep
from server.gateways.seal_keys import SealKeys
from server.models.journal import JournalEntry
from server.models.proof import DayAnchor, DayRoot, JournalSeal
from server.rules import merkle
from server.rules.day_statements import Statement, signed_bytes, statement_hash
from server.rules.hash_chain import GENESIS, Deed, Link, chain

HORIZON = timedelta(seconds=10)
"""How long an id that was given may take to be committed."""
LOOK_BACK = 20_000
"""So many ids below the newest that was sealed are looked through for late ones."""
PAGE = 500
READ_AT_ONCE = 5_000

log = structlog.get_logger("server.journal")

_UNSEALED = {
    "postgres": "SELECT e.id FROM journal_entry e LEFT JOIN journal_seal s ON s.entry_id = e.id"
    " WHERE e.id > $1 AND e.id <= $2 AND s.place IS NULL ORDER BY e.id LIMIT $3",
    "sqlite": "SELECT e.id FROM journal_entry e LEFT JOIN journal_seal s ON s.entry_id = e.id"
    " WHERE e.id > ?1 AND e.id <= ?2 AND s.place IS NULL ORDER BY e.id LIMIT ?3",
}


@dataclass(frozen=True, slots=True)
class _Noted:
    """The newest entry there was at some instant."""

    at: datetime
    entry_id: int


async def _no_turn() -> None:
    """Wait for nobody."""


class JournalSeals:
    """The verbs of sealing. ``anchors`` may be given later, before the first turn."""

    def __init__(self, clock: Clock, keys: SealKeys, anchors: Sequence[Anchor] = ()) -> None:
        self._clock = clock
        self._keys = keys
        self.anchors = list(anchors)
        self._noted: list[_Noted] = []

    async def turn(self, *, turn: Callable[[], Awaitable[None]] = _no_turn) -> int:
        """One turn of the job: chain what is old enough, close the days that are over, have them kept.

        ``turn`` is awaited before each page. Returns how many entries were chained.
        """
        now = self._clock.now()
        sealed = 0
        upto = await self._horizon(now)
        if upto:
            newest = await _newest_sealed()
            sealed = await self._seal(max(0, newest - LOOK_BACK), upto, turn)
        await self.close_days(before=_china_day(now))
        await self.keep_days()
        return sealed

    async def public_keys(self) -> Mapping[str, str]:
        """Every key that signs or signed, by id: the public half in hex.

        There is always one: whoever wants to check the first day knows its key before it is signed.
        """
        known = await asyncio.to_thread(self._keys.public_keys)
        if not known:
            await asyncio.to_thread(self._keys.make_sure, today=_china_day(self._clock.now()))
            known = await asyncio.to_thread(self._keys.public_keys)
        return known

    async def newest_entry(self) -> int:
        """The highest id there is now; 0: the journal is empty."""
        return await _newest_entry()

    async def seal_all(self, upto: int | None = None) -> int:
        """Chain every entry up to an id; without one, up to the newest: nobody may write meanwhile."""
        return await self._seal(0, await _newest_entry() if upto is None else upto, _no_turn)

    async def close_days(self, *, before: date) -> int:
        """Sign a root for each day before this one that has entries and no root; returns how many."""
        closed = 0
        while await self._close_next(before):
            closed += 1
        return closed

    async def keep_days(self) -> int:
        """Have every anchor keep the days it has not; returns how many hashes were taken. Safe to repeat.

        An anchor that is away is asked again next time. One that keeps another hash is said loudly, here
        and by ``journal verify``; no later day is handed to it.
        """
        return sum([await self._keep_with(anchor) for anchor in self.anchors])

    async def _horizon(self, now: datetime) -> int:
        """Up to which id everything that will be committed has been, as far as this process saw."""
        self._noted = [one for one in self._noted if one.at <= now]
        self._noted.append(_Noted(now, await _newest_entry()))
        old_enough = [one for one in self._noted if one.at <= now - HORIZON]
        self._noted = old_enough[-1:] + [one for one in self._noted if one.at > now - HORIZON]
        return old_enough[-1].entry_id if old_enough else 0

    async def _seal(self, floor: int, upto: int, turn: Callable[[], Awaitable[None]]) -> int:
        sealed = 0
        while True:
            await turn()
            try:
                page = await self._seal_page(floor, upto)
            except IntegrityError:
                # Somebody else chained the same entries at the same moment; ours were not written.
                log.info("journal.sealed_elsewhere")
                return sealed
            sealed += len(page)
            if len(page) < PAGE:
                return sealed
            floor = page[-1]

    async def _seal_page(self, floor: int, upto: int) -> list[int]:
        async with in_transaction() as connection:
            dialect = connection.capabilities.dialect
            rows = await connection.execute_query_dict(_UNSEALED[dialect], [floor, upto, PAGE])
            ids = [int(row["id"]) for row in rows]
            if not ids:
                return []
            entries = await JournalEntry.filter(id__in=ids).order_by("id")
            deeds = [deed_of(entry) for entry in entries]
            newest, place = await _newest_sealed(), await _last_place()
            links = chain(deeds, await _heads(sorted({deed.subject for deed in deeds})))
            now = self._clock.now()
            late = [deed.id for deed in deeds if deed.id < newest]
            await JournalSeal.bulk_create(
                JournalSeal(
                    place=number,
                    entry_id=deed.id,
                    subject=deed.subject,
                    seq=made.seq,
                    previous=made.previous,
                    hash=made.hash,
                    late=deed.id < newest,
                    sealed_at=now,
                )
                for number, (deed, made) in enumerate(zip(deeds, links, strict=True), place + 1)
            )
        if late:
            log.warning("journal.late_entries", entries=late[:20], count=len(late))
        return ids

    async def _close_next(self, before: date) -> bool:
        last = await DayRoot.all().order_by("-number").first()
        start = last.last_place + 1 if last else 1
        first = await JournalSeal.get_or_none(place=start)
        if first is None:
            return False
        day = _china_day(first.sealed_at)
        if last is not None and day <= last.day:
            # That day was closed before it was over, or a clock went back: the next one takes it on.
            day = last.day + timedelta(days=1)
        if day >= before:
            return False
        ends = datetime.combine(day + timedelta(days=1), time(), CHINA)
        within = await JournalSeal.filter(place__gte=start, sealed_at__lt=ends).order_by("-place").first()
        said = await self._stated(last, day, start, within.place if within else start)
        key_id, signature = await asyncio.to_thread(
            self._keys.sign, signed_bytes(said), today=_china_day(self._clock.now())
        )
        try:
            await DayRoot.create(
                number=said.number,
                day=said.day,
                first_place=said.first_place,
                last_place=said.last_place,
                first_entry=said.first_entry,
                last_entry=said.last_entry,
                root=said.root,
                previous=said.previous,
                statement=statement_hash(said),
                signature=signature,
                key_id=key_id,
                signed_at=self._clock.now(),
            )
        except IntegrityError:
            log.info("journal.day_closed_elsewhere", day=day.isoformat())
            return False
        log.info("journal.day_closed", day=day.isoformat(), entries=said.count)
        return True

    async def _stated(self, last: DayRoot | None, day: date, start: int, end: int) -> Statement:
        hashes: list[str] = []
        lowest = highest = 0
        while start + len(hashes) <= end:
            at = start + len(hashes)
            page = await (
                JournalSeal.filter(place__gte=at, place__lte=min(end, at + READ_AT_ONCE - 1))
                .order_by("place")
                .values_list("hash", "entry_id")
            )
            if not page:
                break
            entry_ids = [int(entry_id) for _, entry_id in page]
            lowest = min([*entry_ids, *([lowest] if lowest else [])])
            highest = max([*entry_ids, highest])
            hashes += [str(made) for made, _ in page]
        return Statement(
            number=last.number + 1 if last else 1,
            day=day,
            first_place=start,
            last_place=end,
            first_entry=lowest,
            last_entry=highest,
            root=await asyncio.to_thread(merkle.root, hashes),
            previous=last.statement if last else GENESIS,
        )

    async def _keep_with(self, anchor: Anchor) -> int:
        kept = 0
        while True:
            known = await DayAnchor.filter(anchor=anchor.name).order_by("-root_id").first()
            row = await DayRoot.filter(number__gt=known.root_id if known else 0).order_by("number").first()
            if row is None:
                return kept
            told = DayToKeep(
                number=row.number,
                day=row.day,
                root=row.root,
                statement=row.statement,
                signed=signed_bytes(statement_of(row)),
                signature=row.signature,
                key_id=row.key_id,
            )
            try:
                given = await anchor.keep(told, now=self._clock.now())
            except AnchorAway as fault:
                log.warning("journal.anchor_away", anchor=anchor.name, fault=str(fault))
                return kept
            except AnchorContradicts as fault:
                log.critical("journal.day_signed_anew", anchor=anchor.name, fault=str(fault))
                return kept
            await DayAnchor.bulk_create(
                [
                    DayAnchor(
                        root_id=row.number,
                        anchor=anchor.name,
                        statement=row.statement,
                        token=b64encode(given.token).decode(),
                        stamped_at=given.at,
                    )
                ],
                ignore_conflicts=True,
            )
            kept += 1


def deed_of(entry: JournalEntry) -> Deed:
    """An entry as it is sealed."""
    return Deed(
        entry.id, entry.at, entry.action, entry.actor, entry.subject, entry.programme_slug, entry.data
    )


def statement_of(row: DayRoot) -> Statement:
    """What a day's row says, as it is signed."""
    return Statement(
        number=row.number,
        day=row.day,
        first_place=row.first_place,
        last_place=row.last_place,
        first_entry=row.first_entry,
        last_entry=row.last_entry,
        root=row.root,
        previous=row.previous,
    )


async def _heads(subjects: list[str]) -> dict[str, Link]:
    """The last link of each of these subjects, where there is one."""
    last = dict(
        await JournalSeal.filter(subject__in=subjects)
        .annotate(last=Max("seq"))
        .group_by("subject")
        .values_list("subject", "last")
    )
    rows = JournalSeal.filter(subject__in=list(last), seq__in=sorted(set(last.values())))
    return {
        row.subject: Link(row.seq, row.previous, row.hash)
        for row in await rows
        if row.seq == last[row.subject]
    }


async def _newest_entry() -> int:
    row = await JournalEntry.all().order_by("-id").only("id").first()
    return row.id if row else 0


async def _newest_sealed() -> int:
    row = await JournalSeal.all().order_by("-entry_id").only("entry_id").first()
    return row.entry_id if row else 0


async def _last_place() -> int:
    row = await JournalSeal.all().order_by("-place").only("place").first()
    return row.place if row else 0


def _china_day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
