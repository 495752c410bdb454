"""Offering forms over HTTP: everything a programme asks of an offering."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.handlers.api import WORKING, Answer, Routes
from server.handlers.asked_views import asked_field
from server.handlers.offering_views import PROGRAMME
from server.handlers.parsing import Query
from server.handlers.registration_forms import DocumentView, FieldView, document_fields
from server.keys import CLOCKS, OFFERINGS, PROGRAMMES
from server.programme.registry import UnknownProgramme
from server.programme.review import ReviewSubject
from server.rules.deadlines import day_of
from server.rules.offering_form import items_of, kinds_of, own_fields
from server.rules.offerings import is_selected
from server.services.marketplace.selections import open_round

routes = Routes("offerings")


class OfferingFormQuery(Query):
    """A programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class ItemView(Answer):
    """Something every offering says, as this programme calls it."""

    key: str = Field(description="How a return names it. | 退回时使用的键。")
    name: str = Field(description="What it is called. | 名称。")
    required: bool = Field(description="Must be there. | 是否必填。")
    clause: str = Field(description="The provision. | 依据条款。")


class OfferedCategory(Answer):
    """A category something can be offered in."""

    code: str = Field(description="Stable code. | 类别代码。")
    name: str = Field(description="What it is called. | 类别名称。")
    covers: list[str] = Field(description="Matters the text counts in. | 所列服务事项。")
    excludes: list[str] = Field(description="What the text counts out. | 不予支持的事项。")
    clause: str = Field(description="The provision. | 依据条款。")


class OfferingDocumentView(DocumentView):
    """A document of an offering."""

    minimum_ranged: int | None = Field(
        description="How many at least with several parts or a price range. | 多个子项或区间价格时至少份数。"
    )
    for_services: str = Field(description="Asked of this kind of service; empty: all. | 仅此类服务须交。")


class OfferingFormView(Answer):
    """Everything a programme asks of an offering."""

    programme: str = Field(description=PROGRAMME)
    programme_version: str = Field(description="Its version. | 项目版本。")
    clause: str = Field(description="The provision. | 依据条款。")
    base_conditions: list[str] = Field(description="What it must be. | 基本条件。")
    items: list[ItemView] = Field(description="What every offering says. | 基本内容。")
    fields: list[FieldView] = Field(description="What this programme asks besides. | 其他填写项。")
    documents: list[OfferingDocumentView] = Field(description="What is handed in. | 材料。")
    categories: list[OfferedCategory] = Field(description="What may be offered. | 服务类别。")
    kinds: list[str] = Field(description="Kinds of service with documents of their own. | 服务类型。")
    area_levels: int = Field(description="Levels of an area at least. | 服务区域至少的层级。")
    price_range_itemised: bool = Field(description="A range lists its parts. | 区间价格须逐项列明。")
    price_comparisons: int = Field(description="Similar products at least. | 至少比价的同类产品数。")
    reviewed_by: list[str] = Field(description="The steps of its review. | 审核环节。")
    selected: bool = Field(description="Taken in rounds of selection only. | 是否按批次征集。")
    selection_id: int | None = Field(description="The round that is open now. | 正在进行的征集批次。")
    selection_until: AwareDatetime | None = Field(
        description="Until when (exclusive). | 征集截止时间（不含）。"
    )
    max_bytes: int = Field(description="Largest file, bytes. | 单个文件上限，字节。")
    extensions: list[str] = Field(description="Accepted formats. | 文件格式。")


@routes.get(
    "/api/v1/offering-form",
    summary="Everything a programme asks of an offering. | 服务产品申报的全部内容。",
    access=WORKING,
    answers={200: OfferingFormView},
    refusals=(UnknownProgramme,),
)
async def form(request: web.Request, query: OfferingFormQuery) -> OfferingFormView:
    programme = request.app[PROGRAMMES].get(query.programme)
    rules, chain = programme.offering, programme.review(ReviewSubject.OFFERING)
    now = request.app[CLOCKS].now(programme.slug)
    current = await open_round(programme, now)
    # What the notice alone says, and has not said yet, cannot be offered in.
    announced = request.app[OFFERINGS].drafts.yearly.scoped(programme, day_of(now))
    return OfferingFormView(
        programme=programme.slug,
        programme_version=programme.version,
        clause=rules.article,
        base_conditions=list(rules.base_conditions),
        items=[
            ItemView(key=one.key, name=one.name, required=one.required, clause=one.clause)
            for one in items_of(rules)
        ],
        fields=[
            FieldView(
                key=one.code,
                document=None,
                personal=False,
                **{**asked_field(one), "clause": one.article or rules.article},
            )
            for one in own_fields(rules)
        ],
        documents=[
            OfferingDocumentView(
                **document_fields(one), minimum_ranged=one.minimum_ranged, for_services=one.for_services
            )
            for one in rules.documents
        ],
        categories=[
            OfferedCategory(
                code=one.code,
                name=one.name,
                covers=list(one.covers),
                excludes=list(one.excludes),
                clause=one.article,
            )
            for one in announced.categories
            if not one.by_notice
        ],
        kinds=list(kinds_of(rules)),
        area_levels=rules.area_levels,
        price_range_itemised=rules.price_range_itemised,
        price_comparisons=rules.price_comparisons or 0,
        reviewed_by=[] if chain is None else [step.name for step in chain.steps],
        selected=is_selected(rules),
        selection_id=None if current is None else current.id,
        selection_until=None if current is None else current.closes_at,
        max_bytes=programme.files.max_bytes,
        extensions=sorted(programme.files.extensions),
    )
