"""Appeals and lifting: the party says a decision is wrong, and somebody who had no part in it looks.

Upheld, everything that can be undone is undone in one transaction, and the case says what cannot. Lifting is
another thing: the decision stays right, and what it bars ends from then on, where the text lets it (LS-13).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.labels import AttestedLabel
from server.models.organisations import BlocklistEntry, Organisation
from server.models.provider_standing import Removal
from server.models.sanctions import PersonBan, SanctionAppeal, SanctionCase, SanctionEffect
from server.programme.vocabulary import Party
from server.rules.lifecycles import require_act
from server.rules.payment_holds import HoldCause
from server.rules.review import ReasonMissing
from server.rules.sanction_cases import LASTING, SANCTION_MAY, Effect, SanctionAct, SanctionStatus
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services import access
from server.services.access import Actor, NotFound, StaffRole
from server.services.afterwards import After
from server.services.files import files
from server.services.holds import payment_holds
from server.services.organisations import service_files
from server.services.organisations.memberships import lock, lock_all
from server.services.sanctions import recovery_returns, renewed_claims
from server.services.sanctions.sanction_book import (
    SanctionBook,
    SanctionMovedOn,
    case_for,
    own_case,
    require_impartial,
    require_version,
    subject_of,
)
from server.services.sanctions.sanction_effects import SanctionEffects
from server.units import yuan


class AppealTooLate(Refusal):
    """The time to appeal is over."""

    status, code = 409, "sanction_appeal_too_late"


class AppealUnderWay(Refusal):
    """An appeal of this decision waits for its answer, or was answered: there is one."""

    status, code = 409, "sanction_appeal_under_way"


class NotLiftable(Refusal):
    """The text does not let anybody lift this; a wrong decision is appealed against."""

    status, code = 409, "sanction_not_liftable"


class SanctionAppeals:
    """The verbs after a decision. All of them raise ``NotFound``, ``NotPermittedNow``, ``ReasonMissing``."""

    def __init__(self, effects: SanctionEffects) -> None:
        self.book: SanctionBook = effects.book
        self.effects = effects

    async def appeal(
        self, case_id: int, words: str, *, file_ids: Sequence[int] = (), actor: Actor
    ) -> SanctionAppeal:
        """The party appeals. Raises ``FilesUnknown``, :class:`AppealTooLate` and :class:`AppealUnderWay`."""
        case = await own_case(actor, case_id)
        now = self.book.now(case)
        require_act(SANCTION_MAY, case.status, SanctionAct.APPEAL)
        if not words.strip():
            raise ReasonMissing()
        if self._too_late(case, now):
            raise AppealTooLate(number=case.number)
        if await SanctionAppeal.exists(case_id=case.id):
            raise AppealUnderWay(number=case.number)
        stored = await files.own_files(list(dict.fromkeys(file_ids)), actor=actor)
        try:
            async with in_transaction():
                programme = self.book.programme_of(case)
                for place, file in enumerate(stored, start=1):
                    await files.attach(
                        [file], subject_of(case), f"appeal_{place}", programme=programme, now=now
                    )
                made = await SanctionAppeal.create(
                    case_id=case.id,
                    filed_by=actor.name,
                    words=words.strip(),
                    files=[file.id for file in stored],
                    filed_at=now,
                )
                await self.book.note("sanction.appealed", case, actor, now, appeal=made.id)
                await self.book.tell_deciders("sanction.appealed", case, now=now)
        except IntegrityError:
            raise AppealUnderWay(number=case.number) from None
        return made

    async def answer(
        self, case_id: int, *, upheld: bool, reason: str, version: int, actor: Actor
    ) -> SanctionCase:
        """Somebody who had no part answers; upheld, the decision is undone as far as it can be.

        Raises ``NotAllowed``, ``OwnReview``, ``RecoveryMovedOn``, ``SanctionMovedOn``.
        """
        case = await case_for(actor, case_id)
        require_version(case, version)
        appeal = await SanctionAppeal.get_or_none(case_id=case.id, decided_at=None)
        if appeal is None:
            raise NotFound()
        access.require_role(actor, StaffRole.AUTHORITY, self.book.sanction_of(case).decided_by.value)
        had_part = (case.proposed_by, case.decided_by, case.hearing_by)
        await require_impartial(actor, case.against, *had_part)
        if not reason.strip():
            raise ReasonMissing()
        now = self.book.now(case)
        done: list[After] = []
        concerned = await self._concerned(case) if upheld else {case.against_id}
        async with in_transaction() as connection:
            await lock_all(concerned, connection)
            if upheld and not await self._concerned(case) <= concerned:
                raise SanctionMovedOn(number=case.number)
            # The WHERE clause is the lock: of two who answer exactly one does.
            answered = await SanctionAppeal.filter(id=appeal.id, decided_at=None).update(
                upheld=upheld, decided_by=actor.id, decided_at=now, reason=reason.strip()
            )
            if not answered:
                raise NotFound()
            if upheld:
                case, done = await self._reverse(case, reason.strip(), actor, now)
            action = "sanction.appeal_upheld" if upheld else "sanction.appeal_refused"
            await self.book.note(action, case, actor, now, appeal=appeal.id, reason=reason.strip())
            await self.book.tell_party(
                "sanction.appeal_upheld" if upheld else "sanction.appeal_refused",
                case,
                now=now,
                reason=reason.strip(),
            )
        for after in done:
            await after()
        return await SanctionCase.get(id=case.id).select_related("against")

    async def lift(self, case_id: int, reason: str, *, version: int, actor: Actor) -> SanctionCase:
        """End what a decision bars or holds, from now on, with a reason (LS-13).

        Where the text does not say that it may be lifted, a hold on payments still may: it waits for this.
        Raises ``NotAllowed``, ``OwnReview``, ``SanctionMovedOn`` and :class:`NotLiftable`.
        """
        case = await case_for(actor, case_id)
        require_version(case, version)
        require_act(SANCTION_MAY, case.status, SanctionAct.LIFT)
        sanction = self.book.sanction_of(case)
        access.require_role(actor, StaffRole.AUTHORITY, sanction.decided_by.value)
        await require_impartial(actor, case.against, case.proposed_by)
        if not reason.strip():
            raise ReasonMissing()
        kept = {row.effect for row in await SanctionEffect.filter(case_id=case.id)}
        if not sanction.liftable and (Effect.HOLD_PAYMENT not in kept or Effect.BAN in kept):
            raise NotLiftable(clause=case.clause)
        now = self.book.now(case)
        async with in_transaction():
            await lock(case.against_id)
            case = await self._ended(
                case, SanctionAct.LIFT, SanctionStatus.LIFTED, reason.strip(), actor, now
            )
            done = await self._unbar(case, reason.strip(), actor, now)
            if Effect.REFUSE_SETTLEMENT not in kept:  # What is not settled stays unsettled.
                await payment_holds.lift(
                    HoldCause.SANCTION, case.id, reason=reason.strip(), actor=actor, now=now
                )
            await self._undone(case, {Effect.BAN, Effect.BAN_PERSON, Effect.HOLD_PAYMENT}, now)
            await self.book.note("sanction.lifted", case, actor, now, reason=reason.strip())
            await self.book.tell_party("sanction.lifted", case, now=now, reason=reason.strip())
        await done()
        return await SanctionCase.get(id=case.id).select_related("against")

    # ------------------------------------------------------------------------------------------------

    def _too_late(self, case: SanctionCase, now: datetime) -> bool:
        """Whether the time is over for certain: no day that was guessed takes an appeal from anybody."""
        if case.appeal_until is None or case.decided_at is None:
            return True
        days = self.book.defaults.appeal_working_days
        return self.book.is_over(case.decided_at, days, case.appeal_until, now)

    async def _concerned(self, case: SanctionCase) -> set[int]:
        """The party, and whoever is claimed the same money from once this decision is undone."""
        return {case.against_id, *(one.against_id for one in await renewed_claims.heirs(case))}

    async def _reverse(
        self, case: SanctionCase, reason: str, actor: Actor, now: datetime
    ) -> tuple[SanctionCase, list[After]]:
        """Undo what can be undone; what is still planned is not done any more, and what stays is named."""
        case = await self._ended(case, SanctionAct.APPEAL, SanctionStatus.REVERSED, reason, actor, now)
        done = [await self._unbar(case, reason, actor, now)]
        await payment_holds.lift(HoldCause.SANCTION, case.id, reason=reason, actor=actor, now=now)
        # The standing is applied for anew; that it was ended is announced no more.
        await Removal.filter(
            qualification__organisation_id=case.against_id,
            programme_slug=case.programme_slug,
            sanction=case.sanction,
            decided_at=case.decided_at,
        ).update(announced=False)
        owed_back_fen = await self.effects.recoveries.cancel(case, actor=actor, now=now)
        await renewed_claims.renew(case, self.effects.recoveries, actor=actor, now=now)
        struck = await SanctionEffect.get_or_none(case_id=case.id, effect=Effect.REVOKE_TITLE)
        if struck is not None and struck.note:
            ids = [int(one) for one in struck.note.split(texts.LIST)]
            await AttestedLabel.filter(id__in=ids).update(
                withdrawn_at=None, withdrawn_by=None, withdraw_reason=""
            )
            organisation = await Organisation.get(id=case.against_id)
            changes = await self.effects.labels.settle([organisation], actor=actor)
            done.append(self.effects.qualifications.telling(changes))
        await SanctionEffect.filter(case_id=case.id, done_at=None).update(
            done_at=now, undone_at=now, note=texts.SANCTION_NOT_DONE.format(reason=reason)
        )
        await self._undone(case, set(Effect) - LASTING, now)
        # What refused a settlement for good also held payments, and that is over.
        await SanctionEffect.filter(
            case_id=case.id, subject__startswith="payment_hold:", undone_at=None
        ).update(undone_at=now)
        if owed_back_fen:
            await recovery_returns.tell_to_give_back(case, owed_back_fen, now=now)
            note = texts.SANCTION_OWED_BACK.format(amount=yuan(owed_back_fen))
            await SanctionEffect.filter(case_id=case.id, effect=Effect.RECOVER).update(note=note)
        return case, done

    async def _ended(
        self,
        case: SanctionCase,
        act: SanctionAct,
        to: SanctionStatus,
        reason: str,
        actor: Actor,
        now: datetime,
    ) -> SanctionCase:
        columns: dict[str, Any] = {"ended_at": now, "ended_by": actor.id, "end_reason": reason}
        case = await self.book.move(case, act, to, published=False, **columns)
        if case.party is Party.PROVIDER:
            # Lifted, it was right while it stood; undone by an appeal, it speaks against nobody any more.
            reversed_ = to is SanctionStatus.REVERSED
            await service_files.note(
                ServiceEntryKind.SANCTION,
                "sanction_reversed" if reversed_ else "sanction_ended",
                f"sanction:{case.id}:{to.value}",
                provider_id=case.against_id,
                programme=self.book.programme_of(case),
                tone=EntryTone.PLAIN,
                at=now,
                clause=case.clause,
                name=self.book.sanction_of(case).name,
                **({"clears": f"sanction:{case.id}"} if reversed_ else {}),
            )
        return case

    async def _unbar(self, case: SanctionCase, reason: str, actor: Actor, now: datetime) -> After:
        await PersonBan.filter(case_id=case.id, lifted_at=None).update(lifted_at=now)
        standing = [] if case.ban_id is None else [case.ban_id]
        lifted = await BlocklistEntry.filter(id__in=standing, lifted_at=None)
        changes = await self.effects.blocklist.take_in(
            [], [row.id for row in lifted], slug=case.programme_slug, list_name="", actor=actor, why=reason
        )
        return self.effects.qualifications.telling(changes)

    async def _undone(self, case: SanctionCase, effects: set[Effect], now: datetime) -> None:
        await SanctionEffect.filter(
            case_id=case.id, effect__in=list(effects), undone_at=None, done_at__not_isnull=True
        ).update(undone_at=now)
