"""Reminders of reviews: who has a turn, who has claimed it, and who has something to correct."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from server.rules.review import CaseStatus
from server.services import outbox, reminders
from tests.reviewing import ReviewOffice, every_programme

DAY = timedelta(days=1)
SLUG = "northport-2031"
MAY = datetime(2031, 5, 5, 2, 0, tzinfo=UTC)


@pytest.fixture
async def case(database: TortoiseContext) -> ReviewCase:
    """A case that is somebody's turn until a day in June."""
    office = ReviewOffice(every_programme(), MAY)
    opened = await office.open(every_programme().get(SLUG), ReviewSubject.PROVIDER)
    await OutboxMessage.all().delete()
    assert opened.due_at is not None
    assert opened.turn is not None
    return opened


async def reminded(case: ReviewCase, days_before: float) -> list[tuple[str, str]]:
    """Whom a reminder goes to so many days before the end, and its topic."""
    assert case.due_at is not None
    await reminders.send_due(every_programme().get(SLUG), now=case.due_at - days_before * DAY)
    return [(row.recipient, row.topic) for row in await OutboxMessage.all().order_by("id")]


async def test_the_team_is_reminded_of_a_case_that_nobody_has_taken(case: ReviewCase) -> None:
    assert await reminded(case, 10) == []
    assert case.turn is not None
    team = (outbox.team(case.turn.value, SLUG), "review.due")
    assert await reminded(case, 2.5) == [team]
    assert await reminded(case, 2.4) == [team]
    assert await reminded(case, 0.5) == [team, team]
    told = await OutboxMessage.all().first()
    assert told is not None
    assert (told.data["review"], told.data["area"]) == (case.id, case.area)


async def test_whoever_has_claimed_a_case_is_reminded_of_it_alone(case: ReviewCase) -> None:
    await ReviewCase.filter(id=case.id).update(claimed_by=17)
    assert await reminded(case, 2.5) == [("staff:17", "review.due")]


async def test_an_applicant_is_reminded_to_correct_what_was_returned(case: ReviewCase) -> None:
    await ReviewCase.filter(id=case.id).update(status=CaseStatus.RETURNED, turn=None, due_provisional=True)
    to = (f"organisation:{case.organisation_id}", "review.correction_due")
    assert await reminded(case, 6.5) == [to]
    told = await OutboxMessage.all().first()
    assert told is not None
    assert (told.data["days"], told.data["provisional"]) == (6, True)


@pytest.mark.parametrize("status", [CaseStatus.PASSED, CaseStatus.REFUSED, CaseStatus.WITHDRAWN])
async def test_nobody_is_reminded_of_a_case_that_is_over(case: ReviewCase, status: CaseStatus) -> None:
    await ReviewCase.filter(id=case.id).update(status=status)
    assert await reminded(case, 2.5) == []
    await ReviewCase.filter(id=case.id).update(status=CaseStatus.OPEN)
    assert len(await reminded(case, 2.5)) == 1
