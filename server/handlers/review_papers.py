"""What stands beside a case over HTTP: forms of inspectors, who is recused, and numbers shown whole."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.parsing import Body, Id
from server.handlers.review_forms import ReviewPath
from server.handlers.review_inbox import READERS, REVIEWERS
from server.handlers.review_views import REASON
from server.keys import CLOCKS, INSPECTION_FORMS, REVIEWS
from server.rules.review import DecidedBefore, NotYourReview, ReasonMissing, ReviewOver
from server.services.access import Actor, NotFound, StaffRole
from server.services.files.files import FilesUnknown
from server.services.reviews import recusals, reveals, review_files
from server.services.reviews.inspection_forms import InspectionValuesUnusable, NoFormHere
from server.services.reviews.recusals import Recused, RecusedBefore
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import ReviewNotOpen

routes = Routes("review_papers")

INSPECTORS = staff(StaffRole.INSPECTOR, StaffRole.OPERATOR, StaffRole.AUTHORITY)
MISSING = "Fields that are not filled in or signed. | 未填写或未签章的字段。"
PASSES = "Whether it says that the case passes. | 审核意见是否通过。"
Value = bool | int | Annotated[str, Field(max_length=2000)]


class FillForm(Body):
    """A form, field by field. A signature is true where the paper has it, else the file of its picture."""

    values: dict[Annotated[str, Field(max_length=64)], Value] = Field(
        max_length=100, description="Field code to value. | 字段及填写内容。", examples=[{"opinion": "满意"}]
    )
    paper_id: Id | None = Field(default=None, description="The signed paper. | 签章纸质表单的文件编号。")


class FormView(Answer):
    """A form as it was filled in last, numbers masked."""

    code: str = Field(description="The form's code. | 表单代码。")
    name: str = Field(description="What it is called. | 表单名称。")
    values: dict[str, Any] = Field(description="Field code to value. | 填写内容。")
    paper_id: int | None = Field(description="The signed paper. | 签章纸质表单的文件编号。")
    missing: list[str] = Field(description=MISSING)
    passes: bool | None = Field(description=PASSES)
    filled_at: AwareDatetime = Field(description="When. | 填写时间。")


class FormFilled(Answer):
    """A form that was kept."""

    missing: list[str] = Field(description=MISSING)
    passes: bool | None = Field(description=PASSES)


class Recuse(Body):
    """Why somebody keeps out of a case. Without a name, whoever asks."""

    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["与申请单位有利害关系"])
    reviewer_id: Id | None = Field(default=None, description="The member of staff. | 回避人员编号。")


class RecusedView(Answer):
    """Who keeps out of a case."""

    reviewer_id: int = Field(description="The member of staff. | 回避人员编号。")
    declared_at: AwareDatetime = Field(description="Since when. | 回避时间。")


class Reveal(Body):
    """Which masked number is needed whole, and what for."""

    field: str = Field(min_length=1, max_length=64, description="The field. | 字段。", examples=["phone"])
    reason: str = Field(min_length=2, max_length=500, description=REASON, examples=["电话核实服务情况"])


class Revealed(Answer):
    """A number, whole. Who saw it and why is written down."""

    value: str = Field(description="The number. | 完整内容。")


@routes.get(
    "/api/v1/reviews/{review_id}/form",
    summary="The inspector's form as it was filled in last. | 最近填写的审核情况表。",
    access=READERS,
    answers={200: FormView},
)
async def form(request: web.Request, actor: Actor, path: ReviewPath) -> FormView:
    file = await review_files.for_reviewer(request.app[REVIEWS], path.review_id, actor=actor)
    shown = await request.app[INSPECTION_FORMS].shown(file.case)
    if shown is None:
        raise NotFound()
    return FormView(
        code=shown.form.code,
        name=shown.form.name,
        values=dict(shown.values),
        paper_id=shown.row.paper_id,
        missing=shown.row.missing,
        passes=shown.row.passes,
        filled_at=shown.row.filled_at,
    )


@routes.post(
    "/api/v1/reviews/{review_id}/form",
    summary="Fill in the inspector's form, on the phone or from paper. | 填写审核情况表。",
    access=INSPECTORS,
    answers={201: FormFilled},
    refusals=(
        NotYourReview,
        OwnReview,
        ReviewOver,
        ReviewNotOpen,
        Recused,
        NoFormHere,
        InspectionValuesUnusable,
        FilesUnknown,
    ),
)
async def fill(request: web.Request, actor: Actor, path: ReviewPath, body: FillForm) -> FormFilled:
    made = await request.app[INSPECTION_FORMS].fill(
        path.review_id, body.values, paper_id=body.paper_id, actor=actor
    )
    return FormFilled(missing=made.missing, passes=made.passes)


@routes.post(
    "/api/v1/reviews/{review_id}/recusals",
    summary="Keep out of a case, or keep a colleague out. | 申请回避或要求他人回避。",
    access=REVIEWERS,
    answers={201: RecusedView},
    refusals=(ReasonMissing, ReviewOver, DecidedBefore, RecusedBefore),
)
async def recuse(request: web.Request, actor: Actor, path: ReviewPath, body: Recuse) -> RecusedView:
    made = await recusals.recuse(
        path.review_id,
        reason=body.reason,
        reviewer_id=body.reviewer_id,
        clocks=request.app[CLOCKS],
        actor=actor,
    )
    return RecusedView(reviewer_id=made.reviewer_id, declared_at=made.declared_at)


@routes.post(
    "/api/v1/reviews/{review_id}/reveals",
    summary="Show a masked number whole, with a reason. | 说明理由，查看脱敏信息全文。",
    access=REVIEWERS,
    answers={200: Revealed},
    refusals=(ReasonMissing, OwnReview, Recused),
)
async def reveal(request: web.Request, actor: Actor, path: ReviewPath, body: Reveal) -> Revealed:
    value = await reveals.reveal(
        request.app[REVIEWS],
        request.app[INSPECTION_FORMS],
        path.review_id,
        body.field,
        reason=body.reason,
        actor=actor,
    )
    return Revealed(value=value)
