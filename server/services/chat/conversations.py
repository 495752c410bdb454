"""Conversations: a message is heard, the chart goes one step, and what it asks for is done.

One short transaction: the sender is locked, so that two messages of one moment are heard one after the
other; what takes time (media, content checks) is only written down here, and done behind the answer.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from tortoise.transactions import in_transaction

from server import texts
from server.clock import CHINA
from server.errors import Refusal
from server.models.chat import ChatMedia, ChatSender, Conversation
from server.models.offices import Office
from server.programme.chart import Chart, Shelf
from server.programme.vocabulary import Actor
from server.rules.chat_draft import Draft
from server.rules.chat_messages import ChatMessage, MessageKind
from server.rules.chat_turns import Heard, Offer, Turn
from server.rules.conversation import MEDIA, asked_again, step
from server.rules.said import Say, written
from server.sealing import NotSealedByUs, Sealer
from server.services.chat.chat_acts import ChatActs
from server.services.chat.chat_offers import ChatOffers
from server.services.clocks import ProgrammeClocks

OVER: Mapping[str, object] = {"draft_sealed": "", "form_index": "", "form_until": None}
"""What is left of a conversation that has ended."""
MOST_PHONES = 3
TOKEN_BYTES = 16

log = structlog.get_logger("server.chat")


class Conversations:
    """Hears messages. ``mini_appid`` is the mini-program whose pages are linked; empty: the bare path."""

    def __init__(
        self,
        chart: Chart,
        offers: ChatOffers,
        acts: ChatActs,
        sealer: Sealer,
        clocks: ProgrammeClocks,
        *,
        mini_appid: str = "",
    ) -> None:
        self.chart, self.acts = chart, acts
        self._offers, self._sealer, self._clocks = offers, sealer, clocks
        self._mini_appid = mini_appid

    async def hear(self, message: ChatMessage) -> str | None:
        """Hear one message of a sender's; the answer. Inside the transaction that marks it as heard."""
        now = self._clocks.base.now()
        async with in_transaction():
            # The lock: the next message of this sender waits here.
            sender = await ChatSender.select_for_update(no_key=True).get(id=message.sender_id)
            row, draft = await self.live(sender, now=now)
            heard = await self._heard(message, row, now=now)
            turn, offers = await self._step(sender, row, draft, heard, now=now)
            turn, facts = await self._done(turn, sender, offers, now=now)
            await self._keep(row, turn, now=now)
            facts = {**await self._facts(turn), **facts}
            if turn.wants_form:
                facts["form"] = await self._form_link(row, now=now)
        return written(turn.says, facts)

    async def live(self, sender: ChatSender, *, now: datetime) -> tuple[Conversation, Draft]:
        """The conversation a sender is in, a new one if in none, and its draft; the sender is locked."""
        row = await Conversation.get_or_none(sender_id=sender.id, ended_at=None)
        if row is None:
            row = await Conversation.create(
                sender_id=sender.id, state=self.chart.home, started_at=now, touched_at=now
            )
        return row, self.opened(row)

    def opened(self, row: Conversation) -> Draft:
        """What was said in a conversation."""
        if not row.draft_sealed:
            return Draft()
        try:
            return Draft.unpacked(json.loads(self._sealer.open(row.draft_sealed)))
        except (NotSealedByUs, ValueError, KeyError):
            log.error("chat.draft_unreadable", conversation=row.id)
            return Draft()

    async def forget(self) -> int:
        """End every conversation that nobody has touched for so long, with what was said; how many."""
        now = self._clocks.base.now()
        old = Conversation.filter(ended_at=None, touched_at__lt=now - timedelta(days=self.chart.keep_days))
        return await old.update(ended_at=now, **OVER)

    # -- one step --------------------------------------------------------------------------------------

    async def _heard(self, message: ChatMessage, row: Conversation, *, now: datetime) -> Heard:
        """The message as the chart takes it; what was sent is written down, to be fetched at once."""
        media = 0
        if message.kind in MEDIA and message.media_id:
            kept = await ChatMedia.create(
                sender_id=row.sender_id,
                conversation_id=row.id,
                kind=message.kind,
                media_id_sealed=self._sealer.seal(message.media_id),
                next_at=now,
                received_at=now,
            )
            media = kept.id
        return Heard(message.kind, _words_of(message), message.menu_key, media)

    async def _step(
        self, sender: ChatSender, row: Conversation, draft: Draft, heard: Heard, *, now: datetime
    ) -> tuple[Turn, dict[Shelf, tuple[Offer, ...]]]:
        """The step, taken again with whatever offers it turned out to look at: it is pure."""
        slug = draft.get("programme")
        today = (self._clocks.now(slug) if slug else now).astimezone(CHINA).date()
        offers = dict(self._offers.programmes())
        while True:
            turn = step(
                self.chart, row.state, draft, heard, offers, today=today, silence=now - row.touched_at
            )
            missing = turn.looked - offers.keys()
            if not missing:
                return turn, offers
            offers |= await self._offers.of(sender, missing)

    async def _done(
        self, turn: Turn, sender: ChatSender, offers: Mapping[Shelf, tuple[Offer, ...]], *, now: datetime
    ) -> tuple[Turn, Mapping[str, str]]:
        """Do what an end asks for; if it cannot be done, it is said why, and nothing of the draft is gone."""
        if turn.act is None:
            return turn, {}
        try:
            # A savepoint: a refusal takes back what was begun, and the message is heard all the same.
            async with in_transaction():
                return turn, await self.acts.do(turn.act, turn.acted, sender, now=now)
        except Refusal as refusal:
            today = now.astimezone(CHINA).date()
            question = asked_again(self.chart, turn.refused, turn.acted, offers, today=today)
            said = (Say("refused", {"why": texts.sentence(refusal)}), *question)
            return Turn(turn.refused, turn.acted, said), {}

    async def _keep(self, row: Conversation, turn: Turn, *, now: datetime) -> None:
        changes: dict[str, object] = dict(OVER, ended_at=now)
        if not turn.ended:
            packed = json.dumps(turn.draft.packed(), ensure_ascii=False)
            changes = {"draft_sealed": self._sealer.seal(packed)}
        await Conversation.filter(id=row.id, version=row.version).update(
            state=turn.state, version=row.version + 1, touched_at=now, **changes
        )

    # -- what sentences name ---------------------------------------------------------------------------

    async def _facts(self, turn: Turn) -> dict[str, str]:
        facts = {
            "market": self._link(self.chart.market_path),
            "grab": self._link(self.chart.grab_path),
            "phones": "",
        }
        if any("{phones}" in texts.CHAT[one.key] for one in turn.says):
            facts["phones"] = await self._phones(turn.draft.get("programme"))
        return facts

    async def _phones(self, slug: str) -> str:
        """Where else one finds a person: the operators' published numbers."""
        offices = Office.filter(actor=Actor.OPERATOR, closed_at=None).exclude(phone="")
        if slug:
            offices = offices.filter(programme_slug=slug)
        known = dict.fromkeys([f"{one.name} {one.phone}" for one in await offices.order_by("id").limit(20)])
        listed = texts.LIST.join(list(known)[:MOST_PHONES])
        return texts.CHAT_WORDS["phones"].format(phones=listed) if listed else ""

    async def _form_link(self, row: Conversation, *, now: datetime) -> str:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        await Conversation.filter(id=row.id).update(
            form_index=self._sealer.blind(token),
            form_until=now + timedelta(minutes=self.chart.form_minutes),
        )
        return self._link(self.chart.form_path.format(token=token))

    def _link(self, path: str) -> str:
        if not self._mini_appid:
            return path
        words = texts.CHAT_WORDS
        return words["link"].format(appid=self._mini_appid, path=path, label=words["link_label"])


def _words_of(message: ChatMessage) -> str:
    """What a message says in words: of a voice what WeChat heard, of a place or a link what it names."""
    data = {name: str(value) for name, value in message.data.items()}
    if message.kind is MessageKind.VOICE:
        return data.get("recognition", "")
    if message.kind is MessageKind.LOCATION:
        place = {name: data.get(name, "") for name in ("label", "latitude", "longitude")}
        return texts.CHAT_WORDS["place"].format_map(place)
    if message.kind is MessageKind.LINK:
        link = {name: data.get(name, "") for name in ("title", "url")}
        return texts.CHAT_WORDS["web_link"].format_map(link)
    return message.text
