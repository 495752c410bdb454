"""Referrals: a case is handed to the departments the text names, and it is kept that it was.

To whom, on which day, under which number and with which papers (YC-39, YC-40, LS-43). What was told cannot be
taken back, so nothing of it is ever changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.sanctions import SanctionEffect, SanctionReferral
from server.programme.oversight import Measure
from server.rules.deadlines import day_of
from server.rules.lifecycles import require_act
from server.rules.sanction_cases import SANCTION_MAY, Effect, SanctionAct
from server.services import access
from server.services.access import Actor, StaffRole
from server.services.files import files
from server.services.sanctions.sanction_book import (
    SanctionBook,
    case_for,
    require_impartial,
    require_version,
    subject_of,
)


class NothingToRefer(Refusal):
    """What was decided is handed to nobody by the text."""

    status, code = 409, "sanction_nothing_to_refer"


class ReferralDayImpossible(Refusal):
    """Handed over on a day to come, or before it was decided."""

    status, code = 422, "sanction_referral_day"


class SanctionReferrals:
    """The verb that records a referral."""

    def __init__(self, book: SanctionBook) -> None:
        self.book = book

    async def refer(
        self,
        case_id: int,
        *,
        to: str,
        on: date,
        file_number: str,
        documents: Sequence[str],
        file_ids: Sequence[int] = (),
        version: int,
        actor: Actor,
    ) -> SanctionReferral:
        """Record to whom a case was handed, and what went with it. An empty ``to``: whom the text names.

        Raises ``NotFound``, ``NotAllowed``, ``OwnReview``, ``NotPermittedNow``, ``SanctionMovedOn``,
        ``FilesUnknown``, :class:`NothingToRefer` and :class:`ReferralDayImpossible`.
        """
        case = await case_for(actor, case_id)
        require_version(case, version)
        sanction = self.book.sanction_of(case)
        access.require_role(actor, StaffRole.AUTHORITY, sanction.decided_by.value)
        require_act(SANCTION_MAY, case.status, SanctionAct.REFER)
        await require_impartial(actor, case.against)
        if Measure.REFER.value not in case.measures:
            raise NothingToRefer(clause=case.clause)
        now = self.book.now(case)
        assert case.decided_at is not None
        if not day_of(case.decided_at) <= on <= day_of(now):
            raise ReferralDayImpossible(day=on.isoformat())
        stored = await files.own_files(list(dict.fromkeys(file_ids)), actor=actor)
        async with in_transaction():
            case = await self.book.change(case, SanctionAct.REFER)
            programme = self.book.programme_of(case)
            for place, file in enumerate(stored, start=1):
                await files.attach(
                    [file], subject_of(case), f"referral_{place}", programme=programme, now=now
                )
            made = await SanctionReferral.create(
                case_id=case.id,
                referred_to=to.strip() or sanction.referred_to,
                referred_on=on,
                file_number=file_number.strip(),
                documents=[one.strip() for one in documents if one.strip()],
                files=[file.id for file in stored],
                recorded_by=actor.id,
                recorded_at=now,
            )
            await SanctionEffect.filter(case_id=case.id, effect=Effect.REFER, done_at=None).update(
                done_at=now, note=made.referred_to
            )
            await self.book.note(
                "sanction.referred",
                case,
                actor,
                now,
                to=made.referred_to,
                on=on.isoformat(),
                file_number=made.file_number,
                documents=made.documents,
            )
        return made
