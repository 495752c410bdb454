"""Ratings over HTTP: what was said of a service, without saying who to anybody but the official side."""

from __future__ import annotations

from datetime import datetime

from aiohttp import web
from pydantic import AwareDatetime, Field

from server.clock import CHINA
from server.handlers.api import PERSON, PUBLIC, Answer, Routes, person_or_staff, staff
from server.handlers.organisations import IN_CHARGE
from server.handlers.paging import NextPage
from server.handlers.parsing import Body, Id, Path, Query
from server.keys import CLOCKS, RATINGS
from server.models.ratings import Rating
from server.rules.ratings import LONGEST_WORDS, MOST_TAGS, Said, veiled
from server.services.access import IN_THE_FILES, Actor, NoOrganisation
from server.services.providers import rating_book
from server.services.providers.ratings import RatingAnswered, RatingChanged, RatingClosed, RatingUnusable

routes = Routes("ratings")

PAGE = rating_book.PAGE
MONTH = "%Y-%m"


class RatedOrderPath(Path):
    """An order."""

    order_id: Id = Field(description="The order. | 订单编号。")


class RatingPath(Path):
    """A rating."""

    rating_id: Id = Field(description="The rating. | 评价编号。")


class RatedOfferingPath(Path):
    """An offering."""

    offering_id: Id = Field(description="The offering. | 服务产品编号。")


class RatingsQuery(Query):
    """Which page."""

    after: int = Field(default=0, ge=0, description="After this rating's id. | 从该编号之后开始。")


class OfficialRatingsQuery(RatingsQuery):
    """Which of them."""

    programme: str | None = Field(default=None, max_length=64, description="Of one programme. | 项目代码。")
    provider_id: Id | None = Field(default=None, description="Of one provider. | 服务机构编号。")
    low: bool | None = Field(default=None, description="Low ones only, or the others. | 是否只看差评。")


class Rate(Body):
    """What is said."""

    level: str = Field(max_length=32, description="A word of the programme's scale. | 评价等级。")
    tags: list[str] = Field(
        default=[], max_length=MOST_TAGS, description="Remarks to choose from. | 评价标签。"
    )
    words: str = Field(default="", max_length=LONGEST_WORDS, description="In one's own words. | 评价内容。")


class AnswerRating(Body):
    """What the provider says."""

    words: str = Field(min_length=1, max_length=LONGEST_WORDS, description="The answer. | 回复内容。")


class OwnRatingView(Answer):
    """A rating as the enterprise that gave it sees it."""

    id: int = Field(description="The rating. | 评价编号。")
    order_id: int = Field(description="The order. | 订单编号。")
    provider_id: int = Field(description="The provider. | 服务机构编号。")
    provider_name: str = Field(description="Its name. | 服务机构名称。")
    level: str = Field(description="The level. | 评价等级。")
    tags: list[str] = Field(description="Remarks. | 评价标签。")
    words: str = Field(description="In its own words. | 评价内容。")
    rated_at: AwareDatetime = Field(description="When. | 评价时间。")
    edited_at: AwareDatetime | None = Field(description="When it was changed last. | 最近修改时间。")
    editable: bool = Field(description="It may still be changed. | 是否仍可修改。")
    editable_until: AwareDatetime = Field(description="Until when, exclusive. | 可修改截止时间（不含）。")
    offer_complaint: bool = Field(
        description="A low rating: the phone offers a complaint. | 差评：提示可一键投诉。"
    )
    answer: str = Field(description="The provider's answer, or empty. | 服务机构回复。")
    answered_at: AwareDatetime | None = Field(description="When it answered. | 回复时间。")


class OfficialRatingView(OwnRatingView):
    """A rating as the official side sees it: with whoever gave it."""

    programme: str = Field(description="The programme. | 项目代码。")
    enterprise_id: int = Field(description="The enterprise. | 企业编号。")
    enterprise_name: str = Field(description="Its name. | 企业名称。")


class VeiledRatingView(Answer):
    """A rating as its provider and everybody see it: nothing tells whose it is."""

    id: int = Field(description="The rating. | 评价编号。")
    level: str = Field(description="The level. | 评价等级。")
    tags: list[str] = Field(description="Remarks. | 评价标签。")
    words: str = Field(description="Without names and numbers. | 评价内容，已隐去名称和号码。")
    month: str = Field(description="In which month, in China. | 评价月份。")
    answer: str = Field(description="The provider's answer, or empty. | 服务机构回复。")
    answered: bool = Field(description="It has answered. | 是否已回复。")


class OwnRatings(Answer):
    """A page, by id."""

    ratings: list[OwnRatingView] = Field(description="The ratings. | 评价列表。")
    next_after: NextPage


class OfficialRatings(Answer):
    """A page, by id."""

    ratings: list[OfficialRatingView] = Field(description="The ratings. | 评价列表。")
    next_after: NextPage


class VeiledRatings(Answer):
    """A page, by id."""

    ratings: list[VeiledRatingView] = Field(description="The ratings. | 评价列表。")
    next_after: NextPage


@routes.get(
    "/api/v1/ratings",
    summary="The ratings of my programmes, with who gave them. | 本项目收到的评价（含评价企业）。",
    access=staff(*IN_THE_FILES),
    answers={200: OfficialRatings},
)
async def of_programmes(request: web.Request, actor: Actor, query: OfficialRatingsQuery) -> OfficialRatings:
    rows = await rating_book.of_programmes(
        actor=actor,
        slug=query.programme,
        provider_id=query.provider_id,
        low=query.low,
        after=query.after,
    )
    return OfficialRatings(
        ratings=[_official(row, _now(request, row)) for row in rows[:PAGE]], next_after=_next(rows)
    )


@routes.get(
    "/api/v1/ratings/given",
    summary="What my organisation said. | 本单位作出的评价。",
    access=PERSON,
    answers={200: OwnRatings},
    refusals=(NoOrganisation,),
)
async def given(request: web.Request, actor: Actor, query: RatingsQuery) -> OwnRatings:
    rows = await rating_book.given(actor=actor, after=query.after)
    return OwnRatings(ratings=[_own(row, _now(request, row)) for row in rows[:PAGE]], next_after=_next(rows))


@routes.get(
    "/api/v1/ratings/received",
    summary="What was said of my organisation, by nobody's name. | 本单位收到的评价（匿名）。",
    access=PERSON,
    answers={200: VeiledRatings},
    refusals=(NoOrganisation,),
)
async def received(request: web.Request, actor: Actor, query: RatingsQuery) -> VeiledRatings:
    return _veiled_page(await rating_book.received(actor=actor, after=query.after))


@routes.patch(
    "/api/v1/ratings/{rating_id}",
    summary="Say something else, within the programme's days. | 在期限内修改评价。",
    access=IN_CHARGE,
    answers={200: OwnRatingView},
    refusals=(NoOrganisation, RatingUnusable, RatingClosed, RatingChanged),
)
async def edit(request: web.Request, actor: Actor, path: RatingPath, body: Rate) -> OwnRatingView:
    said = Said(level=body.level, tags=tuple(dict.fromkeys(body.tags)), words=body.words.strip())
    changed = await request.app[RATINGS].edit(path.rating_id, said, actor=actor)
    return await _shown(request, changed.order_id, actor)


@routes.post(
    "/api/v1/ratings/{rating_id}/answer",
    summary="Answer a rating, once. | 回复评价，仅限一次。",
    access=IN_CHARGE,
    answers={201: VeiledRatingView},
    refusals=(NoOrganisation, RatingAnswered),
)
async def answer(
    request: web.Request, actor: Actor, path: RatingPath, body: AnswerRating
) -> VeiledRatingView:
    answered = await request.app[RATINGS].answer(path.rating_id, body.words.strip(), actor=actor)
    await answered.fetch_related("enterprise")
    return _veiled(answered)


@routes.get(
    "/api/v1/orders/{order_id}/rating",
    summary="The rating of an order; its provider does not see it here. | 订单的评价（服务机构不可见）。",
    access=person_or_staff(*IN_THE_FILES),
    answers={200: OwnRatingView},
    refusals=(NoOrganisation,),
)
async def of_order(request: web.Request, actor: Actor, path: RatedOrderPath) -> OwnRatingView:
    return await _shown(request, path.order_id, actor)


@routes.get(
    "/api/v1/offerings/{offering_id}/ratings",
    summary="What was said of an offering. | 服务产品的评价。",
    access=PUBLIC,
    answers={200: VeiledRatings},
)
async def of_offering(request: web.Request, path: RatedOfferingPath, query: RatingsQuery) -> VeiledRatings:
    return _veiled_page(await rating_book.of_offering(path.offering_id, after=query.after))


async def _shown(request: web.Request, order_id: int, actor: Actor) -> OwnRatingView:
    rating = await rating_book.of_order(order_id, actor=actor)
    return _own(rating, _now(request, rating))


def _now(request: web.Request, rating: Rating) -> datetime:
    return request.app[CLOCKS].now(rating.programme_slug)


def _next(rows: list[Rating]) -> int | None:
    return rows[PAGE - 1].id if len(rows) > PAGE else None


def _veiled_page(rows: list[Rating]) -> VeiledRatings:
    return VeiledRatings(ratings=[_veiled(row) for row in rows[:PAGE]], next_after=_next(rows))


def _veiled(rating: Rating) -> VeiledRatingView:
    return VeiledRatingView(
        id=rating.id,
        level=rating.level,
        tags=rating.tags,
        words=veiled(rating.words, [rating.enterprise.name]),
        month=rating.rated_at.astimezone(CHINA).strftime(MONTH),
        answer=veiled(rating.answer, [rating.enterprise.name]),
        answered=rating.answered_at is not None,
    )


def _official(rating: Rating, now: datetime) -> OfficialRatingView:
    return OfficialRatingView(
        **_own(rating, now).model_dump(),
        programme=rating.programme_slug,
        enterprise_id=rating.enterprise_id,
        enterprise_name=rating.enterprise.name,
    )


def _own(rating: Rating, now: datetime) -> OwnRatingView:
    return OwnRatingView(
        id=rating.id,
        order_id=rating.order_id,
        provider_id=rating.provider_id,
        provider_name=rating.provider.name,
        level=rating.level,
        tags=rating.tags,
        words=rating.words,
        rated_at=rating.rated_at,
        edited_at=rating.edited_at,
        editable=now < rating.editable_until,
        editable_until=rating.editable_until,
        offer_complaint=rating.is_low,
        answer=rating.answer,
        answered_at=rating.answered_at,
    )
