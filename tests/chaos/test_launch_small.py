"""``make launch`` in small: the same three runs with real processes, once with each mix of face values."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

# Nine server processes start one after the other, wherever this runs.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
CLOSING = (
    "launch: phones {phones}, vouchers {vouchers}, granted {granted}, oversold 0, undersold 0, lost 0,"
    " contradictory answers 0, books balanced, runs {runs}"
)


def held(*options: str) -> list[str]:
    """What a launch with these options prints; it must have kept every promise."""
    command = [sys.executable, "-m", "bench.launch", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "BROKEN" not in done.stdout
    return done.stdout.splitlines()


def test_a_small_launch_keeps_every_promise_through_both_accidents() -> None:
    lines = held("--phones", "300", "--vouchers", "30")
    assert lines[-1] == CLOSING.format(phones=300, vouchers=30, granted=30, runs=3)
    accidents = [line.split(", ")[1].split(":")[0] for line in lines if line.startswith("run ")]
    assert accidents == ["clean", "server killed", "redis emptied"]


def test_two_face_values_in_the_round_leave_nothing_that_anybody_could_have() -> None:
    lines = held("--phones", "200", "--vouchers", "30", "--mixed", "--only", "clean")
    found = re.search(r"granted (\d+), oversold", lines[-1])
    assert found is not None
    assert lines[-1] == CLOSING.format(phones=200, vouchers=30, granted=found[1], runs=1)
    # Some were worth two of the usual ones.
    assert 15 <= int(found[1]) < 30
