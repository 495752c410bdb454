"""Own money, many at once on PostgreSQL: one invoice, one receipt, one escrow, one payment.

Each race is run with verbs that are under way together; the control shows that they really are.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.gateways.payments import (
    Charge,
    PhonePayment,
    RefundState,
    Trade,
    TradeRefund,
    TradeState,
)
from server.models.orders import Order
from server.models.payments import Escrow, OwnPayment, PaperMark
from server.programme.steps import StepKind
from server.rules.invoice_checks import MarkKind
from server.rules.own_payments import PaymentPurpose, PaymentStatus
from server.services.budgets import ledger
from server.services.payments import escrows, payment_outcomes
from tests.paying import Cashier
from tests.races.crowd import together
from tests.rules.cast import LISHUI, NINGXIA

RIVALS = 5
rules = pytest.mark.rules


@pytest.fixture
async def till(postgres: TortoiseContext) -> AsyncIterator[Cashier]:
    """Orders of the programme with escrow on PostgreSQL; whatever a race does, the books balance."""
    yield Cashier(NINGXIA)
    assert await ledger.verify() == []


class Obliging:
    """A gateway that agrees to everything, so that only we decide who is first."""

    async def charge(self, charge: Charge, *, now: object) -> PhonePayment:
        return PhonePayment("0", "n", f"prepay_id={charge.trade_number}", "RSA", "s")

    async def find(self, trade_number: str, *, now: object) -> Trade:
        return Trade(trade_number, TradeState.UNPAID)

    async def close(self, trade_number: str, *, now: object) -> None:
        return None

    async def refund(self, trade_number: str, amount_fen: int, reason: str, *, now: object) -> TradeRefund:
        return TradeRefund(trade_number, RefundState.DONE, amount_fen)

    def read_notice(self, headers: object, body: object, *, now: object) -> Trade:
        raise AssertionError("nobody tells anything here")


async def test_control_two_who_look_without_the_guard_both_count_one_invoice(till: Cashier) -> None:
    """Without the unique number this is what the races below would come to."""
    orders = [await till.order(10_000, 3_000, StepKind.ESCROW) for _ in range(2)]
    both_looked = asyncio.Barrier(2)

    async def count(order: Order, number: int) -> None:
        async with in_transaction():
            if await PaperMark.filter(mark__startswith="CONTROL").exists():
                return
            async with asyncio.timeout(10):
                await both_looked.wait()
            await PaperMark.create(
                kind=MarkKind.RECEIPT,
                mark=f"CONTROL{number}",
                order_id=order.id,
                step=StepKind.ESCROW,
                code="escrow_receipt",
                marked_at=till.clock.at,
            )

    await asyncio.gather(count(orders[0], 1), count(orders[1], 2))
    assert await PaperMark.all().count() == 2


@rules("NX-20", "GX-74")
async def test_one_receipt_handed_in_for_many_orders_at_once_pays_one(till: Cashier) -> None:
    enterprise, provider = await till.organisation(), await till.organisation()
    orders = [
        await till.order(10_000, 3_000, StepKind.ESCROW, enterprise=enterprise, provider=provider)
        for _ in range(RIVALS)
    ]
    paper = await till.paper(orders[0], "escrow_receipt", 7_000)
    outcomes = await together(*(till.hand_in_unchecked(order, paper) for order in orders))
    assert outcomes == {"done": 1, "paper_used_before": RIVALS - 1}
    assert await OwnPayment.all().count() == 1
    assert sum(one.paid_fen for one in await Escrow.all()) == 700_000


@rules("LS-50", "YC-32")
async def test_one_invoice_handed_in_for_many_orders_at_once_counts_for_one(till: Cashier) -> None:
    shop = Cashier(LISHUI)
    enterprise, provider = await shop.organisation(), await shop.organisation()
    orders = [
        await shop.order(10_000, 7_000, StepKind.INVOICE, enterprise=enterprise, provider=provider)
        for _ in range(RIVALS)
    ]
    paper = await shop.paper(orders[0], "invoice", 3_000)
    outcomes = await together(*(shop.hand_in_unchecked(order, paper) for order in orders))
    assert outcomes == {"done": 1, "paper_used_before": RIVALS - 1}
    assert await PaperMark.all().count() == 1


async def test_two_who_bring_the_same_papers_in_another_order_do_not_wait_for_each_other(
    till: Cashier,
) -> None:
    enterprise, provider = await till.organisation(), await till.organisation()
    orders = [
        await till.order(10_000, 3_000, StepKind.ESCROW, enterprise=enterprise, provider=provider)
        for _ in range(RIVALS)
    ]
    half = await till.paper(orders[0], "escrow_receipt", 3_500)
    other = replace(half, number="ICBC999999999999")
    pairs = [(half, other) if number % 2 else (other, half) for number in range(RIVALS)]
    outcomes = await together(
        *(till.hand_in_unchecked(order, *pair) for order, pair in zip(orders, pairs, strict=True))
    )
    assert outcomes == {"done": 1, "paper_used_before": RIVALS - 1}


@rules("NX-20")
async def test_escrow_that_many_release_at_once_leaves_once(till: Cashier) -> None:
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    now = till.clock.at
    outcomes = await together(*(escrows.release(order, 700_000, now=now) for _ in range(RIVALS)))
    assert outcomes == {"done": 1, "escrow_short": RIVALS - 1}
    assert await escrows.held_fen(order.id) == 0


@rules("NX-20")
async def test_escrow_is_released_or_given_back_and_never_both(till: Cashier) -> None:
    for _ in range(RIVALS):
        order = await till.order(10_000, 3_000, StepKind.ESCROW)
        await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
        await together(
            till.cancel(order),
            escrows.release(order, 700_000, now=till.clock.at),
        )
        escrow = await Escrow.get(order_id=order.id)
        assert sorted((escrow.released_fen, escrow.refunded_fen)) == [0, 700_000]


async def test_many_phones_that_ask_at_once_pay_one_payment(till: Cashier) -> None:
    till.payments.gateway = Obliging()
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    actor = await till.person(order)
    asked = await asyncio.gather(
        *(till.payments.charge(order.id, PaymentPurpose.ESCROW, actor=actor) for _ in range(RIVALS))
    )
    assert len({one.payment.trade_number for one in asked}) == 1
    assert await OwnPayment.all().count() == 1


@rules("NX-20")
async def test_one_payment_told_of_many_times_at_once_is_held_once(till: Cashier) -> None:
    till.payments.gateway = Obliging()
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    asked = await till.payments.charge(order.id, PaymentPurpose.ESCROW, actor=await till.person(order))
    told = Trade(asked.payment.trade_number or "", TradeState.PAID, "4200", 700_000, till.clock.at)
    now = till.clock.at
    await together(*(payment_outcomes.settle(asked.payment, told, now=now) for _ in range(RIVALS)))
    assert await escrows.held_fen(order.id) == 700_000


@rules("NX-20")
async def test_a_payment_told_of_while_its_order_is_cancelled_is_given_back_either_way(till: Cashier) -> None:
    till.payments.gateway = Obliging()
    for number in range(RIVALS):
        order = await till.order(10_000, 3_000, StepKind.ESCROW)
        asked = await till.payments.charge(order.id, PaymentPurpose.ESCROW, actor=await till.person(order))
        told = Trade(asked.payment.trade_number or "", TradeState.PAID, f"42{number}", 700_000, till.clock.at)
        await together(till.cancel(order), payment_outcomes.settle(asked.payment, told, now=till.clock.at))
        payment = await OwnPayment.get(order_id=order.id)
        assert payment.status is PaymentStatus.REFUND_DUE
        assert await escrows.held_fen(order.id) == 0
