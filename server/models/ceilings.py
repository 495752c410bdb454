"""Ceilings gone beyond: what the authority lets a provider receive where a text says "in principle"."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.models.rounds import Budget


class CeilingRaise(Model):
    """突破限额: a provider's ceiling in a year, as the authority has raised it. The last one counts."""

    id = fields.BigIntField(primary_key=True)
    budget: fields.ForeignKeyRelation[Budget] = fields.ForeignKeyField(
        "models.Budget", related_name="ceiling_raises", on_delete=fields.RESTRICT
    )
    budget_id: int
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="ceiling_raises", on_delete=fields.RESTRICT
    )
    provider_id: int
    ceiling = fields.CharField(64, description="The programme's ceiling")
    clause = fields.CharField(120)
    most_fen = CheckedBigInt(check="most_fen > 0", description="What it may receive in the year, fen")
    reason = fields.TextField()
    made_by = fields.BigIntField(description="The member of staff")
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "ceiling_raise"
        indexes = (("budget_id", "provider_id", "id"),)
