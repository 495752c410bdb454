"""Programmes over HTTP: what a phone shows of a regulation, with the programme's own clock."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.clock import CHINA
from server.handlers.api import PUBLIC, Answer, Routes
from server.handlers.parsing import Path
from server.handlers.qualifications import TierView
from server.keys import CLOCKS, PROGRAMMES
from server.programme.issuance import IssuanceMode
from server.programme.model import Programme
from server.programme.papers import FieldKind
from server.programme.policy import ProgrammeStatus
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Actor, Party
from server.services.clocks import ProgrammeClocks

routes = Routes("programmes")

CLAUSE = "The provision. | 依据条款。"
CODE = "Stable code. | 代码。"


class ProgrammePath(Path):
    """A programme."""

    slug: str = Field(max_length=64, description="The programme's slug. | 项目代码。")


class ProgrammeView(Answer):
    """A programme, in short."""

    slug: str = Field(description="Stable short name. | 项目代码。")
    version: str = Field(description="Version. | 版本。")
    name: str = Field(description="Full title. | 全称。")
    voucher_name: str = Field(description="What its voucher is called. | 服务券名称。")
    document_number: str = Field(description="Number of the document. | 文号。")
    status: ProgrammeStatus = Field(description="What the text says of its force. | 文件状态。")
    in_force: bool = Field(description="In force on its today. | 当日是否有效。")
    valid_from: date = Field(description="First day. | 生效日期。")
    valid_until: date | None = Field(description="Last day; null: open-ended. | 截止日期，空为未定。")
    authority: str = Field(description="Competent authority. | 主管部门。")
    operator: str = Field(description="Programme operator. | 运营单位。")
    mode: IssuanceMode = Field(description="How vouchers reach their holders. | 发放方式。")
    areas: list[str] = Field(description="Where enterprises must be registered. | 适用区域。")
    excluded_areas: list[str] = Field(description="What is not meant. | 不适用区域。")
    now: AwareDatetime = Field(description="The programme's clock. | 项目当前时间。")
    offset_days: int = Field(
        description="Days by which that differs from the calendar; 0 outside demonstrations. "
        "| 与实际日期相差的天数，正式运行时为 0。"
    )


class ProgrammeList(Answer):
    """Every programme, in its newest version."""

    programmes: list[ProgrammeView] = Field(description="The programmes. | 项目列表。")


class ConditionView(Answer):
    """A condition that enterprises must meet."""

    code: str = Field(description=CODE)
    says: str = Field(description="The condition. | 条件。")
    clause: str = Field(description=CLAUSE)


class LabelView(Answer):
    """A label that an enterprise can claim."""

    code: str = Field(description=CODE)
    name: str = Field(description="Name. | 名称。")
    evidence: str = Field(description="What proves it. | 认定依据。")
    clause: str = Field(description=CLAUSE)


class FieldView(Answer):
    """Something an enterprise declares."""

    code: str = Field(description=CODE)
    name: str = Field(description="Name. | 名称。")
    kind: FieldKind = Field(description="What it holds. | 类型。")
    required: bool = Field(description="Must be filled in. | 是否必填。")
    choices: list[str] = Field(description="The choices, if there are any. | 选项。")
    clause: str = Field(description=CLAUSE)


class CategoryView(Answer):
    """What may be bought."""

    code: str = Field(description=CODE)
    name: str = Field(description="Name. | 名称。")
    covers: list[str] = Field(description="What is counted in. | 包含内容。")
    excludes: list[str] = Field(description="What is counted out. | 不包含内容。")
    clause: str = Field(description=CLAUSE)


class ProgrammeDetail(ProgrammeView):
    """A programme, with everything an enterprise wants to know before it applies."""

    purpose: str = Field(description="What it is for. | 目的。")
    tiers: list[TierView] = Field(description="Tiers, most specific first. | 额度档次。")
    conditions: list[ConditionView] = Field(description="Conditions of enterprises. | 企业条件。")
    labels: list[LabelView] = Field(description="Labels to claim. | 可自报的企业标识。")
    fields: list[FieldView] = Field(description="What is declared. | 填报项。")
    categories: list[CategoryView] = Field(description="What may be bought. | 服务类别。")


@routes.get(
    "/api/v1/programmes",
    summary="Every programme. | 全部项目。",
    access=PUBLIC,
    answers={200: ProgrammeList},
)
async def every(request: web.Request) -> ProgrammeList:
    clocks = request.app[CLOCKS]
    return ProgrammeList(programmes=[ProgrammeView(**_shown(one, clocks)) for one in request.app[PROGRAMMES]])


@routes.get(
    "/api/v1/programmes/{slug}",
    summary="One programme. | 项目详情。",
    access=PUBLIC,
    answers={200: ProgrammeDetail},
    refusals=(UnknownProgramme,),
)
async def one(request: web.Request, path: ProgrammePath) -> ProgrammeDetail:
    programme = request.app[PROGRAMMES].get(path.slug)
    return ProgrammeDetail(
        **_shown(programme, request.app[CLOCKS]),
        purpose=programme.identity.purpose,
        tiers=[
            TierView(code=tier.code, name=tier.name, face_value_fen=tier.face_value_fen, clause=tier.article)
            for tier in programme.issuance.tiers
        ],
        conditions=[
            ConditionView(code=condition.code, says=condition.says, clause=condition.article)
            for condition in programme.enterprise_conditions
        ],
        labels=[
            LabelView(code=label.code, name=label.name, evidence=label.evidence, clause=label.article)
            for label in programme.labels
            if label.of is Party.ENTERPRISE
        ],
        fields=[
            FieldView(
                code=field.code,
                name=field.name,
                kind=field.kind,
                required=field.required,
                choices=list(field.choices),
                clause=field.article,
            )
            for field in programme.enterprise.fields
        ],
        categories=[
            CategoryView(
                code=category.code,
                name=category.name,
                covers=list(category.covers),
                excludes=list(category.excludes),
                clause=category.article,
            )
            for category in programme.categories
        ],
    )


def _shown(programme: Programme, clocks: ProgrammeClocks) -> dict[str, Any]:
    now = clocks.now(programme.slug)
    return {
        "slug": programme.slug,
        "version": programme.version,
        "name": programme.name,
        "voucher_name": programme.identity.voucher_name,
        "document_number": programme.identity.document_number,
        "status": programme.status,
        "in_force": programme.in_force(now.astimezone(CHINA).date()),
        "valid_from": programme.valid_from,
        "valid_until": programme.valid_until,
        "authority": programme.authority_name,
        "operator": programme.role(Actor.OPERATOR).name,
        "mode": programme.issuance.mode,
        "areas": list(programme.areas),
        "excluded_areas": list(programme.excluded_areas),
        "now": now,
        "offset_days": clocks.offset(programme.slug).days,
    }
