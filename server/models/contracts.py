"""Contracts as far as vouchers need them: the reference, what it holds, requests and draws on it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.models.rounds import Round
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.request_line import RequestStatus


class Contract(Model):
    """A service contract by its parties, amount and date, under the version it was signed under (GX-34).

    The parties' names stay as they were on its day. What its voucher pays is worked out once, at the
    signing, and never again: ``voucher_fen`` with its clause and arithmetic.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    notice_year: int | None = fields.IntField(null=True, description="The yearly notice it was signed under")
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="contracts", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    enterprise_name = fields.CharField(200, description="As the contract writes it")
    provider: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="contracts_as_provider", null=True, on_delete=fields.RESTRICT
    )
    provider_id: int | None
    """``None``: a provider that is not registered here."""
    provider_uscc = fields.CharField(18)
    provider_name = fields.CharField(200, description="As the contract writes it")
    number = fields.CharField(64, description="The contract's own number")
    project = fields.CharField(200, description="What is served")
    category = fields.CharField(64)
    kind = fields.CharField(32, default="", description="The kind of voucher that pays, if several")
    amount_fen = CheckedBigInt(check="amount_fen > 0", description="Tax included, fen")
    signed_on: date | None = fields.DateField(null=True, description="null: not signed by both yet")
    status = fields.CharEnumField(ContractStatus, max_length=16)
    made_by_party = fields.CharEnumField(Party, max_length=16)
    enterprise_signed_at: datetime | None = fields.DatetimeField(null=True)
    provider_signed_at: datetime | None = fields.DatetimeField(null=True)
    budget_id: int | None = fields.BigIntField(null=True, description="The year whose money it took")
    wanted_fen: int | None = fields.BigIntField(null=True, description="The most its enterprise spends")
    voucher_fen = CheckedBigInt(
        check="voucher_fen >= 0 AND voucher_fen <= amount_fen", default=0, description="Held at signing, fen"
    )
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="")
    created_at: datetime = fields.DatetimeField()
    ended_at: datetime | None = fields.DatetimeField(null=True)
    reason = fields.TextField(default="", description="Why it came to nothing")

    class Meta:
        table = "contract"
        indexes = (("enterprise_id", "id"), ("provider_id", "id"), ("budget_id", "kind"))


class VoucherHold(Model):
    """What one contract holds of one voucher, from its signing until it is used or released."""

    id = fields.BigIntField(primary_key=True)
    contract: fields.ForeignKeyRelation[Contract] = fields.ForeignKeyField(
        "models.Contract", related_name="holds", on_delete=fields.RESTRICT
    )
    contract_id: int
    voucher_id = fields.BigIntField(db_index=True)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    held_at: datetime = fields.DatetimeField()
    released_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "voucher_hold"
        unique_together = (("contract_id", "voucher_id"),)


class VoucherRequest(Model):
    """An enterprise's request for a voucher on a signed contract, with its place in the period's line."""

    id = fields.BigIntField(primary_key=True)
    round: fields.ForeignKeyRelation[Round] = fields.ForeignKeyField(
        "models.Round", related_name="requests", on_delete=fields.RESTRICT
    )
    round_id: int
    contract: fields.ForeignKeyRelation[Contract] = fields.ForeignKeyField(
        "models.Contract", related_name="requests", on_delete=fields.RESTRICT
    )
    contract_id: int
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="voucher_requests", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    status = fields.CharEnumField(RequestStatus, max_length=16)
    requested_at: datetime = fields.DatetimeField(description="By the server's clock: its place in the line")
    labels: list[str] = fields.JSONField(description="Confirmed labels when it was requested")
    expected_fen = CheckedBigInt(check="expected_fen > 0", description="What the rules gave then, fen")
    amount_fen: int | None = fields.BigIntField(null=True, description="What the operator worked out, fen")
    clause = fields.CharField(200, default="")
    arithmetic = fields.TextField(default="")
    reason = fields.TextField(default="")
    decided_at: datetime | None = fields.DatetimeField(null=True)
    voucher_id: int | None = fields.BigIntField(null=True)

    class Meta:
        table = "voucher_request"
        indexes = (("round_id", "status"), ("enterprise_id", "id"))


class Draw(Model):
    """A voucher's registered use: who drew it for which enterprise, contract and project (YC-05)."""

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    budget_id = fields.BigIntField()
    provider: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="draws", on_delete=fields.RESTRICT
    )
    provider_id: int
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="drawn_for", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    contract: fields.ForeignKeyRelation[Contract] = fields.ForeignKeyField(
        "models.Contract", related_name="draws", on_delete=fields.RESTRICT
    )
    contract_id: int
    project = fields.CharField(200)
    project_key = fields.CharField(200, description="The same however it was spaced or capitalised")
    fee_fen = CheckedBigInt(check="fee_fen > 0", description="The project's fee by the contract, fen")
    voucher_id = fields.BigIntField(unique=True)
    clause = fields.CharField(200)
    arithmetic = fields.TextField()
    drawn_at: datetime = fields.DatetimeField()
    facts: dict[str, Any] = fields.JSONField(description="The enterprise's facts it was judged on")

    class Meta:
        table = "draw"
        # Each project of an enterprise once (YC-13).
        unique_together = (("programme_slug", "provider_id", "enterprise_id", "project_key"),)
        indexes = (("contract_id", "id"),)
