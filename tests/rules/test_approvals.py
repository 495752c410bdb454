"""Approvals: to the last second of the last day, and signed work is finished after it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from server.rules.approvals import approval_ends
from server.rules.deadlines import end_of
from server.rules.lifecycles import ProviderAct, QualificationStatus
from server.services.providers.provider_standing import allowed
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

    ends = approval_ends(rules, renewal, approved_on)
    assert ends is not None
    assert not ends.is_over(end_of(last_day) - SECOND)
    assert ends.is_over(end_of(last_day))


def test_what_was_signed_is_finished_unless_the_programme_says_otherwise() -> None:
    rules, over = programme(LISHUI), QualificationStatus.EXPIRED
    strict = replace(rules.provider, renewal=replace(rules.provider.renewal, finish_signed=False))

    assert ProviderAct.FINISH_ORDERS in allowed(rules, over)
    assert not allowed(replace(rules, provider=strict), over)


def test_an_approval_without_an_end_holds_on() -> None:
    rules = programme(YINCHUAN)

    assert approval_ends(rules, rules.provider.renewal, date(2024, 9, 1)) is None
