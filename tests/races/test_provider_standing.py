"""A provider's standing, many at once on PostgreSQL: held once, removed once, graded once at a time.

The control shows that verbs under way together really meet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.app import SIZE_CLASSES
from server.models.organisations import BlocklistEntry, Qualification
from server.models.people import Staff
from server.models.provider_standing import ProviderGrade, Removal, Suspension
from server.programme.review import ReviewSubject
from server.programme.size_classes import load_size_standard
from server.programme.vocabulary import Party
from server.rules.lifecycles import ProviderAct, QualificationStatus
from server.sealing import Sealer
from server.services.access import Actor
from server.services.admissions.admissions import Admissions
from server.services.admissions.qualifications import Qualifications
from server.services.organisations.memberships import lock
from server.services.providers.provider_grades import ProviderGrades
from server.services.providers.provider_standing import provider_missing
from server.services.providers.suspensions import Suspensions
from server.services.reviews.reviews import Reviews
from server.services.sanctions.blocklist import Blocklist
from server.services.sanctions.removals import Removals
from server.services.working_days import WorkingDays
from tests.factories import Office, an_office, make_enterprise
from tests.races.crowd import all_wait, together
from tests.rules.cast import GUANGZHOU, LISHUI, NINGXIA

RIVALS = 5
BREACH = {"ground": "breach", "reason": "发现违反使用规定"}


@dataclass
class Bureau:
    """The verbs on standings, and members of staff to use them."""

    office: Office
    suspensions: Suspensions
    removals: Removals
    grades: ProviderGrades

    async def staff(self, role: str) -> Actor:
        row = await Staff.create(
            username=f"{role}{await Staff.all().count()}",
            password_hash="",
            display_name=role,
            roles=[role],
            created_at=self.office.now,
        )
        return Actor("staff", row.id, "", None, frozenset({role}))

    async def provider(self, slug: str) -> Qualification:
        return await Qualification.create(
            organisation=await make_enterprise(),
            party=Party.PROVIDER,
            programme_slug=slug,
            programme_version=self.office.programmes.get(slug).version,
            status=QualificationStatus.APPROVED,
            applied_at=self.office.now,
            snapshot={},
        )


@pytest.fixture
async def bureau(postgres: TortoiseContext, postgres_url: str, redis_url: str) -> AsyncIterator[Bureau]:
    async with an_office(postgres_url, redis_url) as office:
        reviews = Reviews(office.programmes, office.clocks, WorkingDays(Path("config/holidays")))
        standings = Qualifications(
            office.programmes, load_size_standard(SIZE_CLASSES), office.clocks, office.rounds, reviews
        )
        blocklist = Blocklist(office.programmes, office.clocks, office.rounds)
        removals, grades = Removals(standings, blocklist, reviews), ProviderGrades(standings, reviews)
        sealer = Sealer({"2026a": "a data secret of this test, long enough"})
        # Let go, it is judged by what it is now: here it meets nothing, and goes back to review.
        reviews.serve(ReviewSubject.PROVIDER, Admissions(standings, sealer))
        reviews.serve(ReviewSubject.REMOVAL, removals)
        reviews.serve(ReviewSubject.PROVIDER_GRADE, grades)
        yield Bureau(office, Suspensions(standings), removals, grades)


async def test_control_two_who_look_without_a_guard_both_find_a_provider_approved(bureau: Bureau) -> None:
    row = await bureau.provider(GUANGZHOU)
    both_looked, found = asyncio.Barrier(2), []

    async def look() -> None:
        async with in_transaction():
            found.append((await Qualification.get(id=row.id)).status)
            async with asyncio.timeout(10):
                await both_looked.wait()

    await asyncio.gather(look(), look())
    assert found == ["approved", "approved"]


async def test_many_who_hold_a_provider_at_once_hold_it_once(bureau: Bureau) -> None:
    row = await bureau.provider(GUANGZHOU)
    rivals = [await bureau.staff("operator") for _ in range(RIVALS)]
    outcomes = await together(
        *(bureau.suspensions.suspend(row.id, **BREACH, until=None, actor=one) for one in rivals)
    )
    assert outcomes == {"done": 1, "illegal_move": RIVALS - 1}
    assert await Suspension.all().count() == 1
    lifted = await together(*(bureau.suspensions.lift(row.id, reason="已整改", actor=one) for one in rivals))
    assert lifted == {"done": 1, "suspension_over": RIVALS - 1}


async def test_many_who_would_remove_a_provider_at_once_propose_it_once(bureau: Bureau) -> None:
    row = await bureau.provider(LISHUI)
    rivals = [await bureau.staff("operator") for _ in range(RIVALS)]
    charge = {"ground": "refuses_supervision", "reason": "不配合监督和检查", "serious": False}
    outcomes = await together(*(bureau.removals.propose(row.id, **charge, actor=one) for one in rivals))
    assert outcomes == {"done": 1, "removal_under_way": RIVALS - 1}
    assert (await Removal.all().count(), await BlocklistEntry.all().count()) == (1, 0)


async def test_many_who_grade_a_provider_at_once_propose_one_grade(bureau: Bureau) -> None:
    row = await bureau.provider(NINGXIA)
    rivals = [await bureau.staff("operator") for _ in range(RIVALS)]
    said = {"year": 2026, "grade": "优秀", "place": 1, "reason": "满意度高"}
    outcomes = await together(*(bureau.grades.propose(row.id, **said, actor=one) for one in rivals))
    assert outcomes == {"done": 1, "grade_under_way": RIVALS - 1}
    assert await ProviderGrade.all().count() == 1


async def test_under_its_lock_a_provider_is_held_before_or_after_it_takes_an_order_never_between(
    bureau: Bureau, postgres_url: str
) -> None:
    row = await bureau.provider(GUANGZHOU)
    operator = await bureau.staff("operator")
    programme = bureau.office.programmes.get(GUANGZHOU)
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def take_an_order() -> QualificationStatus:
        async with in_transaction():
            held = await lock(row.organisation_id)
            act = ProviderAct.TAKE_ORDERS
            assert not await provider_missing(programme, held, act, now=bureau.office.now)
            asked.set()
            async with asyncio.timeout(10):
                await go_on.wait()
            # What it was told a moment ago still holds when it writes.
            return (await Qualification.get(id=row.id)).status

    taking = asyncio.create_task(take_an_order())
    async with asyncio.timeout(10):
        await asked.wait()
    holding = asyncio.create_task(bureau.suspensions.suspend(row.id, **BREACH, until=None, actor=operator))
    await all_wait(postgres_url, holding)
    go_on.set()
    assert await taking == "approved"
    await holding
    assert (await Qualification.get(id=row.id)).status == "suspended"
