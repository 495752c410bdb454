"""Deliveries: what is on its way to whom, by which channel, and what people consented to receive."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.people import Person
from server.programme.messages import MessageChannel


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    WAITING = "waiting"
    """Due at ``next_at``, or on its way by somebody whose lease ends then."""
    SENT = "sent"
    """A channel took it on."""
    KEPT = "kept"
    """No channel reaches them: it is in the inbox."""
    HELD = "held"
    """For somebody who has no inbox: it waits until they write again."""
    EXPIRED = "expired"
    """What it tells of was over before any channel took it on: it is in the inbox."""
    DEAD = "dead"
    """It could not be sent: the operator looks."""


class Delivery(Model):
    """One message to one addressee beyond the inbox. Instants are the machine's clock.

    Unique by message and addressee: whoever plans it again finds it there. A reply of the chat has no
    outbox message, but a text of its own.
    """

    id = fields.BigIntField(primary_key=True)
    outbox_id: int | None = fields.BigIntField(null=True)
    addressee = fields.CharField(40, description="person:12, sender:17")
    topic = fields.CharField(64)
    programme_slug = fields.CharField(64, default="", description="Empty: no programme's")
    state = fields.CharEnumField(DeliveryState, max_length=16, default=DeliveryState.WAITING)
    channel = fields.CharEnumField(
        MessageChannel, max_length=16, null=True, description="By which it goes, or went"
    )
    holds = fields.BooleanField(
        default=False, description="It has a consent, or a place in the window, of its channel"
    )
    uncertain = fields.BooleanField(
        default=False, description="It was given to its channel, and whether it arrived there is not known"
    )
    tried: list[str] = fields.JSONField(default=list, description="Channels that do not reach them")
    attempts = fields.IntField(default=0)
    next_at: datetime = fields.DatetimeField(description="When it is due, while claimed the lease's end")
    claimed_by = fields.CharField(32, default="", description="The process that has it, for this time")
    error_code: int | None = fields.IntField(null=True, description="WeChat's last code")
    error = fields.CharField(32, default="", description="What it means, a code")
    message_id = fields.CharField(64, default="", description="The channel's own name of what it took on")
    text_sealed = fields.TextField(default="", description="Of a reply of the chat")
    created_at: datetime = fields.DatetimeField()
    settled_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "delivery"
        unique_together = (("outbox_id", "addressee"),)


class ConsentKind(StrEnum):
    """What happened to a consent."""

    GIVEN = "given"
    CONFIRMED = "confirmed"
    """The same consent, told by the other side: the phone and WeChat both tell."""
    USED = "used"
    RETURNED = "returned"
    """Set aside for a message that then went another way."""
    REFUSED = "refused"
    """By the person, or WeChat says so: nothing is left."""


class ConsentEntry(Model):
    """One line of the ledger of consents, never changed."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="consent_entries", on_delete=fields.RESTRICT
    )
    person_id: int
    template = fields.CharField(32, description="Code of the template")
    kind = fields.CharEnumField(ConsentKind, max_length=16)
    count = fields.IntField(description="By how much what is left changed")
    source = fields.CharField(16, description="phone, wechat, delivery")
    long_term = fields.BooleanField(default=False)
    delivery_id: int | None = fields.BigIntField(null=True)
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "consent_entry"
        indexes = (("person_id", "template", "at"),)


class ConsentBalance(Model):
    """What is left of a person's consents to one template: the sum of the ledger, and its lock."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="consent_balances", on_delete=fields.RESTRICT
    )
    person_id: int
    template = fields.CharField(32)
    left_count = CheckedBigInt(check="left_count >= 0", default=0)
    long_term = fields.BooleanField(default=False, description="Consented to for good")

    class Meta:
        table = "consent_balance"
        unique_together = (("person_id", "template"),)


class DeliveryPreference(Model):
    """What somebody chose about being disturbed, without a row, the house's own quiet hours."""

    person: fields.OneToOneRelation[Person] = fields.OneToOneField(
        "models.Person", related_name="delivery_preference", primary_key=True, on_delete=fields.RESTRICT
    )
    person_id: int
    quiet_from_minute = fields.IntField(description="Of the day in China, as the end for never quiet")
    quiet_until_minute = fields.IntField()

    class Meta:
        table = "delivery_preference"
