"""Chatting: senders who talk to the conversation without WeChat, where people complain."""

from __future__ import annotations

from itertools import count
from typing import Any

from server.models.chat import ChatSender, Conversation
from server.models.people import Person
from server.rules.chat_draft import Draft
from server.rules.chat_messages import ChatMessage, MessageKind, WechatAccount
from server.services.chat.chat_acts import ChatActs
from server.services.chat.chat_offers import ChatOffers
from server.services.chat.conversations import Conversations
from server.services.complaints.content_checks import ContentChecks
from tests.complaining import Hall
from tests.contracting import SEALER
from tests.talking import CHART

_numbers = count(1)


class Phone:
    """Somebody who writes to us."""

    def __init__(self, conversations: Conversations, sender: ChatSender, openid: str, hall: Hall) -> None:
        self._conversations, self.sender, self.openid, self._hall = conversations, sender, openid, hall

    async def say(self, *messages: str) -> str:
        """Type these, one after another; the last answer."""
        answers = [await self.hear(MessageKind.TEXT, text=text) for text in messages]
        return answers[-1]

    async def send(self, kind: MessageKind, media_id: str, **data: Any) -> str:
        """Send what WeChat keeps under ``media_id``."""
        return await self.hear(kind, media_id=media_id, data=data)

    async def hear(self, kind: MessageKind, **others: Any) -> str:
        """Anything at all."""
        answer = await self._conversations.hear(self.message(kind, **others))
        assert answer
        return answer

    def message(self, kind: MessageKind, **others: Any) -> ChatMessage:
        """What the door makes of it."""
        return ChatMessage(
            account=self.sender.account,
            openid=self.openid,
            sent_at=self._hall.now,
            key=f"key-{next(_numbers)}",
            kind=kind,
            sender_id=self.sender.id,
            **others,
        )

    async def draft(self) -> Draft:
        """What was said so far."""
        row = await Conversation.get_or_none(sender_id=self.sender.id, ended_at=None)
        return Draft() if row is None else self._conversations.opened(row)


class Chat:
    """The conversation on a real database."""

    def __init__(self, hall: Hall, calls: Any = None, *, public_url: str = "https://chat.example") -> None:
        self.hall, self.calls = hall, calls
        self.checks = ContentChecks(
            hall.book, calls, SEALER, hall.evidence, hall.clocks.base, public_url=public_url
        )
        self.acts = ChatActs(hall.complaints, self.checks)
        self.conversations = Conversations(CHART, ChatOffers(hall.complaints), self.acts, SEALER, hall.clocks)

    async def phone(
        self, person: Person | None = None, account: WechatAccount = WechatAccount.OFFICIAL
    ) -> Phone:
        """Somebody new; ``person``: whom they signed in as."""
        openid = f"o-{next(_numbers)}"
        sender = await ChatSender.create(
            account=account,
            openid_index=SEALER.blind(openid),
            openid_sealed=SEALER.seal(openid),
            person_id=None if person is None else person.id,
            first_seen_at=self.hall.now,
        )
        return Phone(self.conversations, sender, openid, self.hall)
