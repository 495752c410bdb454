"""Escrow transfers: an enterprise's own money that was released, on its way to the provider's account."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.disbursements import BankAccount
from server.models.organisations import Organisation
from server.rules.disbursements import BatchStatus, TransferStatus


class EscrowBatch(Model):
    """保证金划付批次: transfers of released escrow that are approved, sent and closed together."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    status = fields.CharEnumField(BatchStatus, max_length=16, default=BatchStatus.DRAFT)
    transfers_count = fields.IntField()
    total_fen = CheckedBigInt(check="total_fen >= 0")
    content_sha256 = fields.CharField(64, default="", description="Of the transfers as they were approved")
    reason = fields.TextField()
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
    version = fields.IntField(default=1)

    class Meta:
        table = "escrow_batch"
        indexes = (("programme_slug", "status", "id"),)


class EscrowTransfer(Model):
    """保证金划付: one attempt to transfer what one settlement released."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(32, unique=True, description="What the bank is told")
    batch: fields.ForeignKeyRelation[EscrowBatch] = fields.ForeignKeyField(
        "models.EscrowBatch", related_name="transfers", on_delete=fields.RESTRICT
    )
    batch_id: int
    settlement_id = fields.BigIntField()
    order_id = fields.BigIntField(db_index=True)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="escrow_transfers", on_delete=fields.RESTRICT
    )
    provider_id: int
    account: fields.ForeignKeyRelation[BankAccount] = fields.ForeignKeyField(
        "models.BankAccount", related_name="escrow_transfers", on_delete=fields.RESTRICT
    )
    account_id: int
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    status = fields.CharEnumField(TransferStatus, max_length=16, default=TransferStatus.WAITING)
    receipt_number = fields.CharField(64, default="", description="The bank's own")
    receipt_on: date | None = fields.DateField(null=True)
    receipt_file: int | None = fields.BigIntField(null=True, description="Its scan")
    returned_on: date | None = fields.DateField(null=True, description="The day the bank sent it back")
    return_file: int | None = fields.BigIntField(null=True, description="What shows that")
    reason = fields.TextField(default="", description="Why it came back, or was dropped")
    settled_by = fields.CharField(40, default="", description="Who entered what the bank said")
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "escrow_transfer"
        indexes = (("batch_id", "id"), ("settlement_id", "id"), ("provider_id", "id"))
