"""Files: evidence that somebody handed in, the objects it consists of, and uploads that are on their way."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.programme.papers import DocumentKind


class EvidenceObject(Model):
    """Bytes in the evidence store, named by their hash. There before them, and gone after them.

    The row is what the sweeper locks: whoever stores an object renews ``leased_at`` first, and an object
    that no file refers to is taken away only when its lease is over.
    """

    sha256 = fields.CharField(64, primary_key=True)
    leased_at: datetime = fields.DatetimeField(db_index=True)

    class Meta:
        table = "evidence_object"


class StoredFile(Model):
    """One file that was checked and taken. Its bytes never change, and the row is never changed either."""

    id = fields.BigIntField(primary_key=True)
    organisation: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="files", null=True, on_delete=fields.RESTRICT
    )
    organisation_id: int | None
    uploaded_by = fields.CharField(40, description="person:12, staff:3")
    programme_slug = fields.CharField(64)
    kind = fields.CharEnumField(DocumentKind, max_length=32)
    name = fields.CharField(200, description="As its owner calls it")
    original: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="originals", on_delete=fields.RESTRICT
    )
    original_id: str
    shown: fields.ForeignKeyRelation[EvidenceObject] = fields.ForeignKeyField(
        "models.EvidenceObject", related_name="shown", on_delete=fields.RESTRICT
    )
    shown_id: str
    size_bytes = CheckedBigInt(check="size_bytes > 0")
    media_type = fields.CharField(32, description="By its content")
    shown_media_type = fields.CharField(32)
    extension = fields.CharField(8)
    pages = fields.IntField()
    hints: list[str] = fields.JSONField(default=list, description="Codes of photo-quality warnings")
    merged_from: list[int] = fields.JSONField(default=list, description="Files it was merged from, in order")
    created_at: datetime = fields.DatetimeField()

    class Meta:
        table = "stored_file"
        indexes = (("organisation_id", "id"),)

    @property
    def sha256(self) -> str:
        """The hash of the original bytes."""
        return self.original_id


class FileAttachment(Model):
    """A file handed in with something: a registration, a case. What is attached is kept for good."""

    id = fields.BigIntField(primary_key=True)
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="attachments", on_delete=fields.RESTRICT
    )
    file_id: int
    subject = fields.CharField(40, description="registration:12")
    document_code = fields.CharField(64)
    programme_slug = fields.CharField(64)
    attached_at: datetime = fields.DatetimeField()

    class Meta:
        table = "file_attachment"
        unique_together = (("file_id", "subject", "document_code"),)
        indexes = (("subject", "id"),)


class Upload(Model):
    """A file on its way. Its bytes lie in a directory of their own, which exists only beside this row."""

    id = fields.CharField(32, primary_key=True, description="128 random bits, hex")
    organisation: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="uploads", null=True, on_delete=fields.RESTRICT
    )
    organisation_id: int | None
    uploaded_by = fields.CharField(40)
    programme_slug = fields.CharField(64)
    kind = fields.CharEnumField(DocumentKind, max_length=32)
    name = fields.CharField(200)
    media_type = fields.CharField(64, default="", description="As the sender declares it, empty: not")
    size_bytes = CheckedBigInt(check="size_bytes > 0", description="As announced")
    sha256 = fields.CharField(64, default="", description="As announced, empty: not")
    received_bytes = CheckedBigInt(check="received_bytes >= 0", default=0)
    parts: list[str] = fields.JSONField(default=list, description="Names of the parts received, in order")
    created_at: datetime = fields.DatetimeField()
    touched_at: datetime = fields.DatetimeField(db_index=True)
    file: fields.ForeignKeyNullableRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="uploads", null=True, on_delete=fields.CASCADE
    )
    file_id: int | None

    class Meta:
        table = "upload"
        indexes = (("uploaded_by", "file_id"),)
