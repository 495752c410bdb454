"""Disbursements at their edges: two who hear from the bank at once, an empty batch, one that is dropped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.disbursements import Payment, SummaryInvoice
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.rules.disbursements import InvoiceStatus, PaymentSource, TransferStatus
from server.rules.settlements import SettlementStatus
from server.services.access import CLOCK
from server.services.budgets import ledger
from server.services.disbursements import disbursement_book
from server.services.disbursements.payment_batches import NothingPayable
from server.services.settlements import settlement_end
from server.services.settlements.settlement_book import SettlementMovedOn
from tests.contracting import ALLOTTED, GRABBED, ON_CONTRACT, RANKED, person_of
from tests.disbursing import WHY, Till

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till. Whatever a test does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


@pytest.mark.parametrize("first", ["paid", "returned"])
@pytest.mark.parametrize(
    ("slug", "source"), [(RANKED, PaymentSource.BUDGET), (ON_CONTRACT, PaymentSource.ESCROW)]
)
async def test_of_two_who_heard_from_the_bank_at_once_the_first_is_believed(
    till: Till, monkeypatch: pytest.MonkeyPatch, slug: str, source: PaymentSource, first: str
) -> None:
    budget = await till.budget(slug)
    settlement = await till.payable(slug, budget=budget)
    await till.with_account(settlement)
    batch = await till.sent(await till.drafted(slug, budget.year, source))
    if first == "returned":
        batch = await till.paid(batch)
    payment, day, maker = await Payment.get(batch_id=batch.id), till.today(slug), await till.maker(slug)
    slip = await till.scan(maker, slug)
    back = {"reason": "账号已销户", "on": day, "file_id": slip, "actor": maker}
    lock = disbursement_book.lock

    async def overtaken(*given: Any) -> Any:
        """Between what the second has read and its lock, the first is through."""
        monkeypatch.setattr(disbursement_book, "lock", lock)
        if first == "paid":
            seen = {"file_id": await till.scan(maker, slug), "on": day, "actor": maker}
            await till.office.receipts.enter(payment.id, number="HD-2026-0001", **seen)
        else:
            await till.office.receipts.give_back(payment.id, **back)
        return await lock(*given)

    monkeypatch.setattr(disbursement_book, "lock", overtaken)
    with pytest.raises(SettlementMovedOn):
        await till.office.receipts.give_back(payment.id, **back)


async def test_a_batch_of_which_everything_was_taken_out_is_approved_by_nobody(till: Till) -> None:
    budget = await till.budget(RANKED)
    settlement = await till.payable(RANKED, budget=budget)
    await till.with_account(settlement)
    batch = await till.drafted(RANKED, budget.year)
    payment = await Payment.get(batch_id=batch.id)
    batch = await till.office.batches.take_out(
        payment.id, version=batch.version, reason=WHY, actor=await till.maker(RANKED)
    )
    with pytest.raises(NothingPayable):
        await till.approved(batch)
    settlement, _ = await till.settled(settlement)
    assert settlement.status is SettlementStatus.PAYABLE
    assert (await Payment.get(id=payment.id)).status is TransferStatus.DROPPED


@pytest.mark.rules("LS-57")
async def test_the_invoice_for_a_batch_that_is_dropped_counts_for_the_next_one(till: Till) -> None:
    budget = await till.budget(GRABBED)
    settlement = await till.payable(GRABBED, budget=budget)
    provider = await Organisation.get(id=settlement.provider_id)
    await till.account(provider, GRABBED)
    batch, maker = await till.drafted(GRABBED, budget.year), await till.maker(GRABBED)
    shown = {
        "number": "26332000000012345678",
        "amount_fen": settlement.amount_fen,
        "dated": till.today(GRABBED),
        "file_ids": [await till.file(provider, GRABBED)],
        "actor": person_of(provider),
    }
    made = await till.office.invoices.hand_in(batch.id, **shown)
    await till.office.invoices.decide(made.id, accepted=True, actor=maker)
    await till.office.batches.drop(batch.id, version=batch.version, reason=WHY, actor=maker)
    former = await SummaryInvoice.get(id=made.id)
    assert (former.status, former.reason) == (InvoiceStatus.SENT_BACK, WHY)
    batch = await till.drafted(GRABBED, budget.year)
    made = await till.office.invoices.hand_in(batch.id, **shown)
    assert made.number == former.number


@pytest.mark.rules("GX-61", "GX-75")
async def test_what_was_carried_and_is_refused_gives_its_promise_back_to_the_year_that_took_it(
    till: Till,
) -> None:
    budget = await till.budget(ALLOTTED)
    settlement = await till.payable(ALLOTTED, budget=budget)
    till.clock.at = datetime(budget.year + 1, 1, 2, tzinfo=UTC)
    opened = await till.budget(ALLOTTED, 100_000, year=budget.year + 1)
    assert await till.office.years.end_due(ALLOTTED) == await till.office.years.carry_due(ALLOTTED) == 1
    settlement, _ = await till.settled(settlement)
    assert (await Budget.get(id=opened.id)).committed_fen == settlement.amount_fen
    async with in_transaction():
        await settlement_end.refuse(till.settlements, settlement, reason=WHY, actor=CLOCK, now=till.now)
    taken = [(await Budget.get(id=one.id)).committed_fen for one in (budget, opened)]
    assert taken == [0, 0], "nothing is committed for what nobody is paid"
