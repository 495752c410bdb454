"""Threads over HTTP: a provider's answer to an enquiry, and what the two sides say from then on."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, Answer, Routes
from server.handlers.enquiries import EnquiryPath, PageQuery, name_of
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Id, Path
from server.keys import ENQUIRIES
from server.models.enquiries import EnquiryAnswer, EnquiryMessage
from server.programme.vocabulary import Party
from server.rules.enquiries import LONGEST_MESSAGE
from server.rules.lifecycles import NotPermittedNow
from server.services.access import Actor, NoOrganisation
from server.services.admissions.standings import NotInStanding
from server.services.allowances import TooManyToday
from server.services.marketplace import enquiry_book
from server.services.marketplace.enquiries import EnquiryAnswered, OwnEnquiry
from server.services.marketplace.enquiry_book import PAGE, Thread
from server.services.marketplace.offering_book import OfferingNotListed

routes = Routes("enquiries")


class AnswerPath(Path):
    """A thread."""

    answer_id: Id = Field(description="The answer that began it. | 回复编号。")


class AnswerEnquiry(Body):
    """What is offered."""

    offering_id: Id = Field(description="A listed offering of mine. | 本单位已上架的服务产品编号。")
    words: str = Field(min_length=1, max_length=LONGEST_MESSAGE, description="What I say. | 回复内容。")


class SayInThread(Body):
    """What is said."""

    words: str = Field(min_length=1, max_length=LONGEST_MESSAGE, description="What I say. | 内容。")


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
    next_after: NextPage


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
    next_after: NextPage


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
    refusals=(
        NoOrganisation,
        NotPermittedNow,
        NotInStanding,
        OfferingNotListed,
        EnquiryAnswered,
        OwnEnquiry,
        TooManyToday,
    ),
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
    refusals=(NoOrganisation, NotPermittedNow, TooManyToday),
)
async def say(request: web.Request, actor: Actor, path: AnswerPath, body: SayInThread) -> MessageView:
    return _message(await request.app[ENQUIRIES].say(path.answer_id, body.words.strip(), actor=actor))


async def _thread(answer_id: int, actor: Actor, after: int = 0) -> ThreadView:
    return _thread_view(await enquiry_book.thread(answer_id, actor=actor, after=after))


def _answers(rows: list[EnquiryAnswer]) -> EnquiryAnswerList:
    return EnquiryAnswerList(
        answers=[_answer(row) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


def _answer(row: EnquiryAnswer) -> EnquiryAnswerView:
    return EnquiryAnswerView(
        id=row.id,
        enquiry_id=row.enquiry_id,
        enterprise_name=name_of(row.enquiry),
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
        next_after=next_page(rows, PAGE),
    )


def _message(row: EnquiryMessage) -> MessageView:
    return MessageView(id=row.id, party=row.party, words=row.words, said_at=row.said_at)
