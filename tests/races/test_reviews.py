"""Two reviewers at once, on PostgreSQL: one decides, the others are told who did, nothing happens twice."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from tortoise.context import TortoiseContext
from tortoise.expressions import F
from tortoise.transactions import in_transaction

from server.models.journal import JournalEntry
from server.models.reviews import ReviewCase, ReviewDecision
from server.programme.review import ReviewSubject
from server.rules.review import CaseStatus, Verdict
from server.services.organisations import memberships
from server.services.reviews import review_claims
from tests.races.crowd import all_wait, outcome
from tests.reviewing import ReviewOffice, every_programme

RIVALS = 6
LISHUI, GUANGXI = "lishui-2024", "guangxi-2024"


@pytest.fixture
def office(postgres: TortoiseContext) -> ReviewOffice:
    """A review office on PostgreSQL."""
    return ReviewOffice(every_programme())


async def test_control_two_who_look_before_they_decide_both_decide(office: ReviewOffice) -> None:
    """Without the version in the WHERE clause this is what the races below would come to."""
    case = await office.open(office.programmes.get(LISHUI), ReviewSubject.PROVIDER)
    both_looked = asyncio.Barrier(2)

    async def decide() -> None:
        async with in_transaction():
            seen = await ReviewCase.get(id=case.id)
            async with asyncio.timeout(10):
                await both_looked.wait()
            await ReviewCase.filter(id=seen.id).update(version=F("version") + 1)

    await asyncio.gather(decide(), decide())
    assert (await ReviewCase.get(id=case.id)).version == case.version + 2


async def test_of_reviewers_who_decide_together_one_decides(office: ReviewOffice, postgres_url: str) -> None:
    case = await office.open(office.programmes.get(LISHUI), ReviewSubject.PROVIDER)
    rivals = [await office.staff("operator") for _ in range(RIVALS)]
    assert case.organisation_id is not None
    held = asyncio.Event()

    async def decide(number: int) -> str:
        await held.wait()
        verdict = Verdict.REJECTED if number % 2 else Verdict.APPROVED
        return await outcome(office.decide(case, verdict, by=rivals[number], reason="各自审核"))

    # Begun outside of the transaction, or they would share its connection.
    deciding = [asyncio.create_task(decide(number)) for number in range(RIVALS)]
    async with in_transaction():
        # Whoever holds the organisation makes all of them wait here, so that they meet.
        await memberships.lock(case.organisation_id)
        held.set()
        await all_wait(postgres_url, *deciding)
    answers = Counter(await asyncio.gather(*deciding))
    assert answers == {"done": 1, "case_moved_on": RIVALS - 1}
    assert await ReviewDecision.filter(case_id=case.id).count() == 1
    assert await JournalEntry.filter(action__in=["review.approved", "review.rejected"]).count() == 1


async def test_the_end_of_a_chain_happens_once(office: ReviewOffice) -> None:
    case = await office.open(office.programmes.get(LISHUI), ReviewSubject.ENTERPRISE)
    rivals = [await office.staff("operator") for _ in range(RIVALS)]
    answers = await asyncio.gather(*(outcome(office.decide(case, by=rival)) for rival in rivals))
    assert Counter(answers) == {"done": 1, "case_moved_on": RIVALS - 1}
    assert office.thing.told == [("passed", {})]
    assert office.thing.awaited == 1


async def test_a_case_is_taken_on_by_one_of_many(office: ReviewOffice) -> None:
    case = await office.open(office.programmes.get(LISHUI), ReviewSubject.ENTERPRISE)
    rivals = [await office.staff("operator") for _ in range(RIVALS)]
    answers = await asyncio.gather(
        *(outcome(review_claims.claim(office.reviews, case.id, actor=rival)) for rival in rivals)
    )
    assert Counter(answers) == {"done": 1, "review_claimed": RIVALS - 1}


async def test_experts_give_their_opinions_side_by_side_and_each_only_once(office: ReviewOffice) -> None:
    case = await office.open(office.programmes.get(GUANGXI), ReviewSubject.OFFERING)
    experts = [await office.staff("expert") for _ in range(3)]

    async def opine(number: int) -> str:
        return await outcome(
            office.reviews.opine(
                case.id,
                version=case.version,
                record=office.record(case),
                reason="好",
                actor=experts[number % 3],
            )
        )

    answers = Counter(await asyncio.gather(*(opine(number) for number in range(6))))
    assert answers == {"done": 3, "opinion_given": 3}


async def test_an_objection_and_the_end_of_its_notice_at_once_leave_no_case_passed_over_it(
    office: ReviewOffice,
) -> None:
    case = await office.open(office.programmes.get(GUANGXI), ReviewSubject.OFFERING)
    while case.status is CaseStatus.OPEN:
        case = await office.decide(case)
    assert case.notice_until is not None
    objecting = office.object(case)
    later = ReviewOffice(every_programme(), case.notice_until)
    made, ended = await asyncio.gather(outcome(objecting), later.notices.close_due())
    status = (await ReviewCase.get(id=case.id)).status
    assert (made, ended, status) in {
        ("done", 0, CaseStatus.ON_NOTICE),
        ("notice_over", 1, CaseStatus.PASSED),
    }
