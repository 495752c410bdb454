"""The reviewers' inbox over HTTP: its lists, searched and filtered, and what is approved of them together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Routes, staff
from server.handlers.review_forms import ApproveFound, ApproveMany, InboxQuery
from server.handlers.review_views import DUE, NUMBER, PROVISIONAL, SUBJECT, TITLE
from server.keys import REVIEWS
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Actor as Role
from server.rules.deadlines import start_of
from server.rules.review import CaseStatus, Record
from server.services.access import Actor, StaffRole
from server.services.reviews import review_bulk, review_files
from server.services.reviews.review_bulk import Outcome, SelectionChanged
from server.services.reviews.review_cases import number
from server.services.reviews.review_inbox import Cursor, SearchTooShort
from server.services.reviews.review_ranges import Wanted

routes = Routes("review_inbox")

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
    amount_fen: int | None = Field(description="What it is about, fen; null: no money. | 金额，单位分。")
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
    digest: str = Field(
        description="What this page is known by, to approve it as it was seen. | 本页摘要，批量通过时须回传。"
    )
    next_after: str | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


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
    wanted = _wanted(query)
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
        digest=review_bulk.digest_of(page.rows),
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
    return _told(outcomes)


@routes.post(
    "/api/v1/reviews/approvals/selection",
    summary="Approve what a list of my inbox holds, with exceptions. | 按筛选结果批量通过，可除外。",
    access=REVIEWERS,
    answers={200: Outcomes},
    refusals=(SearchTooShort, SelectionChanged),
)
async def approve_found(request: web.Request, actor: Actor, body: ApproveFound) -> Outcomes:
    outcomes = await review_bulk.approve_found(
        request.app[REVIEWS],
        _wanted(body),
        seen=body.seen,
        excepted=body.excepted,
        reason=body.reason,
        record=Record(held_on=body.held_on),
        actor=actor,
    )
    return _told(outcomes)


def _told(outcomes: Sequence[Outcome]) -> Outcomes:
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


def _wanted(query: InboxQuery | ApproveFound) -> Wanted:
    return Wanted(
        query.queue,
        query.programme,
        query.subject,
        query.search.strip(),
        step=query.step.strip(),
        organisation_id=query.organisation_id,
        area=query.area.strip(),
        due_before=None if query.due_before is None else start_of(query.due_before),
        amount_from_fen=query.amount_from_fen,
        amount_to_fen=query.amount_to_fen,
        application_id=query.application_id,
    )


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
                "amount_fen",
                "version",
                "opened_at",
            )
        },
    )
