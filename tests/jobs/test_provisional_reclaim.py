"""Nothing is taken from anybody by a deadline that was guessed, however long ago it seems to be over."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from server.keys import VOUCHERS
from server.models.applications import Ranking
from server.models.outbox import OutboxMessage
from server.models.vouchers import Voucher
from server.programme.holidays import WorkingCalendar, load_working_calendar
from server.rules.lifecycles import VoucherStatus
from server.services.messages import reminders
from tests.batch import DAY, PROGRAMME, Batch, a_batch
from tests.town import Town

SECOND = timedelta(seconds=1)
KNOWN = load_working_calendar(Path("config/holidays"))


UNPUBLISHED = WorkingCalendar(
    years=KNOWN.years - {2020},
    off=frozenset(day for day in KNOWN.off if day.year != 2020),
    worked=frozenset(day for day in KNOWN.worked if day.year != 2020),
)
"""As if nobody had published the year: its weekdays count as worked."""


@pytest.fixture
async def batch(town: Town) -> Batch:
    """An open round whose programme ranks."""
    return await a_batch(town)


async def ranked(batch: Batch, calendar: WorkingCalendar) -> Voucher:
    """The voucher of the one who applied, after a ranking by this calendar."""
    publish(batch, calendar)
    winner = await batch.asked(20_000)
    await batch.rank()
    return await Voucher.get(enterprise_id=winner.organisation.id)


def publish(batch: Batch, calendar: WorkingCalendar) -> None:
    """Let rankings be counted by this calendar, whatever the files say."""
    batch.ranked.working_days = SimpleNamespace(calendar=calendar)


async def reclaimed(batch: Batch) -> int:
    """How many vouchers are taken back now."""
    return int(await batch.town.app[VOUCHERS].reclaim_due(PROGRAMME))


async def test_a_voucher_is_not_taken_back_by_a_deadline_that_was_guessed(batch: Batch) -> None:
    voucher = await ranked(batch, UNPUBLISHED)
    assert voucher.order_deadline is not None
    assert (await Ranking.get()).provisional
    batch.town.clock.at = voucher.order_deadline + 30 * DAY
    # The results were told long ago, on a day that was guessed.
    assert await batch.ranked.tell_due() == 1
    assert await batch.ranked.recompute_provisional() == 0

    assert await reclaimed(batch) == 0
    assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.ACTIVE

    publish(batch, KNOWN)
    assert await batch.ranked.recompute_provisional() == 1
    assert not (await Ranking.get()).provisional
    assert await reclaimed(batch) == 1
    assert (await Voucher.get(id=voucher.id)).status is VoucherStatus.RECLAIMED


@pytest.mark.parametrize(("calendar", "guessed"), [(UNPUBLISHED, True), (KNOWN, False)])
async def test_a_reminder_says_whether_its_deadline_was_guessed(
    batch: Batch, calendar: WorkingCalendar, guessed: bool
) -> None:
    voucher = await ranked(batch, calendar)
    assert voucher.order_deadline is not None
    programme = batch.town.programmes.get(PROGRAMME)
    await reminders.send_due(programme, now=voucher.order_deadline - DAY)
    told = await OutboxMessage.get(topic="reminder.order_deadline")
    assert told.data["provisional"] is guessed


async def test_a_deadline_of_a_published_year_takes_effect_at_once(batch: Batch) -> None:
    voucher = await ranked(batch, KNOWN)
    assert voucher.order_deadline is not None
    batch.town.clock.at = voucher.order_deadline - SECOND
    assert await reclaimed(batch) == 0
    batch.town.clock.at = voucher.order_deadline
    assert await reclaimed(batch) == 1
