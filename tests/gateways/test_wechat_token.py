"""The access token: one for all processes, fetched by one of them, and never waited for by anybody else."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from server.clock import FixedClock
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_http import WechatHttp, WechatUnavailable
from server.gateways.wechat_token import WechatToken
from server.rules.chat_messages import WechatAccount
from server.settings import TokenEndpoint
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.wechat_door import SEALER, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MENU = "/cgi-bin/menu/get"
FETCHES = ("/cgi-bin/token", "/cgi-bin/stable_token")


class Workers:
    """Several processes' worth of callers in front of one stand-in, which counts what it is asked."""

    def __init__(self, address: str, redis_url: str, stack: AsyncExitStack) -> None:
        self.clock = FixedClock(NOW)
        self.asked: Counter[str] = Counter()
        self.held = asyncio.Event()
        self.held.set()
        self.address, self.redis_url, self._stack = address, redis_url, stack

    async def start(self, *, endpoint: TokenEndpoint = "stable", redis_url: str = "") -> WechatToken:
        """One more process, with connections of its own."""
        http, redis = await self._stack.enter_async_context(opened(self.address, redis_url or self.redis_url))
        self.http: WechatHttp = http
        return WechatToken(
            http, redis, SEALER, self.clock, appid=DEMO_APPID, secret=DEMO_SECRET, endpoint=endpoint
        )

    def calls(self, token: WechatToken) -> WechatCalls:
        return WechatCalls(self.http, {WechatAccount.OFFICIAL: token})

    @property
    def fetches(self) -> int:
        return sum(self.asked[path] for path in FETCHES)


@pytest.fixture
async def workers(redis_url: str) -> AsyncIterator[Workers]:
    async with AsyncExitStack() as stack:
        found = Workers("", redis_url, stack)
        accounts = Accounts(DEMO_APPID, seed=1, tokens_a_day=5)
        standin = WechatStandIn(accounts, found.clock)

        @web.middleware
        async def counted(request: web.Request, handler: web.Handler) -> web.StreamResponse:  # type: ignore[name-defined]
            found.asked[request.path] += 1
            await found.held.wait()
            return await handler(request)  # type: ignore[no-any-return]

        standin.app.middlewares.append(counted)
        server = await stack.enter_async_context(TestServer(standin.app))
        found.address = str(server.make_url(""))
        yield found


@pytest.mark.parametrize("endpoint", ["stable", "classic"])
async def test_two_processes_fetch_one_token_between_them(workers: Workers, endpoint: TokenEndpoint) -> None:
    first, second = [await workers.start(endpoint=endpoint) for _ in range(2)]
    told = await asyncio.gather(*(token.current() for token in [first, second] * 20))
    assert len(set(told)) == 1 and workers.fetches == 1


@pytest.mark.parametrize("endpoint", ["stable", "classic"])
async def test_an_expired_token_is_fetched_once_by_one_of_them(
    workers: Workers, endpoint: TokenEndpoint
) -> None:
    first, second = [await workers.start(endpoint=endpoint) for _ in range(2)]
    used = await first.current()
    assert await second.current() == used
    workers.clock.advance(timedelta(hours=2))
    told = await asyncio.gather(*(token.refused(used) for token in [first, second] * 20))
    assert len(set(told)) == 1 and used not in told
    assert workers.fetches == 2


async def test_a_token_is_renewed_before_it_ends(workers: Workers) -> None:
    token = await workers.start()
    used = await token.current()
    workers.clock.advance(timedelta(hours=1, minutes=55))
    assert await token.current() == used
    workers.clock.advance(timedelta(minutes=2))
    assert await token.current() != used


async def test_a_token_that_somebody_else_ended_is_replaced_for_everybody(workers: Workers) -> None:
    first, second = [await workers.start() for _ in range(2)]
    used = await first.current()
    # Whoever it was left the stable endpoint with the very token that is refused.
    told = await asyncio.gather(first.refused(used), second.refused(used))
    assert told[0] == told[1] != used
    assert await (await workers.start()).current() == told[0]


async def test_a_process_that_died_while_fetching_holds_nobody_up_for_good(
    workers: Workers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.gateways.wechat_token.WAIT_SECONDS", 0.2)
    async with Redis.from_url(workers.redis_url) as redis:
        await redis.set(f"qiquan:wechat:token:{DEMO_APPID}:lock", "dead", ex=60)
    assert await (await workers.start()).current()


async def test_without_redis_each_process_is_told_the_same_stable_token(workers: Workers) -> None:
    nowhere = "redis://127.0.0.1:1/0"
    first, second = [await workers.start(endpoint="classic", redis_url=nowhere) for _ in range(2)]
    assert await first.current() == await second.current()
    assert workers.asked["/cgi-bin/stable_token"] == 2 and not workers.asked["/cgi-bin/token"]


async def test_redis_holds_nothing_that_reads_as_a_token(workers: Workers) -> None:
    used = await (await workers.start()).current()
    async with Redis.from_url(workers.redis_url) as redis:
        kept = [await redis.get(key) for key in await redis.keys("qiquan:wechat:*")]
    assert kept and not any(used.encode() in one for one in kept)


async def test_all_who_wait_share_one_failure(workers: Workers) -> None:
    async with ClientSession() as http:
        fault = {"path": "/cgi-bin/stable_token", "errcode": -1, "times": 1}
        await http.post(f"{workers.address}/standin/faults", json=fault)
    token = await workers.start()
    told = await asyncio.gather(*(token.current() for _ in range(20)), return_exceptions=True)
    assert {type(one) for one in told} == {WechatUnavailable} and workers.fetches == 1
    assert await token.current()


async def test_a_call_is_repeated_once_with_a_fresh_token(workers: Workers) -> None:
    token = await workers.start()
    calls = workers.calls(token)
    used = await token.current()
    workers.clock.advance(timedelta(hours=2))
    answer = await calls.call("/cgi-bin/get_current_selfmenu_info", account=WechatAccount.OFFICIAL)
    assert answer["is_menu_open"] == 0 and await token.current() != used
    with pytest.raises(WechatRefused) as refused:
        await calls.call(MENU, account=WechatAccount.OFFICIAL)
    assert refused.value.errcode == 46003


async def test_while_wechat_holds_its_answer_back_200_other_requests_finish_first(workers: Workers) -> None:
    token = await workers.start()
    finished: list[str] = []

    async def ask_wechat(_: web.Request) -> web.Response:
        await token.current()
        finished.append("wechat")
        return web.Response()

    async def other(_: web.Request) -> web.Response:
        finished.append("other")
        return web.Response()

    app = web.Application()
    app.add_routes([web.get("/wechat", ask_wechat), web.get("/other", other)])
    workers.held.clear()
    async with TestServer(app) as server, ClientSession() as http:
        waiting = asyncio.create_task(http.get(server.make_url("/wechat")))
        while not workers.fetches:  # noqa: ASYNC110 - the question has to be on its way
            await asyncio.sleep(0.01)
        async with asyncio.timeout(4):
            await asyncio.gather(*(http.get(server.make_url("/other")) for _ in range(200)))
        assert finished == ["other"] * 200 and not waiting.done()
        workers.held.set()
        assert (await waiting).status == 200
    assert finished[-1] == "wechat"
