"""Reviews through the doors: inbox, file, decisions, notices, and what the applicant is told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from server.keys import PUBLIC_NOTICES, REVIEWS
from server.models.organisations import Organisation
from server.models.people import Person, Staff
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from tests.reviewing import APPLICANT, GREEN, RED, Thing
from tests.town import PROGRAMME, Caller, Town

GUANGXI, GUANGZHOU = "guangxi-2024", "guangzhou-2020"
REASON = "材料不符合要求"
_numbers = iter(range(1, 10_000))


@dataclass
class Desk:
    """A town with something small to review, and the handler of the organisation it is about."""

    town: Town
    thing: Thing
    handler: Caller
    organisation: Organisation

    async def open(
        self, subject: ReviewSubject = ReviewSubject.OFFERING, slug: str = PROGRAMME, **others: Any
    ) -> ReviewCase:
        """A case, opened now."""
        case, after = await self.town.app[REVIEWS].open(
            subject,
            next(_numbers),
            programme=self.town.programmes.get(slug),
            **{"organisation": self.organisation, "title": "诊断服务", "actor": APPLICANT, **others},
            now=self.town.now,
        )
        await after()
        return await ReviewCase.get(id=case.id)

    async def decided(self, case: ReviewCase, by: Caller, decision: str = "approve", **said: Any) -> Any:
        """What somebody is told who decides on a case as it stands."""
        case = await ReviewCase.get(id=case.id)
        chosen = {"decision": decision, "version": case.version, "reason": REASON}
        return await by.post(f"reviews/{case.id}/decision", **{**chosen, **said})


@pytest.fixture
async def desk(town: Town) -> Desk:
    """Offerings and settlements are reviewed here."""
    thing = Thing()
    for subject in (ReviewSubject.OFFERING, ReviewSubject.SETTLEMENT):
        town.app[REVIEWS].serve(subject, thing)
    handler = await town.handler(name="晨光精密机械有限公司")
    return Desk(town, thing, handler, await Organisation.get())


async def test_a_case_goes_from_the_teams_list_to_mine_and_out_of_both(desk: Desk) -> None:
    case = await desk.open()
    operator, colleague = await desk.town.staff("operator"), await desk.town.staff("operator")
    listed = await operator.get("reviews?queue=team")
    assert [row["id"] for row in listed.body["reviews"]] == [case.id]
    assert listed.body["counts"]["team"] == {"number": 1, "more": False}
    assert listed.body["reviews"][0]["step"] == "平台初核"

    claimed = await operator.post(f"reviews/{case.id}/claim")
    assert claimed.status == 200, claimed.body
    assert claimed.body["may"] == ["approve", "reject", "release", "return"]
    counts = (await operator.get("reviews")).body["counts"]
    assert (counts["mine"]["number"], counts["team"]["number"]) == (1, 0)
    assert (await colleague.post(f"reviews/{case.id}/claim")).code == "review_claimed"
    assert (await colleague.get(f"reviews/{case.id}")).body["may"] == []

    assert (await desk.decided(case, operator)).status == 200
    counts = (await operator.get("reviews")).body["counts"]
    assert [counts[queue]["number"] for queue in ("mine", "team")] == [0, 0]
    authority = await desk.town.staff("authority")
    assert (await authority.get("reviews?queue=team")).body["counts"]["team"]["number"] == 1


async def test_a_released_case_is_the_teams_again(desk: Desk) -> None:
    case = await desk.open()
    operator = await desk.town.staff("operator")
    await operator.post(f"reviews/{case.id}/claim")
    assert (await operator.post(f"reviews/{case.id}/release")).body["claimed_by"] is None
    assert (await operator.get("reviews?queue=team")).body["counts"]["team"]["number"] == 1


async def test_a_case_is_found_by_part_of_a_name_a_number_and_a_code(desk: Desk) -> None:
    case = await desk.open()
    await desk.open(organisation=None, title="另一件")
    operator = await desk.town.staff("operator")
    for search in ("精密机械", f"{case.id:06d}", f"{case.id:08d}", desk.organisation.uscc.lower()):
        found = await operator.get(f"reviews?queue=team&search={search}")
        assert [row["id"] for row in found.body["reviews"]] == [case.id], search
        assert found.body["counts"]["team"]["number"] == 1
    for search in ("没有这家", "999999", "密精", "91331100MA00000000"):
        assert (await operator.get(f"reviews?queue=team&search={search}")).body["reviews"] == []
    assert (await operator.get("reviews?search=晨")).code == "search_too_short"
    assert (await operator.get("reviews?search=_%")).body["reviews"] == []


async def test_a_list_is_read_page_by_page_without_gaps(desk: Desk) -> None:
    ids = [(await desk.open()).id for _ in range(5)]
    operator = await desk.town.staff("operator")
    seen: list[int] = []
    after = "0-0"
    while after:
        page = await operator.get(f"reviews?queue=team&limit=2&after={after}")
        seen += [row["id"] for row in page.body["reviews"]]
        after = page.body["next_after"]
    assert seen == ids
    assert (await operator.get("reviews?after=x")).status == 422


async def test_lists_are_narrowed_by_programme_and_kind(desk: Desk) -> None:
    settlement = await desk.open(ReviewSubject.SETTLEMENT, GUANGZHOU)
    offering = await desk.open()
    operator = await desk.town.staff("operator")
    for query, expected in (
        ("", {settlement.id, offering.id}),
        (f"&programme={GUANGZHOU}", {settlement.id}),
        ("&subject=offering", {offering.id}),
        (f"&programme={GUANGZHOU}&subject=offering", set()),
        ("&programme=nowhere", set()),
    ):
        found = await operator.get(f"reviews?queue=team{query}")
        assert {row["id"] for row in found.body["reviews"]} == expected
        assert found.body["counts"]["team"]["number"] == len(expected)
    bounded = await desk.town.staff("operator", programmes=[GUANGZHOU])
    assert (await bounded.get("reviews?queue=team")).body["counts"]["team"]["number"] == 1


async def test_soon_and_late_follow_the_deadline(desk: Desk) -> None:
    case = await desk.open()
    operator = await desk.town.staff("operator")

    async def counted(due_in: timedelta) -> tuple[int, int]:
        due = desk.town.now + due_in
        await ReviewCase.filter(id=case.id).update(due_at=due, rank_ms=int(due.timestamp() * 1000))
        body = (await operator.get("reviews?queue=late")).body
        assert len(body["reviews"]) == body["counts"]["late"]["number"]
        return body["counts"]["soon"]["number"], body["counts"]["late"]["number"]

    assert await counted(timedelta(days=3, seconds=1)) == (0, 0)
    assert await counted(timedelta(days=3)) == (1, 0)
    assert await counted(timedelta(seconds=1)) == (1, 0)
    assert await counted(timedelta(0)) == (0, 1)


async def test_a_district_sees_the_cases_of_its_own_areas_alone(desk: Desk) -> None:
    case = await desk.open()
    own = await desk.town.staff("operator", areas=["浙江省/丽水市"])
    foreign = await desk.town.staff("operator", areas=["浙江省/丽水市/青田县"])
    assert (await own.get("reviews?queue=team")).body["counts"]["team"]["number"] == 1
    assert (await own.get(f"reviews/{case.id}")).status == 200
    assert (await foreign.get("reviews?queue=team")).body["counts"]["team"]["number"] == 0
    assert (await foreign.get(f"reviews/{case.id}")).status == 404
    assert (await desk.decided(case, foreign)).status == 404


async def test_every_case_is_listed_for_who_reads_the_files(desk: Desk) -> None:
    case = await desk.open()
    await desk.decided(case, await desk.town.staff("operator"), "reject")
    auditor = await desk.town.staff("auditor")
    assert [row["id"] for row in (await auditor.get("reviews?queue=all")).body["reviews"]] == [case.id]
    assert (await auditor.get(f"reviews/{case.id}")).body["may"] == []
    assert (await desk.decided(case, auditor)).status == 403
    expert = await desk.town.staff("expert")
    assert (await expert.get("reviews?queue=all")).status == 403
    assert (await expert.get(f"reviews/{case.id}")).status == 404
    assert (await desk.town.anybody.get("reviews")).status == 401
    assert (await desk.handler.get("reviews")).status == 403


async def test_a_reviewer_sees_the_systems_lines_and_what_changed_since_the_return(desk: Desk) -> None:
    case = await desk.open()
    desk.thing.found = (GREEN, RED)
    operator = await desk.town.staff("operator")
    await desk.decided(case, operator, "return", fields={"name": "与执照不符"})
    desk.thing.facts = {"name": "乙公司", "figures": {"headcount": 42}}
    returned = await ReviewCase.get(id=case.id)
    await town_resume(desk, returned)

    file = (await operator.get(f"reviews/{case.id}")).body
    assert [(one["clause"], one["met"]) for one in file["checks"]] == [("一", True), ("一", False)]
    assert file["checks"][1]["arithmetic"] == RED.arithmetic
    assert file["changed"] == [{"field": "name", "before": "甲公司", "after": "乙公司"}]
    assert file["facts"]["name"] == "乙公司"
    assert file["decisions"][0]["fields"] == {"name": "与执照不符"}


async def town_resume(desk: Desk, case: ReviewCase) -> None:
    """The applicant hands in again."""
    await (await desk.town.app[REVIEWS].resume(case, actor=APPLICANT, now=desk.town.now))()


async def test_the_applicant_sees_whose_turn_it_is_and_why_everything_was_decided(desk: Desk) -> None:
    case = await desk.open()
    operator = await desk.town.staff("operator")
    await desk.decided(case, operator, "approve", reason="材料齐全")
    own = (await desk.handler.get("organisations/mine/reviews")).body["reviews"]
    assert [(one["id"], one["turn"], one["status_name"]) for one in own] == [(case.id, "主管部门", "办理中")]
    file = (await desk.handler.get(f"organisations/mine/reviews/{case.id}")).body
    assert [step["state"] for step in file["steps"]] == ["done", "current"]
    decision = file["decisions"][0]
    assert (decision["step"], decision["clause"], decision["reason"]) == ("平台初核", "二（二）", "材料齐全")
    name = (await Staff.get(id=operator.id)).display_name
    assert name not in str(file)
    assert decision["reviewer"] == ""

    await desk.decided(
        case,
        await desk.town.staff("authority"),
        "return",
        fields={"price": "缺少依据"},
        correct_by="2026-06-30",
    )
    file = (await desk.handler.get(f"organisations/mine/reviews/{case.id}")).body
    assert (file["turn"], file["status"]) == ("贵单位", "returned")
    assert file["due_at"] == "2026-06-30T16:00:00Z"
    assert file["decisions"][1]["fields"] == {"price": "缺少依据"}


async def test_a_foreign_case_does_not_exist_for_an_applicant(desk: Desk) -> None:
    case = await desk.open()
    stranger = await desk.town.handler()
    assert (await stranger.get(f"organisations/mine/reviews/{case.id}")).status == 404
    assert (await stranger.get("organisations/mine/reviews")).body["reviews"] == []
    assert (await (await desk.town.person()).get("organisations/mine/reviews")).code == "no_organisation"


async def test_a_stale_screen_is_refused_with_one_clear_sentence(desk: Desk) -> None:
    case = await desk.open()
    first, second = await desk.town.staff("operator"), await desk.town.staff("operator")
    assert (await desk.decided(case, first)).status == 200
    late = await desk.decided(case, second, version=case.version)
    assert (late.status, late.code) == (409, "case_moved_on")
    name = (await Staff.get(id=first.id)).display_name
    assert late.body["detail"] == f"您打开此件后，{name}于 2026-05-18 10:00 作出了通过的决定，请刷新后再办理"


async def test_a_decision_of_the_wrong_kind_is_refused(desk: Desk) -> None:
    case = await desk.open()
    operator = await desk.town.staff("operator")
    for said, code in (
        ({"decision": "reject", "reason": ""}, "reason_missing"),
        ({"decision": "return", "reason": " "}, "reason_missing"),
        ({"ask_for": ["serious"]}, "review_not_askable"),
        ({"decision": "return", "correct_by": "2026-05-18"}, "correction_time_past"),
        ({"decision": "maybe"}, "malformed"),
        ({"fields": {"x" * 65: "长"}}, "malformed"),
        ({"version": 0}, "malformed"),
        ({"version": 2**31}, "malformed"),
        ({"version": 2**31 - 1}, "case_moved_on"),
        ({"ask_for": ["whenever"]}, "malformed"),
        ({"held_on": "2026-02-30"}, "malformed"),
    ):
        refused = await desk.decided(case, operator, **said)
        assert refused.code == code, said
    for role in ("authority", "treasury"):
        assert (await desk.decided(case, await desk.town.staff(role))).code == "not_your_review"
    assert (await operator.post("reviews/999999/decision", decision="approve", version=1)).status == 404
    assert (await desk.decided(case, operator)).status == 200


async def test_several_are_approved_together_and_each_says_what_became_of_it(desk: Desk) -> None:
    good, decided = await desk.open(), await desk.open()
    operator = await desk.town.staff("operator")
    await desk.decided(decided, operator)
    answered = await operator.post(
        "reviews/approvals",
        cases=[
            {"id": good.id, "version": good.version},
            {"id": decided.id, "version": decided.version},
            {"id": 999_999, "version": 1},
        ],
    )
    assert answered.status == 200, answered.body
    assert [(one["approved"], one["code"]) for one in answered.body["outcomes"]] == [
        (True, ""),
        (False, "case_moved_on"),
        (False, "not_found"),
    ]
    assert (await operator.post("reviews/approvals", cases=[])).status == 422


async def test_experts_score_and_the_panel_concludes(desk: Desk) -> None:
    case = await desk.open(slug=GUANGXI)
    first, second = await desk.town.staff("expert"), await desk.town.staff("expert")
    said = {"version": case.version, "score": 88, "reason": "服务内容清楚"}
    assert (await first.post(f"reviews/{case.id}/opinions", **said)).status == 200
    assert (await first.post(f"reviews/{case.id}/opinions", **said)).code == "opinion_given"
    assert (await second.post(f"reviews/{case.id}/opinions", **{**said, "score": 101})).code == "malformed"
    assert (await desk.decided(case, second)).code == "review_record_incomplete"
    assert (await desk.decided(case, second, score=80)).status == 200
    own = (await desk.handler.get(f"organisations/mine/reviews/{case.id}")).body
    assert [(one["verdict"], one["score"]) for one in own["decisions"]] == [("approved", 80)]
    operator = await desk.town.staff("operator")
    assert (await operator.post(f"reviews/{case.id}/opinions", **said)).status == 403


async def test_anybody_signed_in_objects_to_a_notice_and_the_authority_answers(desk: Desk) -> None:
    case = await desk.open(slug=GUANGXI)
    assert (await desk.town.anybody.get("public-notices")).body["notices"] == []
    await desk.decided(case, await desk.town.staff("expert"), score=90)
    await desk.decided(case, await desk.town.staff("authority"))
    notice = (await desk.town.anybody.get(f"public-notices?programme={GUANGXI}")).body["notices"][0]
    assert notice["title"] == "关于晨光精密机械有限公司服务产品的公示"
    assert notice["until"] == "2026-05-25T16:00:00Z"

    somebody = await desk.town.person()
    path = f"public-notices/{notice['id']}/lines/1/objections"
    assert (await somebody.post(path, reason="  ", anonymous=True)).code == "reason_missing"
    made = await somebody.post(path, reason="申报材料不实", anonymous=True)
    assert made.status == 201, made.body
    again = await somebody.post(path, reason="申报材料不实", anonymous=True)
    assert again.code == "objection_pending"
    own = (await desk.handler.get(f"organisations/mine/reviews/{case.id}")).body["objections"][0]
    assert (own["reason"], own["made_by"]) == ("申报材料不实", "")

    answer = f"objections/{own['id']}/answer"
    authority = await desk.town.staff("authority")
    assert (await authority.get("reviews?queue=team")).body["counts"]["team"]["number"] == 1
    assert (await authority.get(f"reviews/{case.id}")).body["may"] == ["answer"]
    assert (await somebody.post(answer, upheld=False, answer="不属实")).status == 403
    assert (await authority.post(answer, upheld=False, answer="经核实不属实")).status == 200
    assert (await authority.post(answer, upheld=True, answer="再次答复")).code == "objection_answered"
    desk.town.clock.at = (await ReviewCase.get(id=case.id)).notice_until or desk.town.now
    assert await desk.town.app[PUBLIC_NOTICES].close_due() == 1
    # A week later everybody has to sign in anew.
    handler = await desk.town.signed_in(await Person.get(id=desk.handler.id))
    assert (await handler.get(f"organisations/mine/reviews/{case.id}")).body["status"] == "passed"
    late = await (await desk.town.person()).post(path, reason="申报材料不实", anonymous=True)
    assert late.code == "notice_over"
