"""Labels: what official lists and reviewers say an organisation is, each with its source."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from tortoise import fields
from tortoise.models import Model


class LabelSource(StrEnum):
    """What a label rests on."""

    LIST = "list"
    """An official list, imported or entered."""
    PAPER = "paper"
    """A paper that a reviewer checked."""


class AttestedLabel(Model):
    """One line of one source: this organisation holds this label. Withdrawn, never changed or deleted.

    The holder is named by its code, or by its full name where the list gives no code. One list names an
    organisation once for a label: partial unique indexes see to it.
    """

    id = fields.BigIntField(primary_key=True)
    uscc: str | None = fields.CharField(18, null=True, db_index=True)  # type: ignore[assignment]
    name = fields.CharField(200, default="", db_index=True, description="Full name as the list has it")
    programme_slug: str | None = fields.CharField(64, null=True)  # type: ignore[assignment]
    code = fields.CharField(64, description="A label's code, as programmes have it")
    kinds: list[str] = fields.JSONField(default=list, description="Kinds of service it was recognised for")
    recognised_in: int | None = fields.IntField(null=True, description="Year of the recognition")
    valid_until: date | None = fields.DateField(null=True, description="Last day, null: no end")
    source = fields.CharEnumField(LabelSource, max_length=16)
    list_name = fields.CharField(200, default="")
    document_number = fields.CharField(120, default="")
    attested_by = fields.BigIntField(description="The member of staff")
    attested_at: datetime = fields.DatetimeField()
    withdrawn_at: datetime | None = fields.DatetimeField(null=True)
    withdrawn_by: int | None = fields.BigIntField(null=True)
    withdraw_reason = fields.TextField(default="")
    lapsed_at: datetime | None = fields.DatetimeField(null=True, description="When its end was settled")

    class Meta:
        table = "attested_label"
        indexes = (("code", "list_name"), ("valid_until",))
