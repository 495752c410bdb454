"""Recovery returns: what was collected and is not owed any more goes back to who had paid it.

An appeal reversed the decision, or the bank sent the payment back that was claimed.

One of those who collect enters the transfer with the bank's number, another of the authority or the treasury
agrees; then the ledger has the money where it was before it was claimed back, and whoever a later decision
wants it from is claimed it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.sanctions import Recovery, RecoveryLine, RecoveryReturn, SanctionCase
from server.rules.deadlines import day_of
from server.rules.money import Movement
from server.rules.recoveries import OWED, RecoveryStatus
from server.services import access, outbox
from server.services.access import Actor, StaffRole
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.organisations.memberships import lock_all
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import renewed_claims
from server.services.sanctions.recoveries import (
    COLLECTORS,
    Recoveries,
    RecoveryMovedOn,
    note,
    recovery_for,
    tell,
)
from server.services.sanctions.recovery_receipts import given_back, lock_years, where_of
from server.services.sanctions.sanction_book import require_impartial


class NothingOwedBack(Refusal):
    """Nothing of the claim is owed back: its decision stands, or nothing came in, or it was given back."""

    status, code = 409, "recovery_nothing_owed_back"


class ReturnAsked(Refusal):
    """Somebody has entered the transfer, and a second person agrees or does not."""

    status, code = 409, "recovery_return_asked"


class ReturnNotAsked(Refusal):
    """Nobody has entered a transfer that could be agreed to."""

    status, code = 409, "recovery_return_not_asked"


class ReturnDayImpossible(Refusal):
    """A transfer of a day to come, or of one before the decision was reversed."""

    status, code = 422, "recovery_return_day"


class RecoveryReturns:
    """The verbs that give money back. Both raise ``NotFound``, ``OwnReview`` and ``RecoveryMovedOn``."""

    def __init__(self, recoveries: Recoveries) -> None:
        self.recoveries = recoveries

    async def ask(
        self, recovery_id: int, reference: str, paid_on: date, *, version: int, actor: Actor
    ) -> Recovery:
        """Enter the transfer that gives back all that is owed.

        Raises :class:`NothingOwedBack`, :class:`ReturnAsked`, :class:`ReturnDayImpossible`.
        """
        claim = await self._seen(recovery_id, version, actor)
        access.require_role(actor, *COLLECTORS)
        now = self.recoveries.book.clocks.now(claim.programme_slug)
        owed = await owed_back(claim)
        if not owed.amount_fen:
            raise NothingOwedBack(number=claim.number)
        if not await _since(claim) <= paid_on <= day_of(now):
            raise ReturnDayImpossible(day=paid_on.isoformat())
        try:
            async with in_transaction():
                claim = await self.recoveries.change(claim)
                made = await RecoveryReturn.create(
                    recovery_id=claim.id,
                    amount_fen=owed.amount_fen,
                    surcharge_fen=owed.surcharge_fen,
                    parts=owed.parts,
                    reference=reference.strip(),
                    paid_on=paid_on,
                    asked_by=actor.id,
                    asked_at=now,
                )
                await note("recovery.return_asked", claim, actor, now, amount_fen=made.amount_fen)
        except IntegrityError:
            raise ReturnAsked(number=claim.number) from None
        return claim

    async def decide(self, recovery_id: int, *, agreed: bool, version: int, actor: Actor) -> Recovery:
        """Somebody else agrees to it, or does not. Raises :class:`ReturnNotAsked`."""
        claim = await self._seen(recovery_id, version, actor)
        access.require_role(actor, StaffRole.AUTHORITY, StaffRole.TREASURY)
        made = await RecoveryReturn.get_or_none(recovery_id=claim.id, decided_at=None)
        if made is None:
            raise ReturnNotAsked(number=claim.number)
        if made.asked_by == actor.id:
            raise OwnReview()
        now = self.recoveries.book.clocks.now(claim.programme_slug)
        case = await SanctionCase.get(id=claim.case_id)
        concerned = await self._concerned(case)
        async with in_transaction() as connection:
            await lock_all(concerned, connection)
            if not await self._concerned(case) <= concerned:
                raise RecoveryMovedOn(number=claim.number)
            claim = await self.recoveries.change(claim)
            await RecoveryReturn.filter(id=made.id).update(agreed=agreed, decided_by=actor.id, decided_at=now)
            if agreed:
                await self._post(made, now)
                freed = {int(line_id): int(fen) for line_id, fen in made.parts}
                await renewed_claims.renew(case, self.recoveries, given_back=freed, actor=actor, now=now)
                await tell("recovery.given_back", claim, now, amount_fen=made.amount_fen)
            action = "recovery.given_back" if agreed else "recovery.return_refused"
            await note(action, claim, actor, now, amount_fen=made.amount_fen, reference=made.reference)
        return claim

    # ------------------------------------------------------------------------------------------------

    async def _seen(self, recovery_id: int, version: int, actor: Actor) -> Recovery:
        claim = await recovery_for(actor, recovery_id)
        await require_impartial(actor, claim.debtor)
        if claim.version != version:
            raise RecoveryMovedOn(number=claim.number)
        return claim

    async def _concerned(self, case: SanctionCase) -> set[int]:
        return {case.against_id, *(one.against_id for one in await renewed_claims.heirs(case))}

    async def _post(self, made: RecoveryReturn, now: Any) -> None:
        lines = {line.id: line for line in await RecoveryLine.filter(recovery_id=made.recovery_id)}
        claim, after = await Recovery.get(id=made.recovery_id), await given_back(made.recovery_id)
        before = after.without(made)
        await lock_years(list(lines.values()))
        # What the bank brought home, or took back since it was entered, is posted already.
        for line in lines.values():
            less_fen = before.held_fen(line) - after.held_fen(line)
            if less_fen:
                await ledger.post(Movement.RETURN_CLAWED_BACK, less_fen, where_of(line), at=now)
        less_fen = before.held_surcharge_fen(claim) - after.held_surcharge_fen(claim)
        if less_fen:
            where = Where(lines[min(lines)].budget_id)
            await ledger.post(Movement.RETURN_SURCHARGE, less_fen, where, at=now)


async def owed_back(claim: Recovery) -> RecoveryReturn:
    """What of a claim is owed back by now, as the transfer that would give it back; of 0 fen: nothing."""
    owed = RecoveryReturn(recovery_id=claim.id, amount_fen=0, surcharge_fen=0, parts=[])
    back, reversed_ = await given_back(claim.id), claim.status is RecoveryStatus.CANCELLED
    lines = await RecoveryLine.filter(recovery_id=claim.id).order_by("id")
    left = [
        [line.id, line.collected_fen - back.lines.get(line.id, 0)]
        for line in lines
        if reversed_ or line.home_at is not None
    ]
    owed.parts = [part for part in left if part[1] > 0]
    if claim.status not in OWED:
        # What a payment bore until the bank brought it home was owed. What payments that were under way then
        # kept back for it was not: it stands as surcharge beyond what was due.
        over_fen = claim.surcharge_fen if reversed_ else -claim.surcharge_due_fen
        owed.surcharge_fen = max(0, over_fen - back.surcharge_fen)
    owed.amount_fen = sum(fen for _, fen in owed.parts) + owed.surcharge_fen
    return owed


async def came_home(order_id: int, *, actor: Actor, now: datetime) -> None:
    """The bank sent back what was paid for an order: nobody owes it any more, and who paid it has it back.

    In the transaction that takes the bank's word, before any year is locked: what is still open of it is
    owed no more, and what was collected of it is owed back.
    """
    lines = await RecoveryLine.filter(order_id=order_id, home_at=None).order_by("recovery_id", "id")
    for recovery_id in sorted({line.recovery_id for line in lines}):
        # The claim first, so that whoever receives for it meanwhile comes before or after.
        await Recovery.filter(id=recovery_id).update(version=F("version") + 1)
        claim = await Recovery.get(id=recovery_id).select_related("debtor")
        given = await given_back(recovery_id)
        less_fen = back_fen = 0
        for line in await RecoveryLine.filter(recovery_id=recovery_id, order_id=order_id, home_at=None):
            less_fen += line.amount_fen - line.collected_fen
            given_fen = given.held_fen(line)
            if given_fen:
                back_fen += given_fen
                await ledger.post(Movement.RETURN_CLAWED_BACK, given_fen, where_of(line), at=now)
            await RecoveryLine.filter(id=line.id).update(home_at=now)
        await _lessen(claim, less_fen, actor, now)
        await note("recovery.came_home", claim, actor, now, principal_fen=less_fen, owed_back_fen=back_fen)
        await tell("recovery.came_home", claim, now, amount_fen=less_fen + back_fen)
        if back_fen:
            case = await SanctionCase.get(id=claim.case_id)
            await tell_to_give_back(case, back_fen, now=now)


async def tell_to_give_back(case: SanctionCase, amount_fen: int, *, now: datetime) -> None:
    """Tell the authority what was collected on a decision and is owed back: somebody enters the transfer."""
    await outbox.tell(
        outbox.team(StaffRole.AUTHORITY, case.programme_slug),
        "recovery.to_give_back",
        at=now,
        sanction=case.id,
        number=case.number,
        programme=case.programme_slug,
        amount_fen=amount_fen,
    )


async def _lessen(claim: Recovery, less_fen: int, actor: Actor, now: datetime) -> None:
    """So much less is owed on a claim; one of which nothing is left has ended."""
    if claim.status not in OWED:
        return
    left_fen = claim.principal_fen - claim.collected_fen - less_fen
    ended: dict[str, Any] = {}
    if not left_fen and claim.surcharge_due_fen <= 0:
        status = RecoveryStatus.COLLECTED if claim.collected_fen else RecoveryStatus.CANCELLED
        ended = {"status": status, "ended_by": actor.id, "ended_at": now}
    if claim.principal_fen > less_fen:
        ended["principal_fen"] = claim.principal_fen - less_fen
    await Recovery.filter(id=claim.id).update(instalments=[], **ended)


async def _since(claim: Recovery) -> date:
    """From which day on it was owed back."""
    if claim.status is RecoveryStatus.CANCELLED and claim.ended_at is not None:
        return day_of(claim.ended_at)
    home = (
        await RecoveryLine.filter(recovery_id=claim.id, home_at__not_isnull=True).order_by("home_at").first()
    )
    since = claim.ended_at if home is None else home.home_at
    assert since is not None
    return day_of(since)


async def returns_of(claim: Recovery) -> list[RecoveryReturn]:
    """What was given back of a claim, or is to be, oldest first."""
    return await RecoveryReturn.filter(recovery_id=claim.id).order_by("id")
