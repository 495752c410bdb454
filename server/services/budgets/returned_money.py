"""Money that comes back from vouchers unused: to its year, and from there down the waiting list of its round.

Whatever brings it back, the holder, a deadline, a sanction or an order that ends, it takes this one way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime

from tortoise.expressions import F

from server.models.rounds import Budget, Round
from server.rules.money import Movement
from server.rules.voucher_ends import End
from server.services.budgets import ledger
from server.services.budgets.ledger import Where

OfferReturned = Callable[[Budget, Round, int, datetime], Awaitable[None]]
"""Gives money that came back to whoever waits in its round; under the budget's lock, in the transaction."""


async def pass_on(
    end: End, amount_fen: int, where: Where, *, offer: OfferReturned | None, now: datetime
) -> None:
    """Let the year have what an end gave back, and whoever waits in its round, where the programme says so.

    Under the lock of the budget in ``where``; ``offer`` serves the waiting list, where there is one.
    """
    if end.returns is None or not amount_fen:
        return
    budget_id, round_id = where.budget_id, where.round_id
    await Budget.filter(id=budget_id).update(returned_fen=F("returned_fen") + amount_fen)
    await ledger.post(end.returns, amount_fen, where, at=now)
    if offer is None or not end.down_the_list or round_id is None:
        return
    await Budget.filter(id=budget_id).update(allotted_fen=F("allotted_fen") + amount_fen)
    await Round.filter(id=round_id).update(pool_fen=F("pool_fen") + amount_fen)
    await ledger.post(Movement.ALLOT, amount_fen, Where(budget_id, round_id), at=now)
    await offer(await Budget.get(id=budget_id), await Round.get(id=round_id), amount_fen, now)
