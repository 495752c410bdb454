"""The line of a period: nobody is overtaken by being reviewed later, and nothing issued is taken back."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.issuance import RankKey
from server.programme.registry import Programmes
from server.rules.issuance import Application, ranked
from server.rules.lifecycles import IllegalMove, require_move
from server.rules.request_line import OPEN, REQUEST_MOVES, RequestStatus, Waiting, turn
from tests.programmes.conftest import REAL

NINGXIA = Programmes.load(REAL).get("ningxia-2016")
MORNING = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
FIRST = "regional_srdi_sme"


def waiting(number: int, amount_fen: int, *, decided: bool = True, label: str = "") -> Waiting:
    """The ``number``-th to arrive."""
    arrived = MORNING + timedelta(minutes=number)
    labels = frozenset({label} if label else ())
    return Waiting(Application(id=number, labels=labels, applied_at=arrived, amount_fen=amount_fen), decided)


def given_to(line: list[Waiting], left_fen: int) -> dict[int, int]:
    return {one.application.id: one.amount_fen for one in turn(NINGXIA, line, left_fen).awards}


@pytest.mark.rules("NX-31")
@pytest.mark.parametrize(
    ("left_fen", "awards", "empty"),
    [
        (900, {1: 300, 2: 300, 3: 300}, []),
        (899, {1: 300, 2: 300, 3: 299}, []),
        (601, {1: 300, 2: 300, 3: 1}, []),
        (600, {1: 300, 2: 300}, [3]),
        (299, {1: 299}, [2, 3]),
        (0, {}, [1, 2, 3]),
    ],
)
def test_the_money_goes_down_the_line_until_it_is_out(
    left_fen: int, awards: dict[int, int], empty: list[int]
) -> None:
    line = [waiting(number, 300) for number in (3, 1, 2)]
    assert given_to(line, left_fen) == awards
    told = turn(NINGXIA, line, left_fen).empty_handed
    assert [application.id for application, _ in told] == empty
    assert all(arithmetic == "本期余额 0.00 元 < 3.00 元" for _, arithmetic in told)


@pytest.mark.rules("NX-31")
@pytest.mark.parametrize(("left_fen", "awards"), [(600, {2: 300}), (599, {}), (300, {}), (0, {})])
def test_what_the_undecided_ahead_may_need_is_set_aside(left_fen: int, awards: dict[int, int]) -> None:
    line = [waiting(1, 300, decided=False), waiting(2, 300)]
    assert given_to(line, left_fen) == awards
    assert turn(NINGXIA, line, left_fen).empty_handed == (), "they wait"


@pytest.mark.rules("NX-31")
def test_a_smaller_one_does_not_slip_past_one_that_waits() -> None:
    line = [waiting(1, 300, decided=False), waiting(2, 300), waiting(3, 100)]
    assert given_to(line, 450) == {}


@pytest.mark.rules("NX-32")
@pytest.mark.parametrize("label", [FIRST, "regional_credit_a"])
def test_priority_stands_before_arrival_decided_or_not(label: str) -> None:
    assert given_to([waiting(1, 300), waiting(2, 300, label=label)], 300) == {2: 300}
    assert given_to([waiting(1, 300), waiting(2, 300, decided=False, label=label)], 300) == {}


def test_where_a_text_knows_no_priority_arrival_alone_decides() -> None:
    plain = replace(NINGXIA, issuance=replace(NINGXIA.issuance, ranking=(RankKey.ARRIVAL,)))
    line = [waiting(1, 300), waiting(2, 300, label=FIRST)]
    assert [one.application.id for one in turn(plain, line, 300).awards] == [1]


LINES = st.lists(st.tuples(st.integers(1, 500), st.booleans(), st.sampled_from(["", FIRST])), max_size=8).map(
    lambda rows: [
        waiting(number, amount, decided=decided, label=label)
        for number, (amount, decided, label) in enumerate(rows, start=1)
    ]
)


@pytest.mark.rules("NX-31")
@given(line=LINES, left_fen=st.integers(0, 2_000))
def test_no_line_gets_more_than_there_is_and_nobody_overtakes(line: list[Waiting], left_fen: int) -> None:
    outcome = turn(NINGXIA, line, left_fen)
    assert sum(one.amount_fen for one in outcome.awards) <= left_fen
    decided = {one.application.id for one in line if one.decided}
    awarded = {one.application.id: one for one in outcome.awards}
    assert set(awarded) <= decided
    assert all(0 < one.amount_fen <= one.application.amount_fen for one in outcome.awards)
    order = [one.id for one in ranked(NINGXIA, [one.application for one in line])]
    # Up to the first who is decided and gets less than its due, everybody decided gets all of it.
    short = False
    for number in order:
        if number not in decided:
            continue
        got = awarded.get(number)
        assert not (short and got), "somebody behind was served before"
        short = short or got is None or got.amount_fen < got.application.amount_fen


@given(line=LINES, left_fen=st.integers(0, 2_000))
def test_a_refusal_ahead_never_costs_anybody_behind_it(line: list[Waiting], left_fen: int) -> None:
    undecided = [one for one in line if not one.decided]
    if not undecided:
        return
    before = given_to(line, left_fen)
    after = given_to([one for one in line if one is not undecided[0]], left_fen)
    assert all(after.get(number, 0) >= amount for number, amount in before.items())


def test_a_request_that_has_ended_stays_so() -> None:
    for status in set(RequestStatus) - OPEN:
        assert REQUEST_MOVES[status] == frozenset()
    with pytest.raises(IllegalMove):
        require_move(REQUEST_MOVES, RequestStatus.ISSUED, RequestStatus.WITHDRAWN)
