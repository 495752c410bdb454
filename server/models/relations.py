"""Relations: who stands behind an organisation, as it declares, and what was found about an order."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.orders import Order
from server.models.organisations import Organisation
from server.rules.findings import FindingKind, Weight
from server.sealing import SEALED_LENGTH


class TieDeclaration(Model):
    """Representative, telephones, address and shareholders of an organisation, as it declared them once.

    Never changed: the last one counts. What is personal is sealed.
    """

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="tie_declarations", on_delete=fields.RESTRICT
    )
    organisation_id: int
    number = fields.IntField(description="1 is the first")
    representative_sealed = fields.CharField(SEALED_LENGTH, description="Name")
    representative_id_sealed = fields.CharField(SEALED_LENGTH, default="", description="Identity number")
    phones_sealed: list[str] = fields.JSONField(default=list)
    address_sealed = fields.CharField(1_200, default="", description="Where it works")
    shareholders: list[dict[str, Any]] = fields.JSONField(
        default=list,
        description="uscc and name of an organisation, name_sealed and id_sealed of a person, share_bp",
    )
    declared_by = fields.BigIntField(description="The person")
    declared_at: datetime = fields.DatetimeField()

    class Meta:
        table = "tie_declaration"
        unique_together = (("organisation_id", "number"),)


class OrderFinding(Model):
    """What the system found about an order when it was placed or contracted. Never changed."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="findings", on_delete=fields.RESTRICT
    )
    order_id: int
    kind = fields.CharEnumField(FindingKind, max_length=16)
    weight = fields.CharEnumField(Weight, max_length=16)
    code = fields.CharField(64)
    clause = fields.CharField(120, default="")
    message = fields.TextField()
    arithmetic = fields.TextField(default="")
    found_at: datetime = fields.DatetimeField()

    class Meta:
        table = "order_finding"
        indexes = (("order_id", "id"),)
