"""Organisations: who acts for them, where they stand in a programme, who is barred."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.people import Person
from server.programme.vocabulary import LegalForm, Party
from server.rules.lifecycles import QualificationStatus


class MemberRole(StrEnum):
    """What a person may do for an organisation."""

    LEGAL_REPRESENTATIVE = "legal_representative"
    """法定代表人: names the handler, sees everything."""
    HANDLER = "handler"
    """经办人: acts for the organisation; one at a time (GZ-03, GZ-55)."""
    STAFF = "staff"
    """员工: may grab and look, in the organisation's name."""


class Organisation(Model):
    """One organisation by its Unified Social Credit Code, the same in every programme.

    It may be the enterprise that is served in one programme and the provider that serves in another
    (docs/decisions/0009): which, its qualifications say.
    """

    id = fields.BigIntField(primary_key=True)
    uscc = fields.CharField(18, unique=True, description="统一社会信用代码, check digit verified")
    name = fields.CharField(200)
    area = fields.CharField(64, description="Area of registration, a code that programmes know")
    industry = fields.CharField(16, description="GB/T 4754 code")
    legal_form: LegalForm | None = fields.CharEnumField(LegalForm, max_length=32, null=True)  # type: ignore[assignment]
    legal_person: bool = fields.BooleanField()  # type: ignore[assignment]
    established_on: date = fields.DateField()
    headcount = fields.IntField()
    revenue_fen = fields.BigIntField(description="Last year's revenue, fen")
    assets_fen = fields.BigIntField(description="Total assets, fen")
    labels: list[str] = fields.JSONField(default=list, description="Confirmed by an operator")
    labels_claimed: list[str] = fields.JSONField(default=list, description="What it says of itself")
    declarations: dict[str, Any] = fields.JSONField(default=dict, description="Declared facts, by code")
    created_at: datetime = fields.DatetimeField()
    facts_changed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "organisation"


class NameRecord(Model):
    """A name an organisation once had: its contracts of those days keep it (GZ-64)."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="earlier_names", on_delete=fields.RESTRICT
    )
    organisation_id: int
    name = fields.CharField(200)
    until: datetime = fields.DatetimeField(description="When it took the next name")

    class Meta:
        table = "name_record"
        indexes = (("organisation_id", "until"),)


class Membership(Model):
    """A person acting for an organisation. Ended, never deleted: the journal points here."""

    id = fields.BigIntField(primary_key=True)
    person: fields.ForeignKeyRelation[Person] = fields.ForeignKeyField(
        "models.Person", related_name="memberships", on_delete=fields.RESTRICT
    )
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="memberships", on_delete=fields.RESTRICT
    )
    person_id: int
    organisation_id: int
    role = fields.CharEnumField(MemberRole, max_length=32)
    active = fields.BooleanField(default=True)
    created_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "membership"
        indexes = (("person_id", "active"), ("organisation_id", "active"))


class Invitation(Model):
    """A one-time code by which a colleague joins. Only its hash is kept."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="invitations", on_delete=fields.RESTRICT
    )
    organisation_id: int
    role = fields.CharEnumField(MemberRole, max_length=32)
    code_hash = fields.CharField(64, unique=True)
    created_by = fields.BigIntField()
    created_at: datetime = fields.DatetimeField()
    expires_at: datetime = fields.DatetimeField()
    used_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "invitation"


class Handover(Model):
    """One handler followed another, on a letter of the legal representative. Never changed (GZ-55)."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="handovers", on_delete=fields.RESTRICT
    )
    organisation_id: int
    from_person: int | None = fields.BigIntField(null=True, description="null: there was none")
    to_person = fields.BigIntField()
    letter = fields.BigIntField(description="The file with the new authorisation")
    made_by = fields.BigIntField(description="The person")
    made_at: datetime = fields.DatetimeField()

    class Meta:
        table = "handover"
        indexes = (("organisation_id", "id"),)


class ActivityKind(StrEnum):
    """What an organisation took part in."""

    TRAINING = "training"
    """Its contact was trained in the policy (LS-44)."""
    ACTIVITY = "activity"
    """A public-benefit activity: a course, a live stream, a visit (LS-45)."""


class ActivityRecord(Model):
    """One training or activity of an organisation, with its proof."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="activities", on_delete=fields.RESTRICT
    )
    organisation_id: int
    programme_slug = fields.CharField(64)
    kind = fields.CharEnumField(ActivityKind, max_length=16)
    held_on: date = fields.DateField()
    what = fields.CharField(500)
    files: list[int] = fields.JSONField(default=list)
    recorded_by = fields.BigIntField(description="The person")
    recorded_at: datetime = fields.DatetimeField()

    class Meta:
        table = "activity_record"
        indexes = (("organisation_id", "programme_slug", "id"),)


class Qualification(Model):
    """Where an organisation stands in one programme as one party, with the facts it was judged on."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="qualifications", on_delete=fields.RESTRICT
    )
    organisation_id: int
    party = fields.CharEnumField(Party, max_length=16, default=Party.ENTERPRISE)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    status = fields.CharEnumField(QualificationStatus, max_length=32)
    valid_until: datetime | None = fields.DatetimeField(null=True, description="null: holds on")
    applied_at: datetime = fields.DatetimeField()
    snapshot: dict[str, Any] = fields.JSONField(description="The applicant's facts at application")
    unmet: list[dict[str, str]] = fields.JSONField(default=list, description="Conditions not met")
    decided_at: datetime | None = fields.DatetimeField(null=True)
    decided_by: int | None = fields.BigIntField(null=True)
    reason = fields.TextField(default="")

    class Meta:
        table = "qualification"
        unique_together = (("organisation_id", "programme_slug", "party"),)
        indexes = (("programme_slug", "status", "id"),)


class BlocklistEntry(Model):
    """黑名单: who is barred, from what, since when, until when and by which clause."""

    id = fields.BigIntField(primary_key=True)
    uscc = fields.CharField(18, db_index=True, description="The barred organisation")
    programme_slug = fields.CharField(64, null=True, description="null bars everywhere")
    clause = fields.CharField(120)
    reason = fields.TextField()
    starts_at: datetime = fields.DatetimeField()
    ends_at: datetime | None = fields.DatetimeField(null=True, description="null is for good")
    list_name = fields.CharField(200, default="", db_index=True, description="The imported list, if any")
    made_by = fields.BigIntField()
    lift_asked_by: int | None = fields.BigIntField(null=True, description="The first of two")
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_by: int | None = fields.BigIntField(null=True)
    lift_reason = fields.TextField(default="")

    class Meta:
        table = "blocklist_entry"
