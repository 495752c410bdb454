"""The administrators: every change is made in the database first, then Redis is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.simulation.memory_store import MemoryDatabase, RoundRow, Session
from tests.simulation.process import BUDGET, ServerProcess

if TYPE_CHECKING:
    from tests.simulation.world import World

Words = tuple[str | int, ...]
Prepared = tuple[Words, Callable[[], None]]
"""What Redis is told, and what is written."""

MOVES = {
    "publish": ("draft", "scheduled"),
    "pause": ("scheduled", "paused"),
    "resume": ("paused", "scheduled"),
    "close": ("scheduled", "closed"),
    "reopen": ("closed", "scheduled"),
}


class Administration:
    """Draws what is changed and when."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.random = world.random
        kinds = [*MOVES, "top up", "cut", "bar", "entitle", "window"]
        self.kinds = self.random.sample(kinds, self.random.randint(1, 5))
        self.mean_seconds = self.random.choice((0.1, 0.4, 1.5))
        self._deeds: list[tuple[ServerProcess, asyncio.Task[None]]] = []

    def begin(self, until: float) -> None:
        """Change something now and then; what is left draft or closed is opened in the end."""
        self._next(until)
        self.world.universe.after(until + 0.1, self._change, "publish")
        if self.random.random() < 0.5:
            self.world.universe.after(until + 0.2, self._change, "resume")
            self.world.universe.after(until + 0.3, self._change, "reopen")

    def _next(self, until: float) -> None:
        universe = self.world.universe
        delay = self.random.expovariate(1 / self.mean_seconds)
        if universe.now + delay < until:
            universe.after(delay, self._change, self.random.choice(self.kinds))
            universe.after(delay, self._next, until)

    def _change(self, kind: str) -> None:
        process = self.world.process()
        if not process.loop.dead:
            each = self.random.choice(list(self.world.database.rounds.values()))
            work = self._administer(process, kind, each)
            self._deeds.append((process, self.world.universe.spawn(process.loop, work)))

    def all_done(self) -> bool:
        """Whether every change is made and told, or died with its process."""
        return all(task.done() or process.loop.dead for process, task in self._deeds)

    async def _administer(self, process: ServerProcess, kind: str, each: RoundRow) -> None:
        """As the product does: lock, change, version + 1, commit; then tell Redis, if one still can."""
        world, store = self.world, process.store
        try:
            async with store.session("read") as session:
                await session.lock(BUDGET)
                await process.wire.trip(session)
                prepared = self._prepare(kind, each)
                if prepared is None:
                    return
                words, write = prepared
                version = self._stage(session, write)
        except world.product.grab_store.OutcomeUnknown:
            return
        world.universe.counts[f"round: {kind}"] += 1
        if world.universe.random.random() < world.weather.admin_dies:
            world.universe.counts["administrator died before telling Redis"] += 1
            return
        process.refresh(each)
        if kind in ("publish", "reopen"):
            # What is new to Redis, or much of it, is installed.
            await process.desk.settle(process.terms)
            return
        change = world.product.grab_gate.Change(each.id, version, words)
        await process.desk.changed(process.terms, change)

    def _stage(self, session: Session, write: Callable[[], None]) -> int:
        budget = self.world.database.budgets[BUDGET]
        version = budget.version + 1
        session.writes += [write, lambda: setattr(budget, "version", version)]
        return version

    def _prepare(self, kind: str, each: RoundRow) -> Prepared | None:
        draw, database = self.random, self.world.database
        if kind in MOVES:
            before, after = MOVES[kind]
            if each.status != before:
                return None
            return ("status", after), lambda: setattr(each, "status", after)
        if each.status == "draft":
            return None
        enterprise_id = draw.choice(list(self.world.enterprises))
        match kind:
            case "top up" | "cut":
                return self._money(kind, each)
            case "bar":
                seat = (each.id, enterprise_id)
                return ("bar", enterprise_id), lambda: drop(database, seat)
            case "entitle":
                return self._entitle(each, enterprise_id)
            case _:
                opens = each.opens_at + timedelta(seconds=draw.uniform(-0.5, 0.5))
                closes = max(opens + timedelta(seconds=1), each.closes_at)
                milliseconds = self.world.product.grab_store.milliseconds

                def shift() -> None:
                    each.opens_at, each.closes_at = opens, closes

                return ("window", milliseconds(opens), milliseconds(closes)), shift

    def _money(self, kind: str, each: RoundRow) -> Prepared | None:
        delta = self.random.choice((50, 100, 200, 300))
        if kind == "cut":
            delta = -min(delta, each.pool_fen - each.issued_fen)
        if delta == 0:
            return None
        return ("money", delta), lambda: setattr(each, "pool_fen", each.pool_fen + delta)

    def _entitle(self, each: RoundRow, enterprise_id: int) -> Prepared:
        """Entitle an enterprise, once more or otherwise than before."""
        database, seat = self.world.database, (each.id, enterprise_id)
        row = self.world.entitlement()
        taken_fen = database.taken_fen(BUDGET, enterprise_id)
        left_fen = max(
            row.quota_fen,
            *(
                other.quota_fen
                for (round_id, who), other in database.entitlements.items()
                if who == enterprise_id and round_id != each.id
            ),
            0,
        )
        words = ("entitle", enterprise_id, row.amount_fen, left_fen - taken_fen)
        return words, lambda: database.entitlements.__setitem__(seat, row)


def drop(database: MemoryDatabase, seat: tuple[int, int]) -> None:
    """Take an entitlement away."""
    database.entitlements.pop(seat, None)
