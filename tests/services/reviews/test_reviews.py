"""The review engine: returns, claims, stale screens, partial reviewers, experts, committees, deadlines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server import texts
from server.models.journal import JournalEntry
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.model import Programme
from server.programme.review import ReviewSubject, ReviewWhen
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import end_of
from server.rules.review import (
    CaseStatus,
    DecidedBefore,
    NotYourReview,
    PanelTooSmall,
    ReasonMissing,
    Record,
    ReviewNotAskable,
    ReviewNotReturnable,
    ReviewOver,
    ReviewRecordIncomplete,
    Verdict,
)
from server.services.access import NotFound
from server.services.reviews import review_bulk, review_claims, review_files
from server.services.reviews.review_turns import CLAIM_KEPT
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import (
    CaseMovedOn,
    CorrectionTimePast,
    OpinionGiven,
    ReviewClaimed,
    ReviewNotOpen,
    ReviewUnderWay,
)
from tests.factories import make_enterprise
from tests.reviewing import APPLICANT, DAY, GREEN, RED, NotNow, ReviewOffice, every_programme

S = ReviewSubject
LISHUI, GUANGXI, GUANGZHOU, YINCHUAN = "lishui-2024", "guangxi-2024", "guangzhou-2020", "yinchuan-2024"
NINGXIA = "ningxia-2016"


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


@pytest.fixture
def office(database: TortoiseContext) -> ReviewOffice:
    """A review office on a Monday, with nothing to do yet."""
    return ReviewOffice(every_programme())


# -- returning and resubmitting ---------------------------------------------------------------------


async def test_what_is_returned_goes_back_to_the_step_and_the_person_that_returned_it(
    office: ReviewOffice,
) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    case = await office.decide(case)
    bureau = await office.staff("authority")
    case = await office.decide(case, Verdict.RETURNED, by=bureau, fields={"licence": "执照不清晰"})
    assert (case.status, case.turn, case.place) == (CaseStatus.RETURNED, None, 1)
    assert office.thing.told == [("returned", {"licence": "执照不清晰"})]

    await (await office.reviews.resume(case, actor=APPLICANT, now=office.now))()

    case = await ReviewCase.get(id=case.id)
    assert (case.status, case.turn, case.place) == (CaseStatus.OPEN, Role.AUTHORITY, 1)
    assert case.claimed_by == bureau.id
    case = await office.decide(case, by=bureau)
    assert case.status is CaseStatus.PASSED
    assert [what for what, _ in office.thing.told] == ["returned", "passed"]


async def test_a_return_tells_the_applicant_what_to_correct_why_and_until_when(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    last_day = office.today + 5 * DAY
    case = await office.decide(
        case, Verdict.RETURNED, reason="请补正", fields={"licence": "执照不清晰"}, correct_by=last_day
    )
    assert case.due_at == end_of(last_day)
    told = await OutboxMessage.get(topic="review.returned")
    assert told.recipient == f"organisation:{case.organisation_id}"
    assert told.data["fields"] == {"licence": "执照不清晰"}
    assert (told.data["reason"], told.data["until"]) == ("请补正", end_of(last_day).isoformat())


async def test_a_case_goes_back_and_forth_as_often_as_it_takes(office: ReviewOffice) -> None:
    operator = await office.staff("operator")
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    for number in range(3):
        case = await office.decide(case, Verdict.RETURNED, by=operator, fields={"licence": f"第{number}次"})
        await office.reviews.resume(case, actor=APPLICANT, now=office.now)
        case = await ReviewCase.get(id=case.id)
    case = await office.decide(case, by=operator)
    assert case.status is CaseStatus.PASSED
    assert await ReviewDecision.filter(case_id=case.id, reviewer_id=operator.id).count() == 4


async def test_only_what_waits_for_its_correction_is_resumed(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    with pytest.raises(CaseMovedOn):
        await office.reviews.resume(case, actor=APPLICANT, now=office.now)
    case = await office.decide(case, Verdict.RETURNED)
    await office.reviews.resume(case, actor=APPLICANT, now=office.now)
    with pytest.raises(CaseMovedOn):
        await office.reviews.resume(case, actor=APPLICANT, now=office.now)


@pytest.mark.parametrize("verdict", [Verdict.RETURNED, Verdict.REJECTED])
async def test_who_is_sent_back_or_turned_down_is_told_why(office: ReviewOffice, verdict: Verdict) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    with pytest.raises(ReasonMissing):
        await office.decide(case, verdict, reason="  ")
    assert await ReviewDecision.all().count() == 0
    await office.decide(case, verdict, reason="执照过期")


async def test_a_correction_has_at_least_until_tomorrow(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    with pytest.raises(CorrectionTimePast):
        await office.decide(case, Verdict.RETURNED, correct_by=office.today)
    case = await ReviewCase.get(id=case.id)
    assert (await office.decide(case, Verdict.RETURNED, correct_by=office.today + DAY)).due_at is not None


async def test_nothing_is_returned_where_something_is_only_put_on_record(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.REMOVAL)
    case = await office.decide(await office.decide(case))
    assert case.step_name == "公告清退"
    with pytest.raises(ReviewNotReturnable):
        await office.decide(case, Verdict.RETURNED)


# -- who may decide ---------------------------------------------------------------------------------


@pytest.mark.rules("LS-38")
async def test_nobody_decides_twice_in_one_chain_whatever_roles_they_have(office: ReviewOffice) -> None:
    both = await office.staff("operator", "authority")
    case = await office.open(programme(LISHUI), S.PROVIDER)
    case = await office.decide(case, by=both)
    with pytest.raises(DecidedBefore):
        await office.decide(case, by=both)
    assert (await office.decide(await ReviewCase.get(id=case.id))).status is CaseStatus.PASSED


async def test_who_returned_a_case_at_one_step_does_not_decide_at_the_next(office: ReviewOffice) -> None:
    both = await office.staff("operator", "authority")
    case = await office.open(programme(LISHUI), S.PROVIDER)
    case = await office.decide(case, Verdict.RETURNED, by=both)
    await office.reviews.resume(case, actor=APPLICANT, now=office.now + CLAIM_KEPT)
    case = await review_claims.release(office.reviews, case.id, actor=both)
    case = await office.decide(case)
    with pytest.raises(DecidedBefore):
        await office.decide(case, by=both)


async def test_the_table_itself_refuses_a_second_decision_of_the_same_person(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    reviewer = await office.staff("operator")
    await office.decide(case, by=reviewer)
    written = await ReviewDecision.get(case_id=case.id)
    kept = {name: getattr(written, name) for name in written._meta.db_fields if name != "id"}
    for change in ({"place": 1}, {"reviewer_id": 999_999}, {"place": 1, "verdict": Verdict.RETURNED}):
        with pytest.raises(Exception, match=r"(?i)decides at two|unique"):
            async with in_transaction():
                await ReviewDecision.create(**{**kept, **change})
    assert await ReviewDecision.all().count() == 1


async def test_a_decision_is_never_changed(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    await office.decide(case)
    for change in (ReviewDecision.all().update(reason="另一个理由"), ReviewDecision.all().delete()):
        with pytest.raises(Exception, match="append-only"):
            await change


async def test_nobody_decides_for_an_organisation_they_are_affiliated_with(office: ReviewOffice) -> None:
    organisation = await make_enterprise()
    friend = await office.staff("operator", affiliations=[organisation.uscc])
    case = await office.open(programme(LISHUI), S.ENTERPRISE, organisation=organisation)
    with pytest.raises(OwnReview):
        await office.decide(case, by=friend)
    with pytest.raises(OwnReview):
        await review_claims.claim(office.reviews, case.id, actor=friend)
    other = await office.open(programme(LISHUI), S.ENTERPRISE)
    # Nor where that organisation is another side of what is decided.
    office.thing.others = frozenset({organisation.uscc})
    with pytest.raises(OwnReview):
        await office.decide(other, by=friend)
    with pytest.raises(OwnReview):
        await review_claims.claim(office.reviews, other.id, actor=friend)
    assert not (await review_files.for_reviewer(office.reviews, other.id, actor=friend)).may
    office.thing.others = frozenset()
    assert (await office.decide(other, by=friend)).status is CaseStatus.PASSED


async def test_nobody_decides_what_they_brought_forward_themselves(office: ReviewOffice) -> None:
    reporter = await office.staff("operator")
    case = await office.open(programme(LISHUI), S.REMOVAL, actor=reporter)
    with pytest.raises(OwnReview):
        await office.decide(case, by=reporter)
    assert (await office.decide(case)).place == 1


@pytest.mark.parametrize(
    "bounds", [{"programmes": [GUANGXI]}, {"areas": ["浙江省/丽水市/青田县", "浙江省/丽水"]}]
)
async def test_a_case_of_another_programme_or_area_does_not_exist_for_a_reviewer(
    office: ReviewOffice, bounds: dict[str, list[str]]
) -> None:
    stranger = await office.staff("operator", **bounds)
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    with pytest.raises(NotFound):
        await office.decide(case, by=stranger)
    with pytest.raises(NotFound):
        await review_claims.claim(office.reviews, case.id, actor=stranger)


async def test_a_reviewer_of_the_programme_and_area_decides(office: ReviewOffice) -> None:
    local = await office.staff("operator", programmes=[LISHUI], areas=["浙江省/丽水市"])
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    assert (await office.decide(case, by=local)).status is CaseStatus.PASSED


async def test_who_has_no_turn_anywhere_in_the_chain_is_refused(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    with pytest.raises(NotYourReview) as refused:
        await office.decide(case, by=await office.staff("treasury"))
    assert texts.sentence(refused.value) == "“材料有效性审核”由运营单位办理"
    with pytest.raises(NotFound):
        await office.decide(case, by=APPLICANT)


# -- stale screens and claims -----------------------------------------------------------------------


async def test_a_stale_screen_is_told_who_did_what_meanwhile(office: ReviewOffice) -> None:
    seen = await office.open(programme(LISHUI), S.PROVIDER)
    await office.decide(seen, by=await office.staff("operator", display_name="李敏"))
    with pytest.raises(CaseMovedOn) as refused:
        await office.decide(seen, Verdict.REJECTED, by=await office.staff("operator"))
    assert texts.sentence(refused.value) == (
        "您打开此件后，李敏于 2026-05-18 10:00 作出了通过的决定，请刷新后再办理"
    )
    assert await ReviewDecision.filter(case_id=seen.id).count() == 1


async def test_a_case_at_its_end_is_decided_no_more(office: ReviewOffice) -> None:
    case = await office.decide(await office.open(programme(LISHUI), S.ENTERPRISE))
    with pytest.raises(ReviewOver):
        await office.decide(case, by=await office.staff("operator"), record=Record())


async def test_a_claim_keeps_colleagues_out_until_it_is_released_or_silent(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    first, second = await office.staff("operator", display_name="李敏"), await office.staff("operator")
    case = await review_claims.claim(office.reviews, case.id, actor=first)
    assert case.claimed_by == first.id
    with pytest.raises(ReviewClaimed) as refused:
        await office.decide(case, by=second)
    assert refused.value.values["who"] == "李敏"
    with pytest.raises(ReviewClaimed):
        await review_claims.claim(office.reviews, case.id, actor=second)
    with pytest.raises(ReviewClaimed):
        await review_claims.release(office.reviews, case.id, actor=second)

    office.clock.advance(CLAIM_KEPT - timedelta(microseconds=1))
    with pytest.raises(ReviewClaimed):
        await review_claims.claim(office.reviews, case.id, actor=second)
    office.clock.advance(timedelta(microseconds=1))
    assert (await review_claims.claim(office.reviews, case.id, actor=second)).claimed_by == second.id
    assert (await review_claims.release(office.reviews, case.id, actor=second)).claimed_by is None
    case = await office.decide(await ReviewCase.get(id=case.id), by=first)
    assert case.status is CaseStatus.PASSED


async def test_only_who_has_the_turn_takes_a_case_on(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    with pytest.raises(NotYourReview):
        await review_claims.claim(office.reviews, case.id, actor=await office.staff("authority"))


async def test_one_thing_is_under_one_review_at_a_time(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    organisation = await make_enterprise()
    again = {
        "programme": programme(LISHUI),
        "organisation": organisation,
        "title": "再次",
        "actor": APPLICANT,
        "now": office.now,
    }
    with pytest.raises(ReviewUnderWay):
        await office.reviews.open(case.subject, case.subject_id, **again)  # type: ignore[arg-type]
    await office.decide(case)
    opened, _ = await office.reviews.open(case.subject, case.subject_id, **again)  # type: ignore[arg-type]
    assert opened.status is CaseStatus.OPEN


async def test_what_the_applicant_takes_back_is_over(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    await office.reviews.withdraw(case, reason="不再申请", actor=APPLICANT, now=office.now)
    case = await ReviewCase.get(id=case.id)
    assert (case.status, case.turn) == (CaseStatus.WITHDRAWN, None)
    with pytest.raises(CaseMovedOn):
        await office.reviews.withdraw(case, reason="", actor=APPLICANT, now=office.now)
    with pytest.raises(ReviewOver):
        await office.decide(case, by=await office.staff("operator"), record=Record())


# -- what follows from the end ----------------------------------------------------------------------


async def test_a_pass_that_cannot_be_leaves_nothing_of_the_decision(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    before = await JournalEntry.all().count()
    office.thing.cannot_pass = True
    with pytest.raises(NotNow):
        await office.decide(case)
    unchanged = await ReviewCase.get(id=case.id)
    assert (unchanged.status, unchanged.version) == (CaseStatus.OPEN, case.version)
    assert await ReviewDecision.all().count() == 0
    assert await JournalEntry.all().count() == before
    assert office.thing.awaited == 0


async def test_the_last_who_decides_hears_what_stands_in_the_way_and_can_turn_it_down(
    office: ReviewOffice,
) -> None:
    # After the expert only records and announcements follow, at which nobody can turn anything down.
    case = await office.open(programme(NINGXIA), S.PROVIDER)
    office.thing.cannot_pass = True
    case = await office.decide(case)
    with pytest.raises(NotNow):
        await office.decide(case)
    refused = await office.decide(case, Verdict.REJECTED)
    assert refused.status is CaseStatus.REFUSED
    office.thing.cannot_pass = False
    other = await office.decide(await office.decide(await office.open(programme(NINGXIA), S.PROVIDER)))
    assert (other.status, other.turn) == (CaseStatus.OPEN, Role.AUTHORITY)
    assert [what for what, _ in office.thing.told] == ["refused"]


async def test_what_reviewers_add_at_any_step_reaches_the_end(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    # What was said with a return was said of what has been corrected since.
    first = await office.staff("operator")
    case = await office.decide(case, Verdict.RETURNED, by=first, extras={"labels": ["z"], "old": True})
    await office.reviews.resume(case, actor=APPLICANT, now=office.now)
    case = await ReviewCase.get(id=case.id)
    case = await office.decide(case, by=first, extras={"labels": ["a"], "grade": 1})
    await office.decide(case, extras={"grade": 2})
    assert office.thing.told[-1] == ("passed", {"labels": ["a"], "grade": 2})


async def test_a_decision_keeps_the_applicant_and_the_checks_as_they_stood(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    office.thing.found = (GREEN, RED)
    case = await office.decide(case)
    office.thing.facts = {"name": "乙公司"}
    await office.decide(case)
    first, second = await ReviewDecision.filter(case_id=case.id).order_by("id")
    assert (first.snapshot["name"], second.snapshot["name"]) == ("甲公司", "乙公司")
    assert [check["met"] for check in first.checks] == [True, False]
    assert second.decided_at == datetime(2026, 5, 18, 2, tzinfo=UTC)


async def test_the_team_hears_of_every_arrival_and_the_applicant_of_every_result(
    office: ReviewOffice,
) -> None:
    case = await office.open(programme(LISHUI), S.PROVIDER)
    case = await office.decide(case)
    await office.decide(case, Verdict.REJECTED, reason="不符合条件")
    told = [(one.recipient, one.topic) for one in await OutboxMessage.all().order_by("id")]
    applicant = f"organisation:{case.organisation_id}"
    assert told == [
        (f"role:operator:{LISHUI}", "review.arrived"),
        (applicant, "review.step_passed"),
        (f"role:authority:{LISHUI}", "review.arrived"),
        (applicant, "review.refused"),
    ]
    refused = await OutboxMessage.get(topic="review.refused")
    assert (refused.data["reason"], refused.data["clause"]) == ("不符合条件", "三（二）2")


async def test_of_several_approved_together_each_stands_for_itself(office: ReviewOffice) -> None:
    operator = await office.staff("operator")
    cases = [await office.open(programme(LISHUI), S.ENTERPRISE) for _ in range(3)]
    await office.decide(cases[1])
    outcomes = await review_bulk.approve_many(
        office.reviews, [(one.id, one.version) for one in cases], actor=operator
    )
    assert [(one.case is not None, getattr(one.refusal, "code", "")) for one in outcomes] == [
        (True, ""),
        (False, "case_moved_on"),
        (True, ""),
    ]


async def test_one_meeting_decides_on_several_cases(office: ReviewOffice) -> None:
    cases = [await office.decide(await office.open(programme(YINCHUAN), S.SETTLEMENT)) for _ in range(2)]
    cases = [await office.not_drawn(one) for one in cases]
    authority, met = await office.staff("authority"), Record(held_on=office.today)
    chosen = [(one.id, one.version) for one in cases]
    without = await review_bulk.approve_many(office.reviews, chosen, actor=authority)
    assert {getattr(one.refusal, "code", "") for one in without} == {"review_record_incomplete"}
    together = await review_bulk.approve_many(office.reviews, chosen, record=met, actor=authority)
    assert [one.case is not None and one.case.step_name for one in together] == ["党组会", "党组会"]


# -- kinds of steps ---------------------------------------------------------------------------------


@pytest.mark.rules("GX-42")
async def test_several_experts_give_opinions_with_scores_before_the_panel_concludes(
    office: ReviewOffice,
) -> None:
    case = await office.decide(await office.open(programme(GUANGXI), S.PROVIDER))
    first, second = await office.staff("expert"), await office.staff("expert")
    said = {"version": case.version, "reason": "服务体系完整"}
    for expert, score in ((first, 88), (second, 60)):
        await office.reviews.opine(case.id, record=Record(score=score), actor=expert, **said)  # type: ignore[arg-type]
    with pytest.raises(OpinionGiven):
        await office.reviews.opine(case.id, record=Record(score=90), actor=first, **said)  # type: ignore[arg-type]
    with pytest.raises(ReviewRecordIncomplete):
        await office.decide(case, by=first, record=Record())
    with pytest.raises(ReviewRecordIncomplete):
        await office.decide(case, by=first, record=Record(score=101))
    case = await office.decide(case, by=first, record=Record(score=74))
    assert case.turn is Role.AUTHORITY
    rows = await ReviewDecision.filter(case_id=case.id, kind="expert_review").order_by("id")
    assert [(row.verdict.value, row.score) for row in rows] == [
        ("opinion", 88),
        ("opinion", 60),
        ("approved", 74),
    ]


async def test_a_panel_of_a_least_size_concludes_when_it_is_that_large(office: ReviewOffice) -> None:
    text = programme(GUANGXI)
    chain = text.review(S.PROVIDER)
    assert chain is not None
    steps = tuple(replace(one, panel_min=3) if one.by is Role.EXPERT else one for one in chain.steps)
    wanting = replace(text, reviews=(replace(chain, steps=steps),))
    case = await office.decide(await office.open(wanting, S.PROVIDER))
    first, second, last = [await office.staff("expert") for _ in range(3)]
    said = {"version": case.version, "reason": "服务体系完整", "record": Record(score=80)}
    for expert, voices in ((first, 1), (second, 2)):
        with pytest.raises(PanelTooSmall) as refused:
            await office.decide(case, by=last)
        assert refused.value.values == {"given": voices, "wanted": 3}
        await office.reviews.opine(case.id, actor=expert, **said)  # type: ignore[arg-type]
    # What comes back is another file: who spoke of the earlier one speaks again.
    case = await office.decide(case, Verdict.RETURNED, by=last, fields={"plan": "缺少方案"}, reason="请补正")
    await office.reviews.resume(case, actor=APPLICANT, now=office.now)
    case = await ReviewCase.get(id=case.id)
    said["version"] = case.version
    for expert, voices in ((first, 1), (second, 2)):
        with pytest.raises(PanelTooSmall) as refused:
            await office.decide(case, by=last)
        assert refused.value.values == {"given": voices, "wanted": 3}
        file = await review_files.for_reviewer(office.reviews, case.id, actor=expert)
        assert review_files.Deed.OPINE in file.may
        await office.reviews.opine(case.id, actor=expert, **said)  # type: ignore[arg-type]
    assert (await office.decide(case, by=last)).turn is Role.AUTHORITY


async def test_opinions_are_for_panels(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    with pytest.raises(NotYourReview):
        await office.reviews.opine(
            case.id,
            version=case.version,
            record=Record(score=80),
            reason="好",
            actor=await office.staff("operator"),
        )


async def test_nobody_gives_an_opinion_on_what_is_with_its_applicant_or_over(office: ReviewOffice) -> None:
    case = await office.decide(await office.open(programme(GUANGXI), S.PROVIDER))
    expert = await office.staff("expert")
    said = {"record": Record(score=80), "reason": "服务体系完整"}
    case = await office.decide(
        case, Verdict.RETURNED, by=expert, fields={"plan": "缺少方案"}, reason="请补正"
    )
    with pytest.raises(ReviewNotOpen):
        await office.reviews.opine(case.id, version=case.version, actor=expert, **said)  # type: ignore[arg-type]
    await office.reviews.resume(case, actor=APPLICANT, now=office.now)
    case = await office.decide(await ReviewCase.get(id=case.id), Verdict.REJECTED, by=expert, reason="不符")
    with pytest.raises(ReviewOver):
        await office.reviews.opine(case.id, version=case.version, actor=expert, **said)  # type: ignore[arg-type]


@pytest.mark.rules("YC-27")
async def test_a_committee_is_recorded_with_the_day_it_met(office: ReviewOffice) -> None:
    case = await office.decide(await office.open(programme(YINCHUAN), S.SETTLEMENT))
    case = await office.not_drawn(case)
    assert case.step_name == "局务会"
    for held_on in (None, office.today + DAY):
        with pytest.raises(ReviewRecordIncomplete):
            await office.decide(case, record=Record(held_on=held_on))
    case = await office.decide(case, record=Record(held_on=office.today - DAY))
    assert case.step_name == "党组会"
    kept = await ReviewDecision.get(case_id=case.id, step_name="局务会")
    assert kept.held_on == office.today - DAY


async def test_a_reviewer_asks_for_a_further_step_of_the_chain_and_for_no_other(
    office: ReviewOffice,
) -> None:
    case = await office.open(programme(GUANGZHOU), S.SETTLEMENT)
    for foreign in (ReviewWhen.SERIOUS, ReviewWhen.OBJECTION):
        with pytest.raises(ReviewNotAskable):
            await office.decide(case, ask_for=[foreign])
    asked = await office.decide(case, ask_for=[ReviewWhen.ON_REQUEST])
    assert asked.turn is Role.EXPERT
    unasked = await office.decide(await office.open(programme(GUANGZHOU), S.SETTLEMENT))
    assert unasked.turn is Role.AUTHORITY


# -- deadlines --------------------------------------------------------------------------------------


async def test_a_step_is_due_after_its_working_days_and_only_where_the_text_names_them(
    office: ReviewOffice,
) -> None:
    # Twenty working days from Monday 5 May 2031, counted as if every weekday were worked.
    office.clock.at = datetime(2031, 5, 5, 2, 0, tzinfo=UTC)
    named = await office.open(programme("northport-2031"), S.PROVIDER)
    assert named.due_at == datetime(2031, 6, 2, 16, 0, tzinfo=UTC)
    assert not named.due_provisional
    silent = await office.open(programme(LISHUI), S.PROVIDER)
    assert silent.due_at is None


async def test_a_deadline_in_an_unpublished_year_is_provisional_until_the_year_is_known(
    office: ReviewOffice,
) -> None:
    office.clock.at = datetime(2031, 5, 5, 2, 0, tzinfo=UTC)
    calendar = office.days.calendar
    office.days.calendar = replace(calendar, years=frozenset({2026}))
    case = await office.open(programme("northport-2031"), S.PROVIDER)
    assert case.due_provisional
    assert await office.reviews.recount() == 0

    off = frozenset({date(2031, 5, 6)})
    office.days.calendar = replace(calendar, off=calendar.off | off)
    assert await office.reviews.recount() == 1
    case = await ReviewCase.get(id=case.id)
    assert (case.due_at, case.due_provisional) == (datetime(2031, 6, 3, 16, 0, tzinfo=UTC), False)
    assert await office.reviews.recount() == 0


async def test_nobody_decides_while_the_applicant_corrects(office: ReviewOffice) -> None:
    case = await office.open(programme(LISHUI), S.ENTERPRISE)
    case = await office.decide(case, Verdict.RETURNED)
    with pytest.raises(ReviewNotOpen) as refused:
        await office.decide(case, by=await office.staff("operator"))
    assert texts.sentence(refused.value) == "此件目前已退回申请单位修改，暂不能办理"
