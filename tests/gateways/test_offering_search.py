"""Search on both databases: what is found, what is not, and that neither reads what is typed as a command."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tortoise.context import TortoiseContext

from server.gateways import offering_search
from server.gateways.offering_search import Order, Place, rank_of
from server.gateways.offering_sought import CATEGORY
from server.rules.chinese_search import Synonyms, Tier, asked, holds, tiers_of
from tests.gateways.corpus import Goods, Market

LAB = "食品检验检测认证"
ISO = "ISO9001质量管理体系贯标"
TAX = "企业财税顾问"
ERP = "ERP系统实施"
GOODS = [
    Goods(LAB, provider="丽水华测技术有限公司", content="出具报告，提供样品运输"),
    Goods(ISO, provider="浙江標準化研究院"),
    Goods(TAX, content="汇算清缴与纳税筹划", category="finance"),
    Goods(ERP, content="含检测接口"),
]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("检测", {LAB, ERP}),
        ("验检", {LAB}),
        ("测", {LAB, ERP}),
        ("体系", {ISO}),
        ("jyjc", {LAB}),
        ("JCRZ", {LAB}),
        ("jiance", {LAB}),
        ("zhiliangguanli", {ISO}),
        ("csgw", {TAX}),
        ("iso", {ISO}),
        ("9001", {ISO}),
        ("ＩＳＯ９００１", {ISO}),
        ("檢驗檢測", {LAB}),
        ("標準化", {ISO}),
        ("标准化", {ISO}),
        ("华测", {LAB}),
        ("hcjs", {LAB}),
        ("erp 检测", {ERP}),
        ("ERP检测", {ERP}),
        ("财税 jc", set()),
        ("食品 华测", {LAB}),
        ("纳税", {TAX}),
        ("nssf", set()),
        ("检察", set()),
        ("it", set()),
        ("服务", {ERP, TAX}),
    ],
)
async def test_what_people_type_finds_what_contains_or_sounds_like_it(
    database: TortoiseContext, query: str, found: set[str]
) -> None:
    market = Market()
    await market.put(*GOODS)
    assert set(await market.found(query)) == found


async def test_what_is_called_so_comes_before_what_only_mentions_it(database: TortoiseContext) -> None:
    market = Market()
    await market.put(*GOODS)
    assert await market.found("检测", tier=Tier.TITLE) == [LAB]
    assert await market.found("检测", tier=Tier.BODY) == [ERP]


async def test_a_name_comes_before_a_category_and_that_before_what_mentions_or_covers_it(
    database: TortoiseContext,
) -> None:
    consulting = Synonyms.of(f"{CATEGORY}here/consulting", ["管理咨询服务", "税务审计", "项目申报"])
    declaring = Synonyms.of(f"{CATEGORY}here/declaring", ["项目申报服务"])
    market = Market([consulting, declaring])
    await market.put(
        Goods("项目申报代理"),
        Goods("资料整理", category="declaring"),
        Goods("政策解读", content="含项目申报辅导"),
        Goods("税务审计", category="consulting", sales=900),
    )
    found = [await market.found("项目申报", tier=tier) for tier in Tier]
    assert found == [["项目申报代理"], ["资料整理"], ["政策解读"], ["税务审计"]]


async def test_another_word_for_a_category_finds_what_lies_in_it(database: TortoiseContext) -> None:
    finance = Synonyms.of(f"{CATEGORY}here/finance", ["财税审计服务", "代理记账", "汇算清缴"])
    market = Market([finance])
    await market.put(*GOODS, Goods("出纳外包", category="finance"))
    assert set(await market.found("代理记账")) == {TAX, "出纳外包"}
    assert set(await market.found("记账代理服务")) == set()
    assert set(await market.found("dljz")) == {TAX, "出纳外包"}
    assert set(await market.found("代理记账公司")) == {TAX, "出纳外包"}
    assert await market.found("代理记账", tier=Tier.TITLE) == []
    assert set(await market.found("记账 企业")) == {TAX}


HOSTILE = [
    "'",
    "''; DROP TABLE listing; --",
    '" OR "x" NEAR/2 (',
    "检测' | 'x",
    "检测 & !食品",
    "检测:*A",
    "NOT 检测",
    "AND OR NOT NEAR",
    "terms : 检测",
    "^检测*",
    "\\' | \\",
    "%_%",
    "{x} - (y)",
    "\u0000检测",
    "😀",
    "👩‍👩‍👧‍👦检测",
    "ﷺ",
    "ı̇İßﬁ",
    "𠮷野家",
    "ก็",
    "١٢٣",
    "mp:here",
    "t检测",
    "ㅤ",
    "\u202e测检",
]


@pytest.mark.parametrize("query", HOSTILE)
async def test_nothing_that_is_typed_is_read_as_a_command(database: TortoiseContext, query: str) -> None:
    market = Market()
    await market.put(*GOODS, Goods(f"名叫{query}的服务".replace("\0", "") * 2))
    for tier in (None, *Tier):
        found = set(await market.found(query, tier=tier))
        expected = {
            one.name
            for one in GOODS
            if asked(query, ()) and all(holds(one.kept, part, Tier.BODY) for part in asked(query, ()))
        }
        if tier is None and asked(query, ()):
            assert expected <= found
    assert len(await market.rows()) == len(GOODS) + 1


WORDS = st.text(st.sampled_from("检测验食品企财务iso9 1"), max_size=8)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(data=st.data())
async def test_terms_find_exactly_what_contains_what_was_typed(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    near = data.draw(st.sampled_from([0, 1, 600]))
    monkeypatch.setattr(offering_search, "NEAR", near)
    synonyms = [
        Synonyms.of(f"{CATEGORY}here/a", ["检测", "食品企"]),
        Synonyms.of(f"{CATEGORY}here/b", ["财务", "iso9", "检测验"]),
    ]
    market = Market(synonyms)
    await begin_anew(market)
    goods = [
        Goods(
            data.draw(WORDS),
            content=data.draw(WORDS),
            category="abc"[number % 3],
            votes=number % 3,
            points_bp=number,
        )
        for number in range(6)
    ]
    ids = await market.put(*goods)
    query = data.draw(WORDS)
    parts = asked(query, synonyms)
    before: set[int] = set()
    for tier in Tier:
        found = {row["offering_id"] for row in await market.rows(query, tier=tier)}
        within = {
            number
            for number, one in zip(ids, goods, strict=True)
            if all(
                holds(one.kept, part, tier) or f"{CATEGORY}here/{one.category}" in part.within(tier)
                for part in parts
            )
        }
        assert before <= within
        assert found == (within - before if parts else set(ids))
        assert tier in tiers_of(parts) or within == before
        before = within


AREAS = ["甲省", "甲省/乙市", "甲省/乙市/丙县", "甲省/乙", "丁省"]
ONE_OR_NONE = {
    "programme": st.sampled_from([None, None, "here", "there"]),
    "category_keys": st.sampled_from([None, None, (), ("here/a",), ("here/a", "there/b")]),
    "service": st.sampled_from([None, None, "x", "y'"]),
    "area": st.sampled_from([None, None, *AREAS]),
    "price_least_fen": st.sampled_from([None, None, 0, 50, 100, 101, 10**9]),
    "price_most_fen": st.sampled_from([None, None, 0, 99, 100, 5000, 10**12]),
    "rating_least_bp": st.sampled_from([None, None, 1, 5000, 10_000]),
    "full": st.sampled_from([{}, {"here": [1]}, {"here": [1, 2], "there": []}]),
    "shut": st.sampled_from([(), (), ("there",)]),
}


def is_wanted(one: Goods, wanted: dict[str, Any]) -> bool:
    """The same in plain words."""
    price, area = one.price_fen, wanted["area"]
    served = not one.areas or any(
        f"{area}/".startswith(f"{served}/") or f"{served}/".startswith(f"{area}/") for served in one.areas
    )
    return (
        wanted["programme"] in (None, one.programme)
        and (wanted["category_keys"] is None or f"{one.programme}/{one.category}" in wanted["category_keys"])
        and wanted["service"] in (None, one.service)
        and (area is None or served)
        and (wanted["price_least_fen"] is None or (price is not None and price >= wanted["price_least_fen"]))
        and (wanted["price_most_fen"] is None or (price is not None and price <= wanted["price_most_fen"]))
        and (
            wanted["rating_least_bp"] is None
            or (one.votes > 0 and one.points_bp >= one.votes * wanted["rating_least_bp"])
        )
        and one.provider_id not in wanted["full"].get(one.programme, ())
        and one.programme not in wanted["shut"]
    )


@settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], database=None
)
@given(data=st.data())
async def test_filters_and_pages_leave_exactly_what_is_wanted_in_every_order(
    database: TortoiseContext, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    near = data.draw(st.sampled_from([0, 1, 600]))
    monkeypatch.setattr(offering_search, "NEAR", near)
    monkeypatch.setattr(offering_search, "NEAR_INDEXED", near)
    market = Market()
    await begin_anew(market)
    goods = [
        Goods(
            "检测",
            programme=data.draw(st.sampled_from(["here", "there"])),
            category=data.draw(st.sampled_from(["a", "b"])),
            service=data.draw(st.sampled_from(["x", "y'"])),
            areas=data.draw(st.lists(st.sampled_from(AREAS), max_size=2, unique=True)),
            price_fen=data.draw(st.sampled_from([None, 50, 99, 100, 101, 5000, 10**9])),
            points_bp=data.draw(st.sampled_from([0, 5000, 10_000])),
            votes=1,
            provider_id=data.draw(st.integers(1, 2)),
        )
        for _ in range(6)
    ]
    ids = await market.put(*goods)
    wanted = {name: data.draw(choice) for name, choice in ONE_OR_NONE.items()}
    expected = [number for number, one in zip(ids, goods, strict=True) if is_wanted(one, wanted)]
    for order in Order:
        seen: list[int] = []
        after = None
        while rows := await market.rows("检", order=order, after=after, limit=2, **wanted):
            seen += [row["offering_id"] for row in rows]
            after = Place(rank_of(order, rows[-1]), seen[-1], 0)
        assert sorted(seen) == expected, order


async def begin_anew(market: Market) -> None:
    """Begin the next example with nothing."""
    await market.connection.execute_query("DELETE FROM listing")
    await market.connection.execute_query("DELETE FROM listing_terms")
