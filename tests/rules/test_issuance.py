"""Issuing by rank: priority, then arrival; a full round closes early; the result has its day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.programme.steps import Event, StepKind
from server.rules.issuance import (
    Application,
    Window,
    award,
    has_priority,
    is_full,
    keeps_place,
    order_deadline,
    ranked,
    result_due,
    window,
)
from server.rules.lifecycles import RoundStatus
from tests.rules.cast import GUANGXI, GUANGZHOU, LISHUI, NINGXIA, YINCHUAN, programme, working_calendar

rules = pytest.mark.rules
OPENING = datetime(2020, 6, 22, 1, tzinfo=UTC)
PRIORITY = {GUANGZHOU: "sme_monitoring", NINGXIA: "regional_credit_a"}


def application(number: int, seconds: int, *labels: str, amount_fen: int = 100) -> Application:
    return Application(
        id=number,
        labels=frozenset(labels),
        applied_at=OPENING + timedelta(seconds=seconds),
        amount_fen=amount_fen,
    )


@pytest.mark.parametrize(
    ("slug", "label"),
    [
        *(
            pytest.param(GUANGZHOU, label, marks=rules("GZ-12"))
            for label in (
                "srdi_or_little_giant",
                "risen_above_scale_2019",
                "to_rise_above_scale_2020",
                "sme_monitoring",
                "key_below_scale",
            )
        ),
        pytest.param(NINGXIA, "regional_srdi_sme", marks=rules("NX-32")),
        pytest.param(NINGXIA, "regional_credit_a", marks=rules("NX-32")),
    ],
)
def test_each_group_of_the_text_comes_first(slug: str, label: str) -> None:
    assert has_priority(programme(slug), frozenset({label, "another"}))
    assert not has_priority(programme(slug), frozenset({"another"}))
    late, early = application(2, 60, label), application(1, 0)
    assert [one.id for one in ranked(programme(slug), [early, late])] == [2, 1]


@pytest.mark.parametrize(
    "slug",
    [pytest.param(GUANGZHOU, marks=rules("GZ-30")), pytest.param(NINGXIA, marks=rules("NX-31", "NX-32"))],
)
def test_priority_comes_before_arrival_and_arrival_decides_among_equals(slug: str) -> None:
    label = PRIORITY[slug]
    applications = [
        application(1, 0),
        application(2, 5, label),
        application(3, 3, label),
        application(4, 1),
        application(5, 1),
    ]
    assert [one.id for one in ranked(programme(slug), applications)] == [3, 2, 1, 4, 5]


@rules("LS-06")
def test_in_lishui_only_the_arrival_counts() -> None:
    applications = [application(1, 2), application(2, 1, "newly_above_scale"), application(3, 0)]
    assert [one.id for one in ranked(programme(LISHUI), applications)] == [3, 2, 1]


@rules("GZ-30")
def test_a_rounds_money_goes_down_the_list_and_who_gets_nothing_waits() -> None:
    applications = [application(1, 0, amount_fen=60), application(2, 1, PRIORITY[GUANGZHOU], amount_fen=70)]
    applications.append(application(3, 2, amount_fen=10))
    outcome = award(programme(GUANGZHOU), applications, 100)
    assert [(one.application.id, one.amount_fen) for one in outcome.awards] == [(2, 70), (1, 30)]
    assert [one.id for one in outcome.waiting] == [3]


@pytest.mark.parametrize(
    "slug",
    [
        pytest.param(LISHUI, marks=rules("LS-06")),
        pytest.param(NINGXIA, marks=rules("NX-31")),
        pytest.param(YINCHUAN, marks=rules("YC-19")),
    ],
)
def test_late_comers_get_nothing_and_nobody_waits_where_the_text_knows_no_list(slug: str) -> None:
    outcome = award(programme(slug), [application(1, 0), application(2, 1)], 100)
    assert [one.application.id for one in outcome.awards] == [1]
    assert outcome.waiting == ()


@rules("GZ-32")
def test_a_round_closes_when_priority_applications_alone_fill_it() -> None:
    guangzhou, label = programme(GUANGZHOU), PRIORITY[GUANGZHOU]
    first = [application(1, 0, label, amount_fen=99), application(2, 1, amount_fen=1)]
    assert not is_full(guangzhou, first, 100)
    assert is_full(guangzhou, [*first, application(3, 2, label, amount_fen=1)], 100)


def test_a_programme_that_keeps_its_window_open_is_never_full_before_it_closes() -> None:
    assert not is_full(programme(GUANGXI), [application(1, 0, amount_fen=100)], 100)


@rules("GZ-31")
@pytest.mark.parametrize(
    ("closed_on", "published", "visible"),
    [
        (date(2020, 6, 22), date(2020, 6, 23), date(2020, 6, 24)),
        (date(2020, 6, 19), date(2020, 6, 22), date(2020, 6, 23)),
        (date(2020, 6, 24), date(2020, 6, 28), date(2020, 6, 29)),
    ],
)
def test_the_guangzhou_result_is_out_the_next_working_day_and_seen_on_the_second(
    closed_on: date, published: date, visible: date
) -> None:
    out, seen = result_due(programme(GUANGZHOU), closed_on, working_calendar())
    assert out is not None
    assert seen is not None
    assert (out.last_day, seen.last_day) == (published, visible)


def test_where_the_text_names_no_day_a_result_has_none() -> None:
    assert result_due(programme(NINGXIA), date(2026, 5, 18), working_calendar()) == (None, None)


@rules("GZ-28")
@pytest.mark.parametrize(
    ("status", "seconds", "expected"),
    [
        (RoundStatus.SCHEDULED, -1, Window.EARLY),
        (RoundStatus.SCHEDULED, 0, Window.OPEN),
        (RoundStatus.SCHEDULED, 59, Window.OPEN),
        (RoundStatus.SCHEDULED, 60, Window.CLOSED),
        (RoundStatus.PAUSED, 1, Window.PAUSED),
        (RoundStatus.PAUSED, 60, Window.CLOSED),
        (RoundStatus.CLOSED, 1, Window.CLOSED),
    ],
)
def test_a_window_is_open_from_its_opening_until_just_before_its_closing(
    status: RoundStatus, seconds: int, expected: Window
) -> None:
    closing = OPENING + timedelta(seconds=60)
    assert window(status, OPENING, closing, OPENING + timedelta(seconds=seconds)) is expected


@pytest.mark.parametrize(("changed", "kept"), [(99, True), (100, True), (101, False)])
def test_only_who_asks_for_no_more_keeps_its_place(changed: int, kept: bool) -> None:
    assert keeps_place(100, changed) is kept


@rules("GZ-33")
def test_the_time_to_order_runs_from_the_publication_of_the_result() -> None:
    happened: dict[Event | StepKind, date] = {
        Event.ROUND_CLOSED: date(2020, 6, 22),
        Event.RESULTS_PUBLISHED: date(2020, 6, 23),
    }
    due = order_deadline(programme(GUANGZHOU), happened, working_calendar())
    assert due is not None
    assert due.last_day == date(2020, 7, 23)
    assert order_deadline(programme(NINGXIA), happened, working_calendar()) is None


APPLICATIONS = st.lists(st.tuples(st.integers(0, 20), st.booleans(), st.integers(1, 200)), max_size=20).map(
    lambda rows: [
        application(number, second, *([PRIORITY[GUANGZHOU]] if first else []), amount_fen=amount)
        for number, (second, first, amount) in enumerate(rows)
    ]
)


@given(APPLICATIONS, st.integers(0, 2_000), st.randoms(use_true_random=False))
def test_a_round_gives_out_all_it_can_never_more_and_the_order_of_reading_does_not_matter(
    applications: list[Application], pool: int, shuffle: object
) -> None:
    guangzhou = programme(GUANGZHOU)
    outcome = award(guangzhou, applications, pool)
    given_out = sum(one.amount_fen for one in outcome.awards)
    assert given_out == min(pool, sum(one.amount_fen for one in applications))
    assert all(0 < one.amount_fen <= one.application.amount_fen for one in outcome.awards)
    assert len(outcome.awards) + len(outcome.waiting) == len(applications)
    mixed = list(applications)
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert award(guangzhou, mixed, pool) == outcome
