"""Supervision's inputs: what inspections, visits and rectifications are given."""

from __future__ import annotations

from pydantic import Field

from server.handlers.paging import AfterId
from server.handlers.parsing import Body, Day, Id, Path, Query, SeenVersion
from server.handlers.supervision_views import FILES, LONGEST, PROGRAMME, REASON
from server.programme.vocabulary import Party
from server.rules.supervision import InspectionKind, RectificationStatus
from server.services.supervision.inspections import MOST_VISITS
from server.services.supervision.supervision_book import MOST_FILES

FileIds = list[Id]


class InspectionPath(Path):
    """An inspection."""

    inspection_id: Id = Field(description="The inspection. | 检查编号。")


class VisitPath(Path):
    """A visit."""

    visit_id: Id = Field(description="The visit. | 走访编号。")


class RectificationPath(Path):
    """A task."""

    rectification_id: Id = Field(description="The task. | 整改编号。")


class FiledProviderPath(Path):
    """A provider."""

    provider_id: Id = Field(description="The provider. | 服务机构编号。")


class BeforeQuery(Query):
    """Which page, newest first."""

    programme: str = Field(default="", max_length=64, description=PROGRAMME)
    before: Id | None = Field(default=None, description="Before this id. | 该编号之前。")


class WatchQuery(Query):
    """Of which programme, from where."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    after: AfterId = 0


class RectificationQuery(Query):
    """Which tasks, from where."""

    programme: str = Field(default="", max_length=64, description=PROGRAMME)
    status: RectificationStatus | None = Field(default=None, description="Which status. | 状态。")
    after: AfterId = 0


class SubjectBody(Body):
    """Whom to visit."""

    organisation_id: Id = Field(description="The organisation. | 单位编号。", examples=[1])
    party: Party = Field(description="As which party. | 对象身份。", examples=["provider"])
    order_id: Id | None = Field(default=None, description="Whose performance. | 订单编号。")


class PlanInspection(Body):
    """What is planned."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    kind: InspectionKind = Field(description="Which kind. | 检查类型。", examples=["daily"])
    title: str = Field(
        min_length=2, max_length=200, description="What it is called. | 名称。", examples=["走访"]
    )
    planned_on: Day = Field(description="Planned for. | 计划日期。", examples=["2026-06-01"])
    subjects: list[SubjectBody] = Field(
        min_length=1, max_length=MOST_VISITS, description="Whom. | 检查对象。"
    )
    draw_id: Id | None = Field(default=None, description="The draw they come from. | 抽样编号。")
    reason: str = Field(default="", max_length=LONGEST, description="Why these, where named. | 指定理由。")
    commissioned: str = Field(default="", max_length=200, description="The third party. | 第三方机构。")


class CloseInspection(Body):
    """Opinion and report."""

    opinion: str = Field(max_length=LONGEST, description="The opinion. | 检查意见。", examples=["情况属实"])
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)
    version: SeenVersion


class CancelInspection(Body):
    """Why it is given up."""

    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON, examples=["改期"])
    version: SeenVersion


class ItemAnswer(Body):
    """What was seen of one item."""

    right: bool = Field(description="Whether it is right. | 是否符合。")
    note: str = Field(default="", max_length=500, description="A note. | 备注。")


class FindingBody(Body):
    """One thing that is not right."""

    item: str = Field(min_length=1, max_length=64, description="Of the checklist. | 检查项。")
    says: str = Field(min_length=2, max_length=LONGEST, description="What is not right. | 问题。")
    serious: bool = Field(default=False, description="Whether it is serious. | 是否严重。")
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)
    wanted: str = Field(
        default="", max_length=LONGEST, description="To be put right. | 整改要求，空为不要求。"
    )
    due_on: Day | None = Field(default=None, description="Last day for it. | 整改期限。")


class RecordVisit(Body):
    """What a visit found."""

    answers: dict[str, ItemAnswer] = Field(max_length=100, description="By item. | 各项结果。")
    findings: list[FindingBody] = Field(default=[], max_length=50, description="Findings. | 发现的问题。")
    opinion: str = Field(default="", max_length=LONGEST, description="What was noted. | 记录。")
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)
    visited_on: Day = Field(description="The day. | 走访日期。", examples=["2026-05-18"])
    version: SeenVersion


class RefusedVisit(Body):
    """How an inspection was refused."""

    words: str = Field(
        min_length=2, max_length=LONGEST, description="How. | 拒绝情况。", examples=["拒绝提供台账"]
    )
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)
    version: SeenVersion


class HandInRectification(Body):
    """What was put right."""

    answer: str = Field(
        min_length=2, max_length=LONGEST, description="How. | 整改情况。", examples=["已补齐"]
    )
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)
    version: SeenVersion


class DecideRectification(Body):
    """Whether it is right now."""

    accept: bool = Field(description="Accepted, or sent back. | 通过或退回。")
    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON, examples=["已核实"])
    version: SeenVersion
