"""Senders: found again, linked to who signed in, and nobody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from aiohttp.test_utils import TestServer
from tortoise.context import TortoiseContext

from server.clock import SystemClock
from server.gateways.wechat_calls import WechatCalls
from server.gateways.wechat_token import WechatToken
from server.models.chat import ChatSender
from server.models.people import Person
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount
from server.services.messages import chat_senders
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_OA_APPID, DEMO_OA_SECRET, WechatStandIn
from tests.wechat_door import SEALER, opened

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Wechat:
    mini: Accounts
    official: Accounts
    calls: WechatCalls

    def unionid(self, owner: str) -> str:
        return self.mini.unionid(self.mini.openid(owner))


@pytest.fixture
async def wechat(database: TortoiseContext, redis_url: str) -> AsyncIterator[Wechat]:
    mini, official = Accounts(DEMO_APPID), Accounts(DEMO_OA_APPID)
    standin = WechatStandIn(mini, SystemClock(), official=official)
    async with (
        TestServer(standin.app) as server,
        opened(str(server.make_url("")), redis_url) as (http, redis),
    ):
        token = WechatToken(http, redis, SEALER, SystemClock(), appid=DEMO_OA_APPID, secret=DEMO_OA_SECRET)
        yield Wechat(mini, official, WechatCalls(http, {WechatAccount.OFFICIAL: token}))


def said(openid: str, account: WechatAccount = WechatAccount.OFFICIAL) -> ChatMessage:
    return ChatMessage(
        account=account, openid=openid, sent_at=NOW, key=openid, kind=MessageKind.TEXT, text="好"
    )


async def sender(openid: str, account: WechatAccount = WechatAccount.OFFICIAL) -> ChatSender:
    return await chat_senders.sender_of(said(openid, account), sealer=SEALER, now=NOW)


async def person(openid: str, unionid: str | None) -> Person:
    one = await Person.create(account=SEALER.blind(openid), created_at=NOW)
    await chat_senders.know(one, unionid, sealer=SEALER)
    return one


async def test_a_sender_is_one_row_however_often_they_write(wechat: Wechat) -> None:
    first, again = await sender("oLi"), await sender("oLi")
    assert first.id == again.id != (await sender("oLi", WechatAccount.MINI)).id
    assert "oLi" not in str(await ChatSender.all().values())
    assert SEALER.open(first.openid_sealed) == "oLi"


@pytest.mark.parametrize("signs_in_first", [True, False])
async def test_who_signed_in_is_known_in_the_official_account_too(
    wechat: Wechat, signs_in_first: bool
) -> None:
    unionid, openid = wechat.unionid("Li Na"), wechat.official.openid("Li Na")
    li = await person("oMini", unionid) if signs_in_first else None
    row = await sender(openid)
    await chat_senders.link(row, openid, calls=wechat.calls, sealer=SEALER)
    li = li or await person("oMini", unionid)
    assert (await ChatSender.get()).person_id == li.id


async def test_nobody_is_taken_for_somebody_else(wechat: Wechat) -> None:
    await person("oMini", wechat.unionid("Li Na"))
    await person("oOther", None)
    openid = wechat.official.openid("Wang Wei")
    await chat_senders.link(await sender(openid), openid, calls=wechat.calls, sealer=SEALER)
    await chat_senders.link(await sender("oUnheardOf"), "oUnheardOf", calls=wechat.calls, sealer=SEALER)
    assert await ChatSender.filter(person_id__not_isnull=True).count() == 0


async def test_without_the_account_or_an_answer_a_sender_stays_unlinked(wechat: Wechat) -> None:
    row = await sender("oLi", WechatAccount.MINI)
    await chat_senders.link(row, "oLi", calls=wechat.calls, sealer=SEALER)
    assert (await ChatSender.get()).unionid_index == ""
