"""Year lapses: what was never handed in ends with its year, by two people, on one list, once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from tortoise.context import TortoiseContext

from server.models.disbursements import YearLapse
from server.models.journal import JournalEntry
from server.models.outbox import OutboxMessage
from server.models.settlements import Settlement
from server.rules.disbursements import LapseStatus
from server.rules.settlements import SettlementStatus
from server.services.budgets import ledger
from server.services.disbursements import year_lapses
from server.services.disbursements.disbursement_book import NotYourDisbursement, SameHands
from server.services.disbursements.year_end import YearNotOver
from server.services.disbursements.year_lapses import LapseAsked, LapseNotAsked, NothingLapses, YearListStale
from tests.contracting import DRAWN
from tests.disbursing import WHY, Till

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till. Whatever a test does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


@pytest.mark.rules("YC-26")
async def test_what_was_not_handed_in_ends_with_its_year_by_two_on_the_list_as_it_stands(till: Till) -> None:
    budget = await till.budget(DRAWN, 500_000)
    year, office = budget.year, till.office.lapses
    late, taken_back, handed_in = [await till.finished(DRAWN, budget=budget) for _ in range(3)]
    drafts = [await till.begun(one) for one in (late, taken_back)]
    kept = await till.submitted(handed_in)
    maker, approver = await till.maker(DRAWN), await till.approver(DRAWN)
    with pytest.raises(YearNotOver):
        await office.ask(DRAWN, year, sha256="0" * 64, reason=WHY, actor=maker)
    till.clock.at = datetime(year + 1, 1, 2, tzinfo=UTC)
    await till.office.years.end_due(DRAWN)
    listed = await till.office.years.preview(DRAWN, year, actor=maker)
    ids = [(await Settlement.get(order_id=one.id)).id for one in (late, taken_back)]
    assert [one["settlement"] for one in listed.lapsed] == ids, "what was handed in came in time"

    digest, lines, _ = await year_lapses.seen(DRAWN, year, actor=maker)
    assert [one["settlement"] for one in lines] == ids and all(one["clause"] for one in lines)
    with pytest.raises(YearListStale):
        await office.ask(DRAWN, year, sha256="0" * 64, reason=WHY, actor=maker)
    with pytest.raises(NotYourDisbursement):
        await office.ask(DRAWN, year, sha256=digest, reason=WHY, actor=await till.staff("division"))
    await office.ask(DRAWN, year, sha256=digest, reason=WHY, actor=maker)
    with pytest.raises(LapseAsked):
        await office.ask(DRAWN, year, sha256=digest, reason=WHY, actor=await till.maker(DRAWN))
    with pytest.raises((SameHands, NotYourDisbursement)):
        await office.decide(DRAWN, year, agreed=True, sha256=digest, actor=maker)

    # Its provider takes one back: the list is not what was seen, and somebody asks anew.
    await till.settlements.withdraw_all(
        drafts[1].id, reason="不再申请", version=drafts[1].version, actor=await till.provider_of(taken_back)
    )
    with pytest.raises(YearListStale):
        await office.decide(DRAWN, year, agreed=True, sha256=digest, actor=approver)
    assert (await YearLapse.get()).status is LapseStatus.STALE
    assert (await Settlement.get(id=ids[0])).status is SettlementStatus.DRAFT, "nothing was done"
    digest, lines, _ = await year_lapses.seen(DRAWN, year, actor=maker)
    assert [one["settlement"] for one in lines] == ids[:1]
    await office.ask(DRAWN, year, sha256=digest, reason=WHY, actor=maker)
    lapse = await office.decide(DRAWN, year, agreed=True, sha256=digest, actor=approver)
    assert lapse.status is LapseStatus.DONE
    ended = await Settlement.get(id=ids[0])
    assert (ended.status, ended.reason) == (SettlementStatus.WITHDRAWN, lines[0]["reason"])
    assert await JournalEntry.filter(action="settlement.lapsed").count() == 1
    assert await OutboxMessage.filter(topic="disbursement.lapsed").count() == 1
    assert (await Settlement.get(id=kept.id)).status is SettlementStatus.IN_REVIEW

    # Repeated, it does nothing; after a crash the schedule goes on where it stood.
    assert await office.carry_out(lapse.id) == 0
    await YearLapse.filter(id=lapse.id).update(status=LapseStatus.AGREED)
    assert await office.carry_out_due(DRAWN) == 0
    assert await JournalEntry.filter(action="settlement.lapsed").count() == 1
    with pytest.raises(LapseNotAsked):
        await office.decide(DRAWN, year, agreed=True, sha256=digest, actor=approver)
    digest, _, last = await year_lapses.seen(DRAWN, year, actor=maker)
    assert last is not None and last.status is LapseStatus.DONE
    with pytest.raises(NothingLapses):
        await office.ask(DRAWN, year, sha256=digest, reason=WHY, actor=maker)
