"""One run: a launch, its phones, its administrators and its accidents, all drawn from one seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.simulation.accidents import Accidents
from tests.simulation.administration import Administration
from tests.simulation.invariants import Invocation, Watch
from tests.simulation.lua import LuaEngine
from tests.simulation.memory_store import BudgetRow, EntitlementRow, MemoryDatabase, RoundRow, Session
from tests.simulation.network import DatabaseOutage, RedisService, Weather
from tests.simulation.phones import Phones
from tests.simulation.process import BUDGET, ServerProcess
from tests.simulation.product import Product
from tests.simulation.universe import EPOCH_SECONDS, Universe

PROCESSES = ("one", "two")
LIVENESS_SECONDS = 30.0
"""So long after everything healed, every phone must have had its answer."""
REST_SECONDS = 3.0
RESTS = 3
"""The reconcilers put everything straight within one rest, or two or three where messages are slow."""


class World:
    """Everything of one seed."""

    def __init__(self, seed: int, product: Product, engine: LuaEngine) -> None:
        self.universe = Universe(seed)
        self.random = self.universe.random
        self.product = product
        self.offset = self.random.choice((timedelta(0), timedelta(days=3), timedelta(days=-400)))
        self.weather = Weather()
        self.database: MemoryDatabase = product.memory_store.MemoryDatabase()
        self.watch = Watch(self.universe, self.database, self.offset)
        self.database.committed = self._committed
        self.outage = DatabaseOutage(self.universe, self.database)
        self.redis = RedisService(self.universe, engine, product, self.weather)
        self.redis.ran = self.watch.balance
        self.healed = False
        self._draw_rows()
        self.processes: dict[str, ServerProcess] = {}
        for name in PROCESSES:
            self.start(name)
        self.phones = Phones(self)
        self.accidents = Accidents(self)
        self.administration = Administration(self)

    def _draw_rows(self) -> None:
        draw = self.random
        self.database.budgets[BUDGET] = BudgetRow(BUDGET)
        self.enterprises = range(1, draw.randint(3, 6) + 1)
        self.faces = draw.choice(((100, 100), (100, 200), (100, 200)))
        began = datetime.fromtimestamp(EPOCH_SECONDS, UTC) + self.offset
        for round_id in range(1, draw.choice((1, 1, 2)) + 1):
            closes = draw.uniform(0.5, 4.0) if draw.random() < 0.2 else 3600.0
            self.database.rounds[round_id] = RoundRow(
                id=round_id,
                budget_id=BUDGET,
                status="draft" if round_id > 1 and draw.random() < 0.3 else "scheduled",
                pool_fen=draw.randint(0, len(self.enterprises)) * 100 + draw.choice((0, 0, 50)),
                opens_at=began + timedelta(seconds=draw.choice((-10.0, 0.3, 1.0))),
                closes_at=began + timedelta(seconds=closes),
                valid_until=began + timedelta(days=180),
            )
            for enterprise_id in self.enterprises:
                if draw.random() < 0.85:
                    self.database.entitlements[round_id, enterprise_id] = self.entitlement()

    def entitlement(self) -> EntitlementRow:
        """What an enterprise is entitled to: one of the face values, within a year's quota."""
        face = self.random.choice(self.faces)
        return EntitlementRow("tier", face, face * self.random.choice((1, 1, 2)))

    def start(self, name: str) -> ServerProcess:
        """Start a process, or start it again."""
        self.processes[name] = ServerProcess(self, name)
        return self.processes[name]

    def process(self) -> ServerProcess:
        """Whichever process the load balancer takes."""
        return self.processes[self.random.choice(PROCESSES)]

    def _committed(self, session: Session) -> None:
        self.watch.committed(session)
        for redis in self.redis.processes:
            self.watch.balance(redis)

    def run(self) -> Counter[str]:
        """The whole seed. Returns what happened how often; raises ``Violation``."""
        universe = self.universe
        until = self.random.uniform(1.0, 4.0)
        self.phones.begin(until)
        self.accidents.begin(until)
        self.administration.begin(until)
        universe.run(until=until)
        self.accidents.heal()
        self.healed = True
        universe.run(until=until + LIVENESS_SECONDS, done=self._nobody_waits)
        if not self._nobody_waits():
            universe.fail(f"L1 phones without an answer: {self.phones.waiting()}")
        for _ in range(RESTS):
            universe.run(until=universe.now + REST_SECONDS)
            breach = self.watch.unsettled(self.redis.up)
            if not breach:
                break
        else:
            universe.fail(breach)
        self.watch.at_rest()
        self._probe()
        universe.run(until=universe.now)
        return universe.counts

    def _nobody_waits(self) -> bool:
        return self.phones.all_answered() and self.administration.all_done()

    # -- at rest, every question has one true answer

    def _probe(self) -> None:
        for voucher in list(self.database.vouchers.values()):
            self._probe_winner(voucher.enterprise_id, voucher.round_id, voucher.grab_key, voucher.id)
        seats = [
            (enterprise_id, each.id)
            for each in self.database.rounds.values()
            if each.status != "draft"
            for enterprise_id in self.enterprises
        ]
        self.random.shuffle(seats)
        # The same process twice in a row, so that its latch is asked while it holds.
        process = self.process()
        for enterprise_id, round_id in seats:
            self._probe_seat(process, enterprise_id, round_id)
            if self.random.random() < 0.3:
                process = self.process()

    def _probe_winner(self, enterprise_id: int, round_id: int, grab_key: str, voucher_id: int) -> None:
        """I6: every row was told, or is found by asking again and by looking it up."""
        process = self.process()
        card = process.card(self.database.rounds[round_id])
        found = self._do(process, lambda: process.grabs.recorded(card, enterprise_id, grab_key))
        told = self._ask(process, enterprise_id, round_id, grab_key, attempt=9)
        for reply in (found, told):
            if reply is None or reply.code != "granted" or reply.voucher.id != voucher_id:
                self.universe.fail(f"I6 the winner of voucher {voucher_id} asks again and is told {reply}")

    def _probe_seat(self, process: ServerProcess, enterprise_id: int, round_id: int) -> None:
        """I8: nobody who can be granted is refused, and a refusal says the true reason."""
        expected = self.watch.expected(enterprise_id, round_id, process.now())
        reply = self._ask(process, enterprise_id, round_id, self.phones.new_key(), attempt=1)
        self.universe.counts[f"probed {expected}"] += 1
        if not self.watch.is_true(reply.code.value, expected, enterprise_id, round_id):
            self.universe.fail(
                f"I8 enterprise {enterprise_id} in round {round_id} at rest: {expected} expected,"
                f" told {reply.code.value}"
            )

    def _ask(self, process: ServerProcess, enterprise_id: int, round_id: int, key: str, attempt: int) -> Any:
        one = Invocation(enterprise_id, 1, round_id, key, attempt, self.universe.now)
        self.watch.sent(one)
        return self._do(process, lambda: process.serve(one))

    def _do(self, process: ServerProcess, work: Callable[[], Any]) -> Any:
        task: asyncio.Task[Any] = self.universe.spawn(process.loop, work())
        self.universe.run(until=self.universe.now + 10.0, done=task.done)
        if not task.done():
            self.universe.fail("L1 no answer at rest")
            self.universe.run(until=self.universe.now)
        return task.result()
