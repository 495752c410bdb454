"""Talking: the chart as it ships, offers to choose from, and messages one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from server import texts
from server.programme.chart import LONGEST_ANSWER_BYTES, Chart, Shelf, load_chart
from server.rules.chat_draft import Draft
from server.rules.chat_messages import MessageKind
from server.rules.chat_turns import Heard, Offer, Offers, Turn
from server.rules.conversation import step
from server.rules.said import written

TODAY = date(2026, 5, 20)
"""A Wednesday."""
CHART: Chart = load_chart(Path(__file__).parent.parent / "config" / "chat.toml", texts.CHAT, texts.SPOKEN)
ALL_DEEDS = frozenset({"supplement", "urge", "withdraw", "confirm", "reopen", "rate", "mailbox"})
OFFERS: Offers = {
    Shelf.PROGRAMMES: (
        Offer(0, "甲地服务券", programme="first"),
        Offer(0, "乙地服务券", programme="second"),
    ),
    Shelf.ORDERS: (Offer(7, "D-7 数字化诊断", key="D-7", programme="first"), Offer(8, "D-8 培训", key="D-8")),
    Shelf.ROUNDS: (Offer(5, "春季批次", programme="second"),),
    Shelf.CASES: (
        Offer(3, "TS-3 办理中", key="TS-3", standing="办理中", deeds=ALL_DEEDS),
        Offer(4, "TS-4 已办结", key="TS-4", standing="已办结", deeds=frozenset({"rate"})),
    ),
}
FACTS = {"number": "TS-9", "due": "5月27日", "form": "/f", "market": "/m", "grab": "/g", "phones": ""}


@dataclass
class Talk:
    """One person's conversation, message by message."""

    offers: Offers = field(default_factory=lambda: OFFERS)
    state: str = CHART.home
    draft: Draft = field(default_factory=Draft)
    turns: list[Turn] = field(default_factory=list)

    def hear(self, heard: Heard, silence: timedelta = timedelta(0)) -> str:
        """Say one thing; the answer, which always is one that WeChat takes."""
        turn = step(CHART, self.state, self.draft, heard, self.offers, today=TODAY, silence=silence)
        self.turns.append(turn)
        self.state, self.draft = turn.state, turn.draft
        answer = written(turn.says, FACTS)
        assert answer and len(answer.encode()) <= LONGEST_ANSWER_BYTES
        return answer

    def say(self, *messages: str) -> str:
        """Type these, one after another; the last answer."""
        answers = [self.hear(Heard(MessageKind.TEXT, text)) for text in messages]
        return answers[-1]

    def send(self, kind: MessageKind, row: int, text: str = "") -> str:
        """Send a picture, voice, video or file that came to be a row."""
        return self.hear(Heard(kind, text, media=row))

    def tap(self, key: str) -> str:
        """Press a menu button."""
        return self.hear(Heard(MessageKind.MENU_TAP, menu_key=key))

    @property
    def acts(self) -> Sequence[str]:
        """What was done on the way."""
        return [turn.act.value for turn in self.turns if turn.act is not None]

    @property
    def last(self) -> Turn:
        """The last step."""
        return self.turns[-1]
