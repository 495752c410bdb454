"""Ownership: for each variable of a path, how to make an object, and who else must not see it.

A route whose path names an object has its line here, or the test of permissions fails.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date

from server.keys import RATINGS, REPORTS, SEALER
from server.models.complaints import Complainant, Complaint, SanctionProposal
from server.models.deliveries import Delivery, DeliveryState
from server.models.disbursements import (
    BankAccount,
    FundEntry,
    HandOver,
    Payment,
    PaymentBatch,
    SummaryInvoice,
)
from server.models.enquiries import Enquiry, EnquiryAnswer
from server.models.exports import ExportFormat, ExportJob
from server.models.files import FileAttachment
from server.models.inbox import InboxMessage
from server.models.offerings import Offering, OfferingVersion, SelectionRound
from server.models.organisations import Membership, Organisation, Qualification
from server.models.payments import OwnPayment
from server.models.people import Staff
from server.models.public_notices import PublicNotice
from server.models.ratings import Rating
from server.models.registrations import Registration
from server.models.reviews import ReviewCase, ReviewObjection
from server.models.rounds import Budget
from server.models.sampling import SamplingDraw, SamplingItem
from server.models.sanctions import Recovery, RecoveryLine, SanctionCase
from server.models.settlements import Settlement, SettlementApplication
from server.models.stand_ins import StandIn
from server.models.voucher_requests import VoucherRequest
from server.programme.model import Programme
from server.programme.review import Sampled
from server.programme.steps import StepKind
from server.programme.vocabulary import Actor as Role
from server.programme.vocabulary import Party
from server.rules.disbursements import FundKind
from server.rules.enquiries import EnquiryStatus
from server.rules.orders import OrderStatus
from server.rules.own_payments import PaymentMethod, PaymentPurpose, PaymentStatus
from server.rules.ratings import Said
from server.rules.report_periods import Period
from server.rules.request_line import RequestStatus
from server.rules.sampling import DrawStatus
from server.rules.sanction_cases import SanctionSource, SanctionStatus
from server.services import outbox
from server.services.access import Actor
from tests import supervised
from tests.factories import make_enterprise
from tests.hostile.seeds import paper
from tests.ordering import make_order
from tests.town import DAY, PROGRAMME, Caller, Town, grab_key, uscc

ANOTHER_PROGRAMME = "guangxi-2024"
ANOTHER_AREA = "浙江省/丽水市/市直"


@dataclass
class Stage:
    """A town with one organisation, whose objects are asked for, and another, which asks for them."""

    town: Town
    operator: Caller
    owners: Mapping[str, Caller]
    """Everybody of the one organisation, by their place in it."""
    strangers: Mapping[str, Caller]
    """Everybody of the other."""
    organisation_id: int

    @property
    def owner(self) -> Caller:
        """The handler of the organisation."""
        return self.owners["handler"]


async def a_stage(town: Town) -> Stage:
    """Both organisations are qualified, so that nothing but ownership can stand in the way."""
    operator = await town.operator()
    people = []
    for _ in range(2):
        handler = await town.qualified(operator)
        others = {role: await town.joined(handler, role) for role in ("legal_representative", "staff")}
        people.append({"handler": handler, **others})
    place = await Membership.get(person_id=people[0]["handler"].id, active=True)
    return Stage(town, operator, people[0], people[1], place.organisation_id)


Make = Callable[[Stage], Awaitable[int | str]]


@dataclass(frozen=True)
class Owned:
    """How an object is made, and from whom it is hidden.

    ``persons``: from other organisations. ``programmes``: from staff of other programmes. ``areas``: from
    staff of other areas.
    """

    make: Make
    persons: bool = True
    programmes: bool = True
    areas: bool = False


async def _budget(stage: Stage) -> int:
    await stage.town.open_round(stage.operator, pool_yuan=20_000)
    return int((await Budget.get(programme_slug=PROGRAMME)).id)


async def _round(stage: Stage) -> int:
    return await stage.town.open_round(stage.operator, pool_yuan=20_000)


async def _voucher(stage: Stage) -> int:
    decided = await stage.town.grant(await _round(stage), stage.owner, stage.organisation_id)
    assert decided.voucher is not None, decided
    return decided.voucher.id


async def _qualification(stage: Stage) -> int:
    return int((await Qualification.get(organisation_id=stage.organisation_id)).id)


async def _membership(stage: Stage) -> int:
    colleague = await stage.town.joined(stage.owner, "staff")
    return int((await Membership.get(person_id=colleague.id)).id)


async def _ban(stage: Stage) -> int:
    barred = await stage.operator.post(
        "blocklist",
        uscc=uscc(int(grab_key(), 16) + 5_000_000),
        programme=PROGRAMME,
        clause="五(五)",
        reason="提供虚假材料",
        starts_at=stage.town.now.isoformat(),
        ends_at=None,
    )
    assert barred.status == 201, barred.body
    return int(barred.body["id"])


async def _message(stage: Stage) -> int:
    await _voucher(stage)
    await outbox.deliver(stage.town.now)
    told = (
        await InboxMessage.filter(recipient=f"organisation:{stage.organisation_id}").order_by("-id").first()
    )
    assert told is not None
    return int(told.id)


async def _delivery(stage: Stage) -> int:
    # What could not be sent is the operator's to see, whosever it is.
    row = await Delivery.create(
        addressee="person:1",
        topic="voucher.granted",
        programme_slug=PROGRAMME,
        state=DeliveryState.DEAD,
        error="faulty",
        next_at=stage.town.now,
        created_at=stage.town.now,
    )
    return row.id


async def _account(stage: Stage) -> int:
    await stage.town.staff("expert")
    newest = await Staff.all().order_by("-id").first()
    assert newest is not None
    return int(newest.id)


async def _registration(stage: Stage) -> int:
    return int((await Registration.get(organisation_id=stage.organisation_id)).id)


async def _review(stage: Stage) -> int:
    return int((await ReviewCase.get(organisation_id=stage.organisation_id)).id)


async def _objection(stage: Stage) -> int:
    case_id = await _review(stage)
    made = await ReviewObjection.create(
        case_id=case_id, made_by="anonymous", reason="材料不实", made_at=stage.town.now
    )
    return int(made.id)


async def _notice(stage: Stage, *, status: str = "standing") -> int:
    made = await PublicNotice.create(
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        status=status,
        title="关于服务券兑付的公示",
        working_days=5,
        text="" if status == "draft" else '{"lines":[]}',
        drafted_at=stage.town.now,
        published_at=None if status == "draft" else stage.town.now,
    )
    return int(made.id)


async def _draft(stage: Stage) -> int:
    return await _notice(stage, status="draft")


async def _upload(stage: Stage, content: bytes = b"%PDF") -> str:
    begun = await stage.owner.post(
        "uploads", programme=PROGRAMME, kind="licence", name="营业执照.pdf", size_bytes=len(content)
    )
    assert begun.status == 201, begun.body
    return str(begun.body["id"])


async def _file(stage: Stage) -> int:
    """A file that was handed in with the registration."""
    begun = await _upload(stage, paper())
    await stage.owner.send(f"uploads/{begun}/parts", paper())
    taken = await stage.owner.post(f"uploads/{begun}/completion")
    assert taken.status == 201, taken.body
    await FileAttachment.create(
        file_id=taken.body["id"],
        subject=f"registration:{await _registration(stage)}",
        document_code="licence",
        programme_slug=PROGRAMME,
        attached_at=stage.town.now,
    )
    return int(taken.body["id"])


async def _label(stage: Stage) -> int:
    code = stage.town.programmes.get(PROGRAMME).labels[0].code
    entered = await stage.operator.post(
        "labels", programme=PROGRAMME, code=code, uscc=uscc(int(grab_key(), 16) + 6_000_000), list_name="名单"
    )
    assert entered.status == 201, entered.body
    return int(entered.body["id"])


async def _request(stage: Stage) -> int:
    made = await VoucherRequest.create(
        round_id=await _round(stage),
        order_id=await _order(stage),
        enterprise_id=stage.organisation_id,
        status=RequestStatus.APPROVED,
        requested_at=stage.town.now,
        labels=[],
        expected_fen=100,
    )
    return int(made.id)


async def _offering(stage: Stage) -> int:
    """An offering of the organisation that was handed in once."""
    made = await Offering.create(
        programme_slug=PROGRAMME,
        provider_id=stage.organisation_id,
        created_at=stage.town.now,
        saved_at=stage.town.now,
        saved_by=stage.owner.id,
    )
    await OfferingVersion.create(
        offering_id=made.id,
        number=1,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        category="consulting",
        service="咨询",
        name="咨询服务",
        submitted_at=stage.town.now,
        submitted_by=stage.owner.id,
    )
    return int(made.id)


async def _order(stage: Stage) -> int:
    """A rated order in which the organisation is the enterprise."""
    programme = stage.town.programmes.get(PROGRAMME)
    owner = await Organisation.get(id=stage.organisation_id)
    order = await make_order(programme, owner, await make_enterprise(), at=stage.town.now)
    scale = programme.rating.scale
    await stage.town.app[RATINGS].give(
        order,
        Said(level=scale[0]),
        programme=programme,
        actor=Actor("person", stage.owner.id, "", owner.id, frozenset({"handler"})),
        now=stage.town.now,
    )
    return int(order.id)


async def _settlement_application(stage: Stage) -> int:
    """A draft of the organisation's, as a provider, for one finished order."""
    programme = stage.town.programmes.get(PROGRAMME)
    owner, enterprise = await Organisation.get(id=stage.organisation_id), await make_enterprise()
    order = await make_order(
        programme, enterprise, owner, at=stage.town.now, status=OrderStatus.DONE, step=StepKind.SETTLE
    )
    application = await SettlementApplication.create(
        number=grab_key()[-20:],
        programme_slug=programme.slug,
        programme_version=programme.version,
        provider_id=owner.id,
        actor=f"person:{stage.owner.id}",
        opened_at=stage.town.now,
    )
    await Settlement.create(
        number=grab_key()[-20:],
        application_id=application.id,
        order_id=order.id,
        provider_id=owner.id,
        enterprise_id=enterprise.id,
        programme_slug=programme.slug,
        category=order.category,
        year=2026,
    )
    return int(application.id)


async def _settlement(stage: Stage) -> int:
    return int((await Settlement.get(application_id=await _settlement_application(stage))).id)


async def _payment(stage: Stage) -> int:
    """A payment that the operator has to give back by the bank."""
    made = await OwnPayment.create(
        order_id=await _order(stage),
        programme_slug=PROGRAMME,
        purpose=PaymentPurpose.ESCROW,
        method=PaymentMethod.TRANSFER,
        status=PaymentStatus.REFUND_DUE,
        amount_fen=100,
        payer="一家企业",
        payee="运营单位",
        step=StepKind.ESCROW,
        created_by=f"person:{stage.owner.id}",
        created_at=stage.town.now,
    )
    return int(made.id)


async def _bank_account(stage: Stage) -> int:
    """An account that the organisation entered."""
    made = await BankAccount.create(
        organisation_id=stage.organisation_id,
        programme_slug=PROGRAMME,
        holder="晨光精密机械有限公司",
        bank="中国银行",
        number_sealed=stage.town.app[SEALER].seal("6222020000008888"),
        number_index="",
        tail="8888",
        proof=[],
        entered_by=f"person:{stage.owner.id}",
        entered_at=stage.town.now,
    )
    return int(made.id)


async def _payment_batch(stage: Stage) -> int:
    made = await PaymentBatch.create(
        number=f"PB{int(grab_key(), 16)}",
        programme_slug=PROGRAMME,
        programme_version=stage.town.programmes.get(PROGRAMME).version,
        budget_id=await _budget(stage),
        payments_count=1,
        total_fen=1,
        drafted_by=0,
        drafted_at=stage.town.now,
    )
    return int(made.id)


async def _transfer(stage: Stage) -> int:
    """A payment to the organisation."""
    batch_id = await _payment_batch(stage)
    made = await Payment.create(
        number=f"PB{batch_id}-0001",
        batch_id=batch_id,
        settlement_id=await _settlement(stage),
        order_id=1,
        provider_id=stage.organisation_id,
        account_id=await _bank_account(stage),
        amount_fen=1,
    )
    return int(made.id)


async def _summary_invoice(stage: Stage) -> int:
    made = await SummaryInvoice.create(
        batch_id=await _payment_batch(stage),
        provider_id=stage.organisation_id,
        code="summary_invoice",
        number=f"{int(grab_key(), 16):020d}",
        amount_fen=1,
        dated=stage.town.now.date(),
        files=[],
        handed_by=f"person:{stage.owner.id}",
        handed_at=stage.town.now,
    )
    return int(made.id)


async def _fund_entry(stage: Stage) -> int:
    made = await FundEntry.create(
        budget_id=await _budget(stage),
        programme_slug=PROGRAMME,
        kind=FundKind.ALLOCATION,
        amount_fen=1,
        dated=stage.town.now.date(),
        reference=grab_key(),
        files=[],
        entered_by=0,
        entered_at=stage.town.now,
    )
    return int(made.id)


async def _hand_over(stage: Stage) -> int:
    batch_id = await _payment_batch(stage)
    made = await HandOver.create(
        number=f"HO{batch_id}",
        batch_id=batch_id,
        items=[],
        sha256="",
        handed_by=0,
        handed_at=stage.town.now,
    )
    return int(made.id)


async def _rating(stage: Stage) -> int:
    return int((await Rating.get(order_id=await _order(stage))).id)


async def _complaint(stage: Stage) -> int:
    """A complaint of the organisation's handler about the programme in general."""
    filed = await stage.owner.post(
        "complaints", subject="other", programme=PROGRAMME, happened="迟迟不办理。", anonymous=True
    )
    assert filed.status == 201, filed.body
    return int(filed.body["id"])


async def _accusation(stage: Stage) -> int:
    """A complaint against the organisation, which was asked for its account."""
    complaint_id = await _complaint(stage)
    await Complaint.filter(id=complaint_id).update(accused_id=stage.organisation_id)
    await Complainant.filter(complaint_id=complaint_id).update(person_id=None)
    for kind, extra in (("claim", {}), ("messages", {"kind": "request", "words": "请说明情况。"})):
        done = await stage.operator.post(f"complaint-desk/{complaint_id}/{kind}", **extra)
        assert done.status == 200, done.body
    return complaint_id


async def _attachment(stage: Stage) -> int:
    """A scan that its complainant handed in."""
    begun = await _upload(stage, paper())
    await stage.owner.send(f"uploads/{begun}/parts", paper())
    taken = await stage.owner.post(f"uploads/{begun}/completion")
    assert taken.status == 201, taken.body
    filed = await stage.owner.post(
        f"complaints/{await _complaint(stage)}/supplements", words="见附件。", file_ids=[taken.body["id"]]
    )
    return int(filed.body["entries"][-1]["attachments"][0]["id"])


async def _enquiry(stage: Stage) -> int:
    """An enquiry of the organisation that everybody sees."""
    made = await Enquiry.create(
        programme_slug=ANOTHER_PROGRAMME,
        programme_version=stage.town.programmes.get(ANOTHER_PROGRAMME).version,
        enterprise_id=stage.organisation_id,
        status=EnquiryStatus.SHOWN,
        values={"content": "车间联网"},
        created_by=f"person:{stage.owner.id}",
        created_at=stage.town.now,
        shown_at=stage.town.now,
    )
    return int(made.id)


async def _answer(stage: Stage) -> int:
    """What somebody answered an enquiry of the organisation."""
    made = await EnquiryAnswer.create(
        enquiry_id=await _enquiry(stage),
        provider_id=(await make_enterprise()).id,
        offering_id=1,
        offering_version_id=1,
        offering_name="诊断",
        answered_at=stage.town.now,
    )
    return int(made.id)


async def _selection(stage: Stage) -> int:
    made = await SelectionRound.create(
        programme_slug=PROGRAMME,
        year=2026,
        number=int(grab_key(), 16),
        title="服务产品征集",
        opens_at=stage.town.now,
        closes_at=stage.town.now + DAY,
        opened_by=1,
    )
    return int(made.id)


async def _office(stage: Stage) -> int:
    opened = await stage.operator.post(
        "offices", programme=PROGRAMME, role="operator", name="服务中心", phone="0578-2091234"
    )
    assert opened.status == 201, opened.body
    return int(opened.body["id"])


async def _stand_in(stage: Stage) -> int:
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


async def _draw(stage: Stage) -> int:
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


async def _item(stage: Stage) -> int:
    """What was drawn, and is to be looked at."""
    draw_id = await _draw(stage)
    item = await SamplingItem.create(
        draw_id=draw_id, key="00000001", row_id=stage.organisation_id, stratum="00000-0", turn=1
    )
    await SamplingDraw.filter(id=draw_id).update(status=DrawStatus.DRAWN, items=1, drawn=1, open_items=1)
    return int(item.id)


async def _export(stage: Stage) -> int:
    """A list that a member of staff asked for."""
    made = await ExportJob.create(
        number=f"E{int(grab_key(), 16):09d}",
        kind="orders",
        programme_slug=PROGRAMME,
        format=ExportFormat.CSV,
        asked_by=(await Staff.all().first().values("id"))["id"],
        asked_name="",
        asked_at=stage.town.now,
    )
    return int(made.id)


async def _report(stage: Stage) -> int:
    """A report of the programme, as it was delivered."""
    month = int(grab_key(), 16) % 1_000
    period = Period(date(1900 + month // 12 % 100, month % 12 + 1, 1), date(2026, 4, 30))
    clerk = Actor("staff", 1, "", None, frozenset({"operator"}))
    edition = await stage.town.app[REPORTS].make(PROGRAMME, "category_shares", period, actor=clerk)
    return int(edition.id)


def _programme(stage: Stage) -> Programme:
    found: Programme = stage.town.programmes.get(PROGRAMME)
    return found


async def _inspection(stage: Stage) -> int:
    return int((await supervised.an_inspection(_programme(stage), stage.town.now)).id)


async def _visit(stage: Stage) -> int:
    visit = await supervised.a_visit(_programme(stage), stage.town.now, stage.organisation_id)
    return int(visit.id)


async def _rectification(stage: Stage) -> int:
    task = await supervised.a_task(_programme(stage), stage.town.now, stage.organisation_id)
    return int(task.id)


async def _call_list(stage: Stage) -> int:
    return int((await supervised.a_call_list(_programme(stage), stage.town.now)).id)


async def _call(stage: Stage) -> int:
    call = await supervised.a_call(
        _programme(stage), stage.town.now, await _order(stage), stage.organisation_id
    )
    return int(call.id)


async def _anomaly(stage: Stage) -> int:
    provider = await Organisation.get(id=stage.organisation_id)
    return int((await supervised.an_anomaly(_programme(stage), stage.town.now, provider)).id)


async def _operator_audit(stage: Stage) -> int:
    return int((await supervised.an_operator_audit(_programme(stage), stage.town.now)).id)


async def _evaluation(stage: Stage) -> int:
    return int((await supervised.an_evaluation(_programme(stage), stage.town.now)).id)


async def _contract(stage: Stage) -> int:
    return int((await supervised.a_contract(_programme(stage), stage.town.now)).id)


async def _export(stage: Stage) -> int:
    """A list that a member of staff asked for."""
    made = await ExportJob.create(
        number=f"E{int(grab_key(), 16):09d}",
        kind="orders",
        programme_slug=PROGRAMME,
        format=ExportFormat.CSV,
        asked_by=(await Staff.all().first().values("id"))["id"],
        asked_name="",
        asked_at=stage.town.now,
    )
    return int(made.id)


async def _report(stage: Stage) -> int:
    """A report of the programme, as it was delivered."""
    month = int(grab_key(), 16) % 1_000
    period = Period(date(1900 + month // 12 % 100, month % 12 + 1, 1), date(2026, 4, 30))
    clerk = Actor("staff", 1, "", None, frozenset({"operator"}))
    edition = await stage.town.app[REPORTS].make(PROGRAMME, "category_shares", period, actor=clerk)
    return int(edition.id)


async def _sanction(stage: Stage) -> int:
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


async def _recovery(stage: Stage) -> int:
    case = await SanctionCase.get(id=await _sanction(stage))
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
        budget_id=await _budget(stage),
        order_id=1,
        amount_fen=100,
        paid_out_on=stage.town.now.date(),
    )
    return int(claim.id)


async def _proposal(stage: Stage) -> int:
    complaint = await Complaint.get(id=await _complaint(stage))
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


OWNED: Mapping[str, Owned] = {
    "sanction_id": Owned(_sanction, areas=True),
    "proposal_id": Owned(_proposal, areas=True),
    "recovery_id": Owned(_recovery, areas=True),
    "export_id": Owned(_export),
    "report_id": Owned(_report),
    # Draws are published to everybody: what may be done with one is its programme's.
    "draw_id": Owned(_draw, persons=False),
    "item_id": Owned(_item),
    # One's own, whatever the programme: tests/services/test_stand_ins.py.
    "stand_in_id": Owned(_stand_in, persons=False, programmes=False),
    # Rounds are published to everybody, and budgets are no organisation's.
    "round_id": Owned(_round, persons=False),
    "budget_id": Owned(_budget),
    "voucher_id": Owned(_voucher),
    "qualification_id": Owned(_qualification, areas=True),
    "membership_id": Owned(_membership),
    "entry_id": Owned(_ban),
    "message_id": Owned(_message),
    "delivery_id": Owned(_delivery),
    "registration_id": Owned(_registration, areas=True),
    "review_id": Owned(_review, areas=True),
    "objection_id": Owned(_objection, areas=True),
    # Published to everybody; what is done with it is its programme's.
    "notice_id": Owned(_notice, persons=False),
    "draft_id": Owned(_draft, persons=False),
    "upload_id": Owned(_upload),
    "file_id": Owned(_file, areas=True),
    "label_id": Owned(_label),
    "office_id": Owned(_office),
    "offering_id": Owned(_offering, areas=True),
    "order_id": Owned(_order, areas=True),
    "payment_id": Owned(_payment),
    "account_id": Owned(_bank_account, areas=True),
    "batch_id": Owned(_payment_batch),
    "transfer_id": Owned(_transfer),
    "summary_invoice_id": Owned(_summary_invoice),
    "fund_entry_id": Owned(_fund_entry),
    "hand_over_id": Owned(_hand_over),
    "settlement_application_id": Owned(_settlement_application, areas=True),
    "settlement_id": Owned(_settlement, areas=True),
    "rating_id": Owned(_rating),
    "enquiry_id": Owned(_enquiry),
    "complaint_id": Owned(_complaint),
    "accusation_id": Owned(_accusation),
    "attachment_id": Owned(_attachment),
    "answer_id": Owned(_answer),
    # What is solicited is published to everybody who works with it.
    "selection_id": Owned(_selection, persons=False),
    "request_id": Owned(_request),
    "inspection_id": Owned(_inspection),
    "visit_id": Owned(_visit, areas=True),
    "rectification_id": Owned(_rectification, areas=True),
    "call_list_id": Owned(_call_list),
    "call_id": Owned(_call),
    "anomaly_id": Owned(_anomaly, areas=True),
    "operator_audit_id": Owned(_operator_audit),
    "evaluation_id": Owned(_evaluation),
    "contract_id": Owned(_contract),
    # Accounts belong to no programme: whoever administers them administers all.
    "staff_id": Owned(_account, programmes=False),
}
"""How to make what a variable of a path names."""

EVERYBODYS: Mapping[str, str] = {
    "POST /api/v1/enquiries/{enquiry_id}/answers": "What is shown is for every provider to answer.",
}
"""Routes whose object is hidden from nobody, and why."""

UNREACHED: Mapping[str, str] = {
    "GET /api/v1/reviews/{review_id}/form": "Wants a form: tests/services/test_inspection_forms.py.",
    "POST /api/v1/reviews/{review_id}/reveals": "Wants a masked number: "
    "tests/services/test_inspection_forms.py.",
    "POST /api/v1/sanction-proposals/{proposal_id}/dismissal": "Who decides: tests/services/test_sanctions.py.",
    **{
        f"POST /api/v1/sanctions/{{sanction_id}}/{what}": "Who proposed, decides or had no part: "
        "tests/services/test_sanctions.py."
        for what in ("withdrawal", "lifting", "referrals", "appeal/answer")
    },
    **{
        f"{method} /api/v1/exports/{{export_id}}{what}": "One's own alone: tests/services/test_exports.py."
        for method, what in (("GET", ""), ("GET", "/file"), ("POST", "/cancel"))
    },
    "GET /api/v1/reports/{report_id}/rows": "Wants a figure: tests/services/test_reports.py.",
    **{
        f"POST /api/v1/anomalies/{{anomaly_id}}/{what}": "The authority's here: "
        "tests/services/test_anomalies.py."
        for what in ("lifting", "proposal")
    },
    **{
        f"{method} /api/v1/exports/{{export_id}}{what}": "One's own alone: tests/services/test_exports.py."
        for method, what in (("GET", ""), ("GET", "/file"), ("POST", "/cancel"))
    },
    "GET /api/v1/reports/{report_id}/rows": "Wants a figure: tests/services/test_reports.py.",
    "PUT /api/v1/settlement-applications/{settlement_application_id}/orders": "Wants orders of theirs: "
    "tests/services/test_settlements.py.",
    "POST /api/v1/payment-batches/{batch_id}/approval": "The authority's: "
    "tests/services/test_disbursements.py.",
    "POST /api/v1/hand-overs/{hand_over_id}/decision": "The authority's: "
    "tests/services/test_disbursements.py.",
    **{
        f"{method} /api/v1/payment-batches/{{batch_id}}/summary-invoice": "A provider's who is paid in it: "
        "tests/services/test_disbursements.py."
        for method in ("GET", "POST")
    },
    "POST /api/v1/orders/{order_id}/repayments": "The provider's: tests/services/test_paying_steps.py.",
    "POST /api/v1/ratings/{rating_id}/answer": "The provider's to give: tests/handlers/test_ratings.py.",
    "GET /api/v1/qualifications/{qualification_id}/ceilings": "A provider's: "
    "tests/handlers/test_provider_standing.py.",
    "GET /api/v1/objections/{objection_id}/files/{file_id}/content": "Of a notice's objection: "
    "tests/handlers/test_public_notices.py.",
    "GET /api/v1/orders/{order_id}/forms/{form}": "Wants a programme with such a form: "
    "tests/handlers/test_documents.py.",
    **{
        f"POST /api/v1/qualifications/{{qualification_id}}/{what}": "A provider's: "
        "tests/handlers/test_provider_standing.py."
        for what in ("suspension", "suspension/lifting", "ceiling-raises", "removal", "grades")
    },
}
"""Routes whose own object the same request does not reach, and where it is shown that the owner does."""

NO_OBJECT: Mapping[str, str] = {
    "shape": "page",  # In which form a report is read.
    "paper": "contract",  # Which document of an order.
    "form": "offline_review",  # A programme's.
    "slug": PROGRAMME,  # Programmes are public.
    "provider_id": "1",  # So are providers.
    "kind": "labels",  # What kind of list is imported.
    "step": "confirm",  # What is done with an order.
    "document": "authorisation",  # A form that anybody may print.
    "number": "1",  # Of a registration's submissions.
    "place": "1",  # A line of a notice, which everybody reads.
    "receipt": "0" * 20,  # Whoever objected was told it once: a guess reads like one that never was.
    "token": "0" * 22,  # A link's own secret: a guess reads like one that never was.
    "grab_key": "0" * 32,  # The phone's own secret: another's reads like one that never arrived.
}
"""Variables that name nobody's object, with a value to put there."""
