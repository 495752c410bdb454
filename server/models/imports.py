"""Imports: which file was taken in, by whom, and what it changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model


class ImportRun(Model):
    """One import that was carried out. The file itself is known by its hash."""

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(32)
    programme_slug: str | None = fields.CharField(64, null=True)  # type: ignore[assignment]
    settings: dict[str, Any] = fields.JSONField(description="List, document number, label, mode")
    sha256 = fields.CharField(64, description="Of the file")
    counts: dict[str, int] = fields.JSONField(description="Rows by what was done with them")
    done_by = fields.BigIntField()
    done_at: datetime = fields.DatetimeField()

    class Meta:
        table = "import_run"
