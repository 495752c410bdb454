"""Qualifications over HTTP: asking to be qualified, and deciding about it."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.errors import Unmet
from server.handlers.api import PERSON, Answer, Routes, person_or_staff, staff
from server.handlers.organisations import IN_CHARGE, Code
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.problems import UnmetCondition
from server.keys import PROGRAMMES, QUALIFICATIONS
from server.models.organisations import Qualification
from server.programme.registry import Programmes, UnknownProgramme
from server.rules.lifecycles import IllegalMove, QualificationStatus
from server.services import access, qualifications
from server.services.access import Actor, NoOrganisation, StaffRole
from server.services.qualifications import (
    AlreadyApplied,
    ConditionsUnmet,
    LabelsUnknown,
    ProgrammeNotRunning,
    QualificationDecision,
    QualificationMovedOn,
    ReasonMissing,
)

routes = Routes("qualifications")

OPERATOR = staff(StaffRole.OPERATOR)
READERS = staff(*access.IN_THE_FILES)
PAGE = 50

PROGRAMME = "The programme's slug. | 项目代码。"
AFTER = "After this id. | 从该编号之后开始。"


class ProgrammeQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


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


class Apply(Body):
    """A programme to be qualified for."""

    programme: str = Field(max_length=64, description=PROGRAMME)


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
    status: QualificationStatus = Field(
        description="pending, approved, refused or revoked. | 审核中、已通过、未通过或已撤销。"
    )
    applied_at: AwareDatetime = Field(description="When it applied. | 申请时间。")
    facts: dict[str, Any] = Field(description="The facts it was judged on. | 判断所依据的企业信息。")
    unmet: list[UnmetCondition] = Field(description="Every condition not met. | 全部未满足的条件。")
    decided_at: AwareDatetime | None = Field(description="When it was decided. | 决定时间。")
    reason: str = Field(description="The operator's reason. | 运营单位的说明。")


class Applied(QualificationView):
    """An application just made."""


class QualificationQuery(Query):
    """Which qualifications."""

    status: QualificationStatus | None = Field(default=None, description="Only these. | 只看该状态。")
    programme: str | None = Field(
        default=None, max_length=64, description="Only of this programme. | 只看该项目。"
    )
    after: int = Field(default=0, ge=0, description=AFTER)


class Qualifications(Answer):
    """A page of qualifications, by id."""

    qualifications: list[QualificationView] = Field(description="The qualifications. | 资格列表。")
    next_after: int | None = Field(description="Where the next page starts. | 下一页起点，无则为空。")


class QualificationPath(Path):
    """A qualification."""

    qualification_id: Id = Field(description="The qualification. | 资格编号。")


class Decide(Body):
    """A decision, and the labels that the official lists show."""

    decision: QualificationDecision = Field(description="approve or refuse. | 通过或不通过。")
    reason: str = Field(
        default="", max_length=1000, description="Why; a refusal needs it. | 理由，不通过时必填。"
    )
    labels_confirmed: list[Code] = Field(
        default=[],
        max_length=50,
        description="All labels of this programme that it holds, claimed or not. "
        "| 经核实的全部企业标识，不论是否自报。",
        examples=[[]],
    )


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
    assessment = await request.app[QUALIFICATIONS].eligibility(query.programme, actor=actor)
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


@routes.post(
    "/api/v1/qualifications",
    summary="Apply for the right to a programme's vouchers. | 申请用券资格。",
    access=IN_CHARGE,
    answers={201: Applied},
    refusals=(UnknownProgramme, ProgrammeNotRunning, AlreadyApplied, QualificationMovedOn),
)
async def apply(request: web.Request, actor: Actor, body: Apply) -> Applied:
    qualification = await request.app[QUALIFICATIONS].apply(body.programme, actor=actor)
    return Applied(**_shown(qualification, request.app[PROGRAMMES]))


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
    return QualificationView(**_shown(qualification, request.app[PROGRAMMES]))


@routes.post(
    "/api/v1/qualifications/{qualification_id}/decision",
    summary="Approve or refuse an application. | 审核用券资格。",
    access=OPERATOR,
    answers={200: QualificationView},
    refusals=(ConditionsUnmet, LabelsUnknown, ReasonMissing, IllegalMove, QualificationMovedOn),
)
async def decide(
    request: web.Request, actor: Actor, path: QualificationPath, body: Decide
) -> QualificationView:
    qualification = await request.app[QUALIFICATIONS].decide(
        await access.qualification_for(actor, path.qualification_id),
        body.decision,
        labels=body.labels_confirmed,
        reason=body.reason,
        actor=actor,
    )
    return QualificationView(**_shown(qualification, request.app[PROGRAMMES]))


@routes.post(
    "/api/v1/qualifications/{qualification_id}/revocation",
    summary="Withdraw an approval. | 撤销用券资格。",
    access=OPERATOR,
    answers={200: QualificationView},
    refusals=(IllegalMove, QualificationMovedOn),
)
async def revoke(
    request: web.Request, actor: Actor, path: QualificationPath, body: Revoke
) -> QualificationView:
    qualification = await request.app[QUALIFICATIONS].revoke(
        await access.qualification_for(actor, path.qualification_id), reason=body.reason, actor=actor
    )
    return QualificationView(**_shown(qualification, request.app[PROGRAMMES]))


def _page(rows: list[Qualification], programmes: Programmes) -> Qualifications:
    return Qualifications(
        qualifications=[QualificationView(**_shown(row, programmes)) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


def _shown(row: Qualification, programmes: Programmes) -> dict[str, Any]:
    return {
        "id": row.id,
        "programme": row.programme_slug,
        "programme_version": row.programme_version,
        "programme_name": programmes.version(row.programme_slug, row.programme_version).name,
        "organisation": ApplicantView(
            id=row.organisation_id, uscc=row.organisation.uscc, name=row.organisation.name
        ),
        "status": row.status,
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
