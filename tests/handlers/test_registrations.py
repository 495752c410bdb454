"""Filling in a registration form over days and devices, handing it in, and what its review does to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from server.models.files import FileAttachment
from server.models.offices import Office
from server.models.organisations import Organisation
from server.models.people import Person
from server.models.registrations import Registration, Submission
from server.programme.papers import DocumentKind
from server.programme.vocabulary import Actor
from tests import paperwork
from tests.handlers.test_files import send
from tests.hostile.seeds import paper
from tests.paperwork import ID_NUMBERS, PHONE, REPRESENTATIVE
from tests.town import PROGRAMME, Answered, Caller, Town

CITY, REGION, DRAFT, PLAIN = "guangzhou-2020", "guangxi-2024", "yinchuan-2024", "ningxia-2016"
IN_CITY = {"area": "广东省/广州市/天河区"}


async def submit(caller: Caller, saved: Answered) -> Answered:
    return await caller.post(f"registrations/{saved.body['id']}/submissions", version=saved.body["version"])


def codes(answered: Answered) -> list[str]:
    return [one["code"] for one in answered.body["unmet"]]


# -- the form --------------------------------------------------------------------------------------


@pytest.mark.rules("LS-59", "GZ-04", "GZ-54")
async def test_the_form_of_a_programme_is_enough_for_a_phone_to_draw_it(town: Town) -> None:
    person = await town.person()
    city = (await person.get(f"registrations/form?programme={CITY}")).body
    here = (await person.get(f"registrations/form?programme={PROGRAMME}")).body
    fields = {one["key"]: one for one in city["fields"]}
    documents = {one["code"]: one for one in city["documents"]}
    assert (
        fields["declaration.handler_id"] | {"personal": True, "kind": "id_number", "required": True}
        == (fields["declaration.handler_id"])
    )
    assert fields["declaration.size_class"]["choices"] == ["中型", "小型", "微型"]
    assert documents["tax"]["groups"] == documents["social_insurance"]["groups"]
    assert documents["declaration"]["template"]
    assert documents["declaration"]["hand_signed"]
    assert len(city["undertakings"][0]["promises"]) == 4
    assert (city["max_bytes"], city["extensions"]) == (5 * 1024 * 1024, ["jpg", "pdf", "png"])
    assert city["changed_at"].startswith("广东省统一身份认证平台")
    assert [one["code"] for one in here["documents"]] == [
        "licence",
        "revenue",
        "tax",
        "social_insurance",
        "admission_undertaking",
        "credit_undertaking",
    ]
    assert here["change_within_days"] == 15
    assert all(one["clause"] for one in here["conditions"])
    assert (await person.get("registrations/form?programme=nowhere")).code == "unknown_programme"


# -- drafts ----------------------------------------------------------------------------------------


async def test_a_draft_is_kept_item_by_item_and_read_on_another_device(town: Town) -> None:
    handler = await town.handler()
    colleague = await town.joined(handler, "legal_representative")
    first = await handler.patch(
        "registrations", programme=PROGRAMME, version=0, values={"contact.name": "王芳"}
    )
    second = await handler.patch(
        "registrations", programme=PROGRAMME, version=1, values={"contact.phone": PHONE}
    )
    seen = (await colleague.get("registrations")).body["registrations"]
    assert (first.status, first.body["version"], second.body["version"]) == (200, 1, 2)
    assert seen == [second.body]
    assert seen[0]["values"] == {"contact.name": "王芳", "contact.phone": "138****0000"}
    assert {one["code"] for one in seen[0]["missing"]} >= {"documents.licence", "undertakings.admission"}
    cleared = await handler.patch(
        "registrations", programme=PROGRAMME, version=2, values={"contact.name": None}
    )
    assert cleared.body["values"] == {"contact.phone": "138****0000"}


async def test_of_two_devices_the_later_is_told_who_saved_and_nothing_is_lost(town: Town) -> None:
    handler = await town.handler()
    colleague = await town.joined(handler, "legal_representative")
    await handler.patch("registrations", programme=PROGRAMME, version=0, values={"contact.name": "王芳"})
    stale = await colleague.patch(
        "registrations", programme=PROGRAMME, version=0, values={"contact.name": "李明"}
    )
    kept = (await handler.get("registrations")).body["registrations"][0]
    assert (stale.status, stale.code) == (409, "draft_moved_on")
    assert stale.body["values"]["when"] == "2026-05-18 10:00"
    assert (kept["values"]["contact.name"], kept["version"]) == ("王芳", 1)
    again = await colleague.patch(
        "registrations", programme=PROGRAMME, version=1, values={"contact.name": "李明"}
    )
    assert again.body["values"]["contact.name"] == "李明"


@pytest.mark.rules("GZ-55")
async def test_personal_numbers_are_sealed_masked_and_never_overwritten_by_their_mask(town: Town) -> None:
    handler = await town.handler(**IN_CITY)
    saved = await town.drafted(handler, programme=CITY)
    number = ID_NUMBERS[REPRESENTATIVE]
    shown = saved.body["values"]
    row = await Registration.get(id=saved.body["id"])
    assert shown["declaration.legal_representative_id"] == "360***********0071"
    assert shown["declaration.handler_phone"] == "138****0000"
    stored = str((row.values, row.sealed))
    assert number not in stored
    assert PHONE not in stored
    back = await handler.patch(
        "registrations",
        programme=CITY,
        version=1,
        values={"declaration.legal_representative_id": shown["declaration.legal_representative_id"]},
    )
    other = await handler.patch(
        "registrations",
        programme=CITY,
        version=2,
        values={"declaration.legal_representative_id": "999***********9999"},
    )
    after = await Registration.get(id=row.id)
    key = "declaration.legal_representative_id"
    assert back.status == 200
    assert after.sealed[key] == row.sealed[key]
    assert (other.status, other.code, codes(other)) == (422, "form_values_unusable", [key])


async def test_what_does_not_fit_a_field_is_refused_all_at_once_and_nothing_is_saved(town: Town) -> None:
    handler = await town.handler()
    strange = await handler.patch(
        "registrations", programme=PROGRAMME, version=0, values={"nothing": 1, "contact.name": "王芳"}
    )
    unfit = await handler.patch(
        "registrations",
        programme=PROGRAMME,
        version=0,
        values={"contact.name": 7, "fits_industrial_direction": "yes"},
    )
    assert (strange.status, strange.code, codes(strange)) == (422, "form_items_unknown", ["nothing"])
    assert (unfit.status, unfit.code) == (422, "form_values_unusable")
    assert codes(unfit) == ["contact.name", "fits_industrial_direction"]
    assert await Registration.all().count() == 0


async def test_files_of_others_and_of_another_kind_are_refused(town: Town) -> None:
    ours, theirs = await town.handler(), await town.handler()
    mine, foreign = [(await one.get("organisations/mine")).body["id"] for one in (ours, theirs)]
    licence = await paperwork.a_file(mine, DocumentKind.LICENCE, PROGRAMME, town.now)
    stolen = await paperwork.a_file(foreign, DocumentKind.LICENCE, PROGRAMME, town.now)

    async def hand(code: str, file_id: int, version: int = 0) -> Answered:
        return await ours.patch(
            "registrations", programme=PROGRAMME, version=version, documents={code: [file_id]}
        )

    refused = await hand("licence", stolen.id)
    wrong = await hand("tax", licence.id)
    taken = await hand("licence", licence.id)
    assert (refused.status, refused.code) == (404, "files_unknown")
    assert (wrong.status, wrong.code, codes(wrong)) == (422, "form_values_unusable", ["documents.tax"])
    assert taken.body["documents"] == {"licence": [licence.id]}


@pytest.mark.rules("GZ-56")
async def test_an_undertaking_is_agreed_to_letter_by_letter(town: Town) -> None:
    handler = await town.handler(**IN_CITY)
    form = (await handler.get(f"registrations/form?programme={CITY}")).body
    (undertaking,) = form["undertakings"]
    assert "未列入国家“失信联合惩戒黑名单”" in undertaking["promises"]

    async def agree(shown: str | None, version: int) -> Answered:
        return await handler.patch(
            "registrations", programme=CITY, version=version, undertakings={"declaration": shown}
        )

    other_text = await agree("0" * 64, 0)
    agreed = await agree(undertaking["hash"], 0)
    taken_back = await agree(None, 1)
    assert (other_text.status, other_text.code) == (409, "undertaking_changed")
    (accepted,) = agreed.body["undertakings"]
    assert (accepted["code"], accepted["hash"]) == ("declaration", undertaking["hash"])
    assert taken_back.body["undertakings"] == []
    assert "undertakings.declaration" in [one["code"] for one in taken_back.body["missing"]]


# -- handing in ------------------------------------------------------------------------------------


@pytest.mark.rules("LS-59", "LS-60")
async def test_a_complete_form_is_handed_in_and_approved(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    assert (applied.status, applied.body["status"], applied.body["unmet"]) == (201, "pending", [])
    decided = await town.decide(operator, applied)
    assert decided.status == 200, decided.body
    mine = (await handler.get("organisations/mine/qualifications")).body["qualifications"][0]
    form = (await handler.get(f"registrations/{applied.body['registration_id']}")).body
    assert (mine["status"], mine["programme"], form["status"]) == ("approved", PROGRAMME, "approved")
    assert await FileAttachment.filter(subject=f"registration:{form['id']}").count() == 6


@pytest.mark.rules("LS-59", "LS-37", "GX-41", "YC-17", "NX-16")
@pytest.mark.parametrize(
    ("slug", "party", "papers"),
    [
        (PROGRAMME, "enterprise", 6),
        (PROGRAMME, "provider", 10),
        (REGION, "provider", 7),
        (DRAFT, "provider", 2),
        (PLAIN, "provider", 2),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_whatever_is_missing_is_named_at_once_and_the_draft_stays(
    town: Town, slug: str, party: str, papers: int
) -> None:
    handler = await town.handler()
    saved = await handler.patch(
        "registrations", programme=slug, party=party, version=0, values={"contact.name": "王芳"}
    )
    missing = saved.body["missing"]
    assert sum(one["code"].startswith("documents.") for one in missing) == papers
    refused = await submit(handler, saved)
    assert (refused.status, refused.code) == (422, "registration_incomplete")
    assert refused.body["unmet"] == saved.body["faults"] + missing
    assert all(one["clause"] or slug == PLAIN for one in missing)
    assert (await handler.get(f"registrations/{saved.body['id']}")).body == saved.body
    assert await Submission.all().count() == 0


async def test_handing_in_a_stale_version_changes_nothing(town: Town) -> None:
    handler = await town.handler()
    saved = await town.drafted(handler)
    await handler.patch(
        "registrations", programme=PROGRAMME, version=1, values={"fits_industrial_direction": True}
    )
    stale = await submit(handler, saved)
    current = (await handler.get(f"registrations/{saved.body['id']}")).body
    handed_in = await submit(handler, Answered(200, current, {}))
    assert (stale.status, stale.code) == (409, "draft_moved_on")
    assert handed_in.status == 201


async def test_the_time_that_ends_while_the_form_is_sent_keeps_the_draft(town: Town) -> None:
    handler = await town.handler()
    saved = await town.drafted(handler)
    # The end of the last day in China; a form sent a second earlier is in time.
    town.clock.at = datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    handler = await town.signed_in(await Person.get(id=handler.id))
    late = await submit(handler, saved)
    kept = (await handler.get(f"registrations/{saved.body['id']}")).body
    town.clock.advance(timedelta(seconds=-1))
    in_time = await submit(handler, saved)
    assert (late.status, late.code) == (409, "programme_not_running")
    assert (kept["version"], kept["status"]) == (saved.body["version"], "draft")
    assert in_time.status == 201


async def test_a_second_application_in_the_year_is_refused_with_its_clause(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler(area="广西壮族自治区/南宁市")
    await attest(operator, handler, REGION, "above_designated_size")
    applied = await town.applied(handler, programme=REGION)
    assert applied.body["status"] == "approved"
    version = (await handler.get(f"registrations/{applied.body['registration_id']}")).body["version"]
    again = await handler.post(
        f"registrations/{applied.body['registration_id']}/submissions", version=version
    )
    assert (again.status, again.code) == (409, "already_applied")
    assert (again.body["clause"], again.body["arithmetic"]) == (
        "第十条（一）、第十九条",
        "已通过，有效期至 2026-12-31",
    )


async def attest(operator: Caller, handler: Caller, slug: str, code: str) -> None:
    """An official list names the organisation."""
    mine = (await handler.get("organisations/mine")).body
    attested = await operator.post(
        "labels", programme=slug, code=code, uscc=mine["uscc"], name=mine["name"], list_name="官方名单"
    )
    assert attested.status == 201, attested.body


@pytest.mark.rules("GX-25")
async def test_where_the_software_decides_alone_it_decides_at_once(town: Town) -> None:
    operator = await town.operator()
    listed_one, unlisted = [await town.handler(area="广西壮族自治区/南宁市") for _ in range(2)]
    await attest(operator, listed_one, REGION, "above_designated_size")
    approved = await town.applied(listed_one, programme=REGION)
    refused = await town.applied(unlisted, programme=REGION)
    assert (approved.body["status"], approved.body["unmet"]) == ("approved", [])
    assert refused.body["status"] == "refused"
    assert [(one["code"], one["clause"]) for one in refused.body["unmet"]] == [("above_scale", "第三条")]
    # It may come again, once the list names it.
    await attest(operator, unlisted, REGION, "above_designated_size")
    form = (await unlisted.get(f"registrations/{refused.body['registration_id']}")).body
    again = await submit(unlisted, Answered(200, form, {}))
    assert (again.body["status"], again.body["submission"]) == ("approved", 2)


# -- returned and corrected ------------------------------------------------------------------------


@pytest.mark.rules("LS-60", "GZ-75")
async def test_only_what_was_returned_is_open_and_the_reviewer_sees_the_difference(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler, **{"contact.name": "王芳"})
    form = f"registrations/{applied.body['registration_id']}"
    locked = await handler.patch(
        "registrations", programme=PROGRAMME, version=2, values={"contact.name": "李明"}
    )
    returned = await town.decide(
        operator, applied, "return", reason="请核对联系人", fields={"contact.name": "与身份证不一致"}
    )
    seen = (await handler.get(form)).body
    shut = await handler.patch(
        "registrations",
        programme=PROGRAMME,
        version=2,
        values={"fits_industrial_direction": True, "contact.name": "李明"},
    )
    corrected = await handler.patch(
        "registrations", programme=PROGRAMME, version=2, values={"contact.name": "李明"}
    )
    again = await submit(handler, corrected)
    path = f"{form}/submissions/2/difference"
    difference = (await operator.get(path)).body["differences"]
    assert (locked.status, locked.code) == (409, "registration_under_review")
    assert returned.status == 200, returned.body
    assert (seen["status"], seen["returned"]) == ("returned", {"contact.name": "与身份证不一致"})
    assert (shut.status, shut.code, codes(shut)) == (409, "form_items_shut", ["fits_industrial_direction"])
    assert (again.status, again.body["submission"], again.body["case_id"]) == (
        201,
        2,
        applied.body["case_id"],
    )
    assert again.body["applied_at"] == applied.body["applied_at"]
    assert difference == [
        {"key": "contact.name", "name": "专管联系人姓名", "before": "王芳", "after": "李明"}
    ]
    assert (await handler.get(path)).body["differences"] == difference
    assert (await (await town.handler()).get(path)).code == "not_found"
    assert (await town.decide(operator, applied)).status == 200


async def test_what_is_returned_must_be_an_item_of_the_form(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler)
    refused = await town.decide(operator, applied, "return", reason="请修改", fields={"nothing": "没有"})
    assert (refused.status, refused.code) == (422, "form_items_unknown")
    assert (await Registration.get(id=applied.body["registration_id"])).status == "submitted"


async def test_a_masked_number_that_changed_shows_as_changed(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    applied = await town.applied(handler, **{"contact.phone": "13800000000"})
    await town.decide(operator, applied, "return", reason="号码有误")
    corrected = await handler.patch(
        "registrations", programme=PROGRAMME, version=2, values={"contact.phone": "13811110000"}
    )
    await submit(handler, corrected)
    form = f"registrations/{applied.body['registration_id']}"
    difference = (await operator.get(f"{form}/submissions/2/difference")).body["differences"]
    assert [(one["key"], one["before"], one["after"]) for one in difference] == [
        ("contact.phone", "138****0000", "138****0000")
    ]


async def test_what_was_handed_in_is_never_changed_and_seen_by_those_concerned(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    draft = await town.drafted(handler)
    before = await operator.get(f"registrations/{draft.body['id']}")
    await submit(handler, draft)
    path = f"registrations/{draft.body['id']}"
    seen = await operator.get(path)
    submissions = (await operator.get(f"{path}/submissions")).body["submissions"]
    elsewhere = await town.staff("operator", programmes=["guangxi-2024"])
    assert (before.status, before.code) == (404, "not_found")
    assert (seen.status, seen.body["status"]) == (200, "submitted")
    assert [one["number"] for one in submissions] == [1]
    assert (await elsewhere.get(path)).code == "not_found"
    assert (await (await town.handler()).get(path)).code == "not_found"
    with pytest.raises(Exception, match="append-only"):
        await Submission.all().update(number=2)


# -- providers -------------------------------------------------------------------------------------


PROVIDER = {"established_on": "2016-03-18", "legal_form": "legal_person"}


@pytest.mark.rules("LS-33", "LS-34", "LS-35", "LS-36", "LS-37", "LS-38", "LS-40")
async def test_a_provider_is_admitted_by_two_levels_for_two_years(town: Town) -> None:
    operator, authority = await town.operator(), await town.staff("authority")
    handler = await town.handler(**PROVIDER)
    applied = await town.applied(handler, party="provider")
    assert (applied.body["status"], applied.body["unmet"], applied.body["party"]) == (
        "pending",
        [],
        "provider",
    )
    early = await town.decide(authority, applied)
    wrong = await town.decide(operator, applied, labels=("invented",))
    first = await town.decide(operator, applied)
    still = (await handler.get(f"qualifications/{applied.body['id']}")).body["status"]
    last = await town.decide(authority, applied)
    mine = (await handler.get(f"qualifications/{applied.body['id']}")).body
    assert early.status == 403
    assert (wrong.status, wrong.code) == (422, "labels_unknown"), "told to whoever says it, not to the last"
    assert (first.status, still, last.status) == (200, "pending", 200)
    assert (mine["status"], mine["valid_until"]) == ("approved", "2028-05-18T16:00:00Z")


@pytest.mark.rules("LS-33", "LS-34", "LS-36")
@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("profit_last_year", -1, "no_loss"),
        ("premises_square_metres", 49, "premises"),
        ("full_time_staff", 4, "staff"),
        ("honest_and_sound", False, "sound_finances"),
    ],
)
async def test_a_provider_below_a_minimum_is_not_admitted(
    town: Town, field: str, value: Any, code: str
) -> None:
    operator, authority = await town.operator(), await town.staff("authority")
    handler = await town.handler(**PROVIDER)
    applied = await town.applied(handler, party="provider", **{field: value})
    await town.decide(operator, applied)
    refused = await town.decide(authority, applied)
    assert codes(applied) == [code]
    assert (refused.status, refused.code, codes(refused)) == (409, "conditions_unmet", [code])


@pytest.mark.rules("GX-37", "GX-38")
async def test_a_young_subsidiary_counts_its_parent_company(town: Town) -> None:
    facts = {"area": "广西壮族自治区/南宁市", "legal_form": "legal_person", "established_on": "2026-01-05"}
    own = {
        "core_staff_insured_one_year": 1,
        "enterprises_served_last_year": 0,
        "revenue_last_year": 0,
    }
    parent = {
        "parent.name": "母公司",
        "parent.established_on": "2010-01-01",
        "parent.core_staff_insured_one_year": 30,
        "parent.enterprises_served_last_year": 100,
        "parent.revenue_last_year": 10**10,
    }
    alone = await town.applied(await town.handler(**facts), programme=REGION, party="provider", **own)
    with_parent = await town.applied(
        await town.handler(**facts), programme=REGION, party="provider", **own, **parent
    )
    assert codes(alone) == ["operated", "core_staff", "clients", "revenue"]
    assert codes(with_parent) == []


@pytest.mark.rules("GZ-06", "GZ-81", "GZ-82")
async def test_who_is_not_on_the_list_cannot_go_on(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler(**IN_CITY)

    async def begin() -> Answered:
        return await handler.patch(
            "registrations", programme=CITY, party="provider", version=0, values={"contact.name": "王芳"}
        )

    blocked = await begin()
    await attest(operator, handler, CITY, "city_platform")
    allowed = await begin()
    assert (blocked.status, blocked.code) == (409, "not_on_list")
    assert blocked.body["clause"] == "机构手册（一）4"
    assert allowed.status == 200


@pytest.mark.rules("YC-29", "NX-35")
@pytest.mark.parametrize(("slug", "clause"), [(DRAFT, "第十三条"), (PLAIN, "第十一条（四）")])
async def test_whoever_runs_a_programme_cannot_be_its_provider(town: Town, slug: str, clause: str) -> None:
    handler = await town.handler()
    mine = await Organisation.get()

    async def begin() -> Answered:
        return await handler.patch(
            "registrations", programme=slug, party="provider", version=0, values={"able_to_serve": True}
        )

    office = await Office.create(
        programme_slug=slug, actor=Actor.OPERATOR, name="运营方", uscc=mine.uscc, changed_at=town.now
    )
    refused = await begin()
    await Office.filter(id=office.id).update(closed_at=town.now)
    allowed = await begin()
    assert (refused.status, refused.code, refused.body["clause"]) == (409, "operator_cannot_provide", clause)
    assert allowed.status == 200


@pytest.mark.rules("YC-07", "YC-17", "YC-18", "NX-06", "NX-17", "GX-35", "GX-36", "GX-39", "GX-42", "GX-43")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("slug", "area", "reviewers", "until"),
    [
        (DRAFT, "宁夏回族自治区/银川市/金凤区", ["operator"], None),
        (PLAIN, "宁夏回族自治区/银川市/金凤区", ["operator", "expert", "authority", "operator"], None),
        (REGION, "广西壮族自治区/南宁市", ["division", "expert", "authority"], "2026-12-31T16:00:00Z"),
    ],
)
async def test_each_programme_admits_providers_by_its_own_chain(
    town: Town, slug: str, area: str, reviewers: list[str], until: str | None
) -> None:
    handler = await town.handler(area=area, legal_form="legal_person")
    applied = await town.applied(handler, programme=slug, party="provider")
    assert codes(applied) == []
    for role in reviewers:
        status = (await handler.get(f"qualifications/{applied.body['id']}")).body["status"]
        assert status == "pending"
        record = {"score": 90} if role == "expert" else {}
        decided = await town.decide(await town.staff(role), applied, reason="符合条件", **record)
        assert decided.status == 200, decided.body
    mine = (await handler.get(f"qualifications/{applied.body['id']}")).body
    if slug == REGION:
        # The public notice comes last, and ends by the clock.
        assert mine["status"] == "pending"
    else:
        assert (mine["status"], mine["valid_until"]) == ("approved", until)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_real_papers_are_uploaded_handed_in_and_read_by_the_reviewer(town: Town) -> None:
    operator, handler = await town.operator(), await town.handler()
    programme = town.programmes.get(PROGRAMME)
    papers: dict[str, list[int]] = {}
    for document in programme.enterprise.documents:
        taken = await send(
            town, handler, paper(1), f"{document.name}.pdf", kind=document.kind, programme=PROGRAMME
        )
        assert taken.status == 201, taken.body
        papers[document.code] = [taken.body["id"]]
    saved = await handler.patch(
        "registrations",
        programme=PROGRAMME,
        version=0,
        documents=papers,
        undertakings=paperwork.promises(programme, "enterprise"),
    )
    assert saved.body["missing"] == []
    handed_in = await submit(handler, saved)
    assert handed_in.status == 201, handed_in.body
    # What was handed in can no longer be taken back, and whoever reviews it may look at it.
    (licence,) = papers["licence"]
    kept = await handler.delete(f"files/{licence}")
    seen = await operator.get(f"files/{licence}")
    stranger = await (await town.handler()).get(f"files/{licence}")
    checks = (await operator.get(f"reviews/{handed_in.body['case_id']}")).body["checks"]
    assert (kept.status, kept.code) == (409, "file_in_use")
    assert (seen.status, stranger.status) == (200, 404)
    assert {one["code"] for one in checks} >= {"area", "documents.licence", "undertakings.admission"}
    assert all(one["met"] for one in checks)
