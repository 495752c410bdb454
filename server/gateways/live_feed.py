"""The live feed: every worker learns at once whose rights have changed.

Names travel, nothing else: ``person:12``, ``staff:3``, ``session:<uuid>``. A feed also says whether it
can be trusted just now, that is, whether a change made more than a second ago would have been heard.
Who remembers anything about somebody must ask that first.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Protocol, Self

import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

CHANNEL = "qiquan:changed"
EVERYBODY = "*"
"""Published in place of a list that grew too long: whatever is remembered, forget it."""

PING_EVERY = 0.25
TRUSTED_FOR = 1.0
SILENT_FOR = 3.0
"""A connection that answers no ping for so long is given up: a cut cable sends no farewell."""
RECONNECT_AFTER = 0.2
CALL_TIMEOUT = 1.0
LONGEST_BACKLOG = 1_000

log = structlog.get_logger()


class LiveFeed(Protocol):
    """What the two feeds have in common."""

    def watch(self, *, changed: Callable[[str], None], missed: Callable[[], None]) -> None:
        """Call ``changed`` with each name, and ``missed`` whenever names may have been lost."""

    def trusted(self) -> bool:
        """Whether every change older than a second has been heard."""

    async def publish(self, *names: str) -> None:
        """Tell every worker, this one first. Call it after the commit; it does not raise."""


class LocalFeed:
    """The feed of a single process: what is published has been heard."""

    def __init__(self) -> None:
        self._watchers: list[Callable[[str], None]] = []

    def watch(self, *, changed: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See :class:`LiveFeed`; nothing is ever missed here."""
        self._watchers.append(changed)

    def trusted(self) -> bool:
        """Always."""
        return True

    async def publish(self, *names: str) -> None:
        """See :class:`LiveFeed`."""
        for name in names:
            for changed in self._watchers:
                changed(name)


class RedisFeed:
    """The feed of several workers, over Redis publish and subscribe; ``async with`` keeps it running.

    A ping travels behind the names on the same connection, so its answer proves that every name
    published before it was sent has arrived. Without an answer for a second the feed is not trusted;
    after a broken connection, watchers are told that names may have been missed. Names that could not
    be published wait until Redis is back.
    """

    def __init__(self, url: str, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        # A retried read would hide a broken subscription.
        self._redis = Redis.from_url(
            url,
            socket_timeout=CALL_TIMEOUT,
            socket_connect_timeout=CALL_TIMEOUT,
            retry=Retry(NoBackoff(), 0),
        )
        self._monotonic = monotonic
        self._heard_at = self._trusted_until = float("-inf")
        self._watchers: list[tuple[Callable[[str], None], Callable[[], None]]] = []
        self._unsent: dict[str, None] = {}
        self._following: asyncio.Task[None] | None = None
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._stopping = False
        self._following = asyncio.create_task(self._follow(), name="live feed")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # redis-py swallows a cancellation that arrives while it connects, hence the flag.
        self._stopping = True
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError):
                await self._following
        self._trusted_until = float("-inf")
        await self._redis.aclose()

    def watch(self, *, changed: Callable[[str], None], missed: Callable[[], None]) -> None:
        """See :class:`LiveFeed`."""
        self._watchers.append((changed, missed))

    def trusted(self) -> bool:
        """See :class:`LiveFeed`."""
        return self._monotonic() < self._trusted_until

    @property
    def unsent(self) -> int:
        """How many names wait for Redis to come back."""
        return len(self._unsent)

    async def publish(self, *names: str) -> None:
        """See :class:`LiveFeed`."""
        self._tell(names)
        self._unsent.update(dict.fromkeys(names))
        if len(self._unsent) > LONGEST_BACKLOG:
            self._unsent = {EVERYBODY: None}
        await self._send()

    async def _send(self) -> None:
        """Publish what waits; keep it if Redis is away."""
        sending, self._unsent = self._unsent, {}
        if not sending:
            return
        try:
            await self._redis.publish(CHANNEL, " ".join(sending))
        except (RedisError, OSError) as fault:
            self._unsent = sending | self._unsent
            log.warning("live_feed.not_published", names=self.unsent, fault=type(fault).__name__)
        except asyncio.CancelledError:
            self._unsent = sending | self._unsent
            raise

    async def _follow(self) -> None:
        """Stay subscribed until told to stop."""
        while not self._stopping:
            try:
                async with self._redis.pubsub() as subscription:
                    await self._listen(subscription)
            except (RedisError, OSError) as fault:
                log.warning("live_feed.lost", fault=type(fault).__name__)
            finally:
                self._trusted_until = float("-inf")
            await asyncio.sleep(RECONNECT_AFTER)

    async def _listen(self, subscription: PubSub) -> None:
        """Pass names on until the connection breaks; raises what broke it."""
        await subscription.subscribe(CHANNEL)
        self._heard_at = next_ping = self._monotonic()
        while not self._stopping:
            now = self._monotonic()
            if now - self._heard_at > SILENT_FOR:
                raise TimeoutError("no answer to a ping")
            if now >= next_ping:
                await subscription.ping(repr(now))
                next_ping = now + PING_EVERY
            message = await subscription.get_message(timeout=max(0.0, next_ping - self._monotonic()))
            if message is not None:
                await self._take(message)

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "subscribe":
                # The first subscription or one that redis-py silently renewed: what was said in
                # between is lost.
                for _, missed in self._watchers:
                    missed()
            case "message":
                self._tell(message["data"].decode().split())
            case "pong":
                self._heard_at = self._monotonic()
                self._trusted_until = float(message["data"]) + TRUSTED_FOR
                await self._send()

    def _tell(self, names: Sequence[str]) -> None:
        for changed, missed in self._watchers:
            if EVERYBODY in names:
                missed()
            else:
                for name in names:
                    changed(name)
