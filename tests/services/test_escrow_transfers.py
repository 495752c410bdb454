"""Escrow transfers: what was released goes to its provider, and the ledger says so when the bank does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server.models.escrow_transfers import EscrowBatch, EscrowTransfer
from server.models.outbox import OutboxMessage
from server.rules.disbursements import BatchStatus, TransferStatus
from server.rules.money import Account
from server.rules.payment_holds import HoldCause
from server.rules.settlements import SettlementStatus
from server.services import escrow_book, ledger, payment_holds, settlement_end
from server.services.access import CLOCK
from server.services.bank_files import BankFormat, plain_yuan
from server.services.disbursement_book import BatchMovedOn, NotYourDisbursement, SameHands
from server.services.escrow_transfers import NothingToTransfer
from server.services.payment_batches import SettlementsHeld
from server.services.payment_receipts import ReceiptUnfit
from tests.contracting import ON_CONTRACT
from tests.disbursing import WHY, Till


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till. Whatever a test does, the books balance: escrow's, too."""
    yield Till()
    assert await ledger.verify() == []


@pytest.mark.rules("NX-20", "NX-38")
async def test_released_escrow_is_drawn_up_approved_sent_and_recorded_by_its_receipt(
    till: Till,
) -> None:
    office, slug = till.office.escrow, ON_CONTRACT
    settlement = await till.payable(slug, budget=await till.budget(slug))
    fen, maker, day = settlement.escrow_fen, await till.maker(slug), till.today(slug)
    assert fen > 0
    with pytest.raises(NothingToTransfer):  # Without an account there is nowhere to transfer to.
        await office.draft(slug, reason=WHY, actor=maker)
    await till.with_account(settlement)
    hold: dict[str, Any] = {"reason": "核销数据异常", "actor": await till.staff("operator"), "now": till.now}
    batch = await office.draft(slug, reason=WHY, actor=maker)
    assert (batch.transfers_count, batch.total_fen) == (1, fen)
    with pytest.raises(NothingToTransfer):
        await office.draft(slug, reason=WHY, actor=await till.maker(slug))
    approver = await till.approver(slug)
    with pytest.raises((SameHands, NotYourDisbursement)):
        await office.approve(batch.id, version=batch.version, reason=WHY, actor=maker)
    with pytest.raises(BatchMovedOn):
        await office.approve(batch.id, version=9, reason=WHY, actor=approver)
    batch = await office.approve(batch.id, version=batch.version, reason=WHY, actor=approver)
    await payment_holds.place(
        HoldCause.ANOMALY, 1, programme_slug=slug, clause="第十七条", order_id=settlement.order_id, **hold
    )
    payer = await till.payer(slug)
    with pytest.raises(SettlementsHeld):
        await office.send(batch.id, template="general", version=batch.version, actor=payer)
    await payment_holds.lift(HoldCause.ANOMALY, 1, **hold)
    batch = await office.send(batch.id, template="general", version=batch.version, actor=payer)
    _, content = await office.file(batch.id, BankFormat.CSV, reason=WHY, actor=payer)
    (transfer,) = await escrow_book.transfers_of(batch.id)
    said = content.decode("utf-8-sig")
    assert transfer.number in said and plain_yuan(fen) in said

    receipt: dict[str, Any] = {
        "number": "HD2026000009",
        "on": day,
        "file_id": await till.scan(maker, slug),
        "actor": maker,
    }
    made = await office.enter(transfer.id, **receipt)
    again = await office.enter(transfer.id, **receipt)
    assert made.status is again.status is TransferStatus.PAID
    with pytest.raises(ReceiptUnfit):
        await office.enter(transfer.id, **{**receipt, "number": "HD2026000010"})
    assert (await EscrowBatch.get(id=batch.id)).status is BatchStatus.CLOSED
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert (sums[Account.ESCROW_RELEASED], sums[Account.ESCROW_TRANSFERRED]) == (0, fen)
    told = await OutboxMessage.filter(topic="escrow.transferred").values_list("recipient", flat=True)
    assert {str(one) for one in told} == {
        f"organisation:{settlement.provider_id}",
        f"organisation:{settlement.enterprise_id}",
    }
    assert await ledger.verify() == []

    slip = await till.scan(maker, slug)
    back = await office.give_back(transfer.id, reason="账号已销户", on=day, file_id=slip, actor=maker)
    assert (back.returned_on, back.return_file) == (day, slip)
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert (sums[Account.ESCROW_RELEASED], sums[Account.ESCROW_TRANSFERRED]) == (fen, 0)
    await till.with_account(settlement)
    batch = await office.draft(slug, reason=WHY, actor=maker)
    assert batch.total_fen == fen, "it waits again, for another account"
    batch = await office.drop(batch.id, version=batch.version, reason=WHY, actor=maker)
    assert batch.status is BatchStatus.DROPPED
    assert await EscrowTransfer.filter(status=TransferStatus.DROPPED).count() == 1


@pytest.mark.rules("NX-20", "NX-36")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_was_released_and_taken_before_a_refusal_stands_on_its_row_as_in_the_ledger(
    till: Till,
) -> None:
    settlement = await till.payable(ON_CONTRACT, budget=await till.budget(ON_CONTRACT))
    await till.with_account(settlement)
    money = (settlement.escrow_fen, settlement.escrow_back_fen, settlement.fee_fen)
    settlement = await settlement_end.refuse(
        till.settlements, settlement, reason="经查证属于恶意串通", actor=CLOCK, now=till.now
    )
    assert (settlement.status, settlement.amount_fen) == (SettlementStatus.REFUSED, 0)
    assert (settlement.escrow_fen, settlement.escrow_back_fen, settlement.fee_fen) == money
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert (sums[Account.ESCROW_RELEASED], sums[Account.FEE]) == (settlement.escrow_fen, settlement.fee_fen)
    assert settlement.escrow_fen > 0
    assert [one.id for one in await escrow_book.waiting(ON_CONTRACT)] == [settlement.id]
