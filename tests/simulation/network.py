"""The way to Redis and to the database, with all that can happen on it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import hiredis

from tests.simulation.lua import LuaEngine, LuaError
from tests.simulation.memory_redis import MemoryRedis, copied
from tests.simulation.memory_store import MemoryDatabase, Session
from tests.simulation.product import Product
from tests.simulation.universe import Loop, Universe

REPLY_TIMEOUT_SECONDS = 2.0
"""After this a silent link is given up, as the product's own does."""


@dataclass
class Weather:
    """How bad the ways are: probabilities of a message, and a typical delay in seconds."""

    redis_delay: float = 0.0005
    database_delay: float = 0.002
    slow: float = 0.0
    """Share of messages that take a hundred times as long."""
    request_lost: float = 0.0
    reply_lost: float = 0.0
    runs_late: float = 0.0
    terminated: float = 0.0
    commit_doubt: float = 0.0
    answer_lost: float = 0.0
    cancelled: float = 0.0
    admin_dies: float = 0.0

    def calm(self) -> None:
        """Everything heals."""
        for name in ("slow", "request_lost", "reply_lost", "runs_late", "terminated", "commit_doubt"):
            setattr(self, name, 0.0)
        self.answer_lost = self.cancelled = self.admin_dies = 0.0


class MemoryLink:
    """A connection to one Redis process: commands arrive in order, replies come back in order."""

    def __init__(self, service: RedisService, loop: Loop, redis: MemoryRedis) -> None:
        self.service = service
        self.loop = loop
        self.redis = redis
        self.run_id = redis.run_id
        self.broken = False
        self.waiting: deque[asyncio.Future[Any]] = deque()
        self.last_arrival = 0.0
        self.last_delivery = 0.0

    async def run(self, script: Any, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Run a script once."""
        if self.broken:
            raise self.service.product.redis_lane.LaneBroken("no connection")
        future: asyncio.Future[Any] = self.loop.create_future()
        self.waiting.append(future)
        self.service.send(self, script.text, keys, arguments, future)
        return await future

    def break_off(self) -> None:
        """Everything under way fails; whether it ran nobody says."""
        if not self.broken:
            self.broken = True
            self.service.links.remove(self)
            while self.waiting:
                future = self.waiting.popleft()
                if not future.done():
                    future.set_exception(self.service.product.redis_lane.LaneBroken("connection lost"))


class RedisService:
    """An address behind which some Redis process stands, or none."""

    def __init__(self, universe: Universe, engine: LuaEngine, product: Product, weather: Weather) -> None:
        self.universe = universe
        self.engine = engine
        self.product = product
        self.weather = weather
        self.links: list[MemoryLink] = []
        self.cut_off: set[str] = set()
        """Names of the processes that do not reach Redis now."""
        self.processes: list[MemoryRedis] = []
        self.up: MemoryRedis | None = None
        self.ran = lambda redis: None
        """Called after each script that wrote."""
        self.start(None)

    def start(self, fallen_back_to: int | None) -> None:
        """A new Redis process: empty, or with the state of an earlier instant of the last one."""
        keyspace = None
        if fallen_back_to is not None and self.processes and self.processes[-1].snapshots:
            snapshots = self.processes[-1].snapshots
            keyspace = copied(snapshots[fallen_back_to % len(snapshots)])
        skew = self.universe.random.uniform(-0.05, 0.05)
        redis = MemoryRedis(
            self.engine, f"run{len(self.processes)}", lambda: self.universe.unix() + skew, keyspace
        )
        self.processes.append(redis)
        self.up = redis

    def stop(self, *, links_live_on: float = 0.0) -> None:
        """The process behind the address is gone; cut off from the address it may serve its links on."""
        redis, self.up = self.up, None
        if redis is None:
            return
        if links_live_on:
            self.universe.after(links_live_on, self._end, redis)
        else:
            self._end(redis)

    def _end(self, redis: MemoryRedis) -> None:
        redis.alive = False
        for link in [link for link in self.links if link.redis is redis]:
            link.break_off()

    def send(
        self,
        link: MemoryLink,
        text: str,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        future: asyncio.Future[Any],
    ) -> None:
        """Put a command on its way."""
        universe, weather = self.universe, self.weather
        arrival = max(link.last_arrival, universe.now + self.delay())
        link.last_arrival = arrival
        draw = universe.random.random()
        if draw < weather.request_lost:
            universe.counts["redis request lost"] += 1
            universe.after(self._silence(), link.break_off)
            return
        draw -= weather.request_lost
        if 0 <= draw < weather.runs_late:
            # Given up by the client, still in the buffers of the server.
            universe.counts["redis script ran after its link broke"] += 1
            universe.after(universe.random.uniform(0.0, 0.05), link.break_off)
            universe.after(
                universe.random.uniform(0.05, 3.0), self._arrive, link, text, keys, arguments, None
            )
            return
        universe.after(arrival - universe.now, self._arrive, link, text, keys, arguments, future)

    def delay(self) -> float:
        """How long one message takes, seconds."""
        seconds = self.weather.redis_delay * self.universe.random.uniform(0.3, 2.0)
        return seconds * 100 if self.universe.random.random() < self.weather.slow else seconds

    def _silence(self) -> float:
        """A broken link is seen at once, or only when the reply does not come in time."""
        return self.universe.random.choice((0.0, 0.02, REPLY_TIMEOUT_SECONDS))

    def _arrive(
        self,
        link: MemoryLink,
        text: str,
        keys: Sequence[str],
        arguments: Sequence[str | int],
        future: asyncio.Future[Any] | None,
    ) -> None:
        universe, redis = self.universe, link.redis
        if not redis.alive or (link.broken and future is not None):
            return
        if link.loop.name in self.cut_off and future is not None:
            universe.after(REPLY_TIMEOUT_SECONDS, link.break_off)
            return
        if redis.frozen_until > universe.now:
            universe.after(
                redis.frozen_until - universe.now, self._arrive, link, text, keys, arguments, future
            )
            if redis.frozen_until - universe.now > REPLY_TIMEOUT_SECONDS:
                universe.after(REPLY_TIMEOUT_SECONDS, link.break_off)
            return
        if universe.random.random() < 0.2:
            redis.remember()
        try:
            reply: Any = redis.execute(text, keys, arguments)
        except LuaError as error:
            reply = hiredis.ReplyError(str(error))
        if redis.wrote:
            self.ran(redis)
        if future is None:
            return
        if universe.random.random() < self.weather.reply_lost:
            universe.counts["redis reply lost"] += 1
            universe.after(self._silence(), link.break_off)
            return
        link.last_delivery = max(link.last_delivery, universe.now + self.delay())
        universe.after(link.last_delivery - universe.now, self._deliver, link, future, reply)

    def _deliver(self, link: MemoryLink, future: asyncio.Future[Any], reply: Any) -> None:
        if link.broken:
            return
        link.waiting.remove(future)
        if future.done():
            return
        if isinstance(reply, hiredis.ReplyError):
            future.set_exception(reply)
        else:
            future.set_result(reply)


class MemoryLane:
    """Hands out the one link of a process, and opens a new one when it broke."""

    def __init__(self, service: RedisService, loop: Loop) -> None:
        self.service = service
        self.loop = loop
        self._link: MemoryLink | None = None
        self._opening = asyncio.Lock()

    async def link(self) -> MemoryLink:
        """The link. Raises ``LaneBroken`` when there is no Redis."""
        if self._link is not None and not self._link.broken:
            return self._link
        async with self._opening:
            if self._link is None or self._link.broken:
                self._link = await self._open()
            return self._link

    async def _open(self) -> MemoryLink:
        service = self.service
        await asyncio.sleep(service.delay() * 2)
        redis = service.up
        if redis is None or self.loop.name in service.cut_off or redis.frozen_until > service.universe.now:
            await asyncio.sleep(service.universe.random.choice((0.0, REPLY_TIMEOUT_SECONDS)))
            raise service.product.redis_lane.LaneBroken("no Redis")
        link = MemoryLink(service, self.loop, redis)
        service.links.append(link)
        return link


@dataclass
class StormyWire:
    """The way between one process and the database. COMMIT arrives whatever becomes of its sender."""

    universe: Universe
    loop: Loop
    database: MemoryDatabase
    product: Product
    weather: Weather
    outage: DatabaseOutage

    def _delay(self) -> float:
        seconds = self.weather.database_delay * self.universe.random.uniform(0.3, 2.0)
        return seconds * 100 if self.universe.random.random() < self.weather.slow else seconds

    async def trip(self, session: Session | None) -> None:
        """There and back. Raises ``OutcomeUnknown`` while the database is away, or when it ends us."""
        await asyncio.sleep(self._delay())
        if self.outage.now or (session is not None and session.over):
            raise self.product.grab_store.OutcomeUnknown("no database")
        if session is not None and self.universe.random.random() < self.weather.terminated:
            self.universe.counts["transaction terminated"] += 1
            session.rollback()
            raise self.product.grab_store.OutcomeUnknown("terminated")

    async def commit(self, session: Session) -> None:
        """COMMIT, its reply possibly lost, the commit itself possibly later or never."""
        universe = self.universe
        future: asyncio.Future[bool] = self.loop.create_future()
        if universe.random.random() < self.weather.commit_doubt:
            self._doubtful(session, future)
        else:
            universe.after(self._delay() / 2, self._arrive, session, future)
        if not await future:
            raise self.product.grab_store.OutcomeUnknown("connection lost at COMMIT")

    def _arrive(self, session: Session, future: asyncio.Future[bool]) -> None:
        if self.outage.now:
            session.rollback()
        known = not session.over
        session.commit()
        self.universe.after(self._delay() / 2, _resolve, future, known)

    def _doubtful(self, session: Session, future: asyncio.Future[bool]) -> None:
        universe = self.universe
        applied = universe.random.random() < 0.5
        end = session.commit if applied else session.rollback
        if universe.random.random() < 0.5:
            universe.counts["commit lost, " + ("applied" if applied else "not applied")] += 1
            universe.after(self._delay(), end)
        else:
            # The server goes on with it, locks held, while the client has long lost the connection.
            universe.counts["commit in doubt, later " + ("applied" if applied else "dropped")] += 1
            universe.after(universe.random.uniform(0.05, 3.0), end)
        universe.after(self._delay() * 2, _resolve, future, False)


@dataclass
class DatabaseOutage:
    """Whether the database is away; going away ends every open transaction."""

    universe: Universe
    database: MemoryDatabase
    now: bool = False
    _until: float = field(default=0.0)

    def begin(self, seconds: float) -> None:
        """Be away for so long."""
        self.now = True
        self._until = self.universe.now + seconds
        for session in list(self.database.sessions):
            if not session.committing:
                session.rollback()
        self.universe.after(seconds, self.end)

    def end(self) -> None:
        """Be back, unless a later outage has begun."""
        if self.universe.now >= self._until:
            self.now = False


def _resolve(future: asyncio.Future[bool], known: bool) -> None:
    if not future.done():
        future.set_result(known)
