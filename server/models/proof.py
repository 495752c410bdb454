"""Proof: the journal as a chain, and a day of it under one signed root. Append-only."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt


class JournalSeal(Model):
    """One entry's link in the chain of its subject, and its leaf in the tree of a day.

    The three unique keys are the lock: of two who seal at once, one fails and has written nothing. No
    foreign key leads to the entry, so that an entry that was taken out leaves its seal behind.
    """

    place = CheckedBigInt(check="place > 0", primary_key=True, generated=False)
    """Counted without a gap over everything: the order of sealing."""
    entry_id = fields.BigIntField(unique=True)
    subject = fields.CharField(40, description="As the entry says it")
    seq = CheckedBigInt(check="seq > 0", description="Counted without a gap within the subject")
    previous = fields.CharField(64, description="The hash before it in the subject's chain, hex")
    hash = fields.CharField(64, description="SHA-256 of the entry with its place in the chain, hex")
    late = fields.BooleanField(default=False, description="An entry of a higher id was sealed before")
    sealed_at: datetime = fields.DatetimeField(description="By the machine's clock")

    class Meta:
        table = "journal_seal"
        unique_together = (("subject", "seq"),)


class DayRoot(Model):
    """Everything sealed on one day, under one signed hash. Days are China's, by the machine's clock."""

    number = fields.BigIntField(primary_key=True, generated=False)
    """Counted without a gap; a day on which nothing was sealed has none."""
    day: date = fields.DateField(unique=True)
    first_place = fields.BigIntField(unique=True)
    last_place = fields.BigIntField(unique=True)
    first_entry = fields.BigIntField(description="The lowest id among the entries")
    last_entry = fields.BigIntField(description="The highest")
    root = fields.CharField(64, description="Root of the Merkle tree over the hashes in order, hex")
    previous = fields.CharField(64, description="Hash of the statement before it, hex")
    statement = fields.CharField(64, description="SHA-256 of what is signed: all of the above, hex")
    signature = fields.CharField(128, description="Ed25519 over the statement's bytes, hex")
    key_id = fields.CharField(32)
    signed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "day_root"


class DayAnchor(Model):
    """What somebody outside gave for a day's statement: a time stamp, a place in a chain."""

    id = fields.BigIntField(primary_key=True)
    root: fields.ForeignKeyRelation[DayRoot] = fields.ForeignKeyField(
        "models.DayRoot", related_name="anchors", on_delete=fields.RESTRICT
    )
    root_id: int
    anchor = fields.CharField(32, description="Who keeps it: file, rfc3161, blockchain")
    statement = fields.CharField(64, description="What was handed over, hex")
    token = fields.TextField(default="", description="What came back, Base64")
    stamped_at: datetime = fields.DatetimeField(description="As they say")

    class Meta:
        table = "day_anchor"
        unique_together = (("root_id", "anchor"),)
