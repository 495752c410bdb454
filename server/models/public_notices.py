"""Public notices: the notice, where it was shown, the cases on it; who objected (apart), and with what."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.files import StoredFile
from server.models.reviews import ReviewCase, ReviewObjection
from server.rules.public_notices import LineOutcome, NoticeKind, NoticeStatus
from server.sealing import SEALED_LENGTH


class PublicNotice(Model):
    """公示: what is put up for objection, or published as a result. Its text never changes once it is up.

    ``text`` is canonical JSON: title, programme, clause and the masked lines, ``sha256`` of its UTF-8.
    """

    id = fields.BigIntField(primary_key=True)
    number: str | None = fields.CharField(  # type: ignore[assignment]
        24, unique=True, null=True, description="What people read aloud, given when it is published"
    )
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    kind = fields.CharEnumField(NoticeKind, max_length=16, default=NoticeKind.OBJECTION)
    status = fields.CharEnumField(NoticeStatus, max_length=16, default=NoticeStatus.DRAFT)
    title = fields.CharField(200)
    clause = fields.CharField(120, default="")
    working_days = fields.IntField(description="How long it stands, 0: a result, which nobody objects to")
    text = fields.TextField(default="", description="Empty while it is a draft")
    sha256 = fields.CharField(64, default="")
    drafted_by: int | None = fields.BigIntField(null=True, description="Null: it went up by itself")
    drafted_at: datetime = fields.DatetimeField()
    published_by: int | None = fields.BigIntField(null=True)
    published_at: datetime | None = fields.DatetimeField(null=True)
    begins_on: date | None = fields.DateField(null=True, description="The day of the last channel")
    ends_at: datetime | None = fields.DatetimeField(null=True, description="Exclusive")
    due_provisional = fields.BooleanField(default=False, description="A year's working days were guessed")
    reminded_at: datetime | None = fields.DatetimeField(null=True)
    over_at: datetime | None = fields.DatetimeField(null=True)
    withdrawn_by: int | None = fields.BigIntField(null=True)
    withdrawn_at: datetime | None = fields.DatetimeField(null=True)
    withdraw_reason = fields.TextField(default="")
    replaces: fields.ForeignKeyNullableRelation[PublicNotice] = fields.ForeignKeyField(
        "models.PublicNotice", related_name="replaced_by", null=True, on_delete=fields.RESTRICT
    )
    replaces_id: int | None
    version = fields.IntField(default=1)

    class Meta:
        table = "public_notice"
        indexes = (("programme_slug", "status", "id"), ("status", "ends_at"))


class NoticeShowing(Model):
    """One channel of a notice: when it was shown there, and where."""

    id = fields.BigIntField(primary_key=True)
    notice: fields.ForeignKeyRelation[PublicNotice] = fields.ForeignKeyField(
        "models.PublicNotice", related_name="showings", on_delete=fields.RESTRICT
    )
    notice_id: int
    channel = fields.CharField(120)
    on_platform = fields.BooleanField(description="This platform's own page")
    shown_on: date | None = fields.DateField(null=True)
    url = fields.CharField(500, default="")
    recorded_by: int | None = fields.BigIntField(null=True, description="Null: the platform's own page")
    recorded_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "notice_showing"
        unique_together = (("notice_id", "channel"),)


class NoticeLine(Model):
    """A case at its notice: waiting for one while ``notice`` is null, then one line of it."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    case: fields.ForeignKeyRelation[ReviewCase] = fields.ForeignKeyField(
        "models.ReviewCase", related_name="notice_lines", on_delete=fields.RESTRICT
    )
    case_id: int
    notice: fields.ForeignKeyNullableRelation[PublicNotice] = fields.ForeignKeyField(
        "models.PublicNotice", related_name="lines", null=True, on_delete=fields.RESTRICT
    )
    notice_id: int | None
    place: int | None = fields.IntField(null=True, description="Its number on the notice, from 1")
    arrived_at: datetime = fields.DatetimeField()
    result = fields.BooleanField(
        default=False, description="A line of a result, not of a notice to object to"
    )
    outcome: LineOutcome | None = fields.CharEnumField(  # type: ignore[assignment]
        LineOutcome, max_length=16, null=True
    )

    class Meta:
        table = "notice_line"
        indexes = (("programme_slug", "notice_id", "id"), ("notice_id", "place"), ("case_id", "id"))


class Objector(Model):
    """异议人: who objected. Read by the authority that answers, with a reason, and by nobody else.

    Of whoever stays anonymous neither name nor contact is kept.
    """

    id = fields.BigIntField(primary_key=True)
    objection: fields.OneToOneRelation[ReviewObjection] = fields.OneToOneField(
        "models.ReviewObjection", related_name="objector", on_delete=fields.RESTRICT
    )
    objection_id: int
    person_id: int | None = fields.BigIntField(null=True, db_index=True, description="Null: not signed in")
    name_sealed = fields.CharField(SEALED_LENGTH, default="")
    contact_sealed = fields.CharField(SEALED_LENGTH, default="")
    receipt_index = fields.CharField(64, unique=True, description="Keyed hash of the receipt code")

    class Meta:
        table = "objector"


class ObjectionFile(Model):
    """A file handed in with an objection. No other door shows it."""

    id = fields.BigIntField(primary_key=True)
    objection: fields.ForeignKeyRelation[ReviewObjection] = fields.ForeignKeyField(
        "models.ReviewObjection", related_name="files", on_delete=fields.RESTRICT
    )
    objection_id: int
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="objections", on_delete=fields.RESTRICT
    )
    file_id: int

    class Meta:
        table = "objection_file"
        unique_together = (("objection_id", "file_id"),)


class OpenDoor(Model):
    """How often one address came through an open door on one day. Nothing says what it brought."""

    id = fields.BigIntField(primary_key=True)
    origin_hash = fields.CharField(64, description="Keyed hash of the address")
    day: date = fields.DateField(db_index=True)
    count = fields.IntField(default=1)

    class Meta:
        table = "open_door"
        unique_together = (("origin_hash", "day"),)
