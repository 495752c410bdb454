"""Committing grabs: the winners of the last few milliseconds in one transaction.

The only way a voucher of a grabbed round comes to be. One committer serves a process; it takes whatever
waits, so groups grow with the crowd by themselves. A transaction whose outcome is unknown is repeated as
it is until the database answers: every request is decided once, by its key (launch.md C4).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import NamedTuple

import structlog

from server.gateways.grab_store import GrabStore, OutcomeUnknown, StoreConflict, VoucherFacts
from server.rules.grabbing import Claim, Decision, GrabOutcome, decide

GROUP_SIZE = 300
ANSWERS_AT_ONCE = 8
"""Handlers woken in one turn of the event loop; the next transaction waits for no more than these."""
FIRST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 1.0
SWEEP_SECONDS = 0.1
CALM_SECONDS = 1.0
"""How long other work steps aside for a crowd at a time. It is done all the same: a crowd may stay."""

log = structlog.get_logger("server.grabs")


class Fenced(Exception):
    """The claims were admitted under an older epoch; ask again with the same keys."""


class Decided(NamedTuple):
    """What a claim came to, with its voucher where there is one. ``FENCED`` has no decision."""

    outcome: GrabOutcome | None
    place: str
    voucher: VoucherFacts | None
    voucher_id: int | None
    decided_at: datetime | None


FENCED = Decided(None, "", None, None, None)
"""Nothing was decided: the epoch moved on."""


@dataclass(frozen=True, slots=True)
class BudgetTerms:
    """What the committer must know of a budget: which it is, and its clock."""

    budget_id: int
    now: Callable[[], datetime]


@dataclass(slots=True)
class _Waiting:
    """A claim in the queue, with whoever waits for it until ``deadline`` (event-loop seconds)."""

    claim: Claim
    epoch: int | None
    deadline: float
    future: asyncio.Future[Decided | None]


Announce = Callable[[int, int, Sequence[tuple[Claim, Decided]]], None]
"""Called after each commit with the budget, the epoch and what was decided."""


class GrabCommitter:
    """Queues per budget, one transaction at a time each.

    ``announce`` hears of every decided group after its commit; it closes the intents in Redis.
    """

    def __init__(self, store: GrabStore, announce: Announce, *, observe: Callable[[int], None]) -> None:
        self.store = store
        self.announce = announce
        self.observe = observe
        self._queues: dict[int, deque[_Waiting]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._unanswered: deque[_Waiting] = deque()
        self._sweeper: asyncio.TimerHandle | None = None

    def waiting(self, budget_id: int) -> int:
        """How many claims of a budget wait for their transaction."""
        return len(self._queues.get(budget_id, ()))

    def submit(
        self, terms: BudgetTerms, epoch: int | None, claim: Claim, *, patience_seconds: float
    ) -> asyncio.Future[Decided | None]:
        """Queue a claim. The future yields its decision, or ``None`` when patience runs out first.

        The claim itself goes on: giving up waiting never gives up the transaction.
        ``epoch`` is ``None`` for a claim that Redis never saw.
        """
        loop = asyncio.get_running_loop()
        one = _Waiting(claim, epoch, loop.time() + patience_seconds, loop.create_future())
        queue = self._queues.setdefault(terms.budget_id, deque())
        queue.append(one)
        self._unanswered.append(one)
        if self._sweeper is None:
            self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep)
        worker = self._workers.get(terms.budget_id)
        if worker is None or worker.done():
            self._workers[terms.budget_id] = loop.create_task(self._work(terms, queue))
        return one.future

    async def calm(self) -> None:
        """Wait until nobody waits for a commit of this process, or :data:`CALM_SECONDS` at most."""
        busy = [worker for worker in self._workers.values() if not worker.done()]
        if busy:
            await asyncio.wait(busy, timeout=CALM_SECONDS)

    async def drain(self) -> None:
        """Wait until every queue is empty; for an orderly stop."""
        while self._workers:
            await asyncio.gather(*self._workers.values(), return_exceptions=True)
            self._workers = {key: task for key, task in self._workers.items() if not task.done()}
        if self._sweeper is not None:
            self._sweeper.cancel()

    def _sweep(self) -> None:
        """Let those go whose patience ran out: one timer for all, in order of arrival."""
        loop = asyncio.get_running_loop()
        while self._unanswered and (
            self._unanswered[0].future.done() or self._unanswered[0].deadline <= loop.time()
        ):
            one = self._unanswered.popleft()
            if not one.future.done():
                one.future.set_result(None)
        self._sweeper = loop.call_later(SWEEP_SECONDS, self._sweep) if self._unanswered else None

    async def _work(self, terms: BudgetTerms, queue: deque[_Waiting]) -> None:
        while queue:
            epoch = queue[0].epoch
            group: list[_Waiting] = []
            while queue and queue[0].epoch == epoch and len(group) < GROUP_SIZE:
                group.append(queue.popleft())
            await self._decide_group(terms, epoch, group)

    async def _decide_group(self, terms: BudgetTerms, epoch: int | None, group: list[_Waiting]) -> None:
        try:
            decided = await self.commit(terms, epoch, [one.claim for one in group])
        except Fenced:
            decided = [FENCED] * len(group)
        except StoreConflict as conflict:
            if len(group) > 1:
                for one in group:
                    await self._decide_group(terms, epoch, [one])
                return
            # An invariant would have been broken. Better to leave this one undecided than to guess.
            log.critical("grab.conflict", place=group[0].claim.place, conflict=str(conflict))
            return
        self.observe(len(group))
        self._tell(zip(group, decided, strict=True))

    def _tell(self, results: Iterator[tuple[_Waiting, Decided]]) -> None:
        """Wake those who wait, a few now and the others in later turns of the event loop.

        All at once they would keep the loop busy for as long as a whole transaction takes, and every round
        trip of the next one would wait for them.
        """
        told = 0
        for one, result in islice(results, ANSWERS_AT_ONCE):
            if not one.future.done():
                one.future.set_result(result)
            told += 1
        if told == ANSWERS_AT_ONCE:
            asyncio.get_running_loop().call_soon(self._tell, results)

    async def commit(self, terms: BudgetTerms, epoch: int | None, claims: Sequence[Claim]) -> list[Decided]:
        """Decide a group durably. Raises :class:`Fenced`; repeats whatever the database left open."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                decided = await self._transaction(terms, epoch, claims)
                break
            except OutcomeUnknown:
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
        if epoch is not None:
            self.announce(terms.budget_id, epoch, list(zip(claims, decided, strict=True)))
        return decided

    async def _transaction(
        self, terms: BudgetTerms, epoch: int | None, claims: Sequence[Claim]
    ) -> list[Decided]:
        async with self.store.transaction() as transaction:
            mark = await transaction.lock(terms.budget_id)
            if epoch is not None and mark.epoch != epoch:
                raise Fenced()
            now = terms.now()
            standing = await transaction.standing(terms.budget_id, claims)
            decisions = decide(claims, standing)
            vouchers = await transaction.record(mark, decisions, now)
            if epoch is None and vouchers:
                # Redis was passed by: the version tells every worker to rebuild it.
                await transaction.raise_version(terms.budget_id)
        return [_decided(one, vouchers, now) for one in decisions]


def _decided(decision: Decision, vouchers: Mapping[tuple[int, int], VoucherFacts], now: datetime) -> Decided:
    voucher: VoucherFacts | None = None
    voucher_id = decision.voucher_id
    if decision.outcome in (GrabOutcome.GRANTED, GrabOutcome.ALREADY) and voucher_id is None:
        voucher = vouchers[decision.claim.round_id, decision.claim.enterprise_id]
        voucher_id = voucher.id
    return Decided(decision.outcome, decision.claim.place, voucher, voucher_id, now)
