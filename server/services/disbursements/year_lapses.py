"""Year lapses: what a year's list says ends with the year is ended, asked by one and agreed to by another.

Both saw the same list, known by its hash; one that has changed since is looked at anew. Each settlement ends
in a transaction of its own, by the call that agreed and then by the schedule, and each once. What ends was
never handed in: it holds no money, and its order stays as it is. What is carried stays carried.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.disbursements import YearEnd, YearLapse
from server.models.settlements import Settlement, SettlementApplication
from server.programme.registry import Programmes
from server.rules.disbursements import LapseStatus
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor
from server.services.clocks import ProgrammeClocks
from server.services.disbursements import disbursement_book
from server.services.disbursements.disbursement_book import (
    makers,
    paying,
    require_other_hands,
    require_reason,
)
from server.services.disbursements.year_end import YearNotOver
from server.services.settlements import settlement_book


class NothingLapses(Refusal):
    """Nothing of the year's list is still to be ended."""

    status, code = 409, "nothing_lapses"


class LapseAsked(Refusal):
    """Somebody has asked for it, and a second person agrees or does not."""

    status, code = 409, "lapse_asked"


class LapseNotAsked(Refusal):
    """Nobody has asked for it, or it was decided."""

    status, code = 409, "lapse_not_asked"


class YearListStale(Refusal):
    """The list is not what was seen: something of it was paid, taken back or handed in since."""

    status, code = 409, "year_list_stale"


class YearLapses:
    """The verbs on what ends with a year. Instants are those of the programme's clock."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self._programmes = programmes
        self._clocks = clocks

    async def ask(self, slug: str, year: int, *, sha256: str, reason: str, actor: Actor) -> YearLapse:
        """Ask that the year's list be carried out as it stands, by the hash that was seen.

        Raises ``YearNotOver``, ``NotYourDisbursement``, ``ReasonMissing``, :class:`YearListStale`,
        :class:`NothingLapses`, :class:`LapseAsked`.
        """
        programme, reason = self._programmes.get(slug), require_reason(reason)
        await paying(actor, programme, *makers(programme))
        end, now = await self._written(slug, year), self._clocks.now(slug)
        try:
            async with in_transaction():
                lines, digest = await standing(end)
                if digest != sha256:
                    raise YearListStale(year=year, clause=programme.settlement.article)
                if not lines:
                    raise NothingLapses(year=year, clause=programme.settlement.article)
                made = await YearLapse.create(
                    year_end_id=end.id,
                    programme_slug=slug,
                    year=year,
                    lines=lines,
                    sha256=digest,
                    reason=reason,
                    asked_by=actor.id,
                    asked_at=now,
                )
                await self._note("year.lapse_asked", made, actor, sha256=digest, reason=reason)
        except IntegrityError:
            raise LapseAsked(year=year) from None
        return made

    async def decide(
        self, slug: str, year: int, *, agreed: bool, sha256: str, reason: str = "", actor: Actor
    ) -> YearLapse:
        """Another agrees, and it is carried out; or does not.

        Raises ``NotYourDisbursement``, ``SameHands``, ``ReasonMissing``, :class:`LapseNotAsked`,
        :class:`YearListStale`: then somebody asks anew.
        """
        programme = self._programmes.get(slug)
        await paying(actor, programme, programme.disbursement.approved_by)
        why = reason.strip() if agreed else require_reason(reason)
        end, now = await self._written(slug, year), self._clocks.now(slug)
        asked = await YearLapse.get_or_none(programme_slug=slug, year=year, status=LapseStatus.ASKED)
        if asked is None:
            raise LapseNotAsked(year=year)
        require_other_hands(actor, [asked.asked_by], clause=programme.settlement.article, what="year")
        stale = False
        async with in_transaction():
            # The WHERE clause is the lock: of two who decide at once one does.
            mine = YearLapse.filter(id=asked.id, status=LapseStatus.ASKED)
            status = LapseStatus.AGREED if agreed else LapseStatus.DISMISSED
            if not await mine.update(status=status, decided_by=actor.id, decided_at=now):
                raise LapseNotAsked(year=year)
            if agreed:
                _, digest = await standing(end)
                stale = not digest == sha256 == asked.sha256
            if stale:
                await YearLapse.filter(id=asked.id).update(status=LapseStatus.STALE)
            await self._note(f"year.lapse_{status.value if not stale else 'stale'}", asked, actor, reason=why)
        if stale:
            raise YearListStale(year=year, clause=programme.settlement.article)
        if agreed:
            await self.carry_out(asked.id)
        return await YearLapse.get(id=asked.id)

    async def carry_out_due(self, slug: str) -> int:
        """Go on with what was agreed to and not finished; how many settlements ended."""
        agreed = YearLapse.filter(programme_slug=slug, status=LapseStatus.AGREED)
        return sum([await self.carry_out(one.id) for one in await agreed.order_by("id")])

    async def carry_out(self, lapse_id: int) -> int:
        """End what is still to be ended, one by one, and close the matter; doing it again does nothing."""
        lapse, ended = await YearLapse.get(id=lapse_id), 0
        for line in lapse.lines:
            ended += await self._end(lapse, line)
        async with in_transaction():
            done = YearLapse.filter(id=lapse.id, status=LapseStatus.AGREED)
            if await done.update(status=LapseStatus.DONE, done_at=self._clocks.now(lapse.programme_slug)):
                await self._note("year.lapsed", lapse, CLOCK, lines=len(lapse.lines))
        return ended

    async def _end(self, lapse: YearLapse, line: dict[str, Any]) -> int:
        now = self._clocks.now(lapse.programme_slug)
        seen = await Settlement.get(id=line["settlement"])
        async with in_transaction() as connection:
            (one,) = await disbursement_book.lock([seen], connection)
            if one.status is not SettlementStatus.DRAFT:
                return 0  # Ended before, or taken back by its provider meanwhile.
            await settlement_book.change(
                one, status=SettlementStatus.WITHDRAWN, reason=line["reason"], ended_at=now
            )
            await settlement_book.note(
                "settlement.lapsed", one, CLOCK, now, year=lapse.year, clause=line["clause"], lapse=lapse.id
            )
            await settlement_book.tell(
                "disbursement.lapsed", one, [one.provider_id], now=now, year=lapse.year,
                reason=line["reason"], clause=line["clause"],
            )  # fmt: skip
            if not await settlement_book.of_application(one.application_id):
                await SettlementApplication.filter(id=one.application_id).update(
                    status=SettlementApplicationStatus.WITHDRAWN
                )
        return 1

    async def _written(self, slug: str, year: int) -> YearEnd:
        end = await YearEnd.get_or_none(programme_slug=slug, year=year)
        if end is None:
            raise YearNotOver(year=year, clause=self._programmes.get(slug).budget.article)
        return end

    async def _note(self, action: str, lapse: YearLapse, actor: Actor, **data: Any) -> None:
        now = self._clocks.now(lapse.programme_slug)
        await journal.record(
            action,
            f"year_end:{lapse.year_end_id}",
            actor=actor.name,
            at=now,
            programme_slug=lapse.programme_slug,
            year=lapse.year,
            **data,
        )
        for role in sorted(makers(self._programmes.get(lapse.programme_slug))):
            await outbox.tell(
                outbox.team(role, lapse.programme_slug), "disbursement.year_lapse", at=now,
                programme=lapse.programme_slug, year=lapse.year, count=len(lapse.lines),
            )  # fmt: skip


async def standing(end: YearEnd) -> tuple[list[dict[str, Any]], str]:
    """What of a year's list still lapses, and the hash of all of it as it stands, carried and lapsing."""
    ids = [one["settlement"] for one in (*end.carried, *end.lapsed)]
    found = {one.id: one for one in await Settlement.filter(id__in=ids)}
    lines = [one for one in end.lapsed if found[one["settlement"]].status is SettlementStatus.DRAFT]
    carried = [
        [one["settlement"], found[one["settlement"]].status.value, found[one["settlement"]].budget_id]
        for one in end.carried
    ]
    told = json.dumps([end.id, carried, [one["settlement"] for one in lines]])
    return lines, hashlib.sha256(told.encode()).hexdigest()


async def seen(slug: str, year: int, *, actor: Actor) -> tuple[str, list[dict[str, Any]], YearLapse | None]:
    """The hash of a written list, what of it lapses, and what was last asked; empty for a preview."""
    access.require_programme(actor, slug)
    end = await YearEnd.get_or_none(programme_slug=slug, year=year)
    if end is None:
        return "", [], None
    lines, digest = await standing(end)
    return digest, lines, await YearLapse.filter(year_end_id=end.id).order_by("-id").first()
