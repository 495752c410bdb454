"""Memberships over HTTP: inviting colleagues, joining, leaving."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import Body, Id, Path
from server.keys import MEMBERSHIPS
from server.models.organisations import MemberRole
from server.services import access, memberships
from server.services.access import Actor, NoOrganisation, NotAllowed
from server.services.memberships import (
    AlreadyMember,
    HandlerTaken,
    InvitationUnusable,
    LastInCharge,
    LegalRepresentativeTaken,
)

routes = Routes("memberships")

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


class MembershipPath(Path):
    """A membership."""

    membership_id: Id = Field(description="The membership. | 成员编号。")


@routes.post(
    "/api/v1/invitations",
    summary="Invite a colleague into my organisation. | 邀请同事加入企业。",
    access=IN_CHARGE,
    answers={201: InvitationView},
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
