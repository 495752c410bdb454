"""Monitoring as its answers show it: findings, audits, evaluations, contract checks."""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from server.handlers.api import Answer
from server.handlers.paging import NextPage
from server.handlers.supervision_views import CLAUSE, FILES, PROGRAMME, REASON
from server.models.monitoring import (
    AnomalyFinding,
    AuditComparison,
    AuditReport,
    ContractCheck,
    OperatorAudit,
    PolicyEvaluation,
)
from server.programme.monitoring import Anomaly
from server.programme.vocabulary import Party
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.supervision import AnomalyStatus, AuditKind, AuditOpinion, CommissionOutcome

YEAR = "Programme year. | 年度。"
WHEN = "When. | 时间。"


class AnomalyView(Answer):
    """One thing that looked wrong."""

    id: int = Field(description="The finding. | 异常编号。")
    settlement_id: int = Field(description="About which settlement. | 结算编号。")
    order_id: int = Field(description="About which order. | 订单编号。")
    provider_id: int = Field(description="Of which provider. | 服务机构编号。")
    programme: str = Field(description=PROGRAMME)
    rule: Anomaly = Field(description="Which rule found it. | 监测规则。")
    clause: str = Field(description=CLAUSE)
    message: str = Field(description="What looks wrong. | 异常说明。")
    arithmetic: str = Field(description="What stands beside what. | 计算过程。")
    holds: bool = Field(description="Payment waits for the decision. | 是否暂停兑付。")
    status: AnomalyStatus = Field(description="open, lifted or proposed. | 状态。")
    reason: str = Field(description=REASON)
    sanction_id: int | None = Field(description="What was proposed on it. | 处理案件编号。")
    referred_to: str = Field(description="Whom the clues were handed to. | 线索移交部门。")
    found_at: AwareDatetime = Field(description=WHEN)
    version: int = Field(description="Its version. | 版本。")


class AnomaliesView(Answer):
    """A page of findings, newest first."""

    anomalies: list[AnomalyView] = Field(description="The findings. | 数据异常。")
    next_before: NextPage


class AuditMade(Answer):
    """A self-check or an audit."""

    id: int = Field(description="The report. | 报告编号。")
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    kind: AuditKind = Field(description="self_check or audit. | 报告类型。")
    organisation_id: int = Field(description="Whose. | 单位编号。")
    party: Party = Field(description="As which party. | 身份。")
    auditor: str = Field(description="Who audited. | 审计机构。")
    figures: dict[str, int] = Field(description="Figures by code. | 各项数据。")
    words: str = Field(description="In words. | 说明。")
    files: list[int] = Field(description=FILES)
    made_at: AwareDatetime = Field(description=WHEN)


class AuditReportsView(Answer):
    """Reports of an organisation in a year, oldest first."""

    reports: list[AuditMade] = Field(description="The reports. | 报告。")


class AuditLineView(Answer):
    """One figure, as each side gives it."""

    code: str = Field(description="Which figure. | 项目。")
    said: int | None = Field(description="By the self-check. | 自查数据。")
    audited: int | None = Field(description="By the audit. | 审计数据。")
    apart_bp: int = Field(description="How far apart, of what was audited. | 相差比例，万分比。")
    serious: bool = Field(description="Beyond the tolerance. | 是否严重不符。")


class ComparisonMade(Answer):
    """A self-check against an audit."""

    id: int = Field(description="The comparison. | 对比编号。")
    lines: list[AuditLineView] = Field(description="Figure by figure. | 逐项对比。")
    serious: bool = Field(description="A ground where the text has one. | 是否严重不符。")
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description="The serious differences. | 计算过程。")


class OperatorAuditView(Answer):
    """The yearly audit of the operator."""

    id: int = Field(description="The audit. | 审计编号。")
    programme: str = Field(description=PROGRAMME)
    year: int = Field(description=YEAR)
    auditor: str = Field(description="Who audited. | 审计机构。")
    opinion: AuditOpinion = Field(description="clean, qualified or adverse. | 审计意见。")
    words: str = Field(description="In words. | 说明。")
    files: list[int] = Field(description=FILES)
    figures: dict[str, int] = Field(description="The platform's own books. | 平台账面数据，单位分。")
    outcome: CommissionOutcome | None = Field(description="What followed; null: open. | 决定，空为未决定。")
    reason: str = Field(description=REASON)
    effective_on: date | None = Field(description="From when. | 起始日期。")


class OperatorAuditRecorded(OperatorAuditView):
    """An audit just recorded."""


class OperatorAuditsView(Answer):
    """Audits of the operator, newest year first."""

    audits: list[OperatorAuditView] = Field(description="The audits. | 审计。")


class IndicatorView(Answer):
    """One indicator."""

    code: str = Field(description="Code. | 代码。")
    name: str = Field(description="In words. | 指标。")
    value: str = Field(description="Its value. | 数值。")
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")


class EvaluationView(Answer):
    """An evaluation by both departments."""

    id: int = Field(description="The evaluation. | 评价编号。")
    programme: str = Field(description=PROGRAMME)
    clause: str = Field(description=CLAUSE)
    starts_on: date = Field(description="First day. | 起始日期。")
    ends_on: date = Field(description="Last day. | 截止日期。")
    indicators: list[IndicatorView] = Field(description="What the platform worked out. | 指标。")
    words: str = Field(description="What was made of it. | 评价结论。")
    files: list[int] = Field(description=FILES)
    signed_by: list[str] = Field(description="Who has to sign. | 应签署部门。")
    signed: list[str] = Field(description="Who has signed. | 已签署部门。")
    done: bool = Field(description="Everybody has. | 是否全部签署。")


class EvaluationMade(EvaluationView):
    """An evaluation just made."""


class EvaluationsView(Answer):
    """A page of evaluations, newest first."""

    evaluations: list[EvaluationView] = Field(description="The evaluations. | 绩效评价。")
    next_before: NextPage


class ContractCheckView(Answer):
    """What a source says of a contract."""

    source: SharedSource = Field(description="Whose data. | 数据来源。")
    verdict: CheckVerdict = Field(description="What it says. | 结论。")
    says: str = Field(description="In words. | 说明。")


class ContractChecked(Answer):
    """What every source says of a contract."""

    checks: list[ContractCheckView] = Field(description="The answers. | 核对结果。")


class SharedRecordKept(Answer):
    """A record just kept."""

    id: int = Field(description="The record. | 记录编号。")


def anomaly(row: AnomalyFinding) -> AnomalyView:
    """A finding."""
    return AnomalyView(
        id=row.id,
        settlement_id=row.settlement_id,
        order_id=row.order_id,
        provider_id=row.provider_id,
        programme=row.programme_slug,
        rule=row.rule,
        clause=row.clause,
        message=row.message,
        arithmetic=row.arithmetic,
        holds=row.holds,
        status=row.status,
        reason=row.reason,
        sanction_id=row.sanction_id,
        referred_to=row.referred_to,
        found_at=row.found_at,
        version=row.version,
    )


def audit_report(row: AuditReport) -> dict[str, object]:
    """The fields of a report."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "year": row.year,
        "kind": row.kind,
        "organisation_id": row.organisation_id,
        "party": row.party,
        "auditor": row.auditor,
        "figures": row.figures,
        "words": row.words,
        "files": row.files,
        "made_at": row.made_at,
    }


def comparison(row: AuditComparison) -> ComparisonMade:
    """A comparison."""
    return ComparisonMade(
        id=row.id,
        lines=[AuditLineView.model_validate(one) for one in row.lines],
        serious=row.serious,
        clause=row.clause,
        arithmetic=row.arithmetic,
    )


def operator_audit(row: OperatorAudit) -> dict[str, object]:
    """The fields of an audit of the operator."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "year": row.year,
        "auditor": row.auditor,
        "opinion": row.opinion,
        "words": row.words,
        "files": row.files,
        "figures": row.figures,
        "outcome": row.consequence,
        "reason": row.reason,
        "effective_on": row.effective_on,
    }


def evaluation(row: PolicyEvaluation, signed: list[str]) -> dict[str, object]:
    """The fields of an evaluation, and who has signed it."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "clause": row.clause,
        "starts_on": row.starts_on,
        "ends_on": row.ends_on,
        "indicators": [IndicatorView.model_validate(one) for one in row.indicators],
        "words": row.words,
        "files": row.files,
        "signed_by": row.signed_by,
        "signed": signed,
        "done": row.signed_at is not None,
    }


def contract_check(row: ContractCheck) -> ContractCheckView:
    """What a source says."""
    return ContractCheckView(source=row.source, verdict=row.verdict, says=row.says)
