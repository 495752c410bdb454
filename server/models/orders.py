"""Orders: one service bought with a voucher, from the first step its programme lists to the last."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.contracts import Contract
from server.models.organisations import Organisation
from server.models.vouchers import Voucher
from server.programme.steps import StepKind
from server.programme.vocabulary import Party
from server.rules.orders import OrderStatus


class Order(Model):
    """订单: an enterprise's order with a provider, under the terms it was opened on.

    Its prices stay apart: what was ordered, what the contract says, what was invoiced, what it really
    cost. ``voucher_fen`` is what vouchers pay by the last working-out, with its clause and arithmetic;
    what the ledger holds or has spent for it is kept by ``order_id``.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    notice_year: int | None = fields.IntField(null=True, description="The yearly notice it stands under")
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="orders", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="orders_as_provider", on_delete=fields.RESTRICT
    )
    provider_id: int
    offering_id: int | None = fields.BigIntField(null=True)
    offering_version_id: int | None = fields.BigIntField(
        null=True, description="The version it was placed under, for good"
    )
    contract: fields.ForeignKeyNullableRelation[Contract] = fields.ForeignKeyField(
        "models.Contract", related_name="orders", null=True, on_delete=fields.RESTRICT
    )
    contract_id: int | None
    category = fields.CharField(64)
    service = fields.CharField(200, default="", description="The kind of service, in the text's words")
    project = fields.CharField(200, description="What is served")
    project_key: str | None = fields.CharField(  # type: ignore[assignment]
        200, null=True, description="Where a project uses a voucher once, while this order is that use"
    )
    kind = fields.CharField(32, default="", description="The kind of voucher that pays, if several")
    list_price_fen: int | None = fields.BigIntField(null=True, description="As the offering says, fen")
    price_fen = CheckedBigInt(check="price_fen > 0", description="As agreed when it was opened, fen")
    contract_fen: int | None = fields.BigIntField(null=True)
    invoice_fen: int | None = fields.BigIntField(null=True)
    actual_fee_fen: int | None = fields.BigIntField(null=True)
    unrelated_fen = CheckedBigInt(
        check="unrelated_fen >= 0", default=0, description="In contract and invoice, but not of the service"
    )
    price_reason = fields.TextField(default="", description="Why the price is unlike others")
    budget_id: int | None = fields.BigIntField(null=True, description="The year whose money it uses")
    voucher_id: int | None = fields.BigIntField(
        null=True, description="The voucher it names, if it names one"
    )
    wanted_fen: int | None = fields.BigIntField(null=True, description="What the enterprise wants to spend")
    voucher_fen = CheckedBigInt(check="voucher_fen >= 0", default=0)
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="")
    status = fields.CharEnumField(OrderStatus, max_length=16, default=OrderStatus.OPEN)
    step: StepKind | None = fields.CharEnumField(  # type: ignore[assignment]
        StepKind, max_length=32, null=True, description="What comes next, null when all is done"
    )
    step_since: datetime = fields.DatetimeField(description="When it came to be its turn")
    step_due_at: datetime | None = fields.DatetimeField(null=True)
    reminded_at: datetime | None = fields.DatetimeField(null=True)
    opened_by = fields.CharEnumField(Party, max_length=16)
    placed_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it ended without being done")
    version = fields.IntField(default=1, description="Rises with every change: two who press at once")

    class Meta:
        table = "service_order"
        indexes = (
            ("enterprise_id", "id"),
            ("provider_id", "id"),
            ("programme_slug", "status", "step_due_at"),
            ("contract_id", "id"),
            ("voucher_id", "status"),
        )
        # Each project of an enterprise once (YC-13).
        unique_together = (("programme_slug", "provider_id", "enterprise_id", "project_key"),)


class OrderAct(Model):
    """One side did one step: who, when, and what it said. Sent back, it counts no more."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="acts", on_delete=fields.RESTRICT
    )
    order_id: int
    step = fields.CharEnumField(StepKind, max_length=32)
    party: Party | None = fields.CharEnumField(  # type: ignore[assignment]
        Party, max_length=16, null=True, description="null: the platform or an official"
    )
    actor = fields.CharField(64, description="As the journal names who did it")
    at: datetime = fields.DatetimeField()
    values: dict[str, Any] = fields.JSONField(description="Its own fields, money in fen")
    sent_back_at: datetime | None = fields.DatetimeField(null=True)
    sent_back_reason = fields.TextField(default="")

    class Meta:
        table = "order_act"
        indexes = (("order_id", "id"),)


class OrderPaper(Model):
    """One document handed in with a step. Its files hang on ``order_paper:<id>``."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="papers", on_delete=fields.RESTRICT
    )
    order_id: int
    act: fields.ForeignKeyRelation[OrderAct] = fields.ForeignKeyField(
        "models.OrderAct", related_name="papers", on_delete=fields.RESTRICT
    )
    act_id: int
    step = fields.CharEnumField(StepKind, max_length=32)
    code = fields.CharField(64, description="Of the programme's document")
    files: list[int] = fields.JSONField(description="The stored files, in their order")
    number = fields.CharField(64, default="", description="Of an invoice, a receipt, a contract")
    amount_fen: int | None = fields.BigIntField(null=True)
    dated: date | None = fields.DateField(null=True)
    payer = fields.CharField(200, default="", description="Payer or buyer, as the paper names them")
    payee = fields.CharField(200, default="", description="Payee or seller, as the paper names them")
    handed_at: datetime = fields.DatetimeField()
    withdrawn_at: datetime | None = fields.DatetimeField(null=True, description="Sent back with its act")

    class Meta:
        table = "order_paper"
        indexes = (("order_id", "id"),)


class VoucherHold(Model):
    """What one order has of one voucher: held while it is under way, spent when it is consumed."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="holds", on_delete=fields.RESTRICT
    )
    order_id: int
    voucher: fields.ForeignKeyRelation[Voucher] = fields.ForeignKeyField(
        "models.Voucher", related_name="holds", on_delete=fields.RESTRICT
    )
    voucher_id: int
    held_fen = CheckedBigInt(check="held_fen >= 0")
    spent_fen = CheckedBigInt(check="spent_fen >= 0", default=0)
    held_at: datetime = fields.DatetimeField()

    class Meta:
        table = "voucher_hold"
        unique_together = (("order_id", "voucher_id"),)
        indexes = (("voucher_id", "id"),)


class CancellationRequest(Model):
    """取消订单申请: one side asks in writing that an order be cancelled (LS-53)."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="cancellations", on_delete=fields.RESTRICT
    )
    order_id: int
    party = fields.CharEnumField(Party, max_length=16)
    actor = fields.CharField(64)
    reason = fields.TextField()
    files: list[int] = fields.JSONField(description="The written request, where the text asks for one")
    asked_at: datetime = fields.DatetimeField()
    taken_back_at: datetime | None = fields.DatetimeField(null=True, description="Or refused")

    class Meta:
        table = "cancellation_request"
        indexes = (("order_id", "id"),)


class PaymentReturnRequest(Model):
    """退回支付: who received a voucher asks that the payment go back to its payer (GZ-101)."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="payment_returns", on_delete=fields.RESTRICT
    )
    order_id: int
    actor = fields.CharField(64)
    reason = fields.TextField()
    asked_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    granted: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]

    class Meta:
        table = "payment_return_request"
        indexes = (("order_id", "id"),)
