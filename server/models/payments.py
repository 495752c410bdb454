"""Payments of an enterprise's own money, escrow held for an order, and numbers of papers that count once."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.disbursements import SummaryInvoice
from server.models.orders import Order
from server.programme.steps import StepKind
from server.rules.invoice_checks import MarkKind
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus


class OwnPayment(Model):
    """One payment of an order: by the bank, as its receipt says, or through the payment gateway."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="payments", on_delete=fields.RESTRICT
    )
    order_id: int
    programme_slug = fields.CharField(64)
    purpose = fields.CharEnumField(PaymentPurpose, max_length=16)
    method = fields.CharEnumField(PaymentMethod, max_length=16)
    status = fields.CharEnumField(PaymentStatus, max_length=16)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    payer = fields.CharField(200)
    payee = fields.CharField(200)
    step = fields.CharEnumField(StepKind, max_length=32)
    code = fields.CharField(64, default="", description="The document whose receipt shows it")
    paid_on: date | None = fields.DateField(null=True)
    bank_reference = fields.CharField(64, default="")
    trade_number: str | None = fields.CharField(  # type: ignore[assignment]
        32, null=True, unique=True, description="Ours"
    )
    transaction_id: str | None = fields.CharField(  # type: ignore[assignment]
        64, null=True, unique=True, description="The gateway's, for good"
    )
    created_by = fields.CharField(64)
    created_at: datetime = fields.DatetimeField()
    expires_at: datetime | None = fields.DatetimeField(null=True, description="By the machine's clock")
    asked_at: datetime | None = fields.DatetimeField(null=True, description="When the gateway was asked last")
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "own_payment"
        indexes = (("order_id", "id"), ("status", "asked_at"))


class Escrow(Model):
    """What the operator holds of an enterprise's own money for one order. The ledger has its movements."""

    id = fields.BigIntField(primary_key=True)
    order: fields.OneToOneRelation[Order] = fields.OneToOneField(
        "models.Order", related_name="escrow", on_delete=fields.RESTRICT
    )
    order_id: int
    budget_id = fields.BigIntField()
    paid_fen = CheckedBigInt(check="paid_fen >= 0", default=0)
    released_fen = CheckedBigInt(check="released_fen >= 0", default=0)
    refunded_fen = CheckedBigInt(
        check="refunded_fen >= 0 AND released_fen + refunded_fen <= paid_fen",
        default=0,
        description="Nobody spends it twice: what is gone is never more than what came",
    )

    class Meta:
        table = "escrow"

    @property
    def held_fen(self) -> int:
        return int(self.paid_fen - self.released_fen - self.refunded_fen)


class PaperMark(Model):
    """The number of an invoice or a bank receipt: it counts once, over all programmes and years.

    It stands for one step of an order, or for a summary invoice as long as that one is not sent back.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharEnumField(MarkKind, max_length=16)
    mark = fields.CharField(64, description="The digits of an invoice, the bank's reference of a receipt")
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="marks", null=True, on_delete=fields.RESTRICT
    )
    order_id: int | None
    step = fields.CharEnumField(StepKind, max_length=32, null=True)
    summary_invoice: fields.OneToOneNullableRelation[SummaryInvoice] = fields.OneToOneField(
        "models.SummaryInvoice", related_name="mark", null=True, on_delete=fields.RESTRICT
    )
    summary_invoice_id: int | None
    code = fields.CharField(64)
    marked_at: datetime = fields.DatetimeField()

    class Meta:
        table = "paper_mark"
        unique_together = (("kind", "mark"),)
        indexes = (("order_id", "step"),)
