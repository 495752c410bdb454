"""Disbursements: accounts, batches of payments, what the bank said of them, the fund, and the archive."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.models.rounds import Budget
from server.models.sanctions import Recovery
from server.rules.disbursements import (
    AccountStatus,
    BatchStatus,
    FundKind,
    FundStatus,
    HandOverStatus,
    InvoiceStatus,
    LapseStatus,
    PaymentSource,
    TransferStatus,
)


class BankAccount(Model):
    """收款账户: where a provider is paid to in one programme. Its number is sealed and never changed.

    Whoever has another account enters another row; two people compare it with its proof before it counts.
    """

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="bank_accounts", on_delete=fields.RESTRICT
    )
    organisation_id: int
    programme_slug = fields.CharField(64)
    holder = fields.CharField(200, description="The name the account is held under")
    bank = fields.CharField(120, description="The bank and its branch")
    bank_code = fields.CharField(16, default="", description="The branch's code between banks")
    number_sealed = fields.CharField(400)
    number_index = fields.CharField(64, db_index=True, description="Keyed hash, to find the same number by")
    tail = fields.CharField(4, description="All that is shown of the number")
    proof: list[int] = fields.JSONField(description="The stored files it was entered with")
    status = fields.CharEnumField(AccountStatus, max_length=16, default=AccountStatus.WAITING)
    entered_by = fields.CharField(40)
    entered_at: datetime = fields.DatetimeField()
    checked_by: int | None = fields.BigIntField(null=True)
    checked_at: datetime | None = fields.DatetimeField(null=True)
    verified_by: int | None = fields.BigIntField(null=True)
    verified_at: datetime | None = fields.DatetimeField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it was turned down")
    version = fields.IntField(default=1)

    class Meta:
        table = "bank_account"
        indexes = (("organisation_id", "id"), ("programme_slug", "status", "id"))


class PaymentBatch(Model):
    """付款批次: payments of one programme year that are approved, sent and closed together.

    What was approved is kept by its hash: no payment of it is changed afterwards. Released escrow stands in
    the books of a year, too, and in no sum of its money.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    budget: fields.ForeignKeyRelation[Budget] = fields.ForeignKeyField(
        "models.Budget", related_name="payment_batches", on_delete=fields.RESTRICT
    )
    budget_id: int
    source = fields.CharEnumField(
        PaymentSource, max_length=16, default=PaymentSource.BUDGET, description="Whose money it is"
    )
    status = fields.CharEnumField(BatchStatus, max_length=16, default=BatchStatus.DRAFT)
    payments_count = fields.IntField(default=0)
    total_fen = CheckedBigInt(check="total_fen >= 0", default=0)
    kept_fen = CheckedBigInt(
        check="kept_fen >= 0 AND kept_fen <= total_fen",
        default=0,
        description="Of the total, kept back for claims: the bank is told of the rest",
    )
    content_sha256 = fields.CharField(64, default="", description="Of the payments as they were approved")
    reason = fields.TextField(default="", description="Why it was drawn up, approved or dropped")
    drafted_by = fields.BigIntField()
    drafted_at: datetime = fields.DatetimeField()
    approved_by: int | None = fields.BigIntField(null=True)
    approved_at: datetime | None = fields.DatetimeField(null=True)
    sent_by: int | None = fields.BigIntField(null=True)
    sent_at: datetime | None = fields.DatetimeField(null=True)
    template = fields.CharField(64, default="", description="Which bank's file it was sent as")
    csv_sha256 = fields.CharField(64, default="")
    xlsx_sha256 = fields.CharField(64, default="")
    closed_at: datetime | None = fields.DatetimeField(null=True, description="Or dropped")
    archived_at: datetime | None = fields.DatetimeField(null=True, description="Read only from then on")
    version = fields.IntField(default=1)

    class Meta:
        table = "payment_batch"
        indexes = (("programme_slug", "status", "id"), ("budget_id", "source", "id"))


class Payment(Model):
    """付款: one attempt to pay one settlement, from one source, to one account."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(32, unique=True, description="What the bank is told, and tells us back")
    batch: fields.ForeignKeyRelation[PaymentBatch] = fields.ForeignKeyField(
        "models.PaymentBatch", related_name="payments", on_delete=fields.RESTRICT
    )
    batch_id: int
    source = fields.CharEnumField(
        PaymentSource, max_length=16, default=PaymentSource.BUDGET, description="Its batch's"
    )
    settlement_id = fields.BigIntField()
    order_id = fields.BigIntField(db_index=True)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="received_payments", on_delete=fields.RESTRICT
    )
    provider_id: int
    account: fields.ForeignKeyNullableRelation[BankAccount] = fields.ForeignKeyField(
        "models.BankAccount",
        related_name="payments",
        on_delete=fields.RESTRICT,
        null=True,
        description="Empty: it comes to nothing",
    )
    account_id: int | None
    amount_fen = CheckedBigInt(
        check="amount_fen >= 0", description="What the settlement comes to, or released of escrow"
    )
    kept_fen = CheckedBigInt(
        check="kept_fen >= 0 AND kept_fen <= amount_fen",
        default=0,
        description="Kept back for claims against the payee",
    )
    status = fields.CharEnumField(TransferStatus, max_length=16, default=TransferStatus.WAITING)
    receipt_number = fields.CharField(
        64, default="", description="The bank's own, or the payment's where there was nothing to transfer"
    )
    receipt_on: date | None = fields.DateField(null=True)
    receipt_file: int | None = fields.BigIntField(null=True, description="Its scan, if it was entered singly")
    returned_on: date | None = fields.DateField(null=True, description="The day the bank sent it back")
    return_file: int | None = fields.BigIntField(null=True, description="What shows that, if entered singly")
    reason = fields.TextField(default="", description="Why it came back, or was taken out")
    settled_by = fields.CharField(40, default="", description="Who entered what the bank said")
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "payment"
        indexes = (("batch_id", "id"), ("settlement_id", "id"), ("provider_id", "id"))

    @property
    def payee(self) -> BankAccount:
        """The account it goes to; only what comes to nothing has none. The account is loaded."""
        assert self.account is not None, "what comes to nothing goes to no account"
        return self.account

    @property
    def tail(self) -> str:
        """What is shown of its account's number; empty where it has none. The account is loaded."""
        return "" if self.account is None else str(self.account.tail)

    @property
    def transfer_fen(self) -> int:
        """What the bank transfers, fen."""
        return int(self.amount_fen - self.kept_fen)


class PaymentOffset(Model):
    """抵扣: what of one payment is kept back for one claim. It counts while its payment waits or is paid.

    What it paid off is known once the payment's receipt is matched, and undone when the payment comes back.
    """

    id = fields.BigIntField(primary_key=True)
    payment: fields.ForeignKeyRelation[Payment] = fields.ForeignKeyField(
        "models.Payment", related_name="offsets", on_delete=fields.RESTRICT
    )
    payment_id: int
    recovery: fields.ForeignKeyRelation[Recovery] = fields.ForeignKeyField(
        "models.Recovery", related_name="offsets", on_delete=fields.RESTRICT
    )
    recovery_id: int
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    clause = fields.CharField(120, description="Of the decision that claims the money back")
    arithmetic = fields.TextField(description="What was owed, what is kept, what is paid")
    parts: list[list[int]] = fields.JSONField(
        default=list, description="Line of the claim, its principal, what that has borne, in fen"
    )
    receipt_id: int | None = fields.BigIntField(null=True, description="The claim's receipt of it")

    class Meta:
        table = "payment_offset"
        unique_together = (("payment_id", "recovery_id"),)
        indexes = (("recovery_id", "id"),)


class SummaryInvoice(Model):
    """汇总发票: a provider's invoice to the authority for its vouchers in a batch (LS-57)."""

    id = fields.BigIntField(primary_key=True)
    batch: fields.ForeignKeyRelation[PaymentBatch] = fields.ForeignKeyField(
        "models.PaymentBatch", related_name="summary_invoices", on_delete=fields.RESTRICT
    )
    batch_id: int
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="summary_invoices", on_delete=fields.RESTRICT
    )
    provider_id: int
    code = fields.CharField(64, description="Of the programme's document")
    number = fields.CharField(64)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    dated: date = fields.DateField()
    files: list[int] = fields.JSONField()
    status = fields.CharEnumField(InvoiceStatus, max_length=16, default=InvoiceStatus.HANDED)
    handed_by = fields.CharField(40)
    handed_at: datetime = fields.DatetimeField()
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="")

    class Meta:
        table = "summary_invoice"
        indexes = (("batch_id", "provider_id"),)


class ReceiptImport(Model):
    """One file of the bank's receipts that was taken in, by its hash: the same file twice does nothing."""

    id = fields.BigIntField(primary_key=True)
    batch: fields.ForeignKeyRelation[PaymentBatch] = fields.ForeignKeyField(
        "models.PaymentBatch", related_name="receipt_imports", on_delete=fields.RESTRICT
    )
    batch_id: int
    sha256 = fields.CharField(64)
    counts: dict[str, int] = fields.JSONField()
    total_fen = CheckedBigInt(check="total_fen >= 0")
    done_by = fields.BigIntField()
    done_at: datetime = fields.DatetimeField()

    class Meta:
        table = "receipt_import"
        unique_together = (("batch_id", "sha256"),)


class FundEntry(Model):
    """专户入账: money that came into the account a year is paid from. It counts when confirmed by another."""

    id = fields.BigIntField(primary_key=True)
    budget: fields.ForeignKeyRelation[Budget] = fields.ForeignKeyField(
        "models.Budget", related_name="fund_entries", on_delete=fields.RESTRICT
    )
    budget_id: int
    programme_slug = fields.CharField(64)
    kind = fields.CharEnumField(FundKind, max_length=16)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    dated: date = fields.DateField(description="The day on the bank's statement")
    reference = fields.CharField(64, description="Of the statement, or of the document that allocates")
    files: list[int] = fields.JSONField(description="The bank's statement")
    status = fields.CharEnumField(FundStatus, max_length=16, default=FundStatus.ENTERED)
    reason = fields.TextField(default="")
    entered_by = fields.BigIntField()
    entered_at: datetime = fields.DatetimeField()
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "fund_entry"
        indexes = (("budget_id", "id"),)


class YearEnd(Model):
    """年终结转清单: what a programme year ended with, written once and never changed."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    year = fields.IntField()
    budget_id = fields.BigIntField()
    ended_on: date = fields.DateField(description="The last day of the year")
    figures: dict[str, int] = fields.JSONField(description="Sums in fen, and counts")
    carried: list[dict[str, Any]] = fields.JSONField(description="Approved and unpaid, in their order")
    lapsed: list[dict[str, Any]] = fields.JSONField(description="What ends with the year")
    taken_at: datetime = fields.DatetimeField()

    class Meta:
        table = "year_end"
        unique_together = (("programme_slug", "year"),)


class YearLapse(Model):
    """年度终止: what of a year's list ends, as both who decide it saw it, and how far that is."""

    id = fields.BigIntField(primary_key=True)
    year_end: fields.ForeignKeyRelation[YearEnd] = fields.ForeignKeyField(
        "models.YearEnd", related_name="lapses", on_delete=fields.RESTRICT
    )
    year_end_id: int
    programme_slug = fields.CharField(64)
    year = fields.IntField()
    lines: list[dict[str, Any]] = fields.JSONField(description="What lapses, with clause and reason")
    sha256 = fields.CharField(64, description="Of the list as it stood: carried and lapsing")
    status = fields.CharEnumField(LapseStatus, max_length=16, default=LapseStatus.ASKED)
    reason = fields.TextField()
    asked_by = fields.BigIntField()
    asked_at: datetime = fields.DatetimeField()
    decided_by: int | None = fields.BigIntField(null=True)
    decided_at: datetime | None = fields.DatetimeField(null=True)
    done_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "year_lapse"
        indexes = (("programme_slug", "year", "status"),)


class ResultFiling(Model):
    """结果备案: the result of a batch is filed with a higher body (GZ-41)."""

    id = fields.BigIntField(primary_key=True)
    batch: fields.OneToOneRelation[PaymentBatch] = fields.OneToOneField(
        "models.PaymentBatch", related_name="filing", on_delete=fields.RESTRICT
    )
    batch_id: int
    filed_with = fields.CharField(120)
    reference = fields.CharField(64, description="Of the letter it was filed with")
    filed_on: date = fields.DateField()
    files: list[int] = fields.JSONField()
    filed_by = fields.BigIntField()
    filed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "result_filing"


class HandOver(Model):
    """移交清单: all materials and bank receipts of a paid batch, handed to the archive (GZ-43)."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True)
    batch: fields.ForeignKeyRelation[PaymentBatch] = fields.ForeignKeyField(
        "models.PaymentBatch", related_name="hand_overs", on_delete=fields.RESTRICT
    )
    batch_id: int
    items: list[dict[str, Any]] = fields.JSONField(description="Each paper with its hash, in order")
    sha256 = fields.CharField(64, description="Of the list")
    status = fields.CharEnumField(HandOverStatus, max_length=16, default=HandOverStatus.HANDED)
    handed_by = fields.BigIntField()
    handed_at: datetime = fields.DatetimeField()
    received_by: int | None = fields.BigIntField(null=True)
    received_at: datetime | None = fields.DatetimeField(null=True)
    remarks = fields.TextField(default="")

    class Meta:
        table = "hand_over"
        indexes = (("batch_id", "id"),)
