"""Validity: the days on which a regulation may be used, both ends included, and never while it is a draft."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.deduction import Prices, Used, deduction
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme

rules = pytest.mark.rules


@pytest.mark.parametrize(
    ("slug", "before", "first", "last", "after"),
    [
        pytest.param(
            LISHUI,
            date(2024, 8, 8),
            date(2024, 8, 9),
            date(2026, 12, 31),
            date(2027, 1, 1),
            marks=rules("LS-02"),
            id="two years and a half",
        ),
        pytest.param(
            GUANGXI,
            date(2024, 9, 3),
            date(2024, 9, 4),
            date(2027, 9, 4),
            date(2027, 9, 5),
            marks=rules("GX-02"),
            id="three years",
        ),
        pytest.param(
            GUANGZHOU,
            date(2020, 3, 25),
            date(2020, 3, 26),
            date(2020, 12, 31),
            date(2021, 1, 1),
            marks=rules("GZ-01"),
            id="one year",
        ),
    ],
)
def test_a_regulation_is_in_force_from_its_first_day_to_its_last(
    slug: str, before: date, first: date, last: date, after: date
) -> None:
    regulation = programme(slug)

    assert [regulation.in_force(day) for day in (before, first, last, after)] == [False, True, True, False]


@rules("NX-02")
def test_a_regulation_without_an_end_goes_on() -> None:
    regulation = programme(NINGXIA)

    assert not regulation.in_force(date(2016, 6, 23))
    assert regulation.in_force(date(2016, 6, 24))
    assert regulation.in_force(date(2126, 6, 24))


@rules("YC-01")
def test_a_draft_is_never_in_force_and_production_does_not_start_with_it() -> None:
    draft = programme(YINCHUAN)
    within = date(2027, 12, 31)

    assert draft.covers(within)
    assert not draft.covers(date(2028, 1, 1))
    assert not draft.in_force(within)
    assert Programmes([draft]).unfit_for_production(within) == (
        "yinchuan-2024 2024-draft: its status is draft",
    )


@rules("GX-34")
def test_a_new_years_notice_changes_amounts_and_what_was_made_before_keeps_its_own() -> None:
    old = programme(GUANGXI)
    (diagnosis, other) = old.deduction
    new = replace(
        old,
        identity=replace(old.identity, version="2025"),
        validity=replace(old.validity, valid_from=date(2025, 1, 1)),
        deduction=(replace(diagnosis, rate_bp=6_000), other),
    )
    known = Programmes([new, old])

    def paid_fen(regulation: Programme) -> int:
        prices, category = Prices(contract_fen=100_000), regulation.categories[0].code
        return deduction(regulation, category, prices, used=Used()).amount_fen

    assert paid_fen(known.get(GUANGXI)) == 60_000
    assert paid_fen(known.version(GUANGXI, old.version)) == 80_000
    assert known.in_force(date(2024, 12, 31)) == (old,)
    assert known.in_force(date(2025, 1, 1)) == (new,)
