"""How ratings and sales put offerings in an order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from server.rules.reputation import quality, score_bp


def votes(stars: float, number: int) -> tuple[int, int]:
    """So many votes of so many stars out of five, on average."""
    return round((stars - 1) / 4 * 10_000) * number, number


def test_five_stars_of_one_vote_do_not_beat_almost_five_of_two_hundred() -> None:
    assert score_bp(*votes(5.0, 1)) < score_bp(*votes(4.8, 200))
    assert score_bp(*votes(5.0, 200)) > score_bp(*votes(4.8, 200))


def test_nobody_said_anything_is_better_than_a_complaint_and_worse_than_praise() -> None:
    assert score_bp(*votes(1.0, 1)) < score_bp(0, 0) < score_bp(*votes(5.0, 1))


@given(st.integers(0, 10_000), st.integers(0, 1_000_000))
def test_a_score_stays_on_its_scale_and_a_better_vote_never_lowers_it(average: int, number: int) -> None:
    score = score_bp(average * number, number)
    assert 0 <= score <= 10_000
    assert score_bp(average * number + 10_000, number + 1) >= score


@given(st.integers(0, 9_999), st.integers(0, 10**9), st.integers(0, 10**9))
def test_sales_tell_only_equals_apart(score: int, few: int, many: int) -> None:
    assert quality(score + 1, few) > quality(score, many)
    assert quality(score, min(few, many)) <= quality(score, max(few, many))
