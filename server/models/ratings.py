"""Ratings: what an enterprise says of the service of one order, and what the provider answers."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.orders import Order
from server.models.organisations import Organisation


class Rating(Model):
    """评价: of one order, once. Who gave it is for the authority's eyes, never the provider's (GX-57)."""

    id = fields.BigIntField(primary_key=True)
    order: fields.OneToOneRelation[Order] = fields.OneToOneField(
        "models.Order", related_name="rating", on_delete=fields.RESTRICT
    )
    order_id: int
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="ratings", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="ratings_received", on_delete=fields.RESTRICT
    )
    provider_id: int
    offering_id: int | None = fields.BigIntField(null=True)
    level = fields.CharField(32, description="A word of the programme's scale")
    score_bp = CheckedBigInt(
        check="score_bp BETWEEN 0 AND 10000", description="10000 for the scale's best level, 0 for its worst"
    )
    is_low = fields.BooleanField()
    tags: list[str] = fields.JSONField(default=list)
    words = fields.TextField(default="")
    rated_by = fields.CharField(40, description="person:12")
    rated_at: datetime = fields.DatetimeField()
    editable_until: datetime = fields.DatetimeField(description="Exclusive")
    edited_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1, description="Rises with every change")
    answer = fields.TextField(default="", description="The provider's, once")
    answered_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "rating"
        indexes = (
            ("provider_id", "programme_slug", "id"),
            ("offering_id", "id"),
            ("enterprise_id", "id"),
            ("programme_slug", "id"),
        )


class RatingEdit(Model):
    """What a rating said before it was changed. Never changed itself."""

    id = fields.BigIntField(primary_key=True)
    rating: fields.ForeignKeyRelation[Rating] = fields.ForeignKeyField(
        "models.Rating", related_name="former", on_delete=fields.RESTRICT
    )
    rating_id: int
    level = fields.CharField(32)
    tags: list[str] = fields.JSONField()
    words = fields.TextField()
    replaced_at: datetime = fields.DatetimeField()
    replaced_by = fields.CharField(40)

    class Meta:
        table = "rating_edit"
        indexes = (("rating_id", "id"),)
