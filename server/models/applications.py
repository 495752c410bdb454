"""Applications: what organisations asked for in a round, and the list in which a closed round ranked them."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.models.rounds import Round
from server.rules.issuance import ApplicationDeed, ApplicationStatus, RankOutcome


class Application(Model):
    """申领: what one organisation asks for in one round. What it went through, its requests say."""

    id = fields.BigIntField(primary_key=True)
    round: fields.ForeignKeyRelation[Round] = fields.ForeignKeyField(
        "models.Round", related_name="applications", on_delete=fields.RESTRICT
    )
    round_id: int
    enterprise: fields.ForeignKeyRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="applications", on_delete=fields.RESTRICT
    )
    enterprise_id: int
    status = fields.CharEnumField(ApplicationStatus, max_length=16, default=ApplicationStatus.STANDING)
    amount_fen = CheckedBigInt(check="amount_fen > 0", description="What it asks for, fen")
    arrived_at: datetime = fields.DatetimeField(description="When it took its place, to the millisecond")
    place = fields.BigIntField(description="Orders those of one millisecond: the request that took the place")
    ahead = fields.BooleanField(description="When it arrived, nobody later could come before it")
    person_id = fields.BigIntField(description="Who sent the latest request")
    created_at: datetime = fields.DatetimeField()
    changed_at: datetime = fields.DatetimeField()

    class Meta:
        table = "application"
        unique_together = (("round_id", "enterprise_id"),)
        indexes = (("enterprise_id", "id"),)


class ApplicationRequest(Model):
    """One request that changed an application. Append-only, its id counts up in the order of taking."""

    id = fields.BigIntField(primary_key=True)
    enterprise_id = fields.BigIntField()
    request_key = fields.CharField(32, description="128 random bits, hex, made and kept by the phone")
    round_id = fields.BigIntField()
    person_id = fields.BigIntField()
    deed = fields.CharEnumField(ApplicationDeed, max_length=16)
    amount_fen = fields.BigIntField(description="What is asked for from now on, 0 where it is withdrawn")
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "application_request"
        unique_together = (("enterprise_id", "request_key"),)


class Ranking(Model):
    """How a round was ranked: once, in one transaction. The list itself is in its entries."""

    id = fields.BigIntField(primary_key=True)
    round: fields.OneToOneRelation[Round] = fields.OneToOneField(
        "models.Round", related_name="ranking", on_delete=fields.RESTRICT
    )
    round_id: int
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    ranked_at: datetime = fields.DatetimeField()
    closed_at: datetime = fields.DatetimeField(description="What the days until the result count from")
    published_at: datetime = fields.DatetimeField(description="Nobody sees the list before")
    visible_at: datetime = fields.DatetimeField(description="Then every applicant is told in its account")
    provisional = fields.BooleanField(description="These days lie in a year nobody has published yet")
    told_at: datetime | None = fields.DatetimeField(null=True, description="When everybody was told")
    pool_fen = fields.BigIntField(description="What there was to give, fen")
    awarded_fen = fields.BigIntField()
    ranked_count = fields.IntField()
    awarded_count = fields.IntField()
    waiting_count = fields.IntField()
    excluded_count = fields.IntField(description="Applied, and were not to be ranked")
    sha256 = fields.CharField(64, description="Of the canonical list, hex, also in the journal")

    class Meta:
        table = "ranking"


class RankingEntry(Model):
    """One line of a ranking, as it was made. Append-only, so that the published list stays what it was."""

    id = fields.BigIntField(primary_key=True, description="The application")
    round_id = fields.BigIntField()
    enterprise_id = fields.BigIntField()
    position: int | None = fields.IntField(null=True, description="null: excluded")
    name = fields.CharField(200, description="As it is published")
    priority = fields.BooleanField()
    group_code = fields.CharField(64, default="", description="Which priority group")
    tier = fields.CharField(64, default="")
    arrived_at: datetime = fields.DatetimeField()
    place = fields.BigIntField()
    asked_fen = fields.BigIntField()
    allowed_fen = fields.BigIntField(description="Of it, what the year's quota left")
    awarded_fen = fields.BigIntField()
    outcome = fields.CharEnumField(RankOutcome, max_length=16)

    class Meta:
        table = "ranking_entry"
        unique_together = (("round_id", "position"),)


class WaitingAward(Model):
    """Money that came back and went down the waiting list of its round. Append-only."""

    id = fields.BigIntField(primary_key=True)
    application_id = fields.BigIntField(unique=True)
    round_id = fields.BigIntField(db_index=True)
    voucher_id = fields.BigIntField()
    amount_fen = CheckedBigInt(check="amount_fen > 0")
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "waiting_award"
