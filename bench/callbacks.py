"""What WeChat delivers, measured: signed, decrypted, kept on disk and acknowledged, beside the bare handler.

Every message is another one, from one of many senders, signed and encrypted in the safe mode as WeChat does.
It is acknowledged when it is in the database; what the conversation makes of it is done behind the answer, on
the same two cores. Hearing takes longer than keeping: how much of it is done a second is printed, and what is
left of a sample is set aside before the next, so that the bare handler has the machine to itself.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from bench.client import Plan
from bench.ratios import INTERLEAVINGS, Finding, Sample, Series, Steady, steady
from bench.stage import Server, Stage, a_stage, settle
from server.database import migrate
from walks.wechat_phones import Letterbox

CONNECTIONS = 512
"""As in the launch: in a crowd hundreds wait at any instant."""
MESSAGES, BARE, WARM_UP = 8_000, 20_000, 1_000
SENDERS = 4_000
HEAD_MARGIN = 160
"""About what aiohttp's own head takes; the bare body is the rest of the subject's answer."""
FLOOR, GOAL = 0.4, 0.5
APPID, TOKEN = "wx-bench-official", "benchTokenOfTheCallback"
KEY = secrets.token_hex(22)[:43]
HEARING_SECONDS, SETTLING_SECONDS = 5.0, 3.0
LEFT = "SELECT count(*) FROM inbound_message WHERE handled_at IS NULL"
FAILED = "SELECT count(*) FROM inbound_message WHERE failed"
KEPT = "SELECT count(*) FROM inbound_message"
SET_ASIDE = """
    WITH waiting AS (
        SELECT id FROM inbound_message WHERE handled_at IS NULL ORDER BY id FOR UPDATE SKIP LOCKED
    ), s AS (
        UPDATE inbound_message SET handled_at = now() WHERE id IN (SELECT id FROM waiting) RETURNING 1
    ) SELECT count(*) FROM s"""
"""What the server has in hand at this moment it finishes itself: waiting for it could be a deadlock."""

_numbers = count(1)


async def measure() -> list[Finding]:
    """The ratio of acknowledgements."""
    async with a_stage() as stage:
        stage.environment |= {
            "QIQUAN_DEMO_CLOCKS": "false",
            "QIQUAN_WECHAT_OA_APPID": APPID,
            "QIQUAN_WECHAT_OA_SECRET": "bench",
            "QIQUAN_WECHAT_CALLBACK_TOKEN": TOKEN,
            "QIQUAN_WECHAT_CALLBACK_AES_KEY": KEY,
        }
        found = await steady(lambda: _run(stage), lambda run: run[0])
    return [_finding(found)]


def _finding(found: Steady[tuple[Series, Series]]) -> Finding:
    bare, acknowledged = found.run
    for series in (bare, acknowledged):
        print("  " + series.line())
    ratio = acknowledged.per_second / bare.per_second
    return Finding("callbacks acknowledged / bare handler", ratio, FLOOR, GOAL, is_void=found.is_void)


async def _run(stage: Stage) -> tuple[Series, Series]:
    url = await stage.postgres.create(f"bench_chat_{next(_numbers)}")
    await migrate(url)
    await settle(url)
    async with stage.serving("chat", ["-m", "server", "serve"], url, 0) as server:
        await stage.past_first_jobs(server)
        warm = await stage.ask(_plan(stage, server.port, WARM_UP))
        size = max(warm.answer_bytes.values())
        await _set_aside(stage, server)
        async with stage.bare(max(0, size - HEAD_MARGIN)) as bare:
            await stage.ask(_plan(stage, bare.port, WARM_UP, repeated=BARE // WARM_UP))
            samples: dict[str, list[Sample]] = {"bare": [], "callbacks": []}
            for _ in range(INTERLEAVINGS):
                plan = _plan(stage, bare.port, WARM_UP, repeated=BARE // WARM_UP)
                samples["bare"].append(await stage.sample(bare, plan, expected=200))
                plan = _plan(stage, server.port, MESSAGES)
                samples["callbacks"].append(await stage.sample(server, plan, expected=200))
                rate = await _heard(stage, server)
                await _set_aside(stage, server)
                print(f"  {MESSAGES:,} messages acknowledged, {rate:.0f} heard a second afterwards")
        kept, failed = await stage.query(server, KEPT), await stage.query(server, FAILED)
        sent = WARM_UP + INTERLEAVINGS * MESSAGES
        if (kept, failed) != (sent, 0):
            raise RuntimeError(f"{sent} messages were acknowledged, {kept} kept, {failed} of them not heard")
    return Series("bare handler", samples["bare"]), Series("callbacks", samples["callbacks"])


def _plan(stage: Stage, port: int, messages: int, *, repeated: int = 1) -> Plan:
    """New messages, signed now: WeChat's signature is good for five minutes."""
    file = Path(stage.directory) / f"callbacks-{next(_numbers)}.json"
    box = Letterbox(TOKEN, KEY, APPID)
    file.write_text(json.dumps([_request(box, port) for _ in range(messages)] * repeated))
    return Plan(
        port=port,
        round_id=0,
        tokens="",
        first=0,
        count=messages * repeated,
        connections=CONNECTIONS,
        seed=0,
        requests=str(file),
    )


def _request(box: Letterbox, port: int) -> str:
    number = next(_numbers)
    sealed = box.seal(
        (
            "<xml><ToUserName><![CDATA[gh_bench]]></ToUserName>"
            f"<FromUserName><![CDATA[oBench{number % SENDERS}]]></FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType><![CDATA[text]]></MsgType>"
            f"<Content><![CDATA[第 {number} 次：服务没有按合同完成]]></Content><MsgId>{number}</MsgId></xml>"
        ).encode()
    )
    stamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
    query = {
        "signature": box.signature(stamp, nonce),
        "timestamp": stamp,
        "nonce": nonce,
        "openid": f"oBench{number % SENDERS}",
        "encrypt_type": "aes",
        "msg_signature": box.signature(stamp, nonce, sealed),
    }
    body = f"<xml><ToUserName><![CDATA[gh_bench]]></ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    return (
        f"POST /api/v1/wechat/callback?{urlencode(query)} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    )


async def _heard(stage: Stage, server: Server) -> float:
    """How many messages are heard in a second, when no more arrive."""
    before, began = await stage.query(server, LEFT), time.perf_counter()
    await asyncio.sleep(HEARING_SECONDS)
    return float((before - await stage.query(server, LEFT)) / (time.perf_counter() - began))


async def _set_aside(stage: Stage, server: Server) -> None:
    """Leave the server nothing to hear."""
    await stage.query(server, SET_ASIDE)
    await asyncio.sleep(SETTLING_SECONDS)
