"""The benchmark's own arithmetic: medians, void runs, verdicts. How fast anything is stands elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bench.client import Connection, Outcome, Plan, requests_of
from bench.ratios import INTERLEAVINGS, Finding, Sample, Series, closing_line, is_restless, spread, steady
from bench.stage import cpu_seconds_of
from bench.turns import BLOCK_SECONDS, Pair, Slice, Turns, cpu_us, in_turns, per_cpu_second, per_second


def a_series(*rates: float) -> Series:
    return Series("bare handler", [Sample(rate, 1.0, 2.0, 3.0, 30.0) for rate in rates])


def a_finding(value: float, **options: object) -> Finding:
    return Finding("durable grants / bare handler", value, 0.3, 0.5, **options)  # type: ignore[arg-type]


def test_a_series_is_judged_by_its_median_and_its_extremes() -> None:
    series = a_series(100, 900, 110, 120, 115)
    assert series.per_second == 115
    assert series.spread == pytest.approx(800 / 115)


@pytest.mark.parametrize(("highest", "restless"), [(115.0, False), (130.0, False), (130.1, True)])
def test_a_run_is_void_when_the_bare_handler_varies_by_more_than_thirty_percent(
    highest: float, restless: bool
) -> None:
    assert spread([100.0, 100.0, highest]) == pytest.approx((highest - 100) / 100)
    assert is_restless(a_series(100.0, 100.0, highest)) is restless


async def test_a_void_run_is_made_again_until_the_machine_keeps_still() -> None:
    runs = iter([a_series(1, 2, 3), a_series(2, 4, 6), a_series(10, 10, 11)])

    async def measure() -> Series:
        return next(runs)

    steadied = await steady(measure, lambda run: run, tries=3)
    assert not steadied.is_void
    assert steadied.run.per_second == 10


async def test_a_machine_that_never_keeps_still_ends_after_the_last_try_and_is_no_success() -> None:
    tried = 0

    async def measure() -> Series:
        nonlocal tried
        tried += 1
        return a_series(1, 2, 3)

    steadied = await steady(measure, lambda run: run, tries=3)
    assert (tried, steadied.is_void) == (3, True)
    assert a_finding(0.9, is_void=steadied.is_void).is_missed


@pytest.mark.parametrize(
    ("value", "missed", "words"),
    [
        (0.299, True, "MISSED, goal missed"),
        (0.3, False, "met, goal missed"),
        (0.5, False, "met, goal met"),
    ],
)
def test_a_floor_is_met_at_its_very_value(value: float, missed: bool, words: str) -> None:
    finding = a_finding(value)
    assert finding.is_missed is missed
    assert finding.line().endswith(words)


def test_of_seconds_fewer_are_better() -> None:
    quick, slow = (
        Finding("last voucher", seconds, 2.0, 1.0, unit=" s", lower_is_better=True) for seconds in (0.4, 2.1)
    )
    assert not quick.is_missed
    assert quick.reaches(quick.goal)
    assert slow.is_missed


def test_the_last_line_counts_the_floors_that_were_missed() -> None:
    findings = [a_finding(0.1), a_finding(0.4), a_finding(0.6), a_finding(0.6, is_void=True)]
    assert closing_line(findings) == "bench: 4 ratios, missed 2"


def test_every_request_is_a_first_attempt_under_a_key_of_its_own() -> None:
    plan = Plan(port=1, round_id=7, tokens="", first=0, count=3, connections=1, seed=5)
    requests = requests_of(plan, ["one", "two", "three"])
    assert requests == requests_of(plan, ["one", "two", "three"])
    keys = {request.split(b"Idempotency-Key: ")[1][:32] for request in requests}
    assert len(keys) == 3
    assert all(request.startswith(b"POST /api/v1/rounds/7/grabs HTTP/1.1\r\n") for request in requests)
    assert all(b"Grab-Attempt: 1\r\n" in request for request in requests)


ANSWER = b"HTTP/1.1 409 Conflict\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nsorry"


@pytest.mark.parametrize("cut", [len(ANSWER), 10, 60, len(ANSWER) - 1])
def test_an_answer_is_read_whole_however_it_arrives(cut: int) -> None:
    answers: list[tuple[int, int]] = []
    connection = Connection(lambda _, status, size, seconds: answers.append((status, size)))
    connection.data_received(ANSWER[:cut])
    if cut < len(ANSWER):
        assert answers == []
        connection.data_received(ANSWER[cut:])
    assert answers == [(409, len(ANSWER))]


def test_shares_are_taken_of_the_ordered_latencies() -> None:
    outcome = Outcome(1.0, 0.1, {200: 100}, {200: 10}, [float(n) for n in range(100, 0, -1)])
    assert (outcome.share_ms(0.5), outcome.share_ms(0.99)) == (51.0, 100.0)


def a_slice(cpu_ms: float, *latencies_ms: float) -> Slice:
    """One request for each latency, each of so much CPU."""
    taken = latencies_ms or (cpu_ms,)
    return Slice(taken, cpu_ms * len(taken) / 1000)


def turns(*blocks: list[Pair]) -> Turns:
    return Turns(("1,000 cases", "1,000,000 cases"), blocks)


def test_a_machine_that_slows_down_moves_both_halves_of_a_pair_and_not_the_ratio() -> None:
    run = turns(*([(a_slice(pace), a_slice(pace * 1.4))] * 3 for pace in (1.0, 2.0, 3.0)))
    assert run.ratio(cpu_us) == pytest.approx(1.4)
    assert list(run.quartiles(cpu_us)) == pytest.approx([1.4, 1.4])


def test_slices_in_which_something_else_ran_move_neither_the_ratio_nor_the_sample() -> None:
    quiet, loud = (a_slice(1.0), a_slice(1.5)), (a_slice(9.0), a_slice(1.5))
    run = turns(*[[quiet, loud, quiet]] * 5)
    assert run.ratio(cpu_us) == pytest.approx(1.5)
    assert [sample.cpu_us for sample in run.reference(per_cpu_second).samples] == [pytest.approx(1000)] * 5
    assert not is_restless(run.reference(per_cpu_second))


def test_a_reference_whose_medians_drift_is_void_all_the_same() -> None:
    steadily, adrift = (
        turns(*([(a_slice(pace), a_slice(1.5))] * 3 for pace in paces))
        for paces in ((1.0, 1.1, 1.2, 1.1, 1.0), (1.0, 1.1, 1.2, 1.3, 1.5))
    )
    assert not is_restless(steadily.reference(per_cpu_second))
    assert is_restless(adrift.reference(per_cpu_second))


def test_time_that_drifts_does_not_make_steady_cpu_void() -> None:
    run = turns(*([(Slice([wait], 0.001), Slice([wait], 0.0015))] * 3 for wait in (2.0, 2.0, 2.5, 3.0, 4.0)))
    assert is_restless(run.reference(per_second))
    assert not is_restless(run.reference(per_cpu_second))


def test_a_slice_counts_what_a_request_costs_and_how_long_the_middle_one_took() -> None:
    one = Slice([4.0, 1.0, 2.0], 0.006)
    assert cpu_us(one) == pytest.approx(2000)
    assert [per_cpu_second(one), per_second(one)] == pytest.approx([500, 500])


async def test_a_block_is_full_when_both_sides_have_worked_long_enough_and_nobody_is_always_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What is counted here is made up; to clean a whole suite's heap between slices took half a minute.
    monkeypatch.setattr("bench.turns.gc.collect", lambda: 0)
    asked: list[str] = []

    async def reference() -> Slice:
        asked.append("reference")
        return a_slice(BLOCK_SECONDS * 1000 / 3.5)

    async def subject() -> Slice:
        asked.append("subject")
        return a_slice(BLOCK_SECONDS * 1000)

    blocks = await in_turns(reference, subject)
    assert [len(block) for block in blocks] == [4] * INTERLEAVINGS
    assert asked[:4] == ["reference", "subject", "subject", "reference"]
    assert all(first.cpu_seconds < second.cpu_seconds for block in blocks for first, second in block)


async def test_a_machine_without_process_clocks_compares_no_cpu() -> None:
    async def nothing() -> Slice:
        return Slice([1.0], 0.0)

    with pytest.raises(RuntimeError, match="does not say"):
        await in_turns(nothing, nothing)


def test_the_clock_of_a_process_is_finer_than_a_tick_and_ends_with_it() -> None:
    tick = 1 / os.sysconf("SC_CLK_TCK")
    before = cpu_seconds_of(os.getpid())
    ours = time.process_time()
    assert 0 <= ours - before < tick
    while time.process_time() == ours:
        continue
    assert before < cpu_seconds_of(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert child.stdin is not None
    try:
        assert cpu_seconds_of(child.pid) > 0
    finally:
        child.communicate(b"\n")
    assert cpu_seconds_of(child.pid) == 0.0
