"""The world of the chat's walk: PostgreSQL, Valkey, the stand-in, and two servers that share them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path

from server.clock import CHINA
from server.database import close_database, migrate, open_database
from server.demo_officials import PASSWORD, username
from server.services.access import StaffRole
from server.services.accounts.staff import create_staff
from standin.wechat import DEMO_APPID, DEMO_OA_APPID, DEMO_OA_SECRET
from tests.servers import PostgresServer, postgres_server
from tools.embedded import RedisServer
from tools.processes import Child, ProcessFailed, accepts_connections, free_port, stopping

TOKEN = "WalkThroughTheChat2026"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFA"
PATIENCE_SECONDS = 60.0
DESKS = (StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.OVERSIGHT_BODY)


class ChatWorld:
    """Two servers on one database; either may be killed and comes back."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self.directory = directory
        self._environment = environment
        self.ports = (free_port(), free_port())
        self.children: list[Child] = []
        self.killed = 0
        self.days = 0
        """How many days after the first start the servers believe it to be."""

    @property
    def urls(self) -> list[str]:
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    def start(self, place: int) -> Child:
        """One of the two servers, when it answers."""
        log = self.directory / f"server-{place}-{self.killed}.log"
        anchor = datetime.now(CHINA).date() - timedelta(days=self.days)
        told = {
            **self._environment,
            "QIQUAN_PORT": str(self.ports[place]),
            "QIQUAN_DEMO_ANCHOR": anchor.isoformat(),
        }
        child = Child(f"server {place}", [sys.executable, "-m", "server", "serve"], log=log, environment=told)
        child.wait_until(lambda: accepts_connections(self.ports[place]), PATIENCE_SECONDS)
        return child

    def kill(self, place: int) -> None:
        """End one without a word, as a machine does that loses its power; it is ours and known by its id."""
        self.killed += 1
        self.children[place].process.kill()
        self.children[place].stop()

    def go_on(self, days: int) -> None:
        """End both servers and start them so many days later."""
        self.days += days
        for child in self.children:
            child.stop()
        self.killed += 1  # Their logs are others.
        self.children = [self.start(place) for place in range(len(self.ports))]

    def command(self, *words: str) -> None:
        """Run ``python -m server …``; raises ``ProcessFailed`` with its last words."""
        command = [sys.executable, "-m", "server", *words]
        done = subprocess.run(command, env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise ProcessFailed(f"server {' '.join(words)}: {(done.stdout + done.stderr)[-1500:]}")

    def logs(self) -> str:
        """Everything any server wrote."""
        return "".join(path.read_text(errors="replace") for path in self.directory.glob("server-*.log"))


@asynccontextmanager
async def a_chat_world(directory: Path, *, demo: bool = True) -> AsyncIterator[tuple[ChatWorld, str, str]]:
    """The world, the stand-in's address and the database's; all ended afterwards.

    Without its ``demo`` data there are the officials alone, and nothing to complain about but words.
    """
    with ExitStack() as stack:
        postgres: PostgresServer = stack.enter_context(postgres_server())
        url = await postgres.create("chat")
        redis = RedisServer(directory / "valkey").start()
        stack.callback(redis.stop)
        port = free_port()
        wechat = [sys.executable, "-m", "standin.wechat", "--port", str(port)]
        standin = stack.enter_context(stopping(Child("WeChat", wechat, log=directory / "wechat.log")))
        standin.wait_until(lambda: accepts_connections(port))
        world = ChatWorld(directory, _environment(directory, url, redis.url(), port))
        if demo:
            world.command("migrate")
            world.command("demo", "seed")
        else:
            await _officials_alone(url)
        try:
            for place in range(len(world.ports)):
                world.children.append(world.start(place))
            yield world, f"http://127.0.0.1:{port}", url
        finally:
            for child in world.children:
                child.stop()


async def _officials_alone(url: str) -> None:
    await migrate(url)
    opened = await open_database(url)
    try:
        for role in DESKS:
            await create_staff(username(role), PASSWORD, [role.value], datetime.now(CHINA))
    finally:
        await close_database(opened)


def _environment(directory: Path, url: str, redis: str, wechat_port: int) -> dict[str, str]:
    return {
        **os.environ,
        "QIQUAN_MODE": "demo",
        "QIQUAN_DEMO_LOGIN": "true",
        "QIQUAN_DEMO_CLOCKS": "true",
        "QIQUAN_STAFF_TOTP_REQUIRED": "false",
        "QIQUAN_DATABASE_URL": url,
        "QIQUAN_REDIS_URL": redis,
        "QIQUAN_EVIDENCE_DIR": str(directory / "evidence"),
        "QIQUAN_SEAL_KEYS_DIR": str(directory / "seal_keys"),
        "QIQUAN_ANCHOR_FILE": str(directory / "day_roots.jsonl"),
        "QIQUAN_UPLOADS_DIR": str(directory / "uploads"),
        "QIQUAN_WECHAT_BASE_URL": f"http://127.0.0.1:{wechat_port}",
        "QIQUAN_WECHAT_APPID": DEMO_APPID,
        "QIQUAN_WECHAT_SECRET": "demo-wechat-secret",
        "QIQUAN_WECHAT_OA_APPID": DEMO_OA_APPID,
        "QIQUAN_WECHAT_OA_SECRET": DEMO_OA_SECRET,
        "QIQUAN_WECHAT_CALLBACK_TOKEN": TOKEN,
        "QIQUAN_WECHAT_CALLBACK_AES_KEY": KEY,
        "PYTHONUNBUFFERED": "1",
    }
