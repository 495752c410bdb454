"""A year that nobody has published: deadlines are guessed and said to be, until its file is there."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from tortoise.context import TortoiseContext

from server.jobs.recompute_deadlines import recompute_deadlines
from server.models.reviews import ReviewCase
from server.programme.holidays import HolidayFileError
from server.programme.review import ReviewSubject
from server.rules.deadlines import DueBy, is_final
from server.services.working_days import WorkingDays
from tests.reviewing import ReviewOffice, every_programme

MAY = datetime(2031, 5, 5, 2, 0, tzinfo=UTC)
"""A Monday in a year that no library knows yet."""
PUBLISHED = 'year = 2031\nsource = "通知"\noff = [2031-05-06, 2031-05-07]\nworked = [2031-05-10]\n'


@pytest.fixture
def days(tmp_path: Path) -> WorkingDays:
    """The library's calendar, and an empty directory for files."""
    return WorkingDays(tmp_path)


@pytest.fixture
def office(database: TortoiseContext, days: WorkingDays) -> ReviewOffice:
    office = ReviewOffice(every_programme(), MAY)
    office.days = office.reviews.days = days
    return office


async def recompute(office: ReviewOffice) -> int:
    return await recompute_deadlines(office.days, [office.reviews.recount, office.notices.recount])


async def test_guessed_deadlines_move_when_the_year_is_published_without_a_restart(
    office: ReviewOffice, tmp_path: Path
) -> None:
    case = await office.open(every_programme().get("northport-2031"), ReviewSubject.PROVIDER)
    assert case.due_provisional
    assert case.due_at is not None
    guessed = case.due_at
    assert await recompute(office) == 0
    assert (await ReviewCase.get(id=case.id)).due_provisional

    (tmp_path / "2031.toml").write_text(PUBLISHED, encoding="utf-8")
    assert await recompute(office) == 1
    case = await ReviewCase.get(id=case.id)
    # Two days free and a Saturday worked instead: one working day later.
    assert (case.due_provisional, case.due_at) == (False, datetime(2031, 6, 3, 16, 0, tzinfo=UTC))
    assert case.due_at > guessed
    assert await recompute(office) == 0


async def test_a_faulty_file_is_seen_and_changes_nothing(office: ReviewOffice, tmp_path: Path) -> None:
    case = await office.open(every_programme().get("northport-2031"), ReviewSubject.PROVIDER)
    before = office.days.calendar
    (tmp_path / "2031.toml").write_text(PUBLISHED.replace("2031-05-10", "2031-05-12"), encoding="utf-8")
    with pytest.raises(HolidayFileError):
        await recompute(office)
    assert office.days.calendar == before
    assert (await ReviewCase.get(id=case.id)).due_provisional


async def test_reading_the_files_again_says_whether_anything_changed(
    days: WorkingDays, tmp_path: Path
) -> None:
    assert not await days.reload()
    assert not days.calendar.is_published(date(2031, 5, 6))
    (tmp_path / "2031.toml").write_text(PUBLISHED, encoding="utf-8")
    assert await days.reload()
    assert not await days.reload()
    assert not days.calendar.is_working_day(date(2031, 5, 6))


def test_a_guessed_deadline_is_not_final() -> None:
    assert is_final(DueBy(date(2031, 5, 6), MAY))
    assert not is_final(DueBy(date(2031, 5, 6), MAY, provisional=True))
