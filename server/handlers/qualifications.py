"""Qualifications over HTTP: where an organisation stands in a programme, and what stands in its way."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.errors import Unmet
from server.handlers.api import PERSON, Answer, Routes, person_or_staff, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.problems import UnmetCondition
from server.keys import PROGRAMMES, QUALIFICATIONS
from server.models.organisations import Qualification
from server.programme.registry import Programmes, UnknownProgramme
from server.programme.vocabulary import Party
from server.rules.lifecycles import IllegalMove, QualificationStatus
from server.services import access
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.admissions import qualifications
from server.services.admissions.qualifications import QualificationMovedOn, RemovedOtherwise

routes = Routes("qualifications")

OPERATOR = staff(StaffRole.OPERATOR)
READERS = staff(*access.IN_THE_FILES)
PAGE = 50

PROGRAMME = "The programme's slug. | 项目代码。"
PARTY = "enterprise (uses vouchers) or provider (takes them). | 用券企业或服务机构。"
VALID_UNTIL = "The instant it ends; null: it holds on. | 有效期至，空为长期。"


class ProgrammeQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    party: Party = Field(default=Party.ENTERPRISE, description=PARTY)


class TierView(Answer):
    """The tier that admits the organisation."""

    code: str = Field(description="Stable code. | 档次代码。")
    name: str = Field(description="Name. | 档次名称。")
    face_value_fen: int = Field(description="Worth of its voucher, fen. | 面值，单位分。")
    clause: str = Field(description="The provision. | 依据条款。")


class EligibilityView(Answer):
    """What stands between the organisation and the programme."""

    programme: str = Field(description=PROGRAMME)
    programme_version: str = Field(description="Its version. | 项目版本。")
    on: date = Field(description="The day this holds for. | 判断日期。")
    eligible: bool = Field(
        description="Every condition is met, if what is claimed is confirmed. "
        "| 全部条件均满足（以自报标识得到核实为前提）。"
    )
    unmet: list[UnmetCondition] = Field(description="Every condition not met. | 全部未满足的条件。")
    tier: TierView | None = Field(description="The tier that admits it. | 适用档次。")


class ApplicantView(Answer):
    """Whose qualification it is."""

    id: int = Field(description="The organisation. | 企业编号。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    name: str = Field(description="Name. | 企业名称。")


class QualificationView(Answer):
    """Where an organisation stands in a programme, and why."""

    id: int = Field(description="The qualification. | 资格编号。")
    programme: str = Field(description=PROGRAMME)
    programme_version: str = Field(description="The version it is judged by. | 适用版本。")
    programme_name: str = Field(description="The programme's title. | 项目名称。")
    organisation: ApplicantView = Field(description="The applicant. | 申请企业。")
    party: Party = Field(description=PARTY)
    status: QualificationStatus = Field(
        description="pending, approved, refused, revoked, expired; of a provider suspended or delisted, too. "
        "| 审核中、已通过、未通过、已撤销或已到期；服务机构还有已暂停、已清退。"
    )
    valid_until: AwareDatetime | None = Field(description=VALID_UNTIL)
    applied_at: AwareDatetime = Field(description="When it applied. | 申请时间。")
    facts: dict[str, Any] = Field(description="The facts it was judged on. | 判断所依据的企业信息。")
    unmet: list[UnmetCondition] = Field(description="Every condition not met. | 全部未满足的条件。")
    decided_at: AwareDatetime | None = Field(description="When it was decided. | 决定时间。")
    reason: str = Field(description="The operator's reason. | 运营单位的说明。")


class QualificationQuery(Query):
    """Which qualifications."""

    status: QualificationStatus | None = Field(default=None, description="Only these. | 只看该状态。")
    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    after: AfterId = 0


class Qualifications(Answer):
    """A page of qualifications, by id."""

    qualifications: list[QualificationView] = Field(description="The qualifications. | 资格列表。")
    next_after: NextPage


class QualificationPath(Path):
    """A qualification."""

    qualification_id: Id = Field(description="The qualification. | 资格编号。")


class Revoke(Body):
    """Why an approval is withdrawn."""

    reason: str = Field(min_length=2, max_length=1000, description="Why. | 理由。", examples=["经营异常"])


@routes.get(
    "/api/v1/eligibility",
    summary="Everything that stands between my organisation and a programme. | 企业是否符合项目条件。",
    access=PERSON,
    answers={200: EligibilityView},
    refusals=(NoOrganisation, UnknownProgramme),
)
async def eligibility(request: web.Request, actor: Actor, query: ProgrammeQuery) -> EligibilityView:
    assessment = await request.app[QUALIFICATIONS].eligibility(query.programme, query.party, actor=actor)
    tier = assessment.tier
    return EligibilityView(
        programme=assessment.programme.slug,
        programme_version=assessment.programme.version,
        on=assessment.on,
        eligible=not assessment.unmet,
        unmet=[_condition(one) for one in assessment.unmet],
        tier=None
        if tier is None
        else TierView(
            code=tier.code, name=tier.name, face_value_fen=tier.face_value_fen, clause=tier.article
        ),
    )


@routes.get(
    "/api/v1/qualifications",
    summary="Qualifications by id, to decide about. | 资格列表（运营单位）。",
    access=READERS,
    answers={200: Qualifications},
)
async def every(request: web.Request, actor: Actor, query: QualificationQuery) -> Qualifications:
    rows = await qualifications.page(
        actor, status=query.status, slug=query.programme, after=query.after, limit=PAGE + 1
    )
    return _page(rows, request.app[PROGRAMMES])


@routes.get(
    "/api/v1/organisations/mine/qualifications",
    summary="Where my organisation stands, in each programme. | 我的企业的资格。",
    access=PERSON,
    answers={200: Qualifications},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor) -> Qualifications:
    rows = await qualifications.of_organisation(access.organisation_id_of(actor))
    return _page(rows, request.app[PROGRAMMES])


@routes.get(
    "/api/v1/qualifications/{qualification_id}",
    summary="One qualification. | 资格详情。",
    access=person_or_staff(*access.IN_THE_FILES),
    answers={200: QualificationView},
)
async def one(request: web.Request, actor: Actor, path: QualificationPath) -> QualificationView:
    qualification = await access.qualification_for(actor, path.qualification_id)
    return QualificationView(**qualification_fields(qualification, request.app[PROGRAMMES]))


@routes.post(
    "/api/v1/qualifications/{qualification_id}/revocation",
    summary="Withdraw an approval. | 撤销用券资格。",
    access=OPERATOR,
    answers={200: QualificationView},
    refusals=(IllegalMove, QualificationMovedOn, RemovedOtherwise),
)
async def revoke(
    request: web.Request, actor: Actor, path: QualificationPath, body: Revoke
) -> QualificationView:
    qualification = await request.app[QUALIFICATIONS].revoke(
        await access.qualification_for(actor, path.qualification_id), reason=body.reason, actor=actor
    )
    return QualificationView(**qualification_fields(qualification, request.app[PROGRAMMES]))


def _page(rows: list[Qualification], programmes: Programmes) -> Qualifications:
    return Qualifications(
        qualifications=[QualificationView(**qualification_fields(row, programmes)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


def qualification_fields(row: Qualification, programmes: Programmes) -> dict[str, Any]:
    """The fields of a :class:`QualificationView`."""
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "programme_version": row.programme_version,
        "programme_name": programmes.version(row.programme_slug, row.programme_version).name,
        "organisation": ApplicantView(
            id=row.organisation_id, uscc=row.organisation.uscc, name=row.organisation.name
        ),
        "party": row.party,
        "status": row.status,
        "valid_until": row.valid_until,
        "applied_at": row.applied_at,
        "facts": row.snapshot,
        "unmet": [UnmetCondition(**one) for one in row.unmet],
        "decided_at": row.decided_at,
        "reason": row.reason,
    }


def _condition(unmet: Unmet) -> UnmetCondition:
    return UnmetCondition(
        code=unmet.code, clause=unmet.clause, message=unmet.message, arithmetic=unmet.arithmetic
    )
