"""Rounds and budgets over HTTP: what an operator moves, and what a phone sees of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.rounds import Budget, Round
from server.units import yuan_to_fen
from tests.town import DAY, PROGRAMME, Answered, Caller, Town, a_running_town

HOUR = timedelta(hours=1)
YEAR_FEN = yuan_to_fen(1_000)


def refused(told: Answered, status: int, code: str) -> None:
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["detail"]


async def budget_of(operator: Caller, **others: Any) -> int:
    body = {"programme": PROGRAMME, "year": 2026, "total_fen": YEAR_FEN} | others
    opened = await operator.post("budgets", **body)
    assert opened.status == 201, opened.body
    return int(opened.body["id"])


def planned(town: Town, budget_id: int, **others: Any) -> dict[str, Any]:
    """The body of a round that is possible, but for what ``others`` say."""
    body: dict[str, Any] = {
        "budget_id": budget_id,
        "title": "第一批",
        "opens_at": town.now.isoformat(),
        "closes_at": (town.now + DAY).isoformat(),
        "pool_fen": YEAR_FEN,
        "valid_until": (town.now + 30 * DAY).isoformat(),
    }
    return body | {
        name: one.isoformat() if isinstance(one, datetime) else one for name, one in others.items()
    }


async def test_a_round_goes_through_its_life(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    draft = await operator.post("rounds", **planned(town, budget_id, pool_fen=yuan_to_fen(600)))
    assert (draft.status, draft.body["status"], draft.body["phase"]) == (201, "draft", "draft")
    url = f"rounds/{draft.body['id']}"
    # A draft is the operator's own affair.
    refused(await town.anybody.get(url), 404, "not_found")
    assert (await town.anybody.get("rounds")).body["rounds"] == []

    steps: list[tuple[str, dict[str, Any], str, str]] = [
        ("schedule", {}, "scheduled", "open"),
        ("pause", {"reason": "系统演练"}, "paused", "paused"),
        ("resume", {"reason": "演练结束"}, "scheduled", "open"),
        ("close", {"reason": "当期领完"}, "closed", "over"),
        ("reopen", {"reason": "补发", "closes_at": (town.now + 2 * DAY).isoformat()}, "scheduled", "open"),
    ]
    for verb, body, status, phase in steps:
        moved = await operator.post(f"{url}/{verb}", **body)
        assert (moved.status, moved.body["status"], moved.body["phase"]) == (200, status, phase), verb
        shown = await town.anybody.get(url)
        assert shown.body == moved.body
    assert shown.body["closes_at"] == (town.now + 2 * DAY).isoformat().replace("+00:00", "Z")
    topped = await operator.post(f"{url}/top-ups", amount_fen=yuan_to_fen(400), reason="年中追加")
    assert (topped.body["pool_fen"], topped.body["remaining_fen"]) == (YEAR_FEN, YEAR_FEN)
    cut = await operator.post(f"{url}/cuts", amount_fen=yuan_to_fen(1), reason="核减")
    assert cut.body["pool_fen"] == yuan_to_fen(999)
    deeds = await JournalEntry.filter(subject=f"round:{draft.body['id']}").order_by("id")
    assert [deed.action for deed in deeds] == [
        "round.planned",
        "round.scheduled",
        "round.paused",
        "round.resumed",
        "round.closed",
        "round.reopened",
        "round.topped_up",
        "round.cut",
    ]
    assert {deed.actor for deed in deeds} == {f"staff:{operator.id}"}
    assert [deed.data["reason"] for deed in deeds[2:]] == [
        "系统演练",
        "演练结束",
        "当期领完",
        "补发",
        "年中追加",
        "核减",
    ]


async def test_a_years_money_is_put_in_added_to_and_cut(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    refused(await operator.post("budgets", programme=PROGRAMME, year=2026, total_fen=1), 409, "budget_exists")
    refused(
        await operator.post("budgets", programme="nowhere", year=2026, total_fen=1), 404, "unknown_programme"
    )
    topped = await operator.post(f"budgets/{budget_id}/top-ups", amount_fen=100, reason="年中追加")
    assert topped.body == {
        "id": budget_id,
        "programme": PROGRAMME,
        "year": 2026,
        "total_fen": YEAR_FEN + 100,
        "allotted_fen": 0,
    }
    assert (await operator.post("rounds", **planned(town, budget_id))).status == 201
    too_much = await operator.post(f"budgets/{budget_id}/cuts", amount_fen=101, reason="核减")
    refused(too_much, 409, "budget_too_small")
    assert too_much.body["arithmetic"] == "1.01 > 1.00"
    assert (await operator.post(f"budgets/{budget_id}/cuts", amount_fen=100, reason="核减")).status == 200


async def test_what_cannot_be_is_refused_by_name_with_its_clause(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    other = await budget_of(operator, programme="yinchuan-2024")
    before = town.now - HOUR
    cases: list[tuple[int, str, dict[str, Any]]] = [
        (422, "round_window_impossible", {"closes_at": before}),
        (422, "round_window_impossible", {"valid_until": town.now + HOUR}),
        (422, "round_beyond_programme", {"valid_until": town.now + 365 * DAY}),
        (422, "round_beyond_year", {"opens_at": town.now - 200 * DAY}),
        (409, "budget_too_small", {"pool_fen": YEAR_FEN + 1}),
        (409, "round_not_for_this_programme", {"budget_id": other}),
        (404, "not_found", {"budget_id": other + 1}),
    ]
    for status, code, impossible in cases:
        told = await operator.post("rounds", **planned(town, **{"budget_id": budget_id} | impossible))
        refused(told, status, code)
        if code in ("round_beyond_programme", "round_beyond_year", "round_not_for_this_programme"):
            assert told.body["clause"]
    assert await Round.all().count() == 0


async def test_what_is_malformed_is_named_and_nothing_is_stored(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    for field, values in {
        "pool_fen": [-1, 0.5, "100", None, 10**16],
        "title": ["", "x", 7, "一" * 121, "\x00\x00"],
        "opens_at": ["2026-05-18T10:00:00", "tomorrow", 1_779_069_600],
        "budget_id": ["1", 0.5, 0, -1],
        "surprise": [1],
    }.items():
        for value in values:
            told = await operator.post("rounds", **planned(town, budget_id) | {field: value})
            assert told.status in (400, 422), (field, value, told.body)
            if told.code == "malformed":
                assert [fault["field"] for fault in told.body["faults"]] == [field]
    round_id = await town.open_round(operator, pool_yuan=500)
    for url in (f"budgets/{budget_id}", f"rounds/{round_id}"):
        for body in ({"amount_fen": 0}, {"amount_fen": -5}, {"amount_fen": 1.5}, {"amount_fen": "5"}):
            for act in ("top-ups", "cuts"):
                refused(await operator.post(f"{url}/{act}", reason="调整", **body), 422, "malformed")
        refused(await operator.post(f"{url}/cuts", amount_fen=5), 422, "malformed")
        refused(await operator.post(f"{url}/cuts", amount_fen=5, reason=""), 422, "malformed")
    assert await Round.all().count() == 1
    assert await LedgerEntry.all().count() == 2
    assert (await Budget.get()).total_fen == YEAR_FEN


async def test_a_step_that_the_state_does_not_permit_is_refused(town: Town) -> None:
    operator = await town.operator()
    await budget_of(operator)
    round_id = await town.open_round(operator, pool_yuan=500)
    url = f"rounds/{round_id}"
    refused(await operator.post(f"{url}/schedule"), 409, "illegal_move")
    await operator.post(f"{url}/close", reason="演练")
    for verb, body in {
        "pause": {"reason": "演练"},
        "close": {"reason": "演练"},
    }.items():
        refused(await operator.post(f"{url}/{verb}", **body), 409, "illegal_move")
    refused(await operator.post(f"{url}/resume", reason="演练"), 409, "round_moved_on")
    refused(await operator.post(f"{url}/schedule"), 409, "round_moved_on")
    told = await operator.post(f"{url}/top-ups", amount_fen=5, reason="调整")
    refused(told, 409, "not_permitted_now")
    early = await operator.post(f"{url}/reopen", reason="补发", closes_at=(town.now - DAY).isoformat())
    refused(early, 422, "round_window_impossible")


async def test_only_an_operator_moves_money_and_rounds(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    round_id = await town.open_round(operator, pool_yuan=500)
    handler = await town.handler()
    doors = [
        ("budgets", {"programme": PROGRAMME, "year": 2025, "total_fen": 5}),
        (f"budgets/{budget_id}/top-ups", {"amount_fen": 5, "reason": "调整"}),
        (f"budgets/{budget_id}/cuts", {"amount_fen": 5, "reason": "调整"}),
        ("rounds", planned(town, budget_id, pool_fen=5)),
        *((f"rounds/{round_id}/{verb}", {"reason": "演练"}) for verb in ("pause", "resume", "close")),
        (f"rounds/{round_id}/schedule", {}),
        (f"rounds/{round_id}/reopen", {"reason": "补发", "closes_at": town.now.isoformat()}),
        (f"rounds/{round_id}/top-ups", {"amount_fen": 5, "reason": "调整"}),
        (f"rounds/{round_id}/cuts", {"amount_fen": 5, "reason": "调整"}),
    ]
    for door, body in doors:
        refused(await handler.post(door, **body), 403, "not_allowed")
        refused(await town.anybody.post(door, **body), 401, "not_signed_in")
    assert (await Round.get()).status == "scheduled"
    assert await LedgerEntry.all().count() == 2


async def test_what_is_not_there_is_not_found(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler()
    for unknown in ("99", "0", "-1", "x", "9" * 30):
        refused(await town.anybody.get(f"rounds/{unknown}"), 404, "not_found")
        refused(await handler.get(f"rounds/{unknown}/readiness"), 404, "not_found")
        refused(await operator.post(f"rounds/{unknown}/pause", reason="演练"), 404, "not_found")
        told = await operator.post(f"budgets/{unknown}/top-ups", amount_fen=5, reason="调整")
        refused(told, 404, "not_found")


@pytest.mark.rules("LS-05")
async def test_vouchers_come_in_batches_that_everybody_can_see(town: Town) -> None:
    operator = await town.operator()
    await budget_of(operator, total_fen=yuan_to_fen(1_000_000))
    ids = [await town.open_round(operator, pool_yuan=1, opens_in=one * HOUR) for one in (-1, 1)]
    seen = (await town.anybody.get(f"rounds?programme={PROGRAMME}")).body
    assert [(one["id"], one["phase"]) for one in seen["rounds"]] == [(ids[0], "open"), (ids[1], "upcoming")]
    assert seen["next_after"] is None
    assert (await town.anybody.get(f"rounds?after={ids[0]}")).body["rounds"] == seen["rounds"][1:]
    assert (await town.anybody.get("rounds?programme=guangzhou-2020")).body["rounds"] == []
    # The phase follows the clock, with nobody doing anything.
    town.clock.advance(2 * HOUR)
    assert (await town.anybody.get(f"rounds/{ids[1]}")).body["phase"] == "open"
    town.clock.advance(DAY)
    assert (await town.anybody.get(f"rounds/{ids[1]}")).body["phase"] == "over"


async def test_long_lists_come_in_pages(town: Town) -> None:
    operator = await town.operator()
    budget_id = await budget_of(operator)
    first = await town.open_round(operator, pool_yuan=1)
    row = dict(await Round.get(id=first).values())
    del row["id"]
    await Round.bulk_create([Round(**row | {"pool_fen": 0}) for _ in range(50)])
    page = (await town.anybody.get("rounds")).body
    assert (len(page["rounds"]), page["next_after"]) == (50, page["rounds"][-1]["id"])
    rest = (await town.anybody.get(f"rounds?after={page['next_after']}")).body
    assert (len(rest["rounds"]), rest["next_after"]) == (1, None)
    assert {one["budget_id"] for one in page["rounds"] + rest["rounds"]} == {budget_id}


async def test_an_enterprise_is_told_beforehand_whether_it_is_ready(town: Town) -> None:
    operator = await town.operator()
    ready, not_yet = await town.qualified(operator), await town.handler()
    round_id = await town.open_round(operator)
    face = yuan_to_fen(10_000)
    assert (await ready.get(f"rounds/{round_id}/readiness")).body == {
        "ready": True,
        "amount_fen": face,
        "quota_fen": face,
        "taken_fen": 0,
        "missing": [],
    }
    told = (await not_yet.get(f"rounds/{round_id}/readiness")).body
    assert (told["ready"], [one["code"] for one in told["missing"]]) == (False, ["not_qualified"])
    refused(await (await town.person()).get(f"rounds/{round_id}/readiness"), 404, "no_organisation")
    refused(await operator.get(f"rounds/{round_id}/readiness"), 403, "not_allowed")


async def test_the_clock_is_the_servers_and_in_a_demo_each_programmes_own(
    sqlite_url: str, redis_url: str
) -> None:
    async with a_running_town(sqlite_url, redis_url, demo_anchor="2026-11-01") as town:
        plain = (await town.anybody.get("clock")).body
        assert plain["offset_days"] == 0
        assert plain["unix_ms"] == int(datetime.fromisoformat(plain["now"]).timestamp() * 1000)
        days = {}
        for programme in town.programmes:
            own = (await town.anybody.get(f"clock?programme={programme.slug}")).body
            days[programme.slug] = own["offset_days"]
            apart = datetime.fromisoformat(own["now"]) - datetime.fromisoformat(plain["now"])
            assert abs(apart - timedelta(days=own["offset_days"])) < timedelta(minutes=5)
        assert (days[PROGRAMME], days["guangzhou-2020"]) == (-167, -2323)
        refused(await town.anybody.get("clock?programme=nowhere"), 404, "unknown_programme")
