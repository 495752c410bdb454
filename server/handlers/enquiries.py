"""Enquiries over HTTP: what enterprises look for, what providers answer, and the thread between the two."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, PUBLIC, Answer, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.parsing import LARGEST_FEN, Body, Id, Path, Query
from server.handlers.programmes import FieldView
from server.keys import ENQUIRIES, PROGRAMMES
from server.models.enquiries import Enquiry, EnquiryAnswer, EnquiryMessage
from server.programme.vocabulary import Party
from server.rules.enquiries import LONGEST_MESSAGE, EnquiryStatus
from server.rules.forms import LONGEST_TEXT
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.services import enquiry_book
from server.services.access import Actor, NoOrganisation
from server.services.enquiries import (
    EnquiriesNotHere,
    EnquiryAnswered,
    EnquiryEmpty,
    EnquiryMovedOn,
    EnquiryUnusable,
    OwnEnquiry,
    rules_of,
)
from server.services.enquiry_book import PAGE, Thread
from server.services.reviews import CaseMovedOn
from server.services.standings import NotInStanding

routes = Routes("enquiries")

MOST_FIELDS = 50
Code = Annotated[str, Field(min_length=1, max_length=64)]
Value = (
    bool
    | Annotated[int, Field(ge=-LARGEST_FEN, le=LARGEST_FEN)]
    | Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
)
VALUES = "By the programme's field codes; money in fen. | 按字段代码填写，金额单位分。"
NEXT = "Where the next page starts. | 下一页起点，无则为空。"


class EnquiryPath(Path):
    """An enquiry."""

    enquiry_id: Id = Field(description="The enquiry. | 需求编号。")


class AnswerPath(Path):
    """A thread."""

    answer_id: Id = Field(description="The answer that began it. | 回复编号。")


class FormQuery(Query):
    """Of which programme."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")


class ShownQuery(Query):
    """Which page."""

    programme: str | None = Field(default=None, max_length=64, description="Of one programme. | 项目代码。")
    before: Id | None = Field(default=None, description="Before this id; newest first. | 从该编号之前开始。")


class PageQuery(Query):
    """Which page."""

    after: int = Field(default=0, ge=0, description="After this id. | 从该编号之后开始。")


class WriteEnquiry(Body):
    """What is looked for."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    values: dict[Code, Value] = Field(max_length=MOST_FIELDS, description=VALUES)
    anonymous: bool = Field(description="Shown without my organisation's name. | 是否匿名展示。")


class SaveEnquiry(Body):
    """The same, written anew."""

    values: dict[Code, Value] = Field(max_length=MOST_FIELDS, description=VALUES)
    anonymous: bool = Field(description="Shown without my organisation's name. | 是否匿名展示。")
    version: int = Field(ge=1, description="The version I looked at. | 所见版本号。")


class SubmitEnquiry(Body):
    """Hand in."""

    version: int = Field(ge=1, description="The version I looked at. | 所见版本号。")


class CloseEnquiry(Body):
    """Why, if one likes to say."""

    reason: str = Field(default="", max_length=LONGEST_TEXT, description="Why. | 结束原因，可不填。")


class AnswerEnquiry(Body):
    """What is offered."""

    offering_id: Id = Field(description="A listed offering of mine. | 本单位已上架的服务产品编号。")
    words: str = Field(min_length=1, max_length=LONGEST_MESSAGE, description="What I say. | 回复内容。")


class SayInThread(Body):
    """What is said."""

    words: str = Field(min_length=1, max_length=LONGEST_MESSAGE, description="What I say. | 内容。")


class EnquiryForm(Answer):
    """What an enquiry may say in a programme."""

    fields: list[FieldView] = Field(description="Its fields. | 可填写的字段。")
    reviewed: bool = Field(description="Shown only after review. | 是否审核后展示。")
    clause: str = Field(description="The provision. | 依据条款。")


class EnquiryView(Answer):
    """An enquiry as everybody sees it."""

    id: int = Field(description="The enquiry. | 需求编号。")
    programme: str = Field(description="The programme. | 项目代码。")
    status: EnquiryStatus = Field(description="Where it stands. | 状态。")
    values: dict[str, Value] = Field(description=VALUES)
    enterprise_name: str | None = Field(description="Whose, null: anonymous. | 发布企业，匿名为空。")
    shown_at: AwareDatetime | None = Field(description="Since when it is shown. | 展示时间。")
    closed_at: AwareDatetime | None = Field(description="When it ended. | 结束时间。")


class OwnEnquiryView(EnquiryView):
    """An enquiry as its enterprise sees it."""

    anonymous: bool = Field(description="Shown without the name. | 是否匿名展示。")
    version: int = Field(description="Rises with every change. | 版本号。")
    reason: str = Field(description="Why it was returned, refused or closed. | 退回、未通过或结束的原因。")
    returned: dict[str, str] = Field(description="Fields to correct, with reasons. | 需修改的字段及原因。")
    review_id: int | None = Field(description="Its review. | 审核件编号。")


class EnquiryList(Answer):
    """A page, newest first."""

    enquiries: list[EnquiryView] = Field(description="The enquiries. | 需求列表。")
    next_before: int | None = Field(description=NEXT)


class OwnEnquiryList(Answer):
    """A page, by id."""

    enquiries: list[OwnEnquiryView] = Field(description="The enquiries. | 需求列表。")
    next_after: int | None = Field(description=NEXT)


class EnquiryAnswerView(Answer):
    """A provider's answer, as both sides see it."""

    id: int = Field(description="The answer. | 回复编号。")
    enquiry_id: int = Field(description="The enquiry. | 需求编号。")
    enterprise_name: str | None = Field(description="Who asks, null: anonymous. | 发布企业，匿名为空。")
    provider_id: int = Field(description="Who answers. | 服务机构编号。")
    provider_name: str = Field(description="Its name. | 服务机构名称。")
    offering_id: int = Field(description="What is offered. | 服务产品编号。")
    offering_name: str = Field(description="As it was called then. | 回复时的产品名称。")
    answered_at: AwareDatetime = Field(description="When. | 回复时间。")


class EnquiryAnswerList(Answer):
    """A page, by id."""

    answers: list[EnquiryAnswerView] = Field(description="The answers. | 回复列表。")
    next_after: int | None = Field(description=NEXT)


class MessageView(Answer):
    """One message of a thread."""

    id: int = Field(description="The message. | 消息编号。")
    party: Party = Field(description="Which side said it. | 发言方。")
    words: str = Field(description="What was said. | 内容。")
    said_at: AwareDatetime = Field(description="When. | 时间。")


class ThreadView(Answer):
    """A thread, a page of its messages by id."""

    answer: EnquiryAnswerView = Field(description="The answer that began it. | 首次回复。")
    messages: list[MessageView] = Field(description="What was said. | 消息列表。")
    next_after: int | None = Field(description=NEXT)


@routes.get(
    "/api/v1/enquiries/form",
    summary="What an enquiry may say. | 需求发布表单。",
    access=PUBLIC,
    answers={200: EnquiryForm},
    refusals=(EnquiriesNotHere,),
)
async def form(request: web.Request, query: FormQuery) -> EnquiryForm:
    rules = rules_of(request.app[PROGRAMMES].get(query.programme))
    return EnquiryForm(
        fields=[
            FieldView(
                code=one.code,
                name=one.name,
                kind=one.kind,
                required=one.required,
                choices=list(one.choices),
                clause=one.article or rules.article,
            )
            for one in rules.fields
        ],
        reviewed=rules.reviewed,
        clause=rules.article,
    )


@routes.get(
    "/api/v1/enquiries",
    summary="What enterprises look for now. | 正在展示的需求。",
    access=PUBLIC,
    answers={200: EnquiryList},
)
async def shown(request: web.Request, query: ShownQuery) -> EnquiryList:
    rows = await enquiry_book.shown(slug=query.programme, before=query.before)
    return EnquiryList(
        enquiries=[_view(row) for row in rows[:PAGE]],
        next_before=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@routes.post(
    "/api/v1/enquiries",
    summary="Write an enquiry. | 起草需求。",
    access=IN_CHARGE,
    answers={201: OwnEnquiryView},
    refusals=(NoOrganisation, EnquiriesNotHere, EnquiryUnusable),
)
async def write(request: web.Request, actor: Actor, body: WriteEnquiry) -> OwnEnquiryView:
    made = await request.app[ENQUIRIES].draft(
        body.programme, body.values, anonymous=body.anonymous, actor=actor
    )
    return await _own(made.id, actor)


@routes.get(
    "/api/v1/enquiries/mine",
    summary="My organisation's enquiries. | 本单位的需求。",
    access=PERSON,
    answers={200: OwnEnquiryList},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: PageQuery) -> OwnEnquiryList:
    rows = await enquiry_book.own(actor=actor, after=query.after)
    return OwnEnquiryList(
        enquiries=[_own_view(row) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


@routes.get(
    "/api/v1/enquiries/{enquiry_id}",
    summary="An enquiry that is or was shown. | 需求详情。",
    access=PUBLIC,
    answers={200: EnquiryView},
)
async def one(request: web.Request, path: EnquiryPath) -> EnquiryView:
    return _view(await enquiry_book.shown_once(path.enquiry_id))


@routes.put(
    "/api/v1/enquiries/{enquiry_id}",
    summary="Write it anew, while it is open for that. | 修改草稿或被退回的需求。",
    access=IN_CHARGE,
    answers={200: OwnEnquiryView},
    refusals=(NoOrganisation, NotPermittedNow, EnquiryUnusable, EnquiryMovedOn),
)
async def save(request: web.Request, actor: Actor, path: EnquiryPath, body: SaveEnquiry) -> OwnEnquiryView:
    await request.app[ENQUIRIES].save(
        path.enquiry_id, body.values, anonymous=body.anonymous, version=body.version, actor=actor
    )
    return await _own(path.enquiry_id, actor)


@routes.post(
    "/api/v1/enquiries/{enquiry_id}/submission",
    summary="Hand it in for review. | 提交审核。",
    access=IN_CHARGE,
    answers={200: OwnEnquiryView},
    refusals=(
        NoOrganisation,
        IllegalMove,
        NotInStanding,
        EnquiryEmpty,
        EnquiryUnusable,
        EnquiryMovedOn,
        CaseMovedOn,
    ),
)
async def submit(
    request: web.Request, actor: Actor, path: EnquiryPath, body: SubmitEnquiry
) -> OwnEnquiryView:
    await request.app[ENQUIRIES].submit(path.enquiry_id, version=body.version, actor=actor)
    return await _own(path.enquiry_id, actor)


@routes.post(
    "/api/v1/enquiries/{enquiry_id}/closure",
    summary="End it. | 结束需求。",
    access=IN_CHARGE,
    answers={200: OwnEnquiryView},
    refusals=(NoOrganisation, IllegalMove, EnquiryMovedOn, CaseMovedOn),
)
async def close(request: web.Request, actor: Actor, path: EnquiryPath, body: CloseEnquiry) -> OwnEnquiryView:
    await request.app[ENQUIRIES].close(path.enquiry_id, reason=body.reason, actor=actor)
    return await _own(path.enquiry_id, actor)


@routes.get(
    "/api/v1/enquiries/{enquiry_id}/answers",
    summary="Who answered my enquiry. | 本单位需求收到的回复。",
    access=PERSON,
    answers={200: EnquiryAnswerList},
    refusals=(NoOrganisation,),
)
async def answers(
    request: web.Request, actor: Actor, path: EnquiryPath, query: PageQuery
) -> EnquiryAnswerList:
    return _answers(await enquiry_book.answers_to(path.enquiry_id, actor=actor, after=query.after))


@routes.post(
    "/api/v1/enquiries/{enquiry_id}/answers",
    summary="Answer with one of my offerings. | 以本单位的服务产品回复。",
    access=IN_CHARGE,
    answers={201: ThreadView},
    refusals=(NoOrganisation, NotPermittedNow, NotInStanding, EnquiryAnswered, OwnEnquiry),
)
async def answer(request: web.Request, actor: Actor, path: EnquiryPath, body: AnswerEnquiry) -> ThreadView:
    made = await request.app[ENQUIRIES].answer(
        path.enquiry_id, body.offering_id, body.words.strip(), actor=actor
    )
    return await _thread(made.id, actor)


@routes.get(
    "/api/v1/enquiry-answers",
    summary="What my organisation answered. | 本单位作出的回复。",
    access=PERSON,
    answers={200: EnquiryAnswerList},
    refusals=(NoOrganisation,),
)
async def own_answers(request: web.Request, actor: Actor, query: PageQuery) -> EnquiryAnswerList:
    return _answers(await enquiry_book.answers_of(actor=actor, after=query.after))


@routes.get(
    "/api/v1/enquiry-answers/{answer_id}",
    summary="A thread of my organisation. | 本单位参与的对话。",
    access=PERSON,
    answers={200: ThreadView},
    refusals=(NoOrganisation,),
)
async def thread(request: web.Request, actor: Actor, path: AnswerPath, query: PageQuery) -> ThreadView:
    return await _thread(path.answer_id, actor, query.after)


@routes.post(
    "/api/v1/enquiry-answers/{answer_id}/messages",
    summary="Go on in a thread. | 在对话中发言。",
    access=IN_CHARGE,
    answers={201: MessageView},
    refusals=(NoOrganisation, NotPermittedNow),
)
async def say(request: web.Request, actor: Actor, path: AnswerPath, body: SayInThread) -> MessageView:
    return _message(await request.app[ENQUIRIES].say(path.answer_id, body.words.strip(), actor=actor))


async def _own(enquiry_id: int, actor: Actor) -> OwnEnquiryView:
    return _own_view(await enquiry_book.own_one(enquiry_id, actor=actor))


async def _thread(answer_id: int, actor: Actor, after: int = 0) -> ThreadView:
    return _thread_view(await enquiry_book.thread(answer_id, actor=actor, after=after))


def _view(row: Enquiry) -> EnquiryView:
    return EnquiryView(
        id=row.id,
        programme=row.programme_slug,
        status=row.status,
        values=row.values,
        enterprise_name=_name(row),
        shown_at=row.shown_at,
        closed_at=row.closed_at,
    )


def _own_view(row: Enquiry) -> OwnEnquiryView:
    return OwnEnquiryView(
        **{**_view(row).model_dump(), "enterprise_name": row.enterprise.name},
        anonymous=row.anonymous,
        version=row.version,
        reason=row.reason,
        returned=row.returned,
        review_id=row.case_id,
    )


def _name(row: Enquiry) -> str | None:
    return None if row.anonymous else row.enterprise.name


def _answers(rows: list[EnquiryAnswer]) -> EnquiryAnswerList:
    return EnquiryAnswerList(
        answers=[_answer(row) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


def _answer(row: EnquiryAnswer) -> EnquiryAnswerView:
    return EnquiryAnswerView(
        id=row.id,
        enquiry_id=row.enquiry_id,
        enterprise_name=_name(row.enquiry),
        provider_id=row.provider_id,
        provider_name=row.provider.name,
        offering_id=row.offering_id,
        offering_name=row.offering_name,
        answered_at=row.answered_at,
    )


def _thread_view(found: Thread) -> ThreadView:
    rows = found.messages
    return ThreadView(
        answer=_answer(found.answer),
        messages=[_message(row) for row in rows[:PAGE]],
        next_after=rows[PAGE - 1].id if len(rows) > PAGE else None,
    )


def _message(row: EnquiryMessage) -> MessageView:
    return MessageView(id=row.id, party=row.party, words=row.words, said_at=row.said_at)
