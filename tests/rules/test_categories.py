"""Categories: ceilings of each kind of service, and a floor kept by its complement."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.rules.categories import YearMoney, category_room, floor_standings
from server.units import yuan_to_fen
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
# The nine categories by their names in the text, and their highest shares in percent.
SHARES = {
    "人力资源服务": 30,
    "技术创新服务": 30,
    "财税审计服务": 10,
    "法律维权服务": 30,
    "管理咨询服务": 10,
    "检验检测认证": 30,
    "知识产权服务": 30,
    "智能化数字化服务": 30,
    "职业技能服务": 30,
}
KEY = ("技术创新服务", "知识产权服务", "智能化数字化服务")
TOTAL = yuan_to_fen(1_000_000)


def code(name: str) -> str:
    """The code of a category, by its name in the text."""
    return next(category.code for category in programme(LISHUI).categories if category.name == name)


def year(used: dict[str, int], *, issued_fen: int = 0, total_fen: int = TOTAL) -> YearMoney:
    return YearMoney(total_fen, issued_fen, {code(name): amount for name, amount in used.items()})


@pytest.mark.parametrize(
    ("name", "percent"),
    [
        pytest.param(name, percent, marks=rules("LS-24" if percent == 10 else "LS-25"))
        for name, percent in SHARES.items()
    ],
)
def test_each_category_takes_its_share_of_the_years_total_and_not_a_fen_more(name: str, percent: int) -> None:
    most = TOTAL * percent // 100
    for used, left in ((0, most), (most - 1, 1), (most, 0), (most + 1, 0)):
        # What is issued so far is no denominator: the year's total is.
        room = category_room(programme(LISHUI), code(name), year({name: used}, issued_fen=123))
        assert room is not None
        assert room.amount_fen == left


@rules("LS-24", "LS-25")
def test_a_full_category_says_why_in_the_words_of_the_text() -> None:
    room = category_room(programme(LISHUI), code("财税审计服务"), year({"财税审计服务": TOTAL // 10}))
    assert room is not None
    assert room.clause == "二（二）3、二（二）末"
    assert room.arithmetic == (
        "财税审计服务（年度总额 1,000,000.00 × 10%） 100,000.00 − 已用 100,000.00 = 0.00"
    )


@rules("LS-26")
@pytest.mark.parametrize("name", [name for name in SHARES if name not in KEY])
def test_the_six_other_categories_together_leave_the_key_ones_their_floor(name: str) -> None:
    thirty = TOTAL * 30 // 100
    others = [other for other in SHARES if other not in KEY and other != name and SHARES[other] == 30][:2]
    for used, left in ((thirty - 1, 1), (thirty, 0)):
        room = category_room(
            programme(LISHUI), code(name), year({others[0]: thirty, others[1]: used, KEY[0]: thirty})
        )
        assert room is not None
        assert room.amount_fen == left
    assert "非重点类别合计（年度总额 1,000,000.00 × 60%）" in room.arithmetic


@rules("LS-26")
@pytest.mark.parametrize("name", KEY)
def test_the_key_categories_are_not_held_back_by_what_the_others_took(name: str) -> None:
    thirty = TOTAL * 30 // 100
    room = category_room(
        programme(LISHUI), code(name), year({"人力资源服务": thirty, "职业技能服务": thirty})
    )
    assert room is not None
    assert room.amount_fen == thirty


@rules("LS-26")
@pytest.mark.parametrize(("reached", "met"), [(39_999, False), (40_000, True), (40_001, True)])
def test_the_floor_is_reported_against_what_was_issued(reached: int, met: bool) -> None:
    used = {KEY[0]: 20_000, KEY[1]: 10_000, KEY[2]: reached - 30_000, "人力资源服务": 55_000}
    (standing,) = floor_standings(programme(LISHUI), year(used, issued_fen=100_000))
    assert (standing.reached_fen, standing.least_fen, standing.is_met) == (reached, 40_000, met)


def test_the_floor_of_an_odd_amount_is_rounded_up() -> None:
    (standing,) = floor_standings(programme(LISHUI), year({}, issued_fen=100_001))
    assert standing.least_fen == 40_001


@pytest.mark.parametrize("slug", [GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN])
def test_where_the_text_sets_no_shares_nothing_limits_a_category(slug: str) -> None:
    regulation = programme(slug)
    used = {category.code: 10**12 for category in regulation.categories}
    for category in regulation.categories:
        assert category_room(regulation, category.code, YearMoney(1, 1, used)) is None
    assert floor_standings(regulation, YearMoney(1, 1, used)) == ()


@given(
    st.lists(st.tuples(st.sampled_from(sorted(SHARES)), st.integers(1, 300_000)), max_size=60),
    st.integers(0, 2_000_000),
)
def test_orders_taken_only_while_there_is_room_never_pass_a_share(
    orders: list[tuple[str, int]], total_fen: int
) -> None:
    used: dict[str, int] = dict.fromkeys(SHARES, 0)
    for name, amount in orders:
        room = category_room(programme(LISHUI), code(name), year(used, total_fen=total_fen))
        assert room is not None
        used[name] += min(amount, room.amount_fen)
    for name, percent in SHARES.items():
        assert used[name] * 100 <= total_fen * percent
    assert sum(amount for name, amount in used.items() if name not in KEY) * 100 <= total_fen * 60
