"""``make issue`` in small: a sample of one programme's cast, from an empty database to vouchers in wallets.

Real processes as there: the server, Valkey, the stand-in for WeChat and the command line. The cast is a
sample, the way is whole; all five programmes with everybody in them are ``make issue`` itself.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# The server starts three times, each time on another day.
pytestmark = pytest.mark.timeout(300)

ROOT = Path(__file__).parents[2]
CLOSING = "issue: 1/1 programmes, 7 organisations, 2 refused with clauses, 4 vouchers, books balanced"
"""Refused are the one misfit, and for the time being who hands in without papers."""


def test_a_sample_of_one_programme_walks_from_nothing_to_vouchers() -> None:
    command = [sys.executable, "-m", "walks.issue", "--organisations", "7", "--only", "lishui"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == CLOSING
