"""Payments: deposits, escrow, fees, and what the papers must show."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.papers import Document
from server.rules.deduction import Prices, Used, deduction
from server.rules.payments import (
    FeeOutOfBounds,
    amount_unmet,
    payments,
    refund_due_fen,
    require_fee,
    supervision_fee_bounds,
)
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)


def document(slug: str, code: str) -> Document:
    """The document with an amount that an order step asks for."""
    return next(
        document
        for step in programme(slug).order_steps
        for document in step.documents
        if document.code == code and document.amount
    )


@rules("GX-53", "GX-54")
def test_guangxi_divides_a_price_into_voucher_deposit_and_balance() -> None:
    parts = payments(programme(GUANGXI).own_share, 3_000_000, 1_000_000)
    assert (parts.deposit_fen, parts.rest_fen, parts.escrow_fen) == (600_000, 1_400_000, 0)
    assert parts.own_share_fen == 2_000_000
    assert parts.arithmetic == "30,000.00 = 服务券 10,000.00、定金 20% 6,000.00、余款 14,000.00"


@rules("NX-20")
def test_ningxia_holds_the_whole_remainder_with_the_operator() -> None:
    own_share = programme(NINGXIA).own_share
    parts = payments(own_share, 1_000_000, 300_000)
    assert (parts.escrow_fen, parts.deposit_fen, parts.rest_fen) == (700_000, 0, 0)
    assert own_share.paid_to == "operator"
    assert parts.arithmetic == "10,000.00 = 服务券 3,000.00、保证金 7,000.00、余款 0.00"


@rules("LS-08")
def test_lishui_pays_a_part_of_the_price_and_the_enterprise_pays_the_provider_the_rest() -> None:
    parts = payments(programme(LISHUI).own_share, 1_000_000, 700_000)
    assert (parts.rest_fen, parts.deposit_fen, parts.escrow_fen) == (300_000, 0, 0)
    assert programme(LISHUI).own_share.paid_to == "provider"


FEN = st.integers(0, 100_000_000)


@given(st.sampled_from(EVERYWHERE), FEN)
def test_the_parts_of_a_price_add_up_to_it_and_none_is_negative(slug: str, price: int) -> None:
    regulation = programme(slug)
    for category in regulation.categories:
        paid = deduction(
            regulation,
            category.code,
            Prices(contract_fen=price, order_fen=price, invoice_fen=price, actual_fee_fen=price),
            used=Used(),
        )
        parts = payments(regulation.own_share, price, paid.amount_fen)
        shares = (parts.voucher_fen, parts.deposit_fen, parts.escrow_fen, parts.rest_fen)
        assert sum(shares) == price
        assert min(shares) >= 0


@rules("NX-36")
def test_a_fee_out_of_bounds_is_refused_with_its_arithmetic() -> None:
    fee = programme(NINGXIA).supervision_fee
    assert fee is not None
    assert supervision_fee_bounds(fee, 1_000_000) == (30_000, 60_000)
    require_fee(fee, 1_000_000, 30_000)
    require_fee(fee, 1_000_000, 60_000)
    for outside in (29_999, 60_001):
        with pytest.raises(FeeOutOfBounds) as refused:
            require_fee(fee, 1_000_000, outside)
        assert refused.value.clause == "第十一条（四）"
        assert refused.value.arithmetic == "3% × 10,000.00 = 300.00 至 6% × 10,000.00 = 600.00"


@pytest.mark.parametrize("slug", [LISHUI, GUANGXI, GUANGZHOU, YINCHUAN])
def test_only_ningxia_knows_a_supervision_fee(slug: str) -> None:
    assert programme(slug).supervision_fee is None


@rules("LS-50")
@pytest.mark.parametrize("code", ["invoice", "receipt"])
@pytest.mark.parametrize(("shown", "wrong"), [(299_999, True), (300_000, False), (300_001, True)])
def test_a_lishui_invoice_shows_the_enterprises_part_exactly(code: str, shown: int, wrong: bool) -> None:
    found = amount_unmet(document(LISHUI, code), shown, price_fen=1_000_000, voucher_fen=700_000)
    assert (found is not None) is wrong


@rules("LS-51")
def test_a_wrong_transfer_says_what_it_should_have_been() -> None:
    found = amount_unmet(document(LISHUI, "transfer"), 250_000, price_fen=1_000_000, voucher_fen=700_000)
    assert found is not None
    assert (found.clause, found.arithmetic) == ("三（五）1（3）", "2,500.00 ≠ 3,000.00")
    assert found.message == "转账凭证扫描件金额须等于企业自付部分"


@rules("LS-57")
def test_a_lishui_summary_invoice_is_the_sum_of_the_vouchers_it_settles() -> None:
    summary = next(one for one in programme(LISHUI).disbursement.documents if one.code == "summary_invoice")
    assert amount_unmet(summary, 1_234_500, price_fen=0, voucher_fen=0, vouchers_fen=1_234_500) is None
    assert amount_unmet(summary, 1_234_499, price_fen=0, voucher_fen=0, vouchers_fen=1_234_500) is not None


@rules("NX-22")
@pytest.mark.parametrize(("shown", "wrong"), [(699_999, True), (700_000, False), (700_001, True)])
def test_a_ningxia_receipt_is_for_the_price_less_the_voucher(shown: int, wrong: bool) -> None:
    receipt = document(NINGXIA, "fee_receipt")
    assert (amount_unmet(receipt, shown, price_fen=1_000_000, voucher_fen=300_000) is not None) is wrong


@pytest.mark.parametrize(
    ("slug", "code"),
    [
        pytest.param(YINCHUAN, "full_invoice", marks=rules("YC-21")),
        pytest.param(GUANGZHOU, "invoice", marks=rules("GZ-36", "GZ-68")),
    ],
)
def test_a_full_invoice_shows_own_part_and_voucher_together(slug: str, code: str) -> None:
    invoice = document(slug, code)
    assert amount_unmet(invoice, 3_000_000, price_fen=3_000_000, voucher_fen=900_000) is None
    assert amount_unmet(invoice, 2_100_000, price_fen=3_000_000, voucher_fen=900_000) is not None


@rules("GZ-72")
@pytest.mark.parametrize(
    ("invoice", "voucher", "least"),
    [
        (30_000, 15_000, 15_000),
        (30_000, 10_000, 20_000),
        (50_000, 20_000, 30_000),
        (30_000, 15_000.01, 15_000),
        (0.01, 0, 0.01),
        (0.03, 0.01, 0.02),
    ],
)
def test_a_guangzhou_transfer_covers_the_own_part_and_at_least_half_the_invoice(
    invoice: float, voucher: float, least: float
) -> None:
    transfer = document(GUANGZHOU, "transfer")
    prices = {"price_fen": yuan_to_fen(invoice), "voucher_fen": yuan_to_fen(voucher)}
    assert amount_unmet(transfer, yuan_to_fen(least), **prices) is None
    short = amount_unmet(transfer, yuan_to_fen(least) - 1, **prices)
    assert short is not None
    assert short.message == "对公转账凭证（企业自付部分）金额不足企业自付部分的最低要求"


@rules("GZ-48")
@pytest.mark.parametrize(
    ("paid", "refund"), [(15_000, 0), (15_000.01, 0.01), (30_000, 15_000), (14_999.99, 0)]
)
def test_who_had_paid_in_full_gets_the_voucher_back_from_the_provider(paid: float, refund: float) -> None:
    guangzhou = programme(GUANGZHOU)
    due = refund_due_fen(
        guangzhou, guangzhou.categories[0].code, 3_000_000, yuan_to_fen(paid), voucher_fen=1_500_000
    )
    assert due == yuan_to_fen(refund)


def test_no_other_programme_knows_such_a_refund() -> None:
    for slug in (LISHUI, GUANGXI, NINGXIA, YINCHUAN):
        regulation = programme(slug)
        assert refund_due_fen(regulation, regulation.categories[0].code, 100, 100, voucher_fen=50) == 0


def test_a_document_without_an_amount_rule_is_not_judged_by_its_amount() -> None:
    contract = next(
        one for step in programme(LISHUI).order_steps for one in step.documents if one.code == "contract"
    )
    assert amount_unmet(contract, 1, price_fen=2, voucher_fen=0) is None
