"""The outbox: what must be told to whom, written with the change and delivered after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class OutboxMessage(Model):
    """One message to one recipient. Its id is what a receiver de-duplicates by."""

    id = fields.BigIntField(primary_key=True)
    created_at: datetime = fields.DatetimeField()
    topic = fields.CharField(64)
    recipient = fields.CharField(
        96, description="organisation:5, person:12, staff:3, role:operator:<programme>"
    )
    data: dict[str, Any] = fields.JSONField(default=dict)
    delivered_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        # Read in the order of its ids; any other index would cost each grant of a launch.
        table = "outbox_message"
