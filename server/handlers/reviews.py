"""Reviews over HTTP, the reviewers' side: their inbox, a case before them, and what they decide."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes, staff
from server.handlers.review_forms import Decide, Opine, ReviewPath
from server.handlers.review_inbox import READERS, REVIEWERS, RowView
from server.handlers.review_views import (
    CLAUSE,
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
from server.rules.lifecycles import IllegalMove
from server.rules.payments import FeeOutOfBounds
from server.rules.quota import QuotaExceeded
from server.rules.review import (
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
from server.rules.sampling import DrawOutstanding, ListFrozen
from server.rules.settlements import FeeNotTaken, ReductionImpossible, ReductionNotAllowed
from server.rules.steps import StepOutOfTurn
from server.services.access import Actor, StaffRole
from server.services.admissions.admissions import FormItemsUnknown
from server.services.admissions.attestations import LabelNotListed
from server.services.admissions.qualifications import ConditionsUnmet, LabelsUnknown, QualificationMovedOn
from server.services.admissions.standings import NotInStanding
from server.services.budgets.budgets import BudgetTooSmall
from server.services.holds.order_holds import OrderHeld
from server.services.holds.payment_holds import PaymentHeld
from server.services.orders.request_book import RequestMovedOn
from server.services.orders.reviewed_orders import PaymentNotReturned
from server.services.orders.reviewed_requests import AmountImpossible, ContractNotSigned
from server.services.payments.escrows import EscrowShort
from server.services.providers.provider_grades import GradeNotReturnable
from server.services.reviews import review_claims, review_files
from server.services.reviews.inspection_forms import FormNoSupport
from server.services.reviews.recusals import Recused
from server.services.reviews.review_cases import number_of
from server.services.reviews.review_files import Deed, ReviewerFile
from server.services.reviews.reviewers import OwnReview
from server.services.reviews.reviews import (
    CaseMovedOn,
    CorrectionTimePast,
    OpinionGiven,
    ReviewClaimed,
    ReviewNotOpen,
)
from server.services.sanctions.removals import RemovalNotReturnable
from server.services.sanctions.voidings import VoidingNotReturnable
from server.services.settlements.settlement_book import SettlementMovedOn
from server.services.settlements.settlement_end import SettlementNotPayable
from server.services.vouchers.issuing import PoolExhausted
from server.services.vouchers.order_purse import NothingToPay
from server.services.vouchers.vouchers import VoucherMovedOn

routes = Routes("reviews")

TURN = (NotYourReview, OwnReview, ReviewOver, ReviewNotOpen, ReviewClaimed)
DECISIVE = (
    *TURN,
    Recused,
    DrawOutstanding,
    ListFrozen,
    CaseMovedOn,
    DecidedBefore,
    PanelTooSmall,
    ReasonMissing,
    ReviewRecordIncomplete,
)
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
        FormNoSupport,
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
    refusals=(*TURN, Recused, DrawOutstanding, ListFrozen),
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
        "amount_fen": case.amount_fen,
        "version": case.version,
        "opened_at": case.opened_at,
    }
