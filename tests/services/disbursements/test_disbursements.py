"""Disbursements: from what is payable to the money in the bank, the bank's word and a closed archive."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from tortoise.context import TortoiseContext

from server import texts
from server.models.disbursements import BankAccount, Payment, PaymentBatch
from server.models.files import FileAttachment
from server.models.journal import JournalEntry
from server.models.monitoring import AnomalyFinding
from server.models.orders import Order
from server.models.organisations import MemberRole, Membership, Organisation
from server.models.outbox import OutboxMessage
from server.models.people import Person, Staff
from server.models.reviews import ReviewDecision
from server.models.rounds import Budget
from server.models.settlements import Settlement
from server.models.supervision import ServiceFileEntry
from server.programme.monitoring import Anomaly
from server.programme.review import ReviewKind
from server.programme.steps import StepKind
from server.rules.disbursements import (
    AccountStatus,
    BatchStatus,
    FundKind,
    PaymentSource,
    Receipt,
    SummaryInvoiceDiffers,
    TransferStatus,
    masked,
)
from server.rules.money import Account
from server.rules.payment_holds import HoldCause
from server.rules.review import CaseStatus, ReasonMissing
from server.rules.settlements import SettlementStatus
from server.services.budgets import budgets, ledger
from server.services.disbursements import disbursement_book, disbursement_reminders, funds, year_money
from server.services.disbursements.bank_accounts import AccountHolderDiffers, AccountMovedOn, AccountWaiting
from server.services.disbursements.bank_files import BankFormat
from server.services.disbursements.disbursement_book import (
    ArchiveClosed,
    BatchMovedOn,
    NotYourDisbursement,
    SameHands,
)
from server.services.disbursements.payment_batches import AccountsChanged, NothingPayable, SettlementsHeld
from server.services.disbursements.payment_receipts import ReceiptsBroken, ReceiptUnfit
from server.services.disbursements.summary_invoices import SummaryInvoiceMissing, SummaryInvoiceTaken
from server.services.disbursements.year_end import YearNotOver
from server.services.holds import payment_holds
from server.services.payments.invoices import PaperIsSummaryInvoice
from server.services.reviews.reviewers import OwnReview
from server.units import yuan_to_fen
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, OPERATOR, RANKED, SEALER, person_of
from tests.disbursing import WHY, Till
from tests.paying import Cashier, NotDone

ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
"""Where the database's kind makes no difference."""


@pytest.fixture
async def till(database: TortoiseContext) -> AsyncIterator[Till]:
    """The till on each kind of database. Whatever a test does, the books balance."""
    yield Till()
    assert await ledger.verify() == []


async def changed(till: Till) -> list[tuple[int, str, str]]:
    """What a refusal must leave as it was."""
    payments = await Payment.all().order_by("id").values_list("id", "status", "receipt_number")
    return [(one, str(status), number) for one, status, number in payments]


@pytest.mark.rules("YC-40")
@pytest.mark.parametrize("moment", ["approval", "sending"])
async def test_what_looks_wrong_within_the_minute_does_not_reach_the_bank(till: Till, moment: str) -> None:
    budget = await till.budget(DRAWN, 500_000)
    settlement = await till.payable(DRAWN, budget=budget)
    await till.with_account(settlement)
    till.is_watchful, operator = True, await till.staff("operator")
    with pytest.raises(NothingPayable) as refused:
        await till.drafted(DRAWN, budget.year)
    assert texts.ANOMALY_HOLD in str(refused.value.values["reasons"])
    found = await AnomalyFinding.get()  # No job has run, and the refusal took nothing of it back.
    assert (found.rule, found.settlement_id) == (Anomaly.TOO_QUICK, settlement.id)
    await till.anomalies.lift(found.id, reason="加急", version=found.version, actor=operator)
    batch = await till.drafted(DRAWN, budget.year)
    if moment == "sending":
        batch = await till.approved(batch)
    for side in (settlement.provider_id, settlement.enterprise_id):
        person = await Person.create(
            account=f"account-{side}", created_at=till.now, phone_sealed=SEALER.seal("13800138000")
        )
        await Membership.create(
            person_id=person.id, organisation_id=side, role=MemberRole.HANDLER, created_at=till.now
        )
    before = (batch.status, batch.version)
    for _ in range(2):
        with pytest.raises(SettlementsHeld):
            await till.sent(batch)
    batch = await PaymentBatch.get(id=batch.id)
    assert (batch.status, batch.version) == before
    found = await AnomalyFinding.get(rule=Anomaly.SHARED_CONTACT)
    await till.anomalies.lift(found.id, reason="已核实", version=found.version, actor=operator)
    assert (await till.paid(batch)).status is BatchStatus.CLOSED


@ON_SQLITE
@pytest.mark.rules("GX-63", "GZ-41", "GZ-43", "GX-08")
@pytest.mark.parametrize("slug", [ALLOTTED, RANKED])
async def test_money_goes_from_what_is_payable_to_the_bank_and_into_a_closed_archive(
    till: Till, slug: str
) -> None:
    budget = await till.budget(slug, 500_000)
    settlement = await till.payable(slug, budget=budget)
    await till.with_account(settlement)
    batch = await till.paid(await till.drafted(slug, budget.year))
    assert batch.status is BatchStatus.CLOSED and batch.total_fen == settlement.amount_fen
    settlement, _ = await till.settled(settlement)
    assert settlement.status is SettlementStatus.PAID
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert sums[Account.DISBURSED] == settlement.amount_fen and not sums[Account.REDEEMED]
    paid = await ReviewDecision.get(case_id=settlement.case_id, kind=ReviewKind.DISBURSEMENT)
    assert paid.reviewer_id is None and paid.reviewer_name, "it is put on record, and nobody's decision"
    noted = await ServiceFileEntry.get(source=f"settlement:{settlement.id}")
    assert noted.provider_id == settlement.provider_id
    hand_over = await till.archived(batch)
    settlement, case = await till.settled(settlement)
    assert settlement.status is SettlementStatus.CLOSED and case.status is CaseStatus.PASSED
    assert {item["kind"] for item in hand_over.items} >= {"order", "receipt", "bank_file"}
    with pytest.raises(Exception, match="keeps what it says"):
        await PaymentBatch.filter(id=batch.id).update(reason="另有理由")
    with pytest.raises(Exception, match="keeps what it says"):
        await Settlement.filter(id=settlement.id).update(amount_fen=1)
    payment = await Payment.get(batch_id=batch.id)
    with pytest.raises(ArchiveClosed):
        await till.office.receipts.give_back(
            payment.id, reason="退汇", on=till.today(slug), file_id=0, actor=await till.maker(slug)
        )


@ON_SQLITE
@pytest.mark.rules("YC-09", "NX-23", "GX-82")
async def test_the_one_who_pays_and_the_one_who_approves_are_those_of_the_text_and_two(till: Till) -> None:
    for slug in (DRAWN, ON_CONTRACT):
        budget = await till.budget(slug, 500_000)
        settlement = await till.payable(slug, budget=budget)
        await till.with_account(settlement)
        batch = await till.drafted(slug, budget.year)
        office, approver = till.office.batches, await till.approver(slug)
        maker = await till.staff_again(batch.drafted_by)
        with pytest.raises((SameHands, NotYourDisbursement)):
            await office.approve(batch.id, version=batch.version, reason=WHY, actor=maker)
        with pytest.raises(NotYourDisbursement):
            await office.approve(
                batch.id, version=batch.version, reason=WHY, actor=await till.staff("division")
            )
        with pytest.raises(ReasonMissing):
            await office.approve(batch.id, version=batch.version, reason=" ", actor=approver)
        with pytest.raises(BatchMovedOn):
            await office.approve(batch.id, version=batch.version + 1, reason=WHY, actor=approver)
        provider = await Organisation.get(id=settlement.provider_id)
        await Staff.filter(id=approver.id).update(affiliations=[provider.uscc])
        with pytest.raises(OwnReview):
            await office.approve(batch.id, version=batch.version, reason=WHY, actor=approver)
        await Staff.filter(id=approver.id).update(affiliations=[])
        batch = await office.approve(batch.id, version=batch.version, reason=WHY, actor=approver)
        with pytest.raises((SameHands, NotYourDisbursement)):
            await till.office.sending.send(
                batch.id, template="general", version=batch.version, actor=approver
            )
        batch = await till.paid(batch)
        assert batch.status is BatchStatus.CLOSED
        reasons = [
            row.data.get("reason")
            for row in await JournalEntry.filter(subject=disbursement_book.subject_of(batch)).order_by("id")
            if row.action in ("disbursement.drafted", "disbursement.approved")
        ]
        assert reasons == [WHY, WHY]


@ON_SQLITE
async def test_an_account_is_sealed_shown_by_its_tail_and_counts_when_two_have_verified_it(
    till: Till,
) -> None:
    provider = await till.provider(ALLOTTED)
    number = "6222 0200-0000 8888"
    account = await till.account(provider, ALLOTTED, number=number, verified=False)
    assert account.tail == "8888" and "62220200" not in account.number_sealed
    with pytest.raises(AccountWaiting):
        await till.account(provider, ALLOTTED, verified=False)
    with pytest.raises(AccountHolderDiffers):
        await till.office.accounts.enter(
            ALLOTTED, holder="别家公司", number=number, bank="某银行", actor=person_of(provider)
        )
    office, first = till.office.accounts, await till.staff("operator")
    account = await office.verify(account.id, version=account.version, actor=first)
    assert account.status is AccountStatus.CHECKED
    with pytest.raises(NotYourDisbursement):  # The second look is of whoever pays.
        await office.verify(account.id, version=account.version, actor=first)
    treasurer = await till.payer(ALLOTTED)
    with pytest.raises(AccountMovedOn):
        await office.verify(account.id, version=1, actor=treasurer)
    await BankAccount.filter(id=account.id).update(checked_by=treasurer.id)
    with pytest.raises(SameHands):
        await office.verify(account.id, version=account.version, actor=treasurer)
    other = await till.payer(ALLOTTED)
    account = await office.verify(account.id, version=account.version, actor=other)
    assert account.status is AccountStatus.VERIFIED
    assert await office.reveal(account.id, reason=WHY, actor=other) == "6222020000008888"
    with pytest.raises(Exception, match="keeps what it says"):
        await BankAccount.filter(id=account.id).update(number_sealed="")
    said = [json.dumps(row.data) for row in await JournalEntry.all()]
    said += [json.dumps(row.data) for row in await OutboxMessage.all()]
    assert not [one for one in said if "02000000" in one]
    revealed = await JournalEntry.get(action="bank_account.revealed")
    assert revealed.data["reason"] == WHY


@ON_SQLITE
@pytest.mark.rules("GX-82")
async def test_a_changed_account_never_reaches_what_was_approved_and_a_hold_stops_what_was_not_sent(
    till: Till,
) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    first = await till.with_account(settlement)
    batch = await till.drafted(ON_CONTRACT, budget.year)
    await till.with_account(settlement)  # Verified after the draft was drawn up.
    with pytest.raises(AccountsChanged):
        await till.approved(batch)
    batch = await till.office.batches.drop(
        batch.id, version=batch.version, reason=WHY, actor=await till.maker(ON_CONTRACT)
    )
    assert batch.status is BatchStatus.DROPPED and batch.total_fen == 0
    batch = await till.approved(await till.drafted(ON_CONTRACT, budget.year))
    approved_for = (await Payment.get(batch_id=batch.id)).account_id
    assert approved_for != first.id
    await till.with_account(settlement)
    order = await Order.get(id=settlement.order_id)
    await payment_holds.place(
        HoldCause.ANOMALY, 1, programme_slug=ON_CONTRACT, clause="第十七条", reason="核销数据异常",
        actor=await till.staff("operator"), now=till.now, order_id=order.id,
    )  # fmt: skip
    with pytest.raises(SettlementsHeld):
        await till.sent(batch)
    await payment_holds.lift(
        HoldCause.ANOMALY, 1, reason=WHY, actor=await till.staff("operator"), now=till.now
    )
    batch = await till.sent(batch)
    assert (await Payment.get(batch_id=batch.id)).account_id == approved_for
    actor = await till.payer(ON_CONTRACT)
    _, content = await till.office.sending.file(batch.id, BankFormat.CSV, reason=WHY, actor=actor)
    again = (await till.office.sending.file(batch.id, BankFormat.CSV, reason=WHY, actor=actor))[1]
    assert content == again and (await Payment.get(batch_id=batch.id)).number in content.decode("utf-8-sig")
    await till.paid(batch)


@ON_SQLITE
async def test_what_is_held_or_has_no_account_is_left_out_with_its_reason(till: Till) -> None:
    budget = await till.budget(ON_CONTRACT)
    settlement = await till.payable(ON_CONTRACT, budget=budget)
    with pytest.raises(NothingPayable) as refusal:
        await till.drafted(ON_CONTRACT, budget.year)
    assert "没有已核验的收款账户" in str(refusal.value.values["reasons"])
    programme = till.programmes.get(ON_CONTRACT)
    assert await disbursement_reminders.send_due(programme, now=till.now + timedelta(days=1)) == 2
    assert await disbursement_reminders.send_due(programme, now=till.now + timedelta(days=1)) == 0
    await till.with_account(settlement)
    with pytest.raises(NothingPayable):
        await till.drafted(ON_CONTRACT, budget.year, leave_out={settlement.id: "等待补充协议"})
    plan = await till.office.batches.preview(
        ON_CONTRACT, budget.year, PaymentSource.BUDGET, leave_out={}, actor=await till.maker(ON_CONTRACT)
    )
    assert plan.total_fen == settlement.amount_fen and not plan.left_out
    assert not await PaymentBatch.exists(), "a preview writes nothing"


@ON_SQLITE
async def test_a_receipts_file_is_taken_whole_once_or_not_at_all(till: Till) -> None:
    budget = await till.budget(ON_CONTRACT)
    for _ in range(2):
        await till.with_account(await till.payable(ON_CONTRACT, budget=budget))
    batch = await till.sent(await till.drafted(ON_CONTRACT, budget.year))
    payments = await Payment.filter(batch_id=batch.id).order_by("id")
    before = await changed(till)
    for raw, said in _broken_files(till, payments):
        with pytest.raises(ReceiptsBroken) as refusal:
            await till.takes(batch, raw)
        assert said in str(refusal.value.arithmetic), said
        assert await changed(till) == before, said
    right = till.receipts(batch, payments)
    run = await till.takes(batch, right)
    assert run.counts == {"new": 2, "same": 0, "broken": 0}
    assert (await till.takes(batch, right)).id == run.id
    closed = await PaymentBatch.get(id=batch.id)
    assert closed.status is BatchStatus.CLOSED
    paid = await Payment.filter(batch_id=batch.id).order_by("id")
    with pytest.raises(ReceiptsBroken) as refusal:
        await till.takes(batch, till.receipts(batch, paid))
    assert "不得重复付款" in refusal.value.arithmetic
    with pytest.raises(ReceiptUnfit):
        await till.office.receipts.enter(
            paid[0].id, number="R9999999", on=till.today(ON_CONTRACT),
            file_id=await till.scan(actor := await till.maker(ON_CONTRACT), ON_CONTRACT), actor=actor,
        )  # fmt: skip


def _broken_files(till: Till, payments: Sequence[Payment]) -> list[tuple[bytes, str]]:
    """Files that must be refused whole, and what the refusal says."""
    day = till.today(ON_CONTRACT)

    def said(place: int, **other: object) -> Receipt:
        one = payments[place]
        known = {"payment": one.number, "amount_fen": one.amount_fen, "paid": True, "on": day}
        return Receipt(**{**known, "number": f"R10000{place}", **other})  # type: ignore[arg-type]

    total = sum(one.amount_fen for one in payments)
    return [
        (till.file_of([said(0), said(1)], stated_fen=total - 1), "相差 0.01"),
        (till.file_of([said(0), said(1, payment="PB-NOBODY")]), "没有编号为"),
        (till.file_of([said(0), said(1, amount_fen=payments[1].amount_fen + 1)]), "≠"),
        (till.file_of([said(0), said(1, number="R100000")]), "已用于另一笔付款"),
        (till.file_of([said(0), said(1, on=day + timedelta(days=1))]), "交易日期"),
        (till.file_of([said(0), said(1, paid=False, number="", reason="")]), "退汇须写明原因"),
    ]


async def test_what_the_bank_returns_comes_back_in_the_books_and_is_paid_to_another_account(
    till: Till,
) -> None:
    budget = await till.budget(ALLOTTED)
    settlement = await till.payable(ALLOTTED, budget=budget)
    account = await till.with_account(settlement)
    batch = await till.paid(await till.drafted(ALLOTTED, budget.year))
    payment, day = await Payment.get(batch_id=batch.id), till.today(ALLOTTED)
    maker = await till.maker(ALLOTTED)
    slip = await till.scan(maker, ALLOTTED)
    await till.office.receipts.give_back(payment.id, reason="账号已销户", on=day, file_id=slip, actor=maker)
    payment = await Payment.get(id=payment.id)
    assert (payment.returned_on, payment.return_file, payment.receipt_on) == (day, slip, day)
    assert await FileAttachment.exists(file_id=slip, document_code="bank_return")
    settlement, _ = await till.settled(settlement)
    assert settlement.status is SettlementStatus.PAYABLE
    assert await ledger.verify() == []
    sums = await ledger.balances(order_id=settlement.order_id, enterprise_id=settlement.enterprise_id)
    assert sums[Account.REDEEMED] == settlement.amount_fen and not sums[Account.DISBURSED]
    assert (await BankAccount.get(id=account.id)).status is AccountStatus.REJECTED
    told = await OutboxMessage.filter(topic="disbursement.returned").first()
    assert told is not None and told.recipient == f"organisation:{settlement.provider_id}"
    assert told.data["ending"] == masked(account.tail)
    with pytest.raises(NothingPayable):
        await till.drafted(ALLOTTED, budget.year)
    await till.with_account(settlement)
    batch = await till.sent(await till.drafted(ALLOTTED, budget.year))
    payment = await Payment.get(batch_id=batch.id)
    scan = await till.scan(maker, ALLOTTED)
    await till.office.receipts.enter(payment.id, number="HD-2026-0001", on=day, file_id=scan, actor=maker)
    payment = await Payment.get(id=payment.id)
    assert payment.status is TransferStatus.PAID and payment.receipt_file == scan
    assert await Payment.filter(settlement_id=settlement.id).count() == 2
    year = await year_money.of(await Budget.get(id=budget.id))
    assert (year.paid_fen, year.paying_fen, year.payable_fen) == (settlement.amount_fen, 0, 0)


@ON_SQLITE
@pytest.mark.rules("LS-57", "LS-58")
async def test_a_summary_invoice_for_exactly_the_sum_comes_before_the_payment(till: Till) -> None:
    budget = await till.budget(GRABBED)
    provider = await till.provider(GRABBED)
    enterprises = [await till.payable(GRABBED, budget=budget, provider=provider) for _ in range(2)]
    await till.account(provider, GRABBED)
    batch = await till.drafted(GRABBED, budget.year)
    total_fen = sum(one.amount_fen for one in enterprises)
    with pytest.raises(SummaryInvoiceMissing):
        await till.approved(batch)
    office, actor = till.office.invoices, person_of(provider)
    document, wanted_fen, arithmetic = await office.wanted(batch.id, actor=actor)
    assert (document.code, wanted_fen) == ("summary_invoice", total_fen) and "+" in arithmetic
    shown = {
        "number": "26332000000012345678",
        "dated": till.today(GRABBED),
        "file_ids": [await till.file(provider, GRABBED)],
        "actor": actor,
    }
    with pytest.raises(SummaryInvoiceDiffers) as refusal:
        await office.hand_in(batch.id, amount_fen=total_fen - 1, **shown)
    assert "≠" in refusal.value.arithmetic
    made = await office.hand_in(batch.id, amount_fen=total_fen, **shown)
    with pytest.raises(SummaryInvoiceTaken):
        await office.hand_in(batch.id, amount_fen=total_fen, **shown)
    with pytest.raises(SummaryInvoiceMissing):  # The original is not there yet.
        await till.approved(batch)
    shop, maker = Cashier(RANKED), await till.maker(GRABBED)
    order = await shop.order(30_000, 15_000, StepKind.PAY_VOUCHER)
    papers = [
        await shop.paper(order, "invoice", 30_000, number=shown["number"]),
        await shop.paper(order, "transfer", 15_000),
    ]
    with pytest.raises(NotDone) as named:  # Whichever of the two comes first, the number counts once.
        await shop.hand_in(order, *papers)
    assert named.value.codes == ["invoice_used_before"]
    with pytest.raises(PaperIsSummaryInvoice):
        await shop.hand_in_unchecked(order, *papers)
    await office.decide(made.id, accepted=False, reason="并非汇总发票", actor=maker)
    await shop.hand_in(order, *papers)
    with pytest.raises(SummaryInvoiceTaken):
        await office.hand_in(batch.id, amount_fen=total_fen, **shown)
    made = await office.hand_in(batch.id, amount_fen=total_fen, **{**shown, "number": "26332000000012345679"})
    await office.decide(made.id, accepted=True, actor=maker)
    batch = await till.paid(batch)
    assert batch.status is BatchStatus.CLOSED and batch.payments_count == 2
    await Organisation.filter(id=provider.id).update(legal_form="public_institution")
    hand_over = await till.archived(batch)
    assert "invoice" in {item["kind"] for item in hand_over.items}


@ON_SQLITE
@pytest.mark.rules("GX-61", "GX-64", "GX-08")
async def test_what_a_year_cannot_pay_is_carried_and_paid_first_of_the_next(till: Till) -> None:
    budget = await till.budget(ALLOTTED)
    first, second = [await till.payable(ALLOTTED, budget=budget) for _ in range(2)]
    for one in (first, second):
        await till.with_account(one)
    await _funded(till, budget, FundKind.ALLOCATION, first.amount_fen + 1)
    batch = await till.paid(await till.drafted(ALLOTTED, budget.year))
    assert [row.settlement_id for row in await Payment.filter(batch_id=batch.id)] == [first.id]
    second, _ = await till.settled(second)
    assert second.status is SettlementStatus.AWAITING_BUDGET
    money = await year_money.of(await Budget.get(id=budget.id))
    assert (money.awaiting_fen, money.payable_left_fen) == (second.amount_fen, 1)
    years, actor = till.office.years, await till.payer(ALLOTTED)
    looked = await years.preview(ALLOTTED, budget.year, actor=actor)
    assert looked.taken_at is None and [one["settlement"] for one in looked.carried] == [second.id]
    with pytest.raises(YearNotOver):
        await years.take(ALLOTTED, budget.year, actor=actor)
    till.clock.at = datetime(budget.year + 1, 1, 2, tzinfo=UTC)
    assert await years.end_due(ALLOTTED) == 1 and await years.end_due(ALLOTTED) == 0
    written = await years.preview(ALLOTTED, budget.year, actor=actor)
    assert written.taken_at is not None and written.carried == looked.carried
    assert await years.carry_due(ALLOTTED) == 0  # The next year's money is not there yet.
    opened = await till.budget(ALLOTTED, 1, year=budget.year + 1)
    assert await years.carry_due(ALLOTTED) == 0, "it is not enough either"
    await budgets.top_up(opened.id, second.amount_fen, actor=OPERATOR, now=till.now, reason=WHY)
    assert await years.carry_due(ALLOTTED) == 1 and await years.carry_due(ALLOTTED) == 0
    second, _ = await till.settled(second)
    assert (second.carried_from_year, second.budget_id) == (budget.year, opened.id)
    assert second.status is SettlementStatus.PAYABLE
    assert (await Budget.get(id=opened.id)).committed_fen == second.amount_fen
    assert await ledger.verify() == []
    batch = await till.paid(await till.drafted(ALLOTTED, opened.year))
    assert batch.budget_id == opened.id and batch.total_fen == second.amount_fen


@ON_SQLITE
@pytest.mark.rules("NX-38")
async def test_interest_joins_the_years_money_with_its_statement_when_another_has_confirmed_it(
    till: Till,
) -> None:
    budget = await till.budget(ON_CONTRACT, 10_000)
    entry, maker = await _entered(till, budget, FundKind.INTEREST, 12_345)
    with pytest.raises(SameHands):
        await till.office.funds.decide(entry, confirmed=True, actor=maker)
    assert (await Budget.get(id=budget.id)).total_fen == yuan_to_fen(10_000)
    await till.office.funds.decide(entry, confirmed=True, actor=await till.maker(ON_CONTRACT))
    year = await Budget.get(id=budget.id)
    assert year.total_fen == yuan_to_fen(10_000) + 12_345 == year.free_fen
    sums = await ledger.balances(budget_id=budget.id)
    assert sums[Account.INTEREST] == -12_345
    with pytest.raises(funds.FundEntryTaken):
        await _entered(till, budget, FundKind.INTEREST, 12_345)
    other = await till.budget(RANKED, 10_000)
    with pytest.raises(funds.InterestNotTheFunds):
        await _entered(till, other, FundKind.INTEREST, 1)
    await _funded(till, budget, FundKind.ALLOCATION, yuan_to_fen(10_000))
    lines = await funds.statement(year)
    assert [line.in_fen for line in lines] == [yuan_to_fen(10_000), 12_345]
    assert lines[-1].balance_fen == year.total_fen


async def _entered(till: Till, budget: Budget, kind: FundKind, amount_fen: int) -> tuple[int, object]:
    slug = budget.programme_slug
    actor = await till.maker(slug)
    entry = await till.office.funds.enter(
        slug, budget.year, kind, amount_fen=amount_fen, dated=till.today(slug), reference=f"{kind}-1",
        file_ids=[await till.scan(actor, slug)], actor=actor,
    )  # fmt: skip
    return entry.id, actor


async def _funded(till: Till, budget: Budget, kind: FundKind, amount_fen: int) -> None:
    entry, _ = await _entered(till, budget, kind, amount_fen)
    await till.office.funds.decide(entry, confirmed=True, actor=await till.maker(budget.programme_slug))
