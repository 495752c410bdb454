"""The phones of a launch: thousands of people with their own habits, connections and bad luck.

``python -m bench.phones PLAN`` plays a crowd over real HTTP and writes every single sending, answered or
not, as a line of JSON. Nothing is judged here: that is ``bench/verdict.py``'s.

A phone opens the round's page beforehand, presses about the opening instant and goes on until it has
been told something final. Some press too early, some send the same request twice at once (to both
servers), some hang up before the answer and send again, some ask again after the answer.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import orjson
import uvloop

FINAL = frozenset({"granted", "already", "sold_out", "not_eligible", "closed", "quota_used", "key_reused"})
SPREAD_SECONDS = 1.0
"""Everyone who does not press too early presses within this after the opening."""
EARLY_SECONDS = 2.0
PATIENCE_SECONDS = 10.0
"""A phone that waits longer for an answer hangs up and sends again."""
READING_AT_ONCE = 48
STOP_READING_BEFORE_SECONDS = 2.5

TOO_EARLY, TWICE, HANGS_UP, ASKS_AGAIN = 0.10, 0.10, 0.10, 0.10
"""Shares of the phones with each habit; they may have several."""

_ANSWERS = {
    "round_sold_out": "sold_out",
    "round_not_open": "not_open",
    "round_paused": "paused",
    "round_closed": "closed",
    "not_entitled": "not_eligible",
    "grab_key_reused": "key_reused",
}


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as it was read."""

    status: int
    document: dict[str, Any]

    @property
    def answer(self) -> str:
        word = self.document.get("answer") or self.document.get("code") or ""
        return _ANSWERS.get(word, word)

    @property
    def wait_seconds(self) -> float:
        """What the phone was told to wait; a second where nothing was said."""
        return float(self.document.get("retry_after") or 1)


class Line(asyncio.Protocol):
    """One connection to one server: a request at a time."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._waiting: asyncio.Future[Told] | None = None

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0 or self._waiting is None or self._waiting.done():
            return
        head = bytes(self._received[:end])
        at = head.lower().index(b"content-length:") + len(b"content-length:")
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(self._received) < end + 4 + length:
            return
        body = orjson.loads(self._received[end + 4 : end + 4 + length])
        del self._received[: end + 4 + length]
        self._waiting.set_result(Told(int(head[9:12]), body))

    async def ask(self, request: bytes, patience: float) -> Told:
        """Send one request; ``ConnectionError`` or ``TimeoutError`` when no answer comes."""
        if self._transport is None:
            raise ConnectionResetError("not connected")
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            async with asyncio.timeout(patience):
                return await self._waiting
        except TimeoutError:
            self.hang_up()
            raise

    def hang_up(self) -> None:
        """Let the connection go at once."""
        if self._transport is not None:
            self._transport.abort()


@dataclass(slots=True)
class Launch:
    """What all phones of a run share. Instants are Unix seconds of the machine's clock."""

    addresses: list[tuple[str, int]]
    round_id: int
    opens: float
    ends: float
    records: list[dict[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class Phone:
    """One person's phone, with its habits."""

    launch: Launch
    random: Random
    id: int
    enterprise_id: int
    token: str
    home: int
    press_at: float
    twice: bool
    hangs_up: bool
    asks_again: bool
    lines: dict[tuple[int, int], Line] = field(default_factory=dict)

    async def read_the_page(self) -> None:
        """Open the round's page: the phone is told "ready", or what is missing."""
        await self._send("readiness", 0, 1, self.home, "", PATIENCE_SECONDS)

    async def play(self) -> None:
        """Press, and go on until told something final."""
        await asyncio.sleep(max(0.0, self.press_at - time.time()))
        if not self.twice:
            await self._until_final(0, self._new_key(), self.home)
            return
        key = self._new_key()
        await asyncio.gather(self._until_final(0, key, self.home), self._until_final(1, key, 1 - self.home))

    async def _until_final(self, copy: int, key: str, server: int) -> None:
        attempt = 1
        hangs_up = self.hangs_up
        while time.time() < self.launch.ends:
            patience = self.random.uniform(0.002, 0.06) if hangs_up else PATIENCE_SECONDS
            hangs_up = False
            told = await self._send("grab", copy, attempt, server, key, patience)
            attempt += 1
            if told is None:
                server = 1 - server
                await asyncio.sleep(self.random.uniform(0.02, 0.3))
                continue
            if told.answer == "pending":
                await asyncio.sleep(told.wait_seconds)
                asked = await self._send("ask", copy, attempt, server, key, PATIENCE_SECONDS)
                if asked is not None and asked.answer in FINAL:
                    told = asked
            if told.answer in FINAL:
                if self.asks_again:
                    await asyncio.sleep(self.random.uniform(0.5, 2.0))
                    await self._send("grab", copy, attempt, server, key, PATIENCE_SECONDS)
                return
            if told.answer == "not_open":
                # A new press, so a new key: the last one got its answer.
                await asyncio.sleep(told.wait_seconds)
                key, attempt = self._new_key(), 1
            elif told.status in (429, 503):
                await asyncio.sleep(told.wait_seconds)
            elif told.answer != "pending":
                return

    def _new_key(self) -> str:
        return f"{self.random.getrandbits(128):032x}"

    async def look_into_the_wallet(self) -> None:
        """Ask which vouchers the enterprise has."""
        await self._send("wallet", 0, 1, self.home, "", PATIENCE_SECONDS)

    async def _send(
        self, kind: str, copy: int, attempt: int, server: int, key: str, patience: float
    ) -> Told | None:
        """One sending, recorded whatever comes of it; ``None`` when no answer was read."""
        record: dict[str, Any] = {
            "kind": kind,
            "phone": self.id,
            "enterprise": self.enterprise_id,
            "copy": copy,
            "attempt": attempt,
            "server": server,
            "key": key,
            "pressed": max(self.press_at, self.launch.opens),
            "sent": time.time(),
            "answered": None,
        }
        self.launch.records.append(record)
        try:
            line = await self._line(server, copy)
            told = await line.ask(self._request(kind, attempt, server, key), patience)
        except (OSError, TimeoutError) as fault:
            record["lost"] = type(fault).__name__
            return None
        record["answered"] = time.time()
        record["status"], record["answer"], record["document"] = told.status, told.answer, told.document
        return told

    async def _line(self, server: int, copy: int) -> Line:
        line = self.lines.get((server, copy))
        if line is None or not line.is_open:
            host, port = self.launch.addresses[server]
            async with asyncio.timeout(PATIENCE_SECONDS):
                _, line = await asyncio.get_running_loop().create_connection(Line, host, port)
            self.lines[server, copy] = line
        return line

    def _request(self, kind: str, attempt: int, server: int, key: str) -> bytes:
        stem = f"/api/v1/rounds/{self.launch.round_id}"
        method, path, more = {
            "grab": ("POST", f"{stem}/grabs", f"Idempotency-Key: {key}\r\nGrab-Attempt: {attempt}\r\n"),
            "ask": ("GET", f"{stem}/grabs/{key}", ""),
            "readiness": ("GET", f"{stem}/readiness", ""),
            "wallet": ("GET", "/api/v1/vouchers", ""),
        }[kind]
        host, port = self.launch.addresses[server]
        length = "Content-Length: 0\r\n" if method == "POST" else ""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {self.token}\r\n"
            f"{more}{length}\r\n"
        ).encode()


def crowd(plan: dict[str, Any], launch: Launch) -> list[Phone]:
    """The phones of a plan with the habits that its seed gives them; colleagues press together."""
    random = Random(plan["seed"])
    press_of: dict[int, float] = {}
    phones = []
    for number, each in enumerate(plan["phones"]):
        early = random.random() < TOO_EARLY
        press = launch.opens + (
            -random.uniform(0.1, EARLY_SECONDS) if early else random.uniform(0, SPREAD_SECONDS)
        )
        press = press_of.setdefault(each["enterprise_id"], press)
        phones.append(
            Phone(
                launch,
                Random(random.getrandbits(64)),
                each["id"],
                each["enterprise_id"],
                each["token"],
                number % len(launch.addresses),
                press,
                twice=random.random() < TWICE,
                hangs_up=random.random() < HANGS_UP,
                asks_again=random.random() < ASKS_AGAIN,
            )
        )
    return phones


async def at_most(tasks: deque[Callable[[], Coroutine[Any, Any, None]]], width: int, until: float) -> None:
    """Run these, so many at once, and begin none after ``until``."""

    async def run() -> None:
        while tasks and time.time() < until:
            await tasks.popleft()()

    await asyncio.gather(*(run() for _ in range(width)))


async def play(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """Play a whole run, or (``plan["wallets"]``) only look into the wallets; every sending, in order."""
    launch = Launch(
        [(host, port) for host, port in plan["addresses"]], plan["round_id"], plan["opens"], plan["ends"]
    )
    phones = crowd(plan, launch)
    if plan.get("wallets"):
        await at_most(deque(phone.look_into_the_wallet for phone in phones), READING_AT_ONCE, launch.ends)
    else:
        reading = deque(phone.read_the_page for phone in phones)
        await at_most(reading, READING_AT_ONCE, launch.opens - STOP_READING_BEFORE_SECONDS)
        await asyncio.gather(*(phone.play() for phone in phones))
    return launch.records


def main() -> int:
    """Play the plan named on the command line, and write down what happened."""
    plan = orjson.loads(Path(sys.argv[1]).read_bytes())
    records = uvloop.run(play(plan))
    Path(plan["out"]).write_bytes(b"".join(orjson.dumps(record) + b"\n" for record in records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
