"""Invoice checks: numbers, amounts, days and names, each fault with its comparison."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.papers import AmountRule, Document, DocumentKind
from server.rules.invoice_checks import Shown, Wanted, invoice_number, mark_kind, mark_of, papers_unmet

rules = pytest.mark.rules
TODAY = date(2026, 5, 18)
INVOICE = Document(code="invoice", name="发票", kind=DocumentKind.INVOICE, article="三")
RECEIPT = Document(code="transfer", name="转账凭证", kind=DocumentKind.TRANSFER_RECEIPT, article="四")
SHOWN = Shown(
    number="26442000000123456789",
    amount_fen=300_000,
    dated=TODAY,
    payer="启明机械有限公司",
    payee="同行咨询有限公司",
)


def wanted(document: Document, **others: Any) -> Wanted:
    known: dict[str, Any] = {
        "document": document,
        "price_fen": 1_000_000,
        "voucher_fen": 700_000,
        "payers": ("启明机械有限公司",),
        "payees": ("同行咨询有限公司", "旧名咨询有限公司"),
    }
    return Wanted(**{**known, **others})


def codes(terms: Wanted, *papers: Shown) -> list[str]:
    return [fault.code for fault in papers_unmet(terms, papers, TODAY)]


@rules("GZ-75", "LS-50")
@pytest.mark.parametrize(
    ("written", "digits"),
    [
        ("26442000000123456789", "26442000000123456789"),
        ("2644 2000 0001 2345 6789", "26442000000123456789"),
        ("２６４４２００００００１２３４５６７８９", "26442000000123456789"),
        ("044001900111-12345678", "04400190011112345678"),
        ("4400190011 12345678", "440019001112345678"),
        ("44010124-0123456789", "440101240123456789"),
        ("12345678", None),
        ("", None),
        ("2644200000012345678", None),
        ("264420000001234567890", None),
        ("A6442000000123456789", None),
        ("٢٦٤٤٢٠٠٠٠٠٠١٢٣٤٥٦٧٨٩", None),
    ],
)
def test_the_digits_that_name_one_invoice(written: str, digits: str | None) -> None:
    assert invoice_number(written) == digits


@given(st.text(max_size=80))
def test_no_text_at_all_is_a_fault_of_ours(written: str) -> None:
    for kind in (DocumentKind.INVOICE, DocumentKind.TRANSFER_RECEIPT, DocumentKind.PAYMENT_RECEIPT):
        mark = mark_of(kind, written)
        assert mark is None or mark_of(kind, mark) == mark


def test_a_receipt_is_one_receipt_whatever_it_is_asked_for() -> None:
    assert mark_kind(DocumentKind.TRANSFER_RECEIPT) is mark_kind(DocumentKind.PAYMENT_RECEIPT)
    assert mark_kind(DocumentKind.INVOICE) is not mark_kind(DocumentKind.TRANSFER_RECEIPT)


def test_what_is_as_it_must_be_has_no_fault_and_nothing_has_none_either() -> None:
    own = replace(INVOICE, amount=AmountRule.OWN_SHARE)
    assert codes(wanted(own), SHOWN) == []
    assert codes(wanted(own)) == []


@rules("LS-50", "GZ-70", "GZ-74", "GZ-75")
@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"number": "1"}, "invoice_number"),
        ({"amount_fen": None}, "amount"),
        ({"amount_fen": 0}, "amount"),
        ({"dated": None}, "dated"),
        ({"dated": TODAY + timedelta(days=1)}, "in_the_future"),
        ({"dated": date(2026, 4, 30)}, "before_contract"),
        ({"payer": " "}, "payer_missing"),
        ({"payee": ""}, "payee_missing"),
        ({"payer": "另一家"}, "payer"),
        ({"payee": "启明机械有限公司"}, "payee"),
    ],
)
def test_each_thing_that_does_not_agree_is_named(changes: dict[str, Any], code: str) -> None:
    terms = wanted(INVOICE, first_day=date(2026, 5, 1))
    assert codes(terms, SHOWN) == []
    assert codes(terms, replace(SHOWN, **changes)) == [f"invoice_{code}"]


@rules("GZ-35", "GZ-69", "GZ-73")
def test_both_ends_of_the_window_count() -> None:
    first, last = date(2026, 5, 10), date(2026, 5, 12)
    terms = wanted(RECEIPT, window=(first, last))
    for day, faults in (
        (first, []),
        (last, []),
        (first - timedelta(days=1), ["transfer_in_service_window"]),
        (last + timedelta(days=1), ["transfer_in_service_window"]),
    ):
        assert codes(terms, replace(SHOWN, number="ICBC0001", dated=day)) == faults


@rules("GZ-64")
def test_an_earlier_name_counts() -> None:
    assert codes(wanted(INVOICE), replace(SHOWN, payee="旧名咨询有限公司")) == []


def test_where_the_payee_is_not_known_any_is_taken_and_none_is_not() -> None:
    terms = wanted(RECEIPT, payees=())
    paper = replace(SHOWN, number="ICBC0001", payee="任何单位")
    assert codes(terms, paper) == []
    assert codes(terms, replace(paper, payee="")) == ["transfer_payee_missing"]


@rules("GX-53", "GZ-72")
def test_several_papers_are_added_up_and_none_counts_twice() -> None:
    terms = wanted(RECEIPT, exact_fen=500_000)
    first = replace(SHOWN, number="ICBC0001", amount_fen=200_000)
    second = replace(first, number="ICBC0002", amount_fen=300_000)
    assert codes(terms, first, second) == []
    assert codes(terms, first) == ["transfer_amount_differs"]
    assert codes(terms, first, replace(second, number="icbc 0001")) == ["transfer_twice"]


@rules("GZ-72")
@pytest.mark.parametrize(
    ("voucher", "paid", "fits"),
    [(15_000, 15_000, True), (15_000, 14_999, False), (20_000, 15_000, True), (5_000, 24_999, False)],
)
def test_the_transfer_is_half_of_the_invoice_at_least_and_all_the_voucher_leaves(
    voucher: int, paid: int, fits: bool
) -> None:
    half = replace(RECEIPT, amount=AmountRule.OWN_SHARE_AT_LEAST, minimum_bp=5_000)
    terms = wanted(half, price_fen=30_000, voucher_fen=voucher)
    assert (codes(terms, replace(SHOWN, number="ICBC0001", amount_fen=paid)) == []) is fits


def test_what_is_shown_before_is_what_is_judged_after() -> None:
    for amount, fen in (
        (None, None),
        (AmountRule.FULL_PRICE, 1_000_000),
        (AmountRule.OWN_SHARE, 300_000),
        (AmountRule.OWN_SHARE_AT_LEAST, 500_000),
    ):
        terms = wanted(replace(RECEIPT, amount=amount, minimum_bp=5_000))
        assert terms.amount_fen == fen
        if fen:
            paper = replace(SHOWN, number="ICBC0001", amount_fen=fen)
            assert codes(terms, paper) == []
            assert codes(terms, replace(paper, amount_fen=fen - 1)) == ["transfer"]
