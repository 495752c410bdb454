"""Enquiries: what an enterprise needs, who answered, and what was said in each thread."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.enquiries import EnquiryStatus


class Enquiry(Model):
    """需求: what an enterprise looks for, in the programme's fields (GX-50). Money in fen."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="enquiries", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    status = fields.CharEnumField(EnquiryStatus, max_length=16, default=EnquiryStatus.DRAFT)
    values: dict[str, Any] = fields.JSONField(default=dict, description="By the programme's field codes")
    anonymous = fields.BooleanField(default=True, description="Shown without the enterprise's name")
    version = fields.IntField(default=1, description="Rises with every change")
    reason = fields.TextField(default="", description="Why it was returned, refused or closed")
    returned: dict[str, str] = fields.JSONField(default=dict, description="Field code to reason")
    case_id: int | None = fields.BigIntField(null=True, description="Its review case")
    created_by = fields.CharField(40, description="person:12")
    created_at: datetime = fields.DatetimeField()
    shown_at: datetime | None = fields.DatetimeField(null=True)
    closed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "enquiry"
        indexes = (("enterprise_id", "id"), ("programme_slug", "status", "id"))


class EnquiryAnswer(Model):
    """One provider's answer with one of its offerings. It begins a thread of its own."""

    id = fields.BigIntField(primary_key=True)
    enquiry: fields.ForeignKeyRelation[Enquiry] = fields.ForeignKeyField(
        "models.Enquiry", related_name="answers", on_delete=fields.RESTRICT
    )
    enquiry_id: int
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="enquiry_answers", on_delete=fields.RESTRICT
    )
    provider_id: int
    offering_id = fields.BigIntField()
    offering_version_id = fields.BigIntField(description="As it was listed then")
    offering_name = fields.CharField(200, description="As it was called then")
    answered_at: datetime = fields.DatetimeField()

    class Meta:
        table = "enquiry_answer"
        unique_together = (("enquiry_id", "provider_id"),)
        indexes = (("provider_id", "id"),)


class EnquiryMessage(Model):
    """One message of a thread. Never changed: what was said is kept."""

    id = fields.BigIntField(primary_key=True)
    answer: fields.ForeignKeyRelation[EnquiryAnswer] = fields.ForeignKeyField(
        "models.EnquiryAnswer", related_name="messages", on_delete=fields.RESTRICT
    )
    answer_id: int
    party = fields.CharEnumField(Party, max_length=16)
    words = fields.TextField()
    said_by = fields.CharField(40, description="person:12")
    said_at: datetime = fields.DatetimeField()

    class Meta:
        table = "enquiry_message"
        indexes = (("answer_id", "id"),)
