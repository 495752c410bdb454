"""Settlements as rules: windows, papers, what the evidence comes to, cuts, fees."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from server.errors import Refusal
from server.programme.money import Payee, SupervisionFee
from server.rules.deduction import Prices, Used, deduction
from server.rules.limits import Limit
from server.rules.payments import FeeOutOfBounds
from server.rules.settlements import (
    SETTLEMENT_MOVES,
    FeeNotTaken,
    ReductionImpossible,
    ReductionNotAllowed,
    SettlementStatus,
    Span,
    WindowClosed,
    WindowImpossible,
    WindowsFull,
    asked_documents,
    beyond,
    carried_documents,
    carriers,
    cut,
    difference,
    fee_of,
    for_all,
    has_windows,
    is_flagged,
    open_window,
    require_window,
)
from server.units import yuan_to_fen
from tests.reviewing import every_programme

LISHUI, GUANGXI, NINGXIA = "lishui-2024", "guangxi-2024", "ningxia-2016"
GUANGZHOU, YINCHUAN, NORTHPORT = "guangzhou-2020", "yinchuan-2024", "northport-2031"
NOON = datetime(2026, 5, 18, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def span(first_day: int, last_day: int) -> Span:
    return Span(f"第{first_day}日起", NOON + first_day * DAY, NOON + last_day * DAY)


@pytest.mark.rules("LS-47", "GX-60")
def test_settlements_are_handed_in_at_any_time_or_while_a_window_is_open() -> None:
    anytime, windowed = every_programme().get(LISHUI), every_programme().get(GUANGXI)
    assert not has_windows(anytime)
    assert open_window(anytime, [], NOON) is None
    window = span(0, 10)
    assert open_window(windowed, [window], NOON) == window
    for instant in (NOON - timedelta(seconds=1), NOON + 10 * DAY):
        with pytest.raises(WindowClosed) as refusal:
            open_window(windowed, [window], instant)
        assert refusal.value.clause == "第二十条、第二十一条"


@pytest.mark.rules("GX-60")
@pytest.mark.parametrize(
    ("known", "new", "refused"),
    [
        ([], span(1, 5), None),
        ([span(1, 5)], span(5, 9), None),
        ([span(1, 5)], span(4, 9), WindowImpossible),
        ([], span(5, 1), WindowImpossible),
        ([], span(-9, 0), WindowImpossible),
        ([span(1, 5), span(5, 9)], span(20, 30), WindowsFull),
    ],
)
def test_a_year_has_one_or_two_windows_that_do_not_meet(
    known: list[Span], new: Span, refused: type[Refusal] | None
) -> None:
    programme = every_programme().get(GUANGXI)
    if refused is None:
        require_window(programme, known, new, NOON)
        return
    with pytest.raises(refused):
        require_window(programme, known, new, NOON)


@pytest.mark.rules("GX-60")
def test_a_text_without_windows_has_none_to_announce() -> None:
    with pytest.raises(WindowsFull):
        require_window(every_programme().get(LISHUI), [], span(1, 5), NOON)


@pytest.mark.rules("GZ-40", "LS-49", "LS-50", "LS-51", "LS-52", "NX-22", "YC-22")
def test_what_the_order_brought_is_not_handed_in_again() -> None:
    def asked(slug: str) -> list[str]:
        return [one.code for one in asked_documents(every_programme().get(slug))]

    assert asked(LISHUI) == asked(GUANGXI) == []
    assert asked(GUANGZHOU) == ["application", "summary", "other"]
    assert asked(NINGXIA) == ["fee_receipt"]
    assert asked(YINCHUAN) == ["project_declaration", "honour", "fund_release", "statement"]
    once = [one.code for one in asked_documents(every_programme().get(GUANGZHOU)) if for_all(one)]
    assert once == ["application", "summary", "other"]


@pytest.mark.rules("LS-49", "LS-50", "LS-51", "LS-52", "GX-55", "YC-20", "YC-21")
def test_each_paper_that_is_taken_over_has_a_step_of_the_order_that_brings_it() -> None:
    for programme in every_programme():
        for document in carried_documents(programme):
            assert carriers(programme, document), f"{programme.slug}: {document.code}"
    lishui = every_programme().get(LISHUI)
    proof = next(one for one in carried_documents(lishui) if one.code == "proof")
    assert carriers(lishui, proof) == {"result", "ledger", "records"}


@pytest.mark.rules("YC-22", "YC-24")
@pytest.mark.parametrize(
    ("handed", "flagged"),
    [
        ({"project_declaration", "fund_release"}, False),
        ({"statement"}, True),
        ({"honour", "statement"}, True),
        ({"fund_release", "statement"}, False),
        (set(), False),
    ],
)
def test_a_statement_that_stands_in_for_a_document_flags_its_file(handed: set[str], flagged: bool) -> None:
    documents = asked_documents(every_programme().get(YINCHUAN))
    assert is_flagged(documents, handed) is flagged


@pytest.mark.rules("LS-30", "YC-14", "GZ-20", "GX-33")
def test_the_evidence_and_the_ledger_are_one_or_their_difference_is_told() -> None:
    programme = every_programme().get(LISHUI)
    ledger_fen = yuan_to_fen(7_000)
    held = Limit(ledger_fen, "", "")

    def worked(actual_yuan: int) -> int:
        prices = Prices(order_fen=yuan_to_fen(10_000), actual_fee_fen=yuan_to_fen(actual_yuan))
        category = programme.categories[0].code
        made = deduction(programme, category, prices, used=Used(), others=[held])
        apart = difference(made, ledger_fen)
        if apart is None:
            return 0
        assert apart.clause and "70%" in apart.arithmetic
        return ledger_fen - made.amount_fen

    assert worked(10_000) == 0
    assert worked(9_000) == yuan_to_fen(700)


@pytest.mark.rules("GX-32", "GZ-25")
def test_a_settlement_may_fill_a_ceiling_and_not_pass_it() -> None:
    limit = Limit(yuan_to_fen(20_000), "第十一条", "5,000,000.00 − 4,980,000.00 = 20,000.00")
    assert beyond(None, 10**12, code="provider_ceiling") is None
    assert beyond(limit, yuan_to_fen(20_000), code="provider_ceiling") is None
    fault = beyond(limit, yuan_to_fen(20_000) + 1, code="provider_ceiling")
    assert fault is not None
    assert (fault.code, fault.clause) == ("provider_ceiling", "第十一条")
    assert fault.arithmetic.startswith("20,000.01 > ")


@pytest.mark.rules("NX-26")
def test_a_cut_divides_voucher_and_escrow_to_the_fen_where_the_text_adjusts() -> None:
    adjusts, holds = every_programme().get(NINGXIA), every_programme().get(LISHUI)
    made = cut(adjusts, ledger_fen=200_000, escrow_held_fen=200_001, amount_fen=1, escrow_fen=0)
    assert (made.amount_fen, made.reduced_fen) == (1, 199_999)
    assert (made.escrow_fen, made.escrow_back_fen) == (0, 200_001)
    whole = cut(holds, ledger_fen=200_000, escrow_held_fen=0)
    assert whole.is_whole and whole.amount_fen == 200_000
    with pytest.raises(ReductionNotAllowed) as refusal:
        cut(holds, ledger_fen=200_000, escrow_held_fen=0, amount_fen=199_999)
    assert refusal.value.clause


@pytest.mark.rules("NX-26")
@pytest.mark.parametrize("amount", [0, -1, 200_001, 1.5, "100", True])
def test_a_cut_is_whole_fen_above_nothing_and_no_more_than_there_is(amount: object) -> None:
    with pytest.raises(ReductionImpossible):
        cut(every_programme().get(NINGXIA), ledger_fen=200_000, escrow_held_fen=0, amount_fen=amount)


@pytest.mark.rules("NX-36")
def test_a_fee_for_supervision_lies_within_its_bounds_or_is_not_taken() -> None:
    programme, contract_fen = every_programme().get(NINGXIA), yuan_to_fen(4_000)
    assert fee_of(programme, contract_fen, None) == 0
    assert fee_of(programme, contract_fen, yuan_to_fen(120)) == yuan_to_fen(120)
    assert fee_of(programme, contract_fen, yuan_to_fen(240)) == yuan_to_fen(240)
    for asked in (yuan_to_fen(120) - 1, yuan_to_fen(240) + 1):
        with pytest.raises(FeeOutOfBounds):
            fee_of(programme, contract_fen, asked)
    with pytest.raises(FeeNotTaken):
        fee_of(every_programme().get(LISHUI), contract_fen, 100)
    with pytest.raises(ReductionImpossible):
        fee_of(programme, contract_fen, -1)
    free = SupervisionFee(article="甲", rate_min_bp=0, rate_max_bp=100, paid_by=Payee.PROVIDER)
    assert fee_of(replace(programme, supervision_fee=free), contract_fen, 0) == 0


def test_nothing_paid_or_ended_is_decided_again() -> None:
    for ended in (SettlementStatus.CLOSED, SettlementStatus.REFUSED, SettlementStatus.WITHDRAWN):
        assert not SETTLEMENT_MOVES[ended]
    may_be_refused = {one for one, targets in SETTLEMENT_MOVES.items() if SettlementStatus.REFUSED in targets}
    assert SettlementStatus.IN_PAYMENT not in may_be_refused
    assert SettlementStatus.PAID not in may_be_refused
