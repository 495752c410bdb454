"""A small marketplace, written straight into its derived rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tortoise.connection import get_connections

from server.gateways.offering_search import Order, Place, page, rank_of
from server.gateways.offering_search_postgres import PostgresTerms
from server.gateways.offering_search_sqlite import SqliteTerms
from server.gateways.offering_sought import Sought, TermIndex, areas_column, marks_of
from server.models.marketplace import NO_PRICE_FEN, Listing
from server.rules.chinese_search import Synonyms, Tier, Written, asked, written
from server.rules.reputation import quality, score_bp


@dataclass
class Goods:
    """One offering of a test."""

    name: str
    provider: str = "某某服务有限公司"
    content: str = ""
    programme: str = "here"
    category: str = "any"
    service: str = ""
    areas: Sequence[str] = ()
    price_fen: int | None = 100
    points_bp: int = 0
    votes: int = 0
    sales: int = 0
    provider_id: int = 1
    kept: Written = field(init=False)

    def __post_init__(self) -> None:
        key = f"{self.programme}/{self.category}"
        price = self.price_fen
        marks = marks_of(self.programme, key, self.service, self.areas, price, price)
        self.kept = written([self.name], [self.provider], [self.content], marks)


class Market:
    """The index of the open database, and what stands in it."""

    def __init__(self, synonyms: Sequence[Synonyms] = ()) -> None:
        self.connection: Any = get_connections().get(Listing._meta.db.connection_name)
        self.synonyms = synonyms
        postgres = self.connection.capabilities.dialect == "postgres"
        self.index: TermIndex = PostgresTerms() if postgres else SqliteTerms()
        self.count = 0

    async def put(self, *goods: Goods) -> list[int]:
        """List these; their ids."""
        ids = []
        for one in goods:
            self.count += 1
            ids.append(self.count)
            score = score_bp(one.points_bp, one.votes)
            await Listing.create(
                offering_id=self.count,
                version_id=self.count,
                programme_slug=one.programme,
                category_key=f"{one.programme}/{one.category}",
                service=one.service,
                areas=areas_column(one.areas),
                provider_id=one.provider_id,
                provider_name=one.provider,
                name=one.name,
                price_from_fen=one.price_fen,
                price_to_fen=one.price_fen,
                price_rank=one.price_fen or NO_PRICE_FEN,
                listed_ms=1_000 + self.count,
                sales=one.sales,
                votes=one.votes,
                points_bp=one.points_bp,
                score_bp=score,
                quality=quality(score, one.sales),
                title=one.kept.title,
                body=one.kept.body,
                spelled=one.kept.spelled,
            )
            await self.index.write(self.connection, self.count, one.kept.terms)
        return ids

    async def found(self, query: str, *, tier: Tier | None = None, **sought: Any) -> list[str]:
        """The names that a query finds, in order of relevance within the tier."""
        rows = await self.rows(query, tier=tier, **sought)
        return [row["name"] for row in rows]

    async def rows(
        self,
        query: str = "",
        *,
        tier: Tier | None = None,
        order: Order = Order.RELEVANCE,
        after: Place | None = None,
        limit: int = 1000,
        **sought: Any,
    ) -> list[dict[str, Any]]:
        """A page as the index gives it."""
        rows = await page(
            self.connection,
            self.index,
            Sought(parts=asked(query, self.synonyms), **sought),
            order=order,
            tier=tier,
            after=after,
            limit=limit,
        )
        ranks = [rank_of(order, row) for row in rows]
        assert ranks == sorted(ranks, reverse=order is not Order.PRICE)
        return rows
