"""Review ranges: however a list is narrowed, whichever way leads to it, it is what one would pick by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from tortoise.context import TortoiseContext

from server.clock import FixedClock
from server.models.reviews import NO_DEADLINE_MS, ReviewCase
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.eligibility import lies_within
from server.rules.review import CaseStatus
from server.services.clocks import ProgrammeClocks
from server.services.reviews import review_inbox
from server.services.reviews.review_cases import unix_ms
from server.services.reviews.review_inbox import Cursor, Queue, Wanted
from server.services.reviews.review_ranges import SOON, Asking, Place, Statement
from server.services.reviews.reviewers import Cover, Reviewer
from tests.reporting import regulations

NOW = datetime(2026, 5, 18, 4, 0, tzinfo=UTC)
SLUGS = ("lishui-2024", "yinchuan-2024")
AREAS = ("甲省", "甲省/乙市", "甲省/乙市/丙区", "甲省/乙市丁", "戊省")
STEPS = ("初审", "复核")
SUBJECTS = (ReviewSubject.SETTLEMENT, ReviewSubject.OFFERING)
WANTED: Sequence[Wanted] = (
    Wanted(),
    Wanted(step="复核"),
    Wanted(step="没有"),
    Wanted(subject=ReviewSubject.OFFERING),
    Wanted(area="甲省/乙市"),
    Wanted(amount_from_fen=300),
    Wanted(amount_from_fen=200, amount_to_fen=600, area="甲省"),
    Wanted(amount_to_fen=500, step="初审", subject=ReviewSubject.SETTLEMENT),
    Wanted(programme=SLUGS[1], area="戊省", due_before=NOW + timedelta(days=1)),
)


def a_reviewer(*areas: str, covers: tuple[Cover, ...] = ()) -> Reviewer:
    roles = frozenset({Role.OPERATOR, Role.DISTRICT})
    return Reviewer(7, "", roles, frozenset(), areas, frozenset(), covers)


REVIEWERS = (
    a_reviewer(),
    a_reviewer("甲省/乙市", "甲省/乙市/丙区", "戊省"),
    a_reviewer("戊省", covers=(Cover(8, Role.OPERATOR, frozenset({SLUGS[0]}), ("甲省",)),)),
)


async def filled(cases: int = 90) -> list[ReviewCase]:
    """Cases of every kind, by a draw that is always the same."""
    random, rows = Random(6), []
    for number in range(cases):
        late = random.choice((None, -30, -1, 1, 50, 200))
        due = None if late is None else NOW + timedelta(hours=late)
        turn = random.choice((Role.OPERATOR, Role.OPERATOR, Role.DISTRICT, Role.AUTHORITY, None))
        rows.append(
            ReviewCase(
                subject=random.choice(SUBJECTS),
                subject_id=number,
                programme_slug=random.choice(SLUGS),
                programme_version="1",
                area=random.choice(AREAS),
                title="",
                chain={},
                status=CaseStatus.OPEN,
                step_name=random.choice(STEPS),
                turn=turn,
                turn_since=NOW,
                claimed_by=random.choice((None, None, 7, 8)) if turn else None,
                due_at=due,
                rank_ms=NO_DEADLINE_MS if due is None else unix_ms(due),
                amount_fen=random.choice((None, 100, 400, 700)),
                opened_at=NOW,
                opened_by="person:1",
            )
        )
    await ReviewCase.bulk_create(rows)
    return await ReviewCase.all().order_by("rank_ms", "id")


def picked(cases: Sequence[ReviewCase], reviewer: Reviewer, wanted: Wanted, queue: Queue) -> list[int]:
    """The same by hand."""
    now = unix_ms(NOW)
    soon = unix_ms(NOW + SOON)
    urgent: dict[Queue, Callable[[ReviewCase], bool]] = {
        Queue.TEAM: lambda case: case.claimed_by is None,
        Queue.SOON: lambda case: now < case.rank_ms <= soon,
        Queue.LATE: lambda case: case.rank_ms <= now,
    }

    def belongs(case: ReviewCase) -> bool:
        if queue in urgent:
            if case.turn not in reviewer.roles or not urgent[queue](case):
                return False
        elif queue is Queue.MINE and case.claimed_by not in {reviewer.id, *reviewer.principals}:
            return False
        areas = reviewer.areas_in(case.programme_slug, case.turn if queue in urgent else None)
        if areas is None or (areas and not lies_within(case.area, areas)):
            return False
        amount = case.amount_fen
        return (
            wanted.programme in (None, case.programme_slug)
            and wanted.subject in (None, case.subject)
            and wanted.step in ("", case.step_name)
            and (not wanted.area or lies_within(case.area, [wanted.area]))
            and (wanted.due_before is None or case.rank_ms <= unix_ms(wanted.due_before))
            and (wanted.amount_from_fen is None or (amount is not None and amount >= wanted.amount_from_fen))
            and (wanted.amount_to_fen is None or (amount is not None and amount <= wanted.amount_to_fen))
        )

    return [case.id for case in cases if belongs(case)]


@pytest.mark.parametrize("most", [999, 4], ids=["few", "many"])
async def test_a_list_is_what_one_would_pick_by_hand_on_either_way_to_it(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(review_inbox, "MOST_COUNTED", most)
    monkeypatch.setattr(review_inbox, "COUNT_TO", f" LIMIT {most + 1}")
    cases = await filled()
    clocks = ProgrammeClocks(FixedClock(NOW))
    found = 0
    for place, wanted in enumerate(WANTED):
        queue = list(Queue)[place % len(Queue)]
        asked = Wanted(**{**{name: getattr(wanted, name) for name in wanted.__slots__}, "queue": queue})
        for reviewer in REVIEWERS:
            whole = picked(cases, reviewer, asked, queue)
            ids: list[int] = []
            after: Cursor | None = Cursor()
            while after is not None:
                page = await review_inbox.page(
                    reviewer, asked, programmes=regulations(), clocks=clocks, after=after, limit=7
                )
                ids += [row["id"] for row in page.rows]
                after = page.next_after
            assert ids == whole, (asked, reviewer.areas)
            for counted, said in page.counts.items():
                number = len(picked(cases, reviewer, asked, counted))
                assert (said.number, said.more) == (min(number, most), number > most), (asked, counted)
            found += len(whole)
    assert found > 100, "the draw holds something of everything"


def test_of_two_ways_to_a_list_its_words_leave_one_open() -> None:
    asking = Asking(a_reviewer(), Wanted(Queue.TEAM, step="复核", amount_from_fen=1), SLUGS, lambda _: NOW)
    place = Place(SLUGS[0], "甲省")
    assert asking.ways(place) == ["step", "amount", "area"]
    led, looked = Statement("postgres"), Statement("postgres")
    assert "step_name = $2" in asking.probe(place, led)
    conditions = asking.conditions(asking.ranges(Queue.TEAM)[0], Queue.TEAM, looked, few=False)
    assert not [part for part in conditions if part.startswith(("step_name ", "amount_fen ", "area "))]
    searched = Asking(a_reviewer(), Wanted(search="机械", step="复核"), SLUGS, lambda _: NOW)
    assert searched.ways(place) == ()
