"""Orders, walked step by step on both databases: five orders of events on one engine."""

from __future__ import annotations

import pytest

from server.models.orders import Order
from server.models.rounds import Budget
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.rules.money import Account
from server.rules.orders import OrderStatus
from server.services.budgets import ledger
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, RANKED, Desk


@pytest.mark.rules("LS-30", "LS-31", "LS-65")
async def test_an_order_holds_its_voucher_when_placed_and_spends_it_when_accepted(desk: Desk) -> None:
    budget = await desk.budget(GRABBED)
    enterprise, provider = await desk.enterprise(GRABBED), await desk.provider(GRABBED)
    voucher = await desk.voucher(budget, enterprise, 10_000)
    order = await desk.opened(GRABBED, enterprise, provider, 10_000, voucher_id=voucher.id)
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.AVAILABLE], sums[Account.HELD]) == (300_000, 700_000)
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE
    assert order.step is StepKind.SETTLE
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.AVAILABLE], sums[Account.REDEEMED]) == (300_000, 700_000)


@pytest.mark.rules("GZ-33", "GZ-36", "GZ-62", "GZ-67")
async def test_a_voucher_is_paid_on_the_invoice_and_received_by_the_provider(desk: Desk) -> None:
    budget = await desk.budget(RANKED)
    enterprise, provider = await desk.enterprise(RANKED), await desk.provider(RANKED)
    voucher = await desk.voucher(budget, enterprise, 10_000, order_days=30)
    order = await desk.opened(
        RANKED, enterprise, provider, 10_000, voucher_id=voucher.id, wanted_fen=yuan_to_fen(4_000)
    )
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.AVAILABLE], sums[Account.HELD]) == (600_000, 400_000)
    order = await desk.walk(order, until=StepKind.PAY_VOUCHER)
    order = await desk.step(
        order,
        enterprise,
        voucher_fen=yuan_to_fen(3_500),
        transfer={"amount_fen": yuan_to_fen(6_500)},
    )
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE
    sums = await ledger.balances(voucher_id=voucher.id)
    assert (sums[Account.AVAILABLE], sums[Account.REDEEMED]) == (650_000, 350_000)


@pytest.mark.rules("GX-30", "GX-31", "GX-52", "GX-65")
async def test_a_quota_is_frozen_when_both_have_signed(desk: Desk) -> None:
    budget = await desk.budget(ALLOTTED)
    enterprise, provider = await desk.enterprise(ALLOTTED), await desk.provider(ALLOTTED)
    await desk.settle(enterprise)
    order = await desk.signed(enterprise, provider, 40_000)
    assert order.step is StepKind.DEPOSIT
    assert order.voucher_fen == yuan_to_fen(20_000)
    assert (await Budget.get(id=budget.id)).committed_fen == yuan_to_fen(20_000)
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE


@pytest.mark.rules("NX-18", "NX-19", "NX-20")
async def test_a_voucher_is_issued_on_the_contract_and_waits_for_the_escrow(desk: Desk) -> None:
    budget = await desk.budget(ON_CONTRACT)
    period = await desk.period(budget, 10_000)
    enterprise, provider = await desk.enterprise(ON_CONTRACT), await desk.provider(ON_CONTRACT)
    request = await desk.asked(period, enterprise, provider, 4_000)
    request = await desk.decide(request)
    order = await Order.get(id=request.order_id)
    assert order.step is StepKind.ESCROW
    assert order.voucher_fen == yuan_to_fen(2_000)
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE


@pytest.mark.rules("YC-05", "YC-13", "YC-15", "YC-20")
async def test_a_provider_draws_one_voucher_a_project_and_nothing_is_held(desk: Desk) -> None:
    await desk.budget(DRAWN)
    enterprise, provider = await desk.enterprise(DRAWN, approved=False), await desk.provider(DRAWN)
    order = await desk.drawn(enterprise, provider, 100_000)
    assert order.step is StepKind.DELIVER
    assert order.voucher_fen == yuan_to_fen(30_000)
    voucher = await Voucher.get(id=order.voucher_id)
    assert voucher.provider_id == provider.id
    order = await desk.walk(order)
    assert order.status is OrderStatus.DONE
    assert not await ledger.balances(voucher_id=voucher.id)
