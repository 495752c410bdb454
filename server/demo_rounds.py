"""Demo rounds: one whose vouchers some have had for weeks, one that is open, one that opens in a moment."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiohttp import web

from server import keys
from server.models.rounds import Budget, Round
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.rules.deadlines import day_of, end_of, year_bounds
from server.services.access import Actor
from server.services.rounds.grabs import GrabAsk
from server.services.rounds.rounds import RoundPlan
from server.services.vouchers.applications import Ask
from server.texts import DEMO

OPEN_POOL_FEN = 30_000_000
NEXT_POOL_FEN = 20_000_000
ASKED_FEN = 1_000_000
JUST_OPENED, OPENS_SOON = timedelta(minutes=-5), timedelta(minutes=10)
OPEN_FOR = timedelta(days=30)


async def first_vouchers(
    app: web.Application,
    programme: Programme,
    budget: Budget,
    enterprises: Sequence[Actor],
    *,
    today: datetime,
    operator: Actor,
) -> None:
    """Where vouchers come out of rounds, let these enterprises have theirs; by the clock it is weeks ago.

    A round that is not ranked stays open for a month from ``today``: a visitor finds it open, too.
    """
    now = app[keys.CLOCKS].now(programme.slug)
    plan = _Planner(app, programme, budget, operator)
    match programme.issuance.mode:
        case IssuanceMode.GRAB:
            opened = await plan.open(DEMO["open_round"], now + JUST_OPENED, today + OPEN_FOR, OPEN_POOL_FEN)
            for actor in enterprises:
                await _grab(app, programme, opened, actor)
        case IssuanceMode.RANKED_BATCH:
            closes = now + timedelta(days=1)
            opened = await plan.open(DEMO["first_round"], now + JUST_OPENED, closes, OPEN_POOL_FEN)
            for actor in enterprises:
                await apply_for(app, programme, opened, actor)
            await app[keys.ROUNDS].close(opened.id, reason=DEMO["round_over"], actor=operator)
            await app[keys.RANKED].rank_due()
        case IssuanceMode.ON_CONTRACT:
            await plan.open(DEMO["open_round"], now + JUST_OPENED, today + OPEN_FOR, OPEN_POOL_FEN)
        case _:
            pass  # A quota comes by itself; a provider draws within its order.


async def rounds_of_today(
    app: web.Application, programme: Programme, budget: Budget, operator: Actor
) -> Round | None:
    """One that opens in ten minutes; and where the first is over, one that is open (the answer)."""
    if not programme.issuance.mode.is_by_round:
        return None
    now = app[keys.CLOCKS].now(programme.slug)
    plan, opened = _Planner(app, programme, budget, operator), None
    if programme.issuance.mode is IssuanceMode.RANKED_BATCH:
        opens = now + JUST_OPENED
        opened = await plan.open(DEMO["open_round"], opens, opens + OPEN_FOR, OPEN_POOL_FEN)
    opens = now + OPENS_SOON
    await plan.open(DEMO["next_round"], opens, opens + OPEN_FOR, NEXT_POOL_FEN)
    return opened


async def apply_for(app: web.Application, programme: Programme, row: Round, actor: Actor) -> None:
    """Apply in a round that is ranked."""
    key = _key(programme.slug, row.id, actor.id)
    await app[keys.APPLICATIONS].put(Ask(row.id, key, ASKED_FEN), actor=actor)


async def _grab(app: web.Application, programme: Programme, row: Round, actor: Actor) -> None:
    door, key = app[keys.GRAB_DOOR], _key(programme.slug, row.id, actor.id)
    card = await door.book.card(row.id)
    assert actor.organisation_id is not None, "a handler of an enterprise"
    await door.grabs.grab(card, GrabAsk(actor.organisation_id, actor.id, key, 1))


def _key(*about: object) -> str:
    """The key of a request that is made for the demonstration, 128 bits in hex."""
    return hashlib.sha256(" ".join(map(str, about)).encode()).hexdigest()[:32]


class _Planner:
    """Plans and publishes rounds of one year."""

    def __init__(self, app: web.Application, programme: Programme, budget: Budget, operator: Actor) -> None:
        self.rounds = app[keys.ROUNDS]
        self.programme = programme
        self.budget = budget
        self.operator = operator

    async def open(self, title: str, opens_at: datetime, closes_at: datetime, pool_fen: int) -> Round:
        # Within the programme's own year, which need not be the calendar's.
        ends = end_of(year_bounds(self.programme, day_of(opens_at))[1])
        last = self.programme.validity.service_until or self.programme.valid_until
        if last is not None:
            ends = min(ends, end_of(last))
        plan = RoundPlan(
            title=title,
            opens_at=opens_at,
            closes_at=min(closes_at, ends),
            pool_fen=pool_fen,
            valid_until=ends,
        )
        drafted = await self.rounds.plan(self.budget.id, plan, actor=self.operator)
        return await self.rounds.schedule(drafted.id, actor=self.operator)
