"""Disbursements: numbers of accounts, sums that add up, who is paid first, and what the bank may say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.programme.vocabulary import Actor, LegalForm
from server.rules.budgets import Claim, payment_order
from server.rules.disbursements import (
    BATCH_MOVES,
    TRANSFER_MOVES,
    AccountNumberWrong,
    BatchStatus,
    Known,
    Match,
    Receipt,
    SummaryInvoiceDiffers,
    TransferStatus,
    YearMoney,
    account_number,
    added,
    checkers,
    gather,
    invoice_of,
    masked,
    matched,
    require_sum,
    sums_differ,
    tail_of,
)
from tests.reviewing import every_programme

SAID = Receipt(payment="PB-1", amount_fen=300, paid=True, on=date(2026, 5, 18), number="R1")
KNOWN = Known(payment="PB-1", amount_fen=300, status=TransferStatus.WAITING)


@pytest.mark.parametrize(
    "written", ["6222 0200-0000 8888", "６２２２０２００００００８８８８", "6222.0200.0000.8888"]
)
def test_a_number_is_the_same_however_it_is_spaced_and_is_shown_by_its_tail(written: str) -> None:
    number = account_number(written)
    assert number == "6222020000008888"
    assert masked(tail_of(number)) == "****8888"


@pytest.mark.parametrize("written", ["", "1234567", "ABCDEFGHIJ", "6222@0200", "1" * 33, "=6222020000"])
def test_what_no_bank_has_is_no_number(written: str) -> None:
    with pytest.raises(AccountNumberWrong):
        account_number(written)


@pytest.mark.rules("LS-57")
def test_a_summary_invoice_is_the_sum_to_the_fen_and_another_paper_for_public_institutions() -> None:
    rules = every_programme().get("lishui-2024").disbursement
    document = invoice_of(rules, LegalForm.LEGAL_PERSON)
    assert document is not None and document.code == "summary_invoice"
    receipt = invoice_of(rules, LegalForm.PUBLIC_INSTITUTION)
    assert receipt is not None and receipt.code == "summary_receipt"
    assert invoice_of(rules, None) is not None
    assert invoice_of(every_programme().get("ningxia-2016").disbursement, None) is None
    require_sum(document, 500, [200, 300])
    for shown in (499, 501, 0):
        with pytest.raises(SummaryInvoiceDiffers) as refusal:
            require_sum(document, shown, [200, 300])
        assert refusal.value.clause and "2.00 + 3.00 = 5.00" in refusal.value.arithmetic


def test_a_long_sum_is_told_by_its_count() -> None:
    assert added([100]) == "1.00"
    assert added([100] * 7) == "7 笔合计 7.00"


@pytest.mark.rules("GX-61")
def test_what_an_earlier_year_left_is_paid_first_and_nobody_overtakes() -> None:
    claims = [
        Claim(id=1, year=2026, amount_fen=50),
        Claim(id=2, year=2025, amount_fen=70),
        Claim(id=3, year=2026, amount_fen=10),
    ]
    line = payment_order(every_programme().get("guangxi-2024"), claims, 2026)
    found = gather(line, 100, key=lambda one: one.id, amount=lambda one: one.amount_fen)
    assert (found.covered, found.uncovered, found.left_fen) == ((2,), (1, 3), 30)
    plain = payment_order(every_programme().get("lishui-2024"), claims, 2026)
    found = gather(plain, 130, key=lambda one: one.id, amount=lambda one: one.amount_fen)
    assert (found.covered, found.left_fen) == ((1, 2, 3), 0)


@pytest.mark.rules("GX-64")
def test_a_year_pays_no_more_than_it_has_nor_than_what_has_come() -> None:
    money = YearMoney(
        total_fen=1000, used_fen=0, held_fen=0, payable_fen=0, awaiting_fen=0, paying_fen=100, paid_fen=300,
        free_fen=0,
    )  # fmt: skip
    assert money.payable_left_fen == 600
    assert replace(money, funded_fen=500).payable_left_fen == 100
    assert replace(money, funded_fen=200).payable_left_fen == 0
    assert replace(money, funded_fen=5000).payable_left_fen == 600
    assert money.arithmetic == "10.00 − 3.00 − 1.00 = 6.00"


@pytest.mark.rules("YC-09", "NX-23", "GX-08")
def test_two_people_of_the_text_look_at_an_account() -> None:
    def roles(slug: str) -> set[Actor]:
        return set(checkers(every_programme().get(slug).disbursement))

    assert roles("guangxi-2024") == {Actor.OPERATOR, Actor.TREASURY}
    assert roles("yinchuan-2024") == {Actor.OPERATOR, Actor.AUTHORITY}
    assert roles("ningxia-2016") == {Actor.OPERATOR}


@pytest.mark.parametrize(
    ("said", "known", "match"),
    [
        (SAID, KNOWN, Match.NEW),
        (SAID, None, Match.BROKEN),
        (replace(SAID, amount_fen=299), KNOWN, Match.BROKEN),
        (SAID, replace(KNOWN, status=TransferStatus.DROPPED), Match.BROKEN),
        (SAID, replace(KNOWN, status=TransferStatus.RETURNED), Match.BROKEN),
        (SAID, replace(KNOWN, status=TransferStatus.PAID, receipt="R1"), Match.SAME),
        (SAID, replace(KNOWN, status=TransferStatus.PAID, receipt="R2"), Match.BROKEN),
        (replace(SAID, number="TAKEN"), KNOWN, Match.BROKEN),
        (replace(SAID, paid=False), KNOWN, Match.NEW),
        (replace(SAID, paid=False), replace(KNOWN, status=TransferStatus.PAID), Match.NEW),
        (replace(SAID, paid=False), replace(KNOWN, status=TransferStatus.RETURNED), Match.SAME),
    ],
)
def test_the_banks_word_is_new_said_already_or_wrong(
    said: Receipt, known: Known | None, match: Match
) -> None:
    found = matched(said, known, {"TAKEN"})
    assert found.match is match
    assert bool(found.problem) is (match is Match.BROKEN)


def test_a_file_that_misses_its_own_sum_says_by_how_much() -> None:
    assert sums_differ([100, 200], 300) == "" == sums_differ([100], None)
    assert "相差 0.01" in sums_differ([100, 200], 301)


def test_nothing_comes_back_from_an_end() -> None:
    assert not BATCH_MOVES[BatchStatus.CLOSED] and not BATCH_MOVES[BatchStatus.DROPPED]
    assert TRANSFER_MOVES[TransferStatus.PAID] == {TransferStatus.RETURNED}
    assert not TRANSFER_MOVES[TransferStatus.RETURNED]
