"""Sources of payments: the year's money and released escrow go to the bank by the same hands and rules."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server import texts
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.files import FileAttachment
from server.models.outbox import OutboxMessage
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.rules.disbursements import AccountStatus, BatchStatus, PaymentSource, TransferStatus
from server.rules.money import Account
from server.rules.payment_holds import HoldCause
from server.rules.settlements import SettlementStatus
from server.services.access import CLOCK
from server.services.budgets import ledger
from server.services.disbursements import funds, offsets, payment_lists, year_money
from server.services.disbursements.archives import FilingNotAsked
from server.services.disbursements.bank_files import BankFormat, plain_yuan
from server.services.disbursements.disbursement_book import (
    ArchiveClosed,
    BatchMovedOn,
    NotYourDisbursement,
    SameHands,
)
from server.services.disbursements.payment_batches import AccountsChanged, NothingPayable, SettlementsHeld
from server.services.disbursements.payment_receipts import ReceiptsBroken, ReceiptUnfit
from server.services.disbursements.summary_invoices import document_for
from server.services.holds import payment_holds
from server.services.proof.case_scope import CaseKind, CaseScope
from server.services.proof.case_sections import SECTIONS, Audience, Copy, rows_of
from server.services.settlements import settlement_end
from server.units import yuan_to_fen
from tests.claiming import overdue
from tests.contracting import GRABBED, ON_CONTRACT
from tests.disbursing import WHY, Till

BUDGET, ESCROW = PaymentSource.BUDGET, PaymentSource.ESCROW
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database's kind makes no difference."""


@dataclass(frozen=True)
class Sourced:
    """What differs by the source: where its money is before and after, and who hears of it."""

    source: PaymentSource
    waits: Account
    paid: Account
    topic: str
    hears: frozenset[str]


EVERY = (
    Sourced(BUDGET, Account.REDEEMED, Account.DISBURSED, "disbursement.paid", frozenset({"provider_id"})),
    Sourced(
        ESCROW, Account.ESCROW_OWED, Account.ESCROW_TRANSFERRED, "escrow.transferred",
        frozenset({"provider_id", "enterprise_id"}),
    ),
)  # fmt: skip
FROM_EACH = pytest.mark.parametrize("of", EVERY, ids=[one.source.value for one in EVERY])


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till. Whatever a test does, the books balance: escrow's, too."""
    yield Till()
    assert await ledger.verify() == []


def due_fen(settlement: Settlement, source: PaymentSource) -> int:
    """What a settlement is to be paid from a source."""
    return int(settlement.amount_fen if source is BUDGET else settlement.escrow_fen)


async def money(settlement: Settlement, of: Sourced) -> tuple[int, int]:
    """What the ledger has of a settlement's order where it waits and where it is paid."""
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    return sums[of.waits], sums[of.paid]


async def shown_in_the_file(settlement: Settlement, audience: Audience) -> list[str]:
    """From which sources the file of a settlement's case shows payments to somebody."""
    scope = CaseScope(CaseKind.SETTLEMENT, settlement.id)
    scope.payments = {one.id for one in await Payment.filter(settlement_id=settlement.id)}
    copy = Copy(audience)
    return [
        row["source"]
        for section in SECTIONS
        for source in section.sources
        if source.model is Payment and copy.has(section, source)
        async for row in rows_of(source, scope, copy)
    ]


@FROM_EACH
@pytest.mark.rules("NX-20", "NX-23", "NX-38", "GX-82")
async def test_each_source_is_drawn_up_approved_and_sent_by_other_hands_and_paid_by_the_banks_receipt(
    till: Till, of: Sourced
) -> None:
    office, slug, budget = till.office, ON_CONTRACT, await till.budget(ON_CONTRACT)
    settlement = await till.payable(slug, budget=budget)
    fen, day = due_fen(settlement, of.source), till.today(slug)
    assert fen > 0
    with pytest.raises(NothingPayable) as refused:
        await till.drafted(slug, budget.year, of.source)
    assert texts.LEFT_OUT["account"] in str(refused.value.values["reasons"])
    account = await till.with_account(settlement)
    with pytest.raises(NothingPayable):
        await till.drafted(slug, budget.year, of.source, leave_out={settlement.id: "等待补充协议"})
    batch = await till.drafted(slug, budget.year, of.source)
    assert (batch.source, batch.payments_count, batch.total_fen, batch.kept_fen) == (of.source, 1, fen, 0)
    with pytest.raises(NothingPayable):
        await till.drafted(slug, budget.year, of.source)
    payment = await Payment.get(batch_id=batch.id)
    batch = await office.batches.take_out(
        payment.id, version=batch.version, reason=WHY, actor=await till.maker(slug)
    )
    with pytest.raises(NothingPayable):  # Of an empty batch nobody approves anything.
        await till.approved(batch)
    batch = await till.drafted(slug, budget.year, of.source)
    maker = await till.staff_again(batch.drafted_by)
    approve: dict[str, Any] = {"version": batch.version, "reason": WHY}
    with pytest.raises((SameHands, NotYourDisbursement)):
        await office.batches.approve(batch.id, actor=maker, **approve)
    approver, payer = await till.approver(slug), await till.payer(slug)
    with pytest.raises(BatchMovedOn):
        await office.batches.approve(batch.id, actor=approver, **{**approve, "version": 9})
    batch = await office.batches.approve(batch.id, actor=approver, **approve)
    hold: dict[str, Any] = {"reason": "核销数据异常", "actor": await till.staff("operator"), "now": till.now}
    await payment_holds.place(
        HoldCause.ANOMALY, 1, programme_slug=slug, clause="第十七条", order_id=settlement.order_id, **hold
    )
    with pytest.raises(SettlementsHeld):
        await till.sent(batch)
    await payment_holds.lift(HoldCause.ANOMALY, 1, **hold)
    send: dict[str, Any] = {"template": "general", "version": batch.version}
    with pytest.raises((SameHands, NotYourDisbursement)):
        await office.sending.send(batch.id, actor=approver, **send)
    batch = await office.sending.send(batch.id, actor=payer, **send)
    _, content = await office.sending.file(batch.id, BankFormat.CSV, reason=WHY, actor=payer)
    payment = await Payment.get(batch_id=batch.id)
    said = content.decode("utf-8-sig")
    assert payment.number in said and plain_yuan(fen) in said
    assert (await money(settlement, of)) == (fen, 0), "the bank has said nothing"

    with pytest.raises(ReceiptsBroken):
        await till.takes(batch, till.receipts(batch, [payment], stated_fen=fen + 1))
    right = till.receipts(batch, [payment])
    run = await till.takes(batch, right)
    assert (await till.takes(batch, right)).id == run.id, "the same file twice does nothing"
    payment = await Payment.get(id=payment.id)
    entered: dict[str, Any] = {"on": day, "file_id": await till.scan(maker, slug), "actor": maker}
    again = await office.receipts.enter(payment.id, number=payment.receipt_number, **entered)
    assert again.status is TransferStatus.PAID
    with pytest.raises(ReceiptUnfit):
        await office.receipts.enter(payment.id, number="HD2026000010", **entered)
    assert (await PaymentBatch.get(id=batch.id)).status is BatchStatus.CLOSED
    assert (await money(settlement, of)) == (0, fen)
    told = await OutboxMessage.filter(topic=of.topic).values_list("recipient", flat=True)
    assert {str(one) for one in told} == {f"organisation:{getattr(settlement, one)}" for one in of.hears}
    assert await ledger.verify() == []

    slip = await till.scan(maker, slug)
    back = await office.receipts.give_back(payment.id, reason="账号已销户", on=day, file_id=slip, actor=maker)
    assert (back.status, back.returned_on, back.return_file) == (TransferStatus.RETURNED, day, slip)
    assert await FileAttachment.exists(file_id=slip, document_code="bank_return")
    assert (await money(settlement, of)) == (fen, 0)
    assert (await BankAccount.get(id=account.id)).status is AccountStatus.REJECTED
    with pytest.raises(NothingPayable):
        await till.drafted(slug, budget.year, of.source)
    await till.with_account(settlement)
    batch = await till.drafted(slug, budget.year, of.source)
    assert batch.total_fen == fen, "it waits again, for another account"
    await till.with_account(settlement)
    with pytest.raises(AccountsChanged):
        await till.approved(batch)
    batch = await office.batches.drop(batch.id, version=batch.version, reason=WHY, actor=maker)
    assert batch.status is BatchStatus.DROPPED
    assert await Payment.filter(status=TransferStatus.DROPPED).count() == 2


@ON_SQLITE
@pytest.mark.rules("NX-20", "NX-38", "GX-64", "LS-57")
async def test_released_escrow_is_in_no_sum_of_the_years_money_and_no_claim_keeps_it_back(till: Till) -> None:
    budget, provider = await till.budget(ON_CONTRACT), await till.provider(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    await till.with_account(first)
    paid = await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    await overdue(till, first, first.amount_fen)
    batch = await till.drafted(ON_CONTRACT, budget.year, ESCROW)
    assert (batch.total_fen, batch.kept_fen) == (first.escrow_fen, 0)
    assert not await offsets.of_payments(await Payment.filter(batch_id=batch.id))
    batch = await till.sent(batch)
    (payment,) = await Payment.filter(batch_id=batch.id)
    taken = (await Payment.get(batch_id=paid.id)).receipt_number
    maker = await till.maker(ON_CONTRACT)
    scan = {"on": till.today(ON_CONTRACT), "file_id": await till.scan(maker, ON_CONTRACT), "actor": maker}
    with pytest.raises(ReceiptUnfit):  # A receipt shows one payment, of whichever source.
        await till.office.receipts.enter(payment.id, number=taken, **scan)
    await till.paid(batch)
    year = await Budget.get(id=budget.id)
    assert ((shown := await year_money.of(year)).paid_fen, shown.paying_fen) == (first.amount_fen, 0)
    assert [line.out_fen for line in await funds.statement(year)] == [first.amount_fen]
    asks = till.programmes.get(GRABBED)  # An invoice to the authority, for public money alone.
    wanted = [document_for(PaymentBatch(source=one), asks, None) for one in (BUDGET, ESCROW)]
    assert wanted[0] is not None and wanted[1] is None
    for audience, sources in (
        (Audience.OFFICIAL, [BUDGET, ESCROW]),
        (Audience.PROVIDER, [BUDGET, ESCROW]),
        (Audience.ENTERPRISE, [ESCROW]),
    ):
        assert await shown_in_the_file(first, audience) == sources, audience
    for source, number in ((None, 2), (BUDGET, 1), (ESCROW, 1)):
        rows = await payment_lists.payments(maker, source=source, after=0, limit=9)
        assert len(rows) == number, source


@ON_SQLITE
@pytest.mark.rules("GZ-43")
async def test_what_a_batch_of_escrow_leaves_is_archived_and_ends_nobodys_review(till: Till) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    await till.with_account(settlement)
    batch, archives = await till.drafted(ON_CONTRACT, budget.year, ESCROW), till.office.archives
    batch = await till.paid(batch)
    with pytest.raises(FilingNotAsked):
        await archives.file(
            batch.id, reference="备〔2020〕1号", filed_on=till.today(ON_CONTRACT), file_ids=[],
            actor=await till.approver(ON_CONTRACT),
        )  # fmt: skip
    before, _ = await till.settled(settlement)
    hand_over = await till.archived(batch)
    assert [item["kind"] for item in hand_over.items] == ["receipt", "bank_file"]
    after, _ = await till.settled(settlement)
    assert (after.status, after.amount_fen) == (before.status, before.amount_fen)
    assert after.status is SettlementStatus.PAYABLE
    payment = await Payment.get(batch_id=batch.id)
    with pytest.raises(ArchiveClosed):
        await till.office.receipts.give_back(
            payment.id,
            reason="退汇",
            on=till.today(ON_CONTRACT),
            file_id=0,
            actor=await till.maker(ON_CONTRACT),
        )
    await till.archived(await till.paid(await till.drafted(ON_CONTRACT, budget.year)))


@pytest.mark.rules("NX-20", "NX-36")
@ON_SQLITE
async def test_a_refusal_gives_the_fee_back_and_leaves_released_escrow_owed_on_the_row_as_in_the_ledger(
    till: Till,
) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.submitted(await till.finished(ON_CONTRACT, 4_000, budget=budget))
    settlement = await till.decides(settlement, extras={"fee_fen": yuan_to_fen(200)})
    await till.with_account(settlement)
    shown, fee_fen = (settlement.escrow_fen, settlement.escrow_back_fen), settlement.fee_fen
    free_fen = (await Budget.get(id=budget.id)).free_fen
    before = await ledger.balances(order_id=settlement.order_id)
    assert fee_fen == before[Account.FEE] == yuan_to_fen(200)
    settlement = await settlement_end.refuse(
        till.settlements, settlement, reason="经查证属于恶意串通", actor=CLOCK, now=till.now
    )
    assert (settlement.status, settlement.amount_fen) == (SettlementStatus.REFUSED, 0)
    assert (settlement.escrow_fen, settlement.escrow_back_fen, settlement.fee_fen) == (*shown, 0)
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert (sums[Account.ESCROW_OWED], sums[Account.FEE]) == (settlement.escrow_fen, 0)
    assert settlement.escrow_fen > 0
    spent_fen = before[Account.REDEEMED]
    assert (await Budget.get(id=budget.id)).free_fen == free_fen + spent_fen + fee_fen
    batch = await till.drafted(ON_CONTRACT, budget.year, ESCROW)
    assert batch.total_fen == settlement.escrow_fen
