"""Rounds: scheduled, opened and closed by time, paused and resumed by people, topped up and cut.

Every change is made in the database first, under the budget's lock, with the next version number; then
Redis is told. If Redis is not at the version before, it is rebuilt (launch.md C27, C28): so each of these
is safe in the middle of a launch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tortoise.expressions import F

from server.clock import CHINA
from server.errors import Refusal
from server.gateways.grab_gate import Change
from server.models.applications import Ranking
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.lifecycles import (
    ROUND_MAY,
    ROUND_MOVES,
    RoundAct,
    RoundStatus,
    require_act,
    require_move,
)
from server.rules.money import Movement
from server.services import journal
from server.services.access import Actor, NotFound
from server.services.budgets import budgets, ledger
from server.services.budgets.ledger import Where
from server.services.clocks import ProgrammeClocks
from server.services.rounds import entitlements
from server.services.rounds.entitlements import Readiness
from server.services.rounds.grab_commit import BudgetTerms
from server.services.rounds.launch import LaunchDesk
from server.units import yuan

INSTANT = timedelta(microseconds=1)
"""An end is exclusive: vouchers valid until midnight are valid on the day before."""


class RoundWindowImpossible(Refusal):
    """The round closes before it opens, or its vouchers would end before it does."""

    status, code = 422, "round_window_impossible"


class RoundBeyondProgramme(Refusal):
    """The window or the vouchers would reach beyond the programme's validity."""

    status, code = 422, "round_beyond_programme"


class RoundBeyondYear(Refusal):
    """The round lies in another programme year than its money, or its vouchers would outlive the year."""

    status, code = 422, "round_beyond_year"


class RoundNotForThisProgramme(Refusal):
    """The programme issues its vouchers without rounds."""

    status, code = 409, "round_not_for_this_programme"


class RoundRanked(Refusal):
    """What was applied for in the round is ranked and issued already: it cannot be opened again."""

    status, code = 409, "round_ranked"


class PoolTooSmall(Refusal):
    """More is to be cut than the round still has; what is issued stays issued."""

    status, code = 409, "pool_too_small"


class RoundMovedOn(Refusal):
    """Somebody else changed the round a moment earlier."""

    status, code = 409, "round_moved_on"


@dataclass(frozen=True, slots=True)
class RoundPlan:
    """What a new round is to be; instants of the programme's clock, money in fen."""

    title: str
    opens_at: datetime
    closes_at: datetime
    pool_fen: int
    valid_until: datetime
    order_deadline: datetime | None = None


@dataclass(frozen=True, slots=True)
class StandingChange:
    """A change of one enterprise's standing in one round that Redis has yet to hear of."""

    terms: BudgetTerms
    change: Change


Settle = Callable[[Organisation, str], Awaitable[object]]
"""What else a change of standing settles, in the same transaction: a quota that is promised, say."""


class Rounds:
    """The verbs on rounds. ``desk`` is told of every change once it is in the database."""

    def __init__(self, programmes: Programmes, clocks: ProgrammeClocks, desk: LaunchDesk) -> None:
        self.programmes = programmes
        self.clocks = clocks
        self.desk = desk
        self.settlers: list[Settle] = []

    def terms(self, budget: Budget) -> BudgetTerms:
        """What a commit must know of a budget."""
        slug = budget.programme_slug
        return BudgetTerms(budget.id, lambda: self.clocks.now(slug))

    def programme(self, budget: Budget) -> Programme:
        """The version of the programme this budget was opened under."""
        return self.programmes.version(budget.programme_slug, budget.programme_version)

    async def plan(self, budget_id: int, plan: RoundPlan, *, actor: Actor) -> Round:
        """Draft a round and set its money aside from the year's.

        Raises :class:`RoundNotForThisProgramme`, :class:`RoundWindowImpossible`,
        :class:`RoundBeyondProgramme`, ``BudgetTooSmall``.
        """
        async with budgets.locked(budget_id) as budget:
            programme, now = self.programme(budget), self.clocks.now(budget.programme_slug)
            if not programme.issuance.mode.is_by_round:
                raise RoundNotForThisProgramme(clause=programme.issuance.article, programme=programme.name)
            _require_possible(programme, budget.year, plan)
            await _allot(budget, plan.pool_fen)
            drafted = await Round.create(
                budget_id=budget.id,
                title=plan.title,
                status=RoundStatus.DRAFT,
                opens_at=plan.opens_at,
                closes_at=plan.closes_at,
                pool_fen=plan.pool_fen,
                issued_fen=0,
                order_deadline=plan.order_deadline,
                valid_until=plan.valid_until,
                created_at=now,
                created_by=actor.id,
            )
            if plan.pool_fen:
                await ledger.post(Movement.ALLOT, plan.pool_fen, Where(budget.id, drafted.id), at=now)
            await self._journal("round.planned", drafted, actor, now, budget, pool_fen=plan.pool_fen)
        return drafted

    async def schedule(self, round_id: int, *, actor: Actor) -> Round:
        """Publish a draft. One to be grabbed: settle who may be granted what, and make Redis ready."""
        async with self._change(round_id, actor) as change:
            change.require(RoundStatus.SCHEDULED, since=RoundStatus.DRAFT)
            entitled = await self._entitle(change)
            await change.move(RoundStatus.SCHEDULED, "round.scheduled", entitled=entitled)
        await self._installed(change)
        return await Round.get(id=round_id)

    async def pause(self, round_id: int, *, actor: Actor, reason: str) -> Round:
        """Halt a round; nothing is granted until it is resumed."""
        return await self._set_status(round_id, RoundStatus.PAUSED, "round.paused", actor, reason)

    async def resume(self, round_id: int, *, actor: Actor, reason: str) -> Round:
        """Let a paused round go on."""
        return await self._set_status(
            round_id, RoundStatus.SCHEDULED, "round.resumed", actor, reason, since=RoundStatus.PAUSED
        )

    async def close(self, round_id: int, *, actor: Actor, reason: str) -> Round:
        """End a round before or after its time. What is left stays in its pool."""
        return await self._set_status(round_id, RoundStatus.CLOSED, "round.closed", actor, reason)

    async def reopen(self, round_id: int, *, closes_at: datetime, actor: Actor, reason: str) -> Round:
        """Open a closed round again until another instant. Raises :class:`RoundRanked`."""
        async with self._change(round_id, actor) as change:
            change.require(RoundStatus.SCHEDULED, since=RoundStatus.CLOSED)
            row = change.round
            if await Ranking.exists(round_id=round_id):
                raise RoundRanked()
            plan = RoundPlan(row.title, row.opens_at, closes_at, row.pool_fen, row.valid_until)
            _require_possible(change.programme, change.budget.year, plan)
            await Round.filter(id=round_id).update(closes_at=closes_at)
            await self._entitle(change)
            await change.move(RoundStatus.SCHEDULED, "round.reopened", reason=reason)
        await self._installed(change)
        return await Round.get(id=round_id)

    async def top_up(self, round_id: int, amount_fen: int, *, actor: Actor, reason: str) -> Round:
        """Give a round more of the year's money. Raises ``BudgetTooSmall``."""
        async with self._change(round_id, actor) as change:
            require_act(ROUND_MAY, change.round.status, RoundAct.TOP_UP)
            await _allot(change.budget, amount_fen)
            await Round.filter(id=round_id).update(pool_fen=F("pool_fen") + amount_fen)
            await ledger.post(Movement.ALLOT, amount_fen, Where(change.budget.id, round_id), at=change.now)
            await change.note("round.topped_up", amount_fen=amount_fen, reason=reason)
            change.tell("money", amount_fen)
        await self._told(change)
        return await Round.get(id=round_id)

    async def cut(self, round_id: int, amount_fen: int, *, actor: Actor, reason: str) -> Round:
        """Take money back that a round has not issued. Raises :class:`PoolTooSmall`."""
        async with self._change(round_id, actor) as change:
            require_act(ROUND_MAY, change.round.status, RoundAct.CUT)
            left_fen = change.round.pool_fen - change.round.issued_fen
            if amount_fen > left_fen:
                raise PoolTooSmall(
                    arithmetic=f"{yuan(amount_fen)} > {yuan(left_fen)}",
                    left=yuan(left_fen),
                    asked=yuan(amount_fen),
                )
            await Round.filter(id=round_id).update(pool_fen=F("pool_fen") - amount_fen)
            await Budget.filter(id=change.budget.id).update(allotted_fen=F("allotted_fen") - amount_fen)
            await ledger.post(
                Movement.RETURN_ALLOTMENT, amount_fen, Where(change.budget.id, round_id), at=change.now
            )
            await change.note("round.cut", amount_fen=amount_fen, reason=reason)
            change.tell("money", -amount_fen)
        await self._told(change)
        return await Round.get(id=round_id)

    async def standing_changed(self, enterprise: Organisation, slug: str) -> list[StandingChange]:
        """An enterprise's qualification, labels or bans changed: settle its entitlements anew.

        Call it INSIDE the transaction that changed the standing, and give what it returns to
        :meth:`standing_told` after that: then nobody is granted anything between the change and its
        effect (launch.md C26).
        """
        for settle in self.settlers:
            await settle(enterprise, slug)
        changes: list[StandingChange] = []
        for row in await entitlements.open_rounds(slug):
            if not _is_grabbed(self.programme(row.budget)):
                # Elsewhere standing is asked when the voucher is issued.
                continue
            async with budgets.locked(row.budget_id) as budget:
                programme, now = self.programme(budget), self.clocks.now(slug)
                before, after = await entitlements.refresh(programme, budget, row.id, enterprise, now=now)
                if (before and before.amount_fen) == (after and after.amount_fen):
                    continue
                words: tuple[str | int, ...] = ("bar", enterprise.id)
                if after is not None:
                    taken = await entitlements.taken_fen(programme, budget.id, [enterprise.id])
                    left_fen = after.quota_fen - taken.get(enterprise.id, 0)
                    words = ("entitle", enterprise.id, after.amount_fen, left_fen)
                version = await budgets.raise_version(budget)
                changes.append(StandingChange(self.terms(budget), Change(row.id, version, words)))
        return changes

    async def standing_told(self, changes: Sequence[StandingChange]) -> None:
        """After that transaction: tell Redis, in order."""
        for one in changes:
            await self.desk.changed(one.terms, one.change)

    async def readiness(self, round_id: int, enterprise_id: int) -> Readiness:
        """Whether an enterprise is ready for a round, and everything that is missing."""
        row = await Round.get_or_none(id=round_id).select_related("budget")
        if row is None or row.status is RoundStatus.DRAFT:
            raise NotFound()
        enterprise = await Organisation.get(id=enterprise_id)
        now = self.clocks.now(row.budget.programme_slug)
        return await entitlements.readiness(self.programme(row.budget), row.budget_id, enterprise, now=now)

    async def _set_status(
        self,
        round_id: int,
        target: RoundStatus,
        action: str,
        actor: Actor,
        reason: str,
        *,
        since: RoundStatus | None = None,
    ) -> Round:
        async with self._change(round_id, actor) as change:
            change.require(target, since=since)
            await change.move(target, action, reason=reason)
            if target is RoundStatus.CLOSED:
                # Deadlines count from the day it really ended (GZ-31, GZ-33).
                await Round.filter(id=round_id, opens_at__lt=change.now, closes_at__gt=change.now).update(
                    closes_at=change.now
                )
            change.tell("status", target.value)
        await self._told(change)
        return await Round.get(id=round_id)

    async def _entitle(self, change: _Change) -> int:
        """Settle who may be granted what, where rounds are grabbed; elsewhere it is asked at issuing."""
        if not _is_grabbed(change.programme):
            return 0
        return await entitlements.prepare(change.programme, change.budget, change.round.id, now=change.now)

    async def _installed(self, change: _Change) -> None:
        """A whole round is new to Redis: it is installed, not changed."""
        if _is_grabbed(change.programme):
            await self.desk.settle(self.terms(change.budget))

    async def _told(self, change: _Change) -> None:
        if not _is_grabbed(change.programme):
            return
        await self.desk.changed(self.terms(change.budget), change.message)

    @asynccontextmanager
    async def _change(self, round_id: int, actor: Actor) -> AsyncIterator[_Change]:
        """One numbered change of a round, under its budget's lock."""
        row = await Round.get_or_none(id=round_id)
        if row is None:
            raise NotFound()
        async with budgets.locked(row.budget_id) as budget:
            # Read again: whoever held the lock before may have changed it.
            row = await Round.get(id=round_id)
            programme, now = self.programme(budget), self.clocks.now(budget.programme_slug)
            version = await budgets.raise_version(budget)
            yield _Change(row, budget, programme, actor, now, version)

    async def _journal(
        self, action: str, row: Round, actor: Actor, now: datetime, budget: Budget, **data: object
    ) -> None:
        await journal.record(
            action,
            f"round:{row.id}",
            actor=actor.name,
            at=now,
            programme_slug=budget.programme_slug,
            **data,
        )


@dataclass(slots=True)
class _Change:
    """A change under way: the round as the lock found it, and what Redis is to be told."""

    round: Round
    budget: Budget
    programme: Programme
    actor: Actor
    now: datetime
    version: int
    words: tuple[str | int, ...] = ()

    @property
    def message(self) -> Change:
        return Change(self.round.id, self.version, self.words)

    def require(self, target: RoundStatus, *, since: RoundStatus | None = None) -> None:
        """Refuse a move that the table does not list, or that does not start at ``since``."""
        require_move(ROUND_MOVES, self.round.status, target)
        if since is not None and self.round.status is not since:
            raise RoundMovedOn(current=self.round.status.value)

    async def move(self, target: RoundStatus, action: str, **data: object) -> None:
        """Change the status; the WHERE clause is the lock should anybody come past the budget's."""
        moved = await Round.filter(id=self.round.id, status=self.round.status).update(status=target)
        if not moved:
            raise RoundMovedOn(current=self.round.status.value)
        await self.note(action, **data)

    async def note(self, action: str, **data: object) -> None:
        await journal.record(
            action,
            f"round:{self.round.id}",
            actor=self.actor.name,
            at=self.now,
            programme_slug=self.programme.slug,
            version=self.version,
            **data,
        )

    def tell(self, *words: str | int) -> None:
        """What Redis is to do; see ``lua/change.lua``."""
        self.words = words


def _is_grabbed(programme: Programme) -> bool:
    """Whether vouchers are grabbed: only then has Redis anything to know of a round."""
    return programme.issuance.mode is IssuanceMode.GRAB


async def _allot(budget: Budget, amount_fen: int) -> None:
    """Take money of the year for a round; the CHECK on the row is the last word."""
    if amount_fen > budget.free_fen:
        raise budgets.too_small(budget.free_fen, amount_fen)
    await Budget.filter(id=budget.id).update(allotted_fen=F("allotted_fen") + amount_fen)


def _require_possible(programme: Programme, year: int, plan: RoundPlan) -> None:
    """A round lies within its programme, and within the year whose money it gives out."""
    if not plan.opens_at < plan.closes_at <= plan.valid_until:
        raise RoundWindowImpossible()
    first_day, last_day = _day(plan.opens_at), _day(plan.valid_until - INSTANT)
    if not (programme.covers(first_day) and programme.covers(last_day)):
        raise RoundBeyondProgramme(
            clause=programme.validity.article, first=str(first_day), last=str(last_day)
        )
    # What is not used in the year lapses with it (LS-07).
    if programme.year_of(first_day) != year or not (
        programme.voucher.carry_over or programme.year_of(last_day) == year
    ):
        raise RoundBeyondYear(
            clause=programme.voucher.article, year=year, first=str(first_day), last=str(last_day)
        )


def _day(at: datetime) -> date:
    return at.astimezone(CHINA).date()
