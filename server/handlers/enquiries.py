"""Enquiries over HTTP: what enterprises look for, what providers answer, and the thread between the two."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import PERSON, PUBLIC, Answer, Routes
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import LARGEST_FEN, Body, Id, Path, Query, SeenVersion
from server.handlers.programmes import FieldView
from server.keys import ENQUIRIES, PROGRAMMES
from server.models.enquiries import Enquiry
from server.programme.registry import UnknownProgramme
from server.rules.enquiries import EnquiryStatus
from server.rules.forms import LONGEST_TEXT
from server.rules.lifecycles import IllegalMove, NotPermittedNow
from server.services.access import Actor, NoOrganisation
from server.services.admissions.standings import NotInStanding
from server.services.allowances import TooManyToday
from server.services.marketplace import enquiry_book
from server.services.marketplace.enquiries import (
    EnquiriesNotHere,
    EnquiryEmpty,
    EnquiryMovedOn,
    EnquiryUnusable,
    rules_of,
)
from server.services.marketplace.enquiry_book import PAGE
from server.services.reviews.reviews import CaseMovedOn

routes = Routes("enquiries")

MOST_FIELDS = 50
Code = Annotated[str, Field(min_length=1, max_length=64)]
Value = (
    bool
    | Annotated[int, Field(ge=-LARGEST_FEN, le=LARGEST_FEN)]
    | Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]
)
VALUES = "By the programme's field codes; money in fen. | 按字段代码填写，金额单位分。"


class EnquiryPath(Path):
    """An enquiry."""

    enquiry_id: Id = Field(description="The enquiry. | 需求编号。")


class FormQuery(Query):
    """Of which programme."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")


class ShownQuery(Query):
    """Which page."""

    programme: str | None = Field(default=None, max_length=64, description="Of one programme. | 项目代码。")
    before: Id | None = Field(default=None, description="Before this id; newest first. | 从该编号之前开始。")


class PageQuery(Query):
    """Which page."""

    after: AfterId = 0


class WriteEnquiry(Body):
    """What is looked for."""

    programme: str = Field(max_length=64, description="The programme. | 项目代码。")
    values: dict[Code, Value] = Field(max_length=MOST_FIELDS, description=VALUES)
    anonymous: bool = Field(description="Shown without my organisation's name. | 是否匿名展示。")


class SaveEnquiry(Body):
    """The same, written anew."""

    values: dict[Code, Value] = Field(max_length=MOST_FIELDS, description=VALUES)
    anonymous: bool = Field(description="Shown without my organisation's name. | 是否匿名展示。")
    version: SeenVersion


class SubmitEnquiry(Body):
    """Hand in."""

    version: SeenVersion


class CloseEnquiry(Body):
    """Why, if one likes to say."""

    reason: str = Field(default="", max_length=LONGEST_TEXT, description="Why. | 结束原因，可不填。")


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
    next_before: NextPage


class OwnEnquiryList(Answer):
    """A page, by id."""

    enquiries: list[OwnEnquiryView] = Field(description="The enquiries. | 需求列表。")
    next_after: NextPage


@routes.get(
    "/api/v1/enquiries/form",
    summary="What an enquiry may say. | 需求发布表单。",
    access=PUBLIC,
    answers={200: EnquiryForm},
    refusals=(UnknownProgramme, EnquiriesNotHere),
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
        next_before=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/enquiries",
    summary="Write an enquiry. | 起草需求。",
    access=IN_CHARGE,
    answers={201: OwnEnquiryView},
    refusals=(NoOrganisation, UnknownProgramme, EnquiriesNotHere, EnquiryUnusable, TooManyToday),
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
        next_after=next_page(rows, PAGE),
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
async def rewrite(request: web.Request, actor: Actor, path: EnquiryPath, body: SaveEnquiry) -> OwnEnquiryView:
    await request.app[ENQUIRIES].rewrite(
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


async def _own(enquiry_id: int, actor: Actor) -> OwnEnquiryView:
    return _own_view(await enquiry_book.own_one(enquiry_id, actor=actor))


def _view(row: Enquiry) -> EnquiryView:
    return EnquiryView(
        id=row.id,
        programme=row.programme_slug,
        status=row.status,
        values=row.values,
        enterprise_name=name_of(row),
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


def name_of(row: Enquiry) -> str | None:
    """Whose it is, unless it is shown without a name."""
    return None if row.anonymous else row.enterprise.name
