"""Settlements: what providers ask for, order by order, and the forms they hand it in with.

One order's settlement is one review case (subject ``settlement``), so that a sample, an objection, an
inspection or a hold concerns exactly the order it is about. The application is the envelope.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.files import StoredFile
from server.models.orders import Order
from server.models.organisations import Organisation
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus


class SettlementWindow(Model):
    """集中兑付: a span in which settlements are handed in, where the text has such spans (GX-60)."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    year = fields.IntField(description="The programme year it is counted in")
    number = fields.IntField(description="Which of the year it is")
    name = fields.CharField(120)
    opens_at: datetime = fields.DatetimeField()
    closes_at: datetime = fields.DatetimeField(description="Exclusive")
    announced_by = fields.BigIntField(description="The member of staff")
    announced_at: datetime = fields.DatetimeField()
    told_opened_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "settlement_window"
        unique_together = (("programme_slug", "year", "number"),)


class SettlementApplication(Model):
    """兑付申请: what one provider hands in together: one or several orders, and the forms for all of them."""

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="settlement_applications", on_delete=fields.RESTRICT
    )
    provider_id: int
    window: fields.ForeignKeyNullableRelation[SettlementWindow] = fields.ForeignKeyField(
        "models.SettlementWindow", related_name="applications", null=True, on_delete=fields.RESTRICT
    )
    window_id: int | None
    status = fields.CharEnumField(
        SettlementApplicationStatus, max_length=16, default=SettlementApplicationStatus.DRAFT
    )
    actor = fields.CharField(64, description="As the journal names who opened it")
    opened_at: datetime = fields.DatetimeField()
    submitted_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1, description="Rises with every change: two who press at once")

    class Meta:
        table = "settlement_application"
        indexes = (("provider_id", "id"), ("programme_slug", "status", "id"))


class Settlement(Model):
    """兑付: one order's redemption, from the application to the money in the provider's account.

    ``asked_fen`` is what the evidence comes to, ``ledger_fen`` what the ledger has of the order,
    ``amount_fen`` what is to be paid: less ``reduced_fen``. ``line_at`` is its place in every queue, and it
    keeps it.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    application: fields.ForeignKeyRelation[SettlementApplication] = fields.ForeignKeyField(
        "models.SettlementApplication", related_name="settlements", on_delete=fields.RESTRICT
    )
    application_id: int
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="settlements", on_delete=fields.RESTRICT
    )
    order_id: int
    provider_id = fields.BigIntField()
    enterprise_id = fields.BigIntField()
    budget_id: int | None = fields.BigIntField(null=True, description="Whose money it is, once it is known")
    programme_slug = fields.CharField(64)
    category = fields.CharField(64)
    status = fields.CharEnumField(SettlementStatus, max_length=16, default=SettlementStatus.DRAFT)
    asked_fen = CheckedBigInt(check="asked_fen >= 0", default=0)
    ledger_fen = CheckedBigInt(check="ledger_fen >= 0", default=0)
    amount_fen = CheckedBigInt(
        check="amount_fen >= 0 AND amount_fen + reduced_fen <= ledger_fen",
        default=0,
        description="Nobody is paid more than the ledger has of the order",
    )
    reduced_fen = CheckedBigInt(check="reduced_fen >= 0", default=0)
    reduction_reason = fields.TextField(default="")
    escrow_fen = CheckedBigInt(check="escrow_fen >= 0", default=0, description="Released to the provider")
    escrow_back_fen = CheckedBigInt(
        check="escrow_back_fen >= 0", default=0, description="Given back to the enterprise"
    )
    fee_fen = CheckedBigInt(check="fee_fen >= 0", default=0, description="The operator's supervision fee")
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="", description="How the amount was worked out, limit by limit")
    result_on: date | None = fields.DateField(null=True, description="The day its result was obtained")
    flagged = fields.BooleanField(default=False, description="A paper stood in for another: into the sample")
    year = fields.IntField(description="The programme year it was handed in for")
    carried_from_year: int | None = fields.IntField(null=True, description="Unpaid then, first now (GX-61)")
    line_at: datetime | None = fields.DatetimeField(null=True, description="When its file was first complete")
    payable_at: datetime | None = fields.DatetimeField(null=True)
    paid_at: datetime | None = fields.DatetimeField(null=True)
    ended_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it was returned, refused or withdrawn")
    case_id: int | None = fields.BigIntField(null=True, description="Its review, once it was handed in")
    version = fields.IntField(default=1)

    class Meta:
        table = "settlement"
        indexes = (
            ("application_id", "id"),
            ("provider_id", "id"),
            ("programme_slug", "status", "line_at", "id"),
            ("budget_id", "status"),
            ("case_id",),
        )


class SettlementPaper(Model):
    """One document handed in with an application, for one of its orders or for all.

    Its files hang on ``settlement_paper:<id>``.
    """

    id = fields.BigIntField(primary_key=True)
    application: fields.ForeignKeyRelation[SettlementApplication] = fields.ForeignKeyField(
        "models.SettlementApplication", related_name="papers", on_delete=fields.RESTRICT
    )
    application_id: int
    settlement: fields.ForeignKeyNullableRelation[Settlement] = fields.ForeignKeyField(
        "models.Settlement", related_name="papers", null=True, on_delete=fields.RESTRICT
    )
    settlement_id: int | None
    code = fields.CharField(64, description="Of the programme's document")
    files: list[int] = fields.JSONField(description="The stored files, in their order")
    number = fields.CharField(64, default="", description="Of an invoice or a receipt")
    amount_fen: int | None = fields.BigIntField(null=True)
    dated: date | None = fields.DateField(null=True)
    payer = fields.CharField(200, default="")
    payee = fields.CharField(200, default="")
    handed_at: datetime = fields.DatetimeField()
    withdrawn_at: datetime | None = fields.DatetimeField(null=True, description="Another took its place")

    class Meta:
        table = "settlement_paper"
        indexes = (("application_id", "id"), ("settlement_id", "id"))


class SettlementForm(Model):
    """A form the platform filled in for an application, as it was printed, never changed (GZ-40, GX-62)."""

    id = fields.BigIntField(primary_key=True)
    application: fields.ForeignKeyRelation[SettlementApplication] = fields.ForeignKeyField(
        "models.SettlementApplication", related_name="forms", on_delete=fields.RESTRICT
    )
    application_id: int
    code = fields.CharField(64, description="Of the programme's document")
    content: dict[str, Any] = fields.JSONField()
    text_sha256 = fields.CharField(64, description="Of what it says: other orders make another form")
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="settlement_forms", on_delete=fields.RESTRICT
    )
    file_id: int
    printed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "settlement_form"
        unique_together = (("application_id", "code", "text_sha256"),)


class RefundTask(Model):
    """退还任务: a provider whose enterprise had paid in full gives the voucher's amount back (GZ-48)."""

    id = fields.BigIntField(primary_key=True)
    settlement: fields.OneToOneRelation[Settlement] = fields.OneToOneField(
        "models.Settlement", related_name="refund_task", on_delete=fields.RESTRICT
    )
    settlement_id: int
    order_id = fields.BigIntField(db_index=True)
    provider_id = fields.BigIntField()
    enterprise_id = fields.BigIntField()
    programme_slug = fields.CharField(64)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="")
    opened_at: datetime = fields.DatetimeField()
    done_at: datetime | None = fields.DatetimeField(null=True, description="When a bank's receipt showed it")

    class Meta:
        table = "refund_task"
        indexes = (("provider_id", "id"),)
