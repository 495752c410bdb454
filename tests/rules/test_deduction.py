"""Deductions: what a voucher pays, which clause limits it, and what no price can make it do."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.model import Programme
from server.rules.deduction import (
    Prices,
    PriceUnknown,
    Used,
    balance,
    base_fen,
    deduction,
    use_unmet,
    wanted,
)
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)


def all_prices(amount_fen: int) -> Prices:
    return Prices(
        order_fen=amount_fen, contract_fen=amount_fen, invoice_fen=amount_fen, actual_fee_fen=amount_fen
    )


def pays(slug: str, category: str, amount: float, **used: int) -> int:
    return deduction(programme(slug), category, all_prices(yuan_to_fen(amount)), used=Used(**used)).amount_fen


def test_the_answer_carries_the_clause_and_the_whole_arithmetic() -> None:
    lishui = programme(LISHUI)
    paid = deduction(
        lishui,
        lishui.categories[0].code,
        all_prices(yuan_to_fen(8_000)),
        used=Used(),
        others=[balance(yuan_to_fen(4_200))],
    )
    assert paid.amount_fen == yuan_to_fen(4_200)
    assert paid.arithmetic == "70% × 8,000.00 = 5,600.00；余额 4,200.00 → 4,200.00"
    plenty = deduction(
        lishui,
        lishui.categories[0].code,
        all_prices(yuan_to_fen(8_000)),
        used=Used(),
        others=[balance(yuan_to_fen(9_000)), wanted(yuan_to_fen(6_000))],
    )
    assert (plenty.amount_fen, plenty.clause) == (yuan_to_fen(5_600), "二（三）2")
    assert plenty.arithmetic == "70% × 8,000.00 = 5,600.00；余额 9,000.00；拟用 6,000.00 → 5,600.00"


@rules("YC-15")
def test_a_contract_cap_counts_all_projects_of_the_contract() -> None:
    yinchuan = programme(YINCHUAN)
    paid = deduction(
        yinchuan,
        yinchuan.categories[0].code,
        all_prices(yuan_to_fen(100_000)),
        used=Used(on_contract_fen=yuan_to_fen(30_000)),
    )
    assert (paid.amount_fen, paid.clause) == (yuan_to_fen(20_000), "第十条")
    assert paid.arithmetic == (
        "30% × 100,000.00 = 30,000.00；单个合同累计上限 50,000.00 − 已用 30,000.00 = 20,000.00 → 20,000.00"
    )


@rules("GX-30")
def test_only_diagnosis_gets_eighty_percent_in_guangxi() -> None:
    names = {category.name: category.code for category in programme(GUANGXI).categories}
    assert pays(GUANGXI, names["企业诊断服务"], 10_000) == yuan_to_fen(8_000)
    assert pays(GUANGXI, names["企业诊断服务"], 100_000) == yuan_to_fen(10_000)


@rules("GX-31")
@pytest.mark.parametrize(
    "name",
    [
        "数字化转型服务",
        "技术创新服务",
        "融资服务",
        "高阶检验检测验证服务",
        "中高端市场开拓服务",
        "年度申报文件重点支持范围的其他服务",
    ],
)
def test_every_other_guangxi_category_gets_half_up_to_thirty_thousand(name: str) -> None:
    names = {category.name: category.code for category in programme(GUANGXI).categories}
    assert pays(GUANGXI, names[name], 10_000) == yuan_to_fen(5_000)
    assert pays(GUANGXI, names[name], 100_000) == yuan_to_fen(30_000)


@rules("GX-33")
def test_each_guangxi_project_is_worked_out_by_itself() -> None:
    other = programme(GUANGXI).categories[1].code
    assert pays(GUANGXI, other, 100_000) == yuan_to_fen(30_000)
    # Another project: what the first one used of the contract takes nothing away …
    assert pays(GUANGXI, other, 100_000, on_contract_fen=yuan_to_fen(30_000)) == yuan_to_fen(30_000)
    # … and a second payment on the same project only gets what its cap leaves.
    assert pays(GUANGXI, other, 100_000, on_project_fen=yuan_to_fen(20_000)) == yuan_to_fen(10_000)


@rules("NX-09")
def test_a_ningxia_project_gets_three_thousand_once() -> None:
    category = programme(NINGXIA).categories[0].code
    assert pays(NINGXIA, category, 6_000.02) == yuan_to_fen(3_000)
    assert pays(NINGXIA, category, 6_000.02, on_project_fen=1) == yuan_to_fen(2_999.99)


@rules("LS-30")
@pytest.mark.parametrize(
    ("order", "actual", "paid"), [(10_000, None, 7_000), (10_000, 8_000, 5_600), (10_000, 12_000, 7_000)]
)
def test_lishui_limits_at_the_order_and_again_by_the_actual_amount_and_the_smaller_counts(
    order: int, actual: int | None, paid: int
) -> None:
    lishui = programme(LISHUI)
    prices = Prices(
        order_fen=yuan_to_fen(order), actual_fee_fen=None if actual is None else yuan_to_fen(actual)
    )
    answer = deduction(lishui, lishui.categories[0].code, prices, used=Used())
    assert answer.amount_fen == yuan_to_fen(paid)


@pytest.mark.parametrize(
    ("slug", "base"),
    [
        pytest.param(YINCHUAN, "actual_fee_fen", marks=rules("YC-14")),
        pytest.param(GUANGXI, "contract_fen", marks=rules("GX-30", "GX-31")),
        pytest.param(NINGXIA, "contract_fen", marks=rules("NX-08")),
        pytest.param(LISHUI, "order_fen", marks=rules("LS-30")),
        pytest.param(GUANGZHOU, "invoice_fen", marks=rules("GZ-20")),
    ],
)
def test_the_rate_applies_to_the_amount_the_text_names(slug: str, base: str) -> None:
    amounts = {"order_fen": 9_000, "contract_fen": 9_000, "invoice_fen": 9_000, "actual_fee_fen": 9_000}
    for rule in programme(slug).deduction:
        assert base_fen(rule, Prices(**{**amounts, base: 8_000})) == 8_000
        others = [name for name in amounts if name != base]
        if not rule.smaller_of_order_and_actual:
            assert base_fen(rule, Prices(**{**amounts, **dict.fromkeys(others, 7_000)})) == 9_000


def test_before_the_amount_is_known_an_earlier_one_gives_the_expectation() -> None:
    (invoice_rule,) = programme(GUANGZHOU).deduction
    assert base_fen(invoice_rule, Prices(order_fen=5_000)) == 5_000
    assert base_fen(invoice_rule, Prices(order_fen=5_000, contract_fen=6_000)) == 6_000
    with pytest.raises(PriceUnknown):
        base_fen(invoice_rule, Prices())


@rules("GZ-34")
def test_what_is_unrelated_to_the_service_is_taken_out_in_guangzhou_alone() -> None:
    prices = Prices(invoice_fen=4_000_000, contract_fen=4_000_000, unrelated_fen=1_000_000)
    bases = {slug: base_fen(programme(slug).deduction[-1], prices) for slug in (GUANGZHOU, NINGXIA)}
    assert bases == {GUANGZHOU: 3_000_000, NINGXIA: 4_000_000}
    (rule,) = programme(GUANGZHOU).deduction
    assert base_fen(rule, Prices(invoice_fen=100, unrelated_fen=101)) == 0


@rules("YC-13", "YC-35")
def test_a_yinchuan_project_uses_a_voucher_once() -> None:
    yinchuan = programme(YINCHUAN)
    category = yinchuan.categories[0].code
    assert use_unmet(yinchuan, category, Used()) == ()
    (again,) = use_unmet(yinchuan, category, Used(times_on_project=1))
    assert (again.code, again.clause, again.arithmetic) == ("uses_per_project", "第十条", "1 + 1 > 1")
    assert again.message == "每个服务项目最多使用 1 次服务券"


@rules("LS-31")
def test_a_lishui_order_uses_one_voucher_whose_balance_serves_several_orders() -> None:
    lishui = programme(LISHUI)
    category = lishui.categories[0].code
    assert use_unmet(lishui, category, Used()) == ()
    (second,) = use_unmet(lishui, category, Used(vouchers_on_order=1))
    assert (second.code, second.message) == ("vouchers_per_order", "每笔订单最多使用 1 张服务券")
    assert use_unmet(lishui, category, Used(times_on_project=5, projects_on_contract=5)) == ()
    assert lishui.voucher.balance


@rules("NX-34")
def test_a_ningxia_voucher_offsets_the_price_one_to_one() -> None:
    ningxia = programme(NINGXIA)
    paid = deduction(
        ningxia,
        ningxia.categories[0].code,
        all_prices(yuan_to_fen(10_000)),
        used=Used(),
        others=[balance(123_456)],
    )
    assert paid.amount_fen == 123_456


FEN = st.integers(0, 100_000_000)
SOMEWHERE = st.tuples(st.sampled_from(EVERYWHERE), st.integers(0, 100))


def drawn(where: tuple[str, int]) -> tuple[Programme, str]:
    """A programme, and one of its categories."""
    regulation = programme(where[0])
    return regulation, regulation.categories[where[1] % len(regulation.categories)].code


@given(SOMEWHERE, FEN, FEN, FEN, FEN, FEN)
def test_a_deduction_is_never_above_any_limit_and_never_negative(
    where: tuple[str, int], price: int, left: int, quota: int, on_project: int, on_contract: int
) -> None:
    regulation, category = drawn(where)
    rule = regulation.deduction_for(category)
    paid = deduction(
        regulation,
        category,
        all_prices(price),
        used=Used(on_project_fen=on_project, on_contract_fen=on_contract),
        others=[balance(left), wanted(quota)],
    )
    assert 0 <= paid.amount_fen <= min(left, quota, price)
    assert paid.amount_fen * 10_000 <= price * rule.rate_bp
    if rule.project_cap_fen is not None:
        assert paid.amount_fen <= max(0, rule.project_cap_fen - on_project)
    if rule.contract_cap_fen is not None:
        assert paid.amount_fen <= max(0, rule.contract_cap_fen - on_contract)
    assert paid.amount_fen in [limit.amount_fen for limit in paid.limits], "some limit binds"


@given(SOMEWHERE, st.lists(FEN, min_size=2, max_size=5), FEN)
def test_a_higher_price_never_pays_less_and_more_used_never_pays_more(
    where: tuple[str, int], amounts: list[int], price: int
) -> None:
    regulation, category = drawn(where)
    rising = [
        deduction(regulation, category, all_prices(amount), used=Used()).amount_fen
        for amount in sorted(amounts)
    ]
    assert all(low <= high for low, high in pairwise(rising))
    falling = [
        deduction(
            regulation,
            category,
            all_prices(price),
            used=Used(on_project_fen=amount, on_contract_fen=amount),
        ).amount_fen
        for amount in sorted(amounts)
    ]
    assert all(high >= low for high, low in pairwise(falling))


@given(st.lists(st.integers(0, 20_000_000), max_size=8))
def test_projects_of_one_contract_never_add_up_to_more_than_its_cap(fees: list[int]) -> None:
    yinchuan = programme(YINCHUAN)
    paid = 0
    for fee in fees:
        paid += deduction(
            yinchuan, yinchuan.categories[0].code, all_prices(fee), used=Used(on_contract_fen=paid)
        ).amount_fen
    assert paid <= yuan_to_fen(50_000)
