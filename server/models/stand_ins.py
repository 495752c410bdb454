"""Stand-ins: who does a colleague's work for some days."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.programme.vocabulary import Actor


class StandIn(Model):
    """代班: for some days, ``deputy_id`` reviews what ``principal_id`` would have, in one role both have."""

    id = fields.BigIntField(primary_key=True)
    principal_id = fields.BigIntField()
    deputy_id = fields.BigIntField()
    role = fields.CharEnumField(Actor, max_length=16)
    starts_at: datetime = fields.DatetimeField()
    ends_at: datetime = fields.DatetimeField(description="Exclusive")
    active = fields.BooleanField(default=False, description="Switched by the clock, day by day")
    reason = fields.CharField(200, default="")
    made_by = fields.CharField(40)
    made_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True, description="Called off before its end")

    class Meta:
        table = "stand_in"
        indexes = (("deputy_id", "active"), ("principal_id", "ends_at"))
