"""Public notices: put up by the chain, held by objections, answered by the authority, ended by the clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.organisations import Qualification
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase, ReviewDecision, ReviewObjection
from server.programme.model import Programme
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.lifecycles import QualificationStatus
from server.rules.review import CaseStatus, DecidedBefore, NotYourReview, ReasonMissing, Verdict
from server.services.access import Actor, NotFound
from server.services.public_notices.objection_answers import ObjectionAnswered
from server.services.public_notices.objections import NoticeOver, NotYourObjection, ObjectionPending
from tests.factories import make_enterprise
from tests.reviewing import APPLICANT, DAY, ReviewOffice, every_programme

S = ReviewSubject
GUANGXI, GUANGZHOU, NORTHPORT = "guangxi-2024", "guangzhou-2020", "northport-2031"
INSTANT = timedelta(microseconds=1)


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


@pytest.fixture
def office(database: TortoiseContext) -> ReviewOffice:
    """A review office on a Monday, with nothing to do yet."""
    return ReviewOffice(every_programme())


async def on_notice(office: ReviewOffice, slug: str = GUANGXI, subject: S = S.PROVIDER) -> ReviewCase:
    """A case that everybody before the notice has let pass."""
    case = await office.open(programme(slug), subject)
    while case.status is CaseStatus.OPEN:
        case = await office.decide(case)
    assert case.status is CaseStatus.ON_NOTICE
    return case


@pytest.mark.rules("GX-42")
async def test_a_notice_stands_for_its_working_days_and_ends_by_the_clock(office: ReviewOffice) -> None:
    case = await on_notice(office)
    # Five working days from Monday: the next Monday is the last of them.
    assert case.notice_until == datetime(2026, 5, 25, 16, 0, tzinfo=UTC)
    office.clock.at = case.notice_until - INSTANT
    assert await office.notices.close_due() == 0
    office.clock.at = case.notice_until
    assert await office.notices.close_due() == 1
    assert await office.notices.close_due() == 0
    case = await ReviewCase.get(id=case.id)
    assert case.status is CaseStatus.PASSED
    assert office.thing.told == [("passed", {})]
    last = await ReviewDecision.filter(case_id=case.id).order_by("-id").first()
    assert last is not None
    assert (last.role, last.reviewer_id, last.verdict) == (Role.SYSTEM, None, Verdict.APPROVED)


async def test_a_notice_that_cannot_end_keeps_no_other_from_ending(office: ReviewOffice) -> None:
    stuck, other = await on_notice(office), await on_notice(office, GUANGZHOU, S.SETTLEMENT)
    office.thing.cannot_pass = True
    assert (await office.time_is_over(stuck)).status is CaseStatus.ON_NOTICE
    assert (await ReviewCase.get(id=other.id)).status is CaseStatus.OPEN
    office.thing.cannot_pass = False
    assert await office.notices.close_due() == 1
    assert (await ReviewCase.get(id=stuck.id)).status is CaseStatus.PASSED


async def test_an_objection_holds_a_case_until_the_authority_has_answered(office: ReviewOffice) -> None:
    case = await on_notice(office)
    objection = await office.object(case)
    held = await office.time_is_over(case)
    assert (held.status, held.turn) == (CaseStatus.ON_NOTICE, Role.AUTHORITY)

    authority = await office.staff("authority")
    await office.answers.answer(objection, upheld=False, answer="经核实不属实", actor=authority)

    case = await ReviewCase.get(id=case.id)
    assert case.status is CaseStatus.PASSED
    answered = await ReviewObjection.get(id=objection)
    assert (answered.upheld, answered.answer, answered.answered_by) == (False, "经核实不属实", authority.id)


async def test_a_case_answered_in_time_goes_on_waiting_for_its_day(office: ReviewOffice) -> None:
    case = await on_notice(office)
    first = await office.object(case)
    with pytest.raises(ObjectionPending):
        await office.object(case, reason="再次提出异议")
    neighbour = replace(APPLICANT, id=2)
    second = await office.object(case, reason="材料不实", by=neighbour)
    authority = await office.staff("authority")
    await office.answers.answer(first, upheld=False, answer="不属实", actor=authority)
    assert (await ReviewCase.get(id=case.id)).turn is Role.AUTHORITY
    await office.answers.answer(second, upheld=False, answer="不属实", actor=authority)
    waiting = await ReviewCase.get(id=case.id)
    assert (waiting.status, waiting.turn) == (CaseStatus.ON_NOTICE, None)
    assert (await office.time_is_over(waiting)).status is CaseStatus.PASSED


async def test_an_objection_that_is_upheld_turns_the_case_down(office: ReviewOffice) -> None:
    case = await on_notice(office)
    objection = await office.object(case)
    await office.answers.answer(
        objection, upheld=True, answer="经核实属实", actor=await office.staff("authority")
    )
    assert (await ReviewCase.get(id=case.id)).status is CaseStatus.REFUSED
    assert office.thing.told == [("refused", "经核实属实")]
    assert office.thing.awaited == 1
    with pytest.raises(ObjectionAnswered):
        await office.answers.answer(
            objection, upheld=False, answer="另一答复", actor=await office.staff("authority")
        )


async def test_who_decided_on_the_case_does_not_answer_an_objection_to_it(office: ReviewOffice) -> None:
    case = await office.decide(await office.open(programme(GUANGXI), S.PROVIDER))
    case = await office.decide(case)
    decider = await office.staff("authority")
    case = await office.decide(case, by=decider)
    objection = await office.object(case)
    with pytest.raises(DecidedBefore):
        await office.answers.answer(objection, upheld=False, answer="不属实", actor=decider)
    with pytest.raises(NotYourReview):
        await office.answers.answer(
            objection, upheld=False, answer="不属实", actor=await office.staff("expert")
        )
    stranger = await office.staff("authority", programmes=[GUANGZHOU])
    with pytest.raises(NotFound):
        await office.answers.answer(objection, upheld=False, answer="不属实", actor=stranger)
    assert (await ReviewCase.get(id=case.id)).version == case.version + 1


async def test_an_objection_has_a_reason_and_comes_in_time(office: ReviewOffice) -> None:
    case = await on_notice(office)
    with pytest.raises(ReasonMissing):
        await office.object(case, reason=" ")
    assert case.notice_until is not None
    office.clock.at = case.notice_until
    with pytest.raises(NoticeOver):
        await office.object(case)
    office.clock.at = case.notice_until - INSTANT
    await office.object(case)


@pytest.mark.rules("GZ-42")
async def test_where_the_chain_reconsiders_that_answers_the_objections(office: ReviewOffice) -> None:
    case = await on_notice(office, GUANGZHOU, S.SETTLEMENT)
    objection = await office.object(case)
    case = await office.time_is_over(case)
    assert (case.status, case.step_name) == (CaseStatus.OPEN, "异议复核")
    case = await office.decide(case, reason="经复核，异议不成立")
    assert case.step_name == "兑现结算"
    answered = await ReviewObjection.get(id=objection)
    assert (answered.upheld, answered.answer) == (False, "经复核，异议不成立")


async def test_without_an_objection_nothing_is_reconsidered(office: ReviewOffice) -> None:
    case = await office.time_is_over(await on_notice(office, GUANGZHOU, S.SETTLEMENT))
    assert case.step_name == "兑现结算"


async def test_where_the_text_names_who_objects_nobody_else_does(office: ReviewOffice) -> None:
    office.clock.at = datetime(2031, 5, 5, 2, 0, tzinfo=UTC)
    case = await on_notice(office, NORTHPORT)
    provider = await make_enterprise()
    of_provider = replace(APPLICANT, organisation_id=provider.id)
    for nobody in (None, APPLICANT, of_provider):
        with pytest.raises(NotYourObjection):
            await office.object(case, by=nobody)
    await Qualification.create(
        organisation=provider,
        programme_slug=NORTHPORT,
        programme_version=programme(NORTHPORT).version,
        party="provider",
        status=QualificationStatus.APPROVED,
        applied_at=office.now,
        snapshot={},
    )
    objection = await ReviewObjection.get(id=await office.object(case, by=of_provider))
    # Fifteen working days for the answer.
    assert objection.due_at == datetime(2031, 5, 26, 16, 0, tzinfo=UTC)
    # There an objection holds nothing.
    assert (await office.time_is_over(case)).status is CaseStatus.PASSED


async def test_a_notice_whose_days_are_guessed_takes_the_right_to_object_from_nobody(
    office: ReviewOffice,
) -> None:
    calendar = office.days.calendar
    office.days.calendar = replace(calendar, years=calendar.years - {2026})
    case = await on_notice(office)
    assert case.due_provisional
    assert (await office.time_is_over(case)).status is CaseStatus.ON_NOTICE

    # The year is published: Tuesday was free, so the notice ends a day later.
    office.days.calendar = replace(calendar, off=calendar.off | {office.today - 6 * DAY})
    assert await office.notices.close_due() == 0
    case = await ReviewCase.get(id=case.id)
    assert (case.notice_until, case.due_provisional) == (datetime(2026, 5, 26, 16, 0, tzinfo=UTC), False)
    await office.object(case)


async def test_the_applicant_hears_of_the_notice_and_of_an_objection(office: ReviewOffice) -> None:
    case = await on_notice(office)
    await office.object(case)
    topics = await OutboxMessage.filter(recipient=f"organisation:{case.organisation_id}").values_list(
        "topic", flat=True
    )
    assert topics[-2:] == ["review.put_up", "review.objected"]
    assert await OutboxMessage.exists(recipient=f"role:authority:{GUANGXI}", topic="review.objected")


async def test_the_record_of_a_person_who_objects_stays_with_the_authority(office: ReviewOffice) -> None:
    case = await on_notice(office)
    somebody = Actor("person", 77, "", None, frozenset())
    await office.object(case, by=somebody)
    told = await OutboxMessage.filter(topic="review.objected")
    assert all("77" not in str(one.data) for one in told)
