"""Shelves: a marketplace of any size, as providers would have filled it, for the benchmark of its search.

Names are put together from the words of the programmes' own categories, so that pairs of characters are as
frequent as they are in such names: a few in nearly all of them, most in a few. Every row is made from its
number, so that a large marketplace begins like a small one and a word is as frequent in both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import asyncpg

from server.gateways.offering_sought import areas_column, marks_of
from server.models.marketplace import NO_PRICE_FEN
from server.programme.registry import Programmes
from server.rules.chinese_search import Written, written
from server.rules.reputation import quality, score_bp

TEXTS = 20_000
"""So many different texts; a marketplace of more has each several times, from other providers."""
FOR = (
    "中小微",
    "制造业",
    "外贸",
    "文旅",
    "农业",
    "餐饮",
    "机械",
    "电子",
    "纺织",
    "化工",
    "物流",
    "软件",
    "医药",
    "家具",
)
HOW = ("一站式", "定制", "基础版", "专业版", "全流程", "年度", "单项", "线上", "驻场", "快速", "", "", "")
WHAT = ("服务", "方案", "辅导", "代理", "咨询", "平台", "培训", "套餐", "项目", "")
WHO = "华信达诚瑞丰远景明博新创智联科汇众恒源泰安正德盛泽晨光启航天元中天立方星河"
KIND = (
    "技术服务有限公司",
    "咨询有限公司",
    "检测技术有限公司",
    "科技有限公司",
    "会计师事务所",
    "知识产权代理有限公司",
)
SAYS = (
    "由资深团队提供，按合同约定的时间交付成果报告，含一年内的后续支持。",
    "包含现场调研、方案编制、实施辅导与验收，支持分阶段付款。",
    "适用于首次申请的企业，材料清单随订单提供，过程可查询。",
)
PROVIDERS = 500
COLUMNS = (
    "offering_id, version_id, programme_slug, category_key, service, areas, provider_id, provider_name, name,"
    " price_from_fen, price_to_fen, price_rank, listed_ms, sales, votes, points_bp, score_bp, quality,"
    " title, body, spelled"
)


@dataclass(frozen=True, slots=True)
class Goods:
    """What an offering says."""

    slug: str
    category: str
    service: str
    name: str
    provider: str
    areas: tuple[str, ...]
    price_fen: int | None
    kept: Written


def texts(programmes: Programmes, count: int) -> Iterator[Goods]:
    """The first ``count`` texts, always the same."""
    kinds = [
        (one, category.code, word)
        for one in programmes
        for category in one.categories
        for word in category.covers
    ]
    for number in range(count):
        random = Random(number)
        programme, category, word = random.choice(kinds)
        name = random.choice(FOR) + random.choice(HOW) + word + random.choice(WHAT)
        provider = "浙江" + "".join(random.sample(WHO, 2)) + random.choice(KIND)
        areas = (programme.areas[0],) if number % 3 else ()
        price = None if random.random() < 0.05 else random.randrange(100, 60_000) * 1_000
        marks = marks_of(programme.slug, f"{programme.slug}/{category}", word, areas, price, price)
        kept = written([name, word], [provider], [random.choice(SAYS)], marks)
        yield Goods(programme.slug, category, word, name, provider, areas, price, kept)


def rows(goods: Sequence[Goods], count: int) -> Iterator[tuple[Any, ...]]:
    """The first ``count`` listings: of most nobody has said anything yet."""
    for number in range(1, count + 1):
        random, one = Random(-number), goods[number % len(goods)]
        sales = int(random.expovariate(0.2)) if random.random() < 0.4 else 0
        votes = int(sales * random.random())
        points = sum(random.choice((10_000, 10_000, 10_000, 5_000, 0)) for _ in range(votes))
        score = score_bp(points, votes)
        yield (
            number,
            number,
            one.slug,
            f"{one.slug}/{one.category}",
            one.service,
            areas_column(one.areas),
            1 + number % PROVIDERS,
            one.provider,
            one.name,
            one.price_fen,
            one.price_fen,
            one.price_fen or NO_PRICE_FEN,
            1_700_000_000_000 + number,
            sales,
            votes,
            points,
            score,
            quality(score, sales),
            one.kept.title,
            one.kept.body,
            one.kept.spelled,
        )


async def fill(url: str, goods: Sequence[Goods], count: int) -> None:
    """Write a marketplace into a migrated database, its index built at the end."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DROP INDEX listing_terms_found")
        await connection.execute("CREATE TEMP TABLE shelf (place INT, terms TEXT[])")
        shelf = [(place, sorted(one.kept.terms)) for place, one in enumerate(goods)]
        await connection.copy_records_to_table("shelf", records=shelf)
        names = COLUMNS.split(", ")
        await connection.copy_records_to_table("listing", records=rows(goods, count), columns=names)
        await connection.execute(
            "INSERT INTO listing_terms SELECT offering_id, array_to_tsvector(terms)"
            " FROM listing JOIN shelf ON place = offering_id % $1::int",
            len(goods),
        )
        await connection.execute("SET maintenance_work_mem = '256MB'")
        await connection.execute(
            "CREATE INDEX listing_terms_found ON listing_terms USING gin (terms) WITH (fastupdate = off)"
        )
    finally:
        await connection.close()
        await asyncio.sleep(0)
