"""The inbox: what was told to whom, who has read it, and how far the outbox has been emptied."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class InboxMessage(Model):
    """One delivered message. ``outbox_id`` is unique: nothing is delivered twice."""

    id = fields.BigIntField(primary_key=True)
    outbox_id = fields.BigIntField(unique=True)
    created_at: datetime = fields.DatetimeField(description="When it happened, by the programme's clock")
    delivered_at: datetime = fields.DatetimeField(description="By the machine's clock")
    topic = fields.CharField(64)
    recipient = fields.CharField(96, description="As in the outbox")
    area = fields.CharField(64, default="", description="Where its organisation is, where data says so")
    data: dict[str, Any] = fields.JSONField(default=dict)

    class Meta:
        table = "inbox_message"
        indexes = (("recipient", "id"),)


class InboxRead(Model):
    """One reader has read one message that many may read."""

    id = fields.BigIntField(primary_key=True)
    reader = fields.CharField(40, description="person:12, staff:3")
    message_id = fields.BigIntField()

    class Meta:
        table = "inbox_read"
        unique_together = (("reader", "message_id"),)


class InboxMark(Model):
    """How far a reader has read what goes to one recipient: everything up to a message."""

    id = fields.BigIntField(primary_key=True)
    reader = fields.CharField(40)
    recipient = fields.CharField(96)
    read_up_to = fields.BigIntField()

    class Meta:
        table = "inbox_mark"
        unique_together = (("reader", "recipient"),)


class OutboxCursor(Model):
    """Below ``through`` nothing is left to deliver. ``seen`` is what ``through`` becomes next."""

    id = fields.IntField(primary_key=True)
    through = fields.BigIntField(default=0)
    seen = fields.BigIntField(default=0)
    seen_at: datetime = fields.DatetimeField()

    class Meta:
        table = "outbox_cursor"


class ReminderSent(Model):
    """One reminder that was sent: never again for the same matter, deadline and distance."""

    id = fields.BigIntField(primary_key=True)
    about = fields.CharField(32)
    subject = fields.CharField(40, description="voucher:1024")
    recipient = fields.CharField(96)
    deadline: datetime = fields.DatetimeField()
    days_before = fields.IntField()
    sent_at: datetime = fields.DatetimeField()

    class Meta:
        table = "reminder_sent"
        unique_together = (("about", "subject", "recipient", "deadline", "days_before"),)
