"""The phones: they lose answers, send again with the same key, send twice at once, and give up."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, Any

from tests.simulation.invariants import PROMISES, Invocation

if TYPE_CHECKING:
    from tests.simulation.world import World

ATTEMPTS_AT_MOST = 200


class Phones:
    """Everybody who grabs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        self.loop = world.universe.loop("phones")
        self.tasks: list[asyncio.Task[None]] = []
        self.patience = self.random.choice((0.1, 0.3, 1.0, 3.0))
        """Seconds after which a phone believes an answer lost."""
        self.hurry = self.random.choice((0.02, 0.2, 0.5))
        """Seconds, at most, between two sendings."""
        self._keys = 0
        self._attempts: Counter[str] = Counter()

    def new_key(self) -> str:
        """A key that no phone has used."""
        self._keys += 1
        return f"{self._keys:032x}"

    def begin(self, until: float) -> None:
        """Let them come: in a rush at the opening, or one by one."""
        for enterprise_id in self.world.enterprises:
            for staff in range(self.random.choice((1, 1, 2))):
                when = self.random.choice((0.0, 0.3, 1.0)) + self.random.uniform(0.0, self.hurry)
                if self.random.random() < 0.4:
                    when = self.random.uniform(0.0, until)
                work = self._grab_for(enterprise_id, enterprise_id * 10 + staff, min(when, until))
                self.tasks.append(self.world.universe.spawn(self.loop, work))

    def all_answered(self) -> bool:
        """Whether every phone is done."""
        return all(task.done() for task in self.tasks)

    def waiting(self) -> int:
        """How many are not."""
        return sum(not task.done() for task in self.tasks)

    async def _grab_for(self, enterprise_id: int, person_id: int, when: float) -> None:
        await asyncio.sleep(when)
        key, rows = self.new_key(), self.world.database.rounds
        for _ in range(self.random.choice((1, 1, 2, 3))):
            reused = self.random.random() < 0.05
            # A draft is not found by any phone.
            rounds = [each.id for each in rows.values() if each.status != "draft"]
            round_id = self.random.choice(rounds)
            key = key if reused else self.new_key()
            other = self.random.choice(rounds)
            if other != round_id and self.random.random() < 0.1:
                # A faulty phone: one key for two rounds at once.
                self.world.universe.counts["one key for two rounds"] += 1
                await asyncio.gather(
                    self._insist(enterprise_id, person_id, round_id, key),
                    self._insist(enterprise_id, person_id, other, key),
                )
                continue
            code = await self._insist(enterprise_id, person_id, round_id, key)
            if code in PROMISES and self.random.random() < 0.3:
                await asyncio.sleep(self.random.uniform(0.0, 0.5))
                await self._insist(enterprise_id, person_id, round_id, key)
            await asyncio.sleep(self.random.uniform(0.0, self.hurry))

    async def _insist(self, enterprise_id: int, person_id: int, round_id: int, key: str) -> str:
        """Ask until there is an answer that is final for this key, or patience ends; its code."""
        for patience in range(ATTEMPTS_AT_MOST):
            self._attempts[key] += 1
            attempt = self._attempts[key]
            reply = await self._send(Invocation(enterprise_id, person_id, round_id, key, attempt, 0.0))
            code = reply.code.value if reply is not None else "lost"
            if code not in ("lost", "pending", "try_again", "not_open", "paused"):
                return str(code)
            if self.world.healed and self.world.database.rounds[round_id].status == "paused":
                return str(code)
            if code in ("not_open", "paused") and (self.world.healed or self.random.random() < 0.3):
                return str(code)
            if code == "lost" and self.random.random() < 0.05:
                return "gave up"
            # Each time a little more slowly.
            wait = self.random.uniform(0.0, self.hurry) * min(1 + patience / 3, 5)
            if code != "lost" and self.random.random() < 0.5:
                wait = reply.retry_after_seconds or wait
            await asyncio.sleep(wait)
        self.world.universe.fail(f"L1 enterprise {enterprise_id}: no answer in {ATTEMPTS_AT_MOST} attempts")
        return "never"

    async def _send(self, one: Invocation) -> Any:
        """Send once, or twice at once; the first answer that comes."""
        copies = [one]
        if self.random.random() < 0.08:
            self.world.universe.counts["sent twice at once"] += 1
            copies.append(
                Invocation(one.enterprise_id, one.person_id, one.round_id, one.grab_key, one.attempt, 0.0)
            )
        first: asyncio.Future[Any] = self.loop.create_future()
        left = len(copies)

        def answered(reply: Any) -> None:
            nonlocal left
            left -= 1
            if not first.done() and (reply is not None or left == 0):
                first.set_result(reply)

        for each in copies:
            self._transmit(each, answered)
        # In the end everybody waits for the answer.
        seconds = 3.0 if self.world.healed else self.patience
        patience = self.loop.call_later(seconds, answered_with_nothing, first)
        reply = await first
        patience.cancel()
        return reply

    def _transmit(self, one: Invocation, answered: Any) -> None:
        universe, world = self.world.universe, self.world
        one.sent_at = universe.now
        world.watch.sent(one)
        if universe.random.random() < world.weather.answer_lost / 2:
            universe.counts["request lost"] += 1
            one.over_at = universe.now
            return
        universe.after(self._way(), self._arrive, one, answered)

    def _way(self) -> float:
        return self.random.uniform(0.0, 0.02)

    def _arrive(self, one: Invocation, answered: Any) -> None:
        universe, process = self.world.universe, self.world.process()
        if process.loop.dead:
            one.over_at = universe.now
            universe.after(self._way(), self._hear, answered, None)
            return
        one.process = process.name
        task = universe.spawn(process.loop, process.serve(one))
        task.add_done_callback(lambda task: self._answer(one, task, answered))
        if universe.random.random() < self.world.weather.cancelled:
            universe.counts["handler cancelled"] += 1
            universe.after(self.random.uniform(0.0, 0.1), task.cancel)

    def _answer(self, one: Invocation, task: asyncio.Task[Any], answered: Any) -> None:
        if task.cancelled():
            one.handled = True
            return
        universe = self.world.universe
        if task.exception() is not None:
            return
        if universe.random.random() < self.world.weather.answer_lost:
            universe.counts["answer lost"] += 1
            return
        universe.after(self._way(), self._deliver, one, answered)

    def _deliver(self, one: Invocation, answered: Any) -> None:
        self.world.watch.delivered(one)
        self._hear(answered, one.reply)

    def _hear(self, answered: Any, reply: Any) -> None:
        self.loop.call_soon(answered, reply)


def answered_with_nothing(first: asyncio.Future[Any]) -> None:
    """Patience is over."""
    if not first.done():
        first.set_result(None)
