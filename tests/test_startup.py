"""Starting: production begins only when everything is in order, and says in one sentence what is not."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from unittest.mock import patch

import pytest
from redis.asyncio import Redis

from server.__main__ import main
from server.database import OTHER_SCHEMA, migrate
from tests.servers import PostgresServer
from tools.embedded import RedisServer
from tools.processes import Child, free_port, stopping

ROOT = Path(__file__).parent.parent
FAR = "valid_until = 2999-12-31"
SAFE = {
    "QIQUAN_MODE": "production",
    "QIQUAN_JWT_KEYS": "2026a=0123456789abcdef0123456789abcdef",
    "QIQUAN_RECEIPT_KEY": "fedcba9876543210fedcba9876543210",
    "QIQUAN_DATA_KEYS": "2026a=00112233445566778899aabbccddeeff",
    "QIQUAN_WECHAT_APPID": "wx0123456789abcdef",
    "QIQUAN_WECHAT_SECRET": "0123456789abcdef0123456789abcdef",
}


@dataclass
class Machine:
    """Where a server is started: its own directory, and what the environment tells it."""

    directory: Path
    environment: dict[str, str]

    @property
    def port(self) -> int:
        return int(self.environment["QIQUAN_PORT"])

    def told(self, **others: str | None) -> dict[str, str]:
        """The environment, with these settings instead; ``None`` leaves one out."""
        chosen = {**self.environment, **{f"QIQUAN_{name.upper()}": value for name, value in others.items()}}
        return {name: value for name, value in chosen.items() if value is not None}

    def run(self, *command: str, **others: str | None) -> tuple[int, list[str]]:
        """Run a command to its end: its exit status, and what it wrote to its standard error.

        It runs in this process, whose start takes longer than most refusals, in a thread and so a loop of its
        own. It must not come so far as to serve.
        """
        with (
            patch.dict(os.environ, self.told(**others), clear=True),
            patch("server.logs.configure"),
            redirect_stderr(StringIO()) as said,
            ThreadPoolExecutor(1) as thread,
        ):
            status = thread.submit(main, list(command)).result()
        return status, said.getvalue().splitlines()

    def process(self, *command: str, **others: str | None) -> tuple[int, list[str]]:
        """The same in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "server", *command],
            cwd=self.directory,
            env=self.told(**others),
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert "Traceback" not in done.stderr
        return done.returncode, done.stderr.splitlines()

    def serve(self) -> Child:
        """A server that runs, once it answers."""
        command = [sys.executable, "-m", "server", "serve"]
        log = self.directory / "server.log"
        child = Child("the server", command, log=log, directory=self.directory, environment=self.environment)
        child.wait_until(lambda: answers(self.port), patience=60)
        return child


def answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as response:
            return bool(response.status == 200)
    except OSError:
        return False


@pytest.fixture
def machine(tmp_path: Path, sqlite_url: str, own_redis_server: RedisServer) -> Iterator[Machine]:
    """A machine on which production may start: own secrets, a programme in force, a migrated database."""
    programmes = tmp_path / "programmes"
    programmes.mkdir()
    text = (ROOT / "config/programmes/lishui-2024.toml").read_text(encoding="utf-8")
    text, changed = re.subn(r"^valid_until = .*$", FAR, text, count=1, flags=re.MULTILINE)
    assert changed
    (programmes / "lishui-2024.toml").write_text(text, encoding="utf-8")
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "QIQUAN_PORT": str(free_port()),
        "QIQUAN_PROGRAMMES_DIR": str(programmes),
        "QIQUAN_DATABASE_URL": sqlite_url,
        "QIQUAN_REDIS_URL": own_redis_server.url(),
        **SAFE,
    }
    return Machine(tmp_path, environment)


def test_production_starts_when_all_is_in_order_alone_on_its_file_and_on_its_port(machine: Machine) -> None:
    with stopping(machine.serve()) as server:
        with urllib.request.urlopen(f"http://127.0.0.1:{machine.port}/readyz", timeout=5) as ready:
            assert ready.status == 200
        elsewhere = str(free_port())
        assert machine.process("serve", port=elsewhere) == (
            1,
            ["Another server uses this SQLite file; SQLite serves one process."],
        )
        other = machine.directory / "other.sqlite3"
        other.write_bytes(
            Path(machine.environment["QIQUAN_DATABASE_URL"].removeprefix("sqlite://")).read_bytes()
        )
        status, said = machine.process("serve", database_url=f"sqlite://{other}")
        assert (status, len(said)) == (1, 1)
        assert said[0] == f"Cannot listen on 127.0.0.1:{machine.port}: Address already in use."
        assert answers(machine.port)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(30) == 0
    # What was ended may be started again.
    with stopping(machine.serve()):
        assert answers(machine.port)


def test_production_names_every_unsafe_setting_at_once(machine: Machine) -> None:
    status, said = machine.process(
        "serve",
        jwt_keys=None,
        receipt_key="short",
        demo_login="true",
        demo_clocks="yes",
        wechat_base_url="http://127.0.0.1:8090",
        wechat_appid=None,
        wechat_secret=None,
    )
    assert status == 1
    assert said == [
        "jwt_keys.demo is a demo or example secret: set one of your own.",
        "receipt_key has 5 bytes: at least 32 are needed.",
        "demo_login is on: anybody could sign in as anybody.",
        "demo_clocks is on: programmes would not run at the true time.",
        "wechat_base_url is http://127.0.0.1:8090, a stand-in: it must be https://api.weixin.qq.com.",
        "wechat_appid is empty: nobody could sign in.",
        "wechat_secret is empty: nobody could sign in.",
    ]


def test_who_says_nothing_of_the_mode_runs_production_and_is_refused_the_demo_secrets(
    machine: Machine,
) -> None:
    status, said = machine.run("serve", mode=None, receipt_key=None)
    assert (status, said) == (1, ["receipt_key is a demo or example secret: set one of your own."])


def test_production_refuses_a_draft_and_an_expired_programme(machine: Machine) -> None:
    status, said = machine.run("serve", programmes_dir=str(ROOT / "config/programmes"))
    assert status == 1
    assert "yinchuan-2024 2024-draft: its status is draft" in said
    assert "guangzhou-2020 2020: its validity ended on 2020-12-31" in said


def test_a_programme_with_a_mistake_is_named_with_its_line(machine: Machine) -> None:
    file = Path(machine.environment["QIQUAN_PROGRAMMES_DIR"]) / "lishui-2024.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('mode = "grab"', 'mode = "lottery"'), encoding="utf-8")
    status, said = machine.run("serve")
    assert (status, len(said)) == (1, 1)
    assert re.search(r"lishui-2024\.toml.*issuance\.mode.*lottery", said[0])


async def test_production_refuses_a_redis_that_forgets(
    machine: Machine, own_redis_server: RedisServer
) -> None:
    async with Redis.from_url(own_redis_server.url()) as redis:
        await redis.config_set("maxmemory-policy", "allkeys-lru")
    assert machine.run("serve") == (
        1,
        ["Redis runs with maxmemory-policy allkeys-lru: it must be noeviction."],
    )


def test_production_refuses_an_older_schema_and_names_what_is_to_run(machine: Machine) -> None:
    nowhere = machine.directory / "nowhere.sqlite3"
    empty = machine.directory / "empty.sqlite3"
    empty.touch()
    assert machine.run("serve", database_url=f"sqlite://{nowhere}") == (
        1,
        [f"There is no database at {nowhere}: run `python -m server migrate` first."],
    )
    assert not nowhere.exists()
    status, said = machine.run("serve", database_url=f"sqlite://{empty}")
    assert (status, len(said)) == (1, 1)
    assert re.fullmatch(
        r"The database has migrations to run \(0001_initial, .*\): run `python -m server migrate` first\.",
        said[0],
    )
    assert machine.run("migrate", database_url=f"sqlite://{empty}")[0] == 0
    assert machine.run("ledger", "verify", database_url=f"sqlite://{empty}")[0] == 0


async def test_production_refuses_a_postgresql_that_could_lose_a_promise_or_is_older_or_away(
    machine: Machine, postgres_server: PostgresServer
) -> None:
    url = await postgres_server.create("a_forgetful_one")
    try:
        status, said = machine.run("serve", database_url=url)
        assert status == 1
        # The servers of these tests are quick and forgetful.
        assert said[:3] == [
            f"PostgreSQL runs with {name} = off: a promise could be lost."
            for name in ("fsync", "synchronous_commit", "full_page_writes")
        ]
        assert said[3].startswith("The database has migrations to run (0001_initial, ")
        await migrate(url)
        assert machine.run("serve", database_url=url)[1] == said[:3]
        # Several workers are refused as one is, before any of them is started.
        assert machine.run("serve", database_url=url, workers="2") == (1, said[:3])
    finally:
        await postgres_server.drop("a_forgetful_one")
    away = f"postgres://postgres@127.0.0.1:{free_port()}/nothing"
    assert machine.run("serve", database_url=away) == (1, ["The database does not answer."])


def test_sqlite_is_served_by_one_process_only(machine: Machine) -> None:
    status, said = machine.run("serve", workers="2")
    assert (status, said) == (
        1,
        ["workers is 2, but SQLite serves one process: use PostgreSQL or workers = 1."],
    )


def test_a_database_of_an_earlier_schema_is_left_alone_and_the_way_out_is_said(
    machine: Machine, tmp_path: Path
) -> None:
    url = f"sqlite://{tmp_path / 'earlier.sqlite3'}"
    assert machine.run("migrate", database_url=url) == (0, [])
    assert machine.run("migrate", database_url=url) == (0, [])
    with closing(sqlite3.connect(tmp_path / "earlier.sqlite3")) as database, database:
        database.execute("UPDATE schema_stamp SET fingerprint = 'of another day'")
    assert machine.run("migrate", database_url=url) == (1, [OTHER_SCHEMA])
