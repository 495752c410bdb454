"""The year's money: settlements that are payable, as far as the money of their year goes.

Paid: the ledger says disbursed, the money behind a promise leaves with it, the settlement is paid, and the
step of its review that waited for the money is put on record. Returned: it is payable again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from datetime import date, datetime

from server import texts
from server.errors import Refusal
from server.models.disbursements import Payment
from server.models.orders import Order, VoucherHold
from server.models.reviews import ReviewCase
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.programme.model import Programme
from server.programme.review import ReviewKind
from server.rules.disbursements import PaymentSource, Receipt, TransferStatus, YearMoney, masked
from server.rules.money import Basis, Movement
from server.rules.settlements import SettlementStatus
from server.rules.supervision import EntryTone, ServiceEntryKind
from server.services.access import Actor
from server.services.afterwards import After, together
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.services.disbursements import offsets, year_money
from server.services.disbursements.offsets import Planned
from server.services.disbursements.payment_plan import in_line
from server.services.organisations import service_files
from server.services.reviews.review_cases import copied
from server.services.reviews.reviews import Reviews
from server.services.sanctions import recovery_returns
from server.services.settlements import settlement_book
from server.services.vouchers import order_purse
from server.units import yuan

WAITING = (SettlementStatus.PAYABLE, SettlementStatus.AWAITING_BUDGET)
PAID = (Movement.DISBURSE, Movement.PAY_OUT)
BACK = (Movement.RETURN_DISBURSEMENT, Movement.RETURN_PAID_OUT)
"""What is posted on a voucher, and on its year where the voucher was a promise."""

Look = Callable[[Collection[int]], Awaitable[None]]
"""Looks through settlements for what is wrong with them, and holds what must be held (YC-40)."""


class BooksDiffer(Refusal):
    """What the ledger has of the order is not what is to be paid: nothing is posted on it."""

    status, code = 409, "books_differ"


class YearsMoney:
    """Public money of a programme year, as a source of payments."""

    source = PaymentSource.BUDGET
    ends_review = True

    def __init__(self, reviews: Reviews, look: Look) -> None:
        self._reviews = reviews
        self._look = look

    async def look(self, settlement_ids: Collection[int]) -> None:
        """Look for anomalies, so that what must not be paid is held."""
        await self._look(settlement_ids)

    async def waiting(self, budget: Budget) -> list[Settlement]:
        """What is payable in a year."""
        rows = Settlement.filter(budget_id=budget.id, status__in=WAITING)
        return await rows.select_related("order").order_by("id")

    async def in_line(
        self, rows: Sequence[Settlement], programme: Programme, budget: Budget
    ) -> list[Settlement]:
        """What is payable still, in the order of the text (GX-61)."""
        waiting = [one for one in rows if one.status in WAITING and one.budget_id == budget.id]
        return in_line(programme, budget.year, waiting)

    def due_fen(self, settlement: Settlement) -> int:
        """What it was determined at."""
        return int(settlement.amount_fen)

    async def money(self, budget: Budget) -> YearMoney | None:
        """The year's, or what finance has allocated of it."""
        return await year_money.of(budget)

    async def kept_back(
        self, chosen: Sequence[Settlement], slug: str, on: date, *, but_batch: int | None = None
    ) -> Mapping[int, Sequence[Planned]]:
        """What is overdue against the payees."""
        return await offsets.plan(chosen, slug, on, but_batch=but_batch)

    async def short(self, settlement: Settlement, now: datetime) -> None:
        """It waits for more money, and its provider hears of it once."""
        if settlement.status is SettlementStatus.PAYABLE:
            await settlement_book.change(settlement, status=SettlementStatus.AWAITING_BUDGET)
            await settlement_book.tell("disbursement.awaiting", settlement, [settlement.provider_id], now=now)

    async def taken(self, settlement: Settlement) -> None:
        """It is being paid."""
        await settlement_book.change(settlement, status=SettlementStatus.IN_PAYMENT)

    async def let_go(self, settlement: Settlement) -> None:
        """It is payable again."""
        await settlement_book.change(settlement, status=SettlementStatus.PAYABLE)

    async def paid(
        self,
        payment: Payment,
        settlement: Settlement,
        receipt: Receipt,
        programme: Programme,
        actor: Actor,
        now: datetime,
    ) -> After:
        """The settlement is paid; its provider's file says so, and its review goes on."""
        await settlement_book.change(settlement, status=SettlementStatus.PAID, paid_at=now)
        await service_files.settled(settlement, now=now)
        await settlement_book.note(
            "settlement.paid", settlement, actor, now, payment=payment.number, amount_fen=payment.amount_fen,
            kept_fen=payment.kept_fen, receipt=receipt.number, on=receipt.on.isoformat(),
        )  # fmt: skip
        await _tell_paid(payment, settlement, receipt, now)
        await _to_service_file(settlement, programme, now)
        return await self._on_record(settlement, payment, actor)

    async def returned(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """The settlement is payable again, to another account; who was claimed that money owes it no more."""
        if payment.status is TransferStatus.PAID:
            await recovery_returns.came_home(payment.order_id, actor=actor, now=now)
        await settlement_book.change(settlement, status=SettlementStatus.PAYABLE, paid_at=None)
        await settlement_book.note(
            "settlement.payment_returned", settlement, actor, now, payment=payment.number,
            amount_fen=payment.amount_fen, reason=receipt.reason, on=receipt.on.isoformat(),
        )  # fmt: skip
        await settlement_book.tell(
            "disbursement.returned", settlement, [settlement.provider_id], now=now,
            ending=masked(payment.tail), reason=receipt.reason,
        )  # fmt: skip

    async def post(
        self, payment: Payment, settlement: Settlement, receipt: Receipt, actor: Actor, now: datetime
    ) -> None:
        """Disbursed with the receipt, and back with a return; what never left posts nothing.

        Raises :class:`BooksDiffer`.
        """
        if not receipt.paid and payment.status is not TransferStatus.PAID:
            return
        order = await Order.get(id=payment.order_id)
        holds = [one for one in await order_purse.holds_of(order.id) if one.spent_fen]
        spent_fen = sum(one.spent_fen for one in holds)
        if spent_fen != payment.amount_fen:
            raise BooksDiffer(
                number=settlement.number, arithmetic=f"{yuan(payment.amount_fen)} ≠ {yuan(spent_fen)}"
            )
        of_voucher, of_year = PAID if receipt.paid else BACK
        promised_fen = 0
        for hold in holds:
            await ledger.post(of_voucher, hold.spent_fen, _on(hold, order), at=now)
            promised_fen += hold.spent_fen if hold.voucher.basis is Basis.QUOTA else 0
        if promised_fen:
            assert settlement.budget_id is not None, "what is paid is paid of a year"
            year = Where(
                settlement.budget_id,
                enterprise_id=order.enterprise_id,
                order_id=order.id,
                provider_id=order.provider_id,
                category=order.category,
            )
            await ledger.post(of_year, promised_fen, year, at=now)
        if payment.kept_fen and receipt.paid:
            await offsets.paid(payment, receipt.on, actor=actor, now=now)
        elif payment.kept_fen:
            await offsets.returned(payment, receipt.on, actor=actor, now=now)

    async def _on_record(self, settlement: Settlement, payment: Payment, actor: Actor) -> After:
        """Put the review's step of payment on record; one that was paid before, and returned, is past it."""
        case = None if settlement.case_id is None else await ReviewCase.get(id=settlement.case_id)
        place = None if case is None else case.place
        if case is None or place is None:
            return together([])
        if copied(case).chain.steps[place].kind is not ReviewKind.DISBURSEMENT:
            return together([])
        return await self._reviews.put_on_record(
            case, kind=ReviewKind.DISBURSEMENT, actor=actor, reason=_reason(payment)
        )


async def _tell_paid(payment: Payment, settlement: Settlement, receipt: Receipt, now: datetime) -> None:
    """Tell the provider what came, what was kept back, or that there was nothing to pay."""
    await settlement_book.tell(
        "disbursement.kept_back"
        if payment.kept_fen
        else ("disbursement.paid" if payment.amount_fen else "disbursement.nothing"),
        settlement, [settlement.provider_id], now=now,
        ending=masked(payment.tail), receipt=receipt.number, kept_fen=payment.kept_fen,
        transfer_fen=payment.transfer_fen,
    )  # fmt: skip


async def _to_service_file(settlement: Settlement, programme: Programme, now: datetime) -> None:
    """What was paid, and what was cut, stands in the provider's service file (GX-57, NX-25)."""
    reduced = settlement.reduced_fen > 0
    await service_files.note(
        ServiceEntryKind.SETTLEMENT,
        "reduced" if reduced else "settled",
        settlement_book.subject_of(settlement),
        provider_id=settlement.provider_id,
        programme=programme,
        tone=EntryTone.BAD if reduced else EntryTone.GOOD,
        at=now,
        clause=programme.disbursement.article,
        amount=yuan(settlement.amount_fen),
        reduced=yuan(settlement.reduced_fen),
    )


def _reason(payment: Payment) -> str:
    """What the review's record says of the payment."""
    said = texts.PAID_LESS_REASON if payment.kept_fen else texts.PAID_REASON
    if not payment.amount_fen:
        said = texts.PAID_NOTHING_REASON
    return said.format(
        number=payment.number,
        whole=yuan(payment.amount_fen),
        kept=yuan(payment.kept_fen),
        amount=yuan(payment.transfer_fen),
        account=masked(payment.tail),
    )


def _on(hold: VoucherHold, order: Order) -> Where:
    voucher = hold.voucher
    return Where(
        voucher.budget_id,
        round_id=voucher.round_id,
        enterprise_id=voucher.enterprise_id,
        voucher_id=voucher.id,
        order_id=order.id,
        provider_id=order.provider_id,
        category=order.category,
    )
