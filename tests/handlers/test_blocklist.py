"""The blocklist over HTTP, and what it bars from."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from server.keys import BLOCKLIST
from server.models.outbox import OutboxMessage
from server.models.rounds import Entitlement
from tests.town import PROGRAMME, Caller, Town, uscc

LIST = "失信惩戒名单"
ELIGIBILITY = f"eligibility?programme={PROGRAMME}"


async def bar(operator: Caller, code: str, **others: Any) -> Any:
    return await operator.post(
        "blocklist", **{"uscc": code, "list_name": LIST, "clause": "五（二）", "reason": "虚假交易", **others}
    )


async def own_code(handler: Caller) -> str:
    return str((await handler.get("organisations/mine")).body["uscc"])


@pytest.mark.parametrize("programme", [PROGRAMME, None])
async def test_a_ban_holds_at_once_and_ends_when_it_is_lifted(town: Town, programme: str | None) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler = await town.qualified(operator)
    ready = (await handler.get(f"rounds/{round_id}/readiness")).body["ready"]
    barred = await bar(operator, await own_code(handler), programme=programme)
    unready = (await handler.get(f"rounds/{round_id}/readiness")).body
    entitled_while_barred = await Entitlement.all().count()
    lifted = await operator.post(f"blocklist/{barred.body['id']}/lifting", reason="复核后更正")
    again = (await handler.get(f"rounds/{round_id}/readiness")).body["ready"]
    assert (ready, unready["ready"], again) == (True, False, True)
    assert [(one["code"], one["clause"]) for one in unready["missing"]] == [("barred", "五（二）")]
    assert (entitled_while_barred, await Entitlement.all().count()) == (0, 1)
    assert (lifted.status, lifted.body["lift_reason"]) == (200, "复核后更正")
    topics = (
        await OutboxMessage.filter(topic__startswith="blocklist")
        .order_by("id")
        .values_list("topic", flat=True)
    )
    assert list(topics) == ["blocklist.added", "blocklist.lifted"]


async def test_the_conditions_see_a_ban_and_for_ever_the_violation_behind_it(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    code = await own_code(handler)
    await bar(operator, code, programme="guangxi-2024")
    elsewhere = (await handler.get(ELIGIBILITY)).body["unmet"]
    ends_at = (town.now + timedelta(minutes=10)).isoformat()
    barred = await bar(operator, code, programme=PROGRAMME, ends_at=ends_at)
    during = (await handler.get(ELIGIBILITY)).body["unmet"]
    town.clock.advance(timedelta(minutes=20))
    after = (await handler.get(ELIGIBILITY)).body["unmet"]
    await operator.post(f"blocklist/{barred.body['id']}/lifting", reason="复核后更正")
    lifted = (await handler.get(ELIGIBILITY)).body["unmet"]
    assert elsewhere == []
    assert [one["code"] for one in during] == ["past_violation", "blocklist"]
    # Conditions count whole days: the day on which the ban ends is still a day of the ban.
    assert [one["code"] for one in after] == ["past_violation", "blocklist"]
    assert lifted == []


async def test_a_ban_may_meet_somebody_who_has_not_registered_yet(town: Town) -> None:
    operator = await town.operator()
    code = uscc(5_000_000)
    barred = await bar(operator, code)
    handler = await town.handler(uscc=code)
    unmet = (await handler.get(ELIGIBILITY)).body["unmet"]
    assert barred.status == 201
    assert (barred.body["programme"], barred.body["ends_at"]) == (None, None)
    assert [one["code"] for one in unmet] == ["blocklist"]


async def test_a_ban_ends_after_it_begins(town: Town) -> None:
    operator = await town.operator()
    starts = town.now + timedelta(days=1)
    refused = await bar(operator, uscc(1), starts_at=starts.isoformat(), ends_at=starts.isoformat())
    later = starts + timedelta(seconds=1)
    barred = await bar(operator, uscc(1), starts_at=starts.isoformat(), ends_at=later.isoformat())
    assert (refused.status, refused.code) == (422, "ban_period_impossible")
    assert datetime.fromisoformat(barred.body["starts_at"]) == starts


async def test_a_ban_begins_and_ends_by_the_clock(town: Town) -> None:
    operator = await town.operator()
    round_id = await town.open_round(operator)
    handler, bystander = await town.qualified(operator), await town.qualified(operator)
    blocklist = town.app[BLOCKLIST]
    starts, ends = town.now + timedelta(minutes=5), town.now + timedelta(minutes=10)
    await bar(operator, await own_code(handler), starts_at=starts.isoformat(), ends_at=ends.isoformat())
    seen = []
    for minutes in (0, 5, 4, 1):
        town.clock.advance(timedelta(minutes=minutes))
        settled = await blocklist.settle_turned(), await blocklist.settle_turned()
        readiness = (await handler.get(f"rounds/{round_id}/readiness")).body
        seen.append((settled, await Entitlement.all().count(), readiness["ready"]))
    assert seen == [((0, 0), 2, True), ((1, 0), 1, False), ((0, 0), 1, False), ((1, 0), 2, True)]
    assert (await bystander.get(f"rounds/{round_id}/readiness")).body["ready"]


async def test_a_ban_is_lifted_once(town: Town) -> None:
    operator = await town.operator()
    barred = await bar(operator, uscc(2))
    path = f"blocklist/{barred.body['id']}/lifting"
    assert (await operator.post(path, reason="复核后更正")).status == 200
    assert (await operator.post(path, reason="复核后更正")).code == "ban_already_lifted"
    assert (await operator.post("blocklist/999/lifting", reason="复核后更正")).code == "not_found"


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"uscc": "91331100MA00000000"}, "uscc_invalid"),
        ({"programme": "nowhere"}, "unknown_programme"),
        ({"starts_at": "2026-05-18T10:00:00"}, "malformed"),
        ({"reason": ""}, "malformed"),
        ({"list_name": ""}, "malformed"),
    ],
)
async def test_a_ban_that_makes_no_sense_is_refused(town: Town, wrong: dict[str, str], code: str) -> None:
    operator = await town.operator()
    refused = await bar(operator, uscc(3), **wrong)
    assert refused.code == code
    assert (await operator.get("blocklist")).body["entries"] == []


async def test_only_operators_see_and_write_the_blocklist(town: Town, monkeypatch: Any) -> None:
    monkeypatch.setattr("server.handlers.blocklist.PAGE", 2)
    operator, handler = await town.operator(), await town.handler()
    for number in (11, 12, 13):
        await bar(operator, uscc(number))
    first = (await operator.get("blocklist")).body
    second = (await operator.get(f"blocklist?after={first['next_after']}")).body
    one = (await operator.get(f"blocklist?uscc={uscc(12)}")).body
    assert [entry["uscc"] for entry in first["entries"]] == [uscc(11), uscc(12)]
    assert ([entry["uscc"] for entry in second["entries"]], second["next_after"]) == ([uscc(13)], None)
    assert [entry["uscc"] for entry in one["entries"]] == [uscc(12)]
    assert (await handler.get("blocklist")).status == 403
    assert (await bar(handler, uscc(14))).status == 403
