"""The complaints desk over HTTP: whoever works on a rung; the mailbox is the oversight body's same desk."""

from __future__ import annotations

from typing import Literal

from aiohttp import web
from pydantic import Field

from server.handlers.api import Answer, Routes, person_or_staff, staff
from server.handlers.complaint_views import (
    ComplaintPath,
    ComplaintSummary,
    HandledComplaint,
    handled_view,
    summary_view,
)
from server.handlers.complaints import ABOUT, ATTACHED, MOVED, SPOKEN
from server.handlers.files import SHOWN, SHOWN_EXTENSIONS
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Path, Query
from server.keys import COMPLAINTS
from server.rules.complaints import (
    LONGEST_CONTACT,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    LONGEST_STORY,
    MOST_FILES,
    Channel,
    EntryKind,
    Finding,
    SubjectKind,
)
from server.services.access import Actor, StaffRole
from server.services.allowances import TooManyToday
from server.services.complaints import complaint_lists
from server.services.complaints.complaint_book import ComplainantRevealed
from server.services.complaints.complaint_desk import (
    ComplainantReasonMissing,
    ComplainantUnnamed,
    NoSuchColleague,
    NotYourComplaint,
    OwnAnswer,
)
from server.services.complaints.complaint_files import FileUnfit
from server.services.complaints.complaint_handling import (
    FindingMissing,
    HoldImpossible,
    NobodyAccused,
    NothingAbove,
)
from server.services.complaints.complaint_lists import PAGE, Queue
from server.services.complaints.complaints import Filing
from server.services.files.evidence import EvidenceDamaged
from server.services.files.files import ViewReasonMissing
from server.services.reviews.reviewers import OwnReview

routes = Routes("complaint_desk")

HANDLERS = (
    StaffRole.OPERATOR,
    StaffRole.AUTHORITY,
    StaffRole.DIVISION,
    StaffRole.DISTRICT,
    StaffRole.TREASURY,
    StaffRole.OVERSIGHT_BODY,
)
"""Who may stand on a rung of a ladder."""
TAKEN = (*SPOKEN, *MOVED, NotYourComplaint)


class QueueQuery(Query):
    """Which cases."""

    queue: Queue = Field(default=Queue.ALL, description="Which queue. | 队列。")
    programme: str | None = Field(default=None, max_length=64, description="Of one programme. | 项目代码。")
    after: int = Field(default=0, ge=0, description="After this case. | 从该投诉之后开始。")


class WhyQuery(Query):
    """Why somebody looks."""

    why: str = Field(default="", max_length=200, description="Why; it is kept. | 查看理由，将留痕。")


class AttachmentQuery(WhyQuery):
    """Why, and whether it is known what one will see."""

    unfit: int = Field(
        default=0, ge=0, le=1, description="1: I know that WeChat found it unfit. | 1 为已知悉内容安全提示。"
    )


class AttachmentPath(Path):
    """A file that came with an entry."""

    attachment_id: Id = Field(description="The attachment. | 附件编号。")


class RecordComplaint(Body):
    """What a caller or a letter says."""

    channel: Literal["hotline", "letter"] = Field(description="How it came. | 来源渠道。")
    subject: SubjectKind = Field(description="What it is about. | 投诉对象类型。")
    subject_id: Id | None = Field(default=None, description="The order, provider or round. | 对象编号。")
    programme: str | None = Field(default=None, max_length=64, description="The programme. | 项目代码。")
    happened: str = Field(max_length=LONGEST_STORY, description="What happened. | 发生了什么。")
    since: Day | None = Field(default=None, description="Since when. | 从何时起。")
    wanted: str = Field(default="", max_length=LONGEST_MESSAGE, description="What is wanted. | 诉求。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="The scan. | 扫描件。")
    anonymous: bool = Field(description="Nobody shall read whose it is. | 是否匿名。")
    name: str = Field(default="", max_length=LONGEST_NAME, description="The caller's name. | 投诉人姓名。")
    contact: str = Field(default="", max_length=LONGEST_CONTACT, description="Their number. | 联系方式。")


class AssignComplaint(Body):
    """To whom."""

    staff_id: Id = Field(description="A colleague of the rung. | 办理人员编号。")


class SayInComplaint(Body):
    """What is said, and to whom."""

    kind: Literal["message", "request", "mediation", "note"] = Field(
        description="To whom it goes. | 发给投诉人、被投诉单位、双方或内部。"
    )
    words: str = Field(max_length=LONGEST_MESSAGE, description="What is said. | 内容。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Files of mine. | 附件。")


class GiveReason(Body):
    """Why."""

    reason: str = Field(max_length=LONGEST_MESSAGE, description="Why. | 理由。")


class FindInComplaint(Body):
    """What looking into it came to."""

    finding: Finding = Field(description="True or not. | 属实或不属实。")
    reasons: str = Field(max_length=LONGEST_MESSAGE, description="Why, read by both sides. | 理由。")
    serious: bool = Field(description="Its effect is serious. | 是否造成严重影响。")


class AnswerComplaint(Body):
    """The answer."""

    words: str = Field(max_length=LONGEST_MESSAGE, description="The answer. | 答复内容。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Files of mine. | 附件。")


class ComplaintQueue(Answer):
    """A page, the most pressing first."""

    complaints: list[ComplaintSummary] = Field(description="The cases. | 投诉列表。")
    next_after: NextPage


class ComplainantView(Answer):
    """Whose a named case is."""

    name: str = Field(description="The name. | 姓名。")
    contact: str = Field(description="How to reach them. | 联系方式。")


@routes.get(
    "/api/v1/complaint-desk",
    summary="The cases of my rungs. | 本层级的投诉。",
    access=staff(*HANDLERS),
    answers={200: ComplaintQueue},
)
async def cases(request: web.Request, actor: Actor, query: QueueQuery) -> ComplaintQueue:
    rows = await complaint_lists.queue(
        request.app[COMPLAINTS].book,
        query.queue,
        actor=actor,
        programme=query.programme,
        after=query.after,
    )
    return ComplaintQueue(
        complaints=[summary_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/complaint-desk",
    summary="Write a complaint down for a caller or from a letter. | 代登记来电、来信投诉。",
    access=staff(*HANDLERS),
    answers={201: ComplaintSummary},
    refusals=(*SPOKEN, *ATTACHED, *ABOUT),
)
async def record(request: web.Request, actor: Actor, body: RecordComplaint) -> ComplaintSummary:
    filing = Filing(
        channel=Channel(body.channel),
        subject=body.subject,
        subject_id=body.subject_id,
        programme_slug=body.programme,
        happened=body.happened,
        since=body.since,
        wanted=body.wanted,
        file_ids=tuple(body.file_ids),
        anonymous=body.anonymous,
        name=body.name,
        contact=body.contact,
        person_id=None,
        sender_id=None,
    )
    return summary_view(await request.app[COMPLAINTS].desk.record(filing, actor=actor))


@routes.get(
    "/api/v1/complaint-desk/{complaint_id}",
    summary="A case of my rungs with its thread. | 本层级的一件投诉及办理过程。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
)
async def case(request: web.Request, actor: Actor, path: ComplaintPath) -> HandledComplaint:
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/claim",
    summary="Take a case on. | 受理、领取投诉。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*MOVED, NotYourComplaint, OwnAnswer, OwnReview),
)
async def claim(request: web.Request, actor: Actor, path: ComplaintPath) -> HandledComplaint:
    await request.app[COMPLAINTS].desk.claim(path.complaint_id, actor=actor)
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/release",
    summary="Give a case back to the rung. | 退回待领。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*MOVED, NotYourComplaint),
)
async def release(request: web.Request, actor: Actor, path: ComplaintPath) -> HandledComplaint:
    await request.app[COMPLAINTS].desk.release(path.complaint_id, actor=actor)
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/assignment",
    summary="Hand a case to a colleague. | 转交同事办理。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*MOVED, NotYourComplaint, NoSuchColleague, OwnAnswer),
)
async def assign(
    request: web.Request, actor: Actor, path: ComplaintPath, body: AssignComplaint
) -> HandledComplaint:
    await request.app[COMPLAINTS].desk.assign(path.complaint_id, body.staff_id, actor=actor)
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/messages",
    summary="Say something in a case. | 发送消息、要求说明、组织调解或内部记录。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*TAKEN, *ATTACHED, ComplainantRevealed, TooManyToday, NobodyAccused),
)
async def say(
    request: web.Request, actor: Actor, path: ComplaintPath, body: SayInComplaint
) -> HandledComplaint:
    await request.app[COMPLAINTS].handling.say(
        path.complaint_id, EntryKind(body.kind), body.words, file_ids=body.file_ids, actor=actor
    )
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/hold",
    summary="Hold the order while it is looked into. | 核查期间暂扣订单。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*TAKEN, HoldImpossible),
)
async def hold(request: web.Request, actor: Actor, path: ComplaintPath, body: GiveReason) -> HandledComplaint:
    await request.app[COMPLAINTS].handling.hold(path.complaint_id, body.reason, actor=actor)
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/hold/lifting",
    summary="Let the order go. | 解除暂扣。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*TAKEN, HoldImpossible),
)
async def lift(request: web.Request, actor: Actor, path: ComplaintPath, body: GiveReason) -> HandledComplaint:
    await request.app[COMPLAINTS].handling.lift(path.complaint_id, body.reason, actor=actor)
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/finding",
    summary="Say whether it is true, and why. | 作出核查认定。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*TAKEN, ComplainantRevealed, TooManyToday),
)
async def find(
    request: web.Request, actor: Actor, path: ComplaintPath, body: FindInComplaint
) -> HandledComplaint:
    await request.app[COMPLAINTS].handling.find(
        path.complaint_id, body.finding, body.reasons, serious=body.serious, actor=actor
    )
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/answer",
    summary="Answer; from then on its complainant has the word. | 答复投诉人。",
    access=staff(*HANDLERS),
    answers={200: HandledComplaint},
    refusals=(*TAKEN, *ATTACHED, FindingMissing),
)
async def answer(
    request: web.Request, actor: Actor, path: ComplaintPath, body: AnswerComplaint
) -> HandledComplaint:
    await request.app[COMPLAINTS].handling.answer(
        path.complaint_id, body.words, file_ids=body.file_ids, actor=actor
    )
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaint-desk/{complaint_id}/hand-over",
    summary="Hand a case up to the next rung. | 移交上一级办理。",
    access=staff(*HANDLERS),
    answers={200: ComplaintSummary},
    refusals=(*TAKEN, NothingAbove),
)
async def hand_over(
    request: web.Request, actor: Actor, path: ComplaintPath, body: GiveReason
) -> ComplaintSummary:
    moved = await request.app[COMPLAINTS].handling.hand_over(path.complaint_id, body.reason, actor=actor)
    return summary_view(moved)


@routes.get(
    "/api/v1/complaint-desk/{complaint_id}/complainant",
    summary="Who complained in a named case I have in hand; kept. | 查看实名投诉人，将留痕。",
    access=staff(*HANDLERS),
    answers={200: ComplainantView},
    refusals=(NotYourComplaint, ComplainantUnnamed, ComplainantReasonMissing),
)
async def complainant(
    request: web.Request, actor: Actor, path: ComplaintPath, query: WhyQuery
) -> ComplainantView:
    whose = await request.app[COMPLAINTS].desk.identity(path.complaint_id, why=query.why, actor=actor)
    return ComplainantView(name=whose.name, contact=whose.contact)


@routes.get(
    "/api/v1/complaint-attachments/{attachment_id}/content",
    summary="The safe copy of what came with an entry I may read. | 查看投诉附件。",
    access=person_or_staff(*HANDLERS),
    answers={200: SHOWN},
    refusals=(ViewReasonMissing, FileUnfit, EvidenceDamaged),
)
async def content(
    request: web.Request, actor: Actor, path: AttachmentPath, query: AttachmentQuery
) -> web.Response:
    file, shown = await request.app[COMPLAINTS].files.view(
        path.attachment_id, actor=actor, why=query.why, unfit=query.unfit == 1
    )
    # Without the name its owner gave it: that may say who it is.
    name = f"{path.attachment_id}.{SHOWN_EXTENSIONS[file.shown_media_type]}"
    return web.Response(
        body=shown,
        headers={
            "Content-Type": file.shown_media_type,
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
            "Cross-Origin-Resource-Policy": "same-origin",
        },
    )


async def _shown(request: web.Request, actor: Actor, complaint_id: int) -> HandledComplaint:
    office = request.app[COMPLAINTS]
    return handled_view(await complaint_lists.handled_case(office.book, complaint_id, actor=actor))
