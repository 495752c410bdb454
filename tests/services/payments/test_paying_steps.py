"""Deposit, balance, escrow and the own share: paid to whom, how much, shown by what, and held where."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server.models.payments import Escrow, OwnPayment
from server.programme.papers import FieldKind
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.invoice_checks import Shown
from server.rules.money import Account
from server.rules.own_payments import PaymentPurpose, PaymentStatus
from server.services.budgets import ledger
from server.services.payments import escrows, repayments
from server.services.payments.escrows import EscrowShort
from server.services.payments.invoices import PaperUsedBefore
from server.services.payments.paying_steps import PayingStep
from server.services.payments.payment_outcomes import BankReferenceUnusable, NothingToGiveBack
from server.services.payments.repayments import NothingToRepay, RepaymentUnusable
from tests.paying import OPERATOR, OPERATOR_NAME, Cashier, NotDone
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA

rules = pytest.mark.rules
INVENTED = Path("tests/programmes/invented")
NORTHPORT, HILLSIDE = "northport-2031", "hillside-2032"


@pytest.fixture
async def at(database: TortoiseContext) -> AsyncIterator[Callable[[str], Cashier]]:
    """A programme's cashier. Whatever a test does, the books balance."""
    yield lambda slug: Cashier(slug, INVENTED if slug in (NORTHPORT, HILLSIDE) else Path("config/programmes"))
    assert await ledger.verify() == []


At = Callable[[str], Cashier]


# -- deposit and balance (GX) ------------------------------------------------------------------------


@rules("GX-53")
async def test_a_deposit_is_a_fifth_of_the_contract_to_the_fen(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    for amount_yuan in (5_999.99, 6_000.01):
        with pytest.raises(NotDone) as refused:
            await till.hand_in(order, await till.paper(order, "deposit_receipt", amount_yuan))
        assert refused.value.codes == ["deposit_receipt_amount_differs"]
    await till.hand_in(order, await till.paper(order, "deposit_receipt", 6_000))
    paid = await OwnPayment.get(order_id=order.id)
    assert (paid.purpose, paid.status, paid.amount_fen) == (
        PaymentPurpose.DEPOSIT,
        PaymentStatus.PAID,
        600_000,
    )


@rules("GX-53")
async def test_a_deposit_that_nothing_shows_is_not_paid(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order)
    assert refused.value.codes == ["unpaid"]
    assert not await OwnPayment.exists()


@rules("GX-54")
async def test_the_balance_is_contract_less_deposit_less_voucher(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.BALANCE)
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, await till.paper(order, "balance_receipt", 20_000))
    assert refused.value.arithmetic == ["20,000.00 ≠ 14,000.00"]
    await till.hand_in(order, await till.paper(order, "balance_receipt", 14_000))


@rules("GX-54")
async def test_a_balance_of_nothing_is_paid_by_nothing(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(8_000, 6_400, StepKind.BALANCE)
    await till.hand_in(order)
    assert not await OwnPayment.exists()


@rules("GX-53", "GX-54")
async def test_a_price_may_be_paid_in_several_transfers_each_counted_once(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    first, second = [await till.paper(order, "deposit_receipt", yuan) for yuan in (2_500, 3_500)]
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, first, replace(second, number=first.number))
    assert refused.value.codes == ["deposit_receipt_twice"]
    await till.hand_in(order, first, second)
    assert sorted([one.amount_fen for one in await OwnPayment.all()]) == [250_000, 350_000]


@rules("GX-74")
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"payer": "另一家有限公司"}, "deposit_receipt_payer"),
        ({"payee": "另一家有限公司"}, "deposit_receipt_payee"),
        ({"payer": ""}, "deposit_receipt_payer_missing"),
        ({"number": "12345"}, "deposit_receipt_reference"),
        ({"number": ""}, "deposit_receipt_reference"),
        ({"amount_fen": None}, "deposit_receipt_amount"),
        ({"dated": None}, "deposit_receipt_dated"),
    ],
)
async def test_a_receipt_that_does_not_fit_the_contract_opens_no_next_step(
    at: At, change: dict[str, object], code: str
) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    right = await till.paper(order, "deposit_receipt", 6_000)
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, replace(right, **change))
    assert refused.value.codes == [code]
    assert not await OwnPayment.exists()
    await till.hand_in(order, right)


@rules("GX-74")
async def test_a_receipt_of_tomorrow_shows_nothing(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    paper = await till.paper(order, "deposit_receipt", 6_000, dated=till.today + timedelta(days=1))
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, paper)
    assert refused.value.codes == ["deposit_receipt_in_the_future"]


@rules("GX-53", "GX-74")
async def test_one_transfer_pays_one_order_and_the_other_names_it(at: At) -> None:
    till = at(GUANGXI)
    enterprise, provider = await till.organisation(), await till.organisation()
    first, second = [
        await till.order(30_000, 10_000, StepKind.DEPOSIT, enterprise=enterprise, provider=provider)
        for _ in range(2)
    ]
    paper = await till.paper(first, "deposit_receipt", 6_000)
    await till.hand_in(first, paper)
    respelled = replace(paper, number=f" {paper.number[:4].lower()}-{paper.number[4:]} ")
    with pytest.raises(NotDone) as refused:
        await till.hand_in(second, respelled)
    assert refused.value.codes == ["deposit_receipt_used_before"]
    with pytest.raises(PaperUsedBefore) as raced:
        await till.hand_in_unchecked(second, respelled)
    assert raced.value.values["order"] == first.number


@rules("GX-54")
async def test_one_transfer_is_no_deposit_and_balance_at_once(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(10_000, 6_000, StepKind.DEPOSIT)
    paper = await till.paper(order, "deposit_receipt", 2_000)
    await till.hand_in(order, paper)
    order.step = StepKind.BALANCE
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, replace(paper, code="balance_receipt"))
    assert refused.value.codes == ["balance_receipt_used_before"]


async def test_what_was_sent_back_is_handed_in_again_and_replaces_what_was_there(at: At) -> None:
    till = at(GUANGXI)
    order = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    wrong = await till.paper(order, "deposit_receipt", 6_000)
    await till.hand_in(order, wrong)
    await till.hand_in(order, wrong)
    right = await till.paper(order, "deposit_receipt", 6_000)
    await till.hand_in(order, right)
    statuses = [one.status for one in await OwnPayment.filter(order_id=order.id).order_by("id")]
    assert statuses == [PaymentStatus.REPLACED, PaymentStatus.REPLACED, PaymentStatus.PAID]
    other = await till.order(30_000, 10_000, StepKind.DEPOSIT)
    sides = await till.paper(other, "deposit_receipt", 6_000)
    # The receipt that was taken back may pay for something else now; the one in its place may not.
    await till.hand_in(other, replace(sides, number=wrong.number))
    with pytest.raises(NotDone):
        await till.hand_in(other, replace(sides, number=right.number))


# -- where a programme asks for no paper -------------------------------------------------------------


async def test_where_no_receipt_is_listed_its_fields_are_asked_and_judged_alike(at: At) -> None:
    till = at(NORTHPORT)
    order = await till.order(10_000, 0, StepKind.DEPOSIT)
    enterprise, provider = await till.sides(order)
    asked = PayingStep().form(till.programme, till.step_of(order), order, Party.ENTERPRISE)
    assert [field.kind for field in asked] == [
        FieldKind.TEXT,
        FieldKind.MONEY,
        FieldKind.DATE,
        FieldKind.TEXT,
        FieldKind.TEXT,
    ]
    filled = {
        "number": "ICBC900000000001",
        "amount": 666_700,
        "dated": till.today,
        "payer": enterprise.name,
        "payee": provider.name,
    }
    for wrong in ({"amount": 666_699}, {"payee": enterprise.name}, {"number": "1"}):
        with pytest.raises(NotDone):
            await till.hand_in(order, **{**filled, **wrong})
    await till.hand_in(order, **filled)
    assert (await OwnPayment.get(order_id=order.id)).amount_fen == 666_700
    other = await till.order(10_000, 0, StepKind.DEPOSIT, enterprise=enterprise, provider=provider)
    with pytest.raises(PaperUsedBefore) as refused:
        await till.hand_in(other, **filled)
    assert refused.value.values["order"] == order.number


# -- escrow (NX) -------------------------------------------------------------------------------------


@rules("NX-20", "NX-34")
async def test_the_remainder_goes_to_the_operator_and_is_held_in_accounts_of_its_own(at: At) -> None:
    till = at(NINGXIA)
    await till.operator()
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    _, provider = await till.sides(order)
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000, payee=provider.name))
    assert refused.value.codes == ["escrow_receipt_payee"]
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, await till.paper(order, "escrow_receipt", 6_999.99))
    assert refused.value.arithmetic == ["6,999.99 ≠ 7,000.00"]
    paper = await till.paper(order, "escrow_receipt", 7_000)
    assert paper.payee == OPERATOR_NAME
    await till.hand_in(order, paper)
    assert await escrows.held_fen(order.id) == 700_000
    accounts = await ledger.balances(order_id=order.id)
    assert accounts == {Account.OWN_MONEY: -700_000, Account.ESCROW: 700_000}


@rules("NX-20")
async def test_escrow_handed_in_again_is_held_once(at: At) -> None:
    till = at(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    assert await escrows.held_fen(order.id) == 700_000


@rules("NX-20")
async def test_escrow_is_released_once_and_never_more_than_is_held(at: At) -> None:
    till = at(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    with pytest.raises(EscrowShort):
        await escrows.release(order, 1, now=till.clock.at)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    with pytest.raises(EscrowShort) as short:
        await escrows.release(order, 700_001, now=till.clock.at)
    assert short.value.arithmetic == "7,000.01 > 7,000.00"
    await escrows.release(order, 500_000, now=till.clock.at)
    await escrows.release(order, 200_000, now=till.clock.at)
    with pytest.raises(EscrowShort):
        await escrows.release(order, 1, now=till.clock.at)
    accounts = await ledger.balances(order_id=order.id)
    assert accounts[Account.ESCROW_OWED] == 700_000
    assert accounts[Account.ESCROW] == 0


@rules("NX-20")
async def test_a_cancelled_order_gives_its_escrow_back_and_the_operator_says_how(at: At) -> None:
    till = at(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    assert await till.cancel(order) == 700_000
    assert await till.cancel(order) == 0
    assert await escrows.held_fen(order.id) == 0
    payment = await OwnPayment.get(order_id=order.id)
    assert payment.status is PaymentStatus.REFUND_DUE
    day = till.today
    with pytest.raises(BankReferenceUnusable):
        await till.payments.given_back(payment.id, "1", day, actor=OPERATOR)
    await till.payments.given_back(payment.id, "ICBC900000000002", day, actor=OPERATOR)
    with pytest.raises(NothingToGiveBack):
        await till.payments.given_back(payment.id, "ICBC900000000002", day, actor=OPERATOR)
    assert (await OwnPayment.get(id=payment.id)).status is PaymentStatus.REFUNDED


async def test_what_was_released_is_not_given_back(at: At) -> None:
    till = at(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    await escrows.release(order, 1, now=till.clock.at)
    with pytest.raises(EscrowShort):
        await till.cancel(order)
    assert await escrows.held_fen(order.id) == 699_999


async def test_an_escrow_of_a_programme_nobody_wrote_code_for_is_held_like_any(at: At) -> None:
    till = at(HILLSIDE)
    order = await till.order(10_000, 4_000, StepKind.ESCROW)
    enterprise, _ = await till.sides(order)
    filled = {"number": "ABC900000000003", "amount": 600_000, "dated": till.today}
    await till.hand_in(order, **filled, payer=enterprise.name, payee="任何运营单位")
    assert await escrows.held_fen(order.id) == 600_000


async def test_escrow_that_comes_before_the_voucher_stands_under_the_latest_year(at: At) -> None:
    till = at(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW, budget_id=None)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    assert (await Escrow.get(order_id=order.id)).paid_fen == 700_000


async def test_the_books_name_an_escrow_that_is_not_what_its_payments_say(database: TortoiseContext) -> None:
    till = Cashier(NINGXIA)
    order = await till.order(10_000, 3_000, StepKind.ESCROW)
    await till.hand_in(order, await till.paper(order, "escrow_receipt", 7_000))
    assert await ledger.verify() == []
    await Escrow.filter(order_id=order.id).update(released_fen=100)
    assert await ledger.verify() == [
        f"escrow of order {order.id}: released, against the ledger: 1.00 is not 0.00"
    ]
    await Escrow.filter(order_id=order.id).update(released_fen=0)
    await OwnPayment.filter(order_id=order.id).update(amount_fen=1)
    assert await ledger.verify() == [
        f"escrow of order {order.id}: came in and stayed, against its payments: 7,000.00 is not 0.01"
    ]


# -- the own share, and what was paid too much (LS, GZ) ----------------------------------------------


@rules("LS-08", "LS-51")
async def test_the_transfer_is_contract_less_voucher_to_the_fen(at: At) -> None:
    till = at(LISHUI)
    order = await till.order(10_000, 7_000, StepKind.TRANSFER_RECEIPT)
    for amount_yuan in (2_999.99, 3_000.01, 10_000):
        with pytest.raises(NotDone) as refused:
            await till.hand_in(order, await till.paper(order, "transfer", amount_yuan))
        assert refused.value.codes == ["transfer"]
    _, provider = await till.sides(order)
    with pytest.raises(NotDone) as refused:
        await till.hand_in(order, await till.paper(order, "transfer", 3_000, payer=provider.name))
    assert refused.value.codes == ["transfer_payer"]
    await till.hand_in(order, await till.paper(order, "transfer", 3_000))


@rules("GZ-48")
async def test_an_enterprise_that_paid_in_full_is_owed_the_voucher_back(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    order = await till.hand_in(
        order, await till.paper(order, "invoice", 30_000), await till.paper(order, "transfer", 30_000)
    )
    owed = await repayments.owed(order, till.programme)
    assert owed.amount_fen == 1_500_000
    assert owed.arithmetic == "已付 30,000.00 + 服务券 15,000.00 − 发票 30,000.00 − 已退 0.00 = 15,000.00"
    enterprise, provider = await till.sides(order)
    actor = till.move(order).actor
    by_provider = replace(actor, organisation_id=provider.id)
    receipt = Shown(
        number="ICBC900000000004",
        amount_fen=1_500_000,
        dated=till.today,
        payer=provider.name,
        payee=enterprise.name,
    )
    for wrong in ({"amount_fen": 1_499_999}, {"payee": provider.name}, {"number": "x"}):
        with pytest.raises(RepaymentUnusable):
            await till.repayments.repay(order.id, replace(receipt, **wrong), actor=by_provider)
    await till.repayments.repay(order.id, receipt, actor=by_provider)
    assert (await repayments.owed(order, till.programme)).amount_fen == 0
    with pytest.raises(NothingToRepay):
        await till.repayments.repay(order.id, replace(receipt, number="ICBC900000000005"), actor=by_provider)


@rules("GZ-48")
async def test_who_paid_its_own_part_is_owed_nothing(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    order = await till.hand_in(
        order, await till.paper(order, "invoice", 30_000), await till.paper(order, "transfer", 15_000)
    )
    assert (await repayments.owed(order, till.programme)).amount_fen == 0


@rules("GZ-48")
async def test_the_receipt_of_the_payment_is_no_receipt_of_its_return(at: At) -> None:
    till = at(GUANGZHOU)
    order = await till.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    transfer = await till.paper(order, "transfer", 30_000)
    order = await till.hand_in(order, await till.paper(order, "invoice", 30_000), transfer)
    enterprise, provider = await till.sides(order)
    actor = replace(till.move(order).actor, organisation_id=provider.id)
    receipt = Shown(
        number=transfer.number,
        amount_fen=1_500_000,
        dated=till.today,
        payer=provider.name,
        payee=enterprise.name,
    )
    with pytest.raises(PaperUsedBefore) as refused:
        await till.repayments.repay(order.id, receipt, actor=actor)
    assert refused.value.values["order"] == order.number
