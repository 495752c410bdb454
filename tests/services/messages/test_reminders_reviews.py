"""Reminders of reviews: who has a turn, who has claimed it, and who has something to correct."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server import texts
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.programme.faults import ProgrammeError
from server.programme.review import ReviewSubject
from server.programme.review_defaults import load_review_defaults
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import day_of
from server.rules.review import CaseStatus
from server.services import outbox
from server.services.messages import reminders
from server.services.messages.escalations import Escalations
from server.services.messages.notices import notice
from server.services.reports.figures import Scope
from server.services.reports.people import overdue
from server.services.reviews import stand_ins
from server.services.working_days import WorkingDays
from tests.reviewing import ReviewOffice, every_programme

DAY = timedelta(days=1)
SLUG, REAL = "northport-2031", "lishui-2024"
DEFAULTS = Path("config/reviews.toml")
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


async def test_whoever_stands_in_is_reminded_of_what_their_colleague_has_claimed(case: ReviewCase) -> None:
    office = ReviewOffice(every_programme(), MAY)
    assert case.turn is not None
    away, here = await office.staff(case.turn.value), await office.staff(case.turn.value)
    today = day_of(MAY)
    await stand_ins.name(
        here.id, case.turn, first_day=today, last_day=today + 9 * DAY, reason="休假", actor=away, now=MAY
    )
    await ReviewCase.filter(id=case.id).update(claimed_by=away.id)
    assert await reminded(case, 2.5) == [(one.name, "review.due") for one in (away, here)]


async def test_who_owes_an_objection_its_answer_is_reminded_before_it_is_late(case: ReviewCase) -> None:
    assert case.turn is not None
    await ReviewCase.filter(id=case.id).update(status=CaseStatus.ON_NOTICE)
    assert await reminded(case, 2.5) == [(outbox.team(case.turn.value, SLUG), "review.due")]
    # A case on notice to which nobody objects is nobody's turn.
    await ReviewCase.filter(id=case.id).update(turn=None)
    assert len(await reminded(case, 0.5)) == 1


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


@pytest.fixture
def escalations() -> Escalations:
    return Escalations(WorkingDays(Path("config/holidays")), load_review_defaults(DEFAULTS))


async def told_above(escalations: Escalations, now: datetime) -> list[str]:
    """Who is told above at an instant, in this turn and all before it."""
    await escalations.tell_due(every_programme().get(REAL), now=now)
    rows = await OutboxMessage.filter(topic="review.overdue").order_by("id")
    return [row.recipient for row in rows]


@pytest.fixture
async def late(database: TortoiseContext) -> ReviewCase:
    """A case of a year whose working days are published, with somebody below the authority."""
    office = ReviewOffice(every_programme())
    opened = await office.open(every_programme().get(REAL), ReviewSubject.PROVIDER)
    due = datetime(2026, 5, 15, 16, 0, tzinfo=UTC)
    await ReviewCase.filter(id=opened.id).update(due_at=due, due_provisional=False, turn=Role.OPERATOR)
    await OutboxMessage.all().delete()
    return await ReviewCase.get(id=opened.id)


async def test_what_nobody_decides_for_days_past_its_time_is_told_above_once(
    late: ReviewCase, escalations: Escalations
) -> None:
    # Its last day is Friday 15 May: three working days later is the end of Wednesday 20 May.
    ends = datetime(2026, 5, 20, 16, 0, tzinfo=UTC)
    authority, oversight = (outbox.team(role, REAL) for role in (Role.AUTHORITY, Role.OVERSIGHT_BODY))
    assert await told_above(escalations, ends - timedelta(seconds=1)) == []
    assert await told_above(escalations, ends) == [authority]
    assert await told_above(escalations, ends + DAY) == [authority]
    message = await OutboxMessage.get(topic="review.overdue")
    said = notice(message.topic, message.data, programme_name=str).sentence
    assert late.title in said and late.step_name in said and texts.ACTORS[Role.OPERATOR] in said
    assert texts.NOTICE_UNKNOWN not in said
    assert (message.data["review"], message.data["area"]) == (late.id, late.area)
    # The authority's own step, late by its own time, goes to the body above it.
    due = ends - 7 * DAY
    await ReviewCase.filter(id=late.id).update(turn=Role.AUTHORITY, due_at=due)
    assert await told_above(escalations, ends + DAY) == [authority, oversight]
    # Above the last there is nobody.
    await ReviewCase.filter(id=late.id).update(turn=Role.OVERSIGHT_BODY, due_at=due - DAY)
    assert await told_above(escalations, ends + DAY) == [authority, oversight]
    scope = Scope(every_programme().get(REAL), day_of(ends), day_of(ends + DAY))
    section = await overdue(scope)
    assert {one.code: one.value for one in section.figures}["reviews_escalated"] == 2


@pytest.mark.parametrize(
    "other",
    [
        {"status": CaseStatus.PASSED},
        {"status": CaseStatus.RETURNED},
        {"turn": None},
        {"due_provisional": True},
        {"due_at": None},
    ],
)
async def test_nothing_is_told_above_of_what_is_over_with_others_or_late_by_a_guess(
    late: ReviewCase, escalations: Escalations, other: dict[str, object]
) -> None:
    await ReviewCase.filter(id=late.id).update(**other)
    assert await told_above(escalations, datetime(2026, 6, 15, 1, 0, tzinfo=UTC)) == []


def test_a_ladder_without_rungs_or_days_is_no_ladder(tmp_path: Path) -> None:
    faulty = tmp_path / "reviews.toml"
    for wrong, right in (("= 3", "= 0"), ('["authority", "oversight_body"]', "[]")):
        faulty.write_text(DEFAULTS.read_text(encoding="utf-8").replace(wrong, right), encoding="utf-8")
        with pytest.raises(ProgrammeError):
            load_review_defaults(faulty)
