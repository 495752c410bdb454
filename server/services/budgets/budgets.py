"""Budgets: the money of a programme year, put in, added to and cut; and the lock of its launches."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.models.rounds import Budget
from server.programme.model import Programme
from server.rules.budgets import require_total
from server.rules.deadlines import day_of
from server.rules.money import Movement
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.budgets import commissions, ledger
from server.services.budgets.ledger import Where
from server.units import yuan


class BudgetExists(Refusal):
    """The programme year has its budget already; it is added to, not made twice."""

    status, code = 409, "budget_exists"


class BudgetTooSmall(Refusal):
    """The year's free money does not cover what is asked of it."""

    status, code = 409, "budget_too_small"


LOCK_TIMEOUT = "SET LOCAL lock_timeout = '2s'"


@asynccontextmanager
async def locked(budget_id: int) -> AsyncIterator[Budget]:
    """A transaction that begins with the budget's lock, as every commit of a launch does.

    An administrator waits two seconds for it at most, and never holds it while something slow is done
    (launch.md C21). Raises :class:`NotFound`.
    """
    async with in_transaction() as connection:
        if connection.capabilities.dialect == "postgres":
            await connection.execute_query(LOCK_TIMEOUT)
        # A write, because SQLite ignores SELECT … FOR UPDATE.
        taken = await Budget.filter(id=budget_id).update(lock_number=F("lock_number") + 1)
        if not taken:
            raise NotFound()
        yield await Budget.get(id=budget_id)


async def raise_version(budget: Budget) -> int:
    """Number one administrative change, under the lock; the number Redis must follow."""
    await Budget.filter(id=budget.id).update(version=F("version") + 1)
    return int(budget.version) + 1


async def open_year(
    programme: Programme, year: int, total_fen: int, *, actor: Actor, now: datetime
) -> Budget:
    """Put a year's money in, all of it, or nothing yet.

    Raises :class:`BudgetExists`, ``CommissionEnded`` (NX-39), ``BudgetBelowFloor`` (GZ-10).
    """
    if total_fen:
        require_total(programme, total_fen)
    await commissions.require(programme, day_of(now))
    try:
        async with in_transaction():
            budget = await Budget.create(
                programme_slug=programme.slug,
                programme_version=programme.version,
                year=year,
                total_fen=total_fen,
                allotted_fen=0,
                created_at=now,
            )
            if total_fen:
                await ledger.post(Movement.APPROPRIATE, total_fen, Where(budget.id), at=now)
            await journal.record(
                "budget.opened",
                f"budget:{budget.id}",
                actor=actor.name,
                at=now,
                programme_slug=programme.slug,
                year=year,
                total_fen=total_fen,
            )
    except IntegrityError:
        raise BudgetExists(programme=programme.name, year=year) from None
    return budget


async def top_up(budget_id: int, amount_fen: int, *, actor: Actor, now: datetime, reason: str) -> Budget:
    """Add to a year's money."""
    async with locked(budget_id) as budget:
        await Budget.filter(id=budget.id).update(total_fen=F("total_fen") + amount_fen)
        await ledger.post(Movement.APPROPRIATE, amount_fen, Where(budget.id), at=now)
        await _journal("budget.topped_up", budget, amount_fen, actor, now, reason)
    return await Budget.get(id=budget_id)


async def cut(
    budget_id: int, amount_fen: int, *, programme: Programme, actor: Actor, now: datetime, reason: str
) -> Budget:
    """Take free money out of a year.

    Raises :class:`BudgetTooSmall`: what rounds hold stays theirs; ``BudgetBelowFloor`` (GZ-10).
    """
    async with locked(budget_id) as budget:
        if amount_fen > budget.free_fen:
            raise too_small(budget.free_fen, amount_fen)
        require_total(programme, budget.total_fen - amount_fen)
        await Budget.filter(id=budget.id).update(total_fen=F("total_fen") - amount_fen)
        await ledger.post(Movement.CUT_BUDGET, amount_fen, Where(budget.id), at=now)
        await _journal("budget.cut", budget, amount_fen, actor, now, reason)
    return await Budget.get(id=budget_id)


def too_small(free_fen: int, asked_fen: int) -> BudgetTooSmall:
    """The refusal with its sum."""
    return BudgetTooSmall(
        arithmetic=f"{yuan(asked_fen)} > {yuan(free_fen)}", free=yuan(free_fen), asked=yuan(asked_fen)
    )


async def _journal(
    action: str, budget: Budget, amount_fen: int, actor: Actor, now: datetime, reason: str
) -> None:
    await journal.record(
        action,
        f"budget:{budget.id}",
        actor=actor.name,
        at=now,
        programme_slug=budget.programme_slug,
        amount_fen=amount_fen,
        reason=reason,
    )
