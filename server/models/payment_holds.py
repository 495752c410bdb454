"""Payment holds: money that is due and is not paid until somebody has decided."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.orders import Order
from server.models.organisations import Organisation
from server.rules.payment_holds import HoldCause


class PaymentHold(Model):
    """暂停兑付: nothing of a provider, an enterprise or one order is paid. Lifted, never deleted.

    It holds the settlements of a programme that match every column it names; one that names none of them
    would hold a whole programme and is not made.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    provider: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="payment_holds", null=True, on_delete=fields.RESTRICT
    )
    provider_id: int | None
    enterprise: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation",
        related_name="payment_holds_as_enterprise",
        null=True,
        on_delete=fields.RESTRICT,
    )
    enterprise_id: int | None
    order: fields.ForeignKeyNullableRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="payment_holds", null=True, on_delete=fields.RESTRICT
    )
    order_id: int | None
    orders_until: datetime | None = fields.DatetimeField(
        null=True, description="Orders placed later are free, null: every one is held"
    )
    cause = fields.CharEnumField(HoldCause, max_length=16)
    cause_id = fields.BigIntField(description="The row of whatever it rests on")
    clause = fields.CharField(120)
    reason = fields.TextField(description="What both sides may read, nobody's identity")
    placed_by: int | None = fields.BigIntField(null=True, description="The member of staff, null: the clock")
    placed_at: datetime = fields.DatetimeField()
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_by: int | None = fields.BigIntField(null=True)
    lift_reason = fields.TextField(default="")

    class Meta:
        table = "payment_hold"
        indexes = (("cause", "cause_id"), ("programme_slug", "lifted_at", "id"))
