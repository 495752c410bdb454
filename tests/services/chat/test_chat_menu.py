"""The official account's menu: read strictly, compared with what WeChat shows, and made so."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp.test_utils import TestServer

from server import texts
from server.app import CHAT_MENU
from server.clock import SystemClock
from server.gateways.wechat_calls import WechatCalls
from server.gateways.wechat_token import WechatToken
from server.programme.chart import load_chart
from server.programme.chat_menu import Button, MenuFaulty, load_menu
from server.rules.chat_messages import WechatAccount
from server.services.chat import chat_menu
from server.wiring import CHAT
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_OA_APPID, DEMO_OA_SECRET, WechatStandIn
from tests.wechat_door import SEALER, opened

KEYS = frozenset({"complaint", "progress"})


def the_menu() -> tuple[Button, ...]:
    chart = load_chart(CHAT, texts.CHAT, texts.SPOKEN)
    return load_menu(CHAT_MENU, keys=frozenset(key for entry in chart.entries for key in entry.menu_keys))


@pytest.fixture
async def calls(redis_url: str) -> AsyncIterator[WechatCalls]:
    standin = WechatStandIn(Accounts(DEMO_APPID), SystemClock())
    async with (
        TestServer(standin.app) as server,
        opened(str(server.make_url("")), redis_url) as (http, redis),
    ):
        token = WechatToken(http, redis, SEALER, SystemClock(), appid=DEMO_OA_APPID, secret=DEMO_OA_SECRET)
        yield WechatCalls(http, {WechatAccount.OFFICIAL: token})


def test_the_menu_has_what_people_come_for() -> None:
    menu = the_menu()
    names = [below.name for one in menu for below in (one, *one.below)]
    assert {"抢券", "服务市场", "投诉建议", "我的进度", "人工客服"} <= set(names)
    assert menu[0].as_wechat("wx1")["appid"] == "wx1"


async def test_a_created_menu_is_as_it_should_be(calls: WechatCalls) -> None:
    menu = the_menu()
    missing = await chat_menu.compare(menu, mini_appid=DEMO_APPID, calls=calls)
    assert len(missing) == 6 and all(line.startswith("- ") for line in missing)
    await chat_menu.create(menu, mini_appid=DEMO_APPID, calls=calls)
    assert await chat_menu.compare(menu, mini_appid=DEMO_APPID, calls=calls) == []


async def test_what_differs_is_told_button_by_button(calls: WechatCalls) -> None:
    menu = the_menu()
    await chat_menu.create(menu, mini_appid=DEMO_APPID, calls=calls)
    other = await chat_menu.compare(menu, mini_appid="wx-another", calls=calls)
    assert len(other) == 4 and {line[0] for line in other} == {"-", "+"}
    turned = await chat_menu.compare(tuple(reversed(menu)), mini_appid=DEMO_APPID, calls=calls)
    assert turned == ["The buttons stand in another order."]


TAP = '[[button]]\nname = "投诉"\nkey = "complaint"\n'


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "one to 3 buttons"),
        (TAP * 4, "one to 3 buttons"),
        (TAP + "[tail]", "tail is not known"),
        (TAP.replace("complaint", "elsewhere"), "no entry of the chart"),
        (TAP.replace("投诉", "投诉建议和其他"), "1 to 16 bytes"),
        ('[[button]]\nname = "投诉"', "a key, or a page"),
        (TAP + 'url = "https://x"', "a key, or a page"),
        ('[[button]]\nname = "开"\npage = "p"', "a key, or a page"),
        ('[[button]]\nname = "更多"\nbelow = []', "one to 5 buttons"),
        ('[[button]]\nname = "更多"\n[[button.below]]\nname = "更"\nbelow = []', "a key, or a page"),
        ("button = 7", "one to 3 buttons"),
        ("[", "cannot be read"),
    ],
)
def test_what_wechat_would_refuse_is_refused_with_its_reason(tmp_path: Path, written: str, said: str) -> None:
    file = tmp_path / "menu.toml"
    file.write_text(TAP)
    assert load_menu(file, keys=KEYS) == (Button("投诉", key="complaint"),)
    file.write_text(written)
    with pytest.raises(MenuFaulty, match=said):
        load_menu(file, keys=KEYS)
