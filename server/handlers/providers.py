"""Providers over HTTP: who serves in a programme, how each performs, and how each is graded."""

from __future__ import annotations

from datetime import date
from operator import attrgetter
from typing import Any

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import PUBLIC, Answer, Routes, staff
from server.handlers.paging import NextPage, next_page
from server.handlers.parsing import Body, Id, Path, Query
from server.handlers.qualifications import PROGRAMME, QualificationPath
from server.keys import CLOCKS, PROGRAMMES, PROVIDER_GRADES
from server.models.provider_standing import ProviderGrade
from server.programme.model import Programme
from server.programme.registry import UnknownProgramme
from server.rules.lifecycles import ProviderAct, QualificationStatus
from server.rules.review import NotYourReview, ReasonMissing
from server.services.access import Actor
from server.services.providers import provider_pages
from server.services.providers.provider_grades import GRADERS, GradesNotHere, GradeUnderWay, GradeUnusable
from server.services.providers.provider_pages import Performance, ProviderCard, ProviderPage, Wanted
from server.services.providers.provider_standing import allowed
from server.services.reviews.reviewers import OwnReview

routes = Routes("providers")

PAGE = 20
GRADE = "One of the programme's grades. | 评级等级。"
YEAR = "The programme year that is judged. | 评级年度。"
PLACE = "The place in that year's ranking, 1 is the best. | 排名，1 为最前。"


class ProvidersQuery(Query):
    """Which providers."""

    programme: str = Field(max_length=64, description=PROGRAMME)
    words: str = Field(default="", max_length=60, description="Any part of the name. | 名称中的字。")
    category: str = Field(
        default="", max_length=64, description="Only who offers in this category. | 只看有该类产品的机构。"
    )
    area: str = Field(
        default="", max_length=64, description="Only who is registered there. | 只看注册在该区域的机构。"
    )
    after: int = Field(default=0, ge=0, description="After this place. | 从该位置之后开始。")


class CategoryView(Answer):
    """A category of the programme."""

    code: str = Field(description="Stable code. | 代码。")
    name: str = Field(description="Its name. | 名称。")


class ProviderView(Answer):
    """A provider in short."""

    id: int = Field(description="The provider. | 服务机构编号。")
    name: str = Field(description="Its name. | 名称。")
    uscc: str = Field(description="Unified Social Credit Code. | 统一社会信用代码。")
    area: str = Field(description="Where it is registered. | 注册地。")
    standing: QualificationStatus = Field(description="Where it stands. | 资格状态。")
    takes_orders: bool = Field(description="It can be ordered from now. | 目前是否可以下单。")
    categories: list[CategoryView] = Field(
        description="In which categories it offers something now. | 有在售产品的服务类别。"
    )
    orders_done: int = Field(description="Orders it has finished. | 已完成订单数。")


class ProvidersView(Answer):
    """A page of providers that can be ordered from."""

    providers: list[ProviderView] = Field(description="The providers. | 服务机构列表。")
    next_after: NextPage


class ProviderPath(Path):
    """A provider."""

    provider_id: Id = Field(description="The provider. | 服务机构编号。")


class OfProgramme(Query):
    """In which programme."""

    programme: str = Field(max_length=64, description=PROGRAMME)


class LevelView(Answer):
    """How often one level was given."""

    level: str = Field(description="The level. | 评价等级。")
    votes: int = Field(description="How often. | 次数。")


class PerformanceView(Answer):
    """How a provider performs its contracts, up to this instant."""

    done: int = Field(description="Orders finished. | 已完成。")
    under_way: int = Field(description="Orders under way. | 进行中。")
    declined: int = Field(description="Orders it did not take. | 未承接。")
    cancelled: int = Field(description="Orders cancelled or lapsed. | 已取消或超期。")
    median_days: int | None = Field(
        description="Days from an order to its end, as a rule; null: none yet. | 通常的完成天数，暂无为空。"
    )
    votes: int = Field(description="How many ratings. | 评价数。")
    levels: list[LevelView] = Field(description="Best first, those never given too. | 各等级，从高到低。")


class RecognitionView(Answer):
    """A title by which it was recognised."""

    name: str = Field(description="The title. | 认定名称。")
    kinds: list[str] = Field(description="For which kinds of service; empty: not said. | 认定的服务类型。")
    valid_until: date | None = Field(description="Last day; null: no end. | 有效期至。")


class GradeView(Answer):
    """A published grade."""

    year: int = Field(description=YEAR)
    grade: str = Field(description=GRADE)
    place: int = Field(description=PLACE)
    published_at: AwareDatetime | None = Field(description="Since when. | 公布时间。")


class ProviderPageView(ProviderView):
    """Everything that everybody may know of a provider."""

    standing_says: str = Field(description="What that standing lets it do. | 该状态可办理的事项。")
    since: AwareDatetime | None = Field(description="Last decision about it. | 资格最近认定时间。")
    valid_until: AwareDatetime | None = Field(description="Its end; null: it holds on. | 资格有效期至。")
    recognitions: list[RecognitionView] = Field(description="Its titles. | 认定情况。")
    performance: PerformanceView = Field(description="Its contracts. | 合同履约情况。")
    grade: GradeView | None = Field(description="Its last published grade. | 最近公布的评级。")
    clause: str = Field(description="The provision that has this published. | 公布依据条款。")


class Grade(Body):
    """A grade to be published, or to be reviewed before."""

    year: int = Field(ge=2000, le=2200, description=YEAR, examples=[2026])
    grade: str = Field(min_length=1, max_length=32, description=GRADE, examples=["优秀"])
    place: int = Field(ge=1, le=1_000_000, description=PLACE, examples=[1])
    reason: str = Field(min_length=2, max_length=2000, description="Why. | 理由。", examples=["满意度高"])


class GradeMade(GradeView):
    """A grade just proposed, published at once where nobody reviews it."""

    id: int = Field(description="The grade. | 评级记录编号。")
    review_id: int | None = Field(description="Its review; null: none is needed. | 审核件编号。")


@routes.get(
    "/api/v1/providers",
    summary="The providers of a programme that can be ordered from now. | 可下单的服务机构。",
    access=PUBLIC,
    answers={200: ProvidersView},
    refusals=(UnknownProgramme,),
)
async def every(request: web.Request, query: ProvidersQuery) -> ProvidersView:
    programme = request.app[PROGRAMMES].get(query.programme)
    wanted = Wanted(
        words=query.words.strip(),
        category=query.category,
        area=query.area,
        after=query.after,
        limit=PAGE + 1,
    )
    found = await provider_pages.cards(programme, wanted, now=request.app[CLOCKS].now(programme.slug))
    return ProvidersView(
        providers=[ProviderView(**_card(programme, one)) for one in found[:PAGE]],
        next_after=next_page(found, PAGE, attrgetter("row.id")),
    )


@routes.get(
    "/api/v1/providers/{provider_id}",
    summary="A provider, with how it performs up to this instant. | 服务机构主页与履约情况。",
    access=PUBLIC,
    answers={200: ProviderPageView},
    refusals=(UnknownProgramme,),
)
async def one(request: web.Request, path: ProviderPath, query: OfProgramme) -> ProviderPageView:
    programme = request.app[PROGRAMMES].get(query.programme)
    known = await provider_pages.page(
        programme, path.provider_id, now=request.app[CLOCKS].now(programme.slug)
    )
    return _page(programme, known)


@routes.post(
    "/api/v1/qualifications/{qualification_id}/grades",
    summary="Propose a provider's grade, to be published when agreed. | 提出服务机构评级。",
    access=staff(*sorted(GRADERS)),
    answers={201: GradeMade},
    refusals=(GradesNotHere, GradeUnusable, GradeUnderWay, NotYourReview, OwnReview, ReasonMissing),
)
async def grade(request: web.Request, actor: Actor, path: QualificationPath, body: Grade) -> GradeMade:
    made = await request.app[PROVIDER_GRADES].propose(
        path.qualification_id,
        year=body.year,
        grade=body.grade,
        place=body.place,
        reason=body.reason,
        actor=actor,
    )
    return GradeMade(**_grade(made), id=made.id, review_id=made.case_id)


def _card(programme: Programme, card: ProviderCard) -> dict[str, Any]:
    organisation = card.row.organisation
    names = {category.code: category.name for category in programme.categories}
    return {
        "id": organisation.id,
        "name": organisation.name,
        "uscc": organisation.uscc,
        "area": organisation.area,
        "standing": card.standing,
        "takes_orders": card.takes_orders,
        "categories": [CategoryView(code=code, name=names[code]) for code in card.categories],
        "orders_done": card.done,
    }


def _page(programme: Programme, known: ProviderPage) -> ProviderPageView:
    row, may = known.card.row, allowed(programme, known.card.standing)
    return ProviderPageView(
        **_card(programme, known.card),
        standing_says=texts.LIST.join(texts.PROVIDER_ACTS[act] for act in ProviderAct if act in may),
        since=row.decided_at,
        valid_until=row.valid_until,
        recognitions=[
            RecognitionView(name=one.name, kinds=list(one.kinds), valid_until=one.valid_until)
            for one in known.recognitions
        ],
        performance=_performance(programme, known.performance),
        grade=None if known.grade is None else GradeView(**_grade(known.grade)),
        clause=programme.provider.renewal.article or programme.provider.article,
    )


def _performance(programme: Programme, known: Performance) -> PerformanceView:
    given = known.ratings.by_level
    # A later version of the text may have other levels than those that were given.
    levels = dict.fromkeys((*programme.rating.scale, *given))
    return PerformanceView(
        done=known.done,
        under_way=known.under_way,
        declined=known.declined,
        cancelled=known.cancelled,
        median_days=known.median_days,
        votes=known.ratings.votes,
        levels=[LevelView(level=level, votes=given.get(level, 0)) for level in levels],
    )


def _grade(row: ProviderGrade) -> dict[str, Any]:
    return {name: getattr(row, name) for name in GradeView.model_fields}
