"""Browsing the marketplace: what is found, in which order, page by page, and what is shown beside it."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from tortoise.transactions import in_transaction

from server.keys import CLOCKS, LISTINGS
from server.models.marketplace import Listing
from server.models.offerings import Offering
from server.models.organisations import Organisation, Qualification
from server.models.ratings import Rating
from server.programme.vocabulary import Party
from server.rules.lifecycles import QualificationStatus
from server.rules.money import Movement
from server.rules.orders import OrderStatus
from server.services.budgets import ledger
from server.services.budgets.ledger import Where
from server.units import yuan_to_fen
from tests import factories
from tests.ordering import make_order, organisation_of, two_sides
from tests.stall import a_provider, listed
from tests.town import PROGRAMME, Answered, Caller, Town

CAPPED = "guangzhou-2020"


async def browse(caller: Caller, **query: Any) -> Answered:
    return await caller.get("marketplace/offerings?" + urlencode(query))


async def names(caller: Caller, **query: Any) -> list[str]:
    found = await browse(caller, **query)
    assert found.status == 200, found.body
    return [one["name"] for one in found.body["offerings"]]


async def test_what_is_listed_can_be_found_by_anybody_until_it_is_withdrawn(town: Town) -> None:
    provider = await a_provider(town, name="丽水华测检测有限公司")
    offering_id = await listed(
        town, provider, category="testing_certification_services", name="食品检验检测", service="环境监测"
    )
    for typed in ("检测", "验检", "jyjc", "huace", "环境监测", "質檢", "食品 hc"):
        assert await names(town.anybody, q=typed) == ["食品检验检测"], typed
    for typed in ("检察", "😀", "财税"):
        assert await names(town.anybody, q=typed) == [], typed
    shown = await town.anybody.get(f"marketplace/offerings/{offering_id}")
    assert shown.status == 200, shown.body
    assert shown.body["provider_name"] == "丽水华测检测有限公司"
    assert shown.body["says"]
    counts = await town.anybody.get("marketplace/counts?" + urlencode({"q": "检测"}))
    assert [(one["category"], one["number"]) for one in counts.body["counts"]] == [
        (None, 1),
        ("testing_certification_services", 1),
    ]
    withdrawn = await provider.post(f"offerings/{offering_id}/withdrawal", reason="调整服务内容")
    assert withdrawn.status == 200, withdrawn.body
    assert await names(town.anybody, q="检测") == []
    assert (await town.anybody.get(f"marketplace/offerings/{offering_id}")).code == "not_found"


async def test_pages_go_on_from_names_to_categories_to_what_is_said_and_to_what_is_covered(
    town: Town,
) -> None:
    provider = await a_provider(town, name="远山技术有限公司")
    auditors = await a_provider(town, name="晨光财税审计事务所")
    await listed(town, provider, category="technical_innovation_services", name="技术诊断")
    await listed(town, auditors, category="legal_protection_services", name="合同审查")
    await listed(town, provider, category="finance_tax_audit_services", name="代理记账")
    await listed(town, provider, category="legal_protection_services", name="内部审计辅导")
    for typed, order in (("审计", ["内部审计辅导", "代理记账", "合同审查"]), ("项目申报", ["技术诊断"])):
        found: list[str] = []
        after: dict[str, Any] = {}
        while True:
            page = await browse(town.anybody, q=typed, limit=1, **after)
            found += [one["name"] for one in page.body["offerings"]]
            if page.body["next_after"] is None:
                break
            after = {"after": page.body["next_after"]}
        assert found == order


async def test_a_provider_that_may_take_no_orders_is_not_shown(town: Town) -> None:
    provider = await a_provider(town)
    await listed(town, provider, name="财税顾问")
    owner = await organisation_of(provider)
    assert await names(town.anybody) == ["财税顾问"]
    standing = Qualification.filter(organisation_id=owner.id, party=Party.PROVIDER)
    await standing.update(status=QualificationStatus.SUSPENDED)
    await town.app[LISTINGS].settle(owner, PROGRAMME)
    assert await names(town.anybody) == []
    await standing.update(status=QualificationStatus.APPROVED)
    assert await town.app[LISTINGS].recheck(PROGRAMME) == 1
    assert await names(town.anybody) == ["财税顾问"]
    await Organisation.filter(id=owner.id).update(name="改名后的机构")
    assert await town.app[LISTINGS].recheck(PROGRAMME) == 1
    assert await names(town.anybody, q="改名") == ["财税顾问"]
    assert await town.app[LISTINGS].recheck(PROGRAMME) == 0


async def test_a_voucher_pays_what_the_rules_allow_and_the_arithmetic_says_why(town: Town) -> None:
    provider = await a_provider(town)
    price = yuan_to_fen(20_000)
    await listed(town, provider, name="财税顾问", price_from_fen=price, price_to_fen=price)
    (card,) = (await browse(town.anybody)).body["offerings"]
    (estimate,) = card["estimates"]
    assert card["estimates_own"] is False
    assert estimate["price_fen"] == price
    assert estimate["voucher_fen"] + estimate["own_fen"] == price
    best = max(tier.face_value_fen for tier in town.programmes.get(PROGRAMME).issuance.tiers)
    assert estimate["voucher_fen"] == min(best, price * 7 // 10)
    assert "70%" in estimate["arithmetic"]
    operator = await town.operator()
    handler = await town.qualified(operator)
    round_id = await town.open_round(operator)
    mine = await organisation_of(handler)
    granted = await town.grant(round_id, handler, mine.id)
    (card,) = (await browse(handler)).body["offerings"]
    (estimate,) = card["estimates"]
    assert card["estimates_own"] is True
    assert granted is not None
    assert "余额" in estimate["arithmetic"]
    assert card["category_room"] is not None
    stale = Caller(town.client, "no.such.token")
    assert (await browse(stale)).status == 401


@pytest.mark.rules("GZ-25")
async def test_what_a_provider_may_still_receive_is_shown_and_filtered_by(town: Town) -> None:
    provider, programme = await a_provider(town), town.programmes.get(CAPPED)
    await listed(town, provider, name="管理咨询")
    # The programme with a ceiling is over by now: its row stands for one of its time.
    key = f"{CAPPED}/{programme.categories[0].code}"
    await Listing.all().update(programme_slug=CAPPED, category_key=key)
    owner, now = await organisation_of(provider), town.app[CLOCKS].now(CAPPED)
    budget = await factories.make_budget(programme, total_yuan=100_000_000, at=now)
    where = Where(budget.id, enterprise_id=1, provider_id=owner.id, category="x")
    await ledger.post(Movement.HOLD, yuan_to_fen(499_000), where, at=now)
    (card,) = (await browse(town.anybody)).body["offerings"]
    assert card["provider_room"]["left_fen"] == yuan_to_fen(1_000)
    assert all(one["voucher_fen"] <= yuan_to_fen(1_000) for one in card["estimates"])
    assert await names(town.anybody, room_from_fen=yuan_to_fen(1_000)) == ["管理咨询"]
    assert await names(town.anybody, room_from_fen=yuan_to_fen(1_001)) == []
    assert await names(town.anybody, room_from_fen=yuan_to_fen(500_001)) == []


async def shelved(town: Town, count: int) -> list[int]:
    """So many offerings of one provider, put up without their papers."""
    owner = await organisation_of(await a_provider(town))
    first = await listed(town, await a_provider(town), name="样品")
    template = await Listing.get(offering_id=first)
    ids = []
    for number in range(1, count + 1):
        columns = {name: getattr(template, name) for name in Listing._meta.fields_map}
        row = {**columns, "offering_id": 10_000 + number, "name": f"第{number}号", "provider_id": owner.id}
        row |= {
            "sales": number % 4,
            "quality": number % 3,
            "score_bp": number % 5,
            "price_rank": 1 + number % 7,
        }
        row |= {"listed_ms": number % 2}
        await Listing.create(**row)
        ids.append(10_000 + number)
    await Listing.filter(offering_id=first).delete()
    return ids


@pytest.mark.parametrize("sort", ["relevance", "sales", "rating", "price", "newest"])
async def test_every_offering_is_on_exactly_one_page_whatever_comes_and_goes(town: Town, sort: str) -> None:
    ids = await shelved(town, 23)
    gone = set(ids[4::9])
    seen: list[int] = []
    after: dict[str, Any] = {}
    for turn in range(20):
        page = await browse(town.anybody, sort=sort, limit=4, **after)
        assert page.status == 200, page.body
        seen += [one["offering_id"] for one in page.body["offerings"]]
        if turn in (0, 2):
            # Everything that anybody has seen or not seen yet moves, and moves again.
            for number, one in enumerate(ids):
                row = Listing.filter(offering_id=one)
                move = (number * 7 + turn) % 5
                await row.update(quality=move, sales=move, score_bp=move, price_rank=1 + move)
        if turn == 1:
            await Listing.filter(offering_id__in=list(gone)).delete()
            template = await Listing.get(offering_id=ids[1])
            columns = {name: getattr(template, name) for name in Listing._meta.fields_map}
            await Listing.create(**{**columns, "offering_id": 99_999, "name": "新品"})
            await town.app[LISTINGS].recount(ids[0])
        if page.body["next_after"] is None:
            break
        after = {"after": page.body["next_after"]}
    stayed = set(ids) - gone
    assert sorted(one for one in seen if one in stayed) == sorted(stayed)


@pytest.mark.parametrize(
    "cursor",
    [
        "x",
        "'; DROP TABLE listing",
        "😀",
        "A" * 199,
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b'["", "", 1, 1]').decode(),
        base64.urlsafe_b64encode(b'{"a": 1}').decode(),
        base64.urlsafe_b64encode(b"[" * 100).decode().rstrip("="),
        base64.urlsafe_b64encode(b"\xff\xfe").decode().rstrip("="),
    ],
)
async def test_a_cursor_that_nobody_was_given_is_refused(town: Town, cursor: str) -> None:
    answered = await browse(town.anybody, after=cursor)
    assert (answered.status, answered.code) == (422, "cursor_unusable")


async def test_a_cursor_belongs_to_its_search_and_to_whole_numbers(town: Town) -> None:
    await shelved(town, 5)
    after = (await browse(town.anybody, limit=2)).body["next_after"]
    assert (await browse(town.anybody, limit=2, after=after)).status == 200
    assert (await browse(town.anybody, limit=2, after=after, sort="sales")).code == "cursor_unusable"
    assert (await browse(town.anybody, limit=2, after=after, q="号")).code == "cursor_unusable"
    mark = json.loads(base64.urlsafe_b64decode(after + "=="))[0]
    for said in (
        [mark, "", 1.5, 1, 0],
        [mark, "", -1, 1, 0],
        [mark, "", 2**63, 1, 0],
        [mark, "x", 1, 1, 0],
        [mark, "", 1, True, 0],
    ):
        forged = base64.urlsafe_b64encode(json.dumps(said).encode()).decode().rstrip("=")
        assert (await browse(town.anybody, limit=2, after=forged)).code == "cursor_unusable", said


@pytest.mark.parametrize(
    "query",
    [
        {"q": "检" * 65},
        {"q": "x" * 5_000},
        {"sort": "best"},
        {"limit": 0},
        {"limit": 51},
        {"price_from_fen": -1},
        {"price_from_fen": 2**70},
        {"rating_from_bp": 10_001},
        {"area": "/x//"},
        {"unknown": 1},
        {"q": "\u202e测检"},
    ],
)
async def test_what_cannot_be_asked_is_refused_and_never_an_error(town: Town, query: dict[str, Any]) -> None:
    answered = await browse(town.anybody, **query)
    assert answered.status in (400, 422), answered.body


async def test_ten_kilobytes_of_query_are_refused(town: Town) -> None:
    status, _ = await town.anybody.refused(
        "GET", "/api/v1/marketplace/offerings?" + urlencode({"q": "检" * 3_400})
    )
    assert status in (400, 414, 422)


async def test_offerings_are_filtered_by_everything_that_is_said_of_them(town: Town) -> None:
    area = town.programmes.get(PROGRAMME).areas[0]
    cheap, dear = yuan_to_fen(1_000), yuan_to_fen(9_000)
    one = await a_provider(town)
    await listed(town, one, name="便宜", price_from_fen=cheap, price_to_fen=cheap, areas=[f"{area}/甲县"])
    await listed(
        town,
        one,
        name="贵重",
        category="legal_protection_services",
        service="法律顾问",
        price_from_fen=dear,
        price_to_fen=dear,
        areas=[f"{area}/乙县"],
    )
    ask = town.anybody
    assert await names(ask, sort="price") == ["便宜", "贵重"]
    assert await names(ask, price_to_fen=cheap) == ["便宜"]
    assert await names(ask, price_from_fen=cheap + 1) == ["贵重"]
    assert await names(ask, price_from_fen=cheap + 1, price_to_fen=dear - 1) == []
    assert await names(ask, category="legal_protection_services") == ["贵重"]
    assert await names(ask, service="法律顾问", programme=PROGRAMME) == ["贵重"]
    assert await names(ask, category="no_such_category") == []
    assert await names(ask, programme="no-such-programme") == []
    assert await names(ask, area=f"{area}/甲县") == ["便宜"]
    assert await names(ask, area=f"{area}/甲县/某镇") == ["便宜"]
    assert set(await names(ask, area=area)) == {"便宜", "贵重"}
    assert await names(ask, area=f"{area}/甲") == []
    assert await names(ask, rating_from_bp=1) == []
    assert await names(ask, q="律师", sort="newest") == ["贵重"]


async def test_what_was_sold_and_said_is_counted_whoever_counts_at_the_same_time(town: Town) -> None:
    enterprise, provider = await two_sides(town, PROGRAMME)
    programme = town.programmes.get(PROGRAMME)
    praised, plain = [await listed(town, provider, name=name) for name in ("受好评的", "普通的")]
    sides = await organisation_of(enterprise), await organisation_of(provider)

    async def done(offering_id: int, score_bp: int) -> None:
        async with in_transaction():
            order = await make_order(
                programme, *sides, at=town.now, offering_id=offering_id, status=OrderStatus.DONE
            )
            await Rating.create(
                order_id=order.id,
                programme_slug=PROGRAMME,
                programme_version=programme.version,
                enterprise_id=sides[0].id,
                provider_id=sides[1].id,
                offering_id=offering_id,
                level="满意",
                score_bp=score_bp,
                is_low=False,
                rated_by="person:1",
                rated_at=town.now,
                editable_until=town.now,
            )
            await town.app[LISTINGS].recount(offering_id)

    await asyncio.gather(*(done(praised, 10_000) for _ in range(4)), done(plain, 5_000))
    found = {one["name"]: one for one in (await browse(town.anybody)).body["offerings"]}
    shown = {name: (one["sales"], one["votes"], one["rating_bp"]) for name, one in found.items()}
    assert shown == {"受好评的": (4, 4, 10_000), "普通的": (1, 1, 5_000)}
    for sort in ("relevance", "rating", "sales"):
        assert (await names(town.anybody, sort=sort))[0] == "受好评的"
    assert await names(town.anybody, rating_from_bp=5_001) == ["受好评的"]


async def test_what_is_listed_again_keeps_its_first_day(town: Town) -> None:
    provider = await a_provider(town)
    offering_id = await listed(town, provider)
    first = (await town.anybody.get(f"marketplace/offerings/{offering_id}")).body["listed_at"]
    await provider.post(f"offerings/{offering_id}/withdrawal", reason="调整服务内容")
    town.clock.advance(timedelta(minutes=5))
    relisted = await provider.post(f"offerings/{offering_id}/relisting")
    assert relisted.status == 200, relisted.body
    assert await Offering.exists(id=offering_id)
    assert (await town.anybody.get(f"marketplace/offerings/{offering_id}")).body["listed_at"] >= first
