"""A world of its own for a walk: an empty database, Valkey, a stand-in for WeChat, and the real server.

Time passes by a restart: the demo's anchor moves back, and every programme's clock moves on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from server.clock import CHINA
from server.programme.holidays import load_working_calendar
from server.programme.registry import Programmes
from tools.embedded import RedisServer
from tools.processes import Child, accepts_connections, free_port, stopping

HOLIDAYS = Path("config/holidays")
PASSWORD = "Walk-through-2026"


class World:
    """The processes of one walk, on loopback; ``url`` is the server's address while it runs."""

    def __init__(
        self, directory: Path, redis: RedisServer, wechat_port: int, programmes: Path | None = None
    ) -> None:
        self.directory = directory
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.wechat_url = f"http://127.0.0.1:{wechat_port}"
        self.days = 0
        self._environment = {
            **os.environ,
            "QIQUAN_MODE": "demo",
            "QIQUAN_DEMO_CLOCKS": "true",
            "QIQUAN_STAFF_TOTP_REQUIRED": "false",
            "QIQUAN_PORT": str(self.port),
            "QIQUAN_DATABASE_URL": f"sqlite://{directory}/walk.sqlite3",
            "QIQUAN_EVIDENCE_DIR": str(directory / "evidence"),
            "QIQUAN_SEAL_KEYS_DIR": str(directory / "seal_keys"),
            "QIQUAN_ANCHOR_FILE": str(directory / "day_roots.jsonl"),
            "QIQUAN_REDIS_URL": redis.url(),
            "QIQUAN_WECHAT_BASE_URL": self.wechat_url,
            "QIQUAN_WECHAT_APPID": "wx-demo",
            "QIQUAN_WECHAT_SECRET": "demo-wechat-secret",
            "QIQUAN_STAFF_PASSWORD": PASSWORD,
            "PYTHONUNBUFFERED": "1",
        }
        if programmes is not None:
            self._environment["QIQUAN_PROGRAMMES_DIR"] = str(programmes)
            self._environment["QIQUAN_HOLIDAYS_DIR"] = str(publish_years(directory, programmes))

    @contextmanager
    def serving(self, *, days: int = 0) -> Iterator[None]:
        """The server, so many days after the first start."""
        self.days = days
        with stopping(self._start()) as child:
            child.wait_until(lambda: accepts_connections(self.port), 60.0)
            yield

    def command(self, *words: str) -> str:
        """What ``python -m server …`` prints; raises ``CalledProcessError`` where it fails."""
        done = subprocess.run(
            [sys.executable, "-m", "server", *words],
            env=self._told(),
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    def _start(self) -> Child:
        log = self.directory / "server.log"
        return Child("server", [sys.executable, "-m", "server", "serve"], log=log, environment=self._told())

    def _told(self) -> dict[str, str]:
        anchor = datetime.now(CHINA).date() - timedelta(days=self.days)
        return {**self._environment, "QIQUAN_DEMO_ANCHOR": anchor.isoformat()}


@contextmanager
def a_world(directory: Path, *, programmes: Path | None = None) -> Iterator[World]:
    """An empty world in this directory; everything that was started has ended afterwards.

    ``programmes`` is where its programmes stand, if not where the house keeps its own.
    """
    directory.mkdir(parents=True, exist_ok=True)
    redis = RedisServer(directory / "valkey").start()
    try:
        port = free_port()
        wechat = [sys.executable, "-m", "standin.wechat", "--port", str(port)]
        with stopping(Child("WeChat stand-in", wechat, log=directory / "wechat.log")) as child:
            child.wait_until(lambda: accepts_connections(port))
            world = World(directory, redis, port, programmes)
            world.command("migrate")
            yield world
    finally:
        redis.stop()


def publish_years(directory: Path, programmes: Path) -> Path:
    """A calendar in which every year of these programmes is published: no notice ends by a guessed day."""
    holidays = directory / "holidays"
    shutil.copytree(HOLIDAYS, holidays)
    known = load_working_calendar(HOLIDAYS)
    for programme in Programmes.load(programmes):
        for year in range(programme.demo_today.year, programme.demo_today.year + 2):
            if year not in known.years:
                published = f'year = {year}\nsource = "walk"\noff = []\nworked = []\n'
                (holidays / f"{year}.toml").write_text(published)
    return holidays
