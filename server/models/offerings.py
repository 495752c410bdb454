"""Offerings: what providers publish, every version of it, and the rounds in which it is selected."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.rules.offerings import DraftStatus, OfferingStatus


class SelectionRound(Model):
    """A round in which offerings of a programme's catalogue year are handed in and selected (GX-24).

    It takes offerings from ``opens_at`` until ``closes_at``, and closing it early moves ``closes_at``.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    year = fields.IntField(description="The catalogue's programme year")
    number = fields.IntField(description="1 is the year's first")
    title = fields.CharField(200)
    opens_at: datetime = fields.DatetimeField()
    closes_at: datetime = fields.DatetimeField()
    opened_by = fields.BigIntField(description="The member of staff")
    closed_by: int | None = fields.BigIntField(null=True, description="Who closed it early")
    reason = fields.TextField(default="", description="Why it was closed early")

    class Meta:
        table = "selection_round"
        unique_together = (("programme_slug", "year", "number"),)


class Offering(Model):
    """服务产品: one product of one provider in one programme, with the form it is written in.

    What people see is ``current_version_id``. What is being written is ``draft`` (a
    ``rules.offerings.Content`` as JSON), saved under ``version``. What is under review is
    ``submitted_version_id``. A new version may be written and reviewed while the current one stays listed.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="offerings", on_delete=fields.RESTRICT
    )
    provider_id: int
    status = fields.CharEnumField(OfferingStatus, max_length=16, default=OfferingStatus.UNLISTED)
    status_reason = fields.TextField(default="", description="Why it was withdrawn or taken down")
    draft_status = fields.CharEnumField(DraftStatus, max_length=16, default=DraftStatus.OPEN)
    draft: dict[str, Any] = fields.JSONField(default=dict)
    version = fields.IntField(default=0, description="Counts the savings of the draft")
    returned: dict[str, str] = fields.JSONField(default=dict, description="Item to reason")
    reason = fields.TextField(default="", description="Why the draft was returned or refused")
    current_version_id: int | None = fields.BigIntField(null=True, description="What is or was listed last")
    submitted_version_id: int | None = fields.BigIntField(null=True, description="What is under review")
    case_id: int | None = fields.BigIntField(null=True, description="Its latest review case")
    created_at: datetime = fields.DatetimeField()
    saved_at: datetime = fields.DatetimeField()
    saved_by = fields.BigIntField(description="The person")

    class Meta:
        table = "offering"
        indexes = (("provider_id", "id"), ("programme_slug", "status", "id"))


class OfferingVersion(Model):
    """An offering as it was handed in once. What it says never changes, and an order keeps its version.

    Prices are fen. One price has ``price_from_fen`` = ``price_to_fen``, none: agreed in each contract.
    """

    id = fields.BigIntField(primary_key=True)
    offering: fields.ForeignKeyRelation[Offering] = fields.ForeignKeyField(
        "models.Offering", related_name="versions", on_delete=fields.RESTRICT
    )
    offering_id: int
    number = fields.IntField(description="1 is the first")
    programme_version = fields.CharField(32)
    selection: fields.ForeignKeyNullableRelation[SelectionRound] = fields.ForeignKeyField(
        "models.SelectionRound", related_name="versions", null=True, on_delete=fields.RESTRICT
    )
    selection_id: int | None
    category = fields.CharField(64)
    service = fields.CharField(200, description="The matter, in the words of the category's list if it can")
    kinds: list[str] = fields.JSONField(default=list, description="Kinds of service that ask for documents")
    name = fields.CharField(200)
    areas: list[str] = fields.JSONField(
        default=list, description="Where it serves, as paths (empty: anywhere)"
    )
    price_from_fen: int | None = CheckedBigInt(check="price_from_fen > 0", null=True)
    price_to_fen: int | None = CheckedBigInt(check="price_to_fen >= price_from_fen", null=True)
    price_parts: list[dict[str, Any]] = fields.JSONField(default=list, description="content and price_fen")
    comparisons: list[dict[str, Any]] = fields.JSONField(
        default=list, description="Similar products: name, price_fen"
    )
    values: dict[str, Any] = fields.JSONField(default=dict, description="By the programme's field codes")
    documents: dict[str, list[int]] = fields.JSONField(default=dict, description="File ids by document")
    submitted_at: datetime = fields.DatetimeField()
    submitted_by = fields.BigIntField(description="The person")
    listed_at: datetime | None = fields.DatetimeField(null=True, description="When it passed")
    valid_until: datetime | None = fields.DatetimeField(null=True, description="End of its catalogue year")
    ended_at: datetime | None = fields.DatetimeField(null=True, description="When it ceased to be listed")

    class Meta:
        table = "offering_version"
        unique_together = (("offering_id", "number"),)
        indexes = (("valid_until",),)
