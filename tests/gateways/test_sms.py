"""SMS over HTTP: what the sender of SMS says is understood, and nothing of a message is ever logged."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestClient, TestServer

from server.clock import SystemClock
from server.gateways.sms import HttpSms, SmsRefused, SmsUnavailable
from standin.accounts import Accounts
from standin.sms import SMS_KEY
from standin.wechat import DEMO_APPID, WechatStandIn

PHONE, WORDS = "19900001234", {"title": "资格即将到期"}


@pytest.fixture
async def standin() -> AsyncIterator[TestClient]:  # type: ignore[type-arg]
    async with TestClient(TestServer(WechatStandIn(Accounts(DEMO_APPID), SystemClock()).app)) as client:
        yield client


@pytest.fixture
async def sms(standin: TestClient) -> AsyncIterator[HttpSms]:  # type: ignore[type-arg]
    async with ClientSession() as http:
        yield HttpSms(http, base_url=str(standin.make_url("/sms")), key=SMS_KEY)


async def test_the_same_key_sends_nothing_twice(sms: HttpSms, standin: TestClient) -> None:  # type: ignore[type-arg]
    names = [await sms.send(PHONE, "demo-sms", WORDS, key=key) for key in ("a", "a", "b")]
    assert names == ["sms-0", "sms-0", "sms-1"]
    taken = (await (await standin.get("/standin/sms")).json())["sms"]
    assert [one["key"] for one in taken] == ["a", "b"]
    assert taken[0]["words"] == WORDS


async def test_a_number_that_nothing_reaches_is_told_from_a_message_that_is_never_sent(
    sms: HttpSms,
    standin: TestClient,  # type: ignore[type-arg]
) -> None:
    await standin.post("/standin/sms/unreachable", json={"phone": PHONE})
    with pytest.raises(SmsRefused) as refused:
        await sms.send(PHONE, "demo-sms", WORDS, key="a")
    assert refused.value.unusable
    async with ClientSession() as http:
        stranger = HttpSms(http, base_url=str(standin.make_url("/sms")), key="another")
        with pytest.raises(SmsRefused) as unknown:
            await stranger.send(PHONE, "demo-sms", WORDS, key="a")
    assert not unknown.value.unusable


async def test_later_is_told_from_no_answer(
    sms: HttpSms,
    standin: TestClient,  # type: ignore[type-arg]
    capfd: pytest.CaptureFixture[str],
) -> None:
    await standin.post("/standin/sms/busy", json={"times": 1})
    with pytest.raises(SmsUnavailable) as busy:
        await sms.send(PHONE, "demo-sms", WORDS, key="a")
    async with ClientSession() as http:
        nobody = HttpSms(http, base_url="http://127.0.0.1:1", key=SMS_KEY)
        with pytest.raises(SmsUnavailable) as silent:
            await nobody.send(PHONE, "demo-sms", WORDS, key="a")
    assert (busy.value.sent_nothing, silent.value.sent_nothing) == (True, False)
    shown = "".join(capfd.readouterr())
    assert "sms." in shown
    assert PHONE not in shown
    assert SMS_KEY not in shown
    assert WORDS["title"] not in shown
