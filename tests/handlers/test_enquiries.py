"""Enquiries: written, reviewed, shown by name or without, answered by admitted providers, and closed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from server.models.enquiries import EnquiryMessage
from server.models.offerings import Offering, OfferingVersion
from server.models.organisations import Qualification
from server.models.reviews import ReviewCase
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.offerings import OfferingStatus
from server.services import allowances
from tests.ordering import admit, organisation_of, two_sides
from tests.town import Answered, Caller, Town

HERE = "guangxi-2024"
NAME = "晨光精密机械有限公司"
WANTED = {
    "product_type": "数字化诊断",
    "content": "车间设备联网与排产",
    "fee_from": 5_000_00,
    "fee_to": 20_000_00,
}


@dataclass
class Scene:
    """An enterprise that looks for something, and a provider with a listed offering."""

    town: Town
    enterprise: Caller
    provider: Caller
    operator: Caller
    offering_id: int

    async def written(self, *, anonymous: bool = True, **values: Any) -> Answered:
        return await self.enterprise.post(
            "enquiries", programme=HERE, values={**WANTED, **values}, anonymous=anonymous
        )

    async def submitted(self, **others: Any) -> Answered:
        made = await self.written(**others)
        assert made.status == 201, made.body
        path = f"enquiries/{made.body['id']}/submission"
        return await self.enterprise.post(path, version=made.body["version"])

    async def decided(self, enquiry: Answered, decision: str = "approve", **others: Any) -> Answered:
        operator = self.operator
        path = f"reviews/{enquiry.body['review_id']}"
        seen = await operator.get(path)
        answered = await operator.post(
            f"{path}/decision",
            **{"decision": decision, "version": seen.body["version"], "reason": "", "extras": {}, **others},
        )
        assert answered.status == 200, answered.body
        return answered

    async def shown(self, **others: Any) -> int:
        enquiry = await self.submitted(**others)
        await self.decided(enquiry)
        return int(enquiry.body["id"])

    async def answer(self, enquiry_id: int, caller: Caller | None = None) -> Answered:
        return await (caller or self.provider).post(
            f"enquiries/{enquiry_id}/answers", offering_id=self.offering_id, words="我们做过同类车间"
        )


async def listed_offering(town: Town, provider: Caller) -> int:
    """A listed offering of a provider, as the database keeps it."""
    organisation = await organisation_of(provider)
    offering = await Offering.create(
        programme_slug=HERE,
        provider_id=organisation.id,
        status=OfferingStatus.LISTED,
        created_at=town.now,
        saved_at=town.now,
        saved_by=provider.id,
    )
    programme = town.programmes.get(HERE)
    version = await OfferingVersion.create(
        offering_id=offering.id,
        number=1,
        programme_version=programme.version,
        category=programme.categories[0].code,
        service="数字化转型诊断",
        name="车间数字化诊断",
        price_from_fen=10_000_00,
        price_to_fen=10_000_00,
        submitted_at=town.now,
        submitted_by=provider.id,
        listed_at=town.now,
    )
    await Offering.filter(id=offering.id).update(current_version_id=version.id)
    return int(offering.id)


@pytest.fixture
async def scene(town: Town) -> Scene:
    enterprise, provider = await two_sides(town, HERE)
    operator = await town.operator()
    return Scene(town, enterprise, provider, operator, await listed_offering(town, provider))


@pytest.mark.rules("GX-50")
async def test_an_enquiry_is_shown_only_after_its_review(scene: Scene) -> None:
    made = await scene.submitted()
    assert (made.status, made.body["status"]) == (200, "pending")
    assert (await scene.town.anybody.get("enquiries")).body["enquiries"] == []
    assert (await scene.town.anybody.get(f"enquiries/{made.body['id']}")).status == 404
    await scene.decided(made)
    (one,) = (await scene.town.anybody.get(f"enquiries?programme={HERE}")).body["enquiries"]
    assert (one["id"], one["status"], one["values"]) == (made.body["id"], "shown", WANTED)


@pytest.mark.rules("GX-50")
async def test_every_field_may_be_left_out_but_not_all_of_them(scene: Scene) -> None:
    form = (await scene.town.anybody.get(f"enquiries/form?programme={HERE}")).body
    assert {one["code"] for one in form["fields"]} == WANTED.keys()
    assert not any(one["required"] for one in form["fields"])
    assert form["reviewed"] is True
    only = await scene.enterprise.post(
        "enquiries", programme=HERE, values={"content": "设备联网"}, anonymous=True
    )
    handed = await scene.enterprise.post(f"enquiries/{only.body['id']}/submission", version=1)
    assert handed.body["status"] == "pending"
    nothing = await scene.enterprise.post("enquiries", programme=HERE, values={}, anonymous=True)
    refused = await scene.enterprise.post(f"enquiries/{nothing.body['id']}/submission", version=1)
    assert (refused.status, refused.code) == (422, "enquiry_empty")


async def test_what_does_not_fit_is_named_all_at_once(scene: Scene) -> None:
    wrong = await scene.written(fee_from=30_000_00, colour="红", product_type=7)
    assert (wrong.status, wrong.code) == (422, "enquiry_unusable")
    assert {one["code"] for one in wrong.body["unmet"]} == {"fee_from", "colour", "product_type"}
    negative = await scene.written(fee_from=-1)
    assert [one["code"] for one in negative.body["unmet"]] == ["fee_from"]


async def test_a_programme_without_enquiries_says_so(scene: Scene) -> None:
    refused = await scene.enterprise.post("enquiries", programme="lishui-2024", values={}, anonymous=True)
    assert (refused.status, refused.code) == (409, "enquiries_not_here")
    form = await scene.town.anybody.get("enquiries/form?programme=lishui-2024")
    assert (form.status, form.code) == (409, "enquiries_not_here")


async def test_it_is_shown_by_name_only_if_its_enterprise_chose_so(scene: Scene) -> None:
    await scene.shown(anonymous=True)
    await scene.shown(anonymous=False)
    listed = (await scene.town.anybody.get("enquiries")).body["enquiries"]
    assert [one["enterprise_name"] for one in listed] == [NAME, None]
    assert not {"enterprise_id", "reason", "version"} & listed[1].keys()


async def test_what_was_returned_is_corrected_and_reviewed_again(scene: Scene) -> None:
    made = await scene.submitted()
    await scene.decided(made, "return", reason="请写明内容", fields={"content": "请写明车间规模"})
    (mine,) = (await scene.enterprise.get("enquiries/mine")).body["enquiries"]
    assert (mine["status"], mine["returned"]) == ("returned", {"content": "请写明车间规模"})
    saved = await scene.enterprise.put(
        f"enquiries/{mine['id']}",
        values={**WANTED, "content": "两条产线，40 台设备"},
        anonymous=False,
        version=mine["version"],
    )
    assert saved.status == 200, saved.body
    stale = await scene.enterprise.put(
        f"enquiries/{mine['id']}", values=WANTED, anonymous=False, version=mine["version"]
    )
    assert (stale.status, stale.code) == (409, "enquiry_moved_on")
    again = await scene.enterprise.post(f"enquiries/{mine['id']}/submission", version=saved.body["version"])
    assert again.body["status"] == "pending"
    await scene.decided(again)
    (one,) = (await scene.town.anybody.get("enquiries")).body["enquiries"]
    assert one["values"]["content"] == "两条产线，40 台设备"
    assert await ReviewCase.filter(subject_id=mine["id"], subject="enquiry").count() == 1


@pytest.mark.rules("GX-50")
async def test_what_was_turned_down_is_never_shown(scene: Scene) -> None:
    made = await scene.submitted()
    await scene.decided(made, "reject", reason="与项目无关")
    assert (await scene.town.anybody.get("enquiries")).body["enquiries"] == []
    (mine,) = (await scene.enterprise.get("enquiries/mine")).body["enquiries"]
    assert (mine["status"], mine["reason"]) == ("refused", "与项目无关")
    again = await scene.enterprise.post(f"enquiries/{mine['id']}/submission", version=mine["version"])
    assert (again.status, again.code) == (409, "illegal_move")


async def test_only_an_enterprise_in_standing_hands_one_in(scene: Scene) -> None:
    await Qualification.filter(
        organisation_id=(await organisation_of(scene.enterprise)).id, party=Party.ENTERPRISE
    ).update(status=QualificationStatus.REVOKED)
    refused = await scene.submitted()
    assert (refused.status, refused.code) == (409, "not_in_standing")


@pytest.mark.rules("GX-51")
async def test_an_admitted_provider_answers_and_the_thread_is_kept(scene: Scene) -> None:
    enquiry_id = await scene.shown()
    answered = await scene.answer(enquiry_id)
    assert answered.status == 201, answered.body
    thread = answered.body["answer"]
    assert (thread["offering_name"], thread["enterprise_name"]) == ("车间数字化诊断", None)
    path = f"enquiry-answers/{thread['id']}"
    said = await scene.enterprise.post(f"{path}/messages", words="何时能来现场？")
    assert said.status == 201, said.body
    assert (await scene.provider.post(f"{path}/messages", words="下周二")).status == 201
    for side in (scene.enterprise, scene.provider):
        messages = (await side.get(path)).body["messages"]
        assert [(one["party"], one["words"]) for one in messages] == [
            ("provider", "我们做过同类车间"),
            ("enterprise", "何时能来现场？"),
            ("provider", "下周二"),
        ]
    (listed,) = (await scene.enterprise.get(f"enquiries/{enquiry_id}/answers")).body["answers"]
    assert listed["provider_name"] == "远山数字技术有限公司"
    assert [one["id"] for one in (await scene.provider.get("enquiry-answers")).body["answers"]] == [
        thread["id"]
    ]
    await scene.town.run_jobs()
    titles = [one["title"] for one in (await scene.enterprise.get("inbox?order=time")).body["messages"]]
    assert {"需求收到回复", "需求对话有新消息"} <= set(titles)


@pytest.mark.rules("GX-51")
async def test_who_may_not_answer(scene: Scene) -> None:
    enquiry_id = await scene.shown()
    stranger = await scene.town.handler()
    assert (await scene.answer(enquiry_id, stranger)).code == "not_in_standing"
    await admit(
        await organisation_of(stranger), scene.town.programmes.get(HERE), Party.PROVIDER, scene.town.now
    )
    assert (await scene.answer(enquiry_id, stranger)).status == 404
    assert (await scene.answer(enquiry_id, scene.enterprise)).code == "own_enquiry"
    await Offering.filter(id=scene.offering_id).update(status=OfferingStatus.WITHDRAWN)
    assert (await scene.answer(enquiry_id)).code == "offering_not_listed"
    await Offering.filter(id=scene.offering_id).update(status=OfferingStatus.LISTED)
    both = await asyncio.gather(scene.answer(enquiry_id), scene.answer(enquiry_id))
    assert sorted(one.status for one in both) == [201, 409]
    assert await EnquiryMessage.all().count() == 1


async def test_nobody_else_reads_a_thread(scene: Scene) -> None:
    answered = await scene.answer(await scene.shown())
    path = f"enquiry-answers/{answered.body['answer']['id']}"
    stranger = await scene.town.handler()
    assert (await stranger.get(path)).status == 404
    assert (await stranger.post(f"{path}/messages", words="我也来")).status == 404
    assert (await scene.town.anybody.get(path)).status == 401


async def test_closing_ends_it_and_keeps_what_was_said(scene: Scene) -> None:
    enquiry_id = await scene.shown()
    answered = await scene.answer(enquiry_id)
    closed = await scene.enterprise.post(f"enquiries/{enquiry_id}/closure", reason="已找到")
    assert (closed.status, closed.body["status"]) == (200, "closed")
    assert (await scene.town.anybody.get("enquiries")).body["enquiries"] == []
    path = f"enquiry-answers/{answered.body['answer']['id']}"
    late = await scene.provider.post(f"{path}/messages", words="还需要吗")
    assert (late.status, late.code) == (409, "not_permitted_now")
    assert len((await scene.provider.get(path)).body["messages"]) == 1
    assert (await scene.provider.post(f"enquiries/{enquiry_id}/closure", reason="")).status == 404


async def test_closing_takes_it_out_of_review(scene: Scene) -> None:
    made = await scene.submitted()
    closed = await scene.enterprise.post(f"enquiries/{made.body['id']}/closure", reason="")
    assert closed.body["status"] == "closed"
    case = await ReviewCase.get(id=made.body["review_id"])
    assert case.status.value == "withdrawn"


async def test_hostile_words_come_back_as_they_were_and_too_many_are_refused(scene: Scene) -> None:
    hostile = "<script>alert(1)</script>'; DROP TABLE enquiry; -- {programme} %s"
    enquiry_id = await scene.shown(content=hostile)
    shown = (await scene.town.anybody.get(f"enquiries/{enquiry_id}")).body
    assert shown["values"]["content"] == hostile
    assert (await scene.written(content="长" * 501)).status == 422
    answered = await scene.answer(enquiry_id)
    path = f"enquiry-answers/{answered.body['answer']['id']}/messages"
    assert (await scene.provider.post(path, words="长" * 1001)).status == 422
    assert (await scene.provider.post(path, words="\u202e")).code == "json_text_unusable"


async def test_nobody_fills_a_table_with_what_they_look_for(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(allowances, "ENQUIRIES", 2)
    monkeypatch.setattr(allowances, "MESSAGES", 2)
    enquiry_id = await scene.shown()
    assert (await scene.written()).status == 201
    refused = await scene.written()
    assert (refused.status, refused.code) == (429, "too_many_today")
    answered = await scene.answer(enquiry_id)
    path = f"enquiry-answers/{answered.body['answer']['id']}/messages"
    assert (await scene.enterprise.post(path, words="一")).status == 201
    assert (await scene.enterprise.post(path, words="二")).code == "too_many_today"
