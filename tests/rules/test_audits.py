"""A self-check beside an audit: which differences are serious, and how much each is."""

from __future__ import annotations

import pytest

from server.rules.audits import arithmetic, compared
from server.rules.supervision import Item, unanswered, unsigned

FIVE_PERCENT = 500


@pytest.mark.rules("GX-80")
@pytest.mark.parametrize(
    ("said", "serious"), [(105_00, False), (105_01, True), (95_00, False), (94_99, True)]
)
def test_a_figure_beyond_the_tolerance_is_serious_and_one_within_it_is_not(said: int, serious: bool) -> None:
    (line,) = compared({"paid": said}, {"paid": 100_00}, FIVE_PERCENT)
    assert line.serious is serious
    assert bool(arithmetic([line], FIVE_PERCENT)) is serious


def test_a_figure_that_only_one_of_them_gives_is_apart_by_all_of_it() -> None:
    lines = {one.code: one for one in compared({"paid": 5}, {"owed": 7, "none": 0}, FIVE_PERCENT)}
    assert lines["paid"].serious and lines["paid"].audited is None
    assert lines["owed"].serious and lines["owed"].said is None
    assert not lines["none"].serious


def test_what_nobody_answered_and_who_has_not_signed_is_named() -> None:
    items = [Item("premises", "服务场所"), Item("ledger", "服务台账")]
    assert unanswered(items, {"ledger": True}) == ("服务场所",)
    assert unsigned(["authority", "treasury"], ["treasury"]) == ("authority",)
