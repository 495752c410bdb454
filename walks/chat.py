"""`make chat`: every path of the chat's chart, walked by people whom WeChat and two dying servers disturb.

A process of its own plays WeChat (``walks.wechat_phones``): it signs, encrypts, delivers twice, hangs up and
tries again. Both servers are killed while people talk. Afterwards the desks are read: everything handed in
must be there once and as it was said, what was dropped must not, and no identity may stand where it does not
belong. Exits 1 otherwise.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random

from aiohttp import ClientSession, TCPConnector

from standin.wechat import DEMO_APPID, DEMO_OA_APPID
from tools.processes import ProcessFailed
from walks.callers import Caller, WalkFailed
from walks.chat_cases import CaseTalk
from walks.chat_paths import Paths, further, shuffled
from walks.chat_phones import PhoneLine
from walks.chat_talk import Conversation, Talk
from walks.chat_verdict import Verdict, judge
from walks.chat_world import KEY, TOKEN, ChatWorld, a_chat_world

CALLBACK = "/api/v1/wechat/callback"
AT_ONCE = 16
DISTURBANCE = 0.12
SAID_EVERY = 100
KILLS, BETWEEN_KILLS = 2, 40


class Walk:
    """All conversations of one walk."""

    def __init__(self, world: ChatWorld, line: PhoneLine, paths: Paths, random: Random, most: int) -> None:
        self.world = world
        self.paths = paths
        self.random = random
        self.line = line
        self.most = most
        self.plans: list[tuple[int, ...]] = [()]
        self.known: set[tuple[int, ...]] = {()}
        self.under_way = 0
        self.done: list[Conversation] = []
        self._many = [asyncio.Event() for _ in range(KILLS)]

    async def explore(self) -> None:
        """Walk plan after plan, several at once, until no new one follows from any."""
        accidents = asyncio.create_task(self._accidents())
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(self._people())
        finally:
            for many in self._many:
                many.set()
            await accidents

    async def _people(self) -> None:
        while self.plans or self.under_way:
            if len(self.done) + self.under_way >= self.most:
                return
            if not self.plans:
                await asyncio.sleep(0.05)
                continue
            plan = shuffled(self.plans, self.random)
            self.under_way += 1
            try:
                await self._one(plan)
            finally:
                self.under_way -= 1

    async def _one(self, plan: tuple[int, ...]) -> None:
        number = len(self.done) + self.under_way
        mark = _mark(number, self.random)
        # The mini-program hears its answers later, each as a message of its own.
        account = "mini" if number % 10 == 3 else "official"
        one = Conversation(f"o{mark}phone{number}", account, mark, plan)
        # A path found by somebody who was disturbed would be a path of the disturbance.
        disturbance = DISTURBANCE if number % 2 else 0.0
        await Talk(self.line, self.paths, self.random, disturbance=disturbance).walk(one)
        self.done.append(one)
        if not len(self.done) % SAID_EVERY:
            print(f"  {len(self.done)} conversations, {self.line.said} messages", flush=True)
        for place, many in enumerate(self._many, 1):
            if len(self.done) >= place * BETWEEN_KILLS:
                many.set()
        for next_plan in further(plan, one.counts, one.codes):
            if next_plan not in self.known:
                self.known.add(next_plan)
                self.plans.append(next_plan)

    async def _accidents(self) -> None:
        """Kill one server, then the other, each at some moment, and start it again."""
        for place in range(KILLS):
            await self._many[place].wait()
            await asyncio.to_thread(self.world.kill, place)
            self.world.children[place] = await asyncio.to_thread(self.world.start, place)


def _mark(number: int, random: Random) -> str:
    """A word of six letters and digits that nobody else says."""
    letters = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
    return f"{letters[random.randrange(10, 32)]}{number:04d}{letters[random.randrange(10, 32)]}"


async def walk(
    directory: Path, *, seed: int, most: int, whole: bool = True
) -> tuple[Walk, CaseTalk, Verdict]:
    """The whole walk and its verdict; ``whole`` off: the complaints alone, without demo data."""
    random = Random(seed)
    async with (
        a_chat_world(directory, demo=whole) as (world, wechat_url, database_url),
        ClientSession(connector=TCPConnector(force_close=True)) as http,
    ):
        line = await PhoneLine.open(
            http,
            urls=[url + CALLBACK for url in world.urls],
            wechat_url=wechat_url,
            token=TOKEN,
            key=KEY,
            official=DEMO_OA_APPID,
            mini=DEMO_APPID,
            seed=seed,
        )
        try:
            talks = Walk(world, line, Paths(), random, most)
            await talks.explore()
            anybody = Caller(http, world.urls[0])
            verdict = await judge(talks.done, anybody, database_url, world.logs())
            cases = CaseTalk(line, talks.paths, random, world)
            if whole:
                try:
                    await cases.walk(talks.done, http)
                except WalkFailed as broken:
                    cases.wrong.append(str(broken))  # What was judged before stands.
            return talks, cases, verdict
        finally:
            await line.close()


def main() -> int:
    """0 when nothing was lost, doubled or leaked and the whole chart was walked."""
    parser = argparse.ArgumentParser(description="Walk every path of the chat's chart.")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--most", type=int, default=10_000, help="at most so many conversations")
    told = parser.parse_args()
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="qiquan-chat-") as name:
        try:
            talks, cases, verdict = asyncio.run(walk(Path(name), seed=told.seed, most=told.most))
        except (WalkFailed, ProcessFailed, ExceptionGroup) as broken:
            print(f"  {broken!r}"[:4000])
            print("chat: the walk broke off")
            return 1
    for what in (verdict.lost, verdict.doubled, verdict.leaked, verdict.wrong, cases.wrong):
        for fault in what[:20]:
            print(f"  {fault}")
    unwalked = cases.unwalked(talks.done) if not talks.plans else ["cut short"]
    for edge in unwalked:
        print(f"  not walked: {edge}")
    disturbed = sum(one.disturbed for one in talks.done)
    print(
        f"  {talks.line.said} messages, {disturbed} disturbances, {KILLS} servers killed,"
        f" {time.monotonic() - begun:.0f} s"
    )
    is_good = verdict.is_good and not cases.wrong and not unwalked
    print(
        f"chat: {len(talks.done) + cases.conversations} conversations (every path of the chart, shuffled"
        f" and interrupted), {verdict.filed} cases filed, {len(verdict.lost)} lost,"
        f" {len(verdict.doubled)} doubled, {len(verdict.leaked)} identities leaked"
        + ("" if is_good else ", NOT GOOD")
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
