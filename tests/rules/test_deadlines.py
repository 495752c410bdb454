"""Deadlines of the five programmes: years, validities, windows and days counted from an event."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from server.programme.model import Programme
from server.programme.policy import YearRule
from server.programme.steps import Deadline, Event, StepKind
from server.rules.deadlines import (
    day_of,
    due_by,
    end_of,
    in_service_window,
    natural_days_after,
    told_until,
    voucher_valid_until,
    year_bounds,
)
from tests.rules.cast import (
    GUANGXI,
    GUANGZHOU,
    LISHUI,
    NINGXIA,
    YINCHUAN,
    programme,
    working_calendar,
)

rules = pytest.mark.rules


def step_deadline(slug: str, kind: StepKind) -> Deadline:
    deadline = next(step.deadline for step in programme(slug).order_steps if step.kind is kind)
    assert deadline is not None
    return deadline


def due(slug: str, deadline: Deadline, **happened: date) -> date | None:
    days = {Event(name): day for name, day in happened.items()}
    found = due_by(programme(slug), deadline, days, calendar=working_calendar())
    return None if found is None else found.last_day


@rules("GZ-33")
@pytest.mark.parametrize("kind", [StepKind.PLACE, StepKind.UPLOAD_CONTRACT])
def test_thirty_natural_days_run_for_order_and_contract_alike(kind: StepKind) -> None:
    deadline = step_deadline(GUANGZHOU, kind)
    event = deadline.from_event
    assert event is not None
    assert due(GUANGZHOU, deadline, **{event.value: date(2020, 6, 28)}) == date(2020, 7, 28)
    assert due(GUANGZHOU, deadline) is None, "nothing has started it yet"
    found = due_by(programme(GUANGZHOU), deadline, {event: date(2020, 6, 28)}, calendar=working_calendar())
    assert found is not None
    assert not found.is_over(datetime(2020, 7, 28, 15, 59, 59, tzinfo=UTC))
    assert found.is_over(datetime(2020, 7, 28, 16, tzinfo=UTC))


@rules("GZ-33", "GZ-38")
@pytest.mark.parametrize("kind", [StepKind.PLACE, StepKind.UPLOAD_CONTRACT, StepKind.PAY_VOUCHER])
def test_a_missed_guangzhou_deadline_takes_the_voucher_back(kind: StepKind) -> None:
    step = next(step for step in programme(GUANGZHOU).order_steps if step.kind is kind)
    assert step.on_lapse == "reclaim"


@pytest.mark.parametrize(
    ("slug", "party"),
    [
        pytest.param(LISHUI, "provider", marks=rules("LS-41")),
        pytest.param(LISHUI, "enterprise", marks=rules("LS-63")),
    ],
)
def test_a_major_change_is_reported_within_fifteen_days(slug: str, party: str) -> None:
    report = getattr(programme(slug), party).change_report
    assert natural_days_after(date(2026, 5, 18), report.natural_days).last_day == date(2026, 6, 2)
    assert report.late_may_suspend
    assert report.late_may_void is (party == "enterprise")


@rules("LS-07")
@pytest.mark.parametrize(
    ("issued_on", "round_until", "last_day"),
    [
        (date(2025, 6, 1), date(2025, 9, 30), date(2025, 9, 30)),
        (date(2025, 6, 1), date(2026, 3, 31), date(2025, 12, 31)),
        (date(2026, 6, 1), date(2027, 3, 31), date(2026, 12, 31)),
        (date(2025, 12, 31), None, date(2025, 12, 31)),
    ],
)
def test_a_lishui_voucher_lives_as_long_as_its_round_says_and_never_into_the_next_year(
    issued_on: date, round_until: date | None, last_day: date
) -> None:
    instant = None if round_until is None else end_of(round_until)
    assert voucher_valid_until(programme(LISHUI), issued_on, instant) == end_of(last_day)


@rules("LS-68", "NX-33")
@pytest.mark.parametrize("slug", [LISHUI, NINGXIA])
def test_the_validity_printed_on_the_voucher_counts_to_the_instant(slug: str) -> None:
    noon = datetime(2026, 7, 1, 4, tzinfo=UTC)
    assert voucher_valid_until(programme(slug), date(2026, 6, 1), noon) == noon


@rules("GX-59")
def test_a_guangxi_quota_lapses_with_its_year_whatever_a_round_says() -> None:
    guangxi = programme(GUANGXI)
    assert voucher_valid_until(guangxi, date(2026, 5, 18), None) == end_of(date(2026, 12, 31))
    assert voucher_valid_until(guangxi, date(2026, 5, 18), end_of(date(2026, 6, 1))) == end_of(
        date(2026, 12, 31)
    )
    # In its last year it ends with the regulation.
    assert voucher_valid_until(guangxi, date(2027, 5, 18), None) == end_of(date(2027, 9, 4))


@rules("GZ-35")
def test_no_guangzhou_voucher_outlives_the_service_window() -> None:
    late = end_of(date(2020, 12, 15))
    assert voucher_valid_until(programme(GUANGZHOU), date(2020, 6, 22), late) == end_of(date(2020, 11, 30))


@rules("GZ-35")
@pytest.mark.parametrize(
    ("day", "inside"),
    [
        (date(2019, 11, 30), False),
        (date(2019, 12, 1), True),
        (date(2020, 11, 30), True),
        (date(2020, 12, 1), False),
    ],
)
def test_the_guangzhou_service_window_holds_both_its_ends(day: date, inside: bool) -> None:
    assert in_service_window(programme(GUANGZHOU), day) is inside
    assert in_service_window(programme(LISHUI), day)


@rules("YC-26")
def test_a_yinchuan_file_is_handed_in_by_the_end_of_the_vouchers_year() -> None:
    found = due_by(
        programme(YINCHUAN),
        step_deadline(YINCHUAN, StepKind.SETTLE),
        {},
        calendar=working_calendar(),
        voucher_issued_on=date(2026, 5, 18),
    )
    assert found is not None
    assert found.last_day == date(2026, 12, 31)


@rules("LS-66")
def test_a_lishui_contract_is_due_in_the_year_of_its_voucher() -> None:
    deadline = step_deadline(LISHUI, StepKind.SIGN_CONTRACT)
    found = due_by(
        programme(LISHUI), deadline, {}, calendar=working_calendar(), voucher_issued_on=date(2025, 12, 30)
    )
    assert found is not None
    assert found.last_day == date(2025, 12, 31)
    assert due(LISHUI, deadline) is None


def test_a_deadline_by_validity_ends_at_the_vouchers_own_instant() -> None:
    deadline = step_deadline(LISHUI, StepKind.PLACE)
    expiry = end_of(date(2026, 6, 30))
    found = due_by(programme(LISHUI), deadline, {}, calendar=working_calendar(), voucher_expires_at=expiry)
    assert found is not None
    assert (found.ends_at, found.last_day) == (expiry, date(2026, 6, 30))
    assert due(LISHUI, deadline) is None


def test_a_deadline_by_service_window_ends_with_the_window() -> None:
    deadline = step_deadline(GUANGZHOU, StepKind.DELIVER)
    assert due(GUANGZHOU, deadline) == date(2020, 11, 30)
    assert due_by(programme(LISHUI), deadline, {}, calendar=working_calendar()) is None


def test_working_days_are_counted_from_an_earlier_step() -> None:
    deadline = Deadline(working_days=3, from_step=StepKind.DELIVER)
    happened: dict[Event | StepKind, date] = {StepKind.DELIVER: date(2026, 4, 30)}
    found = due_by(programme(LISHUI), deadline, happened, calendar=working_calendar())
    assert found is not None
    assert found.last_day == date(2026, 5, 8)


def with_year(year: YearRule, starts: str = "01-01") -> Programme:
    lishui = programme(LISHUI)
    return replace(lishui, validity=replace(lishui.validity, year=year, year_starts=starts))


@pytest.mark.parametrize(
    ("year", "on", "first", "last"),
    [
        ((YearRule.CALENDAR,), date(2025, 5, 18), date(2025, 1, 1), date(2025, 12, 31)),
        ((YearRule.PROGRAMME, "07-01"), date(2025, 6, 30), date(2024, 7, 1), date(2025, 6, 30)),
        ((YearRule.PROGRAMME, "07-01"), date(2025, 7, 1), date(2025, 7, 1), date(2026, 6, 30)),
        ((YearRule.PROGRAMME, "03-01"), date(2025, 3, 1), date(2025, 3, 1), date(2026, 2, 28)),
        ((YearRule.WHOLE,), date(2025, 5, 18), date(2024, 8, 9), date(2026, 12, 31)),
    ],
)
def test_a_programme_year_has_its_first_and_last_day(
    year: tuple[Any, ...], on: date, first: date, last: date
) -> None:
    regulation = with_year(*year)
    assert year_bounds(regulation, on) == (first, last)
    assert regulation.year_of(first) == regulation.year_of(last) == regulation.year_of(on)


def test_a_day_belongs_to_the_year_it_is_in_china() -> None:
    midnight = datetime(2025, 12, 31, 16, tzinfo=UTC)
    assert programme(LISHUI).year_of(midnight) == 2026 == day_of(midnight).year
    assert programme(LISHUI).year_of(midnight - timedelta(microseconds=1)) == 2025


def test_the_end_of_a_day_is_told_as_that_day() -> None:
    assert told_until(datetime(2026, 5, 25, 16, tzinfo=UTC)) == "2026年5月25日 24:00"
    assert told_until(datetime(2026, 5, 25, 1, 30, tzinfo=UTC)) == "2026年5月25日 09:30"
