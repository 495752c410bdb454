"""Money that comes back to a ranked round goes down its list, to whoever may have it today."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from tortoise.models import Model

from server.clock import CHINA
from server.keys import ORDER_ENDS, ORDER_OPENING, ORDERS, VOUCHERS, WORKING_DAYS
from server.models.applications import Ranking, RankingEntry, WaitingAward
from server.models.journal import JournalEntry
from server.models.ledger import LedgerEntry
from server.models.orders import Order
from server.models.organisations import Qualification
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget, Round
from server.models.vouchers import Voucher
from server.programme.holidays import WorkingCalendar
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.lifecycles import VoucherStatus
from server.rules.money import Basis
from server.rules.orders import OrderStatus
from server.services.budgets import budgets, ledger
from server.services.orders.order_opening import Sketch
from server.services.orders.order_wishes import Wish
from server.services.vouchers import issuing
from server.services.vouchers.issuing import Grant
from server.units import yuan_to_fen
from tests.batch import DAY, HOUR, MONDAY, PROGRAMME, Applicant, Batch, a_batch
from tests.contracting import person_of
from tests.ordering import admit, make_listed
from tests.town import Town, a_town

rules = pytest.mark.rules
WEDNESDAY = datetime(2020, 6, 24, tzinfo=CHINA)
RECLAIMED = datetime(2020, 7, 24, tzinfo=CHINA)


@pytest.fixture
async def town(database_url: str, redis_url: str) -> AsyncIterator[Town]:
    """The real server with nobody in it yet; the books balance afterwards."""
    async with a_town(database_url, redis_url) as town:
        yield town
        assert await ledger.verify() == []


@pytest.fixture
async def batch(town: Town) -> Batch:
    """An open round of 20,000 yuan on a Monday morning."""
    return await a_batch(town, pool_yuan=20_000)


async def holds(applicant: Applicant) -> list[tuple[str, int]]:
    """Its vouchers: status and face value, yuan."""
    rows = await Voucher.filter(enterprise_id=applicant.organisation.id).order_by("id")
    return [(row.status, row.face_value_fen // 100) for row in rows]


async def hand_back(batch: Batch, applicant: Applicant) -> None:
    """The holder gives its voucher back."""
    voucher = await Voucher.get(enterprise_id=applicant.organisation.id)
    told = await (await applicant.caller()).post(f"vouchers/{voucher.id}/hand-back", reason="用不上")
    assert told.status == 200, told.body


@rules("GZ-30", "GZ-39")
async def test_what_is_handed_back_goes_to_the_first_who_waits(batch: Batch) -> None:
    winner = await batch.asked(20_000)
    second, third = await batch.asked(12_000), await batch.asked(12_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    await hand_back(batch, winner)
    assert await holds(winner) == [("handed_back", 20_000)]
    assert await holds(second) == [("active", 12_000)]
    # Nobody is passed over: the one whom the rest does not cover gets the rest.
    assert await holds(third) == [("active", 8_000)]
    round_ = await Round.get(id=batch.round_id)
    assert (round_.pool_fen, round_.issued_fen) == (yuan_to_fen(40_000), yuan_to_fen(40_000))
    seen = (await second.sees(batch.round_id)).body["result"]
    assert (seen["outcome"], seen["awarded_fen"], seen["later_fen"]) == ("waiting", 0, yuan_to_fen(12_000))
    told = await OutboxMessage.get(
        recipient=f"organisation:{second.organisation.id}", topic="voucher.granted"
    )
    assert told.data["amount_fen"] == yuan_to_fen(12_000)
    # A hand-back burns no quota: the holder may ask again, in full.
    again = await batch.another_round(pool_yuan=20_000)
    await Round.filter(id=again).update(closes_at=batch.town.clock.at + DAY)
    assert (await winner.ask(again, 20_000)).status == 200


@rules("GZ-38")
async def test_what_is_reclaimed_goes_down_the_list_and_still_counts_against_its_holder(
    batch: Batch,
) -> None:
    slow, waiting = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    batch.town.clock.at = RECLAIMED
    await batch.town.app[VOUCHERS].reclaim_due(PROGRAMME)
    assert await holds(slow) == [(VoucherStatus.RECLAIMED, 20_000)]
    assert await holds(waiting) == [("active", 20_000)]
    again = await batch.another_round(pool_yuan=20_000)
    await Round.filter(id=again).update(closes_at=RECLAIMED + DAY)
    told = await slow.ask(again, 0.01)
    assert (told.status, told.code) == (409, "quota_exceeded")
    assert told.body["arithmetic"] == "年度额度 20,000.00 − 已用 20,000.00 = 0.00"


async def _ordered(batch: Batch, applicant: Applicant) -> Order:
    """An order for all of an applicant's voucher, taken on by its provider; its contract is awaited."""
    town, programme = batch.town, batch.town.programmes.get(PROGRAMME)
    seller = await batch.applicant()
    await admit(seller.organisation, programme, Party.PROVIDER, town.clock.at)
    offering = await make_listed(
        programme,
        seller.organisation,
        category="technology_services",
        at=town.clock.at,
        price_from_fen=yuan_to_fen(40_000),
        price_to_fen=yuan_to_fen(40_000),
    )
    sketch = Sketch(offering_id=offering.id)
    order = await town.app[ORDER_OPENING].open(
        PROGRAMME, sketch, Wish(), actor=person_of(applicant.organisation)
    )
    assert order.voucher_fen == yuan_to_fen(20_000)
    return await town.app[ORDERS].take(
        order.id, StepKind.CONFIRM, Wish(), version=order.version, actor=person_of(seller.organisation)
    )


@rules("GZ-30", "GZ-33", "GZ-38")
@pytest.mark.parametrize("first", ["the order lapses", "the job comes by"])
async def test_what_a_lapsed_order_held_goes_down_the_list_like_what_was_never_ordered(
    batch: Batch, first: str
) -> None:
    slow, waiting = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    order = await _ordered(batch, slow)
    batch.town.clock.at = RECLAIMED
    lapse = batch.town.app[ORDER_ENDS].lapse_due
    reclaim = partial(batch.town.app[VOUCHERS].reclaim_due, PROGRAMME)
    for job in (lapse, reclaim) if first == "the order lapses" else (reclaim, lapse):
        await job()
    assert (await Order.get(id=order.id)).status is OrderStatus.LAPSED
    assert await holds(slow) == [(VoucherStatus.RECLAIMED, 20_000)]
    assert await holds(waiting) == [("active", 20_000)]


@rules("GZ-33")
async def test_whoever_gets_a_voucher_later_has_its_own_thirty_days(batch: Batch) -> None:
    winner, waiting = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    batch.town.clock.at = datetime(2020, 7, 10, 9, tzinfo=CHINA)
    await hand_back(batch, winner)
    late = await Voucher.get(enterprise_id=waiting.organisation.id)
    assert late.order_deadline == datetime(2020, 8, 10, tzinfo=CHINA)
    # The round's own day is still that of everybody else.
    assert (await Round.get(id=batch.round_id)).order_deadline == datetime(2020, 7, 24, tzinfo=CHINA)


@rules("GZ-21")
async def test_the_line_moves_on_past_who_may_have_nothing_today(batch: Batch) -> None:
    winner = await batch.asked(20_000)
    revoked, full, last = await batch.asked(5_000), await batch.asked(20_000), await batch.asked(5_000)
    other = await batch.another_round(pool_yuan=16_000)
    assert (await full.ask(other, 16_000)).status == 200
    await batch.rank()
    await batch.run(WEDNESDAY)
    await Qualification.filter(organisation_id=revoked.organisation.id).update(status="revoked")
    await hand_back(batch, winner)
    assert await holds(revoked) == []
    # 16,000 of its quota went in the other round.
    assert sorted(await holds(full)) == [("active", 4_000), ("active", 16_000)]
    assert await holds(last) == [("active", 5_000)]
    round_ = await Round.get(id=batch.round_id)
    # What nobody could have stays in the pool for the next time.
    assert round_.pool_fen - round_.issued_fen == yuan_to_fen(11_000)


async def test_each_who_waits_is_served_once_and_the_published_list_stays_as_it_was(batch: Batch) -> None:
    winner, waiting = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    before = await RankingEntry.all().order_by("position").values()
    await hand_back(batch, winner)
    await hand_back(batch, waiting)
    assert await holds(waiting) == [("handed_back", 20_000)]
    assert await WaitingAward.all().count() == 1
    assert await RankingEntry.all().order_by("position").values() == before


async def test_after_the_end_of_its_vouchers_a_round_serves_nobody(batch: Batch) -> None:
    winner, waiting = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    ends = (await Voucher.get(enterprise_id=winner.organisation.id)).valid_until
    batch.town.clock.at = ends
    await batch.town.app[VOUCHERS].expire_due(PROGRAMME)
    assert await holds(winner) == [(VoucherStatus.EXPIRED, 20_000)]
    assert await holds(waiting) == []


# -- issuing by list is issuing -----------------------------------------------------------------------


def _fields(row: Model, without: set[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._meta.db_fields if name not in without}


async def _left_by(batch: Batch, applicant: Applicant) -> dict[str, Any]:
    """Everything that a voucher's issuing has left in the tables, without what differs by its nature."""
    voucher = await Voucher.get(enterprise_id=applicant.organisation.id)
    entry = await LedgerEntry.get(voucher_id=voucher.id)
    deed = await JournalEntry.get(subject=f"voucher:{voucher.id}")
    message = await OutboxMessage.get(
        recipient=f"organisation:{applicant.organisation.id}", topic="voucher.granted"
    )
    own = {"id", "number", "enterprise_id", "voucher_id", "created_at", "place"}
    assert deed.data["place"] == voucher.place
    return {
        "voucher": _fields(voucher, own),
        "ledger": _fields(entry, own),
        "journal": (deed.action, deed.actor, deed.programme_slug, deed.at, sorted(deed.data)),
        "outbox": (message.topic, sorted(message.data), message.data["amount_fen"]),
    }


async def test_what_the_ranking_issues_is_what_issuing_issues(batch: Batch) -> None:
    listed = await batch.asked(7_000)
    other = await batch.applicant()
    asked_at = batch.town.clock.at
    await batch.rank()
    made = await Ranking.get(round_id=batch.round_id)
    async with budgets.locked((await Budget.get()).id) as budget:
        await issuing.issue(
            budget,
            batch.ranked.programme_of(made),
            [Grant(enterprise_id=other.organisation.id, amount_fen=700_000, asked_at=asked_at)],
            basis=Basis.MONEY,
            actor="clock",
            now=made.ranked_at,
            round_=await Round.get(id=batch.round_id),
        )
    await batch.run(WEDNESDAY)
    assert await _left_by(batch, listed) == await _left_by(batch, other)


# -- a year that nobody has published ------------------------------------------------------------------


async def test_days_of_an_unpublished_year_are_provisional_and_counted_anew_when_it_is_out(
    batch: Batch,
) -> None:
    known: WorkingCalendar = batch.town.app[WORKING_DAYS].calendar
    days = batch.ranked.working_days = SimpleNamespace()
    # As if nobody had published this year: then Thursday the 25th and Friday the 26th are worked.
    days.calendar = WorkingCalendar(
        years=known.years - {2020},
        off=frozenset(day for day in known.off if day.year != 2020),
        worked=frozenset(day for day in known.worked if day.year != 2020),
    )
    winner = await batch.asked(20_000)
    await Round.filter(id=batch.round_id).update(closes_at=MONDAY + 2 * DAY)
    await batch.run(MONDAY + 2 * DAY)
    early = await batch.town.anybody.get(f"rounds/{batch.round_id}/ranking")
    assert "暂定" in early.body["detail"]
    assert (await winner.sees(batch.round_id)).body["provisional"]
    made = await Ranking.get(round_id=batch.round_id)
    assert made.published_at.astimezone(CHINA) == datetime(2020, 6, 25, tzinfo=CHINA)

    assert await batch.ranked.recompute_provisional() == 0
    days.calendar = known
    assert await batch.ranked.recompute_provisional() == 1
    assert await batch.ranked.recompute_provisional() == 0
    made = await Ranking.get(round_id=batch.round_id)
    assert made.published_at.astimezone(CHINA) == datetime(2020, 6, 28, tzinfo=CHINA)
    assert not made.provisional
    voucher = await Voucher.get(enterprise_id=winner.organisation.id)
    assert voucher.order_deadline == datetime(2020, 7, 29, tzinfo=CHINA)
    batch.town.clock.advance(HOUR)
    public = (await batch.town.anybody.get(f"rounds/{batch.round_id}")).body
    assert datetime.fromisoformat(public["order_deadline"]) == voucher.order_deadline


@rules("GZ-33")
async def test_days_that_are_published_later_take_no_time_from_who_was_served_later(batch: Batch) -> None:
    winner, second = await batch.asked(20_000), await batch.asked(20_000)
    await batch.rank()
    await batch.run(WEDNESDAY)
    await hand_back(batch, winner)
    served = await Voucher.get(enterprise_id=second.organisation.id)
    listed = await Voucher.get(enterprise_id=winner.organisation.id)
    assert served.order_deadline is not None
    assert listed.order_deadline is not None
    assert served.order_deadline > listed.order_deadline
    await Ranking.all().update(provisional=True)
    await Voucher.all().update(order_deadline=served.order_deadline + DAY)
    assert await batch.ranked.recompute_provisional() == 1
    assert (await Voucher.get(id=listed.id)).order_deadline == listed.order_deadline
    assert (await Voucher.get(id=served.id)).order_deadline == served.order_deadline + DAY
