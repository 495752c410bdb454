"""How to make what belongs to somebody: draws, inspections, sanctions, exports and reports."""

from __future__ import annotations

from datetime import date

from server.keys import REPORTS
from server.models.complaints import Complaint, SanctionProposal
from server.models.exports import ExportFormat, ExportJob
from server.models.organisations import Organisation
from server.models.people import Staff
from server.models.sampling import SamplingDraw, SamplingItem
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase
from server.models.stand_ins import StandIn
from server.programme.model import Programme
from server.programme.review import Sampled
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.report_periods import Period
from server.rules.sampling import DrawStatus
from server.rules.sanction_cases import SanctionSource, SanctionStatus
from server.services.access import Actor
from tests import owned_basics, supervised
from tests.ownership_stage import Stage
from tests.town import DAY, PROGRAMME, grab_key


async def stand_in(stage: Stage) -> int:
    """A colleague for the operator who is asked as the owner: whoever comes next."""
    await stage.town.staff("expert")
    newest = await Staff.all().order_by("-id").first()
    assert newest is not None
    made = await StandIn.create(
        principal_id=newest.id + 1,
        deputy_id=newest.id,
        role="operator",
        starts_at=stage.town.now,
        ends_at=stage.town.now + DAY,
        made_by="staff:1",
        made_at=stage.town.now,
    )
    return int(made.id)


async def draw(stage: Stage) -> int:
    """A draw of the operator's, announced; the one before it is over."""
    await SamplingDraw.exclude(status=DrawStatus.CLOSED).update(status=DrawStatus.CLOSED)
    made = await SamplingDraw.create(
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        code="satisfaction",
        name="用券企业满意度",
        over=Sampled.ENTERPRISE,
        share_bp=1_000,
        commitment="0" * 64,
        sealed_seed="",
        announced_by="staff:1",
        announced_at=stage.town.now,
        status=DrawStatus.ANNOUNCED,
    )
    return int(made.id)


async def item(stage: Stage) -> int:
    """What was drawn, and is to be looked at."""
    draw_id = await draw(stage)
    item = await SamplingItem.create(
        draw_id=draw_id, key="00000001", row_id=stage.organisation_id, stratum="00000-0", turn=1
    )
    await SamplingDraw.filter(id=draw_id).update(status=DrawStatus.DRAWN, items=1, drawn=1, open_items=1)
    return int(item.id)


async def export(stage: Stage) -> int:
    """A list that a member of staff asked for."""
    made = await ExportJob.create(
        number=f"E{int(grab_key(), 16):09d}",
        kind="orders",
        programme_slug=PROGRAMME,
        format=ExportFormat.CSV,
        asked_by=f"staff:{(await Staff.all().first().values('id'))['id']}",
        asked_name="",
        asked_at=stage.town.now,
    )
    return int(made.id)


async def report(stage: Stage) -> int:
    """A report of the programme, as it was delivered."""
    month = int(grab_key(), 16) % 1_000
    period = Period(date(1900 + month // 12 % 100, month % 12 + 1, 1), date(2026, 4, 30))
    clerk = Actor("staff", 1, "", None, frozenset({"operator"}))
    edition = await stage.town.app[REPORTS].make(PROGRAMME, "category_shares", period, actor=clerk)
    return int(edition.id)


def programme(stage: Stage) -> Programme:
    found: Programme = stage.town.programmes.get(PROGRAMME)
    return found


async def inspection(stage: Stage) -> int:
    return int((await supervised.an_inspection(programme(stage), stage.town.now)).id)


async def visit(stage: Stage) -> int:
    visit = await supervised.a_visit(programme(stage), stage.town.now, stage.organisation_id)
    return int(visit.id)


async def rectification(stage: Stage) -> int:
    task = await supervised.a_task(programme(stage), stage.town.now, stage.organisation_id)
    return int(task.id)


async def call_list(stage: Stage) -> int:
    return int((await supervised.a_call_list(programme(stage), stage.town.now)).id)


async def call(stage: Stage) -> int:
    call = await supervised.a_call(
        programme(stage), stage.town.now, await owned_basics.order(stage), stage.organisation_id
    )
    return int(call.id)


async def anomaly(stage: Stage) -> int:
    provider = await Organisation.get(id=stage.organisation_id)
    return int((await supervised.an_anomaly(programme(stage), stage.town.now, provider)).id)


async def operator_audit(stage: Stage) -> int:
    return int((await supervised.an_operator_audit(programme(stage), stage.town.now)).id)


async def evaluation(stage: Stage) -> int:
    return int((await supervised.an_evaluation(programme(stage), stage.town.now)).id)


async def contract(stage: Stage) -> int:
    return int((await supervised.a_contract(programme(stage), stage.town.now)).id)


async def sanction(stage: Stage) -> int:
    authority = await stage.town.staff("authority")
    case = await SanctionCase.create(
        number=f"C{stage.organisation_id}{await SanctionCase.all().count():08d}",
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        sanction="recovery",
        ground="fraud",
        clause="五（二）",
        against_id=stage.organisation_id,
        party=Party.ENTERPRISE,
        source=SanctionSource.HAND,
        facts="冒领",
        measures=["claw_back"],
        orders=[],
        vouchers=[],
        status=SanctionStatus.DECIDED,
        proposed_by=authority.id,
        proposed_at=stage.town.now,
        decided_at=stage.town.now,
        appeal_until=stage.town.now + DAY,
    )
    return int(case.id)


async def recovery(stage: Stage) -> int:
    case = await SanctionCase.get(id=await sanction(stage))
    claim = await Recovery.create(
        number=f"R{case.id:09d}",
        case_id=case.id,
        debtor_id=case.against_id,
        programme_slug=PROGRAMME,
        principal_fen=100,
        yearly_bp=0,
        rate_rests_on="",
        claimed_at=stage.town.now,
        demanded_at=stage.town.now,
        letter={
            "day": "2026-05-18",
            "due_on": "2026-06-08",
            "principal_fen": 100,
            "surcharge_fen": 0,
            "lines": [],
        },
    )
    await RecoveryLine.create(
        recovery_id=claim.id,
        budget_id=await owned_basics.budget(stage),
        order_id=1,
        amount_fen=100,
        paid_out_on=stage.town.now.date(),
    )
    return int(claim.id)


async def proposal(stage: Stage) -> int:
    complaint = await Complaint.get(id=await owned_basics.complaint(stage))
    row = await SanctionProposal.create(
        complaint_id=complaint.id,
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        against_id=stage.organisation_id,
        party=Party.ENTERPRISE,
        decided_by_role=Role.AUTHORITY,
        reason="属实",
        proposed_by=stage.operator.id,
        proposed_at=stage.town.now,
    )
    return int(row.id)
