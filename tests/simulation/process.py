"""A server process: the product's own parts, put together as the server does it, on a simulated machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from server.rules.lifecycles import RoundStatus
from tests.simulation.invariants import Invocation
from tests.simulation.memory_store import RoundRow, Session
from tests.simulation.network import MemoryLane, StormyWire
from tests.simulation.universe import Loop

if TYPE_CHECKING:
    from tests.simulation.world import World

BUDGET = 1
SERVING: ContextVar[Invocation | None] = ContextVar("serving", default=None)


class ServerProcess:
    """One life of one server process."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.loop: Loop = world.universe.loop(name)
        self.skew = timedelta(seconds=world.universe.random.uniform(-0.02, 0.02))
        self.invocations: list[Invocation] = []
        self._cards: dict[int, Any] = {}
        product = world.product
        self.terms = product.grab_commit.BudgetTerms(BUDGET, self.now)
        self.wire = StormyWire(
            world.universe, self.loop, world.database, product, world.weather, world.outage
        )
        self.store = product.memory_store.MemoryGrabStore(world.database, self.wire)
        gate = product.grab_gate.GrabGate(MemoryLane(world.redis, self.loop))
        self.desk = product.launch.LaunchDesk(gate, self.store, live=self._live, leaked=self._leaked)
        self.committer = _watched_committer(self)
        self.desk.committer = self.committer
        self.grabs = product.grabs.Grabs(self.desk, self.committer, self.store)
        self.grabs.wall_clock = world.universe.unix
        world.universe.spawn(self.loop, self.desk.run())

    def now(self) -> datetime:
        """The programme's clock as this machine has it."""
        return datetime.fromtimestamp(self.world.universe.unix(), UTC) + self.skew + self.world.offset

    def card(self, each: RoundRow) -> Any:
        """What the process keeps of a round, as it was when it last looked."""
        return self._cards.get(each.id) or self.refresh(each)

    def refresh(self, each: RoundRow) -> Any:
        """Look at a round's row."""
        self._cards[each.id] = self.world.product.grabs.RoundCard(
            each.id,
            self.terms,
            self.world.offset,
            RoundStatus(each.status),
            each.opens_at,
            each.closes_at,
        )
        return self._cards[each.id]

    async def serve(self, one: Invocation) -> Any:
        """Handle one request; the answer is noted at the instant it is given."""
        SERVING.set(one)
        self.invocations.append(one)
        ask = self.world.product.grabs.GrabAsk(one.enterprise_id, one.person_id, one.grab_key, one.attempt)
        try:
            reply = await self.grabs.grab(self.card(self.world.database.rounds[one.round_id]), ask)
            one.reply, one.answered_at = reply, self.world.universe.now
            return reply
        finally:
            one.handled = True
            self.settle(one)

    def settle(self, one: Invocation) -> None:
        """Note when nothing of a request can be written any more."""
        if one.handled and one.claims == 0 and one.over_at is None:
            one.over_at = self.world.universe.now

    def kill(self) -> None:
        """End at once. What was sent to the database arrives; the rest of it is rolled back."""
        universe = self.world.universe
        universe.kill(self.loop)
        pending: list[Session] = []
        for session in [each for each in self.world.database.sessions if each.owner is self.wire]:
            if session.committing:
                pending.append(session)
            else:
                universe.after(universe.random.uniform(0.0, 0.05), session.rollback)
        for one in self.invocations:
            one.handled = True
            if one.over_at is None and not any(
                (one.enterprise_id, one.grab_key) in session.keys for session in pending
            ):
                one.over_at = universe.now

    async def _live(self) -> Sequence[Any]:
        await self.wire.trip(None)
        rounds = [each for each in self.world.database.rounds.values() if each.status != "draft"]
        for each in rounds:
            self.refresh(each)
        budget = self.world.product.launch.LiveBudget
        return [budget(self.terms, self.world.offset, tuple(each.id for each in rounds))]

    def _leaked(self, round_id: int, leak_fen: int) -> None:
        if leak_fen:
            self.world.universe.fail(f"I7 round {round_id}: {leak_fen} fen leaked")


def _watched_committer(process: ServerProcess) -> Any:
    """The product's committer; it is only noted whose claims it has, and what it announces."""
    world = process.world
    base: Any = world.product.grab_commit.GrabCommitter

    class WatchedCommitter(base):  # type: ignore[misc]
        """The product's committer, watched."""

        def submit(self, terms: Any, epoch: int | None, claim: Any, *, patience_seconds: float) -> Any:
            one = SERVING.get()
            if one is not None:
                one.claims += 1
                self.whose[id(claim)] = (claim, one)
            if epoch is None:
                world.universe.counts["grabbed without Redis"] += 1
            return super().submit(terms, epoch, claim, patience_seconds=patience_seconds)

        async def commit(self, terms: Any, epoch: int | None, claims: Sequence[Any]) -> Any:
            if not any(id(claim) in self.whose for claim in claims):
                world.universe.counts["left-over intents recovered"] += len(claims)
            try:
                return await super().commit(terms, epoch, claims)
            except world.product.grab_commit.Fenced:
                world.universe.counts["fenced"] += 1
                raise
            except world.product.grab_store.StoreConflict as conflict:
                world.universe.fail(f"D1 the database had to refuse a row: {conflict}")
                raise
            finally:
                for claim in claims:
                    _, one = self.whose.pop(id(claim), (None, None))
                    if one is not None:
                        one.claims -= 1
                        process.settle(one)

    def announce(budget_id: int, epoch: int, decided: Sequence[tuple[Any, Any]]) -> None:
        world.watch.decided(decided)
        process.desk.announce(budget_id, epoch, decided)

    committer = WatchedCommitter(process.store, announce, observe=lambda size: None)
    committer.whose = {}
    return committer
