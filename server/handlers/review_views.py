"""What reviewers, applicants and the public see of a case: its steps, decisions, checks and objections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.models.reviews import ReviewDecision, ReviewObjection
from server.programme.review import ReviewKind, ReviewStep
from server.programme.vocabulary import Actor as Role
from server.rules.review import Verdict
from server.services.reviews.review_files import StepState

NUMBER = "The case's number, of which people type the last six digits. | 审核件编号，可按后六位查询。"
SUBJECT = "What is reviewed. | 审核事项。"
TITLE = "What it is about. | 标题。"
CLAUSE = "The provision. | 依据条款。"
REASON = "Why. | 理由。"
DUE = "Until when, exclusive; null: the text names no time. | 办理期限，空为未规定。"
PROVISIONAL = (
    "The deadline may move: a year's holidays are not published yet. | 期限为暂定，以公布的放假安排为准。"
)


class CheckView(Answer):
    """One of the system's own lines."""

    code: str = Field(description="Stable code. | 代码。")
    clause: str = Field(description=CLAUSE)
    message: str = Field(description="What is asked. | 核验内容。")
    met: bool = Field(description="Green where true. | 是否符合。")
    arithmetic: str = Field(description="The comparison, where there is one. | 计算或比较。")


class StepView(Answer):
    """One step of the chain."""

    name: str = Field(description="What the text calls it. | 环节名称。")
    kind: ReviewKind = Field(description="What is done. | 环节类型。")
    by: Role = Field(description="Whose turn it is then. | 由谁办理。")
    by_name: str = Field(description="The same in Chinese. | 办理单位。")
    clause: str = Field(description=CLAUSE)
    looks_at: list[str] = Field(description="What is examined. | 审核内容。")
    decides: bool = Field(description="False: an opinion or a record. | 是否作出决定。")
    state: StepState = Field(description="How far it is. | 进度。")


class DecisionView(Answer):
    """One decision, with its clause and reason."""

    step: str = Field(description="At which step. | 环节。")
    verdict: Verdict = Field(description="What was decided. | 决定。")
    role: Role = Field(description="Who decided, as a role. | 办理角色。")
    reviewer: str = Field(description="Who it was; empty for the applicant. | 办理人，仅工作人员可见。")
    clause: str = Field(description=CLAUSE)
    reason: str = Field(description=REASON)
    fields: dict[str, str] = Field(description="To be corrected, with reasons. | 须修改的字段及原因。")
    score: int | None = Field(description="An expert's, 0 to 100. | 专家评分。")
    held_on: date | None = Field(description="The day a committee met. | 会议日期。")
    checks: list[CheckView] = Field(description="The system's lines then. | 当时的系统核验结果。")
    decided_at: AwareDatetime = Field(description="When. | 决定时间。")
    returns_before: int = Field(
        description="How often it had been returned: less than now, an earlier version. | 此前退回次数。"
    )


class ObjectionView(Answer):
    """An objection during the public notice."""

    id: int = Field(description="The objection. | 异议编号。")
    reason: str = Field(description=REASON)
    made_at: AwareDatetime = Field(description="When it was made. | 提出时间。")
    made_by: str = Field(
        description="Under their name or not; for staff alone. | 实名或匿名，仅工作人员可见。"
    )
    due_at: AwareDatetime | None = Field(description="To be answered by then. | 答复期限。")
    answered_at: AwareDatetime | None = Field(description="When it was answered. | 答复时间。")
    upheld: bool | None = Field(description="Whether it was upheld. | 异议是否成立。")
    answer: str = Field(description="The answer. | 答复。")


def step_views(steps: Sequence[tuple[ReviewStep, StepState]]) -> list[StepView]:
    """The chain in its order."""
    return [
        StepView(
            name=step.name,
            kind=step.kind,
            by=step.by,
            by_name=texts.ACTORS[step.by],
            clause=step.article,
            looks_at=list(step.looks_at),
            decides=step.decides,
            state=state,
        )
        for step, state in steps
    ]


def decision_view(row: ReviewDecision, *, named: bool) -> DecisionView:
    """A decision; ``named``: with the name of who decided."""
    return DecisionView(
        step=row.step_name,
        verdict=row.verdict,
        role=row.role,
        reviewer=row.reviewer_name if named else "",
        clause=row.clause,
        reason=row.reason,
        fields=row.fields_returned,
        score=row.score,
        held_on=row.held_on,
        checks=[CheckView(**check) for check in row.checks],
        returns_before=row.returns_before,
        decided_at=row.decided_at,
    )


def objection_view(row: ReviewObjection, *, named: bool) -> ObjectionView:
    """An objection; ``named``: with who made it."""
    return ObjectionView(
        id=row.id,
        reason=row.reason,
        made_at=row.made_at,
        made_by=texts.OBJECTORS.get(row.made_by, "") if named else "",
        due_at=row.due_at,
        answered_at=row.answered_at,
        upheld=row.upheld,
        answer=row.answer,
    )
