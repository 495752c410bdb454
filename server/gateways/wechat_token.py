"""WeChat's access token: one for all processes, kept in Redis, fetched by one of them at a time.

WeChat counts how often a token is fetched, and on the classic endpoint every new one ends the one before.
So whoever needs a new one takes a lock first; the others wait for what it brings. The token is sealed in
Redis and stands in no log. While Redis is away each process asks the stable endpoint itself, which tells
all of them the same (docs/decisions/0025).
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, cast

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

from server.clock import Clock
from server.gateways.wechat_http import RETRY_SECONDS, WechatHttp, WechatUnavailable, error_of, unusable
from server.sealing import NotSealedByUs, Sealer
from server.settings import TokenEndpoint

RENEWED_BEFORE_END = 240
"""Seconds. In its last five minutes the stable endpoint gives the next token already."""
SHORTEST_USE = 30
LOCKED_SECONDS = 10
"""Longer than a fetch takes, so that a process that died in one holds nobody up for long."""
WAIT_SECONDS = 6.0
LOOK_AGAIN_SECONDS = 0.05
FORCED_ONCE_IN = 60
"""Seconds: WeChat lets a stable token be forced twenty times a day."""

# Only whoever took the lock gives it back.
_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Token:
    text: str = field(repr=False)
    until: float
    """Unix seconds: from then on a new one is fetched."""


class WechatToken:
    """The access token of one of our accounts at WeChat."""

    def __init__(
        self,
        wechat: WechatHttp,
        redis: Redis,
        sealer: Sealer,
        clock: Clock,
        *,
        appid: str,
        secret: str,
        endpoint: TokenEndpoint = "stable",
    ) -> None:
        self._wechat, self._redis, self._sealer, self._clock = wechat, redis, sealer, clock
        self._appid, self._secret, self._endpoint = appid, secret, endpoint
        self._known = _Token("", 0)
        self._renewal: asyncio.Task[None] | None = None
        self._key = f"qiquan:wechat:token:{appid}"

    async def current(self) -> str:
        """A token that is good as far as anybody knows. Raises :class:`WechatUnavailable`."""
        if not self._is_good(self._known):
            await self._renew(refused="")
        return self._known.text

    async def refused(self, used: str) -> str:
        """The token to use instead of one that WeChat no longer takes: another's, or a new one.

        Raises :class:`WechatUnavailable`.
        """
        if not self._is_good(self._known) or self._known.text == used:
            await self._renew(refused=used)
        return self._known.text

    def _is_good(self, token: _Token) -> bool:
        return bool(token.text) and self._clock.now().timestamp() < token.until

    async def _renew(self, *, refused: str) -> None:
        """Know a good token other than the refused one; what is under way already serves everybody."""
        for _ in range(2):
            if self._renewal is None or self._renewal.done():
                self._renewal = asyncio.create_task(self._bring(refused), name="wechat token")
            # Whoever gives up waiting does not end it for the others; its failure is everybody's.
            await asyncio.shield(self._renewal)
            if self._known.text != refused:
                return

    async def _bring(self, refused: str) -> None:
        try:
            self._known = await self._shared(refused)
        except (RedisError, OSError) as fault:
            # Redis is away, or another process holds the lock for too long.
            log.warning("wechat.token_not_shared", fault=type(fault).__name__)
            self._known = await self._fetched("stable", refused, may_force=False)

    async def _shared(self, refused: str) -> _Token:
        """What Redis has, or what this process or another brings within a few seconds."""
        lock, mine = f"{self._key}:lock", secrets.token_hex(8)
        async with asyncio.timeout(WAIT_SECONDS):
            while True:
                token = await self._stored()
                if self._is_good(token) and token.text != refused:
                    return token
                if await self._redis.set(lock, mine, nx=True, ex=LOCKED_SECONDS):
                    break
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        try:
            # Between the look and the lock somebody may have brought one and let go.
            token = await self._stored()
            if not self._is_good(token) or token.text == refused:
                token = await self._fetched(self._endpoint, refused, may_force=True)
                await self._store(token)
            return token
        finally:
            with suppress(RedisError, OSError):
                await cast(Any, self._redis.eval(_UNLOCK, 1, lock, mine))

    async def _stored(self) -> _Token:
        sealed = cast(bytes | None, await self._redis.get(self._key))
        if sealed is None:
            return _Token("", 0)
        try:
            text, until = orjson.loads(self._sealer.open(sealed.decode()))
            return _Token(str(text), float(until))
        except (NotSealedByUs, ValueError, TypeError):
            log.warning("wechat.token_unreadable")
            return _Token("", 0)

    async def _store(self, token: _Token) -> None:
        left = max(1, int(token.until - self._clock.now().timestamp()))
        sealed = self._sealer.seal(orjson.dumps([token.text, token.until]).decode())
        await self._redis.set(self._key, sealed, ex=left)

    async def _fetched(self, endpoint: TokenEndpoint, refused: str, *, may_force: bool) -> _Token:
        """A token from WeChat. What the stable endpoint gives again though it was refused, is forced."""
        if endpoint == "classic":
            return await self._ask_classic()
        token = await self._ask_stable(force=False)
        if token.text == refused and may_force and await self._may_force():
            token = await self._ask_stable(force=True)
        return token

    async def _may_force(self) -> bool:
        return bool(await self._redis.set(f"{self._key}:forced", "1", nx=True, ex=FORCED_ONCE_IN))

    async def _ask_classic(self) -> _Token:
        query = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret}
        return self._read(await self._wechat.ask("GET", "/cgi-bin/token", query=query))

    async def _ask_stable(self, *, force: bool) -> _Token:
        body = {"grant_type": "client_credential", "appid": self._appid, "secret": self._secret}
        asked = {**body, "force_refresh": True} if force else body
        return self._read(await self._wechat.ask("POST", "/cgi-bin/stable_token", body=asked))

    def _read(self, answer: dict[str, Any]) -> _Token:
        code = error_of(answer)
        if code:
            # WeChat's trouble (-1), our settings (40013, 40125), the day's quota (45009): for an operator.
            log.error("wechat.refused", errcode=code)
            raise WechatUnavailable(retry_after=RETRY_SECONDS)
        text, seconds = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(text, str) or not text:
            raise unusable("access token")
        lasts = seconds if isinstance(seconds, int) and 0 < seconds <= 86_400 else SHORTEST_USE
        use = max(lasts - RENEWED_BEFORE_END, min(lasts, SHORTEST_USE))
        return _Token(text, self._clock.now().timestamp() + use)
