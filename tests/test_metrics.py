"""Metrics: of one process, and of several that are read through any one of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from server.metrics import MULTIPROCESS, Metrics

WORK = """
from server.metrics import Metrics
metrics = Metrics()
metrics.grab_answers.labels("granted").inc(3)
metrics.waiting_winners.set(2)
metrics.leaked_units.set(0)
print(metrics.exposition().decode())
"""


def test_a_fresh_server_shows_no_leaked_units() -> None:
    shown = Metrics().exposition().decode()
    assert "qiquan_leaked_units 0.0" in shown


def test_two_applications_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.grab_answers.labels("granted").inc()
    assert 'qiquan_grab_answers_total{outcome="granted"} 1.0' in one.exposition().decode()
    assert "granted" not in other.exposition().decode()


def test_several_processes_add_up(tmp_path: Path) -> None:
    environment = {**os.environ, MULTIPROCESS: str(tmp_path)}
    shown = ""
    for _ in range(2):
        run = subprocess.run(
            [sys.executable, "-c", WORK], env=environment, capture_output=True, text=True, check=True
        )
        shown = run.stdout
    assert 'qiquan_grab_answers_total{outcome="granted"} 6.0' in shown
    assert "qiquan_leaked_units 0.0" in shown
