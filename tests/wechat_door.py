"""The server's side of WeChat as tests wire it: the gateway of one account, on a Redis of the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from server.clock import Clock
from server.gateways.wechat import Wechat
from server.gateways.wechat_calls import WechatCalls
from server.gateways.wechat_http import WechatHttp
from server.gateways.wechat_token import WechatToken
from server.rules.chat_messages import WechatAccount
from server.sealing import Sealer
from standin.wechat import DEMO_APPID, DEMO_SECRET

SEALER = Sealer({"test": "a key of tests that is long enough"})


def gateway(
    http: WechatHttp, redis: Redis, clock: Clock, *, appid: str = DEMO_APPID, secret: str = DEMO_SECRET
) -> Wechat:
    """The mini-program's gateway as one process has it."""
    token = WechatToken(http, redis, SEALER, clock, appid=appid, secret=secret)
    return Wechat(http, WechatCalls(http, {WechatAccount.MINI: token}), appid=appid, secret=secret)


@asynccontextmanager
async def opened(base_url: str, redis_url: str) -> AsyncIterator[tuple[WechatHttp, Redis]]:
    """The way to a stand-in, and a Redis."""
    redis = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
    async with redis, WechatHttp(base_url) as http:
        yield http, redis
