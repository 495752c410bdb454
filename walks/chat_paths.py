"""The paths of the chat's chart, found by walking it: at each question, everything that can be answered.

A plan says which option to take at the first, the second, the third question. Whoever walks a plan reports
how many options there were at each; from that follow the plans that leave it at one question and have not
been walked. Walked to the end, every path was taken once. Only the chart's file is read here, none of the
server's code.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

CHART = Path("config/chat.toml")
DONE, SKIP = "完成", "跳过"
READ_BACK = "readback"
GIVEN = "安邦晨德恩帆刚海嘉凯岚明宁培清荣森涛维欣毅卓博达芳贵浩俊兰梅诺鹏琪瑞思"
"""A name for every mark, in letters of which names are made."""


@dataclass(frozen=True, slots=True)
class Option:
    """One way to answer a question: ``moves`` are said one after the other; ``@image`` sends a picture.

    ``choice`` is the code of a numbered choice; its number is read from the question.
    """

    moves: tuple[str, ...]
    choice: str = ""
    field: str = ""
    passes: bool = False


class Paths:
    """Which plans are still to be walked."""

    def __init__(self, chart: Path = CHART) -> None:
        states = tomllib.loads(chart.read_text(encoding="utf-8"))["state"]
        self.states: dict[str, dict[str, Any]] = {one["code"]: one for one in states}

    def options(self, code: str, offered: int, mark: str) -> list[Option]:
        """Everything that can be answered in a state; ``offered`` numbered things are shown there.

        ``mark`` is found in every text that is said, so that it can be looked for afterwards.
        """
        state = self.states[code]
        field = str(state.get("field", ""))
        if state["ask"] == "choice":
            return [Option((), one["code"], field) for one in state["choice"] if not one.get("deed")]
        found = [Option(moves, "", field) for moves in _answers(state, offered, mark)]
        if state.get("optional"):
            found.append(Option((SKIP,), "", field, passes=True))
        return found


def _answers(state: dict[str, Any], offered: int, mark: str) -> Iterator[tuple[str, ...]]:
    ask = state["ask"]
    if ask == "offer":
        if offered:
            yield ("1",)
        if state.get("bare"):
            yield (f"写明的对象{mark}",)
    elif ask == "text":
        yield (f"这里写的是{state['code']}{mark}。",)
    elif ask == "collect":
        yield (f"补充{mark}", "@image", DONE)
    elif ask == "day":
        yield ("昨天",)
    elif ask == "name":
        yield (f"诸葛{''.join(GIVEN[int(letter, 36) % len(GIVEN)] for letter in mark)}",)
    elif ask == "contact":
        yield (f"139{int(mark, 36) % 10**8:08d}",)
    elif ask == "media":
        yield ("@image", DONE)


def further(plan: Sequence[int], counts: Sequence[int], codes: Sequence[str]) -> Iterator[tuple[int, ...]]:
    """The plans that leave this one at a question behind its prefix.

    ``plan`` is the prefix that was given, ``counts`` how many options there were at every question that
    came. From the read-back on, where nothing depends on what was answered before, a path branches only
    where every earlier answer but the first was the plainest.
    """
    read_back = codes.index(READ_BACK) if READ_BACK in codes else len(codes)
    for place in range(len(plan), len(counts)):
        walked = (*plan, *([0] * (place - len(plan))))
        if place >= read_back and any(walked[1:read_back]):
            continue
        for option in range(1, counts[place]):
            yield (*walked, option)


def shuffled(plans: list[tuple[int, ...]], random: Random) -> tuple[int, ...]:
    """Take any of the plans out of the list."""
    place = random.randrange(len(plans))
    plans[place], plans[-1] = plans[-1], plans[place]
    return plans.pop()
