"""Labels over HTTP: what official lists say, line by line, and the list of recognised institutions."""

from __future__ import annotations

from datetime import date
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import SIGNED_IN, Answer, Routes, staff
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Day, Id, Path, Query
from server.keys import LABELS, PROGRAMMES
from server.models.labels import AttestedLabel, LabelSource
from server.programme.registry import UnknownProgramme
from server.rules.uscc import UsccInvalid, checked_uscc
from server.services import access
from server.services.access import Actor, StaffRole
from server.services.admissions import labels
from server.services.admissions.attestations import Statement
from server.services.admissions.labels import LabelAlreadyWithdrawn, LabelHeldAlready
from server.services.admissions.qualifications import LabelsUnknown
from server.services.tables.cells import name_of, plain

routes = Routes("labels")

KEEPERS = staff(StaffRole.OPERATOR, StaffRole.AUTHORITY)
PAGE = 50

USCC = "Unified Social Credit Code. | 统一社会信用代码。"
PROGRAMME = "The programme's slug. | 项目代码。"
CODE = "The label's code. | 标识代码。"
NAME = "Full name as the list has it. | 名单上的全称。"
LIST = "The list. | 名单名称。"
DOCUMENT = "The document's number. | 文号。"
REASON = "Why. | 理由。"
RECOGNISED_IN = "Year of the recognition. | 认定年度。"
VALID_UNTIL = "Last day; null: no end. | 有效期至，空为长期。"
KINDS = "Kinds of service it was recognised for. | 被认定的服务类型。"


class LabelView(Answer):
    """One line of one source."""

    id: int = Field(description="The line. | 记录编号。")
    uscc: str | None = Field(description=USCC)
    name: str = Field(description=NAME)
    programme: str | None = Field(description=PROGRAMME)
    code: str = Field(description=CODE)
    kinds: list[str] = Field(description=KINDS)
    recognised_in: int | None = Field(description=RECOGNISED_IN)
    valid_until: date | None = Field(description=VALID_UNTIL)
    source: LabelSource = Field(description="An official list, or a checked paper. | 名单或纸质材料。")
    list_name: str = Field(description=LIST)
    document_number: str = Field(description=DOCUMENT)
    attested_at: AwareDatetime = Field(description="When it was entered. | 录入时间。")
    withdrawn_at: AwareDatetime | None = Field(description="Since when it counts no more. | 撤销时间。")
    withdraw_reason: str = Field(description="Why it was withdrawn. | 撤销理由。")


class Attested(LabelView):
    """A line just entered."""


class LabelQuery(Query):
    """Which lines."""

    uscc: str | None = Field(default=None, max_length=18, description=USCC)
    code: str | None = Field(default=None, max_length=64, description=CODE)
    standing_only: bool = Field(default=False, description="Without what was withdrawn. | 只看未撤销的。")
    after: AfterId = 0


class Labels(Answer):
    """A page of lines, by id."""

    labels: list[LabelView] = Field(description="The lines. | 记录列表。")
    next_after: NextPage


class LabelPath(Path):
    """A line."""

    label_id: Id = Field(description="The line. | 记录编号。")


class Attest(Body):
    """One line of an official list, entered by hand."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    code: str = Field(max_length=64, description=CODE)
    uscc: str = Field(max_length=40, description=USCC, examples=["91110000600037341L"])
    name: str = Field(default="", max_length=200, description=NAME)
    recognised_in: int | None = Field(default=None, ge=1949, le=2199, description=RECOGNISED_IN)
    valid_until: Day | None = Field(
        default=None, description=VALID_UNTIL, examples=["2026-12-31"], strict=False
    )
    list_name: str = Field(min_length=2, max_length=200, description=LIST, examples=["2026年第一批名单"])
    document_number: str = Field(default="", max_length=120, description=DOCUMENT)


class Withdraw(Body):
    """Why a line counts no more."""

    reason: str = Field(min_length=2, max_length=1000, description=REASON, examples=["录入有误"])


class ListingPath(Path):
    """A programme."""

    slug: str = Field(max_length=64, description=PROGRAMME)


class ListingQuery(Query):
    """An institution."""

    name: str = Field(min_length=2, max_length=200, description="Its full name. | 机构全称。")


class RecognitionView(Answer):
    """A recognition that the list has."""

    code: str = Field(description=CODE)
    name: str = Field(description="Name. | 认定名称。")
    clause: str = Field(description="The provision. | 依据条款。")


class Listing(Answer):
    """Whether an institution may go on and register as a provider."""

    required: bool = Field(description="The programme asks for the list at all. | 是否须在名录内。")
    listed: bool = Field(description="The list has it, and it is valid today. | 是否在名录内且有效。")
    recognitions: list[RecognitionView] = Field(description="As what. | 认定情况。")
    clause: str = Field(description="The provision. | 依据条款。")


@routes.get(
    "/api/v1/labels",
    summary="What lists and papers say, by id. | 企业标识认定记录。",
    access=KEEPERS,
    answers={200: Labels},
)
async def every(request: web.Request, actor: Actor, query: LabelQuery) -> Labels:
    rows = await labels.page(
        actor,
        uscc=query.uscc,
        code=query.code,
        standing_only=query.standing_only,
        after=query.after,
        limit=PAGE + 1,
    )
    return Labels(
        labels=[LabelView(**_shown(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.post(
    "/api/v1/labels",
    summary="Enter one line of an official list. | 录入一条名单记录。",
    access=KEEPERS,
    answers={201: Attested},
    refusals=(UsccInvalid, UnknownProgramme, LabelsUnknown, LabelHeldAlready),
)
async def attest(request: web.Request, actor: Actor, body: Attest) -> Attested:
    access.require_programme(actor, body.programme)
    statement = Statement(
        uscc=checked_uscc(body.uscc),
        name=name_of(plain(body.name)),
        code=body.code,
        recognised_in=body.recognised_in,
        valid_until=body.valid_until,
    )
    row = await request.app[LABELS].attest(
        body.programme,
        statement,
        list_name=body.list_name,
        document_number=body.document_number,
        actor=actor,
    )
    return Attested(**_shown(row))


@routes.post(
    "/api/v1/labels/{label_id}/withdrawal",
    summary="Let a line count no more. | 撤销一条认定。",
    access=KEEPERS,
    answers={200: LabelView},
    refusals=(LabelAlreadyWithdrawn,),
)
async def withdraw(request: web.Request, actor: Actor, path: LabelPath, body: Withdraw) -> LabelView:
    await labels.require_own(actor, path.label_id)
    row = await request.app[LABELS].withdraw(path.label_id, reason=body.reason, actor=actor)
    return LabelView(**_shown(row))


@routes.get(
    "/api/v1/programmes/{slug}/provider-list",
    summary="Look an institution up before it registers. | 注册前查询服务机构名录。",
    access=SIGNED_IN,
    answers={200: Listing},
    refusals=(UnknownProgramme,),
)
async def listing(request: web.Request, path: ListingPath, query: ListingQuery) -> Listing:
    programme = request.app[PROGRAMMES].get(path.slug)
    account = programme.provider.account
    found = await request.app[LABELS].listed(programme, query.name)
    return Listing(
        required=account.listed_before_registering,
        listed=bool(found),
        recognitions=[RecognitionView(code=one.code, name=one.name, clause=one.article) for one in found],
        clause=account.article,
    )


def _shown(row: AttestedLabel) -> dict[str, Any]:
    named = {field: getattr(row, field) for field in LabelView.model_fields if field != "programme"}
    return {**named, "programme": row.programme_slug}
