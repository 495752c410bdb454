"""Offerings over HTTP: a provider's own products, from the draft to the listing and off it again."""

from __future__ import annotations

from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from server.handlers.api import PERSON, Answer, Routes, person_or_staff, staff
from server.handlers.offering_views import (
    AREAS,
    CATEGORY,
    COMPARISONS,
    DOCUMENTS,
    FROM,
    KINDS,
    NAME,
    PARTS,
    PROGRAMME,
    SERVICE,
    TO,
    VALUES,
    VERSION,
    OfferingDraftView,
    OfferingVersionView,
    OfferingView,
    draft_view,
    offering_fields,
    version_view,
)
from server.handlers.organisations import IN_CHARGE, Area
from server.handlers.paging import AfterId, NextPage, next_page
from server.handlers.parsing import Body, Fen, Id, Path, Query
from server.keys import OFFERINGS
from server.programme.registry import UnknownProgramme
from server.rules.lifecycles import IllegalMove
from server.rules.offerings import OfferingStatus
from server.rules.review import ReasonMissing
from server.services.access import IN_THE_FILES, Actor, NoOrganisation, StaffRole
from server.services.admissions.admissions import FormItemsUnknown
from server.services.admissions.drafts import DraftMovedOn, FormItemsShut, FormValuesUnusable
from server.services.admissions.qualifications import ProgrammeNotRunning
from server.services.admissions.standings import NotInStanding
from server.services.allowances import TooManyToday
from server.services.files.file_safety import FileUnacceptable
from server.services.files.files import FilesUnknown
from server.services.marketplace import offering_book, offering_lists
from server.services.marketplace.offering_book import OfferingMovedOn, OfferingNotListed
from server.services.marketplace.offering_drafts import OfferingUnderReview, Writing
from server.services.marketplace.offerings import OfferingIncomplete
from server.services.marketplace.selections import SelectionNotOpen
from server.services.reviews.reviews import CaseMovedOn

routes = Routes("offerings")

PAGE = 50
MOST_ITEMS, MOST_FILES, MOST_PARTS = 200, 30, 50
READERS = person_or_staff(*IN_THE_FILES)
Key = Annotated[str, Field(min_length=1, max_length=130)]
Words = Annotated[str, Field(min_length=1, max_length=200)]
Value = bool | int | Annotated[str, Field(max_length=3000)]


class PricePartBody(Body):
    """What one price of a range buys."""

    content: str = Field(min_length=1, max_length=500, description="What is done for it. | 服务内容。")
    price_fen: Fen = Field(description="Fen. | 价格，单位分。")


class ComparisonBody(Body):
    """A similar product on the market."""

    name: Words = Field(description="Product and who offers it. | 产品及提供方。")
    price_fen: Fen = Field(description="Its price, fen. | 价格，单位分。")


class Written(Body):
    """Items just written; what is left out stays as it is."""

    category: str | None = Field(default=None, max_length=64, description=CATEGORY)
    service: str | None = Field(default=None, max_length=200, description=SERVICE)
    kinds: list[Words] | None = Field(default=None, max_length=30, description=KINDS)
    name: str | None = Field(default=None, max_length=200, description=NAME)
    areas: list[Area] | None = Field(default=None, max_length=50, description=AREAS)
    price_from_fen: Fen | None = Field(default=None, description=FROM)
    price_to_fen: Fen | None = Field(default=None, description=TO)
    price_parts: list[PricePartBody] | None = Field(default=None, max_length=MOST_PARTS, description=PARTS)
    comparisons: list[ComparisonBody] | None = Field(
        default=None, max_length=MOST_PARTS, description=COMPARISONS
    )
    values: dict[Key, Value | None] = Field(
        default={}, max_length=MOST_ITEMS, description=VALUES, examples=[{}]
    )
    documents: dict[Key, Annotated[list[Id], Field(max_length=MOST_FILES)]] = Field(
        default={}, max_length=MOST_ITEMS, description=DOCUMENTS, examples=[{}]
    )


class BeginOffering(Written):
    """A new offering, with what has been written of it so far."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class SaveOffering(Written):
    """More of an offering."""

    version: int = Field(ge=0, le=2**31 - 1, description=VERSION, examples=[1])


class SubmitOffering(Body):
    """Which version of the draft is handed in."""

    version: int = Field(ge=0, le=2**31 - 1, description=VERSION, examples=[3])


class OfferingReason(Body):
    """Why."""

    reason: str = Field(default="", max_length=500, description="Why. | 原因。")


class OfferingPath(Path):
    """An offering."""

    offering_id: Id = Field(description="The offering. | 服务产品编号。")


class OfferingPage(Query):
    """Where the page starts."""

    after: AfterId = 0


class OfferingsQuery(OfferingPage):
    """Whose offerings."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    status: OfferingStatus | None = Field(default=None, strict=False, description="Only these. | 状态。")


class OfferingDrafts(Answer):
    """A page of my organisation's offerings, by id."""

    offerings: list[OfferingDraftView] = Field(description="The offerings. | 服务产品。")
    next_after: NextPage


class OfferingList(Answer):
    """A page of a programme's offerings, by id."""

    offerings: list[OfferingView] = Field(description="The offerings. | 服务产品。")
    next_after: NextPage


class OfferingVersions(Answer):
    """Everything that was handed in, oldest first."""

    versions: list[OfferingVersionView] = Field(description="The versions. | 历次版本。")


class OfferingSubmitted(OfferingView):
    """What came of handing in: a review, or the listing at once."""

    submitted: OfferingVersionView = Field(description="What was handed in. | 所提交的版本。")


@routes.post(
    "/api/v1/offering-drafts",
    summary="Begin a new offering. | 新建服务产品草稿。",
    access=IN_CHARGE,
    answers={201: OfferingDraftView},
    refusals=(
        NoOrganisation,
        UnknownProgramme,
        NotInStanding,
        TooManyToday,
        FormItemsUnknown,
        FormValuesUnusable,
        FilesUnknown,
    ),
)
async def begin(request: web.Request, actor: Actor, body: BeginOffering) -> OfferingDraftView:
    drafts = request.app[OFFERINGS].drafts
    return draft_view(await drafts.begin(body.programme, _writing(body), actor=actor))


@routes.get(
    "/api/v1/offering-drafts",
    summary="My organisation's offerings, with what is being written. | 本单位的服务产品。",
    access=PERSON,
    answers={200: OfferingDrafts},
    refusals=(NoOrganisation,),
)
async def mine(request: web.Request, actor: Actor, query: OfferingPage) -> OfferingDrafts:
    rows = await offering_book.page(actor=actor, after=query.after, limit=PAGE + 1)
    drafts = request.app[OFFERINGS].drafts
    return OfferingDrafts(
        offerings=[draft_view(await drafts.shown(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/offering-drafts/{offering_id}",
    summary="One of my organisation's offerings, with what is missing. | 服务产品草稿详情。",
    access=PERSON,
    answers={200: OfferingDraftView},
    refusals=(NoOrganisation,),
)
async def draft(request: web.Request, actor: Actor, path: OfferingPath) -> OfferingDraftView:
    row = await offering_book.own(path.offering_id, actor=actor)
    return draft_view(await request.app[OFFERINGS].drafts.shown(row))


@routes.patch(
    "/api/v1/offering-drafts/{offering_id}",
    summary="Save some items; what is listed stays as it is. | 保存服务产品草稿，已上架的版本不变。",
    access=IN_CHARGE,
    answers={200: OfferingDraftView},
    refusals=(
        NoOrganisation,
        FormItemsUnknown,
        FormValuesUnusable,
        FilesUnknown,
        DraftMovedOn,
        OfferingUnderReview,
        OfferingMovedOn,
        FormItemsShut,
        TooManyToday,
    ),
)
async def save(
    request: web.Request, actor: Actor, path: OfferingPath, body: SaveOffering
) -> OfferingDraftView:
    drafts = request.app[OFFERINGS].drafts
    return draft_view(await drafts.write(path.offering_id, _writing(body), version=body.version, actor=actor))


@routes.post(
    "/api/v1/offering-drafts/{offering_id}/submissions",
    summary="Hand an offering in. | 提交服务产品。",
    access=IN_CHARGE,
    answers={201: OfferingSubmitted},
    refusals=(
        NoOrganisation,
        OfferingUnderReview,
        DraftMovedOn,
        ProgrammeNotRunning,
        NotInStanding,
        SelectionNotOpen,
        OfferingIncomplete,
        FileUnacceptable,
        FilesUnknown,
        TooManyToday,
        OfferingMovedOn,
        CaseMovedOn,
    ),
)
async def submit(
    request: web.Request, actor: Actor, path: OfferingPath, body: SubmitOffering
) -> OfferingSubmitted:
    handed_in = await request.app[OFFERINGS].submit(path.offering_id, version=body.version, actor=actor)
    return OfferingSubmitted(**offering_fields(handed_in.offering), submitted=version_view(handed_in.version))


@routes.post(
    "/api/v1/offering-drafts/{offering_id}/recall",
    summary="Take back what is under review. | 撤回审核中的服务产品。",
    access=IN_CHARGE,
    answers={200: OfferingView},
    refusals=(NoOrganisation, IllegalMove, OfferingMovedOn, CaseMovedOn),
)
async def recall(
    request: web.Request, actor: Actor, path: OfferingPath, body: OfferingReason
) -> OfferingView:
    row = await request.app[OFFERINGS].recall(path.offering_id, reason=body.reason, actor=actor)
    return OfferingView(**offering_fields(row))


@routes.get(
    "/api/v1/handed-in-offerings",
    summary="A programme's offerings as the official side looks through them. | 项目的服务产品（管理端）。",
    access=staff(*IN_THE_FILES),
    answers={200: OfferingList},
    refusals=(UnknownProgramme,),
)
async def handed_in(request: web.Request, actor: Actor, query: OfferingsQuery) -> OfferingList:
    request.app[OFFERINGS].programmes.get(query.programme)
    rows = await offering_lists.handed_in(
        query.programme, query.status, actor=actor, after=query.after, limit=PAGE + 1
    )
    return OfferingList(
        offerings=[OfferingView(**offering_fields(row)) for row in rows[:PAGE]],
        next_after=next_page(rows, PAGE),
    )


@routes.get(
    "/api/v1/offerings/{offering_id}/versions",
    summary="Everything that was handed in of an offering. | 服务产品的历次版本。",
    access=READERS,
    answers={200: OfferingVersions},
    refusals=(NoOrganisation,),
)
async def versions(request: web.Request, actor: Actor, path: OfferingPath) -> OfferingVersions:
    row = await offering_book.seen(path.offering_id, actor=actor)
    return OfferingVersions(versions=[version_view(one) for one in await offering_book.versions_of(row)])


@routes.post(
    "/api/v1/offerings/{offering_id}/withdrawal",
    summary="Take my listed offering off. | 撤下已上架的服务产品。",
    access=IN_CHARGE,
    answers={200: OfferingView},
    refusals=(NoOrganisation, IllegalMove, OfferingMovedOn, CaseMovedOn),
)
async def withdraw(
    request: web.Request, actor: Actor, path: OfferingPath, body: OfferingReason
) -> OfferingView:
    row = await request.app[OFFERINGS].withdraw(path.offering_id, reason=body.reason, actor=actor)
    return OfferingView(**offering_fields(row))


@routes.post(
    "/api/v1/offerings/{offering_id}/relisting",
    summary="Put back what I withdrew, unchanged. | 重新上架自行撤下的服务产品。",
    access=IN_CHARGE,
    answers={200: OfferingView},
    refusals=(NoOrganisation, IllegalMove, NotInStanding, OfferingNotListed, OfferingMovedOn),
)
async def relist(request: web.Request, actor: Actor, path: OfferingPath) -> OfferingView:
    row = await request.app[OFFERINGS].relist(path.offering_id, actor=actor)
    return OfferingView(**offering_fields(row))


@routes.post(
    "/api/v1/offerings/{offering_id}/take-down",
    summary="Take an offering off, with a reason. | 下架服务产品并说明原因。",
    access=staff(StaffRole.OPERATOR, StaffRole.AUTHORITY),
    answers={200: OfferingView},
    refusals=(ReasonMissing, IllegalMove, OfferingMovedOn, CaseMovedOn),
)
async def take_down(
    request: web.Request, actor: Actor, path: OfferingPath, body: OfferingReason
) -> OfferingView:
    row = await request.app[OFFERINGS].take_down(path.offering_id, reason=body.reason, actor=actor)
    return OfferingView(**offering_fields(row))


ABOUT = frozenset(Written.model_fields) - {"values", "documents"}
EMPTY: dict[str, Any] = {
    "price_from_fen": None,
    "price_to_fen": None,
    "category": "",
    "service": "",
    "name": "",
}


def _writing(body: Written) -> Writing:
    """Only what was sent: null takes an item out, silence leaves it."""
    about: dict[str, Any] = {}
    for name in sorted(ABOUT & body.model_fields_set):
        value = getattr(body, name)
        if value is None:
            value = EMPTY.get(name, [])
        elif name in ("price_parts", "comparisons"):
            value = [one.model_dump() for one in value]
        about[name] = value
    return Writing(about=about, values=body.values, documents=body.documents)
