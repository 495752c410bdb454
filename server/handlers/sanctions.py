"""Sanctions over HTTP: hearing, deciding, lifting, referring, answering appeals."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import Routes
from server.handlers.paging import AfterId
from server.handlers.parsing import Body, Day, Id, Query, SeenVersion
from server.handlers.sanction_views import (
    ATTACHED,
    DECIDING,
    LONGEST,
    MOST_FILES,
    MOVED,
    PROPOSING,
    REASON,
    SEEING,
    SanctionCases,
    SanctionPath,
    SanctionPreviewView,
    SanctionReferralView,
    SanctionView,
    page_of,
    preview_of,
    shown,
)
from server.keys import SANCTIONS
from server.rules.sanction_cases import SanctionStatus
from server.services.access import Actor
from server.services.sanctions import sanction_lists
from server.services.sanctions.recoveries import RecoveryMovedOn
from server.services.sanctions.removals import RemovalUnderWay
from server.services.sanctions.sanction_appeals import NotLiftable
from server.services.sanctions.sanction_decisions import (
    HearingOutstanding,
    NotYoursToDecide,
    OffsetNotAllowed,
    PreviewStale,
)
from server.services.sanctions.sanction_hearings import HeardAlready
from server.services.sanctions.sanction_referrals import NothingToRefer, ReferralDayImpossible

routes = Routes("sanctions")


class SanctionQuery(Query):
    """Which cases."""

    programme: str | None = Field(default=None, max_length=64, description="Of one programme. | 项目代码。")
    status: SanctionStatus | None = Field(default=None, description="In one status. | 状态。")
    after: AfterId = 0


class SeenSanction(Body):
    """A change of a case that was seen."""

    version: SeenVersion


class ReasonedSanction(SeenSanction):
    """The same with a reason."""

    reason: str = Field(min_length=2, max_length=LONGEST, description=REASON)


class DecideSanction(ReasonedSanction):
    """A decision, on what was shown."""

    preview: str = Field(min_length=64, max_length=64, description="The preview's digest. | 预览摘要。")
    may_offset: bool = Field(
        default=False, description="Later payments may be kept back. | 是否可从后续兑付抵扣追缴款。"
    )


class AnswerSanctionAppeal(ReasonedSanction):
    """The answer to an appeal."""

    upheld: bool = Field(description="Whether it is upheld. | 申诉是否成立。")


class NoteSanction(Body):
    """What was said by word of mouth."""

    words: str = Field(min_length=2, max_length=LONGEST, description="What was said. | 内容。")


class ReferSanction(SeenSanction):
    """To whom a case is handed."""

    to: str = Field(
        default="", max_length=200, description="To whom; empty: whom the text names. | 移送对象。"
    )
    on: Day = Field(description="On which day. | 移送日期。")
    file_number: str = Field(min_length=1, max_length=100, description="Under which number. | 文号。")
    documents: list[str] = Field(min_length=1, max_length=50, description="What goes with it. | 移送材料。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Copies. | 附件。")


@routes.get(
    "/api/v1/sanctions",
    summary="The cases of my programmes and areas. | 案件列表。",
    access=SEEING,
    answers={200: SanctionCases},
)
async def every(request: web.Request, actor: Actor, query: SanctionQuery) -> SanctionCases:
    rows = await sanction_lists.page(actor, slug=query.programme, status=query.status, after=query.after)
    return page_of(rows)


@routes.get(
    "/api/v1/sanctions/{sanction_id}",
    summary="One case with everything in it. | 案件详情。",
    access=SEEING,
    answers={200: SanctionView},
)
async def one(request: web.Request, actor: Actor, path: SanctionPath) -> SanctionView:
    file = await sanction_lists.seen_by_staff(actor, path.sanction_id)
    return await shown(request, file.case)


@routes.get(
    "/api/v1/sanctions/{sanction_id}/preview",
    summary="What a decision would do now, with its sums. | 处理预览：将作废、停止和追缴的内容及计算。",
    access=SEEING,
    answers={200: SanctionPreviewView},
)
async def preview(request: web.Request, actor: Actor, path: SanctionPath) -> SanctionPreviewView:
    return preview_of(await request.app[SANCTIONS].decisions.preview(path.sanction_id, actor=actor))


@routes.post(
    "/api/v1/sanctions/{sanction_id}/hearing",
    summary="Tell the party and give it time to state its case. | 通知当事人陈述申辩。",
    access=PROPOSING,
    answers={200: SanctionView},
    refusals=(*MOVED, HeardAlready),
)
async def hear(request: web.Request, actor: Actor, path: SanctionPath, body: SeenSanction) -> SanctionView:
    hearings = request.app[SANCTIONS].hearings
    return await shown(request, await hearings.call(path.sanction_id, version=body.version, actor=actor))


@routes.post(
    "/api/v1/sanctions/{sanction_id}/hearing/skipping",
    summary="Say why the party is not heard. | 说明不听取陈述申辩的理由。",
    access=PROPOSING,
    answers={200: SanctionView},
    refusals=(*MOVED, HeardAlready),
)
async def skip(
    request: web.Request, actor: Actor, path: SanctionPath, body: ReasonedSanction
) -> SanctionView:
    hearings = request.app[SANCTIONS].hearings
    case = await hearings.skip(path.sanction_id, body.reason, version=body.version, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/notes",
    summary="Keep what was said by word of mouth. | 记录口头陈述。",
    access=PROPOSING,
    answers={201: SanctionView},
    refusals=MOVED,
)
async def note(request: web.Request, actor: Actor, path: SanctionPath, body: NoteSanction) -> SanctionView:
    case = await request.app[SANCTIONS].hearings.note(path.sanction_id, body.words, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/decision",
    summary="DecideSanction on what the preview showed. | 作出处理决定。",
    access=DECIDING,
    answers={200: SanctionView},
    refusals=(*MOVED, NotYoursToDecide, HearingOutstanding, PreviewStale, OffsetNotAllowed,
              RemovalUnderWay),
)  # fmt: skip
async def decide(
    request: web.Request, actor: Actor, path: SanctionPath, body: DecideSanction
) -> SanctionView:
    case = await request.app[SANCTIONS].decisions.decide(
        path.sanction_id,
        version=body.version,
        digest=body.preview,
        reason=body.reason,
        may_offset=body.may_offset,
        actor=actor,
    )
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/dismissal",
    summary="DecideSanction that nothing follows. | 决定不予处理。",
    access=DECIDING,
    answers={200: SanctionView},
    refusals=(*MOVED, NotYoursToDecide),
)
async def dismiss(
    request: web.Request, actor: Actor, path: SanctionPath, body: ReasonedSanction
) -> SanctionView:
    decisions = request.app[SANCTIONS].decisions
    case = await decisions.dismiss(path.sanction_id, version=body.version, reason=body.reason, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/withdrawal",
    summary="Take one's own proposal back. | 撤回处理建议。",
    access=PROPOSING,
    answers={200: SanctionView},
    refusals=MOVED,
)
async def withdraw(
    request: web.Request, actor: Actor, path: SanctionPath, body: ReasonedSanction
) -> SanctionView:
    cases = request.app[SANCTIONS].cases
    case = await cases.withdraw(path.sanction_id, body.reason, version=body.version, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/lifting",
    summary="End what a decision bars or holds, where the text lets it. | 解除处理。",
    access=DECIDING,
    answers={200: SanctionView},
    refusals=(*MOVED, NotLiftable),
)
async def lift(
    request: web.Request, actor: Actor, path: SanctionPath, body: ReasonedSanction
) -> SanctionView:
    appeals = request.app[SANCTIONS].appeals
    case = await appeals.lift(path.sanction_id, body.reason, version=body.version, actor=actor)
    return await shown(request, case)


@routes.post(
    "/api/v1/sanctions/{sanction_id}/referrals",
    summary="Record to whom a case was handed. | 登记移送。",
    access=DECIDING,
    answers={201: SanctionReferralView},
    refusals=(*MOVED, *ATTACHED, NothingToRefer, ReferralDayImpossible),
)
async def refer(
    request: web.Request, actor: Actor, path: SanctionPath, body: ReferSanction
) -> SanctionReferralView:
    made = await request.app[SANCTIONS].referrals.refer(path.sanction_id, **body.model_dump(), actor=actor)
    return SanctionReferralView(**{name: getattr(made, name) for name in SanctionReferralView.model_fields})


@routes.post(
    "/api/v1/sanctions/{sanction_id}/appeal/answer",
    summary="Answer an appeal; by somebody who had no part. | 答复申诉，由未参与原决定的人员办理。",
    access=DECIDING,
    answers={200: SanctionView},
    refusals=(*MOVED, RecoveryMovedOn),
)
async def answer_appeal(
    request: web.Request, actor: Actor, path: SanctionPath, body: AnswerSanctionAppeal
) -> SanctionView:
    case = await request.app[SANCTIONS].appeals.answer(
        path.sanction_id, upheld=body.upheld, reason=body.reason, version=body.version, actor=actor
    )
    return await shown(request, case)
