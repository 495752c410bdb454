"""Offices: whom people can turn to in a programme, kept by its staff (GZ-102)."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.programme.vocabulary import Actor


class Office(Model):
    """An office with a duty in a programme, and how to reach it. ``uscc`` says which organisation it is."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    actor = fields.CharEnumField(Actor, max_length=16)
    name = fields.CharField(200)
    uscc = fields.CharField(18, default="", description="Keeps the operator from being a provider (YC-29)")
    area = fields.CharField(64, default="", description="The area it is there for, empty: all")
    level = fields.CharField(64, default="", description="The level it is there for, in the text's words")
    phone = fields.CharField(64, default="", description="Public")
    email = fields.CharField(120, default="", description="Public")
    address = fields.CharField(200, default="")
    changed_at: datetime = fields.DatetimeField()
    closed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "office"
        indexes = (("programme_slug", "closed_at"),)
