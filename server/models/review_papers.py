"""What stands beside a case: who is recused from it, and the forms that inspectors filled in."""

from __future__ import annotations

from datetime import datetime

from tortoise import fields
from tortoise.models import Model

from server.models.reviews import ReviewCase


class ReviewRecusal(Model):
    """回避: somebody has a tie to a case, and has no say in it any more."""

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[ReviewCase] = fields.ForeignKeyField(
        "models.ReviewCase", related_name="recusals", on_delete=fields.RESTRICT
    )
    case_id: int
    reviewer_id = fields.BigIntField()
    reason = fields.TextField()
    declared_by = fields.CharField(40, description="Themselves, or who leads the review")
    declared_at: datetime = fields.DatetimeField()

    class Meta:
        table = "review_recusal"
        unique_together = (("case", "reviewer_id"),)


class InspectionForm(Model):
    """线下审核情况表: a form as it was filled in once, on the phone or on paper. The last one counts.

    The values hold names and telephone numbers, and are sealed.
    """

    id = fields.BigIntField(primary_key=True)
    case: fields.ForeignKeyRelation[ReviewCase] = fields.ForeignKeyField(
        "models.ReviewCase", related_name="forms", on_delete=fields.RESTRICT
    )
    case_id: int
    place = fields.IntField(description="The step it was filled in for")
    code = fields.CharField(64, description="The programme's code of the form")
    sealed_values = fields.TextField()
    values_hash = fields.CharField(64, description="SHA-256 of what was sealed")
    paper_id: int | None = fields.BigIntField(null=True, description="The signed paper, as it was uploaded")
    missing: list[str] = fields.JSONField(
        default=list, description="Codes of what is not filled in or signed"
    )
    passes: bool | None = fields.BooleanField(null=True)  # type: ignore[assignment]
    filled_by = fields.BigIntField(description="The member of staff")
    filled_at: datetime = fields.DatetimeField()

    class Meta:
        table = "inspection_form"
        indexes = (("case_id", "place", "id"),)
