"""Organisations over HTTP: registering one, and keeping its facts true."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, person
from server.handlers.parsing import Body, Fen
from server.keys import ONBOARDING
from server.models.organisations import MemberRole, Organisation
from server.rules.uscc import UsccInvalid
from server.services import access
from server.services.access import Actor, NoOrganisation
from server.services.memberships import AlreadyMember
from server.services.onboarding import FactsUnusable, OrganisationExists

routes = Routes("organisations")

IN_CHARGE = person(MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER)

MOST_CODES = 50
Code = Annotated[str, Field(min_length=1, max_length=64)]
Name = Annotated[str, Field(min_length=2, max_length=200)]
Area = Annotated[str, Field(pattern=r"^[^/\s]+(/[^/\s]+)*$", max_length=64)]
Industry = Annotated[str, Field(min_length=1, max_length=5)]
Headcount = Annotated[int, Field(ge=0, le=10_000_000)]
Labels = Annotated[list[Code], Field(max_length=MOST_CODES)]
Declarations = Annotated[dict[Code, bool | int | str], Field(max_length=MOST_CODES)]

NAME = "Name on the licence. | 营业执照上的名称。"
AREA = "Area of registration, from the largest unit down. | 注册地，从大到小以 / 分隔。"
INDUSTRY = "GB/T 4754 code. | 国民经济行业分类代码。"
LEGAL_PERSON = "Is an independent legal person. | 是否独立法人。"
ESTABLISHED = "Day of establishment. | 成立日期。"
HEADCOUNT = "Persons employed. | 从业人员数。"
REVENUE = "Last year's revenue, fen. | 上年度营业收入，单位分。"
ASSETS = "Total assets, fen. | 资产总额，单位分。"
CLAIMED = "Labels it says it holds; an operator confirms them. | 自报的企业标识，由运营单位核实。"
DECLARED = "Facts that programmes ask for, by the code of the field. | 各项目的填报项，按代码填写。"


class Register(Body):
    """An organisation, and in which place the registrant acts for it."""

    uscc: str = Field(
        max_length=40,
        description="Unified Social Credit Code. | 统一社会信用代码。",
        examples=["91110000600037341L"],
    )
    name: Name = Field(description=NAME, examples=["晨光精密机械有限公司"])
    area: Area = Field(description=AREA, examples=["某省/某市/某区"])
    industry: Industry = Field(description=INDUSTRY, examples=["C3484"])
    legal_person: bool = Field(description=LEGAL_PERSON)
    established_on: date = Field(description=ESTABLISHED, examples=["2016-03-18"])
    headcount: Headcount = Field(description=HEADCOUNT, examples=[42])
    revenue_fen: Fen = Field(description=REVENUE, examples=[1_000_000_000])
    assets_fen: Fen = Field(description=ASSETS, examples=[800_000_000])
    labels: Labels = Field(default=[], description=CLAIMED, examples=[[]])
    declarations: Declarations = Field(default={}, description=DECLARED, examples=[{}])
    role: Literal["legal_representative", "handler"] = Field(
        description="legal_representative or handler. | 登记人身份：法定代表人或经办人。"
    )


class ChangeFacts(Body):
    """What has changed; what is left out, or null, stays as it is."""

    name: Name | None = Field(default=None, description=NAME, examples=["晨光精密机械有限公司"])
    area: Area | None = Field(default=None, description=AREA, examples=["某省/某市/某区"])
    industry: Industry | None = Field(default=None, description=INDUSTRY, examples=["C3484"])
    legal_person: bool | None = Field(default=None, description=LEGAL_PERSON)
    established_on: date | None = Field(default=None, description=ESTABLISHED, examples=["2016-03-18"])
    headcount: Headcount | None = Field(default=None, description=HEADCOUNT, examples=[42])
    revenue_fen: Fen | None = Field(default=None, description=REVENUE, examples=[1_000_000_000])
    assets_fen: Fen | None = Field(default=None, description=ASSETS, examples=[800_000_000])
    labels: Labels | None = Field(default=None, description=CLAIMED, examples=[[]])
    declarations: Declarations | None = Field(default=None, description=DECLARED, examples=[{}])


class OrganisationView(Answer):
    """An organisation, as its own people see it."""

    id: int = Field(description="The organisation. | 企业编号。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    name: str = Field(description=NAME)
    area: str = Field(description=AREA)
    industry: str = Field(description=INDUSTRY)
    legal_person: bool = Field(description=LEGAL_PERSON)
    established_on: date = Field(description=ESTABLISHED)
    headcount: int = Field(description=HEADCOUNT)
    revenue_fen: int = Field(description=REVENUE)
    assets_fen: int = Field(description=ASSETS)
    labels: list[str] = Field(description="Confirmed labels. | 已核实的企业标识。")
    labels_claimed: list[str] = Field(description=CLAIMED)
    declarations: dict[str, bool | int | str] = Field(description=DECLARED)
    facts_changed_at: AwareDatetime = Field(description="Last change of these facts. | 信息最近变更时间。")


class Registered(OrganisationView):
    """An organisation just registered."""


@routes.post(
    "/api/v1/organisations",
    summary="Register my organisation. | 登记企业。",
    access=PERSON,
    answers={201: Registered},
    refusals=(UsccInvalid, OrganisationExists, FactsUnusable, AlreadyMember),
)
async def register(request: web.Request, actor: Actor, body: Register) -> Registered:
    organisation = await request.app[ONBOARDING].register(
        body.uscc, _facts(body, "uscc", "role"), MemberRole(body.role), actor=actor
    )
    return Registered(**_shown(organisation))


@routes.get(
    "/api/v1/organisations/mine",
    summary="My organisation. | 我的企业。",
    access=PERSON,
    answers={200: OrganisationView},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor) -> OrganisationView:
    return OrganisationView(**_shown(await access.organisation_of(actor)))


@routes.patch(
    "/api/v1/organisations/mine",
    summary="Change my organisation's facts; an approval then goes back to review. "
    "| 变更企业信息；已通过的资格将重新审核。",
    access=IN_CHARGE,
    answers={200: OrganisationView},
    refusals=(FactsUnusable,),
)
async def change(request: web.Request, actor: Actor, body: ChangeFacts) -> OrganisationView:
    organisation = await request.app[ONBOARDING].change_facts(_facts(body), actor=actor)
    return OrganisationView(**_shown(organisation))


def _facts(body: Register | ChangeFacts, *others: str) -> dict[str, Any]:
    """What was filled in, under the names the organisation keeps it by."""
    given = body.model_dump(exclude=set(others), exclude_none=True)
    labels = given.pop("labels", None)
    return given if labels is None else {**given, "labels_claimed": sorted(set(labels))}


def _shown(organisation: Organisation) -> dict[str, Any]:
    return {field: getattr(organisation, field) for field in OrganisationView.model_fields}
