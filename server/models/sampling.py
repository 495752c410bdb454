"""Sampling: draws whose seed was committed before the list was locked, their lists, and what was found."""

from __future__ import annotations

from datetime import date, datetime

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.programme.review import ReviewSubject, Sampled
from server.rules.sampling import DrawStatus, SampleOutcome
from server.sealing import SEALED_LENGTH


class SamplingDraw(Model):
    """抽查: one draw of one kind. The hash of its seed is published before its list exists.

    ``seed`` is empty until the draw is made. From its locking on, the list is frozen.
    """

    id = fields.BigIntField(primary_key=True)
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    code = fields.CharField(64, description="The code of the programme's check")
    name = fields.CharField(200, description="What is checked, in the text's words")
    clause = fields.CharField(120, default="")
    over = fields.CharEnumField(Sampled, max_length=16)
    subject: ReviewSubject | None = fields.CharEnumField(  # type: ignore[assignment]
        ReviewSubject, max_length=32, null=True, description="Of cases under review"
    )
    share_bp = fields.IntField(description="The least share")
    since: date | None = fields.DateField(null=True, description="First day of the period looked at")
    until: date | None = fields.DateField(null=True, description="Its last day")
    public_source = fields.CharField(
        120, default="", description="Which public number is mixed in, named beforehand"
    )
    public_number = fields.CharField(64, default="")
    commitment = fields.CharField(64, description="SHA-256 of the seed, published before the list is locked")
    sealed_seed = fields.CharField(SEALED_LENGTH)
    seed = fields.CharField(64, default="", description="Published with the result")
    list_hash = fields.CharField(64, default="", description="SHA-256 of the locked list")
    status = fields.CharEnumField(DrawStatus, max_length=16, default=DrawStatus.ANNOUNCED)
    items = CheckedBigInt(check="items >= 0", default=0, description="How many stand on the list")
    drawn = CheckedBigInt(check="drawn >= 0", default=0, description="How many were drawn")
    open_items = CheckedBigInt(check="open_items >= 0", default=0, description="Drawn and not looked at yet")
    announced_by = fields.CharField(40)
    announced_at: datetime = fields.DatetimeField()
    locked_by = fields.CharField(40, default="")
    locked_at: datetime | None = fields.DatetimeField(null=True)
    drawn_by = fields.CharField(40, default="")
    drawn_at: datetime | None = fields.DatetimeField(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "sampling_draw"
        indexes = (("programme_slug", "id"),)


class SamplingItem(Model):
    """One line of a draw's list, frozen with it. Only its result is written later."""

    id = fields.BigIntField(primary_key=True)
    draw: fields.ForeignKeyRelation[SamplingDraw] = fields.ForeignKeyField(
        "models.SamplingDraw", related_name="list", on_delete=fields.RESTRICT
    )
    draw_id: int
    key = fields.CharField(40, description="The number by which the public list calls it")
    row_id = fields.BigIntField(description="The case, order or organisation, in its own table")
    provider_id: int | None = fields.BigIntField(null=True)
    stratum = fields.CharField(64, description="Provider and band of amount, without a name")
    flagged = fields.BooleanField(default=False, description="Always in the sample")
    turn: int | None = fields.IntField(null=True, description="Its place among those drawn, from 1")
    outcome: SampleOutcome | None = fields.CharEnumField(  # type: ignore[assignment]
        SampleOutcome, max_length=16, null=True, description="The last that was written"
    )

    class Meta:
        table = "sampling_item"
        unique_together = (("draw", "key"),)
        indexes = (("draw_id", "turn"), ("row_id", "draw_id"))


class SampleAnswer(Model):
    """What came of one attempt at a drawn item. Who did not answer stays on the list."""

    id = fields.BigIntField(primary_key=True)
    item: fields.ForeignKeyRelation[SamplingItem] = fields.ForeignKeyField(
        "models.SamplingItem", related_name="answers", on_delete=fields.RESTRICT
    )
    item_id: int
    outcome = fields.CharEnumField(SampleOutcome, max_length=16)
    method = fields.CharField(64, default="", description="How, in the text's words")
    satisfaction = fields.CharField(64, default="", description="One of the programme's words for it")
    note = fields.TextField(default="")
    by = fields.CharField(40)
    at: datetime = fields.DatetimeField()

    class Meta:
        table = "sample_answer"
        indexes = (("item_id", "id"),)
