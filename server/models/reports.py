"""Reports: what was reported, kept as it was told."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.files import EvidenceObject


class ReportEdition(Model):
    """报表: one report as it was delivered. Never changed: a correction is the next version.

    ``subject`` says what it is about where that is no stretch of time alone (``round:7``).
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    code = fields.CharField(64, description="Of the programme's report")
    subject = fields.CharField(40, default="", description="What it is about besides its days")
    period_from: date = fields.DateField()
    period_to: date = fields.DateField(description="Its last day, inclusive")
    version = fields.IntField(default=1)
    title = fields.CharField(200)
    article = fields.CharField(200, default="", description="Empty: the house's own")
    content: dict[str, Any] = fields.JSONField(description="Every figure, with what it was counted from")
    sha256 = fields.CharField(64, description="Of the content")
    differences: list[dict[str, Any]] = fields.JSONField(
        default=list, description="Figures that differ from the version before"
    )
    reason = fields.CharField(500, default="", description="Why it was made anew")
    made_by = fields.CharField(40, description="staff:3, clock")
    made_at: datetime = fields.DatetimeField()
    delivered_to: list[str] = fields.JSONField(description="The roles it went to")
    page: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="report_pages", on_delete=fields.RESTRICT
    )
    page_id: str
    sheet: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="report_sheets", on_delete=fields.RESTRICT
    )
    sheet_id: str
    paper: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="report_papers", on_delete=fields.RESTRICT
    )
    paper_id: str

    class Meta:
        table = "report_edition"
        unique_together = (("programme_slug", "code", "subject", "period_from", "period_to", "version"),)
        indexes = (("programme_slug", "id"),)
