"""Supervision over HTTP: inspections, visits, putting right, contracts to look after, service files."""

from __future__ import annotations

from operator import attrgetter

from aiohttp import web

from server.handlers import supervision_views as views
from server.handlers.api import Routes, person, person_or_staff, staff
from server.handlers.paging import next_page
from server.handlers.supervision_forms import (
    BeforeQuery,
    CancelInspection,
    CloseInspection,
    DecideRectification,
    FiledProviderPath,
    HandInRectification,
    InspectionPath,
    PlanInspection,
    RecordVisit,
    RectificationPath,
    RectificationQuery,
    RefusedVisit,
    VisitPath,
    WatchQuery,
)
from server.handlers.supervision_views import (
    InspectionDetail,
    InspectionPlanned,
    InspectionsView,
    InspectionView,
    RectificationsView,
    RectificationView,
    ServiceFileView,
    VisitView,
    WatchedList,
    WatchedView,
    WatchReason,
)
from server.keys import CLOCKS, PROGRAMMES, SUPERVISION
from server.models.organisations import MemberRole
from server.programme.registry import UnknownProgramme
from server.services import access
from server.services.access import IN_THE_FILES, Actor
from server.services.files.files import FilesUnknown
from server.services.orders import contract_watch
from server.services.organisations import service_files
from server.services.reviews.reviewers import OwnReview
from server.services.supervision import inspection_lists, inspections, rectifications
from server.services.supervision.inspection_visits import Answer as Seeing
from server.services.supervision.inspection_visits import DayImpossible, Seen, VisitIncomplete, VisitMade
from server.services.supervision.inspections import (
    InspectionOpen,
    InspectionOver,
    NotHeldByYou,
    SampleUnusable,
    SignedAlready,
    Subject,
)
from server.services.supervision.rectifications import TaskNotOpen
from server.services.supervision.supervision_book import (
    SUPERVISORS,
    SupervisionMovedOn,
    TooManyFiles,
    WordsMissing,
)
from server.services.supervision.supervision_samples import SampleNotDrawn

routes = Routes("supervision")

OFFICIALS = staff(*sorted(SUPERVISORS))
READING = person_or_staff(*sorted(IN_THE_FILES | SUPERVISORS))
HANDLERS = person(MemberRole.LEGAL_REPRESENTATIVE, MemberRole.HANDLER)
WRITES = (NotHeldByYou, InspectionOver, OwnReview, FilesUnknown, TooManyFiles, SupervisionMovedOn)


@routes.post(
    "/api/v1/inspections",
    summary="Plan an inspection of a sample. | 制定检查计划。",
    access=OFFICIALS,
    answers={201: InspectionPlanned},
    refusals=(UnknownProgramme, NotHeldByYou, SampleUnusable, SampleNotDrawn, WordsMissing, OwnReview),
)
async def plan(request: web.Request, actor: Actor, body: PlanInspection) -> InspectionPlanned:
    made = await request.app[SUPERVISION].inspections.plan(
        body.programme,
        body.kind,
        title=body.title,
        planned_on=body.planned_on,
        subjects=[
            Subject(organisation_id=one.organisation_id, party=one.party, order_id=one.order_id)
            for one in body.subjects
        ],
        draw_id=body.draw_id,
        reason=body.reason,
        commissioned=body.commissioned,
        actor=actor,
    )
    return InspectionPlanned.model_validate(views.inspection(made))


@routes.get(
    "/api/v1/inspections",
    summary="Inspections, newest first. | 检查列表。",
    access=OFFICIALS,
    answers={200: InspectionsView},
)
async def listed(request: web.Request, actor: Actor, query: BeforeQuery) -> InspectionsView:
    rows = await inspections.listed(actor, programme=query.programme, before=query.before)
    shown = rows[: inspections.PAGE]
    return InspectionsView(
        inspections=[InspectionView.model_validate(views.inspection(one)) for one in shown],
        next_before=next_page(rows, inspections.PAGE),
    )


@routes.get(
    "/api/v1/inspections/{inspection_id}",
    summary="An inspection with its visits. | 检查详情。",
    access=OFFICIALS,
    answers={200: InspectionDetail},
)
async def detail(request: web.Request, actor: Actor, path: InspectionPath) -> InspectionDetail:
    row, programme = await request.app[SUPERVISION].inspections.of(path.inspection_id, actor=actor)
    return InspectionDetail.model_validate(
        {
            **views.inspection(row),
            "items": row.items,
            "visits": [views.visit(one) for one in await inspection_lists.visits_of(row, programme)],
            "signatures": views.signatures(await inspection_lists.signatures_of(row)),
        }
    )


@routes.post(
    "/api/v1/inspections/{inspection_id}/signature",
    summary="Sign its result for one's role. | 签署检查结果。",
    access=OFFICIALS,
    answers={200: InspectionView},
    refusals=(NotHeldByYou, InspectionOver, InspectionOpen, SignedAlready),
)
async def sign(request: web.Request, actor: Actor, path: InspectionPath) -> InspectionView:
    row = await request.app[SUPERVISION].inspections.sign(path.inspection_id, actor=actor)
    return InspectionView.model_validate(views.inspection(row))


@routes.post(
    "/api/v1/inspections/{inspection_id}/closing",
    summary="Close it with opinion and report. | 办结检查。",
    access=OFFICIALS,
    answers={200: InspectionView},
    refusals=(*WRITES, InspectionOpen),
)
async def close(
    request: web.Request, actor: Actor, path: InspectionPath, body: CloseInspection
) -> InspectionView:
    row = await request.app[SUPERVISION].inspections.close(
        path.inspection_id, opinion=body.opinion, file_ids=body.file_ids, version=body.version, actor=actor
    )
    return InspectionView.model_validate(views.inspection(row))


@routes.post(
    "/api/v1/inspections/{inspection_id}/cancellation",
    summary="Give up a plan before its first visit. | 取消检查计划。",
    access=OFFICIALS,
    answers={200: InspectionView},
    refusals=(NotHeldByYou, InspectionOver, WordsMissing, SupervisionMovedOn),
)
async def cancel(
    request: web.Request, actor: Actor, path: InspectionPath, body: CancelInspection
) -> InspectionView:
    row = await request.app[SUPERVISION].inspections.cancel(
        path.inspection_id, reason=body.reason, version=body.version, actor=actor
    )
    return InspectionView.model_validate(views.inspection(row))


@routes.post(
    "/api/v1/inspection-visits/{visit_id}/record",
    summary="Record a visit, once. | 登记走访结果。",
    access=OFFICIALS,
    answers={200: VisitView},
    refusals=(*WRITES, VisitMade, VisitIncomplete, DayImpossible),
)
async def record(request: web.Request, actor: Actor, path: VisitPath, body: RecordVisit) -> VisitView:
    row = await request.app[SUPERVISION].visits.record(
        path.visit_id,
        answers={code: Seeing(right=one.right, note=one.note) for code, one in body.answers.items()},
        seen=[
            Seen(
                item=one.item,
                says=one.says,
                serious=one.serious,
                file_ids=tuple(one.file_ids),
                wanted=one.wanted,
                due_on=one.due_on,
            )
            for one in body.findings
        ],
        opinion=body.opinion,
        file_ids=body.file_ids,
        visited_on=body.visited_on,
        version=body.version,
        actor=actor,
    )
    return views.visit(await inspection_lists.visit_shown(row.id))


@routes.post(
    "/api/v1/inspection-visits/{visit_id}/refusal",
    summary="Record that an inspection was refused. | 登记拒绝接受检查。",
    access=OFFICIALS,
    answers={200: VisitView},
    refusals=(*WRITES, VisitMade, WordsMissing),
)
async def refuse(request: web.Request, actor: Actor, path: VisitPath, body: RefusedVisit) -> VisitView:
    row = await request.app[SUPERVISION].visits.refuse(
        path.visit_id, words=body.words, file_ids=body.file_ids, version=body.version, actor=actor
    )
    return views.visit(await inspection_lists.visit_shown(row.id))


@routes.get(
    "/api/v1/rectifications",
    summary="What is to be put right: one's own, or all there is. | 整改事项。",
    access=READING,
    answers={200: RectificationsView},
)
async def to_rectify(request: web.Request, actor: Actor, query: RectificationQuery) -> RectificationsView:
    rows = await rectifications.listed(
        actor, programme=query.programme, status=query.status, after=query.after
    )
    shown = rows[: rectifications.PAGE]
    return RectificationsView(
        rectifications=[views.rectification(one) for one in shown],
        next_after=next_page(rows, inspections.PAGE),
    )


@routes.post(
    "/api/v1/rectifications/{rectification_id}/hand-in",
    summary="Hand in that it was put right, with proof. | 提交整改情况。",
    access=HANDLERS,
    answers={200: RectificationView},
    refusals=(TaskNotOpen, WordsMissing, FilesUnknown, SupervisionMovedOn),
)
async def hand_in(
    request: web.Request, actor: Actor, path: RectificationPath, body: HandInRectification
) -> RectificationView:
    row = await request.app[SUPERVISION].rectifications.hand_in(
        path.rectification_id,
        answer=body.answer,
        file_ids=body.file_ids,
        version=body.version,
        actor=actor,
    )
    return views.rectification(row)


@routes.post(
    "/api/v1/rectifications/{rectification_id}/decision",
    summary="Accept it, or send it back. | 核对整改情况。",
    access=OFFICIALS,
    answers={200: RectificationView},
    refusals=(TaskNotOpen, WordsMissing, OwnReview, SupervisionMovedOn),
)
async def decide(
    request: web.Request, actor: Actor, path: RectificationPath, body: DecideRectification
) -> RectificationView:
    row = await request.app[SUPERVISION].rectifications.decide(
        path.rectification_id, accept=body.accept, reason=body.reason, version=body.version, actor=actor
    )
    return views.rectification(row)


@routes.get(
    "/api/v1/contracts-to-watch",
    summary="Contracts behind schedule or at risk, with reasons. | 逾期或有风险的合同。",
    access=OFFICIALS,
    answers={200: WatchedList},
    refusals=(UnknownProgramme,),
)
async def watch(request: web.Request, actor: Actor, query: WatchQuery) -> WatchedList:
    access.require_programme(actor, query.programme)
    programme = request.app[PROGRAMMES].get(query.programme)
    defaults, now = request.app[SUPERVISION].defaults, request.app[CLOCKS].now(query.programme)
    rows = await contract_watch.watched(programme, defaults, now=now, after=query.after)
    shown = rows[: contract_watch.PAGE]
    return WatchedList(
        contracts=[
            WatchedView(
                order_id=one.order.id,
                number=one.order.number,
                project=one.order.project,
                enterprise=one.order.enterprise.name,
                provider=one.order.provider.name,
                behind=one.behind,
                reasons=[WatchReason(code=why.code, says=why.message) for why in one.reasons],
            )
            for one in shown
        ],
        next_after=next_page(rows, inspections.PAGE, attrgetter("order.id")),
    )


@routes.get(
    "/api/v1/service-files/{provider_id}",
    summary="A provider's service file, newest first. | 服务档案。",
    access=READING,
    answers={200: ServiceFileView},
)
async def service_file(
    request: web.Request, actor: Actor, path: FiledProviderPath, query: BeforeQuery
) -> ServiceFileView:
    page = await service_files.page(
        path.provider_id, actor=actor, programme=query.programme, before=query.before
    )
    return ServiceFileView(
        provider_id=path.provider_id,
        entries=[views.entry(one, own=page.own) for one in page.rows],
        next_before=page.next_before,
    )
