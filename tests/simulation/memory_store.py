"""The launch's rows in memory, with the locks and the guards of the real tables.

What a store must do is said by ``server/gateways/grab_store.py`` and held for all three stores by
``tests/gateways/test_grab_store_contract.py``. Every word to the database goes over a :class:`Wire`;
the simulation's wire delays, loses and doubts.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from server.gateways.grab_gate import RoundSnapshot, Snapshot
from server.gateways.grab_store import (
    BudgetMark,
    Recorded,
    StoreConflict,
    VoucherFacts,
    milliseconds,
    standing_of,
    voucher_number,
)
from server.rules.grabbing import UNSTORED, Claim, Decision, GrabOutcome, Standing


@dataclass(slots=True)
class BudgetRow:
    """A row of ``budget``."""

    id: int
    epoch: int = 1
    version: int = 0
    programme_slug: str = "invented"
    programme_version: str = "1"


@dataclass(slots=True)
class RoundRow:
    """A row of ``round``; money in fen."""

    id: int
    budget_id: int
    status: str
    pool_fen: int
    opens_at: datetime
    closes_at: datetime
    valid_until: datetime
    order_deadline: datetime | None = None
    issued_fen: int = 0
    issued_count: int = 0


@dataclass(slots=True)
class EntitlementRow:
    """A row of ``entitlement``; money in fen."""

    tier: str
    amount_fen: int
    quota_fen: int


@dataclass(slots=True)
class VoucherRow:
    """A row of ``voucher``. What else is written with one, the real stores write in the same statement."""

    id: int
    number: str
    round_id: int
    budget_id: int
    enterprise_id: int
    face_value_fen: int
    status: str
    reserved_at: datetime
    epoch: int
    place: str
    grab_key: str
    valid_until: datetime
    order_deadline: datetime | None
    given_back_fen: int = 0


@dataclass(slots=True)
class DecisionRow:
    """A row of ``grab_decision``."""

    round_id: int
    outcome: str
    voucher_id: int | None
    decided_at: datetime
    place: str


class Session:
    """One transaction as the server sees it: the locks it has, what it will write, how it ended."""

    def __init__(self, database: MemoryDatabase, owner: object) -> None:
        self.database = database
        self.owner = owner
        self.held: list[int] = []
        self.writes: list[Callable[[], None]] = []
        self.granted: list[VoucherRow] = []
        self.keys: set[tuple[int, str]] = set()
        self.over = False
        self.committing = False
        self._waits_for: asyncio.Future[None] | None = None
        database.sessions.append(self)

    async def lock(self, budget_id: int) -> None:
        """Wait in line for a budget's row."""
        holder = self.database.locks.get(budget_id)
        if holder is self:
            return
        if holder is None:
            self.take(budget_id)
            return
        self._waits_for = asyncio.get_running_loop().create_future()
        self.database.lines.setdefault(budget_id, deque()).append((self, self._waits_for))
        await self._waits_for

    def take(self, budget_id: int) -> None:
        """Have the row."""
        self.database.locks[budget_id] = self
        self.held.append(budget_id)

    def commit(self) -> None:
        """Make everything true at one instant, and let go."""
        if not self.over:
            for write in self.writes:
                write()
            self._end()
            self.database.committed(self)

    def rollback(self) -> None:
        """Nothing happened."""
        if not self.over:
            self._end()

    def _end(self) -> None:
        self.over = True
        self.database.sessions.remove(self)
        if self._waits_for is not None and not self._waits_for.done():
            self._waits_for.set_result(None)
        for budget_id in self.held:
            del self.database.locks[budget_id]
            line = self.database.lines.get(budget_id)
            while line:
                session, turn = line.popleft()
                if not session.over:
                    session.take(budget_id)
                    if not turn.done():
                        turn.set_result(None)
                    break


class MemoryDatabase:
    """The tables. ``committed`` is called with each session at the instant of its commit."""

    def __init__(self) -> None:
        self.budgets: dict[int, BudgetRow] = {}
        self.rounds: dict[int, RoundRow] = {}
        self.entitlements: dict[tuple[int, int], EntitlementRow] = {}
        self.vouchers: dict[int, VoucherRow] = {}
        self.seats: dict[tuple[int, int], VoucherRow] = {}
        self.decisions: dict[tuple[int, str], DecisionRow] = {}
        self.locks: dict[int, Session] = {}
        self.lines: dict[int, deque[tuple[Session, asyncio.Future[None]]]] = {}
        self.sessions: list[Session] = []
        self.last_voucher_id = 0
        self.committed: Callable[[Session], None] = lambda session: None

    def taken_fen(self, budget_id: int, enterprise_id: int) -> int:
        """What an enterprise was granted of a budget and still counts against its quota, fen."""
        return sum(
            voucher.face_value_fen - voucher.given_back_fen
            for voucher in self.vouchers.values()
            if (voucher.enterprise_id, voucher.budget_id) == (enterprise_id, budget_id)
        )


class Wire(Protocol):
    """The way between one process and the database."""

    async def trip(self, session: Session | None) -> None:
        """One statement's way. Raises ``OutcomeUnknown`` when there is none."""
        ...

    async def commit(self, session: Session) -> None:
        """COMMIT. Raises ``OutcomeUnknown`` when its reply did not come."""
        ...


@dataclass
class MemoryGrabStore:
    """The database gateway of one process: one connection for commits, one for everything else."""

    database: MemoryDatabase
    wire: Wire
    _turn: dict[str, asyncio.Lock] = field(
        default_factory=lambda: {"commit": asyncio.Lock(), "read": asyncio.Lock()}
    )

    @asynccontextmanager
    async def session(self, purpose: str) -> AsyncIterator[Session]:
        """A transaction over one of the connections."""
        async with self._turn[purpose]:
            await self.wire.trip(None)
            session = Session(self.database, self.wire)
            try:
                yield session
                session.committing = True
                await self.wire.commit(session)
            finally:
                # Once sent, a COMMIT is the server's affair.
                if not session.committing:
                    session.rollback()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[MemoryGrabTransaction]:
        async with self.session("commit") as session:
            yield MemoryGrabTransaction(session, self.wire)

    async def mark(self, budget_id: int) -> BudgetMark:
        async with self._turn["read"]:
            await self.wire.trip(None)
            return _mark(self.database.budgets[budget_id])

    async def snapshot(self, budget_id: int) -> Snapshot:
        async with self.session("read") as session:
            await session.lock(budget_id)
            await self.wire.trip(session)
            budget = self.database.budgets[budget_id]
            epoch = budget.epoch + 1
            session.writes.append(lambda: setattr(budget, "epoch", epoch))
            return self._snapshot(budget, epoch)

    def _snapshot(self, budget: BudgetRow, epoch: int) -> Snapshot:
        database = self.database
        rounds = [
            each
            for _, each in sorted(database.rounds.items())
            if each.budget_id == budget.id and each.status != "draft"
        ]
        quota: dict[int, int] = {}
        for each in rounds:
            for (round_id, enterprise_id), entitlement in database.entitlements.items():
                if round_id == each.id:
                    quota[enterprise_id] = max(quota.get(enterprise_id, 0), entitlement.quota_fen)
        return Snapshot(
            budget.id,
            epoch,
            budget.version,
            [
                (enterprise_id, quota_fen - database.taken_fen(budget.id, enterprise_id))
                for enterprise_id, quota_fen in quota.items()
            ],
            [self._round_snapshot(each) for each in rounds],
        )

    def _round_snapshot(self, each: RoundRow) -> RoundSnapshot:
        database = self.database
        return RoundSnapshot(
            round_id=each.id,
            status=each.status,
            opens_ms=milliseconds(each.opens_at),
            closes_ms=milliseconds(each.closes_at),
            remaining_fen=each.pool_fen - each.issued_fen,
            entitled=[
                (enterprise_id, entitlement.amount_fen)
                for (round_id, enterprise_id), entitlement in database.entitlements.items()
                if round_id == each.id
            ],
            winners=[
                (voucher.enterprise_id, voucher.id, voucher.grab_key)
                for voucher in database.vouchers.values()
                if voucher.round_id == each.id
            ],
        )

    async def recorded(self, enterprise_id: int, grab_key: str) -> Recorded | None:
        async with self._turn["read"]:
            await self.wire.trip(None)
            row = self.database.decisions.get((enterprise_id, grab_key))
        if row is None:
            return None
        return Recorded(row.round_id, GrabOutcome(row.outcome), row.voucher_id, row.decided_at, row.place)

    async def voucher(self, voucher_id: int) -> VoucherFacts:
        async with self._turn["read"]:
            await self.wire.trip(None)
            return _facts(self.database.vouchers[voucher_id])

    async def issued_fen(self, round_id: int) -> tuple[int, int]:
        async with self._turn["read"]:
            await self.wire.trip(None)
            row = self.database.rounds[round_id]
            return row.pool_fen, row.issued_fen


class MemoryGrabTransaction:
    """The statements of one commit."""

    def __init__(self, session: Session, wire: Wire) -> None:
        self.session = session
        self.database = session.database
        self.wire = wire

    async def lock(self, budget_id: int) -> BudgetMark:
        await self.session.lock(budget_id)
        await self.wire.trip(self.session)
        return _mark(self.database.budgets[budget_id])

    async def standing(self, budget_id: int, claims: Sequence[Claim]) -> Standing:
        await self.wire.trip(self.session)
        self.session.keys.update((claim.enterprise_id, claim.grab_key) for claim in claims)
        return standing_of([self._joined(budget_id, claim) for claim in claims])

    def _joined(self, budget_id: int, claim: Claim) -> dict[str, Any]:
        database, seat = self.database, (claim.round_id, claim.enterprise_id)
        each = database.rounds[claim.round_id]
        decision = database.decisions.get((claim.enterprise_id, claim.grab_key))
        voucher = database.seats.get(seat)
        entitlement = database.entitlements.get(seat)
        return {
            "round_id": claim.round_id,
            "enterprise_id": claim.enterprise_id,
            "grab_key": claim.grab_key,
            "status": each.status,
            "pool_fen": each.pool_fen,
            "issued_fen": each.issued_fen,
            "issued_count": each.issued_count,
            "opens_at": each.opens_at,
            "closes_at": each.closes_at,
            "decided_round": decision.round_id if decision else None,
            "outcome": decision.outcome if decision else None,
            "decided_voucher": decision.voucher_id if decision else None,
            "voucher_id": voucher.id if voucher else None,
            "tier": entitlement.tier if entitlement else None,
            "amount_fen": entitlement.amount_fen if entitlement else None,
            "quota_fen": entitlement.quota_fen if entitlement else None,
            "taken_fen": database.taken_fen(budget_id, claim.enterprise_id),
        }

    async def record(
        self, mark: BudgetMark, decisions: Sequence[Decision], now: datetime
    ) -> Mapping[tuple[int, int], VoucherFacts]:
        fresh = [one for one in decisions if not one.stored and one.outcome not in UNSTORED]
        if not fresh:
            return {}
        await self.wire.trip(self.session)
        granted: dict[tuple[int, int], VoucherRow] = {}
        for one in fresh:
            if one.outcome == GrabOutcome.GRANTED:
                row = self._voucher(mark, one)
                if granted.setdefault((row.round_id, row.enterprise_id), row) is not row:
                    raise StoreConflict("voucher: one of an enterprise in a round")
        self._guard(fresh, granted)
        for one in fresh:
            self._stage_decision(one, granted, now)
        for row in granted.values():
            self.session.granted.append(row)
            self.session.writes.append(lambda row=row: self._issue(row))
        return {seat: _facts(row) for seat, row in granted.items()}

    def _guard(self, fresh: Sequence[Decision], granted: Mapping[tuple[int, int], VoucherRow]) -> None:
        """The unique indexes and the checks of the real tables."""
        keys = [(one.claim.enterprise_id, one.claim.grab_key) for one in fresh]
        if len(set(keys)) < len(keys) or any(key in self.database.decisions for key in keys):
            raise StoreConflict("grab_decision: one of an enterprise and key")
        if any(seat in self.database.seats for seat in granted):
            raise StoreConflict("voucher: one of an enterprise in a round")
        for each in self.database.rounds.values():
            more_fen = sum(row.face_value_fen for row in granted.values() if row.round_id == each.id)
            if each.issued_fen + more_fen > each.pool_fen:
                raise StoreConflict("round: issued_fen <= pool_fen")

    def _stage_decision(
        self, one: Decision, granted: Mapping[tuple[int, int], VoucherRow], now: datetime
    ) -> None:
        claim, voucher_id = one.claim, one.voucher_id
        row = granted.get((claim.round_id, claim.enterprise_id))
        if voucher_id is None and row is not None and one.outcome in ("granted", "already"):
            voucher_id = row.id
        decision = DecisionRow(claim.round_id, one.outcome.value, voucher_id, now, claim.place)
        decisions, key = self.database.decisions, (claim.enterprise_id, claim.grab_key)
        self.session.writes.append(lambda: decisions.__setitem__(key, decision))

    def _issue(self, row: VoucherRow) -> None:
        database, each = self.database, self.database.rounds[row.round_id]
        each.issued_fen += row.face_value_fen
        each.issued_count += 1
        database.vouchers[row.id] = database.seats[row.round_id, row.enterprise_id] = row

    def _voucher(self, mark: BudgetMark, one: Decision) -> VoucherRow:
        claim, each = one.claim, self.database.rounds[one.claim.round_id]
        self.database.last_voucher_id += 1
        return VoucherRow(
            id=self.database.last_voucher_id,
            number=voucher_number(claim.round_id, one.number),
            round_id=claim.round_id,
            budget_id=mark.budget_id,
            enterprise_id=claim.enterprise_id,
            face_value_fen=one.amount_fen,
            status="active",
            reserved_at=claim.reserved_at,
            epoch=mark.epoch,
            place=claim.place,
            grab_key=claim.grab_key,
            valid_until=each.valid_until,
            order_deadline=each.order_deadline,
        )

    async def raise_version(self, budget_id: int) -> None:
        await self.wire.trip(self.session)
        budget = self.database.budgets[budget_id]
        version = budget.version + 1
        self.session.writes.append(lambda: setattr(budget, "version", version))


def _mark(row: BudgetRow) -> BudgetMark:
    return BudgetMark(row.id, row.epoch, row.version, row.programme_slug, row.programme_version)


def _facts(row: VoucherRow) -> VoucherFacts:
    return VoucherFacts(row.id, row.number, row.face_value_fen, row.valid_until, row.order_deadline)


class CalmWire:
    """A wire on which nothing ever happens; for the contract tests."""

    async def trip(self, session: Session | None) -> None:
        """At once."""

    async def commit(self, session: Session) -> None:
        """At once."""
        session.commit()
