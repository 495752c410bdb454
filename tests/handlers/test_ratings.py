"""Ratings: given once, read without a name by the provider and the public, with one by the authority."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import pytest
from tortoise.transactions import in_transaction

from server.errors import Refusal
from server.keys import RATINGS
from server.models.journal import JournalEntry
from server.models.orders import Order
from server.models.people import Person
from server.models.ratings import Rating, RatingEdit
from server.programme.steps import OrderStep, StepKind
from server.programme.vocabulary import Actor as Who
from server.programme.vocabulary import Party
from server.services.access import Actor
from server.services.orders.rating_steps import RateStep, WithRating
from server.services.providers.ratings import RatedAlready, RatingUnusable, figures_of, rated
from server.services.step_work import Move, NothingMore
from tests.ordering import make_order, organisation_of, two_sides
from tests.town import DAY, PROGRAMME, Caller, Town

NAME = "晨光精密机械有限公司"


@dataclass
class Scene:
    """An enterprise, a provider, and the one rating step between them."""

    town: Town
    enterprise: Caller
    provider: Caller
    slug: str = PROGRAMME

    async def order(self, **others: Any) -> Order:
        return await make_order(
            self.town.programmes.get(self.slug),
            await organisation_of(self.enterprise),
            await organisation_of(self.provider),
            at=self.town.now,
            **others,
        )

    def move(self, order: Order, party: Party = Party.ENTERPRISE, **values: Any) -> Move:
        step = OrderStep(kind=StepKind.RATE, name="评价", actor=Who.ENTERPRISE, article="四")
        side = order.enterprise_id if party is Party.ENTERPRISE else order.provider_id
        return Move(
            order=order,
            step=step,
            programme=self.town.programmes.get(self.slug),
            party=party,
            actor=Actor("person", self.enterprise.id, "", side, frozenset({"handler"})),
            now=self.town.now,
            values=values,
        )

    async def later(self, days: int) -> Caller:
        """Days pass, and somebody of the enterprise signs in again."""
        self.town.clock.advance(days * DAY)
        return await self.town.signed_in(await Person.get(id=self.enterprise.id))

    async def rate(self, order: Order, level: str = "满意", **values: Any) -> Rating:
        work = RateStep(self.town.app[RATINGS])
        move = self.move(order, rating=level, **values)
        assert await work.unmet(move) == ()
        async with in_transaction():
            await work.do(move)
        return await Rating.get(order_id=order.id)


@pytest.fixture
async def scene(town: Town) -> Scene:
    enterprise, provider = await two_sides(town, PROGRAMME)
    return Scene(town, enterprise, provider)


async def refusal(awaited: Any) -> Refusal | None:
    try:
        async with in_transaction():
            await awaited
    except Refusal as said:
        return said
    return None


@pytest.mark.rules("LS-69", "YC-43")
async def test_an_enterprise_rates_its_order_once_and_no_level_is_chosen_for_it(scene: Scene) -> None:
    order = await scene.order()
    work = RateStep(scene.town.app[RATINGS])
    form = work.form(scene.move(order).programme, scene.move(order).step, order, Party.ENTERPRISE)
    assert [one.required for one in form] == [True, False, False]
    assert form[0].choices == ("非常满意", "满意", "不满意")
    assert work.form(scene.move(order).programme, scene.move(order).step, order, Party.PROVIDER) == ()
    assert [one.code for one in await work.unmet(scene.move(order))] == ["rating"]
    assert isinstance(await refusal(work.do(scene.move(order))), RatingUnusable)
    assert not await rated(order.id)
    given = await scene.rate(order, "非常满意", rating_tags="响应及时、按期交付", rating_words="很好")
    assert (given.level, given.tags, given.words) == ("非常满意", ["响应及时", "按期交付"], "很好")
    assert await rated(order.id)
    assert isinstance(await refusal(work.do(scene.move(order, rating="不满意"))), RatedAlready)
    assert (await Rating.get(order_id=order.id)).level == "非常满意"


async def test_of_two_ratings_at_once_one_is_kept(scene: Scene) -> None:
    order = await scene.order()
    work = RateStep(scene.town.app[RATINGS])
    both = await asyncio.gather(
        *(refusal(work.do(scene.move(order, rating=level))) for level in ("满意", "不满意"))
    )
    assert sorted(type(one).__name__ for one in both) == ["NoneType", "RatedAlready"]
    assert await Rating.filter(order_id=order.id).count() == 1


async def test_the_provider_and_the_public_read_it_without_a_name(scene: Scene) -> None:
    order = await scene.order()
    given = await scene.rate(order, "不满意", rating_words=f"{NAME}的项目，联系 13800138000")
    received = await scene.provider.get("ratings/received")
    (one,) = received.body["ratings"]
    assert (one["id"], one["level"], one["month"]) == (given.id, "不满意", "2026-05")
    enterprise = await organisation_of(scene.enterprise)
    said = json.dumps(received.body, ensure_ascii=False)
    for hidden in (NAME, enterprise.uscc, "13800138000", f"person:{scene.enterprise.id}", order.number):
        assert hidden not in said
    assert not {"order_id", "enterprise_id", "enterprise_name", "rated_at", "rated_by"} & one.keys()
    assert (await scene.provider.get(f"orders/{order.id}/rating")).status == 404
    assert (await scene.provider.get("ratings")).status == 403


async def test_the_official_side_reads_whose_it_is_within_its_bounds(scene: Scene) -> None:
    order = await scene.order()
    await scene.rate(order, "不满意")
    authority = await scene.town.staff("authority")
    (one,) = (await authority.get(f"ratings?programme={PROGRAMME}&low=true")).body["ratings"]
    assert (one["enterprise_name"], one["order_id"], one["programme"]) == (NAME, order.id, PROGRAMME)
    assert (await authority.get(f"ratings?programme={PROGRAMME}&low=false")).body["ratings"] == []
    assert (await authority.get(f"orders/{order.id}/rating")).body["level"] == "不满意"
    stranger = await scene.town.staff("authority", programmes=["guangxi-2024"])
    assert (await stranger.get("ratings")).body["ratings"] == []
    assert (await stranger.get(f"orders/{order.id}/rating")).status == 404
    elsewhere = await scene.town.staff("district", areas=["浙江省/丽水市/缙云县"])
    assert (await elsewhere.get("ratings")).body["ratings"] == []
    expert = await scene.town.staff("expert")
    assert (await expert.get("ratings")).status == 403


async def test_a_low_rating_offers_a_complaint_and_others_do_not(scene: Scene) -> None:
    low = await scene.rate(await scene.order(), "不满意")
    fine = await scene.rate(await scene.order(), "满意")
    shown = {one["id"]: one for one in (await scene.enterprise.get("ratings/given")).body["ratings"]}
    assert shown[low.id]["offer_complaint"] is True
    assert shown[fine.id]["offer_complaint"] is False
    changed = await scene.enterprise.patch(f"ratings/{fine.id}", level="不满意")
    assert changed.body["offer_complaint"] is True


async def test_it_may_be_changed_for_the_programmes_days_and_what_stood_is_kept(scene: Scene) -> None:
    given = await scene.rate(await scene.order(), "不满意", rating_words="第一次说的")
    again = await scene.later(6)
    changed = await again.patch(f"ratings/{given.id}", level="满意", words="再想想")
    assert (changed.status, changed.body["level"], changed.body["words"]) == (200, "满意", "再想想")
    former = await RatingEdit.get(rating_id=given.id)
    assert (former.level, former.words) == ("不满意", "第一次说的")
    again = await scene.later(2)
    late = await again.patch(f"ratings/{given.id}", level="不满意")
    assert (late.status, late.code) == (409, "rating_closed")
    assert (await Rating.get(id=given.id)).level == "满意"


async def test_nobody_else_changes_it(scene: Scene) -> None:
    given = await scene.rate(await scene.order())
    assert (await scene.provider.patch(f"ratings/{given.id}", level="非常满意")).status == 404
    stranger = await scene.town.handler()
    assert (await stranger.patch(f"ratings/{given.id}", level="非常满意")).status == 404
    unusable = await scene.enterprise.patch(f"ratings/{given.id}", level="五星", tags=["<script>"])
    assert (unusable.status, unusable.code) == (422, "rating_unusable")
    assert len(unusable.body["unmet"]) == 2
    assert (await Rating.get(id=given.id)).version == 1


async def test_the_provider_answers_once(scene: Scene) -> None:
    given = await scene.rate(await scene.order(), "不满意")
    answered = await scene.provider.post(f"ratings/{given.id}/answer", words="已安排整改")
    assert (answered.status, answered.body["answer"]) == (201, "已安排整改")
    again = await scene.provider.post(f"ratings/{given.id}/answer", words="再说一句")
    assert (again.status, again.code) == (409, "rating_answered")
    assert (await scene.enterprise.post(f"ratings/{given.id}/answer", words="替你说")).status == 404
    (mine,) = (await scene.enterprise.get("ratings/given")).body["ratings"]
    assert mine["answer"] == "已安排整改"
    await scene.town.run_jobs()
    titles = [one["title"] for one in (await scene.enterprise.get("inbox?order=time")).body["messages"]]
    assert "评价已获回复" in titles


@pytest.mark.rules("GX-45")
async def test_what_ratings_add_up_to_is_there_at_once(scene: Scene) -> None:
    refreshed: list[int] = []

    async def refresh(offering_id: int) -> None:
        refreshed.append(offering_id)

    provider = await organisation_of(scene.provider)
    ratings = scene.town.app[RATINGS]
    ratings.listeners.append(refresh)
    try:
        assert (await figures_of(provider.id, PROGRAMME)).average_bp is None
        for level in ("非常满意", "满意", "不满意", "不满意"):
            last = await scene.rate(await scene.order(offering_id=77), level)
        figures = await figures_of(provider.id, PROGRAMME)
        assert (figures.votes, figures.low, figures.average_bp) == (4, 2, 3_750)
        assert dict(figures.by_level) == {"非常满意": 1, "满意": 1, "不满意": 2}
        await scene.enterprise.patch(f"ratings/{last.id}", level="非常满意")
        assert (await figures_of(provider.id, PROGRAMME)).average_bp == 6_250
        assert (await figures_of(provider.id, "guangxi-2024")).votes == 0
        assert refreshed == [77] * 5
    finally:
        ratings.listeners.remove(refresh)


@pytest.mark.rules("GZ-67")
async def test_where_payment_asks_for_a_rating_it_is_final_only_with_one(scene: Scene) -> None:
    scene.slug = "guangzhou-2020"
    order = await scene.order(step=StepKind.PAY_VOUCHER)
    work = WithRating(NothingMore(), RateStep(scene.town.app[RATINGS]))
    move = scene.move(order)
    form = work.form(move.programme, move.step, order, Party.ENTERPRISE)
    assert form[0].code == "rating"
    assert [one.code for one in await work.unmet(move)] == ["rating"]
    paid = scene.move(order, rating="满意")
    assert await work.unmet(paid) == ()
    async with in_transaction():
        await work.do(paid)
    assert await rated(order.id)
    # A payment that was given back is made anew: the rating stands, with what is said now.
    async with in_transaction():
        await work.do(scene.move(order, rating="不满意"))
    assert (await Rating.get(order_id=order.id)).level == "不满意"
    scene.slug = PROGRAMME
    other = await scene.order(step=StepKind.PAY_VOUCHER)
    assert work.form(scene.move(other).programme, move.step, other, Party.ENTERPRISE) == ()
    assert await work.unmet(scene.move(other)) == ()


async def test_the_journal_holds_the_level_and_no_words(scene: Scene) -> None:
    given = await scene.rate(await scene.order(), "不满意", rating_words="联系 13800138000")
    entry = await JournalEntry.get(subject=f"rating:{given.id}", action="rating.given")
    assert entry.data["level"] == "不满意"
    assert "13800138000" not in json.dumps(entry.data, ensure_ascii=False)
