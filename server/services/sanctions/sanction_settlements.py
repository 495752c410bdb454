"""What a sanction does to settlements: refused for good, or reduced by what was decided (YC-31, NX-26)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from tortoise.transactions import in_transaction

from server.models.orders import Order
from server.models.reviews import ReviewCase
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement
from server.programme.oversight import Measure
from server.rules.review import LIVE
from server.rules.sanction_cases import Effect, effects_of
from server.rules.settlements import STOPPABLE, UNDER_REVIEW, SettlementStatus
from server.services.access import CLOCK
from server.services.afterwards import After, nothing
from server.services.orders import order_book
from server.services.organisations.memberships import lock_all
from server.services.settlements import settlement_book, settlement_end, settlement_money
from server.services.settlements.settlements import Settlements


class SettlementStops:
    """Refuses or reduces the settlements a decision hits; one of ``SanctionEffects.stops``."""

    def __init__(self, settlements: Settlements, reason_of: Callable[[SanctionCase], str]) -> None:
        self._settlements = settlements
        self._reason_of = reason_of

    async def __call__(self, settlement: Settlement, case: SanctionCase, now: datetime) -> After:
        """Inside the transaction of the effect, under the locks of both sides."""
        async with in_transaction() as connection:
            await lock_all((settlement.provider_id, settlement.enterprise_id), connection)
            settlement = await settlement_book.locked(settlement.id)
            if settlement.status not in STOPPABLE:
                return nothing
            effects = effects_of([Measure(one) for one in case.measures])
            if Effect.REFUSE_SETTLEMENT in effects:
                await self._refuse(settlement, case, now)
            elif Effect.REDUCE_SETTLEMENT in effects:
                await self._reduce(settlement, case, now)
        return nothing

    async def unclaimed(self, order_id: int, case: SanctionCase, now: datetime) -> int:
        """Void what was spent on an order that nobody has asked to be paid for; how much there was, fen.

        Nothing where its settlement was handed in after all.
        """
        order = await Order.get(id=order_id)
        async with in_transaction() as connection:
            await lock_all((order.provider_id, order.enterprise_id), connection)
            await order_book.touch(order)
            alive = Settlement.filter(order_id=order.id).exclude(status=SettlementStatus.WITHDRAWN)
            settlement = await alive.first()
            if settlement is not None and settlement.status is not SettlementStatus.DRAFT:
                return 0
            reason = self._reason_of(case)
            if settlement is not None:
                await self._settlements.end_draft(settlement, reason=reason, actor=CLOCK)
            amount_fen = (await settlement_money.standing(order)).total_fen
            await settlement_end.let_go(self._settlements, order, year_id=order.budget_id, now=now)
            await order_book.note(
                "order.not_settled",
                order,
                CLOCK,
                now,
                reason=reason,
                amount_fen=amount_fen,
                sanction=case.id,
            )
            await order_book.tell_both(
                "order.not_settled", order, now=now, reason=reason, amount_fen=amount_fen
            )
        return amount_fen

    async def _refuse(self, settlement: Settlement, case: SanctionCase, now: datetime) -> None:
        review = await ReviewCase.get_or_none(
            subject="settlement", subject_id=settlement.id, status__in=list(LIVE)
        )
        reason = self._reason_of(case)
        if review is not None:
            await self._settlements.reviews.withdraw(review, reason=reason, actor=CLOCK, now=now)
        await settlement_end.refuse(self._settlements, settlement, reason=reason, actor=CLOCK, now=now)

    async def _reduce(self, settlement: Settlement, case: SanctionCase, now: datetime) -> None:
        """What is not determined yet is determined with it; what is determined pays so much less."""
        if not settlement.amount_fen:
            return
        less_fen = min(case.reduced_fen or 0, settlement.amount_fen)
        if settlement.status not in UNDER_REVIEW:  # On its notice nothing of it is spent yet.
            order = await Order.get(id=settlement.order_id)
            await settlement_money.disallow(order, less_fen, year_id=settlement.budget_id, now=now)
        settlement = await settlement_book.change(
            settlement,
            amount_fen=settlement.amount_fen - less_fen,
            reduced_fen=settlement.reduced_fen + less_fen,
            reduction_reason=self._reason_of(case),
        )
        await settlement_book.note(
            "settlement.reduced", settlement, CLOCK, now, reduced_fen=less_fen, sanction=case.id
        )
