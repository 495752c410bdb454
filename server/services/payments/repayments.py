"""Repayments: an enterprise that paid in full gets the voucher's amount back from its provider (GZ-48)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server import texts
from server.errors import Refusal
from server.models.orders import Order
from server.models.payments import OwnPayment, PaperMark
from server.programme.model import Programme
from server.programme.papers import Document, DocumentKind
from server.programme.registry import Programmes
from server.programme.steps import StepKind
from server.rules.deadlines import day_of
from server.rules.invoice_checks import MarkKind, Shown, Wanted, mark_of, papers_unmet
from server.rules.own_payments import TO_THE_PROVIDER, PaymentMethod, PaymentPurpose, PaymentStatus
from server.rules.payments import refund_due_fen
from server.services import outbox
from server.services.access import Actor, NotFound, organisation_id_of
from server.services.clocks import ProgrammeClocks
from server.services.payments import payment_outcomes
from server.services.payments.invoices import PaperUsedBefore
from server.services.payments.paper_terms import agreed_fen, names_of
from server.units import yuan

CODE = "repayment"


class NothingToRepay(Refusal):
    """The provider owes nothing back on this order."""

    status, code = 409, "nothing_to_repay"


class RepaymentUnusable(Refusal):
    """The receipt does not show that the whole of it was given back."""

    status, code = 422, "repayment_unusable"


@dataclass(frozen=True, slots=True)
class Owed:
    """What the provider still owes back, fen, with its sum and clause."""

    amount_fen: int
    clause: str
    arithmetic: str


async def owed(order: Order, programme: Programme) -> Owed:
    """What an order's provider owes back now: what came beyond the invoice, voucher included."""
    rows = await OwnPayment.filter(order_id=order.id, status=PaymentStatus.PAID)
    paid_fen = sum(one.amount_fen for one in rows if one.purpose in TO_THE_PROVIDER)
    back_fen = sum(one.amount_fen for one in rows if one.purpose is PaymentPurpose.REPAYMENT)
    invoice_fen = order.invoice_fen or agreed_fen(order)
    due_fen = refund_due_fen(programme, order.category, invoice_fen, paid_fen, order.voucher_fen) - back_fen
    arithmetic = texts.PREPAID.format(
        paid=yuan(paid_fen),
        voucher=yuan(order.voucher_fen),
        invoice=yuan(invoice_fen),
        back=yuan(back_fen),
        due=yuan(max(0, due_fen)),
    )
    return Owed(max(0, due_fen), programme.deduction_for(order.category).article, arithmetic)


class Repayments:
    """The provider's one verb."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks) -> None:
        self._programmes = programmes
        self._clocks = clocks
        self.listeners: list[Callable[[Order, datetime], Awaitable[None]]] = []
        """Who hears, in its transaction, that what was owed on an order was given back."""

    async def repay(self, order_id: int, receipt: Shown, *, actor: Actor) -> OwnPayment:
        """Record that the whole of what is owed was given back, as a bank's receipt shows.

        Raises ``NotFound``, :class:`NothingToRepay`, :class:`RepaymentUnusable`, ``PaperUsedBefore``.
        """
        provider_id = organisation_id_of(actor)
        async with in_transaction():
            # Everybody who moves the order waits here: nothing is given back twice.
            if not await Order.filter(id=order_id, provider_id=provider_id).update(version=F("version")):
                raise NotFound()
            order = await Order.get(id=order_id)
            programme = self._programmes.version(order.programme_slug, order.programme_version)
            now = self._clocks.now(order.programme_slug)
            due = await owed(order, programme)
            if not due.amount_fen:
                raise NothingToRepay(clause=due.clause, arithmetic=due.arithmetic)
            document = Document(
                code=CODE,
                name=texts.REPAYMENT_RECEIPT,
                kind=DocumentKind.TRANSFER_RECEIPT,
                article=due.clause,
            )
            await self._require_usable(order, document, due, receipt, now)
            await _count(order, document, receipt, now)
            payment = await self._record(order, due, receipt, actor=actor, now=now)
            for listener in self.listeners:
                await listener(order, now)
            return payment

    async def _require_usable(
        self, order: Order, document: Document, due: Owed, receipt: Shown, now: datetime
    ) -> None:
        names = await names_of(order)
        wanted = Wanted(
            document=document,
            price_fen=due.amount_fen,
            voucher_fen=0,
            exact_fen=due.amount_fen,
            payers=names.provider,
            payees=names.enterprise,
        )
        unmet = papers_unmet(wanted, [receipt], day_of(now))
        if unmet:
            raise RepaymentUnusable(
                clause=due.clause, arithmetic=due.arithmetic, unmet=unmet, count=len(unmet)
            )

    async def _record(
        self, order: Order, due: Owed, receipt: Shown, *, actor: Actor, now: datetime
    ) -> OwnPayment:
        payment = await OwnPayment.create(
            order_id=order.id,
            programme_slug=order.programme_slug,
            purpose=PaymentPurpose.REPAYMENT,
            method=PaymentMethod.TRANSFER,
            status=PaymentStatus.PAID,
            amount_fen=due.amount_fen,
            payer=receipt.payer,
            payee=receipt.payee,
            step=StepKind.SETTLE,
            code=CODE,
            paid_on=receipt.dated,
            bank_reference=receipt.number.strip(),
            created_by=actor.name,
            created_at=now,
            settled_at=now,
        )
        await payment_outcomes.note("payment.repaid", payment, actor=actor, now=now)
        await outbox.tell(
            f"organisation:{order.enterprise_id}",
            "payment.repaid",
            at=now,
            order=order.id,
            number=order.number,
            amount=yuan(due.amount_fen),
        )
        return payment


async def _count(order: Order, document: Document, receipt: Shown, now: datetime) -> None:
    """Its number counts once, whatever it was handed in for. Raises ``PaperUsedBefore``."""
    mark = mark_of(document.kind, receipt.number)
    assert mark is not None, "checked before"
    taken = await PaperMark.get_or_none(kind=MarkKind.RECEIPT, mark=mark).select_related("order")
    if taken is None:
        row = PaperMark(
            kind=MarkKind.RECEIPT,
            mark=mark,
            order_id=order.id,
            step=StepKind.SETTLE,
            code=CODE,
            marked_at=now,
        )
        await PaperMark.bulk_create([row], ignore_conflicts=True)
        taken = await PaperMark.get(kind=MarkKind.RECEIPT, mark=mark).select_related("order")
        if (taken.order_id, taken.code) == (order.id, CODE):
            return
    assert taken.order is not None, "a summary invoice has no receipt's number"
    raise PaperUsedBefore(clause=document.article, name=document.name, order=taken.order.number)
