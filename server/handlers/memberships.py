"""Memberships over HTTP: inviting colleagues, joining, leaving."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, person
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Id, Path
from server.keys import HANDOVERS, MEMBERSHIPS
from server.models.organisations import Handover, MemberRole
from server.rules.uscc import UsccInvalid
from server.services import access
from server.services.access import Actor, NoOrganisation, NotAllowed, NotFound
from server.services.accounts import people
from server.services.admissions import handovers
from server.services.admissions.handovers import NotACandidate, RepresentativeUnproven, TooManyProofs
from server.services.allowances import TooManyToday
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.organisations import memberships
from server.services.organisations.memberships import (
    AlreadyMember,
    HandlerTaken,
    InvitationUnusable,
    LastInCharge,
    LegalRepresentativeTaken,
)

routes = Routes("memberships")

REPRESENTATIVE = person(MemberRole.LEGAL_REPRESENTATIVE)

ROLE = "legal_representative, handler or staff. | 法定代表人、经办人或员工。"


class Invite(Body):
    """A place to offer."""

    role: MemberRole = Field(description=ROLE)


class InvitationView(Answer):
    """An invitation; its code is shown this once."""

    id: int = Field(description="The invitation. | 邀请编号。")
    role: MemberRole = Field(description=ROLE)
    code: str = Field(
        description="One-time code for the colleague. | 一次性邀请码，只显示这一次。",
        examples=["7GQK-2M4T-XW9B-0HRC"],
    )
    expires_at: AwareDatetime = Field(description="Good until then. | 有效期至。")


class Join(Body):
    """A code from a colleague."""

    code: str = Field(
        min_length=16,
        max_length=40,
        description="The code of an invitation. | 邀请码。",
        examples=["7GQK-2M4T-XW9B-0HRC"],
    )


class Joined(Answer):
    """The place just taken."""

    id: int = Field(description="The membership. | 成员编号。")
    organisation_id: int = Field(description="The organisation. | 企业编号。")
    role: MemberRole = Field(description=ROLE)


class Member(Answer):
    """Somebody who acts for the organisation."""

    id: int = Field(description="The membership. | 成员编号。")
    name: str = Field(description="Name, empty if not given yet. | 姓名，未填写则为空。")
    role: MemberRole = Field(description=ROLE)
    since: AwareDatetime = Field(description="Since when. | 加入时间。")
    is_me: bool = Field(description="It is whoever asks. | 是否本人。")


class Members(Answer):
    """Everybody who acts for the organisation, oldest first."""

    members: list[Member] = Field(description="The members. | 成员列表。")


class HandOver(Body):
    """Who becomes the handler, on which letter."""

    membership_id: Id = Field(description="The colleague, who has joined as staff. | 新经办人的成员编号。")
    letter: Id = Field(description="My file with the new authorisation. | 新授权书的文件编号。")


class HandoverView(Answer):
    """One handler followed another."""

    id: int = Field(description="The handover. | 交接编号。")
    from_name: str | None = Field(description="Who was it before; null: nobody. | 原经办人，无则为空。")
    to_name: str = Field(description="Who is it since. | 新经办人。")
    letter: int = Field(description="The authorisation. | 授权书文件编号。")
    made_at: AwareDatetime = Field(description="When. | 交接时间。")


class HandedOver(HandoverView):
    """A handover just made."""


class HandoversView(Answer):
    """Every handover of my organisation, newest first."""

    handovers: list[HandoverView] = Field(description="The handovers. | 交接记录。")


class Represent(Body):
    """Who the legal representative is, as the organisation declared it."""

    uscc: str = Field(
        max_length=40,
        description="Unified Social Credit Code. | 统一社会信用代码。",
        examples=["91110000600037341L"],
    )
    name: str = Field(min_length=1, max_length=64, description="Name. | 姓名。", examples=["李明"])
    id_number: str = Field(min_length=18, max_length=40, description="Identity number. | 身份证号码。")


class MembershipPath(Path):
    """A membership."""

    membership_id: Id = Field(description="The membership. | 成员编号。")


@routes.post(
    "/api/v1/invitations",
    summary="Invite a colleague into my organisation. | 邀请同事加入企业。",
    access=IN_CHARGE,
    answers={201: InvitationView},
    refusals=(TooManyToday,),
)
async def invite(request: web.Request, actor: Actor, body: Invite) -> InvitationView:
    invitation, code = await request.app[MEMBERSHIPS].invite(body.role, actor=actor)
    return InvitationView(id=invitation.id, role=invitation.role, code=code, expires_at=invitation.expires_at)


@routes.post(
    "/api/v1/memberships",
    summary="Join an organisation with an invitation. | 凭邀请码加入企业。",
    access=PERSON,
    answers={201: Joined},
    refusals=(InvitationUnusable, AlreadyMember, HandlerTaken, LegalRepresentativeTaken),
)
async def join(request: web.Request, actor: Actor, body: Join) -> Joined:
    membership = await request.app[MEMBERSHIPS].join(body.code, actor=actor)
    return Joined(id=membership.id, organisation_id=membership.organisation_id, role=membership.role)


@routes.get(
    "/api/v1/memberships",
    summary="Who acts for my organisation? | 本企业成员。",
    access=PERSON,
    answers={200: Members},
    refusals=(NoOrganisation,),
)
async def colleagues(request: web.Request, actor: Actor) -> Members:
    rows = await memberships.members(access.organisation_id_of(actor))
    return Members(
        members=[
            Member(
                id=row.id,
                name=row.person.name,
                role=row.role,
                since=row.created_at,
                is_me=row.person_id == actor.id,
            )
            for row in rows
        ]
    )


@routes.delete(
    "/api/v1/memberships/{membership_id}",
    summary="End a colleague's place, or my own. | 解除成员，或本人退出。",
    access=PERSON,
    answers={204: None},
    refusals=(NotAllowed, LastInCharge),
)
async def end(request: web.Request, actor: Actor, path: MembershipPath) -> None:
    await request.app[MEMBERSHIPS].end(path.membership_id, actor=actor)


@routes.post(
    "/api/v1/handovers",
    summary="Make a colleague the handler; the old one is out at once. | 更换经办人，原经办人即退出。",
    access=REPRESENTATIVE,
    answers={201: HandedOver},
    refusals=(NotFound, FilesUnknown, FileUnacceptable, NotACandidate),
)
async def hand_over(request: web.Request, actor: Actor, body: HandOver) -> HandedOver:
    made = await request.app[HANDOVERS].hand_over(body.membership_id, body.letter, actor=actor)
    names = await people.names([made.from_person, made.to_person])
    return HandedOver(**_handover(made, names))


@routes.get(
    "/api/v1/handovers",
    summary="Who followed whom as handler. | 经办人交接记录。",
    access=PERSON,
    answers={200: HandoversView},
    refusals=(NoOrganisation,),
)
async def handover_history(request: web.Request, actor: Actor) -> HandoversView:
    rows = await handovers.history(access.organisation_id_of(actor))
    names = await people.names([one for row in rows for one in (row.from_person, row.to_person)])
    return HandoversView(handovers=[HandoverView(**_handover(row, names)) for row in rows])


@routes.post(
    "/api/v1/memberships/representative",
    summary="Join as the declared legal representative. | 法定代表人凭身份信息加入企业。",
    access=PERSON,
    answers={201: Joined},
    refusals=(
        UsccInvalid,
        RepresentativeUnproven,
        TooManyProofs,
        AlreadyMember,
        LegalRepresentativeTaken,
    ),
)
async def represent(request: web.Request, actor: Actor, body: Represent) -> Joined:
    membership = await request.app[HANDOVERS].represent(body.uscc, body.name, body.id_number, actor=actor)
    return Joined(id=membership.id, organisation_id=membership.organisation_id, role=membership.role)


def _handover(row: Handover, names: Mapping[int, str]) -> dict[str, Any]:
    return {
        "id": row.id,
        "from_name": None if row.from_person is None else names[row.from_person],
        "to_name": names[row.to_person],
        "letter": row.letter,
        "made_at": row.made_at,
    }
