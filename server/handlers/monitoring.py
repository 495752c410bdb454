"""Monitoring over HTTP: findings and what becomes of them, audits, evaluations, contract checks."""

from __future__ import annotations

from aiohttp import web

from server.handlers.api import Routes, person, staff
from server.handlers.monitoring_forms import (
    AnomalyPath,
    AnomalyQuery,
    Audit,
    AuditQuery,
    Compare,
    DecideOperatorAudit,
    EvaluationPath,
    KeepShared,
    LiftAnomaly,
    MakeEvaluation,
    OperatorAuditPath,
    ProposeOnAnomaly,
    RecordOperatorAudit,
    SelfCheck,
    WatchedContractPath,
)
from server.handlers.monitoring_views import (
    AnomaliesView,
    AnomalyView,
    AuditMade,
    AuditReportsView,
    ComparisonMade,
    ContractChecked,
    EvaluationMade,
    EvaluationsView,
    EvaluationView,
    OperatorAuditRecorded,
    OperatorAuditsView,
    OperatorAuditView,
    SharedRecordKept,
    anomaly,
    audit_report,
    comparison,
    contract_check,
    evaluation,
    operator_audit,
)
from server.handlers.paging import next_page
from server.handlers.supervision_forms import BeforeQuery
from server.keys import SUPERVISION
from server.models.organisations import MemberRole
from server.programme.registry import UnknownProgramme
from server.services.access import Actor, StaffRole
from server.services.files.files import FilesUnknown
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions.sanctions import (
    NotYoursToPropose,
    ReductionMissing,
    ResponsiblePersonMissing,
    SanctionGroundUnknown,
    SanctionScopeWrong,
    SanctionUnderWay,
)
from server.services.supervision import anomalies, evaluations, fund_audits
from server.services.supervision.anomalies import AnomalyDecided, AnomalyNotYours, Charge, NoGroundForAnomaly
from server.services.supervision.evaluations import EvaluationNotYours, EvaluationPeriod, EvaluationSigned
from server.services.supervision.fund_audits import (
    ComparedAlready,
    FiguresUnusable,
    NothingToCompare,
    OperatorAudited,
    OwnRecord,
)
from server.services.supervision.supervision_book import (
    DECIDING,
    SUPERVISORS,
    SupervisionMovedOn,
    TooManyFiles,
    WordsMissing,
)

routes = Routes("monitoring")

OFFICIALS = staff(*sorted(SUPERVISORS))
DECIDERS = staff(*sorted(DECIDING))
SIGNERS = staff(StaffRole.AUTHORITY, StaffRole.TREASURY)
EVALUATORS = staff(StaffRole.AUTHORITY, StaffRole.DIVISION, StaffRole.TREASURY)
HANDLERS = person(MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER)


@routes.get(
    "/api/v1/anomalies",
    summary="What looked wrong, newest first. | 数据异常列表。",
    access=OFFICIALS,
    answers={200: AnomaliesView},
)
async def found(request: web.Request, actor: Actor, query: AnomalyQuery) -> AnomaliesView:
    rows = await anomalies.listed(actor, programme=query.programme, status=query.status, before=query.before)
    shown = rows[: anomalies.PAGE]
    return AnomaliesView(
        anomalies=[anomaly(one) for one in shown],
        next_before=next_page(rows, anomalies.PAGE),
    )


@routes.post(
    "/api/v1/anomalies/{anomaly_id}/lifting",
    summary="Say why nothing is wrong: payment goes on. | 解除异常，恢复兑付。",
    access=OFFICIALS,
    answers={200: AnomalyView},
    refusals=(AnomalyNotYours, AnomalyDecided, OwnReview, WordsMissing, SupervisionMovedOn),
)
async def lift(request: web.Request, actor: Actor, path: AnomalyPath, body: LiftAnomaly) -> AnomalyView:
    row = await request.app[SUPERVISION].anomalies.lift(
        path.anomaly_id, reason=body.reason, version=body.version, actor=actor
    )
    return anomaly(row)


@routes.post(
    "/api/v1/anomalies/{anomaly_id}/proposal",
    summary="Propose a sanction on it; payment stays held. | 据此提出处理建议并移交线索。",
    access=OFFICIALS,
    answers={200: AnomalyView},
    refusals=(AnomalyNotYours, AnomalyDecided, OwnReview, WordsMissing, SupervisionMovedOn,
              NoGroundForAnomaly, SanctionGroundUnknown, NotYoursToPropose, SanctionUnderWay,
              SanctionScopeWrong, ReductionMissing, ResponsiblePersonMissing),
)  # fmt: skip
async def propose(
    request: web.Request, actor: Actor, path: AnomalyPath, body: ProposeOnAnomaly
) -> AnomalyView:
    charge = Charge(ground=body.ground, facts=body.facts, serious=body.serious)
    row = await request.app[SUPERVISION].anomalies.propose(
        path.anomaly_id, charge, version=body.version, actor=actor
    )
    return anomaly(row)


@routes.post(
    "/api/v1/self-checks",
    summary="Hand in one's own self-check. | 提交自查报告。",
    access=HANDLERS,
    answers={201: AuditMade},
    refusals=(UnknownProgramme, FiguresUnusable, FilesUnknown),
)
async def self_check(request: web.Request, actor: Actor, body: SelfCheck) -> AuditMade:
    made = await request.app[SUPERVISION].audits.self_check(
        body.programme,
        body.year,
        party=body.party,
        figures=body.figures,
        words=body.words,
        file_ids=body.file_ids,
        actor=actor,
    )
    return AuditMade.model_validate(audit_report(made))


@routes.post(
    "/api/v1/audit-reports",
    summary="Record what an auditor found. | 登记审计报告。",
    access=OFFICIALS,
    answers={201: AuditMade},
    refusals=(UnknownProgramme, FiguresUnusable, FilesUnknown, TooManyFiles, WordsMissing, OwnReview),
)
async def audit(request: web.Request, actor: Actor, body: Audit) -> AuditMade:
    made = await request.app[SUPERVISION].audits.audit(
        body.programme,
        body.year,
        organisation_id=body.organisation_id,
        party=body.party,
        auditor=body.auditor,
        figures=body.figures,
        words=body.words,
        file_ids=body.file_ids,
        actor=actor,
    )
    return AuditMade.model_validate(audit_report(made))


@routes.get(
    "/api/v1/audit-reports",
    summary="Self-checks and audits of an organisation in a year. | 自查和审计报告。",
    access=OFFICIALS,
    answers={200: AuditReportsView},
)
async def reports(request: web.Request, actor: Actor, query: AuditQuery) -> AuditReportsView:
    rows = await fund_audits.reports_of(actor, query.programme, query.year, query.organisation_id)
    return AuditReportsView(reports=[AuditMade.model_validate(audit_report(one)) for one in rows])


@routes.post(
    "/api/v1/audit-comparisons",
    summary="Set a self-check against an audit, figure by figure. | 自查与审计对比。",
    access=OFFICIALS,
    answers={201: ComparisonMade},
    refusals=(UnknownProgramme, NothingToCompare, ComparedAlready, OwnReview),
)
async def compare(request: web.Request, actor: Actor, body: Compare) -> ComparisonMade:
    made = await request.app[SUPERVISION].audits.compare(
        body.programme, body.year, body.organisation_id, party=body.party, actor=actor
    )
    return comparison(made)


@routes.post(
    "/api/v1/operator-audits",
    summary="Record the year's audit of the operator. | 登记运营单位年度专项审计。",
    access=OFFICIALS,
    answers={201: OperatorAuditRecorded},
    refusals=(UnknownProgramme, WordsMissing, FilesUnknown, TooManyFiles, OperatorAudited),
)
async def record_operator(
    request: web.Request, actor: Actor, body: RecordOperatorAudit
) -> OperatorAuditRecorded:
    made = await request.app[SUPERVISION].audits.record_operator(
        body.programme,
        body.year,
        auditor=body.auditor,
        opinion=body.opinion,
        words=body.words,
        file_ids=body.file_ids,
        actor=actor,
    )
    return OperatorAuditRecorded.model_validate(operator_audit(made))


@routes.get(
    "/api/v1/operator-audits",
    summary="Audits of the operator and what followed. | 运营单位审计和决定。",
    access=OFFICIALS,
    answers={200: OperatorAuditsView},
)
async def operator_audits(request: web.Request, actor: Actor, query: BeforeQuery) -> OperatorAuditsView:
    rows = await fund_audits.operator_audits(actor, programme=query.programme)
    return OperatorAuditsView(audits=[OperatorAuditView.model_validate(operator_audit(one)) for one in rows])


@routes.post(
    "/api/v1/operator-audits/{operator_audit_id}/decision",
    summary="Say whether the commission goes on. | 决定委托是否继续。",
    access=DECIDERS,
    answers={200: OperatorAuditView},
    refusals=(OwnRecord, OperatorAudited, WordsMissing),
)
async def decide_operator(
    request: web.Request, actor: Actor, path: OperatorAuditPath, body: DecideOperatorAudit
) -> OperatorAuditView:
    row = await request.app[SUPERVISION].audits.decide_operator(
        path.operator_audit_id,
        body.outcome,
        reason=body.reason,
        effective_on=body.effective_on,
        actor=actor,
    )
    return OperatorAuditView.model_validate(operator_audit(row))


@routes.post(
    "/api/v1/evaluations",
    summary="Evaluate a period on the platform's indicators. | 提出绩效评价。",
    access=EVALUATORS,
    answers={201: EvaluationMade},
    refusals=(UnknownProgramme, EvaluationPeriod, WordsMissing, FilesUnknown, TooManyFiles),
)
async def evaluate(request: web.Request, actor: Actor, body: MakeEvaluation) -> EvaluationMade:
    made = await request.app[SUPERVISION].evaluations.make(
        body.programme,
        starts_on=body.starts_on,
        ends_on=body.ends_on,
        words=body.words,
        file_ids=body.file_ids,
        actor=actor,
    )
    return EvaluationMade.model_validate(evaluation(made, []))


@routes.get(
    "/api/v1/evaluations",
    summary="Evaluations, newest first. | 绩效评价列表。",
    access=OFFICIALS,
    answers={200: EvaluationsView},
)
async def evaluated(request: web.Request, actor: Actor, query: BeforeQuery) -> EvaluationsView:
    rows = await evaluations.listed(actor, programme=query.programme, before=query.before)
    shown = rows[: evaluations.PAGE]
    return EvaluationsView(
        evaluations=[EvaluationView.model_validate(evaluation(one, roles)) for one, roles in shown],
        next_before=next_page([one for one, _ in rows], evaluations.PAGE),
    )


@routes.post(
    "/api/v1/evaluations/{evaluation_id}/signature",
    summary="Sign an evaluation for one's department. | 签署绩效评价。",
    access=SIGNERS,
    answers={200: EvaluationView},
    refusals=(EvaluationNotYours, EvaluationSigned),
)
async def sign(request: web.Request, actor: Actor, path: EvaluationPath) -> EvaluationView:
    made = await request.app[SUPERVISION].evaluations.sign(path.evaluation_id, actor=actor)
    return EvaluationView.model_validate(evaluation(made, await evaluations.signed_roles(made)))


@routes.post(
    "/api/v1/contracts/{contract_id}/checks",
    summary="Ask banks and regulators about a contract once more. | 以共享数据核对合同。",
    access=OFFICIALS,
    answers={200: ContractChecked},
)
async def check(request: web.Request, actor: Actor, path: WatchedContractPath) -> ContractChecked:
    rows = await request.app[SUPERVISION].data.ask_again(path.contract_id, actor=actor)
    return ContractChecked(checks=[contract_check(one) for one in rows])


@routes.post(
    "/api/v1/shared-records",
    summary="Keep what a source shares about an organisation. | 登记共享数据。",
    access=DECIDERS,
    answers={201: SharedRecordKept},
    refusals=(UnknownProgramme, WordsMissing),
)
async def share(request: web.Request, actor: Actor, body: KeepShared) -> SharedRecordKept:
    made = await request.app[SUPERVISION].data.share(
        body.programme,
        body.source,
        body.uscc,
        body.verdict,
        says=body.says,
        since=body.since,
        until=body.until,
        actor=actor,
    )
    return SharedRecordKept(id=made.id)
