"""Token buckets: a few knocks at once, then as many as a person needs."""

from __future__ import annotations

import pytest

from server.services.buckets import Buckets


def test_a_burst_is_let_in_and_the_next_is_told_how_long_to_wait() -> None:
    buckets = Buckets(per_second=2, burst=5)
    assert [buckets.take(1, 100.0) for _ in range(5)] == [0.0] * 5
    assert buckets.take(1, 100.0) == 0.5
    assert buckets.take(1, 100.25) == 0.25
    assert buckets.take(1, 100.5) == 0.0
    assert buckets.take(1, 100.5) == 0.5


def test_waiting_longer_than_a_burst_needs_gives_no_more_than_a_burst() -> None:
    buckets = Buckets(per_second=2, burst=3)
    for now in (100.0, 1_000.0):
        assert [buckets.take(1, now) == 0 for _ in range(4)] == [True, True, True, False]


def test_one_knocks_for_oneself_alone() -> None:
    buckets = Buckets(per_second=1, burst=1)
    assert [buckets.take(key, 100.0) for key in (1, 2, 1)] == [0.0, 0.0, 1.0]


def test_refused_knocks_cost_nothing() -> None:
    buckets = Buckets(per_second=1, burst=1)
    buckets.take(1, 100.0)
    for _ in range(50):
        assert buckets.take(1, 100.0) == 1.0
    assert buckets.take(1, 101.0) == 0.0


def test_the_memory_is_bounded_and_who_was_first_is_forgotten_first() -> None:
    buckets = Buckets(per_second=1, burst=1, capacity=2)
    for key in (1, 2, 3):
        assert buckets.take(key, 100.0) == 0.0
    assert buckets.take(3, 100.0) == 1.0
    assert buckets.take(1, 100.0) == 0.0


def test_a_clock_that_stands_still_gives_nothing() -> None:
    buckets = Buckets(per_second=1_000, burst=1)
    assert buckets.take(1, 5.0) == 0.0
    assert buckets.take(1, 5.0) == pytest.approx(0.001)
