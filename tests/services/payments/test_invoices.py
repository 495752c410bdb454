"""Invoices and transfers against contract, window and each other; and each number for one order only."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server.models.orders import Order
from server.models.organisations import NameRecord
from server.models.payments import OwnPayment, PaperMark
from server.programme.steps import StepKind
from server.rules.own_payments import PaymentStatus
from server.services.budgets import ledger
from server.services.payments.invoices import PaperUsedBefore
from tests.paying import Cashier, NotDone
from tests.rules.cast import GUANGZHOU, LISHUI, YINCHUAN

rules = pytest.mark.rules
At = Callable[[str], Cashier]


@pytest.fixture
async def at(database: TortoiseContext) -> AsyncIterator[At]:
    """A programme's cashier. Whatever a test does, the books balance."""
    yield Cashier
    assert await ledger.verify() == []


async def refused(till: Cashier, order: Order, *papers: Any) -> list[str]:
    """What stands against these papers; nothing of them is kept."""
    before = await PaperMark.all().count()
    with pytest.raises(NotDone) as told:
        await till.hand_in(order, *papers)
    assert await PaperMark.all().count() == before
    return told.value.codes


# -- 丽水: the enterprise's part -----------------------------------------------------------------------


@rules("LS-49", "LS-50")
async def test_the_invoice_is_over_the_part_the_enterprise_bears(at: At) -> None:
    till = at(LISHUI)
    order = await till.order(10_000, 7_000, StepKind.INVOICE)
    for amount_yuan in (10_000, 2_999.99, 7_000):
        assert await refused(till, order, await till.paper(order, "invoice", amount_yuan)) == ["invoice"]
    order = await till.hand_in(order, await till.paper(order, "invoice", 3_000))
    # What was invoiced is a part of the price: it is no price of its own.
    assert order.invoice_fen is None


@rules("LS-50")
async def test_an_invoice_older_than_its_contract_is_for_something_else(at: At) -> None:
    till = at(LISHUI)
    order = await till.order(10_000, 7_000, StepKind.INVOICE)
    signed_on = till.today - timedelta(days=30)
    early = await till.paper(order, "invoice", 3_000, dated=signed_on - timedelta(days=1))
    assert await refused(till, order, early) == ["invoice_before_contract"]
    await till.hand_in(order, replace(early, dated=signed_on))


@rules("LS-50", "LS-51")
async def test_invoice_and_transfer_name_the_parties_of_the_contract(at: At) -> None:
    till = at(LISHUI)
    order = await till.order(10_000, 7_000, StepKind.INVOICE)
    paper = await till.paper(order, "invoice", 3_000)
    swapped = replace(paper, payer=paper.payee, payee=paper.payer)
    assert await refused(till, order, swapped) == ["invoice_payer", "invoice_payee"]
    wide = replace(paper, payer=f"　{paper.payer.replace('有限', ' 有限')} ")
    await till.hand_in(order, wide)


@rules("GZ-64")
async def test_a_name_the_organisation_once_had_counts_and_nobody_elses(at: At) -> None:
    till = at(LISHUI)
    order = await till.order(10_000, 7_000, StepKind.INVOICE)
    paper = await till.paper(order, "invoice", 3_000, payee="老字号检测（丽水）有限公司")
    assert await refused(till, order, paper) == ["invoice_payee"]
    await NameRecord.create(
        organisation_id=order.provider_id, name="老字号检测(丽水)有限公司", until=till.clock.at
    )
    await till.hand_in(order, paper)


# -- 广州: the full invoice, and at least half by transfer ------------------------------------------------


async def papers(till: Cashier, order: Order, **changes: Any) -> list[Any]:
    """Full invoice and transfer of the rest, but for what ``invoice_…`` and ``transfer_…`` say."""
    found = []
    for code, amount in (("invoice", 30_000), ("transfer", 15_000)):
        mine = {name.removeprefix(f"{code}_"): v for name, v in changes.items() if name.startswith(code)}
        found.append(await till.paper(order, code, mine.pop("yuan", amount), **mine))
    return found


@rules("GZ-36", "GZ-68", "GZ-72")
async def test_the_invoice_is_over_all_of_it_and_the_transfer_over_half_at_least(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({"invoice_yuan": 15_000}, ["invoice"]),
        ({"invoice_yuan": 29_999.99}, ["invoice"]),
        ({"transfer_yuan": 14_999.99}, ["transfer"]),
    ]
    for changes, codes in cases:
        assert await refused(till, order, *await papers(till, order, **changes)) == codes
    order = await till.hand_in(order, *await papers(till, order))
    assert order.invoice_fen == 3_000_000


@rules("GZ-72")
async def test_the_transfer_covers_what_the_voucher_does_not(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(50_000, 20_000, StepKind.PAY_VOUCHER)
    changes = {"invoice_yuan": 50_000, "transfer_yuan": 25_000}
    with pytest.raises(NotDone) as told:
        await till.hand_in(order, *await papers(till, order, **changes))
    assert told.value.arithmetic == ["25,000.00 < 30,000.00"]
    changes["transfer_yuan"] = 30_000
    await till.hand_in(order, *await papers(till, order, **changes))


@rules("GZ-35", "GZ-69", "GZ-73")
@pytest.mark.parametrize("code", ["invoice", "transfer"])
async def test_invoice_and_transfer_lie_in_the_service_window(at: At, code: str) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    early = {f"{code}_dated": date(2019, 11, 30)}
    codes = await refused(till, order, *await papers(till, order, **early))
    assert f"{code}_in_service_window" in codes
    till.clock.at += timedelta(days=400)
    late = {f"{code}_dated": date(2020, 12, 1)}
    codes = await refused(till, order, *await papers(till, order, **late))
    assert f"{code}_in_service_window" in codes
    last = {"invoice_dated": date(2020, 11, 30), "transfer_dated": date(2020, 11, 30)}
    await till.hand_in(order, *await papers(till, order, **last))


@rules("GZ-70", "GZ-74", "GZ-75")
async def test_everything_that_does_not_agree_is_named_at_once(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    wrong = {
        "invoice_number": "12345678",
        "invoice_payee": "另一家有限公司",
        "invoice_yuan": 20_000,
        "transfer_payer": "某自然人",
        "transfer_dated": None,
    }
    assert await refused(till, order, *await papers(till, order, **wrong)) == [
        "invoice_invoice_number",
        "invoice_payee",
        "invoice",
        "transfer_dated",
        "transfer_payer",
    ]


# -- 银川: everything with the service ------------------------------------------------------------------


@rules("YC-21", "YC-32")
async def test_the_provider_shows_a_full_invoice_and_the_transfer_to_it(at: At) -> None:
    till = at(YINCHUAN)
    order = await till.order(100_000, 30_000, StepKind.DELIVER)
    invoice = await till.paper(order, "full_invoice", 100_000)
    transfer = await till.paper(order, "transfer", 100_000)
    assert await refused(till, order, replace(invoice, amount_fen=7_000_000), transfer) == ["full_invoice"]
    assert await refused(till, order, invoice, replace(transfer, payee="另一家")) == ["transfer_payee"]
    assert await refused(till, order, invoice, replace(transfer, amount_fen=None)) == ["transfer_amount"]
    order = await till.hand_in(order, invoice, transfer)
    assert order.invoice_fen == 10_000_000


async def test_what_one_side_handed_in_stays_when_the_other_does_its_part(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    invoice, transfer = await papers(till, order)
    await till.hand_in_unchecked(order, invoice)
    await till.hand_in_unchecked(order, transfer)
    await till.hand_in_unchecked(order)
    assert await PaperMark.filter(order_id=order.id).count() == 2
    assert await OwnPayment.filter(order_id=order.id, status=PaymentStatus.PAID).count() == 1


# -- each number once --------------------------------------------------------------------------------


@rules("YC-32", "GZ-75")
async def test_an_invoice_of_another_order_programme_and_year_is_refused_with_that_order(at: At) -> None:
    lishui, guangzhou = at(LISHUI), at(GUANGZHOU)
    old = await guangzhou.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    used, transfer = await papers(guangzhou, old)
    await guangzhou.hand_in(old, used, transfer)
    assert lishui.today.year != guangzhou.today.year

    order = await lishui.order(10_000, 7_000, StepKind.INVOICE)
    fresh = await lishui.paper(order, "invoice", 3_000)
    again = replace(fresh, number=f"{used.number[:12]} {used.number[12:]}")
    with pytest.raises(NotDone) as told:
        await lishui.hand_in(order, again)
    assert told.value.codes == ["invoice_used_before"]
    with pytest.raises(PaperUsedBefore) as raced:
        await lishui.hand_in_unchecked(order, again)
    assert raced.value.values["order"] == old.number
    await lishui.hand_in(order, fresh)


async def test_the_same_invoice_twice_in_one_order_pays_once(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    half, transfer = await papers(till, order, invoice_yuan=15_000)
    assert await refused(till, order, half, half, transfer) == ["invoice_twice"]
    other = await till.paper(order, "invoice", 15_000)
    await till.hand_in(order, half, other, transfer)


async def test_an_invoice_and_a_receipt_may_share_a_number(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    invoice, transfer = await papers(till, order)
    await till.hand_in(order, invoice, replace(transfer, number=invoice.number))
