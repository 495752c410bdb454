"""The launch desk of a process: which epoch stands, is Redis to be trusted, and what was left behind.

Redis is trusted only while it is the same Redis process that was installed, at the database's epoch and
version. Anything else is put right by one move: raise the epoch in the database, read everything in that
same transaction, and install it (launch.md section 4, "Recovery").
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import hiredis
import structlog

from server.gateways.grab_gate import Change, Finish, GrabGate, Intent
from server.gateways.grab_store import GrabStore, OutcomeUnknown
from server.gateways.redis_lane import LaneBroken, Link
from server.rules.grabbing import Claim, GrabOutcome
from server.services.rounds.grab_commit import BudgetTerms, Decided, Fenced, GrabCommitter

RECONCILE_SECONDS = 0.5
MILLISECOND = timedelta(milliseconds=1)
LEFT_OVER_MS = 1000
"""An intent this old belongs to nobody any more, or its owner repeats the same transaction as we do."""
LEFT_OVER_LIMIT = 300
BREAKER_SECONDS = 0.5

log = structlog.get_logger("server.launch")


@dataclass(frozen=True, slots=True)
class LiveBudget:
    """A budget with rounds that may be grabbed, its clock, and its rounds' ids."""

    terms: BudgetTerms
    offset: timedelta
    """The programme's clock minus the machine's; zero in production."""
    round_ids: tuple[int, ...]

    @property
    def offset_ms(self) -> int:
        return self.offset // MILLISECOND


@dataclass(frozen=True, slots=True)
class Footing:
    """What grabs of a budget stand on: the epoch, and the very Redis process that holds its state."""

    epoch: int
    run_id: str


@dataclass(slots=True)
class _Trust:
    """What this process believes of one budget's state in Redis."""

    footing: Footing | None = None
    closed_until: float = 0.0
    """Event-loop seconds until which Redis is not even tried."""


class LaunchDesk:
    """Keeps Redis fit for the launch, and finishes what a dead process left."""

    def __init__(
        self,
        gate: GrabGate,
        store: GrabStore,
        *,
        live: Callable[[], Awaitable[Iterable[LiveBudget]]],
        leaked: Callable[[int, int], None],
    ) -> None:
        self.gate = gate
        self.store = store
        self.live = live
        self.leaked = leaked
        self.committer: GrabCommitter | None = None
        self._trust: dict[int, _Trust] = {}
        self._making_sure: dict[int, asyncio.Lock] = {}
        self._suspects: dict[int, tuple[int, int, int]] = {}
        self._finishing: set[asyncio.Task[None]] = set()

    def footing(self, budget_id: int) -> Footing | None:
        """What this process stands on, or ``None`` when it must make sure first."""
        trust = self._trust.get(budget_id)
        return trust.footing if trust else None

    def distrust(self, budget_id: int, footing: Footing | None) -> None:
        """This footing gave way: make sure before the next grab. A newer one is left alone."""
        trust = self._trust.get(budget_id)
        if trust is not None and trust.footing == footing:
            trust.footing = None

    async def make_sure(self, terms: BudgetTerms) -> Footing | None:
        """The footing to grab on, after a rebuild if need be; ``None`` while Redis is away.

        Raises :class:`OutcomeUnknown` while the database is away.
        """
        trust = self._trust.setdefault(terms.budget_id, _Trust())
        async with self._making_sure.setdefault(terms.budget_id, asyncio.Lock()):
            if trust.footing is not None:
                return trust.footing
            loop = asyncio.get_running_loop()
            if loop.time() < trust.closed_until:
                return None
            try:
                await self._adopt_or_rebuild(terms, trust)
            except (LaneBroken, hiredis.ReplyError):
                trust.closed_until = loop.time() + BREAKER_SECONDS
            return trust.footing

    async def _adopt_or_rebuild(self, terms: BudgetTerms, trust: _Trust) -> None:
        # The link is opened before the epoch moves. Should Redis be lost in between, the link dies with it,
        # and this older snapshot can never be installed into the newer Redis (launch.md C14).
        link = await self.gate.lane.link()
        mark = await self.store.mark(terms.budget_id)
        survey = await self.gate.survey(link, terms.budget_id, 0, age_ms=0, limit=0)
        if survey.epoch == mark.epoch and survey.version == mark.version and survey.run_id == link.run_id:
            trust.footing = Footing(mark.epoch, link.run_id)
        else:
            await self._rebuild(terms, trust, link)

    async def _rebuild(self, terms: BudgetTerms, trust: _Trust, link: Link) -> None:
        snapshot = await self.store.snapshot(terms.budget_id)
        standing = await self.gate.install(link, snapshot)
        trust.footing = Footing(standing, link.run_id)
        log.info("launch.rebuilt", budget=terms.budget_id, epoch=snapshot.epoch)

    async def changed(self, terms: BudgetTerms, change: Change) -> None:
        """Tell Redis of an administrative change that the database has made; rebuild if it is not next."""
        footing = self.footing(terms.budget_id)
        try:
            if footing is None or not await self.gate.change(terms.budget_id, footing.epoch, change):
                self.distrust(terms.budget_id, footing)
                await self.make_sure(terms)
        except (LaneBroken, hiredis.ReplyError, OutcomeUnknown):
            # The reconciler sees the gap between the versions and rebuilds.
            self.distrust(terms.budget_id, footing)

    async def settle(self, terms: BudgetTerms) -> None:
        """Bring Redis to where the database is, if it is there at all."""
        self.distrust(terms.budget_id, self.footing(terms.budget_id))
        try:
            await self.make_sure(terms)
        except OutcomeUnknown:
            log.warning("launch.not_settled", budget=terms.budget_id)

    def announce(self, budget_id: int, epoch: int, decided: Sequence[tuple[Claim, Decided]]) -> None:
        """After a commit: close its intents in Redis, in the background. Losing this is harmless."""
        task = asyncio.get_running_loop().create_task(self._finish(budget_id, epoch, decided))
        self._finishing.add(task)
        task.add_done_callback(self._finishing.discard)

    async def _finish(self, budget_id: int, epoch: int, decided: Sequence[tuple[Claim, Decided]]) -> None:
        rounds: dict[int, list[Finish]] = {}
        for claim, result in decided:
            if result.outcome is GrabOutcome.PAUSED:
                # Not decided: its money stays aside until the round goes on, or is closed.
                continue
            if result.outcome is not None and claim.amount_fen is not None:
                rounds.setdefault(claim.round_id, []).append(
                    Finish(
                        claim.place,
                        claim.enterprise_id,
                        claim.amount_fen,
                        claim.grab_key,
                        result.outcome,
                        result.voucher_id,
                    )
                )
        try:
            for round_id, finishes in rounds.items():
                await self.gate.finish(budget_id, round_id, epoch, finishes)
        except (LaneBroken, hiredis.ReplyError):
            self.distrust(budget_id, self.footing(budget_id))

    async def run(self) -> None:
        """Reconcile for ever; a failure of one pass never ends the next."""
        while True:
            await asyncio.sleep(RECONCILE_SECONDS)
            try:
                for budget in await self.live():
                    await self.reconcile(budget)
            # Redis or the database may be away, each with errors of its own: the next pass tries again.
            except Exception as error:  # noqa: BLE001
                log.warning("launch.reconcile_failed", fault=type(error).__name__)

    async def reconcile(self, budget: LiveBudget) -> None:
        """One pass over a budget: is Redis the database's, and did anybody leave intents behind?"""
        terms = budget.terms
        mark = await self.store.mark(terms.budget_id)
        trust = self._trust.setdefault(terms.budget_id, _Trust())
        link = await self.gate.lane.link()
        for round_id in budget.round_ids:
            survey = await self.gate.survey(
                link, terms.budget_id, round_id, age_ms=LEFT_OVER_MS, limit=LEFT_OVER_LIMIT
            )
            installed = survey.run_id == link.run_id and survey.round_epoch == mark.epoch
            if not installed or survey.epoch != mark.epoch or survey.version != mark.version:
                # A change may be on its way from the database to Redis this very moment: look twice.
                if self._twice(round_id, mark.epoch, mark.version, -1):
                    trust.footing = None
                    await self.make_sure(terms)
                return
            if survey.left_over:
                await self._recover(budget, mark.epoch, round_id, survey.left_over)
            elif survey.undecided == 0:
                await self._compare(terms, round_id, survey.remaining_fen, mark.epoch, mark.version)

    async def _recover(
        self, budget: LiveBudget, epoch: int, round_id: int, intents: Sequence[Intent]
    ) -> None:
        """Commit the intents that a dead process left behind, in their order of arrival."""
        assert self.committer is not None
        claims = [
            Claim(
                round_id=round_id,
                enterprise_id=intent.enterprise_id,
                person_id=intent.person_id,
                grab_key=intent.grab_key,
                amount_fen=intent.amount_fen,
                place=intent.place,
                reserved_at=reserved_at(intent.place, budget.offset),
            )
            for intent in intents
        ]
        log.info("launch.recovering", round=round_id, intents=len(claims))
        try:
            await self.committer.commit(budget.terms, epoch, claims)
        except Fenced:
            self.distrust(budget.terms.budget_id, self.footing(budget.terms.budget_id))

    async def _compare(
        self, terms: BudgetTerms, round_id: int, remaining_fen: int, epoch: int, version: int
    ) -> None:
        """At rest, what Redis has left is what the database has left; a difference is a leak (I7)."""
        pool_fen, issued_fen = await self.store.issued_fen(round_id)
        leak = pool_fen - issued_fen - remaining_fen
        if leak and self._twice(round_id, epoch, version, issued_fen):
            self.leaked(round_id, leak)
            log.error("launch.leak", round=round_id, leak_fen=leak)
            trust = self._trust.setdefault(terms.budget_id, _Trust())
            async with self._making_sure.setdefault(terms.budget_id, asyncio.Lock()):
                await self._rebuild(terms, trust, await self.gate.lane.link())
        elif not leak:
            self.leaked(round_id, 0)
            self._suspects.pop(round_id, None)

    def _twice(self, round_id: int, epoch: int, version: int, issued_fen: int) -> bool:
        """Whether the same suspicion was there at the last pass, with nothing moved in between."""
        seen = (epoch, version, issued_fen)
        again = self._suspects.get(round_id) == seen
        self._suspects[round_id] = seen
        return again


def reserved_at(place: str, offset: timedelta) -> datetime:
    """When Redis set the money aside, by the programme's clock: the intent's id is its time in ms."""
    return _instant(int(place.partition("-")[0]), offset)


@lru_cache(maxsize=16)
def _instant(milliseconds: int, offset: timedelta) -> datetime:
    """Remembered, because a crowd is admitted within the same few milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1000, UTC) + offset
