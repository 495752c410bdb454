"""Supervised: what supervision keeps, as the database has it, for tests of who may see it."""

from __future__ import annotations

from datetime import date, datetime
from itertools import count

from server.models.contracts import Contract
from server.models.monitoring import AnomalyFinding, OperatorAudit, PolicyEvaluation
from server.models.organisations import Organisation
from server.models.supervision import (
    CallBack,
    CallBackList,
    Inspection,
    InspectionFinding,
    InspectionVisit,
    RectificationTask,
)
from server.programme.model import Programme
from server.programme.monitoring import Anomaly
from server.programme.vocabulary import Party
from server.rules.contracts import ContractStatus
from server.rules.supervision import AnomalyStatus, AuditOpinion, InspectionKind
from tests.factories import make_enterprise

_numbers = count(1)


async def an_inspection(programme: Programme, now: datetime) -> Inspection:
    """A daily inspection of the operator's."""
    number = next(_numbers)
    return await Inspection.create(
        number=f"J{number}",
        programme_slug=programme.slug,
        programme_version=programme.version,
        kind=InspectionKind.DAILY,
        year=programme.year_of(now),
        title="走访",
        held_by=["operator"],
        items=[{"code": "ledger", "says": "台账", "clause": ""}],
        reason="日常走访",
        planned_on=now.date(),
        made_by=1,
        made_at=now,
    )


async def a_visit(programme: Programme, now: datetime, organisation_id: int) -> InspectionVisit:
    """A visit of such an inspection that was not made yet."""
    inspection = await an_inspection(programme, now)
    return await InspectionVisit.create(
        inspection_id=inspection.id, organisation_id=organisation_id, party=Party.ENTERPRISE
    )


async def a_task(programme: Programme, now: datetime, organisation_id: int) -> RectificationTask:
    """Something an organisation has to put right."""
    visit = await a_visit(programme, now, organisation_id)
    finding = await InspectionFinding.create(
        visit_id=visit.id, item="ledger", says="台账不全", found_by=1, found_at=now
    )
    return await RectificationTask.create(
        finding_id=finding.id,
        organisation_id=organisation_id,
        programme_slug=programme.slug,
        wanted="补齐台账",
        due_at=now,
    )


async def a_call_list(programme: Programme, now: datetime) -> CallBackList:
    """A list of call-backs."""
    return await CallBackList.create(
        number=f"H{next(_numbers)}",
        programme_slug=programme.slug,
        programme_version=programme.version,
        year=programme.year_of(now),
        reason="抽样",
        script=["是否满意？"],
        made_by=1,
        made_at=now,
    )


async def a_call(programme: Programme, now: datetime, order_id: int, provider_id: int) -> CallBack:
    """A call-back of an order."""
    made = await a_call_list(programme, now)
    return await CallBack.create(list_id=made.id, order_id=order_id, provider_id=provider_id)


async def an_anomaly(programme: Programme, now: datetime, provider: Organisation) -> AnomalyFinding:
    """Something that looked wrong about a settlement."""
    number = next(_numbers)
    return await AnomalyFinding.create(
        settlement_id=1_000_000 + number,
        order_id=number,
        programme_slug=programme.slug,
        programme_version=programme.version,
        provider_id=provider.id,
        rule=Anomaly.TOO_QUICK,
        message="时间过短",
        holds=False,
        status=AnomalyStatus.OPEN,
        found_at=now,
    )


async def an_operator_audit(programme: Programme, now: datetime) -> OperatorAudit:
    """A yearly audit of the operator that nobody has decided on."""
    return await OperatorAudit.create(
        programme_slug=programme.slug,
        programme_version=programme.version,
        year=2100 + next(_numbers),
        auditor="某会计师事务所",
        opinion=AuditOpinion.CLEAN,
        words="无保留意见",
        recorded_by=1_000_000,
        recorded_at=now,
    )


async def an_evaluation(programme: Programme, now: datetime) -> PolicyEvaluation:
    """An evaluation that nobody has signed."""
    return await PolicyEvaluation.create(
        programme_slug=programme.slug,
        programme_version=programme.version,
        starts_on=date(2026, 1, 1),
        ends_on=date(2026, 3, 31),
        indicators=[],
        words="资金管理规范",
        signed_by=["authority", "treasury"],
        made_by=1,
        made_at=now,
    )


async def a_contract(programme: Programme, now: datetime) -> Contract:
    """A contract of two organisations."""
    enterprise, provider = await make_enterprise(), await make_enterprise()
    return await Contract.create(
        programme_slug=programme.slug,
        programme_version=programme.version,
        enterprise_id=enterprise.id,
        enterprise_name=enterprise.name,
        provider_id=provider.id,
        provider_name=provider.name,
        number=f"HT{next(_numbers)}",
        amount_fen=1_000_000,
        signed_on=now.date(),
        status=ContractStatus.SIGNED,
        made_by_party=Party.PROVIDER,
        created_at=now,
    )
