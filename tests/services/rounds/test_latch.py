"""The latch: sold out is said without asking, but never to a winner and never for long."""

from __future__ import annotations

from typing import Any

from server.gateways.grab_gate import GateAnswer, GateCode, Winners
from server.services.rounds.latch import HOLDS_SECONDS, LOOKING_SECONDS, Latch

ROUND, WINNER, LOSER, STRANGER = 7, 1, 2, 3


def winners(**others: Any) -> Winners:
    seen: dict[str, Any] = {
        "epoch": 4,
        "remaining_fen": 0,
        "smallest_fen": 100,
        "undecided": 0,
        "enterprises": frozenset({WINNER}),
        "entitled": frozenset({WINNER, LOSER}),
    }
    return Winners(**seen | others)


def sold_out(**others: Any) -> GateAnswer:
    seen: dict[str, Any] = {"remaining_fen": 0, "smallest_fen": 100, "undecided": 0, "holders": 1}
    return GateAnswer(GateCode.SOLD_OUT, **seen | others)


def armed(**others: Any) -> Latch:
    latch = Latch()
    latch.arm(ROUND, winners(**others), now=10.0)
    return latch


def refuses(latch: Latch, enterprise: int = LOSER, *, attempt: int = 1, now: float = 10.0) -> bool:
    return latch.refuses(ROUND, enterprise, attempt=attempt, now=now)


def test_it_refuses_nobody_until_it_has_seen_that_all_is_gone() -> None:
    assert not refuses(Latch())
    assert refuses(armed())
    assert not armed().refuses(ROUND + 1, LOSER, attempt=1, now=10.0)


def test_it_never_refuses_a_winner_nor_a_second_attempt_nor_a_stranger() -> None:
    assert not refuses(armed(), WINNER)
    assert not refuses(armed(), LOSER, attempt=2)
    # Who is not entitled is told why, not that all is gone.
    assert not refuses(armed(), STRANGER)


def test_it_arms_only_below_the_smallest_grant_and_with_nobody_undecided() -> None:
    assert refuses(armed(remaining_fen=99))
    assert not refuses(armed(remaining_fen=100))
    assert not refuses(armed(undecided=1))


def test_a_larger_grant_that_does_not_fit_arms_nothing() -> None:
    latch = Latch()
    # Sold out for 200, while 100 is still to be had for others.
    assert not latch.saw(ROUND, 4, sold_out(remaining_fen=150), now=10.0)
    assert not latch.saw(ROUND, 4, sold_out(undecided=1), now=10.0)
    assert latch.saw(ROUND, 4, sold_out(), now=10.0)


def test_it_holds_half_a_second_and_then_one_caller_goes_and_looks() -> None:
    latch = armed()
    expired = 10.0 + HOLDS_SECONDS
    assert refuses(latch, now=expired - 0.001)
    assert not refuses(latch, now=expired)
    # The others keep the old answer a moment longer, and no longer.
    assert refuses(latch, now=expired + 0.01)
    assert not refuses(latch, now=expired + LOOKING_SECONDS)
    assert not refuses(latch, now=expired + 1)


def test_seeing_the_same_winners_again_only_moves_the_expiry() -> None:
    latch = armed()
    assert not latch.saw(ROUND, 4, sold_out(), now=10.4)
    assert refuses(latch, now=10.4 + HOLDS_SECONDS - 0.001)
    assert not refuses(latch, now=10.4 + HOLDS_SECONDS)


def test_other_winners_or_another_epoch_are_fetched_by_one_caller_at_a_time() -> None:
    for epoch, seen in ((4, sold_out(holders=2)), (5, sold_out())):
        latch = armed()
        assert latch.saw(ROUND, epoch, seen, now=10.2)
        assert not latch.saw(ROUND, epoch, seen, now=10.2)
        assert latch.saw(ROUND, epoch, seen, now=10.2 + LOOKING_SECONDS)
        # What was known before still ends in its own time.
        assert not refuses(latch, now=10.0 + HOLDS_SECONDS)
