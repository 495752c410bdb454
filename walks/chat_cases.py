"""What people do in the chat beside handing in a complaint: follow a case, urge, confirm, reopen, rate, ask.

Officials answer in between over the API, and time passes, so that every choice of the chart is come to.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from aiohttp import ClientSession

from walks.callers import Caller, WalkFailed
from walks.chat_paths import Option, Paths
from walks.chat_phones import PhoneLine
from walks.chat_talk import Conversation, Talk, shown_in, tap_of, text_of
from walks.chat_verdict import OPERATOR, sign_in
from walks.chat_world import ChatWorld

LONGEST = 12
ANSWERED = 8
"""Confirmed in three ways, reopened in two, and rated in three by whom the clock had closed."""
FOLLOWED = ANSWERED + 5
CLOSED_AFTER_DAYS = 60
SETTLED_SECONDS = 180


class CaseTalk:
    """Goes through the dialogues beside the complaint, each in a conversation of its own."""

    def __init__(self, line: PhoneLine, paths: Paths, random: Random, world: ChatWorld) -> None:
        self.paths = paths
        self.talk = Talk(line, paths, random, disturbance=0.0)
        self.world = world
        self.wrong: list[str] = []
        self.edges: set[tuple[str, str]] = set()
        self.conversations = 0

    async def walk(self, done: Sequence[Conversation], http: ClientSession) -> None:
        """Every dialogue, on cases that were handed in and are read by the operator."""
        # Of a programme: a case of none follows the machine's clock, which no walk can move.
        own = iter(
            [
                one
                for one in done
                if one.is_filed and "programme" in one.said and one.said.get("kind") != "official"
            ]
        )
        if sum(one.is_filed and "programme" in one.said for one in done) < FOLLOWED * 2:
            raise WalkFailed("too few cases were filed to follow them up")
        await self._strangers()
        for chosen in ("supplement", "urge", "leave"):
            await self._follow(next(own), case=chosen)
        await self._follow(next(own), case="withdraw", withdraw="no")
        await self._follow(next(own), case="withdraw", withdraw="yes")
        answered = [next(own) for _ in range(ANSWERED)]
        officer = await sign_in(Caller(http, self.world.urls[0]), OPERATOR)
        await _answer_all(officer, answered)
        for one, stars in zip(answered, "123", strict=False):
            await self._follow(one, case="confirm", satisfaction=stars)
        for one, whom in zip(answered[3:5], ("above", "mailbox"), strict=True):
            await self._follow(one, case="reopen", instance=whom)
        await asyncio.to_thread(self.world.go_on, CLOSED_AFTER_DAYS)
        officer = await sign_in(Caller(http, self.world.urls[0]), OPERATOR)
        await _until_closed(officer, answered[5:])
        for one, stars in zip(answered[5:], "123", strict=True):
            await self._follow(one, case="rate", rating=stars)

    def unwalked(self, done: Sequence[Conversation]) -> list[str]:
        """Every state that nobody came to, every choice and every passing over that nobody made."""
        walked = self.edges.union(*(one.edges for one in done))
        missing = []
        for code, state in self.paths.states.items():
            wanted = [one["code"] for one in state.get("choice", ())]
            wanted += ["skipped"] if state.get("optional") else []
            wanted += (
                []
                if wanted and state["ask"] == "choice"
                else ["come to" if state["ask"] == "end" else "said"]
            )
            missing += [f"{code}: {answer}" for answer in wanted if (code, answer) not in walked]
        return missing

    async def _strangers(self) -> None:
        """Somebody new: from home, after a person, without a case, and leaving what was begun."""
        for chosen in ("complaint", "progress", "human"):
            await self._script(
                self._somebody(), text_of("你好"), {"home": chosen}, ends=chosen != "complaint"
            )
        await self._script(self._somebody(), tap_of("human"), {})
        await self._script(self._somebody(), tap_of("progress"), {})
        for stays in ("stay", "drop"):
            one = self._somebody()
            heard = await self.talk.send(one, tap_of("complaint"))
            heard = await self.talk.send(one, text_of("1"))
            heard = await self.talk.send(one, text_of("取消"))
            if self.talk.place(heard) != "leaving":
                self.wrong.append(f"取消 leads to {self.talk.place(heard)!r}: {heard}")
                continue
            await self._script(one, None, {"leaving": stays}, heard=heard, ends=stays == "drop")

    async def _follow(self, one: Conversation, **choices: str) -> None:
        await self._script(one, tap_of("progress"), {"progress": one.number, **choices})

    async def _script(
        self,
        one: Conversation,
        begin: Mapping[str, Any] | None,
        choices: Mapping[str, str],
        *,
        heard: str = "",
        ends: bool = True,
    ) -> None:
        """Answer as told until an end is come to; with ``ends`` off one answer is enough."""
        self.conversations += 1
        if begin is not None:
            heard = await self.talk.send(one, begin)
        for _ in range(LONGEST):
            code = self.talk.place(heard)
            state = self.paths.states.get(code)
            if state is None:
                break
            self.edges |= one.edges
            if state["ask"] == "end":
                self.edges.add((code, "come to"))
                return
            heard = await self._reply(one, code, heard, choices)
            self.edges |= one.edges
            if not ends:
                return
        self.wrong.append(f"{one.mark}: {dict(choices)} came to no end, the last was: {heard}")

    async def _reply(self, one: Conversation, code: str, heard: str, choices: Mapping[str, str]) -> str:
        if code == "progress":
            one.edges.add((code, "said"))
            shown = shown_in(heard)
            number = next((place for place, label in shown if choices[code] in label), choices[code])
            return await self.talk.send(one, text_of(number))
        options = self.paths.options(code, len(shown_in(heard)), one.mark)
        if code in choices:
            return await self.talk.say(one, code, Option((), choices[code]), heard)
        if not options:
            raise WalkFailed(f"nothing is told for {code}")
        return await self.talk.say(one, code, options[0], heard)

    def _somebody(self) -> Conversation:
        number = self.conversations
        return Conversation(f"oSIDE{number:04d}someone", "official", f"S{number:04d}Z", ())


async def _answer_all(officer: Caller, answered: Sequence[Conversation]) -> None:
    """The operator takes each on, finds it true and answers."""
    for case in await _cases_of(officer, answered):
        path = f"complaint-desk/{case['id']}"
        (await officer.post(f"{path}/claim")).must(200, "a case is taken on")
        found = await officer.post(
            f"{path}/finding", finding="substantiated", reasons="核查属实，已责令改正。", serious=False
        )
        found.must(200, "a finding is made")
        (await officer.post(f"{path}/answer", words="已核实并处理。")).must(200, "a case is answered")


async def _until_closed(officer: Caller, cases: Sequence[Conversation]) -> None:
    """The clock closes what nobody confirmed."""
    for _ in range(SETTLED_SECONDS):
        if all(case["status"] == "closed" for case in await _cases_of(officer, cases)):
            return
        await asyncio.sleep(1)
    raise WalkFailed("what nobody confirmed is not closed by the clock")


async def _cases_of(officer: Caller, wanted: Sequence[Conversation]) -> list[dict[str, Any]]:
    numbers, after = {one.number for one in wanted}, 0
    found: list[dict[str, Any]] = []
    while len(found) < len(numbers):
        page = (await officer.get("complaint-desk", queue="all", after=after)).must(200, "the desk is read")
        found += [row for row in page["complaints"] if row["number"] in numbers]
        after = page["next_after"]
        if after is None:
            break
    return found
