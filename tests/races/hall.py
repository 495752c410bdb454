"""The hall: launches on real PostgreSQL and Redis, with as many server processes' parts as a test wants.

A :class:`Worker` is what one process brings to a launch, wired as ``server/app.py`` wires it, without HTTP
and without its background loop: a test says when it reconciles. Everything runs on one event loop, and
every worker has connections of its own, so workers meet each other in Redis and in the database alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from redis.asyncio import Redis

from server.app import grab_store
from server.clock import CHINA, SystemClock
from server.gateways.grab_gate import GateAnswer, GrabGate
from server.gateways.redis_lane import RedisLane
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.models.vouchers import GrabDecision, Voucher
from server.programme.registry import Programmes
from server.rules.grabbing import Claim
from server.services.budgets import ledger
from server.services.clocks import ProgrammeClocks
from server.services.rounds.grab_commit import Decided, GrabCommitter
from server.services.rounds.grabs import GrabAsk, GrabCode, GrabReply, Grabs
from server.services.rounds.launch import Footing, LaunchDesk, reserved_at
from server.services.rounds.round_book import RoundBook
from server.services.rounds.rounds import RoundPlan, Rounds
from server.services.sanctions.blocklist import Blocklist
from tests.factories import DAY, HOUR, OPERATOR, PROGRAMME, PROGRAMMES, grab_key, make_budget, make_qualified

FACE_FEN = 1_000_000
"""What most enterprises are granted."""
LARGER_FACE_FEN = 2_000_000
LARGER = ("newly_above_scale",)
"""The label that makes the face value larger."""
PATIENCE_SECONDS = 40.0
PASSING = frozenset({GrabCode.PENDING, GrabCode.TRY_AGAIN})


async def until(condition: Callable[[], Awaitable[Any]]) -> Any:
    """Poll until the condition holds and return what it said; fails when it never does."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not (said := await condition()):  # noqa: ASYNC110 - what is waited for happens elsewhere
            await asyncio.sleep(0.01)
        return said


class Worker:
    """One server process' part in a launch."""

    def __init__(self, hall: Hall, database_url: str, redis_url: str) -> None:
        self.lane = RedisLane(redis_url)
        self.gate = GrabGate(self.lane)
        self.store = grab_store(database_url)
        self.leaks: dict[int, int] = {}
        self.desk = LaunchDesk(
            self.gate, self.store, live=lambda: self.book.live(), leaked=self.leaks.__setitem__
        )
        self.committer = GrabCommitter(self.store, self.desk.announce, observe=lambda _: None)
        self.desk.committer = self.committer
        self.rounds = Rounds(hall.programmes, hall.clocks, self.desk)
        self.book = RoundBook(self.rounds)
        self.grabs = Grabs(self.desk, self.committer, self.store)
        self.blocklist = Blocklist(hall.programmes, hall.clocks, self.rounds)

    async def ask(
        self,
        row: Round,
        enterprise: Organisation,
        *,
        key: str | None = None,
        attempt: int = 1,
        person: int = 1,
    ) -> GrabReply:
        """One request of a phone, answered: "pending", too, where two seconds did not suffice."""
        card = await self.book.card(row.id)
        return await self.grabs.grab(card, GrabAsk(enterprise.id, person, key or grab_key(), attempt))

    async def grab(
        self,
        row: Round,
        enterprise: Organisation,
        *,
        key: str | None = None,
        attempt: int = 1,
        person: int = 1,
    ) -> GrabReply:
        """A phone that sends its key again while nothing is decided; meanwhile the desk's loop passes."""
        key = key or grab_key()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                reply = await self.ask(row, enterprise, key=key, attempt=attempt, person=person)
                if reply.code not in PASSING:
                    return reply
                attempt += 1
                # Whatever is away, the loop goes on, as the desk's own does.
                with suppress(Exception):
                    await self.reconcile()

    async def footing(self, row: Round) -> Footing:
        """What this worker stands on, once Redis is sure."""
        footing = await self.desk.make_sure((await self.book.card(row.id)).terms)
        assert footing is not None
        return footing

    async def admit(
        self, row: Round, enterprise: Organisation, key: str, *, footing: Footing | None = None
    ) -> GateAnswer:
        """What the gate says to a grab; an admitted one stays undecided, as if its worker had died."""
        card = await self.book.card(row.id)
        stand = footing or await self.footing(row)
        return await self.gate.grab(
            row.budget_id,
            row.id,
            epoch=stand.epoch,
            run_id=stand.run_id,
            offset_ms=card.offset_ms,
            enterprise_id=enterprise.id,
            person_id=1,
            grab_key=key,
        )

    async def commit(
        self, row: Round, enterprise: Organisation, key: str, admitted: GateAnswer, epoch: int
    ) -> Decided:
        """Commit what the gate admitted."""
        card = await self.book.card(row.id)
        claim = Claim(
            row.id,
            enterprise.id,
            1,
            key,
            admitted.amount_fen,
            admitted.place,
            reserved_at(admitted.place, card.offset),
        )
        return (await self.committer.commit(card.terms, epoch, [claim]))[0]

    async def reconcile(self) -> None:
        """One pass of the launch desk's loop."""
        for budget in await self.book.live():
            await self.desk.reconcile(budget)

    async def close(self) -> None:
        """End in good order."""
        await self.committer.drain()
        self.lane.close()
        await self.store.close()


@dataclass
class Hall:
    """A database that the ORM has open, a Redis, and the money of a year."""

    database_url: str
    redis_url: str
    programmes: Programmes
    clocks: ProgrammeClocks
    stack: AsyncExitStack
    redis: Redis
    budget: Budget

    @property
    def now(self) -> datetime:
        return self.clocks.now(PROGRAMME)

    def worker(self, *, database_url: str = "", redis_url: str = "") -> Worker:
        """One more server process, behind other addresses if wanted."""
        worker = Worker(self, database_url or self.database_url, redis_url or self.redis_url)
        self.stack.push_async_callback(worker.close)
        return worker

    async def enterprises(self, count: int, *, labels: tuple[str, ...] = ()) -> list[Organisation]:
        """So many qualified enterprises."""
        programme = self.programmes.get(PROGRAMME)
        return [await make_qualified(programme, labels=labels, at=self.now) for _ in range(count)]

    async def open_round(self, worker: Worker, *, vouchers: int, **plan: Any) -> Round:
        """A published round, open for a day, with money for so many vouchers of the usual face value."""
        whole = RoundPlan(
            title="抢券",
            opens_at=self.now - HOUR,
            closes_at=self.now + DAY,
            pool_fen=vouchers * FACE_FEN,
            valid_until=self.now + 30 * DAY,
        )
        drafted = await worker.rounds.plan(self.budget.id, replace(whole, **plan), actor=OPERATOR)
        return await worker.rounds.schedule(drafted.id, actor=OPERATOR)

    # -- what stands in Redis

    def key(self, row: Round, part: str = "") -> str:
        """A key of a round in Redis."""
        return f"{{budget:{row.budget_id}}}:round:{row.id}{part}"

    async def remaining_fen(self, row: Round) -> int:
        return int(await self.redis.hget(self.key(row), "remaining_fen") or -1)

    async def undecided(self, row: Round) -> int:
        return int(await self.redis.xlen(self.key(row, ":intents")))

    # -- what must hold

    async def vouchers(self, row: Round) -> int:
        """How many vouchers of a round there are; never two of one enterprise, and the books balance."""
        owners = await Voucher.filter(round_id=row.id).values_list("enterprise_id", flat=True)
        assert len(owners) == len(set(owners))
        assert await ledger.verify() == []
        return len(owners)

    async def decision(self, enterprise: Organisation, key: str) -> str | None:
        """What is stored under a key."""
        decided = await GrabDecision.get_or_none(enterprise_id=enterprise.id, grab_key=key)
        return decided and decided.outcome.value

    async def at_rest(self, row: Round) -> bool:
        """I7: nothing undecided, and Redis has left what the database has left, at its epoch and version."""
        fresh = await Round.get(id=row.id).select_related("budget")
        state = await self.redis.hmget(f"{{budget:{row.budget_id}}}", "epoch", "version")
        return (
            await self.undecided(row) == 0
            and await self.remaining_fen(row) == fresh.pool_fen - fresh.issued_fen
            and [int(one or -1) for one in state] == [fresh.budget.epoch, fresh.budget.version]
        )


@asynccontextmanager
async def a_hall(database_url: str, redis_url: str) -> AsyncIterator[Hall]:
    """A hall on a database that the ORM has open already; the programme lives on its demo day."""
    programmes = Programmes.load(PROGRAMMES)
    programme = programmes.get(PROGRAMME)
    today = SystemClock().now().astimezone(CHINA).date()
    clocks = ProgrammeClocks(SystemClock(), {PROGRAMME: programme.demo_today - today or timedelta(0)})
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(Redis.from_url(redis_url, decode_responses=True))
        budget = await make_budget(programme, at=clocks.now(PROGRAMME))
        yield Hall(database_url, redis_url, programmes, clocks, stack, redis, budget)
