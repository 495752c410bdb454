"""Contracts: what the two sides of an order agreed on."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus


class Contract(Model):
    """服务合同: its parties, amount and days, under the version it was entered under (GX-34).

    The parties' names stay as they were on its day. One order stands on it, or several where a text has a
    contract hold several projects (YC-15).
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="contracts", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    enterprise_name = fields.CharField(200, description="As the contract writes it")
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="contracts_as_provider", on_delete=fields.RESTRICT
    )
    provider_id: int
    provider_name = fields.CharField(200, description="As the contract writes it")
    number = fields.CharField(64, description="The contract's own number, or the platform's")
    amount_fen = CheckedBigInt(check="amount_fen > 0", description="Tax included, fen")
    signed_on: date | None = fields.DateField(null=True, description="null: not signed by both yet")
    service_starts_on: date | None = fields.DateField(null=True)
    acceptance_on: date | None = fields.DateField(null=True)
    status = fields.CharEnumField(ContractStatus, max_length=16)
    made_by_party = fields.CharEnumField(Party, max_length=16)
    created_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it came to nothing")

    class Meta:
        table = "contract"
        indexes = (("enterprise_id", "id"), ("provider_id", "id"))
