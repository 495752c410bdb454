"""Policy trials over HTTP: what a changed programme file would have done to a year (政策试算)."""

from __future__ import annotations

from aiohttp import web
from pydantic import AwareDatetime, Field

from server import texts
from server.handlers.api import Answer, Routes, staff
from server.handlers.parsing import Body, Fen, Path
from server.keys import POLICY_TRIALS
from server.programme.registry import UnknownProgramme
from server.rules.trials import Bound, Change, Trial
from server.services.access import Actor, NotFound, StaffRole
from server.services.programmes.policy_trials import (
    FIRST_YEAR,
    LAST_YEAR,
    Comparison,
    NothingToTry,
    OtherProgrammesFile,
    ProgrammeFaulty,
    TooMuchToTry,
)

routes = Routes("trials")

MOST_LINES = 500
MOST_TEXT = 60_000


class TrialPath(Path):
    """Which programme."""

    slug: str = Field(max_length=64, description="The programme. | 项目代码。", examples=["example-2026"])


class TrialBody(Body):
    """A changed programme file."""

    text: str = Field(
        min_length=1,
        max_length=MOST_TEXT,
        description="The whole changed file, TOML. | 修改后的完整规则文件（TOML）。",
    )
    year: int = Field(
        ge=FIRST_YEAR,
        le=LAST_YEAR,
        description="The programme year whose orders are taken. | 取哪一年度的订单。",
    )
    total_fen: Fen | None = Field(
        default=None,
        description="The year's money then, fen; without it, what the year had."
        " | 试算的年度总额，单位分；不填为当年预算。",
    )


class BoundView(Answer):
    """How often something decided what an order is paid."""

    code: Bound = Field(description="What decided. | 限制因素代码。")
    name: str = Field(description="What it is called. | 名称。")
    before: int = Field(description="Orders under the present file. | 现行规则下的订单数。")
    after: int = Field(description="Orders under the changed file. | 修改后的订单数。")


class CategoryView(Answer):
    """One kind of service."""

    code: str = Field(description="Its code. | 类别代码。")
    before_fen: int = Field(description="Paid under the present file, fen. | 现行规则下的金额，单位分。")
    after_fen: int = Field(description="Paid under the changed file, fen. | 修改后的金额，单位分。")
    capped_at: AwareDatetime | None = Field(
        description="When its share was first reached then. | 修改后首次触及占比上限的时间。"
    )
    capped_fen: int = Field(description="What that took, fen. | 因占比上限少付的金额，单位分。")


class FloorView(Answer):
    """A share that several kinds of service are to reach together."""

    clause: str = Field(description="The clause. | 依据条款。")
    reached_fen: int = Field(description="Reached under the changed file, fen. | 修改后达到的金额，单位分。")
    least_fen: int = Field(description="To be reached, fen. | 应达到的金额，单位分。")
    met: bool = Field(description="Whether it is. | 是否达到。")


class ChangeView(Answer):
    """Who would get something else."""

    id: int = Field(description="The organisation. | 机构编号。")
    name: str = Field(description="Its name. | 名称。")
    before_fen: int = Field(description="Under the present file, fen. | 现行规则下的金额，单位分。")
    after_fen: int = Field(description="Under the changed file, fen. | 修改后的金额，单位分。")
    difference_fen: int = Field(description="The difference, fen. | 差额，单位分。")


class OrderChangeView(Answer):
    """An order that would be paid something else, with both arithmetics."""

    id: int = Field(description="The order. | 订单编号。")
    before_fen: int = Field(description="Under the present file, fen. | 现行规则下的金额，单位分。")
    before: str = Field(description="How that comes about. | 现行规则下的算式。")
    after_fen: int = Field(description="Under the changed file, fen. | 修改后的金额，单位分。")
    after: str = Field(description="How that comes about. | 修改后的算式。")
    clause: str = Field(description="The clause that limits it then. | 修改后起限制作用的条款。")


class TrialView(Answer):
    """A year twice. It promises nobody anything: with other terms, other people would have ordered."""

    year: int = Field(description="The programme year. | 年度。")
    orders: int = Field(description="Orders gone through. | 试算的订单数。")
    really_fen: int = Field(description="What vouchers really pay on them, fen. | 实际抵用金额，单位分。")
    before_fen: int = Field(description="Under the present file, fen. | 现行规则试算金额，单位分。")
    after_fen: int = Field(description="Under the changed file, fen. | 修改后试算金额，单位分。")
    before_out_at: AwareDatetime | None = Field(
        description="When the money ran out under the present file. | 现行规则下资金用完的时间。"
    )
    after_out_at: AwareDatetime | None = Field(
        description="When it would have run out. | 修改后资金用完的时间。"
    )
    bounds: list[BoundView] = Field(description="What decided, how often. | 各限制因素的订单数。")
    categories: list[CategoryView] = Field(description="By kind of service. | 按服务类别。")
    floors: list[FloorView] = Field(description="Shares to be reached. | 占比下限。")
    enterprises_changed: int = Field(description="Enterprises that get something else. | 金额变化的企业数。")
    enterprises: list[ChangeView] = Field(
        description="Of them, the greatest differences first. | 变化最大的企业。"
    )
    providers_changed: int = Field(description="Providers that get something else. | 金额变化的机构数。")
    providers: list[ChangeView] = Field(
        description="Of them, the greatest differences first. | 变化最大的服务机构。"
    )
    order_changes: list[OrderChangeView] = Field(
        description="Orders paid otherwise, the greatest differences first. | 变化最大的订单。"
    )


@routes.post(
    "/api/v1/programmes/{slug}/trials",
    summary="Try a changed programme on a year's orders. | 用修改后的规则试算某年度的订单。",
    access=staff(StaffRole.OPERATOR, StaffRole.AUTHORITY, StaffRole.TREASURY),
    answers={200: TrialView},
    refusals=(
        UnknownProgramme,
        NotFound,
        ProgrammeFaulty,
        OtherProgrammesFile,
        NothingToTry,
        TooMuchToTry,
    ),
)
async def try_programme(request: web.Request, actor: Actor, path: TrialPath, body: TrialBody) -> TrialView:
    """Go through the year twice and say what differs."""
    found = await request.app[POLICY_TRIALS].compare(
        path.slug, body.text, year=body.year, total_fen=body.total_fen, actor=actor
    )
    return _view(found)


def _view(found: Comparison) -> TrialView:
    before, after = found.before, found.after
    enterprises, providers = found.by_enterprise, found.by_provider
    return TrialView(
        year=found.year,
        orders=len(before.results),
        really_fen=found.really_fen,
        before_fen=before.paid_fen,
        after_fen=after.paid_fen,
        before_out_at=before.out_at,
        after_out_at=after.out_at,
        bounds=[
            BoundView(
                code=bound,
                name=texts.TRIAL_BOUNDS[bound],
                before=before.bounds[bound],
                after=after.bounds[bound],
            )
            for bound in Bound
            if before.bounds[bound] or after.bounds[bound]
        ],
        categories=_categories(before, after),
        floors=[
            FloorView(
                clause=one.floor.article, reached_fen=one.reached_fen, least_fen=one.least_fen, met=one.is_met
            )
            for one in after.floors
        ],
        enterprises_changed=len(enterprises),
        enterprises=[_change(one, found.names) for one in enterprises[:MOST_LINES]],
        providers_changed=len(providers),
        providers=[_change(one, found.names) for one in providers[:MOST_LINES]],
        order_changes=_orders(before, after),
    )


def _categories(before: Trial, after: Trial) -> list[CategoryView]:
    codes = sorted(before.by_category.keys() | after.by_category.keys() | after.capped_at.keys())
    return [
        CategoryView(
            code=code,
            before_fen=before.by_category.get(code, 0),
            after_fen=after.by_category.get(code, 0),
            capped_at=after.capped_at.get(code),
            capped_fen=after.capped_fen.get(code, 0),
        )
        for code in codes
    ]


def _change(one: Change, names: dict[int, str]) -> ChangeView:
    return ChangeView(
        id=one.key,
        name=names[one.key],
        before_fen=one.before_fen,
        after_fen=one.after_fen,
        difference_fen=one.difference_fen,
    )


def _orders(before: Trial, after: Trial) -> list[OrderChangeView]:
    """Both trials go through the same orders in the same order."""
    pairs = [
        (was, will)
        for was, will in zip(before.results, after.results, strict=True)
        if was.amount_fen != will.amount_fen
    ]
    pairs.sort(key=lambda pair: (-abs(pair[1].amount_fen - pair[0].amount_fen), pair[0].order.id))
    return [
        OrderChangeView(
            id=was.order.id,
            before_fen=was.amount_fen,
            before=was.arithmetic,
            after_fen=will.amount_fen,
            after=will.arithmetic,
            clause=will.clause,
        )
        for was, will in pairs[:MOST_LINES]
    ]
