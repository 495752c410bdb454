"""Factories: what most tests of money and rounds begin with, made through the services themselves.

An ``Office`` is the launch without HTTP: the verbs on rounds, the desk and the committer of one process,
on a real database and a real Redis, under a clock that stands still until a test moves it.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from stdnum.cn.uscc import calc_check_digit

from server.app import grab_store
from server.clock import FixedClock
from server.gateways.grab_gate import GateAnswer, GrabGate
from server.gateways.redis_lane import RedisLane
from server.models.organisations import Organisation, Qualification
from server.models.rounds import Budget, Round
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.grabbing import Claim
from server.rules.lifecycles import QualificationStatus
from server.services.access import Actor
from server.services.budgets import budgets
from server.services.clocks import ProgrammeClocks
from server.services.rounds.grab_commit import BudgetTerms, Decided, GrabCommitter
from server.services.rounds.grabs import GrabAsk, GrabReply, Grabs, RoundCard
from server.services.rounds.launch import LaunchDesk
from server.services.rounds.rounds import RoundPlan, Rounds
from server.units import yuan_to_fen

PROGRAMME = "lishui-2024"
PROGRAMMES = Path("config/programmes")
MORNING = datetime(2026, 5, 18, 2, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPERATOR = Actor("staff", 1, "", None, frozenset({"operator"}))

_numbers = count(1)


def uscc(number: int) -> str:
    """A code that no other number has, with its right check digit."""
    start = f"91331100MB{number:07d}"
    return start + calc_check_digit(start)


def grab_key() -> str:
    """A new request's key."""
    return f"{next(_numbers):032x}"


async def make_enterprise(
    *, labels: tuple[str, ...] = (), at: datetime = MORNING, **facts: Any
) -> Organisation:
    """A small manufacturer with these confirmed labels, not qualified for anything."""
    number = next(_numbers)
    known: dict[str, Any] = {
        "name": f"第{number}机械有限公司",
        "area": "浙江省/丽水市/莲都区",
        "industry": "C3484",
        "legal_person": True,
        "established_on": date(2016, 3, 18),
        "headcount": 42,
        "revenue_fen": yuan_to_fen(10_000_000),
        "assets_fen": yuan_to_fen(8_000_000),
    }
    return await Organisation.create(
        uscc=uscc(number), labels=list(labels), created_at=at, facts_changed_at=at, **known | facts
    )


async def make_qualified(
    programme: Programme, *, labels: tuple[str, ...] = (), at: datetime = MORNING, **facts: Any
) -> Organisation:
    """An enterprise that is approved under a programme, whatever its conditions say."""
    enterprise = await make_enterprise(labels=labels, at=at, **facts)
    await Qualification.create(
        organisation_id=enterprise.id,
        programme_slug=programme.slug,
        programme_version=programme.version,
        status=QualificationStatus.APPROVED,
        applied_at=at,
        decided_at=at,
        decided_by=OPERATOR.id,
        snapshot={},
    )
    return enterprise


async def make_budget(
    programme: Programme, *, total_yuan: int = 1_000_000, year: int | None = None, at: datetime = MORNING
) -> Budget:
    """A year's money, put in by the operator; never less than its text wants (GZ-10)."""
    year = programme.year_of(at) if year is None else year
    total_fen = max(yuan_to_fen(total_yuan), programme.budget.least_total_fen or 0)
    return await budgets.open_year(programme, year, total_fen, actor=OPERATOR, now=at)


class Office:
    """One process' launch: ``rounds``, ``desk``, ``committer`` and ``store``, and shortcuts to use them."""

    def __init__(self, programmes: Programmes, database_url: str, redis_url: str) -> None:
        self.programmes = programmes
        self.programme = programmes.get(PROGRAMME)
        self.clock = FixedClock(MORNING)
        self.clocks = ProgrammeClocks(self.clock)
        self.lane = RedisLane(redis_url)
        self.store = grab_store(database_url)
        self.desk = LaunchDesk(GrabGate(self.lane), self.store, live=_nothing, leaked=lambda *_: None)
        self.committer = GrabCommitter(self.store, self.desk.announce, observe=lambda _: None)
        self.desk.committer = self.committer
        self.rounds = Rounds(programmes, self.clocks, self.desk)
        self.grabs = Grabs(self.desk, self.committer, self.store)

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def plan(self, *, pool_yuan: int = 100_000, **others: Any) -> RoundPlan:
        """A round that is open now, for a day, whose vouchers last a month."""
        plan = RoundPlan(
            title="第一批",
            opens_at=self.now - HOUR,
            closes_at=self.now + DAY,
            pool_fen=yuan_to_fen(pool_yuan),
            valid_until=self.now + 30 * DAY,
            order_deadline=self.now + 20 * DAY,
        )
        return replace(plan, **others)

    async def make_round(self, budget: Budget, *, scheduled: bool = True, **plan: Any) -> Round:
        """A round of this budget, published unless ``scheduled=False``."""
        drafted = await self.rounds.plan(budget.id, self.plan(**plan), actor=OPERATOR)
        return await self.rounds.schedule(drafted.id, actor=OPERATOR) if scheduled else drafted

    async def terms(self, round_id: int) -> BudgetTerms:
        """What a commit of this round's grabs must know."""
        row = await Round.get(id=round_id).select_related("budget")
        return self.rounds.terms(row.budget)

    async def grant(self, row: Round, enterprise: Organisation, *, key: str | None = None) -> Decided:
        """Commit one grab as the database-only path does, at this instant."""
        claim = Claim(row.id, enterprise.id, 1, key or grab_key(), None, "", self.now)
        return (await self.committer.commit(await self.terms(row.id), None, [claim]))[0]

    async def card(self, row: Round) -> RoundCard:
        """What a process keeps of a round; Redis' clock is moved to this instant."""
        offset = self.now - datetime.now(UTC)
        row = await Round.get(id=row.id)
        terms = await self.terms(row.id)
        return RoundCard(row.id, terms, offset, row.status, row.opens_at, row.closes_at)

    async def grab(self, row: Round, enterprise: Organisation, key: str = "", attempt: int = 1) -> GrabReply:
        """One request, through Redis where it is there."""
        ask = GrabAsk(enterprise.id, 1, key or grab_key(), attempt)
        return await self.grabs.grab(await self.card(row), ask)

    async def gate_says(self, row: Round, enterprise: Organisation) -> GateAnswer:
        """What Redis says to a grab at this instant; an admitted one stays there, undecided."""
        footing = await self.desk.make_sure(await self.terms(row.id))
        assert footing is not None
        return await self.desk.gate.grab(
            row.budget_id,
            row.id,
            epoch=footing.epoch,
            run_id=footing.run_id,
            offset_ms=round((self.now.timestamp() - time.time()) * 1000),
            enterprise_id=enterprise.id,
            person_id=1,
            grab_key=grab_key(),
        )


@asynccontextmanager
async def an_office(database_url: str, redis_url: str) -> AsyncIterator[Office]:
    """An office on a database that the ORM has open already."""
    office = Office(Programmes.load(PROGRAMMES), database_url, redis_url)
    try:
        yield office
    finally:
        await office.committer.drain()
        office.lane.close()
        await office.store.close()


async def _nothing() -> list[Any]:
    return []
