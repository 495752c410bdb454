"""`make run`: one command starts everything, Ctrl-C ends everything, the data stays."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from tests.test_servers import wait_until_gone
from tools import run
from tools.processes import ProcessFailed, free_port

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 300


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project without anything it has stored, sharing the installed environment."""
    copy = tmp_path / "checkout"
    unwanted = shutil.ignore_patterns("var", ".git", ".venv", "__pycache__", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, copy, ignore=unwanted)
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


@contextmanager
def running(checkout: Path, port: int) -> Iterator[list[str]]:
    """`make run` until it stands: what it printed. Ended by Ctrl-C; nothing of it may remain."""
    make = subprocess.Popen(
        ["make", "run", f"QIQUAN_PORT={port}"],
        cwd=checkout,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # a terminal's Ctrl-C reaches a whole group: this one
    )
    assert make.stdout
    with make.stdout:
        printed: list[str] = []
        try:
            for line in make.stdout:
                printed.append(line.rstrip())
                if "Ctrl-C ends everything" in line:
                    break
            else:
                pytest.fail("`make run` did not stand:\n" + "\n".join(printed))
            started = descendants(make.pid)
            assert len(started) >= 5  # make, the supervisor, Valkey, the stand-in, the server
            yield printed
        finally:
            if make.poll() is None:
                os.killpg(make.pid, signal.SIGINT)
        rest = make.stdout.read()
        make.wait(PATIENCE_SECONDS)
    assert "Everything that was started has ended." in rest
    assert wait_until_gone(started) == []


def descendants(pid: int) -> list[int]:
    """Every process that this one started, and theirs."""
    table = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    parents = {int(child): int(parent) for child, parent in (line.split() for line in table.splitlines())}
    found = [pid]
    for child in sorted(parents):
        ancestor = child
        while ancestor in parents and ancestor != pid:
            ancestor = parents[ancestor]
        if ancestor == pid and child != pid:
            found.append(child)
    return found


def enterprises(checkout: Path) -> list[tuple[int, str]]:
    """The enterprises stored, as (id, name)."""
    connection = sqlite3.connect(checkout / "var" / "qiquan.sqlite3")
    rows = connection.execute("SELECT id, name FROM organisation ORDER BY id").fetchall()
    connection.close()
    return rows


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_it_answers_ends_with_ctrl_c_and_finds_its_data_again(checkout: Path) -> None:
    port = free_port()
    with running(checkout, port) as printed:
        addresses = re.findall(r"http://\S+", "\n".join(printed))
        assert addresses[0] == f"http://127.0.0.1:{port}"
        with urllib.request.urlopen(f"{addresses[0]}/healthz") as response:
            assert response.status == 200
    stored = enterprises(checkout)
    assert stored
    with running(checkout, port), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as response:
        assert response.status == 200
    assert enterprises(checkout) == stored


def test_a_taken_port_is_one_clear_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = _run(QIQUAN_PORT=str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"Port {port} is taken: end what listens there, or choose another port with "
        f"`make run QIQUAN_PORT={port + 1}`.\n"
    )


def test_a_wrong_setting_is_one_clear_sentence() -> None:
    done = _run(QIQUAN_PORT="eighty")
    assert done.returncode == 1
    assert done.stderr == "QIQUAN_PORT is 'eighty'; it must be a whole number.\n"


def _run(**environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.run"],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_two_runs_never_share_one_database(tmp_path: Path) -> None:
    with (
        run.alone(tmp_path),
        pytest.raises(run.CannotStart, match="Another `make run` is using"),
        run.alone(tmp_path),
    ):
        pytest.fail("a second run came in")
    with run.alone(tmp_path):
        pass


def test_the_first_day_is_kept(tmp_path: Path) -> None:
    assert run.first_day(tmp_path, date(2026, 3, 1)) == date(2026, 3, 1)
    assert run.first_day(tmp_path, date(2026, 3, 9)) == date(2026, 3, 1)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[run.Supervisor]:
    supervisor = run.Supervisor(tmp_path, os.environ)
    yield supervisor
    supervisor.stop()
    assert wait_until_gone([child.pid for child in supervisor.children]) == []


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_part_that_dies_ends_the_run_with_its_last_words(supervisor: run.Supervisor) -> None:
    supervisor.start("the steady one", python("import time; time.sleep(600)"), lambda: True)
    supervisor.start("the weak one", python("print('my heart'); raise SystemExit(4)"), lambda: True)
    with pytest.raises(ProcessFailed, match=r"the weak one ended with exit code 4:\n\s+my heart"):
        supervisor.watch()


def test_a_command_that_fails_stops_the_start(supervisor: run.Supervisor) -> None:
    with pytest.raises(ProcessFailed, match=r"migrations failed:\n\s+no such table"):
        supervisor.finish("migrations", python("import sys; sys.exit('no such table')"))


def test_what_a_command_prints_is_shown_without_what_it_logs(supervisor: run.Supervisor) -> None:
    command = python("import sys; print('account: demo'); print('noise', file=sys.stderr)")
    assert supervisor.finish("demo data", command) == "account: demo"


def test_ctrl_c_during_the_start_ends_what_has_started(supervisor: run.Supervisor) -> None:
    supervisor.start("the first", python("import time; time.sleep(600)"), lambda: True)
    supervisor.stop_asked.set()
    with pytest.raises(run.Stopped):
        supervisor.start("the second", python("import time; time.sleep(600)"), lambda: False)
