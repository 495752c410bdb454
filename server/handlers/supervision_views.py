"""Supervision as its answers show it: inspections, visits, what is to be put right, service files."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from server.handlers.api import Answer
from server.handlers.paging import NextPage
from server.models.supervision import (
    Inspection,
    InspectionSignature,
    RectificationTask,
    ServiceFileEntry,
)
from server.programme.vocabulary import Party
from server.rules.deadlines import day_of
from server.rules.supervision import (
    EntryTone,
    InspectionKind,
    InspectionStatus,
    RectificationStatus,
    ServiceEntryKind,
    VisitStatus,
)
from server.services.organisations.service_files import UNTOLD, says
from server.services.supervision.inspection_lists import VisitShown

PROGRAMME = "Programme. | 项目代码。"
CLAUSE = "The provision; empty: the house's own. | 依据条款，空为平台默认规则。"
REASON = "Why. | 理由。"
FILES = "Files, by id. | 文件编号。"
LONGEST = 2000


class ItemView(Answer):
    """One line of a checklist."""

    code: str = Field(description="Code. | 代码。")
    says: str = Field(description="What is looked at. | 检查内容。")
    clause: str = Field(description=CLAUSE)


class InspectionView(Answer):
    """An inspection in short."""

    id: int = Field(description="The inspection. | 检查编号。")
    number: str = Field(description="Its number. | 检查号。")
    programme: str = Field(description=PROGRAMME)
    kind: InspectionKind = Field(
        description="daily, joint, third_party, follow_up or commitment. | 检查类型。"
    )
    title: str = Field(description="What it is called. | 名称。")
    year: int = Field(description="Programme year. | 年度。")
    clause: str = Field(description=CLAUSE)
    held_by: list[str] = Field(description="The roles that hold it. | 实施方。")
    draw_id: int | None = Field(description="The draw of its sample; null: named. | 抽样编号，空为指定。")
    reason: str = Field(description="Why these, where they were named. | 指定理由。")
    commissioned: str = Field(description="The third party. | 受委托的第三方机构。")
    planned_on: date = Field(description="Planned for. | 计划日期。")
    status: InspectionStatus = Field(description="planned, closed or cancelled. | 状态。")
    opinion: str = Field(description="Its opinion. | 检查意见。")
    report_files: list[int] = Field(description="Its report. | 检查报告。")
    version: int = Field(description="Its version. | 版本。")


class InspectionPlanned(InspectionView):
    """An inspection just planned."""


class FindingView(Answer):
    """Something that was not right."""

    id: int = Field(description="The finding. | 问题编号。")
    item: str = Field(description="Of the checklist. | 检查项。")
    says: str = Field(description="What was not right. | 问题。")
    serious: bool = Field(description="Whether it is serious. | 是否严重。")
    files: list[int] = Field(description=FILES)


class CommitmentView(Answer):
    """A promise the text asks for, and whether it was given."""

    code: str = Field(description="Code. | 代码。")
    name: str = Field(description="What it is called. | 名称。")
    clause: str = Field(description=CLAUSE)
    given_at: str = Field(description="When it was given; empty: not. | 签署时间，空为未签署。")
    sha256: str = Field(description="Hash of what was agreed to. | 所签文本的哈希。")


class VisitView(Answer):
    """One visit of an inspection."""

    id: int = Field(description="The visit. | 走访编号。")
    organisation_id: int = Field(description="Whom. | 检查对象编号。")
    name: str = Field(description="Its name. | 名称。")
    party: Party = Field(description="As which party. | 对象身份。")
    order_id: int | None = Field(description="Whose performance. | 订单编号。")
    status: VisitStatus = Field(description="planned, done or refused. | 状态。")
    answers: dict[str, dict[str, bool | str]] = Field(description="By item. | 各项结果。")
    opinion: str = Field(description="What was noted. | 记录。")
    files: list[int] = Field(description=FILES)
    visited_on: date | None = Field(description="The day. | 走访日期。")
    findings: list[FindingView] = Field(description="What was not right. | 发现的问题。")
    commitments: list[CommitmentView] = Field(description="What it promised. | 已签署的承诺。")
    version: int = Field(description="Its version. | 版本。")


class SignatureView(Answer):
    """A role's signature."""

    role: str = Field(description="The role. | 签署方。")
    staff_id: int = Field(description="Who signed. | 签署人编号。")
    signed_at: AwareDatetime = Field(description="When. | 签署时间。")


class InspectionDetail(InspectionView):
    """An inspection with its visits."""

    items: list[ItemView] = Field(description="Its checklist. | 检查清单。")
    visits: list[VisitView] = Field(description="Its visits. | 走访记录。")
    signatures: list[SignatureView] = Field(description="Who signed. | 签署情况。")


class InspectionsView(Answer):
    """A page of inspections, newest first."""

    inspections: list[InspectionView] = Field(description="The inspections. | 检查。")
    next_before: NextPage


class RectificationView(Answer):
    """Something to put right."""

    id: int = Field(description="The task. | 整改编号。")
    organisation_id: int = Field(description="By whom. | 整改单位编号。")
    programme: str = Field(description=PROGRAMME)
    wanted: str = Field(description="What is to be put right. | 整改要求。")
    due_at: AwareDatetime = Field(description="Until when, exclusive. | 期限。")
    status: RectificationStatus = Field(description="open, handed_in or accepted. | 状态。")
    answer: str = Field(description="What was handed in. | 整改情况。")
    files: list[int] = Field(description=FILES)
    reason: str = Field(description=REASON)
    sent_back: int = Field(description="How often it was sent back. | 退回次数。")
    overdue: bool = Field(description="Whether its time is over. | 是否逾期。")
    version: int = Field(description="Its version. | 版本。")


class RectificationsView(Answer):
    """A page of tasks, by id."""

    rectifications: list[RectificationView] = Field(description="The tasks. | 整改事项。")
    next_after: NextPage


class FileEntryView(Answer):
    """A line of a service file."""

    kind: ServiceEntryKind = Field(description="What it is about. | 类别。")
    says: str = Field(description="In words. | 内容。")
    tone: EntryTone = Field(description="good, plain or bad. | 性质。")
    clause: str = Field(description=CLAUSE)
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description="Programme year. | 年度。")
    on: str = Field(description="The day, or the month where the day would tell who. | 日期或月份。")
    source: str = Field(description="What it comes from; empty: not for the provider. | 来源。")


class ServiceFileView(Answer):
    """A provider's service file, newest first."""

    provider_id: int = Field(description="The provider. | 服务机构编号。")
    entries: list[FileEntryView] = Field(description="Its lines. | 档案记录。")
    next_before: NextPage


class WatchReason(Answer):
    """Why somebody should look after a contract."""

    code: str = Field(description="Code. | 代码。")
    says: str = Field(description="In words. | 说明。")


class WatchedView(Answer):
    """A contract behind schedule or at risk."""

    order_id: int = Field(description="The order. | 订单编号。")
    number: str = Field(description="Its number. | 订单号。")
    project: str = Field(description="What is served. | 项目。")
    enterprise: str = Field(description="The enterprise. | 企业。")
    provider: str = Field(description="The provider. | 服务机构。")
    behind: bool = Field(description="A date has passed. | 是否已逾期。")
    reasons: list[WatchReason] = Field(description="Why. | 原因。")


class WatchedList(Answer):
    """Contracts to look after, by order."""

    contracts: list[WatchedView] = Field(description="The contracts. | 合同。")
    next_after: NextPage


def inspection(row: Inspection) -> dict[str, object]:
    """The fields of an inspection in short."""
    return {
        "id": row.id,
        "number": row.number,
        "programme": row.programme_slug,
        "kind": row.kind,
        "title": row.title,
        "year": row.year,
        "clause": row.clause,
        "held_by": row.held_by,
        "draw_id": row.draw_id,
        "reason": row.reason,
        "commissioned": row.commissioned,
        "planned_on": row.planned_on,
        "status": row.status,
        "opinion": row.opinion,
        "report_files": row.report_files,
        "version": row.version,
    }


def visit(shown: VisitShown) -> VisitView:
    """A visit with what it found and what was promised."""
    row = shown.row
    return VisitView(
        id=row.id,
        organisation_id=row.organisation_id,
        name=row.organisation.name,
        party=row.party,
        order_id=row.order_id,
        status=row.status,
        answers=row.answers,
        opinion=row.opinion,
        files=row.files,
        visited_on=row.visited_on,
        findings=[
            FindingView(id=one.id, item=one.item, says=one.says, serious=one.serious, files=one.files)
            for one in shown.findings
        ],
        commitments=[
            CommitmentView(
                code=one.code, name=one.name, clause=one.clause, given_at=one.given_at, sha256=one.sha256
            )
            for one in shown.commitments
        ],
        version=row.version,
    )


def signatures(rows: list[InspectionSignature]) -> list[SignatureView]:
    """Who signed an inspection."""
    return [SignatureView(role=one.role, staff_id=one.staff_id, signed_at=one.signed_at) for one in rows]


def rectification(row: RectificationTask) -> RectificationView:
    """A task."""
    return RectificationView(
        id=row.id,
        organisation_id=row.organisation_id,
        programme=row.programme_slug,
        wanted=row.wanted,
        due_at=row.due_at,
        status=row.status,
        answer=row.answer,
        files=row.files,
        reason=row.reason,
        sent_back=row.sent_back,
        overdue=row.overdue_at is not None,
        version=row.version,
    )


def entry(row: ServiceFileEntry, *, own: bool) -> FileEntryView:
    """A line of a service file; its own provider is not told which order or day speaks of it (GX-57)."""
    untold = own and row.kind in UNTOLD
    day = day_of(row.at)
    return FileEntryView(
        kind=row.kind,
        says=says(row),
        tone=row.tone,
        clause=row.clause,
        programme=row.programme_slug,
        year=row.year,
        on=f"{day:%Y-%m}" if untold else day.isoformat(),
        source="" if untold else row.source,
    )
