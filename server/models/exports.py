"""Exports: lists that somebody asked for as a file, and the pieces they are put together from."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.files import EvidenceObject


class ExportStatus(StrEnum):
    """Where an export stands."""

    WAITING = "waiting"
    RUNNING = "running"
    """Somebody reads its rows, or did when they died: after the lease another goes on."""
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Its file was taken away; that it was made, and who took it, stays."""


class ExportFormat(StrEnum):
    """As what it is written."""

    XLSX = "xlsx"
    CSV = "csv"
    ZIP = "zip"
    """A case with its papers; no list is one."""


class ExportJob(Model):
    """导出: one list, or one case with its papers, that somebody asked for.

    A list's rows come page by page, each kept before the next. What it reads is bounded at its beginning
    (``through_id``), so that rows written meanwhile change neither its length nor its totals. Instants of
    work (lease) are the machine's clock.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    kind = fields.CharField(32, description="Which list, or what else")
    subject = fields.CharField(
        40, default="", description="The case it is of, as the journal names it, empty for a list"
    )
    programme_slug = fields.CharField(64)
    filters: dict[str, Any] = fields.JSONField(default=dict, description="As they were chosen")
    areas: list[str] = fields.JSONField(default=list, description="The areas its asker is bound to")
    format = fields.CharEnumField(ExportFormat, max_length=8)
    revealed = fields.BooleanField(default=False, description="Personal data in clear")
    reason = fields.CharField(500, default="", description="Why personal data is needed in clear")
    asked_by = fields.CharField(40, description="staff:3, person:12")
    organisation_id: int | None = fields.BigIntField(null=True, description="Whom a person acted for")
    asked_name = fields.CharField(64, description="As they were called then")
    asked_at: datetime = fields.DatetimeField()
    status = fields.CharEnumField(ExportStatus, max_length=16, default=ExportStatus.WAITING)
    through_id: int | None = fields.BigIntField(null=True, description="The last row it reads")
    resume_after = fields.BigIntField(default=0, description="The last row that is kept")
    rows_total: int | None = fields.IntField(null=True, description="Rows, or what else is counted off")
    rows_done = fields.IntField(default=0)
    attempts = fields.IntField(default=0)
    leased_until: datetime | None = fields.DatetimeField(null=True)
    error = fields.CharField(120, default="", description="The kind of the last failure, never its text")
    started_at: datetime | None = fields.DatetimeField(null=True)
    finished_at: datetime | None = fields.DatetimeField(null=True)
    file: fields.ForeignKeyNullableRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="exports", null=True, on_delete=fields.RESTRICT
    )
    file_id: str | None
    sha256 = fields.CharField(64, default="", description="Of the file, kept when the file is gone")
    size_bytes = CheckedBigInt(check="size_bytes >= 0", default=0)
    expires_at: datetime | None = fields.DatetimeField(null=True, description="Until then it can be fetched")
    downloads = fields.IntField(default=0)

    class Meta:
        table = "export_job"
        indexes = (("asked_by", "id"), ("status", "id"))


class ExportPart(Model):
    """One page of an export's rows, kept so that nobody reads it twice. Gone when the file is made."""

    id = fields.BigIntField(primary_key=True)
    job: fields.ForeignKeyRelation[ExportJob] = fields.ForeignKeyField(
        "models.ExportJob", related_name="parts", on_delete=fields.RESTRICT
    )
    job_id: int
    place = fields.IntField(description="From 0")
    rows = fields.IntField()
    object: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="export_parts", on_delete=fields.RESTRICT
    )
    object_id: str

    class Meta:
        table = "export_part"
        unique_together = (("job_id", "place"),)
