"""Complaining: the verbs on complaints without HTTP, an order to complain of, and everybody around it."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import Any

from server.models.complaints import Complaint
from server.models.orders import Order
from server.models.organisations import Membership, Organisation
from server.models.people import Person, Staff
from server.programme.complaints import load_complaint_defaults
from server.rules.complaints import Channel, Finding, SubjectKind
from server.services.access import Actor
from server.services.complaints.complaint_office import ComplaintOffice
from server.services.complaints.complaints import Filing
from tests.contracting import SEALER, Desk
from tests.factories import make_enterprise
from tests.ordering import make_order

LISHUI = "lishui-2024"
DEFAULTS = load_complaint_defaults(Path("config/complaints.toml"))
_numbers = count(1)


class Hall(Desk):
    """The desk of orders, and the one beside it where people complain."""

    def __init__(self) -> None:
        super().__init__()
        office = ComplaintOffice(
            self.programmes,
            self.clocks,
            self.working_days,
            defaults=DEFAULTS,
            sealer=SEALER,
            evidence=self.evidence,
        )
        self.book, self.complaints, self.complaint_desk = office.book, office.complaints, office.desk
        self.handling, self.complaint_clock = office.handling, office.clock
        self.accusations = office.accusations

    async def taken(self, complaint: Complaint, *roles: str) -> Actor:
        """Somebody of the rung has taken a case on."""
        actor = await self.staff(*(roles or (complaint.turn.value,)))
        await self.complaint_desk.claim(complaint.id, actor=actor)
        return actor

    async def answered(
        self, complaint: Complaint, *, finding: Finding = Finding.UNSUBSTANTIATED, serious: bool = False
    ) -> Actor:
        """Taken on, looked into and answered."""
        actor = await self.taken(complaint)
        await self.handling.find(complaint.id, finding, "已核对合同和记录。", serious=serious, actor=actor)
        await self.handling.answer(complaint.id, "答复如下。", actor=actor)
        return actor

    async def file(self, **others: Any) -> Complaint:
        """A complaint by the chat about one programme in general, but for what ``others`` say."""
        known: dict[str, Any] = {
            "channel": Channel.CHAT,
            "subject": SubjectKind.OTHER,
            "subject_id": None,
            "programme_slug": LISHUI,
            "happened": "服务没有做完，却要求我们确认验收。",
            "since": None,
            "wanted": "请督促完成服务",
            "file_ids": (),
            "anonymous": False,
            "name": "",
            "contact": "",
            "person_id": None,
            "sender_id": None,
        }
        slug = {**known, **others}["programme_slug"] or LISHUI
        return await self.complaints.file(Filing(**{**known, **others}), now=self.clocks.now(slug))

    async def order(self, slug: str = LISHUI, **others: Any) -> Order:
        """An order between two organisations that nobody else has."""
        sides = [await make_enterprise(), await make_enterprise()]
        return await make_order(self.programme(slug), *sides, at=self.clocks.now(slug), **others)

    async def handler_of(self, organisation_id: int, **others: Any) -> Person:
        """Somebody who acts for an organisation."""
        known = {"account": f"complaining-{next(_numbers)}", "created_at": self.now, **others}
        person = await Person.create(**known)
        await Membership.create(
            person_id=person.id,
            organisation_id=organisation_id,
            role="handler",
            created_at=self.now,
        )
        return person

    async def staff(self, *roles: str, programmes: tuple[str, ...] = ()) -> Actor:
        """A member of staff, as the doors know them."""
        row = await Staff.create(
            username=f"complaining{next(_numbers)}",
            password_hash="",
            display_name="工作人员",
            roles=list(roles),
            programmes=list(programmes),
            created_at=self.now,
        )
        return Actor("staff", row.id, "", None, frozenset(roles), frozenset(programmes))


async def name_of(organisation_id: int) -> str:
    """What an organisation is called."""
    return (await Organisation.get(id=organisation_id)).name
