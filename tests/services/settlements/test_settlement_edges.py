"""Settlements at their edges: the turn of the year, what was never handed in, what others have decided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tortoise.context import TortoiseContext

from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.sanctions import SanctionCase
from server.models.settlements import Settlement
from server.programme.vocabulary import Party
from server.rules.review import Verdict
from server.rules.sanction_cases import SanctionSource, SanctionStatus
from server.rules.settlements import (
    FeeNotTaken,
    ReductionImpossible,
    ReductionNotAllowed,
    SettlementStatus,
    WindowImpossible,
)
from server.services.access import NotAllowed
from server.services.budgets import ledger
from server.services.settlements import settlement_book
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.settlements.settlement_drafts import SettlementOrdersUnknown
from server.services.settlements.settlement_papers import ForOrder, PaperNotAsked
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DAY, DRAWN, GRABBED, ON_CONTRACT
from tests.settling import Counter

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def counter(database: TortoiseContext) -> AsyncIterator[Counter]:
    """The settlement counter. Whatever a test does, the books balance."""
    yield Counter()
    assert await ledger.verify() == []


async def test_what_was_never_handed_in_is_not_handed_in_again(counter: Counter) -> None:
    order = await counter.finished(ON_CONTRACT, 4_000, budget=await counter.budget(ON_CONTRACT))
    await counter.hand_in(await counter.begun(order), await counter.papers(order))
    draft, actor = await Settlement.get(order_id=order.id), await counter.provider_of(order)
    with pytest.raises(SettlementMovedOn) as refusal:
        await counter.settlements.resubmit(draft.id, version=draft.version, actor=actor)
    assert refusal.value.values["what"] == "未提交"
    assert (await Settlement.get(id=draft.id)).version == draft.version


@pytest.mark.rules("GX-60")
async def test_a_window_runs_into_none_of_the_year_before_either(counter: Counter) -> None:
    await counter.budget(ALLOTTED)
    announce, authority = counter.windows.announce, await counter.staff("authority")
    december, january = datetime(2026, 12, 10, tzinfo=UTC), datetime(2027, 1, 10, tzinfo=UTC)
    await announce(ALLOTTED, "年末兑付", december, january, actor=authority)
    with pytest.raises(WindowImpossible):
        await announce(ALLOTTED, "年初兑付", january - DAY, january + DAY, actor=authority)
    await announce(ALLOTTED, "年初兑付", january, january + DAY, actor=authority)


async def test_whoever_asks_for_a_provider_asks_for_those_of_their_areas(counter: Counter) -> None:
    order = await counter.finished(GRABBED, budget=await counter.budget(GRABBED))
    await Organisation.filter(id=order.provider_id).update(area="浙江省/丽水市/莲都区")
    elsewhere = replace(await counter.staff("operator"), areas=frozenset({"浙江省/丽水市/云和县"}))
    with pytest.raises(SettlementOrdersUnknown):
        await counter.drafts.open([order.id], actor=elsewhere)
    here = replace(elsewhere, areas=frozenset({"浙江省/丽水市"}))
    with pytest.raises(NotAllowed):  # Here the text lets the provider ask.
        await counter.drafts.open([order.id], actor=here)


@pytest.mark.rules("YC-26")
async def test_what_was_handed_in_within_its_year_is_approved_in_the_next(counter: Counter) -> None:
    budget = await counter.budget(DRAWN)
    counter.clock.at = datetime(budget.year, 12, 28, 2, tzinfo=UTC)
    order = await counter.finished(DRAWN, 100_000, budget=budget)
    settlement = await counter.submitted(order)
    counter.clock.at = datetime(budget.year + 1, 1, 5, 2, tzinfo=UTC)
    settlement = await counter.through(settlement)
    assert (settlement.status, settlement.year) == (SettlementStatus.PAYABLE, budget.year)


@pytest.mark.rules("NX-26")
async def test_what_was_said_of_the_money_with_a_return_was_said_of_another_file(counter: Counter) -> None:
    order = await counter.finished(ON_CONTRACT, 4_000, budget=await counter.budget(ON_CONTRACT))
    operator = await counter.staff("operator")
    settlement = await counter.decides(
        await counter.submitted(order),
        Verdict.RETURNED,
        fields={"fee_receipt": "金额看不清"},
        extras={"amount_fen": 100},
        actor=operator,
    )
    settlement = await counter.settlements.resubmit(
        settlement.id, version=settlement.version, actor=await counter.provider_of(order)
    )
    settlement = await counter.decides(settlement, actor=operator)
    assert (settlement.amount_fen, settlement.reduced_fen) == (yuan_to_fen(2_000), 0)


async def test_an_amount_that_cannot_be_is_refused_to_whoever_says_it_not_to_the_last(
    counter: Counter,
) -> None:
    settlement = await counter.submitted(
        await counter.finished(GRABBED, budget=await counter.budget(GRABBED))
    )
    for money, refusal in (
        ({"amount_fen": "all"}, ReductionImpossible),
        ({"amount_fen": 100}, ReductionNotAllowed),
        ({"fee_fen": 100}, FeeNotTaken),
    ):
        with pytest.raises(refusal):
            await counter.decides(settlement, reason="按实际完成", extras=money)
    settlement = await counter.through(settlement)
    assert settlement.reduced_fen == 0


async def test_a_return_opens_what_it_names_and_nothing_that_others_have_approved(counter: Counter) -> None:
    order = await counter.finished(DRAWN, 100_000, budget=await counter.budget(DRAWN))
    settlement = await counter.decides(
        await counter.submitted(order), Verdict.RETURNED, fields={"full_invoice": "印章不清"}
    )
    actor = await counter.provider_of(order)
    (declaration, *_) = await counter.papers(order)
    application = await settlement_book.application_for(settlement.application_id, actor=actor)
    with pytest.raises(PaperNotAsked) as refusal:
        await counter.hand_in(application, [declaration])
    assert refusal.value.values["paper"] == declaration.paper.code
    invoice = next(
        one for one in counter.settlements.terms_of(order).settlement.documents if one.code == "full_invoice"
    )
    await counter.hand_in(application, [ForOrder(order.id, await counter.paper(order, invoice, {}))])


@pytest.mark.rules("NX-26")
async def test_a_reviewer_cuts_more_than_a_decision_in_force_and_never_less(counter: Counter) -> None:
    order = await counter.finished(ON_CONTRACT, 4_000, budget=await counter.budget(ON_CONTRACT))
    settlement = await counter.submitted(order)
    await reduced(counter, order, yuan_to_fen(500))
    with pytest.raises(ReductionImpossible) as refusal:
        await counter.decides(settlement, reason="按合同全额", extras={"amount_fen": yuan_to_fen(2_000)})
    assert refusal.value.values["most"] == "1,500.00"
    settlement = await counter.decides(settlement, reason="按合同全额", extras={"amount_fen": None})
    assert (settlement.amount_fen, settlement.reduced_fen) == (yuan_to_fen(1_500), yuan_to_fen(500))
    assert settlement.reduction_reason == "第三项服务未完成"


async def reduced(counter: Counter, order: Order, fen: int) -> None:
    """Somebody has decided that so much less is paid for an order."""
    await SanctionCase.create(
        number="C23456789",
        programme_slug=order.programme_slug,
        programme_version=order.programme_version,
        sanction="poor_performance",
        ground="not_performed",
        clause="第十一条（一）",
        against_id=order.provider_id,
        party=Party.PROVIDER,
        source=SanctionSource.HAND,
        facts="第三项服务未完成",
        measures=["reduce_settlement"],
        orders=[order.id],
        reduced_fen=fen,
        person_name_sealed="",
        proposed_by=1,
        proposed_at=counter.now,
        status=SanctionStatus.DECIDED,
        reason="第三项服务未完成",
    )
