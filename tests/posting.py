"""Posting: deliveries on a real database, with a WeChat that answers as the test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from server.clock import FixedClock
from server.gateways.sms import SmsRefused
from server.gateways.wechat_calls import WechatRefused
from server.models.chat import ChatSender
from server.models.deliveries import Delivery
from server.models.people import Person
from server.programme.messages import load_messages
from server.rules.chat_messages import WechatAccount
from server.sealing import Sealer
from server.services import outbox
from server.services.chat.chat_replies import ChatReplies
from server.services.messages import consents
from server.services.messages.carriers import CUSTOM_PATH, SUBSCRIBE_PATH, TEMPLATE_PATH, Carriers
from server.services.messages.deliveries import Deliveries
from server.services.messages.delivery_plan import known_topics

NOW = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
"""Ten in the morning in China."""
TOPIC = "review.passed"
_numbers = count(1)
_PATHS = {SUBSCRIBE_PATH: "subscribe", TEMPLATE_PATH: "template", CUSTOM_PATH: "custom"}


@dataclass
class PretendWechat:
    """Takes everything on, but for what ``answers`` has for a channel: a code, or an exception."""

    answers: dict[str, list[int | Exception]] = field(default_factory=dict)
    sent: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    accounts: frozenset[WechatAccount] = frozenset(WechatAccount)
    before: Callable[[str, dict[str, Any]], None] = lambda *_: None

    def serves(self, account: WechatAccount) -> bool:
        return account in self.accounts

    async def call(self, path: str, body: Any = None, *, account: WechatAccount) -> dict[str, Any]:
        channel = _PATHS[path]
        assert (account is WechatAccount.OFFICIAL) == (channel == "template") or channel == "custom"
        self.before(channel, body)
        planned = self.answers.get(channel)
        answer = planned.pop(0) if planned else 0
        if isinstance(answer, Exception):
            raise answer
        if answer:
            raise WechatRefused(answer)
        self.sent.append((channel, body))
        return {"errcode": 0, "msgid": len(self.sent)}


@dataclass
class PretendSms:
    """Sends everything, but to numbers that it does not know."""

    unknown: set[str] = field(default_factory=set)
    sent: list[tuple[str, str, Mapping[str, str], str]] = field(default_factory=list)

    async def send(self, phone: str, code: str, words: Mapping[str, str], *, key: str) -> str:
        if phone in self.unknown:
            raise SmsRefused(unusable=True)
        self.sent.append((phone, code, words, key))
        return "sms-1"


class Post:
    """What sends, and whom to."""

    def __init__(self) -> None:
        self.clock = FixedClock(NOW)
        self.offsets: dict[str, timedelta] = {}
        self.sealer = Sealer({"test": "a-secret-of-these-tests-of-32-bytes"})
        self.wechat, self.sms = PretendWechat(), PretendSms()
        self.messages = load_messages(Path("config/messages.toml"), known_topics(), demo=True)
        self.replies = ChatReplies(self.sealer)
        self.deliveries = self.worker()

    def worker(self) -> Deliveries:
        """Another process that sends."""
        carriers = Carriers(mini_appid="wx-test")
        carriers.calls, carriers.sms = self.wechat, self.sms
        return Deliveries(
            self.messages,
            carriers,
            self.sealer,
            self.clock,
            programme_name=str,
            programme_now=lambda slug: self.clock.now() + self.offsets.get(slug, timedelta(0)),
            random=Random(1),
        )

    async def person(
        self, *, consents_given: int = 0, follows: bool = False, phone: str = "", template: str = "review"
    ) -> int:
        """Somebody who signed in."""
        number = next(_numbers)
        person = await Person.create(
            account=self.sealer.blind(f"mini-{number}"),
            openid_sealed=self.sealer.seal(f"mini-{number}"),
            phone_sealed=self.sealer.seal(phone),
            created_at=NOW,
        )
        for _ in range(consents_given):
            await consents.given(
                person.id, template, source=consents.PHONE, long_term=False, now=self.clock.now()
            )
        if follows:
            await self.sender(person_id=person.id, account=WechatAccount.OFFICIAL)
        return person.id

    async def sender(
        self,
        *,
        account: WechatAccount = WechatAccount.OFFICIAL,
        person_id: int | None = None,
        wrote_at: datetime | None = None,
        messages_left: int = 0,
        **others: Any,
    ) -> int:
        """Somebody who wrote to an account of ours."""
        openid = f"chat-{next(_numbers)}"
        row = await ChatSender.create(
            account=account,
            openid_index=self.sealer.blind(openid),
            openid_sealed=self.sealer.seal(openid),
            person_id=person_id,
            first_seen_at=NOW,
            last_message_at=wrote_at,
            messages_left=messages_left,
            **others,
        )
        return row.id

    async def tell(self, recipient: str, topic: str = TOPIC, **data: Any) -> None:
        """Tell somebody something, and let it come into the inbox."""
        told = {"title": "晨光公司申请", "number": "A-1", "clause": "第三条", **data}
        await outbox.tell(recipient, topic, at=self.clock.now(), **told)
        await outbox.deliver(self.clock.now(), plan=self.deliveries.plan)

    async def send(self) -> int:
        """Everything that is due."""
        return await self.deliveries.send_due()

    @property
    def sent(self) -> list[str]:
        """By which channels WeChat and the sender of SMS took something on, in order."""
        return [channel for channel, _ in self.wechat.sent] + ["sms"] * len(self.sms.sent)


async def states() -> list[tuple[str, str | None]]:
    """Each delivery's state and channel."""
    return [
        (row.state.value, row.channel and row.channel.value) for row in await Delivery.all().order_by("id")
    ]
