"""Budgets and rounds: the money of a programme year, and the parts of it that are given out."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.rules.lifecycles import RoundStatus


class Budget(Model):
    """A programme year's money, and the fence of its launches.

    ``epoch`` fences Redis: a commit that was reserved under an older epoch is refused. ``version``
    numbers the administrative changes so that Redis applies each once and in order. Every commit and
    every administrative change first takes this row's lock by raising ``lock_number``: a write, so
    that it locks on SQLite too. Money columns are changed by guarded UPDATE only.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    year = fields.IntField()
    total_fen = CheckedBigInt(check="total_fen >= 0", description="What the year may spend, fen")
    allotted_fen = CheckedBigInt(
        check=(
            "allotted_fen >= 0 AND"
            " allotted_fen + committed_fen + on_file_fen + fees_fen <= total_fen + returned_fen"
        ),
        description="Given to rounds, fen",
    )
    committed_fen = CheckedBigInt(
        check="committed_fen >= 0", default=0, description="Taken at signing where quota was promised, fen"
    )
    on_file_fen = CheckedBigInt(
        check="on_file_fen >= 0", default=0, description="Taken by complete settlement files, in line, fen"
    )
    fees_fen = CheckedBigInt(
        check="fees_fen >= 0", default=0, description="Taken by the operator for supervision, fen"
    )
    returned_fen = CheckedBigInt(
        check="returned_fen >= 0", default=0, description="Come back from vouchers for others to have, fen"
    )
    issued_count = fields.IntField(default=0, description="Vouchers ever issued without a round")
    epoch = fields.BigIntField(default=1)
    version = fields.BigIntField(default=0)
    lock_number = fields.BigIntField(default=0)
    created_at: datetime = fields.DatetimeField()

    @property
    def free_fen(self) -> int:
        """What the year can still give to rounds, commit to contracts or let complete files take, fen."""
        taken_fen = self.allotted_fen + self.committed_fen + self.on_file_fen + self.fees_fen
        return int(self.total_fen + self.returned_fen - taken_fen)

    class Meta:
        table = "budget"
        unique_together = (("programme_slug", "year"),)


class Round(Model):
    """批次: an issuance round with its window, its pool of money and the terms of its vouchers."""

    id = fields.BigIntField(primary_key=True)
    budget: fields.ForeignKeyRelation[Budget] = fields.ForeignKeyField(
        "models.Budget", related_name="rounds", on_delete=fields.RESTRICT
    )
    budget_id: int
    title = fields.CharField(120)
    status = fields.CharEnumField(RoundStatus, max_length=32, default=RoundStatus.DRAFT)
    opens_at: datetime = fields.DatetimeField()
    closes_at: datetime = fields.DatetimeField()
    pool_fen = CheckedBigInt(check="pool_fen >= 0")
    issued_fen = CheckedBigInt(
        check="issued_fen >= 0 AND issued_fen <= pool_fen", default=0, description="Gross, fen"
    )
    issued_count = fields.IntField(default=0, description="Vouchers ever issued: numbers the next")
    order_deadline: datetime | None = fields.DatetimeField(null=True)
    valid_until: datetime = fields.DatetimeField()
    created_at: datetime = fields.DatetimeField()
    created_by = fields.BigIntField()

    class Meta:
        table = "round"
        indexes = (("budget_id", "status"),)


class Entitlement(Model):
    """What one enterprise may be granted in one round, settled before the minute of the launch."""

    id = fields.BigIntField(primary_key=True)
    round: fields.ForeignKeyRelation[Round] = fields.ForeignKeyField(
        "models.Round", related_name="entitlements", on_delete=fields.RESTRICT
    )
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="entitlements", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    tier = fields.CharField(64)
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    quota_fen = CheckedBigInt(check="quota_fen >= amount_fen", description="The year's quota, fen")
    prepared_at: datetime = fields.DatetimeField()

    class Meta:
        table = "entitlement"
        unique_together = (("round_id", "enterprise_id"),)
