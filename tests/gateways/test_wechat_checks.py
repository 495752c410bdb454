"""Content checks: what WeChat (the stand-in) answers is understood, by the newer check and the older one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer

from server.clock import FixedClock
from server.gateways.wechat_calls import WechatCalls, WechatRefused
from server.gateways.wechat_token import WechatToken
from server.rules.chat_messages import WechatAccount
from server.rules.content_checks import LATER, CheckStatus, Verdict, pause_after, verdict_of
from server.services.complaints.content_checks import MEDIA_CHECK, TEXT_CHECK
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_SECRET, WechatStandIn
from tests.wechat_door import SEALER, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
UNFIT = b"not to be seen"


class Asked:
    """Calls to the stand-in, and what it would deliver by now."""

    def __init__(self, calls: WechatCalls, address: str) -> None:
        self.calls, self.address = calls, address

    async def words(self, content: str, **others: Any) -> Verdict | None:
        body = {"content": content, **others}
        return verdict_of(await self.calls.call(TEXT_CHECK, body, account=WechatAccount.MINI))

    async def picture(self, address: str) -> Any:
        body = {"media_url": address, "media_type": 2, "version": 2, "scene": 2, "openid": "o"}
        return await self.calls.call(MEDIA_CHECK, body, account=WechatAccount.MINI)

    async def events(self) -> list[dict[str, Any]]:
        async with ClientSession() as http, http.get(f"{self.address}/standin/checks") as answer:
            told: list[dict[str, Any]] = (await answer.json())["events"]
            return told


@pytest.fixture
async def asked(redis_url: str) -> AsyncIterator[Asked]:
    clock = FixedClock(NOW)
    standin = WechatStandIn(Accounts(DEMO_APPID), clock)
    standin.checks.unfit.add(UNFIT)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(TestServer(standin.app))
        address = str(server.make_url("/")).rstrip("/")
        http, redis = await stack.enter_async_context(opened(address, redis_url))
        token = WechatToken(
            http, redis, SEALER, clock, appid=DEMO_APPID, secret=DEMO_SECRET, endpoint="stable"
        )
        yield Asked(WechatCalls(http, {WechatAccount.MINI: token}), address)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("他们收了钱没有来", CheckStatus.PASSED),
        ("一句存疑的话", CheckStatus.REVIEW),
        ("一句违禁的话", CheckStatus.RISKY),
    ],
)
async def test_words_are_judged_by_the_newer_check(asked: Asked, words: str, status: CheckStatus) -> None:
    verdict = await asked.words(words, version=2, scene=2, openid="o")
    assert verdict is not None and verdict.status is status


async def test_the_older_check_knows_only_yes_and_no(asked: Asked) -> None:
    assert await asked.words("他们收了钱没有来") is None
    with pytest.raises(WechatRefused) as refused:
        await asked.words("一句违禁的话")
    assert refused.value.errcode == 87014


@pytest.mark.parametrize(
    ("picture", "status"), [(UNFIT, CheckStatus.RISKY), (b"a receipt", CheckStatus.PASSED)]
)
async def test_a_picture_is_fetched_and_judged_by_an_event(
    asked: Asked, picture: bytes, status: CheckStatus
) -> None:
    async def shown(request: web.Request) -> web.Response:
        return web.Response(body=picture)

    ours = web.Application()
    ours.add_routes([web.get("/picture", shown)])
    async with TestServer(ours) as server:
        answer = await asked.picture(str(server.make_url("/picture")))
    (event,) = await asked.events()
    assert event["trace_id"] == answer["trace_id"]
    verdict = verdict_of({"result": {"suggest": event["suggest"], "label": event["label"]}})
    assert verdict is not None and verdict.status is status
    assert await asked.events() == []


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ({"isrisky": "1"}, Verdict(CheckStatus.RISKY)),
        ({"isrisky": 0}, Verdict(CheckStatus.PASSED)),
        ({"result": {"suggest": "RISKY", "label": "20002"}}, Verdict(CheckStatus.RISKY, 20002)),
        ({"result": {"suggest": "perhaps", "label": "x"}}, None),
        ({"result": "risky"}, None),
        ({}, None),
    ],
)
def test_whatever_an_event_says_is_read_or_left(answer: dict[str, Any], verdict: Verdict | None) -> None:
    assert verdict_of(answer) == verdict


def test_it_is_asked_again_ever_more_seldom() -> None:
    pauses = [pause_after(attempts).total_seconds() for attempts in range(30)]
    assert pauses[:3] == [10, 20, 40] and max(pauses) == 7_200 and sorted(pauses) == pauses
    assert 45009 in LATER
