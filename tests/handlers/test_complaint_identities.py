"""Whoever complains without a name stays unknown: to every answer, log line, journal, message and row.

Everything by which they could be told stands in one table. Afterwards every route that only reads is asked,
by everybody who might want to know, about everything there is.
"""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from server.keys import COMPLAINTS, SEALER
from server.models.complaints import Complainant, Complaint
from server.models.deliveries import Delivery, DeliveryState
from server.models.files import StoredFile
from server.models.inbox import InboxMessage
from server.models.organisations import Membership
from server.models.people import Person
from server.programme.papers import DocumentKind
from server.rules.complaints import Channel, SubjectKind
from server.services import outbox
from server.services.complaints.complaints import Filing
from tests import paperwork
from tests.ordering import make_order, organisation_of, two_sides
from tests.town import PROGRAMME, Answered, Caller, Town, a_town
from tools import permissions

PERSON_ID, SENDER_ID = 7_700_042, 8_800_017
NAME, PHONE, OPENID = "欧阳小红", "13976543210", "oQz_never_to_be_seen"
NEEDLES = (str(PERSON_ID), str(SENDER_ID), NAME, PHONE, OPENID)
TABLES = (
    "complaint",
    "complaint_entry",
    "complaint_file",
    "order_hold",
    "sanction_proposal",
    "journal_entry",
    "outbox_message",
    "inbox_message",
)
THEIRS = {f"person:{PERSON_ID}", f"sender:{SENDER_ID}"}


@pytest.fixture
async def town(sqlite_url: str, redis_url: str) -> AsyncIterator[Town]:
    """Who reads what does not depend on the kind of database."""
    async with a_town(sqlite_url, redis_url) as town:
        yield town


@dataclass
class Affair:
    """An order, somebody who complains of it without a name, and whoever might want to know who that is."""

    town: Town
    whistle: Caller
    provider: Caller
    order_id: int
    file_id: int
    enterprise: Caller
    """Who is in charge where the complainant works."""

    @classmethod
    async def begun(cls, town: Town) -> Affair:
        enterprise, provider = await two_sides(town, PROGRAMME)
        programme = town.programmes.get(PROGRAMME)
        buyer, seller = await organisation_of(enterprise), await organisation_of(provider)
        order = await make_order(programme, buyer, seller, at=town.now)
        seal = town.app[SEALER].seal
        person = await Person.create(
            id=PERSON_ID,
            account=town.app[SEALER].blind(OPENID),
            openid_sealed=seal(OPENID),
            name=NAME,
            phone_sealed=seal(PHONE),
            created_at=town.now,
        )
        await Membership.create(
            person_id=person.id, organisation_id=buyer.id, role="staff", created_at=town.now
        )
        picture = await paperwork.a_file(buyer.id, DocumentKind.OTHER, PROGRAMME, town.now)
        kept = {
            name: getattr(picture, name)
            for name in picture._meta.db_fields
            if name not in {"id", "uploaded_by", "name"}
        }
        scan = await StoredFile.create(**kept, uploaded_by=person_name(person), name=f"{NAME}手写.pdf")
        return cls(town, await town.signed_in(person), provider, order.id, scan.id, enterprise)

    async def complain(self, **others: Any) -> int:
        filed = await self.whistle.post(
            "complaints",
            **{
                "subject": "order",
                "subject_id": self.order_id,
                "happened": "服务没有做完，却要求我们确认验收。",
                "anonymous": True,
                "name": NAME,
                "contact": PHONE,
                "warning_read": True,
                "file_ids": [self.file_id],
                **others,
            },
        )
        assert filed.status == 201, filed.body
        return int(filed.body["id"])


def person_name(person: Person) -> str:
    return f"person:{person.id}"


async def ok(asked: Any) -> Answered:
    answered: Answered = await asked
    assert answered.status in (200, 201), answered.body
    return answered


@pytest.mark.rules("LS-83")
async def test_nothing_tells_anybody_who_complained(town: Town, written: io.StringIO) -> None:
    affair = await Affair.begun(town)
    told = await affair.whistle.post(
        "complaints", subject="order", subject_id=affair.order_id, happened="……", anonymous=True
    )
    assert told.code == "complaint_reveal_unread"
    assert "推知" in told.body["detail"]
    first = await affair.complain()
    await affair.complain(subject="official", subject_id=None, programme=PROGRAMME, file_ids=[])
    filing = Filing(
        channel=Channel.CHAT,
        subject=SubjectKind.OTHER,
        subject_id=None,
        programme_slug=PROGRAMME,
        happened="聊天里的投诉。",
        since=None,
        wanted="",
        file_ids=(),
        anonymous=True,
        name=NAME,
        contact=PHONE,
        person_id=None,
        sender_id=SENDER_ID,
    )
    await town.app[COMPLAINTS].complaints.submit(filing)
    operator, oversight = await town.operator(), await town.staff("oversight_body")
    desk = f"complaint-desk/{first}"
    await ok(operator.post(f"{desk}/claim"))
    hers = await operator.get(f"{desk}/complainant?why=%E6%A0%B8%E5%AE%9E")
    assert hers.code == "complainant_unnamed"
    named = await operator.post(f"{desk}/messages", kind="request", words=f"{NAME}投诉贵单位。")
    assert named.code == "complainant_revealed"
    await ok(operator.post(f"{desk}/messages", kind="request", words="请说明交付情况。"))
    await ok(affair.provider.post(f"accusations/{first}/statements", words="已经交付。"))
    await ok(operator.post(f"{desk}/finding", finding="substantiated", reasons="属实。", serious=True))
    await ok(operator.post(f"{desk}/answer", words="已要求整改。"))
    await ok(affair.whistle.post(f"complaints/{first}/reopening", reason="仍未整改。", mailbox=True))
    await ok(oversight.post(f"{desk}/claim"))
    await town.run_jobs()
    await outbox.deliver(datetime.now(UTC))

    # What could not be sent to them is listed, and not whose it was.
    await Delivery.create(
        addressee=f"person:{PERSON_ID}",
        topic="complaint.filed",
        state=DeliveryState.DEAD,
        error="faulty",
        next_at=town.now,
        created_at=town.now,
    )
    dead = await ok(operator.get("staff/dead-letters"))
    assert [one["addressee"] for one in dead.body["dead_letters"]] == ["complainant"]

    heard = await _everybody_asks(affair, {"operator": operator, "oversight": oversight})
    assert len(heard) > 250
    assert [line for line in heard if _seen(line)] == []
    assert not _seen(written.getvalue())
    assert {table: rows for table in TABLES if (rows := await _told_in(table))} == {}
    # The controls: the words are read by who may, the complainant is reached, and the needles are known.
    mine = await ok(affair.whistle.get(f"complaints/{first}"))
    assert mine.body["happened"].startswith("服务没有做完")
    assert (await operator.get(desk)).status == 404
    assert (await ok(oversight.get(desk))).body["happened"].startswith("服务没有做完")
    whose = await Complainant.all().order_by("id")
    assert [(one.person_id, one.sender_id) for one in whose] == [
        (PERSON_ID, None),
        (PERSON_ID, None),
        (None, SENDER_ID),
    ]
    assert {one.name_sealed + one.contact_sealed for one in whose} == {""}
    assert {row.recipient for row in await InboxMessage.filter(recipient__in=THEIRS)} == THEIRS


async def test_a_named_complainant_is_read_by_whoever_has_it_in_hand_and_that_is_kept(town: Town) -> None:
    affair = await Affair.begun(town)
    case = await affair.complain(anonymous=False)
    row = await Complainant.get(complaint_id=case)
    assert NAME not in row.name_sealed and row.name_sealed and PHONE not in row.contact_sealed
    operator, colleague = await town.operator(), await town.operator()
    await ok(operator.post(f"complaint-desk/{case}/claim"))
    path = f"complaint-desk/{case}/complainant"
    assert (await colleague.get(f"{path}?why=x")).code == "complaint_not_in_your_hand"
    assert (await operator.get(path)).code == "complainant_reason_missing"
    read = await ok(operator.get(f"{path}?why=x"))
    assert (read.body["name"], read.body["contact"]) == (NAME, PHONE)
    attached = (await operator.get(f"complaint-desk/{case}")).body["entries"][0]["attachments"][0]["id"]
    assert (await operator.get(f"complaint-attachments/{attached}/content")).code == "view_reason_missing"
    assert (await affair.provider.get(f"complaint-attachments/{attached}/content")).status == 404
    assert (await operator.get(f"files/{affair.file_id}")).status == 404
    # What the accused side hands in, its complainant does not see either.
    await ok(operator.post(f"complaint-desk/{case}/messages", kind="request", words="请说明。"))
    seller = await organisation_of(affair.provider)
    proof = await paperwork.a_file(seller.id, DocumentKind.OTHER, PROGRAMME, town.now)
    said = await ok(
        affair.provider.post(f"accusations/{case}/statements", words="见附件。", file_ids=[proof.id])
    )
    theirs = said.body["entries"][-1]["attachments"][0]["id"]
    assert (await affair.whistle.get(f"complaint-attachments/{theirs}/content")).status == 404
    assert (await affair.provider.get(f"complaint-attachments/{theirs}/content")).status != 404
    kinds = [entry["kind"] for entry in (await ok(affair.whistle.get(f"complaints/{case}"))).body["entries"]]
    assert kinds == ["filed", "received"]


async def test_nobody_of_the_same_organisation_finds_what_was_handed_in(town: Town) -> None:
    affair = await Affair.begun(town)
    buyer = (await StoredFile.get(id=affair.file_id)).organisation_id
    colleague = await Person.create(account="colleague", created_at=town.now)
    await Membership.create(person_id=colleague.id, organisation_id=buyer, role="staff", created_at=town.now)
    other = await town.signed_in(colleague)
    seen = [one["id"] for one in (await ok(other.get("files"))).body["files"]]
    assert affair.file_id in seen
    await affair.complain(subject="provider", subject_id=(await organisation_of(affair.provider)).id)
    hidden = [one["id"] for one in (await ok(other.get("files"))).body["files"]]
    assert hidden == [one for one in seen if one != affair.file_id]
    assert (await other.get(f"files/{affair.file_id}")).status == 404
    # Nor is it copied into a paper of one's own, or told by refusing to throw it away.
    plain = await paperwork.a_file(buyer, DocumentKind.OTHER, PROGRAMME, town.now)
    copy = {"name": "合并.pdf", "programme": PROGRAMME, "kind": "other"}
    merged = await other.post("files/merges", file_ids=[plain.id, affair.file_id], **copy)
    assert merged.code == "files_unknown"
    training = {"programme": PROGRAMME, "kind": "training", "held_on": "2026-05-18", "what": "培训"}
    attached = await affair.enterprise.post(
        "organisations/mine/activities", files=[affair.file_id], **training
    )
    assert attached.code == "files_unknown"
    assert (await other.delete(f"files/{affair.file_id}")).code == "not_found"
    assert (await affair.whistle.delete(f"files/{affair.file_id}")).code == "file_in_use"
    assert (await affair.whistle.get(f"files/{affair.file_id}")).status == 200


async def test_an_accused_side_gets_at_no_paper_of_its_own_people_by_handing_it_in(town: Town) -> None:
    affair = await Affair.begun(town)
    accused = (await StoredFile.get(id=affair.file_id)).organisation_id
    case = await affair.complain(subject="other", subject_id=None, programme=PROGRAMME)
    # The enterprise whose employee complains without a name is the accused one.
    await Complaint.filter(id=case).update(accused_id=accused)
    operator = await town.operator()
    await ok(operator.post(f"complaint-desk/{case}/claim"))
    await ok(operator.post(f"complaint-desk/{case}/messages", kind="request", words="请说明。"))
    said = await affair.enterprise.post(
        f"accusations/{case}/statements", words="见附件。", file_ids=[affair.file_id]
    )
    assert said.code == "files_unknown"


async def _everybody_asks(affair: Affair, staff: dict[str, Caller]) -> list[str]:
    """Every route that only reads, by everybody but the complainant: what each was told."""
    town = affair.town
    people = {
        **staff,
        "provider": affair.provider,
        "stranger": await town.person(),
        "anybody": town.anybody,
        "authority": await town.staff("authority"),
        "auditor": await town.staff("auditor"),
    }
    ids = [str(row.id) for row in await Complaint.all()]
    known: dict[str, list[str]] = {
        "complaint_id": ids,
        "accusation_id": ids,
        "attachment_id": ["1", "2"],
        "order_id": [str(affair.order_id)],
        "file_id": [str(affair.file_id)],
        "message_id": [str(row.id) for row in await InboxMessage.all()],
        "slug": [PROGRAMME],
        "provider_id": [str((await organisation_of(affair.provider)).id)],
    }
    heard = []
    for route in (one for one in permissions.declared() if one.method == "GET"):
        variables = list(route.path_model.model_fields) if route.path_model else []
        if not set(variables) <= known.keys():
            continue
        places = [route.path]
        for name in variables:
            places = [place.replace(f"{{{name}}}", one) for place in places for one in known[name]]
        model = route.query_model
        query = f"?programme={PROGRAMME}" if model and "programme" in model.model_fields else ""
        query = "?why=look" if model and "why" in model.model_fields else query
        public = route.access.is_public
        for title, caller in people.items():
            # What is public is told to everybody alike, and nothing else to nobody.
            for place in places if public is (title == "anybody") else ():
                status, _, content = await caller.download(place + query)
                assert status < 500 or place.endswith("/content"), place
                heard.append(f"GET {place} as {title}: {content.decode('utf-8', 'replace')}")
    return heard


async def _told_in(table: str) -> list[str]:
    """The rows of a table that tell who complained, but for messages to, and deeds on, themselves."""
    rows = await Person._meta.db.execute_query_dict(f'SELECT * FROM "{table}"')
    assert rows, table
    others = [row for row in rows if not THEIRS & {row.get("recipient"), row.get("subject")}]
    return [str(dict(row)) for row in others if _seen(str(dict(row)))]


def _seen(text: str) -> bool:
    return any(needle in text for needle in NEEDLES)
