"""Job runs: one row for each slot of each job, so that a slot runs once however many workers there are."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    """A worker is at it, or was when it died: then the lease ends and another takes over."""
    DONE = "done"
    RETRYING = "retrying"
    """It failed; it is taken again when its lease ends."""
    FAILED = "failed"
    """It failed for good: somebody has to look."""


class JobRun(Model):
    """One slot of one job. Inserting the row is the claim. Instants of work are the machine's clock."""

    id = fields.BigIntField(primary_key=True)
    job = fields.CharField(48)
    programme_slug = fields.CharField(64, default="", description="Empty: the job is not a programme's")
    slot: datetime = fields.DatetimeField(description="When it was due, by the clock it lives on")
    status = fields.CharEnumField(RunStatus, max_length=16, default=RunStatus.RUNNING)
    worker = fields.CharField(32, description="Who is at it: a name made at the start of the process")
    attempts = fields.IntField(default=1)
    started_at: datetime = fields.DatetimeField()
    leased_until: datetime = fields.DatetimeField(description="After this anybody may take it over")
    finished_at: datetime | None = fields.DatetimeField(null=True)
    count = fields.IntField(default=0, description="How much there was to do")
    error = fields.CharField(120, default="", description="The kind of the last failure, never its text")

    class Meta:
        table = "job_run"
        unique_together = (("job", "programme_slug", "slot"),)
