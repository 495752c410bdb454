"""Media: what WeChat keeps is fetched as it is, a video from where WeChat says, and from nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from server.clock import FixedClock
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import Fetched, WechatHttp, WechatUnavailable
from server.gateways.wechat_token import WechatToken
from server.rules.chat_messages import WechatAccount
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.wechat_door import SEALER, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Kept:
    """Calls to the stand-in, and what it keeps."""

    def __init__(
        self, standin: WechatStandIn, http: WechatHttp, token: WechatToken, clock: FixedClock
    ) -> None:
        self.standin, self.http, self.clock = standin, http, clock
        self.calls = WechatCalls(http, {WechatAccount.MINI: token})

    async def fetched(self, media_id: str, most_bytes: int = 1_000) -> object:
        return await self.calls.media(media_id, account=WechatAccount.MINI, most_bytes=most_bytes)


@pytest.fixture
async def kept(redis_url: str) -> AsyncIterator[Kept]:
    clock = FixedClock(NOW)
    standin = WechatStandIn(Accounts(DEMO_APPID), clock)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(standin.app))
        address = str(server.make_url("/")).rstrip("/")
        http, redis = await stack.enter_async_context(opened(address, redis_url))
        token = WechatToken(
            http, redis, SEALER, clock, appid=DEMO_APPID, secret=DEMO_SECRET, endpoint="stable"
        )
        yield Kept(standin, http, token, clock)


@pytest.mark.parametrize("media_type", ["image/jpeg", "audio/amr", "video/mp4", "application/pdf"])
async def test_what_somebody_sent_is_fetched_as_it_is(kept: Kept, media_type: str) -> None:
    media_id = kept.standin.media.keep(b"as it is", media_type)
    found = await kept.fetched(media_id)
    assert isinstance(found, Fetched) and (found.content, found.media_type) == (b"as it is", media_type)


@pytest.mark.parametrize("media_type", ["image/jpeg", "video/mp4"])
async def test_what_is_too_large_is_not_read_to_its_end(kept: Kept, media_type: str) -> None:
    media_id = kept.standin.media.keep(bytes(5_000), media_type)
    with pytest.raises(WechatUnavailable):
        await kept.fetched(media_id)


async def test_after_three_days_wechat_has_forgotten_it(kept: Kept) -> None:
    media_id = kept.standin.media.keep(b"as it is", "image/jpeg")
    kept.clock.advance(timedelta(days=3))
    with pytest.raises(WechatRefused) as refused:
        await kept.fetched(media_id)
    assert refused.value.errcode == 40007


async def test_no_address_but_wechat_s_own_is_asked_for_a_video(kept: Kept) -> None:
    asked: list[str] = []

    async def inside(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(body=b"secret")

    ours = web.Application()
    ours.add_routes([web.get("/{rest:.*}", inside)])
    async with TestServer(ours) as server:
        addresses = [
            str(server.make_url("/video")),
            "file:///etc/passwd",
            "ftp://video.qq.com/1",
            "http://video.qq.com.example/1",
            "http://127.0.0.1:1/.qq.com",
            "http://video.qq.com:8080/1",
            "http://[video.qq.com",
            "http://video.qq.com:99999/1",
            "http://user@127.0.0.1/?.qq.com",
            "video",
        ]
        for address in addresses:
            with pytest.raises(WechatUnavailable):
                await kept.http.fetch_video(address, most_bytes=1_000)
    assert asked == []
