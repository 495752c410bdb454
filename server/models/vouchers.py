"""Vouchers, and the decision that every admitted grab was given."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.models.rounds import Budget, Round
from server.rules.grabbing import GrabOutcome
from server.rules.lifecycles import VoucherStatus
from server.rules.money import Basis


class Voucher(Model):
    """服务券: a named, earmarked credential. Its balance is a sum over the ledger, never a column.

    No foreign-key constraints here: they cost a lock on the round's row for every grant of a launch.
    The one statement that inserts vouchers takes these ids from the rows it has just locked.
    """

    id = fields.BigIntField(primary_key=True)
    number = fields.CharField(24, unique=True, description="What people read aloud")
    round: fields.ForeignKeyNullableRelation[Round] = fields.ForeignKeyField(
        "models.Round", related_name="vouchers", null=True, on_delete=fields.NO_ACTION, db_constraint=False
    )
    round_id: int | None
    """``None`` where the programme issues without rounds."""
    budget: fields.ForeignKeyRelation[Budget] = fields.ForeignKeyField(
        "models.Budget", related_name="vouchers", on_delete=fields.NO_ACTION, db_constraint=False
    )
    budget_id: int
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="vouchers", on_delete=fields.NO_ACTION, db_constraint=False
    )
    enterprise_id: int
    provider_id: int | None = fields.BigIntField(null=True, description="Its holder, where a provider is")
    kind = fields.CharField(32, default="", db_default="", description="Where a programme has several")
    basis = fields.CharEnumField(Basis, max_length=16, default=Basis.MONEY, db_default="money")
    serial = fields.IntField(
        default=1, description="The n-th of this enterprise in its round or, without rounds, its year"
    )
    tier = fields.CharField(64, default="")
    face_value_fen = CheckedBigInt(check="face_value_fen > 0")
    given_back_fen = CheckedBigInt(
        check="given_back_fen >= 0 AND given_back_fen <= face_value_fen",
        default=0,
        db_default=0,
        description="Of it, what no longer counts against the year's quota, fen",
    )
    status = fields.CharEnumField(VoucherStatus, max_length=32, default=VoucherStatus.ACTIVE)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    granted_at: datetime = fields.DatetimeField()
    reserved_at: datetime = fields.DatetimeField(
        description="When Redis took the money, or when it was applied for"
    )
    order_deadline: datetime | None = fields.DatetimeField(null=True)
    valid_until: datetime = fields.DatetimeField()
    reclaimed_at: datetime | None = fields.DatetimeField(
        null=True, description="When what was free of it was taken back for a missed deadline"
    )
    epoch = fields.BigIntField(default=0)
    place = fields.CharField(
        32, default="", description="Place in the line of this epoch: the intent's id in Redis, or the rank"
    )

    class Meta:
        table = "voucher"
        unique_together = (("round_id", "enterprise_id", "serial"),)
        indexes = (("enterprise_id", "budget_id"), ("budget_id", "status", "valid_until"))


class GrabDecision(Model):
    """One decision per (enterprise, grab key): granted or refused, so that a retry reads the same."""

    id = fields.BigIntField(primary_key=True)
    enterprise_id = fields.BigIntField()
    grab_key = fields.CharField(32, description="128 random bits, hex, made and kept by the phone")
    round_id = fields.BigIntField()
    person_id = fields.BigIntField()
    epoch = fields.BigIntField()
    place = fields.CharField(32)
    outcome = fields.CharEnumField(GrabOutcome, max_length=16)
    voucher_id: int | None = fields.BigIntField(null=True)
    decided_at: datetime = fields.DatetimeField()

    class Meta:
        table = "grab_decision"
        unique_together = (("enterprise_id", "grab_key"),)
