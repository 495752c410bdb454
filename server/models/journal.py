"""The journal: who did what to which case, when and why. Append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class JournalEntry(Model):
    """One deed. Written in the same transaction as the change it tells of."""

    id = fields.BigIntField(primary_key=True)
    at: datetime = fields.DatetimeField()
    action = fields.CharField(64, description="Dotted and global: round.opened, voucher.granted")
    actor = fields.CharField(40, description="person:12, staff:3, clock")
    subject = fields.CharField(40, description="round:7, voucher:1024")
    programme_slug = fields.CharField(64, default="")
    data: dict[str, Any] = fields.JSONField(default=dict)

    class Meta:
        table = "journal_entry"
        indexes = (("subject", "id"),)
