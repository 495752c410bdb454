"""Provider standing over HTTP: what each standing allows, suspending, letting go, and removing a provider."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Routes, person_or_staff, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Fen, Instant, Query
from server.handlers.qualifications import PROGRAMME, QualificationPath
from server.keys import CLOCKS, PROGRAMMES, REMOVALS, SUSPENSIONS
from server.models.ceilings import CeilingRaise
from server.models.provider_standing import Removal, Suspension
from server.programme.registry import UnknownProgramme
from server.programme.vocabulary import Actor as Role
from server.rules.lifecycles import BARRED_PROVIDER_MAY, IllegalMove, ProviderAct, QualificationStatus
from server.rules.removals import RemovalStatus, removal_grounds, suspension_grounds
from server.rules.review import ReasonMissing
from server.services import access
from server.services.access import Actor, StaffRole
from server.services.admissions.qualifications import QualificationMovedOn
from server.services.providers import ceilings, suspensions
from server.services.providers.ceilings import CeilingHolds, CeilingNotRaised
from server.services.providers.provider_standing import allowed
from server.services.providers.suspensions import (
    GroundUnknown,
    NotYoursToHold,
    SuspensionOver,
    SuspensionPast,
)
from server.services.reviews.reviewers import OwnReview
from server.services.sanctions import removals
from server.services.sanctions.removals import PROPOSERS, DecidedBySanction, RemovalUnderWay
from server.services.vouchers.order_purse import YearNotOpen

routes = Routes("provider_standing")

SUPERVISORS = staff(*sorted(PROPOSERS))
PAGE = 50

GROUND = "The ground, by its code in the programme. | 依据，按项目中的代码填写。"
CLAUSE = "The provision. | 依据条款。"
REASON = "Why. | 理由。"


class CapabilityQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class CapabilityView(Answer):
    """What one standing lets a provider do."""

    standing: str = Field(description="A status of a qualification, or barred. | 资格状态，或在限制名单中。")
    may: list[ProviderAct] = Field(description="What it may still do. | 仍可办理的事项。")
    says: str = Field(description="The same in words. | 说明。")


class GroundView(Answer):
    """A ground on which a provider may be held or removed."""

    code: str = Field(description=GROUND)
    says: str = Field(description="In the text's words. | 原文表述。")
    clause: str = Field(description=CLAUSE)
    sanction: str = Field(description="What it leads to. | 处置措施名称。")
    removes: bool = Field(description="It ends the provider's standing. | 是否清退。")
    held_by: list[Role] = Field(description="Who may hold the provider at once. | 可以先行停用的主体。")
    decided_by: Role = Field(description="Who decides. | 作出决定的主体。")
    ban_years: int | None = Field(description="Years of the ban; null: for good, or none. | 限制年数。")


class CapabilitiesView(Answer):
    """What providers may do, standing by standing, and on which grounds one is lost."""

    programme: str = Field(description=PROGRAMME)
    clause: str = Field(description=CLAUSE)
    standings: list[CapabilityView] = Field(description="One line a standing. | 各资格状态。")
    grounds: list[GroundView] = Field(description="Grounds. | 停用和清退的依据。")


class Suspend(Body):
    """On which ground a provider is held, why and until when."""

    ground: str = Field(min_length=1, max_length=64, description=GROUND, examples=["violation"])
    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["涉嫌违规，先行停用"])
    until: Instant | None = Field(
        default=None, description="Until when, exclusive; null: until lifted. | 截止时间，空为直至解除。"
    )


class LiftSuspension(Body):
    """Why a provider is let go."""

    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["已整改"])


class SuspensionView(Answer):
    """A suspension."""

    id: int = Field(description="The suspension. | 暂停记录编号。")
    qualification_id: int = Field(description="The provider's standing. | 资格编号。")
    ground: str = Field(description=GROUND)
    clause: str = Field(description=CLAUSE)
    reason: str = Field(description=REASON)
    since: AwareDatetime = Field(description="Since when. | 起始时间。")
    until: AwareDatetime | None = Field(description="Until when, exclusive. | 截止时间。")
    lifted_at: AwareDatetime | None = Field(description="When it ended. | 解除时间。")
    lift_reason: str = Field(description="Why it ended. | 解除理由。")


class Suspended(SuspensionView):
    """A suspension just made."""


class SuspensionsView(Answer):
    """The suspensions of a provider, newest first."""

    suspensions: list[SuspensionView] = Field(description="The suspensions. | 暂停记录。")


class RaiseCeiling(Body):
    """Up to how much a provider may receive this year, and why."""

    ceiling: str = Field(
        min_length=1,
        max_length=64,
        description="Code of the ceiling. | 上限代码。",
        examples=["service_year"],
    )
    most_fen: Fen = Field(gt=0, description="What it may receive in the year, fen. | 本年度上限，单位分。")
    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["重点项目集中签约"])


class CeilingRaiseView(Answer):
    """A ceiling that was raised."""

    id: int = Field(description="The record. | 记录编号。")
    ceiling: str = Field(description="Code of the ceiling. | 上限代码。")
    clause: str = Field(description=CLAUSE)
    most_fen: int = Field(description="What it may receive in the year, fen. | 本年度上限，单位分。")
    reason: str = Field(description=REASON)
    made_at: AwareDatetime = Field(description="When. | 批准时间。")


class CeilingRaised(CeilingRaiseView):
    """A ceiling just raised."""


class CeilingsView(Answer):
    """What a provider may still receive this year, and how its ceilings were raised in it."""

    left_fen: int | None = Field(
        description="Still to receive, fen; null: no limit. | 剩余额度，单位分，空为不限。"
    )
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description="How it was worked out. | 计算过程。")
    raises: list[CeilingRaiseView] = Field(
        description="Newest first, the first counts. | 批准记录，以最新为准。"
    )


class ProposeRemoval(Body):
    """On which ground a provider is to be removed, and why."""

    ground: str = Field(min_length=1, max_length=64, description=GROUND, examples=["violation"])
    reason: str = Field(min_length=2, max_length=2000, description=REASON, examples=["核查发现虚假交易"])
    serious: bool = Field(
        default=False, description="What follows if it is serious follows, too. | 是否情节严重。"
    )


class RemovalView(Answer):
    """A proposal to remove a provider, and what became of it."""

    id: int = Field(description="The removal. | 清退记录编号。")
    qualification_id: int = Field(description="The provider's standing. | 资格编号。")
    status: RemovalStatus = Field(description="proposed, determined or dismissed. | 办理状态。")
    review_id: int | None = Field(description="Its review; null: none is needed. | 审核件编号。")
    ground: str = Field(description=GROUND)
    clause: str = Field(description=CLAUSE)
    reason: str = Field(description=REASON)
    measures: list[str] = Field(description="What follows, by the sanction. | 处置措施。")
    serious: bool = Field(description="Whether it is serious. | 是否情节严重。")
    proposed_at: AwareDatetime = Field(description="When it was proposed. | 提出时间。")
    decided_at: AwareDatetime | None = Field(description="When it was decided. | 决定时间。")


class RemovalMade(RemovalView):
    """A proposal just made."""


class AnnouncedQuery(Query):
    """Which announcements."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    after: AfterId = 0


class AnnouncedView(Answer):
    """A provider whose removal was announced."""

    id: int = Field(description="The removal. | 清退记录编号。")
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    name: str = Field(description="Its name. | 名称。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    ground: str = Field(description="The ground in the text's words. | 清退事由。")
    clause: str = Field(description=CLAUSE)
    removed_at: AwareDatetime | None = Field(description="When. | 清退时间。")


class AnnouncedList(Answer):
    """A page of announcements, by id."""

    removals: list[AnnouncedView] = Field(description="The announcements. | 清退公告。")
    next_after: NextPage


@routes.get(
    "/api/v1/provider-capabilities",
    summary="What each standing lets a provider do, and how one is lost. | 服务机构各状态可办理的事项。",
    access=PUBLIC,
    answers={200: CapabilitiesView},
    refusals=(UnknownProgramme,),
)
async def capabilities(request: web.Request, query: CapabilityQuery) -> CapabilitiesView:
    programme = request.app[PROGRAMMES].get(query.programme)
    lines = [(status.value, allowed(programme, status)) for status in QualificationStatus]
    lines.append(("barred", BARRED_PROVIDER_MAY))
    removing = removal_grounds(programme)
    return CapabilitiesView(
        programme=programme.slug,
        clause=programme.provider.article,
        standings=[
            CapabilityView(
                standing=standing,
                may=sorted(may),
                says=texts.LIST.join(texts.PROVIDER_ACTS[act] for act in ProviderAct if act in may)
                or texts.PAGE_NOTHING,
            )
            for standing, may in lines
        ],
        grounds=[
            GroundView(
                code=code,
                says=charge.ground.says,
                clause=charge.clause,
                sanction=charge.sanction.name,
                removes=code in removing,
                held_by=list(charge.holders),
                decided_by=charge.sanction.decided_by,
                ban_years=charge.sanction.ban_years,
            )
            for code, charge in suspension_grounds(programme).items()
        ],
    )


@routes.post(
    "/api/v1/qualifications/{qualification_id}/suspension",
    summary="Hold a provider at once. | 暂停服务机构资格。",
    access=SUPERVISORS,
    answers={201: Suspended},
    refusals=(GroundUnknown, NotYoursToHold, OwnReview, ReasonMissing, SuspensionPast, IllegalMove,
              QualificationMovedOn),
)  # fmt: skip
async def suspend(request: web.Request, actor: Actor, path: QualificationPath, body: Suspend) -> Suspended:
    held = await request.app[SUSPENSIONS].suspend(
        path.qualification_id, ground=body.ground, reason=body.reason, until=body.until, actor=actor
    )
    return Suspended(**_suspension(held))


@routes.post(
    "/api/v1/qualifications/{qualification_id}/suspension/lifting",
    summary="Let a suspended provider go. | 解除暂停。",
    access=SUPERVISORS,
    answers={200: SuspensionView},
    refusals=(NotYoursToHold, OwnReview, ReasonMissing, SuspensionOver, QualificationMovedOn),
)
async def lift(
    request: web.Request, actor: Actor, path: QualificationPath, body: LiftSuspension
) -> SuspensionView:
    held = await request.app[SUSPENSIONS].lift(path.qualification_id, reason=body.reason, actor=actor)
    return SuspensionView(**_suspension(held))


@routes.get(
    "/api/v1/qualifications/{qualification_id}/suspensions",
    summary="The suspensions of a provider, newest first. | 服务机构的暂停记录。",
    access=person_or_staff(*access.IN_THE_FILES),
    answers={200: SuspensionsView},
)
async def history(request: web.Request, actor: Actor, path: QualificationPath) -> SuspensionsView:
    row = await access.qualification_for(actor, path.qualification_id)
    rows = await suspensions.history(row.id)
    return SuspensionsView(suspensions=[SuspensionView(**_suspension(one)) for one in rows])


@routes.post(
    "/api/v1/qualifications/{qualification_id}/ceiling-raises",
    summary="Go beyond a ceiling that holds in principle. | 批准突破原则性收券上限。",
    access=staff(StaffRole.AUTHORITY),
    answers={201: CeilingRaised},
    refusals=(CeilingHolds, CeilingNotRaised, OwnReview, ReasonMissing, YearNotOpen),
)
async def raise_ceiling(
    request: web.Request, actor: Actor, path: QualificationPath, body: RaiseCeiling
) -> CeilingRaised:
    made = await ceilings.raise_for(
        request.app[PROGRAMMES],
        request.app[CLOCKS],
        path.qualification_id,
        body.ceiling,
        body.most_fen,
        reason=body.reason,
        actor=actor,
    )
    return CeilingRaised(**_raise(made))


@routes.get(
    "/api/v1/qualifications/{qualification_id}/ceilings",
    summary="What a provider may still receive this year. | 服务机构本年度收券上限和剩余额度。",
    access=person_or_staff(*access.IN_THE_FILES),
    answers={200: CeilingsView},
)
async def own_ceilings(request: web.Request, actor: Actor, path: QualificationPath) -> CeilingsView:
    room, made = await ceilings.shown(
        request.app[PROGRAMMES], request.app[CLOCKS], path.qualification_id, actor=actor
    )
    return CeilingsView(
        left_fen=None if room is None else room.limit.amount_fen,
        clause="" if room is None else room.limit.clause,
        arithmetic="" if room is None else room.limit.arithmetic,
        raises=[CeilingRaiseView(**_raise(one)) for one in made],
    )


@routes.post(
    "/api/v1/qualifications/{qualification_id}/removal",
    summary="Propose to remove a provider, where the text has a chain for it. | 提出清退服务机构。",
    access=SUPERVISORS,
    answers={201: RemovalMade},
    refusals=(GroundUnknown, DecidedBySanction, OwnReview, ReasonMissing, RemovalUnderWay, IllegalMove,
              QualificationMovedOn),
)  # fmt: skip
async def propose(
    request: web.Request, actor: Actor, path: QualificationPath, body: ProposeRemoval
) -> RemovalMade:
    made = await request.app[REMOVALS].propose(
        path.qualification_id, ground=body.ground, reason=body.reason, serious=body.serious, actor=actor
    )
    return RemovalMade(**_removal(made))


@routes.get(
    "/api/v1/provider-removals",
    summary="Providers whose removal was announced. | 清退公告。",
    access=PUBLIC,
    answers={200: AnnouncedList},
    refusals=(UnknownProgramme,),
)
async def announced(request: web.Request, query: AnnouncedQuery) -> AnnouncedList:
    programme = request.app[PROGRAMMES].get(query.programme)
    rows = await removals.page(programme.slug, after=query.after, limit=PAGE + 1)
    grounds = removal_grounds(programme)
    return AnnouncedList(
        removals=[
            AnnouncedView(
                id=row.id,
                provider_id=row.qualification.organisation_id,
                name=row.qualification.organisation.name,
                uscc=row.qualification.organisation.uscc,
                ground=grounds[row.ground].ground.says if row.ground in grounds else row.ground,
                clause=row.clause,
                removed_at=row.decided_at,
            )
            for row in rows[:PAGE]
        ],
        next_after=next_page(rows, PAGE),
    )


def _suspension(row: Suspension) -> dict[str, object]:
    return {name: getattr(row, name) for name in SuspensionView.model_fields}


def _raise(row: CeilingRaise) -> dict[str, object]:
    return {name: getattr(row, name) for name in CeilingRaiseView.model_fields}


def _removal(row: Removal) -> dict[str, object]:
    named = {name: getattr(row, name) for name in RemovalView.model_fields if name != "review_id"}
    return {**named, "review_id": row.case_id}
