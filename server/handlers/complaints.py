"""Complaints over HTTP: whoever complains, from filing to rating the handling, and the accused side."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server import texts
from server.errors import Refusal
from server.handlers.api import PERSON, PUBLIC, Answer, Routes
from server.handlers.complaint_views import (
    BASIS,
    AccusationView,
    ComplaintPath,
    ComplaintSummary,
    OwnComplaint,
    accusation_view,
    own_view,
    summary_view,
)
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Path, Query
from server.handlers.ratings import RatingPath
from server.keys import COMPLAINTS
from server.programme.registry import UnknownProgramme
from server.rules.complaints import (
    LONGEST_CONTACT,
    LONGEST_MESSAGE,
    LONGEST_NAME,
    LONGEST_STORY,
    MOST_FILES,
    SATISFACTION,
    Channel,
    SubjectKind,
    ladder_of,
)
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.services.access import Actor, NoOrganisation
from server.services.allowances import TooManyToday
from server.services.complaints import complaint_lists
from server.services.complaints.accusations import PAGE
from server.services.complaints.complaint_aims import ComplaintSubjectUnknown
from server.services.complaints.complaint_book import ComplaintMovedOn, ComplaintTooManyFiles
from server.services.complaints.complaints import (
    AlreadyInMailbox,
    ComplaintEmpty,
    ComplaintTooLong,
    ComplaintWindowOver,
    Filing,
    HandlingLevelUnknown,
    RatingNotLow,
    UrgedAlready,
    Whose,
)
from server.services.files.files import FilesUnknown

routes = Routes("complaints")

SPOKEN = (ComplaintEmpty, ComplaintTooLong)
MOVED = (NotPermittedNow, IllegalMove, ComplaintMovedOn)
ATTACHED = (FilesUnknown, ComplaintTooManyFiles)
ABOUT = (ComplaintSubjectUnknown, UnknownProgramme)


class RevealUnread(Refusal):
    """An anonymous complaint names an order, and its complainant was not told that it may reveal them."""

    status, code = 422, "complaint_reveal_unread"


class TermsQuery(Query):
    """Of which programme."""

    programme: str | None = Field(default=None, max_length=64, description="The programme. | 项目代码。")


class RungView(Answer):
    """One rung of the ladder."""

    name: str = Field(description="Who handles it. | 办理层级。")
    when: str = Field(description="When a case comes there. | 何时进入。")
    answer_working_days: int = Field(description="Working days for an answer. | 答复期限，工作日。")
    by_default: bool = Field(description="No text says so: the house's default. | 是否平台默认。")
    mailbox: bool = Field(description="Nobody of another rung reads it. | 是否独立信箱。")


class ComplaintTerms(Answer):
    """How complaints are handled, and what to know before one is filed."""

    basis: str = Field(description=BASIS)
    channels: list[str] = Field(description="How one may complain. | 投诉渠道。")
    rungs: list[RungView] = Field(description="The ladder. | 办理层级。")
    confirm_working_days: int = Field(description="For one's word on an answer. | 确认期限，工作日。")
    reopen_working_days: int = Field(description="For opening it again. | 重新办理期限，工作日。")
    urge_working_days: int = Field(description="Urging: once in so many. | 催办间隔，工作日。")
    defaults: str = Field(description="What is said of the house's own lengths. | 平台默认规则的说明。")
    warning: str = Field(description="Naming an order may reveal who complains. | 匿名提示。")
    satisfaction: list[str] = Field(description="How the handling was: the words. | 办理评价选项。")


class FileComplaint(Body):
    """What somebody complains of."""

    subject: SubjectKind = Field(description="What it is about. | 投诉对象类型。")
    subject_id: Id | None = Field(default=None, description="The order, provider or round. | 对象编号。")
    programme: str | None = Field(default=None, max_length=64, description="The programme. | 项目代码。")
    happened: str = Field(max_length=LONGEST_STORY, description="What happened. | 发生了什么。")
    since: Day | None = Field(default=None, description="Since when. | 从何时起。")
    wanted: str = Field(default="", max_length=LONGEST_MESSAGE, description="What is wanted. | 诉求。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="My files. | 附件。")
    anonymous: bool = Field(description="Nobody shall read whose it is. | 是否匿名。")
    name: str = Field(default="", max_length=LONGEST_NAME, description="My name. | 姓名。")
    contact: str = Field(default="", max_length=LONGEST_CONTACT, description="How to reach me. | 联系方式。")
    warning_read: bool = Field(
        default=False, description="I know that naming an order may reveal me. | 已知悉匿名提示。"
    )


class SupplementComplaint(Body):
    """What is added."""

    words: str = Field(max_length=LONGEST_MESSAGE, description="What I add. | 补充内容。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="My files. | 附件。")


class WithdrawComplaint(Body):
    """Why it is taken back."""

    reason: str = Field(default="", max_length=LONGEST_MESSAGE, description="Why. | 撤回原因。")


class ReopenComplaint(Body):
    """Why the answer does not content."""

    reason: str = Field(max_length=LONGEST_MESSAGE, description="Why. | 不满意的原因。")
    mailbox: bool = Field(
        default=False,
        description="Past everybody who has handled it. | 是否转独立信箱，此前各级不再可见。",
    )


class RateHandling(Body):
    """How the handling was; the service is rated elsewhere."""

    level: str = Field(max_length=16, description="One of the words. | 评价。")
    words: str = Field(default="", max_length=LONGEST_MESSAGE, description="In one's own words. | 说明。")


class StateAccount(Body):
    """The accused side's account."""

    words: str = Field(max_length=LONGEST_MESSAGE, description="What we say. | 情况说明。")
    file_ids: list[Id] = Field(default=[], max_length=MOST_FILES, description="Our files. | 附件。")


class AccusationPath(Path):
    """A case my organisation was called into."""

    accusation_id: Id = Field(description="The case. | 投诉编号（内部）。")


class AccusationsQuery(Query):
    """Which page."""

    after: int = Field(default=0, ge=0, description="After this case's id. | 从该编号之后开始。")


class OwnComplaints(Answer):
    """My cases, the newest first."""

    complaints: list[ComplaintSummary] = Field(description="The cases. | 投诉列表。")


class AccusationList(Answer):
    """A page, by id; without their threads."""

    accusations: list[AccusationView] = Field(description="The cases. | 涉及本单位的投诉。")
    next_after: NextPage


@routes.get(
    "/api/v1/complaints/terms",
    summary="How complaints are handled, and what to know before. | 投诉办理规则和须知。",
    access=PUBLIC,
    answers={200: ComplaintTerms},
    refusals=(UnknownProgramme,),
)
async def terms(request: web.Request, query: TermsQuery) -> ComplaintTerms:
    book = request.app[COMPLAINTS].book
    programme = None if query.programme is None else book.programmes.get(query.programme)
    ladder, defaults = ladder_of(programme, book.defaults), book.defaults
    text = None if programme is None else programme.complaints
    return ComplaintTerms(
        basis=ladder.basis,
        channels=list(dict.fromkeys((*(text.channels if text else ()), *defaults.channels))),
        rungs=[
            RungView(
                name=rung.name,
                when=rung.when,
                answer_working_days=ladder.answer_days(place),
                by_default=rung.assumed or not ladder.names_answer_days(place),
                mailbox=rung.bypasses_operator,
            )
            for place, rung in enumerate(ladder.rungs)
        ],
        confirm_working_days=defaults.confirm_working_days,
        reopen_working_days=defaults.reopen_working_days,
        urge_working_days=defaults.urge_working_days,
        defaults=defaults.says,
        warning=texts.COMPLAINT_MAY_REVEAL,
        satisfaction=list(SATISFACTION),
    )


@routes.post(
    "/api/v1/complaints",
    summary="File a complaint: number and date at once. | 提交投诉，当即返回编号和答复期限。",
    access=PERSON,
    answers={201: ComplaintSummary},
    refusals=(*SPOKEN, *ATTACHED, *ABOUT, RevealUnread, TooManyToday),
)
async def file(request: web.Request, actor: Actor, body: FileComplaint) -> ComplaintSummary:
    if body.anonymous and body.subject is SubjectKind.ORDER and not body.warning_read:
        raise RevealUnread(warning=texts.COMPLAINT_MAY_REVEAL)
    filing = Filing(
        channel=Channel.MINI_PROGRAM,
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
        person_id=actor.id,
        sender_id=None,
    )
    return summary_view(await request.app[COMPLAINTS].complaints.submit(filing))


@routes.post(
    "/api/v1/ratings/{rating_id}/complaint",
    summary="Make my low rating a complaint, in one tap. | 差评一键转投诉。",
    access=IN_CHARGE,
    answers={201: ComplaintSummary},
    refusals=(NoOrganisation, RatingNotLow, *SPOKEN, *ATTACHED, ComplaintSubjectUnknown, TooManyToday),
)
async def from_rating(request: web.Request, actor: Actor, path: RatingPath) -> ComplaintSummary:
    return summary_view(await request.app[COMPLAINTS].complaints.from_rating(path.rating_id, actor=actor))


@routes.get(
    "/api/v1/complaints",
    summary="My complaints, the newest first. | 我的投诉，最新在前。",
    access=PERSON,
    answers={200: OwnComplaints},
)
async def mine(request: web.Request, actor: Actor) -> OwnComplaints:
    rows = await request.app[COMPLAINTS].complaints.of_complainant(person_id=actor.id, sender_id=None)
    return OwnComplaints(complaints=[summary_view(row) for row in rows])


@routes.get(
    "/api/v1/complaints/{complaint_id}",
    summary="A complaint of mine with its thread. | 我的投诉及办理过程。",
    access=PERSON,
    answers={200: OwnComplaint},
)
async def one(request: web.Request, actor: Actor, path: ComplaintPath) -> OwnComplaint:
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/supplements",
    summary="Add to my complaint. | 补充投诉内容。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=(*SPOKEN, *MOVED, *ATTACHED, TooManyToday),
)
async def supplement(
    request: web.Request, actor: Actor, path: ComplaintPath, body: SupplementComplaint
) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.supplement(
        path.complaint_id, body.words, file_ids=body.file_ids, by=_whose(actor)
    )
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/urges",
    summary="Urge, once in a period. | 催办，每个期限一次。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=(*MOVED, UrgedAlready),
)
async def urge(request: web.Request, actor: Actor, path: ComplaintPath) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.urge(path.complaint_id, by=_whose(actor))
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/withdrawal",
    summary="Take my complaint back, for good. | 撤回投诉。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=(ComplaintTooLong, *MOVED),
)
async def withdraw(
    request: web.Request, actor: Actor, path: ComplaintPath, body: WithdrawComplaint
) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.withdraw(path.complaint_id, reason=body.reason, by=_whose(actor))
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/confirmation",
    summary="Content with the answer. | 确认处理结果。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=MOVED,
)
async def confirm(request: web.Request, actor: Actor, path: ComplaintPath) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.confirm(path.complaint_id, by=_whose(actor))
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/reopening",
    summary="Not content: the next rung, or the mailbox. | 不满意，要求重新办理或转独立信箱。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=(*SPOKEN, *MOVED, ComplaintWindowOver, AlreadyInMailbox),
)
async def reopen(
    request: web.Request, actor: Actor, path: ComplaintPath, body: ReopenComplaint
) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.reopen(
        path.complaint_id, reason=body.reason, mailbox=body.mailbox, by=_whose(actor)
    )
    return await _shown(request, actor, path.complaint_id)


@routes.post(
    "/api/v1/complaints/{complaint_id}/handling-rating",
    summary="How the handling was, once. | 评价办理情况，仅限一次。",
    access=PERSON,
    answers={200: OwnComplaint},
    refusals=(ComplaintTooLong, HandlingLevelUnknown, *MOVED),
)
async def rate(request: web.Request, actor: Actor, path: ComplaintPath, body: RateHandling) -> OwnComplaint:
    await request.app[COMPLAINTS].complaints.rate(
        path.complaint_id, body.level, words=body.words, by=_whose(actor)
    )
    return await _shown(request, actor, path.complaint_id)


@routes.get(
    "/api/v1/accusations",
    summary="Complaints my organisation was called into. | 涉及本单位的投诉。",
    access=PERSON,
    answers={200: AccusationList},
    refusals=(NoOrganisation,),
)
async def accusations(request: web.Request, actor: Actor, query: AccusationsQuery) -> AccusationList:
    rows = await request.app[COMPLAINTS].accusations.mine(actor=actor, after=query.after)
    return AccusationList(
        accusations=[accusation_view(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/accusations/{accusation_id}",
    summary="One of them, as far as my side may read it. | 涉及本单位的一件投诉。",
    access=PERSON,
    answers={200: AccusationView},
    refusals=(NoOrganisation,),
)
async def accusation(request: web.Request, actor: Actor, path: AccusationPath) -> AccusationView:
    return accusation_view(await request.app[COMPLAINTS].accusations.one(path.accusation_id, actor=actor))


@routes.post(
    "/api/v1/accusations/{accusation_id}/statements",
    summary="Give my side's account. | 提交情况说明。",
    access=IN_CHARGE,
    answers={200: AccusationView},
    refusals=(NoOrganisation, *SPOKEN, *MOVED, *ATTACHED, TooManyToday),
)
async def state(
    request: web.Request, actor: Actor, path: AccusationPath, body: StateAccount
) -> AccusationView:
    return accusation_view(
        await request.app[COMPLAINTS].accusations.state(
            path.accusation_id, body.words, file_ids=body.file_ids, actor=actor
        )
    )


def _whose(actor: Actor) -> Whose:
    return Whose(person_id=actor.id)


async def _shown(request: web.Request, actor: Actor, complaint_id: int) -> OwnComplaint:
    office = request.app[COMPLAINTS]
    return own_view(await complaint_lists.own_case(office.complaints, complaint_id, _whose(actor)))
