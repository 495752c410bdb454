"""Requests for vouchers, where a text issues one on a signed contract."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.orders import Order
from server.models.organisations import Organisation
from server.models.rounds import Round
from server.rules.request_line import RequestStatus


class VoucherRequest(Model):
    """An enterprise's request for a voucher on a signed contract's order, with its place in the line."""

    id = fields.BigIntField(primary_key=True)
    round: fields.ForeignKeyRelation[Round] = fields.ForeignKeyField(
        "models.Round", related_name="requests", on_delete=fields.RESTRICT
    )
    round_id: int
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="requests", on_delete=fields.RESTRICT
    )
    order_id: int
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="voucher_requests", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    status = fields.CharEnumField(RequestStatus, max_length=16)
    requested_at: datetime = fields.DatetimeField(description="By the server's clock: its place in the line")
    labels: list[str] = fields.JSONField(description="Confirmed labels when it was requested")
    expected_fen = CheckedBigInt(check="expected_fen > 0", description="What the rules gave then, fen")
    amount_fen: int | None = fields.BigIntField(null=True, description="What the operator worked out, fen")
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="")
    reason = fields.TextField(default="")
    decided_at: datetime | None = fields.DatetimeField(null=True)
    voucher_id: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "voucher_request"
        indexes = (("round_id", "status"), ("enterprise_id", "id"))
