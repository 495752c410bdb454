"""The database as the launch uses it: one lock, one reading, one writing, and their two dialects.

The grab path speaks SQL through a held connection, because the ORM costs five to ten times as much a
row (docs/decisions/0003). What the rows mean is decided above: ``rules/grabbing.py`` decides,
``services/rounds/grab_commit.py`` drives the transaction, and a store only reads and writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from server.gateways.grab_gate import Snapshot
from server.rules.grabbing import (
    Claim,
    Decision,
    Earlier,
    Entitled,
    GrabOutcome,
    RoundState,
    Standing,
)
from server.rules.lifecycles import RoundStatus


class OutcomeUnknown(Exception):
    """The database did not answer: the transaction may have happened or not. Repeat it, never guess."""


class StoreConflict(Exception):
    """The database refused a row that the decision allowed; an invariant would have been broken."""


@dataclass(frozen=True, slots=True)
class BudgetMark:
    """Where a budget stands: ``epoch`` fences Redis, ``version`` numbers administrative changes."""

    budget_id: int
    epoch: int
    version: int
    programme_slug: str
    programme_version: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """What was decided of a request, with its voucher where there is one; money in fen."""

    round_id: int
    outcome: GrabOutcome
    voucher_id: int | None
    decided_at: datetime
    place: str


class VoucherFacts(NamedTuple):
    """What the phone shows of a voucher."""

    id: int
    number: str
    face_value_fen: int
    valid_until: datetime
    order_deadline: datetime | None


class GrabTransaction(Protocol):
    """An open transaction that begins with the budget's lock."""

    async def lock(self, budget_id: int) -> BudgetMark:
        """Take the budget's row by writing to it, so that it locks on every database."""
        ...

    async def standing(self, budget_id: int, claims: Sequence[Claim]) -> Standing:
        """What the rows say about these claims."""
        ...

    async def record(
        self, mark: BudgetMark, decisions: Sequence[Decision], now: datetime
    ) -> Mapping[tuple[int, int], VoucherFacts]:
        """Write what is to be written: vouchers, decisions, ledger, journal, outbox, issued money.

        Returns the new vouchers by (round, enterprise).
        """
        ...

    async def raise_version(self, budget_id: int) -> None:
        """Say that the database moved without Redis, so that Redis is rebuilt when it is back."""
        ...


class GrabStore(Protocol):
    """The database gateway of the launch. Any call may raise :class:`OutcomeUnknown`."""

    def transaction(self) -> AbstractAsyncContextManager[GrabTransaction]: ...

    async def mark(self, budget_id: int) -> BudgetMark:
        """Where the budget stands now."""
        ...

    async def snapshot(self, budget_id: int) -> Snapshot:
        """Raise the epoch and read all that Redis must know, in one transaction."""
        ...

    async def recorded(self, enterprise_id: int, grab_key: str) -> Recorded | None:
        """What was decided of a request, or ``None``."""
        ...

    async def voucher(self, voucher_id: int) -> VoucherFacts:
        """A voucher that exists."""
        ...

    async def issued_fen(self, round_id: int) -> tuple[int, int]:
        """(pool, issued) of a round, fen."""
        ...


def voucher_number(round_id: int, number: int) -> str:
    """A voucher's number, short enough to read aloud: ``12-000345``."""
    return f"{round_id}-{number:06d}"


def milliseconds(at: datetime) -> int:
    """An instant as Redis counts it."""
    return round(at.timestamp() * 1000)


def standing_of(rows: Sequence[Any]) -> Standing:
    """Sort the joined rows of a group of claims by what the decision asks of them."""
    rounds: dict[int, RoundState] = {}
    earlier: dict[tuple[int, str], Earlier] = {}
    vouchers: dict[tuple[int, int], int] = {}
    entitled: dict[tuple[int, int], Entitled] = {}
    taken: dict[int, int] = {}
    for row in rows:
        round_id, enterprise_id = row["round_id"], row["enterprise_id"]
        if round_id not in rounds:
            rounds[round_id] = RoundState(
                RoundStatus(row["status"]),
                row["pool_fen"],
                row["issued_fen"],
                row["issued_count"],
                row["opens_at"],
                row["closes_at"],
            )
        if row["decided_round"] is not None:
            earlier[enterprise_id, row["grab_key"]] = Earlier(
                row["decided_round"], GrabOutcome(row["outcome"]), row["decided_voucher"]
            )
        if row["voucher_id"] is not None:
            vouchers[round_id, enterprise_id] = row["voucher_id"]
        if row["amount_fen"] is not None:
            entitled[round_id, enterprise_id] = Entitled(row["tier"], row["amount_fen"], row["quota_fen"])
        taken[enterprise_id] = row["taken_fen"] or 0
    return Standing(rounds, earlier, vouchers, entitled, taken)
