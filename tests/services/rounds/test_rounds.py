"""Rounds: planned within the rules, opened and halted by people, and Redis hears of every change."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.clock import CHINA
from server.errors import Refusal
from server.gateways.grab_gate import GateCode
from server.jobs.close_rounds import close_due_rounds
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.rules.lifecycles import IllegalMove, NotPermittedNow, RoundStatus
from server.rules.money import Account
from server.services import journal
from server.services.access import NotFound
from server.services.budgets import ledger
from server.services.budgets.budgets import BudgetTooSmall
from server.services.rounds.round_lists import phase
from server.services.rounds.rounds import (
    PoolTooSmall,
    RoundBeyondProgramme,
    RoundBeyondYear,
    RoundMovedOn,
    RoundNotForThisProgramme,
    RoundWindowImpossible,
)
from server.units import yuan_to_fen
from tests.factories import DAY, HOUR, MORNING, OPERATOR, Office, make_budget, make_qualified

INSTANT = timedelta(microseconds=1)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=CHINA)
LAST_DAY_ENDS = datetime(2027, 1, 1, tzinfo=CHINA)
FIRST_DAY = datetime(2024, 8, 9, tzinfo=CHINA)


async def test_planning_sets_money_aside_and_says_who_did(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=1_000)
    drafted = await office.make_round(budget, pool_yuan=400, scheduled=False)
    sums = await ledger.balances(budget_id=budget.id)
    assert (sums[Account.BUDGET], sums[Account.ROUND]) == (60_000, 40_000)
    assert (await Budget.get(id=budget.id)).allotted_fen == 40_000
    assert (drafted.status, drafted.created_by) == (RoundStatus.DRAFT, OPERATOR.id)
    (deed,) = await journal.history(f"round:{drafted.id}")
    assert (deed.action, deed.actor, deed.data) == ("round.planned", "staff:1", {"pool_fen": 40_000})


# -- what cannot be planned ---------------------------------------------------------------------------

IMPOSSIBLE: dict[str, tuple[type[Refusal], dict[str, datetime]]] = {
    "closes as it opens": (RoundWindowImpossible, {"opens_at": MORNING, "closes_at": MORNING}),
    "closes before it opens": (RoundWindowImpossible, {"closes_at": MORNING - 2 * HOUR}),
    "ends its vouchers before it closes": (
        RoundWindowImpossible,
        {"closes_at": MORNING + DAY, "valid_until": MORNING + DAY - INSTANT},
    ),
    "opens before the programme": (
        RoundBeyondProgramme,
        {"opens_at": FIRST_DAY - INSTANT, "valid_until": MORNING + DAY},
    ),
    "outlives the programme": (RoundBeyondProgramme, {"valid_until": LAST_DAY_ENDS + INSTANT}),
    "opens in the year before": (RoundBeyondYear, {"opens_at": NEW_YEAR - INSTANT}),
}


async def test_a_round_beyond_its_window_its_programme_or_its_year_is_refused(office: Office) -> None:
    budget = await make_budget(office.programme)
    for case, (refusal, plan) in IMPOSSIBLE.items():
        with pytest.raises(refusal):
            await office.make_round(budget, **plan)
            pytest.fail(f"a round was planned that {case}")
    assert await Round.all().count() == 0
    assert await LedgerEntry.all().count() == 1
    assert (await Budget.get(id=budget.id)).allotted_fen == 0


@pytest.mark.rules("LS-07")
async def test_what_is_left_of_a_year_is_not_carried_into_the_next(office: Office) -> None:
    office.clock.at = datetime(2025, 12, 20, tzinfo=UTC)
    budget = await make_budget(office.programme, at=office.now)
    last = await office.make_round(budget, valid_until=NEW_YEAR)
    assert last.valid_until == NEW_YEAR
    with pytest.raises(RoundBeyondYear) as refused:
        await office.make_round(budget, valid_until=NEW_YEAR + INSTANT)
    assert refused.value.clause == office.programme.voucher.article
    assert refused.value.values["last"] == "2026-01-01"
    # Nor is the year's money itself: in the next year it takes the next year's budget.
    office.clock.at = MORNING
    with pytest.raises(RoundBeyondYear):
        await office.make_round(budget)


@pytest.mark.rules("LS-02")
async def test_the_last_day_of_the_programme_is_its_last(office: Office) -> None:
    budget = await make_budget(office.programme)
    last = await office.make_round(budget, valid_until=LAST_DAY_ENDS)
    assert last.valid_until == LAST_DAY_ENDS


async def test_only_a_programme_that_issues_by_round_has_rounds(office: Office) -> None:
    without = [one for one in office.programmes if not one.issuance.mode.is_by_round]
    assert sorted(one.issuance.mode for one in without) == ["allotment", "provider_draw"]
    for programme in without:
        budget = await make_budget(programme)
        with pytest.raises(RoundNotForThisProgramme) as refused:
            await office.make_round(budget)
        assert refused.value.values["programme"] == programme.name


async def test_a_round_takes_no_more_than_the_year_has_and_shows_the_sum(office: Office) -> None:
    budget = await make_budget(office.programme, total_yuan=1_000)
    row = await office.make_round(budget, pool_yuan=600)
    with pytest.raises(BudgetTooSmall) as refused:
        await office.make_round(budget, pool_yuan=401)
    assert refused.value.arithmetic == "401.00 > 400.00"
    with pytest.raises(BudgetTooSmall):
        await office.rounds.top_up(row.id, 40_001, actor=OPERATOR, reason="追加")
    topped = await office.rounds.top_up(row.id, 40_000, actor=OPERATOR, reason="追加")
    assert topped.pool_fen == 100_000
    assert (await Budget.get(id=budget.id)).allotted_fen == 100_000


# -- the life of a round ------------------------------------------------------------------------------

Verb = Callable[[Office, int], Awaitable[Round]]
VERBS: dict[str, Verb] = {
    "schedule": lambda office, id: office.rounds.schedule(id, actor=OPERATOR),
    "pause": lambda office, id: office.rounds.pause(id, actor=OPERATOR, reason="演练"),
    "resume": lambda office, id: office.rounds.resume(id, actor=OPERATOR, reason="演练"),
    "close": lambda office, id: office.rounds.close(id, actor=OPERATOR, reason="演练"),
    "reopen": lambda office, id: office.rounds.reopen(
        id, closes_at=office.now + 2 * DAY, actor=OPERATOR, reason="演练"
    ),
    "top_up": lambda office, id: office.rounds.top_up(id, 100, actor=OPERATOR, reason="演练"),
    "cut": lambda office, id: office.rounds.cut(id, 100, actor=OPERATOR, reason="演练"),
}
WAY = {
    "draft": (),
    "scheduled": ("schedule",),
    "paused": ("schedule", "pause"),
    "closed": ("schedule", "close"),
}
ALLOWED = {
    "draft": {"schedule", "top_up", "cut"},
    "scheduled": {"pause", "close", "top_up", "cut"},
    "paused": {"resume", "close", "top_up", "cut"},
    "closed": {"reopen", "cut"},
}
AFTER = {
    "pause": "paused",
    "close": "closed",
    "schedule": "scheduled",
    "resume": "scheduled",
    "reopen": "scheduled",
}


@pytest.mark.parametrize("state", WAY)
async def test_each_state_permits_its_verbs_and_no_others(office: Office, state: str) -> None:
    budget = await make_budget(office.programme)
    for name, verb in VERBS.items():
        row = await office.make_round(budget, pool_yuan=100, scheduled=False)
        for step in WAY[state]:
            await VERBS[step](office, row.id)
        before = await Round.get(id=row.id)
        deeds = len(await journal.history(f"round:{row.id}"))
        if name in ALLOWED[state]:
            after = await verb(office, row.id)
            assert after.status == AFTER.get(name, state)
            deed = (await journal.history(f"round:{row.id}"))[deeds]
            assert (deed.actor, deed.programme_slug) == ("staff:1", office.programme.slug)
            assert deed.data.get("reason", "演练") == "演练"
        else:
            with pytest.raises((IllegalMove, RoundMovedOn, NotPermittedNow)):
                await verb(office, row.id)
            assert dict(await Round.get(id=row.id)) == dict(before)
            assert len(await journal.history(f"round:{row.id}")) == deeds


async def test_what_is_issued_cannot_be_cut(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget, pool_yuan=30_000)
    await office.grant(row, enterprise)
    with pytest.raises(PoolTooSmall) as refused:
        await office.rounds.cut(row.id, yuan_to_fen(20_000) + 1, actor=OPERATOR, reason="核减")
    assert refused.value.arithmetic == "20,000.01 > 20,000.00"
    cut = await office.rounds.cut(row.id, yuan_to_fen(20_000), actor=OPERATOR, reason="核减")
    assert cut.pool_fen == cut.issued_fen == yuan_to_fen(10_000)
    assert (await Budget.get(id=budget.id)).allotted_fen == yuan_to_fen(10_000)


async def test_redis_hears_of_every_change_without_being_rebuilt(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget, pool_yuan=10_000)
    epoch = (await Budget.get(id=budget.id)).epoch
    said: list[GateCode] = []

    async def after(verb: Verb) -> None:
        await verb(office, row.id)
        said.append((await office.gate_says(row, enterprise)).code)

    await after(lambda office, id: office.rounds.cut(id, 1, actor=OPERATOR, reason="核减"))
    await after(VERBS["pause"])
    await after(lambda office, id: office.rounds.top_up(id, 1, actor=OPERATOR, reason="追加"))
    await after(VERBS["resume"])
    assert said == [GateCode.SOLD_OUT, GateCode.PAUSED, GateCode.PAUSED, GateCode.ADMITTED]
    marked = await Budget.get(id=budget.id)
    assert marked.epoch == epoch
    # One number for each change: schedule, cut, pause, top-up, resume.
    assert marked.version == 5


async def test_a_closed_round_opens_again_until_another_instant(office: Office) -> None:
    budget = await make_budget(office.programme)
    enterprise = await make_qualified(office.programme)
    row = await office.make_round(budget)
    await VERBS["close"](office, row.id)
    assert (await office.gate_says(row, enterprise)).code is GateCode.CLOSED
    reopened = await office.rounds.reopen(row.id, closes_at=MORNING + 3 * DAY, actor=OPERATOR, reason="补发")
    assert reopened.closes_at == MORNING + 3 * DAY
    assert (await office.gate_says(row, enterprise)).code is GateCode.ADMITTED
    with pytest.raises(RoundWindowImpossible):
        await VERBS["close"](office, row.id)
        await office.rounds.reopen(row.id, closes_at=row.opens_at, actor=OPERATOR, reason="补发")


async def test_of_two_who_close_a_round_at_once_one_does(office: Office) -> None:
    row = await office.make_round(await make_budget(office.programme))
    outcomes = await asyncio.gather(
        VERBS["close"](office, row.id), VERBS["close"](office, row.id), return_exceptions=True
    )
    assert sorted(isinstance(one, IllegalMove) for one in outcomes) == [False, True]
    actions = [deed.action for deed in await journal.history(f"round:{row.id}")]
    assert actions == ["round.planned", "round.scheduled", "round.closed"]


async def test_a_round_whose_time_is_over_is_closed_by_the_clock(office: Office) -> None:
    budget = await make_budget(office.programme)
    over = await office.make_round(budget, closes_at=MORNING)
    paused = await office.make_round(budget, closes_at=MORNING)
    await VERBS["pause"](office, paused.id)
    later = await office.make_round(budget, closes_at=MORNING + INSTANT)
    assert await close_due_rounds(office.rounds) == 2
    assert await close_due_rounds(office.rounds) == 0
    states = {row.id: row.status for row in await Round.all()}
    assert states == {over.id: "closed", paused.id: "closed", later.id: "scheduled"}
    assert (await journal.history(f"round:{over.id}"))[-1].actor == "clock"


async def test_a_rounds_phase_follows_the_clock(office: Office) -> None:
    row = await office.make_round(
        await make_budget(office.programme), opens_at=MORNING, closes_at=MORNING + DAY
    )
    phases: list[tuple[timedelta, Any]] = [
        (-INSTANT, "upcoming"),
        (timedelta(), "open"),
        (DAY - INSTANT, "open"),
        (DAY, "over"),
    ]
    for moved, expected in phases:
        assert phase(row, MORNING + moved) == expected
    paused = await VERBS["pause"](office, row.id)
    assert [phase(paused, MORNING + moved) for moved in (-INSTANT, DAY)] == ["paused", "over"]


async def test_a_round_that_is_not_there_is_not_found(office: Office) -> None:
    row = await office.make_round(await make_budget(office.programme))
    for verb in VERBS.values():
        with pytest.raises(NotFound):
            await verb(office, row.id + 1)
