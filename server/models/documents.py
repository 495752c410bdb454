"""Documents: what the platform printed of an order, and who signed which text of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.files import StoredFile
from server.models.orders import Order
from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.documents import Printed, SignMethod


class Signature(Model):
    """One party's signature under one version of a document. ``text_sha256`` is of what it signed.

    A certificate authority's signature would be another ``method`` with its bytes in ``proof``.
    """

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="signatures", on_delete=fields.RESTRICT
    )
    order_id: int
    document = fields.CharEnumField(Printed, max_length=32)
    version = fields.IntField()
    party = fields.CharEnumField(Party, max_length=16)
    organisation: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="signatures", on_delete=fields.RESTRICT
    )
    organisation_id: int
    organisation_name = fields.CharField(200, description="As it was called then")
    person_id = fields.BigIntField()
    signer = fields.CharField(64, description="Place in the organisation and account, masked")
    method = fields.CharEnumField(SignMethod, max_length=16, default=SignMethod.PLATFORM)
    text: dict[str, Any] = fields.JSONField(description="What was signed, and is printed")
    text_sha256 = fields.CharField(64)
    proof: dict[str, Any] = fields.JSONField(default=dict)
    signed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "signature"
        unique_together = (("order_id", "document", "version", "party"),)


class PrintedDocument(Model):
    """One document as it was printed: from ``content`` come the same bytes again."""

    id = fields.BigIntField(primary_key=True)
    order: fields.ForeignKeyRelation[Order] = fields.ForeignKeyField(
        "models.Order", related_name="printed", on_delete=fields.RESTRICT
    )
    order_id: int
    document = fields.CharEnumField(Printed, max_length=32)
    version = fields.IntField()
    content: dict[str, Any] = fields.JSONField()
    text_sha256 = fields.CharField(64, description="Of the text without its signatures")
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField(
        "models.StoredFile", related_name="printed", on_delete=fields.RESTRICT
    )
    file_id: int
    printed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "printed_document"
        unique_together = (("order_id", "document", "version"),)
