"""The review engine: what another verb puts on record, and lists that are approved together."""

from __future__ import annotations

import pytest
from tortoise.context import TortoiseContext

from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.model import Programme
from server.programme.review import ReviewKind, ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.review import (
    CaseStatus,
    PaidByBatch,
    StepNotAtHand,
    Verdict,
)
from server.services.reviews import review_bulk, review_files
from server.services.reviews.review_bulk import SelectionChanged
from server.services.reviews.review_inbox import Cursor
from server.services.reviews.review_ranges import Queue, Wanted
from server.services.reviews.reviews import CaseMovedOn
from tests.factories import make_enterprise
from tests.reviewing import ReviewOffice, every_programme

S = ReviewSubject
LISHUI, GUANGXI, GUANGZHOU, YINCHUAN = "lishui-2024", "guangxi-2024", "guangzhou-2020", "yinchuan-2024"
NINGXIA = "ningxia-2016"


def programme(slug: str) -> Programme:
    return every_programme().get(slug)


@pytest.fixture
def office(database: TortoiseContext) -> ReviewOffice:
    """A review office on a Monday, with nothing to do yet."""
    return ReviewOffice(every_programme())


# -- what another verb puts on record -----------------------------------------------------------------


@pytest.mark.rules("YC-09")
async def test_a_payment_is_put_on_record_by_the_bank_and_by_nobodys_hand(office: ReviewOffice) -> None:
    case = await office.open(programme(NINGXIA), S.SETTLEMENT)
    case = await office.decide(case)
    assert office.kind(case) is ReviewKind.DISBURSEMENT
    assert office.thing.came_to == ["运营单位审核", "与签约服务机构结算"]
    operator = await office.staff("operator")
    for verdict in (Verdict.APPROVED, Verdict.REJECTED, Verdict.RETURNED):
        with pytest.raises(PaidByBatch):
            await office.decide(case, verdict, by=operator, reason="已付")
    with pytest.raises(StepNotAtHand):
        await office.put_on_record(case, ReviewKind.ARCHIVE, by=operator)
    assert await ReviewDecision.filter(case_id=case.id).count() == 1

    seen = case
    case = await office.put_on_record(case, ReviewKind.DISBURSEMENT, by=operator)

    assert case.status is CaseStatus.PASSED
    last = await ReviewDecision.filter(case_id=case.id).order_by("-id").first()
    assert last is not None
    assert (last.kind, last.reviewer_id, last.role) == (ReviewKind.DISBURSEMENT, None, Role.OPERATOR)
    assert last.reviewer_name
    with pytest.raises(CaseMovedOn):
        await office.put_on_record(seen, ReviewKind.DISBURSEMENT, by=operator)


@pytest.mark.rules("LS-54")
async def test_a_provider_hears_at_once_what_the_pre_check_of_its_claim_came_to(office: ReviewOffice) -> None:
    passed = await office.open(programme(LISHUI), S.SETTLEMENT)
    assert passed.turn is Role.OPERATOR
    await office.decide(passed, reason="材料完整，额度核实无误")
    told = await OutboxMessage.get(topic="review.step_passed")
    assert told.recipient == f"organisation:{passed.organisation_id}"
    assert (told.data["reason"], told.created_at) == ("材料完整，额度核实无误", office.now)
    sent_back = await office.open(programme(LISHUI), S.SETTLEMENT)
    await office.decide(sent_back, Verdict.RETURNED, reason="发票不全", fields={"invoice": "缺一张"})
    told = await OutboxMessage.get(topic="review.returned")
    assert told.recipient == f"organisation:{sent_back.organisation_id}"


# -- a list approved together ---------------------------------------------------------------------------


@pytest.mark.rules("LS-55")
async def test_a_list_is_approved_together_and_what_is_excepted_stays(office: ReviewOffice) -> None:
    cases = [await office.open(programme(LISHUI), S.SETTLEMENT) for _ in range(4)]
    await ReviewCase.filter(id=cases[0].id).update(amount_fen=900_000)
    await ReviewCase.filter(id__in=[one.id for one in cases[1:]]).update(amount_fen=100_000)
    operator = await office.staff("operator")
    small = Wanted(Queue.TEAM, LISHUI, S.SETTLEMENT, step=cases[0].step_name, amount_to_fen=100_000)

    async def seen() -> str:
        page = await review_files.inbox(office.reviews, small, after=Cursor(), limit=100, actor=operator)
        return review_bulk.digest_of(page.rows)

    before = await seen()
    # As many as before, and another one among them; then the same one, at a version that nobody looked at.
    await ReviewCase.filter(id__in=[cases[0].id, cases[1].id]).update(amount_fen=100_000)
    await ReviewCase.filter(id=cases[3].id).update(amount_fen=900_000)
    with pytest.raises(SelectionChanged):
        await review_bulk.approve_found(office.reviews, small, seen=before, actor=operator)
    await ReviewCase.filter(id=cases[0].id).update(amount_fen=900_000)
    await ReviewCase.filter(id=cases[3].id).update(amount_fen=100_000, version=2)
    for digest, excepted in ((before, []), (await seen(), [cases[0].id])):
        with pytest.raises(SelectionChanged):
            await review_bulk.approve_found(
                office.reviews, small, seen=digest, excepted=excepted, actor=operator
            )
    assert await ReviewDecision.all().count() == 0

    looked_at = await seen()
    outcomes = await review_bulk.approve_found(
        office.reviews, small, seen=looked_at, excepted=[cases[2].id], actor=operator
    )

    assert {one.case_id: one.refusal for one in outcomes} == {cases[1].id: None, cases[3].id: None}
    assert [(await ReviewCase.get(id=one.id)).place for one in cases] == [0, 1, 0, 1]
    with pytest.raises(SelectionChanged):
        await review_bulk.approve_found(office.reviews, small, seen=looked_at, actor=operator)


async def test_a_list_is_narrowed_by_step_area_day_amount_and_applicant(office: ReviewOffice) -> None:
    here = await make_enterprise(area="浙江省/丽水市/莲都区")
    below = await make_enterprise(area="浙江省/丽水市/莲都区/紫金街道")
    beside = await make_enterprise(area="浙江省/丽水市/莲都区新区")
    cases = [
        await office.open(programme(LISHUI), S.SETTLEMENT, organisation=one) for one in (here, below, beside)
    ]
    operator = await office.staff("operator")

    async def found(**terms: object) -> list[int]:
        wanted = Wanted(Queue.TEAM, LISHUI, **terms)
        page = await review_files.inbox(office.reviews, wanted, after=Cursor(), limit=10, actor=operator)
        assert page.counts[Queue.TEAM].number == len(page.rows)
        return [row["id"] for row in page.rows]

    first, second, third = (one.id for one in cases)
    assert await found(area="浙江省/丽水市/莲都区") == [first, second]
    assert await found(organisation_id=beside.id) == [third]
    assert await found(step="别的环节") == []
    assert await found(due_before=office.now) == []
    await ReviewCase.filter(id=second).update(amount_fen=500)
    assert await found(amount_from_fen=500, amount_to_fen=500) == [second]
    assert await found(application_id=1) == []
