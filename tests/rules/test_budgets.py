"""Budgets: signing pauses before the money is short, and old debts come first."""

from __future__ import annotations

import pytest

from server.rules.budgets import (
    BudgetBelowFloor,
    Claim,
    ContractsPaused,
    contract_room,
    payment_order,
    require_contract_room,
    require_total,
)
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules


@rules("GX-65")
@pytest.mark.parametrize(("voucher", "paused"), [(19_999, False), (20_000, False), (20_001, True)])
def test_guangxi_pauses_contracts_that_the_years_money_would_not_cover(voucher: int, paused: bool) -> None:
    guangxi = programme(GUANGXI)
    left = contract_room(guangxi, total_fen=100_000, settled_fen=50_000, signed_fen=30_000)
    assert left.amount_fen == 20_000
    if not paused:
        require_contract_room(guangxi, left, voucher)
        return
    with pytest.raises(ContractsPaused) as refused:
        require_contract_room(guangxi, left, voucher)
    assert refused.value.arithmetic == "年度预算 1,000.00 − 已用 800.00 = 200.00 < 200.01"
    assert refused.value.clause == guangxi.budget.article


@rules("GX-65")
def test_signing_goes_on_when_money_is_found() -> None:
    guangxi = programme(GUANGXI)
    for total, room in ((80_000, 0), (70_000, 0), (90_000, 10_000)):
        left = contract_room(guangxi, total_fen=total, settled_fen=50_000, signed_fen=30_000)
        assert left.amount_fen == room
    require_contract_room(guangxi, left, 10_000)


@pytest.mark.parametrize("slug", [LISHUI, NINGXIA, YINCHUAN, GUANGZHOU])
def test_elsewhere_contracts_do_not_wait_for_the_budget(slug: str) -> None:
    left = contract_room(programme(slug), total_fen=0, settled_fen=0, signed_fen=0)
    require_contract_room(programme(slug), left, 1)


@rules("GX-61")
def test_what_last_year_could_not_pay_is_paid_first_in_guangxi() -> None:
    claims = [
        Claim(id=3, year=2026, amount_fen=1),
        Claim(id=2, year=2025, amount_fen=1),
        Claim(id=4, year=2025, amount_fen=1),
        Claim(id=1, year=2026, amount_fen=1),
    ]
    assert [one.id for one in payment_order(programme(GUANGXI), claims, 2026)] == [2, 4, 1, 3]
    assert [one.id for one in payment_order(programme(LISHUI), claims, 2026)] == [1, 2, 3, 4]


@rules("GZ-10")
def test_guangzhou_issues_six_million_at_least() -> None:
    require_total(programme(GUANGZHOU), yuan_to_fen(6_000_000))
    with pytest.raises(BudgetBelowFloor) as refused:
        require_total(programme(GUANGZHOU), yuan_to_fen(5_999_999.99))
    assert refused.value.arithmetic == "5,999,999.99 < 6,000,000.00"


@pytest.mark.parametrize("slug", [LISHUI, GUANGXI, NINGXIA, YINCHUAN])
def test_no_other_text_names_a_least_total(slug: str) -> None:
    require_total(programme(slug), 0)
