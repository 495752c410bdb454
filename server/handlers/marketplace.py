"""The marketplace over HTTP: browsing without signing in, and with it for one's own vouchers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

from aiohttp import hdrs, web
from pydantic import AwareDatetime, Field

from server.gateways.offering_search import Order
from server.handlers.api import PUBLIC, Answer, Routes
from server.handlers.offering_views import (
    AREAS,
    CATEGORY,
    FROM,
    KINDS,
    NAME,
    PARTS,
    SERVICE,
    TO,
    PricePartView,
)
from server.handlers.organisations import Area
from server.handlers.parsing import LARGEST_FEN, Id, Path, Query
from server.keys import IDENTIFY, MARKETPLACE
from server.rules.chinese_search import LONGEST_QUERY
from server.rules.limits import Limit
from server.rules.quota import ProviderRoom
from server.services.access import Actor, NotSignedIn, SessionEnded
from server.services.accounts.tokens import AccessTokenExpired
from server.services.marketplace.marketplace import CursorUnusable, Detail, Wanted
from server.services.marketplace.shop_window import Card
from server.units import BASIS_POINTS

routes = Routes("marketplace")

PAGE, LARGEST_PAGE = 20, 50
ASKER_REFUSALS = (NotSignedIn, AccessTokenExpired, SessionEnded)
CLAUSE = "The provision. | 依据条款。"
ARITHMETIC = "The whole arithmetic. | 计算过程。"
PROGRAMME = "The programme's slug. | 项目代码。"
PROVIDER = "The provider. | 服务机构。"

Words = Annotated[str, Field(min_length=1, max_length=200)]
Slug = Annotated[str, Field(min_length=1, max_length=64)]


class Sought(Query):
    """What somebody looks for."""

    q: str = Field(
        default="",
        max_length=LONGEST_QUERY,
        description="Part of a word, pinyin or its initials; several: all of them. "
        "| 关键词：词语的一部分、拼音或拼音首字母，多个词须同时满足。",
        examples=["jcjy 食品"],
    )
    programme: Slug | None = Field(default=None, description=PROGRAMME)
    category: Slug | None = Field(default=None, description=CATEGORY)
    service: Words | None = Field(default=None, description=SERVICE)
    area: Area | None = Field(
        default=None, description="Served there or in a part of it. | 服务区域，含其上级与下级。"
    )
    price_from_fen: int | None = Field(
        default=None, ge=0, le=LARGEST_FEN, description="Not below this price, fen. | 价格不低于，单位分。"
    )
    price_to_fen: int | None = Field(
        default=None, ge=0, le=LARGEST_FEN, description="Not above this price, fen. | 价格不高于，单位分。"
    )
    rating_from_bp: int | None = Field(
        default=None,
        ge=0,
        le=BASIS_POINTS,
        description="Rated, and on average not below; 10000 is the best. | 平均评价不低于，10000 为最好。",
    )
    room_from_fen: int | None = Field(
        default=None,
        ge=0,
        le=LARGEST_FEN,
        description="The provider may still receive this much, fen. | 服务机构剩余可收券额度不低于，单位分。",
    )


class BrowseQuery(Sought):
    """What somebody looks for, in which order, from where on."""

    sort: Order = Field(default=Order.RELEVANCE, description="The order. | 排序方式。")
    after: str | None = Field(
        default=None, max_length=200, description="The cursor of the page before. | 上一页给出的续页标记。"
    )
    limit: int = Field(default=PAGE, ge=1, le=LARGEST_PAGE, description="How many. | 每页条数。")


class ListingPath(Path):
    """An offering."""

    offering_id: Id = Field(description="The offering. | 服务产品编号。")


class EstimateView(Answer):
    """What a voucher would pay at one price; nothing is promised before the order."""

    price_fen: int = Field(description="At this price, fen. | 按此价格，单位分。")
    voucher_fen: int = Field(description="A voucher would pay, fen. | 服务券可抵，单位分。")
    own_fen: int = Field(description="The enterprise pays itself, fen. | 企业自付，单位分。")
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description=ARITHMETIC)


class ProviderRoomView(Answer):
    """What a provider may still receive this year."""

    left_fen: int = Field(description="Fen. | 剩余额度，单位分。")
    blocks_orders: bool = Field(
        description="An order beyond it is refused; else its settlement. "
        "| 超出时是否不能下单，否则结算时拦截。"
    )
    in_principle: bool = Field(description="The authority may go beyond it. | 主管部门可否突破。")
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description=ARITHMETIC)


class CategoryRoomView(Answer):
    """What a category may still take of the year."""

    left_fen: int = Field(description="Fen. | 剩余额度，单位分。")
    clause: str = Field(description=CLAUSE)
    arithmetic: str = Field(description=ARITHMETIC)


class ListingView(Answer):
    """An offering as it is browsed."""

    offering_id: int = Field(description="The offering. | 服务产品编号。")
    version_id: int = Field(description="What an order would be placed under. | 下单时适用的版本编号。")
    programme: str = Field(description=PROGRAMME)
    programme_name: str = Field(description="The programme's name. | 项目名称。")
    category: str = Field(description=CATEGORY)
    category_name: str = Field(description="The category's name. | 服务类别名称。")
    service: str = Field(description=SERVICE)
    name: str = Field(description=NAME)
    provider_id: int = Field(description=PROVIDER)
    provider_name: str = Field(description="The provider's name. | 服务机构名称。")
    price_from_fen: int | None = Field(description=FROM)
    price_to_fen: int | None = Field(description=TO)
    listed_at: AwareDatetime = Field(description="When it was first listed. | 首次上架时间。")
    sales: int = Field(description="Orders that are done. | 已完成订单数。")
    votes: int = Field(description="Ratings. | 评价数。")
    rating_bp: int | None = Field(description="Their average; 10000 is the best. | 平均评价，10000 为最好。")
    estimates: list[EstimateView] = Field(
        description="What a voucher would pay: one for each end of the price. "
        "| 服务券可抵金额，按最低价与最高价。"
    )
    estimates_own: bool = Field(
        description="Of the asker's own vouchers; else the best case of anybody's. "
        "| 是否按本企业的服务券计算，否则为规则允许的最高情形。"
    )
    provider_room: ProviderRoomView | None = Field(
        description="What the provider may still receive; null: no limit, or no year is open. "
        "| 服务机构本年度还可收券的额度，空为无上限或年度未开始。"
    )
    category_room: CategoryRoomView | None = Field(
        description="What the category may still take; null: no limit, or no year is open. "
        "| 该类别本年度剩余额度，空为无上限或年度未开始。"
    )


class ListingPage(Answer):
    """A page of offerings."""

    offerings: list[ListingView] = Field(description="The offerings. | 服务产品列表。")
    next_after: str | None = Field(description="The cursor of the next page. | 续页标记，无则为空。")


class SaidView(Answer):
    """What the provider says in one field of the programme's form."""

    code: str = Field(description="Stable code. | 代码。")
    name: str = Field(description="What the form calls it. | 名称。")
    value: bool | int | str = Field(description="What is said. | 内容。")


class ListingDetail(ListingView):
    """An offering with everything its provider says of it."""

    number: int = Field(description="The how manieth version. | 第几版。")
    areas: list[str] = Field(description=AREAS)
    kinds: list[str] = Field(description=KINDS)
    says: list[SaidView] = Field(description="In the programme's own fields. | 按项目要求填写的内容。")
    price_parts: list[PricePartView] = Field(description=PARTS)


class CountView(Answer):
    """How many there are of one kind."""

    programme: str = Field(description=PROGRAMME)
    category: str | None = Field(
        description="The category; null: all of the programme. | 类别，空为整个项目。"
    )
    number: int = Field(description="How many. | 数量。")


class ListingCounts(Answer):
    """How many offerings are what is sought."""

    counts: list[CountView] = Field(description="By programme and by category. | 按项目与类别的数量。")
    more: bool = Field(description="There are more; only a thousand were counted. | 是否超出计数上限。")


@routes.get(
    "/api/v1/marketplace/offerings",
    summary="Browse and search offerings; a bearer token is optional. | 浏览与搜索服务产品，可不登录。",
    access=PUBLIC,
    answers={200: ListingPage},
    refusals=(CursorUnusable, *ASKER_REFUSALS),
)
async def browse(request: web.Request, query: BrowseQuery) -> ListingPage:
    page = await request.app[MARKETPLACE].search(
        _wanted(query), order=query.sort, after=query.after, limit=query.limit, actor=await _asker(request)
    )
    return ListingPage(
        offerings=[ListingView(**_shown(card)) for card in page.cards], next_after=page.next_after
    )


@routes.get(
    "/api/v1/marketplace/counts",
    summary="How many offerings there are, by programme and category. | 服务产品数量，按项目与类别。",
    access=PUBLIC,
    answers={200: ListingCounts},
)
async def count(request: web.Request, query: Sought) -> ListingCounts:
    facets = await request.app[MARKETPLACE].facets(_wanted(query))
    counts = [CountView(programme=slug, category=None, number=n) for slug, n in facets.programmes.items()]
    for key, number in facets.categories.items():
        slug, _, category = key.partition("/")
        counts.append(CountView(programme=slug, category=category, number=number))
    ordered = sorted(counts, key=lambda one: (one.programme, one.category or ""))
    return ListingCounts(counts=ordered, more=facets.more)


@routes.get(
    "/api/v1/marketplace/offerings/{offering_id}",
    summary="One offering; a bearer token is optional. | 服务产品详情，可不登录。",
    access=PUBLIC,
    answers={200: ListingDetail},
    refusals=ASKER_REFUSALS,
)
async def show(request: web.Request, path: ListingPath) -> ListingDetail:
    detail = await request.app[MARKETPLACE].offering(path.offering_id, actor=await _asker(request))
    return ListingDetail(**_shown(detail.card), **_said(detail))


async def _asker(request: web.Request) -> Actor | None:
    """Who asks, if they say so; a token that is no longer good is refused, so that a phone renews it."""
    if hdrs.AUTHORIZATION not in request.headers:
        return None
    return await request.app[IDENTIFY](request)


def _wanted(query: Sought) -> Wanted:
    return Wanted(
        query=query.q,
        programme=query.programme,
        category=query.category,
        service=query.service,
        area=query.area,
        price_least_fen=query.price_from_fen,
        price_most_fen=query.price_to_fen,
        rating_least_bp=query.rating_from_bp,
        room_least_fen=query.room_from_fen,
    )


def _shown(card: Card) -> dict[str, Any]:
    row = card.row
    copied = ("offering_id", "version_id", "service", "name", "provider_id", "provider_name")
    figures = ("price_from_fen", "price_to_fen", "sales", "votes")
    slug, _, category = row["category_key"].partition("/")
    return {
        **{name: row[name] for name in (*copied, *figures)},
        "programme": slug,
        "programme_name": card.programme.name,
        "category": category,
        "category_name": card.category_name,
        "listed_at": datetime.fromtimestamp(row["listed_ms"] / 1000, UTC),
        "rating_bp": row["points_bp"] // row["votes"] if row["votes"] else None,
        "estimates": [
            EstimateView(
                price_fen=one.price_fen,
                voucher_fen=one.paid.amount_fen,
                own_fen=one.price_fen - one.paid.amount_fen,
                clause=one.paid.clause,
                arithmetic=one.paid.arithmetic,
            )
            for one in card.estimates
        ],
        "estimates_own": card.own,
        "provider_room": _provider_room(card.room),
        "category_room": _category_room(card.category_room),
    }


def _said(detail: Detail) -> dict[str, Any]:
    return {
        "number": detail.version_number,
        "areas": list(detail.areas),
        "kinds": list(detail.kinds),
        "says": [SaidView(code=field.code, name=field.name, value=value) for field, value in detail.values],
        "price_parts": [PricePartView(**part) for part in detail.price_parts],
    }


def _provider_room(room: ProviderRoom | None) -> ProviderRoomView | None:
    if room is None:
        return None
    return ProviderRoomView(
        left_fen=room.limit.amount_fen,
        blocks_orders=room.ceiling.blocks_orders,
        in_principle=room.ceiling.in_principle,
        clause=room.limit.clause,
        arithmetic=room.limit.arithmetic,
    )


def _category_room(limit: Limit | None) -> CategoryRoomView | None:
    if limit is None:
        return None
    return CategoryRoomView(left_fen=limit.amount_fen, clause=limit.clause, arithmetic=limit.arithmetic)
