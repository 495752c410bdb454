"""How to make what belongs to somebody: organisations, vouchers, forms, offerings, orders, complaints."""

from __future__ import annotations

from server.keys import RATINGS
from server.models.complaints import Complainant, Complaint
from server.models.deliveries import Delivery, DeliveryState
from server.models.enquiries import Enquiry, EnquiryAnswer
from server.models.files import FileAttachment
from server.models.inbox import InboxMessage
from server.models.offerings import Offering, OfferingVersion, SelectionRound
from server.models.organisations import Membership, Organisation, Qualification
from server.models.people import Staff
from server.models.public_notices import PublicNotice
from server.models.ratings import Rating
from server.models.registrations import Registration
from server.models.reviews import ReviewCase, ReviewObjection
from server.models.rounds import Budget
from server.models.voucher_requests import VoucherRequest
from server.rules.enquiries import EnquiryStatus
from server.rules.ratings import Said
from server.rules.request_line import RequestStatus
from server.services import outbox
from server.services.access import Actor
from tests.factories import make_enterprise
from tests.hostile.seeds import paper
from tests.ordering import make_order
from tests.ownership_stage import ANOTHER_PROGRAMME, Stage
from tests.town import DAY, PROGRAMME, grab_key, uscc


async def budget(stage: Stage) -> int:
    await stage.town.open_round(stage.operator, pool_yuan=20_000)
    return int((await Budget.get(programme_slug=PROGRAMME)).id)


async def round(stage: Stage) -> int:
    return await stage.town.open_round(stage.operator, pool_yuan=20_000)


async def voucher(stage: Stage) -> int:
    decided = await stage.town.grant(await round(stage), stage.owner, stage.organisation_id)
    assert decided.voucher is not None, decided
    return decided.voucher.id


async def qualification(stage: Stage) -> int:
    return int((await Qualification.get(organisation_id=stage.organisation_id)).id)


async def membership(stage: Stage) -> int:
    colleague = await stage.town.joined(stage.owner, "staff")
    return int((await Membership.get(person_id=colleague.id)).id)


async def ban(stage: Stage) -> int:
    barred = await stage.operator.post(
        "blocklist",
        list_name="失信惩戒名单",
        uscc=uscc(int(grab_key(), 16) + 5_000_000),
        programme=PROGRAMME,
        clause="五(五)",
        reason="提供虚假材料",
        starts_at=stage.town.now.isoformat(),
        ends_at=None,
    )
    assert barred.status == 201, barred.body
    return int(barred.body["id"])


async def message(stage: Stage) -> int:
    await voucher(stage)
    await outbox.deliver(stage.town.now)
    told = (
        await InboxMessage.filter(recipient=f"organisation:{stage.organisation_id}").order_by("-id").first()
    )
    assert told is not None
    return int(told.id)


async def delivery(stage: Stage) -> int:
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


async def account(stage: Stage) -> int:
    await stage.town.staff("expert")
    newest = await Staff.all().order_by("-id").first()
    assert newest is not None
    return int(newest.id)


async def registration(stage: Stage) -> int:
    return int((await Registration.get(organisation_id=stage.organisation_id)).id)


async def review(stage: Stage) -> int:
    return int((await ReviewCase.get(organisation_id=stage.organisation_id)).id)


async def objection(stage: Stage) -> int:
    case_id = await review(stage)
    made = await ReviewObjection.create(
        case_id=case_id, made_by="anonymous", reason="材料不实", made_at=stage.town.now
    )
    return int(made.id)


async def notice(stage: Stage, *, status: str = "standing") -> int:
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


async def draft(stage: Stage) -> int:
    return await notice(stage, status="draft")


async def upload(stage: Stage, content: bytes = b"%PDF") -> str:
    begun = await stage.owner.post(
        "uploads", programme=PROGRAMME, kind="licence", name="营业执照.pdf", size_bytes=len(content)
    )
    assert begun.status == 201, begun.body
    return str(begun.body["id"])


async def file(stage: Stage) -> int:
    """A file that was handed in with the registration."""
    begun = await upload(stage, paper())
    await stage.owner.send(f"uploads/{begun}/parts", paper())
    taken = await stage.owner.post(f"uploads/{begun}/completion")
    assert taken.status == 201, taken.body
    await FileAttachment.create(
        file_id=taken.body["id"],
        subject=f"registration:{await registration(stage)}",
        document_code="licence",
        programme_slug=PROGRAMME,
        attached_at=stage.town.now,
    )
    return int(taken.body["id"])


async def label(stage: Stage) -> int:
    code = stage.town.programmes.get(PROGRAMME).labels[0].code
    entered = await stage.operator.post(
        "labels", programme=PROGRAMME, code=code, uscc=uscc(int(grab_key(), 16) + 6_000_000), list_name="名单"
    )
    assert entered.status == 201, entered.body
    return int(entered.body["id"])


async def request(stage: Stage) -> int:
    made = await VoucherRequest.create(
        round_id=await round(stage),
        order_id=await order(stage),
        enterprise_id=stage.organisation_id,
        status=RequestStatus.APPROVED,
        requested_at=stage.town.now,
        labels=[],
        expected_fen=100,
    )
    return int(made.id)


async def offering(stage: Stage) -> int:
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


async def order(stage: Stage) -> int:
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


async def rating(stage: Stage) -> int:
    return int((await Rating.get(order_id=await order(stage))).id)


async def complaint(stage: Stage) -> int:
    """A complaint of the organisation's handler about the programme in general."""
    filed = await stage.owner.post(
        "complaints", subject="other", programme=PROGRAMME, happened="迟迟不办理。", anonymous=True
    )
    assert filed.status == 201, filed.body
    return int(filed.body["id"])


async def accusation(stage: Stage) -> int:
    """A complaint against the organisation, which was asked for its account."""
    complaint_id = await complaint(stage)
    await Complaint.filter(id=complaint_id).update(accused_id=stage.organisation_id)
    await Complainant.filter(complaint_id=complaint_id).update(person_id=None)
    for kind, extra in (("claim", {}), ("messages", {"kind": "request", "words": "请说明情况。"})):
        done = await stage.operator.post(f"complaint-desk/{complaint_id}/{kind}", **extra)
        assert done.status == 200, done.body
    return complaint_id


async def attachment(stage: Stage) -> int:
    """A scan that its complainant handed in."""
    begun = await upload(stage, paper())
    await stage.owner.send(f"uploads/{begun}/parts", paper())
    taken = await stage.owner.post(f"uploads/{begun}/completion")
    assert taken.status == 201, taken.body
    filed = await stage.owner.post(
        f"complaints/{await complaint(stage)}/supplements", words="见附件。", file_ids=[taken.body["id"]]
    )
    return int(filed.body["entries"][-1]["attachments"][0]["id"])


async def enquiry(stage: Stage) -> int:
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


async def answer(stage: Stage) -> int:
    """What somebody answered an enquiry of the organisation."""
    made = await EnquiryAnswer.create(
        enquiry_id=await enquiry(stage),
        provider_id=(await make_enterprise()).id,
        offering_id=1,
        offering_version_id=1,
        offering_name="诊断",
        answered_at=stage.town.now,
    )
    return int(made.id)


async def selection(stage: Stage) -> int:
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


async def office(stage: Stage) -> int:
    opened = await stage.operator.post(
        "offices", programme=PROGRAMME, role="operator", name="服务中心", phone="0578-2091234"
    )
    assert opened.status == 201, opened.body
    return int(opened.body["id"])
