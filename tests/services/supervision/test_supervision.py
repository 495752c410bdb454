"""Supervision: inspections, rectifications, call-backs, service files, audits, evaluations, shared data."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.context import TortoiseContext

from server.models.contracts import Contract
from server.models.files import StoredFile
from server.models.monitoring import ContractCheck, OperatorAudit
from server.models.organisations import Organisation, Qualification
from server.models.outbox import OutboxMessage
from server.models.reviews import ReviewCase
from server.models.supervision import (
    InspectionVisit,
    RectificationTask,
    ServiceFileEntry,
)
from server.programme.review import ReviewSubject
from server.programme.vocabulary import Party
from server.rules.contract_checks import CheckVerdict, SharedSource
from server.rules.supervision import (
    AuditOpinion,
    CommissionOutcome,
    EntryTone,
    InspectionKind,
    InspectionStatus,
    RectificationStatus,
    ServiceEntryKind,
    VisitStatus,
)
from server.services.access import NotAllowed, NotFound
from server.services.admissions.admissions import Admissions
from server.services.budgets import budgets, commissions
from server.services.budgets.commissions import CommissionEnded
from server.services.orders import contract_watch
from server.services.organisations import service_files
from server.services.settlements import supervision_checks
from server.services.supervision import fund_audits
from server.services.supervision.evaluations import EvaluationNotYours, EvaluationPeriod, EvaluationSigned
from server.services.supervision.fund_audits import (
    ComparedAlready,
    NothingToCompare,
    OperatorAudited,
    OwnRecord,
)
from server.services.supervision.inspection_visits import DayImpossible, Seen, VisitIncomplete, VisitMade
from server.services.supervision.inspections import (
    InspectionOpen,
    InspectionOver,
    NotHeldByYou,
    SignedAlready,
    Subject,
)
from server.services.supervision.rectifications import TaskNotOpen
from server.services.supervision.supervision_book import SupervisionMovedOn
from tests.contracting import ALLOTTED, DRAWN, GRABBED, ON_CONTRACT, RANKED, SEALER, person_of
from tests.factories import make_enterprise
from tests.ordering import make_order
from tests.supervised import a_contract
from tests.supervising import RIGHT, WRONG, Watch, all_right, planned

rules = pytest.mark.rules


@pytest.fixture
def watch(database: TortoiseContext) -> Watch:
    """Everybody who supervises, once on each kind of database."""
    return Watch()


@rules("LS-73", "LS-46")
async def test_a_daily_visit_answers_every_item_of_the_texts_own_list(watch: Watch) -> None:
    provider = await watch.serving(GRABBED)
    made, operator, visit = await planned(watch, GRABBED, InspectionKind.DAILY, provider, "operator")
    assert [one["says"] for one in made.items] == ["服务场所", "服务能力", "服务台账", "合同履约情况"]
    assert (made.clause, made.held_by) == ("五（一）1", ["operator"])
    with pytest.raises(VisitIncomplete) as incomplete:
        await watch.office.visits.record(
            visit.id,
            answers={"premises": RIGHT, "ledger": WRONG},
            seen=[Seen(item="ability", says="人员不足")],
            opinion="",
            visited_on=date(2026, 5, 18),
            version=visit.version,
            actor=operator,
        )
    assert [one.code for one in incomplete.value.unmet] == ["item", "item", "finding", "stray"]
    with pytest.raises(DayImpossible):
        await all_right(watch, made, visit, operator, visited_on=date(2026, 5, 19))
    done = await all_right(watch, made, visit, operator)
    assert done.status is VisitStatus.DONE
    with pytest.raises(VisitMade):
        await all_right(watch, made, done, operator)
    entry = await ServiceFileEntry.get(provider_id=provider.id)
    assert (entry.kind, entry.tone) == (ServiceEntryKind.INSPECTION, EntryTone.GOOD)
    assert service_files.says(entry) == "走访服务机构：0 项问题"


@rules("GZ-51")
async def test_what_was_found_is_put_right_by_its_day_with_proof_or_stands_against_the_provider(
    watch: Watch,
) -> None:
    provider = await watch.serving(GRABBED)
    made, operator, visit = await planned(watch, GRABBED, InspectionKind.DAILY, provider, "operator")
    seen = [Seen(item="ledger", says="台账缺五月", wanted="补齐五月台账", due_on=date(2026, 5, 20))]
    await all_right(watch, made, visit, operator, answers={"ledger": WRONG}, seen=seen)
    task = await RectificationTask.get()
    assert (
        await service_files.check(watch.programme(GRABBED), provider.id, now=watch.at(GRABBED))
    ).met is False
    watch.clock.advance(timedelta(days=2, hours=14))
    assert await watch.office.mind(GRABBED) == 1, "over at the end of its last day"
    assert await watch.office.mind(GRABBED) == 0, "told once"
    overdue = await ServiceFileEntry.get(source=f"rectification_overdue:{task.id}")
    assert overdue.tone is EntryTone.BAD

    handler, tasks = person_of(provider), watch.office.rectifications
    with pytest.raises(NotFound):
        await tasks.hand_in(
            task.id, answer="已补齐", file_ids=[], version=1, actor=person_of(await make_enterprise())
        )
    with pytest.raises(TaskNotOpen):
        await tasks.decide(task.id, accept=True, reason="已核实", version=1, actor=operator)
    handed = await tasks.hand_in(task.id, answer="已补齐", file_ids=[], version=1, actor=handler)
    back = await tasks.decide(task.id, accept=False, reason="仍缺", version=handed.version, actor=operator)
    assert (back.status, back.sent_back) == (RectificationStatus.OPEN, 1)
    handed = await tasks.hand_in(task.id, answer="全部补齐", file_ids=[], version=back.version, actor=handler)
    with pytest.raises(SupervisionMovedOn):
        await tasks.decide(task.id, accept=True, reason="已核实", version=1, actor=operator)
    done = await tasks.decide(task.id, accept=True, reason="已核实", version=handed.version, actor=operator)
    assert done.status is RectificationStatus.ACCEPTED


@rules("LS-75")
async def test_a_joint_inspection_is_signed_by_both_authorities_and_owed_once_a_year(watch: Watch) -> None:
    provider, programme = await watch.serving(GRABBED), watch.programme(GRABBED)
    assert await watch.office.inspections.owed(programme, 2026) == {"五（一）3": (1, 0)}
    with pytest.raises(NotHeldByYou):
        await planned(watch, GRABBED, InspectionKind.JOINT, provider, "operator")
    made, authority, visit = await planned(watch, GRABBED, InspectionKind.JOINT, provider, "authority")
    assert made.held_by == ["authority", "treasury"]
    with pytest.raises(InspectionOpen) as unseen:
        await watch.office.inspections.sign(made.id, actor=authority)
    assert [one.code for one in unseen.value.unmet] == ["visits"]
    await all_right(watch, made, visit, authority)
    close = {"opinion": "使用规范", "file_ids": [], "version": made.version}
    await watch.office.inspections.sign(made.id, actor=authority)
    with pytest.raises(InspectionOpen) as open_still:
        await watch.office.inspections.close(made.id, actor=authority, **close)
    assert [one.code for one in open_still.value.unmet] == ["signatures"]
    both = await watch.again(authority, "authority", "treasury")
    with pytest.raises(SignedAlready):
        await watch.office.inspections.sign(made.id, actor=both)
    await watch.office.inspections.sign(made.id, actor=await watch.staff("treasury"))
    closed = await watch.office.inspections.close(made.id, actor=authority, **close)
    assert closed.status is InspectionStatus.CLOSED
    assert await watch.office.inspections.owed(programme, 2026) == {"五（一）3": (1, 1)}
    with pytest.raises(InspectionOver):
        await watch.office.inspections.sign(made.id, actor=authority)


@rules("GX-66")
async def test_a_third_partys_supervision_ends_with_its_opinion_and_its_report(watch: Watch) -> None:
    provider = await watch.serving(ALLOTTED)
    made, inspector, visit = await planned(
        watch, ALLOTTED, InspectionKind.THIRD_PARTY, provider, "inspector", commissioned="某咨询公司"
    )
    await all_right(watch, made, visit, inspector)
    await watch.office.inspections.sign(made.id, actor=inspector)
    close = watch.office.inspections.close
    with pytest.raises(InspectionOpen) as missing:
        await close(made.id, opinion=" ", file_ids=[], version=made.version, actor=inspector)
    assert [one.code for one in missing.value.unmet] == ["opinion", "report"]
    report = await a_report(watch, inspector, ALLOTTED)
    closed = await close(
        made.id, opinion="程序合规", file_ids=[report], version=made.version, actor=inspector
    )
    assert (closed.opinion, closed.report_files, closed.clause) == ("程序合规", [report], "第二十二条")


@rules("YC-30")
async def test_who_will_not_be_inspected_gives_a_ground_that_stands_in_its_file(watch: Watch) -> None:
    provider = await watch.serving(DRAWN)
    made, operator, visit = await planned(watch, DRAWN, InspectionKind.FOLLOW_UP, provider, "operator")
    refused = await watch.office.visits.refuse(
        visit.id, words="拒绝提供账册", version=visit.version, actor=operator
    )
    assert refused.status is VisitStatus.REFUSED
    entry = await ServiceFileEntry.get(provider_id=provider.id)
    assert (entry.tone, entry.clause) == (EntryTone.BAD, "第十五条")
    told = await OutboxMessage.get(topic="inspection.refused")
    assert told.data["clause"] == "第十五条" and made.id == told.data["inspection"]


@rules("GZ-45")
async def test_a_contracts_performance_is_followed_at_both_sides_of_its_order(watch: Watch) -> None:
    provider, enterprise = await watch.serving(RANKED), await make_enterprise()
    order = await make_order(watch.programme(RANKED), enterprise, provider, at=watch.at(RANKED))
    day = watch.at(RANKED).date()
    both = [
        Subject(organisation_id=provider.id, party=Party.PROVIDER, order_id=order.id),
        Subject(organisation_id=enterprise.id, party=Party.ENTERPRISE, order_id=order.id),
    ]
    made, operator, _ = await planned(
        watch, RANKED, InspectionKind.FOLLOW_UP, provider, "operator", subjects=both, planned_on=day
    )
    for visit in await InspectionVisit.filter(inspection_id=made.id):
        await all_right(watch, made, visit, operator, visited_on=day)
    told = await OutboxMessage.filter(topic="inspection.planned").values_list("recipient", flat=True)
    assert set(told) == {f"organisation:{provider.id}", f"organisation:{enterprise.id}"}
    stranger = Subject(organisation_id=(await make_enterprise()).id, party=Party.PROVIDER, order_id=order.id)
    with pytest.raises(NotFound):
        await planned(watch, RANKED, InspectionKind.FOLLOW_UP, provider, "operator", subjects=[stranger])


@rules("GX-57", "NX-25")
async def test_the_service_file_is_a_line_of_admission_and_of_settlement(watch: Watch) -> None:
    provider, programme = await watch.serving(ON_CONTRACT), watch.programme(ON_CONTRACT)
    now = watch.at(ON_CONTRACT)
    settlement = await watch.handed_in(ON_CONTRACT, provider)
    green = await supervision_checks.of_settlement(settlement, programme, now=now)
    assert [(one.code, one.met) for one in green] == [("service_file", True)]
    for number in (1, 2):
        await service_files.note(
            ServiceEntryKind.COMPLAINT,
            "complained",
            "complaint:1",
            provider_id=provider.id,
            programme=programme,
            tone=EntryTone.BAD,
            at=now + timedelta(minutes=number),
        )
    (red,) = await supervision_checks.of_settlement(settlement, programme, now=now)
    assert (red.met, red.clause, red.arithmetic) == (False, "第十一条（一）", "投诉 1 条"), "each source once"
    row = await Qualification.get(organisation_id=provider.id, party=Party.PROVIDER)
    case = ReviewCase(subject=ReviewSubject.PROVIDER, subject_id=row.id)
    checks = await Admissions(watch.qualifications, SEALER).checks(case, now=now)
    assert {one.code: one.met for one in checks}["service_file"] is False
    await service_files.note(
        ServiceEntryKind.COMPLAINT,
        "complaint_cleared",
        "complaint:1:2",
        provider_id=provider.id,
        programme=programme,
        tone=EntryTone.PLAIN,
        at=now,
        clears="complaint:1",
    )
    assert (await service_files.check(programme, provider.id, now=now)).met


@rules("LS-71")
async def test_contracts_behind_schedule_or_at_risk_are_listed_with_their_reasons(watch: Watch) -> None:
    provider, programme, now = await watch.serving(GRABBED), watch.programme(GRABBED), watch.at(GRABBED)

    async def due(in_days: int) -> int:
        order = await make_order(
            programme, await make_enterprise(), provider, at=now, step_due_at=now + timedelta(days=in_days)
        )
        return int(order.id)

    late, soon, later = await due(-1), await due(6), await due(8)
    found = await contract_watch.watched(programme, watch.office.defaults, now=now)
    assert [(one.order.id, one.behind, [why.code for why in one.reasons]) for one in found] == [
        (late, True, ["step_late"]),
        (soon, False, ["step_soon"]),
    ]
    assert later not in {one.order.id for one in found}


@rules("GX-80")
async def test_a_self_check_that_an_audit_contradicts_is_a_ground_with_its_arithmetic(watch: Watch) -> None:
    provider, inspector = await watch.serving(ALLOTTED), await watch.staff("inspector")
    audits = watch.office.audits
    compare = {"party": Party.PROVIDER, "actor": inspector}
    said: dict[str, Any] = {"party": Party.PROVIDER, "words": "", "file_ids": []}
    await audits.self_check(ALLOTTED, 2026, figures={"paid": 120_00}, actor=person_of(provider), **said)
    with pytest.raises(NothingToCompare):
        await audits.compare(ALLOTTED, 2026, provider.id, **compare)
    await audits.audit(
        ALLOTTED,
        2026,
        organisation_id=provider.id,
        auditor="某会计师事务所",
        figures={"paid": 100_00},
        actor=inspector,
        **said,
    )
    # What is handed in when the audit is known is no self-check any more.
    await audits.self_check(ALLOTTED, 2026, figures={"paid": 100_00}, actor=person_of(provider), **said)
    made = await audits.compare(ALLOTTED, 2026, provider.id, **compare)
    assert (made.serious, made.clause) == (True, "第二十七条（五）")
    assert "20%" in made.arithmetic
    with pytest.raises(ComparedAlready):
        await audits.compare(ALLOTTED, 2026, provider.id, **compare)
    assert (await ServiceFileEntry.get(provider_id=provider.id)).tone is EntryTone.BAD
    assert len(await fund_audits.reports_of(inspector, ALLOTTED, 2026, provider.id)) == 3
    with pytest.raises(NotFound):
        elsewhere = replace(inspector, areas=frozenset({"江苏省"}))
        await fund_audits.reports_of(elsewhere, ALLOTTED, 2026, provider.id)


@rules("NX-39")
async def test_the_yearly_audit_decides_by_another_person_whether_the_commission_goes_on(
    watch: Watch,
) -> None:
    programme, audits = watch.programme(ON_CONTRACT), watch.office.audits
    authority, today = await watch.staff("authority"), watch.at(ON_CONTRACT).date()
    record: dict[str, Any] = {
        "auditor": "某会计师事务所",
        "opinion": AuditOpinion.ADVERSE,
        "words": "账实不符",
        "file_ids": [],
    }
    made = await audits.record_operator(ON_CONTRACT, 2025, actor=authority, **record)
    with pytest.raises(OperatorAudited):
        await audits.record_operator(ON_CONTRACT, 2025, actor=await watch.staff("inspector"), **record)
    ends: dict[str, Any] = {"reason": "审计不合格", "effective_on": today}
    with pytest.raises(OwnRecord):
        await audits.decide_operator(made.id, CommissionOutcome.ENDS, actor=authority, **ends)
    with pytest.raises(NotAllowed):
        await audits.decide_operator(
            made.id, CommissionOutcome.ENDS, actor=await watch.staff("operator"), **ends
        )
    await commissions.require(programme, today)
    other = await watch.staff("authority")
    decided = await audits.decide_operator(made.id, CommissionOutcome.ENDS, actor=other, **ends)
    assert decided.consequence is CommissionOutcome.ENDS
    with pytest.raises(OperatorAudited):
        await audits.decide_operator(made.id, CommissionOutcome.CONTINUES, actor=other, **ends)
    with pytest.raises(CommissionEnded) as ended:
        await commissions.require(programme, today)
    assert ended.value.clause == programme.records.article
    await commissions.require(programme, today - timedelta(days=1))
    with pytest.raises(CommissionEnded):
        await budgets.open_year(
            programme, 2027, 100, actor=authority, now=watch.at(ON_CONTRACT) + timedelta(days=1)
        )
    assert (await OperatorAudit.get()).figures == {}, "no year was opened"


@rules("GX-83", "GX-07")
async def test_both_departments_sign_an_evaluation_that_the_platform_worked_out(watch: Watch) -> None:
    provider = await watch.serving(ALLOTTED)
    await watch.handed_in(ALLOTTED, provider)
    authority, evaluations = await watch.staff("authority"), watch.office.evaluations
    period: dict[str, Any] = {"starts_on": date(2026, 1, 1), "words": "资金管理规范", "file_ids": []}
    with pytest.raises(EvaluationPeriod):
        await evaluations.make(ALLOTTED, ends_on=date(2026, 5, 18), actor=authority, **period)
    watch.clock.advance(timedelta(days=1))
    with pytest.raises(NotAllowed):
        await evaluations.make(
            ALLOTTED, ends_on=date(2026, 5, 18), actor=await watch.staff("operator"), **period
        )
    made = await evaluations.make(ALLOTTED, ends_on=date(2026, 5, 18), actor=authority, **period)
    values = {one["code"]: one["arithmetic"] or one["value"] for one in made.indicators}
    assert (values["settled"], values["paid"], made.clause) == ("0 ÷ 1", "0.00", "第二十八条")
    await evaluations.sign(made.id, actor=authority)
    with pytest.raises(EvaluationSigned):
        await evaluations.sign(made.id, actor=await watch.again(authority, "authority", "treasury"))
    with pytest.raises(EvaluationNotYours):
        await evaluations.sign(made.id, actor=await watch.staff("operator"))
    signed = await evaluations.sign(made.id, actor=await watch.staff("treasury"))
    assert signed.signed_at is not None


@rules("GX-69")
async def test_contracts_are_checked_against_shared_data_and_each_source_is_a_line_of_the_review(
    watch: Watch,
) -> None:
    programme, authority = watch.programme(ALLOTTED), await watch.staff("authority")
    contract: Contract = await a_contract(programme, watch.at(ALLOTTED))
    provider = await Organisation.get(id=contract.provider_id)
    settlement = await watch.handed_in(ALLOTTED, provider, contract_id=contract.id)
    share = watch.office.data.share
    for uscc in [provider.uscc, (await Organisation.get(id=contract.enterprise_id)).uscc]:
        await share(
            ALLOTTED,
            SharedSource.BUSINESS_REGISTER,
            uscc,
            CheckVerdict.LAWFUL,
            says="",
            since=date(2020, 1, 1),
            until=None,
            actor=authority,
        )
    await share(
        ALLOTTED,
        SharedSource.DISHONESTY_LIST,
        provider.uscc,
        CheckVerdict.UNLAWFUL,
        says="列入失信被执行人名单",
        since=date(2026, 1, 1),
        until=None,
        actor=authority,
    )
    assert [await watch.office.data.ask_due() for _ in range(2)] == [1, 0]
    verdicts = {one.source: one.verdict for one in await ContractCheck.all()}
    assert verdicts == {
        SharedSource.BUSINESS_REGISTER: CheckVerdict.LAWFUL,
        SharedSource.DISHONESTY_LIST: CheckVerdict.UNLAWFUL,
        SharedSource.BANK: CheckVerdict.UNANSWERED,
    }
    lines = await supervision_checks.contract_lines(settlement.order_id, programme)
    assert [(one.code, one.met, one.arithmetic) for one in lines] == [
        ("contract_business_register", True, ""),
        ("contract_dishonesty_list", False, "列入失信被执行人名单"),
    ], "who is silent speaks neither for it nor against it"


async def a_report(watch: Watch, actor: Any, slug: str) -> int:
    """A file that a member of staff has uploaded."""
    owner = await make_enterprise()
    paper = await StoredFile.get(id=await watch.paper(owner, slug))
    kept = {name: getattr(paper, name) for name in paper._meta.db_fields if name != "id"}
    own = await StoredFile.create(**{**kept, "uploaded_by": actor.name, "organisation_id": None})
    return int(own.id)
