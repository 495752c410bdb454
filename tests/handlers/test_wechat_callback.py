"""The chat's door over HTTP: kept, acknowledged, heard once, answered in time or afterwards."""

from __future__ import annotations

import asyncio
import base64
import itertools
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from xml.sax.saxutils import escape

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from structlog.testing import capture_logs
from tortoise.context import TortoiseContext

from server import texts
from server.clock import FixedClock
from server.database import close_database, open_database
from server.gateways.wechat_calls import WechatCalls
from server.gateways.wechat_cipher import LARGEST_BODY, callback_cipher
from server.gateways.wechat_http import WechatHttp
from server.gateways.wechat_xml import parse
from server.handlers import wechat_callback
from server.keys import CALLBACK_CIPHER, CHAT_DOOR, CLOCK, METRICS, SEALER, SETTINGS
from server.metrics import Metrics
from server.middlewares import platform
from server.models.chat import ChatSender, InboundMessage
from server.models.journal import JournalEntry
from server.models.people import Person
from server.rules.chat_messages import ChatMessage, MessageKind
from server.services import journal
from server.services.chat import chat_door, chat_intake
from server.services.chat.chat_door import ChatDoor
from server.settings import Settings
from tests.wechat_door import SEALER as TEST_SEALER
from walks.wechat_phones import Letterbox

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
OFFICIAL, MINI = "wxofficial", "wxmini"
TOKEN, KEY = "tokenOfTheseTests16", base64.b64encode(bytes(range(32))).decode()[:43]
SETTINGS_OF_TESTS = Settings(
    mode="test",
    wechat_appid=MINI,
    wechat_oa_appid=OFFICIAL,
    wechat_oa_secret="secret",
    wechat_callback_token=TOKEN,
    wechat_callback_aes_key=KEY,
)
BOXES = {appid: Letterbox(TOKEN, KEY, appid) for appid in (OFFICIAL, MINI)}
URL = "/api/v1/wechat/callback"
_numbers = itertools.count(1)


class Conversation:
    """In place of the chat: answers everything with its own words, and does something countable."""

    def __init__(self) -> None:
        self.heard: list[ChatMessage] = []
        self.said: list[tuple[int, str]] = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.failures = 0

    async def hear(self, message: ChatMessage) -> str | None:
        await journal.record("chat.heard", f"sender:{message.sender_id}", actor="test", at=NOW)
        await self.hold.wait()
        if self.failures:
            self.failures -= 1
            raise RuntimeError("a mistake of ours")
        self.heard.append(message)
        return f"已收到：{message.text}"

    async def say(self, sender_id: int, text: str, *, now: datetime) -> None:
        self.said.append((sender_id, text))


class Gate:
    """Two workers at one database, and the WeChat in front of them."""

    def __init__(self, clock: FixedClock) -> None:
        self.clock = clock
        self.chat = Conversation()
        self.doors: list[ChatDoor] = []
        self.clients: list[TestClient[Any, Any]] = []

    def app(self, settings: Settings = SETTINGS_OF_TESTS) -> web.Application:
        """One more worker."""
        metrics = Metrics()
        app = web.Application(middlewares=[platform(settings, metrics, Random(1))])
        app[SETTINGS], app[CLOCK], app[METRICS] = settings, self.clock, metrics
        app[SEALER], app[CALLBACK_CIPHER] = TEST_SEALER, callback_cipher(settings)
        door = ChatDoor(
            TEST_SEALER, self.clock, WechatCalls(WechatHttp("http://127.0.0.1:1"), {}), say=self.chat.say
        )
        door.hear = self.chat.hear
        app[CHAT_DOOR] = door
        self.doors.append(door)
        wechat_callback.routes.add_to(app)
        return app

    async def deliver(
        self, message: bytes, *, worker: int = 0, appid: str = OFFICIAL, **spoilt: str
    ) -> tuple[int, str]:
        """One delivery, signed and encrypted anew: the status, and what was said."""
        box = BOXES[appid]
        sealed = box.seal(message)
        stamp, nonce = str(int(self.clock.now().timestamp())), str(next(_numbers))
        query = {
            "timestamp": stamp,
            "nonce": nonce,
            "encrypt_type": "aes",
            "msg_signature": box.signature(stamp, nonce, sealed),
        }
        body = f"<xml><ToUserName>gh</ToUserName><Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
        return await self.post(body.encode(), worker=worker, appid=appid, **{**query, **spoilt})

    async def post(
        self, body: bytes, *, worker: int = 0, appid: str = OFFICIAL, **query: str
    ) -> tuple[int, str]:
        async with self.clients[worker].post(URL, params=query, data=body) as answer:
            told = await answer.text()
        if answer.status != 200 or told == "success":
            return answer.status, told
        outer = parse(told.encode())
        box = BOXES[appid]
        assert outer["MsgSignature"] == box.signature(outer["TimeStamp"], outer["Nonce"], outer["Encrypt"])
        return 200, parse(box.open(outer["Encrypt"]).encode())["Content"]

    async def rested(self) -> None:
        """Wait for everything that was begun behind the answers."""
        for door in self.doors:
            await door.drain()


@pytest.fixture
async def gate(database: TortoiseContext) -> AsyncIterator[Gate]:
    async with a_gate() as found:
        yield found


@pytest.fixture
async def held_gate(postgres_url: str) -> AsyncIterator[Gate]:
    """Where somebody may be heard for long: SQLite has one writer, who would hold everybody up."""
    context = await open_database(postgres_url)
    async with a_gate() as found:
        yield found
    await close_database(context)


@asynccontextmanager
async def a_gate() -> AsyncIterator[Gate]:
    found = Gate(FixedClock(NOW))
    async with AsyncExitStack() as stack:
        for _ in range(2):
            found.clients.append(await stack.enter_async_context(TestClient(TestServer(found.app()))))
        yield found
        found.chat.hold.set()
        await found.rested()


@pytest.fixture
def short_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """What would take seconds takes a moment."""
    monkeypatch.setattr(chat_door, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(chat_door, "LOOK_AGAIN_SECONDS", 0.02)


def text(content: str = "你好", *, sender: str = "oLi", number: str = "") -> bytes:
    return (
        f"<xml><ToUserName>gh</ToUserName><FromUserName>{sender}</FromUserName><CreateTime>1772442000"
        f"</CreateTime><MsgType>text</MsgType><Content>{escape(content)}</Content>"
        f"<MsgId>{number or next(_numbers)}</MsgId></xml>"
    ).encode()


def event(name: str, key: str = "", *, sender: str = "oLi") -> bytes:
    return (
        f"<xml><ToUserName>gh</ToUserName><FromUserName>{sender}</FromUserName><CreateTime>1772442000"
        f"</CreateTime><MsgType>event</MsgType><Event>{name}</Event><EventKey>{key}</EventKey></xml>"
    ).encode()


# -- once, and in time -------------------------------------------------------------------------------


async def test_a_message_is_heard_and_answered_in_wechats_own_cipher(gate: Gate) -> None:
    assert await gate.deliver(text("]]> & <b>")) == (200, "已收到：]]> & <b>")
    row = await InboundMessage.get()
    assert row.handled_at is not None and "oLi" not in str(await InboundMessage.all().values())
    assert gate.chat.heard[0].sender_id == (await ChatSender.get()).id


async def test_a_repeated_delivery_gets_the_first_answer_and_does_nothing(gate: Gate) -> None:
    message = text("投诉")
    told = [await gate.deliver(message, worker=worker) for worker in (0, 1, 0)]
    assert set(told) == {(200, "已收到：投诉")}
    assert len(gate.chat.heard) == await JournalEntry.filter(action="chat.heard").count() == 1


async def test_deliveries_at_the_same_moment_at_two_workers_are_one_message(gate: Gate) -> None:
    for message in (text("一"), event("CLICK", "complaint")):
        gate.chat.heard.clear()
        told = await asyncio.gather(*(gate.deliver(message, worker=worker % 2) for worker in range(6)))
        assert len(set(told)) == 1 and told[0][0] == 200 and len(gate.chat.heard) == 1


async def test_two_taps_of_one_second_are_two_messages(gate: Gate) -> None:
    await gate.deliver(event("CLICK", "market"))
    await gate.deliver(event("CLICK", "progress"))
    assert [one.menu_key for one in gate.chat.heard] == ["market", "progress"]


async def test_what_takes_too_long_is_acknowledged_and_answered_afterwards(
    held_gate: Gate, short_of_time: None
) -> None:
    held_gate.chat.hold.clear()
    message = text("慢")
    assert await held_gate.deliver(message) == (200, "success")
    assert await held_gate.deliver(message, worker=1) == (200, "success")
    held_gate.chat.hold.set()
    await held_gate.rested()
    assert [words for _, words in held_gate.chat.said] == ["已收到：慢"]
    # Also later the first answer stands: an acknowledgement without words.
    assert await held_gate.deliver(message) == await held_gate.deliver(message, worker=1) == (200, "success")
    assert len(held_gate.chat.heard) == 1 and len(held_gate.chat.said) == 1


async def test_the_mini_programs_people_are_answered_by_a_message(gate: Gate) -> None:
    person = await Person.create(account=TEST_SEALER.blind("oLi"), created_at=NOW)
    assert await gate.deliver(text("小程序"), appid=MINI) == (200, "success")
    await gate.rested()
    assert [words for _, words in gate.chat.said] == ["已收到：小程序"]
    assert (await ChatSender.get()).person_id == person.id


async def test_messages_of_one_sender_are_heard_in_their_order(held_gate: Gate) -> None:
    held_gate.chat.hold.clear()
    sent = []
    for number in range(6):
        sent.append(asyncio.create_task(held_gate.deliver(text(str(number)))))
        while await InboundMessage.all().count() <= number:  # noqa: ASYNC110 - it is on its way
            await asyncio.sleep(0.01)
    held_gate.chat.hold.set()
    await asyncio.gather(*sent)
    assert [one.text for one in held_gate.chat.heard] == list("012345")


async def test_windows_open_with_what_people_do(gate: Gate) -> None:
    await gate.deliver(event("subscribe"))
    await gate.rested()
    sender = await ChatSender.get()
    assert (sender.taps_left, sender.messages_left) == (3, 0)
    await gate.deliver(text())
    assert (await ChatSender.get()).messages_left == 5
    await gate.deliver(event("unsubscribe"))
    await gate.rested()
    sender = await ChatSender.get()
    assert sender.unsubscribed_at is not None and sender.messages_left == 0


async def test_events_are_for_whoever_listens_and_for_nobody_else(gate: Gate) -> None:
    listened: list[ChatMessage] = []

    async def listen(message: ChatMessage) -> None:
        listened.append(message)

    gate.doors[0].on(MessageKind.TEMPLATE_RESULT, listen)
    for name in ("TEMPLATESENDJOBFINISH", "VIEW", "never_heard_of"):
        assert await gate.deliver(event(name)) == (200, "success")
    await gate.rested()
    assert [one.kind for one in listened] == [MessageKind.TEMPLATE_RESULT] and not gate.chat.heard


# -- nothing lost ------------------------------------------------------------------------------------


async def test_what_a_dead_process_left_is_heard_by_another(gate: Gate) -> None:
    await gate.deliver(text("留下的"))
    await gate.rested()
    # It was kept and acknowledged, and then its process died.
    await InboundMessage.all().update(handled_at=None, worker="dead")
    gate.chat.heard.clear()
    gate.chat.said.clear()
    assert await gate.doors[1].sweep() == 0
    gate.clock.advance(timedelta(seconds=31))
    taken = await asyncio.gather(*(door.sweep() for door in gate.doors))
    await gate.rested()
    assert sum(taken) == 1
    assert [one.text for one in gate.chat.heard] == ["留下的"]
    assert [words for _, words in gate.chat.said] == ["已收到：留下的"]


async def test_a_mistake_of_ours_is_tried_again_and_then_told(gate: Gate) -> None:
    gate.chat.failures = 1
    message = text("难")
    with capture_logs() as logs:
        assert await gate.deliver(message) == (200, "success")
    assert "难" not in str(logs) and "a mistake" not in str(logs)
    assert await JournalEntry.all().count() == 0 and (await InboundMessage.get()).attempts == 1
    gate.clock.advance(timedelta(seconds=3))
    await gate.doors[0].sweep()
    await gate.rested()
    assert len(gate.chat.heard) == 1 and len(gate.chat.said) == 1
    # Something that never works is given up after five times, politely.
    gate.chat.said.clear()
    await gate.deliver(text("前"))
    gate.chat.failures = 5
    await gate.deliver(text("不行"))
    for _ in range(4):
        gate.clock.advance(timedelta(minutes=2))
        await gate.doors[0].sweep()
        await gate.rested()
    assert [words for _, words in gate.chat.said] == [texts.CHAT_NOT_HEARD]
    assert await InboundMessage.filter(failed=True, handled_at__not_isnull=True).count() == 1


async def test_without_the_database_nothing_is_acknowledged(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise ConnectionError("the database is away")

    monkeypatch.setattr(chat_intake.ChatIntake, "_written", away)
    assert (await gate.deliver(text()))[0] == 503
    monkeypatch.undo()
    assert (await gate.deliver(text()))[0] == 200


async def test_a_database_that_takes_too_long_is_not_acknowledged_either(
    gate: Gate, monkeypatch: pytest.MonkeyPatch, short_of_time: None
) -> None:
    written, go_on = chat_intake.ChatIntake._written, asyncio.Event()

    async def slow(self: Any, *values: Any) -> Any:
        await go_on.wait()
        return await written(self, *values)

    monkeypatch.setattr(chat_intake.ChatIntake, "_written", slow)
    monkeypatch.setattr(chat_intake, "KEEP_SECONDS", 0.1)
    message = text("慢库")
    assert (await gate.deliver(message))[0] == 503
    go_on.set()
    monkeypatch.setattr(chat_intake, "KEEP_SECONDS", 4.5)
    # WeChat delivers again. Whether the first one was written or not, it is one message.
    assert (await gate.deliver(message, worker=1))[0] == 200
    gate.clock.advance(timedelta(seconds=31))
    for door in gate.doors:
        await door.sweep()
    await gate.rested()
    assert len(gate.chat.heard) == 1


async def test_a_crowd_is_acknowledged_at_once_and_everybody_is_heard(held_gate: Gate) -> None:
    held_gate.chat.hold.clear()
    crowd = [asyncio.create_task(held_gate.deliver(text(sender=f"o{number}"))) for number in range(60)]
    early, _ = await asyncio.wait(crowd, timeout=0.8)
    # Only as many wait for their answer as can be expected to get it.
    assert len(early) >= 60 - chat_door.WAITING_AT_MOST
    held_gate.chat.hold.set()
    assert {status for status, _ in await asyncio.gather(*crowd)} == {200}
    await held_gate.rested()
    assert len(held_gate.chat.heard) == 60
    answered = sum(told != "success" for _, told in await asyncio.gather(*crowd))
    assert answered + len(held_gate.chat.said) == 60


async def test_what_was_heard_is_forgotten_after_days(gate: Gate) -> None:
    await gate.deliver(text())
    assert await chat_intake.forget_heard(NOW + timedelta(days=2)) == 0
    assert await chat_intake.forget_heard(NOW + timedelta(days=4)) == 1


# -- what is not welcome -----------------------------------------------------------------------------


async def test_a_flood_of_one_sender_is_told_once_and_nobody_else_suffers(gate: Gate) -> None:
    told = [await gate.deliver(text(str(number))) for number in range(60)]
    assert all(status == 200 for status, _ in told)
    words = [said for _, said in told]
    # One more is heard every two seconds, and nobody knows how long sixty take.
    heard = [said for said in words if said.startswith("已收到")]
    assert all(said.startswith("已收到") for said in words[:40])
    assert words.count(texts.CHAT_TOO_FAST) == 1
    assert words.count("success") == len(words) - len(heard) - 1 > 0
    assert (await gate.deliver(text(sender="oWang")))[1].startswith("已收到")
    assert await InboundMessage.all().count() == len(heard) + 1


@pytest.mark.parametrize(
    "spoilt",
    [
        {"msg_signature": "0" * 40},
        {"timestamp": "1"},
        {"timestamp": str(int(NOW.timestamp()) - 301)},
        {"timestamp": str(int(NOW.timestamp()) + 301)},
        {"encrypt_type": "raw"},
        {"nonce": "' OR 1=1"},
    ],
)
async def test_what_is_forged_or_stale_is_refused_and_leaves_nothing(
    gate: Gate, spoilt: dict[str, str]
) -> None:
    status, told = await gate.deliver(text(), **spoilt)
    assert status == 403 and "callback_refused" in told
    assert await InboundMessage.all().count() == 0


async def test_other_bodies_are_refused_without_a_trace(gate: Gate) -> None:
    assert (await gate.post(text(), signature="x"))[0] == 403
    assert (await gate.post(b"<!DOCTYPE xml><xml/>", encrypt_type="aes"))[0] == 403
    assert (await gate.post(b"x" * (LARGEST_BODY + 1)))[0] == 413
    async with gate.clients[0].post(f"{URL}?nonce=1&nonce=2", data=b"") as answer:
        assert answer.status == 403


@pytest.mark.parametrize(
    "document",
    [
        b"<xml></xml>",
        b"not xml",
        b"<!DOCTYPE x [<!ENTITY a 'b'>]><xml>&a;</xml>",
        b"<xml><MsgType>text</MsgType></xml>",
        "<xml><FromUserName>中文</FromUserName><MsgType>text</MsgType></xml>".encode(),
        b"\xff\xfe",
    ],
)
async def test_what_is_genuine_and_says_nothing_is_acknowledged(gate: Gate, document: bytes) -> None:
    assert await gate.deliver(document) == (200, "success")
    assert await InboundMessage.all().count() == 0


@pytest.mark.parametrize(
    "content",
    ["<script>alert(1)</script>", "'; DROP TABLE person; --", "😀" * 3_000, "\u202e", "{0} {x}"],
)
async def test_whatever_somebody_writes_is_only_words(gate: Gate, content: str) -> None:
    status, told = await gate.deliver(text(content))
    assert status == 200 and told != "success"


async def test_the_address_is_verified(gate: Gate) -> None:
    stamp = str(int(NOW.timestamp()))
    signature = BOXES[OFFICIAL].signature(stamp, "5")
    query = {"signature": signature, "timestamp": stamp, "nonce": "5", "echostr": "12345"}
    async with gate.clients[0].get(URL, params=query) as answer:
        assert (answer.status, await answer.text()) == (200, "12345")
    async with gate.clients[0].get(URL, params={**query, "signature": "0" * 40}) as answer:
        assert answer.status == 403


async def test_without_its_settings_there_is_no_door(gate: Gate) -> None:
    closed = replace(SETTINGS_OF_TESTS, wechat_callback_token="", wechat_callback_aes_key="")
    async with TestClient(TestServer(gate.app(closed))) as client:
        for method in ("GET", "POST"):
            async with client.request(method, URL) as answer:
                assert answer.status == 404
