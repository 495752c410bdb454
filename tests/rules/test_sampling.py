"""Sampling: never fewer than the text asks for, drawn from a seed, and drawn again the same."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.review import ReviewKind, ReviewSubject
from server.rules.sampling import draw, sample_size
from tests.rules.cast import YINCHUAN, programme

rules = pytest.mark.rules
ITEMS = [f"S{number:04}" for number in range(100)]


def yinchuan_share() -> int:
    """The least share of the spot check in Yinchuan's settlement chain, basis points."""
    chain = programme(YINCHUAN).review(ReviewSubject.SETTLEMENT)
    assert chain is not None
    step = next(step for step in chain.steps if step.kind is ReviewKind.SPOT_CHECK)
    assert step.share_bp is not None
    return step.share_bp


@rules("YC-24")
@pytest.mark.parametrize(
    ("items", "drawn"),
    [(0, 0), (1, 1), (4, 1), (5, 1), (6, 2), (10, 2), (11, 3), (100, 20), (101, 21), (10_000, 2_000)],
)
def test_yinchuan_checks_a_fifth_rounded_up_and_at_least_one(items: int, drawn: int) -> None:
    assert sample_size(items, yinchuan_share()) == drawn
    assert len(draw([str(item) for item in range(items)], yinchuan_share(), "seed")) == drawn


@rules("YC-24")
def test_the_sampling_of_the_authority_asks_for_the_same_share() -> None:
    assert [one.share_bp for one in programme(YINCHUAN).samplings] == [yinchuan_share()]


@rules("YC-24")
def test_the_same_seed_draws_the_same_sample_in_whatever_order_the_items_come() -> None:
    sample = draw(ITEMS, 2_000, "2026-05-18/7")
    assert draw(reversed(ITEMS), 2_000, "2026-05-18/7") == sample
    assert draw([*ITEMS, *ITEMS], 2_000, "2026-05-18/7") == sample
    assert draw(ITEMS, 2_000, "2026-05-18/8") != sample
    # Anybody can find this again with sha256sum and sort.
    assert sample[:3] == ("S0074", "S0030", "S0047")


def test_over_many_seeds_every_item_is_drawn_about_as_often() -> None:
    times = Counter(item for seed in range(500) for item in draw(ITEMS, 2_000, str(seed)))
    assert len(times) == len(ITEMS)
    assert all(60 <= count <= 145 for count in times.values())


@given(st.sets(st.text(max_size=8), max_size=40), st.integers(1, 10_000), st.text(max_size=8))
def test_a_sample_is_a_part_of_its_items_without_repetition(items: set[str], share: int, seed: str) -> None:
    sample = draw(items, share, seed)
    assert set(sample) <= items
    assert len(set(sample)) == len(sample)
    assert len(sample) * 10_000 >= len(items) * share
