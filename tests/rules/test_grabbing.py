"""Deciding grabs under Lishui's rules: who arrives first, while the round is open and its money lasts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from server.rules.grabbing import Claim, Entitled, GrabOutcome, RoundState, Standing, decide
from server.rules.lifecycles import RoundStatus
from server.rules.quota import tier_of
from tests.rules.cast import LISHUI, programme

rules = pytest.mark.rules
OPENS = datetime(2026, 5, 18, 1, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=1)
YUAN = 100
G = GrabOutcome


def claim(enterprise: int, *, at: datetime = OPENS, round_id: int = 1) -> Claim:
    key = f"{round_id}/{enterprise}/{at.isoformat()}"
    return Claim(round_id, enterprise, enterprise, key, None, f"{enterprise}-0", at)


def a_round(pool_yuan: int, *, status: RoundStatus = RoundStatus.SCHEDULED) -> RoundState:
    return RoundState(status, pool_yuan * YUAN, 0, 0, OPENS, CLOSES)


def entitled(*labels: str) -> Entitled:
    """What an enterprise with these labels may be granted, by the programme's own tiers."""
    rules_of_lishui = programme(LISHUI)
    tier = tier_of(rules_of_lishui, frozenset(labels))
    quota = rules_of_lishui.issuance.quota_fen(tier)
    assert tier is not None
    assert quota is not None
    return Entitled(tier.code, tier.face_value_fen, quota)


def outcomes(
    claims: list[Claim],
    rounds: Mapping[int, RoundState],
    *,
    not_entitled: int = 0,
    labels: Mapping[int, str] | None = None,
    taken_yuan: int = 0,
) -> list[GrabOutcome]:
    """What a group of claims comes to; everybody is entitled in every round but one."""
    seats = {(one.round_id, one.enterprise_id) for one in claims if one.enterprise_id != not_entitled}
    standing = Standing(
        rounds,
        entitled={seat: entitled(*filter(None, [(labels or {}).get(seat[1])])) for seat in seats},
        taken_fen={one.enterprise_id: taken_yuan * YUAN for one in claims},
    )
    return [decision.outcome for decision in decide(claims, standing)]


@rules("LS-06", "LS-64")
def test_who_arrives_first_takes_a_voucher_and_late_comers_get_none() -> None:
    claims = [claim(3), claim(1), claim(2)]

    assert outcomes(claims, {1: a_round(20_000)}) == [G.GRANTED, G.GRANTED, G.SOLD_OUT]


@rules("LS-06", "LS-67")
@pytest.mark.parametrize(
    ("pool_yuan", "expected"),
    [
        (29_999, [G.GRANTED, G.SOLD_OUT, G.GRANTED]),
        (30_000, [G.GRANTED, G.GRANTED, G.SOLD_OUT]),
        (40_000, [G.GRANTED, G.GRANTED, G.GRANTED]),
    ],
)
def test_a_period_ends_when_all_of_it_is_claimed_and_never_gives_more(
    pool_yuan: int, expected: list[GrabOutcome]
) -> None:
    # The second is newly above size: its voucher is worth twice as much.
    claims, labels = [claim(1), claim(2), claim(3)], {2: "newly_above_scale"}

    assert outcomes(claims, {1: a_round(pool_yuan)}, labels=labels) == expected


@rules("LS-05", "LS-64")
@pytest.mark.parametrize(
    ("at", "status", "expected"),
    [
        (OPENS, RoundStatus.SCHEDULED, G.GRANTED),
        (OPENS - timedelta(microseconds=1), RoundStatus.SCHEDULED, G.CLOSED),
        (CLOSES - timedelta(microseconds=1), RoundStatus.SCHEDULED, G.GRANTED),
        (CLOSES, RoundStatus.SCHEDULED, G.CLOSED),
        (OPENS, RoundStatus.CLOSED, G.CLOSED),
    ],
)
def test_a_batch_is_grabbed_from_its_opening_to_its_end_and_not_once_it_is_closed(
    at: datetime, status: RoundStatus, expected: GrabOutcome
) -> None:
    assert outcomes([claim(1, at=at)], {1: a_round(10_000, status=status)}) == [expected]


@rules("LS-05")
def test_nobody_is_granted_a_voucher_while_the_batch_pauses() -> None:
    assert outcomes([claim(1)], {1: a_round(10_000)}) == [G.GRANTED]
    assert outcomes([claim(1)], {1: a_round(10_000, status=RoundStatus.PAUSED)}) != [G.GRANTED]


@rules("LS-05", "LS-27")
def test_batches_of_one_year_share_the_quota_of_an_enterprise() -> None:
    claims = [claim(1), claim(1, round_id=2), claim(2, round_id=2)]

    assert outcomes(claims, {1: a_round(10_000), 2: a_round(20_000)}) == [G.GRANTED, G.QUOTA_USED, G.GRANTED]
    assert outcomes([claim(1)], {1: a_round(10_000)}, taken_yuan=1) == [G.QUOTA_USED]


@rules("LS-60")
def test_who_is_not_approved_gets_nothing_even_with_money_left() -> None:
    assert outcomes([claim(1), claim(2)], {1: a_round(20_000)}, not_entitled=1) == [G.NOT_ELIGIBLE, G.GRANTED]


@rules("LS-27", "LS-28")
def test_two_face_values_are_grabbed_in_one_round() -> None:
    both = {(1, 1): entitled(), (1, 2): entitled("newly_above_scale")}
    granted = decide([claim(1), claim(2)], Standing({1: a_round(30_000)}, entitled=both))

    assert [decision.amount_fen for decision in granted] == [10_000 * YUAN, 20_000 * YUAN]
    assert [decision.number for decision in granted] == [1, 2]
