"""What people see of settlements: applications, one order's money, its evidence in green and red lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer
from server.handlers.order_views import unmet_view
from server.handlers.paging import NextPage
from server.handlers.problems import UnmetCondition
from server.handlers.review_views import CheckView
from server.models.settlements import (
    RefundTask,
    Settlement,
    SettlementApplication,
    SettlementForm,
    SettlementPaper,
    SettlementWindow,
)
from server.rules.review import Check
from server.rules.settlements import SettlementApplicationStatus, SettlementStatus
from server.services.settlements.settlement_evidence import Evidence
from server.services.settlements.settlements import Checklist


class PaperView(Answer):
    """One document handed in with an application."""

    code: str = Field(description="The document's code. | 材料代码。")
    order_id: int | None = Field(description="Its order, null: of all of them. | 所属订单，空为整份申请。")
    file_ids: list[int] = Field(description="Its files. | 文件编号。")
    number: str = Field(description="Its number. | 号码。")
    amount_fen: int | None = Field(description="Its amount, fen. | 金额，单位分。")
    dated: date | None = Field(description="Its date. | 日期。")


class SettlementView(Answer):
    """One order's settlement."""

    id: int = Field(description="The settlement. | 兑付编号。")
    number: str = Field(description="What people read aloud. | 兑付号。")
    application_id: int = Field(description="The application it came with. | 所属申请。")
    order_id: int = Field(description="The order. | 订单编号。")
    order_number: str = Field(description="Its number. | 订单号。")
    project: str = Field(description="What was served. | 服务项目。")
    enterprise: str = Field(description="Who was served. | 用券企业。")
    provider: str = Field(description="Who asks for the money. | 服务机构。")
    category: str = Field(description="The kind of service. | 服务类别。")
    status: SettlementStatus = Field(description="Where it stands. | 状态。")
    status_text: str = Field(description="The same in words. | 状态说明。")
    asked_fen: int = Field(description="As the evidence says, fen. | 申请金额，单位分。")
    ledger_fen: int = Field(description="As the ledger says, fen. | 账面金额，单位分。")
    amount_fen: int = Field(description="What is to be paid, 0 until then, fen. | 核定金额，单位分。")
    reduced_fen: int = Field(description="What was cut, fen. | 核减金额，单位分。")
    reduction_reason: str = Field(description="Why. | 核减理由。")
    escrow_fen: int = Field(description="Escrow to the provider, fen. | 划付机构的保证金，单位分。")
    escrow_back_fen: int = Field(description="Escrow given back, fen. | 退还企业的保证金，单位分。")
    clause: str = Field(description="The provision. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    year: int = Field(description="The programme year. | 年度。")
    line_at: AwareDatetime | None = Field(description="Its place in the line. | 材料齐全时间，据此排序。")
    payable_at: AwareDatetime | None = Field(description="When it was approved. | 核定时间。")
    paid_at: AwareDatetime | None = Field(description="When the money arrived. | 到账时间。")
    reason: str = Field(description="Why it was returned or refused. | 退回、不予兑付的原因。")
    case_id: int | None = Field(description="Its review. | 审核件编号。")
    version: int = Field(description="Sent back with every change. | 版本号，办理时带回。")


class SettlementFile(Answer):
    """A settlement and its evidence, line by line."""

    settlement: SettlementView = Field(description="The settlement. | 兑付。")
    lines: list[CheckView] = Field(description="The system's lines. | 系统核对结果。")
    papers: list[PaperView] = Field(description="What was handed in with it. | 随申请提交的材料。")
    held: list[str] = Field(description="What holds it. | 暂扣、暂停原因。")


class SettlementList(Answer):
    """A page of settlements, by id."""

    settlements: list[SettlementView] = Field(description="The settlements. | 兑付列表。")
    next_after: NextPage


class ApplicationView(Answer):
    """An application without its contents."""

    id: int = Field(description="The application. | 申请编号。")
    number: str = Field(description="What people read aloud. | 申请号。")
    programme: str = Field(description="Which programme. | 项目。")
    provider: str = Field(description="Who asks for the money. | 服务机构。")
    status: SettlementApplicationStatus = Field(description="Where it stands. | 状态。")
    status_text: str = Field(description="The same in words. | 状态说明。")
    window: str = Field(description="The window it was handed in in, or empty. | 集中兑付批次，无则为空。")
    opened_at: AwareDatetime = Field(description="When it was begun. | 建立时间。")
    submitted_at: AwareDatetime | None = Field(description="When it was handed in. | 提交时间。")
    version: int = Field(description="Sent back with every change. | 版本号，办理时带回。")


class ApplicationList(Answer):
    """A page of applications, by id."""

    applications: list[ApplicationView] = Field(description="The applications. | 申请列表。")
    next_after: NextPage


class FormView(Answer):
    """A form that was filled in and printed."""

    code: str = Field(description="The document's code. | 材料代码。")
    name: str = Field(description="What it is called. | 名称。")
    file_id: int = Field(description="Its PDF. | PDF 文件编号。")
    printed_at: AwareDatetime = Field(description="When. | 生成时间。")
    sha256: str = Field(description="Of what it says. | 内容摘要。")


class FormList(Answer):
    """The forms of an application as it stands."""

    forms: list[FormView] = Field(description="The forms. | 表格。")


class OrderLines(Answer):
    """One order of an application and what was found of it."""

    settlement: SettlementView = Field(description="The settlement. | 兑付。")
    expected_fen: int = Field(description="What it comes to now, fen. | 现可兑付金额，单位分。")
    lines: list[CheckView] = Field(description="The system's lines. | 系统核对结果。")


class ApplicationFile(Answer):
    """An application: its orders with their lines, its papers, and what is still missing."""

    application: ApplicationView = Field(description="The application. | 申请。")
    orders: list[OrderLines] = Field(description="Its orders. | 订单。")
    papers: list[PaperView] = Field(description="What was handed in. | 已提交材料。")
    forms: list[FormView] = Field(description="What was printed. | 已生成表格。")
    missing: list[UnmetCondition] = Field(description="Missing papers for all. | 整份申请缺少的材料。")


class WindowView(Answer):
    """A window in which settlements are handed in."""

    id: int = Field(description="The window. | 批次编号。")
    programme: str = Field(description="Which programme. | 项目。")
    year: int = Field(description="Of which year. | 年度。")
    number: int = Field(description="Which of the year. | 年内第几次。")
    name: str = Field(description="What it is called. | 名称。")
    opens_at: AwareDatetime = Field(description="When it opens. | 开始受理时间。")
    closes_at: AwareDatetime = Field(description="When it closes. | 截止时间。")


class WindowList(Answer):
    """The windows of a programme, the latest first."""

    windows: list[WindowView] = Field(description="The windows. | 集中兑付批次。")


class RefundView(Answer):
    """What a provider owes back to an enterprise that had paid in full."""

    id: int = Field(description="The task. | 任务编号。")
    settlement_id: int = Field(description="The settlement. | 兑付编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    amount_fen: int = Field(description="How much, fen. | 应退金额，单位分。")
    clause: str = Field(description="The provision. | 依据条款。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    opened_at: AwareDatetime = Field(description="Since when. | 产生时间。")
    done_at: AwareDatetime | None = Field(description="When a receipt showed it. | 完成时间，未完成为空。")


class RefundList(Answer):
    """A page of refund tasks, by id."""

    refunds: list[RefundView] = Field(description="The tasks. | 退还任务。")
    next_after: NextPage


def settlement_view(row: Settlement) -> SettlementView:
    """A settlement read with its order, both sides and its application."""
    known: dict[str, Any] = {
        name: getattr(row, name)
        for name in SettlementView.model_fields
        if name not in ("order_number", "project", "enterprise", "provider", "status_text")
    }
    return SettlementView(
        **known,
        order_number=row.order.number,
        project=row.order.project,
        enterprise=row.order.enterprise.name,
        provider=row.application.provider.name,
        status_text=texts.SETTLEMENT_STATUSES[row.status],
    )


def application_view(row: SettlementApplication) -> ApplicationView:
    """An application read with its provider and window."""
    return ApplicationView(
        id=row.id,
        number=row.number,
        programme=row.programme_slug,
        provider=row.provider.name,
        status=row.status,
        status_text=texts.SETTLEMENT_APPLICATION_STATUSES[row.status],
        window="" if row.window is None else row.window.name,
        opened_at=row.opened_at,
        submitted_at=row.submitted_at,
        version=row.version,
    )


def application_file(
    checklist: Checklist,
    rows: Sequence[Settlement],
    papers: Sequence[SettlementPaper],
    forms: Sequence[SettlementForm],
) -> ApplicationFile:
    """Everything of an application."""
    orders = {row.id: row.order_id for row in rows}
    evidence = {one.settlement.id: one for one in checklist.settlements}
    return ApplicationFile(
        application=application_view(checklist.application),
        orders=[_order_lines(row, evidence[row.id]) for row in rows],
        papers=[paper_view(row, orders) for row in papers],
        forms=[form_view(row) for row in forms],
        missing=[unmet_view(one) for one in checklist.unmet],
    )


def _order_lines(row: Settlement, evidence: Evidence) -> OrderLines:
    return OrderLines(
        settlement=settlement_view(row), expected_fen=evidence.amount_fen, lines=lines_of(evidence.checks)
    )


def lines_of(checks: Sequence[Check]) -> list[CheckView]:
    """Green and red lines."""
    return [
        CheckView(
            code=one.code, clause=one.clause, message=one.message, met=one.met, arithmetic=one.arithmetic
        )
        for one in checks
    ]


def paper_view(row: SettlementPaper, orders: dict[int, int]) -> PaperView:
    """A paper, under its order."""
    return PaperView(
        code=row.code,
        order_id=None if row.settlement_id is None else orders.get(row.settlement_id),
        file_ids=row.files,
        number=row.number,
        amount_fen=row.amount_fen,
        dated=row.dated,
    )


def form_view(row: SettlementForm) -> FormView:
    """A printed form."""
    return FormView(
        code=row.code,
        name=str(row.content["title"]),
        file_id=row.file_id,
        printed_at=row.printed_at,
        sha256=row.text_sha256,
    )


def window_view(row: SettlementWindow) -> WindowView:
    """A window."""
    return WindowView(
        id=row.id,
        programme=row.programme_slug,
        year=row.year,
        number=row.number,
        name=row.name,
        opens_at=row.opens_at,
        closes_at=row.closes_at,
    )


def refund_view(row: RefundTask) -> RefundView:
    """A refund task."""
    return RefundView(
        id=row.id,
        settlement_id=row.settlement_id,
        order_id=row.order_id,
        amount_fen=row.amount_fen,
        clause=row.clause,
        arithmetic=row.arithmetic,
        opened_at=row.opened_at,
        done_at=row.done_at,
    )
