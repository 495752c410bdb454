"""Approvals that end, renewals before the end, and changes reported in time or late."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from server.keys import CLOCKS, PROGRAMMES, QUALIFICATIONS
from server.models.organisations import Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.people import Person, Staff
from server.models.registrations import ChangeReport
from server.models.reviews import ReviewCase
from server.models.rounds import Entitlement
from server.programme.papers import DocumentKind
from server.services.admissions.renewals import Renewals
from server.services.orders.contract_steps import names_on
from tests import paperwork
from tests.town import PROGRAMME, Answered, Caller, Town

CITY, REGION = "guangzhou-2020", "guangxi-2024"
PROVIDER = {"legal_form": "legal_person"}


async def again(town: Town, caller: Caller) -> Caller:
    """The same person after so long that their session is over."""
    return await town.signed_in(await Person.get(id=caller.id))


async def hand_in(caller: Caller, registration_id: int) -> Answered:
    form = (await caller.get(f"registrations/{registration_id}")).body
    return await caller.post(f"registrations/{registration_id}/submissions", version=form["version"])


async def expire(town: Town) -> int:
    return await Renewals(town.app[QUALIFICATIONS]).expire_due()


async def admitted(town: Town) -> tuple[Caller, Answered]:
    """A provider whose approval holds for two years."""
    handler = await town.handler(**PROVIDER)
    applied = await town.applied(handler, party="provider")
    for role in ("operator", "authority"):
        decided = await town.decide(await town.staff(role), applied)
        assert decided.status == 200, decided.body
    return handler, applied


@pytest.mark.rules("LS-40")
async def test_an_approval_holds_until_the_last_instant_of_its_last_day(town: Town) -> None:
    handler, applied = await admitted(town)
    end = (await Qualification.get(id=applied.body["id"])).valid_until
    assert end == datetime(2028, 5, 18, 16, 0, tzinfo=UTC)
    town.clock.at = end - timedelta(seconds=1)
    assert await expire(town) == 0
    town.clock.at = end
    assert (await expire(town), await expire(town)) == (1, 0)
    handler = await again(town, handler)
    mine = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    assert mine["status"] == "expired"
    assert await OutboxMessage.filter(topic="qualification.expired").count() == 1


@pytest.mark.rules("GX-43")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_renewal_opens_before_the_end_and_continues_from_there(town: Town) -> None:
    operator = await town.operator()
    handler = await town.handler(area="广西壮族自治区/南宁市")
    mine = (await handler.get("organisations/mine")).body
    attested = await operator.post(
        "labels",
        programme=REGION,
        code="above_designated_size",
        uscc=mine["uscc"],
        name=mine["name"],
        list_name="规上企业名单",
    )
    assert attested.status == 201, attested.body
    applied = await town.applied(handler, programme=REGION)
    form = applied.body["registration_id"]
    assert applied.body["valid_until"] == "2026-12-31T16:00:00Z"
    town.clock.at = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)
    handler = await again(town, handler)
    early = await hand_in(handler, form)
    town.clock.at = datetime(2026, 11, 1, 16, 0, tzinfo=UTC)
    handler = await again(town, handler)
    renewed = await hand_in(handler, form)
    assert (early.status, early.code) == (409, "already_applied")
    # Nothing was typed again: the old form carries over.
    assert (renewed.status, renewed.body["status"], renewed.body["submission"]) == (201, "approved", 2)
    assert renewed.body["valid_until"] == "2027-12-31T16:00:00Z"


async def test_an_approval_holds_on_while_its_renewal_is_reviewed(town: Town) -> None:
    handler, applied = await admitted(town)
    end = datetime(2028, 5, 18, 16, 0, tzinfo=UTC)
    # The programme itself is over by then; this provider's approval is made to end earlier.
    end = datetime(2026, 6, 30, 16, 0, tzinfo=UTC)
    await Qualification.filter(id=applied.body["id"]).update(valid_until=end)
    renewal = await hand_in(handler, applied.body["registration_id"])
    assert (renewal.status, renewal.body["status"]) == (201, "approved")
    town.clock.at = end
    assert await expire(town) == 1
    for role in ("operator", "authority"):
        decided = await town.decide(await town.staff(role), renewal)
        assert decided.status == 200, decided.body
    row = await Qualification.get(id=applied.body["id"])
    assert (row.status, row.valid_until) == ("approved", datetime(2028, 7, 1, 16, 0, tzinfo=UTC))


async def test_what_was_withdrawn_is_not_brought_back_by_its_renewal(town: Town) -> None:
    handler, applied = await admitted(town)
    await Qualification.filter(id=applied.body["id"]).update(valid_until=town.now + timedelta(days=30))
    renewal = await hand_in(handler, applied.body["registration_id"])
    authority = await town.staff("authority")
    await Qualification.filter(id=applied.body["id"]).update(status="revoked")
    await town.decide(await town.operator(), renewal)
    refused = await town.decide(authority, renewal)
    assert renewal.status == 201
    assert (refused.status, refused.code) == (409, "illegal_move")
    assert (await Qualification.get()).status == "revoked"


@pytest.mark.rules("LS-62")
async def test_who_loses_an_approval_by_time_is_entitled_to_nothing(town: Town) -> None:
    operator = await town.operator()
    await town.open_round(operator)
    handler = await town.qualified(operator)
    row = await Qualification.get()
    await Qualification.filter(id=row.id).update(valid_until=town.now + timedelta(days=1))
    before = await Entitlement.all().count()
    town.clock.advance(timedelta(days=1))
    # The text lets an enterprise hold on that was approved, has not changed and is in good standing.
    await expire(town)
    held = await Qualification.get()
    assert (before, held.status, held.valid_until) == (1, "approved", None)
    barred = {"clause": "五（二）", "reason": "虚假交易"}
    operator = await again_staff(town, operator)
    code = (await Organisation.get()).uscc
    await Qualification.filter(id=row.id).update(valid_until=town.now)
    await operator.post("blocklist", list_name="失信惩戒名单", uscc=code, programme=PROGRAMME, **barred)
    await expire(town)
    assert (await Qualification.get()).status == "expired"
    assert await Entitlement.all().count() == 0
    assert handler.id


async def again_staff(town: Town, caller: Caller) -> Caller:
    return await town.signed_in(await Staff.get(id=caller.id))


@pytest.mark.rules("LS-62")
async def test_an_enterprise_approved_in_past_years_needs_no_new_papers(town: Town) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    town.clock.at = datetime(2026, 12, 30, 2, 0, tzinfo=UTC)
    assert await expire(town) == 0
    handler = await again(town, handler)
    mine = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    assert (mine["status"], mine["valid_until"]) == ("approved", None)
    await handler.patch("organisations/mine", headcount=43)
    changed = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    assert changed["status"] == "pending"


# -- changes ---------------------------------------------------------------------------------------


@pytest.mark.rules("LS-41", "LS-63")
@pytest.mark.parametrize(
    ("changed_on", "late"), [("2026-05-18", False), ("2026-05-03", False), ("2026-05-02", True)]
)
async def test_a_change_is_reported_within_fifteen_days_or_late(
    town: Town, changed_on: str, late: bool
) -> None:
    operator = await town.operator()
    handler = await town.qualified(operator)
    mine = (await handler.get("organisations/mine")).body["id"]
    proof = await paperwork.a_file(mine, DocumentKind.OTHER, PROGRAMME, town.now)
    changed = await handler.patch(
        "organisations/mine", headcount=43, changed_on=changed_on, documents=[proof.id]
    )
    report = changed.body["report"]
    every = (await operator.get(f"changes?programme={PROGRAMME}")).body["reports"]
    assert (report["facts"], report["documents"]) == (["headcount"], [proof.id])
    assert every == (await handler.get("organisations/mine/changes")).body["reports"] == [report]
    expected = {
        "programme": PROGRAMME,
        "clause": "四（一）3",
        "due": "2026-05-17",
        "consequences": ["suspend", "void_vouchers"],
    }
    assert report["late"] == ([expected] if late else [])
    told = await OutboxMessage.filter(topic="organisation.change_reported_late").count()
    assert told == int(late)
    # Late or not: nothing is taken away by itself, the new facts are reviewed.
    assert (await Qualification.get()).status == "pending"


@pytest.mark.rules("LS-41")
async def test_a_provider_that_reports_late_may_be_suspended(town: Town) -> None:
    handler, _ = await admitted(town)
    changed = await handler.patch("organisations/mine", headcount=43, changed_on="2026-05-02")
    (late,) = changed.body["report"]["late"]
    assert (late["clause"], late["consequences"]) == ("三（二）2", ["suspend"])


async def test_a_change_of_tomorrow_and_papers_of_others_are_refused(town: Town) -> None:
    operator = await town.operator()
    handler, stranger = await town.qualified(operator), await town.handler()
    theirs = (await stranger.get("organisations/mine")).body["id"]
    foreign = await paperwork.a_file(theirs, DocumentKind.OTHER, PROGRAMME, town.now)
    early = await handler.patch("organisations/mine", headcount=43, changed_on="2026-05-19")
    stolen = await handler.patch("organisations/mine", headcount=43, documents=[foreign.id])
    kept = (await handler.get("organisations/mine")).body["headcount"]
    assert (early.status, early.code) == (422, "facts_unusable")
    assert (stolen.status, stolen.code) == (404, "files_unknown")
    assert (kept, await ChangeReport.all().count()) == (42, 0)


@pytest.mark.rules("GZ-64")
async def test_a_contract_of_last_month_keeps_the_name_of_last_month(town: Town) -> None:
    handler = await town.handler(name="旧名有限公司")
    town.clock.at = datetime(2026, 6, 1, 2, 0, tzinfo=UTC)
    handler = await again(town, handler)
    await handler.patch("organisations/mine", name="中名有限公司")
    town.clock.at = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
    handler = await again(town, handler)
    await handler.patch("organisations/mine", name="新名有限公司")
    row = await Organisation.get()
    names = [await names_on(row, date(2026, month, 15)) for month in (5, 6, 7)]
    assert names == [{"旧名有限公司"}, {"中名有限公司"}, {"新名有限公司"}]
    # A contract of the day of the change may carry either.
    assert await names_on(row, date(2026, 6, 1)) == {"旧名有限公司", "中名有限公司"}


@pytest.mark.rules("GZ-04", "GZ-05", "GZ-59", "GZ-61")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_programme_of_one_year_qualifies_for_that_year_and_says_where_data_change(
    town: Town,
) -> None:
    town.clock.at = datetime(2020, 9, 1, 2, 0, tzinfo=UTC)
    handler = await town.handler(area="广东省/广州市/天河区")
    applied = await town.applied(handler, programme=CITY)
    assert (applied.status, applied.body["unmet"]) == (201, [])
    decided = await town.decide(await town.operator(), applied)
    assert decided.status == 200, decided.body
    row = await Qualification.get()
    year_end = town.app[PROGRAMMES].get(CITY).valid_until
    assert row.status == "approved"
    assert row.valid_until is not None
    assert row.valid_until <= datetime(2020, 12, 31, 16, 0, tzinfo=UTC)
    assert year_end is None or row.valid_until.date() <= year_end
    changed = await handler.patch("organisations/mine", headcount=43)
    assert changed.body["elsewhere"] == [
        {
            "programme": CITY,
            "where": "广东省统一身份认证平台（tyrz.gd.gov.cn）",
            "clause": "企业手册（一）4",
            "offices": [],
        }
    ]
    assert town.app[CLOCKS].now(CITY).year == 2020


@pytest.mark.rules("GZ-84")
@pytest.mark.parametrize(
    ("held", "level"),
    [
        ({"service_station"}, "市级"),
        ({"provincial_platform"}, "省级"),
        # Who is recognised by both turns to the higher.
        ({"city_platform", "national_platform"}, "省级"),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_providers_changes_go_with_scans_to_the_office_of_its_level_which_answers(
    town: Town, held: set[str], level: str
) -> None:
    town.clock.at = datetime(2020, 9, 1, 2, 0, tzinfo=UTC)
    operator = await town.operator()
    handler = await town.handler(area="广东省/广州市/天河区", legal_form="legal_person")
    mine = (await handler.get("organisations/mine")).body
    for code in held:
        named = {"code": code, "uscc": mine["uscc"], "name": mine["name"], "list_name": f"{code}名录"}
        attested = await operator.post("labels", programme=CITY, **named)
        assert attested.status == 201, attested.body
    for known in ("省级", "市级"):
        office = {"role": "operator", "name": f"{known}承办单位", "level": known, "email": "a@example.cn"}
        assert (await operator.post("offices", programme=CITY, **office)).status == 201
    applied = await town.applied(handler, programme=CITY, party="provider")
    decided = await town.decide(operator, applied)
    assert decided.status == 200, decided.body
    scan = await paperwork.a_file(mine["id"], DocumentKind.LICENCE, CITY, town.now)
    changed = await handler.patch("organisations/mine", headcount=43, documents=[scan.id])
    (where,) = changed.body["elsewhere"]
    assert (where["clause"], [one["name"] for one in where["offices"]]) == (
        "机构手册（一）5",
        [f"{level}承办单位"],
    )
    assert where["offices"][0]["email"] == "a@example.cn"
    assert changed.body["report"]["documents"] == [scan.id]
    # The change lies before the operator, and what it decides is the answer.
    assert (await Qualification.get()).status == "pending"
    case = await ReviewCase.get(status="open")
    answered = await town.decide(await town.operator(), Answered(200, {"case_id": case.id}, {}))
    assert answered.status == 200, answered.body
    assert await OutboxMessage.filter(topic="qualification.approved").count() == 2


@pytest.mark.rules("GZ-22", "GZ-53", "GZ-82", "GZ-83")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_recognised_provider_hands_in_its_licence_and_a_signed_undertaking_of_the_year(
    town: Town,
) -> None:
    town.clock.at = datetime(2020, 9, 1, 2, 0, tzinfo=UTC)
    operator = await town.operator()
    handler = await town.handler(area="广东省/广州市/天河区", legal_form="legal_person")
    mine = (await handler.get("organisations/mine")).body
    await operator.post(
        "labels",
        programme=CITY,
        code="service_station",
        uscc=mine["uscc"],
        name=mine["name"],
        list_name="服务站名录",
    )
    saved = await town.drafted(
        handler, programme=CITY, party="provider", **{"undertaking.date": "2019-12-31"}
    )
    old = await handler.post(f"registrations/{saved.body['id']}/submissions", version=saved.body["version"])
    corrected = await handler.patch(
        "registrations",
        programme=CITY,
        party="provider",
        version=saved.body["version"],
        values={"undertaking.date": "2020-09-01"},
    )
    handed_in = await handler.post(
        f"registrations/{saved.body['id']}/submissions", version=corrected.body["version"]
    )
    assert (old.status, [one["code"] for one in old.body["unmet"]]) == (
        422,
        ["undertaking.dated_this_year"],
    )
    assert handed_in.status == 201, handed_in.body
    decided = await town.decide(operator, handed_in)
    assert decided.status == 200, decided.body
    assert (await Qualification.get()).status == "approved"
