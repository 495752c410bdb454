"""Every topic's words, sent to the stand-in's WeChat, which checks each field as WeChat does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from redis.asyncio import Redis

from server import texts
from server.clock import SystemClock
from server.gateways.wechat_calls import WechatCalls, WechatRefused, tokens_of
from server.gateways.wechat_http import WechatHttp
from server.programme.messages import MessageChannel, load_messages
from server.rules.channels import Quiet, Reach
from server.sealing import Sealer
from server.services.messages.carriers import Carriers, Wording
from server.services.messages.delivery_plan import known_topics
from server.services.messages.notices import notice
from server.services.messages.reachable import Contact
from server.settings import Settings
from standin.accounts import Accounts
from standin.wechat import DEMO_APPID, DEMO_OA_APPID, DEMO_OA_SECRET, DEMO_SECRET, WechatStandIn

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
NASTY = "<![CDATA[\n\t😀" + "长" * 500
DATA = (
    {},
    {"number": NASTY, "title": NASTY, "reason": NASTY, "project": NASTY, "programme": NASTY},
    {"number": "A-2026-1", "until": (NOW + timedelta(days=3)).isoformat(), "amount_fen": 10**15},
)


async def test_wechat_takes_the_fields_of_every_topic_whatever_it_tells(redis_url: str) -> None:
    messages = load_messages(Path("config/messages.toml"), known_topics(), demo=True)
    standin = WechatStandIn(Accounts(DEMO_APPID), SystemClock())
    contact = Contact(
        "person:1",
        1,
        Reach(),
        Quiet(messages.quiet_from, messages.quiet_until),
        openid="mini-1",
        official_openid="official-1",
        chat_openid="official-1",
    )
    async with TestClient(TestServer(standin.app)) as client:
        settings = Settings(
            mode="test",
            wechat_base_url=str(client.make_url("")),
            wechat_appid=DEMO_APPID,
            wechat_secret=DEMO_SECRET,
            wechat_oa_appid=DEMO_OA_APPID,
            wechat_oa_secret=DEMO_OA_SECRET,
        )
        sealer, clock = Sealer(settings.data_keys), SystemClock()
        carriers = Carriers(mini_appid=DEMO_APPID)
        async with Redis.from_url(redis_url) as redis, WechatHttp(settings.wechat_base_url) as wechat:
            carriers.calls = WechatCalls(wechat, tokens_of(settings, wechat, redis, sealer, clock))
            sent = 0
            for topic in sorted(messages.topics.keys() & texts.NOTICES.keys()):
                for data in DATA:
                    said = notice(topic, data, programme_name=str)
                    wording = Wording(
                        messages.template_of(topic),
                        said.title,
                        said.sentence,
                        NOW,
                        said.deadline,
                        str(data.get("number", "")),
                        str(data.get("programme", "")),
                    )
                    for channel in (
                        MessageChannel.SUBSCRIBE,
                        MessageChannel.TEMPLATE,
                        MessageChannel.CUSTOM,
                    ):
                        try:
                            await carriers.carry(channel, contact, wording, key=f"{topic}-{sent}")
                        except WechatRefused as refused:
                            pytest.fail(f"{topic} by {channel}: {refused.errcode}")
                        sent += 1
        assert len(standin.sends.taken) == sent > 300
