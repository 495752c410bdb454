"""Approvals: to the last second of the last day, and signed work is finished after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.rules.approvals import approval_ends, may_contract, may_finish
from server.rules.deadlines import end_of
from tests.rules.cast import GUANGXI, LISHUI, YINCHUAN, programme

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("slug", "approved_on", "last_day"),
    [
        pytest.param(LISHUI, date(2024, 9, 1), date(2026, 9, 1), marks=pytest.mark.rules("LS-40")),
        pytest.param(LISHUI, date(2024, 2, 29), date(2026, 2, 28), marks=pytest.mark.rules("LS-40")),
        pytest.param(GUANGXI, date(2025, 1, 1), date(2025, 12, 31), marks=pytest.mark.rules("GX-43")),
        pytest.param(GUANGXI, date(2025, 12, 31), date(2025, 12, 31), marks=pytest.mark.rules("GX-43")),
    ],
)
def test_a_provider_whose_approval_is_over_takes_on_nothing_new(
    slug: str, approved_on: date, last_day: date
) -> None:
    rules = programme(slug)
    renewal = rules.provider.renewal

    assert may_contract(rules, renewal, approved_on, end_of(last_day) - SECOND)
    assert not may_contract(rules, renewal, approved_on, end_of(last_day))


def test_what_was_signed_is_finished_unless_the_programme_says_otherwise() -> None:
    rules = programme(LISHUI)
    renewal, approved_on = rules.provider.renewal, date(2024, 9, 1)
    over = end_of(date(2026, 9, 1))

    assert may_finish(rules, renewal, approved_on, over)
    assert not may_finish(rules, replace(renewal, finish_signed=False), approved_on, over)


def test_an_approval_without_an_end_holds_on() -> None:
    rules = programme(YINCHUAN)

    assert approval_ends(rules, rules.provider.renewal, date(2024, 9, 1)) is None
    assert may_contract(rules, rules.provider.renewal, date(2024, 9, 1), end_of(date(2124, 9, 1)))
