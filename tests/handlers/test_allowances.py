"""How much one organisation may put down, so that no table grows without end, and guessing has an end."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from server.models.applications import ApplicationRequest
from server.models.journal import JournalEntry
from server.models.organisations import ActivityRecord, Invitation, NameRecord
from server.models.people import Person
from server.models.registrations import Submission
from server.models.voucher_requests import VoucherRequest
from server.services import allowances
from server.services.allowances import A_DAY, ACTIVITIES, FACT_CHANGES, INVITATIONS
from server.units import yuan_to_fen
from tests import dealing
from tests.batch import a_batch
from tests.contracting import ON_CONTRACT
from tests.paperwork import REPRESENTATIVE
from tests.town import PROGRAMME, Answered, Caller, Town, grab_key

ACTIVITY = {"programme": PROGRAMME, "kind": "training", "held_on": "2026-05-18", "what": "服务券培训"}


def too_many(told: Answered, most: int) -> None:
    """What who has used the day's allowance up is told."""
    assert told.status == 429, told.body
    assert told.code == "too_many_today"
    assert f"24 小时内最多 {most} 次" in told.body["detail"]


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


async def test_a_form_is_saved_only_so_often_a_day_and_what_was_saved_stays(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "SAVINGS", 3)
    handler, other = await town.handler(), await town.handler()

    async def save(caller: Caller, version: int, programme: str = PROGRAMME) -> Answered:
        values = {"contact.name": f"第{version}次"}
        return await caller.patch("registrations", programme=programme, version=version, values=values)

    assert [(await save(handler, version)).status for version in range(3)] == [200] * 3
    too_many(await save(handler, 3), 3)
    (kept,) = (await handler.get("registrations")).body["registrations"]
    assert (kept["version"], kept["values"]) == (3, {"contact.name": "第2次"})
    assert await JournalEntry.filter(action="registration.saved").count() == 3
    # Each form has its own allowance, and so has everybody else.
    assert (await save(handler, 0, "ningxia-2016")).status == (await save(other, 0)).status == 200
    assert (await save(await tomorrow(town, handler), 3)).status == 200


async def test_a_form_is_handed_in_only_so_often_a_day(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "SUBMISSIONS", 2)
    # Software alone decides here, and refuses whom no list names: it may come again at once.
    programme = "guangxi-2024"
    handler = await town.handler(area="广西壮族自治区/南宁市")
    applied = [await town.applied(handler, programme=programme)]
    form = f"registrations/{applied[0].body['registration_id']}"

    async def again(caller: Caller) -> Answered:
        version = (await caller.get(form)).body["version"]
        return await caller.post(f"{form}/submissions", version=version)

    applied.append(await again(handler))
    assert [(one.status, one.body["status"]) for one in applied] == [(201, "refused")] * 2
    before = (await handler.get(form)).body
    too_many(await again(handler), 2)
    assert (await handler.get(form)).body == before
    assert await Submission.all().count() == 2
    assert (await again(await tomorrow(town, handler))).status == 201


async def test_an_application_is_changed_only_so_often_a_day_and_may_always_be_withdrawn(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "APPLICATIONS", 2)
    batch = await a_batch(town)
    applicant, other = await batch.applicant(), await batch.applicant()
    key = grab_key()
    assert (await applicant.ask(batch.round_id, 100)).status == 200
    assert (await applicant.ask(batch.round_id, 200, key=key)).status == 200
    too_many(await applicant.ask(batch.round_id, 300), 2)
    # What stands stands, and a retry of what was taken is answered as before.
    assert (await applicant.sees(batch.round_id)).body["amount_fen"] == yuan_to_fen(200)
    assert (await applicant.ask(batch.round_id, 200, key=key)).status == 200
    assert await ApplicationRequest.all().count() == 2
    assert (await other.ask(batch.round_id, 300)).status == 200
    assert (await applicant.withdraw(batch.round_id)).status == 200


async def test_vouchers_are_requested_only_so_often_a_day(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "VOUCHER_REQUESTS", 2)
    budget_id, operator = await dealing.money(town, ON_CONTRACT), await town.operator()
    round_id = await dealing.period(town, budget_id, operator)
    enterprise, provider = await dealing.sides(town, ON_CONTRACT)
    order_id = await dealing.opened(town, ON_CONTRACT, enterprise, provider, 10_000)
    for side in (enterprise, provider):
        assert (await dealing.step(town, side, order_id, "sign_contract")).status == 200

    async def ask(caller: Caller) -> Answered:
        return await dealing.step(town, caller, order_id, "request_voucher", round_id=round_id)

    for _ in range(2):
        asked = await ask(enterprise)
        assert asked.status == 200, asked.body
        latest = (await enterprise.get("voucher-requests")).body["requests"][-1]
        gone = await enterprise.post(f"voucher-requests/{latest['id']}/withdrawal", reason="金额有误")
        assert gone.status == 200, gone.body
    too_many(await ask(enterprise), 2)
    assert await VoucherRequest.all().count() == 2
    assert (await ask(await tomorrow(town, enterprise))).status == 200


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
