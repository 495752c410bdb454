"""How much one organisation may put down, so that no table grows without end, and guessing has an end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from server.models.organisations import ActivityRecord, Invitation, NameRecord
from server.models.people import Person
from server.services.allowances import A_DAY, ACTIVITIES, FACT_CHANGES, INVITATIONS
from tests.paperwork import REPRESENTATIVE
from tests.town import PROGRAMME, Caller, Town

ACTIVITY = {"programme": PROGRAMME, "kind": "training", "held_on": "2026-05-18", "what": "服务券培训"}


async def tomorrow(town: Town, caller: Caller) -> Caller:
    town.clock.advance(A_DAY + timedelta(seconds=1))
    return await town.signed_in(await Person.get(id=caller.id))


async def test_invitations_have_a_daily_allowance(town: Town) -> None:
    handler, other = await town.handler(), await town.handler()
    for _ in range(INVITATIONS):
        assert (await handler.post("invitations", role="staff")).status == 201
    refused = await handler.post("invitations", role="staff")
    assert (refused.status, refused.code) == (429, "too_many_today")
    assert str(INVITATIONS) in refused.body["detail"]
    assert int(refused.headers["Retry-After"]) > 0
    assert await Invitation.all().count() == INVITATIONS
    assert (await other.post("invitations", role="staff")).status == 201
    again = await tomorrow(town, handler)
    assert (await again.post("invitations", role="staff")).status == 201


async def test_activities_have_a_daily_allowance(town: Town) -> None:
    handler = await town.handler()
    for _ in range(ACTIVITIES):
        recorded = await handler.post("organisations/mine/activities", **ACTIVITY)
        assert recorded.status == 201, recorded.body
    refused = await handler.post("organisations/mine/activities", **ACTIVITY)
    assert (refused.status, refused.code) == (429, "too_many_today")
    assert await ActivityRecord.all().count() == ACTIVITIES
    again = await tomorrow(town, handler)
    assert (await again.post("organisations/mine/activities", **ACTIVITY)).status == 201


async def test_facts_change_only_so_often_a_day(town: Town) -> None:
    handler = await town.handler()
    for number in range(FACT_CHANGES):
        assert (await handler.patch("organisations/mine", name=f"第{number}公司")).status == 200
    refused = await handler.patch("organisations/mine", name="最后一家公司")
    assert (refused.status, refused.code) == (429, "too_many_today")
    assert (await handler.get("organisations/mine")).body["name"] == f"第{FACT_CHANGES - 1}公司"
    assert await NameRecord.all().count() == FACT_CHANGES
    again = await tomorrow(town, handler)
    assert (await again.patch("organisations/mine", name="最后一家公司")).status == 200


async def test_who_guesses_many_times_at_once_is_counted_one_after_the_other(town: Town) -> None:
    handler = await town.handler()
    code = (await handler.get("organisations/mine")).body["uscc"]
    guess = {"uscc": code, "name": REPRESENTATIVE, "id_number": "330102198506150016"}
    people = [await town.person() for _ in range(3)]
    answers = await asyncio.gather(
        *(person.post("memberships/representative", **guess) for person in people for _ in range(6))
    )
    said = sorted(one.code for one in answers)
    assert said == ["representative_unproven"] * 5 + ["too_many_proofs"] * 13
