"""Offsets: overdue claims are kept back from a payment, paid off with its receipt, and owed again."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, timedelta

import pytest
from tortoise.context import TortoiseContext

from server.handlers.disbursement_views import transfer_of
from server.models.disbursements import Payment, PaymentBatch
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewDecision
from server.models.rounds import Budget
from server.models.sanctions import Recovery, RecoveryReceipt
from server.models.settlements import Settlement
from server.programme.review import ReviewKind
from server.rules.disbursements import BatchStatus, PaymentSource, TransferStatus
from server.rules.money import Account
from server.rules.recoveries import Due, Owed, ReceiptKind, RecoveryStatus, keep_back, outstanding
from server.rules.settlements import SettlementStatus
from server.services.budgets import ledger
from server.services.disbursements import funds, offsets, payment_lists
from server.services.disbursements.bank_files import BankFormat, plain_yuan
from server.services.disbursements.offsets import OffsetsChanged
from server.services.disbursements.payment_receipts import ReceiptUnfit
from server.services.sanctions import recovery_receipts, recovery_returns
from server.services.sanctions.recoveries import RecoveryKeptBack, RecoveryOver
from server.services.sanctions.recovery_returns import RecoveryReturns
from server.services.settlements import settlement_money
from tests.claiming import CLAUSE, YEARLY_BP, overdue, receipts_of
from tests.contracting import ON_CONTRACT, person_of
from tests.disbursing import WHY, Till

DAYS = 73
BUDGET = PaymentSource.BUDGET


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till. Whatever a test does, the books balance: claims and payments, too."""
    yield Till()
    assert await ledger.verify() == []


ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


async def owing(till: Till, principal: int = 10, *, of: int = 100) -> tuple[Budget, Settlement, Recovery]:
    """A provider that was paid once, owes a share of it, and is to be paid as much again."""
    budget = await till.budget(ON_CONTRACT)
    provider = await till.provider(ON_CONTRACT)
    first = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    await till.with_account(first)
    await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    claim = await overdue(till, first, first.amount_fen * principal // of)
    second = await till.payable(ON_CONTRACT, budget=budget, provider=provider)
    return budget, second, claim


def owed_fen(claim: Recovery) -> int:
    return int(claim.principal_fen + claim.principal_fen * YEARLY_BP * DAYS // (10_000 * 365))


async def test_what_is_overdue_is_kept_back_pays_itself_off_and_is_owed_again_when_the_bank_returns_it(
    till: Till,
) -> None:
    budget, settlement, claim = await owing(till)
    kept_fen, maker = owed_fen(claim), await till.maker(ON_CONTRACT)
    plan = await till.office.batches.preview(ON_CONTRACT, budget.year, BUDGET, leave_out={}, actor=maker)
    (planned,) = plan.offsets[settlement.id]
    assert (plan.total_fen, plan.kept_fen) == (settlement.amount_fen, kept_fen)
    assert (planned.number, planned.amount_fen, planned.clause) == (claim.number, kept_fen, CLAUSE)
    assert "−" in planned.arithmetic and "=" in planned.arithmetic
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    payment = await Payment.get(batch_id=batch.id)
    assert (batch.kept_fen, payment.transfer_fen) == (kept_fen, settlement.amount_fen - kept_fen)
    payer = await till.payer(ON_CONTRACT)
    _, content = await till.office.sending.file(batch.id, BankFormat.CSV, reason=WHY, actor=payer)
    said = content.decode("utf-8-sig")
    assert plain_yuan(payment.transfer_fen) in said and plain_yuan(payment.amount_fen) not in said
    claim = await Recovery.get(id=claim.id)
    assert claim.status is RecoveryStatus.DEMANDED and not claim.collected_fen, "the bank has said nothing"
    payee = person_of(await Organisation.get(id=settlement.provider_id))
    mine = (await payment_lists.payments(payee, after=0, limit=9))[-1]
    seen = transfer_of(mine, (await offsets.of_payments([mine]))[mine.id])
    assert (seen.amount_fen, seen.transfer_fen) == (payment.amount_fen, payment.transfer_fen)
    assert [(one.recovery, one.amount_fen, one.clause) for one in seen.offsets] == [
        (claim.number, kept_fen, CLAUSE)
    ]
    with pytest.raises(RecoveryKeptBack):  # By hand it would be paid off twice.
        await receipts_of(till).receive(
            claim.id, "2026051800001", 100, till.today(ON_CONTRACT), version=claim.version,
            actor=await till.staff("operator"),
        )  # fmt: skip

    scan = await till.scan(maker, ON_CONTRACT)
    day = till.today(ON_CONTRACT)
    await till.office.receipts.enter(payment.id, number="HD2026000001", on=day, file_id=scan, actor=maker)
    claim = await Recovery.get(id=claim.id)
    assert (claim.status, claim.collected_fen) == (RecoveryStatus.COLLECTED, claim.principal_fen)
    receipt = await RecoveryReceipt.get(recovery_id=claim.id)
    assert (receipt.kind, receipt.amount_fen, receipt.principal_fen) == (
        ReceiptKind.OFFSET, kept_fen, claim.principal_fen,
    )  # fmt: skip
    sums = await ledger.balances()
    assert sums[Account.DISBURSED] == 2 * settlement.amount_fen - claim.principal_fen
    assert sums[Account.SURCHARGE] == kept_fen - claim.principal_fen
    assert await OutboxMessage.filter(topic="disbursement.kept_back").exists()
    decided = await ReviewDecision.get(case_id=settlement.case_id, kind=ReviewKind.DISBURSEMENT)
    assert "抵扣追缴款" in decided.reason
    out = sum(line.out_fen for line in await funds.statement(budget))
    assert out == settlement.amount_fen + payment.transfer_fen
    assert await ledger.verify() == []

    await till.office.receipts.give_back(payment.id, reason="账号已销户", on=day, file_id=scan, actor=maker)
    claim = await Recovery.get(id=claim.id)
    assert (claim.status, claim.collected_fen, claim.surcharge_fen, claim.surcharge_due_fen) == (
        RecoveryStatus.DEMANDED, 0, 0, 0,
    )  # fmt: skip
    assert (await ledger.balances())[Account.SURCHARGE] == 0
    await till.with_account(settlement)
    batch = await till.drafted(ON_CONTRACT, budget.year)
    assert batch.kept_fen == kept_fen, "it is kept back again"


@ON_SQLITE
@pytest.mark.parametrize("collected", [False, True])
async def test_what_the_bank_brought_home_is_owed_no_more_and_goes_back_to_who_had_paid_it(
    till: Till, collected: bool
) -> None:
    _, _, claim = await owing(till, 100)
    payment = await Payment.all().order_by("id").first()
    maker, day = await till.maker(ON_CONTRACT), till.today(ON_CONTRACT)
    office, operator = receipts_of(till), await till.staff("operator")
    if collected:
        whole = {"amount_fen": owed_fen(claim), "received_on": day, "version": claim.version}
        await office.receive(claim.id, "2026051800001", **whole, actor=operator)
    slip = await till.scan(maker, ON_CONTRACT)
    assert payment is not None
    await till.office.receipts.give_back(payment.id, reason="账号已销户", on=day, file_id=slip, actor=maker)
    assert (await ledger.balances())[Account.DISBURSED] == 0
    claim = await Recovery.get(id=claim.id)
    ended = RecoveryStatus.COLLECTED if collected else RecoveryStatus.CANCELLED
    assert claim.status is ended
    with pytest.raises(RecoveryOver):
        await office.receive(claim.id, "2026051800002", 100, day, version=claim.version, actor=operator)
    owed = await recovery_returns.owed_back(claim)
    assert owed.amount_fen == (payment.amount_fen if collected else 0)
    if collected:
        returns = RecoveryReturns(office.recoveries)
        claim = await returns.ask(claim.id, "2026052000001", day, version=claim.version, actor=operator)
        authority = await till.staff("authority")
        await returns.decide(claim.id, agreed=True, version=claim.version, actor=authority)
        assert not (await recovery_returns.owed_back(claim)).amount_fen


@ON_SQLITE
async def test_a_payment_that_is_kept_back_whole_needs_no_bank(till: Till) -> None:
    budget, settlement, claim = await owing(till, 100)
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    payment = await Payment.get(batch_id=batch.id)
    assert (payment.status, payment.transfer_fen) == (TransferStatus.PAID, 0)
    assert (await PaymentBatch.get(id=batch.id)).status is BatchStatus.CLOSED
    claim = await Recovery.get(id=claim.id)
    assert (claim.collected_fen, claim.surcharge_fen) == (claim.principal_fen, 0)
    assert claim.status is RecoveryStatus.DEMANDED, "its surcharge is still owed"
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.PAID
    maker = await till.maker(ON_CONTRACT)
    scan = await till.scan(maker, ON_CONTRACT)
    with pytest.raises(ReceiptUnfit):
        await till.office.receipts.give_back(
            payment.id, reason="退汇", on=till.today(ON_CONTRACT), file_id=scan, actor=maker
        )
    told = await OutboxMessage.filter(topic="disbursement.sent")
    assert [one.data["batch"] for one in told] == [batch.id - 1], "no bank was sent anything"


@ON_SQLITE
async def test_only_what_was_decided_and_is_overdue_is_kept_back_and_a_change_draws_the_batch_up_anew(
    till: Till,
) -> None:
    budget, _, claim = await owing(till)
    maker, row = await till.maker(ON_CONTRACT), Recovery.filter(id=claim.id)
    today = till.today(ON_CONTRACT)

    async def kept() -> int:
        plan = await till.office.batches.preview(ON_CONTRACT, budget.year, BUDGET, leave_out={}, actor=maker)
        return plan.kept_fen

    for columns in (
        {"may_offset": False},
        {"status": RecoveryStatus.CLAIMED},
        {"status": RecoveryStatus.WRITTEN_OFF},
        {"due_on": today},
        {"due_provisional": True},
    ):
        await row.update(**columns)
        assert await kept() == 0, columns
        await row.update(
            may_offset=True, status=RecoveryStatus.DEMANDED, due_on=claim.due_on, due_provisional=False
        )
    later = claim.principal_fen - 100
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)
    parts = [(yesterday, 100), (tomorrow, later)]
    await row.update(
        instalments=[{"due_on": day.isoformat(), "amount_fen": fen} for day, fen in parts], due_on=tomorrow
    )
    assert await kept() == 100, "the instalment that is due, and no other"
    await row.update(instalments=[], due_on=today)
    batch = await till.drafted(ON_CONTRACT, budget.year)
    assert batch.kept_fen == 0
    await row.update(due_on=yesterday)
    with pytest.raises(OffsetsChanged):
        await till.approved(batch)
    till.clock.advance(timedelta(days=3))
    with pytest.raises(OffsetsChanged):
        await till.approved(batch)
    await till.office.batches.drop(batch.id, version=batch.version, reason=WHY, actor=maker)
    batch = await till.drafted(ON_CONTRACT, budget.year)
    till.clock.advance(timedelta(days=1))  # A day more of surcharge draws nothing up anew.
    batch = await till.approved(batch)
    await row.update(status=RecoveryStatus.CANCELLED)
    with pytest.raises(OffsetsChanged):
        await till.sent(batch)


@ON_SQLITE
async def test_a_claim_that_was_reversed_after_the_sending_says_what_is_owed_back(till: Till) -> None:
    budget, _, claim = await owing(till)
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    await Recovery.filter(id=claim.id).update(status=RecoveryStatus.CANCELLED)
    await till.paid(batch)
    claim = await Recovery.get(id=claim.id)
    assert (claim.status, claim.collected_fen) == (RecoveryStatus.CANCELLED, claim.principal_fen)


@ON_SQLITE
async def test_what_was_given_back_of_a_payment_that_the_bank_returns_counts_as_paid(till: Till) -> None:
    budget, settlement, claim = await owing(till)
    kept_fen, day = owed_fen(claim), till.today(ON_CONTRACT)
    batch = await till.paid(await till.drafted(ON_CONTRACT, budget.year))
    await Recovery.filter(id=claim.id).update(status=RecoveryStatus.CANCELLED, ended_at=till.now)
    returns, operator = RecoveryReturns(receipts_of(till).recoveries), await till.staff("operator")
    claim = await returns.ask(claim.id, "2026052000001", day, version=claim.version + 1, actor=operator)
    authority, maker = await till.staff("authority"), await till.maker(ON_CONTRACT)
    await returns.decide(claim.id, agreed=True, version=claim.version, actor=authority)
    payment, scan = await Payment.get(batch_id=batch.id), await till.scan(maker, ON_CONTRACT)
    for attempt in range(2):
        assert (await ledger.balances())[Account.DISBURSED] == 2 * settlement.amount_fen
        await till.office.receipts.give_back(
            payment.id, reason="账号已销户", on=day, file_id=scan, actor=maker
        )
        sums = await ledger.balances()
        assert (sums[Account.DISBURSED], sums[Account.SURCHARGE]) == (settlement.amount_fen, 0)
        claim = await Recovery.get(id=claim.id)
        assert not (await recovery_returns.owed_back(claim)).amount_fen, "the debtor has it already"
        assert await recovery_receipts.ahead_fen(claim) == kept_fen
        # The settlement is owed whole again, and what its payee has of it is not paid twice.
        await till.with_account(settlement)
        batch = await till.paid(await till.drafted(ON_CONTRACT, budget.year))
        payment = await Payment.get(batch_id=batch.id)
        assert (batch.kept_fen, payment.transfer_fen) == (kept_fen, settlement.amount_fen - kept_fen)
        claim = await Recovery.get(id=claim.id)
        assert not await recovery_receipts.ahead_fen(claim)
        assert not (await recovery_returns.owed_back(claim)).amount_fen, f"attempt {attempt}"
        assert await ledger.verify() == []


@ON_SQLITE
@pytest.mark.rules("GZ-41", "GZ-43")
async def test_a_settlement_that_comes_to_nothing_is_put_on_record_and_archived(till: Till) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    order = await Order.get(id=settlement.order_id)
    await settlement_money.disallow(order, settlement.amount_fen, year_id=settlement.budget_id, now=till.now)
    await Settlement.filter(id=settlement.id).update(amount_fen=0, reduced_fen=settlement.amount_fen)
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    assert batch.status is BatchStatus.CLOSED and batch.payments_count == 1
    assert (await Payment.get(batch_id=batch.id)).account_id is None, "no bank transfers nothing"
    decided = await ReviewDecision.get(case_id=settlement.case_id, kind=ReviewKind.DISBURSEMENT)
    assert "无需付款" in decided.reason
    await till.archived(batch)
    assert (await Settlement.get(id=settlement.id)).status is SettlementStatus.CLOSED
    assert await OutboxMessage.filter(topic="disbursement.nothing").count() == 1


def test_the_oldest_claim_is_kept_back_first_and_never_more_than_is_owed() -> None:
    on = date(2026, 5, 18)
    lines = (Owed(1, 1_000_000, on - timedelta(days=DAYS)),)
    old, new = Due(1, lines, 0, YEARLY_BP), Due(2, lines, 500, 0, kept_fen=200_000)
    whole_fen = sum(outstanding(lines, 0, YEARLY_BP, on))
    found = keep_back({10: 600_000, 11: 600_000, 12: 900_000}, [old, new], on)
    told = {key: [(one.recovery_id, one.amount_fen) for one in kept] for key, kept in found.items()}
    left_fen = 600_000 - (whole_fen - 600_000)
    assert told == {
        10: [(1, 600_000)],
        11: [(1, whole_fen - 600_000), (2, left_fen)],
        12: [(2, 800_500 - left_fen)],
    }
    assert keep_back({10: 600_000}, [Due(1, lines, 0, YEARLY_BP, later_fen=1_000_000)], on) == {}
