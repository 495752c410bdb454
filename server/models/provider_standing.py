"""Provider standing: suspensions, removals and grades of providers, each as it was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.organisations import Qualification
from server.rules.removals import RemovalStatus


class Suspension(Model):
    """A provider held at once, on a ground of the text. Lifted, never deleted, and one at a time."""

    id = fields.BigIntField(primary_key=True)
    qualification: fields.ForeignKeyRelation[Qualification] = fields.ForeignKeyField(
        "models.Qualification", related_name="suspensions", on_delete=fields.RESTRICT
    )
    qualification_id: int
    programme_slug = fields.CharField(64)
    ground = fields.CharField(64, description="The programme's ground")
    clause = fields.CharField(120)
    reason = fields.TextField()
    since: datetime = fields.DatetimeField()
    until: datetime | None = fields.DatetimeField(null=True, description="Exclusive, null: until lifted")
    made_by = fields.BigIntField(description="The member of staff")
    lifted_at: datetime | None = fields.DatetimeField(null=True)
    lifted_by: int | None = fields.BigIntField(null=True, description="null: its time was over")
    lift_reason = fields.TextField(default="")

    class Meta:
        table = "suspension"
        indexes = (("qualification_id", "id"), ("programme_slug", "until"))


class Removal(Model):
    """清退: a provider proposed for removal on a ground of the text, and what was decided."""

    id = fields.BigIntField(primary_key=True)
    qualification: fields.ForeignKeyRelation[Qualification] = fields.ForeignKeyField(
        "models.Qualification", related_name="removals", on_delete=fields.RESTRICT
    )
    qualification_id: int
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    sanction = fields.CharField(64, description="The programme's sanction")
    ground = fields.CharField(64)
    clause = fields.CharField(120)
    reason = fields.TextField()
    measures: list[str] = fields.JSONField(description="What follows, by the sanction")
    serious = fields.BooleanField(default=False, description="What follows if it is serious, too")
    status = fields.CharEnumField(RemovalStatus, max_length=16)
    case_id: int | None = fields.BigIntField(null=True, description="Its review, where the text has one")
    proposed_by = fields.BigIntField(description="The member of staff")
    proposed_at: datetime = fields.DatetimeField()
    decided_at: datetime | None = fields.DatetimeField(null=True)
    ban_id: int | None = fields.BigIntField(null=True, description="The entry on the blocklist")
    announced = fields.BooleanField(default=False)

    class Meta:
        table = "removal"
        indexes = (("qualification_id", "id"), ("programme_slug", "status", "id"))


class ProviderGrade(Model):
    """评级: a grade of a provider for a year, as proposed on its figures, and whether it is published."""

    id = fields.BigIntField(primary_key=True)
    qualification: fields.ForeignKeyRelation[Qualification] = fields.ForeignKeyField(
        "models.Qualification", related_name="grades", on_delete=fields.RESTRICT
    )
    qualification_id: int
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    year = fields.IntField(description="The programme year that is judged")
    grade = fields.CharField(32, description="One of the programme's grades")
    place = fields.IntField(description="In the ranking of the year, 1 is the best")
    reason = fields.TextField()
    figures: dict[str, Any] = fields.JSONField(description="The provider's figures when it was proposed")
    case_id: int | None = fields.BigIntField(null=True, description="Its review, where the text has one")
    proposed_by = fields.BigIntField(description="The member of staff")
    proposed_at: datetime = fields.DatetimeField()
    decided_at: datetime | None = fields.DatetimeField(null=True)
    published_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "provider_grade"
        indexes = (("qualification_id", "year"), ("programme_slug", "year", "place"))
