"""The client of the benchmark: one process, as cheap as Python can be.

It writes requests that were made beforehand and reads of an answer only its status and its length, so
that on two cores the server is measured and not the client. The bare handler and the subject are asked
by the same bytes over the same number of connections.

python -m bench.client PLAN.json  runs one plan and writes its outcome beside it.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from typing import cast

import uvloop

LENGTH = b"Content-Length: "
END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask: one request for each of ``count`` tokens, beginning with the ``first`` in the file.

    Without ``opens_at``, ``connections`` of them are always under way. With it (Unix seconds) every
    request has a connection and an instant of its own within the second that begins then.
    """

    port: int
    round_id: int
    tokens: str
    first: int
    count: int
    connections: int
    seed: int
    opens_at: float | None = None
    requests: str = ""
    """A file with a JSON list of whole requests, to send these instead of grabs."""


@dataclass(slots=True)
class Outcome:
    """What came of a plan; seconds from the first byte sent to the last answer, latencies as they came."""

    seconds: float
    cpu_seconds: float
    statuses: dict[int, int]
    answer_bytes: dict[int, int]
    """The length of the last answer of each status, head included."""
    latencies_ms: list[float] = field(repr=False)
    last_grant_seconds: float = 0.0
    """From ``opens_at`` until the last answer of status 201 was here."""

    def share_ms(self, part: float) -> float:
        """The latency that ``part`` of the answers stayed below."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


Answered = Callable[["Connection", int, int, float], None]
"""Called with the status (0 when the connection was lost), the answer's bytes and its seconds."""


class Connection(asyncio.Protocol):
    """One connection: one request under way at a time."""

    def __init__(self, answered: Answered) -> None:
        self.answered = answered
        self.sent_at = 0.0
        self.transport: asyncio.Transport
        self._pending = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes) -> None:
        self.sent_at = time.perf_counter()
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._pending:
            data = self._pending + data
        end = data.find(END)
        at = data.find(LENGTH, 0, end) + len(LENGTH)
        if end < 0 or len(data) < (whole := end + len(END) + int(data[at : data.index(b"\r", at)])):
            self._pending = data
            return
        self._pending = b""
        self.answered(self, int(data[9:12]), whole, time.perf_counter() - self.sent_at)

    def connection_lost(self, error: Exception | None) -> None:
        self.answered(self, 0, 0, 0.0)


class Tally:
    """Takes the answers in; ``done`` when all have come, or a connection was lost."""

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.latencies_ms: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.sizes: dict[int, int] = {}
        self.last_grant = 0.0

    def take(self, status: int, size: int, seconds: float) -> None:
        """One answer."""
        if self.done.done():
            return
        self.statuses[status] += 1
        self.sizes[status] = size
        self.latencies_ms.append(seconds * 1000)
        if status == 201:
            self.last_grant = time.time()
        if status == 0 or len(self.latencies_ms) == self.expected:
            self.done.set_result(None)


async def run(plan: Plan, tokens: Sequence[str]) -> Outcome:
    """Carry a plan out, with the tokens of its file."""
    requests = requests_of(plan, tokens[plan.first : plan.first + plan.count])
    assert len(requests) == plan.count, "not enough tokens or requests"
    tally = Tally(plan.count)
    seconds, cpu_seconds = await (_stream if plan.opens_at is None else _rush)(plan, requests, tally)
    last_grant = tally.last_grant - plan.opens_at if plan.opens_at else 0.0
    return Outcome(seconds, cpu_seconds, dict(tally.statuses), tally.sizes, tally.latencies_ms, last_grant)


def requests_of(plan: Plan, tokens: Sequence[str]) -> list[bytes]:
    """The bytes of each request: a first attempt under a key of its own, or what the plan's file says."""
    if plan.requests:
        return [request.encode() for request in json.loads(Path(plan.requests).read_text())]
    random = Random(plan.seed)
    return [
        (
            f"POST /api/v1/rounds/{plan.round_id}/grabs HTTP/1.1\r\nHost: 127.0.0.1:{plan.port}\r\n"
            f"Authorization: Bearer {token}\r\nIdempotency-Key: {random.getrandbits(128):032x}\r\n"
            "Grab-Attempt: 1\r\nContent-Length: 0\r\n\r\n"
        ).encode()
        for token in tokens
    ]


async def _stream(plan: Plan, requests: list[bytes], tally: Tally) -> tuple[float, float]:
    """As fast as the server answers."""
    waiting = iter(requests)

    def answered(connection: Connection, status: int, size: int, seconds: float) -> None:
        tally.take(status, size, seconds)
        request = next(waiting, None)
        if request is not None:
            connection.send(request)

    connections = [await _connect(plan.port, answered) for _ in range(plan.connections)]
    cpu, started = _cpu_seconds(), time.perf_counter()
    for connection in connections:
        request = next(waiting, None)
        if request is not None:
            connection.send(request)
    await tally.done
    return time.perf_counter() - started, _cpu_seconds() - cpu


async def _rush(plan: Plan, requests: list[bytes], tally: Tally) -> tuple[float, float]:
    """Everybody within the first second: half of them in its first quarter."""
    assert plan.opens_at is not None
    loop = asyncio.get_running_loop()

    def answered(_: Connection, status: int, size: int, seconds: float) -> None:
        tally.take(status, size, seconds)

    connections = [await _connect(plan.port, answered) for _ in requests]
    opens = loop.time() + plan.opens_at - time.time()
    assert opens > loop.time(), "the round opened before every phone had connected"
    random = Random(plan.seed)
    for connection, request in zip(connections, requests, strict=True):
        loop.call_at(opens + random.random() ** 2, connection.send, request)
    cpu = _cpu_seconds()
    await tally.done
    return time.time() - plan.opens_at, _cpu_seconds() - cpu


async def _connect(port: int, answered: Answered) -> Connection:
    loop = asyncio.get_running_loop()
    _, connection = await loop.create_connection(lambda: Connection(answered), "127.0.0.1", port)
    return connection


def _cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main(file: Path) -> None:
    """Run the plan in ``file``; its outcome goes to the same name with ``.outcome``."""
    plan = Plan(**json.loads(file.read_text()))
    tokens = Path(plan.tokens).read_text().split() if plan.tokens else []
    outcome = uvloop.run(run(plan, tokens))
    file.with_suffix(".outcome").write_text(json.dumps(asdict(outcome)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
