"""One conversation in the chat: a plan walked through the chart, with everything that gets in between.

WeChat delivers twice, hangs up, finds a server dead; people send stickers, ask for help, go back, and look
at something else. Whatever happens, the person reads where they are from what was said to them last, and
goes on with the plan.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image

from server import texts
from server.services.buckets import Buckets
from server.services.chat.chat_door import BURST, PER_SECOND
from walks.callers import WalkFailed
from walks.chat_paths import Option, Paths
from walks.chat_phones import PhoneLine

MOST_MESSAGES = 120
RETRIES = 3
"""WeChat delivers a message again so often; then the person has to say it again."""
WORN_OUT = 40
ASKED = 5
"""How often somebody asks for the list of their cases before giving up."""
AT_ONCE = 0.25
CALM = 0.8
"""How much of what the chat hears of one person our people say."""
OPTION = re.compile(r"^(\d+)\. (.+)$", re.MULTILINE)
NUMBER = re.compile(r"编号 ([A-Za-z0-9-]+)")


@dataclass(slots=True)
class Conversation:
    """What one person said on one plan, and what came of it."""

    openid: str
    account: str
    mark: str
    plan: Sequence[int]
    counts: list[int] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    images: int = 0
    number: str = ""
    ended: str = ""
    messages: int = 0
    disturbed: int = 0
    breath: Buckets = field(default_factory=lambda: Buckets(per_second=CALM * PER_SECOND, burst=CALM * BURST))
    edges: set[tuple[str, str]] = field(default_factory=set)
    """States and what was answered there: a choice's code, ``said`` or ``skipped``; of an end ``come to``."""

    @property
    def is_filed(self) -> bool:
        return self.ended == "filed"


class Talk:
    """Walks one plan over the phone line."""

    def __init__(self, line: PhoneLine, paths: Paths, random: Random, *, disturbance: float) -> None:
        self.line = line
        self.paths = paths
        self.random = random
        self.disturbance = disturbance
        self._places = _places(paths)

    async def walk(self, one: Conversation) -> None:
        """Begin a complaint by the menu, and answer until an end is reached."""
        heard = await self.send(one, tap_of("complaint"))
        while not one.ended:
            if one.messages > MOST_MESSAGES:
                raise WalkFailed(f"{one.mark}: no end after {one.messages} messages, at {one.codes[-3:]}")
            if self.random.random() < self.disturbance:
                heard = await self._disturb(one)
            code = self.place(heard)
            if code in ("home", ""):
                heard = await self._lost_the_end(one, heard)
                continue
            heard = await self._answer(one, code, heard)
            self._look_for_an_end(one, heard)

    # -- answering -------------------------------------------------------------------------------------

    async def _answer(self, one: Conversation, code: str, heard: str) -> str:
        """Say what the plan says here; a question that comes again is answered as it was."""
        options = self.paths.options(code, len(shown_in(heard)), one.mark)
        if not options:
            return await self.send(one, text_of("返回"))  # Beside the complaint, and nothing is shown.
        # Asked once more, perhaps in fewer words, a question may show fewer things to choose from.
        option = options[min(self._taken(one, code, len(options)), len(options) - 1)]
        if option.field and not option.passes:
            one.said[option.field] = option.choice or option.moves[0]
        return await self.say(one, code, option, heard)

    async def say(self, one: Conversation, code: str, option: Option, heard: str) -> str:
        """Answer a question in this way; what was said to it."""
        one.edges.add((code, option.choice or ("skipped" if option.passes else "said")))
        if option.choice:
            return await self.send(one, text_of(self._number_of(code, option, shown_in(heard))))
        for move in option.moves:
            if move == "@image":
                one.images += 1
                heard = await self.send(one, await self.line.image(a_picture(self.random)))
            else:
                heard = await self.send(one, text_of(move))
        return heard

    def _taken(self, one: Conversation, code: str, count: int) -> int:
        if code in one.codes:
            before = one.counts[one.codes.index(code)]
            place = one.codes.index(code)
            if code == "readback" and place < len(one.plan) and one.plan[place]:
                return 0  # Amended once, it is handed in.
            return min(one.plan[place] if place < len(one.plan) else 0, before - 1)
        place = len(one.codes)
        one.codes.append(code)
        one.counts.append(count)
        return one.plan[place] if place < len(one.plan) else 0

    def _number_of(self, code: str, option: Option, shown: Sequence[tuple[str, str]]) -> str:
        choice = next(c for c in self.paths.states[code]["choice"] if c["code"] == option.choice)
        label = texts.CHAT[choice["say"]]
        return next((number for number, words in shown if words == label), label)

    # -- what gets in between --------------------------------------------------------------------------

    async def _disturb(self, one: Conversation) -> str:
        one.disturbed += 1
        said = self.random.choice(("帮助", "[微笑]", "sticker", "99", "返回", "进度", "　", "１２"))
        if said == "sticker":
            return await self.send(one, {"MsgType": "text", "Content": "😀"})
        heard = await self.send(one, text_of(said))
        return heard if self.place(heard) else await self.send(one, text_of("帮助"))

    async def _lost_the_end(self, one: Conversation, heard: str) -> str:
        """The chart is at its beginning: the last words were lost with a server, or we never began."""
        self._look_for_an_end(one, heard)
        if one.ended:
            return heard
        if "readback" in one.codes and (number := await self._newest_case(one)):
            one.number, one.ended = number, "filed"
        return heard if one.ended else await self.send(one, tap_of("complaint"))

    async def _newest_case(self, one: Conversation) -> str:
        # Answers of two servers can overtake each other: it is asked until the list itself is the answer.
        for _ in range(ASKED):
            heard = await self.send(one, text_of("进度"))
            self._look_for_an_end(one, heard)
            if one.ended:
                return one.number
            if self._says(heard, "no_cases"):
                return ""
            if self.place(heard) == "progress":
                return re.split(r"[\s：:（]", shown_in(heard)[0][1])[0]
        raise WalkFailed(f"{one.mark}: no list of cases after asking {ASKED} times")

    # -- hearing ---------------------------------------------------------------------------------------

    async def send(self, one: Conversation, items: Mapping[str, str]) -> str:
        """One message, delivered until somebody answers; what was said, by whichever way it came."""
        for _ in range(WORN_OUT):
            await _catch_breath(one)
            one.messages += 1
            twice = self.random.random() < self.disturbance
            told = {
                **items,
                **({} if items["MsgType"] == "event" else {"MsgId": self.line.next_id()}),
                "CreateTime": self.line.next_time(one.openid),
            }
            for _ in range(RETRIES):
                answers = await self.line.say(
                    openid=one.openid,
                    account=one.account,
                    items=told,
                    deliveries=2 if twice else 1,
                    together=twice and self.random.random() < AT_ONCE,
                    cut=self.random.random() < self.disturbance / 4,
                )
                spoken = {answer for answer in answers if not answer.startswith("!")}
                if len(spoken - {""}) > 1:
                    raise WalkFailed(f"{one.mark}: one message was answered in two ways: {spoken}")
                if any(answer in ("!403", "!404", "!500", "!signature") for answer in answers):
                    raise WalkFailed(f"{one.mark}: {answers}")
                if spoken:
                    return max(spoken) or await self.line.late_answer(one.openid)
                await asyncio.sleep(self.random.random() * 0.4)
            # WeChat gives up and says so; the person says it again.
        raise WalkFailed(f"{one.mark}: nobody answered")

    def place(self, heard: str) -> str:
        """The state whose question was put last; ``""`` where none was."""
        found = [
            (match.end(), match.end() - match.start(), code)
            for code, pattern in self._places
            for match in pattern.finditer(heard)
        ]
        return max(found)[2] if found else ""

    def _says(self, heard: str, code: str) -> bool:
        """Whether a state's words are among what was said."""
        return any(pattern.search(heard) for known, pattern in self._places if known == code)

    def _look_for_an_end(self, one: Conversation, heard: str) -> None:
        code = self.place(heard)
        if code in self.paths.states and self.paths.states[code]["ask"] == "end":
            if self.paths.states[code].get("side"):
                return
            one.edges.add((code, "come to"))
            one.ended = code
            found = NUMBER.search(heard)
            one.number = found.group(1) if found else ""


async def _catch_breath(one: Conversation) -> None:
    """Nobody types faster than the chat listens, and nobody waits longer than that takes."""
    if wait := one.breath.take(0, time.monotonic()):
        await asyncio.sleep(wait)
        one.breath.take(0, time.monotonic())


def _places(paths: Paths) -> list[tuple[str, re.Pattern[str]]]:
    """How each state's question reads, whatever is filled in."""
    found = []
    for code, state in paths.states.items():
        for key in (state["say"], state.get("bare", "")):
            if key:
                pieces = re.split(r"\{[a-z_]+\}", texts.CHAT[key])
                found.append((code, re.compile(".*?".join(map(re.escape, pieces)), re.DOTALL)))
    return found


def shown_in(heard: str) -> list[tuple[str, str]]:
    """What can be chosen by number in the last question of an answer."""
    question = heard[max(heard.rfind("\n1. "), 0) :]
    return [(number, label.strip()) for number, label in OPTION.findall(question)]


def a_picture(random: Random) -> bytes:
    """A small picture that no other one is like."""
    drawn = Image.new("RGB", (32, 32), tuple(random.randrange(256) for _ in range(3)))
    drawn.putpixel((0, 0), tuple(random.randrange(256) for _ in range(3)))
    kept = BytesIO()
    drawn.save(kept, "PNG")
    return kept.getvalue()


def text_of(words: str) -> dict[str, Any]:
    """A message of nothing but words."""
    return {"MsgType": "text", "Content": words}


def tap_of(key: str) -> dict[str, Any]:
    """A tap on a button of the menu."""
    return {"MsgType": "event", "Event": "CLICK", "EventKey": key}
