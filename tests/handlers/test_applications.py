"""Applying over HTTP: inside the window only, up to the quota, changed and withdrawn until it closes."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from server.models.applications import Application, ApplicationRequest
from server.models.journal import JournalEntry
from server.models.organisations import Organisation, Qualification
from server.models.rounds import Round
from server.models.vouchers import Voucher
from server.rules.lifecycles import QualificationStatus
from server.units import yuan_to_fen
from tests.batch import DAY, FIRST, HOUR, MILLISECOND, MONDAY, PROGRAMME, Batch, a_batch
from tests.town import Answered, Town, grab_key

rules = pytest.mark.rules


@pytest.fixture
async def batch(town: Town) -> Batch:
    """An open round of 100,000 yuan on a Monday morning."""
    return await a_batch(town)


def refused(told: Answered, status: int, code: str) -> Any:
    assert (told.status, told.code) == (status, code), told.body
    assert told.body["detail"]
    return told.body


async def standing(batch: Batch) -> list[tuple[int, int]]:
    """What stands in the round, in the order in which it arrived: organisation and amount."""
    rows = await Application.filter(round_id=batch.round_id, status="standing").order_by(
        "arrived_at", "place"
    )
    return [(row.enterprise_id, row.amount_fen) for row in rows]


@rules("GZ-29")
async def test_an_enterprise_asks_for_what_it_needs_up_to_its_quota_and_sees_the_sum(batch: Batch) -> None:
    applicant = await batch.applicant()
    too_much = refused(await applicant.ask(batch.round_id, 20_000.01), 409, "quota_exceeded")
    assert too_much["arithmetic"] == "年度额度 20,000.00 − 已用 0.00 = 20,000.00"
    assert too_much["clause"]
    assert await Application.all().count() == await ApplicationRequest.all().count() == 0
    batch.town.clock.at = MONDAY.replace(microsecond=123_987)
    asked = await applicant.ask(batch.round_id, 20_000)
    assert (asked.status, asked.body["status"]) == (200, "standing")
    assert (asked.body["amount_fen"], asked.body["most_fen"]) == (2_000_000, 2_000_000)
    assert datetime.fromisoformat(asked.body["arrived_at"]) == MONDAY.replace(microsecond=123_000)
    assert (await applicant.sees(batch.round_id)).body == asked.body
    assert asked.body["result"] is None
    assert (await (await applicant.caller()).get("applications")).body["applications"][0]["id"] == asked.body[
        "id"
    ]


@rules("GZ-21", "GZ-29")
async def test_what_was_claimed_this_year_is_no_longer_there_to_ask_for(batch: Batch) -> None:
    first = await batch.another_round(pool_yuan=15_000)
    applicant = await batch.applicant()
    assert (await applicant.ask(first, 15_000)).status == 200
    await batch.rank()
    again = await batch.another_round(pool_yuan=15_000)
    await Round.filter(id=again).update(closes_at=batch.town.now.replace(year=2020) + 90 * DAY)
    over = refused(await applicant.ask(again, 5_000.01), 409, "quota_exceeded")
    assert over["arithmetic"] == "年度额度 20,000.00 − 已用 15,000.00 = 5,000.00"
    assert (await applicant.ask(again, 5_000)).status == 200


@rules("GZ-28")
async def test_applications_are_taken_inside_the_announced_window_only(batch: Batch) -> None:
    applicant, town = await batch.applicant(), batch.town
    announced = (await town.anybody.get(f"rounds/{batch.round_id}")).body
    assert datetime.fromisoformat(announced["opens_at"]) == MONDAY
    town.clock.at = MONDAY - MILLISECOND
    early = refused(await applicant.ask(batch.round_id, 100), 425, "applying_not_open")
    assert early["retry_after"] == 1
    town.clock.at = MONDAY
    assert (await applicant.ask(batch.round_id, 100)).status == 200
    town.clock.at = batch.closes_at - MILLISECOND
    assert (await applicant.ask(batch.round_id, 200)).status == 200
    town.clock.at = batch.closes_at
    late = refused(await applicant.ask(batch.round_id, 300), 409, "applying_closed")
    # What stood before stands, and what was typed is told back.
    assert "300.00" in late["detail"]
    assert (await applicant.sees(batch.round_id)).body["amount_fen"] == yuan_to_fen(200)
    refused(await applicant.withdraw(batch.round_id), 409, "applying_closed")


@rules("GZ-28")
async def test_only_who_is_qualified_in_this_very_programme_applies(batch: Batch) -> None:
    applicant = await batch.applicant()
    await Qualification.all().update(programme_slug="lishui-2024")
    told = refused(await applicant.ask(batch.round_id, 100), 409, "not_in_standing")
    assert [one["code"] for one in told["unmet"]] == ["not_qualified"]
    await Qualification.all().update(programme_slug=PROGRAMME)
    assert (await applicant.ask(batch.round_id, 100)).status == 200


async def test_who_is_barred_or_no_longer_approved_is_refused_with_everything_in_the_way(
    batch: Batch,
) -> None:
    applicant = await batch.applicant()
    await Qualification.all().update(status=QualificationStatus.REVOKED)
    barred = await (await batch.operator()).post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=applicant.organisation.uscc,
        programme=PROGRAMME,
        clause="声明函三",
        reason="虚假材料",
    )
    assert barred.status == 201, barred.body
    told = refused(await applicant.ask(batch.round_id, 100), 409, "not_in_standing")
    assert [one["code"] for one in told["unmet"]] == ["qualification_revoked", "barred"]
    assert told["unmet"][1]["clause"] == "声明函三"
    assert await Application.all().count() == 0


@rules("GZ-30")
async def test_asking_for_more_takes_a_new_place_and_asking_for_less_keeps_the_old(batch: Batch) -> None:
    one, two = await batch.asked(5_000), await batch.asked(5_000)
    batch.town.clock.advance(HOUR)
    assert (await one.ask(batch.round_id, 4_000)).status == 200
    assert [who for who, _ in await standing(batch)] == [one.organisation.id, two.organisation.id]
    assert (await one.ask(batch.round_id, 4_000.01)).status == 200
    assert await standing(batch) == [(two.organisation.id, 500_000), (one.organisation.id, 400_001)]
    deeds = await ApplicationRequest.filter(enterprise_id=one.organisation.id).order_by("id")
    assert [(deed.deed, deed.amount_fen) for deed in deeds] == [
        ("apply", 500_000),
        ("change", 400_000),
        ("change", 400_001),
    ]


async def test_who_withdraws_and_applies_again_arrives_anew(batch: Batch) -> None:
    one, two = await batch.asked(100), await batch.asked(100)
    gone = await one.withdraw(batch.round_id)
    assert (gone.status, gone.body["status"]) == (200, "withdrawn")
    assert [who for who, _ in await standing(batch)] == [two.organisation.id]
    refused(await one.withdraw(batch.round_id), 409, "application_withdrawn")
    batch.town.clock.advance(MILLISECOND)
    assert (await one.ask(batch.round_id, 50)).body["status"] == "standing"
    assert [who for who, _ in await standing(batch)] == [two.organisation.id, one.organisation.id]
    subject = f"application:{gone.body['id']}"
    deeds = await JournalEntry.filter(subject=subject).order_by("id")
    assert [deed.action for deed in deeds] == [
        "application.made",
        "application.withdrawn",
        "application.made",
    ]
    assert {deed.actor for deed in deeds} == {f"person:{one.person_id}"}


async def test_a_request_sent_again_is_answered_and_not_done_again(batch: Batch) -> None:
    applicant, key = await batch.applicant(), grab_key()
    first = await applicant.ask(batch.round_id, 100, key=key)
    batch.town.clock.advance(HOUR)
    assert (await applicant.ask(batch.round_id, 100, key=key)).body == first.body
    refused(await applicant.ask(batch.round_id, 200, key=key), 409, "request_key_reused")
    refused(await applicant.withdraw(batch.round_id, key=key), 409, "request_key_reused")
    # The answer to the retry comes even after the window has closed.
    batch.town.clock.at = batch.closes_at
    assert (await applicant.ask(batch.round_id, 100, key=key)).body == first.body
    assert await ApplicationRequest.all().count() == 1


async def test_of_many_requests_of_one_enterprise_at_once_one_application_comes(batch: Batch) -> None:
    applicant = await batch.applicant()
    told = await asyncio.gather(*(applicant.ask(batch.round_id, 100 + n) for n in range(6)))
    assert {one.status for one in told} == {200}
    row = await Application.get()
    last = await ApplicationRequest.all().order_by("-id").first()
    assert last is not None
    assert row.amount_fen == last.amount_fen


@rules("GZ-32")
async def test_the_window_closes_when_priority_applications_alone_fill_the_round(batch: Batch) -> None:
    full = await batch.another_round(pool_yuan=30_000)
    batch.round_id = full
    await batch.asked(20_000)
    await batch.asked(20_000, labels=FIRST)
    ordinary, more = await batch.applicant(), await batch.applicant(labels=FIRST)
    # Full by amount, but a newcomer of a priority group would still get something.
    assert (await ordinary.ask(full, 1_000)).status == 200
    assert (await more.ask(full, 10_000)).status == 200
    late = await batch.applicant(labels=FIRST)
    refused(await late.ask(full, 1), 409, "applying_closed")
    assert (await Round.get(id=full)).status == "closed"
    closing = await JournalEntry.get(subject=f"round:{full}", action="round.closed")
    assert (closing.actor, closing.data["reason"]) == ("clock", "优先申领已占满本批次资金，停止申领")


@rules("GZ-32")
async def test_who_has_lost_its_standing_fills_no_round(batch: Batch) -> None:
    batch.round_id = await batch.another_round(pool_yuan=30_000)
    lost = await batch.asked(20_000, labels=FIRST)
    await Qualification.filter(organisation_id=lost.organisation.id).update(status="revoked")
    await batch.asked(20_000, labels=FIRST)
    assert (await Round.get(id=batch.round_id)).status == "scheduled"
    await batch.asked(10_000, labels=FIRST)
    assert (await Round.get(id=batch.round_id)).status == "closed"


async def test_a_paused_round_takes_nothing_and_an_ordinary_one_is_not_applied_for(
    batch: Batch, town: Town
) -> None:
    applicant = await batch.applicant()
    await (await batch.operator()).post(f"rounds/{batch.round_id}/pause", reason="系统演练")
    refused(await applicant.ask(batch.round_id, 100), 409, "applying_paused")
    await (await batch.operator()).post(f"rounds/{batch.round_id}/resume", reason="演练结束")
    assert (await applicant.ask(batch.round_id, 100)).status == 200
    refused(await applicant.ask(10**9, 100), 404, "not_found")
    town.clock.at = datetime(2026, 5, 18, 2, tzinfo=UTC)
    grabbed = await town.open_round(await batch.operator())
    refused(await applicant.ask(grabbed, 100), 409, "not_applied_for")


async def test_a_round_that_is_ranked_cannot_be_grabbed(batch: Batch) -> None:
    applicant = await batch.applicant()
    refused(await (await applicant.caller()).grab(batch.round_id, grab_key()), 404, "not_found")
    assert await Voucher.all().count() == 0


@pytest.mark.parametrize("amount", [0, -1, 1.5, "100", None, 10**16])
async def test_an_amount_that_is_none_is_malformed(batch: Batch, amount: Any) -> None:
    caller = await (await batch.applicant()).caller()
    url, key = f"rounds/{batch.round_id}/application", {"Idempotency-Key": grab_key()}
    refused(await caller._call("PUT", url, {"amount_fen": amount}, key), 422, "malformed")
    refused(await caller._call("PUT", url, {"amount_fen": 100}, {}), 422, "malformed")


async def test_only_the_applicant_and_the_staff_of_the_programme_see_an_application(batch: Batch) -> None:
    applicant, other = await batch.asked(100), await batch.applicant()
    refused(await other.sees(batch.round_id), 404, "not_found")
    assert (await (await other.caller()).get("applications")).body["applications"] == []
    url = f"rounds/{batch.round_id}/applications"
    assert (await (await other.caller()).get(url)).status == 403
    assert (await batch.town.anybody.get(url)).status == 401
    elsewhere = await batch.town.staff("operator", programmes=["lishui-2024"])
    refused(await elsewhere.get(url), 404, "not_found")
    await other.ask(batch.round_id, 50)
    await other.withdraw(batch.round_id)
    seen = (await (await batch.operator()).get(url)).body
    assert (seen["standing"], seen["withdrawn"], seen["asked_fen"]) == (1, 1, 10_000)
    assert [one["uscc"] for one in seen["applications"]] == [
        applicant.organisation.uscc,
        other.organisation.uscc,
    ]


async def test_a_member_who_is_not_in_charge_looks_and_does_not_apply(batch: Batch) -> None:
    applicant = await batch.asked(100)
    colleague = await batch.town.joined(await applicant.caller(), "staff")
    applicant.person_id = colleague.id
    assert (await applicant.ask(batch.round_id, 200)).status == 403
    assert (await applicant.sees(batch.round_id)).body["amount_fen"] == 10_000


async def test_a_page_of_applications_ends_where_the_next_begins(
    batch: Batch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.handlers.applications.PAGE", 2)
    ids = [(await (await batch.asked(100)).sees(batch.round_id)).body["id"] for _ in range(3)]
    url = f"rounds/{batch.round_id}/applications"
    first = (await (await batch.operator()).get(url)).body
    rest = (await (await batch.operator()).get(f"{url}?after={first['next_after']}")).body
    assert [one["id"] for one in first["applications"] + rest["applications"]] == ids
    assert rest["next_after"] is None
    assert await Organisation.all().count() == 3
