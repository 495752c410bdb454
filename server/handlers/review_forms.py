"""What reviewers fill in: which cases they look for, what they decide, and why."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from server.handlers.parsing import Body, Day, Fen, Id, Path, Query, SeenVersion
from server.handlers.review_views import REASON
from server.programme.review import ReviewSubject, ReviewWhen
from server.rules.review import BEST_SCORE
from server.services.reviews.review_bulk import MOST_AT_ONCE
from server.services.reviews.review_inbox import LARGEST_PAGE
from server.services.reviews.review_ranges import Queue

Score = Annotated[int, Field(ge=0, le=BEST_SCORE)]


class ReviewPath(Path):
    """A case."""

    review_id: Id = Field(description="The case. | 审核件编号。")


class InboxQuery(Query):
    """Which cases."""

    queue: Queue = Field(default=Queue.MINE, description="Which list. | 哪个列表。")
    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    subject: ReviewSubject | None = Field(default=None, description="Only of this kind. | 只看该类事项。")
    search: str = Field(
        default="",
        max_length=100,
        description="Part of a name, a USCC, a number or its last six digits."
        " | 单位名称的一部分、统一社会信用代码、编号或编号后六位。",
    )
    step: str = Field(default="", max_length=120, description="Only at this step. | 只看该环节。")
    organisation_id: int | None = Field(
        default=None, ge=1, le=2**63 - 1, description="Only of this applicant. | 只看该单位。"
    )
    area: str = Field(default="", max_length=64, description="Only of this area. | 只看该地区。")
    due_before: Day | None = Field(
        default=None, description="Due before this day. | 到期日早于。", examples=["2026-06-30"]
    )
    amount_from_fen: int | None = Field(
        default=None, ge=0, le=2**53, description="At least so much, fen. | 金额下限，单位分。"
    )
    amount_to_fen: int | None = Field(
        default=None, ge=0, le=2**53, description="At most so much, fen. | 金额上限，单位分。"
    )
    application_id: int | None = Field(
        default=None,
        ge=1,
        le=2**63 - 1,
        description="Only of this settlement application. | 只看该兑付申请。",
    )
    after: str = Field(
        default="0-0",
        pattern=r"^[0-9]{1,16}-[0-9]{1,18}$",
        description="Where the page starts. | 本页起点。",
    )
    limit: int = Field(default=50, ge=1, le=LARGEST_PAGE, description="How many. | 每页条数。")


class Decide(Body):
    """A decision at the step the case stands at."""

    decision: Literal["approve", "return", "reject"] = Field(
        description="approve, return for correction, or reject. | 通过、退回修改或不通过。"
    )
    version: SeenVersion
    reason: str = Field(
        default="", max_length=2000, description="Why; only approving needs none. | 理由，通过时可不填。"
    )
    fields: dict[
        Annotated[str, Field(max_length=64)], Annotated[str, Field(min_length=1, max_length=500)]
    ] = Field(
        default={},
        max_length=100,
        description="What is to be corrected, each with its reason. | 须修改的字段及各自原因。",
        examples=[{}],
    )
    correct_by: Day | None = Field(
        default=None,
        strict=False,
        description="Last day for the correction. | 补正截止日期。",
        examples=["2026-06-30"],
    )
    score: Score | None = Field(default=None, description="An expert's, 0 to 100. | 专家评分，0 至 100。")
    held_on: Day | None = Field(
        default=None,
        strict=False,
        description="The day a committee met. | 会议日期。",
        examples=["2026-05-18"],
    )
    ask_for: list[ReviewWhen] = Field(
        default=[],
        max_length=5,
        description="Further steps that are to apply. | 提请增加的环节。",
        examples=[[]],
    )
    extras: dict[str, Any] = Field(
        default={},
        max_length=20,
        description="What the kind of case asks for, as labels_confirmed. | 事项要求的其他内容。",
        examples=[{}],
    )


class Opine(Body):
    """One expert's opinion, among several."""

    version: SeenVersion
    score: Score = Field(description="0 to 100. | 评分，0 至 100。", examples=[85])
    reason: str = Field(min_length=1, max_length=2000, description="The opinion. | 评审意见。")


class Chosen(Body):
    """One case to approve."""

    id: Id = Field(description="The case. | 审核件编号。")
    version: SeenVersion


class ApproveMany(Body):
    """Cases to approve together."""

    cases: list[Chosen] = Field(min_length=1, max_length=MOST_AT_ONCE, description="The cases. | 审核件。")
    reason: str = Field(default="", max_length=2000, description=REASON)
    held_on: Day | None = Field(
        default=None,
        strict=False,
        description="The day the committee met that decided on them. | 会议日期。",
        examples=["2026-05-18"],
    )


class ApproveFound(Body):
    """What a list of one's own inbox holds, but for what is excepted."""

    queue: Queue = Field(default=Queue.TEAM, description="Which list. | 哪个列表。")
    programme: str | None = Field(default=None, max_length=64, description="Only of it. | 只含该项目。")
    subject: ReviewSubject | None = Field(default=None, description="Only of this kind. | 只含该类事项。")
    search: str = Field(default="", max_length=100, description="As in the inbox. | 与收件箱相同。")
    step: str = Field(default="", max_length=120, description="Only at this step. | 只含该环节。")
    organisation_id: Id | None = Field(default=None, description="Only of it. | 只含该单位。")
    area: str = Field(default="", max_length=64, description="Only of this area. | 只含该地区。")
    due_before: Day | None = Field(
        default=None, strict=False, description="Due before it. | 到期日早于。", examples=["2026-06-30"]
    )
    amount_from_fen: Fen | None = Field(default=None, description="At least, fen. | 金额下限。")
    amount_to_fen: Fen | None = Field(default=None, description="At most, fen. | 金额上限。")
    application_id: Id | None = Field(default=None, description="Handed in together. | 只含该兑付申请。")
    seen: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="The digest of the page that was looked at, its first; ask for 100 at a time."
        " | 所查看首页的摘要，查看时每页条数须取 100。",
        examples=["0" * 64],
    )
    excepted: list[Id] = Field(
        default=[], max_length=MOST_AT_ONCE, description="Not these. | 除外的审核件。", examples=[[]]
    )
    reason: str = Field(default="", max_length=2000, description=REASON)
    held_on: Day | None = Field(
        default=None,
        strict=False,
        description="The day a committee met. | 会议日期。",
        examples=["2026-05-18"],
    )
