"""Fair price: above which line a price asks for its reason, and what it is compared with."""

from __future__ import annotations

from dataclasses import replace

import pytest

from server.rules.fair_price import Prices, price_unmet
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules
EVERYWHERE = (LISHUI, GUANGXI, GUANGZHOU, NINGXIA, YINCHUAN)
FIVE = (900_000, 950_000, 1_000_000, 1_050_000, 4_000_000)
"""Their median is ten thousand yuan."""


def found(slug: str, price_fen: int, **prices: object) -> list[str]:
    return [one.code for one in price_unmet(programme(slug), price_fen, Prices(**prices))]  # type: ignore[arg-type]


@pytest.mark.parametrize("slug", EVERYWHERE)
def test_a_price_that_nothing_can_be_compared_with_asks_for_nothing(slug: str) -> None:
    assert found(slug, 10**9) == found(slug, 10**9, own=FIVE[:4], category=FIVE[:4]) == []


@rules("LS-77", "GZ-52")
@pytest.mark.parametrize("slug", [LISHUI, GUANGZHOU])
@pytest.mark.parametrize(
    ("price_fen", "prices", "codes"),
    [
        (1_000_000, {"list_fen": 1_000_000}, []),
        (1_000_001, {"list_fen": 1_000_000}, ["above_list"]),
        (1_200_000, {"own": FIVE}, []),
        (1_200_001, {"own": FIVE}, ["above_own"]),
        (1_300_000, {"category": FIVE}, []),
        (1_300_001, {"category": FIVE}, ["above_category"]),
        (1_300_001, {"list_fen": 1, "own": FIVE, "category": FIVE},
         ["above_list", "above_own", "above_category"]),
        # A discount asks for no reason.
        (1, {"list_fen": 1_000_000, "own": FIVE, "category": FIVE}, []),
    ],
)  # fmt: skip
def test_a_price_asks_for_its_reason_above_the_line_and_not_on_it(
    slug: str, price_fen: int, prices: dict[str, object], codes: list[str]
) -> None:
    assert found(slug, price_fen, **prices) == codes


@rules("LS-77")
def test_the_comparison_is_written_out_under_the_clause_of_the_fair_price() -> None:
    (one,) = price_unmet(programme(LISHUI), 1_300_001, Prices(category=FIVE))
    assert one.clause == "五（二）"
    assert one.arithmetic == "13,000.01 > 13,000.00（5 份合同的中位数 10,000.00 上浮 30% 以内）"


def test_a_line_that_falls_between_two_fen_is_on_the_side_of_the_lower() -> None:
    assert found(LISHUI, 4, own=(3,) * 5) == ["above_own"]
    assert found(LISHUI, 3, own=(3,) * 5) == []


def test_a_programme_that_compares_no_prices_asks_for_no_reason() -> None:
    silent = replace(programme(LISHUI), fair_price=None)
    assert price_unmet(silent, 10**9, Prices(list_fen=1)) == ()
