"""Reviews over HTTP, the applicant's side: where a case stands, whose turn it is, and why it was decided."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PERSON, Answer, Routes
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Query
from server.handlers.review_forms import ReviewPath
from server.handlers.review_views import (
    CLAUSE,
    DUE,
    NUMBER,
    PROVISIONAL,
    SUBJECT,
    TITLE,
    DecisionView,
    ObjectionView,
    StepView,
    decision_view,
    objection_view,
    step_views,
)
from server.models.reviews import ReviewCase
from server.programme.review import ReviewSubject
from server.rules.review import CaseStatus
from server.services.access import Actor, NoOrganisation
from server.services.reviews import review_files
from server.services.reviews.review_cases import number_of

routes = Routes("own_reviews")

PAGE = 50


class OwnReviewsQuery(Query):
    """Which page."""

    after: AfterId = 0


class OwnReviewView(Answer):
    """A case of my organisation."""

    id: int = Field(description="The case. | 审核件编号。")
    number: str = Field(description=NUMBER)
    subject: ReviewSubject = Field(description=SUBJECT)
    subject_id: int = Field(description="The thing reviewed. | 所审核事项的编号。")
    programme: str = Field(description="The programme's slug. | 项目代码。")
    title: str = Field(description=TITLE)
    status: CaseStatus = Field(description="Where it stands. | 状态。")
    status_name: str = Field(description="The same in Chinese. | 状态说明。")
    step: str = Field(description="The step it stands at. | 当前环节。")
    turn: str = Field(description="Whose turn it is, in Chinese. | 由谁办理。")
    due_at: AwareDatetime | None = Field(description=DUE)
    due_provisional: bool = Field(description=PROVISIONAL)
    opened_at: AwareDatetime = Field(description="Since when. | 提交时间。")
    closed_at: AwareDatetime | None = Field(description="When it came to its end. | 办结时间。")


class OwnReviews(Answer):
    """A page of cases, by id."""

    reviews: list[OwnReviewView] = Field(description="The cases. | 审核件列表。")
    next_after: NextPage


class OwnFileView(OwnReviewView):
    """A case of my organisation, with every decision explained."""

    clause: str = Field(description=CLAUSE)
    steps: list[StepView] = Field(description="The chain. | 审核环节。")
    decisions: list[DecisionView] = Field(description="Every decision. | 已作出的决定。")
    objections: list[ObjectionView] = Field(description="Objections to its notice. | 公示异议。")


@routes.get(
    "/api/v1/organisations/mine/reviews",
    summary="What of my organisation is or was under review. | 我的单位的审核件。",
    access=PERSON,
    answers={200: OwnReviews},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: OwnReviewsQuery) -> OwnReviews:
    rows = await review_files.of_organisation(actor, after=query.after, limit=PAGE + 1)
    return OwnReviews(
        reviews=[OwnReviewView(**_columns(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/organisations/mine/reviews/{review_id}",
    summary="One of them: whose turn, until when, and every decision with its reason. | 审核进度与决定说明。",
    access=PERSON,
    answers={200: OwnFileView},
    refusals=(NoOrganisation,),
)
async def one(request: web.Request, actor: Actor, path: ReviewPath) -> OwnFileView:
    file = await review_files.for_applicant(path.review_id, actor=actor)
    return OwnFileView(
        **_columns(file.case),
        clause=file.kept.chain.article,
        steps=step_views(file.steps),
        decisions=[decision_view(decision, named=False) for decision in file.decisions],
        objections=[objection_view(objection, named=False) for objection in file.objections],
    )


def _columns(case: ReviewCase) -> dict[str, Any]:
    return {
        "id": case.id,
        "number": number_of(case),
        "subject": case.subject,
        "subject_id": case.subject_id,
        "programme": case.programme_slug,
        "title": case.title,
        "status": case.status,
        "status_name": texts.REVIEW_STATUSES[case.status],
        "step": case.step_name,
        "turn": _turn(case),
        "due_at": case.due_at,
        "due_provisional": case.due_provisional,
        "opened_at": case.opened_at,
        "closed_at": case.closed_at,
    }


def _turn(case: ReviewCase) -> str:
    if case.status is CaseStatus.RETURNED:
        return texts.REVIEW_TURN_YOURS
    return "" if case.turn is None else texts.ACTORS[case.turn]
