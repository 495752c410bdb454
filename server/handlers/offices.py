"""Offices over HTTP: the help centre of a programme, and who keeps it."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import PUBLIC, Answer, Routes, staff
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import CLOCKS, PROGRAMMES
from server.models.offices import Office
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Actor as ProgrammeActor
from server.rules.uscc import UsccInvalid
from server.services.access import Actor, NotFound, StaffRole
from server.services.programmes import offices

routes = Routes("offices")

KEEPERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY)
Text = Annotated[str, Field(max_length=120)]

PROGRAMME = "The programme's slug. | 项目代码。"
ROLE = "Its role in the programme. | 在项目中的角色。"
NAME = "What it is called. | 单位名称。"
AREA = "The area it is there for, empty: all. | 服务区域，空为全部。"
LEVEL = "The level it is there for, in the text's words. | 对应级别。"
PHONE = "Public telephone. | 公开电话。"
EMAIL = "Public e-mail. | 公开邮箱。"
ADDRESS = "Address. | 地址。"


class OfficeView(Answer):
    """An office to turn to."""

    id: int = Field(description="The office. | 机构编号。")
    name: str = Field(description=NAME)
    area: str = Field(description=AREA)
    level: str = Field(description=LEVEL)
    phone: str = Field(description=PHONE)
    email: str = Field(description=EMAIL)
    address: str = Field(description=ADDRESS)


class Opened(OfficeView):
    """An office just entered."""


class DutyView(Answer):
    """A role of the programme and who holds it."""

    role: ProgrammeActor = Field(description=ROLE)
    name: str = Field(description="Who has it by the text. | 办法载明的单位。")
    duties: list[str] = Field(description="What for. | 职责。")
    offices: list[OfficeView] = Field(description="Whom to turn to. | 联系方式。")


class HelpView(Answer):
    """The help centre of a programme."""

    programme: str = Field(description=PROGRAMME)
    roles: list[DutyView] = Field(description="Every role. | 各单位。")


class HelpQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class OpenOffice(Body):
    """An office and how to reach it."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    role: ProgrammeActor = Field(description=ROLE)
    name: str = Field(min_length=2, max_length=200, description=NAME, examples=["某区服务窗口"])
    uscc: str = Field(
        default="",
        max_length=40,
        description="Which organisation it is; an operator cannot be a provider. "
        "| 统一社会信用代码；运营单位不得作为服务机构。",
    )
    area: Annotated[str, Field(max_length=64)] = Field(default="", description=AREA)
    level: Annotated[str, Field(max_length=64)] = Field(default="", description=LEVEL)
    phone: Annotated[str, Field(max_length=64)] = Field(default="", description=PHONE)
    email: Text = Field(default="", description=EMAIL)
    address: Annotated[str, Field(max_length=200)] = Field(default="", description=ADDRESS)


class OfficePath(Path):
    """An office."""

    office_id: Id = Field(description="The office. | 机构编号。")


@routes.get(
    "/api/v1/help",
    summary="Whom to turn to in a programme. | 帮助中心：各单位联系方式。",
    access=PUBLIC,
    answers={200: HelpView},
    refusals=(UnknownProgramme,),
)
async def help_centre(request: web.Request, query: HelpQuery) -> HelpView:
    programme = request.app[PROGRAMMES].get(query.programme)
    return HelpView(
        programme=programme.slug,
        roles=[
            DutyView(
                role=one.role.actor,
                name=one.role.name,
                duties=list(one.role.duties),
                offices=[office_view(office) for office in one.offices],
            )
            for one in await offices.of_programme(programme)
        ],
    )


@routes.post(
    "/api/v1/offices",
    summary="Enter an office of a programme. | 登记联系单位。",
    access=KEEPERS,
    answers={201: Opened},
    refusals=(UnknownProgramme, UsccInvalid, NotFound),
)
async def open_office(request: web.Request, actor: Actor, body: OpenOffice) -> Opened:
    office = await offices.open_office(
        request.app[PROGRAMMES].get(body.programme),
        body.role,
        body.model_dump(exclude={"programme", "role"}),
        actor=actor,
        now=request.app[CLOCKS].now(body.programme),
    )
    return Opened(**_shown(office))


@routes.delete(
    "/api/v1/offices/{office_id}",
    summary="Take an office out of the list. | 撤下联系单位。",
    access=KEEPERS,
    answers={204: None},
)
async def close_office(request: web.Request, actor: Actor, path: OfficePath) -> None:
    await offices.close_office(path.office_id, actor=actor, now=request.app[CLOCKS].base.now())


def office_view(office: Office) -> OfficeView:
    """An office as everybody sees it."""
    return OfficeView(**_shown(office))


def _shown(office: Office) -> dict[str, Any]:
    return {name: getattr(office, name) for name in OfficeView.model_fields}
