"""The chat's desk: what hears people, fetches what they send and has it checked, put together once."""

from __future__ import annotations

from datetime import datetime

from server.clock import Clock
from server.gateways.wechat_calls import WechatCalls
from server.programme.chart import Chart
from server.rules.chat_messages import MessageKind
from server.sealing import Sealer
from server.services.chat.chat_acts import ChatActs
from server.services.chat.chat_door import ChatDoor
from server.services.chat.chat_forms import ChatForms
from server.services.chat.chat_media import ChatMediaDesk
from server.services.chat.chat_offers import ChatOffers
from server.services.chat.chat_replies import ChatReplies
from server.services.chat.conversations import Conversations
from server.services.clocks import ProgrammeClocks
from server.services.complaints.complaint_office import ComplaintOffice
from server.services.complaints.content_checks import ContentChecks
from server.services.files.uploads import Uploads


class ChatDesk:
    """Everything the chat does behind its door, each part under its name."""

    def __init__(
        self,
        chart: Chart,
        office: ComplaintOffice,
        uploads: Uploads,
        calls: WechatCalls,
        replies: ChatReplies,
        *,
        sealer: Sealer,
        clocks: ProgrammeClocks,
        mini_appid: str,
        public_url: str,
    ) -> None:
        clock: Clock = clocks.base
        self.checks = ContentChecks(
            office.book, calls, sealer, uploads.evidence, clock, public_url=public_url
        )
        self.media = ChatMediaDesk(
            chart.media, calls, uploads, sealer, office.complaints, self.checks, replies
        )
        self.conversations = Conversations(
            chart,
            ChatOffers(office.complaints),
            ChatActs(office.complaints, self.checks),
            sealer,
            clocks,
            mini_appid=mini_appid,
        )
        self.forms = ChatForms(self.conversations, sealer, clock)

    async def forget(self, now: datetime) -> int:
        """Forget conversations that nobody goes on with, and what was sent in those that are over."""
        return await self.conversations.forget() + await self.media.sweep(now)

    def behind(self, door: ChatDoor) -> None:
        """Hear what comes through a door."""
        door.hear = self.conversations.hear
        door.on(MessageKind.MEDIA_CHECK, self.checks.heard)
