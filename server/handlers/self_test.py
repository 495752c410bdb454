"""The size self-test over HTTP: public, nothing to sign in for, nothing stored."""

from __future__ import annotations

from aiohttp import web
from pydantic import Field

from server.handlers.api import PUBLIC, Answer, Reply, Routes
from server.handlers.parsing import LARGEST_FEN, Query
from server.keys import SIZES
from server.programme.size_classes import Figures, SizeIndustry
from server.programme.vocabulary import SizeClass
from server.rules.size_class import FigureMissing, UnknownIndustry
from server.services.organisations.size_self_test import IndustryUnclear, figures_needed, lines_of, self_test

routes = Routes("self-test")

MOST_PERSONS = 10_000_000
CACHED = {"Cache-Control": "public, max-age=86400"}
"""The same question has the same answer for everybody: caches may answer it."""

CLAUSE = "The provision of the standard. | 划型标准条款。"
SOURCE = "The standard. | 划型标准文号。"
SIZE = "micro, small, medium or large. | 微型、小型、中型或大型。"


class SelfTestQuery(Query):
    """Last year's figures. What the industry's lines do not look at may be left out."""

    industry: str = Field(
        min_length=1,
        max_length=60,
        description="Code of GB/T 4754 (C2652), or an industry's name. | 国民经济行业代码或行业名称。",
        examples=["C2652"],
    )
    headcount: int = Field(
        ge=0, le=MOST_PERSONS, description="Persons employed. | 从业人员（人）。", examples=[42]
    )
    revenue_fen: int | None = Field(
        default=None, ge=0, le=LARGEST_FEN, description="Revenue, fen. | 营业收入，单位分。"
    )
    assets_fen: int | None = Field(
        default=None, ge=0, le=LARGEST_FEN, description="Total assets, fen. | 资产总额，单位分。"
    )


class ThresholdView(Answer):
    """One figure of a line."""

    figure: str = Field(description="headcount, revenue_fen or assets_fen. | 指标。")
    at_least: int = Field(description="What the line asks: persons or fen. | 标准值，人或分。")
    own: int = Field(description="What was given. | 填报值。")
    reached: bool = Field(description="Whether it is reached. | 是否达到。")


class SizeLineView(Answer):
    """From here on an enterprise is of this size, when every figure is reached."""

    size: SizeClass = Field(description=SIZE)
    reached: bool = Field(description="Whether every figure is reached. | 是否全部达到。")
    thresholds: list[ThresholdView] = Field(description="The figures. | 各项指标。")


class SelfTestView(Answer):
    """A size class with its arithmetic. It binds nobody: the review decides."""

    size: SizeClass = Field(description=SIZE)
    steps: list[str] = Field(description="Every comparison, in Chinese, in order. | 逐步计算过程。")
    lines: list[SizeLineView] = Field(description="The lines as figures. | 各档标准。")
    industry: str = Field(description="The industry of the standard. | 适用行业。")
    industry_code: str = Field(description="The code it was judged by. | 所用行业代码。")
    clause: str = Field(description=CLAUSE)
    source: str = Field(description=SOURCE)


class LineView(Answer):
    """A line of an industry; null: not looked at."""

    size: SizeClass = Field(description=SIZE)
    headcount: int | None = Field(description="Persons. | 从业人员。")
    revenue_fen: int | None = Field(description="Revenue, fen. | 营业收入，单位分。")
    assets_fen: int | None = Field(description="Total assets, fen. | 资产总额，单位分。")


class SizeIndustryView(Answer):
    """An industry of the standard."""

    name: str = Field(description="Name. | 行业名称。")
    codes: list[str] = Field(description="Sections, divisions, groups of GB/T 4754. | 对应的行业代码。")
    figures: list[str] = Field(description="The figures that its lines look at. | 所需指标。")
    lines: list[LineView] = Field(description="Large, medium, small; below: micro. | 各档标准，以下为微型。")
    clause: str = Field(description=CLAUSE)


class SizeIndustries(Answer):
    """Every industry, to choose from."""

    source: str = Field(description=SOURCE)
    classification: str = Field(description="What the codes belong to. | 行业分类标准。")
    industries: list[SizeIndustryView] = Field(description="The industries. | 行业列表。")


@routes.get(
    "/api/v1/size-self-test",
    summary="Which size class some figures make. | 企业规模自测。",
    access=PUBLIC,
    answers={200: SelfTestView},
    refusals=(IndustryUnclear, UnknownIndustry, FigureMissing),
)
async def size(request: web.Request, query: SelfTestQuery) -> Reply:
    found = self_test(
        request.app[SIZES],
        query.industry,
        headcount=query.headcount,
        revenue_fen=query.revenue_fen,
        assets_fen=query.assets_fen,
    )
    lines = [
        SizeLineView(
            size=line.size,
            reached=line.reached,
            thresholds=[
                ThresholdView(figure=one.figure, at_least=one.at_least, own=one.own, reached=one.reached)
                for one in line.thresholds
            ],
        )
        for line in found.lines
    ]
    answer = SelfTestView(
        size=found.size,
        steps=list(found.steps),
        lines=lines,
        industry=found.industry.name,
        industry_code=found.code,
        clause=found.industry.article,
        source=found.source,
    )
    return Reply(answer, CACHED)


@routes.get(
    "/api/v1/size-self-test/industries",
    summary="The industries of the size standard. | 划型标准行业列表。",
    access=PUBLIC,
    answers={200: SizeIndustries},
)
async def industries(request: web.Request) -> Reply:
    standard = request.app[SIZES]
    answer = SizeIndustries(
        source=standard.source,
        classification=standard.classification,
        industries=[_industry(one) for one in standard.industries],
    )
    return Reply(answer, CACHED)


def _industry(industry: SizeIndustry) -> SizeIndustryView:
    return SizeIndustryView(
        name=industry.name,
        codes=list(industry.gbt4754),
        figures=list(figures_needed(industry)),
        lines=[_line(size, figures) for size, figures in lines_of(industry)],
        clause=industry.article,
    )


def _line(size: SizeClass, figures: Figures) -> LineView:
    return LineView(
        size=size, headcount=figures.headcount, revenue_fen=figures.revenue_fen, assets_fen=figures.assets_fen
    )
