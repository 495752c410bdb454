"""Offerings over HTTP: drafted, handed in, reviewed, listed, renewed and taken off, in every programme."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from server.models.journal import JournalEntry
from server.models.offerings import Offering, OfferingVersion
from server.models.organisations import Qualification
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import DraftStatus, OfferingStatus
from server.services import allowances
from server.services.marketplace.offering_book import OfferingNotListed, listed, version_for_order
from tests import stall
from tests.ordering import organisation_of
from tests.stall import a_provider, drafted, selecting, submitted
from tests.town import PROGRAMME, Answered, Caller, Town

CITY, REGION, FREE = "guangzhou-2020", "guangxi-2024", "yinchuan-2024"
IN_THE_CITYS_YEAR = datetime(2020, 6, 1, 2, 0, tzinfo=UTC)

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def refused(answered: Answered, status: int, code: str) -> None:
    assert (answered.status, answered.code) == (status, code), answered.body


async def again(provider: Caller, draft: Answered) -> Answered:
    return await provider.get(f"offering-drafts/{draft.body['id']}")


async def in_force(town: Town, slug: str) -> None:
    if slug == CITY:
        town.clock.at = IN_THE_CITYS_YEAR


@pytest.mark.rules("GZ-14", "GZ-15", "GZ-17", "GX-23", "GX-24", "LS-23", "LS-42", "NX-11", "YC-12")
@pytest.mark.parametrize("slug", [PROGRAMME, CITY, REGION, "ningxia-2016", FREE])
async def test_an_offering_is_drafted_reviewed_as_the_programme_says_and_listed(
    town: Town, slug: str
) -> None:
    await in_force(town, slug)
    provider = await a_provider(town, slug)
    offering_id = await stall.listed(town, provider, slug)
    offering = await Offering.get(id=offering_id)
    assert (offering.status, offering.draft_status) == (OfferingStatus.LISTED, DraftStatus.PASSED)
    version = await listed(offering_id, now=town.clock.at)
    assert version.offering.provider.name == "晨光精密机械有限公司"
    assert await OutboxMessage.filter(topic="offering.listed").count() == 1


async def test_drafts_survive_and_two_devices_do_not_overwrite_each_other(town: Town) -> None:
    provider = await a_provider(town)
    begun = await provider.post("offering-drafts", programme=PROGRAMME, name="半份")
    path = f"offering-drafts/{begun.body['id']}"
    assert {one["code"] for one in begun.body["missing"]} >= {"about.category", "about.areas", "content"}
    saved = await provider.patch(path, version=1, values={"content": "税务筹划"}, areas=["浙江省/丽水市"])
    assert (saved.body["version"], saved.body["content"]["name"]) == (2, "半份")
    refused(await provider.patch(path, version=1, name="另一台手机"), 409, "draft_moved_on")
    emptied = await provider.patch(path, version=2, values={"content": None}, name=None)
    assert (emptied.body["content"]["values"], emptied.body["content"]["name"]) == ({}, "")


@pytest.mark.rules("LS-42", "GZ-85", "GZ-86")
@pytest.mark.parametrize(
    ("slug", "left_out", "missing"),
    [
        (PROGRAMME, {"areas": []}, "about.areas"),
        (PROGRAMME, {"name": ""}, "about.name"),
        (PROGRAMME, {"values": {}}, "content"),
        (CITY, {"name": ""}, "about.name"),
        (CITY, {"areas": []}, "about.areas"),
        (CITY, {"values": {}}, "acceptance"),
        (CITY, {"price_from_fen": None, "price_to_fen": None}, "about.price"),
        (CITY, {"comparisons": []}, "about.comparisons"),
        (REGION, {"values": {}}, "core_indicators"),
    ],
)
@one_database
async def test_what_is_missing_is_named_with_its_clause_and_nothing_is_lost(
    town: Town, slug: str, left_out: dict[str, object], missing: str
) -> None:
    await in_force(town, slug)
    provider = await a_provider(town, slug)
    await selecting(town, slug)
    draft = await drafted(town, provider, slug, **left_out)
    answered = await submitted(town, provider, draft)
    refused(answered, 422, "offering_incomplete")
    named = {one["code"]: one["clause"] for one in answered.body["unmet"]}
    assert missing in named and all(named.values()), named
    assert (await again(provider, draft)).body["draft_status"] == "open"


@pytest.mark.rules("LS-42")
async def test_a_new_version_is_reviewed_while_the_old_one_stays_listed(town: Town) -> None:
    provider = await a_provider(town)
    offering_id = await stall.listed(town, provider)
    first = await listed(offering_id, now=town.now)
    path = f"offering-drafts/{offering_id}"
    draft = await provider.get(path)
    dearer = await provider.patch(
        path, version=draft.body["version"], price_from_fen=3_000_000, price_to_fen=3_000_000
    )
    second = await submitted(town, provider, dearer)
    assert second.body["status"] == "listed"
    assert (await listed(offering_id, now=town.now)).id == first.id
    refused(
        await provider.patch(path, version=dearer.body["version"] + 1, name="又改"),
        409,
        "offering_under_review",
    )
    seen = (await (await town.operator()).get(f"reviews/{second.body['case_id']}")).body
    assert seen["facts"]["changed"] == ["价格"]
    await stall.passed(town, second.body["case_id"])
    now_listed = await listed(offering_id, now=town.now)
    assert (now_listed.number, now_listed.price_to_fen) == (2, 3_000_000)
    # An order keeps the version it was placed under.
    kept = await version_for_order(first.id)
    assert (kept.price_to_fen, kept.ended_at is not None) == (stall.PRICE, True)


@pytest.mark.rules("GZ-85")
async def test_what_was_returned_alone_is_open_and_the_review_goes_on(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    handed_in = await submitted(town, provider, draft)
    case_id, operator = handed_in.body["case_id"], await town.operator()
    await stall.decide(
        town,
        case_id,
        "return",
        by=operator,
        reason="名称不准确",
        fields={"about.name": "与服务内容不符"},
    )
    returned = await again(provider, draft)
    assert returned.body["returned"] == {"about.name": "与服务内容不符"}
    path, version = f"offering-drafts/{draft.body['id']}", returned.body["version"]
    refused(await provider.patch(path, version=version, service="税务咨询"), 409, "form_items_shut")
    corrected = await provider.patch(path, version=version, name="招聘服务（年度）")
    resubmitted = await submitted(town, provider, corrected)
    assert resubmitted.body["case_id"] == case_id
    await stall.decide(town, case_id, by=operator)
    await stall.passed(town, case_id)
    version = await listed(draft.body["id"], now=town.now)
    assert (version.name, version.number) == ("招聘服务（年度）", 2)


@pytest.mark.rules("LS-23")
async def test_a_refused_offering_says_why_and_may_be_written_anew(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    handed_in = await submitted(town, provider, draft)
    await stall.decide(town, handed_in.body["case_id"])
    await stall.decide(town, handed_in.body["case_id"], "reject", reason="不在服务范围内")
    turned_down = await again(provider, draft)
    assert (turned_down.body["draft_status"], turned_down.body["reason"]) == ("refused", "不在服务范围内")
    with pytest.raises(Exception, match="not_found"):
        await listed(draft.body["id"], now=town.now)
    path = f"offering-drafts/{draft.body['id']}"
    anew = await provider.patch(path, version=turned_down.body["version"], name="另一种服务")
    second = await submitted(town, provider, anew)
    await stall.passed(town, second.body["case_id"])
    assert (await listed(draft.body["id"], now=town.now)).name == "另一种服务"


@pytest.mark.rules("LS-23")
async def test_a_provider_withdraws_and_puts_back_what_it_withdrew(town: Town) -> None:
    provider = await a_provider(town)
    offering_id = await stall.listed(town, provider)
    off = await provider.post(f"offerings/{offering_id}/withdrawal", reason="暂停接单")
    assert (off.body["status"], off.body["status_reason"]) == ("withdrawn", "暂停接单")
    with pytest.raises(OfferingNotListed):
        await listed(offering_id, now=town.now)
    refused(await provider.post(f"offerings/{offering_id}/withdrawal", reason="再次"), 409, "illegal_move")
    back = await provider.post(f"offerings/{offering_id}/relisting")
    assert back.body["status"] == "listed"
    assert (await listed(offering_id, now=town.now)).ended_at is None


async def test_withdrawing_takes_back_the_next_version_too(town: Town) -> None:
    provider = await a_provider(town)
    offering_id = await stall.listed(town, provider)
    draft = await provider.get(f"offering-drafts/{offering_id}")
    handed_in = await submitted(town, provider, draft)
    await provider.post(f"offerings/{offering_id}/withdrawal")
    case = await ReviewCase.get(id=handed_in.body["case_id"])
    assert case.status == "withdrawn"
    assert (await Offering.get(id=offering_id)).draft_status is DraftStatus.OPEN


async def test_a_submission_is_taken_back_once(town: Town) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    refused(await provider.post(f"offering-drafts/{draft.body['id']}/recall"), 409, "illegal_move")
    await submitted(town, provider, draft)
    recalled = await provider.post(f"offering-drafts/{draft.body['id']}/recall", reason="价格有误")
    assert (recalled.body["draft_status"], recalled.body["submitted_version_id"]) == ("open", None)
    refused(await provider.post(f"offering-drafts/{draft.body['id']}/recall"), 409, "illegal_move")


@pytest.mark.rules("GZ-79")
async def test_the_operator_takes_an_offering_down_with_a_reason_and_only_a_review_brings_it_back(
    town: Town,
) -> None:
    provider, operator = await a_provider(town), await town.operator()
    offering_id = await stall.listed(town, provider)
    down = f"offerings/{offering_id}/take-down"
    refused(await provider.post(down, reason="不是我"), 403, "not_allowed")
    refused(await operator.post(down, reason=" "), 422, "reason_missing")
    taken = await operator.post(down, reason="发布与服务券无关的信息")
    assert taken.body["status"] == "taken_down"
    told = await OutboxMessage.get(topic="offering.taken_down")
    assert told.data["reason"] == "发布与服务券无关的信息"
    refused(await provider.post(f"offerings/{offering_id}/relisting"), 409, "illegal_move")
    draft = await provider.get(f"offering-drafts/{offering_id}")
    handed_in = await submitted(town, provider, draft)
    await stall.passed(town, handed_in.body["case_id"])
    assert (await listed(offering_id, now=town.now)).number == 2


@one_database
@pytest.mark.parametrize("status", ["suspended", "delisted", "expired", "pending", "revoked"])
async def test_only_a_provider_in_standing_publishes(town: Town, status: str) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    mine = await organisation_of(provider)
    await Qualification.filter(organisation_id=mine.id).update(status=QualificationStatus(status))
    refused(await submitted(town, provider, draft), 409, "not_in_standing")
    refused(await provider.post("offering-drafts", programme=PROGRAMME), 409, "not_in_standing")
    stranger = await town.handler(name="未入驻的机构")
    refused(await stranger.post("offering-drafts", programme=PROGRAMME), 409, "not_in_standing")


# -- selection in rounds ------------------------------------------------------------------------------


@pytest.mark.rules("GX-24")
async def test_where_the_text_selects_offerings_are_taken_in_an_open_round_only(town: Town) -> None:
    provider, authority = await a_provider(town, REGION), await town.staff("authority")
    draft = await drafted(town, provider, REGION)
    refused(await submitted(town, provider, draft), 409, "selection_not_open")
    times = {
        "opens_at": (town.now - timedelta(hours=1)).isoformat(),
        "closes_at": (town.now + timedelta(days=7)).isoformat(),
    }
    opened = await authority.post("selection-rounds", programme=REGION, title="第一次征集", **times)
    assert (opened.status, opened.body["number"]) == (201, 1)
    told = await OutboxMessage.get(topic="selection.opened")
    assert told.recipient == f"organisation:{(await organisation_of(provider)).id}"
    refused(
        await authority.post("selection-rounds", programme=REGION, title="同时", **times),
        409,
        "selection_running",
    )
    close = f"selection-rounds/{opened.body['id']}/close"
    refused(await authority.post(close, reason=""), 422, "reason_missing")
    assert (await authority.post(close, reason="名额已满")).status == 200
    refused(await authority.post(close, reason="再次"), 409, "selection_over")
    refused(await submitted(town, provider, draft), 409, "selection_not_open")


@pytest.mark.rules("GX-24")
@one_database
async def test_a_year_has_no_more_rounds_of_selection_than_the_text_allows(town: Town) -> None:
    authority = await town.staff("authority")
    for number, status in ((1, 201), (2, 201), (3, 409)):
        answered = await authority.post(
            "selection-rounds",
            programme=REGION,
            title=f"第{number}次征集",
            opens_at=(town.now + timedelta(days=10 * number)).isoformat(),
            closes_at=(town.now + timedelta(days=10 * number + 5)).isoformat(),
        )
        assert answered.status == status, answered.body
    assert (answered.code, answered.body["arithmetic"]) == ("selections_used_up", "3 > 2")
    assert answered.body["clause"]


@one_database
async def test_a_round_of_selection_that_cannot_be_is_refused(town: Town) -> None:
    authority = await town.staff("authority")
    base = {"programme": REGION, "title": "征集"}
    for opens, closes in ((5, 5), (5, 1), (-5, -1), (1, 400)):
        answered = await authority.post(
            "selection-rounds",
            **base,
            opens_at=(town.now + timedelta(days=opens)).isoformat(),
            closes_at=(town.now + timedelta(days=closes)).isoformat(),
        )
        refused(answered, 422, "selection_times_wrong")
    times = {"opens_at": town.now.isoformat(), "closes_at": (town.now + timedelta(days=3)).isoformat()}
    refused(
        await authority.post("selection-rounds", programme=PROGRAMME, title="征集", **times),
        409,
        "nothing_selected",
    )
    elsewhere = await town.staff("authority", programmes=[PROGRAMME])
    refused(await elsewhere.post("selection-rounds", **base, **times), 404, "not_found")
    refused(await (await town.operator()).post("selection-rounds", **base, **times), 403, "not_allowed")


@pytest.mark.rules("GX-24")
async def test_a_catalogue_ends_with_its_year_and_its_offerings_with_it(town: Town) -> None:
    provider = await a_provider(town, REGION)
    offering_id = await stall.listed(town, provider, REGION)
    version = await listed(offering_id, now=town.now)
    end = version.valid_until
    assert end == datetime(2026, 12, 31, 16, 0, tzinfo=UTC)
    with pytest.raises(OfferingNotListed):
        await listed(offering_id, now=end)
    town.clock.at = end - timedelta(minutes=2)
    await town.run_jobs()
    assert (await Offering.get(id=offering_id)).status is OfferingStatus.LISTED
    town.clock.at = end + timedelta(minutes=5)
    await town.run_jobs()
    assert (await Offering.get(id=offering_id)).status is OfferingStatus.ENDED
    assert await OutboxMessage.filter(topic="offering.ended").count() == 1
    assert await JournalEntry.filter(action="offering.ended").count() == 1


# -- who sees what ------------------------------------------------------------------------------------


async def test_the_official_side_sees_what_was_handed_in_and_nothing_that_was_not(town: Town) -> None:
    provider, operator = await a_provider(town), await town.operator()
    draft = await drafted(town, provider)
    page = f"handed-in-offerings?programme={PROGRAMME}"
    assert (await operator.get(page)).body["offerings"] == []
    refused(await operator.get(f"offerings/{draft.body['id']}/versions"), 404, "not_found")
    await submitted(town, provider, draft)
    assert [one["id"] for one in (await operator.get(page)).body["offerings"]] == [draft.body["id"]]
    assert (await operator.get(f"{page}&status=listed")).body["offerings"] == []
    elsewhere = await town.staff("operator", programmes=[REGION])
    refused(await elsewhere.get(page), 404, "not_found")
    other_area = await town.staff("district", areas=["浙江省/丽水市/龙泉市"])
    assert (await other_area.get(page)).body["offerings"] == []
    version = (await operator.get(f"offerings/{draft.body['id']}/versions")).body["versions"][0]
    assert (version["number"], version["listed_at"]) == (1, None)


async def test_my_offerings_come_page_by_page(town: Town) -> None:
    provider, another = await a_provider(town), await a_provider(town, name="同行咨询有限公司")
    for number in range(52):
        await provider.post("offering-drafts", programme=PROGRAMME, name=f"第{number}号产品")
    await another.post("offering-drafts", programme=PROGRAMME, name="别人的")
    first = (await provider.get("offering-drafts")).body
    second = (await provider.get(f"offering-drafts?after={first['next_after']}")).body
    names = [one["content"]["name"] for one in (*first["offerings"], *second["offerings"])]
    assert names == [f"第{number}号产品" for number in range(52)]
    assert second["next_after"] is None


@one_database
async def test_nobody_begins_or_hands_in_without_end(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("OFFERINGS", 2), ("SUBMISSIONS", 1), ("SAVINGS", 1)):
        monkeypatch.setattr(allowances, name, most)
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    assert (await provider.post("offering-drafts", programme=PROGRAMME)).status == 201
    refused(await provider.post("offering-drafts", programme=PROGRAMME), 429, "too_many_today")
    path = f"offering-drafts/{draft.body['id']}"
    saved = await provider.patch(path, version=draft.body["version"], name="第一次保存")
    refused(await provider.patch(path, version=saved.body["version"], name="再次保存"), 429, "too_many_today")
    handed_in = await submitted(town, provider, saved)
    await provider.post(f"{path}/recall")
    again_handed_in = await submitted(town, provider, await again(provider, draft))
    refused(again_handed_in, 429, "too_many_today")
    assert handed_in.status == 201


async def test_a_version_that_was_handed_in_is_kept_by_the_database_itself(town: Town) -> None:
    provider = await a_provider(town)
    offering_id = await stall.listed(town, provider)
    with pytest.raises(Exception, match="keeps what it says"):
        await OfferingVersion.filter(offering_id=offering_id).update(price_to_fen=10**9)


# -- bad input ----------------------------------------------------------------------------------------


@one_database
@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"values": {"nonsense": "x"}}, 422, "form_items_unknown"),
        ({"values": {"content": 5}}, 422, "form_values_unusable"),
        ({"values": {"content": "长" * 3001}}, 422, "malformed"),
        ({"documents": {"nonsense": [1]}}, 422, "form_items_unknown"),
        ({"areas": ["浙江省//丽水市"]}, 422, "malformed"),
        ({"price_from_fen": -1}, 422, "malformed"),
        ({"price_parts": [{"content": "", "price_fen": 1}]}, 422, "malformed"),
        ({"comparisons": [{"name": "甲", "price_fen": 1, "more": 2}]}, 422, "malformed"),
        ({"kinds": "培训服务"}, 422, "malformed"),
    ],
)
async def test_what_cannot_be_kept_is_refused_and_changes_nothing(
    town: Town, sent: dict[str, object], status: int, code: str
) -> None:
    provider = await a_provider(town)
    draft = await drafted(town, provider)
    answered = await provider.patch(
        f"offering-drafts/{draft.body['id']}", version=draft.body["version"], **sent
    )
    refused(answered, status, code)
    assert (await again(provider, draft)).body == draft.body


@one_database
async def test_no_offering_shows_the_files_of_another(town: Town) -> None:
    await in_force(town, CITY)
    provider, another = await a_provider(town, CITY), await a_provider(town, CITY, name="另一家咨询公司")
    theirs = await drafted(town, another, CITY)
    papers = theirs.body["content"]["documents"]
    stolen = await provider.post("offering-drafts", programme=CITY, documents=papers)
    refused(stolen, 404, "files_unknown")
    mine = await drafted(town, provider, CITY)
    swapped = {"past_sets": mine.body["content"]["documents"]["comparisons"]}
    wrong = await provider.patch(
        f"offering-drafts/{mine.body['id']}", version=mine.body["version"], documents=swapped
    )
    refused(wrong, 422, "form_values_unusable")
