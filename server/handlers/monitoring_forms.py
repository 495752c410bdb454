"""Monitoring's inputs: what decisions, audits, evaluations and shared records are given."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from server.handlers.parsing import Body, Day, Id, Path, Query, SeenVersion
from server.handlers.supervision_forms import BeforeQuery, FileIds
from server.handlers.supervision_views import FILES, LONGEST, PROGRAMME, REASON
from server.programme.vocabulary import Party
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.supervision import AnomalyStatus, AuditOpinion, CommissionOutcome
from server.services.supervision.supervision_book import MOST_FILES

LARGEST = 2**53
Figure = Annotated[int, Field(ge=-LARGEST, le=LARGEST)]
Year = Annotated[int, Field(ge=2000, le=2999)]
FIGURES = "Figures by code, money in fen. | 各项数据，金额单位分。"
YEAR = "Programme year. | 年度。"


class AnomalyPath(Path):
    """A finding."""

    anomaly_id: Id = Field(description="The finding. | 异常编号。")


class OperatorAuditPath(Path):
    """An audit of the operator."""

    operator_audit_id: Id = Field(description="The audit. | 审计编号。")


class EvaluationPath(Path):
    """An evaluation."""

    evaluation_id: Id = Field(description="The evaluation. | 评价编号。")


class WatchedContractPath(Path):
    """A contract."""

    contract_id: Id = Field(description="The contract. | 合同编号。")


class AnomalyQuery(BeforeQuery):
    """Which findings, newest first."""

    status: AnomalyStatus | None = Field(default=None, description="Which status. | 状态。")


class AuditQuery(Query):
    """Whose reports."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    year: Year = Field(description=YEAR)
    organisation_id: Id = Field(description="Whose. | 单位编号。")


class LiftAnomaly(Body):
    """Why nothing is wrong."""

    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON, examples=["已核实"])
    version: SeenVersion


class ProposeOnAnomaly(Body):
    """What is proposed on a finding."""

    facts: str = Field(min_length=2, max_length=LONGEST, description="What was found. | 核实情况。")
    ground: str = Field(default="", max_length=64, description="Empty: its own. | 处理依据，空为默认。")
    serious: bool = Field(default=False, description="Whether it is serious. | 是否情节严重。")
    version: SeenVersion


class SelfCheck(Body):
    """What an organisation found itself."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    year: Year = Field(description=YEAR, examples=[2026])
    party: Party = Field(description="As which party. | 身份。", examples=["provider"])
    figures: dict[str, Figure] = Field(max_length=100, description=FIGURES, examples=[{"paid": 100}])
    words: str = Field(default="", max_length=LONGEST, description="In words. | 说明。")
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)


class Audit(SelfCheck):
    """What an auditor found at an organisation."""

    organisation_id: Id = Field(description="At whom. | 单位编号。", examples=[1])
    auditor: str = Field(min_length=2, max_length=200, description="Who audited. | 审计机构。")


class Compare(Body):
    """Whose self-check and audit are set side by side."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    year: Year = Field(description=YEAR, examples=[2026])
    organisation_id: Id = Field(description="Whose. | 单位编号。", examples=[1])
    party: Party = Field(description="As which party. | 身份。", examples=["provider"])


class RecordOperatorAudit(Body):
    """The year's audit of the operator."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    year: Year = Field(description=YEAR, examples=[2026])
    auditor: str = Field(min_length=2, max_length=200, description="Who audited. | 审计机构。")
    opinion: AuditOpinion = Field(description="clean, qualified or adverse. | 审计意见。", examples=["clean"])
    words: str = Field(min_length=2, max_length=LONGEST, description="In words. | 说明。")
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)


class DecideOperatorAudit(Body):
    """What follows for the commission."""

    outcome: CommissionOutcome = Field(
        description="continues, conditions or ends. | 委托是否继续。", examples=["continues"]
    )
    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON, examples=["审计无保留意见"])
    effective_on: Day = Field(description="From when. | 起始日期。", examples=["2026-06-01"])


class MakeEvaluation(Body):
    """What is evaluated, and what is made of it."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    starts_on: Day = Field(description="First day. | 起始日期。", examples=["2026-01-01"])
    ends_on: Day = Field(description="Last day. | 截止日期。", examples=["2026-03-31"])
    words: str = Field(min_length=2, max_length=20_000, description="What is made of it. | 评价结论。")
    file_ids: FileIds = Field(default=[], max_length=MOST_FILES, description=FILES)


class KeepShared(Body):
    """What a source shares about an organisation."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    source: SharedSource = Field(description="Whose data. | 数据来源。", examples=["business_register"])
    uscc: str = Field(min_length=18, max_length=18, description="Of whom. | 统一社会信用代码。")
    verdict: CheckVerdict = Field(description="What it says. | 结论。", examples=["lawful"])
    says: str = Field(default="", max_length=500, description="In words. | 说明。")
    since: Day = Field(description="Since when. | 起始日期。", examples=["2026-01-01"])
    until: Day | None = Field(default=None, description="Until when, inclusive. | 截止日期。")
