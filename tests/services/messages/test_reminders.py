"""Reminders: each deadline at its distances, once, to whom it concerns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server.models.inbox import ReminderSent
from server.models.organisations import Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.model import Programme
from server.programme.registry import Programmes
from server.rules.deadlines import end_of
from server.rules.lifecycles import RoundStatus, VoucherStatus
from server.services.messages import reminders
from server.services.messages.reminders import GROUP
from tests.factories import PROGRAMMES, make_budget, make_qualified

DAY = timedelta(days=1)
MORNING = datetime(2026, 5, 18, 1, 0, tzinfo=UTC)
ENDS = end_of(MORNING.date() + 40 * DAY)
"""The first instant after the last day, which is forty days off."""
_numbers = count(1)


@pytest.fixture
def programmes() -> Programmes:
    return Programmes.load(PROGRAMMES)


async def voucher(
    programme: Programme, enterprise: Organisation, *, budget: Budget | None = None, **others: Any
) -> Voucher:
    """A voucher that lapses after ENDS, but for what ``others`` say."""
    budget = budget or await Budget.get_or_none(programme_slug=programme.slug)
    budget = budget or await make_budget(programme, at=MORNING)
    facts: dict[str, Any] = {
        "number": f"T-{next(_numbers)}",
        "budget_id": budget.id,
        "enterprise_id": enterprise.id,
        "face_value_fen": 100_00,
        "programme_slug": programme.slug,
        "programme_version": programme.version,
        "granted_at": MORNING,
        "reserved_at": MORNING,
        "valid_until": ENDS,
        **others,
    }
    return await Voucher.create(**facts)


async def mornings(programme: Programme, days: int) -> dict[int, list[str]]:
    """What was told on each of so many mornings that something was told on, by days since the first."""
    told: dict[int, list[str]] = {}
    for day in range(days):
        now = MORNING + day * DAY
        sent = await reminders.send_due(programme, now=now)
        rows = await OutboxMessage.filter(created_at=now).order_by("id")
        assert len(rows) == sent
        if rows:
            told[day] = [f"{row.topic} to {row.recipient}, {row.data.get('days')}" for row in rows]
    return told


async def test_a_voucher_is_reminded_of_at_every_distance_and_never_again(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("lishui-2024")
    enterprise = await make_qualified(programme, at=MORNING)
    await voucher(programme, enterprise)
    to = f"reminder.voucher_expiry to organisation:{enterprise.id}"
    # Thirty days are what this programme's own file asks for.
    assert await mornings(programme, 45) == {
        10: [f"{to}, 30"],
        33: [f"{to}, 7"],
        37: [f"{to}, 3"],
        39: [f"{to}, 1"],
    }
    assert await reminders.send_due(programme, now=MORNING + 39 * DAY) == 0


async def test_after_an_outage_only_the_nearest_reminder_is_sent(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("lishui-2024")
    await voucher(programme, await make_qualified(programme, at=MORNING))
    assert await reminders.send_due(programme, now=MORNING + 38 * DAY) == 1
    assert (await OutboxMessage.get()).data["days"] == 2
    assert [row.days_before for row in await ReminderSent.all()] == [3]


async def test_a_deadline_that_moves_is_reminded_of_anew(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("lishui-2024")
    row = await voucher(programme, await make_qualified(programme, at=MORNING))
    last_morning = MORNING + 39 * DAY
    assert await reminders.send_due(programme, now=last_morning) == 1
    await Voucher.filter(id=row.id).update(valid_until=ENDS + DAY)
    assert await reminders.send_due(programme, now=last_morning + DAY) == 1


async def test_both_sides_are_reminded_of_the_order_and_of_the_end(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("guangzhou-2020")
    enterprise = await make_qualified(programme, at=MORNING)
    provider = await make_qualified(programme, at=MORNING)
    await voucher(
        programme, enterprise, provider_id=provider.id, order_deadline=end_of(MORNING.date() + 10 * DAY)
    )
    sides = [f"organisation:{enterprise.id}", f"organisation:{provider.id}"]
    told = await mornings(programme, 45)
    assert told == {
        3: [f"reminder.order_deadline to {side}, 7" for side in sides],
        7: [f"reminder.order_deadline to {side}, 3" for side in sides],
        9: [f"reminder.order_deadline to {side}, 1" for side in sides],
        33: [f"reminder.voucher_expiry to {side}, 7" for side in sides],
        37: [f"reminder.voucher_expiry to {side}, 3" for side in sides],
        39: [f"reminder.voucher_expiry to {side}, 1" for side in sides],
    }


@pytest.mark.parametrize(
    "others",
    [
        {"status": VoucherStatus.HANDED_BACK},
        {"status": VoucherStatus.EXPIRED},
        {"valid_until": MORNING + 33 * DAY},
        {"valid_until": ENDS + DAY},
    ],
    ids=["handed back", "expired", "over", "not yet"],
)
async def test_nobody_is_reminded_of_what_is_over_or_not_yet_due(
    database: TortoiseContext, programmes: Programmes, others: dict[str, Any]
) -> None:
    programme = programmes.get("guangzhou-2020")
    enterprise = await make_qualified(programme, at=MORNING)
    await voucher(programme, enterprise, **others)
    assert await reminders.send_due(programme, now=MORNING + 33 * DAY) == 0
    await voucher(programme, enterprise)
    assert await reminders.send_due(programme, now=MORNING + 33 * DAY) == 1


async def test_a_programme_reminds_of_its_own_vouchers_alone(
    database: TortoiseContext, programmes: Programmes
) -> None:
    ours, theirs = programmes.get("lishui-2024"), programmes.get("guangzhou-2020")
    await voucher(theirs, await make_qualified(theirs, at=MORNING))
    assert await reminders.send_due(ours, now=MORNING + 39 * DAY) == 0
    assert await reminders.send_due(theirs, now=MORNING + 39 * DAY) == 1


async def test_a_voucher_that_was_taken_back_for_its_order_is_not_reminded_of_the_order(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("guangzhou-2020")
    deadline = MORNING + 2 * DAY
    row = await voucher(programme, await make_qualified(programme, at=MORNING), order_deadline=deadline)
    await Voucher.filter(id=row.id).update(reclaimed_at=MORNING)
    assert await reminders.send_due(programme, now=MORNING) == 0
    await Voucher.filter(id=row.id).update(reclaimed_at=None)
    assert await reminders.send_due(programme, now=MORNING) == 1


async def test_a_qualification_is_reminded_of_before_it_must_be_renewed(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("lishui-2024")
    organisation = await make_qualified(programme, at=MORNING)
    assert await mornings(programme, 1) == {}
    await Qualification.all().update(valid_until=ENDS)
    told = await mornings(programme, 45)
    assert list(told) == [10, 33, 37, 39]
    assert told[39] == [f"reminder.qualification_expiry to organisation:{organisation.id}, 1"]


async def announced(programme: Programme) -> Round:
    budget = await make_budget(programme, at=MORNING)
    return await Round.create(
        budget_id=budget.id,
        title="第一批",
        status=RoundStatus.SCHEDULED,
        opens_at=MORNING + 20 * DAY,
        closes_at=MORNING + 21 * DAY,
        pool_fen=0,
        valid_until=ENDS,
        created_at=MORNING,
        created_by=1,
    )


async def test_everybody_qualified_hears_once_of_a_round_that_is_announced(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("guangzhou-2020")
    early = await make_qualified(programme, at=MORNING)
    row = await announced(programme)
    assert await reminders.send_due(programme, now=MORNING) == 1
    late = await make_qualified(programme, at=MORNING)
    assert await reminders.send_due(programme, now=MORNING + DAY) == 1
    assert await reminders.send_due(programme, now=MORNING + 2 * DAY) == 0
    told = await OutboxMessage.all().order_by("id")
    assert [one.recipient for one in told] == [f"organisation:{one.id}" for one in (early, late)]
    assert {(one.topic, one.data["round"]) for one in told} == {("reminder.round_opens", row.id)}


async def test_a_programme_that_asks_for_no_announcement_makes_none(
    database: TortoiseContext, programmes: Programmes
) -> None:
    programme = programmes.get("lishui-2024")
    await make_qualified(programme, at=MORNING)
    await announced(programme)
    assert await reminders.send_due(programme, now=MORNING) == 0


async def test_many_are_reminded_in_groups(database: TortoiseContext, programmes: Programmes) -> None:
    programme = programmes.get("lishui-2024")
    enterprise = await make_qualified(programme, at=MORNING)
    budget = await make_budget(programme, at=MORNING)
    rows: Sequence[Voucher] = [
        Voucher(
            number=f"M-{number}",
            budget_id=budget.id,
            enterprise_id=enterprise.id,
            face_value_fen=1,
            programme_slug=programme.slug,
            programme_version=programme.version,
            granted_at=MORNING,
            reserved_at=MORNING,
            valid_until=ENDS,
        )
        for number in range(2 * GROUP + 1)
    ]
    await Voucher.bulk_create(rows)
    now = MORNING + 39 * DAY
    assert await reminders.send_due(programme, now=now) == 2 * GROUP + 1
    assert await reminders.send_due(programme, now=now) == 0
