"""Sampling: never fewer than the text asks for, drawn from a seed, and drawn again the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.review import ReviewKind, ReviewSubject, Sampled
from server.rules.sampling import (
    AMOUNT_BANDS_FEN,
    FORMAT,
    Listed,
    ShareTooSmall,
    band,
    committed,
    draw,
    faults_of,
    hash_of,
    require_share,
    sample_size,
    seed_of_lots,
)
from tests.rules.cast import YINCHUAN, programme

rules = pytest.mark.rules
ITEMS = [Listed(f"S{number:04}", f"P{number % 7:02}·{1 + number % 3}") for number in range(100)]
LISTS = st.sets(
    st.builds(Listed, st.text(max_size=8), st.sampled_from("abc"), st.just(False)), max_size=40
).map(lambda items: {one.key: one for one in items}.values())


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
    assert len(draw([Listed(str(item)) for item in range(items)], yinchuan_share(), "seed")) == drawn


@rules("YC-24")
def test_the_sampling_of_the_authority_asks_for_the_same_share() -> None:
    assert [one.share_bp for one in programme(YINCHUAN).samplings] == [yinchuan_share()]
    assert [one.over for one in programme(YINCHUAN).samplings] == [(Sampled.REVIEW,)]


@rules("YC-24")
def test_the_same_seed_draws_the_same_sample_in_whatever_order_the_items_come() -> None:
    sample = draw(ITEMS, 2_000, "2026-05-18/7")
    assert draw(ITEMS[::-1], 2_000, "2026-05-18/7") == sample
    assert draw([*ITEMS, *ITEMS], 2_000, "2026-05-18/7") == sample
    assert draw(ITEMS, 2_000, "2026-05-18/8") != sample
    # Anybody can find this again with sha256sum and sort.
    assert sample[:3] == ("S0001", "S0063", "S0089")


@rules("YC-24")
def test_every_provider_and_band_has_its_part_of_the_sample() -> None:
    sizes = Counter(one.stratum for one in ITEMS)
    strata = {one.key: one.stratum for one in ITEMS}
    for seed in range(50):
        drawn = Counter(strata[key] for key in draw(ITEMS, 2_000, str(seed)))
        assert all(abs(drawn[one] - size / 5) < 1 for one, size in sizes.items())


@rules("YC-22", "YC-24")
def test_what_is_flagged_is_always_drawn_and_takes_no_chance_from_the_others() -> None:
    flagged = [Listed("S0003", "P03·1", flagged=True), Listed("S0004", "P04·2", flagged=True)]
    rest = [one for one in ITEMS if one.key not in ("S0003", "S0004")]
    for seed in range(20):
        sample = draw([*flagged, *rest], 2_000, str(seed))
        assert {"S0003", "S0004"} <= set(sample)
        assert len(sample) == 2 + sample_size(98, 2_000)
    assert draw(flagged, 2_000, "alone") and len(draw(flagged, 2_000, "alone")) == 2


def test_over_many_seeds_every_item_is_drawn_about_as_often() -> None:
    times = Counter(item for seed in range(500) for item in draw(ITEMS, 2_000, str(seed)))
    assert len(times) == len(ITEMS)
    assert all(60 <= count <= 145 for count in times.values())


def test_whoever_has_one_claim_is_drawn_as_often_as_who_has_many() -> None:
    alone = Listed("one", "small")
    items = [alone, *(Listed(f"many{number}", "large") for number in range(9))]
    times = Counter(item for seed in range(500) for item in draw(items, 2_000, str(seed)))
    assert all(60 <= times[one.key] <= 145 for one in items)


@given(LISTS, st.integers(1, 10_000), st.text(max_size=8))
def test_a_sample_is_a_part_of_its_items_without_repetition(
    items: list[Listed], share: int, seed: str
) -> None:
    sample = draw(items, share, seed)
    assert set(sample) <= {one.key for one in items}
    assert len(set(sample)) == len(sample)
    assert len(sample) * 10_000 >= len(items) * share


def published(**changes: Any) -> dict[str, Any]:
    """A draw as it is published."""
    number = "福彩3D 2026123期 547"
    drawn = draw(ITEMS, 2_000, seed_of_lots("secret", hash_of(ITEMS), number))
    return {
        "format": FORMAT,
        "commitment": committed("secret"),
        "seed": "secret",
        "public_number": number,
        "share_bp": 2_000,
        "list_hash": hash_of(ITEMS),
        "items": [{"key": one.key, "stratum": one.stratum, "flagged": one.flagged} for one in ITEMS],
        "drawn": list(drawn),
        **changes,
    }


@rules("YC-24")
def test_whoever_draws_again_sees_what_was_changed() -> None:
    whole = published()
    assert not list(faults_of(whole))
    assert list(faults_of({**whole, "seed": "another"})) == ["seed", "drawn"]
    assert list(faults_of({**whole, "items": whole["items"][1:]})) == ["list", "drawn"]
    assert list(faults_of({**whole, "drawn": whole["drawn"][1:]})) == ["drawn"]
    assert list(faults_of({**whole, "public_number": "548"})) == ["drawn"]
    assert list(faults_of({**whole, "share_bp": 1_000})) == ["drawn"]
    assert list(faults_of({**whole, "format": "x"})) == ["format"]
    for broken in ({}, {**whole, "items": 3}, {**whole, "share_bp": 1e400}, {**whole, "items": [1]}):
        assert list(faults_of(broken)) == ["format"]


def test_a_share_below_the_programmes_is_refused() -> None:
    require_share(2_000, yinchuan_share(), "第十一条（三）")
    require_share(1, None, "")
    with pytest.raises(ShareTooSmall):
        require_share(1_999, yinchuan_share(), "第十一条（三）")


def test_an_amount_lies_in_one_band() -> None:
    assert [band(one) for one in (None, 0, *AMOUNT_BANDS_FEN)] == ["0", "1", "2", "3", "4"]
