"""Processes we start: each in a session of its own, ended by its own id, gone with us at the latest."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

PATIENCE_SECONDS = 20.0
PR_SET_PDEATHSIG = 1


class ProcessFailed(Exception):
    """A process did not start or ended by itself; the message says which, with its last words."""


def free_port() -> int:
    """A TCP port on loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_taken(port: int) -> bool:
    """Whether somebody listens on this loopback port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
        return False


def accepts_connections(port: int) -> bool:
    """Whether a TCP connection to this loopback port is accepted now."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _dies_with_parent(stop_signal: int) -> Callable[[], None] | None:
    """What a child does before it becomes its program: ask the kernel to be told when we are gone.

    Even a parent that was killed then leaves nothing behind. Linux only; elsewhere a killed parent
    may leave a child. The kernel watches the *thread* that starts the child, so start from one that stays.
    """
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def ask() -> None:
        prctl(PR_SET_PDEATHSIG, stop_signal)
        if os.getppid() != parent:  # it died before we could ask
            os._exit(1)

    return ask


class Child:
    """One process of ours, its output kept in a file.

    What it says goes to ``log``; with ``answer``, its standard output goes there instead.
    ``stop_signal`` is the polite one of this program; ``user`` an id to run as when we are root.
    It stands in a session of its own, so a Ctrl-C in the terminal reaches us alone and we decide the order.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        log: Path,
        answer: Path | None = None,
        stop_signal: int = signal.SIGTERM,
        user: int | None = None,
        directory: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        self.stop_signal = stop_signal
        switch = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        with log.open("ab") as errors, (answer or log).open("ab") as output:
            self.process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=errors,
                cwd=directory,
                env=None if environment is None else dict(environment),
                start_new_session=True,
                preexec_fn=_dies_with_parent(stop_signal),
                **switch,  # type: ignore[call-overload]
            )

    @property
    def pid(self) -> int:
        return int(self.process.pid)

    @property
    def is_running(self) -> bool:
        return self.process.poll() is None

    def last_lines(self, count: int = 15) -> str:
        """The end of what it wrote, for people to read."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-count:])

    def wait_until(self, is_ready: Callable[[], bool], patience: float = PATIENCE_SECONDS) -> None:
        """Wait until ``is_ready()``; a :class:`ProcessFailed` when it ends or ``patience`` seconds pass."""
        give_up = time.monotonic() + patience
        while not is_ready():
            if not self.is_running:
                code = self.process.returncode
                raise ProcessFailed(f"{self.name} ended with exit code {code}:\n{self.last_lines()}")
            if time.monotonic() > give_up:
                raise ProcessFailed(
                    f"{self.name} was not ready in {patience:.0f} seconds:\n{self.last_lines()}"
                )
            time.sleep(0.01)

    def freeze(self) -> None:
        """Stop the world for it: connections stay open and nobody answers."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as a power cut would, and wait until it is gone."""
        if self.is_running:
            # The whole session: a program's own helpers go with it. Not yet waited for, so the id is its own.
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, patience: float = PATIENCE_SECONDS) -> None:
        """End it politely, then firmly, and wait until it is gone."""
        if self.is_running:
            self.process.send_signal(self.stop_signal)
            self.process.send_signal(signal.SIGCONT)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def stopping(child: Child) -> Iterator[Child]:
    """The child, stopped at the end whatever happens."""
    try:
        yield child
    finally:
        child.stop()
