"""Payments, several hands at once on PostgreSQL: one batch, one approval, one word of the bank, one claim."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from tortoise.context import TortoiseContext
from tortoise.transactions import in_transaction

from server.models.disbursements import Payment, PaymentBatch, ReceiptImport
from server.models.journal import JournalEntry
from server.models.sanctions import Recovery, RecoveryReceipt
from server.models.settlements import Settlement
from server.rules.disbursements import BatchStatus, PaymentSource, TransferStatus
from server.rules.money import Account
from server.rules.recoveries import RecoveryStatus
from server.rules.settlements import SettlementStatus
from server.services.budgets import ledger
from server.services.disbursements import offsets
from server.services.organisations import memberships
from tests.claiming import overdue, receipts_of
from tests.contracting import ON_CONTRACT
from tests.disbursing import WHY, Till
from tests.races.crowd import all_wait, outcome

RIVALS = 3
BUDGET = PaymentSource.BUDGET
FROM_EACH = pytest.mark.parametrize("source", list(PaymentSource))


@pytest.fixture
async def till(postgres: TortoiseContext) -> AsyncIterator[Till]:
    """The till on PostgreSQL. Whatever a race does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


async def met(postgres_url: str, provider_id: int, *verbs: Callable[[], Awaitable[object]]) -> dict[str, int]:
    """What became of verbs that all came to stand before one organisation's row."""
    held = asyncio.Event()

    async def run(verb: Callable[[], Awaitable[object]]) -> str:
        await held.wait()
        return await outcome(verb())

    # Begun outside of the transaction, or they would share its connection.
    running = [asyncio.create_task(run(verb)) for verb in verbs]
    async with in_transaction():
        await memberships.lock(provider_id)
        held.set()
        await all_wait(postgres_url, *running)
    answers = await asyncio.gather(*running)
    return {one: answers.count(one) for one in set(answers)}


async def test_control_two_who_look_before_they_draw_up_would_both_keep_back_the_same_claim(
    till: Till,
) -> None:
    """Without the claim's lock and what is read under it, this is what the races below would come to."""
    budget = await till.budget(ON_CONTRACT)
    provider = await till.provider(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    await till.with_account(first)
    await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    await overdue(till, first, first.amount_fen)
    both = [await till.payable(ON_CONTRACT, budget=budget, provider=provider) for _ in range(2)]
    day, both_looked = till.today(ON_CONTRACT), asyncio.Barrier(2)

    async def look(one: Settlement) -> int:
        async with in_transaction():
            planned = await offsets.plan([one], ON_CONTRACT, day)
            async with asyncio.timeout(10):
                await both_looked.wait()
        return sum(each.amount_fen for each in planned[one.id])

    kept = await asyncio.gather(*(look(one) for one in both))
    assert sum(kept) == 2 * first.amount_fen, "twice the whole claim"
    batch = await till.drafted(ON_CONTRACT, budget.year)
    assert batch.kept_fen < sum(kept), "one batch counts what it keeps back already"


@FROM_EACH
async def test_one_settlement_is_drafted_into_one_of_two_batches_and_approved_once(
    till: Till, postgres_url: str, source: PaymentSource
) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    await till.with_account(settlement)
    makers = [await till.maker(ON_CONTRACT) for _ in range(RIVALS)]
    batches = till.office.batches
    drafted = await met(
        postgres_url,
        settlement.provider_id,
        *(
            lambda maker=maker: batches.draft(
                ON_CONTRACT, budget.year, source, leave_out={}, reason=WHY, actor=maker
            )
            for maker in makers
        ),
    )
    assert drafted == {"done": 1, "nothing_payable": RIVALS - 1}
    batch = await PaymentBatch.get()
    approvers = [await till.approver(ON_CONTRACT) for _ in range(RIVALS)]
    approved = await met(
        postgres_url,
        settlement.provider_id,
        *(
            lambda who=who: batches.approve(batch.id, version=batch.version, reason=WHY, actor=who)
            for who in approvers
        ),
    )
    assert approved == {"done": 1, "batch_moved_on": RIVALS - 1}
    assert await JournalEntry.filter(action="disbursement.approved").count() == 1
    assert (await PaymentBatch.get()).status is BatchStatus.APPROVED


@FROM_EACH
async def test_of_receipt_files_of_one_batch_at_once_each_payment_is_posted_once(
    till: Till, postgres_url: str, source: PaymentSource
) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    await till.with_account(settlement)
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year, source))
    payments = await Payment.filter(batch_id=batch.id)
    same = till.receipts(batch, payments)
    raws = [same, same, till.receipts(batch, payments)]  # The third names another number of the bank's.
    verbs = []
    for raw in raws:
        actor = await till.maker(ON_CONTRACT)
        preview = await till.office.receipts.preview(batch.id, raw, actor=actor)
        verbs.append(
            lambda raw=raw, actor=actor, seen=preview: till.office.receipts.carry_out(
                batch.id, raw, fingerprint=seen.fingerprint, actor=actor
            )
        )
    answers = await met(postgres_url, settlement.provider_id, *verbs)
    assert answers == {"done": 1, "settlement_moved_on": 2}
    assert await ReceiptImport.all().count() == 1
    assert (await Payment.get(batch_id=batch.id)).status is TransferStatus.PAID
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    of_year = source is BUDGET
    assert sums[Account.DISBURSED] == (settlement.amount_fen if of_year else 0)
    assert sums[Account.ESCROW_TRANSFERRED] == (0 if of_year else settlement.escrow_fen)
    settled = SettlementStatus.PAID if of_year else SettlementStatus.PAYABLE
    assert (await Settlement.get(id=settlement.id)).status is settled


async def test_what_a_payment_keeps_back_and_what_is_received_by_hand_never_pay_a_claim_twice(
    till: Till, postgres_url: str
) -> None:
    budget = await till.budget(ON_CONTRACT)
    provider = await till.provider(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    await till.with_account(first)
    await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    claim = await overdue(till, first, 100_000, yearly_bp=0)
    await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    maker, collector = await till.maker(ON_CONTRACT), await till.staff("operator")
    receipts, day = receipts_of(till), till.today(ON_CONTRACT)
    held = asyncio.Event()

    async def draft() -> str:
        await held.wait()
        batches = till.office.batches
        return await outcome(
            batches.draft(ON_CONTRACT, budget.year, BUDGET, leave_out={}, reason=WHY, actor=maker)
        )

    async def receive() -> str:
        await held.wait()
        return await outcome(
            receipts.receive(claim.id, "2026051800001", 100_000, day, version=claim.version, actor=collector)
        )

    tasks = [asyncio.create_task(draft()), asyncio.create_task(receive())]
    async with in_transaction():
        # Whoever holds the claim makes both of them wait here, so that they meet.
        await Recovery.filter(id=claim.id).update(version=claim.version)
        held.set()
        await all_wait(postgres_url, *tasks)
    answers = tuple(await asyncio.gather(*tasks))
    batch = await PaymentBatch.filter(status=BatchStatus.DRAFT).get()
    assert (*answers, batch.kept_fen) in {("done", "done", 0), ("done", "recovery_kept_back", 100_000)}
    await till.paid(batch)
    assert await RecoveryReceipt.filter(recovery_id=claim.id).count() == 1
    claim = await Recovery.get(id=claim.id)
    assert (claim.status, claim.collected_fen) == (RecoveryStatus.COLLECTED, 100_000)
