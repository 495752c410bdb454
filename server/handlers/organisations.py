"""Organisations over HTTP: registering one, and keeping its facts true."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes, person, staff
from server.handlers.offices import OfficeView, office_view
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Fen, Id, Query
from server.keys import ONBOARDING, PROGRAMMES
from server.models.organisations import MemberRole, Organisation
from server.models.registrations import ChangeReport
from server.programme.vocabulary import LegalForm
from server.rules.changes import Consequence
from server.rules.uscc import UsccInvalid
from server.services import access
from server.services.access import Actor, NoOrganisation, NotFound
from server.services.admissions import changes
from server.services.admissions.onboarding import FactsUnusable, OrganisationExists
from server.services.allowances import TooManyToday
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.organisations.memberships import AlreadyMember

routes = Routes("organisations")

READERS = staff(*access.IN_THE_FILES)
PAGE = 50
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
LEGAL_FORM = "Its legal form; null: not stated. | 组织形式，未填为空。"
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
    legal_form: LegalForm | None = Field(default=None, description=LEGAL_FORM)
    legal_person: bool = Field(description=LEGAL_PERSON)
    established_on: Day = Field(description=ESTABLISHED, examples=["2016-03-18"])
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
    legal_form: LegalForm | None = Field(default=None, description=LEGAL_FORM)
    legal_person: bool | None = Field(default=None, description=LEGAL_PERSON)
    established_on: Day | None = Field(default=None, description=ESTABLISHED, examples=["2016-03-18"])
    headcount: Headcount | None = Field(default=None, description=HEADCOUNT, examples=[42])
    revenue_fen: Fen | None = Field(default=None, description=REVENUE, examples=[1_000_000_000])
    assets_fen: Fen | None = Field(default=None, description=ASSETS, examples=[800_000_000])
    labels: Labels | None = Field(default=None, description=CLAIMED, examples=[[]])
    declarations: Declarations | None = Field(default=None, description=DECLARED, examples=[{}])
    changed_on: Day | None = Field(
        default=None,
        description="When it happened; left out: today. | 变更发生日期，默认当天。",
        examples=["2026-05-18"],
    )
    documents: list[Id] = Field(
        default=[],
        max_length=30,
        description="My files that show it. | 佐证材料的文件编号。",
        examples=[[]],
    )


class OrganisationView(Answer):
    """An organisation, as its own people see it."""

    id: int = Field(description="The organisation. | 企业编号。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    name: str = Field(description=NAME)
    area: str = Field(description=AREA)
    industry: str = Field(description=INDUSTRY)
    legal_form: LegalForm | None = Field(description=LEGAL_FORM)
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


class LateView(Answer):
    """A programme whose days to report the change were over."""

    programme: str = Field(description="The programme. | 项目代码。")
    clause: str = Field(description="The provision. | 依据条款。")
    due: date = Field(description="Last day of the report. | 报告截止日期。")
    consequences: list[Consequence] = Field(
        description="What the operator may do; nothing happens by itself. "
        "| 运营单位可采取的措施，不会自动执行。"
    )


class ElsewhereView(Answer):
    """A programme that has data changed elsewhere."""

    programme: str = Field(description="The programme. | 项目代码。")
    where: str = Field(description="Where. | 变更渠道。")
    clause: str = Field(description="The provision. | 依据条款。")
    offices: list[OfficeView] = Field(description="The offices of my own level. | 相应级别的承办单位。")


class ReportView(Answer):
    """A change that was reported."""

    id: int = Field(description="The report. | 变更报告编号。")
    organisation_id: int = Field(description="The organisation. | 企业编号。")
    facts: list[str] = Field(description="What changed. | 变更的信息项。")
    changed_on: date = Field(description="When it happened. | 变更发生日期。")
    reported_at: AwareDatetime = Field(description="When it was reported. | 报告时间。")
    documents: list[int] = Field(description="The files that show it. | 佐证材料。")
    late: list[LateView] = Field(description="Where it came late. | 逾期的项目。")


class Changed(OrganisationView):
    """An organisation with its new facts."""

    report: ReportView | None = Field(description="The report it made, if one was owed. | 产生的变更报告。")
    elsewhere: list[ElsewhereView] = Field(
        description="Where else data are to be changed. | 还须在何处变更。"
    )


class ReportsView(Answer):
    """Reported changes."""

    reports: list[ReportView] = Field(description="The reports. | 变更报告。")
    next_after: NextPage


class ReportsQuery(Query):
    """Which reports."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    after: AfterId = 0


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
    answers={200: Changed},
    refusals=(FactsUnusable, FilesUnknown, FileUnacceptable, TooManyToday),
)
async def change(request: web.Request, actor: Actor, body: ChangeFacts) -> Changed:
    changed = await request.app[ONBOARDING].change_facts(
        _facts(body, "changed_on", "documents"),
        changed_on=body.changed_on,
        documents=body.documents,
        actor=actor,
    )
    also = await changes.elsewhere(changed.organisation, request.app[PROGRAMMES])
    return Changed(
        **_shown(changed.organisation),
        report=None if changed.report is None else _report(changed.report),
        elsewhere=[
            ElsewhereView(
                programme=one.programme,
                where=one.where,
                clause=one.clause,
                offices=[office_view(office) for office in one.offices],
            )
            for one in also
        ],
    )


@routes.get(
    "/api/v1/organisations/mine/changes",
    summary="The changes that my organisation reported, newest first. | 我的企业的变更报告。",
    access=PERSON,
    answers={200: ReportsView},
    refusals=(NoOrganisation,),
)
async def reported(request: web.Request, actor: Actor) -> ReportsView:
    rows = await changes.of_organisation(access.organisation_id_of(actor))
    return ReportsView(reports=[_report(row) for row in rows], next_after=None)


@routes.get(
    "/api/v1/changes",
    summary="Changes reported by a programme's organisations, late ones with what may follow. "
    "| 项目内企业的变更报告。",
    access=READERS,
    answers={200: ReportsView},
    refusals=(NotFound,),
)
async def reports(request: web.Request, actor: Actor, query: ReportsQuery) -> ReportsView:
    rows = await changes.page(actor, slug=query.programme, after=query.after, limit=PAGE + 1)
    return ReportsView(
        reports=[_report(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


def _facts(body: Register | ChangeFacts, *others: str) -> dict[str, Any]:
    """What was filled in, under the names the organisation keeps it by."""
    given = body.model_dump(exclude=set(others), exclude_none=True)
    labels = given.pop("labels", None)
    return given if labels is None else {**given, "labels_claimed": sorted(set(labels))}


def _shown(organisation: Organisation) -> dict[str, Any]:
    return {name: getattr(organisation, name) for name in OrganisationView.model_fields}


def _report(row: ChangeReport) -> ReportView:
    return ReportView(
        id=row.id,
        organisation_id=row.organisation_id,
        facts=row.facts,
        changed_on=row.changed_on,
        reported_at=row.reported_at,
        documents=row.documents,
        late=[
            LateView(
                programme=one["programme"],
                clause=one["clause"],
                due=date.fromisoformat(one["due"]),
                consequences=[Consequence(code) for code in one["consequences"]],
            )
            for one in row.late
        ],
    )
