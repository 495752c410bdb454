"""Own payments: what is due for what, who is paid, and what names one receipt among all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server import texts
from server.programme.money import Payee
from server.programme.steps import StepKind
from server.rules.money import OF_A_VOUCHER, OF_ESCROW, ROUTES, Account, Movement
from server.rules.own_payments import (
    PAYMENT_MOVES,
    PURPOSES,
    PaymentPurpose,
    PaymentStatus,
    bank_reference,
    due_fen,
    parts_of,
    payee_of,
    same_name,
    takes_online,
)
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)
FEN = st.integers(1, 10**10)


@rules("GX-53", "GX-54")
@pytest.mark.parametrize(
    ("price", "voucher", "deposit", "balance"),
    [
        (800_000, 640_000, 160_000, 0),
        (1_250_000, 1_000_000, 250_000, 0),
        (3_000_000, 1_000_000, 600_000, 1_400_000),
        (4_000_000, 2_000_000, 800_000, 1_200_000),
        (10_000_000, 3_000_000, 2_000_000, 5_000_000),
    ],
)
def test_deposit_and_balance_of_the_worked_sums(price: int, voucher: int, deposit: int, balance: int) -> None:
    parts = parts_of(programme(GUANGXI), price, voucher)
    assert due_fen(parts, PaymentPurpose.DEPOSIT) == deposit
    assert due_fen(parts, PaymentPurpose.BALANCE) == balance


@rules("NX-20")
@pytest.mark.parametrize(
    ("price", "voucher", "escrow"),
    [
        (400_000, 200_000, 200_000),
        (600_000, 300_000, 300_000),
        (1_000_000, 300_000, 700_000),
        (1_000_000, 200_000, 800_000),
    ],
)
def test_escrow_of_the_worked_sums(price: int, voucher: int, escrow: int) -> None:
    assert due_fen(parts_of(programme(NINGXIA), price, voucher), PaymentPurpose.ESCROW) == escrow


@given(st.sampled_from(EVERYWHERE), FEN, FEN)
def test_the_payments_of_an_order_are_its_own_share_and_never_less_than_nothing(
    slug: str, price: int, voucher: int
) -> None:
    parts = parts_of(programme(slug), price, voucher)
    named = (PaymentPurpose.DEPOSIT, PaymentPurpose.BALANCE, PaymentPurpose.ESCROW)
    amounts = [due_fen(parts, purpose) for purpose in named]
    assert min(amounts) >= 0
    assert sum(amounts) == due_fen(parts, PaymentPurpose.OWN_SHARE) == max(0, price - voucher)


@rules("NX-20", "GX-53", "LS-08")
def test_escrow_goes_to_the_operator_and_everything_else_where_the_text_says() -> None:
    for slug in EVERYWHERE:
        assert payee_of(programme(slug), PaymentPurpose.ESCROW) is Payee.OPERATOR
    assert payee_of(programme(GUANGXI), PaymentPurpose.DEPOSIT) is Payee.PROVIDER
    assert payee_of(programme(LISHUI), PaymentPurpose.OWN_SHARE) is Payee.PROVIDER


@rules("GX-54", "GX-74")
def test_money_is_paid_on_the_platform_where_the_text_says_so_or_pays_the_operator() -> None:
    assert {slug for slug in EVERYWHERE if takes_online(programme(slug))} == {GUANGXI, NINGXIA}


def test_every_step_of_a_payment_has_its_purpose() -> None:
    assert PURPOSES[StepKind.ESCROW] is PaymentPurpose.ESCROW
    paying = {step.kind for slug in EVERYWHERE for step in programme(slug).order_steps} & PURPOSES.keys()
    assert paying == set(PURPOSES)


@pytest.mark.parametrize(
    "written",
    ["icbc-2026 0001", "ICBC20260001", "ＩＣＢＣ２０２６０００１", " icbc/2026.0001 "],
)
def test_a_reference_is_the_same_however_it_was_spaced(written: str) -> None:
    assert bank_reference(written) == "ICBC20260001"


@pytest.mark.parametrize("written", ["", "12345", "x" * 65, "流水号123456", "123456;", "１２３"])
def test_what_no_bank_writes_is_no_reference(written: str) -> None:
    assert bank_reference(written) is None


@given(st.text())
def test_a_reference_is_its_own_reference(written: str) -> None:
    reference = bank_reference(written)
    assert reference is None or bank_reference(reference) == reference


@rules("GZ-64", "GZ-74")
def test_a_name_is_one_name_in_wide_and_narrow_letters_and_no_others() -> None:
    assert same_name("启明（广州）检测有限公司", " 启明(广州)检测 有限公司")
    assert not same_name("启明（广州）检测有限公司", "启明（深圳）检测有限公司")


@rules("NX-20")
def test_escrow_touches_no_account_of_public_money() -> None:
    own = {Account.OWN_MONEY, Account.ESCROW, Account.ESCROW_OWED, Account.ESCROW_TRANSFERRED}
    assert not own & OF_A_VOUCHER
    for movement in Movement:
        inside = [account in own for account in ROUTES[movement]]
        assert all(inside) if movement in OF_ESCROW else not any(inside)


def test_what_was_given_back_replaced_or_disputed_moves_no_more() -> None:
    ended = {status for status, moves in PAYMENT_MOVES.items() if not moves}
    assert ended == {PaymentStatus.REFUNDED, PaymentStatus.REPLACED, PaymentStatus.DISPUTED}
    assert PAYMENT_MOVES.keys() == set(PaymentStatus)


def test_every_account_and_movement_of_the_ledger_has_a_name_in_lists() -> None:
    assert texts.REPORT_ACCOUNTS.keys() == set(Account)
    assert texts.LEDGER_MOVEMENTS.keys() == set(Movement)
