"""Hearings: the party is told what it is charged with, and has its say before anybody decides."""

from __future__ import annotations

from collections.abc import Sequence

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.sanctions import SanctionCase
from server.rules.deadlines import day_of, working_days_after
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import SanctionAct
from server.services.access import Actor
from server.services.files import files
from server.services.sanctions.sanction_book import (
    SanctionBook,
    case_for,
    own_case,
    require_impartial,
    require_version,
)
from server.services.sanctions.sanction_decisions import STATEMENT


class HeardAlready(Refusal):
    """The party was called, or it was said why it is not."""

    status, code = 409, "sanction_heard_already"


class HearingOver(Refusal):
    """The time to state one's case is over."""

    status, code = 409, "sanction_hearing_over"


class SanctionHearings:
    """The verbs of a hearing. All of them raise ``NotFound``, ``NotPermittedNow`` and ``SanctionMovedOn``."""

    def __init__(self, book: SanctionBook) -> None:
        self.book = book

    async def call(self, case_id: int, *, version: int, actor: Actor) -> SanctionCase:
        """Tell the party what it is charged with, and until when it may state its case.

        Raises ``OwnReview`` and :class:`HeardAlready`.
        """
        case = await self._hearing(case_id, version, actor)
        now, days = self.book.now(case), self.book.defaults.hearing_working_days
        due = working_days_after(self.book.working_days.calendar, day_of(now), days)
        until, provisional = due.ends_at.isoformat(), due.provisional
        async with in_transaction():
            case = await self.book.change(
                case,
                SanctionAct.HEAR,
                hearing_called_at=now,
                hearing_until=due.ends_at,
                hearing_by=actor.id,
            )
            await self.book.note(
                "sanction.hearing_called", case, actor, now, until=until, provisional=provisional
            )
            await self.book.tell_party(
                "sanction.hearing", case, now=now, until=until, provisional=provisional
            )
        return case

    async def skip(self, case_id: int, reason: str, *, version: int, actor: Actor) -> SanctionCase:
        """Say why the party is not heard. Raises ``OwnReview``, ``ReasonMissing``, :class:`HeardAlready`."""
        case = await self._hearing(case_id, version, actor)
        if not reason.strip():
            raise ReasonMissing()
        now = self.book.now(case)
        async with in_transaction():
            case = await self.book.change(
                case, SanctionAct.HEAR, hearing_skipped=reason.strip(), hearing_by=actor.id
            )
            await self.book.note("sanction.hearing_skipped", case, actor, now, reason=reason.strip())
        return case

    async def state(
        self, case_id: int, words: str, *, file_ids: Sequence[int] = (), actor: Actor
    ) -> SanctionCase:
        """The party states its case, with papers, as often as it has something to say.

        Raises ``ReasonMissing``, ``FilesUnknown``, ``FileUnacceptable`` and :class:`HearingOver`.
        """
        case = await own_case(actor, case_id)
        now = self.book.now(case)
        if not words.strip():
            raise ReasonMissing()
        stored = await files.own_files(list(dict.fromkeys(file_ids)), actor=actor)
        async with in_transaction():
            # The version is raised first: a decision being made meanwhile sees the statement or fails.
            case = await self.book.change(case, SanctionAct.STATE)
            days = self.book.defaults.hearing_working_days
            over = self.book.is_over(case.hearing_called_at, days, case.hearing_until, now)
            if case.hearing_until is None or over:
                raise HearingOver(number=case.number)
            entry = await self.book.write(
                case, STATEMENT, words.strip(), author=actor.name, attached=stored, now=now
            )
            await self.book.note("sanction.stated", case, actor, now, entry=entry.id, files=len(stored))
            await self.book.tell_deciders("sanction.stated", case, now=now)
        return case

    async def note(self, case_id: int, words: str, *, actor: Actor) -> SanctionCase:
        """Staff keep what was said at the hearing, or by word of mouth. Raises ``ReasonMissing``."""
        case = await case_for(actor, case_id)
        if not words.strip():
            raise ReasonMissing()
        now = self.book.now(case)
        async with in_transaction():
            case = await self.book.change(case, SanctionAct.HEAR)
            entry = await self.book.write(case, "note", words.strip(), author=actor.name, now=now)
            await self.book.note("sanction.noted", case, actor, now, entry=entry.id)
        return case

    async def _hearing(self, case_id: int, version: int, actor: Actor) -> SanctionCase:
        case = await case_for(actor, case_id)
        require_version(case, version)
        await require_impartial(actor, case.against)
        if case.hearing_until is not None or case.hearing_skipped:
            raise HeardAlready(number=case.number)
        return case
