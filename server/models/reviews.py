"""Reviews: the cases under review, every decision on them, and what was objected to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from tortoise import fields
from tortoise.models import Model

from server.models.columns import CheckedBigInt
from server.models.organisations import Organisation
from server.programme.review import ReviewKind, ReviewSubject
from server.programme.vocabulary import Actor
from server.rules.review import CaseStatus, Verdict

NO_DEADLINE_MS = 2**53 - 1
"""The rank of what has no deadline: after everything that has one. Exact in a JavaScript number."""


class ReviewCase(Model):
    """One thing under review, with its chain as the programme had it when the case was opened.

    ``version`` counts what has happened to it, and whoever decides names the version that they looked at.
    Name, code and area of the organisation are those of the opening: that is what people search by.
    """

    id = fields.BigIntField(primary_key=True)
    subject = fields.CharEnumField(ReviewSubject, max_length=32)
    subject_id = fields.BigIntField(description="The row that is reviewed, in its own table")
    programme_slug = fields.CharField(64)
    programme_version = fields.CharField(32)
    organisation: fields.ForeignKeyNullableRelation[Organisation] = fields.ForeignKeyField(
        "models.Organisation", related_name="reviews", null=True, on_delete=fields.RESTRICT
    )
    organisation_id: int | None
    organisation_name = fields.CharField(200, default="")
    uscc = fields.CharField(18, default="")
    area = fields.CharField(64, default="")
    title = fields.CharField(200)
    chain: dict[str, Any] = fields.JSONField(description="Article and steps, in their order")
    circumstances: list[str] = fields.JSONField(default=list, description="What makes further steps apply")
    status = fields.CharEnumField(CaseStatus, max_length=16, default=CaseStatus.OPEN)
    place: int | None = fields.IntField(null=True, description="The step it stands at, null at its end")
    step_name = fields.CharField(120, default="", description="What that step is called")
    turn: Actor | None = fields.CharEnumField(  # type: ignore[assignment]
        Actor, max_length=16, null=True, description="Whose turn it is"
    )
    turn_since: datetime = fields.DatetimeField(description="Since when it stands where it stands")
    claimed_by: int | None = fields.BigIntField(null=True, description="The member of staff who has it")
    claimed_at: datetime | None = fields.DatetimeField(null=True)
    due_at: datetime | None = fields.DatetimeField(null=True, description="Exclusive, null: no time is set")
    notice_until: datetime | None = fields.DatetimeField(null=True, description="While it is on notice")
    due_provisional = fields.BooleanField(default=False, description="A year's working days were guessed")
    rank_ms = CheckedBigInt(check="rank_ms > 0", description="due_at in Unix ms: the order of every list")
    amount_fen: int | None = fields.BigIntField(null=True, description="What is asked for, if it is money")
    flagged = fields.BooleanField(default=False, description="Always in a sample, as a statement stands in")
    draw_id: int | None = fields.BigIntField(null=True, description="The draw whose list it is or was on")
    version = fields.IntField(default=1)
    opened_at: datetime = fields.DatetimeField()
    opened_by = fields.CharField(40, description="person:12, staff:3, clock")
    closed_at: datetime | None = fields.DatetimeField(null=True)

    class Meta:
        table = "review_case"
        indexes = (
            ("organisation_id", "id"),
            ("subject", "subject_id"),
            ("uscc",),
        )


class ReviewDecision(Model):
    """One decision, never changed: what was seen, what was said, and on what grounds.

    ``reviewer_id`` is ``None`` where the software decided: automatic steps, the end of a notice.
    """

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[ReviewCase] = fields.ForeignKeyField(
        "models.ReviewCase", related_name="decisions", on_delete=fields.RESTRICT
    )
    case_id: int
    place = fields.IntField()
    kind = fields.CharEnumField(ReviewKind, max_length=32)
    step_name = fields.CharField(120)
    clause = fields.CharField(120, default="")
    verdict = fields.CharEnumField(Verdict, max_length=16)
    reviewer_id: int | None = fields.BigIntField(null=True)
    returns_before = fields.IntField(default=0, description="How often the case had been returned by then")
    reviewer_name = fields.CharField(64, default="", description="As it was shown then")
    role = fields.CharEnumField(Actor, max_length=16)
    reason = fields.TextField(default="")
    fields_returned: dict[str, str] = fields.JSONField(default=dict, description="Field code to reason")
    extras: dict[str, Any] = fields.JSONField(default=dict)
    score: int | None = fields.IntField(null=True, description="Out of 100, an expert's")
    held_on: date | None = fields.DateField(null=True, description="The day a committee met")
    snapshot: dict[str, Any] = fields.JSONField(description="The applicant as they stood")
    checks: list[dict[str, Any]] = fields.JSONField(default=list, description="The system's lines then")
    decided_at: datetime = fields.DatetimeField()

    class Meta:
        table = "review_decision"
        indexes = (("case_id", "id"),)


class ReviewObjection(Model):
    """What somebody objects to during a public notice. Open until it is answered."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[ReviewCase] = fields.ForeignKeyField(
        "models.ReviewCase", related_name="objections", on_delete=fields.RESTRICT
    )
    case_id: int
    notice: fields.ForeignKeyNullableRelation[Any] = fields.ForeignKeyField(
        "models.PublicNotice", related_name="objections", null=True, on_delete=fields.RESTRICT
    )
    notice_id: int | None
    made_by = fields.CharField(40, description="named or anonymous. Who it is stands in another table")
    reason = fields.TextField()
    made_at: datetime = fields.DatetimeField()
    due_at: datetime | None = fields.DatetimeField(null=True, description="Until when it is to be answered")
    due_provisional = fields.BooleanField(default=False, description="A year's working days were guessed")
    by_default = fields.BooleanField(default=False, description="No text names a time: the house's default")
    escalated_at: datetime | None = fields.DatetimeField(null=True, description="Told as overdue")
    answered_at: datetime | None = fields.DatetimeField(null=True)
    answered_by: int | None = fields.BigIntField(null=True)
    upheld: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]
    answer = fields.TextField(default="")

    class Meta:
        table = "review_objection"
        indexes = (("case_id", "answered_at"),)
