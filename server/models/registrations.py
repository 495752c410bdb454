"""Registrations: what an organisation fills in to join a programme, and what it handed in each time."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.lifecycles import RegistrationStatus


class Registration(Model):
    """The form of one organisation as one party of one programme: a draft until it is handed in.

    What is personal stands in ``sealed`` and nowhere else. ``version`` counts the savings.
    """

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="registrations", on_delete=fields.RESTRICT
    )
    organisation_id: int
    party = fields.CharEnumField(Party, max_length=16)
    programme_slug = fields.CharField(64)
    status = fields.CharEnumField(RegistrationStatus, max_length=16, default=RegistrationStatus.DRAFT)
    version = fields.IntField(default=0)
    values: dict[str, Any] = fields.JSONField(default=dict, description="By key, money in fen")
    sealed: dict[str, str] = fields.JSONField(default=dict, description="Identity numbers and phones, by key")
    documents: dict[str, list[int]] = fields.JSONField(default=dict, description="File ids by document")
    undertakings: dict[str, dict[str, Any]] = fields.JSONField(
        default=dict, description="By code: hash of the text, who accepted it and when"
    )
    returned: dict[str, str] = fields.JSONField(default=dict, description="Key to reason, alone open then")
    returned_reason = fields.TextField(default="")
    case_id: int | None = fields.BigIntField(null=True, description="Its latest review case")
    saved_by = fields.BigIntField(description="The person")
    created_at: datetime = fields.DatetimeField()
    saved_at: datetime = fields.DatetimeField()

    class Meta:
        table = "registration"
        unique_together = (("organisation_id", "programme_slug", "party"),)


class Submission(Model):
    """What was handed in, never changed: the form, the organisation's facts and what the system found."""

    id = fields.BigIntField(primary_key=True)
    registration: fields.ForeignKeyRelation[Registration] = fields.ForeignKeyField(
        "models.Registration", related_name="submissions", on_delete=fields.RESTRICT
    )
    registration_id: int
    number = fields.IntField(description="1 is the first")
    programme_version = fields.CharField(32)
    submitted_at: datetime = fields.DatetimeField()
    submitted_by = fields.BigIntField(description="The person")
    facts: dict[str, Any] = fields.JSONField()
    values: dict[str, Any] = fields.JSONField()
    sealed: dict[str, str] = fields.JSONField()
    documents: dict[str, list[int]] = fields.JSONField()
    undertakings: dict[str, dict[str, Any]] = fields.JSONField()
    unmet: list[dict[str, str]] = fields.JSONField(default=list, description="Conditions not met")

    class Meta:
        table = "submission"
        unique_together = (("registration_id", "number"),)


class ChangeReport(Model):
    """A change of an organisation's facts after an approval, as it was reported. Never changed.

    ``late`` lists, for each programme whose days were over, what its text lets the operator do.
    """

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="change_reports", on_delete=fields.RESTRICT
    )
    organisation_id: int
    facts: list[str] = fields.JSONField(description="Which facts changed")
    changed_on: date = fields.DateField(description="When it happened, as the organisation says")
    reported_at: datetime = fields.DatetimeField()
    reported_by = fields.BigIntField(description="The person")
    documents: list[int] = fields.JSONField(default=list, description="File ids")
    late: list[dict[str, Any]] = fields.JSONField(default=list)

    class Meta:
        table = "change_report"
        indexes = (("organisation_id", "id"),)
