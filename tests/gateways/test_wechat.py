"""The WeChat gateway against our stand-in, and against answers that WeChat should never give."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis
from structlog.testing import capture_logs

from server.clock import FixedClock
from server.errors import Refusal
from server.gateways.wechat import LoginBlocked, LoginCodeInvalid, TooManyLogins, Wechat, WechatIdentity
from server.gateways.wechat_http import LONGEST_ANSWER, WechatHttp, WechatUnavailable
from standin.accounts import MOST_REMEMBERED, Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.wechat_door import gateway, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SESSION_KEY = "c2Vzc2lvbiBrZXkgY2FuYXJ5"
SECRET = "app secret canary"


class Phones:
    """The stand-in, the clock it lives by, and what phones get from it."""

    def __init__(
        self, clock: FixedClock, http: ClientSession, base_url: str, wechat: WechatHttp, redis: Redis
    ) -> None:
        self.clock = clock
        self.http = http
        self.base_url = base_url
        self._wechat = wechat
        self._redis = redis

    def gateway(self, *, appid: str = DEMO_APPID, secret: str = DEMO_SECRET) -> Wechat:
        return gateway(self._wechat, self._redis, self.clock, appid=appid, secret=secret)

    async def post(self, path: str, body: Any) -> Any:
        async with self.http.post(self.base_url + path, json=body) as response:
            return await response.json(content_type=None)

    async def codes(self, owner: str) -> dict[str, str]:
        return await self.post("/standin/codes", {"phone_owner": owner})

    async def code(self, owner: str = "Li Na") -> str:
        return (await self.codes(owner))["code"]

    async def fail(self, path: str, errcode: int, times: int = 1) -> None:
        await self.post("/standin/faults", {"path": path, "errcode": errcode, "times": times})


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
async def phones(http: ClientSession, redis_url: str) -> AsyncIterator[Phones]:
    clock = FixedClock(NOW)
    accounts = Accounts(DEMO_APPID, seed=1, logins_a_minute=5, tokens_a_day=3)
    async with TestServer(WechatStandIn(accounts, clock).app) as server:
        address = str(server.make_url(""))
        async with opened(address, redis_url) as (wechat, redis):
            yield Phones(clock, http, address, wechat, redis)


async def refusal_of(asking: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as refused:
        await asking
    return refused.value


# -- login -------------------------------------------------------------------------------------------


async def test_a_code_names_its_owner_and_the_same_owner_every_time(phones: Phones) -> None:
    wechat = phones.gateway()
    first = await wechat.code_to_session(await phones.code("Li Na"))
    second = await wechat.code_to_session(await phones.code("Li Na"))
    other = await wechat.code_to_session(await phones.code("Wang Wei"))
    assert first == second
    assert first.openid != other.openid
    assert first.openid.startswith("o") and len(first.openid) == 28


async def test_a_code_is_good_once(phones: Phones) -> None:
    wechat, code = phones.gateway(), await phones.code()
    await wechat.code_to_session(code)
    assert isinstance(await refusal_of(wechat.code_to_session(code)), LoginCodeInvalid)


async def test_a_code_is_good_for_five_minutes(phones: Phones) -> None:
    wechat, early, late = phones.gateway(), await phones.code(), await phones.code()
    phones.clock.advance(timedelta(minutes=4, seconds=59))
    await wechat.code_to_session(early)
    phones.clock.advance(timedelta(seconds=1))
    assert isinstance(await refusal_of(wechat.code_to_session(late)), LoginCodeInvalid)


@pytest.mark.parametrize("code", ["no such code", "", "a&appid=wx1", "码" * 50, "x" * 500])
async def test_a_made_up_code_is_invalid_or_refused(phones: Phones, code: str) -> None:
    refusal = await refusal_of(phones.gateway().code_to_session(code))
    assert isinstance(refusal, LoginCodeInvalid if code else WechatUnavailable)


async def test_a_phone_code_is_no_login_code(phones: Phones) -> None:
    codes = await phones.codes("Li Na")
    refusal = await refusal_of(phones.gateway().code_to_session(codes["phone_code"]))
    assert isinstance(refusal, LoginCodeInvalid)


async def test_a_code_of_another_mini_program_is_invalid(phones: Phones, http: ClientSession) -> None:
    another = Accounts("wx1111111111111111", seed=1)
    code = another.mint_code("login", "Li Na", NOW)
    assert isinstance(await refusal_of(phones.gateway().code_to_session(code)), LoginCodeInvalid)


async def test_too_many_logins_of_one_person_wait_a_minute(phones: Phones) -> None:
    wechat = phones.gateway()
    for _ in range(5):
        await wechat.code_to_session(await phones.code("Li Na"))
    refusal = await refusal_of(wechat.code_to_session(await phones.code("Li Na")))
    assert isinstance(refusal, TooManyLogins)
    assert refusal.retry_after == 60
    await wechat.code_to_session(await phones.code("Wang Wei"))
    phones.clock.advance(timedelta(minutes=1))
    await wechat.code_to_session(await phones.code("Li Na"))


async def test_a_busy_wechat_is_unavailable_for_a_moment(phones: Phones) -> None:
    wechat, code = phones.gateway(), await phones.code()
    await phones.fail("/sns/jscode2session", -1)
    refusal = await refusal_of(wechat.code_to_session(code))
    assert isinstance(refusal, WechatUnavailable)
    assert refusal.retry_after
    await wechat.code_to_session(code)


async def test_a_high_risk_account_is_blocked(phones: Phones) -> None:
    code = await phones.code()
    await phones.fail("/sns/jscode2session", 40226)
    assert isinstance(await refusal_of(phones.gateway().code_to_session(code)), LoginBlocked)


@pytest.mark.parametrize(
    ("credentials", "errcode"),
    [({"appid": "wx1"}, 40013), ({"secret": "wrong"}, 40125), ({"appid": ""}, 41002)],
)
async def test_wrong_credentials_are_ours_to_mend_and_are_logged_without_them(
    phones: Phones, credentials: dict[str, str], errcode: int
) -> None:
    code = await phones.code()
    with capture_logs() as logs:
        refusal = await refusal_of(phones.gateway(**credentials).code_to_session(code))
    assert isinstance(refusal, WechatUnavailable)
    assert [entry["errcode"] for entry in logs] == [errcode]
    # The code is not spent by our mistake.
    await phones.gateway().code_to_session(code)


# -- phone numbers and access tokens -----------------------------------------------------------------


async def test_a_phone_number_needs_the_phone_code_once(phones: Phones) -> None:
    wechat, codes = phones.gateway(), await phones.codes("Li Na")
    number = await wechat.phone_number(codes["phone_code"])
    assert number.startswith("1990000") and len(number) == 11
    assert isinstance(await refusal_of(wechat.phone_number(codes["phone_code"])), LoginCodeInvalid)
    assert isinstance(await refusal_of(wechat.phone_number(codes["code"])), LoginCodeInvalid)


async def test_an_expired_access_token_is_renewed_unnoticed(phones: Phones) -> None:
    wechat = phones.gateway()
    await wechat.phone_number((await phones.codes("Li Na"))["phone_code"])
    phones.clock.advance(timedelta(seconds=7_200))
    await wechat.phone_number((await phones.codes("Li Na"))["phone_code"])


async def test_a_token_that_somebody_else_replaced_is_renewed_unnoticed(phones: Phones) -> None:
    wechat = phones.gateway()
    await wechat.phone_number((await phones.codes("Li Na"))["phone_code"])
    credentials = {"grant_type": "client_credential", "appid": DEMO_APPID, "secret": DEMO_SECRET}
    await phones.post("/cgi-bin/stable_token", credentials | {"force_refresh": True})
    await wechat.phone_number((await phones.codes("Li Na"))["phone_code"])


async def test_a_token_that_never_works_is_tried_twice_and_no_more(phones: Phones) -> None:
    code = (await phones.codes("Li Na"))["phone_code"]
    await phones.fail("/wxa/business/getuserphonenumber", 40001, times=3)
    assert isinstance(await refusal_of(phones.gateway().phone_number(code)), WechatUnavailable)
    # Two of the three planned faults are used up, so the next call meets one and recovers.
    assert await phones.gateway().phone_number(code)


async def test_two_workers_share_the_stable_token(phones: Phones) -> None:
    credentials = {"grant_type": "client_credential", "appid": DEMO_APPID, "secret": DEMO_SECRET}
    first = await phones.post("/cgi-bin/stable_token", credentials)
    phones.clock.advance(timedelta(minutes=10))
    second = await phones.post("/cgi-bin/stable_token", credentials)
    assert first["access_token"] == second["access_token"]
    assert (first["expires_in"], second["expires_in"]) == (7_200, 6_600)


async def test_plain_tokens_replace_one_another_and_are_counted(phones: Phones) -> None:
    async def ask() -> Any:
        query = {"grant_type": "client_credential", "appid": DEMO_APPID, "secret": DEMO_SECRET}
        async with phones.http.get(phones.base_url + "/cgi-bin/token", params=query) as response:
            return await response.json()

    async def works(token: str) -> bool:
        answer = await phones.post(f"/wxa/business/getuserphonenumber?access_token={token}", {"code": "none"})
        return answer["errcode"] == 40029

    first, second = (await ask())["access_token"], (await ask())["access_token"]
    assert await works(first) and await works(second)
    phones.clock.advance(timedelta(minutes=5))
    assert not await works(first) and await works(second)
    await ask()
    assert (await ask())["errcode"] == 45009


# -- what WeChat should never answer -----------------------------------------------------------------

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def answering(redis_url: str) -> AsyncIterator[Callable[[Handler], Awaitable[Wechat]]]:
    """A gateway in front of a WeChat that answers whatever it is told to."""
    started = AsyncExitStack()

    async def serve(handler: Handler) -> Wechat:
        app = web.Application()
        app.router.add_route("*", "/{anything:.*}", handler)
        server = await started.enter_async_context(TestServer(app))
        wechat, redis = await started.enter_async_context(opened(str(server.make_url("")), redis_url))
        return gateway(wechat, redis, FixedClock(NOW), appid="wx1", secret=SECRET)

    async with started:
        yield serve


def saying(text: str, status: int = 200, content_type: str = "text/plain") -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(text=text, status=status, content_type=content_type)

    return answer


async def test_a_true_answer_needs_no_content_type_and_may_count_errors_in_text(answering: Any) -> None:
    wechat = await answering(saying('{"errcode": "0", "openid": "oA1", "session_key": "x"}'))
    assert await wechat.code_to_session("code") == WechatIdentity("oA1", None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"errcode": "40029", "errmsg": "invalid code"}', LoginCodeInvalid),
        ('{"errcode": "45011"}', TooManyLogins),
        ('{"errcode": "many"}', WechatUnavailable),
        ('{"errcode": [40029]}', WechatUnavailable),
        ('{"errcode": 1e400}', WechatUnavailable),
        ("{}", WechatUnavailable),
        ("[]", WechatUnavailable),
        ("null", WechatUnavailable),
        ("", WechatUnavailable),
        ("<html>502</html>", WechatUnavailable),
        ('{"openid": ""}', WechatUnavailable),
        ('{"openid": 7}', WechatUnavailable),
        ('{"openid": "o\\nforged log line"}', WechatUnavailable),
        ('{"openid": "' + "o" * 65 + '"}', WechatUnavailable),
        ('{"openid": "oA1", "pad": "' + "x" * LONGEST_ANSWER + '"}', WechatUnavailable),
    ],
)
async def test_a_strange_answer_is_a_refusal(answering: Any, text: str, expected: type[Refusal]) -> None:
    wechat = await answering(saying(text))
    assert type(await refusal_of(wechat.code_to_session("code"))) is expected


@pytest.mark.parametrize("status", [302, 404, 500, 502])
async def test_another_status_is_unavailable_whatever_it_says(answering: Any, status: int) -> None:
    wechat = await answering(saying('{"openid": "oA1"}', status=status))
    assert isinstance(await refusal_of(wechat.code_to_session("code")), WechatUnavailable)


async def test_a_silent_wechat_is_unavailable(answering: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.gateways.wechat_http.TIMEOUT_SECONDS", 0.05)

    async def never(request: web.Request) -> web.Response:
        await asyncio.sleep(60)
        return web.Response()

    wechat = await answering(never)
    assert isinstance(await refusal_of(wechat.code_to_session("code")), WechatUnavailable)


async def test_a_wechat_that_hangs_up_is_unavailable(answering: Any) -> None:
    async def hang_up(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    wechat = await answering(hang_up)
    assert isinstance(await refusal_of(wechat.code_to_session("code")), WechatUnavailable)


async def test_an_absent_wechat_is_unavailable(redis_url: str) -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        async with opened(address, redis_url) as (http, redis):
            wechat = gateway(http, redis, FixedClock(NOW), appid="wx1", secret=SECRET)
            assert isinstance(await refusal_of(wechat.code_to_session("code")), WechatUnavailable)


@pytest.mark.parametrize(
    "handler",
    [
        saying('{"openid": "oA1", "session_key": "' + SESSION_KEY + '"}'),
        saying('{"openid": 1, "session_key": "' + SESSION_KEY + '"}'),
        saying('{"session_key": "' + SESSION_KEY + '"', content_type="application/json"),
        saying('{"errcode": -1, "session_key": "' + SESSION_KEY + '"}'),
        saying(SESSION_KEY, status=500),
    ],
)
async def test_the_session_key_the_secret_and_the_code_go_nowhere(answering: Any, handler: Handler) -> None:
    wechat = await answering(handler)
    told: list[object] = []
    with capture_logs() as logs:
        try:
            told.append(await wechat.code_to_session("login code canary"))
        except Refusal as refusal:
            told += [refusal, refusal.values, refusal.__cause__, refusal.__suppress_context__]
            assert refusal.__cause__ is None and (refusal.__context__ is None or refusal.__suppress_context__)
    everything = repr(told) + repr(logs) + repr(vars(wechat) | {"_secret": "", "_http": ""})
    for canary in (SESSION_KEY, SECRET, "login code canary"):
        assert canary not in everything


# -- the stand-in itself -----------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_codes_and_people() -> None:
    def story(seed: int) -> list[object]:
        accounts = Accounts(DEMO_APPID, seed=seed)
        code = accounts.mint_code("login", "Li Na", NOW)
        return [code, accounts.log_in(code, NOW), accounts.new_token(NOW)]

    assert story(1) == story(1)
    assert story(1) != story(2)


def test_the_stand_in_forgets_the_oldest_codes() -> None:
    accounts = Accounts(DEMO_APPID)
    codes = [accounts.mint_code("login", str(number), NOW) for number in range(MOST_REMEMBERED + 1)]
    assert accounts.log_in(codes[-1], NOW)
    with pytest.raises(Exception, match="invalid code"):
        accounts.log_in(codes[0], NOW)


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"phone_owner": 7}', b'{"phone_owner": ""}'])
async def test_the_stand_in_hands_out_no_code_for_nobody(phones: Phones, body: bytes) -> None:
    async with phones.http.post(phones.base_url + "/standin/codes", data=body) as response:
        assert b"phone_code" not in await response.read()


async def test_the_stand_in_runs_on_loopback_as_a_program(redis_url: str) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "standin.wechat", "--port", str(port), "--seed", "7"
    )
    try:
        address = f"http://127.0.0.1:{port}"
        async with ClientSession() as http, opened(address, redis_url) as (wechat, redis):
            phones = Phones(FixedClock(NOW), http, address, wechat, redis)
            while True:
                try:
                    code = await phones.code("Li Na")
                    break
                except OSError:
                    await asyncio.sleep(0.05)
            assert (await phones.gateway().code_to_session(code)).openid
    finally:
        process.terminate()
        await process.wait()
