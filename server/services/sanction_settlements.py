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
from server.rules.settlements import UNDER_REVIEW, SettlementStatus
from server.services import settlement_book, settlement_end, settlement_money
from server.services.access import CLOCK
from server.services.memberships import lock_all
from server.services.reviewed import After, nothing
from server.services.settlements import Settlements

STOPPABLE = frozenset({*UNDER_REVIEW, SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET})
"""What is with the bank is stopped by its hold, or claimed back once it has arrived."""


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
