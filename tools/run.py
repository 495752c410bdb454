"""`make run`: the whole platform on this machine, with demo data, until Ctrl-C.

Everything listens on loopback and keeps its data under ``var/``: an embedded Valkey, SQLite, a stand-in
for WeChat, and the server with its jobs. A second start finds the data of the first. When one of them dies,
all of them end, with the last words of the one that died. Nothing is ended but what was started here.
"""

from __future__ import annotations

import fcntl
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

from server.clock import CHINA
from server.settings import Settings, SettingsError, load
from standin import wechat_pay
from tools.embedded import RedisServer
from tools.processes import Child, ProcessFailed, accepts_connections, free_port, is_taken

ROOT = Path(__file__).resolve().parent.parent
VAR = Path("var")
PAY_KEYS = VAR / "wechat_pay"
TSA_CA = VAR / "tsa" / "ca.pem"
DEMO = {
    "QIQUAN_MODE": "demo",
    "QIQUAN_DEMO_LOGIN": "true",
    "QIQUAN_DEMO_CLOCKS": "true",
    "QIQUAN_STAFF_TOTP_REQUIRED": "false",
    "QIQUAN_DATABASE_URL": f"sqlite://{VAR}/qiquan.sqlite3",
    "QIQUAN_WECHAT_APPID": "wx-demo",
    "QIQUAN_WECHAT_SECRET": "demo-wechat-secret",
    "QIQUAN_WECHAT_OA_APPID": "wx-demo-official",
    "QIQUAN_WECHAT_OA_SECRET": "demo-wechat-official-secret",
    "QIQUAN_WECHAT_CALLBACK_TOKEN": "demoTokenOfTheChat",
    "QIQUAN_WECHAT_CALLBACK_AES_KEY": "demoKeyOfTheChat0123456789abcdefghijklmnopq",
    "QIQUAN_SMS_KEY": "demo-sms-key",
}
START_SECONDS = 60.0
# Straight to loopback, whatever proxy the environment names.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Stopped(Exception):
    """Somebody pressed Ctrl-C, or asked politely by a signal."""


class CannotStart(Exception):
    """Why not, in one sentence."""


class Supervisor:
    """The processes of one run, ended in the opposite order of their start."""

    def __init__(self, logs: Path, environment: Mapping[str, str]) -> None:
        self.logs = logs
        self.environment = environment
        self.children: list[Child] = []
        self.stop_asked = threading.Event()

    def listen(self) -> None:
        """From now on Ctrl-C, a closed terminal and a polite kill all end the run in good order."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # A flag, not an exception: that could strike between a process's birth and our noting it.
            signal.signal(number, lambda *_: self.stop_asked.set())

    def adopt(self, child: Child) -> None:
        """Watch and end this process with the others."""
        self.children.append(child)

    def start(self, name: str, command: Sequence[str], is_ready: Callable[[], bool]) -> None:
        """Start a part and wait until it is ready; raises :class:`ProcessFailed`."""
        child = self._child(name, command)
        self.adopt(child)
        child.wait_until(lambda: self._go_on() and is_ready(), START_SECONDS)

    def finish(self, name: str, command: Sequence[str]) -> str:
        """Run a command to its end and return what it printed; raises :class:`ProcessFailed`."""
        answer = self._log(name).with_suffix(".out")
        answer.unlink(missing_ok=True)
        child = self._child(name, command, answer)
        try:
            while child.is_running:
                self._go_on()
                time.sleep(0.02)
        finally:
            child.stop()
        if child.process.returncode:
            raise ProcessFailed(f"{name} failed:\n{child.last_lines()}")
        return answer.read_text(encoding="utf-8", errors="replace").rstrip()

    def watch(self) -> None:
        """Wait for Ctrl-C; raises :class:`ProcessFailed` when a part ends by itself."""
        while not self.stop_asked.wait(0.2):
            for child in self.children:
                if not child.is_running:
                    code = child.process.returncode
                    raise ProcessFailed(f"{child.name} ended with exit code {code}:\n{child.last_lines()}")

    def stop(self) -> None:
        """End every process that was started here, the last one first."""
        for child in reversed(self.children):
            child.stop()

    def _go_on(self) -> bool:
        if self.stop_asked.is_set():
            raise Stopped
        return True

    def _log(self, name: str) -> Path:
        return self.logs / f"{name.replace(' ', '-').lower()}.log"

    def _child(self, name: str, command: Sequence[str], answer: Path | None = None) -> Child:
        log = self._log(name)
        log.unlink(missing_ok=True)
        return Child(name, command, log=log, answer=answer, environment=self.environment)


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Hold the data directory, so that no second run writes to the same database."""
    with (directory / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotStart(f"Another `make run` is using {directory.resolve()}; end it first.") from None
        yield


def settings_for(environment: Mapping[str, str]) -> Settings:
    """The settings of this run; raises :class:`CannotStart` where they cannot be used."""
    try:
        settings = load(environment)
    except SettingsError as fault:
        raise CannotStart(str(fault)) from None
    if is_taken(settings.port):
        raise CannotStart(
            f"Port {settings.port} is taken: end what listens there, or choose another port with "
            f"`make run QIQUAN_PORT={settings.port + 1}`."
        )
    return settings


def first_day(directory: Path, today: date) -> date:
    """The day of the first run, kept: demo clocks go on from it, so that rounds do not jump in time."""
    file = directory / "first-day"
    if not file.exists():
        file.write_text(today.isoformat())
    return date.fromisoformat(file.read_text())


def is_answering(address: str) -> bool:
    """Whether a GET of this address is answered with 200."""
    try:
        with DIRECT.open(address, timeout=2.0) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def merchant(settings: Settings, pay_port: int) -> dict[str, str]:
    """What the server is told of the merchant's account at the WeChat Pay stand-in."""
    told = {
        "BASE_URL": f"http://127.0.0.1:{pay_port}",
        "MCHID": wechat_pay.DEMO_MCHID,
        "SERIAL": wechat_pay.DEMO_SERIAL,
        "KEY_FILE": str(PAY_KEYS / wechat_pay.MERCHANT_KEY),
        "PLATFORM_KEY_ID": wechat_pay.DEMO_PLATFORM_KEY_ID,
        "PLATFORM_KEY_FILE": str(PAY_KEYS / wechat_pay.PLATFORM_KEY),
        "SECRET": wechat_pay.DEMO_SECRET,
        "NOTIFY_URL": f"http://127.0.0.1:{settings.port}/api/v1/payments/wechat/callback",
    }
    return {f"QIQUAN_WECHAT_PAY_{name}": value for name, value in told.items()}


def run(settings: Settings, redis: RedisServer, wechat_port: int, environment: Mapping[str, str]) -> None:
    """Start everything, say where it is, and wait; raises what ends it."""
    address = f"http://127.0.0.1:{settings.port}"
    pay_port = free_port()
    # Its keys are made when the stand-in starts, before the first of them that reads settings.
    supervisor = Supervisor(
        VAR / "log",
        {
            "QIQUAN_PUBLIC_URL": address,
            "QIQUAN_TSA_URL": f"http://127.0.0.1:{wechat_port}/tsa",
            "QIQUAN_TSA_CA_FILE": str(TSA_CA),
            "QIQUAN_CHAIN_DOCK_URL": f"http://127.0.0.1:{wechat_port}/chain",
            **merchant(settings, pay_port),
            **environment,
        },
    )
    supervisor.logs.mkdir(exist_ok=True)
    supervisor.listen()
    try:
        supervisor.adopt(redis.start().running)
        supervisor.start(
            "WeChat stand-in",
            [sys.executable, "-m", "standin.wechat", "--port", str(wechat_port), "--tsa-ca", str(TSA_CA)],
            lambda: accepts_connections(wechat_port),
        )
        supervisor.start(
            "WeChat Pay stand-in",
            [sys.executable, "-m", "standin.wechat_pay", "--port", str(pay_port), "--keys", str(PAY_KEYS)],
            lambda: accepts_connections(pay_port),
        )
        supervisor.finish("migrations", [sys.executable, "-m", "server", "migrate"])
        guide = supervisor.finish("demo data", [sys.executable, "-m", "server", "demo", "seed"])
        supervisor.start(
            "server", [sys.executable, "-m", "server", "serve"], lambda: is_answering(f"{address}/readyz")
        )
        print(f"{address}              the server")
        print(f"{address}/docs         its API, to read; /openapi.json for programs")
        print(f"{address}/readyz       whether every part is there; /healthz, /metrics\n")
        print(guide)
        print(f"\nLogs are in {supervisor.logs}/. Ctrl-C ends everything; the data stays.", flush=True)
        supervisor.watch()
    finally:
        supervisor.stop()


def main() -> int:
    """Run until told to stop (0), or until something cannot be done (1, with one clear sentence)."""
    os.chdir(ROOT)
    redis = RedisServer(VAR / "valkey")
    wechat_port = free_port()
    environment = {
        **DEMO,
        "QIQUAN_REDIS_URL": redis.url(),
        "QIQUAN_WECHAT_BASE_URL": f"http://127.0.0.1:{wechat_port}",
        "QIQUAN_SMS_URL": f"http://127.0.0.1:{wechat_port}/sms",
        **os.environ,
        "PYTHONUNBUFFERED": "1",
    }
    try:
        settings = settings_for(environment)
        VAR.mkdir(exist_ok=True)
        with alone(VAR):
            anchor = first_day(VAR, datetime.now(CHINA).date())
            environment = {"QIQUAN_DEMO_ANCHOR": anchor.isoformat(), **environment}
            run(settings, redis, wechat_port, environment)
    except Stopped:
        pass
    except (CannotStart, ProcessFailed) as reason:
        print(reason, file=sys.stderr)
        return 1
    print("\nEverything that was started has ended.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
