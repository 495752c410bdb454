"""Released escrow: an enterprise's own money that its provider is owed, apart from all public money.

Owed from the day its settlement becomes payable. Transferred when the bank's receipt is there, and owed again
when the bank sends it back: what the ledger says is held or owed lies at the bank.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime

from server.models.disbursements import Payment
from server.models.orders import Order
from server.models.payments import Escrow
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.rules.disbursements import (
    LIVE_TRANSFERS,
    PaymentSource,
    Receipt,
    TransferStatus,
    YearMoney,
    masked,
)
from server.rules.money import Movement
from server.rules.settlements import SETTLED, SettlementStatus
from server.services.access import Actor
from server.services.afterwards import After, nothing
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.disbursements.offsets import Planned
from server.services.settlements import settlement_book

RELEASED = frozenset({*SETTLED, SettlementStatus.REFUSED})
"""Where escrow was released. One that was refused after that waits under the decision's hold, and an appeal
sets it free."""


class ReleasedEscrow:
    """What was released of escrow, as a source of payments. It is no year's money: a year keeps its books."""

    source = PaymentSource.ESCROW
    ends_review = False

    async def look(self, settlement_ids: Collection[int]) -> None:
        """It was looked through when it became payable; what holds a settlement holds its escrow."""

    async def waiting(self, budget: Budget) -> list[Settlement]:
        """What was released in a year's books, and is on no way to its provider."""
        rows = Settlement.filter(
            order__escrow__budget_id=budget.id, status__in=list(RELEASED), escrow_fen__gt=0
        )
        return await _untaken(await rows.select_related("order").order_by("id"))

    async def in_line(
        self, rows: Sequence[Settlement], programme: Programme, budget: Budget
    ) -> list[Settlement]:
        """Whose transfer waits still, as they were settled."""
        return await _untaken([one for one in rows if one.status in RELEASED and one.escrow_fen])

    def due_fen(self, settlement: Settlement) -> int:
        """What was released."""
        return int(settlement.escrow_fen)

    async def money(self, budget: Budget) -> YearMoney | None:
        """What was released came in before."""
        return None

    async def kept_back(
        self, chosen: Sequence[Settlement], slug: str, on: date, *, but_batch: int | None = None
    ) -> Mapping[int, Sequence[Planned]]:
        """Nothing: a claim is of public money, and this is an enterprise's own."""
        return {}

    async def short(self, settlement: Settlement, now: datetime) -> None:
        """Never: nobody waits for money that is there."""

    async def taken(self, settlement: Settlement) -> None:
        """Its payment says so; the settlement stays where the year's money has brought it."""

    async def let_go(self, settlement: Settlement) -> None:
        """Its payment says so."""

    async def paid(
        self,
        payment: Payment,
        settlement: Settlement,
        receipt: Receipt,
        programme: Programme,
        actor: Actor,
        now: datetime,
    ) -> After:
        """Both sides hear of it: it was the one's, and is the other's."""
        await settlement_book.note(
            "settlement.escrow_transferred", settlement, actor, now, payment=payment.number,
            amount_fen=payment.amount_fen, receipt=receipt.number, on=receipt.on.isoformat(),
        )  # fmt: skip
        await settlement_book.tell(
            "escrow.transferred", settlement, [settlement.provider_id, settlement.enterprise_id], now=now,
            escrow_fen=payment.amount_fen, ending=masked(payment.tail), receipt=receipt.number,
        )  # fmt: skip
        return nothing

    async def returned(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """It is owed again, to another account."""
        await settlement_book.note(
            "settlement.escrow_returned", settlement, actor, now, payment=payment.number,
            amount_fen=payment.amount_fen, reason=receipt.reason, on=receipt.on.isoformat(),
        )  # fmt: skip
        await settlement_book.tell(
            "escrow.returned", settlement, [settlement.provider_id], now=now,
            escrow_fen=payment.amount_fen, ending=masked(payment.tail), reason=receipt.reason,
        )  # fmt: skip

    async def post(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """Transferred with the receipt, owed again with a return; what never left posts nothing."""
        if not receipt.paid and payment.status is not TransferStatus.PAID:
            return
        order = await Order.get(id=payment.order_id)
        escrow = await Escrow.get(order_id=order.id)
        where = Where(
            escrow.budget_id,
            enterprise_id=order.enterprise_id,
            order_id=order.id,
            provider_id=order.provider_id,
            category=order.category,
        )
        movement = Movement.TRANSFER_ESCROW if receipt.paid else Movement.RETURN_ESCROW_TRANSFER
        await ledger.post(movement, payment.amount_fen, where, at=now)


async def _untaken(rows: Sequence[Settlement]) -> list[Settlement]:
    """Those of these whose escrow stands in no batch and was not transferred."""
    live = Payment.filter(
        source=PaymentSource.ESCROW,
        settlement_id__in=[one.id for one in rows],
        status__in=list(LIVE_TRANSFERS),
    )
    taken: set[object] = set(await live.values_list("settlement_id", flat=True))
    return [one for one in rows if one.id not in taken]
