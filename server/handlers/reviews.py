"""Reviews over HTTP, the reviewers' side: their inbox, a case before them, and what they decide."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Routes, staff
from server.handlers.review_forms import ApproveMany, Decide, InboxQuery, Opine, ReviewPath
from server.handlers.review_views import (
    CLAUSE,
    DUE,
    NUMBER,
    PROVISIONAL,
    SUBJECT,
    TITLE,
    CheckView,
    DecisionView,
    ObjectionView,
    StepView,
    decision_view,
    objection_view,
    step_views,
)
from server.keys import REVIEWS
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.lifecycles import IllegalMove
from server.rules.payments import FeeOutOfBounds
from server.rules.quota import QuotaExceeded
from server.rules.review import (
    CaseStatus,
    DecidedBefore,
    NotYourReview,
    PaidByBatch,
    PanelTooSmall,
    PutUpByNotice,
    ReasonMissing,
    Record,
    ReviewNotAskable,
    ReviewNotReturnable,
    ReviewOver,
    ReviewRecordIncomplete,
    Verdict,
)
from server.rules.settlements import FeeNotTaken, ReductionImpossible, ReductionNotAllowed
from server.rules.steps import StepOutOfTurn
from server.services import review_bulk, review_claims, review_files
from server.services.access import Actor, StaffRole
from server.services.admissions import FormItemsUnknown
from server.services.attestations import LabelNotListed
from server.services.budgets import BudgetTooSmall
from server.services.escrows import EscrowShort
from server.services.issuing import PoolExhausted
from server.services.order_holds import OrderHeld
from server.services.order_purse import NothingToPay
from server.services.payment_holds import PaymentHeld
from server.services.provider_grades import GradeNotReturnable
from server.services.qualifications import ConditionsUnmet, LabelsUnknown, QualificationMovedOn
from server.services.removals import RemovalNotReturnable
from server.services.request_book import RequestMovedOn
from server.services.review_cases import number, number_of
from server.services.review_files import Deed, ReviewerFile
from server.services.review_inbox import Cursor, SearchTooShort, Wanted
from server.services.reviewed_orders import PaymentNotReturned
from server.services.reviewed_requests import AmountImpossible, ContractNotSigned
from server.services.reviewers import OwnReview
from server.services.reviews import (
    CaseMovedOn,
    CorrectionTimePast,
    OpinionGiven,
    ReviewClaimed,
    ReviewNotOpen,
)
from server.services.settlement_book import SettlementMovedOn
from server.services.settlement_end import SettlementNotPayable
from server.services.standings import NotInStanding
from server.services.voidings import VoidingNotReturnable
from server.services.vouchers import VoucherMovedOn

routes = Routes("reviews")

REVIEWERS = staff(
    StaffRole.OPERATOR,
    StaffRole.AUTHORITY,
    StaffRole.DIVISION,
    StaffRole.DISTRICT,
    StaffRole.TREASURY,
    StaffRole.INSPECTOR,
    StaffRole.EXPERT,
    StaffRole.OVERSIGHT_BODY,
)
READERS = staff(*sorted(REVIEWERS.roles), StaffRole.AUDITOR)
TURN = (NotYourReview, OwnReview, ReviewOver, ReviewNotOpen, ReviewClaimed)
DECISIVE = (*TURN, CaseMovedOn, DecidedBefore, PanelTooSmall, ReasonMissing, ReviewRecordIncomplete)
FOLLOWING = (
    IllegalMove,
    ConditionsUnmet,
    LabelsUnknown,
    LabelNotListed,
    FormItemsUnknown,
    QualificationMovedOn,
    AmountImpossible,
    ContractNotSigned,
    NotInStanding,
    NothingToPay,
    PoolExhausted,
    QuotaExceeded,
    RequestMovedOn,
    VoucherMovedOn,
    StepOutOfTurn,
    PaymentNotReturned,
    SettlementMovedOn,
    SettlementNotPayable,
    ReductionNotAllowed,
    ReductionImpossible,
    FeeNotTaken,
    FeeOutOfBounds,
    BudgetTooSmall,
    EscrowShort,
    OrderHeld,
    PaymentHeld,
)
"""What each kind of thing under review may say of a decision that would end its chain."""
VERDICTS = {"approve": Verdict.APPROVED, "return": Verdict.RETURNED, "reject": Verdict.REJECTED}


class RowView(Answer):
    """A case in a list."""

    id: int = Field(description="The case. | 审核件编号。")
    number: str = Field(description=NUMBER)
    subject: ReviewSubject = Field(description=SUBJECT)
    programme: str = Field(description="The programme's slug. | 项目代码。")
    title: str = Field(description=TITLE)
    organisation: str = Field(description="The applicant's name. | 申请单位名称。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    status: CaseStatus = Field(description="Where it stands. | 状态。")
    step: str = Field(description="The step it stands at. | 当前环节。")
    turn: Role | None = Field(description="Whose turn it is. | 由谁办理。")
    claimed_by: int | None = Field(description="The member of staff who has it. | 领取人。")
    due_at: AwareDatetime | None = Field(description=DUE)
    due_provisional: bool = Field(description=PROVISIONAL)
    version: int = Field(description="Its version. | 版本号。")
    opened_at: AwareDatetime = Field(description="Since when. | 提交时间。")


class CountView(Answer):
    """How many cases a list holds."""

    number: int = Field(description="How many, up to 999. | 数量，最多计到 999。")
    more: bool = Field(description="There are more. | 还有更多。")


class Counts(Answer):
    """How many cases each list holds, under the same filters."""

    mine: CountView = Field(description="Taken on by me. | 我领取的。")
    team: CountView = Field(description="My roles' turn, free. | 待领取的。")
    soon: CountView = Field(description="Due within three days. | 三天内到期的。")
    late: CountView = Field(description="Past their time. | 已超期的。")


class InboxView(Answer):
    """A page of an inbox, the most urgent first."""

    reviews: list[RowView] = Field(description="The cases. | 审核件列表。")
    counts: Counts = Field(description="How many in each list. | 各列表数量。")
    next_after: str | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class ChangeView(Answer):
    """What the applicant changed since the case was sent back."""

    field: str = Field(description="The field's path. | 字段。")
    before: Any = Field(description="What it was. | 修改前。")
    after: Any = Field(description="What it is. | 修改后。")


class ReviewerFileView(RowView):
    """A case as a reviewer has it before them."""

    clause: str = Field(description=CLAUSE)
    steps: list[StepView] = Field(description="The chain. | 审核环节。")
    decisions: list[DecisionView] = Field(description="Everything decided so far. | 已作出的决定。")
    objections: list[ObjectionView] = Field(description="Objections to its notice. | 公示异议。")
    checks: list[CheckView] = Field(description="The system's own lines. | 系统核验结果。")
    facts: dict[str, Any] = Field(description="The applicant as they stand. | 申请内容。")
    changed: list[ChangeView] = Field(description="Changed since it was sent back. | 退回后的修改。")
    claimed_by_name: str = Field(description="Who has taken it on. | 领取人姓名。")
    may: list[Deed] = Field(description="What you may do now. | 您现在可以进行的操作。")


class OutcomeView(Answer):
    """What became of one of them."""

    id: int = Field(description="The case. | 审核件编号。")
    approved: bool = Field(description="Whether it was approved. | 是否已通过。")
    code: str = Field(description="Why not, as a code. | 未通过的错误代码。")
    detail: str = Field(description="Why not. | 未通过的原因。")


class Outcomes(Answer):
    """What became of each, in the order asked."""

    outcomes: list[OutcomeView] = Field(description="The outcomes. | 逐件结果。")


@routes.get(
    "/api/v1/reviews",
    summary="My inbox: a page of one list, and the counts of all. | 我的审核收件箱。",
    access=READERS,
    answers={200: InboxView},
    refusals=(SearchTooShort,),
)
async def inbox(request: web.Request, actor: Actor, query: InboxQuery) -> InboxView:
    wanted = Wanted(query.queue, query.programme, query.subject, query.search.strip())
    rank_ms, _, last_id = query.after.partition("-")
    page = await review_files.inbox(
        request.app[REVIEWS],
        wanted,
        after=Cursor(int(rank_ms), int(last_id)),
        limit=query.limit,
        actor=actor,
    )
    following = page.next_after
    return InboxView(
        reviews=[_row(row) for row in page.rows],
        counts=Counts(
            **{
                queue.value: CountView(number=counted.number, more=counted.more)
                for queue, counted in page.counts.items()
            }
        ),
        next_after=None if following is None else f"{following.rank_ms}-{following.id}",
    )


@routes.post(
    "/api/v1/reviews/approvals",
    summary="Approve several cases, each by itself. | 批量通过，逐件处理。",
    access=REVIEWERS,
    answers={200: Outcomes},
)
async def approve_many(request: web.Request, actor: Actor, body: ApproveMany) -> Outcomes:
    outcomes = await review_bulk.approve_many(
        request.app[REVIEWS],
        [(one.id, one.version) for one in body.cases],
        reason=body.reason,
        record=Record(held_on=body.held_on),
        actor=actor,
    )
    return Outcomes(
        outcomes=[
            OutcomeView(
                id=one.case_id,
                approved=one.refusal is None,
                code="" if one.refusal is None else one.refusal.code,
                detail="" if one.refusal is None else texts.sentence(one.refusal),
            )
            for one in outcomes
        ]
    )


@routes.get(
    "/api/v1/reviews/{review_id}",
    summary="One case, with everything a decision needs. | 审核件详情。",
    access=READERS,
    answers={200: ReviewerFileView},
)
async def one(request: web.Request, actor: Actor, path: ReviewPath) -> ReviewerFileView:
    return await _shown(request, path.review_id, actor)


@routes.post(
    "/api/v1/reviews/{review_id}/decision",
    summary="Approve, return for correction, or reject. | 作出审核决定。",
    access=REVIEWERS,
    answers={200: ReviewerFileView},
    refusals=(
        *DECISIVE,
        ReviewNotReturnable,
        ReviewNotAskable,
        PaidByBatch,
        PutUpByNotice,
        CorrectionTimePast,
        VoidingNotReturnable,
        RemovalNotReturnable,
        GradeNotReturnable,
        *FOLLOWING,
    ),
)
async def decide(request: web.Request, actor: Actor, path: ReviewPath, body: Decide) -> ReviewerFileView:
    await request.app[REVIEWS].decide(
        path.review_id,
        VERDICTS[body.decision],
        version=body.version,
        reason=body.reason,
        fields=body.fields,
        extras=body.extras,
        record=Record(score=body.score, held_on=body.held_on),
        ask_for=body.ask_for,
        correct_by=body.correct_by,
        actor=actor,
    )
    return await _shown(request, path.review_id, actor)


@routes.post(
    "/api/v1/reviews/{review_id}/opinions",
    summary="Give one expert's opinion. | 出具专家评审意见。",
    access=staff(StaffRole.EXPERT),
    answers={200: ReviewerFileView},
    refusals=(*DECISIVE, OpinionGiven),
)
async def opine(request: web.Request, actor: Actor, path: ReviewPath, body: Opine) -> ReviewerFileView:
    await request.app[REVIEWS].opine(
        path.review_id,
        version=body.version,
        record=Record(score=body.score),
        reason=body.reason,
        actor=actor,
    )
    return await _shown(request, path.review_id, actor)


@routes.post(
    "/api/v1/reviews/{review_id}/claim",
    summary="Take a case on, or over from a silent colleague. | 领取审核件。",
    access=REVIEWERS,
    answers={200: ReviewerFileView},
    refusals=TURN,
)
async def claim(request: web.Request, actor: Actor, path: ReviewPath) -> ReviewerFileView:
    await review_claims.claim(request.app[REVIEWS], path.review_id, actor=actor)
    return await _shown(request, path.review_id, actor)


@routes.post(
    "/api/v1/reviews/{review_id}/release",
    summary="Give a case back to the team. | 释放审核件。",
    access=REVIEWERS,
    answers={200: ReviewerFileView},
    refusals=(ReviewClaimed,),
)
async def release(request: web.Request, actor: Actor, path: ReviewPath) -> ReviewerFileView:
    await review_claims.release(request.app[REVIEWS], path.review_id, actor=actor)
    return await _shown(request, path.review_id, actor)


async def _shown(request: web.Request, review_id: int, actor: Actor) -> ReviewerFileView:
    return _file(await review_files.for_reviewer(request.app[REVIEWS], review_id, actor=actor))


def _file(file: ReviewerFile) -> ReviewerFileView:
    case = file.case
    return ReviewerFileView(
        **_columns(case),
        clause=file.kept.chain.article,
        steps=step_views(file.steps),
        decisions=[decision_view(decision, named=True) for decision in file.decisions],
        objections=[objection_view(objection, named=True) for objection in file.objections],
        checks=[
            CheckView(
                code=check.code,
                clause=check.clause,
                message=check.message,
                met=check.met,
                arithmetic=check.arithmetic,
            )
            for check in file.checks
        ],
        facts=file.snapshot,
        changed=[ChangeView(field=path, before=before, after=after) for path, before, after in file.changed],
        claimed_by_name=file.claimed_by_name,
        may=sorted(file.may),
    )


def _columns(case: ReviewCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": number_of(case),
        "subject": case.subject,
        "programme": case.programme_slug,
        "title": case.title,
        "organisation": case.organisation_name,
        "uscc": case.uscc,
        "status": case.status,
        "step": case.step_name,
        "turn": case.turn,
        "claimed_by": case.claimed_by,
        "due_at": case.due_at,
        "due_provisional": case.due_provisional,
        "version": case.version,
        "opened_at": case.opened_at,
    }


def _row(row: dict[str, Any]) -> RowView:
    return RowView(
        number=number(row["id"]),
        programme=row["programme_slug"],
        organisation=row["organisation_name"],
        step=row["step_name"],
        **{
            name: row[name]
            for name in (
                "id",
                "subject",
                "title",
                "uscc",
                "status",
                "turn",
                "claimed_by",
                "due_at",
                "due_provisional",
                "version",
                "opened_at",
            )
        },
    )
