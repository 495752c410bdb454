"""Vouchers: how they end. Handed back by their holder, lapsed by date, taken back, voided, with their order.

Every ending is one transaction under the budget's lock: the voucher's row, its money, the holder's quota,
and what becomes of the money after that. No verb here, or anywhere, gives a voucher another holder
(YC-06, GX-04, NX-03, LS-09, GZ-09).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from tortoise.expressions import F, Q

from server.errors import Refusal
from server.models.applications import Ranking
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.rules.lifecycles import (
    VOUCHER_MAY,
    VOUCHER_MOVES,
    VoucherAct,
    VoucherStatus,
    require_act,
    require_move,
)
from server.rules.money import Account
from server.rules.voucher_ends import End, Ending, end_of_voucher, require_hand_back
from server.services import access, journal, outbox
from server.services.access import CLOCK, Actor
from server.services.afterwards import After, nothing
from server.services.budgets import budgets, ledger, returned_money
from server.services.budgets.ledger import Balances, Where
from server.services.budgets.returned_money import OfferReturned
from server.services.rounds.rounds import Rounds

GROUP = 50
"""Vouchers ended in one transaction: a year's end has many thousands, and a launch may be waiting."""

SPENT = (Account.REDEEMED, Account.DISBURSED)


class VoucherMovedOn(Refusal):
    """Something happened to the voucher a moment earlier."""

    status, code = 409, "voucher_moved_on"


class NothingToHandBack(Refusal):
    """Nothing of the voucher is free: it is spent, or held on an order."""

    status, code = 409, "nothing_to_hand_back"


class HandBackTooLate(Refusal):
    """The voucher has lapsed, or its time to order is over: the quota is burnt, taken back or not yet."""

    status, code = 409, "hand_back_too_late"


class Vouchers:
    """The verbs that end vouchers. ``offer`` serves the waiting list of a round, where there is one."""

    def __init__(self, rounds: Rounds, *, offer: OfferReturned | None = None) -> None:
        self.rounds = rounds
        self.clocks = rounds.clocks
        self.offer = offer

    async def hand_back(self, voucher_id: int, *, actor: Actor, reason: str) -> Voucher:
        """Give back what is free of the actor's own voucher (GZ-39).

        Raises ``NotFound``, ``NotHandedBack``, ``NotPermittedNow``, :class:`HandBackTooLate`,
        :class:`NothingToHandBack` or :class:`VoucherMovedOn`.
        """
        row = await access.voucher_for(actor, voucher_id)
        require_hand_back(self._programme(row))
        after = await self._end_one(row, Ending.HAND_BACK, actor=actor, reason=reason)
        await after()
        return await Voucher.get(id=row.id)

    async def void(self, row: Voucher, *, actor: Actor, reason: str, clause: str) -> After:
        """Void a voucher as a sanction: what was not spent of it pays nothing more.

        Within the transaction of the decision, if there is one; what it returns is to be awaited after it.
        Raises ``IllegalMove`` or :class:`VoucherMovedOn`.
        """
        return await self._end_one(row, Ending.VOIDING, actor=actor, reason=reason, clause=clause)

    async def end_with_order(
        self, voucher_ids: Sequence[int], ending: Ending, *, actor: Actor, reason: str
    ) -> None:
        """End what is free of the vouchers of an order that came to nothing, those that still run.

        In the transaction that ends the order, after it has let go of what it held. One whose last instant is
        past lapses by its date, whichever comes by first. A gate that counts quotas is not told: it sees the
        gap in the year's numbers, and counts anew.
        """
        running = Voucher.filter(id__in=list(voucher_ids), status=VoucherStatus.ACTIVE, reclaimed_at=None)
        for row in await running.order_by("id"):
            if row.valid_until <= self.clocks.now(row.programme_slug):
                continue
            await self._end_one(row, ending, actor=actor, reason=reason)

    async def expire_due(self, slug: str) -> int:
        """Let every voucher of a programme lapse whose last instant is past; returns how many (LS-68)."""
        return await self._end_due(slug, Ending.EXPIRY, Q(valid_until__lte=self.clocks.now(slug)))

    async def reclaim_due(self, slug: str) -> int:
        """Take back what was not ordered in time (GZ-38); returns from how many vouchers.

        What an order holds is the order's; the rest of such a voucher is taken back all the same. Nothing
        is taken by a deadline that was guessed: it waits until the year is published and counted anew.
        """
        guessed = await Ranking.filter(programme_slug=slug, provisional=True).values_list(
            "round_id", flat=True
        )
        missed = Q(order_deadline__lte=self.clocks.now(slug), reclaimed_at__isnull=True)
        if guessed:
            missed &= Q(round_id__isnull=True) | Q(round_id__not_in=guessed)
        return await self._end_due(slug, Ending.RECLAIM, missed)

    def _programme(self, row: Voucher) -> Programme:
        return self.rounds.programmes.version(row.programme_slug, row.programme_version)

    async def _end_one(
        self, row: Voucher, ending: Ending, *, actor: Actor, reason: str, clause: str = ""
    ) -> After:
        async with budgets.locked(row.budget_id) as budget:
            row = await Voucher.get(id=row.id).select_related("round")
            balances = (await ledger.balances_of_vouchers([row.enterprise_id], [row.id]))[row.id]
            if ending is Ending.HAND_BACK:
                require_act(VOUCHER_MAY, row.status, VoucherAct.HAND_BACK)
                if not balances[Account.AVAILABLE]:
                    raise NothingToHandBack()
                await self._require_in_time(row)
            requota = await self._end(budget, row, ending, balances, actor, reason, clause)
            return await self._recount(budget) if requota else nothing

    async def _require_in_time(self, row: Voucher) -> None:
        """A deadline that has passed counts from its instant, not from when the job comes by (GZ-38)."""
        programme, now = self._programme(row), self.clocks.now(row.programme_slug)
        late = now >= row.valid_until
        if row.order_deadline is not None and now >= row.order_deadline:
            # Nothing is lost by a deadline that was guessed.
            late |= not await Ranking.exists(round_id=row.round_id, provisional=True)
        if late:
            ends_at = row.valid_until if row.order_deadline is None else row.order_deadline
            raise HandBackTooLate(clause=programme.issuance.article, at=ends_at.isoformat())

    async def _end_due(self, slug: str, ending: Ending, due: Q) -> int:
        ended = 0
        for budget in await Budget.filter(programme_slug=slug).order_by("id"):
            after: After = nothing
            while True:
                async with budgets.locked(budget.id) as held:
                    wanted = Voucher.filter(due, budget_id=budget.id, status=VoucherStatus.ACTIVE)
                    rows = await wanted.order_by("id").limit(GROUP)
                    if await self._end_group(held, rows, ending):
                        after = await self._recount(held)
                ended += len(rows)
                if len(rows) < GROUP:
                    break
            await after()
        return ended

    async def _end_group(self, budget: Budget, rows: Sequence[Voucher], ending: Ending) -> bool:
        balances = await ledger.balances_of_vouchers(
            {row.enterprise_id for row in rows}, [row.id for row in rows]
        )
        requota = False
        for row in rows:
            requota |= await self._end(budget, row, ending, balances[row.id], CLOCK, "", "")
        return requota

    async def _end(
        self,
        budget: Budget,
        row: Voucher,
        ending: Ending,
        balances: Balances,
        actor: Actor,
        reason: str,
        clause: str,
    ) -> bool:
        """End one voucher under its budget's lock; whether the holder's quota has changed by it."""
        programme, now = self._programme(row), self.clocks.now(row.programme_slug)
        free_fen = balances[Account.AVAILABLE]
        end = end_of_voucher(
            programme,
            ending,
            row.basis,
            held_fen=balances[Account.HELD],
            spent_fen=sum(balances[account] for account in SPENT),
            same_year=programme.year_of(now) == budget.year,
        )
        given_back_fen = free_fen if end.given_back and end.movement else 0
        await self._change_row(row, end, given_back_fen, ending, now)
        if end.status is None and not free_fen:
            # All of it is held on orders that came in time: nothing has happened to its holder.
            return False
        where = Where(budget.id, row.round_id, row.enterprise_id, row.id, provider_id=row.provider_id)
        if end.movement is not None and free_fen:
            await ledger.post(end.movement, free_fen, where, at=now)
            await returned_money.pass_on(end, free_fen, where, offer=self.offer, now=now)
        await journal.record(
            f"voucher.{ending}",
            f"voucher:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=row.programme_slug,
            amount_fen=free_fen,
            given_back_fen=given_back_fen,
            reason=reason,
            clause=clause,
        )
        await outbox.tell(
            f"organisation:{row.provider_id or row.enterprise_id}",
            f"voucher.{ending}",
            at=now,
            voucher=row.id,
            number=row.number,
            amount_fen=free_fen,
            reason=reason,
        )
        return given_back_fen > 0

    async def _change_row(
        self, row: Voucher, end: End, given_back_fen: int, ending: Ending, now: datetime
    ) -> None:
        changes: dict[str, Any] = {"given_back_fen": F("given_back_fen") + given_back_fen}
        if end.status is not None:
            require_move(VOUCHER_MOVES, row.status, end.status)
            changes["status"] = end.status
        if ending is Ending.RECLAIM:
            changes["reclaimed_at"] = now
        # The WHERE clause is the lock should anybody come past the budget's.
        if not await Voucher.filter(id=row.id, status=row.status).update(**changes):
            raise VoucherMovedOn(number=row.number)

    async def _recount(self, budget: Budget) -> After:
        """Somebody may be granted more: a gate that counts quotas beforehand has to count anew.

        The number is raised in the transaction of the change: a gate that is not told sees the gap.
        """
        if self.rounds.programme(budget).issuance.mode is not IssuanceMode.GRAB:
            return nothing
        await budgets.raise_version(budget)
        return partial(self.rounds.desk.settle, self.rounds.terms(budget))
